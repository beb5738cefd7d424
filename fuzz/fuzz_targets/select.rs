//! Whole questions to zoos of valid numbers, crowded where models tie: the invariants, and agreement with the
//! exact oracle.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mdinference::{Accuracy, Budget, Cost, Latency, Micros, Price, Profile};

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
    max_cost: Option<u8>,
    price: Option<[Size; 3]>,
    earlier: Option<(Time, u32)>,
}

#[derive(Arbitrary, Debug)]
struct Model {
    accuracy: u32,
    mean: u32,
    deviation: u16,
    cost: u8,
    disallowed: bool,
    wait: Size,
}

/// A number of any size.
#[derive(Arbitrary, Debug)]
struct Size {
    number: u64,
    halvings: u8,
}

impl Size {
    fn get(&self) -> u64 {
        self.number.checked_shr(self.halvings.into()).unwrap_or(0)
    }
}

#[derive(Arbitrary, Debug)]
enum Time {
    Any(u32),
    /// Where something changes.
    Boundary(u8),
}

impl Time {
    fn of(&self, boundaries: &[Budget]) -> Budget {
        match self {
            Self::Any(time) => Budget::of(Micros::new(*time)),
            Self::Boundary(place) => boundaries[usize::from(*place) % boundaries.len()],
        }
    }
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
    let policy = policy(input.margin.into(), u32::from(input.sharpness % 10).max(1));
    let wait = |model: &Model| Micros::new(u32::try_from(model.wait.get()).unwrap_or(u32::MAX));
    let price =
        |[per_micro, per_micro_squared, per_cost]: [u64; 3]| Price { per_micro, per_micro_squared, per_cost };
    let mut case = Case {
        min_accuracy: Accuracy::from_ppm(input.min_accuracy % 1_000_001).unwrap(),
        max_cost: input.max_cost.map_or(Cost(u32::MAX), |cost| Cost(cost.into())),
        allowed: models().map(|model| !model.disallowed).collect(),
        waits: models().map(wait).collect(),
        price: input.price.as_ref().map_or(Price::NONE, |terms| price(terms.each_ref().map(Size::get))),
        ..Case::new(profiles, policy, Budget::default(), input.draw)
    };
    while case.waits.last() == Some(&Micros::ZERO) {
        case.waits.pop();
    }
    let boundaries = case.boundaries();
    case.budget = input.budget.of(&boundaries);
    let worth = |ppm: &u32| Accuracy::from_ppm((ppm >> (input.crowded.1 % 32)) % 1_000_001).unwrap();
    case.earlier = input.earlier.as_ref().map(|(time, ppm)| (time.of(&boundaries), worth(ppm)));
    invariants::all(&case);
    agreement::same_sets(&case);
    agreement::close_probabilities(&case);
    if invariants::decide(&case).is_ok() {
        agreement::close_draws(&case);
    }
});
