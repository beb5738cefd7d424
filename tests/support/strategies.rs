//! Random cases for proptest, crowded where things tie and where times saturate.

use mdinference::{Accuracy, Budget, Cost, Latency, Micros, Policy, Profile};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::case::{CAPACITY, Case, policy};

/// What the zoos of a case are like.
#[derive(Clone, Copy, Debug)]
pub enum Zoo {
    /// A few microseconds and few accuracies: everything ties.
    Crowded,
    /// Milliseconds, all within each other's windows.
    Twins,
    /// 1 to 500 ms, as measured zoos have them.
    Measured,
    /// Times near the top of the scale.
    Saturating,
    /// Anything.
    Any,
}

/// Any of them.
pub fn zoos() -> impl Strategy<Value = Zoo> {
    select(vec![Zoo::Crowded, Zoo::Twins, Zoo::Measured, Zoo::Saturating, Zoo::Any])
}

/// A profile of such a zoo.
pub fn profile(zoo: Zoo) -> impl Strategy<Value = Profile> {
    const TOP: u32 = Micros::MAX.get();
    let accuracies = || {
        let spread = (0..=1_000_000_u32, 0..=20).prop_map(|(ppm, halvings)| ppm >> halvings);
        prop_oneof![1 => Just(0), 2 => spread, 4 => 250_000..=1_000_000_u32, 1 => Just(1_000_000)].boxed()
    };
    let (accuracy, mean, deviation) = match zoo {
        Zoo::Crowded => {
            (prop_oneof![select(vec![0, 1, 2, 500_000, 1_000_000]), accuracies()].boxed(), 0..=12, 0..=4)
        }
        Zoo::Twins => (accuracies(), 40_000..=41_000, 0..=1_500),
        Zoo::Measured => (accuracies(), 1_000..=500_000, 0..=100_000),
        Zoo::Saturating => (accuracies(), TOP - 20..=TOP, 0..=20),
        Zoo::Any => ((0..=1_000_000_u32).boxed(), 0..=TOP, 0..=TOP),
    };
    (accuracy, mean, deviation, 0..=3_u32).prop_map(|(accuracy, mean, deviation, cost)| {
        let latency = Latency { mean: Micros::new(mean), deviation: Micros::new(deviation) };
        Profile::new(Accuracy::from_ppm(accuracy).unwrap(), latency).with_cost(Cost(cost))
    })
}

/// 1 to 12 models. A few are copies of others, and a few differ from others in one field.
fn profiles() -> impl Strategy<Value = Vec<Profile>> {
    let own = zoos().prop_flat_map(|zoo| vec(profile(zoo), 1..=9));
    (own, vec((any::<Index>(), any::<Index>(), 0..4), 0..=3)).prop_map(|(mut profiles, relatives)| {
        for (one, other, field) in relatives {
            let mut relative = *one.get(&profiles);
            let other = *other.get(&profiles);
            match field {
                0 => relative.accuracy = other.accuracy,
                1 => relative.latency.mean = other.latency.mean,
                2 => relative.latency.deviation = other.latency.deviation,
                _ => {}
            }
            profiles.push(relative);
        }
        assert!(profiles.len() <= CAPACITY);
        profiles
    })
}

/// γ and a whole k; mostly the paper's.
pub fn policies() -> impl Strategy<Value = Policy> {
    let margin = prop_oneof![
        4 => Just(1_000),
        4 => select(vec![0, 1, 333, 999, 1_500, 2_333, 3_000, 1_000_000]),
        2 => 0..=3_000_u32,
    ];
    let sharpness = prop_oneof![4 => Just(1), 1 => 2..=7_u32];
    (margin, sharpness).prop_map(|(margin, sharpness)| policy(margin, sharpness))
}

/// A case without constraints, its budget anywhere or where something changes.
pub fn cases() -> impl Strategy<Value = Case> {
    (profiles(), policies(), any::<u32>(), any::<Index>(), 0..8, any::<u64>()).prop_map(
        |(profiles, policy, anywhere, boundary, kind, draw)| {
            let mut case = Case::new(profiles, policy, Budget::default(), draw);
            let boundaries = case.boundaries();
            case.budget = match kind {
                0 => Budget::of(Micros::new(anywhere)),
                // Between two boundaries, where most requests are.
                1..=3 => {
                    let place = boundary.index(boundaries.len());
                    let low = boundaries[place].time().get();
                    let high = boundaries.get(place + 1).map_or(low, |high| high.time().get());
                    Budget::of(Micros::new(low + anywhere % (high - low + 1)))
                }
                _ => *boundary.get(&boundaries),
            };
            case
        },
    )
}

/// A case with constraints that exclude some, all or none.
pub fn constrained_cases() -> impl Strategy<Value = Case> {
    let min_accuracy = prop_oneof![Just(0), Just(1), 0..=1_000_000_u32];
    let max_cost = prop_oneof![Just(u32::MAX), 0..=3_u32];
    let allowed = vec(prop::bool::weighted(0.7), CAPACITY);
    (cases(), min_accuracy, max_cost, allowed).prop_map(|(case, min_accuracy, max_cost, allowed)| Case {
        min_accuracy: Accuracy::from_ppm(min_accuracy).unwrap(),
        max_cost: Cost(max_cost),
        allowed: allowed.into_iter().take(case.profiles.len()).collect(),
        ..case
    })
}
