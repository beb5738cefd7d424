//! What the benchmarks measure on: model families, budgets, and what a user would write without this crate.

pub mod asks;
pub mod good_naive;
pub mod naive;
pub mod served;
#[allow(dead_code, reason = "each benchmark needs a part of it")]
pub mod waiting;

use mdinference::{Budget, Catalog, Cost, Index, Micros, Policy, Profile, ProfileError};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, LogNormal, Normal};

#[path = "../../examples/programs/support/table.rs"]
pub mod table;
#[path = "../../examples/programs/support/zoo.rs"]
#[allow(dead_code, reason = "the benchmarks only need the shipped zoos")]
mod zoo;

/// A model as measured: accuracy in percent, mean and standard deviation in milliseconds; and its cost.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub accuracy: f64,
    pub mean: f64,
    pub deviation: f64,
    pub cost: u32,
}

/// Table III of the paper, with its fictional model.
pub fn table3() -> Vec<Measured> {
    let zoo = zoo::Zoo::shipped("table3_fictional").expect("the shipped zoo");
    let measured = |profile: &Profile| Measured {
        accuracy: profile.accuracy.as_percent(),
        mean: profile.latency.mean.as_millis(),
        deviation: profile.latency.deviation.as_millis(),
        cost: 0,
    };
    with_costs(zoo.profiles.iter().map(measured).collect())
}

/// The fastest costs 1, the next 2, and so on.
fn with_costs(mut models: Vec<Measured>) -> Vec<Measured> {
    let means: Vec<f64> = models.iter().map(|model| model.mean).collect();
    for model in &mut models {
        model.cost = 1 + means.iter().filter(|&&mean| mean < model.mean).count() as u32;
    }
    models
}

/// How the accuracies of a generated family relate to its times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Family {
    /// Slower models are more accurate, to within 3 points: many of them are the base for some budget, so that budgets
    /// lie close above a base and much of its window does not fit.
    Dense,
    /// Accuracy has nothing to do with time: few models are ever the base.
    Sparse,
}

impl Family {
    /// `n` models: μ lognormal (median 40 ms) within 1–500 ms, σ 5–20 % of μ, accuracy 40–88 %.
    pub fn models(self, n: usize) -> Vec<Measured> {
        let mut rng = StdRng::seed_from_u64(n as u64);
        let means = LogNormal::new(40f64.ln(), 1.0).expect("a valid lognormal");
        let mut model = || {
            let mean = loop {
                let mean = means.sample(&mut rng);
                if (1.0..500.0).contains(&mean) {
                    break mean;
                }
            };
            let accuracy = match self {
                Self::Dense => 43.0 + 42.0 * mean.ln() / 500f64.ln() + rng.random_range(-3.0..3.0),
                Self::Sparse => rng.random_range(40.0..88.0),
            };
            Measured { accuracy, mean, deviation: mean * rng.random_range(0.05..0.20), cost: 0 }
        };
        with_costs((0..n).map(|_| model()).collect())
    }
}

/// So many budgets from N(150, 50) ms, as in the paper's figures with T_nw = 100 ± 50 ms and T_sla = 250 ms.
pub fn budgets(count: usize) -> Vec<Budget> {
    let mut rng = StdRng::seed_from_u64(250);
    let times = Normal::new(150.0, 50.0).expect("a valid normal");
    (0..count).map(|_| budget(f64::max(times.sample(&mut rng), 0.0))).collect()
}

/// The least budget of each model that is ever the base.
#[allow(dead_code, reason = "not every benchmark needs it")]
pub fn steps<const N: usize>(index: &Index<N>) -> Vec<Budget> {
    let models = index.catalog().models();
    let steps = models.filter_map(|model| {
        let latency = model.profile.latency;
        let least = Budget::of(latency.mean.saturating_add(latency.deviation).saturating_add(Micros::new(1)));
        (index.base(least) == Some(model.id)).then_some(least)
    });
    steps.collect()
}

/// So many of these budgets: the adversarial case, where the base has next to no utility.
pub fn budgets_at_steps<const N: usize>(index: &Index<N>, count: usize) -> Vec<Budget> {
    steps(index).iter().cycle().copied().take(count).collect()
}

fn budget(millis: f64) -> Budget {
    Budget::of(Micros::try_from_millis(millis).expect("a time"))
}

pub fn catalog<const N: usize>(models: &[Measured]) -> Box<Catalog<N>> {
    let profile = |model: &Measured| {
        let profile = Profile::from_percent_and_millis(model.accuracy, model.mean, model.deviation)?;
        Ok::<_, ProfileError>(profile.with_cost(Cost(model.cost)))
    };
    Box::new(Catalog::try_new(models.iter().map(profile)).expect("a catalog"))
}

pub fn index<const N: usize>(models: &[Measured], policy: Policy) -> Box<Index<N>> {
    Box::new(Index::new(*catalog(models), policy))
}
