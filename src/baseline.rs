//! The algorithms that the paper compares MDInference against (Section V), in the same terms.
//!
//! Each takes the models by μ, as [`Catalog::models`](crate::Catalog::models) gives them, and is `None` only without
//! models.

use core::cmp::Reverse;

use crate::catalog::{Model, ModelId};
use crate::policy::Margin;
use crate::request::{Budget, Draw};
use crate::select::base::{self, Base};
use crate::select::explore::exploration_set;
use crate::time::Micros;

/// Static greedy: the most accurate model that fits T_sla, with no regard to the network (Section V-A); the fastest if
/// none does.
// paper: V-A, static greedy
pub fn static_greedy(
    models: impl Iterator<Item = Model> + Clone,
    margin: Margin,
    sla: Micros,
) -> Option<ModelId> {
    base::base(models, margin, Budget::of(sla)).map(|base| base.model().id)
}

/// Static latency: always the fastest model (Section V-D).
// paper: V-D, static latency
pub fn static_latency(models: impl Iterator<Item = Model>) -> Option<ModelId> {
    base::fastest(models).map(|model| model.id)
}

/// Static accuracy: always the most accurate model; ties go to the smaller μ, then to the lower id (Section V-D).
// paper: V-D, static accuracy
pub fn static_accuracy(models: impl Iterator<Item = Model>) -> Option<ModelId> {
    models
        .min_by_key(|model| {
            let profile = model.profile;
            (Reverse(profile.accuracy), profile.latency.mean, model.id)
        })
        .map(|model| model.id)
}

/// Pure random: any model, each as likely (Section V-C; "random" in Section V-D).
// paper: V-C, pure random
pub fn pure_random(models: impl Iterator<Item = Model> + Clone, draw: Draw) -> Option<ModelId> {
    let count = models.clone().count() as u64;
    // The draw as a fraction of 2⁶⁴, times the count, rounded down.
    let index = (u128::from(draw.bits()).saturating_mul(u128::from(count)) >> 64) as usize;
    models.map(|model| model.id).nth(index)
}

/// Related random: any model of the exploration set, each as likely; the fastest if nothing fits (Section V-C).
// paper: V-C, related random
pub fn related_random(
    models: impl Iterator<Item = Model> + Clone,
    margin: Margin,
    budget: Budget,
    draw: Draw,
) -> Option<ModelId> {
    match base::base(models.clone(), margin, budget)? {
        Base::Fits(base) => pure_random(exploration_set(models, base.profile.latency), draw),
        Base::Fastest(model) => Some(model.id),
    }
}

/// Related accurate: the most accurate model of the exploration set; the fastest if nothing fits (Section V-C).
///
/// Not always the base: a more accurate model may lie in its window and not fit the budget. Ties as
/// [`static_accuracy`].
// paper: V-C, related accurate
pub fn related_accurate(
    models: impl Iterator<Item = Model> + Clone,
    margin: Margin,
    budget: Budget,
) -> Option<ModelId> {
    match base::base(models.clone(), margin, budget)? {
        Base::Fits(base) => static_accuracy(exploration_set(models, base.profile.latency)),
        Base::Fastest(model) => Some(model.id),
    }
}
