//! [`Case`]: a zoo and one request, whatever made them up.

use mdinference::{
    Accuracy, Budget, Catalog, Constraints, Cost, Margin, Micros, Model, ModelId, ModelSet, Policy, Profile,
    Sharpness,
};

/// The most models a case has.
pub const CAPACITY: usize = 16;

/// Everything that a selection depends on.
#[derive(Clone, Debug)]
pub struct Case {
    /// 1 to [`CAPACITY`] models.
    pub profiles: Vec<Profile>,
    pub policy: Policy,
    pub budget: Budget,
    pub draw: u64,
    pub min_accuracy: Accuracy,
    pub max_cost: Cost,
    /// Whether each model may be used.
    pub allowed: Vec<bool>,
}

impl Case {
    /// A case without constraints.
    pub fn new(profiles: Vec<Profile>, policy: Policy, budget: Budget, draw: u64) -> Self {
        let allowed = vec![true; profiles.len()];
        Self {
            profiles,
            policy,
            budget,
            draw,
            min_accuracy: Accuracy::ZERO,
            max_cost: Cost(u32::MAX),
            allowed,
        }
    }

    pub fn with_budget(&self, budget: Budget) -> Self {
        Self { budget, ..self.clone() }
    }

    pub fn catalog(&self) -> Catalog<CAPACITY> {
        Catalog::new(self.profiles.iter().copied()).unwrap()
    }

    /// The models that may be used, to be lent to [`Case::constraints`].
    pub fn allowed(&self) -> ModelSet<CAPACITY> {
        self.ids().zip(&self.allowed).filter(|&(_, &allowed)| allowed).map(|(id, _)| id).collect()
    }

    pub fn constraints<'a>(&self, allowed: &'a ModelSet<CAPACITY>) -> Constraints<'a, CAPACITY> {
        Constraints::NONE
            .with_min_accuracy(self.min_accuracy)
            .with_max_cost(self.max_cost)
            .with_allowed(allowed)
    }

    pub fn ids(&self) -> impl Iterator<Item = ModelId> + use<> {
        (0..self.profiles.len()).map(|place| ModelId::new(place).unwrap())
    }

    /// The models in the order of their ids.
    pub fn models(&self) -> impl Iterator<Item = Model> + Clone + '_ {
        self.profiles
            .iter()
            .enumerate()
            .map(|(place, &profile)| Model { id: ModelId::new(place).unwrap(), profile })
    }

    /// Every budget at which something may change: one either side of each μ and each μ + γσ, and of the ends.
    pub fn boundaries(&self) -> Vec<Budget> {
        let margin = u64::from(self.policy.margin.thousandths());
        let mut times: Vec<u64> = self
            .profiles
            .iter()
            .flat_map(|profile| {
                let mean = u64::from(profile.latency.mean.get());
                let deviation = u64::from(profile.latency.deviation.get());
                [mean, mean + margin * deviation / 1_000]
            })
            .chain([0, u64::from(Micros::MAX.get())])
            .flat_map(|time| [time.saturating_sub(1), time, time + 1, time + 2])
            .collect();
        times.sort_unstable();
        times.dedup();
        times
            .into_iter()
            .filter_map(|time| u32::try_from(time).ok())
            .filter(|&time| time <= Micros::MAX.get())
            .map(|time| Budget::of(Micros::new(time)))
            .collect()
    }
}

/// A policy of γ in thousandths and a whole k of at least 1.
pub fn policy(margin_thousandths: u32, sharpness: u32) -> Policy {
    Policy::PAPER
        .with_margin(Margin::new(f64::from(margin_thousandths) / 1_000.0).unwrap())
        .with_sharpness(Sharpness::new(f64::from(sharpness)).unwrap())
}
