//! [`Server`]: the server's side, choosing models and learning from their runs.

mod learning;
mod ticket;

use heapless::Vec;

use crate::catalog::{Catalog, ModelId};
use crate::estimate::Observation;
use crate::index::Index;
use crate::policy::Policy;
use crate::profile::Profile;
use crate::request::{Draw, Question};
use crate::select::{Decision, Explanation};
use crate::time::{Micros, Timestamp};

pub use learning::{Learning, Learnt};
pub use ticket::{Outcome, Ticket};

/// The models of one server, chosen by what is left of each request's time and kept at live profiles.
///
/// [`Self::begin`] only reads: it picks a model and hands out a [`Ticket`]. The caller runs the model and gives the
/// ticket back to [`Self::finish`] with what came of it, which is what the next choice is made on.
///
/// ```
/// use mdinference::{
///     Budget, Catalog, Draw, Learning, Micros, NetworkTime, Outcome, Policy, Profile, Reason, Server, Timestamp,
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
/// let (decision, ticket) = server.begin(budget, draw);
/// assert_eq!(decision.budget.time(), Micros::from_millis(165));
/// assert_eq!(decision.model.index(), 2);
///
/// // … run the model, then say what came of it, and when.
/// let mut now = Timestamp::from_micros(1_000_000);
/// server.finish(ticket, Outcome::Completed(Micros::from_millis(113)), now);
///
/// // The model gets stuck. Nobody need wait for its runs to end: the fifth that is overdue shows it.
/// let mut stuck = Vec::new();
/// for id in 0..5 {
///     stuck.push(server.begin(budget, Draw::from_id(id)).1);
/// }
/// for ticket in &mut stuck {
///     server.overdue(ticket, Micros::from_millis(400), now);
/// }
/// let (decision, ticket) = server.begin(budget, draw);
/// assert_eq!((decision.model.index(), decision.reason), (1, Reason::Base));
/// server.finish(ticket, Outcome::Completed(Micros::from_millis(32)), now);
/// for ticket in stuck {
///     server.finish(ticket, Outcome::TimedOut(Micros::from_millis(500)), now);
/// }
///
/// // A minute without a sample, and it is tried again.
/// now = now.after(Micros::from_millis(60_001));
/// server.revive(now);
/// let (decision, ticket) = server.begin(budget, draw);
/// assert_eq!(decision.model.index(), 2);
/// # drop(ticket);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Sharing between threads
/// Which lock is the caller's choice. Where selections far outnumber updates, let one thread write and publish copies
/// of its server, say by the crate `arc-swap`; the others select from the copy at hand, each through a cache of its
/// own, and send their tickets to the writer. A selection then sees one whole state, never half an update, and costs as
/// much as on a server of one's own but for a check that the copy is the newest.
///
/// ```
/// use std::sync::{Arc, mpsc};
///
/// use arc_swap::{ArcSwap, Cache};
/// # use mdinference::{
/// #     Budget, Catalog, Draw, Learning, Micros, ModelId, NetworkTime, Outcome, Policy, Profile, Server, Ticket, Timestamp,
/// # };
///
/// # let catalog = Catalog::<1>::try_new([Profile::from_percent_and_millis(49.7, 3.21, 0.08)])?;
/// let mut server = Server::new(catalog, Policy::PAPER, Learning::DEFAULT);
/// let shared = ArcSwap::from_pointee(server.clone());
/// let (sender, receiver) = mpsc::channel::<(Ticket, Outcome, Timestamp)>();
/// std::thread::scope(|scope| {
///     for worker in 0..4 {
///         let (mut cache, sender) = (Cache::new(&shared), sender.clone());
///         scope.spawn(move || {
///             let network = NetworkTime::TwiceInput(Micros::from_millis(40));
///             let budget = Budget::new(Micros::from_millis(250), network);
///             let (_, ticket) = cache.load().begin(budget, Draw::from_id(worker));
///             // … run the model …
///             let outcome = Outcome::Completed(Micros::from_millis(4));
///             sender.send((ticket, outcome, Timestamp::from_micros(4_000))).ok();
///         });
///     }
///     drop(sender);
///     for (ticket, outcome, now) in receiver {
///         if server.finish(ticket, outcome, now) {
///             shared.store(Arc::new(server.clone()));
///         }
///     }
/// });
/// # let model = ModelId::default();
/// assert_eq!(server.learnt(model).map(|learnt| learnt.latency.samples()), Some(4));
/// assert_eq!(shared.load().catalog(), server.catalog());
/// # Ok::<(), mdinference::CatalogError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Server<const N: usize> {
    index: Index<N>,
    learnt: Vec<Learnt, N>,
    learning: Learning,
}

impl<const N: usize> Server<N> {
    /// A server of these models, whose profiles are what it starts from and, see [`Learning::patience`], returns to.
    pub fn new(catalog: Catalog<N>, policy: Policy, learning: Learning) -> Self {
        let learnt = catalog.profiles().iter().copied().map(Learnt::from_prior).collect();
        Self { index: Index::new(catalog, policy), learnt, learning }
    }

    /// Picks the model for a request, as [`Index::select`] does, with a ticket for its run.
    ///
    /// Reads only, so any number of requests may be begun at once and finished in any order.
    ///
    /// # Errors
    /// A [`Request`](crate::Request) that rules out every model: [`NothingEligible`](crate::NothingEligible). A
    /// [`Budget`](crate::Budget) is always answered.
    #[inline]
    pub fn begin<Q: Question>(&self, question: Q, draw: Draw) -> Q::Answer<(Decision, Ticket)> {
        question.answer(
            |budget| {
                let decision = self.index.select(budget, draw);
                (decision, Ticket::new(&decision, Micros::ZERO))
            },
            |request| {
                let decision = self.index.select(request, draw)?;
                Ok((decision, Ticket::new(&decision, request.wait(decision.model))))
            },
        )
    }

    /// What becomes of every model, and how likely each is to be picked.
    pub fn explain<'a, Q: Question + 'a>(&'a self, question: Q) -> Explanation<'a> {
        self.index.explain(question)
    }

    /// The exact probability with which a model is picked: see [`Index::probability`].
    pub fn probability<Q: Question>(&self, question: Q, model: ModelId) -> f64 {
        self.index.probability(question, model)
    }

    /// Takes in what came of a run. Says whether any profile has changed by it, so that copies need renewing.
    pub fn finish(&mut self, ticket: Ticket, outcome: Outcome, now: Timestamp) -> bool {
        let Ticket { model, deadline, noticed } = ticket;
        let observation = match outcome {
            Outcome::Completed(took) => Observation::Took(took),
            Outcome::Failed(after) | Outcome::TimedOut(after) => Observation::AtLeast(after.max(deadline)),
            Outcome::Cancelled(after) => Observation::AtLeast(after),
        };
        // What an overdue run has told once it tells again only when it ran twice as long.
        let known = matches!(observation, Observation::AtLeast(time) if time <= noticed.saturating_mul(2));
        let changed = !known && self.observe(model, observation, now);
        self.revive(now) | changed
    }

    /// Takes in that a run is not finished after `running`, so that a stuck model is noticed before its runs end.
    ///
    /// A run counts once it is longer than the model's profile explains, and once only, so that a single cold start is
    /// kept out however long it takes; all other calls do nothing, so it may be called as often as one likes.
    /// [`Self::overdue_after`] says when a call can count. Says whether any profile has changed.
    pub fn overdue(&mut self, ticket: &mut Ticket, running: Micros, now: Timestamp) -> bool {
        if running <= self.overdue_after(ticket) {
            return false;
        }
        ticket.noticed = running;
        self.observe(ticket.model, Observation::AtLeast(running), now)
    }

    /// Once it has run for longer than this, a run not finished counts as overdue; [`Micros::MAX`] if it has already.
    pub fn overdue_after(&self, ticket: &Ticket) -> Micros {
        match self.learnt(ticket.model) {
            Some(learnt) if ticket.noticed == Micros::ZERO => learnt.latency.suspect_above(),
            _ => Micros::MAX,
        }
    }

    /// Takes in whether an answer of a model was right. Says whether its profile has changed.
    pub fn judge(&mut self, model: ModelId, right: bool) -> bool {
        let smoothing = self.learning.accuracy;
        self.learn(model, |learnt| learnt.accuracy.observe(right, smoothing))
    }

    /// Tries again the models that have been too slow for too long to be chosen: see [`Learning::patience`].
    ///
    /// [`Self::finish`] does this too; it is needed only where nothing finishes. Says whether any profile has changed.
    pub fn revive(&mut self, now: Timestamp) -> bool {
        let patience = self.learning.patience;
        let mut changed = false;
        for place in 0..self.learnt.len() {
            let Some(model) = self.catalog().id(place) else { continue };
            let due = self.learnt.get_mut(place).is_some_and(|learnt| learnt.latency.revive(now, patience));
            changed |= due && self.learn(model, |_| ());
        }
        changed
    }

    /// Takes in what a replica has learnt of a model: see [`Learnt::merged`]. Says whether its profile has
    /// changed.
    pub fn merge(&mut self, model: ModelId, replica: &Learnt) -> bool {
        self.learn(model, |learnt| *learnt = learnt.merged(replica))
    }

    /// What has been learnt of a model, or `None` for an id of some other catalog.
    pub fn learnt(&self, model: ModelId) -> Option<&Learnt> {
        self.catalog().get(model)?;
        self.learnt.get(model.index())
    }

    /// The models at their present profiles.
    pub fn catalog(&self) -> &Catalog<N> {
        self.index.catalog()
    }

    /// The settings of the selection.
    pub fn policy(&self) -> &Policy {
        self.index.policy()
    }

    fn observe(&mut self, model: ModelId, observation: Observation, now: Timestamp) -> bool {
        let smoothing = self.learning.latency;
        self.learn(model, |learnt| learnt.latency.observe(observation, now, smoothing))
    }

    /// Changes what is learnt of a model, and its profile to match.
    fn learn(&mut self, model: ModelId, change: impl FnOnce(&mut Learnt)) -> bool {
        let (Some(learnt), Some(&old)) =
            (self.learnt.get_mut(model.index()), self.index.catalog().get(model))
        else {
            return false;
        };
        change(learnt);
        let latency = learnt.latency.latency().unwrap_or(old.latency);
        let new = Profile { accuracy: learnt.accuracy.accuracy(), latency, ..old };
        new != old && self.index.update(model, new).is_some()
    }
}
