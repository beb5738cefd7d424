//! What goes wrong in a scenario.

use std::ops::Range;

/// Probabilities are those of one request; times are in seconds of virtual time. Nothing goes wrong by
/// default.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// A request never arrives.
    pub(crate) lost_requests: f64,
    /// A response never arrives.
    pub(crate) lost_responses: f64,
    /// A response arrives twice, or comes with an error that contradicts it.
    pub(crate) repeated_responses: f64,
    /// A remote run fails soon, and the device is told.
    pub(crate) errors: f64,
    /// A remote run fails, and the device is not told.
    pub(crate) silent_failures: f64,
    /// From this second on no remote run fails.
    pub(crate) failures_end: Option<u64>,
    /// A local run fails.
    pub(crate) local_failures: f64,
    /// Each device's clock steps about once a second, by up to a minute, forward or back.
    pub(crate) clock_steps: bool,
    /// In every fourth second requests wait for up to 200 ms before their run starts.
    pub(crate) queue_spikes: Option<Spikes>,
    /// Models that take a multiple of their time.
    pub(crate) slow: Option<Slow>,
    /// The server starts cold at this second: the first run of each model takes two seconds more.
    pub(crate) cold_start: Option<u64>,
}

/// What the server knows of the time in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spikes {
    /// It tells the selection.
    Told,
    /// It does not.
    Hidden,
}

/// Models that take a multiple of their time for a while.
#[derive(Clone, Debug)]
pub(crate) struct Slow {
    /// Which one; all if `None`.
    pub(crate) model: Option<usize>,
    pub(crate) factor: f64,
    pub(crate) seconds: Range<u64>,
}

impl Faults {
    /// Whether remote runs may fail in a second.
    pub(crate) fn failing(&self, second: u64) -> bool {
        self.failures_end.is_none_or(|end| second < end)
    }

    /// How many times its time a model takes in a second.
    pub(crate) fn slowness(&self, model: usize, second: u64) -> f64 {
        match &self.slow {
            Some(slow) if slow.model.is_none_or(|slow| slow == model) && slow.seconds.contains(&second) => {
                slow.factor
            }
            _ => 1.0,
        }
    }
}
