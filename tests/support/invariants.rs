//! What holds of every selection, written once: property tests and fuzz targets call the same.
//!
//! Each function takes any [`Case`] and panics where its sentence is false.

use std::convert::Infallible;

use mdinference::select::base::Threshold;
use mdinference::select::explore::exploration_set;
use mdinference::select::utility::utility;
use mdinference::{
    Budget, Catalog, Constraints, Decision, Explanation, Index, Model, ModelId, NothingEligible, Profile,
    Reason, Verdict, explain, select, select_among, select_constrained, select_with,
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
            more_budget_never_lowers_the_accuracy_of_the_base
            a_dominated_model_is_never_the_base
            permuting_the_catalog_changes_ids_only
            a_generator_is_drawn_from_once
            both_ends_of_the_draw_pick
            the_pick_goes_up_with_the_draw
            excluded_models_might_as_well_not_exist
            nothing_eligible_counts_every_model
            no_constraints_is_the_plain_selection
            an_updated_catalog_is_a_fresh_one
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

/// The pick meets the constraints, is in the exploration set, and has a positive probability that `explain` and the
/// decision agree on.
pub fn the_pick_can_be_picked(case: &Case) {
    let Ok(decision) = decide(case) else { return };
    let explanation = explained(case);
    let candidate = explanation.candidates[decision.model.index()];
    assert!(eligible(case).any(|model| model.id == decision.model), "{decision:?}");
    assert!(
        matches!(candidate.verdict, Verdict::Base | Verdict::Explored | Verdict::Fastest),
        "picked what {candidate:?}"
    );
    assert!(candidate.probability > 0.0 || sharp(case), "picked what {candidate:?}");
    let catalog = case.catalog();
    let allowed = case.allowed();
    let constraints = case.constraints(&allowed);
    let by_mean = catalog.models().filter(|model| constraints.exclusion(model).is_none());
    assert_eq!(decision.probability(by_mean, &case.policy), candidate.probability);
}

/// A model that does not fit is never picked while one that fits exists, and nothing fits a budget of zero.
pub fn a_model_that_fits_goes_first(case: &Case) {
    let Ok(decision) = decide(case) else { return };
    let picked = case.profiles[decision.model.index()];
    assert_eq!(fits(case, &picked), eligible(case).any(|model| fits(case, &model.profile)));
    let nothing = decide(&case.with_budget(Budget::default())).unwrap();
    assert_eq!(nothing.reason, Reason::NothingFits);
}

/// The decision says why, from which base, and for which budget.
pub fn the_reason_is_true(case: &Case) {
    let Ok(decision) = decide(case) else { return };
    let base = case.profiles[decision.base.index()];
    assert_eq!(decision.budget, case.budget);
    match decision.reason {
        Reason::NothingFits => {
            assert!(!fits(case, &base));
            assert_eq!(decision.model, decision.base);
        }
        Reason::Base => {
            assert!(fits(case, &base));
            assert_eq!(decision.model, decision.base);
        }
        Reason::Explored => {
            assert!(fits(case, &base));
            assert_ne!(decision.model, decision.base);
        }
    }
    let bases = explained(case)
        .candidates
        .iter()
        .filter(|candidate| matches!(candidate.verdict, Verdict::Base | Verdict::Fastest))
        .map(|candidate| candidate.model)
        .collect::<Vec<_>>();
    assert_eq!(bases, [decision.base]);
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
    for profile in &case.profiles {
        let utility = utility(profile, case.policy.margin, case.budget);
        // Once rounded up.
        assert!(utility <= profile.accuracy.as_percent() * (1.0 + f64::EPSILON));
        assert_eq!(utility > 0.0, fits(case, profile) && profile.accuracy.as_ppm() > 0);
        assert!(utility >= 0.0);
    }
}

/// More budget never lowers the accuracy of the base, from where something fits.
pub fn more_budget_never_lowers_the_accuracy_of_the_base(case: &Case) {
    let mut last = None;
    for budget in case.boundaries() {
        let Ok(decision) = decide(&case.with_budget(budget)) else { return };
        if decision.reason != Reason::NothingFits {
            let accuracy = case.profiles[decision.base.index()].accuracy;
            assert!(last <= Some(accuracy), "at {budget:?}");
            last = Some(accuracy);
        } else {
            assert!(last.is_none(), "something fitted less than {budget:?}");
        }
    }
}

/// No eligible model is both as accurate and as early to fit as the base, and better in one of the two.
pub fn a_dominated_model_is_never_the_base(case: &Case) {
    let Ok(decision) = decide(case) else { return };
    let base = case.profiles[decision.base.index()];
    let key = |profile: &Profile| match decision.reason {
        // Nothing fits: by the mean alone.
        Reason::NothingFits => u64::from(profile.latency.mean.get()),
        _ => threshold(case, profile).as_nanos(),
    };
    for model in eligible(case) {
        let (accuracy, time) = (model.profile.accuracy, key(&model.profile));
        let dominates = accuracy >= base.accuracy
            && time <= key(&base)
            && (accuracy > base.accuracy || time < key(&base));
        assert!(!dominates, "{model:?} dominates {base:?}");
    }
}

/// Permuting the catalog changes nothing but ids. The lower id decides between bases that tie in A and μ + γσ, so there,
/// and only there, a permutation may lead to the other base.
// paper: III, functionally-equivalent models
pub fn permuting_the_catalog_changes_ids_only(case: &Case) {
    let mut order: Vec<usize> = (0..case.profiles.len()).collect();
    order.sort_by_key(|&place| (case.draw | 1).wrapping_mul(place as u64 * 2 + 1).rotate_left(23));
    let permuted = Case {
        profiles: order.iter().map(|&place| case.profiles[place]).collect(),
        allowed: order.iter().map(|&place| case.allowed[place]).collect(),
        ..case.clone()
    };
    let (before, after) = match (decide(case), decide(&permuted)) {
        (Ok(before), Ok(after)) => (before, after),
        (before, after) => return assert_eq!(before, after),
    };
    assert_eq!(before.reason == Reason::NothingFits, after.reason == Reason::NothingFits);
    let known = |profile: Profile| (profile.accuracy, profile.latency);
    let base = case.profiles[before.base.index()];
    let tied = |profile: &Profile| match before.reason {
        Reason::NothingFits => (profile.accuracy, profile.latency.mean) == (base.accuracy, base.latency.mean),
        _ => (profile.accuracy, threshold(case, profile)) == (base.accuracy, threshold(case, &base)),
    };
    assert!(tied(&permuted.profiles[after.base.index()]));
    if eligible(case).any(|model| tied(&model.profile) && known(model.profile) != known(base)) {
        return;
    }
    assert_eq!(known(permuted.profiles[after.base.index()]), known(base));
    assert_eq!(
        known(permuted.profiles[after.model.index()]),
        known(case.profiles[before.model.index()]),
        "the same draw picks a model like the first"
    );
    // Where nothing fits, it is with certainty one of those that tie.
    if before.reason != Reason::NothingFits && base.accuracy.as_ppm() > 0 {
        let (before, after) = (explained(case), explained(&permuted));
        for (place, candidate) in order.iter().zip(&after.candidates) {
            assert_eq!(before.candidates[*place].probability, candidate.probability);
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
    let catalog = case.catalog();
    let mut generator = Once(Some(case.draw));
    let decision = select_with(&catalog, &case.policy, case.budget, &mut generator);
    assert_eq!(generator.0, None, "one draw, even where it decides nothing");
    assert_eq!(decision, select(&catalog, &case.policy, case.budget, case.draw));

    let mut generator = Once(Some(case.draw));
    let index = Index::new(catalog, case.policy);
    let decision = index.select_with(case.budget, &mut generator);
    assert_eq!(generator.0, None, "one draw, even where it decides nothing");
    assert_eq!(decision, index.select(case.budget, case.draw));
}

/// The lowest draw picks the first model by μ that can be picked, the highest one that can be; only the upper 24 bits
/// decide.
pub fn both_ends_of_the_draw_pick(case: &Case) {
    let at = |draw| decide(&Case { draw, ..case.clone() });
    let (Ok(low), Ok(high)) = (at(0), at(u64::MAX)) else { return };
    let explanation = explained(case);
    let possible = |id: ModelId| explanation.candidates[id.index()].probability > 0.0;
    assert!(possible(low.model) && possible(high.model) || sharp(case));
    // A larger k may leave a model a share too small for any draw.
    if case.policy.sharpness.get() == 1.0 {
        let first = case.catalog().models().map(|model| model.id).find(|&id| possible(id));
        assert_eq!(Some(low.model), first);
    }
    assert_eq!(at(case.draw | 0xFF_FFFF_FFFF), at(case.draw & !0xFF_FFFF_FFFF));
}

/// As the draw goes up, the pick goes up in μ-order: that is what makes it a partition of the draws.
pub fn the_pick_goes_up_with_the_draw(case: &Case) {
    let catalog = case.catalog();
    let place = |draw| {
        let decision = decide(&Case { draw, ..case.clone() }).ok()?;
        catalog.models().position(|model| model.id == decision.model)
    };
    let places: Vec<_> =
        [0, case.draw / 2, case.draw, case.draw + (u64::MAX - case.draw) / 2, u64::MAX].map(place).to_vec();
    assert!(places.is_sorted(), "{places:?}");
}

/// A selection with constraints is the selection among the models that meet them.
pub fn excluded_models_might_as_well_not_exist(case: &Case) {
    let left: Vec<Model> = eligible(case).collect();
    for (candidate, model) in explained(case).candidates.iter().zip(case.models()) {
        let excluded = matches!(candidate.verdict, Verdict::Excluded(_));
        assert_eq!(excluded, !left.contains(&model));
        if excluded {
            assert_eq!((candidate.probability, candidate.utility), (0.0, 0.0));
        }
    }
    let Ok(catalog) = Catalog::<CAPACITY>::new(left.iter().map(|model| model.profile)) else {
        return assert!(decide(case).is_err());
    };
    let among = select(&catalog, &case.policy, case.budget, case.draw);
    let renamed =
        Decision { model: left[among.model.index()].id, base: left[among.base.index()].id, ..among };
    assert_eq!(decide(case), Ok(renamed));
}

/// Nothing is eligible exactly if every model is excluded, and then each is counted once.
pub fn nothing_eligible_counts_every_model(case: &Case) {
    match decide(case) {
        Ok(_) => assert!(eligible(case).next().is_some()),
        Err(nothing) => {
            let counted = [nothing.not_allowed, nothing.below_minimum_accuracy, nothing.above_maximum_cost];
            assert_eq!(counted.map(usize::from).iter().sum::<usize>(), case.profiles.len());
            assert_eq!(explained(case).base, None);
        }
    }
}

/// Without constraints, all ways to select are one.
pub fn no_constraints_is_the_plain_selection(case: &Case) {
    let catalog = case.catalog();
    let plain = select(&catalog, &case.policy, case.budget, case.draw);
    let constrained = select_constrained(&catalog, &case.policy, &Constraints::NONE, case.budget, case.draw);
    assert_eq!(constrained, Ok(plain));
    assert_eq!(select_among(catalog.models(), &case.policy, case.budget, case.draw), Some(plain));
}

/// A catalog with one profile replaced is the catalog built with that profile.
pub fn an_updated_catalog_is_a_fresh_one(case: &Case) {
    let count = case.profiles.len();
    let place = case.draw as usize % count;
    let profile = case.profiles[(case.draw >> 32) as usize % count];
    let mut profiles = case.profiles.clone();
    let old = std::mem::replace(&mut profiles[place], profile);
    let mut updated = case.catalog();
    assert_eq!(updated.update(ModelId::new(place).unwrap(), profile), Some(old));
    assert_eq!(updated, Catalog::new(profiles).unwrap());
    let before = updated.clone();
    assert_eq!(updated.update(ModelId::new(count).unwrap(), profile), None);
    assert_eq!(updated, before);
    let by_mean = |model: Model| (model.profile.latency.mean, model.profile.latency.deviation);
    assert!(updated.models().is_sorted_by_key(by_mean));
}

/// The index has the same base as the plain scan and picks only what the scan may pick; and the same for the same draw,
/// unless it draws by rejection: from more than four models at k = 1.
pub fn the_index_decides_as_the_scan(case: &Case) {
    let catalog = case.catalog();
    let index = Index::new(catalog.clone(), case.policy);
    assert_eq!((index.catalog(), index.policy()), (&catalog, &case.policy));
    for budget in case.boundaries().into_iter().chain([case.budget]) {
        same_decision(&index, budget, case.draw);
    }
    for draw in [0, u64::MAX] {
        same_decision(&index, case.budget, draw);
    }
}

/// What [`the_index_decides_as_the_scan`] says, for one request.
pub fn same_decision<const N: usize>(index: &Index<N>, budget: Budget, draw: u64) {
    let (catalog, policy) = (index.catalog(), index.policy());
    let scan = select(catalog, policy, budget, draw);
    let decision = index.select(budget, draw);
    assert_eq!((decision.base, decision.budget), (scan.base, budget));
    let base = catalog.get(scan.base).unwrap();
    let explored = exploration_set(catalog.models(), base.latency).count();
    if scan.reason == Reason::NothingFits || explored <= 4 || policy.sharpness.get() != 1.0 {
        assert_eq!(decision, scan);
    } else {
        let reason = if decision.model == decision.base { Reason::Base } else { Reason::Explored };
        assert_eq!(decision.reason, reason);
        assert!(decision.probability(catalog.models(), policy) > 0.0);
    }
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
        let old = std::mem::replace(&mut profiles[place], profile);
        assert_eq!(updated.update(ModelId::new(place).unwrap(), profile), Some(old));
        let fresh = Index::new(Catalog::new(profiles.iter().copied()).unwrap(), case.policy);
        assert_eq!(updated, fresh);
        bits = bits.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17);
    }
    let before = updated.clone();
    assert_eq!(updated.update(ModelId::new(count).unwrap(), profiles[0]), None);
    assert_eq!(updated, before);
}

/// The selection of a case.
pub fn decide(case: &Case) -> Result<Decision, NothingEligible> {
    let allowed = case.allowed();
    let constraints = case.constraints(&allowed);
    select_constrained(&case.catalog(), &case.policy, &constraints, case.budget, case.draw)
}

/// The explanation of a case.
pub fn explained(case: &Case) -> Explanation<CAPACITY> {
    let allowed = case.allowed();
    explain(&case.catalog(), &case.policy, &case.constraints(&allowed), case.budget)
}

/// Whether k is so large that Uᵏ of a utility rounded to `f32`, by which models are drawn, says little of that of the
/// utility itself.
fn sharp(case: &Case) -> bool {
    case.policy.sharpness.get() > 1_000.0
}

/// The models that meet the constraints, by id.
fn eligible(case: &Case) -> impl Iterator<Item = Model> + '_ {
    case.models().zip(&case.allowed).filter_map(|(model, &allowed)| {
        let accurate = model.profile.accuracy >= case.min_accuracy;
        (allowed && accurate && model.profile.cost <= case.max_cost).then_some(model)
    })
}

fn threshold(case: &Case, profile: &Profile) -> Threshold {
    Threshold::new(profile.latency, case.policy.margin)
}

fn fits(case: &Case, profile: &Profile) -> bool {
    threshold(case, profile).fits(case.budget)
}
