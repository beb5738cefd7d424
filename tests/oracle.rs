//! The crate against `support/oracle.rs`, an independent implementation in exact rational arithmetic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod support;

use mdinference::select::base;
use mdinference::{Accuracy, Budget, Exclusion, Latency, Micros, ModelId, Profile, Verdict};
use num_rational::BigRational;
use proptest::prelude::*;

use support::case::{Case, policy};
use support::config;
use support::invariants::{decide, explained};
use support::oracle::{Base, solve};
use support::strategies::{cases, constrained_cases};

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn base_and_verdicts_are_equal(case in prop_oneof![cases(), constrained_cases()]) {
        for budget in case.boundaries().into_iter().chain([case.budget]) {
            same_sets(&case.with_budget(budget));
        }
    }

    #[test]
    fn explained_probabilities_are_within_their_bound(case in prop_oneof![cases(), constrained_cases()]) {
        close_probabilities(&case);
    }

    #[test]
    fn drawn_probabilities_are_within_their_bound(case in cases()) {
        close_draws(&case);
    }
}

/// A slack of one nanosecond, next to a slack 667 times that and an accuracy as much lower.
#[test]
fn a_slack_below_one_microsecond_is_as_exact_as_any() {
    let profile = |ppm, mean, deviation| {
        let latency = Latency { mean: Micros::new(mean), deviation: Micros::new(deviation) };
        Profile::new(Accuracy::from_ppm(ppm).unwrap(), latency)
    };
    let profiles = vec![profile(1_000_000, 10, 3), profile(1_500, 10, 1)];
    close_draws(&Case::new(profiles, policy(333, 1), Budget::of(Micros::new(11)), 0));
}

/// Base, set membership and positive-utility membership are those of the oracle.
fn same_sets(case: &Case) {
    let exact = solve(case);
    let explanation = explained(case);
    let base = explanation.base.map(|base| match base {
        base::Base::Fits(model) => Base::Fits(model.id.index()),
        base::Base::Fastest(model) => Base::Fastest(model.id.index()),
    });
    assert_eq!(base, exact.base);
    let zero = rational(0.0);
    for (place, candidate) in explanation.candidates.iter().enumerate() {
        assert_eq!(candidate.model.index(), place);
        let utility = &exact.utilities[place];
        let verdict = match (exclusion(case, place), exact.base) {
            (Some(exclusion), _) => Verdict::Excluded(exclusion),
            (None, Some(Base::Fits(base))) if base == place => Verdict::Base,
            (None, Some(Base::Fastest(fastest))) if fastest == place => Verdict::Fastest,
            (None, _) if !exact.fits[place] => Verdict::DoesNotFit,
            (None, _) if !exact.set[place] => Verdict::OutsideWindow,
            (None, _) if *utility == zero => Verdict::NoUtility,
            (None, _) => Verdict::Explored,
        };
        assert_eq!(candidate.verdict, verdict, "of model {place}");
        assert_eq!(candidate.probability > 0.0, exact.probabilities[place] > zero, "of model {place}");
        assert_close(candidate.utility, utility, &(utility * rational(4.0 * UNIT_F64)));
    }
}

/// Why a model is not eligible: the first that holds.
fn exclusion(case: &Case, place: usize) -> Option<Exclusion> {
    let profile = case.profiles[place];
    if !case.allowed[place] {
        Some(Exclusion::NotAllowed)
    } else if profile.accuracy < case.min_accuracy {
        Some(Exclusion::BelowMinimumAccuracy)
    } else if profile.cost > case.max_cost {
        Some(Exclusion::AboveMaximumCost)
    } else {
        None
    }
}

/// The probabilities of `explain` are relatively within (n + 8)·2⁻⁵³ of the exact ones for a set of n and k = 1, and
/// within (n + 8k + 8)·2⁻⁵³ otherwise.
fn close_probabilities(case: &Case) {
    let exact = solve(case);
    let n = exact.set.iter().filter(|&&explored| explored).count() as f64;
    let k = case.policy.sharpness.get();
    let powers = if k == 1.0 { 0.0 } else { 8.0 * k };
    let bound = rational((n + powers + 8.0) * UNIT_F64);
    for (candidate, exact) in explained(case).candidates.iter().zip(&exact.probabilities) {
        assert_close(candidate.probability, exact, &(exact * &bound));
    }
}

/// The share of all draws that pick a model is within (n + 3k + 3)·2⁻²⁴ of its exact probability.
fn close_draws(case: &Case) {
    let exact = solve(case);
    let n = exact.set.iter().filter(|&&explored| explored).count() as f64;
    let bound = rational((n + 3.0 * case.policy.sharpness.get() + 3.0) * UNIT_F32);
    for (realised, exact) in realised_probabilities(case).iter().zip(&exact.probabilities) {
        assert_close(*realised, exact, &bound);
    }
}

/// The exact share of the 2²⁴ distinct draws that pick each model: the pick goes up with the draw in the order of the
/// catalog, so that bisection finds where it changes.
fn realised_probabilities(case: &Case) -> Vec<f64> {
    const DRAWS: u64 = 1 << 24;
    let order: Vec<ModelId> = case.catalog().models().map(|model| model.id).collect();
    let pick = |draw: u64| {
        let decision = decide(&Case { draw: draw << 40, ..case.clone() }).unwrap();
        order.iter().position(|&id| id == decision.model).unwrap()
    };
    let mut shares = vec![0.0; order.len()];
    let mut first = 0;
    while first < DRAWS {
        let place = pick(first);
        // The first draw that no longer picks it: the pick changes somewhere in same..other.
        let (mut same, mut other) = (first, DRAWS);
        while other - same > 1 {
            let middle = same + (other - same) / 2;
            if pick(middle) == place { same = middle } else { other = middle }
        }
        shares[order[place].index()] += (other - first) as f64 / DRAWS as f64;
        first = other;
    }
    shares
}

const UNIT_F32: f64 = 1.0 / (1_u64 << 24) as f64;
const UNIT_F64: f64 = f64::EPSILON / 2.0;

/// |`value` − `exact`| ≤ `bound`, exactly.
fn assert_close(value: f64, exact: &BigRational, bound: &BigRational) {
    let value = rational(value);
    let error = if value > *exact { &value - exact } else { exact - &value };
    assert!(error <= *bound, "{value} for {exact}: off by more than {bound}");
}

fn rational(value: f64) -> BigRational {
    BigRational::from_float(value).unwrap()
}
