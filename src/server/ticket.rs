//! [`Ticket`]: a run under way, which makes the reports of it; and [`Guard`], which sees that it makes the last.

use core::ops::{Deref, DerefMut};

use crate::batch::Stretch;
use crate::catalog::ModelId;
use crate::estimate::Observation;
use crate::estimate::latency::suspect_above;
use crate::profile::Latency;
use crate::select::Decision;
use crate::server::report::{Report, Told};
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
    /// How much of its time is due to the request.
    extra: Micros,
    /// How many requests it answers, and how many times as long it takes for that.
    batch: u16,
    stretch: Stretch,
    /// It is a probe that decides on the model's standing.
    probe: bool,
    /// That it is overdue has been told.
    told: bool,
}

impl Ticket {
    /// Of a model that is at `latency` now, and that would be waited for.
    pub(super) fn new(
        decision: &Decision,
        wait: Micros,
        latency: Latency,
        probe: bool,
        now: Timestamp,
    ) -> Self {
        Self {
            model: decision.model,
            began: now,
            deadline: now.after(decision.budget.time()),
            time: decision.budget.minus(wait).time(),
            ordinary: suspect_above(latency),
            extra: Micros::ZERO,
            batch: 1,
            stretch: Stretch::ONE,
            probe,
            told: false,
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
        let ordinary = self.stretch.longer(self.ordinary);
        let at = self.began.after(ordinary).after(self.extra).after(Micros::new(1));
        if self.told { NEVER } else { at }
    }

    /// The run began now, later than its choice, since it waited for this very model. Its time counts from
    /// here on; what it has to keep to stays.
    pub const fn started(&mut self, now: Timestamp) {
        self.began = now;
    }

    /// So much of the run's time is due to this very request, such as the size of its input: it is overdue so much later,
    /// and so much is taken off what it tells. The last that is given counts. Where it is over before, it tells nothing.
    pub const fn longer_by(&mut self, extra: Micros) {
        self.extra = extra;
    }

    /// It is one run for so many requests, and takes so many times as long as for one: it is overdue so much later, and
    /// what it tells is what the run of one would have taken.
    pub const fn batch_of(&mut self, requests: u16, stretch: Stretch) {
        (self.batch, self.stretch) = (requests, stretch);
    }

    /// A report if the run is overdue, so that a stuck model is noticed before its runs end.
    ///
    /// A run counts once, so that a single cold start is kept out however long it takes; all other calls give
    /// nothing, so it may be called as often as one likes.
    #[must_use]
    pub fn overdue(&mut self, now: Timestamp) -> Option<Report> {
        // The clock may be at its end, where no run takes any time.
        if self.told || now < self.overdue_at() {
            return None;
        }
        self.told = true;
        let Self { model, began, probe, .. } = *self;
        Some(Report { model, told: Told::Overdue { began, probe } })
    }

    /// It gave an answer, in time or not.
    pub fn completed(self, now: Timestamp) -> Report {
        if now < self.began.after(self.extra) {
            return self.ended(Observation::AtLeast(Micros::ZERO));
        }
        self.ended(Observation::Took(self.ran(now)))
    }

    /// It gave no answer. It counts as if it had taken all the time that it might, and longer than its profile explains,
    /// so that failing fast does not look fast.
    pub fn failed(self, now: Timestamp) -> Report {
        let overdue = self.ordinary.saturating_add(Micros::new(1));
        self.ended(Observation::AtLeast(self.ran(now).max(self.stretch.shorter(self.time)).max(overdue)))
    }

    /// It was given up as too late. It counts as if it had taken all the time that it might.
    pub fn timed_out(self, now: Timestamp) -> Report {
        self.ended(Observation::AtLeast(self.ran(now).max(self.stretch.shorter(self.time))))
    }

    /// It was no longer needed: that it takes at least as long is all that it tells.
    pub fn cancelled(self, now: Timestamp) -> Report {
        self.ended(Observation::AtLeast(self.ran(now)))
    }

    /// A ticket that comes home by itself: where its task is aborted, its client goes away, or something panics, it is
    /// given to `lost`, to make a report of it: by a closure that learns, or that sends it to the one who does.
    ///
    /// ```
    /// # use mdinference::{Budget, Catalog, Draw, Learning, Micros, Policy, Profile, Server, Timestamp};
    /// # let catalog = Catalog::<1>::try_new([Profile::from_percent_and_millis(82.6, 112.61, 0.36)])?;
    /// # let mut server = Server::new(catalog, Policy::PAPER, Learning::DEFAULT);
    /// # let began = std::time::Instant::now();
    /// # let now = || Timestamp::from_micros(began.elapsed().as_micros() as u64);
    /// let (reports, inbox) = std::sync::mpsc::channel();
    /// let (_, ticket) = server.begin(Budget::of(Micros::from_millis(200)), Draw::from_id(1), now());
    /// let run = ticket.or_else(|lost| drop(reports.send(lost.cancelled(now()))));
    /// let aborted = std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         let _run = run; // to be ended by `completed`, as any ticket
    ///         std::panic::resume_unwind(Box::new("the model's own bug"));
    ///     }).join()
    /// });
    /// assert!(aborted.is_err());
    /// server.learn(inbox.recv()?, now());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn or_else<F: FnOnce(Self)>(self, lost: F) -> Guard<F> {
        Guard { ticket: self, lost: Some(lost) }
    }

    /// For how long, by the time of a run of one request.
    fn ran(&self, now: Timestamp) -> Micros {
        self.stretch.shorter(now.since(self.began).saturating_sub(self.extra))
    }

    const fn ended(&self, observation: Observation) -> Report {
        let Self { model, began, probe, batch, .. } = *self;
        Report { model, told: Told::Ended { began, probe, batch, observation } }
    }

    const fn copied(&self) -> Self {
        Self { ..*self }
    }
}

/// A [`Ticket`] that comes home by itself: made by [`Ticket::or_else`], and ended as the ticket is.
#[must_use = "it is lost at once: keep it as long as the run goes on"]
#[derive(Debug)]
pub struct Guard<F: FnOnce(Ticket)> {
    ticket: Ticket,
    /// Not once it has ended.
    lost: Option<F>,
}

impl<F: FnOnce(Ticket)> Guard<F> {
    /// See [`Ticket::completed`].
    pub fn completed(self, now: Timestamp) -> Report {
        self.ended().completed(now)
    }

    /// See [`Ticket::failed`].
    pub fn failed(self, now: Timestamp) -> Report {
        self.ended().failed(now)
    }

    /// See [`Ticket::timed_out`].
    pub fn timed_out(self, now: Timestamp) -> Report {
        self.ended().timed_out(now)
    }

    /// See [`Ticket::cancelled`].
    pub fn cancelled(self, now: Timestamp) -> Report {
        self.ended().cancelled(now)
    }

    fn ended(mut self) -> Ticket {
        self.lost = None;
        self.ticket.copied()
    }
}

impl<F: FnOnce(Ticket)> Deref for Guard<F> {
    type Target = Ticket;

    fn deref(&self) -> &Ticket {
        &self.ticket
    }
}

impl<F: FnOnce(Ticket)> DerefMut for Guard<F> {
    fn deref_mut(&mut self) -> &mut Ticket {
        &mut self.ticket
    }
}

impl<F: FnOnce(Ticket)> Drop for Guard<F> {
    fn drop(&mut self) {
        if let Some(lost) = self.lost.take() {
            lost(self.ticket.copied());
        }
    }
}
