//! Stage 3, the draw: one model with probability U(m)ᵏ / ΣUᵏ over the exploration set (Section IV-D; k = 1).

use crate::catalog::{Model, ModelId};
use crate::policy::{Policy, Sharpness};
use crate::request::{Budget, Draw};
use crate::select::utility::{Terms, utility};

/// The upper 24 bits of a draw as a number in [0, 1), exactly.
#[inline]
pub fn unit(draw: Draw) -> f32 {
    const STEP: f32 = 1.0 / (1u32 << 24) as f32;
    (draw.bits() >> 40) as i32 as f32 * STEP
}

/// Draws one of `weighted` with probability proportional to its weight; `None` if the weights are all zero.
///
/// Weights are finite and not negative. The first to make the running sum exceed `unit(draw)` × total is drawn, so a
/// weight of zero never is. For n items of total weight 1 each probability is met to within (n + 2)·2⁻²⁴.
// paper: IV-D, draw
pub fn sample<T>(weighted: impl Iterator<Item = (T, f32)> + Clone, draw: Draw) -> Option<T> {
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
    sharpened(set.map(move |model| (model.id, Terms::new(&model.profile, margin).weight(budget))), sharpness)
}

/// Those of models whose U is known.
pub(crate) fn sharpened<I>(
    set: I,
    sharpness: Sharpness,
) -> impl Iterator<Item = (ModelId, f32)> + Clone + use<I>
where
    I: Iterator<Item = (ModelId, f32)> + Clone,
{
    let largest =
        if sharpness.is_paper() { 1.0 } else { set.clone().map(|(_, utility)| utility).fold(0.0, f32::max) };
    set.map(move |(id, utility)| (id, sharper(utility, largest, sharpness)))
}

/// Uᵏ, for k > 1 of U as a part of the greatest.
#[inline]
pub(crate) fn sharper(utility: f32, largest: f32, sharpness: Sharpness) -> f32 {
    if sharpness.is_paper() || utility == 0.0 { utility } else { power(utility / largest, sharpness) }
}

/// The exact probabilities Pr(m) = U(m)ᵏ / ΣUᵏ over one exploration set (Section IV-D; k = 1).
///
/// Relative error at most (n + 10k)·2⁻⁵³ for a set of n, as long as no Uᵏ is below 2⁻¹⁰²² times the greatest:
/// 3 for each U and, for k > 1, 1 for each as a part of the greatest and k − 1 for its power, in the share
/// and in the sum alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probabilities {
    policy: Policy,
    budget: Budget,
    /// The greatest U in the set, where k > 1.
    largest: f64,
    /// ΣUᵏ, each U as a part of the greatest if k > 1.
    total: f64,
}

impl Probabilities {
    /// Of the models of a set, for a budget.
    pub fn new(set: impl Iterator<Item = Model> + Clone, policy: &Policy, budget: Budget) -> Self {
        let Policy { margin, sharpness } = *policy;
        let largest = if sharpness.is_paper() {
            1.0
        } else {
            set.clone().map(|model| utility(&model.profile, margin, budget)).fold(0.0, f64::max)
        };
        let mut probabilities = Self { policy: *policy, budget, largest, total: 0.0 };
        probabilities.total = set.map(|model| probabilities.share(&model)).sum();
        probabilities
    }

    /// That of a model of the set; `None` if no utility is positive.
    // paper: IV-D, probability
    pub fn of(&self, model: &Model) -> Option<f64> {
        (self.total > 0.0).then(|| self.share(model) / self.total)
    }

    /// Uᵏ, for k > 1 of U as a part of the greatest.
    fn share(&self, model: &Model) -> f64 {
        let Policy { margin, sharpness } = self.policy;
        let utility = utility(&model.profile, margin, self.budget);
        if sharpness.is_paper() || utility == 0.0 {
            utility
        } else {
            power(utility / self.largest, sharpness)
        }
    }
}

/// `base`ᵏ by squaring, for a base in (0, 1]: U is scaled to the largest, so that nothing overflows and the largest does
/// not underflow.
#[expect(clippy::arithmetic_side_effects, reason = "of floats: nothing overflows")]
fn power<F: Copy + From<f32> + core::ops::Mul<Output = F>>(base: F, sharpness: Sharpness) -> F {
    let (mut power, mut square, mut rest) = (F::from(1.0), base, sharpness.get());
    while rest > 0 {
        if rest & 1 == 1 {
            power = power * square;
        }
        square = square * square;
        rest >>= 1;
    }
    power
}
