//! [`Learning`], how a server learns, and [`Learnt`], what it has learnt of a model.

use crate::estimate::{AccuracyEstimator, LatencyEstimator, Smoothing};
use crate::profile::Profile;
use crate::time::Micros;

/// How a server learns from its runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Learning {
    /// α of the inference times.
    pub latency: Smoothing,
    /// α of the accuracies.
    pub accuracy: Smoothing,
    /// After this long without a sample, a model that has become slower than the profile it started with is
    /// tried again with that profile; [`Micros::MAX`] for never. If it is as slow as before, five runs, and
    /// those begun before the fifth is known to be slow, are the price.
    #[cfg_attr(feature = "serde", serde(rename = "patience_us"))]
    pub patience: Micros,
}

impl Learning {
    /// α = 0.05 for times and 0.001 for accuracies; patience of one minute.
    pub const DEFAULT: Self = Self {
        latency: Smoothing::LATENCY,
        accuracy: Smoothing::ACCURACY,
        patience: Micros::from_millis(60_000),
    };

    /// With another α of the inference times.
    pub const fn with_latency(self, latency: Smoothing) -> Self {
        Self { latency, ..self }
    }

    /// With another α of the accuracies.
    pub const fn with_accuracy(self, accuracy: Smoothing) -> Self {
        Self { accuracy, ..self }
    }

    /// With another patience.
    pub const fn with_patience(self, patience: Micros) -> Self {
        Self { patience, ..self }
    }
}

impl Default for Learning {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Everything learnt of one model; plain data, to be stored, sent and merged.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Learnt {
    /// Its inference time.
    pub latency: LatencyEstimator,
    /// Its accuracy.
    pub accuracy: AccuracyEstimator,
}

impl Learnt {
    /// Nothing yet, but the profile it starts from.
    pub fn from_prior(prior: Profile) -> Self {
        Self {
            latency: LatencyEstimator::from_prior(prior.latency),
            accuracy: AccuracyEstimator::from_prior(prior.accuracy),
        }
    }

    /// What two replicas know together: see [`LatencyEstimator::merged`].
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        Self { latency: self.latency.merged(&other.latency), accuracy: self.accuracy.merged(&other.accuracy) }
    }
}
