//! The batch that is worth most: which model, and how many of the earliest deadlines.

use core::cmp::Reverse;

use crate::batch::{BatchTime, Stretch};
use crate::catalog::Model;
use crate::index::Index;
use crate::load::entry::Entry;
use crate::load::line::Line;

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
    /// How many of the line are taken for gone.
    pub(super) gone: usize,
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
            return Some(self.divided(&best).unwrap_or(best.lot));
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
        self.models(self.request(first)?.budget())
            .filter_map(|model| self.on(model, first, self.left(first)))
            .max_by_key(|batch| (batch.value, Reverse(batch.threshold), Reverse(batch.lot.decision.model)))
    }

    /// The first few of a batch alone, if the others then have time enough for a more accurate model, and both batches
    /// together are worth more: the mean of their values, each as if it were dispatched when it begins.
    fn divided(&self, undivided: &Batch) -> Option<Lot> {
        self.traffic?;
        let (id, all) = (undivided.lot.decision.model, undivided.lot.size);
        let model = Model { id, profile: *self.index.catalog().get(id)? };
        let mut best = (undivided.value.get(), None);
        // None of them has more time than the last after the shortest: by its deadline, for its own budget may be less than
        // those of the others if the clock was set back.
        let (last, _) = self.line.get(self.left(0).saturating_sub(1).into())?;
        let latest = Budget::of(last.since(self.after(model, 1).now));
        for better in self.models(latest).filter(|better| better.profile.accuracy > model.profile.accuracy) {
            // The fewest that it takes.
            let mut pairs = (1..all).filter_map(|size| {
                let rest = self.left(size.into());
                let second = self.after(model, size).on(better, size.into(), rest)?;
                let first = (rest > 0 && second.lot.size == rest).then(|| self.on(model, 0, size))??;
                (first.lot.size == size).then_some((first, second))
            });
            let Some((first, second)) = pairs.next() else { continue };
            let of = |batch: &Batch| batch.value.get().saturating_mul(batch.lot.size.into());
            let requests = i64::from(first.lot.size).saturating_add(second.lot.size.into());
            let value = of(&first).saturating_add(of(&second)).checked_div(requests)?;
            if value > best.0 {
                best = (value, Some(first.lot));
            }
        }
        best.1
    }

    /// As it will be when so many of the line have been run.
    fn after(&self, model: Model, size: u16) -> Self {
        let took = self.time.stretch(model.id, size).of(model.profile.latency).mean;
        Self { now: self.now.after(took), gone: size.into(), ..*self }
    }

    /// Those that may fit, by μ.
    fn models(&self, budget: Budget) -> impl Iterator<Item = Model> {
        self.index.catalog().models().take_while(move |model| model.profile.latency.mean < budget.time())
    }

    /// The largest batch of a model from this place on that its first can afford, of `most` at most.
    fn on(&self, model: Model, first: usize, most: u16) -> Option<Batch> {
        let (request, margin) = (self.request(first)?, self.index.policy().margin);
        let Model { id, profile } = model;
        let timed = |size| {
            let stretch = self.time.stretch(id, size);
            // As one model.
            (stretch, Model { id, profile: Profile { latency: stretch.of(profile.latency), ..profile } })
        };
        let threshold = |model: &Model| Threshold::new(model.profile.latency, margin);
        let fits = |size| threshold(&timed(size).1).fits(request.budget());
        if !fits(1) {
            return None;
        }
        let size = largest(self.accepted(&model, first, most), fits)?;
        let (stretch, model) = timed(size);
        let left = self.line.len().saturating_sub(self.gone).saturating_sub(size.into());
        let load = self.traffic.map_or(Price::NONE, |(traffic, workers)| traffic.price(left, workers));
        // Of which each request pays its part.
        let request = request.with_price(request.price().plus(load).shared_by(size));
        let Eligible { value, .. } = Eligible::new(model, &request, margin);
        let decision = Decision::new(Base::Fits(model), id, within(&model, margin, &request));
        Some(Batch { lot: Lot { decision, first, size, stretch }, value, threshold: threshold(&model) })
    }

    /// How many from this place on accept a model, up to `most`.
    fn accepted(&self, model: &Model, first: usize, most: u16) -> u16 {
        let accepts = |&place: &usize| {
            self.line.get(place).is_some_and(|(_, entry)| entry.accepts(model, self.allowed))
        };
        (first..).take(most.into()).take_while(accepts).count() as u16
    }

    /// Whether the fastest model serves all from here on, or a full batch: who is further behind has no better one.
    fn all_by_the_fastest(&self, first: usize) -> bool {
        let Some(request) = self.request(first) else { return true };
        let batch = self.models(request.budget()).find_map(|model| self.on(model, first, self.left(first)));
        batch.is_some_and(|batch| batch.lot.size == self.left(first))
    }

    /// How many there are from here on, up to a full batch.
    fn left(&self, first: usize) -> u16 {
        u16::try_from(self.line.len().saturating_sub(first)).unwrap_or(u16::MAX).min(self.most)
    }

    fn request(&self, place: usize) -> Option<Request<'_>> {
        let (deadline, entry) = self.line.get(place)?;
        Some(entry.request_at(deadline, self.allowed, self.now))
    }
}

/// The largest of 1, which fits, to `most` that does too; `None` if `most` is 0.
fn largest(most: u16, fits: impl Fn(u16) -> bool) -> Option<u16> {
    if most == 0 || fits(most) {
        return Some(most).filter(|&most| most > 0);
    }
    let (mut fitting, mut over) = (1, most);
    while over.saturating_sub(fitting) > 1 {
        let middle = fitting.midpoint(over);
        if fits(middle) { fitting = middle } else { over = middle }
    }
    Some(fitting)
}
