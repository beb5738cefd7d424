//! What holds of every selection, written once: property tests and fuzz targets call the same.
//!
//! Each function takes any [`Case`] and panics where its sentence is false.

use std::convert::Infallible;

use mdinference::select::base::Base;
use mdinference::select::explore::exploration_set;
use mdinference::select::threshold::Threshold;
use mdinference::select::utility::utility;
use mdinference::{
    Accuracy, Budget, Candidate, Catalog, CatalogError, Cost, Decision, Draw, Explanation, Index, Micros,
    Model, ModelId, ModelSet, NothingEligible, Price, Profile, Reason, Request, Value, Verdict,
};
use rand_core::TryRng;

use super::case::{CAPACITY, Case};

/// Hands the names of all of them to a macro.
macro_rules! for_every_invariant {
    ($macro:ident) => {
        $macro! {
            the_pick_can_be_picked
            a_model_that_fits_goes_first
            the_reason_is_true
            probabilities_sum_to_one
            utilities_are_within_accuracy
            more_budget_never_lowers_the_value_of_the_base
            a_dominated_model_is_never_the_base
            permuting_the_catalog_changes_ids_only
            a_generator_is_drawn_from_once
            both_ends_of_the_draw_pick
            the_pick_goes_up_with_the_draw
            excluded_models_might_as_well_not_exist
            nothing_eligible_counts_every_model
            what_asks_nothing_is_the_plain_selection
            prices_add_up
            a_priced_question_is_answered_by_the_base
            an_earlier_budget_is_used_where_it_costs_no_more_than_its_worth
            probability_is_that_of_the_explanation
            an_updated_catalog_is_a_fresh_one
            a_changed_catalog_is_a_fresh_one
            the_index_decides_as_the_scan
            an_updated_index_is_a_fresh_one
        }
    };
}

macro_rules! check_all {
    ($($invariant:ident)*) => {
        /// Checks all of them.
        pub fn all(case: &Case) {
            $($invariant(case);)*
        }
    };
}

for_every_invariant!(check_all);
#[allow(unused_imports, reason = "the fuzz targets call `all`")]
pub(crate) use for_every_invariant;

/// The pick meets what is asked, is in the exploration set, and has a positive probability.
pub fn the_pick_can_be_picked(case: &Case) {
    let Ok(decision) = decide(case) else { return };
    let candidate = explained(case).candidates[decision.model.index()];
    assert_eq!(candidate.model, decision.model);
    assert!(eligible(case).any(|place| place == decision.model.index()), "{decision:?}");
    assert!(
        matches!(candidate.verdict, Verdict::Base | Verdict::Explored | Verdict::Fastest),
        "picked what {candidate:?}"
    );
    assert!(candidate.probability > 0.0 || sharp(case), "picked what {candidate:?}");
}

/// A model that does not fit is never picked while one that fits exists, and nothing fits a budget of zero.
pub fn a_model_that_fits_goes_first(case: &Case) {
    let Ok(decision) = decide(case) else { return };
    let something = eligible(case).any(|place| fits(case, place, case.budget));
    assert_eq!(fits(case, decision.model.index(), decision.budget), something);
    assert_eq!(decision.reason.fits(), something);
    let nothing = decide(&case.with_budget(Budget::default())).unwrap();
    assert_eq!(nothing.reason, Reason::TooLate);
}

/// The decision says why, from which base, and within which budget.
pub fn the_reason_is_true(case: &Case) {
    let Ok(decision) = decide(case) else { return };
    let base = usize::from(decision.base);
    let is_base = decision.model.index() == base;
    let mean = case.waiting(base).latency.mean;
    match decision.reason {
        Reason::Base => assert!(is_base && fits(case, base, decision.budget)),
        Reason::Explored => assert!(!is_base && fits(case, base, decision.budget)),
        Reason::Tight => {
            assert!(is_base && !fits(case, base, case.budget) && mean < case.budget.time());
        }
        Reason::TooLate => {
            assert!(is_base && !fits(case, base, case.budget) && mean >= case.budget.time());
        }
        Reason::Probe => panic!("only a server probes"),
    }
    // The earlier budget exactly if the base fits that.
    let earlier = case.earlier.map(|(budget, _)| budget.min(case.budget));
    let earlier = earlier.filter(|&budget| fits(case, base, budget));
    assert_eq!(decision.budget, earlier.unwrap_or(case.budget));
    let bases = explained(case)
        .candidates
        .iter()
        .filter(|candidate| matches!(candidate.verdict, Verdict::Base | Verdict::Fastest))
        .map(|candidate| candidate.model.index())
        .collect::<Vec<_>>();
    assert_eq!(bases, [base]);
}

/// The probabilities of a selection sum to 1, and each is one.
pub fn probabilities_sum_to_one(case: &Case) {
    let explanation = explained(case);
    let probabilities = explanation.candidates.iter().map(|candidate| candidate.probability);
    assert!(probabilities.clone().all(|probability| (0.0..=1.0).contains(&probability)));
    let total: f64 = probabilities.sum();
    if explanation.base.is_some() {
        assert!((total - 1.0).abs() < 1e-14, "they sum to {total}");
    } else {
        assert_eq!(total, 0.0);
    }
}

/// 0 ≤ U(m) ≤ A(m), and positive exactly for a model that fits and is ever right.
pub fn utilities_are_within_accuracy(case: &Case) {
    for place in 0..case.profiles.len() {
        let profile = case.waiting(place);
        let utility = utility(&profile, case.policy.margin, case.budget);
        // Once rounded up.
        assert!(utility <= profile.accuracy.as_percent() * (1.0 + f64::EPSILON));
        assert_eq!(utility > 0.0, fits(case, place, case.budget) && profile.accuracy.as_ppm() > 0);
        assert!(utility >= 0.0);
    }
}

/// More budget never lowers the value of the base, from where something fits.
pub fn more_budget_never_lowers_the_value_of_the_base(case: &Case) {
    let mut last = None;
    for budget in case.boundaries() {
        let case = case.with_budget(budget);
        let Ok(decision) = decide(&case) else { return };
        if decision.reason.fits() {
            let base = usize::from(decision.base);
            let value = explained(&case).candidates[base].value;
            if case.price == Price::NONE && case.earlier.is_none() {
                assert_eq!(value, Value::of(case.profiles[base].accuracy));
            }
            assert!(last <= Some(value), "at {budget:?}");
            last = Some(value);
        } else {
            assert!(last.is_none(), "something fitted less than {budget:?}");
        }
    }
}

/// No eligible model is both worth as much and as early to fit as the base, and better in one of the two.
pub fn a_dominated_model_is_never_the_base(case: &Case) {
    let explanation = explained(case);
    let Ok(decision) = decide(case) else { return };
    let key = |place: usize| match decision.reason.fits() {
        true => (explanation.candidates[place].value.get(), threshold(case, place).as_nanos()),
        // Nothing fits: by the mean alone.
        false => {
            let profile = case.waiting(place);
            (profile.accuracy.as_ppm().into(), profile.latency.mean.get().into())
        }
    };
    let (base_value, base_time) = key(decision.base.into());
    for place in eligible(case) {
        let (value, time) = key(place);
        let better = value > base_value || time < base_time;
        assert!(!(value >= base_value && time <= base_time && better), "model {place} dominates");
    }
}

/// Permuting the catalog changes nothing but ids. The lower id decides between bases that tie in value and in
/// μ + γσ, and about the order of models that are alike but for their wait or cost; so there, and only there, a
/// permutation may lead to another pick.
// paper: III, functionally-equivalent models
pub fn permuting_the_catalog_changes_ids_only(case: &Case) {
    let mut order: Vec<usize> = (0..case.profiles.len()).collect();
    order.sort_by_key(|&place| (case.draw | 1).wrapping_mul(place as u64 * 2 + 1).rotate_left(23));
    let permuted = Case {
        profiles: order.iter().map(|&place| case.profiles[place]).collect(),
        allowed: order.iter().map(|&place| case.allowed[place]).collect(),
        waits: order.iter().map(|&place| case.wait(place)).collect(),
        ..case.clone()
    };
    let (before, after) = match (decide(case), decide(&permuted)) {
        (Ok(before), Ok(after)) => (before, after),
        (before, after) => return assert_eq!(before, after),
    };
    assert_eq!(before.reason.fits(), after.reason.fits());
    let (was, is) = (explained(case), explained(&permuted));
    let place_before = |id: usize| order[id];
    let base = usize::from(before.base);
    // What stage 1 compares, before ids.
    let key = |place: usize| {
        let profile = case.waiting(place);
        let value = was.candidates[place].value;
        match before.reason.fits() {
            true => (value.get(), threshold(case, place).as_nanos()),
            false => (profile.accuracy.as_ppm().into(), profile.latency.mean.get().into()),
        }
    };
    assert_eq!(key(place_before(after.base.into())), key(base));
    let seen = |place: usize| (case.profiles[place].accuracy, case.waiting(place).latency);
    if eligible(case).any(|place| key(place) == key(base) && seen(place) != seen(base)) {
        return;
    }
    assert_eq!(seen(place_before(after.base.into())), seen(base));
    let known = |place: usize| (case.profiles[place].accuracy, case.profiles[place].latency);
    let alike = |one, other| known(one) != known(other) || seen(one) == seen(other);
    if eligible(case).any(|one| eligible(case).any(|other| !alike(one, other))) {
        return;
    }
    assert_eq!(
        seen(place_before(after.model.index())),
        seen(before.model.index()),
        "the same draw picks a model like the first"
    );
    // Where it is the base with certainty, it is one of those that tie.
    if before.reason.fits() && case.profiles[base].accuracy.as_ppm() > 0 && case.price == Price::NONE {
        for (place, candidate) in order.iter().zip(&is.candidates) {
            assert_eq!(was.candidates[*place].probability, candidate.probability);
        }
    }
}

/// Exactly one `u64` is drawn from a generator, and nothing else.
pub fn a_generator_is_drawn_from_once(case: &Case) {
    struct Once(Option<u64>);
    impl TryRng for Once {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            unreachable!("half a draw")
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(self.0.take().expect("a second draw"))
        }
        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
            unreachable!("bytes drawn")
        }
    }
    let mut generator = Once(Some(case.draw));
    let draw = Draw::from_rng(&mut generator);
    assert_eq!((draw, draw.bits(), generator.0), (case.draw(), case.draw, None));
}

/// The lowest draw picks the first model by μ that can be picked, the highest one that can be; only the upper 24 bits
/// decide.
pub fn both_ends_of_the_draw_pick(case: &Case) {
    let at = |draw| decide(&case.with_draw(draw));
    let (Ok(low), Ok(high)) = (at(0), at(u64::MAX)) else { return };
    let explanation = explained(case);
    let possible = |id: ModelId| explanation.candidates[id.index()].probability > 0.0;
    assert!(possible(low.model) && possible(high.model) || sharp(case));
    // A larger k may leave a model a share too small for any draw.
    if case.policy.sharpness.get() == 1 {
        let first = case.catalog().models().map(|model| model.id).find(|&id| possible(id));
        assert_eq!(Some(low.model), first);
    }
    assert_eq!(at(case.draw | 0xFF_FFFF_FFFF), at(case.draw & !0xFF_FFFF_FFFF));
}

/// As the draw goes up, the pick goes up in the catalog's order: that is what makes it a partition of the
/// draws.
pub fn the_pick_goes_up_with_the_draw(case: &Case) {
    let catalog = case.catalog();
    let place = |draw| {
        let decision = decide(&case.with_draw(draw)).ok()?;
        catalog.models().position(|model| model.id == decision.model)
    };
    let places: Vec<_> =
        [0, case.draw / 2, case.draw, case.draw + (u64::MAX - case.draw) / 2, u64::MAX].map(place).to_vec();
    assert!(places.is_sorted(), "{places:?}");
}

/// A selection that rules models out is the selection among the others.
pub fn excluded_models_might_as_well_not_exist(case: &Case) {
    let left: Vec<usize> = eligible(case).collect();
    for (place, candidate) in explained(case).candidates.iter().enumerate() {
        let excluded = matches!(candidate.verdict, Verdict::Excluded(_));
        assert_eq!(excluded, !left.contains(&place));
        if excluded {
            assert_eq!((candidate.probability, candidate.utility), (0.0, 0.0));
        }
    }
    if left.is_empty() {
        return assert!(decide(case).is_err());
    }
    let among = Case {
        waits: left.iter().map(|&place| case.wait(place)).collect(),
        price: case.price,
        earlier: case.earlier,
        ..Case::new(
            left.iter().map(|&place| case.profiles[place]).collect(),
            case.policy,
            case.budget,
            case.draw,
        )
    };
    let (among, whole) = (decide(&among).unwrap(), decide(case).unwrap());
    assert_eq!(renamed(among, |place| left[place]), renamed(whole, |place| place));
}

/// Nothing is eligible exactly if every model is excluded, and then each is counted once. The index says the
/// same.
pub fn nothing_eligible_counts_every_model(case: &Case) {
    match decide(case) {
        Ok(_) => assert!(eligible(case).next().is_some()),
        Err(nothing) => {
            let counted = [nothing.not_allowed, nothing.below_minimum_accuracy, nothing.above_maximum_cost];
            assert_eq!(counted.map(usize::from).iter().sum::<usize>(), case.profiles.len());
            assert_eq!(counted[0], case.allowed.iter().filter(|&&allowed| !allowed).count() as u16);
            assert_eq!(explained(case).base, None);
        }
    }
}

/// A request that asks nothing but a budget is answered as the budget, however nothing is said.
pub fn what_asks_nothing_is_the_plain_selection(case: &Case) {
    let (catalog, policy, draw) = (case.catalog(), &case.policy, case.draw());
    let index = Index::new(catalog.clone(), *policy);
    let (all, waits) = (ModelSet::<CAPACITY>::ALL, [Micros::ZERO; CAPACITY]);
    let plain = Request::new(case.budget);
    assert_eq!(plain.with_allowed(&ModelSet::<CAPACITY>::NONE).with_waits(&waits).owned(), plain);
    let same = catalog.explain(policy, case.budget).candidates().collect::<Vec<_>>();
    for request in [
        plain,
        Request::from(case.budget),
        Request::new(Budget::default()).with_budget(case.budget),
        plain.with_min_accuracy(Accuracy::ZERO).with_max_cost(Cost(u32::MAX)),
        plain.with_price(Price::NONE).with_waits(&[]),
        plain.with_allowed(&ModelSet::<CAPACITY>::NONE).with_waits(&waits).owned(),
        plain.with_allowed(&all),
        plain.with_waits(&waits),
        plain.with_earlier(case.budget, Accuracy::ZERO),
    ] {
        assert_eq!(catalog.select(policy, request, draw), Ok(catalog.select(policy, case.budget, draw)));
        assert!(catalog.explain(policy, request).candidates().eq(same.iter().copied()));
        assert!(index.explain(request).candidates().eq(same.iter().copied()));
    }
    assert_eq!(index.select(plain, draw), Ok(index.select(case.budget, draw)));
    assert!(index.explain(case.budget).candidates().eq(same));
}

/// What two prices charge is what both charge, to one unit of rounding for the squares; and a price of the
/// model's cost and time alone.
pub fn prices_add_up(case: &Case) {
    let one = case.price;
    let other = Price {
        per_micro: one.per_cost.rotate_left(1) / 2,
        per_micro_squared: one.per_micro / 3,
        per_cost: one.per_micro_squared,
    };
    let both = one.plus(other);
    assert_eq!((both, one.plus(Price::NONE)), (other.plus(one), one));
    let sums = [
        one.per_micro.checked_add(other.per_micro),
        one.per_micro_squared.checked_add(other.per_micro_squared),
        one.per_cost.checked_add(other.per_cost),
    ];
    let values = |price| {
        let case = Case { price, ..case.clone() };
        explained(&case).candidates.into_iter().map(|candidate| candidate.value.get())
    };
    let free = values(Price::NONE);
    for (((free, one), other), both) in free.zip(values(one)).zip(values(other)).zip(values(both)) {
        assert!(one <= free && other <= free && both <= one.min(other), "a price is no gain");
        if both > i64::MIN && sums.iter().all(Option::is_some) {
            let charged = [one, other, both].map(|value| i128::from(free) - i128::from(value));
            assert!((0..=1).contains(&(charged[2] - charged[0] - charged[1])), "{charged:?}");
        }
    }
}

/// Where there is a price the base is used with certainty, whatever the draw; the others that fit are not
/// explored.
pub fn a_priced_question_is_answered_by_the_base(case: &Case) {
    if case.price == Price::NONE {
        return;
    }
    let Ok(decision) = decide(case) else { return };
    assert_eq!(decision.model.index(), usize::from(decision.base));
    assert!(matches!(decision.reason, Reason::Base | Reason::Tight | Reason::TooLate));
    for draw in [0, u64::MAX] {
        assert_eq!(decide(&case.with_draw(draw)), Ok(decision));
    }
    for candidate in explained(case).candidates {
        let certain = candidate.model == decision.model;
        assert_eq!(candidate.probability, f64::from(u8::from(certain)));
        let passed_over =
            matches!(candidate.verdict, Verdict::NotExplored | Verdict::DoesNotFit | Verdict::Excluded(_));
        assert!(certain || passed_over, "{candidate:?}");
    }
}

/// An earlier budget takes the place of the whole one exactly if the best that fits it is at most its worth
/// below the best that fits the whole; the selection is then that for the one budget, and knows nothing of
/// the other.
pub fn an_earlier_budget_is_used_where_it_costs_no_more_than_its_worth(case: &Case) {
    let Some((earlier, worth)) = case.earlier else { return };
    let case = Case { price: Price::NONE, ..case.clone() };
    let best = |budget| {
        let fitting = eligible(&case).filter(|&place| fits(&case, place, budget));
        fitting.map(|place| case.profiles[place].accuracy.as_ppm()).max()
    };
    let shorter = earlier.min(case.budget);
    let budget = match (best(shorter), best(case.budget)) {
        (Some(early), Some(late)) if late - early <= worth.as_ppm() => shorter,
        _ => case.budget,
    };
    let joint = Case { earlier: None, budget, ..case.clone() };
    assert_eq!(decide(&case), decide(&joint));
    let (case, joint) = (explained(&case), explained(&joint));
    assert_eq!((case.base, case.budget), (joint.base, joint.budget));
    for (candidate, joint) in case.candidates.into_iter().zip(joint.candidates) {
        assert_eq!(Candidate { value: joint.value, ..candidate }, joint);
    }
}

/// The probability of one model is that of the explanation, to the bit, whoever answers; zero for a model of
/// another catalog.
pub fn probability_is_that_of_the_explanation(case: &Case) {
    let policy = &case.policy;
    let other = Catalog::<CAPACITY>::new([Profile::default(); CAPACITY]).unwrap();
    case.ask(|catalog, request| {
        let index = Index::new(catalog.clone(), *policy);
        let (explanation, plain) = (catalog.explain(policy, *request), catalog.explain(policy, case.budget));
        let ids = (0..CAPACITY).filter_map(|place| catalog.id(place));
        assert_eq!(ids.clone().count(), case.profiles.len());
        // One in 65,536 is the same by chance.
        let foreign = other.models().map(|model| model.id).filter(|&id| catalog.get(id).is_none());
        for id in ids.chain(foreign) {
            let of = |explanation: &Explanation<'_>| {
                let candidate = explanation.of(id);
                assert_eq!(candidate.is_some(), catalog.get(id).is_some());
                assert!(candidate.is_none_or(|candidate| candidate.model == id));
                candidate.map_or(0.0, |candidate| candidate.probability).to_bits()
            };
            let asked = [
                explanation.probability(id),
                catalog.probability(policy, *request, id),
                index.probability(*request, id),
                index.explain(*request).probability(id),
            ];
            assert_eq!(asked.map(f64::to_bits), [of(&explanation); 4], "of {id:?}");
            let asked = [
                plain.probability(id),
                catalog.probability(policy, case.budget, id),
                index.probability(case.budget, id),
                index.explain(case.budget).probability(id),
            ];
            assert_eq!(asked.map(f64::to_bits), [of(&plain); 4], "of {id:?}");
        }
        assert!(
            explanation
                .candidates()
                .map(Some)
                .eq((0..CAPACITY).filter_map(|place| catalog.id(place)).map(|id| explanation.of(id)))
        );
    });
}

/// A catalog with one profile replaced is the catalog built with that profile, and keeps its ids.
pub fn an_updated_catalog_is_a_fresh_one(case: &Case) {
    let count = case.profiles.len();
    let place = case.draw as usize % count;
    let profile = case.profiles[(case.draw >> 32) as usize % count];
    let mut profiles = case.profiles.clone();
    let old = std::mem::replace(&mut profiles[place], profile);
    let mut updated = case.catalog();
    let id = updated.id(place).unwrap();
    assert_eq!(updated.update(id, profile), Some(old));
    assert_eq!((updated.id(place), updated.get(id)), (Some(id), Some(&profile)));
    assert_eq!(updated, Catalog::new(profiles).unwrap());
    sorted(&updated);
}

/// However models are added, removed, replaced and updated: the others keep their ids, those that are no more
/// are known for it, and decisions are those of a fresh catalog of the models that are left. An index that is
/// changed alike is the index of the changed catalog.
pub fn a_changed_catalog_is_a_fresh_one(case: &Case) {
    const ROOM: usize = 6;
    let policy = case.policy;
    let few = case.profiles.iter().copied().take(4);
    let mut catalog = Catalog::<ROOM>::new(few).unwrap();
    let mut index = Index::new(catalog.clone(), policy);
    let mut alive: Vec<(ModelId, Profile)> =
        (0..catalog.len()).map(|place| (catalog.id(place).unwrap(), case.profiles[place])).collect();
    let mut dead: Vec<ModelId> = Vec::new();
    let mut bits = Draw::from_id(case.draw).bits();
    for _ in 0..8 {
        let profile = case.profiles[(bits >> 8) as usize % case.profiles.len()];
        let which = (bits >> 24) as usize % alive.len();
        let (id, old) = alive[which];
        match bits % 6 {
            0 | 1 => {
                let added = catalog.add(profile);
                assert_eq!(index.add(profile), added);
                if alive.len() == ROOM {
                    assert_eq!(added, Err(CatalogError::Full { capacity: ROOM }));
                } else {
                    alive.push((added.unwrap(), profile));
                }
            }
            2 | 3 => {
                let removed = catalog.remove(id);
                assert_eq!(index.remove(id), removed);
                if alive.len() == 1 {
                    assert_eq!(removed, Err(CatalogError::Empty));
                } else {
                    assert_eq!(removed, Ok(old));
                    alive.remove(which);
                    dead.push(id);
                }
            }
            4 => {
                let new = catalog.replace(id, profile).unwrap();
                assert_eq!(index.replace(id, profile), Ok(new));
                assert_eq!(new.index(), id.index());
                alive[which] = (new, profile);
                dead.push(id);
            }
            _ => {
                assert_eq!(catalog.update(id, profile), Some(old));
                assert_eq!(index.update(id, profile), Some(old));
                alive[which].1 = profile;
            }
        }
        alive.sort_by_key(|(id, _)| id.index());
        still_knows(case, &mut catalog, &mut index, &alive, &dead);
        bits = bits.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17);
    }
}

/// What [`a_changed_catalog_is_a_fresh_one`] says, of the models that are left and of those that are no more.
fn still_knows<const N: usize>(
    case: &Case,
    catalog: &mut Catalog<N>,
    index: &mut Index<N>,
    alive: &[(ModelId, Profile)],
    dead: &[ModelId],
) {
    let policy = &case.policy;
    assert_eq!(catalog.len(), alive.len());
    let ids: Vec<ModelId> = (0..=N).filter_map(|place| catalog.id(place)).collect();
    assert!(ids.iter().eq(alive.iter().map(|(id, _)| id)));
    for (id, profile) in alive {
        assert_eq!(catalog.get(*id), Some(profile));
    }
    sorted(catalog);
    let before = (catalog.clone(), index.clone());
    for &id in dead {
        assert_eq!(catalog.get(id), None);
        assert_eq!(
            (catalog.update(id, Profile::default()), index.update(id, Profile::default())),
            (None, None)
        );
        assert_eq!(
            (catalog.remove(id), index.remove(id)),
            (Err(CatalogError::Unknown), Err(CatalogError::Unknown))
        );
        let replaced = (catalog.replace(id, Profile::default()), index.replace(id, Profile::default()));
        assert_eq!(replaced, (Err(CatalogError::Unknown), Err(CatalogError::Unknown)));
        assert_eq!(catalog.explain(policy, case.budget).of(id), None);
        assert_eq!(catalog.probability(policy, case.budget, id), 0.0);
        assert_eq!(index.probability(case.budget, id), 0.0);
    }
    assert_eq!((&*catalog, &*index), (&before.0, &before.1), "what is not known changes nothing");
    assert_eq!(*index, Index::new(catalog.clone(), *policy));

    // The whole question, what it says of places going by the places that there are.
    let places: Vec<usize> = alive.iter().map(|(id, _)| id.index()).collect();
    let allowed = |place: usize| case.allowed.get(place).copied().unwrap_or(true);
    let fresh = Case {
        profiles: alive.iter().map(|&(_, profile)| profile).collect(),
        allowed: places.iter().map(|&place| allowed(place)).collect(),
        waits: places.iter().map(|&place| case.wait(place)).collect(),
        ..case.clone()
    };
    let asked = Case { allowed: (0..N).map(allowed).collect(), ..case.clone() };
    let set = asked.set(catalog);
    let request = asked.request(&set);
    let by_place = |decision| renamed(decision, |place| place);
    let decided = catalog.select(policy, request, case.draw());
    assert_eq!(
        decided.map(by_place),
        decide(&fresh).map(|decision| renamed(decision, |place| places[place]))
    );
    if let Ok(decision) = decided {
        assert!(catalog.get(decision.model).is_some());
    }
    same_answers(index, &request, case.draw());
    let probabilities = |candidate: Candidate| (candidate.verdict, candidate.probability.to_bits());
    let explanation = catalog.explain(policy, request);
    assert!(
        explanation
            .candidates()
            .map(probabilities)
            .eq(explained(&fresh).candidates.into_iter().map(probabilities))
    );
    for budget in fresh.boundaries().into_iter().step_by(3) {
        same_decision(index, budget, case.draw());
    }
}

/// The index answers every question as the plain scan does: a budget at the same base and with the same
/// probabilities, and by the same model for the same draw unless it draws by rejection, from more than four
/// models at k = 1; a request that asks more by the same model always.
pub fn the_index_decides_as_the_scan(case: &Case) {
    case.ask(|catalog, request| {
        let index = Index::new(catalog.clone(), case.policy);
        assert_eq!((index.catalog(), index.policy()), (catalog, &case.policy));
        for budget in case.boundaries().into_iter().chain([case.budget]) {
            same_decision(&index, budget, case.draw());
            same_answers(&index, &request.with_budget(budget), case.draw());
        }
        for draw in [0, u64::MAX].map(Draw::from_uniform_bits) {
            same_decision(&index, case.budget, draw);
            same_answers(&index, request, draw);
        }
    });
}

/// What [`the_index_decides_as_the_scan`] says, for one request.
pub fn same_answers<const N: usize>(index: &Index<N>, request: &Request<'_>, draw: Draw) {
    let (catalog, policy) = (index.catalog(), index.policy());
    if *request == Request::new(request.budget()) {
        return same_decision(index, request.budget(), draw);
    }
    assert_eq!(index.select(*request, draw), catalog.select(policy, *request, draw));
    same_explanations(&index.explain(*request), &catalog.explain(policy, *request));
}

/// What [`the_index_decides_as_the_scan`] says, for one budget.
pub fn same_decision<const N: usize>(index: &Index<N>, budget: Budget, draw: Draw) {
    let (catalog, policy) = (index.catalog(), index.policy());
    let scan = catalog.select(policy, budget, draw);
    let decision = index.select(budget, draw);
    assert_eq!((decision.base, decision.budget), (scan.base, budget));
    let base = catalog.id(scan.base.into()).unwrap();
    let fits = scan.reason.fits();
    assert_eq!(index.base(budget), fits.then_some(base));
    same_explanations(&index.explain(budget), &catalog.explain(policy, budget));
    let window = exploration_set(catalog.models(), catalog.get(base).unwrap().latency);
    let drawable = |model: &Model| Threshold::new(model.profile.latency, policy.margin).fits(budget);
    // A model that fits some larger budget of this base counts among those that may be drawn, so this many
    // are too few to draw by rejection whatever the budget.
    let few = window.clone().count() <= 4;
    if !fits || few || policy.sharpness.get() != 1 {
        assert_eq!(decision, scan);
    } else {
        assert!(window.filter(drawable).any(|model| model.id == decision.model));
        let reason = if decision.model == base { Reason::Base } else { Reason::Explored };
        assert_eq!(decision.reason, reason);
        assert!(catalog.probability(policy, budget, decision.model) > 0.0);
    }
}

pub fn same_explanations(one: &Explanation<'_>, other: &Explanation<'_>) {
    assert_eq!((one.base, one.budget), (other.base, other.budget));
    assert!(one.candidates().eq(other.candidates()));
}

/// An index with profiles replaced, one after the other, is each time the index built with those profiles.
pub fn an_updated_index_is_a_fresh_one(case: &Case) {
    let count = case.profiles.len();
    let mut profiles = case.profiles.clone();
    let mut updated = Index::new(case.catalog(), case.policy);
    let mut bits = case.draw;
    for _ in 0..count {
        let place = bits as usize % count;
        let mut profile = profiles[(bits >> 16) as usize % count];
        profile.accuracy = profiles[(bits >> 32) as usize % count].accuracy;
        profile.latency.deviation = profiles[(bits >> 48) as usize % count].latency.deviation;
        update(&mut updated, &mut profiles, place, profile);
        bits = bits.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17);
    }
}

/// Gives one model of an index and of its profiles another profile: the index is then that of these profiles.
pub fn update<const N: usize>(
    index: &mut Index<N>,
    profiles: &mut [Profile],
    place: usize,
    profile: Profile,
) {
    let id = index.catalog().id(place).unwrap();
    let old = std::mem::replace(&mut profiles[place], profile);
    assert_eq!(index.update(id, profile), Some(old));
    assert_eq!(*index.catalog(), Catalog::new(profiles.iter().copied()).unwrap());
    assert_eq!(*index, Index::new(index.catalog().clone(), *index.policy()));
}

/// The selection of a case, by the plain scan.
pub fn decide(case: &Case) -> Result<Decision, NothingEligible> {
    case.ask(|catalog, request| catalog.select(&case.policy, *request, case.draw()))
}

/// What [`Explanation`] says of all models.
pub struct Explained {
    pub base: Option<Base>,
    pub budget: Budget,
    pub candidates: Vec<Candidate>,
}

/// The explanation of a case.
pub fn explained(case: &Case) -> Explained {
    case.ask(|catalog, request| {
        let explanation = catalog.explain(&case.policy, *request);
        let Explanation { base, budget, .. } = explanation;
        Explained { base, budget, candidates: explanation.candidates().collect() }
    })
}

/// Model and base of a decision, by other places; its reason and budget.
fn renamed(decision: Decision, place: impl Fn(usize) -> usize) -> (usize, usize, Reason, Budget) {
    (place(decision.model.index()), place(decision.base.into()), decision.reason, decision.budget)
}

pub fn sorted<const N: usize>(catalog: &Catalog<N>) {
    let by_mean = |model: Model| {
        let Profile { accuracy, latency, .. } = model.profile;
        (latency.mean, latency.deviation, accuracy, model.id.index())
    };
    assert!(catalog.models().is_sorted_by_key(by_mean));
}

/// Whether k is so large that Uᵏ of a utility rounded to `f32`, by which models are drawn, says little of that of the
/// utility itself.
fn sharp(case: &Case) -> bool {
    case.policy.sharpness.get() > 1_000
}

/// The places of the models that may answer.
fn eligible(case: &Case) -> impl Iterator<Item = usize> + '_ {
    (0..case.profiles.len()).filter(|&place| {
        let profile = case.profiles[place];
        case.allowed[place] && profile.accuracy >= case.min_accuracy && profile.cost <= case.max_cost
    })
}

/// μ + γσ of the model at a place, with its wait.
fn threshold(case: &Case, place: usize) -> Threshold {
    Threshold::new(case.waiting(place).latency, case.policy.margin)
}

fn fits(case: &Case, place: usize, budget: Budget) -> bool {
    threshold(case, place).fits(budget)
}
