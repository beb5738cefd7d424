//! [`Ticket`]: a run under way, which makes the reports of it.

use crate::catalog::ModelId;
use crate::estimate::Observation;
use crate::estimate::latency::suspect_above;
use crate::profile::Latency;
use crate::select::Decision;
use crate::server::report::Report;
use crate::time::{Micros, Timestamp};

/// A run under way: what it must keep to, and the reports of it.
///
/// It stays with the run; its reports go to [`Server::learn`](crate::Server::learn). A ticket that is dropped
/// teaches nothing and does no other harm: nobody waits for it. All points in time are of the one clock by
/// which it was begun. A clock that steps back makes a run teach no time, one that steps forward makes it a
/// long run, which is kept out as any outlier.
///
/// ```
/// # use mdinference::{Budget, Catalog, Draw, Learning, Micros, Policy, Profile, Server, Timestamp};
/// # let catalog = Catalog::<1>::try_new([Profile::from_percent_and_millis(82.6, 112.61, 0.36)])?;
/// # let mut server = Server::new(catalog, Policy::PAPER, Learning::DEFAULT);
/// let at = |millis| Timestamp::from_micros(0).after(Micros::from_millis(millis));
/// let (_, mut ticket) = server.begin(Budget::of(Micros::from_millis(200)), Draw::from_id(1), at(0));
///
/// // It waited for a worker of its model.
/// ticket.started(at(20));
/// assert_eq!(ticket.deadline(), at(200));
/// // It hangs: that is told as soon as it is longer than its profile explains, and once.
/// assert_eq!(ticket.overdue(at(120)), None);
/// let report = ticket.overdue(ticket.overdue_at()).ok_or("not overdue")?;
/// server.learn(report, at(190));
/// assert_eq!(ticket.overdue(at(190)), None);
/// // It is given up.
/// server.learn(ticket.timed_out(at(200)), at(200));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use = "a dropped ticket loses its sample: make a report of it for `Server::learn`"]
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    model: ModelId,
    began: Timestamp,
    deadline: Timestamp,
    /// What it might take: T_budget less the wait for this model.
    time: Micros,
    /// A run that is longer counts as overdue.
    ordinary: Micros,
    /// How long it had run when it counted as overdue; zero if it has not.
    noticed: Micros,
}

impl Ticket {
    /// Of a model that is at `latency` now, and that would be waited for.
    pub(super) fn new(decision: &Decision, wait: Micros, latency: Latency, now: Timestamp) -> Self {
        Self {
            model: decision.model,
            began: now,
            deadline: now.after(decision.budget.time()),
            time: decision.budget.minus(wait).time(),
            ordinary: suspect_above(latency),
            noticed: Micros::ZERO,
        }
    }

    /// The model to run.
    pub const fn model(&self) -> ModelId {
        self.model
    }

    /// When the run has to be done: T_budget after the choice.
    pub const fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// From when on [`Self::overdue`] has something to report: once the run is longer than the profile that
    /// it was chosen by explains, above both 1.5 μ and μ + 6σ. The end of time once it has reported it.
    pub fn overdue_at(&self) -> Timestamp {
        const NEVER: Timestamp = Timestamp::from_micros(u64::MAX);
        let at = self.began.after(self.ordinary).after(Micros::new(1));
        if self.noticed == Micros::ZERO { at } else { NEVER }
    }

    /// The run began now, later than its choice, since it waited for this very model. Its time counts from
    /// here on; what it has to keep to stays.
    pub const fn started(&mut self, now: Timestamp) {
        self.began = now;
    }

    /// A report if the run is overdue, so that a stuck model is noticed before its runs end.
    ///
    /// A run counts once, so that a single cold start is kept out however long it takes; all other calls give
    /// nothing, so it may be called as often as one likes.
    #[must_use]
    pub fn overdue(&mut self, now: Timestamp) -> Option<Report> {
        // The clock may be at its end, where no run takes any time.
        if self.noticed != Micros::ZERO || now < self.overdue_at() {
            return None;
        }
        self.noticed = self.ran(now).max(Micros::new(1));
        Some(Report::run(self.model, Observation::AtLeast(self.noticed)))
    }

    /// It gave an answer, in time or not.
    pub fn completed(self, now: Timestamp) -> Report {
        if now < self.began {
            return self.at_least(Micros::ZERO);
        }
        Report::run(self.model, Observation::Took(self.ran(now)))
    }

    /// It gave no answer. It counts as if it had taken all the time that it might, so that failing fast does
    /// not look fast.
    pub fn failed(self, now: Timestamp) -> Report {
        self.at_least(self.ran(now).max(self.time))
    }

    /// It was given up as too late. It counts as [`Self::failed`] does.
    pub fn timed_out(self, now: Timestamp) -> Report {
        self.failed(now)
    }

    /// It was no longer needed: that it takes at least as long is all that it tells.
    pub fn cancelled(self, now: Timestamp) -> Report {
        self.at_least(self.ran(now))
    }

    const fn ran(&self, now: Timestamp) -> Micros {
        now.since(self.began)
    }

    /// What an overdue run has told once it tells again only when it ran twice as long.
    fn at_least(&self, time: Micros) -> Report {
        let known = time <= self.noticed.saturating_mul(2);
        Report::run(self.model, Observation::AtLeast(if known { Micros::ZERO } else { time }))
    }
}
