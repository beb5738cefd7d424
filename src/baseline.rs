//! The algorithms that the paper compares MDInference against (Sections V and VI), in the same terms.
//!
//! Each takes the models by μ, as [`Catalog::models`](crate::Catalog::models) gives them, and is `None` only without
//! models. Those that draw take 64 uniformly random bits.

use core::cmp::Reverse;

use crate::budget::Budget;
use crate::catalog::{Model, ModelId};
use crate::policy::Margin;
use crate::select::base::{self, Base};
use crate::select::explore::exploration_set;
use crate::time::Micros;

/// Static greedy: the most accurate model that fits T_sla, with no regard to the network (Section V-B).
pub fn static_greedy(
    models: impl Iterator<Item = Model> + Clone,
    margin: Margin,
    sla: Micros,
) -> Option<ModelId> {
    related_accurate(models, margin, Budget::of(sla))
}

/// Static latency: always the fastest model (Section VI).
pub fn static_latency(models: impl Iterator<Item = Model>) -> Option<ModelId> {
    base::fastest(models).map(|model| model.id)
}

/// Static accuracy: always the most accurate model; ties go to the smaller μ, then to the lower id (Section VI).
pub fn static_accuracy(models: impl Iterator<Item = Model>) -> Option<ModelId> {
    models
        .min_by_key(|model| {
            let profile = model.profile;
            (Reverse(profile.accuracy), profile.latency.mean, model.id)
        })
        .map(|model| model.id)
}

/// Pure random: any model, each as likely (Section V-C).
pub fn pure_random(models: impl Iterator<Item = Model> + Clone, draw: u64) -> Option<ModelId> {
    let count = models.clone().count() as u64;
    // The draw as a fraction of 2⁶⁴, times the count, rounded down.
    let index = (u128::from(draw).saturating_mul(u128::from(count)) >> 64) as usize;
    models.map(|model| model.id).nth(index)
}

/// Related random: any model of the exploration set, each as likely; the fastest if nothing fits (Section V-C).
pub fn related_random(
    models: impl Iterator<Item = Model> + Clone,
    margin: Margin,
    budget: Budget,
    draw: u64,
) -> Option<ModelId> {
    match base::base(models.clone(), margin, budget)? {
        Base::Fits(base) => pure_random(exploration_set(models, base.profile.latency), draw),
        Base::Fastest(model) => Some(model.id),
    }
}

/// Related accurate: the most accurate model that fits the budget, which is stage 1 alone (Section V-C).
pub fn related_accurate(
    models: impl Iterator<Item = Model> + Clone,
    margin: Margin,
    budget: Budget,
) -> Option<ModelId> {
    base::base(models, margin, budget).map(|base| base.model().id)
}
