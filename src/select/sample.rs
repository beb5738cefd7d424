//! Stage 3, the draw: one model with probability U(m)ᵏ / ΣUᵏ over the exploration set (Section IV-D; k = 1).

use crate::budget::Budget;
use crate::catalog::{Model, ModelId};
use crate::policy::{Policy, Sharpness};
use crate::select::utility::{Terms, utility};

/// The upper 24 bits of a draw as a number in [0, 1), exactly.
#[inline]
pub fn unit(draw: u64) -> f32 {
    const STEP: f32 = 1.0 / (1u32 << 24) as f32;
    (draw >> 40) as f32 * STEP
}

/// Draws one of `weighted` with probability proportional to its weight; `None` if the weights are all zero.
///
/// Weights are finite and not negative. The first to make the running sum exceed `unit(draw)` × total is drawn, so a
/// weight of zero never is. For n items of total weight 1 each probability is met to within (n + 2)·2⁻²⁴.
// paper: IV-D, draw
pub fn sample<T>(weighted: impl Iterator<Item = (T, f32)> + Clone, draw: u64) -> Option<T> {
    let total = weighted.clone().fold(0.0, |sum, (_, weight)| sum + weight);
    let target = unit(draw) * total;
    let mut sum = 0.0;
    for (item, weight) in weighted {
        sum += weight;
        if target < sum {
            return Some(item);
        }
    }
    None
}

/// The models of an exploration set with the weights that [`sample`] draws by: Uᵏ, up to a common factor.
pub fn weights<I>(
    set: I,
    policy: &Policy,
    budget: Budget,
) -> impl Iterator<Item = (ModelId, f32)> + Clone + use<I>
where
    I: Iterator<Item = Model> + Clone,
{
    let Policy { margin, sharpness } = *policy;
    let weight = move |model: &Model| Terms::new(&model.profile, margin).weight(budget);
    let largest =
        if sharpness.is_paper() { 1.0 } else { set.clone().map(|model| weight(&model)).fold(0.0, f32::max) };
    set.map(move |model| {
        let weight = weight(&model);
        let weight = if sharpness.is_paper() {
            weight
        } else {
            sharpened(weight.into(), largest.into(), sharpness) as f32
        };
        (model.id, weight)
    })
}

/// The models of an exploration set with their exact probabilities, U(m)ᵏ / ΣUᵏ; all zero if no utility is positive.
///
/// Relative error at most (n + 8)·2⁻⁵³ for a set of n and k = 1, and (n + 8k + 8)·2⁻⁵³ otherwise.
// paper: IV-D, probability
pub fn probabilities<I>(
    set: I,
    policy: &Policy,
    budget: Budget,
) -> impl Iterator<Item = (ModelId, f64)> + Clone + use<I>
where
    I: Iterator<Item = Model> + Clone,
{
    let Policy { margin, sharpness } = *policy;
    let utility = move |model: &Model| utility(&model.profile, margin, budget);
    let largest = set.clone().map(|model| utility(&model)).fold(0.0, f64::max);
    let power = move |model: &Model| {
        if sharpness.is_paper() { utility(model) } else { sharpened(utility(model), largest, sharpness) }
    };
    let total: f64 = set.clone().map(|model| power(&model)).sum();
    set.map(move |model| {
        let share = if total > 0.0 { power(&model) / total } else { 0.0 };
        (model.id, share)
    })
}

/// (U / U_max)ᵏ: scaled to the largest, so that it can't overflow and the largest can't underflow.
fn sharpened(utility: f64, largest: f64, sharpness: Sharpness) -> f64 {
    if utility > 0.0 { libm::pow(utility / largest, sharpness.get()) } else { 0.0 }
}
