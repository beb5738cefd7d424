//! What nobody should do, and somebody will: numbers at their ends, catalogs at capacity, and very many updates.
//!
//! `UPDATES=100000000 cargo test --release --test abuse` makes so many of them; 200,000 are made otherwise.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use mdinference::estimate::{LatencyEstimator, Observation, Smoothing};
use mdinference::{
    Accuracy, Budget, Catalog, Cost, Draw, Index, Latency, Learning, Margin, Micros, ModelSet, Policy, Price,
    Profile, Request, Server, Sharpness, Timestamp,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

fn updates() -> u64 {
    std::env::var("UPDATES").map_or(200_000, |updates| updates.parse().expect("a number of updates"))
}

fn any_profile(rng: &mut StdRng) -> Profile {
    let mut time = || match rng.random_range(0..20) {
        0 => Micros::ZERO,
        1 => Micros::MAX,
        _ => Micros::new(rng.random_range(1..200_000)),
    };
    let latency = Latency { mean: time(), deviation: time() };
    let accuracy = Accuracy::from_ppm(rng.random_range(0..=20) * 50_000).unwrap();
    Profile::new(accuracy, latency).with_cost(Cost(rng.random_range(0..4)))
}

/// An index that has followed all of them is the one that is made of the last.
#[test]
fn an_index_does_not_drift() {
    const MODELS: usize = 48;
    let rng = &mut StdRng::seed_from_u64(22);
    let policy = Policy::PAPER.with_margin(Margin::from_thousandths(1_500).unwrap());
    let catalog = Catalog::<MODELS>::new((0..MODELS).map(|_| any_profile(rng))).unwrap();
    let ids: Vec<_> = (0..MODELS).map(|place| catalog.id(place).unwrap()).collect();
    let mut index = Index::new(catalog, policy);
    let all = updates();
    for number in 1..=all {
        index.update(ids[rng.random_range(0..MODELS)], any_profile(rng));
        if number % (all / 20).max(1) == 0 {
            assert_eq!(index, Index::new(index.catalog().clone(), policy), "after {number} updates");
        }
    }
}

/// An estimator is where one in double precision is, whatever it has seen before.
#[test]
fn an_estimator_does_not_drift() {
    let rng = &mut StdRng::seed_from_u64(23);
    let smoothing = Smoothing::LATENCY;
    let mut estimator = LatencyEstimator::new();
    let (mut mean, mut variance) = (0.0_f64, 0.0_f64);
    let all = updates();
    for number in 1..=all {
        // Near enough that none is a suspect.
        let sample = 100_000 + rng.random_range(0..30_000);
        estimator.observe(Observation::Took(Micros::new(sample)), Timestamp::from_micros(number), smoothing);
        let alpha = smoothing.get().max(1.0 / number as f64);
        let delta = f64::from(sample) - mean;
        mean += alpha * delta;
        variance = (1.0 - alpha) * (variance + alpha * delta * delta);
        if number % (all / 20).max(1) == 0 {
            let latency = estimator.latency().unwrap();
            assert!((f64::from(latency.mean.get()) - mean).abs() < 1.0, "{latency:?}, not {mean}");
            assert!((f64::from(latency.deviation.get()) - variance.sqrt()).abs() < 2.0, "{latency:?}");
        }
    }
    assert_eq!(estimator.samples(), all);
}

/// Everything at its end at once.
#[test]
fn the_ends_of_every_scale() {
    const MODELS: usize = 1_024;
    let ends = [Micros::ZERO, Micros::new(1), Micros::new(u32::MAX), Micros::MAX];
    let profiles = (0..MODELS).map(|number| {
        let latency = Latency { mean: ends[number % 4], deviation: ends[number / 4 % 4] };
        let accuracy = if number % 3 == 0 { Accuracy::ZERO } else { Accuracy::MAX };
        Profile::new(accuracy, latency).with_cost(Cost(if number % 5 == 0 { u32::MAX } else { 0 }))
    });
    let catalog = Box::new(Catalog::<MODELS>::new(profiles).unwrap());
    let steep = Price::per_milli(Accuracy::MAX).plus(Price::per_cost(Accuracy::MAX));
    for (thousandths, k) in [(0, 1), (1_000, u32::MAX), (1_000_000, 1), (1_000_000, u32::MAX)] {
        let margin = Margin::from_thousandths(thousandths).unwrap();
        let policy = Policy::PAPER.with_margin(margin).with_sharpness(Sharpness::new(k).unwrap());
        let index = Box::new(Index::new((*catalog).clone(), policy));
        let waits = [Micros::MAX; MODELS];
        let nobody = [].into_iter().collect::<ModelSet<MODELS>>();
        for budget in ends.map(Budget::of) {
            for draw in [0, u64::MAX].map(Draw::from_uniform_bits) {
                let request = Request::new(budget);
                let priced = request.with_price(steep).with_max_cost(Cost(u32::MAX));
                for request in
                    [request, priced, request.with_waits(&waits), priced.with_earlier(budget, Accuracy::MAX)]
                {
                    let decision = index.select(request, draw).unwrap();
                    let scan = catalog.select(&policy, request, draw).unwrap();
                    assert_eq!((decision.base, decision.reason.fits()), (scan.base, scan.reason.fits()));
                    assert!(index.probability(request, decision.model) > 0.0);
                }
                assert!(index.select(request.with_allowed(&nobody), draw).is_err());
            }
        }
    }
}

/// A clock that jumps to either end after each report.
#[test]
fn a_clock_without_sense() {
    let rng = &mut StdRng::seed_from_u64(24);
    let catalog = Catalog::<8>::new((0..8).map(|_| any_profile(rng))).unwrap();
    let mut server = Server::new(catalog, Policy::PAPER, Learning::DEFAULT);
    for id in 0..20_000 {
        let any_time = |rng: &mut StdRng| match rng.random_range(0..4) {
            0 => Timestamp::from_micros(0),
            1 => Timestamp::from_micros(u64::MAX),
            _ => Timestamp::from_micros(rng.random()),
        };
        let (began, ended) = (any_time(rng), any_time(rng));
        let (decision, ticket) = server.begin(Budget::of(Micros::MAX), Draw::from_id(id), began);
        server.learn(ticket.completed(ended), any_time(rng));
        server.poll(any_time(rng));
        assert!(server.standing(decision.model).is_some());
    }
}
