//! [`NetworkEstimator`]: how long responses take to travel, T_output, from those of the past; and with it the ways to
//! know T_nw (Section IV-D). Which way is used is the caller's choice, made by asking for it.

use crate::estimate::ewm::Smoothing;
use crate::estimate::latency::{LatencyEstimator, Observation};
use crate::profile::Latency;
use crate::request::NetworkTime;
use crate::time::{Micros, Timestamp};

/// T_output of one client, or one network, from past responses.
///
/// The server measures T_input of each request itself; T_output it can only be told by the client, afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
// paper: IV-D, past observations
pub struct NetworkEstimator(LatencyEstimator);

impl NetworkEstimator {
    /// Nothing is known until the first response.
    pub const fn new() -> Self {
        Self(LatencyEstimator::new())
    }

    /// Takes in T_output of one response. Outliers and shifts are treated as those of inference times.
    pub fn observe(&mut self, output: Micros, now: Timestamp, smoothing: Smoothing) {
        self.0.observe(Observation::Took(output), now, smoothing);
    }

    /// Mean and deviation of T_output; `None` before the first response.
    pub fn output(&self) -> Option<Latency> {
        self.0.latency()
    }

    /// T_nw = 2·T_output; `None` before the first response.
    pub fn twice_output(&self) -> Option<NetworkTime> {
        self.output().map(|output| NetworkTime::TwiceOutput(output.mean))
    }

    /// T_nw = T_input as measured + T_output as expected; 2·T_input before the first response.
    pub fn input_and_output(&self, input: Micros) -> NetworkTime {
        match self.output() {
            Some(output) => NetworkTime::Given(input.saturating_add(output.mean)),
            None => NetworkTime::TwiceInput(input),
        }
    }
}
