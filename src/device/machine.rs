//! [`Duplication`]: one request run twice, as a state machine without I/O.
//!
//! ```text
//!                               remote done in time,
//!                            ┌─ local done and more accurate ──────────▶ Deliver(Local)
//!          Start(Remote)     ├─ local not done, or not more accurate ──▶ Deliver(Remote) ─▶ Cancel(Local)
//!  new ──────────────────▶ waiting
//!          Start(Local),     │  remote not done,
//!          when it is due    ├─ local done, and the SLA is here
//!                            │  or the remote has failed ──────────────▶ Deliver(Local) ──▶ Cancel(Remote)
//!                            └─ the SLA is here, nothing done ─────────▶ GiveUp ──────────▶ Cancel(both)
//! ```
//!
//! What is not running is not cancelled.

use super::limit::TokenBucket;
use super::start::LocalStart;
use super::stopwatch::Stopwatch;
use crate::profile::Accuracy;
use crate::time::{Micros, Timestamp};

/// Where a request is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Source {
    /// On the server.
    Remote,
    /// On the device.
    Local,
}

/// What the caller tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Event {
    /// The remote result is here, and the caller keeps it. With the accuracy of the model that it is from, as the
    /// server tells it; `None` if it does not.
    Remote(Option<Accuracy>),
    /// The local result is here, and the caller keeps it.
    Local,
    /// A run will have no result.
    Failed(Source),
}

/// What the caller is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Action {
    /// Start this run. One that can't be started has [failed](Event::Failed).
    Start(Source),
    /// Hand out this run's result; there is no other delivery.
    Deliver(Source),
    /// Say that there is no result: the SLA is here and nothing is done. There is no delivery after it.
    GiveUp,
    /// Stop this run: its result is not needed any more.
    Cancel(Source),
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Ending {
    /// Whose result was delivered, or `None` if there was none at the SLA.
    pub delivered: Option<Source>,
    /// The local result was delivered although the remote was in time, as the local model is the more accurate.
    pub overruled: bool,
    /// What became of the local copy.
    pub local_run: LocalRun,
    /// When, after the request.
    #[cfg_attr(feature = "serde", serde(rename = "after_us"))]
    pub after: Micros,
}

/// Whether the local copy of a request was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum LocalRun {
    /// It was started.
    Started,
    /// There was no need, or it was not wanted.
    Avoided,
    /// It was due, but withheld by the cap on extra load.
    Withheld,
}

/// For a remote result of untold accuracy: no local model is more accurate than that.
const UNTOLD: Accuracy = Accuracy::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Run {
    Planned,
    Running,
    Done,
    /// Failed, late, or not needed any more.
    Over,
}

/// One request and its two runs.
///
/// After each [event](Duplication::handle), and at [`Duplication::poll_at`], call [`Duplication::poll`] until it has
/// nothing more to do. What holds whatever is called, in any order, at any time:
/// - There is one delivery or one [`Action::GiveUp`], never both and never a second; polled as told, at the SLA at the
///   latest.
/// - Once the remote result is here in time, at the SLA included, the more accurate of the results that are here is
///   delivered: the local one only if it is done, and strictly more accurate than the remote's model was said to be.
/// - Without a remote result in time, the local one is delivered at the SLA, or once the remote has failed.
/// - If a poll is late, the ending is still that of the SLA: what came after it is not delivered.
/// - Nothing waits for a local run while the remote result is here, and none is started then.
/// - Each run is started at most once; one that is still running at the end is cancelled, once.
/// - Events that repeat, contradict, come late, or come for a run that is not running change nothing.
/// - Of a clock that steps back, the machine loses the time since the call before, once.
///
/// ```
/// use mdinference::device::{Action, Duplication, Event, LocalStart, Source, TokenBucket};
/// use mdinference::{Accuracy, Micros, Timestamp};
///
/// let ms = |ms: u64| Timestamp::from_micros(1_000 * ms);
/// let sla = Micros::from_millis(250);
/// let accuracy = Accuracy::from_percent(41.4)?; // That of the local model.
/// let mut cap = TokenBucket::UNLIMITED;
/// let start = LocalStart::After(Micros::from_millis(198));
/// let mut request = Duplication::new(ms(0), sla, accuracy, start);
///
/// assert_eq!(request.poll(ms(0), &mut cap), Some(Action::Start(Source::Remote)));
/// assert_eq!(request.poll(ms(0), &mut cap), None);
/// assert_eq!(request.poll_at(), Some(ms(198)));
///
/// assert_eq!(request.poll(ms(198), &mut cap), Some(Action::Start(Source::Local)));
/// request.handle(ms(240), Event::Local);
/// assert_eq!(request.poll(ms(240), &mut cap), None); // The remote may still come.
/// assert_eq!(request.poll_at(), Some(ms(250)));
///
/// assert_eq!(request.poll(ms(250), &mut cap), Some(Action::Deliver(Source::Local)));
/// assert_eq!(request.poll(ms(250), &mut cap), Some(Action::Cancel(Source::Remote)));
/// assert_eq!(request.poll_at(), None);
/// # Ok::<(), mdinference::NumberError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use = "a request does nothing unless polled"]
pub struct Duplication {
    stopwatch: Stopwatch,
    sla: Micros,
    local_accuracy: Accuracy,
    /// Of the remote result, once it is here.
    remote_accuracy: Accuracy,
    local_start: LocalStart,
    withheld: bool,
    remote: Run,
    local: Run,
    ending: Option<Ending>,
}

impl Duplication {
    /// A request made `now`, to be answered within `sla`, whose local copy has this accuracy and start. With
    /// [`Accuracy::ZERO`], as where the accuracy is not known, a remote result in time is always the one delivered.
    pub const fn new(now: Timestamp, sla: Micros, local_accuracy: Accuracy, local_start: LocalStart) -> Self {
        Self {
            stopwatch: Stopwatch::start(now),
            sla,
            local_accuracy,
            remote_accuracy: UNTOLD,
            local_start,
            withheld: false,
            remote: Run::Planned,
            local: Run::Planned,
            ending: None,
        }
    }

    /// The time within which the request is to be answered.
    pub const fn sla(&self) -> Micros {
        self.sla
    }

    /// When the local copy starts, as it is planned now.
    pub const fn local_start(&self) -> LocalStart {
        self.local_start
    }

    /// How the request ended; `None` while it has not.
    pub const fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// Plans the local copy anew, as when more is known of the remote. Changes nothing once that copy was started or
    /// withheld.
    pub const fn plan(&mut self, local_start: LocalStart) {
        if !self.withheld {
            self.local_start = local_start;
        }
    }

    /// Takes in that a run has ended. Tell events before polling: at the SLA itself a result is still in time.
    pub fn handle(&mut self, now: Timestamp, event: Event) {
        let in_time = self.stopwatch.advance(now) <= self.sla;
        let result = if in_time { Run::Done } else { Run::Over };
        let (source, ended) = match event {
            Event::Remote(_) => (Source::Remote, result),
            Event::Local => (Source::Local, result),
            Event::Failed(source) => (source, Run::Over),
        };
        let run = self.run(source);
        if *run != Run::Running {
            return;
        }
        *run = ended;
        if let Event::Remote(accuracy) = event {
            self.remote_accuracy = accuracy.unwrap_or(UNTOLD);
        }
    }

    /// What to do next, one thing a call; `None` when there is nothing until the next event or
    /// [`Duplication::poll_at`]. `cap` is asked for a token when the local copy would start beside a running remote.
    pub fn poll(&mut self, now: Timestamp, cap: &mut TokenBucket) -> Option<Action> {
        let elapsed = self.stopwatch.advance(now);
        if self.ending.is_some() {
            return self.cancel(Source::Local).or_else(|| self.cancel(Source::Remote));
        }
        let at_sla = elapsed >= self.sla;
        let local_done = self.local == Run::Done;
        // paper: IV-E, both in time
        // The remote result is here before the SLA: the result of the more accurate model is used, most often the
        // remote one. A local run that is not done has none, and is not waited for.
        if self.remote == Run::Done {
            let overruled = local_done && self.local_accuracy > self.remote_accuracy;
            let source = if overruled { Source::Local } else { Source::Remote };
            return Some(self.end(elapsed, Some(source)));
        }
        // paper: IV-E, remote late
        // The remote result is not here at the SLA: the local one is used. If the remote has failed it can't come, so
        // nothing is left to wait for.
        if local_done && (at_sla || self.remote == Run::Over) {
            return Some(self.end(elapsed, Some(Source::Local)));
        }
        // paper: III, target
        // Nothing is done within T_sla, and an answer after it is none.
        if at_sla {
            return Some(self.end(elapsed, None));
        }
        if self.remote == Run::Planned {
            return Some(self.start(Source::Remote));
        }
        if self.local_due().is_some_and(|due| due <= elapsed) {
            // In place of a failed remote it is no extra load.
            if self.remote == Run::Over || cap.take(now) {
                return Some(self.start(Source::Local));
            }
            self.withheld = true;
            self.local_start = LocalStart::OnFailure;
        }
        None
    }

    /// When to poll next if no event comes before; `None` when all is done. Something to do at once is due at the time
    /// of the call before.
    pub fn poll_at(&self) -> Option<Timestamp> {
        let running = |run| run == Run::Running;
        let due = if self.ending.is_some() {
            (running(self.remote) || running(self.local)).then_some(Micros::ZERO)?
        } else if self.remote == Run::Planned
            || self.remote == Run::Done
            || (self.remote == Run::Over && self.local == Run::Done)
        {
            Micros::ZERO
        } else {
            self.local_due().unwrap_or(self.sla).min(self.sla)
        };
        Some(self.stopwatch.at(due))
    }

    /// When, after the request, a local copy not yet started is to start.
    fn local_due(&self) -> Option<Micros> {
        match self.local_start {
            _ if self.local != Run::Planned => None,
            LocalStart::Never => None,
            _ if self.remote == Run::Over => Some(Micros::ZERO),
            LocalStart::After(delay) => Some(delay),
            LocalStart::OnFailure => None,
        }
    }

    const fn run(&mut self, source: Source) -> &mut Run {
        match source {
            Source::Remote => &mut self.remote,
            Source::Local => &mut self.local,
        }
    }

    const fn start(&mut self, source: Source) -> Action {
        *self.run(source) = Run::Running;
        Action::Start(source)
    }

    fn cancel(&mut self, source: Source) -> Option<Action> {
        let run = self.run(source);
        (core::mem::replace(run, Run::Over) == Run::Running).then_some(Action::Cancel(source))
    }

    fn end(&mut self, after: Micros, delivered: Option<Source>) -> Action {
        let local_run = match self.local {
            Run::Planned if self.withheld => LocalRun::Withheld,
            Run::Planned => LocalRun::Avoided,
            Run::Running | Run::Done | Run::Over => LocalRun::Started,
        };
        let overruled = delivered == Some(Source::Local) && self.remote == Run::Done;
        self.ending = Some(Ending { delivered, overruled, local_run, after });
        delivered.map_or(Action::GiveUp, Action::Deliver)
    }
}
