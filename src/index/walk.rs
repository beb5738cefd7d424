//! The answer to what asks for more than a budget: a walk over the models by μ, in blocks of which those that can't hold
//! the base are passed over.

use core::cmp::Reverse;

use crate::catalog::ModelId;
use crate::index::draw::draw_few;
use crate::index::order::{BLOCK, Ordered};
use crate::profile::{Accuracy, Cost, Latency};
use crate::request::{Budget, Draw, NothingEligible, Price, Request};
use crate::select::explore::Window;
use crate::select::sample::{sample, sharpened};
use crate::select::utility::Terms;
use crate::select::value::Value;
use crate::select::{Decision, Reason, explores};
use crate::time::Micros;

/// A request among the models that may answer it, its terms at hand.
pub(super) struct Walk<'a, const N: usize> {
    models: &'a Ordered<N>,
    request: &'a Request<'a>,
    budget: Budget,
    price: Price,
    /// Whether time or cost has a price.
    priced: bool,
    /// The shorter budget and what it is worth more.
    earlier: Option<(Budget, Accuracy)>,
    /// In parts per million.
    min_accuracy: f32,
    any_cost: bool,
    any_wait: bool,
}

/// A model as the request sees it: its μ is raised by its wait.
#[derive(Clone, Copy, Debug)]
struct Seen {
    id: ModelId,
    terms: Terms,
    /// μ in µs, not raised.
    mean: i32,
}

impl<'a, const N: usize> Walk<'a, N> {
    #[inline]
    pub(super) fn new(models: &'a Ordered<N>, request: &'a Request<'a>) -> Self {
        Self {
            models,
            request,
            budget: request.budget(),
            price: request.price(),
            priced: !request.price().is_none(),
            earlier: request.earlier(),
            min_accuracy: request.min_accuracy().as_ppm() as f32,
            any_cost: request.any_cost(),
            any_wait: !request.waits_nowhere(),
        }
    }

    /// As [`decide`](crate::select::decide), where `plain` is the base for the budget alone.
    pub(super) fn decide(&self, plain: Option<ModelId>, draw: Draw) -> Result<Decision, NothingEligible> {
        let Some(base) = self.base(plain) else { return self.fastest() };
        let earlier =
            self.request.earlier().map(|(budget, _)| budget).filter(|&budget| base.terms.fits(budget));
        let budget = earlier.unwrap_or(self.request.budget());
        let model = if explores(self.request) { self.drawn(&base, budget, draw) } else { base.id };
        let reason = if model == base.id { Reason::Base } else { Reason::Explored };
        Ok(Decision { model, base: base.id.place(), reason, budget })
    }

    /// Stage 1, if anything fits.
    fn base(&self, plain: Option<ModelId>) -> Option<Seen> {
        // What fits no budget without its wait fits none with it.
        let id = plain?;
        if !self.priced && !self.any_wait && self.earlier.is_none() {
            let terms = Terms::new(&self.models.profile(id), self.models.policy.margin);
            let seen = Seen { id, terms, mean: terms.mean };
            if self.eligible(&seen) {
                return Some(seen);
            }
        }
        if self.models.blocks.len() == 1 {
            let mut best = None;
            self.visit(0, &mut best);
            return best.map(|(_, seen)| seen);
        }
        let mut best = None;
        let promising = self.most_promising()?;
        self.visit(promising, &mut best);
        for block in 0..self.models.blocks.len() {
            if block != promising && self.bound(block) >= best.map(|(value, _)| value) {
                self.visit(block, &mut best);
            }
        }
        best.map(|(_, seen)| seen)
    }

    /// The block of the greatest bound.
    fn most_promising(&self) -> Option<usize> {
        (0..self.models.blocks.len()).max_by_key(|&block| self.bound(block))
    }

    /// No model of a block has a greater value; `None` if none fits.
    fn bound(&self, block: usize) -> Option<Value> {
        let (first, block) =
            (self.models.terms.get(block.wrapping_mul(BLOCK))?, self.models.blocks.get(block)?);
        if block.threshold > self.budget.time().get() as i32 {
            return None;
        }
        let worth = self.earlier.map_or(0, |(_, worth)| worth.as_ppm());
        Some(Value::net(block.accuracy, worth, self.charge(first.mean, Cost(0))))
    }

    /// Takes the models of a block into account.
    #[inline(always)]
    fn visit(&self, block: usize, best: &mut Option<(Value, Seen)>) {
        let first = block.wrapping_mul(BLOCK);
        for seen in self.seen(first, first.wrapping_add(BLOCK)) {
            if !seen.terms.fits(self.budget) || !self.eligible(&seen) {
                continue;
            }
            let value = self.value(&seen);
            if best
                .is_none_or(|(greatest, other)| value > greatest || value == greatest && seen.before(&other))
            {
                *best = Some((value, seen));
            }
        }
    }

    /// The models from a place in the order by μ up to another, as far as any is below the budget.
    #[inline(always)]
    fn seen(&self, from: usize, to: usize) -> impl Iterator<Item = Seen> + Clone + '_ {
        let Ordered { catalog, terms, .. } = self.models;
        let to = to.min(terms.len());
        let terms = terms.get(from..to).unwrap_or_default();
        let ids = catalog.order().get(from..to).unwrap_or_default();
        terms.iter().zip(ids).map(|(&terms, &id)| {
            let mean = terms.mean;
            Seen { id, terms: if self.any_wait { terms.later(self.request.wait(id)) } else { terms }, mean }
        })
    }

    #[inline(always)]
    fn eligible(&self, seen: &Seen) -> bool {
        self.request.allows(seen.id)
            && seen.terms.accuracy >= self.min_accuracy
            && (self.any_cost || self.request.affords(self.models.profile(seen.id).cost))
    }

    #[inline(always)]
    fn value(&self, seen: &Seen) -> Value {
        let worth = match self.earlier {
            Some((budget, worth)) if seen.terms.fits(budget) => worth.as_ppm(),
            _ => 0,
        };
        let cost = if self.price.per_cost == 0 { Cost(0) } else { self.models.profile(seen.id).cost };
        Value::net(seen.terms.accuracy as u32, worth, self.charge(seen.mean, cost))
    }

    #[inline(always)]
    fn charge(&self, mean: i32, cost: Cost) -> u128 {
        if self.priced { self.price.of(Micros::new(mean.unsigned_abs()), cost) } else { 0 }
    }

    /// Nothing fits.
    #[cold]
    fn fastest(&self) -> Result<Decision, NothingEligible> {
        let budget = self.budget;
        let eligible = self.seen(0, usize::MAX).filter(|seen| self.eligible(seen));
        let accuracy = |seen: &Seen| seen.terms.accuracy as u32;
        let fastest = eligible.min_by_key(|seen| (seen.terms.mean, Reverse(accuracy(seen)), seen.id));
        let Some(Seen { id, terms, .. }) = fastest else {
            return Err(NothingEligible::count(self.models.catalog.models(), self.request));
        };
        let reason = Reason::of_fastest(Micros::new(terms.mean.unsigned_abs()), budget);
        Ok(Decision { model: id, base: id.place(), reason, budget })
    }

    /// Stages 2 and 3.
    fn drawn(&self, base: &Seen, budget: Budget, draw: Draw) -> ModelId {
        let Ordered { policy, terms, .. } = self.models;
        let mean = Micros::new(base.terms.mean.unsigned_abs());
        let deviation = self.models.profile(base.id).latency.deviation;
        let window = Window::around(Latency { mean, deviation });
        // One that waits is in by a mean below the window, but not by more than the longest wait.
        let low = window.low.saturating_sub(self.request.longest_wait()).get() as i32;
        let from = terms.partition_point(|terms| terms.mean < low);
        let to = terms.partition_point(|terms| terms.mean <= window.high.get() as i32);
        let inside = |seen: &Seen| window.contains(Micros::new(seen.terms.mean.unsigned_abs()));
        let set = self.seen(from, to).filter(|seen| inside(seen) && self.eligible(seen));
        let weighted = set.map(|seen| (seen.id, seen.terms.weight(budget)));
        let drawn = match draw_few(weighted.clone(), policy.sharpness, draw) {
            Some(drawn) => drawn,
            None => sample(sharpened(weighted, policy.sharpness), draw),
        };
        drawn.unwrap_or(base.id)
    }
}

impl Seen {
    /// Of equal values the smaller μ + γσ comes first, then the lower id.
    fn before(&self, other: &Self) -> bool {
        let (Self { id, terms, .. }, Self { id: other, terms: others, .. }) = (self, other);
        let thresholds =
            terms.threshold.cmp(&others.threshold).then(terms.fraction.total_cmp(&others.fraction));
        thresholds.then(id.cmp(other)).is_lt()
    }
}
