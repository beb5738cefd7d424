//! [`Counters`]: what duplication came to.

use super::machine::{Ending, LocalRun, Source};

/// How many requests ended how. Each has one ending, so
/// `remote + local + nothing` = `started + avoided`, and `started` = `local + wasted`. The remote result was in time for
/// `remote + overruled` of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Counters {
    /// The remote result was delivered.
    pub remote: u64,
    /// The local result was delivered.
    pub local: u64,
    /// The local result was delivered although the remote was in time, as the local model is the more accurate; these
    /// are among the local.
    pub overruled: u64,
    /// There was no result at the SLA.
    pub nothing: u64,
    /// The local copy was started.
    pub started: u64,
    /// It was not.
    pub avoided: u64,
    /// It was started, and its result was not delivered.
    pub wasted: u64,
    /// It was not started because the cap on extra load withheld it; these are among the avoided.
    pub withheld: u64,
}

impl Counters {
    /// Requests that have their ending.
    pub const fn requests(&self) -> u64 {
        self.remote.saturating_add(self.local).saturating_add(self.nothing)
    }

    /// Adds one request with its ending.
    pub const fn record(&mut self, ending: Ending) {
        let delivered = match ending.delivered {
            Some(Source::Remote) => &mut self.remote,
            Some(Source::Local) => &mut self.local,
            None => &mut self.nothing,
        };
        *delivered = delivered.saturating_add(1);
        if ending.overruled && matches!(ending.delivered, Some(Source::Local)) {
            self.overruled = self.overruled.saturating_add(1);
        }
        match ending.local_run {
            LocalRun::Started => {
                self.started = self.started.saturating_add(1);
                if !matches!(ending.delivered, Some(Source::Local)) {
                    self.wasted = self.wasted.saturating_add(1);
                }
            }
            LocalRun::Avoided => self.avoided = self.avoided.saturating_add(1),
            LocalRun::Withheld => {
                self.avoided = self.avoided.saturating_add(1);
                self.withheld = self.withheld.saturating_add(1);
            }
        }
    }

    /// The counts of both, such as of two devices.
    #[must_use]
    pub const fn merged(self, other: Self) -> Self {
        Self {
            remote: self.remote.saturating_add(other.remote),
            local: self.local.saturating_add(other.local),
            overruled: self.overruled.saturating_add(other.overruled),
            nothing: self.nothing.saturating_add(other.nothing),
            started: self.started.saturating_add(other.started),
            avoided: self.avoided.saturating_add(other.avoided),
            wasted: self.wasted.saturating_add(other.wasted),
            withheld: self.withheld.saturating_add(other.withheld),
        }
    }
}
