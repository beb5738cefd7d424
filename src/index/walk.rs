//! The answer to what asks for more than a budget: a walk over the models by μ, in blocks of which those that can't hold
//! the base are passed over.

use core::cmp::Reverse;

use crate::catalog::ModelId;
use crate::index::draw::{draw_by_rejection, draw_few};
use crate::index::order::{BLOCK, Block, Ordered};
use crate::index::staircase::{Method, Step};
use crate::profile::{Cost, Latency, Profile};
use crate::request::{Budget, Draw, NothingEligible, Price, Request};
use crate::select::explore::Window;
use crate::select::sample::{sample, sharpened};
use crate::select::utility::Terms;
use crate::select::value::Value;
use crate::select::{Decision, Reason, explores};
use crate::time::Micros;

/// A request among the models that may answer it.
pub(super) struct Walk<'a, const N: usize> {
    models: &'a Ordered<N>,
    request: &'a Request<'a>,
    any_model: bool,
    any_wait: bool,
}

/// What a value is made of, at hand.
#[derive(Clone, Copy, Debug)]
struct Asked {
    budget: Budget,
    price: Price,
    /// The price is of a µs alone, and of no more than 63 bits for the longest time.
    linear: bool,
    /// A shorter budget, and what it is worth more in parts per million.
    earlier: Option<Budget>,
    worth: u32,
}

/// The greatest value so far, and the place by μ of the model that has it.
#[derive(Clone, Copy, Debug)]
struct Best {
    value: Value,
    place: usize,
}

impl<'a, const N: usize> Walk<'a, N> {
    #[inline]
    pub(super) fn new(models: &'a Ordered<N>, request: &'a Request<'a>) -> Self {
        Self { models, request, any_model: request.any_model(), any_wait: !request.waits_nowhere() }
    }

    /// As [`decide`](crate::select::decide), where `step` is that of a budget.
    pub(super) fn decide<'s>(
        &self,
        step: impl FnOnce(Budget) -> Option<&'s Step>,
        draw: Draw,
    ) -> Result<Decision, NothingEligible> {
        let (request, budget) = (self.request, self.request.budget());
        if request.price().is_none() && !self.any_wait && request.earlier().is_none() {
            let Some(step) = step(budget) else { return self.fastest() };
            if self.eligible(step.base) {
                let model = match step.method {
                    Method::Certain => step.base,
                    _ => self.drawn_from(step.base, step.first.into(), step.count.into(), budget, draw),
                };
                return Ok(self.decision(step.base, model, budget));
            }
        }
        let Some(best) = self.base() else { return self.fastest() };
        let (base, terms) = self.at(best.place).unwrap_or_default();
        let budget = match request.earlier() {
            Some((earlier, _)) if terms.fits(earlier) => earlier,
            _ => budget,
        };
        let model = if explores(request) { self.drawn(base, &terms, budget, draw) } else { base };
        Ok(self.decision(base, model, budget))
    }

    fn decision(&self, base: ModelId, model: ModelId, budget: Budget) -> Decision {
        let reason = if model == base { Reason::Base } else { Reason::Explored };
        Decision { model, base: base.place(), reason, budget }
    }

    /// Stage 1, if anything fits.
    fn base(&self) -> Option<Best> {
        let asked = &Asked::by(self.request);
        let blocks = self.models.blocks.len();
        let mut best = None;
        if blocks == 1 {
            self.visit(asked, 0, &mut best);
            return best;
        }
        // That of the greatest bound first, so that most others can be passed over.
        let promising = (0..blocks).max_by_key(|&block| self.bound(asked, block))?;
        self.visit(asked, promising, &mut best);
        for block in 0..blocks {
            if block != promising && self.bound(asked, block) >= best.map(|best| best.value) {
                self.visit(asked, block, &mut best);
            }
        }
        best
    }

    /// No model of a block has a greater value; `None` if none fits.
    #[inline]
    fn bound(&self, asked: &Asked, block: usize) -> Option<Value> {
        let Block { accuracy, threshold, cost } = *self.models.blocks.get(block)?;
        // The least of them.
        let mean = self.models.terms.get(block.wrapping_mul(BLOCK))?.mean;
        let may = threshold <= asked.budget.time().get() as i32
            && accuracy >= self.request.min_accuracy().as_ppm()
            && self.request.affords(cost);
        may.then(|| Value::net(accuracy, asked.worth, asked.charge(mean, cost)))
    }

    /// Takes the models of a block into account, the slowest first: where they are more accurate, the others need not be
    /// looked at closely.
    #[inline(always)]
    fn visit(&self, asked: &Asked, block: usize, best: &mut Option<Best>) {
        let first = block.wrapping_mul(BLOCK);
        let end = self.models.terms.len().min(first.wrapping_add(BLOCK));
        let terms = self.models.terms.get(first..end).unwrap_or_default();
        let Some(ids) = self.models.catalog.order().get(first..).and_then(|ids| ids.get(..terms.len()))
        else {
            return;
        };
        let mut found = best.unwrap_or(Best { value: Value::LEAST, place: usize::MAX });
        // Who is less accurate has less value, whatever it is charged.
        let needed = |found: &Best| found.value.accuracy_at_least(asked.worth);
        let mut accuracy = needed(&found);
        let mut place = end;
        for (terms, &id) in terms.iter().zip(ids).rev() {
            place = place.wrapping_sub(1);
            if terms.accuracy < accuracy {
                continue;
            }
            let raised = self.raised(terms, id);
            if !raised.fits(asked.budget) || !self.eligible(id) {
                continue;
            }
            let value = asked.value(&self.models.profile(id), terms.mean, &raised);
            if value > found.value || value == found.value && self.before(place, found.place) {
                found = Best { value, place };
                accuracy = needed(&found);
            }
        }
        *best = Some(found).filter(|found| found.place != usize::MAX);
    }

    /// A model by its place, and its terms as the request sees them: its μ is raised by its wait.
    #[inline(always)]
    fn at(&self, place: usize) -> Option<(ModelId, Terms)> {
        let (terms, &id) = self.models.terms.get(place).zip(self.models.catalog.order().get(place))?;
        Some((id, self.raised(terms, id)))
    }

    #[inline(always)]
    fn raised(&self, terms: &Terms, id: ModelId) -> Terms {
        if self.any_wait { terms.later(self.request.wait(id)) } else { *terms }
    }

    /// Of equal values the smaller μ + γσ comes first, then the lower id.
    #[cold]
    fn before(&self, place: usize, other: usize) -> bool {
        let Some((other, others)) = self.at(other) else { return true };
        let (id, terms) = self.at(place).unwrap_or_default();
        let thresholds =
            terms.threshold.cmp(&others.threshold).then(terms.fraction.total_cmp(&others.fraction));
        thresholds.then(id.cmp(&other)).is_lt()
    }

    #[inline(always)]
    fn eligible(&self, id: ModelId) -> bool {
        self.any_model || self.among(id)
    }

    #[inline]
    fn among(&self, id: ModelId) -> bool {
        let known = || self.models.profile(id);
        self.request.allows(id)
            && known().accuracy >= self.request.min_accuracy()
            && (self.request.any_cost() || self.request.affords(known().cost))
    }

    /// Nothing fits.
    #[cold]
    fn fastest(&self) -> Result<Decision, NothingEligible> {
        let budget = self.request.budget();
        let eligible = (0..self.models.terms.len())
            .filter_map(|place| self.at(place))
            .filter(|(id, _)| self.eligible(*id));
        let fastest = eligible.min_by_key(|(id, terms)| (terms.mean, Reverse(terms.accuracy as u32), *id));
        let Some((id, terms)) = fastest else {
            return Err(NothingEligible::count(self.models.catalog.models(), self.request));
        };
        let reason = Reason::of_fastest(Micros::new(terms.mean.unsigned_abs()), budget);
        Ok(Decision { model: id, base: id.place(), reason, budget })
    }

    /// Stages 2 and 3 around a base.
    fn drawn(&self, base: ModelId, terms: &Terms, budget: Budget, draw: Draw) -> ModelId {
        let mean = Micros::new(terms.mean.unsigned_abs());
        let deviation = self.models.profile(base).latency.deviation;
        let window = Window::around(Latency { mean, deviation });
        // One that waits is in by a mean below the window, but not by more than the longest wait.
        let low = window.low.saturating_sub(self.request.longest_wait()).get() as i32;
        let first = self.models.terms.partition_point(|terms| terms.mean < low);
        let end = self.models.terms.partition_point(|terms| terms.mean <= window.high.get() as i32);
        if self.any_wait {
            let inside = |terms: &Terms| window.contains(Micros::new(terms.mean.unsigned_abs()));
            self.drawn_among(base, first, end.wrapping_sub(first), inside, budget, draw)
        } else {
            self.drawn_from(base, first, end.wrapping_sub(first), budget, draw)
        }
    }

    /// Stage 3 among the eligible of so many models from a place on.
    fn drawn_from(&self, base: ModelId, first: usize, count: usize, budget: Budget, draw: Draw) -> ModelId {
        self.drawn_among(base, first, count, |_| true, budget, draw)
    }

    #[inline(always)]
    fn drawn_among(
        &self,
        base: ModelId,
        first: usize,
        count: usize,
        inside: impl Fn(&Terms) -> bool,
        budget: Budget,
        draw: Draw,
    ) -> ModelId {
        let at = |place: usize| {
            self.at(first.wrapping_add(place)).filter(|(id, terms)| inside(terms) && self.eligible(*id))
        };
        let weighted = (0..count).filter_map(at).map(|(id, terms)| (id, terms.weight(budget)));
        let sharpness = self.models.policy.sharpness;
        if let Some(drawn) = draw_few(weighted.clone(), sharpness, draw) {
            return drawn.unwrap_or(base);
        }
        if !sharpness.is_paper() {
            return sample(sharpened(weighted, sharpness), draw).unwrap_or(base);
        }
        // None that fits is more accurate than the base.
        let bound = self.models.profile(base).accuracy.as_ppm() as f32;
        let terms = |place| at(place).map(|(_, terms)| terms);
        draw_by_rejection(count, terms, bound, budget, draw).and_then(at).map_or(base, |(id, _)| id)
    }
}

impl Asked {
    #[inline(always)]
    fn by(request: &Request<'_>) -> Self {
        let (budget, price, earlier) = (request.budget(), request.price(), request.earlier());
        let worth = earlier.map_or(0, |(_, worth)| worth.as_ppm());
        Self { budget, price, linear: price.is_linear(), earlier: earlier.map(|(budget, _)| budget), worth }
    }

    /// What stage 1 maximises; `mean` is μ in µs without a wait.
    #[inline(always)]
    fn value(&self, profile: &Profile, mean: i32, raised: &Terms) -> Value {
        let worth = if self.earlier.is_some_and(|budget| raised.fits(budget)) { self.worth } else { 0 };
        Value::net(profile.accuracy.as_ppm(), worth, self.charge(mean, profile.cost))
    }

    #[inline(always)]
    fn charge(&self, mean: i32, cost: Cost) -> u128 {
        let mean = mean.unsigned_abs();
        if self.linear {
            u128::from(self.price.per_micro.wrapping_mul(mean.into()))
        } else {
            self.price.of(Micros::new(mean), cost)
        }
    }
}
