//! Selections from zoos of valid numbers, crowded where models tie: the invariants, and agreement with the exact oracle.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mdinference::{Accuracy, Budget, Cost, Latency, Micros, Profile};

#[path = "../../tests/support"]
#[allow(dead_code, unused_imports)]
mod support {
    pub mod agreement;
    pub mod case;
    pub mod invariants;
    pub mod oracle;
}
use support::case::{CAPACITY, Case, policy};
use support::{agreement, invariants};

#[derive(Arbitrary, Debug)]
struct Input {
    first: Model,
    others: Vec<Model>,
    /// Shifts that crowd times and accuracies together.
    crowded: (u8, u8),
    /// All times are this much later, so that they saturate.
    later: u32,
    margin: u16,
    sharpness: u8,
    budget: Time,
    draw: u64,
    min_accuracy: u32,
    max_cost: u8,
}

#[derive(Arbitrary, Debug)]
struct Model {
    accuracy: u32,
    mean: u32,
    deviation: u16,
    cost: u8,
    disallowed: bool,
}

#[derive(Arbitrary, Debug)]
enum Time {
    Any(u32),
    /// Where something changes.
    Boundary(u8),
}

fuzz_target!(|input: Input| {
    let models = || std::iter::once(&input.first).chain(&input.others).take(CAPACITY);
    let profiles = models()
        .map(|model| {
            let mean = Micros::new((model.mean >> (input.crowded.0 % 32)).saturating_add(input.later));
            let latency = Latency { mean, deviation: Micros::new(model.deviation.into()) };
            let ppm = (model.accuracy >> (input.crowded.1 % 32)) % 1_000_001;
            Profile::new(Accuracy::from_ppm(ppm).unwrap(), latency).with_cost(Cost(model.cost.into()))
        })
        .collect();
    let policy = policy(input.margin.into(), u32::from(input.sharpness % 8).max(1));
    let mut case = Case {
        min_accuracy: Accuracy::from_ppm(input.min_accuracy % 1_000_001).unwrap(),
        max_cost: Cost(input.max_cost.into()),
        allowed: models().map(|model| !model.disallowed).collect(),
        ..Case::new(profiles, policy, Budget::default(), input.draw)
    };
    let boundaries = case.boundaries();
    case.budget = match input.budget {
        Time::Any(time) => Budget::of(Micros::new(time)),
        Time::Boundary(place) => boundaries[usize::from(place) % boundaries.len()],
    };
    invariants::all(&case);
    agreement::same_sets(&case);
    agreement::close_probabilities(&case);
    if invariants::decide(&case).is_ok() {
        agreement::close_draws(&case);
    }
});
