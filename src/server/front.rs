//! [`Front`]: what a choice needs, without what learning needs.

use crate::catalog::{Catalog, ModelId, copy_first};
use crate::index::Index;
use crate::policy::Policy;
use crate::profile::Profile;
use crate::request::{Budget, Draw, Question, Request};
use crate::select::base::Base;
use crate::select::{Decision, Explanation, Reason, base_for};
use crate::server::probe::{Choice, Probe, Probes};
use crate::server::standing::{self, Standing};
use crate::server::ticket::Ticket;
use crate::time::{Micros, Timestamp};

/// The models of a server at their present profiles, without what it has learnt them from: what those who
/// choose share.
///
/// [`Server::front`](crate::Server::front) is the newest. A copy of it is whole and stays as it is: it goes
/// on to choose soundly by what was known when it was made, and what its runs report is checked when it comes
/// in. Only its probes lapse.
///
/// A model that no request may go to, but probes, stands in its catalog with a time that fits no budget below 18 minutes;
/// [`Self::live`] is what it would be chosen by.
///
/// It takes 168 bytes for each of the `N` models there may be, and [`Clone::clone_from`] copies those of the models that
/// there are, into what is there.
#[derive(Debug, PartialEq)]
pub struct Front<const N: usize> {
    pub(super) index: Index<N>,
    pub(super) probes: Probes,
    /// By the models' places: how each stands, and whether it is shut out of the index.
    pub(super) standings: [(Standing, bool); N],
}

impl<const N: usize> Clone for Front<N> {
    fn clone(&self) -> Self {
        let Self { index, probes, standings } = self;
        Self { index: index.clone(), probes: probes.clone(), standings: *standings }
    }

    fn clone_from(&mut self, other: &Self) {
        // Past the places of either they are the same.
        let places = |front: &Self| front.catalog().profiles().len();
        let count = places(self).max(places(other));
        let Self { index, probes, standings } = self;
        index.clone_from(&other.index);
        probes.copy_from(&other.probes);
        copy_first(count, standings, &other.standings);
    }
}

impl<const N: usize> Front<N> {
    /// Picks the model for a request, as [`Index::select`] does, with a ticket for its run. Few requests, as a rule none,
    /// are probes: see [`Reason::Probe`].
    ///
    /// Reads only, so any number of requests may be begun at once and end in any order.
    ///
    /// # Errors
    /// A [`Request`] that rules out every model: [`NothingEligible`](crate::NothingEligible).
    /// A [`Budget`](crate::Budget) is always answered.
    #[inline]
    pub fn begin<Q: Question>(
        &self,
        question: Q,
        draw: Draw,
        now: Timestamp,
    ) -> Q::Answer<(Decision, Ticket)> {
        self.begin_with(self.probe(question, draw, now), question, draw, now)
    }

    /// What becomes of every model now, and how likely each is to be picked.
    pub fn explain<'a, Q: Question + 'a>(&'a self, question: Q, now: Timestamp) -> Explanation<'a> {
        let explanation = self.index.explain(question);
        if !self.probes.any(now) {
            return explanation;
        }
        let choice = self.choice(explanation.base);
        explanation.with_beforehand(self.probes.beforehand(&question.request(), &choice, now))
    }

    /// The exact probability with which a model is picked now: see [`Index::probability`].
    pub fn probability<Q: Question>(&self, question: Q, model: ModelId, now: Timestamp) -> f64 {
        if self.probes.any(now) {
            self.explain(question, now).probability(model)
        } else {
            self.index.probability(question, model)
        }
    }

    /// Whether a model is trusted, or `None` for an id that it does not know.
    pub fn standing(&self, model: ModelId) -> Option<Standing> {
        self.catalog().get(model)?;
        self.standings.get(model.index()).map(|(standing, _)| *standing)
    }

    /// The live profile of a model, held or not, or `None` for an id that it does not know.
    pub fn live(&self, model: ModelId) -> Option<Profile> {
        let profile = *self.catalog().get(model)?;
        match self.standings.get(model.index()) {
            Some((_, true)) => Some(Profile { latency: standing::open(profile.latency), ..profile }),
            _ => Some(profile),
        }
    }

    /// The models at their present profiles.
    pub fn catalog(&self) -> &Catalog<N> {
        self.index.catalog()
    }

    /// The settings of the selection.
    pub fn policy(&self) -> &Policy {
        self.index.policy()
    }

    pub(crate) const fn index(&self) -> &Index<N> {
        &self.index
    }

    /// Begins a request that is to be a probe; the others are left alone.
    pub(crate) fn begin_probe(
        &self,
        request: &Request<'_>,
        draw: Draw,
        now: Timestamp,
    ) -> Option<(Decision, Ticket)> {
        let probe = self.probe(*request, draw, now)?;
        self.begin_with(Some(probe), *request, draw, now).ok()
    }

    /// Begins a run that was decided on elsewhere.
    pub(crate) fn begin_decided(&self, decision: Decision, now: Timestamp) -> (Decision, Ticket) {
        self.with_ticket(None, decision, decision.budget, Micros::ZERO, now)
    }

    /// The probe that a request is to be, if any.
    #[inline(always)]
    pub(super) fn probe<Q: Question>(&self, question: Q, draw: Draw, now: Timestamp) -> Option<Probe> {
        if self.probes.none() { None } else { self.drawn(question, draw, now) }
    }

    #[inline(never)]
    fn drawn<Q: Question>(&self, question: Q, draw: Draw, now: Timestamp) -> Option<Probe> {
        if !self.probes.any(now) {
            return None;
        }
        let request = question.request();
        let choice = || self.choice(base_for(self.catalog().models(), self.policy().margin, &request));
        self.probes.drawn(&request, draw, now, choice)
    }

    fn choice(&self, base: Option<Base>) -> Choice<'_> {
        Choice { base, places: self.catalog().places(), margin: self.policy().margin }
    }

    /// [`Self::begin`], as this probe.
    #[inline(always)]
    pub(super) fn begin_with<Q: Question>(
        &self,
        probe: Option<Probe>,
        question: Q,
        draw: Draw,
        now: Timestamp,
    ) -> Q::Answer<(Decision, Ticket)> {
        question.answer(
            |budget| self.with_ticket(probe, self.index.select(budget, draw), budget, Micros::ZERO, now),
            |request| {
                let decision = self.index.select(*request, draw)?;
                let model = probe.map_or(decision.model, |probe| probe.model);
                Ok(self.with_ticket(probe, decision, request.budget(), request.wait(model), now))
            },
        )
    }

    #[inline(always)]
    fn with_ticket(
        &self,
        probe: Option<Probe>,
        decision: Decision,
        budget: Budget,
        wait: Micros,
        now: Timestamp,
    ) -> (Decision, Ticket) {
        let (decision, profile, decides) = match probe {
            Some(Probe { model, profile, once, .. }) => {
                (Decision { model, reason: Reason::Probe, budget, ..decision }, profile, once)
            }
            // The index gave this id.
            None => (decision, self.live(decision.model).unwrap_or_default(), false),
        };
        // Where all are shut out, the fastest is no slower for it.
        let reason = if decision.reason.fits() {
            decision.reason
        } else {
            Reason::of_fastest(profile.latency.mean.saturating_add(wait), decision.budget)
        };
        let decision = Decision { reason, ..decision };
        (decision, Ticket::new(&decision, wait, profile.latency, decides, now))
    }
}
