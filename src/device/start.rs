//! [`Strategy`]: when the local copy of a request starts. Its earlier start costs energy, its absence the SLA.

use crate::policy::Margin;
use crate::profile::Latency;
use crate::request::Budget;
use crate::select::threshold::Threshold;
use crate::time::Micros;

/// When the local copy of one request starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum LocalStart {
    /// This long after the request if the remote result has not come, or at once if the remote fails.
    #[cfg_attr(feature = "serde", serde(rename = "after_us"))]
    After(Micros),
    /// Only in place of a remote that has failed.
    OnFailure,
    /// Never.
    Never,
}

/// The rule that says when a local copy starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Strategy {
    /// With the remote: the paper's rule.
    Always,
    /// At the last moment at which it still makes the SLA, T_sla − (μ + margin·σ) of the local model, so not at all
    /// when the remote is quicker than that.
    ///
    /// At once where that moment is past; or where the remote is expected only after it, and within margin·σ of its own
    /// expected time of missing the SLA: the copy would run anyway, and is likely to be needed.
    ///
    /// Delivers what [`Strategy::Always`] delivers, except where the remote misses the SLA unforeseen and the local run
    /// takes longer than μ + margin·σ: for normal local times and a margin of 3, one in 740. And except where the local
    /// model is the more accurate of the two: nobody waits for a copy that was started late, or not at all.
    Deferred {
        /// Deviations kept in hand; [`Strategy::DEFERRED`] has 3.
        margin: Margin,
    },
    /// As deferred, but only if the remote is at risk of missing the SLA: its expected time has
    /// μ + risk·σ ≥ T_sla, or nothing is known of it.
    ///
    /// A remote not at risk misses with a probability of at most 1 ÷ (1 + risk²), whatever the distribution (Cantelli's
    /// inequality): 3 bounds it by 10 %, 10 by 1 %. For normal times, 3 is 0.13 %.
    AtRisk {
        /// Deviations kept in hand, as in [`Strategy::Deferred`].
        margin: Margin,
        /// Deviations of the remote's expected time that must fit the SLA for a local copy to be left out.
        risk: Margin,
    },
    /// Not at all.
    Never,
}

impl Strategy {
    /// Deferred with a margin of three deviations.
    pub const DEFERRED: Self = Self::Deferred { margin: THREE };
    /// At risk with a margin of three deviations on either side.
    pub const AT_RISK: Self = Self::AtRisk { margin: THREE, risk: THREE };

    /// When the local copy of a request starts, given the time of the local model and, if known, the remote's expected
    /// time from the request to its result: the network's T_nw and the model's time, with their common deviation.
    pub const fn local_start(&self, sla: Micros, local: Latency, remote: Option<Latency>) -> LocalStart {
        match *self {
            // paper: IV-E, duplicate
            Self::Always => LocalStart::After(Micros::ZERO),
            // paper: VI, duplicate only when needed
            Self::Deferred { margin } => LocalStart::After(deferred(sla, local, remote, margin)),
            Self::AtRisk { margin, risk } => match remote {
                Some(remote) if in_time(remote, sla, risk) => LocalStart::OnFailure,
                _ => LocalStart::After(deferred(sla, local, remote, margin)),
            },
            Self::Never => LocalStart::Never,
        }
    }
}

impl Default for Strategy {
    fn default() -> Self {
        Self::DEFERRED
    }
}

const THREE: Margin = match Margin::new(3.0) {
    Ok(margin) => margin,
    Err(_) => Margin::PAPER,
};

/// How long a deferred copy waits.
const fn deferred(sla: Micros, local: Latency, remote: Option<Latency>, margin: Margin) -> Micros {
    let last_moment = last_moment(sla, local, margin);
    match remote {
        Some(remote) if remote.mean.get() >= last_moment.get() && !in_time(remote, sla, margin) => {
            Micros::ZERO
        }
        _ => last_moment,
    }
}

/// Whether a remote is expected within the SLA by `margin` deviations.
const fn in_time(remote: Latency, sla: Micros, margin: Margin) -> bool {
    Threshold::new(remote, margin).fits(Budget::of(sla))
}

/// T_sla − (μ + margin·σ), a part of a microsecond early rather than late; zero if that is past.
const fn last_moment(sla: Micros, local: Latency, margin: Margin) -> Micros {
    let (micros, nanos) = Threshold::in_micros(local, margin);
    let left = (sla.get() as u64).saturating_sub(micros.saturating_add((nanos > 0) as u64));
    // No more than the SLA, so it fits.
    Micros::new(left as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLA: Micros = Micros::from_millis(250);

    fn latency(mean: u32, deviation: u32) -> Latency {
        Latency { mean: Micros::new(mean), deviation: Micros::new(deviation) }
    }

    #[test]
    fn deferred_starts_at_the_last_moment() {
        let start = |local| Strategy::DEFERRED.local_start(SLA, local, None);
        assert_eq!(start(latency(40_000, 4_000)), LocalStart::After(Micros::from_millis(198)));
        assert_eq!(start(latency(66_000, 6_000)), LocalStart::After(Micros::from_millis(166)));
        assert_eq!(start(latency(250_000, 0)), LocalStart::After(Micros::ZERO));
        assert_eq!(start(latency(u32::MAX, u32::MAX)), LocalStart::After(Micros::ZERO));
    }

    #[test]
    fn nothing_waits_for_a_remote_that_is_late_anyway() {
        for strategy in [Strategy::DEFERRED, Strategy::AT_RISK] {
            let start = |mean, deviation| {
                strategy.local_start(SLA, latency(40_000, 4_000), Some(latency(mean, deviation)))
            };
            assert_eq!(start(220_000, 10_000), LocalStart::After(Micros::ZERO));
            assert_eq!(start(250_000, 0), LocalStart::After(Micros::ZERO));
            // It may well come before the copy would start.
            assert_eq!(start(197_999, 30_000), LocalStart::After(Micros::from_millis(198)));
        }
    }

    #[test]
    fn a_part_of_a_microsecond_starts_earlier() {
        let margin = Margin::new(0.001).unwrap();
        let start = Strategy::Deferred { margin }.local_start(SLA, latency(40_000, 1), None);
        assert_eq!(start, LocalStart::After(Micros::new(209_999)));
    }

    #[test]
    fn at_risk_leaves_out_what_is_expected_in_time() {
        let local = latency(40_000, 4_000);
        let start = |remote| Strategy::AT_RISK.local_start(SLA, local, remote);
        let last_moment = LocalStart::After(Micros::from_millis(198));
        assert_eq!(start(None), last_moment);
        assert_eq!(start(Some(latency(189_999, 20_000))), LocalStart::OnFailure);
        // Strictly, as in Eq. 2.
        assert_eq!(start(Some(latency(190_000, 20_000))), last_moment);
    }
}
