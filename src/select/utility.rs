//! Stage 3, the utility (Eq. 3):
//!
//! ```text
//! U(m) = A(m) · (T_budget − (μ(m) + γσ(m))) / |T_budget − μ(m)|   if m fits, else 0
//! ```
//!
//! A model that fits has μ ≤ μ + γσ < T_budget, so the denominator is positive and 0 ≤ U ≤ A.
//!
//! It stands here twice: [`utility`] in `f64` for people and logs, and [`Terms::weight`] in `f32` for the draw, which
//! has to be cheap without a double-precision unit. Both take their differences in integers, so that nothing cancels.

use crate::policy::Margin;
use crate::profile::Profile;
use crate::request::Budget;
use crate::select::threshold::Threshold;
use crate::time::Micros;

/// U(m) on the scale of accuracy in percent, 0 to 100; relative error at most 4·2⁻⁵³.
// paper: IV-D, Eq. 3
pub fn utility(profile: &Profile, margin: Margin, budget: Budget) -> f64 {
    let threshold = Threshold::new(profile.latency, margin);
    if !threshold.fits(budget) {
        return 0.0;
    }
    let budget_nanos = u64::from(budget.time().get()).saturating_mul(1_000);
    let slack = budget_nanos.saturating_sub(threshold.as_nanos()) as f64;
    let remaining = budget.time().saturating_sub(profile.latency.mean).get();
    profile.accuracy.as_percent() * slack / (f64::from(remaining) * 1_000.0)
}

/// The terms of Eq. 3 that do not depend on the budget, in the form that the draw uses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Terms {
    /// μ in µs.
    pub(crate) mean: i32,
    /// μ + γσ in µs, rounded up; saturated, which is past any budget.
    pub(crate) threshold: i32,
    /// The rest of μ + γσ, in µs, above −1 and at most 0. Not positive, so that a slack below 1 µs is a sum of its own
    /// size and not what cancelling leaves.
    pub(crate) fraction: f32,
    /// A in parts per million.
    pub(crate) accuracy: f32,
}

impl Terms {
    /// The terms of one model.
    #[inline]
    pub fn new(profile: &Profile, margin: Margin) -> Self {
        let (micros, nanos) = Threshold::in_micros(profile.latency, margin);
        let above = 1_000_i32.wrapping_sub(nanos as i32);
        let (threshold, fraction) = match i32::try_from(micros.saturating_add((nanos > 0).into())) {
            Ok(micros) if nanos > 0 => (micros, -(above as f32 / 1_000.0)),
            Ok(micros) => (micros, 0.0),
            Err(_) => (i32::MAX, 0.0),
        };
        Self {
            mean: profile.latency.mean.get() as i32,
            threshold,
            fraction,
            accuracy: profile.accuracy.as_ppm() as f32,
        }
    }

    /// Those of the model where it has to be waited for so long.
    #[inline(always)]
    pub(crate) fn later(self, wait: Micros) -> Self {
        let wait = wait.get() as i32;
        let mean = self.mean.saturating_add(wait);
        match self.threshold.checked_add(wait) {
            Some(threshold) => Self { mean, threshold, ..self },
            None => Self { mean, threshold: i32::MAX, fraction: 0.0, ..self },
        }
    }

    /// Eq. 2.
    #[inline(always)]
    pub(crate) fn fits(self, budget: Budget) -> bool {
        self.slack(budget) > 0.0
    }

    /// T_budget − (μ + γσ); of its sign it is exact.
    #[inline(always)]
    fn slack(self, budget: Budget) -> f32 {
        (budget.time().get() as i32).wrapping_sub(self.threshold) as f32 - self.fraction
    }

    /// U(m) on the scale of accuracy in parts per million; relative error at most 6·2⁻²⁴.
    ///
    /// One comparison in place of branches: a model that does not fit has a gain of at most zero, and of the others the
    /// denominator is positive as it is.
    // paper: IV-D, Eq. 3
    #[inline(always)]
    pub fn weight(self, budget: Budget) -> f32 {
        let gain = self.gain(budget);
        let weight = gain / self.remaining(budget);
        if gain > 0.0 { weight } else { 0.0 }
    }

    /// The numerator of Eq. 3, A(m)·(T_budget − (μ + γσ)); positive only for a model that fits.
    #[inline(always)]
    pub(crate) fn gain(self, budget: Budget) -> f32 {
        self.accuracy * self.slack(budget)
    }

    /// The denominator of Eq. 3, T_budget − μ(m) by its sign.
    #[inline(always)]
    pub(crate) fn remaining(self, budget: Budget) -> f32 {
        (budget.time().get() as i32).wrapping_sub(self.mean) as f32
    }
}
