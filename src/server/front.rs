//! [`Front`]: what a choice needs, without what learning needs.

use crate::catalog::{Catalog, ModelId};
use crate::index::Index;
use crate::policy::Policy;
use crate::request::{Draw, Question};
use crate::select::{Decision, Explanation};
use crate::server::ticket::Ticket;
use crate::time::{Micros, Timestamp};

/// The models of a server at their present profiles, without what it has learnt them from: what those who
/// choose share.
///
/// [`Server::front`](crate::Server::front) is the newest. A copy of it is whole and stays as it is: it goes
/// on to choose soundly by what was known when it was made, and what its runs report is checked when it comes
/// in.
///
/// It takes 152 bytes for each of the `N` models there may be: what publishing copies.
#[derive(Clone, Debug, PartialEq)]
pub struct Front<const N: usize> {
    pub(super) index: Index<N>,
}

impl<const N: usize> Front<N> {
    /// Picks the model for a request, as [`Index::select`] does, with a ticket for its run.
    ///
    /// Reads only, so any number of requests may be begun at once and end in any order.
    ///
    /// # Errors
    /// A [`Request`](crate::Request) that rules out every model: [`NothingEligible`](crate::NothingEligible).
    /// A [`Budget`](crate::Budget) is always answered.
    #[inline]
    pub fn begin<Q: Question>(
        &self,
        question: Q,
        draw: Draw,
        now: Timestamp,
    ) -> Q::Answer<(Decision, Ticket)> {
        question.answer(
            |budget| self.with_ticket(self.index.select(budget, draw), Micros::ZERO, now),
            |request| {
                let decision = self.index.select(*request, draw)?;
                Ok(self.with_ticket(decision, request.wait(decision.model), now))
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

    /// The models at their present profiles.
    pub fn catalog(&self) -> &Catalog<N> {
        self.index.catalog()
    }

    /// The settings of the selection.
    pub fn policy(&self) -> &Policy {
        self.index.policy()
    }

    #[inline]
    fn with_ticket(&self, decision: Decision, wait: Micros, now: Timestamp) -> (Decision, Ticket) {
        // The index gave this id.
        let profile = self.catalog().get(decision.model).copied().unwrap_or_default();
        (decision, Ticket::new(&decision, wait, profile.latency, now))
    }
}
