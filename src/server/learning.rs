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
    /// A model that, by what it started from, would be chosen, and by what is known of it now is not, is probed
    /// after this long without a run, or 1,000 requests if that is longer, up to 60 times this; once a
    /// second one has failed, twice, four and six times as long, and up to 64 times for one that was never what it
    /// started from.
    ///
    /// A failed probe is one late answer. So a model that stays slow costs 9 of them a minute with the default,
    /// and at 16 requests a second or more at most one in 6,000; one that has recovered is back after up to 6 s
    /// and three runs, or 6,000 requests and three runs where fewer than 1,000 a second come. Longer is cheaper
    /// and later, in proportion.
    #[cfg_attr(feature = "serde", serde(rename = "probe_interval_us"))]
    pub probe_interval: Micros,
}

impl Learning {
    /// α = 0.05 for times and 0.001 for accuracies; probes at a second's interval.
    pub const DEFAULT: Self = Self {
        latency: Smoothing::LATENCY,
        accuracy: Smoothing::ACCURACY,
        probe_interval: Micros::from_millis(1_000),
    };

    /// With another α of the inference times.
    pub const fn with_latency(self, latency: Smoothing) -> Self {
        Self { latency, ..self }
    }

    /// With another α of the accuracies.
    pub const fn with_accuracy(self, accuracy: Smoothing) -> Self {
        Self { accuracy, ..self }
    }

    /// With another interval of probes.
    pub const fn with_probe_interval(self, probe_interval: Micros) -> Self {
        Self { probe_interval, ..self }
    }
}

impl Default for Learning {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Everything that a server has measured of one model itself; plain data, to be stored, and told to replicas.
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

    /// Of a model that has never been measured: its times are not believed.
    pub(super) fn from_claim(claimed: Profile) -> Self {
        Self { latency: LatencyEstimator::from_claim(claimed.latency), ..Self::from_prior(claimed) }
    }

    /// What two replicas know together: see [`LatencyEstimator::merged`].
    #[must_use]
    pub(super) fn merged(&self, other: &Self) -> Self {
        Self { latency: self.latency.merged(&other.latency), accuracy: self.accuracy.merged(&other.accuracy) }
    }
}
