//! [`AccuracyEstimator`]: how often a model is right, from feedback on its answers, so that drift is noticed.
//!
//! The share of right answers wavers by chance: by 0.85 points for 82.6 % with α = 0.001, which is enough to put the best
//! model behind the second for a while, and once there it gets no more answers to be judged by. So what it started from
//! is believed until the share is five of its standard deviations away, which by chance happens once in 10⁸ answers; a
//! drift of 10 points is known after some 550, and one that stays below 4 points is not taken for one.

use crate::estimate::ewm::{Moments, SIGNIFICANT, Smoothing};
use crate::profile::Accuracy;

/// Exponentially weighted share of right answers, starting from a known accuracy.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "serde_impl::Unchecked"))]
pub struct AccuracyEstimator {
    prior: Accuracy,
    /// 0 to 1.
    share: f32,
    /// How many answers judged, up to 1/α.
    judged: u32,
}

impl AccuracyEstimator {
    /// Starts from an accuracy measured elsewhere.
    pub fn from_prior(prior: Accuracy) -> Self {
        Self { prior, share: fraction(prior), judged: 0 }
    }

    /// The weighted share of right answers, rounded to the part per million.
    pub fn accuracy(&self) -> Accuracy {
        // At most 1,000,000, for the share is at most 1.
        Accuracy::from_ppm((self.share * 1_000_000.0 + 0.5) as u32).unwrap_or(Accuracy::MAX)
    }

    /// The accuracy that it started from.
    pub const fn prior(&self) -> Accuracy {
        self.prior
    }

    /// What the accuracy is taken to be where others have judged the model too: their answers make up what its own lack
    /// to a full memory. It is the prior unless the share is further from it than chance explains.
    pub fn believed(&self, others: Option<&Self>, smoothing: Smoothing) -> Accuracy {
        let known = match others {
            Some(others) => {
                let room = smoothing.memory().saturating_sub(self.judged);
                self.merged(&Self { judged: others.judged.min(room), ..*others })
            }
            None => *self,
        };
        let (prior, share) = (fraction(self.prior), known.share);
        let variance = (prior * (1.0 - prior)).max(share * (1.0 - share));
        let deviation = libm::sqrtf(variance * smoothing.spread(u32::MAX));
        if (share - prior).abs() <= SIGNIFICANT * deviation { self.prior } else { known.accuracy() }
    }

    /// Takes in whether one answer was right.
    pub fn observe(&mut self, right: bool, smoothing: Smoothing) {
        self.observe_of(right, smoothing, smoothing);
    }

    /// The same of one of few, which weighs more.
    pub(crate) fn observe_of(&mut self, right: bool, weight: Smoothing, smoothing: Smoothing) {
        let sample = if right { 1.0 } else { 0.0 };
        let share = Moments { mean: self.share, variance: 0.0 };
        self.share = share.updated(sample, weight.weight(u32::MAX)).mean.min(1.0);
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
        Self { prior: self.prior.min(other.prior), share, judged: self.judged.saturating_add(other.judged) }
    }
}

fn fraction(accuracy: Accuracy) -> f32 {
    accuracy.as_ppm() as f32 / 1_000_000.0
}

#[cfg(feature = "serde")]
mod serde_impl {
    use super::{Accuracy, AccuracyEstimator};

    /// The fields as they come in.
    #[derive(serde::Deserialize)]
    #[serde(rename = "AccuracyEstimator")]
    pub(super) struct Unchecked {
        prior: Accuracy,
        share: f32,
        judged: u32,
    }

    impl TryFrom<Unchecked> for AccuracyEstimator {
        type Error = &'static str;

        fn try_from(Unchecked { prior, share, judged }: Unchecked) -> Result<Self, Self::Error> {
            // A NaN is in no range.
            if !(0.0..=1.0).contains(&share) {
                return Err("a share of right answers is not in 0 to 1");
            }
            Ok(Self { prior, share, judged })
        }
    }
}
