//! [`Server`]: the server's side, choosing models and learning from their runs, one idea a file.
//!
//! - [`front`]: what a choice needs, which many threads may share.
//! - [`ticket`]: a run under way.
//! - [`report`]: what it tells.
//! - [`learning`]: how the one that learns does it, and what it has learnt.

mod front;
mod learning;
mod report;
mod ticket;

use heapless::Vec;

use crate::catalog::{Catalog, CatalogError, ModelId};
use crate::index::Index;
use crate::policy::Policy;
use crate::profile::Profile;
use crate::request::{Draw, Question};
use crate::select::{Decision, Explanation};
use crate::time::Timestamp;

pub use front::Front;
pub use learning::{Learning, Learnt};
pub use report::{Report, Told};
pub use ticket::Ticket;

/// The models of one server, chosen by what is left of each request's time and kept at live profiles.
///
/// It has a [`Front`], which chooses: [`Self::begin`] only reads, picks a model, and hands out a [`Ticket`].
/// The caller runs the model; the ticket makes [`Report`]s of the run, and [`Self::learn`] takes them, which
/// is what the next choice is made on.
///
/// ```
/// use mdinference::{
///     Budget, Catalog, Draw, Learning, Micros, NetworkTime, Policy, Profile, Reason, Server, Timestamp,
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
/// for id in 0..5 {
///     let (_, mut stuck) = server.begin(budget, Draw::from_id(id), at(200));
///     if let Some(report) = stuck.overdue(at(600)) {
///         server.learn(report, at(600));
///     }
/// }
/// let (decision, ticket) = server.begin(budget, draw, at(600));
/// assert_eq!((decision.model.index(), decision.reason), (1, Reason::Base));
/// server.learn(ticket.completed(at(632)), at(632));
///
/// // A minute without a sample, and it is tried again.
/// server.revive(at(60_601));
/// let (decision, ticket) = server.begin(budget, draw, at(60_601));
/// assert_eq!(decision.model.index(), 2);
/// # drop(ticket);
/// # Ok::<(), mdinference::CatalogError>(())
/// ```
///
/// # Many threads choose, one learns
/// Which lock is the caller's choice. Where choices far outnumber what there is to learn, let one thread have
/// the server and publish copies of its front, say by the crate `arc-swap`; the others choose by the copy at
/// hand and send their reports to the writer. A choice then sees one whole state, never half an update, and
/// costs as much as on a server of one's own but for a check that the copy is the newest.
///
/// ```
/// use arc_swap::ArcSwap;
/// # use std::sync::{Arc, mpsc};
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
/// let shared = ArcSwap::from_pointee(server.front().clone()); // without what learning needs
/// let (reports, inbox) = mpsc::channel();
/// std::thread::scope(|scope| {
///     for request in 0..4 {
///         let (shared, reports) = (&shared, reports.clone());
///         scope.spawn(move || {
///             let (decision, mut ticket) = shared.load().begin(budget, Draw::from_id(request), now());
///             let mut done = run(decision.model, ticket.overdue_at());
///             if !done && let Some(report) = ticket.overdue(now()) {
///                 reports.send((report, now())).ok(); // the writer knows at once, the run goes on
///                 done = run(decision.model, ticket.deadline());
///             }
///             let end = if done { ticket.completed(now()) } else { ticket.timed_out(now()) };
///             reports.send((end, now())).ok();
///         });
///     }
///     drop(reports);
///     for (report, now) in inbox {
///         if server.learn(report, now) {
///             shared.store(Arc::new(server.front().clone()));
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
/// 216 bytes for each of the `N` models there may be, of which its front is 152. To be built without
/// optimisation it needs six times as much stack, so `N` is at most [`Self::MOST`], which is safe on a thread
/// of 2 MiB; a greater one does not compile.
#[derive(Clone, Debug, PartialEq)]
pub struct Server<const N: usize> {
    front: Front<N>,
    /// By the models' places.
    learnt: Vec<Learnt, N>,
    learning: Learning,
}

impl<const N: usize> Server<N> {
    /// The greatest `N`.
    pub const MOST: usize = 1_024;

    const FITS_A_STACK: () = assert!(
        N <= Self::MOST,
        "a `Server` of more than 1,024 models may overflow the stack of the thread that builds it: use \
         several, or a boxed `Index` with a `LatencyEstimator` for each model, built on a larger stack"
    );

    /// A server of these models, whose profiles are what it starts from and, see [`Learning::patience`],
    /// returns to.
    pub fn new(catalog: Catalog<N>, policy: Policy, learning: Learning) -> Self {
        let () = Self::FITS_A_STACK;
        let mut learnt = Vec::new();
        for &prior in catalog.profiles() {
            // As many as the catalog holds, so there is room.
            let _ = learnt.push(Learnt::from_prior(prior));
        }
        Self { front: Front { index: Index::new(catalog, policy) }, learnt, learning }
    }

    /// What chooses, to be copied for those who do.
    pub fn front(&self) -> &Front<N> {
        &self.front
    }

    /// Picks the model for a request, with a ticket for its run: see [`Front::begin`].
    ///
    /// # Errors
    /// As [`Front::begin`].
    #[inline]
    pub fn begin<Q: Question>(
        &self,
        question: Q,
        draw: Draw,
        now: Timestamp,
    ) -> Q::Answer<(Decision, Ticket)> {
        self.front.begin(question, draw, now)
    }

    /// What becomes of every model, and how likely each is to be picked.
    pub fn explain<'a, Q: Question + 'a>(&'a self, question: Q) -> Explanation<'a> {
        self.front.explain(question)
    }

    /// The exact probability with which a model is picked: see [`Index::probability`].
    pub fn probability<Q: Question>(&self, question: Q, model: ModelId) -> f64 {
        self.front.probability(question, model)
    }

    /// The models at their present profiles.
    pub fn catalog(&self) -> &Catalog<N> {
        self.front.catalog()
    }

    /// The settings of the selection.
    pub fn policy(&self) -> &Policy {
        self.front.policy()
    }

    /// Takes in a report, and does what [`Self::revive`] does. Says whether any profile has changed, so that
    /// there is a new front to publish.
    ///
    /// A report of a model that it does not know changes nothing.
    pub fn learn(&mut self, report: Report, now: Timestamp) -> bool {
        let Report { model, told } = report;
        if self.learnt(model).is_none() {
            return false;
        }
        let Learning { latency, accuracy, .. } = self.learning;
        let changed = self.change(model, |learnt| match told {
            Told::Run(observation) => learnt.latency.observe(observation, now, latency),
            Told::Judged { right } => learnt.accuracy.observe(right, accuracy),
        });
        self.revive(now) | changed
    }

    /// Tries again the models that have been too slow for too long to be chosen: see [`Learning::patience`].
    ///
    /// [`Self::learn`] does this too; it is needed only where nothing is reported. Says whether any profile
    /// has changed.
    pub fn revive(&mut self, now: Timestamp) -> bool {
        let patience = self.learning.patience;
        let mut changed = false;
        for place in 0..self.learnt.len() {
            let Some(model) = self.catalog().id(place) else { continue };
            let due = self.learnt.get_mut(place).is_some_and(|learnt| learnt.latency.revive(now, patience));
            changed |= due && self.change(model, |_| ());
        }
        changed
    }

    /// Takes in what a replica has learnt of a model: see [`Learnt::merged`]. Says whether its profile has
    /// changed; a model that it does not know changes nothing.
    pub fn merge(&mut self, model: ModelId, replica: &Learnt) -> bool {
        self.change(model, |learnt| *learnt = learnt.merged(replica))
    }

    /// What has been learnt of a model, or `None` for an id of some other catalog, or of a model that is no
    /// more.
    pub fn learnt(&self, model: ModelId) -> Option<&Learnt> {
        self.catalog().get(model)?;
        self.learnt.get(model.index())
    }

    /// Adds a model, of which nothing is learnt yet.
    ///
    /// # Errors
    /// [`CatalogError::Full`] if there is no room.
    pub fn add(&mut self, profile: Profile) -> Result<ModelId, CatalogError> {
        let model = self.front.index.add(profile)?;
        self.begin_anew(model, profile);
        Ok(model)
    }

    /// Removes a model, and what has been learnt of it; gives back its live profile.
    ///
    /// # Errors
    /// [`CatalogError::Unknown`] for an id that it does not know, [`CatalogError::Empty`] for the last model.
    pub fn remove(&mut self, model: ModelId) -> Result<Profile, CatalogError> {
        self.front.index.remove(model)
    }

    /// Puts another model in the place of one, under an id of its own, such as a new version: nothing is
    /// learnt of it yet.
    ///
    /// # Errors
    /// [`CatalogError::Unknown`] for an id that it does not know.
    pub fn replace(&mut self, model: ModelId, profile: Profile) -> Result<ModelId, CatalogError> {
        let model = self.front.index.replace(model, profile)?;
        self.begin_anew(model, profile);
        Ok(model)
    }

    /// Nothing is learnt of the model at this place yet, which may be the first past the end.
    fn begin_anew(&mut self, model: ModelId, prior: Profile) {
        let learnt = Learnt::from_prior(prior);
        match self.learnt.get_mut(model.index()) {
            Some(place) => *place = learnt,
            // The catalog had room, so there is.
            None => drop(self.learnt.push(learnt)),
        }
    }

    /// Changes what is learnt of a model, and its profile to match.
    fn change(&mut self, model: ModelId, change: impl FnOnce(&mut Learnt)) -> bool {
        let index = &mut self.front.index;
        let (Some(&old), Some(learnt)) = (index.catalog().get(model), self.learnt.get_mut(model.index()))
        else {
            return false;
        };
        change(learnt);
        let latency = learnt.latency.latency().unwrap_or(old.latency);
        let new = Profile { accuracy: learnt.accuracy.accuracy(), latency, ..old };
        new != old && index.update(model, new).is_some()
    }
}
