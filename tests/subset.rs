//! The spanning subset against brute force over all subsets, which shares no arithmetic with it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod support;

use std::cmp::Reverse;

use mdinference::{Accuracy, Budget, Catalog, Latency, Margin, Micros, Profile, subset};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use support::case::CAPACITY;
use support::config;
use support::strategies::plain_cases;

type Weights = Vec<(Budget, u32)>;
type Subset = subset::Subset<CAPACITY>;

/// A zoo and its budgets, most of them right where something changes.
#[derive(Clone, Debug)]
struct Problem {
    profiles: Vec<Profile>,
    margin: Margin,
    weights: Weights,
}

fn problems() -> impl Strategy<Value = Problem> {
    let weight = prop_oneof![1 => Just(0), 6 => 1..=5_u32, 2 => any::<u32>(), 1 => Just(u32::MAX)];
    let budget = prop_oneof![4 => any::<Index>().prop_map(Ok), 1 => any::<u32>().prop_map(Err)];
    (plain_cases(), vec((budget, weight), 0..=10)).prop_map(|(case, weights)| {
        let boundaries = case.boundaries();
        let budget = |place: Result<Index, u32>| match place {
            Ok(place) => *place.get(&boundaries),
            Err(anywhere) => Budget::of(Micros::new(anywhere)),
        };
        let weights = weights.into_iter().map(|(place, weight)| (budget(place), weight)).collect();
        Problem { profiles: case.profiles, margin: case.policy.margin, weights }
    })
}

impl Problem {
    fn catalog(&self) -> Catalog<CAPACITY> {
        Catalog::new(self.profiles.iter().copied()).unwrap()
    }

    fn most_accurate(&self, count: usize) -> Subset {
        subset::most_accurate(&self.catalog(), self.margin, self.weights.iter().copied(), count)
    }

    fn smallest_within(&self, loss: Accuracy) -> Subset {
        subset::smallest_within(&self.catalog(), self.margin, self.weights.iter().copied(), loss)
    }

    fn weight(&self) -> u128 {
        self.weights.iter().map(|&(_, weight)| u128::from(weight)).sum()
    }

    /// μ + γσ in nanoseconds.
    fn threshold(&self, place: usize) -> i128 {
        let Latency { mean, deviation } = self.profiles[place].latency;
        i128::from(mean.get()) * 1_000 + i128::from(self.margin.thousandths()) * i128::from(deviation.get())
    }

    /// For each budget the accuracy of the best that fits, in parts per million, times its weight.
    fn value(&self, members: &[usize]) -> u128 {
        let accuracy = |&(budget, weight): &(Budget, u32)| {
            let nanos = i128::from(budget.time().get()) * 1_000;
            let fitting = members.iter().filter(|&&place| self.threshold(place) < nanos);
            let best = fitting.map(|&place| self.profiles[place].accuracy.as_ppm()).max();
            u128::from(best.unwrap_or(0)) * u128::from(weight)
        };
        self.weights.iter().map(accuracy).sum()
    }

    /// All subsets with their values.
    fn subsets(&self) -> Vec<(Vec<usize>, u128)> {
        let count = self.profiles.len();
        let members = |bits: u32| (0..count).filter(|place| bits >> place & 1 == 1).collect::<Vec<_>>();
        (0..1_u32 << count)
            .map(|bits| {
                let members = members(bits);
                let value = self.value(&members);
                (members, value)
            })
            .collect()
    }

    /// The subset that the documentation promises among those admitted: the most accurate, then the fewest,
    /// then the one with the smallest threshold of its slowest model and so on, then the lowest ids.
    fn best<'a>(&self, subsets: impl Iterator<Item = &'a (Vec<usize>, u128)>) -> Option<(Vec<usize>, u128)> {
        let slowest_first = |members: &[usize]| {
            let mut keys: Vec<_> = members.iter().map(|&place| (self.threshold(place), place)).collect();
            keys.sort_unstable_by_key(|&key| Reverse(key));
            keys
        };
        let (members, value) = subsets
            .min_by_key(|(members, value)| (Reverse(*value), members.len(), slowest_first(members)))?;
        let members = slowest_first(members).into_iter().rev().map(|(_, place)| place).collect();
        Some((members, *value))
    }
}

fn places(subset: &Subset) -> Vec<usize> {
    subset.models.iter().map(|id| id.index()).collect()
}

fn points(percent: f64) -> Accuracy {
    Accuracy::from_percent(percent).unwrap()
}

/// Accuracy in percent, μ in ms, σ = 0.
fn problem<const MODELS: usize>(
    models: [(f64, f64); MODELS],
    weights: impl IntoIterator<Item = (u32, u32)>,
) -> Problem {
    let profile = |(accuracy, mean)| Profile::from_percent_and_millis(accuracy, mean, 0.0).unwrap();
    let weights = weights.into_iter().map(|(ms, weight)| (Budget::of(Micros::from_millis(ms)), weight));
    Problem { profiles: models.map(profile).to_vec(), margin: Margin::PAPER, weights: weights.collect() }
}

proptest! {
    #![proptest_config(config(1_000))]

    // paper: VI, spanning subset
    #[test]
    fn of_every_size_it_is_the_best_of_all_subsets(problem in problems()) {
        let subsets = problem.subsets();
        for most in 0..=problem.profiles.len() + 1 {
            let found = problem.most_accurate(most);
            let admitted = subsets.iter().filter(|(members, _)| members.len() <= most);
            let (members, value) = problem.best(admitted).unwrap();
            prop_assert_eq!(found.weighted_ppm, value, "{} models", most);
            prop_assert_eq!(problem.value(&places(&found)), value);
            prop_assert_eq!(places(&found), members);
            prop_assert_eq!(found.weight, problem.weight());
        }
    }

    #[test]
    fn fewer_are_not_enough(problem in problems(), loss in prop_oneof![0..=1_000_000_u32, 0..=20_000_u32]) {
        let subsets = problem.subsets();
        let whole = problem.value(&(0..problem.profiles.len()).collect::<Vec<_>>());
        for loss in [0, loss, 1_000_000] {
            let found = problem.smallest_within(Accuracy::from_ppm(loss).unwrap());
            let enough = |value: u128| whole - value <= u128::from(loss) * problem.weight();
            let fewest =
                subsets.iter().filter(|(_, value)| enough(*value)).map(|(members, _)| members.len()).min();
            prop_assert_eq!(Some(found.models.len()), fewest);
            let of_that_size = subsets.iter().filter(|(members, _)| Some(members.len()) == fewest);
            prop_assert_eq!(Some((places(&found), found.weighted_ppm)), problem.best(of_that_size));
            prop_assert_eq!(&found, &problem.most_accurate(found.models.len()));
        }
    }

    #[test]
    fn each_further_model_brings_no_more_than_the_one_before(problem in problems()) {
        let count = problem.profiles.len();
        let values: Vec<u128> = (0..=count).map(|most| problem.most_accurate(most).weighted_ppm).collect();
        let gains: Vec<u128> = values.windows(2).map(|pair| pair[1].checked_sub(pair[0]).unwrap()).collect();
        prop_assert!(gains.is_sorted_by_key(|&gain| Reverse(gain)), "{:?}", gains);
        prop_assert_eq!(values[0], 0);
        prop_assert_eq!(values[count], problem.value(&(0..count).collect::<Vec<_>>()));
    }

    /// Adding the model that helps most, again and again, never does better; for a sum of maxima it keeps 1 −
    /// 1/e.
    #[test]
    fn greedy_is_no_better(problem in problems()) {
        let mut greedy = Vec::new();
        for most in 1..=problem.profiles.len() {
            greedy.push(most_helpful(&problem, &greedy));
            let (greedy, exact) = (problem.value(&greedy), problem.most_accurate(most).weighted_ppm);
            prop_assert!(greedy <= exact && 1_000 * greedy >= 632 * exact, "{} of {}", greedy, exact);
        }
    }
}

/// The model that raises the accuracy of `chosen` most.
fn most_helpful(problem: &Problem, chosen: &[usize]) -> usize {
    let with = |place: usize| problem.value(&[chosen, &[place]].concat());
    (0..problem.profiles.len()).max_by_key(|&place| with(place)).unwrap()
}

/// The best single model is a compromise that the best pair has no use for.
#[test]
fn greedy_can_lose() {
    let problem = problem([(50.0, 10.0), (80.0, 20.0), (90.0, 40.0)], [(15, 2), (30, 1), (50, 4)]);
    let first = most_helpful(&problem, &[]);
    let greedy = problem.value(&[first, most_helpful(&problem, &[first])]);
    let best = problem.most_accurate(2);
    assert_eq!((first, places(&best)), (1, vec![0, 2]));
    assert_eq!((greedy, best.weighted_ppm), (5_000_000, 5_100_000));
}

#[test]
fn without_weight_or_models_there_are_none() {
    let none = |problem: &Problem, count: usize, weight: u128| {
        let found = problem.most_accurate(count);
        assert!(found.models.is_empty());
        assert_eq!((found.weighted_ppm, found.weight, found.accuracy_percent()), (0, weight, 0.0));
    };
    let models = [(50.0, 10.0), (80.0, 50.0)];
    none(&problem(models, []), 2, 0);
    none(&problem(models, [(20, 0), (100, 0)]), 2, 0);
    none(&problem(models, [(20, 1), (100, 2)]), 0, 3);
    // Nothing fits, or nothing is ever right.
    none(&problem(models, [(0, 1), (10, 2)]), 2, 3);
    none(&problem([(0.0, 10.0)], [(100, 1)]), 1, 1);
    assert!(problem(models, []).smallest_within(Accuracy::ZERO).models.is_empty());
    assert!(problem(models, [(100, 1)]).smallest_within(Accuracy::MAX).models.is_empty());
}

#[test]
fn more_than_all_are_those_that_are_of_use() {
    let models = [(80.0, 50.0), (50.0, 10.0), (40.0, 20.0)];
    for count in [2, 3, 4, usize::MAX] {
        assert_eq!(places(&problem(models, [(20, 1), (100, 1)]).most_accurate(count)), [1, 0]);
        assert_eq!(places(&problem(models, [(100, 1)]).most_accurate(count)), [0]);
    }
}

#[test]
fn a_budget_at_the_threshold_is_too_small() {
    let models = [(50.0, 10.0), (80.0, 50.0)];
    assert_eq!(problem(models, [(50, 1)]).most_accurate(1).weighted_ppm, 500_000);
    assert_eq!(problem(models, [(51, 1)]).most_accurate(1).weighted_ppm, 800_000);
}

#[test]
fn a_loss_of_exactly_so_much_is_allowed() {
    // 30 points in one request of four.
    let problem = problem([(50.0, 10.0), (80.0, 50.0)], [(20, 3), (100, 1)]);
    assert_eq!(problem.smallest_within(points(7.5)).models.len(), 1);
    assert_eq!(problem.smallest_within(points(7.4999)).models.len(), 2);
}

#[test]
fn large_sums_are_exact() {
    const BUDGETS: u32 = 100_000;
    let problem = problem([(100.0, 10.0)], (0..BUDGETS).map(|_| (20, u32::MAX)));
    let found = problem.most_accurate(1);
    assert_eq!(found.weight, u128::from(BUDGETS) * u128::from(u32::MAX));
    assert_eq!(found.weighted_ppm, 1_000_000 * found.weight);
    assert_eq!(found.accuracy_percent(), 100.0);
}
