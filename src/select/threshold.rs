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

    /// The same in whole microseconds, rounded down, and the nanoseconds beyond: by divisions of 32 bits, since small
    /// processors take many instructions for one of 64.
    pub(crate) const fn in_micros(latency: Latency, margin: Margin) -> (u64, u32) {
        let (deviation, thousandths) = (latency.deviation.get(), margin.thousandths());
        // Below 10³·10⁶ and 2²²·10⁶: nothing overflows.
        let part = (deviation % 1_000).wrapping_mul(thousandths);
        let whole = ((deviation / 1_000) as u64).wrapping_mul(thousandths as u64);
        let micros = (latency.mean.get() as u64).wrapping_add((part / 1_000) as u64);
        (whole.wrapping_add(micros), part % 1_000)
    }

    /// In whole microseconds, saturated: below a budget exactly if the model fits it.
    pub(crate) fn whole_micros(latency: Latency, margin: Margin) -> i32 {
        i32::try_from(Self::in_micros(latency, margin).0).unwrap_or(i32::MAX)
    }

    /// Eq. 2: μ + γσ < T_budget, strictly.
    // paper: IV-D, Eq. 2
    pub const fn fits(self, budget: Budget) -> bool {
        self.nanos < (budget.time().get() as u64).saturating_mul(1_000)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Micros;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn in_micros_is_the_same_sum(
            mean in 0..1_u32 << 31,
            deviation in 0..1_u32 << 31,
            gamma in 0..=1_000_000_u32,
        ) {
            let (latency, margin) = (
                Latency { mean: Micros::new(mean), deviation: Micros::new(deviation) },
                Margin::from_thousandths(gamma).unwrap_or(Margin::PAPER),
            );
            let nanos = Threshold::new(latency, margin).as_nanos();
            let (micros, rest) = Threshold::in_micros(latency, margin);
            prop_assert_eq!((micros, u64::from(rest)), (nanos / 1_000, nanos % 1_000));
        }
    }
}
