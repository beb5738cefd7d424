//! Stage 2, the exploration set: all models whose mean time lies within one deviation of the base's (Section IV-D).

use crate::catalog::Model;
use crate::profile::Latency;
use crate::time::Micros;

/// The window [μ_b − σ_b, μ_b + σ_b] around the base, both ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// μ_b − σ_b, floored at zero.
    pub low: Micros,
    /// μ_b + σ_b.
    pub high: Micros,
}

impl Window {
    /// The window around a base with this latency.
    pub const fn around(base: Latency) -> Self {
        Self { low: base.mean.saturating_sub(base.deviation), high: base.mean.saturating_add(base.deviation) }
    }

    /// Whether a model with this mean is in.
    pub fn contains(&self, mean: Micros) -> bool {
        self.low <= mean && mean <= self.high
    }
}

/// The exploration set around `base`, in the order of `models`; it holds the base whenever `models` does, and may hold
/// models that do not fit the budget (Eq. 2), whose utility is then zero.
// paper: IV-D, exploration set
// paper: IV-D, set past the budget
pub fn exploration_set<I>(models: I, base: Latency) -> impl Iterator<Item = Model> + Clone + use<I>
where
    I: Iterator<Item = Model> + Clone,
{
    let window = Window::around(base);
    models.filter(move |model| window.contains(model.profile.latency.mean))
}
