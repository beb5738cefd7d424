//! [`Threshold`]: whether a model fits a budget (Eq. 2).

use crate::policy::Margin;
use crate::profile::Latency;
use crate::request::Budget;

/// μ + γσ, the left side of Eq. 2. Exact: γ comes in thousandths and times in microseconds, so the sum is whole
/// nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Threshold {
    nanos: u64,
}

impl Threshold {
    /// μ + γσ of a model.
    pub const fn new(latency: Latency, margin: Margin) -> Self {
        // Below 2³¹·10³ + 2³¹·10⁶ < 2⁵²: can't overflow.
        let mean = (latency.mean.get() as u64).saturating_mul(1_000);
        let deviation = (latency.deviation.get() as u64).saturating_mul(margin.thousandths() as u64);
        Self { nanos: mean.saturating_add(deviation) }
    }

    /// In nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.nanos
    }

    /// In microseconds, rounded down: below a budget exactly if the model fits it.
    pub(crate) fn as_whole_micros(self) -> i32 {
        i32::try_from(self.nanos / 1_000).unwrap_or(i32::MAX)
    }

    /// Eq. 2: μ + γσ < T_budget, strictly.
    // paper: IV-D, Eq. 2
    pub const fn fits(self, budget: Budget) -> bool {
        self.nanos < (budget.time().get() as u64).saturating_mul(1_000)
    }
}
