//! The semantics, case by case, on numbers small enough to check by hand; each stage is called alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::time::Duration;

use mdinference::select::base::{Base, Threshold, base, fastest};
use mdinference::select::explore::{Window, exploration_set};
use mdinference::select::sample::{probabilities, sample, unit, weights};
use mdinference::select::utility::utility;
use mdinference::{
    Accuracy, Budget, Catalog, Constraints, Cost, Exclusion, Latency, Margin, Micros, Model, ModelId,
    ModelSet, NetworkTime, NothingEligible, Policy, Profile, Reason, Sharpness, Timestamp, Verdict, baseline,
    explain, select, select_constrained,
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

fn id(place: usize) -> ModelId {
    ModelId::new(place).unwrap()
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
    assert_eq!(base([].into_iter(), Margin::PAPER, budget(5)), None);
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
        probabilities(zoo.models(), &policy, budget(170)).find(|&(model, _)| model == id(1)).unwrap().1
    };
    assert!((share(Policy::PAPER) - 50.0 / 132.6).abs() < 1e-15);
    // And less if it is sharper.
    let sharp = Policy::PAPER.with_sharpness(Sharpness::new(2.0).unwrap());
    assert!((share(sharp) - 2_500.0 / (2_500.0 + 82.6 * 82.6)).abs() < 1e-15);
}

#[test]
fn the_draw_is_the_upper_24_bits() {
    assert_eq!(unit(0), 0.0);
    assert_eq!(unit(1 << 63), 0.5);
    assert_eq!(unit(u64::MAX), 1.0 - 1.0 / 16_777_216.0);
}

#[test]
fn a_weight_of_zero_is_never_drawn() {
    let weighted = [('a', 0.0), ('b', 1.0), ('c', 0.0), ('d', 3.0), ('e', 0.0)];
    let draw = |draw| sample(weighted.into_iter(), draw);
    let quarter = 1_u64 << 62;
    assert_eq!([0, quarter - 1, quarter, u64::MAX].map(draw), [Some('b'), Some('b'), Some('d'), Some('d')]);
    assert_eq!(sample([('a', 0.0)].into_iter(), 0), None);
    assert_eq!(sample([('a', 0.0); 0].into_iter(), 0), None);
}

#[test]
fn weights_do_not_overflow_however_sharp() {
    let zoo = catalog(&[(80, 50, 1), (79, 50, 1)]);
    for k in [f64::MIN_POSITIVE, 1e-3, 1e3, f64::MAX] {
        let policy = Policy::PAPER.with_sharpness(Sharpness::new(k).unwrap());
        let all: Vec<f32> = weights(zoo.models(), &policy, budget(100)).map(|(_, weight)| weight).collect();
        assert!(all.iter().all(|weight| (0.0..=1.0).contains(weight)), "{all:?}");
        assert!(all.contains(&1.0));
        let total: f64 = probabilities(zoo.models(), &policy, budget(100)).map(|(_, share)| share).sum();
        assert!((total - 1.0).abs() < 1e-15);
    }
}

/// A base that is never right has no utility, and is used with certainty.
#[test]
fn an_accuracy_of_zero_is_used_with_certainty() {
    let zoo = catalog(&[(0, 50, 5), (0, 52, 5)]);
    let explanation = explain(&zoo, &Policy::PAPER, &Constraints::NONE, budget(100));
    let verdicts = explanation.candidates.iter().map(|candidate| candidate.verdict);
    assert!(verdicts.eq([Verdict::Base, Verdict::NoUtility]));
    for draw in [0, u64::MAX] {
        let decision = select(&zoo, &Policy::PAPER, budget(100), draw);
        assert_eq!((decision.model, decision.reason), (id(0), Reason::Base));
        assert_eq!(decision.probability(zoo.models(), &Policy::PAPER), 1.0);
    }
}

#[test]
fn constraints_restrict_the_catalog_before_the_base() {
    let zoo = [profile(50, 10, 1), profile(80, 100, 5), profile(70, 40, 2)];
    let zoo =
        Catalog::<8>::new(zoo.iter().zip([1, 9, 4]).map(|(profile, cost)| profile.with_cost(Cost(cost))))
            .unwrap();
    let picked = |constraints: Constraints<'_, 8>, time| {
        select_constrained(&zoo, &Policy::PAPER, &constraints, budget(time), 0)
            .map(|decision| (decision.model.index(), decision.reason))
    };
    let none = Constraints::NONE;
    assert_eq!(picked(none, 200), Ok((1, Reason::Base)));
    assert_eq!(picked(none.with_max_cost(Cost(8)), 200), Ok((2, Reason::Base)));
    let without_two = [0, 1].into_iter().map(id).collect();
    assert_eq!(picked(none.with_max_cost(Cost(8)).with_allowed(&without_two), 200), Ok((0, Reason::Base)));
    // Nothing eligible fits: the fastest of the eligible, not of all.
    let accurate = none.with_min_accuracy(Accuracy::from_percent(60.0).unwrap());
    assert_eq!(picked(accurate, 20), Ok((2, Reason::NothingFits)));
    // Nothing eligible, whatever the budget.
    let nothing = NothingEligible { not_allowed: 1, below_minimum_accuracy: 1, above_maximum_cost: 1 };
    let demanding = accurate.with_max_cost(Cost(8)).with_allowed(&without_two);
    assert_eq!(picked(demanding, 200), Err(nothing));
}

#[test]
fn an_exclusion_gives_the_first_reason() {
    let model = Model { id: id(0), profile: profile(50, 10, 1).with_cost(Cost(5)) };
    let accurate = Constraints::NONE.with_min_accuracy(Accuracy::from_percent(60.0).unwrap());
    let none = ModelSet::<1>::NONE;
    let excluded = |constraints: Constraints<'_, 1>| constraints.exclusion(&model);
    assert_eq!(excluded(Constraints::NONE), None);
    assert_eq!(excluded(Constraints::NONE.with_max_cost(Cost(5))), None);
    assert_eq!(excluded(Constraints::NONE.with_max_cost(Cost(4))), Some(Exclusion::AboveMaximumCost));
    assert_eq!(excluded(accurate.with_max_cost(Cost(4))), Some(Exclusion::BelowMinimumAccuracy));
    assert_eq!(excluded(accurate.with_allowed(&none)), Some(Exclusion::NotAllowed));
}

#[test]
fn a_set_of_models_is_a_set() {
    let mut set: ModelSet<4> = [0, 2].into_iter().map(id).collect();
    assert_eq!(
        [0, 1, 2, 3, 4, 65_535].map(|place| set.contains(id(place))),
        [true, false, true, false, false, false]
    );
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
    assert_eq!(baseline::related_accurate(wider.models(), margin, budget(100)), Some(id(3)));
    assert_eq!(baseline::related_accurate(models(), margin, budget(5)), Some(id(0)));
    // By μ: 0, 2, 3, 1; a quarter of the draws each.
    let places = [0, 1 << 62, 2 << 62, u64::MAX].map(|draw| baseline::pure_random(models(), draw).unwrap());
    assert_eq!(places, [0, 2, 3, 1].map(id));
    // In 100 ± 5 ms: all but the first, whether they fit or not.
    let related = |draw| baseline::related_random(models(), margin, budget(106), draw).unwrap();
    assert_eq!([0, 1 << 63, u64::MAX].map(related), [2, 3, 1].map(id));
    let nothing = |draw| baseline::related_random(models(), margin, budget(5), draw).unwrap();
    assert_eq!([0, u64::MAX].map(nothing), [0, 0].map(id));
}
