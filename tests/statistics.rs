//! Drawn frequencies against exact probabilities, by Pearson's χ² test.
//!
//! Each test fails a right program with probability [`FALSE_ALARM`] under a random seed. The seeds are fixed, so that a
//! test that passes keeps passing until the drawing changes; then it is that rate which a failure means something at.
//! What a test can see is tested too: a k of 1.05 in place of 1 is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use mdinference::{
    Accuracy, Budget, Catalog, Constraints, Index, Latency, Micros, ModelId, ModelSet, Policy, Profile,
    Sharpness, baseline, explain, select, select_constrained,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// How often a test of a right program fails.
const FALSE_ALARM: f64 = 1e-6;
const DRAWS: usize = 400_000;

/// χ² of the picks of `pick` against `probabilities`, and the value that it passes at the false-alarm rate.
fn chi_squared(probabilities: &[f64], seed: u64, mut pick: impl FnMut(u64) -> ModelId) -> (f64, f64) {
    let mut generator = StdRng::seed_from_u64(seed);
    let mut counts = vec![0_u32; probabilities.len()];
    for _ in 0..DRAWS {
        counts[pick(generator.next_u64()).index()] += 1;
    }
    // What is expected less than 10 times is counted together, so that χ² is near its distribution.
    let (mut statistic, mut cells, mut rare) = (0.0, 0, (0.0, 0.0));
    let mut add = |expected: f64, counted: f64| {
        statistic += (counted - expected).powi(2) / expected;
        cells += 1;
    };
    for (&probability, &counted) in probabilities.iter().zip(&counts) {
        let (expected, counted) = (probability * DRAWS as f64, f64::from(counted));
        if probability == 0.0 {
            assert_eq!(counted, 0.0, "the impossible was picked");
        } else if expected < 10.0 {
            rare = (rare.0 + expected, rare.1 + counted);
        } else {
            add(expected, counted);
        }
    }
    if rare.0 >= 10.0 {
        add(rare.0, rare.1);
    }
    assert!(cells >= 2, "nothing to tell apart");
    let limit = ChiSquared::new(f64::from(cells - 1)).unwrap().inverse_cdf(1.0 - FALSE_ALARM);
    (statistic, limit)
}

#[track_caller]
fn assert_drawn_by(probabilities: &[f64], seed: u64, pick: impl FnMut(u64) -> ModelId) {
    let (statistic, limit) = chi_squared(probabilities, seed, pick);
    assert!(statistic < limit, "χ² is {statistic:.1}, above {limit:.1}");
}

/// `N` models from 100 ms, so many µs apart, all in the window of the last, which is the base once it fits.
fn zoo<const N: usize>(apart: u32) -> Catalog<N> {
    Catalog::new((0..N).map(|place| {
        let mean = 100_000 + apart * place as u32;
        let latency = Latency { mean: Micros::new(mean), deviation: Micros::new(20_000 + place as u32) };
        // Accuracies of all sizes, which makes for shares of all sizes.
        Profile::new(
            Accuracy::from_ppm(1_000 + (999_000 * (place * place) / (N * N)) as u32).unwrap(),
            latency,
        )
    }))
    .unwrap()
}

fn probabilities<const N: usize>(
    catalog: &Catalog<N>,
    policy: &Policy,
    constraints: &Constraints<'_, N>,
    budget: Budget,
) -> Vec<f64> {
    explain(catalog, policy, constraints, budget)
        .candidates
        .iter()
        .map(|candidate| candidate.probability)
        .collect()
}

fn sharpness(k: f64) -> Policy {
    Policy::PAPER.with_sharpness(Sharpness::new(k).unwrap())
}

// paper: IV-D, draw
#[test]
fn the_scan() {
    let catalog = zoo::<12>(1_600);
    for (seed, time) in [400_000, 150_000, 135_000].into_iter().enumerate() {
        let budget = Budget::of(Micros::new(time));
        let exact = probabilities(&catalog, &Policy::PAPER, &Constraints::NONE, budget);
        assert_drawn_by(&exact, seed as u64, |draw| select(&catalog, &Policy::PAPER, budget, draw).model);
    }
}

#[test]
fn the_scan_sharpened() {
    let catalog = zoo::<12>(1_600);
    let budget = Budget::of(Micros::new(400_000));
    for k in [0.5, 2.0, 7.5] {
        let exact = probabilities(&catalog, &sharpness(k), &Constraints::NONE, budget);
        assert_drawn_by(&exact, 10, |draw| select(&catalog, &sharpness(k), budget, draw).model);
    }
}

#[test]
fn the_scan_with_constraints() {
    let catalog = zoo::<12>(1_600);
    let budget = Budget::of(Micros::new(400_000));
    let some: ModelSet<12> = [3, 5, 6, 8, 10].into_iter().filter_map(ModelId::new).collect();
    let constraints = Constraints::NONE.with_allowed(&some);
    let exact = probabilities(&catalog, &Policy::PAPER, &constraints, budget);
    assert_drawn_by(&exact, 20, |draw| {
        select_constrained(&catalog, &Policy::PAPER, &constraints, budget, draw).unwrap().model
    });
}

/// The index draws by rejection where a window is large and k = 1: where all fit with room, where some fit by little,
/// and where all fit by so little that next to nothing is accepted.
fn the_index<const N: usize>(policy: Policy, seed: u64) {
    for (apart, time) in
        [(20_000 / N as u32, 400_000), (20_000 / N as u32, 135_000), (1, 120_000 + 2 * N as u32)]
    {
        let catalog = zoo::<N>(apart);
        let index = Index::new(catalog.clone(), policy);
        let budget = Budget::of(Micros::new(time));
        let exact = probabilities(&catalog, &policy, &Constraints::NONE, budget);
        assert_drawn_by(&exact, seed, |draw| index.select(budget, draw).model);
    }
}

#[test]
fn the_index_of_few() {
    the_index::<3>(Policy::PAPER, 30);
    the_index::<5>(Policy::PAPER, 35);
}

#[test]
fn the_index_of_12() {
    the_index::<12>(Policy::PAPER, 40);
    the_index::<12>(sharpness(3.0), 45);
}

#[test]
fn the_index_of_100() {
    the_index::<100>(Policy::PAPER, 50);
}

#[test]
fn the_index_of_1000() {
    the_index::<1_000>(Policy::PAPER, 60);
}

// paper: V-C, pure random
// paper: V-C, related random
#[test]
fn pure_and_related_random() {
    let catalog = zoo::<12>(1_600);
    let budget = Budget::of(Micros::new(150_000));
    let any = [1.0 / 12.0; 12];
    assert_drawn_by(&any, 70, |draw| baseline::pure_random(catalog.models(), draw).unwrap());
    // All twelve are in the window of the base, whether they fit or not.
    let margin = Policy::PAPER.margin;
    assert_drawn_by(&any, 71, |draw| {
        baseline::related_random(catalog.models(), margin, budget, draw).unwrap()
    });
}

#[test]
fn a_slightly_wrong_draw_is_seen() {
    let catalog = zoo::<12>(1_600);
    let budget = Budget::of(Micros::new(400_000));
    let exact = probabilities(&catalog, &Policy::PAPER, &Constraints::NONE, budget);
    let wrong = sharpness(1.05);
    let (statistic, limit) = chi_squared(&exact, 80, |draw| select(&catalog, &wrong, budget, draw).model);
    assert!(statistic > 2.0 * limit, "χ² is {statistic:.1}, of {limit:.1}");
}
