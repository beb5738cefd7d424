//! [`AccuracyEstimator`]: how often a model is right, from feedback on its answers, so that drift is noticed.

use crate::estimate::ewm::{Moments, Smoothing};
use crate::profile::Accuracy;

/// Exponentially weighted share of right answers, starting from a known accuracy.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "serde_impl::Unchecked"))]
pub struct AccuracyEstimator {
    /// 0 to 1.
    share: f32,
    /// How many answers judged, up to 1/α.
    judged: u32,
}

impl AccuracyEstimator {
    /// Starts from an accuracy measured elsewhere.
    pub fn from_prior(prior: Accuracy) -> Self {
        Self { share: prior.as_ppm() as f32 / 1_000_000.0, judged: 0 }
    }

    /// A, rounded to the part per million.
    pub fn accuracy(&self) -> Accuracy {
        // At most 1,000,000, for the share is at most 1.
        Accuracy::from_ppm((self.share * 1_000_000.0 + 0.5) as u32).unwrap_or(Accuracy::MAX)
    }

    /// Takes in whether one answer was right.
    pub fn observe(&mut self, right: bool, smoothing: Smoothing) {
        let sample = if right { 1.0 } else { 0.0 };
        let share = Moments { mean: self.share, variance: 0.0 };
        self.share = share.updated(sample, smoothing.weight(u32::MAX)).mean.min(1.0);
        self.judged = self.judged.saturating_add(1).min(smoothing.memory());
    }

    /// What two estimators of the same model know together: each share weighs by the answers it stands for, so that
    /// the share of right ones among all of them is kept. Without any, the lower.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        let moments = |estimator: &Self| Moments { mean: estimator.share, variance: 0.0 };
        let share = match moments(self).pooled(self.judged, moments(other), other.judged) {
            Some(pooled) => pooled.mean.min(1.0),
            None => self.share.min(other.share),
        };
        Self { share, judged: self.judged.saturating_add(other.judged) }
    }
}

#[cfg(feature = "serde")]
mod serde_impl {
    use super::AccuracyEstimator;

    /// The fields as they come in.
    #[derive(serde::Deserialize)]
    #[serde(rename = "AccuracyEstimator")]
    pub(super) struct Unchecked {
        share: f32,
        judged: u32,
    }

    impl TryFrom<Unchecked> for AccuracyEstimator {
        type Error = &'static str;

        fn try_from(Unchecked { share, judged }: Unchecked) -> Result<Self, Self::Error> {
            // A NaN is in no range.
            if !(0.0..=1.0).contains(&share) {
                return Err("a share of right answers is not in 0 to 1");
            }
            Ok(Self { share, judged })
        }
    }
}
