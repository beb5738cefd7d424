//! [`Device`]: request duplication put together for the device's side.

use crate::catalog::Model;
use crate::policy::Margin;
use crate::profile::{Latency, Profile};
use crate::request::Budget;
use crate::select::base::{Base, base};
use crate::time::{Micros, Timestamp};

use super::counters::Counters;
use super::limit::TokenBucket;
use super::machine::{Action, Duplication};
use super::start::Strategy;

/// What all requests of a device have in common: the local model, the strategy, the cap on extra load, the counters.
///
/// It does no I/O: it hands out a [`Duplication`] a request, which the caller drives through [`Device::poll`]. Any
/// number may be under way at a time.
///
/// ```
/// use mdinference::device::{Action, Event, Source, Strategy, TokenBucket};
/// use mdinference::{Device, Micros, Profile, Timestamp};
///
/// // The model on the device is right in 41.4 % and takes 40 ± 4 ms, say. Ten extra runs at once are fine, and then one
/// // a second.
/// let local = Profile::from_percent_and_millis(41.4, 40.0, 4.0)?;
/// let cap = TokenBucket::new(10, Micros::from_millis(1_000));
/// let mut device = Device::new(local, Strategy::DEFERRED).with_cap(cap);
///
/// let mut now = Timestamp::from_micros(0); // A monotonic clock is best.
/// let mut local_done = None;
/// let mut answer = None;
/// let mut request = device.begin(now, Micros::from_millis(250), None);
/// while let Some(wake) = request.poll_at() {
///     // Sleep until `wake` or until a run ends. On this day the server's answer never comes.
///     now = local_done.map_or(wake, |done: Timestamp| done.min(wake));
///     if local_done.take_if(|done| *done == now).is_some() {
///         request.handle(now, Event::Local);
///     }
///     while let Some(action) = device.poll(&mut request, now) {
///         match action {
///             Action::Start(Source::Remote) => {} // Send the request.
///             Action::Start(Source::Local) => local_done = Some(now.after(local.latency.mean)),
///             Action::Deliver(source) => answer = Some((source, now)),
///             Action::GiveUp => {}    // Tell the user that there is no answer.
///             Action::Cancel(_) => {} // Stop that run, and tell the server.
///         }
///     }
/// }
/// // It was started 52 ms before the SLA, and delivered at it.
/// assert_eq!(answer, Some((Source::Local, Timestamp::from_micros(250_000))));
/// assert_eq!((device.counters().started, device.counters().local), (1, 1));
/// # Ok::<(), mdinference::ProfileError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    // paper: III, one on-device model
    local: Profile,
    strategy: Strategy,
    cap: TokenBucket,
    counters: Counters,
}

impl Device {
    /// A device with this local model, without a cap on extra load.
    ///
    /// The local result is preferred to a remote one in time that is less accurate. With [`Accuracy::ZERO`], as where
    /// the local accuracy is not known, a remote result in time is always the one delivered.
    ///
    /// [`Accuracy::ZERO`]: crate::Accuracy::ZERO
    pub fn new(local: Profile, strategy: Strategy) -> Self {
        Self { local, strategy, cap: TokenBucket::UNLIMITED, counters: Counters::default() }
    }

    /// With a cap on extra load.
    #[must_use]
    pub const fn with_cap(self, cap: TokenBucket) -> Self {
        Self { cap, ..self }
    }

    /// The local model, as it is known now.
    pub const fn local(&self) -> Profile {
        self.local
    }

    /// Takes in what is known of the local model now, such as what its runs turned out to take. A request under way
    /// keeps the accuracy that it began with.
    pub const fn set_local(&mut self, local: Profile) {
        self.local = local;
    }

    /// Begins a request `now`, to be answered within `sla`. `remote` is its expected time until the remote result
    /// ([`remote_time`]), if anything is known of it.
    pub fn begin(&self, now: Timestamp, sla: Micros, remote: Option<Latency>) -> Duplication {
        let start = self.strategy.local_start(sla, self.local.latency, remote);
        Duplication::new(now, sla, self.local.accuracy, start)
    }

    /// Takes in that a request's remote result is now expected `remote` after the request: when its upload is over and
    /// T_input known, or when the upload has lasted for so long that the result must be late.
    pub fn expect(&self, request: &mut Duplication, remote: Latency) {
        request.plan(self.strategy.local_start(request.sla(), self.local.latency, Some(remote)));
    }

    /// What to do next for a request, one thing a call, as [`Duplication::poll`].
    pub fn poll(&mut self, request: &mut Duplication, now: Timestamp) -> Option<Action> {
        let action = request.poll(now, &mut self.cap)?;
        if let (Action::Deliver(_) | Action::GiveUp, Some(ending)) = (action, request.ending()) {
            self.counters.record(ending);
        }
        Some(action)
    }

    /// What duplication came to so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }
}

/// The local model to use: the most accurate that fits the SLA (stage 1 with the SLA as the budget), else the fastest.
/// `None` only without models.
///
/// `margin` is best that of the [`Strategy`].
pub fn local_model(models: impl Iterator<Item = Model> + Clone, margin: Margin, sla: Micros) -> Option<Base> {
    // paper: IV-E, local model
    base(models, margin, Budget::of(sla))
}

/// The expected time from a request to its remote result: T_nw and the model's time, which are taken to be independent.
pub fn remote_time(network: Latency, model: Latency) -> Latency {
    // Below 2⁶² each.
    let square = |micros: Micros| u64::from(micros.get()).saturating_mul(micros.get().into());
    let variance = square(network.deviation).saturating_add(square(model.deviation));
    Latency { mean: network.mean.saturating_add(model.mean), deviation: Micros::new(variance.isqrt() as u32) }
}
