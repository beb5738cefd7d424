//! The batch that is worth most: which model, and how many of the earliest deadlines.

use core::cmp::Reverse;

use crate::batch::{BatchTime, Stretch};
use crate::catalog::Model;
use crate::index::Index;
use crate::load::line::Line;
use crate::load::queue::Entry;
use crate::load::traffic::Traffic;
use crate::profile::Profile;
use crate::request::{Budget, ModelSet, Price, Request};
use crate::select::base::Base;
use crate::select::threshold::Threshold;
use crate::select::value::{Eligible, Value};
use crate::select::{Decision, within};
use crate::time::Timestamp;

/// Requests that are dispatched together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lot {
    /// On which model, within the budget of the first.
    pub(super) decision: Decision,
    /// The place in the line of the first; those behind it are the others.
    pub(super) first: usize,
    pub(super) size: u16,
    pub(super) stretch: Stretch,
}

impl Lot {
    /// The most urgent one alone.
    pub(super) const fn one(decision: Decision) -> Self {
        Self { decision, first: 0, size: 1, stretch: Stretch::ONE }
    }
}

/// One that may be.
#[derive(Clone, Copy, Debug)]
struct Batch {
    lot: Lot,
    /// What it is worth a request.
    value: Value,
    threshold: Threshold,
}

/// What a batch is chosen by.
pub(super) struct Choice<'a, T, G, const CAPACITY: usize, const N: usize> {
    pub(super) line: &'a Line<Entry<T>, CAPACITY>,
    pub(super) index: &'a Index<N>,
    pub(super) allowed: Option<&'a ModelSet<N>>,
    pub(super) time: &'a G,
    /// The size of a full one.
    pub(super) most: u16,
    /// Where time has a price, and of how many workers.
    pub(super) traffic: Option<(&'a Traffic, u16)>,
    pub(super) now: Timestamp,
}

impl<T, G: BatchTime, const CAPACITY: usize, const N: usize> Choice<'_, T, G, CAPACITY, N> {
    /// The lot of the greatest value. `None` if the most urgent one fits no model.
    ///
    /// Those before its first, who stay, are passed over only where the batch led by the most urgent one costs more than
    /// it is worth, and no more of them than a full batch: without that limit several workers in deep overload lost up to
    /// two points more.
    pub(super) fn best(&self) -> Option<Lot> {
        let mut best = self.led_by(0)?;
        if best.value >= Value::default() {
            return Some(best.lot);
        }
        let mut first = 0_usize;
        while !self.all_by_the_fastest(first) && first < self.most.into() {
            first = first.wrapping_add(1);
            let Some(batch) = self.led_by(first) else { continue };
            // Of equal ones the more urgent.
            if batch.value > best.value {
                best = batch;
            }
        }
        Some(best.lot)
    }

    /// The best of those that have the one at this place for their first. Ties go as in stage 1.
    fn led_by(&self, first: usize) -> Option<Batch> {
        let (request, budget) = self.request(first)?;
        let most = self.left(first);
        self.models(budget)
            .filter_map(|model| {
                self.batch(model, first, &request, budget, self.accepted(&model, first, most))
            })
            .max_by_key(|batch| (batch.value, Reverse(batch.threshold), Reverse(batch.lot.decision.model)))
    }

    /// Those that may fit, by μ.
    fn models(&self, budget: Budget) -> impl Iterator<Item = Model> {
        self.index.catalog().models().take_while(move |model| model.profile.latency.mean < budget.time())
    }

    /// The largest batch of a model that its first can afford, of `most` at most.
    fn batch(
        &self,
        model: Model,
        first: usize,
        request: &Request<'_>,
        budget: Budget,
        most: u16,
    ) -> Option<Batch> {
        let Model { id, profile } = model;
        let threshold =
            |stretch: Stretch| Threshold::new(stretch.of(profile.latency), self.index.policy().margin);
        let size = largest(most, |size| threshold(self.time.stretch(id, size)).fits(budget))?;
        let stretch = self.time.stretch(id, size);
        let left = self.line.len().saturating_sub(size.into());
        let load = self.traffic.map_or(Price::NONE, |(traffic, workers)| traffic.price(left, workers));
        // As one model, of which each request pays its part.
        let model = Model { id, profile: Profile { latency: stretch.of(profile.latency), ..profile } };
        let request = request.with_price(request.price().plus(load).shared_by(size));
        let Eligible { value, .. } = Eligible::new(model, &request, self.index.policy().margin);
        let decision =
            Decision::new(Base::Fits(model), id, within(&model, self.index.policy().margin, &request));
        Some(Batch { lot: Lot { decision, first, size, stretch }, value, threshold: threshold(stretch) })
    }

    /// How many from this place on accept a model, up to `most`.
    fn accepted(&self, model: &Model, first: usize, most: u16) -> u16 {
        let accepts = |place| {
            let request = self.request(place).map(|(request, _)| request);
            request.is_some_and(|request| request.exclusion(model).is_none())
        };
        (first..).take(most.into()).take_while(|&place| accepts(place)).count() as u16
    }

    /// Whether the fastest model serves all from here on, or a full batch: who is further behind has no better one.
    fn all_by_the_fastest(&self, first: usize) -> bool {
        let most = self.left(first);
        let Some((request, budget)) = self.request(first) else { return true };
        let batch = self
            .models(budget)
            .find_map(|model| self.batch(model, first, &request, budget, self.accepted(&model, first, most)));
        batch.is_some_and(|batch| batch.lot.size == most)
    }

    /// How many there are from here on, up to a full batch.
    fn left(&self, first: usize) -> u16 {
        u16::try_from(self.line.len().saturating_sub(first)).unwrap_or(u16::MAX).min(self.most)
    }

    fn request(&self, place: usize) -> Option<(Request<'_>, Budget)> {
        let (deadline, entry) = self.line.get(place)?;
        let request = entry.request_at(deadline, self.allowed, self.now);
        Some((request, request.budget()))
    }
}

/// The largest of 1 to `most` that fits, where what fits is not larger than what does not.
fn largest(most: u16, fits: impl Fn(u16) -> bool) -> Option<u16> {
    if most == 0 || !fits(1) {
        return None;
    }
    if fits(most) {
        return Some(most);
    }
    let (mut fitting, mut over) = (1, most);
    while over.saturating_sub(fitting) > 1 {
        let middle = fitting.midpoint(over);
        if fits(middle) { fitting = middle } else { over = middle }
    }
    Some(fitting)
}
