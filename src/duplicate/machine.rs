//! [`Duplication`]: one request run twice, as a state machine without I/O.
//!
//! ```text
//!            Start(Remote)               remote done in time ──────────────▶ Deliver(Remote) ─▶ Cancel(Local)
//!  new ─▶ ───────────────────▶ waiting ─ local done, and the SLA is here
//!            Start(Local),       │       or the remote has failed ─────────▶ Deliver(Local) ──▶ Cancel(Remote)
//!            when it is due      └────── the SLA is here, nothing done ────▶ GiveUp ──────────▶ Cancel(both)
//! ```

use super::limit::TokenBucket;
use super::start::LocalStart;
use super::stopwatch::Stopwatch;
use crate::time::{Micros, Timestamp};

/// Where a request is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Source {
    /// On the server.
    Remote,
    /// On the device.
    Local,
}

/// What the caller tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A run has its result, which the caller keeps.
    Done(Source),
    /// A run will have no result.
    Failed(Source),
}

/// What the caller is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ending {
    /// Whose result was delivered, or `None` if there was none at the SLA.
    pub delivered: Option<Source>,
    /// What became of the local copy.
    pub local_run: LocalRun,
    /// When, after the request.
    pub after: Micros,
}

/// Whether the local copy of a request was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum LocalRun {
    /// It was started.
    Started,
    /// There was no need, or it was not wanted.
    Avoided,
    /// It was due, but withheld by the cap on extra load.
    Withheld,
}

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
/// - A remote result that came in time, at the SLA included, is delivered; the local result only at the SLA or once
///   the remote has failed. If a poll is late, the ending is still that of the SLA.
/// - Each run is started at most once; one that is still running at the end is cancelled, once.
/// - Events that repeat, contradict, come late, or come for a run that is not running change nothing.
/// - Of a clock that steps back, the machine loses the time since the call before, once.
///
/// ```
/// use mdinference::duplicate::{Action, Duplication, Event, LocalStart, Source, TokenBucket};
/// use mdinference::{Micros, Timestamp};
///
/// let ms = |ms: u64| Timestamp::from_micros(1_000 * ms);
/// let mut cap = TokenBucket::UNLIMITED;
/// let start = LocalStart::After(Micros::from_millis(198));
/// let mut request = Duplication::new(ms(0), Micros::from_millis(250), start);
///
/// assert_eq!(request.poll(ms(0), &mut cap), Some(Action::Start(Source::Remote)));
/// assert_eq!(request.poll(ms(0), &mut cap), None);
/// assert_eq!(request.poll_at(), Some(ms(198)));
///
/// assert_eq!(request.poll(ms(198), &mut cap), Some(Action::Start(Source::Local)));
/// request.handle(ms(240), Event::Done(Source::Local));
/// assert_eq!(request.poll(ms(240), &mut cap), None); // The remote may still come.
/// assert_eq!(request.poll_at(), Some(ms(250)));
///
/// assert_eq!(request.poll(ms(250), &mut cap), Some(Action::Deliver(Source::Local)));
/// assert_eq!(request.poll(ms(250), &mut cap), Some(Action::Cancel(Source::Remote)));
/// assert_eq!(request.poll_at(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use = "a request does nothing unless polled"]
pub struct Duplication {
    stopwatch: Stopwatch,
    sla: Micros,
    local_start: LocalStart,
    withheld: bool,
    remote: Run,
    local: Run,
    ending: Option<Ending>,
}

impl Duplication {
    /// A request made `now`, to be answered within `sla`.
    pub const fn new(now: Timestamp, sla: Micros, local_start: LocalStart) -> Self {
        Self {
            stopwatch: Stopwatch::start(now),
            sla,
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
        let (source, result) = match event {
            Event::Done(source) if in_time => (source, Run::Done),
            Event::Done(source) | Event::Failed(source) => (source, Run::Over),
        };
        let run = self.run(source);
        if *run == Run::Running {
            *run = result;
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
        if self.remote == Run::Done {
            return Some(self.end(elapsed, Some(Source::Remote)));
        }
        if self.local == Run::Done && (at_sla || self.remote == Run::Over) {
            return Some(self.end(elapsed, Some(Source::Local)));
        }
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
        self.ending = Some(Ending { delivered, local_run, after });
        delivered.map_or(Action::GiveUp, Action::Deliver)
    }
}
