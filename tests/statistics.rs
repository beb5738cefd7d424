//! Drawn frequencies against exact probabilities, by Pearson's χ² test.
//!
//! Each test fails a right program with probability [`FALSE_ALARM`] under a random seed. The seeds are fixed, so that a
//! test that passes keeps passing until the drawing changes; then it is that rate which a failure means something at.
//! What a test can see is tested too: a budget that is 2 % off is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use mdinference::{
    Accuracy, Budget, Catalog, Draw, Index, Latency, Micros, ModelId, ModelSet, Policy, Profile, Question,
    Request, Sharpness, baseline,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// How often a test of a right program fails.
const FALSE_ALARM: f64 = 1e-6;
const DRAWS: usize = 400_000;

/// χ² of the picks of `pick` against `probabilities`, and the value that it passes at the false-alarm rate.
fn chi_squared(
    probabilities: &[f64],
    draws: impl Iterator<Item = Draw>,
    mut pick: impl FnMut(Draw) -> ModelId,
) -> (f64, f64) {
    let mut counts = vec![0_u32; probabilities.len()];
    for draw in draws {
        counts[pick(draw).index()] += 1;
    }
    let draws = f64::from(counts.iter().sum::<u32>());
    // What is expected less than 10 times is counted together, so that χ² is near its distribution.
    let (mut statistic, mut cells, mut rare) = (0.0, 0, (0.0, 0.0));
    let mut add = |expected: f64, counted: f64| {
        statistic += (counted - expected).powi(2) / expected;
        cells += 1;
    };
    for (&probability, &counted) in probabilities.iter().zip(&counts) {
        let (expected, counted) = (probability * draws, f64::from(counted));
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

/// So many draws of a generator.
fn random(seed: u64) -> impl Iterator<Item = Draw> {
    let mut generator = StdRng::seed_from_u64(seed);
    (0..DRAWS).map(move |_| Draw::from_rng(&mut generator))
}

#[track_caller]
fn assert_drawn_by(probabilities: &[f64], seed: u64, pick: impl FnMut(Draw) -> ModelId) {
    assert_met(probabilities, random(seed), pick);
}

#[track_caller]
fn assert_met(probabilities: &[f64], draws: impl Iterator<Item = Draw>, pick: impl FnMut(Draw) -> ModelId) {
    let (statistic, limit) = chi_squared(probabilities, draws, pick);
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

fn probabilities<const N: usize>(catalog: &Catalog<N>, policy: &Policy, question: impl Question) -> Vec<f64> {
    catalog.explain(policy, question).candidates().map(|candidate| candidate.probability).collect()
}

fn sharpness(k: u32) -> Policy {
    Policy::PAPER.with_sharpness(Sharpness::new(k).unwrap())
}

// paper: IV-D, draw
#[test]
fn the_scan() {
    let catalog = zoo::<12>(1_600);
    for (seed, time) in [400_000, 150_000, 135_000].into_iter().enumerate() {
        let budget = Budget::of(Micros::new(time));
        let exact = probabilities(&catalog, &Policy::PAPER, budget);
        assert_drawn_by(&exact, seed as u64, |draw| catalog.select(&Policy::PAPER, budget, draw).model);
    }
}

#[test]
fn the_scan_sharpened() {
    let catalog = zoo::<12>(1_600);
    let budget = Budget::of(Micros::new(400_000));
    for k in [2, 3, 8] {
        let exact = probabilities(&catalog, &sharpness(k), budget);
        assert_drawn_by(&exact, 10, |draw| catalog.select(&sharpness(k), budget, draw).model);
    }
}

#[test]
fn the_scan_for_a_request() {
    let catalog = zoo::<12>(1_600);
    let some: ModelSet<12> = [3, 5, 6, 8, 10].into_iter().filter_map(|place| catalog.id(place)).collect();
    let waits: Vec<Micros> = (0..12).map(|place| Micros::new(4_000 * (place % 3))).collect();
    let asked = Request::new(Budget::of(Micros::new(400_000)));
    let earlier = Budget::of(Micros::new(145_000));
    let worth = Accuracy::from_percent(30.0).unwrap();
    for request in [
        asked.with_allowed(&some),
        asked.with_waits(&waits),
        asked.with_allowed(&some).with_waits(&waits),
        asked.with_earlier(earlier, worth).with_waits(&waits),
    ] {
        let exact = probabilities(&catalog, &Policy::PAPER, request);
        assert_drawn_by(&exact, 20, |draw| catalog.select(&Policy::PAPER, request, draw).unwrap().model);
    }
}

/// Where more than sixteen may be drawn, by rejection of those that may not as well.
#[test]
fn the_index_for_a_request() {
    const N: usize = 200;
    for (apart, time) in [(100, 400_000), (100, 135_000)] {
        let catalog = zoo::<N>(apart);
        let index = Index::new(catalog.clone(), Policy::PAPER);
        let all_but_some: ModelSet<N> =
            (0..N).filter(|place| place % 7 != 3).filter_map(|place| catalog.id(place)).collect();
        let few: ModelSet<N> = (0..N).step_by(9).filter_map(|place| catalog.id(place)).collect();
        let waits: Vec<Micros> = (0..N as u32).map(|place| Micros::new(900 * (place % 11))).collect();
        let asked = Request::new(Budget::of(Micros::new(time)));
        let worth = Accuracy::from_percent(30.0).unwrap();
        for request in [
            asked.with_allowed(&all_but_some),
            asked.with_allowed(&few),
            asked.with_min_accuracy(Accuracy::from_percent(20.0).unwrap()),
            asked.with_waits(&waits),
            asked.with_allowed(&all_but_some).with_waits(&waits),
            asked.with_earlier(Budget::of(Micros::new(time - 10_000)), worth).with_waits(&waits),
        ] {
            let exact = probabilities(&catalog, &Policy::PAPER, request);
            assert_drawn_by(&exact, 30, |draw| index.select(request, draw).unwrap().model);
        }
    }
}

/// 10 000 ids, times or texts that count up meet the probabilities, by the scan's 24 bits and by the index's
/// 64.
#[test]
fn ids_in_sequence() {
    const SEQUENCE: u64 = 10_000;
    let catalog = zoo::<12>(1_600);
    let index = Index::new(catalog.clone(), Policy::PAPER);
    let budget = Budget::of(Micros::new(400_000));
    let exact = probabilities(&catalog, &Policy::PAPER, budget);
    // From zero, from a time in µs, down to the last; by one, by 2⁶ (a snowflake), by 10³, by 2⁴⁸.
    let mut sequences: Vec<Vec<Draw>> = Vec::new();
    for first in [0, 1_700_000_000_000_000, u64::MAX - SEQUENCE] {
        for step in [1, 1 << 6, 1_000, 1 << 48] {
            let ids = (0..SEQUENCE).map(|number: u64| first.wrapping_add(number.wrapping_mul(step)));
            sequences.push(ids.clone().map(Draw::from_id).collect());
            sequences.push(ids.map(|id| Draw::from_bytes(&id.to_be_bytes())).collect());
        }
    }
    let texts: [fn(u64) -> String; 4] = [
        |number| number.to_string(),
        |number| format!("user-{number:06}"),
        |number| format!("{number:08x}-1234-4abc-9def-0123456789ab"),
        |number| format!("01234567-1234-4abc-9def-{number:012}"),
    ];
    for text in texts {
        sequences.push((0..SEQUENCE).map(|number| Draw::from_bytes(text(number).as_bytes())).collect());
    }
    for draws in sequences {
        let draws = || draws.iter().copied();
        assert_met(&exact, draws(), |draw| catalog.select(&Policy::PAPER, budget, draw).model);
        assert_met(&exact, draws(), |draw| index.select(budget, draw).model);
    }
}

/// What [`Draw`] is for: the same ids as if they were random bits.
#[test]
fn ids_that_are_not_mixed_are_seen() {
    let catalog = zoo::<12>(1_600);
    let budget = Budget::of(Micros::new(400_000));
    let exact = probabilities(&catalog, &Policy::PAPER, budget);
    let ids = (0..10_000).map(Draw::from_uniform_bits);
    let pick = |draw| catalog.select(&Policy::PAPER, budget, draw).model;
    let (statistic, limit) = chi_squared(&exact, ids, pick);
    assert!(statistic > 100.0 * limit, "χ² is {statistic:.1}, of {limit:.1}");
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
        let exact = probabilities(&catalog, &policy, budget);
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
    the_index::<12>(sharpness(3), 45);
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

/// A budget that is 2 % off.
#[test]
fn a_slightly_wrong_draw_is_seen() {
    let catalog = zoo::<12>(1_600);
    let [budget, wrong] = [150_000, 153_000].map(|time| Budget::of(Micros::new(time)));
    let exact = probabilities(&catalog, &Policy::PAPER, budget);
    let pick = |draw| catalog.select(&Policy::PAPER, wrong, draw).model;
    let (statistic, limit) = chi_squared(&exact, random(80), pick);
    assert!(statistic > 2.0 * limit, "χ² is {statistic:.1}, of {limit:.1}");
}
