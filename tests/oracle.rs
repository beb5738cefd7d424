//! The crate against `support/oracle.rs`, an independent implementation in exact rational arithmetic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod support;

use mdinference::{Accuracy, Budget, Latency, Micros, Profile};
use proptest::prelude::*;

use support::agreement::{close_draws, close_probabilities, same_sets};
use support::case::{Case, policy};
use support::config;
use support::invariants::decide;
use support::strategies::{cases, plain_cases};

proptest! {
    #![proptest_config(config(1_000))]

    // paper: IV-D, Eq. 1
    // paper: IV-D, Eq. 2
    // paper: IV-D, nothing fits
    // paper: IV-D, exploration set
    // paper: IV-D, set past the budget
    #[test]
    fn base_and_verdicts_are_equal(case in cases()) {
        for budget in case.boundaries().into_iter().chain([case.budget]) {
            same_sets(&case.with_budget(budget));
        }
    }

    // paper: IV-D, Eq. 3
    // paper: IV-D, probability
    #[test]
    fn explained_probabilities_are_within_their_bound(case in cases()) {
        close_probabilities(&case);
    }

    // paper: IV-D, draw
    #[test]
    fn drawn_probabilities_are_within_their_bound(case in prop_oneof![plain_cases(), cases()]) {
        if decide(&case).is_ok() {
            close_draws(&case);
        }
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
