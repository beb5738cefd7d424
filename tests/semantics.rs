//! The semantics, case by case, on numbers small enough to check by hand; each stage is called alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::time::Duration;

use mdinference::select::base::{Base, base, fastest};
use mdinference::select::explore::{Window, exploration_set};
use mdinference::select::sample::{Probabilities, sample, unit, weights};
use mdinference::select::threshold::Threshold;
use mdinference::select::utility::utility;
use mdinference::select::value::{Eligible, eligible};
use mdinference::{
    Accuracy, Budget, Catalog, Cost, Draw, Exclusion, Index, Latency, Margin, Micros, Model, ModelId,
    ModelSet, NetworkTime, NothingEligible, Policy, Price, Profile, Reason, Request, Sharpness, Timestamp,
    Value, Verdict, baseline,
};

fn millis(millis: u32) -> Micros {
    Micros::from_millis(millis)
}

fn budget(time_ms: u32) -> Budget {
    Budget::of(millis(time_ms))
}

fn latency(mean_ms: u32, deviation_ms: u32) -> Latency {
    Latency { mean: millis(mean_ms), deviation: millis(deviation_ms) }
}

/// Accuracy in percent; times in ms.
fn profile(accuracy: u32, mean: u32, deviation: u32) -> Profile {
    Profile::new(Accuracy::from_ppm(accuracy * 10_000).unwrap(), latency(mean, deviation))
}

/// The draw of these bits.
fn bits(bits: u64) -> Draw {
    Draw::from_uniform_bits(bits)
}

fn sharp(k: u32) -> Policy {
    Policy::PAPER.with_sharpness(Sharpness::new(k).unwrap())
}

fn percent(percent: f64) -> Accuracy {
    Accuracy::from_percent(percent).unwrap()
}

fn catalog(profiles: &[(u32, u32, u32)]) -> Catalog<8> {
    Catalog::new(profiles.iter().map(|&(accuracy, mean, deviation)| profile(accuracy, mean, deviation)))
        .unwrap()
}

/// The place of the base, and whether it fits.
fn base_of(profiles: &[(u32, u32, u32)], margin: f64, time_ms: u32) -> (usize, bool) {
    let margin = Margin::new(margin).unwrap();
    match base(catalog(profiles).models(), margin, budget(time_ms)).unwrap() {
        Base::Fits(model) => (model.id.index(), true),
        Base::Fastest(model) => (model.id.index(), false),
    }
}

#[test]
fn times_saturate_at_both_ends() {
    assert_eq!(Micros::new(u32::MAX), Micros::MAX);
    assert_eq!(Micros::from_millis(u32::MAX), Micros::MAX);
    assert_eq!(Micros::MAX.saturating_add(Micros::new(1)), Micros::MAX);
    assert_eq!(Micros::MAX.saturating_mul(2), Micros::MAX);
    assert_eq!(millis(1).saturating_sub(millis(2)), Micros::ZERO);
    assert_eq!(Micros::from(Duration::MAX), Micros::MAX);
    assert_eq!(Micros::from(Duration::from_nanos(1_999)), Micros::new(1));
    assert_eq!(Duration::from(Micros::MAX), Duration::from_micros(2_147_483_647));
}

#[test]
fn a_clock_that_steps_back_is_harmless() {
    let (early, late) = (Timestamp::from_micros(5), Timestamp::from_micros(7));
    assert_eq!(late.since(early), Micros::new(2));
    assert_eq!(early.since(late), Micros::ZERO);
    assert_eq!(Timestamp::from_micros(u64::MAX).since(early), Micros::MAX);
    assert_eq!(Timestamp::from_micros(u64::MAX).after(Micros::MAX).as_micros(), u64::MAX);
}

// paper: IV-D, budget
// paper: IV-D, twice the input
// paper: IV-D, twice the output
// paper: III, network time known
#[test]
fn the_budget_is_the_sla_less_the_network() {
    let sla = millis(250);
    assert_eq!(Budget::new(sla, NetworkTime::TwiceInput(millis(40))), budget(170));
    assert_eq!(Budget::new(sla, NetworkTime::TwiceOutput(millis(40))), budget(170));
    assert_eq!(Budget::new(sla, NetworkTime::Given(millis(40))), budget(210));
    // Floored at zero.
    assert_eq!(Budget::new(sla, NetworkTime::TwiceInput(millis(126))), budget(0));
    assert_eq!(Budget::new(sla, NetworkTime::TwiceInput(Micros::MAX)), budget(0));
    assert_eq!(budget(170).minus(millis(200)), budget(0));
}

// paper: IV-D, Eq. 2
#[test]
fn a_model_fits_strictly_below_the_budget() {
    let fits = |margin, micros| {
        let margin = Margin::new(margin).unwrap();
        let latency = Latency { mean: Micros::new(100), deviation: Micros::new(7) };
        Threshold::new(latency, margin).fits(Budget::of(Micros::new(micros)))
    };
    // μ + σ = 107 µs.
    assert!(!fits(1.0, 107));
    assert!(fits(1.0, 108));
    // μ + 2.333σ = 116.331 µs: no rounding before the comparison.
    assert!(!fits(2.333, 116));
    assert!(fits(2.333, 117));
    // μ alone.
    assert!(!fits(0.0, 100));
    assert!(fits(0.0, 101));
}

#[test]
fn nothing_fits_a_budget_of_zero() {
    assert_eq!(base_of(&[(50, 0, 0), (60, 1, 0)], 1.0, 0), (0, false));
}

// paper: IV-D, Eq. 1
#[test]
fn the_base_is_the_most_accurate_that_fits() {
    let zoo = [(50, 10, 1), (80, 100, 5), (70, 40, 2)];
    assert_eq!(base_of(&zoo, 1.0, 106), (1, true));
    assert_eq!(base_of(&zoo, 1.0, 105), (2, true));
    assert_eq!(base_of(&zoo, 0.0, 105), (1, true));
    assert_eq!(base_of(&zoo, 1.0, 42), (0, true));
}

#[test]
fn bases_tie_to_the_smaller_threshold_then_the_lower_id() {
    assert_eq!(base_of(&[(70, 20, 0), (70, 10, 5)], 1.0, 100), (1, true));
    // μ + γσ is 15 ms of both, and the lower id is not the smaller μ.
    assert_eq!(base_of(&[(70, 15, 0), (70, 10, 5)], 1.0, 100), (0, true));
    assert_eq!(base_of(&[(70, 15, 0), (70, 10, 5)], 2.0, 100), (0, true));
    assert_eq!(base_of(&[(70, 15, 0), (70, 10, 5)], 0.5, 100), (1, true));
}

// paper: IV-D, nothing fits
#[test]
fn if_nothing_fits_it_is_the_fastest_by_mean_then_accuracy_then_id() {
    assert_eq!(base_of(&[(70, 20, 0), (60, 10, 90)], 1.0, 5), (1, false));
    assert_eq!(base_of(&[(60, 10, 0), (70, 10, 9)], 1.0, 5), (1, false));
    assert_eq!(base_of(&[(70, 10, 9), (70, 10, 0)], 1.0, 5), (0, false));
    assert_eq!(fastest([].into_iter()), None);
    assert_eq!(base(std::iter::empty::<Eligible>(), Margin::PAPER, budget(5)), None);
}

// paper: IV-D, exploration set
#[test]
fn the_window_has_both_ends() {
    let window = Window::around(latency(50, 10));
    assert_eq!((window.low, window.high), (millis(40), millis(60)));
    for (mean, inside) in [(39_999, false), (40_000, true), (50_000, true), (60_000, true), (60_001, false)] {
        assert_eq!(window.contains(Micros::new(mean)), inside);
    }
    // A wide one begins at zero, and ends at the end of the scale.
    assert_eq!(Window::around(latency(5, 10)).low, Micros::ZERO);
    let wide = Window::around(Latency { mean: Micros::MAX, deviation: Micros::MAX });
    assert_eq!((wide.low, wide.high), (Micros::ZERO, Micros::MAX));
}

#[test]
fn a_base_without_deviation_is_alone_with_its_equals() {
    let zoo = catalog(&[(80, 50, 0), (10, 50, 3), (70, 49, 9)]);
    let set = exploration_set(zoo.models(), latency(50, 0)).map(|model| model.id.index());
    assert!(set.eq([0, 1]));
}

/// 80 % · (100 − 60) / (100 − 50) = 64 %.
// paper: IV-D, Eq. 3
#[test]
fn the_utility_is_that_of_equation_3() {
    let margin = Margin::PAPER;
    assert_eq!(utility(&profile(80, 50, 10), margin, budget(100)), 64.0);
    // Without a deviation it is the accuracy.
    assert_eq!(utility(&profile(80, 50, 0), margin, budget(100)), 80.0);
    // No share for what does not fit, were its mean below the budget.
    assert_eq!(utility(&profile(80, 95, 5), margin, budget(100)), 0.0);
    assert_eq!(utility(&profile(80, 200, 0), margin, budget(100)), 0.0);
    assert_eq!(utility(&profile(0, 50, 0), margin, budget(100)), 0.0);
}

/// The made-up twin of Section V-C: 50 / (50 + 82.6) of the picks.
// paper: IV-D, probability
#[test]
fn an_inferior_twin_has_its_share() {
    let zoo = [82.6, 50.0].map(|accuracy| Profile::from_percent_and_millis(accuracy, 112.61, 0.36));
    let zoo = Catalog::<2>::try_new(zoo).unwrap();
    let share = |policy| {
        let probabilities = Probabilities::new(zoo.models(), &policy, budget(170));
        let twin = zoo.models().find(|model| model.id.index() == 1).unwrap();
        assert_eq!(Some(zoo.probability(&policy, budget(170), twin.id)), probabilities.of(&twin));
        probabilities.of(&twin).unwrap()
    };
    assert!((share(Policy::PAPER) - 50.0 / 132.6).abs() < 1e-15);
    // And less if it is sharper.
    assert!((share(sharp(2)) - 2_500.0 / (2_500.0 + 82.6 * 82.6)).abs() < 1e-15);
}

#[test]
fn the_draw_is_the_upper_24_bits() {
    assert_eq!(unit(bits(0)), 0.0);
    assert_eq!(unit(bits(1 << 63)), 0.5);
    assert_eq!(unit(bits(u64::MAX)), 1.0 - 1.0 / 16_777_216.0);
}

#[test]
fn a_weight_of_zero_is_never_drawn() {
    let weighted = [('a', 0.0), ('b', 1.0), ('c', 0.0), ('d', 3.0), ('e', 0.0)];
    let draw = |draw| sample(weighted.into_iter(), bits(draw));
    let quarter = 1_u64 << 62;
    assert_eq!([0, quarter - 1, quarter, u64::MAX].map(draw), [Some('b'), Some('b'), Some('d'), Some('d')]);
    assert_eq!(sample([('a', 0.0)].into_iter(), bits(0)), None);
    assert_eq!(sample([('a', 0.0); 0].into_iter(), bits(0)), None);
}

/// Uᵏ by squaring is Uᵏ by multiplying, for every bit of k; a half has exact powers.
#[test]
fn the_power_is_the_kth() {
    let zoo = catalog(&[(80, 50, 0), (40, 50, 0)]);
    for k in (1..=40).chain([63, 64, 100, 126]) {
        let all: Vec<f32> = weights(zoo.models(), &sharp(k), budget(100)).map(|(_, weight)| weight).collect();
        let half = zoo.models().find(|model| model.id.index() == 1).unwrap();
        let share = Probabilities::new(zoo.models(), &sharp(k), budget(100)).of(&half).unwrap();
        let power = 0.5_f64.powi(k as i32);
        assert!(all.contains(&((if k == 1 { 400_000.0 } else { power }) as f32)), "{all:?}");
        assert_eq!(share, power / (1.0 + power));
    }
}

#[test]
fn weights_do_not_overflow_however_sharp() {
    let zoo = catalog(&[(80, 50, 1), (79, 50, 1)]);
    for k in [2, 1_000, 1_000_000, u32::MAX] {
        let all: Vec<f32> = weights(zoo.models(), &sharp(k), budget(100)).map(|(_, weight)| weight).collect();
        assert!(all.iter().all(|weight| (0.0..=1.0).contains(weight)), "{all:?}");
        assert!(all.contains(&1.0));
        let explanation = zoo.explain(&sharp(k), budget(100));
        let total: f64 = explanation.candidates().map(|candidate| candidate.probability).sum();
        assert!((total - 1.0).abs() < 1e-15);
    }
}

/// A base that is never right has no utility, and is used with certainty.
#[test]
fn an_accuracy_of_zero_is_used_with_certainty() {
    let zoo = catalog(&[(0, 50, 5), (0, 52, 5)]);
    let explanation = zoo.explain(&Policy::PAPER, budget(100));
    assert!(
        explanation.candidates().map(|candidate| candidate.verdict).eq([Verdict::Base, Verdict::NoUtility])
    );
    for draw in [0, u64::MAX] {
        let decision = zoo.select(&Policy::PAPER, budget(100), bits(draw));
        assert_eq!((decision.model.index(), decision.reason), (0, Reason::Base));
        assert_eq!(explanation.probability(decision.model), 1.0);
    }
    // However sharp: not even 0 / 0.
    for k in [1, 2, 9] {
        assert!(weights(zoo.models(), &sharp(k), budget(100)).all(|(_, weight)| weight == 0.0));
        let probabilities = || Probabilities::new(zoo.models(), &sharp(k), budget(100));
        assert_eq!(probabilities(), probabilities());
        assert!(zoo.models().all(|model| probabilities().of(&model).is_none()));
    }
}

/// What is picked for a request by the lowest draw.
fn picked<const N: usize>(
    zoo: &Catalog<N>,
    request: Request<'_>,
) -> Result<(usize, Reason), NothingEligible> {
    let decision = zoo.select(&Policy::PAPER, request, bits(0))?;
    Ok((decision.model.index(), decision.reason))
}

#[test]
fn a_request_restricts_the_catalog_before_the_base() {
    let zoo = [profile(50, 10, 1), profile(80, 100, 5), profile(70, 40, 2)];
    let zoo =
        Catalog::<8>::new(zoo.iter().zip([1, 9, 4]).map(|(profile, cost)| profile.with_cost(Cost(cost))))
            .unwrap();
    let asked = Request::new(budget(200));
    assert_eq!(picked(&zoo, asked), Ok((1, Reason::Base)));
    assert_eq!(picked(&zoo, asked.with_max_cost(Cost(8))), Ok((2, Reason::Base)));
    let without_two: ModelSet<8> = [0, 1].into_iter().filter_map(|place| zoo.id(place)).collect();
    let cheap = asked.with_max_cost(Cost(8)).with_allowed(&without_two);
    assert_eq!(picked(&zoo, cheap), Ok((0, Reason::Base)));
    // Nothing eligible fits: the fastest of the eligible, not of all.
    let accurate = asked.with_min_accuracy(percent(60.0));
    assert_eq!(picked(&zoo, accurate.with_budget(budget(20))), Ok((2, Reason::TooLate)));
    // Nothing eligible, whatever the budget.
    let nothing = NothingEligible { not_allowed: 1, below_minimum_accuracy: 1, above_maximum_cost: 1 };
    let demanding = accurate.with_max_cost(Cost(8)).with_allowed(&without_two);
    assert_eq!(picked(&zoo, demanding), Err(nothing));
    assert_eq!(Index::new(zoo, Policy::PAPER).select(demanding, bits(0)), Err(nothing));
    // What is owned of it rules nobody out by name.
    assert_eq!(demanding.owned(), accurate.with_max_cost(Cost(8)));
}

#[test]
fn the_fastest_is_tight_up_to_its_mean() {
    let zoo = catalog(&[(50, 10, 4), (80, 100, 5)]);
    let request = |time| Request::new(Budget::of(Micros::new(time)));
    assert_eq!(picked(&zoo, request(14_001)), Ok((0, Reason::Base)));
    assert_eq!(picked(&zoo, request(14_000)), Ok((0, Reason::Tight)));
    assert_eq!(picked(&zoo, request(10_001)), Ok((0, Reason::Tight)));
    assert_eq!(picked(&zoo, request(10_000)), Ok((0, Reason::TooLate)));
    // It waits: 10 + 2 ms.
    let waits = [millis(2)];
    assert_eq!(picked(&zoo, request(12_001).with_waits(&waits)), Ok((0, Reason::Tight)));
    assert_eq!(picked(&zoo, request(12_000).with_waits(&waits)), Ok((0, Reason::TooLate)));
    let reasons = [Reason::Base, Reason::Explored, Reason::Tight, Reason::TooLate];
    assert_eq!(reasons.map(Reason::fits), [true, true, false, false]);
}

/// The more accurate of two has a queue: the other is the base while that is too long, and in its window no
/// longer.
#[test]
fn a_wait_adds_to_the_mean() {
    let zoo = catalog(&[(70, 95, 5), (80, 100, 5)]);
    let asked = |wait| {
        let waits = [Micros::ZERO, Micros::new(wait)];
        let request = Request::new(budget(150)).with_waits(&waits);
        let explanation = zoo.explain(&Policy::PAPER, request);
        let verdicts: Vec<Verdict> = explanation.candidates().map(|candidate| candidate.verdict).collect();
        let mean = explanation.base.unwrap().model().profile.latency.mean;
        (verdicts, mean)
    };
    assert_eq!(asked(0), (vec![Verdict::Explored, Verdict::Base], millis(100)));
    // μ_b − σ_b is 95.001 ms.
    assert_eq!(asked(1), (vec![Verdict::OutsideWindow, Verdict::Base], Micros::new(100_001)));
    assert_eq!(asked(44_999).0, [Verdict::OutsideWindow, Verdict::Base]);
    assert_eq!(asked(45_000), (vec![Verdict::Base, Verdict::DoesNotFit], millis(95)));
}

/// 80 % at 100 ms and 5 units against 70 % at 40 ms and 1 unit.
#[test]
fn the_base_has_the_greatest_value() {
    let zoo = [profile(80, 100, 5).with_cost(Cost(5)), profile(70, 40, 2).with_cost(Cost(1))];
    let zoo = Catalog::<2>::new(zoo).unwrap();
    let asked = Request::new(budget(200));
    let base = |price| picked(&zoo, asked.with_price(price));
    // 10 points for 60 ms.
    let per_milli = |points| Price::per_milli(percent(points));
    assert_eq!(base(per_milli(0.1666)), Ok((0, Reason::Base)));
    assert_eq!(base(per_milli(0.1667)), Ok((1, Reason::Base)));
    // 10 points for 4 units; at equal values the smaller μ + γσ.
    assert_eq!(base(Price::per_cost(percent(2.4999))), Ok((0, Reason::Base)));
    assert_eq!(base(Price::per_cost(percent(2.5))), Ok((1, Reason::Base)));
    // 10 points for 100² − 40² ms²: 100 000 ppm / 8.4·10⁹ µs² in 2⁻⁴⁸ parts per million.
    let squared = |per_micro_squared| Price { per_micro_squared, ..Price::NONE };
    assert_eq!(base(squared(3_350_890_000)), Ok((0, Reason::Base)));
    assert_eq!(base(squared(3_350_900_000)), Ok((1, Reason::Base)));
    // Both together, and waits have no price.
    let both = per_milli(0.1).plus(Price::per_cost(percent(1.0)));
    let waits = [millis(90), Micros::ZERO];
    let request = asked.with_price(both).with_waits(&waits);
    let explanation = zoo.explain(&Policy::PAPER, request);
    let values: Vec<f64> = explanation.candidates().map(|candidate| candidate.value.as_percent()).collect();
    assert!((values[0] - 65.0).abs() < 1e-3 && (values[1] - 65.0).abs() < 1e-3, "{values:?}");
    assert_eq!(request.wait(zoo.id(0).unwrap()), millis(90));
    let (valued, waiting) = eligible(zoo.models(), &request, Margin::PAPER);
    assert!(valued.map(|eligible| eligible.model).eq(waiting.clone()));
    assert!(waiting.map(|model| model.profile.latency.mean).eq([millis(40), millis(190)]));
}

/// By value, a request need not be kept for its explanation.
#[test]
fn an_explanation_may_outlive_its_request() {
    let zoo = catalog(&[(50, 10, 1), (80, 100, 5)]);
    let explained = |time| zoo.explain(&Policy::PAPER, Request::new(budget(time)).with_max_cost(Cost(0)));
    assert_eq!([explained(200), explained(50)].map(|it| it.probability(zoo.id(1).unwrap())), [1.0, 0.0]);
}

/// What a run is charged may be off the scale of values: then all are worth the least there is, and the
/// earliest is used.
#[test]
fn no_price_is_too_high() {
    let zoo = catalog(&[(50, 100, 0), (100, 100, 1), (1, 10, 0)]);
    let most = u64::MAX;
    let price = Price { per_micro: most, per_micro_squared: most, per_cost: most };
    assert_eq!(price.plus(price), price);
    let asked = Request::new(budget(200)).with_price(price);
    let explanation = zoo.explain(&Policy::PAPER, asked);
    assert!(explanation.candidates().all(|candidate| candidate.value.get() == i64::MIN));
    assert_eq!(picked(&zoo, asked), Ok((2, Reason::Base)));
    // Just above the bottom is still above it: of 1 µs and of 2 µs, however accurate the latter.
    let slow = Profile::new(Accuracy::MAX, Latency { mean: Micros::new(2), deviation: Micros::ZERO });
    let fast = Profile::new(Accuracy::ZERO, Latency { mean: Micros::new(1), deviation: Micros::ZERO });
    let zoo = Catalog::<2>::new([slow, fast]).unwrap();
    let price = Price { per_micro: i64::MAX as u64, ..Price::NONE };
    assert_eq!(picked(&zoo, asked.with_price(price)), Ok((1, Reason::Base)));
}

/// Catalogs that differ in one number of one model, or in how many there are, do not know each other's
/// models.
#[test]
fn a_catalog_does_not_know_the_models_of_another() {
    let zoo = || [profile(50, 10, 1), profile(80, 100, 5), profile(70, 40, 2)];
    let ours = Catalog::<4>::new(zoo()).unwrap();
    let ids: Vec<ModelId> = ours.models().map(|model| model.id).collect();
    let knows = |other: &Catalog<4>| ids.iter().filter(|&&id| other.get(id).is_some()).count();
    assert_eq!(knows(&Catalog::new(zoo()).unwrap()), 3);
    assert_eq!(knows(&Catalog::new(zoo().into_iter().take(2)).unwrap()), 0);
    // Nor those that were added to it since, be it the same one.
    let added = |models: usize, profile| {
        let mut catalog = Catalog::<4>::new(zoo().into_iter().skip(models).chain(zoo()).take(3)).unwrap();
        let id = catalog.add(profile).unwrap();
        (catalog, id)
    };
    let (one, id) = added(0, profile(60, 20, 1));
    assert_eq!(added(0, profile(60, 20, 1)), (one, id));
    for (other, _) in [added(0, profile(60, 20, 2)), added(1, profile(60, 20, 1))] {
        assert_eq!(other.get(id), None);
    }
    for place in 0..3 {
        for step in 1..=100 {
            let other = |change: &dyn Fn(&mut Profile)| {
                let mut profiles = zoo();
                change(&mut profiles[place]);
                knows(&Catalog::new(profiles).unwrap())
            };
            let more = |time: Micros| time.saturating_add(Micros::new(step));
            let ppm = |accuracy: Accuracy| Accuracy::from_ppm(accuracy.as_ppm() + step).unwrap();
            assert_eq!(other(&|profile| profile.cost = Cost(step)), 0, "model {place}, cost {step}");
            assert_eq!(other(&|profile| profile.accuracy = ppm(profile.accuracy)), 0);
            assert_eq!(other(&|profile| profile.latency.mean = more(profile.latency.mean)), 0);
            assert_eq!(other(&|profile| profile.latency.deviation = more(profile.latency.deviation)), 0);
        }
    }
}

/// Draws of ids that count up differ in all bits; texts differ by length, by their first bytes and by their
/// last.
#[test]
fn a_draw_of_an_id_is_mixed() {
    assert_eq!(Draw::from_id(7), Draw::from_id(7));
    assert_ne!(Draw::from_bytes(b"12345678abcdefgh"), Draw::from_bytes(b"abcdefgh12345678"));
    assert_ne!(Draw::from_bytes(b"12345678"), Draw::from_bytes(b"123456781234567812345678"));
    let draws = |draw: &dyn Fn(u64) -> Draw| (0..4_096).map(|id| draw(id).bits()).collect::<Vec<_>>();
    let texts = draws(&|id| Draw::from_bytes(format!("{id}").as_bytes()));
    let zeros = draws(&|id| Draw::from_bytes(&vec![0; id as usize]));
    for draws in [draws(&Draw::from_id), draws(&|id| Draw::from_id(id << 52)), texts, zeros] {
        for bit in 0..64 {
            // 2 048 ± 32: seven of these are passed by one in 10¹² at random.
            let ones = draws.iter().filter(|&&draw| draw >> bit & 1 == 1).count();
            assert!(ones.abs_diff(2_048) < 7 * 32, "{ones} of 4 096 have bit {bit}");
        }
        let mut different = draws.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), draws.len());
    }
}

/// A profile as model 0 of a catalog.
fn model(profile: Profile) -> Model {
    Catalog::<1>::new([profile]).unwrap().models().next().unwrap()
}

#[test]
fn an_exclusion_gives_the_first_reason() {
    let model = model(profile(50, 10, 1).with_cost(Cost(5)));
    let asked = Request::new(budget(100));
    let accurate = asked.with_min_accuracy(percent(60.0));
    let none = ModelSet::<1>::NONE;
    assert_eq!(asked.exclusion(&model), None);
    assert_eq!(asked.with_max_cost(Cost(5)).exclusion(&model), None);
    let costly = accurate.with_max_cost(Cost(4));
    assert_eq!(asked.with_max_cost(Cost(4)).exclusion(&model), Some(Exclusion::AboveMaximumCost));
    assert_eq!(costly.exclusion(&model), Some(Exclusion::BelowMinimumAccuracy));
    assert_eq!(costly.with_allowed(&none).exclusion(&model), Some(Exclusion::NotAllowed));
    // Past the capacity of the set.
    assert_eq!(asked.with_allowed(&ModelSet::<0>::ALL).exclusion(&model), Some(Exclusion::NotAllowed));
}

#[test]
fn what_is_said_tells_them_apart() {
    use Exclusion::{AboveMaximumCost, BelowMinimumAccuracy, NotAllowed};
    use Verdict::{DoesNotFit, Excluded, NoUtility, NotExplored, OutsideWindow};
    let reasons = [Reason::Base, Reason::Explored, Reason::Probe, Reason::Tight, Reason::TooLate];
    let verdicts = [Verdict::Base, Verdict::Explored, Verdict::Fastest, Verdict::Probe]
        .into_iter()
        .chain([DoesNotFit, OutsideWindow, NoUtility, NotExplored])
        .chain([NotAllowed, BelowMinimumAccuracy, AboveMaximumCost].map(Excluded));
    let said = [reasons.map(|it| it.to_string()).to_vec(), verdicts.map(|it| it.to_string()).collect()];
    for mut said in said {
        assert!(said.iter().all(|text| !text.is_empty()));
        said.sort_unstable();
        assert!(said.is_sorted_by(|one, other| one != other), "{said:?}");
    }
    assert_eq!(format!("{:.1}", Value::of(percent(62.5))), "62.5 %");
}

#[test]
fn a_set_of_models_is_a_set() {
    let zoo = catalog(&[(50, 10, 1); 5]);
    let id = |place| zoo.id(place).unwrap();
    let mut set: ModelSet<4> = [0, 2].into_iter().map(id).collect();
    assert_eq!([0, 1, 2, 3, 4].map(|place| set.contains(id(place))), [true, false, true, false, false]);
    // Past the capacity nothing is kept.
    set.insert(id(4));
    set.remove(id(4));
    assert_eq!(set, [0, 2].into_iter().map(id).collect());
    set.remove(id(2));
    assert_eq!(set.intersection(&ModelSet::ALL), [id(0)].into_iter().collect());
    assert_eq!(set.intersection(&ModelSet::NONE), ModelSet::NONE);
}

// paper: V-A, static greedy
// paper: V-C, pure random
// paper: V-C, related random
// paper: V-C, related accurate
// paper: V-D, static latency
// paper: V-D, static accuracy
#[test]
fn the_compared_algorithms() {
    let zoo = catalog(&[(50, 10, 1), (80, 100, 5), (70, 95, 2), (80, 99, 9)]);
    let models = || zoo.models();
    let id = |place| zoo.id(place).unwrap();
    let margin = Margin::PAPER;
    assert_eq!(baseline::static_latency(models()), Some(id(0)));
    // Tied in accuracy: the smaller μ.
    assert_eq!(baseline::static_accuracy(models()), Some(id(3)));
    // Tied in accuracy: the smaller μ + γσ.
    assert_eq!(baseline::static_greedy(models(), margin, millis(200)), Some(id(1)));
    assert_eq!(baseline::static_greedy(models(), margin, millis(98)), Some(id(2)));
    assert_eq!(baseline::static_greedy(models(), margin, millis(5)), Some(id(0)));
    // In 95 ± 2 ms there is no other; in 95 ± 4 ms the most accurate does not fit, and the set holds it all the same.
    assert_eq!(baseline::related_accurate(models(), margin, budget(98)), Some(id(2)));
    let wider = catalog(&[(50, 10, 1), (80, 100, 5), (70, 95, 4), (80, 99, 9)]);
    let widest = baseline::related_accurate(wider.models(), margin, budget(100));
    assert_eq!(widest, wider.id(3));
    assert_eq!(baseline::related_accurate(models(), margin, budget(5)), Some(id(0)));
    // By μ: 0, 2, 3, 1; a quarter of the draws each.
    let places =
        [0, 1 << 62, 2 << 62, u64::MAX].map(|draw| baseline::pure_random(models(), bits(draw)).unwrap());
    assert_eq!(places, [0, 2, 3, 1].map(id));
    // In 100 ± 5 ms: all but the first, whether they fit or not.
    let related = |draw| baseline::related_random(models(), margin, budget(106), bits(draw)).unwrap();
    assert_eq!([0, 1 << 63, u64::MAX].map(related), [2, 3, 1].map(id));
    let nothing = |draw| baseline::related_random(models(), margin, budget(5), bits(draw)).unwrap();
    assert_eq!([0, u64::MAX].map(nothing), [0, 0].map(id));
}
