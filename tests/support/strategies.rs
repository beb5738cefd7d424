//! Random cases for proptest, crowded where things tie and where times saturate.

use mdinference::{Accuracy, Budget, Cost, Latency, Micros, Policy, Price, Profile};
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
    let sharpness = prop_oneof![4 => Just(1), 1 => 2..=9_u32];
    (margin, sharpness).prop_map(|(margin, sharpness)| policy(margin, sharpness))
}

/// A case that asks nothing but a budget, anywhere or where something changes.
pub fn plain_cases() -> impl Strategy<Value = Case> {
    (profiles(), policies(), places(), any::<u64>()).prop_map(|(profiles, policy, place, draw)| {
        let mut case = Case::new(profiles, policy, Budget::default(), draw);
        case.budget = place.of(&case.boundaries());
        case
    })
}

/// A budget of a case that is not known yet.
#[derive(Clone, Debug)]
struct Place {
    anywhere: u32,
    boundary: Index,
    kind: u8,
}

fn places() -> impl Strategy<Value = Place> {
    (any::<u32>(), any::<Index>(), 0..8_u8).prop_map(|(anywhere, boundary, kind)| Place {
        anywhere,
        boundary,
        kind,
    })
}

impl Place {
    fn of(&self, boundaries: &[Budget]) -> Budget {
        match self.kind {
            0 => Budget::of(Micros::new(self.anywhere)),
            // Between two boundaries, where most requests are.
            1..=3 => {
                let place = self.boundary.index(boundaries.len());
                let low = boundaries[place].time().get();
                let high = boundaries.get(place + 1).map_or(low, |high| high.time().get());
                Budget::of(Micros::new(low + self.anywhere % (high - low + 1)))
            }
            _ => *self.boundary.get(boundaries),
        }
    }
}

/// Numbers of all sizes, zero and the greatest among them.
fn sizes() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => Just(0),
        // One part per million for each µs, and for each µs²: where values tie.
        2 => select(vec![1 << 16, 1 << 48]),
        4 => (any::<u64>(), 0..64_u32).prop_map(|(any, halvings)| any >> halvings),
        1 => Just(u64::MAX),
    ]
}

/// Any price, most of them of more than one term.
pub fn prices() -> impl Strategy<Value = Price> {
    (sizes(), sizes(), sizes()).prop_map(|(per_micro, per_micro_squared, per_cost)| Price {
        per_micro,
        per_micro_squared,
        per_cost,
    })
}

/// Waits of all sizes, for fewer or more models than there are.
fn waits() -> impl Strategy<Value = Vec<Micros>> {
    let wait = prop_oneof![
        2 => Just(0),
        3 => 0..=12_u32,
        2 => 0..=1_500_u32,
        2 => (any::<u32>(), 0..32_u32).prop_map(|(any, halvings)| any >> halvings),
    ];
    vec(wait.prop_map(Micros::new), 1..=CAPACITY)
}

/// One of two ways, the first so many times in ten.
fn mostly<T: Clone + std::fmt::Debug + 'static>(
    times: u32,
    first: T,
    other: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = T> {
    prop_oneof![times => Just(first), 10 - times => other]
}

/// A case that asks anything: each part is asked in some cases, alone and with the others.
pub fn requests() -> impl Strategy<Value = Case> {
    let min_accuracy = mostly(6, 0, prop_oneof![Just(1), 0..=1_000_000_u32]);
    let max_cost = mostly(6, u32::MAX, 0..=3_u32);
    let allowed = mostly(5, vec![true; CAPACITY], vec(prop::bool::weighted(0.7), CAPACITY));
    let worth =
        prop_oneof![Just(Ok(0)), (0..=1_000_000_u32).prop_map(Ok), any::<(Index, Index)>().prop_map(Err)];
    let earlier = mostly(5, None, (places(), worth).prop_map(Some));
    let asked = (min_accuracy, max_cost, allowed, mostly(5, Vec::new(), waits()));
    (plain_cases(), places(), asked, mostly(6, Price::NONE, prices()), earlier).prop_map(
        |(mut case, place, (min_accuracy, max_cost, allowed, waits), price, earlier)| {
            case.min_accuracy = Accuracy::from_ppm(min_accuracy).unwrap();
            case.max_cost = Cost(max_cost);
            case.allowed = allowed.into_iter().take(case.profiles.len()).collect();
            case.waits = waits;
            case.price = price;
            let boundaries = case.boundaries();
            case.budget = place.of(&boundaries);
            case.earlier = earlier.map(|(place, worth)| {
                // A difference of two accuracies is where preferring the earlier one changes.
                let difference = |(one, other): (Index, Index)| {
                    let ppm = |place: Index| place.get(&case.profiles).accuracy.as_ppm();
                    ppm(one).abs_diff(ppm(other))
                };
                let worth = worth.unwrap_or_else(difference);
                (place.of(&boundaries), Accuracy::from_ppm(worth).unwrap())
            });
            case
        },
    )
}

/// Any question: nothing but a budget, or more.
pub fn cases() -> impl Strategy<Value = Case> {
    prop_oneof![1 => plain_cases(), 2 => requests()]
}
