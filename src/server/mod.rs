//! [`Server`]: the server's side, choosing models and learning from their runs, one idea a file.
//!
//! - [`front`]: what a choice needs, which many threads may share.
//! - [`ticket`]: a run under way.
//! - [`report`]: what it tells.
//! - [`learning`]: how the one that learns does it, and what it has learnt.
//! - [`known`]: all of it that it keeps of one model.
//! - [`standing`]: whether a model is trusted.
//! - [`agenda`]: when something is due.
//! - [`probe`]: the requests that see whether a model has recovered.
//! - [`replica`]: what other servers have learnt.

mod agenda;
mod front;
mod known;
mod learning;
mod probe;
mod replica;
mod report;
mod standing;
mod ticket;

use heapless::Vec;

use crate::catalog::{Catalog, CatalogError, ModelId};
use crate::estimate::arrivals::ArrivalEstimator;
use crate::index::Index;
use crate::policy::Policy;
use crate::profile::Profile;
use crate::request::{Draw, Question, Request};
use crate::select::{Decision, Explanation};
use crate::time::{Micros, Timestamp};

use self::agenda::Agenda;
use self::known::{Known, Lesson};
use self::probe::{Probe, Probes};
use self::standing::{NEVER, Pace};

pub use front::Front;
pub use learning::{Learning, Learnt};
pub use probe::Share;
pub use replica::Replicas;
pub use report::{Report, Told};
pub use standing::Standing;
pub use ticket::{Guard, Ticket};

/// The models of one server, chosen by what is left of each request's time and kept at live profiles.
///
/// It has a [`Front`], which chooses: [`Self::begin`] picks a model, and hands out a [`Ticket`]. The caller runs
/// the model; the ticket makes [`Report`]s of the run, and [`Self::learn`] takes them, which is what the next
/// choice is made on. A model that is stuck, or slower or less accurate than it was, is avoided, and probed until
/// it is well again: its [`Standing`] says so. Nothing waits for a report that may be lost.
///
/// ```
/// use mdinference::{
///     Budget, Catalog, Draw, Learning, Micros, NetworkTime, Policy, Profile, Reason, Server, Standing,
///     Timestamp,
/// };
///
/// // What the models were measured at: accuracy in percent, mean and deviation in milliseconds.
/// let catalog = Catalog::<3>::try_new([
///     Profile::from_percent_and_millis(49.7, 3.21, 0.08),
///     Profile::from_percent_and_millis(77.2, 31.61, 0.29),
///     Profile::from_percent_and_millis(82.6, 112.61, 0.36),
/// ])?;
/// let mut server = Server::new(catalog, Policy::PAPER, Learning::DEFAULT);
///
/// // A request with 250 ms to be answered in. It took 40 ms to arrive and has waited 5 ms since.
/// let network = NetworkTime::TwiceInput(Micros::from_millis(40));
/// let budget = Budget::new(Micros::from_millis(250), network).minus(Micros::from_millis(5));
/// let draw = Draw::from_id(4_711);
/// let at = |millis| Timestamp::from_micros(0).after(Micros::from_millis(millis));
/// let (decision, ticket) = server.begin(budget, draw, at(0));
/// assert_eq!((decision.model.index(), ticket.deadline()), (2, at(165)));
///
/// // … run the model, then say what came of it, and when.
/// server.learn(ticket.completed(at(113)), at(113));
///
/// // The model gets stuck. Nobody need wait for its runs to end: the fifth that is overdue shows it.
/// let best = decision.model;
/// let mut runs: Vec<_> = (0..5).map(|id| server.begin(budget, Draw::from_id(id), at(200)).1).collect();
/// for run in &mut runs {
///     if let Some(report) = run.overdue(at(400)) {
///         server.learn(report, at(400));
///     }
/// }
/// assert_eq!(server.standing(best), Some(Standing::Held));
/// let (decision, ticket) = server.begin(budget, draw, at(400));
/// assert_eq!((decision.model.index(), decision.reason), (1, Reason::Base));
/// server.learn(ticket.completed(at(432)), at(432));
///
/// // One of them ends, so it runs again. Three probes in a row bring it back, one at a time.
/// if let Some(run) = runs.pop() {
///     server.learn(run.completed(at(1_000)), at(1_000));
/// }
/// for now in [1_100, 1_300, 1_500] {
///     let (decision, ticket) = server.begin(budget, draw, at(now));
///     assert_eq!((decision.model, decision.reason), (best, Reason::Probe));
///     server.learn(ticket.completed(at(now + 113)), at(now + 113));
/// }
/// assert_eq!(server.standing(best), Some(Standing::Trusted));
/// let (decision, ticket) = server.begin(budget, draw, at(1_700));
/// assert_eq!((decision.model, decision.reason), (best, Reason::Base));
/// # drop(ticket);
/// # Ok::<(), mdinference::CatalogError>(())
/// ```
///
/// # Many threads choose, one learns
/// Which lock is the caller's choice. Where choices far outnumber what there is to learn, let one thread have
/// the server and publish copies of its front, say by the crate `arc-swap`; the others choose by the copy at
/// hand and send their reports to the writer. A choice then sees one whole state, never half an update, and
/// costs as much as on a server of one's own but for a check that the copy is the newest. While nothing is
/// reported, the writer sleeps until [`Self::poll_at`]. It has two copies by turns: the one that was taken back is
/// written over as soon as nobody chooses by it any more, by [`Clone::clone_from`], which copies what is filled.
///
/// ```
/// use arc_swap::ArcSwap;
/// # use std::sync::{Arc, mpsc::{self, RecvTimeoutError}};
/// # use std::time::Duration;
/// # use mdinference::{
/// #     Budget, Catalog, Draw, Learning, Micros, ModelId, Policy, Profile, Server, Timestamp,
/// # };
/// #
/// # let catalog = Catalog::<1>::try_new([Profile::from_percent_and_millis(49.7, 3.21, 0.08)])?;
/// # let mut server = Server::new(catalog, Policy::PAPER, Learning::DEFAULT);
/// # let budget = Budget::of(Micros::from_millis(170));
/// # let began = std::time::Instant::now();
/// # let now = || Timestamp::from_micros(began.elapsed().as_micros() as u64);
/// # // Whether it is done by then.
/// # let run = |_: ModelId, _: Timestamp| { std::thread::sleep(std::time::Duration::from_millis(3)); true };
/// let mut spare = Arc::new(server.front().clone()); // without what learning needs
/// let shared = ArcSwap::new(Arc::new(server.front().clone()));
/// let (reports, inbox) = mpsc::channel();
/// std::thread::scope(|scope| {
///     for request in 0..4 {
///         let (shared, reports) = (&shared, reports.clone());
///         scope.spawn(move || {
///             let (decision, mut ticket) = shared.load().begin(budget, Draw::from_id(request), now());
///             let mut done = run(decision.model, ticket.overdue_at().min(ticket.deadline()));
///             if !done && let Some(report) = ticket.overdue(now()) {
///                 reports.send((report, now())).ok(); // the writer knows at once, the run goes on
///                 done = run(decision.model, ticket.deadline());
///             }
///             let end = if done { ticket.completed(now()) } else { ticket.timed_out(now()) };
///             reports.send((end, now())).ok();
///         });
///     }
///     drop(reports);
///     loop {
///         let due = Duration::from(server.poll_at().since(now()));
///         let changed = match inbox.recv_timeout(due) {
///             Ok((report, now)) => server.learn(report, now),
///             Err(RecvTimeoutError::Timeout) => server.poll(now()),
///             Err(RecvTimeoutError::Disconnected) => break,
///         };
///         if changed {
///             Arc::make_mut(&mut spare).clone_from(server.front());
///             spare = shared.swap(spare);
///         }
///     }
/// });
/// assert_eq!(shared.load().catalog(), server.catalog());
/// # let learnt = server.catalog().id(0).and_then(|id| server.learnt(id));
/// # assert_eq!(learnt.map(|learnt| learnt.latency.samples()), Some(4));
/// # Ok::<(), mdinference::CatalogError>(())
/// ```
///
/// # Models come and go
/// [`Self::add`], [`Self::remove`] and [`Self::replace`] change which models there are; the others keep their
/// ids and what was learnt of them. Runs of a model that is no more end as they would have: their reports
/// carry its old id, which is recognised, and teach nobody. So do those of another catalog's models.
///
/// # Size
/// 320 bytes for each of the `N` models there may be, of which its front is 168. To be built without
/// optimisation it needs six times as much stack, so `N` is at most [`Self::MOST`], which is safe on a thread
/// of 2 MiB; a greater one does not compile.
#[derive(Clone, Debug, PartialEq)]
pub struct Server<const N: usize> {
    front: Front<N>,
    /// By the models' places.
    known: Vec<Known, N>,
    agenda: Agenda,
    learning: Learning,
    arrivals: ArrivalEstimator,
    /// The latest time that it was told, and when something is due.
    latest: Timestamp,
    check_at: Timestamp,
    /// The front has changed since it was last said.
    changed: bool,
}

impl<const N: usize> Server<N> {
    /// The greatest `N`.
    pub const MOST: usize = 1_024;

    const FITS_A_STACK: () = assert!(
        N <= Self::MOST,
        "a `Server` of more than 1,024 models may overflow the stack of the thread that builds it: use \
         several, or a boxed `Index` with a `LatencyEstimator` for each model, built on a larger stack"
    );

    /// A server of these models, whose profiles are believed until runs show otherwise.
    pub fn new(catalog: Catalog<N>, policy: Policy, learning: Learning) -> Self {
        let () = Self::FITS_A_STACK;
        let mut known = Vec::new();
        for &prior in catalog.profiles() {
            // As many as the catalog holds, so there is room.
            let _ = known.push(Known::new(prior));
        }
        Self {
            front: Front {
                index: Index::new(catalog, policy),
                probes: Probes::default(),
                standings: [(Standing::Trusted, false); N],
            },
            agenda: Agenda::of(&known),
            known,
            learning,
            arrivals: ArrivalEstimator::default(),
            latest: Timestamp::from_micros(0),
            check_at: NEVER,
            changed: false,
        }
    }

    /// What chooses, to be copied for those who do.
    pub fn front(&self) -> &Front<N> {
        &self.front
    }

    /// Picks the model for a request, with a ticket for its run: see [`Front::begin`]. If it is a probe, there is no other
    /// of this model until its report has come, or should have.
    ///
    /// # Errors
    /// As [`Front::begin`].
    #[inline]
    pub fn begin<Q: Question>(
        &mut self,
        question: Q,
        draw: Draw,
        now: Timestamp,
    ) -> Q::Answer<(Decision, Ticket)> {
        let probe = self.probe(question, draw, now);
        self.front.begin_with(probe, question, draw, now)
    }

    /// Begins a request that is to be a probe; the others are left alone.
    pub(crate) fn begin_probe(
        &mut self,
        request: &Request<'_>,
        draw: Draw,
        now: Timestamp,
    ) -> Option<(Decision, Ticket)> {
        let probe = self.probe(*request, draw, now)?;
        self.front.begin_with(Some(probe), *request, draw, now).ok()
    }

    #[inline]
    fn probe<Q: Question>(&mut self, question: Q, draw: Draw, now: Timestamp) -> Option<Probe> {
        if now >= self.check_at {
            self.changed = self.poll(now);
        }
        let probe = self.front.probe(question, draw, now);
        if let Some(Probe { model, once: true, .. }) = probe {
            self.front.probes.close(model);
            self.changed = true;
        }
        probe
    }

    /// What becomes of every model, and how likely each is to be picked.
    pub fn explain<'a, Q: Question + 'a>(&'a self, question: Q, now: Timestamp) -> Explanation<'a> {
        self.front.explain(question, now)
    }

    /// The exact probability with which a model is picked: see [`Index::probability`].
    pub fn probability<Q: Question>(&self, question: Q, model: ModelId, now: Timestamp) -> f64 {
        self.front.probability(question, model, now)
    }

    /// The models at their present profiles.
    pub fn catalog(&self) -> &Catalog<N> {
        self.front.catalog()
    }

    /// The settings of the selection.
    pub fn policy(&self) -> &Policy {
        self.front.policy()
    }

    /// Takes in a report, and does what [`Self::poll`] does. Says whether the front has changed, so that there is a new
    /// one to publish.
    ///
    /// A report of a model that it does not know changes nothing.
    pub fn learn(&mut self, report: Report, now: Timestamp) -> bool {
        let Report { model, told } = report;
        let Some(&shown) = self.catalog().get(model) else { return false };
        let now = self.time(now);
        if let Told::Ended { batch, .. } = told {
            (0..batch).for_each(|_| self.arrivals.observe(now));
        }
        let (pace, margin) = (self.pace(now), self.policy().margin);
        let sampled = self.front.probes.lasts(model);
        let Some(known) = self.known.get_mut(model.index()) else { return false };
        let before = known.trust.due;
        let Lesson { live, over } = known.learn(told, shown, sampled, self.learning, margin, pace);
        let due = known.trust.due;
        if over {
            self.changed |= self.front.probes.close(model);
        }
        self.show(model, shown, live);
        self.agenda.moved(&self.known, model.index(), before);
        self.check_at = self.check_at.min(due);
        self.do_due(now);
        core::mem::take(&mut self.changed)
    }

    /// Does what is due by now: ends leases, and opens probes. Says whether the front has changed.
    ///
    /// [`Self::learn`] does this too; it is needed, at [`Self::poll_at`], only while nothing is reported.
    pub fn poll(&mut self, now: Timestamp) -> bool {
        let now = self.time(now);
        self.do_due(now);
        core::mem::take(&mut self.changed)
    }

    #[inline]
    fn do_due(&mut self, now: Timestamp) {
        if now >= self.check_at {
            self.do_all_due(now);
        }
    }

    #[inline(never)]
    fn do_all_due(&mut self, now: Timestamp) {
        let pace = self.pace(now);
        self.changed |= self.front.probes.close_ended(now);
        let mut from = 0;
        while let Some(place) = self.agenda.due(&self.known, from, now) {
            self.due(place, pace);
            from = place.saturating_add(1);
        }
        // Seldom enough that what is done here costs nothing.
        let soon = now.after(Micros::new(pace.interval.get() / 64));
        self.check_at = self.agenda.earliest().max(soon);
    }

    /// When [`Self::poll`] next has something to do: the end of time if nothing waits.
    pub fn poll_at(&self) -> Timestamp {
        self.check_at
    }

    /// Whether a model is trusted: see [`Front::standing`].
    pub fn standing(&self, model: ModelId) -> Option<Standing> {
        self.front.standing(model)
    }

    /// Takes in what the others have measured of a model, in place of what it has heard before: see [`Replicas`]. Says
    /// whether the front has changed; a model that it does not know changes nothing.
    ///
    /// What it has measured itself comes first: the others make up what it lacks to a full memory, unless they disagree.
    /// If they found the model better than it has, it is probed.
    pub fn hear(&mut self, model: ModelId, others: Option<Learnt>) -> bool {
        if self.learnt(model).is_none() {
            return false;
        }
        if let Some(known) = self.known.get_mut(model.index()) {
            known.heard = others.map(known::Heard::new);
            let before = known.trust.due;
            known.trust.wake(self.latest);
            self.check_at = self.check_at.min(known.trust.due);
            self.agenda.moved(&self.known, model.index(), before);
        }
        self.show_again(model);
        core::mem::take(&mut self.changed)
    }

    /// What has been learnt of a model, or `None` for an id of some other catalog, or of a model that is no
    /// more.
    pub fn learnt(&self, model: ModelId) -> Option<&Learnt> {
        self.catalog().get(model)?;
        self.known.get(model.index()).map(|known| &known.learnt)
    }

    /// Adds a model, of which nothing is learnt yet; its profile is believed.
    ///
    /// # Errors
    /// [`CatalogError::Full`] if there is no room.
    pub fn add(&mut self, profile: Profile) -> Result<ModelId, CatalogError> {
        let model = self.front.index.add(profile)?;
        self.begin_anew(model, Known::new(profile));
        Ok(model)
    }

    /// Adds a model that has never been measured, of which accuracy and cost are believed, and the times only so far that
    /// it is tried on no request that it would not make by them.
    ///
    /// Of the requests that would gain by it, it gets a share. Once 20 runs have been seen it is a model as any other, at
    /// the profile that they show. What it was claimed to be is then what it is probed for, if it is not.
    ///
    /// # Errors
    /// [`CatalogError::Full`] if there is no room.
    pub fn add_canary(&mut self, claimed: Profile, share: Share) -> Result<ModelId, CatalogError> {
        let model = self.front.index.add(claimed)?;
        self.begin_anew(model, Known::canary(claimed, share));
        Ok(model)
    }

    /// Removes a model, and what has been learnt of it; gives back its live profile.
    ///
    /// # Errors
    /// [`CatalogError::Unknown`] for an id that it does not know, [`CatalogError::Empty`] for the last model.
    pub fn remove(&mut self, model: ModelId) -> Result<Profile, CatalogError> {
        let profile = self.front.index.remove(model)?;
        if let Some(known) = self.known.get_mut(model.index()) {
            known.trust.due = NEVER;
        }
        self.agenda = Agenda::of(&self.known);
        Ok(profile)
    }

    /// Puts another model in the place of one, under an id of its own, such as a new version: nothing is
    /// learnt of it yet.
    ///
    /// # Errors
    /// [`CatalogError::Unknown`] for an id that it does not know.
    pub fn replace(&mut self, model: ModelId, profile: Profile) -> Result<ModelId, CatalogError> {
        let new = self.front.index.replace(model, profile)?;
        self.front.probes.close(model);
        self.begin_anew(new, Known::new(profile));
        Ok(new)
    }

    /// Of the model at this place, which may be the first past the end.
    fn begin_anew(&mut self, model: ModelId, known: Known) {
        self.check_at = self.check_at.min(known.trust.due);
        match self.known.get_mut(model.index()) {
            Some(place) => *place = known,
            // The catalog had room, so there is.
            None => drop(self.known.push(known)),
        }
        self.agenda = Agenda::of(&self.known);
        self.show_again(model);
    }

    /// Now, or the latest that it has been: reports of several clocks may be out of order. A step back by more is one.
    #[inline(always)]
    fn time(&mut self, now: Timestamp) -> Timestamp {
        if now < self.latest {
            self.time_before(now);
        }
        self.latest = self.latest.max(now);
        self.latest
    }

    #[cold]
    fn time_before(&mut self, now: Timestamp) {
        let back = self.latest.since(now);
        if back > self.learning.probe_interval.min(Micros::from_millis(10_000)) {
            let pace = self.pace(now);
            let catalog = self.front.catalog();
            let known = self.known.iter_mut().enumerate();
            // Nothing is due of one that is no more.
            for (_, known) in known.filter(|(place, _)| catalog.id(*place).is_some()) {
                known.trust.stepped_back(pace);
                known.learnt.latency.stepped_back(now);
            }
            self.agenda = Agenda::of(&self.known);
            self.changed |= self.front.probes.close_all();
            (self.latest, self.check_at) = (now, now);
        }
    }

    #[inline]
    fn pace(&self, now: Timestamp) -> Pace {
        let least = self.learning.probe_interval.max(Micros::new(1));
        let thousand = self.arrivals.gap().map_or(least, |gap| gap.saturating_mul(1_000));
        Pace { now, interval: thousand.max(least).min(least.saturating_mul(60)) }
    }

    /// Brings what is shown of a model up to date, and the profile by which it is chosen, which was `old`.
    #[inline(always)]
    fn show(&mut self, model: ModelId, old: Profile, live: Profile) {
        let Self { front, known, changed, .. } = self;
        let Some(known) = known.get(model.index()) else { return };
        let shut = known.trust.shut();
        let latency = if shut { standing::shut(live.latency) } else { live.latency };
        let new = Profile { latency, ..live };
        *changed |= new != old && front.index.update(model, new).is_some();
        let standing = (known.trust.standing(front.probes.lasts(model)), shut);
        if let Some(shown) = front.standings.get_mut(model.index()) {
            *changed |= core::mem::replace(shown, standing) != standing;
        }
    }

    /// The same by all that is known of it.
    fn show_again(&mut self, model: ModelId) {
        if let (Some(&old), Some(known)) = (self.catalog().get(model), self.known.get(model.index())) {
            self.show(model, old, known.live(self.learning, old.cost));
        }
    }

    /// What the model at a place waits for is due.
    fn due(&mut self, place: usize, pace: Pace) {
        let (learning, margin) = (self.learning, self.policy().margin);
        let gap = self.arrivals.gap().unwrap_or(Micros::from_millis(1_000));
        let Some(model) = self.catalog().id(place) else { return };
        let (Some(&old), Some(known)) = (self.front.index.catalog().get(model), self.known.get_mut(place))
        else {
            return;
        };
        let before = known.trust.due;
        known.trust.lapse(pace);
        let probe = known.probe(model, old.cost, learning, margin, pace, gap);
        known.trust.probing = probe.is_some_and(|probe| probe.once);
        // If there are too many, it is this one's turn later.
        known.trust.due = match probe {
            None => NEVER,
            Some(probe) if self.front.probes.open(probe) => {
                self.changed = true;
                known.trust.unheard = known.trust.unheard.saturating_add(1);
                // Where no request has come meanwhile, there was none to be lost.
                let waited = probe.until.since(pace.now).saturating_mul(2);
                let lost = pace.now.since(self.arrivals.latest()) <= waited;
                known.lease(&probe, lost, pace)
            }
            Some(_) => pace.after(1),
        };
        self.agenda.moved(&self.known, place, before);
        self.show_again(model);
    }
}
