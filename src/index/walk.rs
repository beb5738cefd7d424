//! The answer to what asks for more than a budget: a walk over the models by μ, in blocks of which those that can't hold
//! the base are passed over.

use core::cmp::Reverse;

use crate::catalog::{Model, ModelId};
use crate::index::columns::{Blocks, Columns};
use crate::index::draw::{FEW, draw_by_rejection, draw_few};
use crate::index::order::Ordered;
use crate::index::score::{
    Asked, BLOCK, Left, Offers, Scores, charge, is_close, reward, rule_out, wait, wait_one_by_one,
};
use crate::index::staircase::{Method, Step};
use crate::profile::{Cost, Latency};
use crate::request::{Budget, Draw, NothingEligible, Request};
use crate::select::explore::Window;
use crate::select::sample::{sample, sharpened};
use crate::select::threshold::Threshold;
use crate::select::utility::Terms;
use crate::select::value::{Eligible, Value};
use crate::select::{Decision, Reason, explores};
use crate::time::Micros;

/// So many models there are in sixteen blocks.
const SIXTEEN_BLOCKS: usize = BLOCK * BLOCK;

/// A request among the models that may answer it.
pub(super) struct Walk<'a, const N: usize> {
    models: &'a Ordered<N>,
    request: &'a Request<'a>,
}

/// The greatest score so far, and the place by μ of the model that has it.
#[derive(Clone, Copy, Debug)]
struct Best {
    score: f32,
    place: usize,
}

impl Best {
    /// There is no model at that place.
    const NONE: Self = Self { score: f32::NEG_INFINITY, place: usize::MAX };
}

impl<'a, const N: usize> Walk<'a, N> {
    #[inline]
    pub(super) fn new(models: &'a Ordered<N>, request: &'a Request<'a>) -> Self {
        Self { models, request }
    }

    /// As [`decide`](crate::select::decide), where `step` is that of a budget.
    pub(super) fn decide<'s>(
        &self,
        step: impl FnOnce(Budget) -> Option<&'s Step>,
        draw: Draw,
    ) -> Result<Decision, NothingEligible> {
        let (request, budget) = (self.request, self.request.budget());
        if request.prefers_nobody() {
            let Some(step) = step(budget) else { return self.fastest() };
            if self.may_answer(step.base) {
                let model = match step.method {
                    Method::Certain => step.base,
                    _ => self.drawn_on(step, draw),
                };
                return Ok(self.decision(step.base, model, budget));
            }
        }
        let explores = explores(request);
        let (best, alone) = if !(N <= BLOCK || self.models.catalog.len() <= BLOCK) {
            (self.best_of_blocks(&Asked::by(request)), false)
        } else if explores {
            self.best_of_few::<false>()
        } else {
            // Apart, so that nothing is worked out but what is asked.
            self.best_of_few::<true>()
        };
        let Some(&base) = self.models.catalog.order().get(best.place) else { return self.fastest() };
        let budget = match request.earlier() {
            Some((earlier, _)) if self.at(best.place).is_some_and(|(_, terms)| terms.fits(earlier)) => {
                earlier
            }
            _ => budget,
        };
        let model = if alone || !explores { base } else { self.drawn(base, best.place, budget, draw) };
        Ok(self.decision(base, model, budget))
    }

    fn decision(&self, base: ModelId, model: ModelId, budget: Budget) -> Decision {
        let reason = if model == base { Reason::Base } else { Reason::Explored };
        Decision { model, base: base.place(), reason, budget }
    }

    /// Stage 1 where there is one block; and whether no other model is in the window around the base, if known.
    #[inline(always)]
    fn best_of_few<const PRICED: bool>(&self) -> (Best, bool) {
        let left = self.left(0);
        let asked = &Asked::<PRICED>::by(self.request);
        let scores = self.see(asked, 0, &left);
        let best = self.better(asked, (&left, &scores), 0, Best::NONE);
        (best, !PRICED && self.is_alone(&left, &scores, best))
    }

    /// Stage 1 where there are several blocks. They are looked at sixteen together, the slowest first, and then the best of
    /// them, until none can have a model that is worth more.
    #[inline(never)]
    fn best_of_blocks(&self, asked: &Asked<true>) -> Best {
        let mut best = Best::NONE;
        for sixteen in (0..self.models.catalog.len().div_ceil(SIXTEEN_BLOCKS)).rev() {
            let Some(mut bounds) = self.see_blocks(asked, sixteen) else { break };
            loop {
                let bound = bounds.best();
                if bound <= Scores::near::<true>(best.score) {
                    break;
                }
                let lane = Scores::lane(bound);
                bounds.leave_out(lane);
                let block = sixteen.wrapping_mul(BLOCK).wrapping_add(lane);
                let left = self.left(block);
                best = self.better(asked, (&left, &self.see(asked, block, &left)), block, best);
            }
        }
        best
    }

    /// Sixteen blocks: what their models are worth at most.
    #[inline(always)]
    fn see_blocks(&self, asked: &Asked<true>, sixteen: usize) -> Option<Scores> {
        let Ordered { blocks: Blocks { accuracy, threshold, cost }, terms: Columns { mean, .. }, .. } =
            self.models;
        let accuracy = accuracy.as_chunks::<BLOCK>().0.get(sixteen)?;
        let threshold = threshold.as_chunks::<BLOCK>().0.get(sixteen)?;
        let cost = cost.as_chunks::<BLOCK>().0.get(sixteen)?;
        let mut means = [0; BLOCK];
        let (whole, rest) = mean.as_chunks::<SIXTEEN_BLOCKS>();
        let least = |means: &mut [i32; BLOCK], from: &[i32]| {
            means.iter_mut().zip(from.iter().step_by(BLOCK)).for_each(|(mean, first)| *mean = *first);
        };
        match whole.get(sixteen) {
            // Apart, so that the compiler knows how many there are.
            Some(whole) => least(&mut means, whole),
            None => least(&mut means, rest),
        }
        let mut left = self.left_of_all();
        let costs = cost.iter().copied();
        if !self.request.any_cost() {
            rule_out(&mut left, costs.clone().map(|cost| self.request.affords(cost)));
        }
        Some(self.score(asked, &left, costs, Offers { mean: &means, threshold, accuracy }))
    }

    /// What is asked of models and of blocks alike.
    #[inline(always)]
    fn score<const PRICED: bool>(
        &self,
        asked: &Asked<PRICED>,
        left: &Left,
        costs: impl Iterator<Item = Cost>,
        offers: Offers<'_>,
    ) -> Scores {
        let mut charges = [0.0; BLOCK];
        if PRICED && self.request.price().per_cost > 0 {
            charge(&mut charges, asked, costs);
        }
        if self.request.earlier().is_some() {
            reward(&mut charges, asked, left, offers.threshold);
        }
        Scores::new(asked, left, &charges, offers)
    }

    /// The models of a block.
    #[inline(always)]
    fn see<const PRICED: bool>(&self, asked: &Asked<PRICED>, block: usize, left: &Left) -> Scores {
        let Columns { mean, threshold, accuracy, .. } = &self.models.terms;
        let ((mean, rest), (threshold, thresholds), (accuracy, accuracies)) =
            (mean.as_chunks::<BLOCK>(), threshold.as_chunks::<BLOCK>(), accuracy.as_chunks::<BLOCK>());
        match (mean.get(block), threshold.get(block), accuracy.get(block)) {
            // Apart, so that the compiler knows how many there are.
            (Some(mean), Some(threshold), Some(accuracy)) => {
                self.see_models(asked, block, left, Offers { mean, threshold, accuracy })
            }
            _ => {
                let rest = Offers { mean: rest, threshold: thresholds, accuracy: accuracies };
                self.see_models(asked, block, left, rest)
            }
        }
    }

    #[inline(always)]
    fn see_models<const PRICED: bool>(
        &self,
        asked: &Asked<PRICED>,
        block: usize,
        left: &Left,
        offers: Offers<'_>,
    ) -> Scores {
        let costs = self.ids(block).iter().map(|&id| self.models.profile(id).cost);
        self.score(asked, left, costs, offers)
    }

    /// The ids from a block on.
    #[inline(always)]
    fn ids(&self, block: usize) -> &[ModelId] {
        self.models.catalog.order().get(block.wrapping_mul(BLOCK)..).unwrap_or_default()
    }

    /// What is left where nothing is asked of single models.
    #[inline(always)]
    fn left_of_all(&self) -> Left {
        [self.request.budget().time().get() as i32; BLOCK]
    }

    /// What is left for each of a block.
    #[inline(always)]
    fn left(&self, block: usize) -> Left {
        let (request, ids) = (self.request, self.ids(block));
        let mut left = self.left_of_all();
        if !request.waits().is_empty() {
            left = match ids.get(..N.min(BLOCK)) {
                // Apart, so that the compiler knows how many there are.
                Some(ids) => wait(left, ids, request.waits()),
                None => wait_one_by_one(left, ids, 0, request.waits()),
            };
        }
        if request.allows_all() && request.any_cost() { left } else { self.narrowed(left, ids) }
    }

    /// Less than zero for those that may not answer. Not inline: where all may, what is left would pass through it one by one.
    #[inline(never)]
    fn narrowed(&self, mut left: Left, ids: &[ModelId]) -> Left {
        let (request, ids) = (self.request, ids.iter().copied());
        if !request.allows_all() {
            rule_out(&mut left, ids.clone().map(|id| request.allows(id)));
        }
        if !request.any_cost() {
            rule_out(&mut left, ids.map(|id| request.affords(self.models.profile(id).cost)));
        }
        left
    }

    /// The best of a block, if it is better than the best before.
    #[inline(always)]
    fn better<const PRICED: bool>(
        &self,
        asked: &Asked<PRICED>,
        (left, scores): (&Left, &Scores),
        block: usize,
        best: Best,
    ) -> Best {
        let score = scores.best();
        let (near, least) = (Scores::near::<PRICED>(score), Scores::near::<PRICED>(best.score));
        if score <= least {
            return best;
        }
        let lane = Scores::lane(score);
        let first = block.wrapping_mul(BLOCK);
        let place = first.wrapping_add(lane);
        let threshold = self.models.terms.threshold.get(place);
        let close = threshold
            .zip(left.get(lane))
            .is_none_or(|(&threshold, &left)| is_close(asked.earlier, left, threshold));
        if best.score < near && !close && scores.count(near) == 1 {
            Best { score, place }
        } else {
            self.compare(*scores, first, if close { least } else { least.max(near) }, best)
        }
    }

    /// The best of those of a block whose score is above `least`, and the best before, where it is a close thing.
    #[cold]
    #[inline(never)]
    fn compare(&self, scores: Scores, first: usize, least: f32, mut best: Best) -> Best {
        let mut found = self.standing(best.place);
        for (place, score) in (first..).zip(scores.scores()) {
            if score > least
                && let Some(standing) = self.standing(place)
                && found.is_none_or(|found| standing < found)
            {
                found = Some(standing);
                best = Best { score: Scores::exactly(standing.0.0), place };
            }
        }
        best
    }

    /// Where a model stands in Eq. 1, the first the best; `None` if it may not be the base.
    fn standing(&self, place: usize) -> Option<(Reverse<Value>, Threshold, ModelId)> {
        let id = *self.models.catalog.order().get(place)?;
        let model = Model { id, profile: self.models.profile(id) };
        let margin = self.models.policy.margin;
        let Eligible { model: waiting, value } = Eligible::new(model, self.request, margin);
        let threshold = Threshold::new(waiting.profile.latency, margin);
        let may = threshold.fits(self.request.budget()) && self.request.exclusion(&model).is_none();
        may.then_some((Reverse(value), threshold, id))
    }

    /// A model by its place, and its terms as the request sees them: its μ is raised by its wait.
    #[inline(always)]
    fn at(&self, place: usize) -> Option<(ModelId, Terms)> {
        let (terms, &id) = self.models.terms.get(place).zip(self.models.catalog.order().get(place))?;
        Some((id, if self.request.waits().is_empty() { terms } else { terms.later(self.request.wait(id)) }))
    }

    #[inline(always)]
    fn may_answer(&self, id: ModelId) -> bool {
        let request = self.request;
        request.allows(id)
            && (request.min_accuracy().as_ppm() == 0
                || self.models.profile(id).accuracy >= request.min_accuracy())
            && (request.any_cost() || request.affords(self.models.profile(id).cost))
    }

    /// Nothing fits.
    #[cold]
    fn fastest(&self) -> Result<Decision, NothingEligible> {
        let budget = self.request.budget();
        let eligible = (0..self.models.catalog.len())
            .filter_map(|place| self.at(place))
            .filter(|(id, _)| self.may_answer(*id));
        let fastest = eligible.min_by_key(|(id, terms)| (terms.mean, Reverse(terms.accuracy as u32), *id));
        let Some((id, terms)) = fastest else {
            return Err(NothingEligible::count(self.models.catalog.models(), self.request));
        };
        let reason = Reason::of_fastest(Micros::new(terms.mean.unsigned_abs()), budget);
        Ok(Decision { model: id, base: id.place(), reason, budget })
    }

    /// Stage 3 on a step.
    #[inline(always)]
    fn drawn_on(&self, step: &Step, draw: Draw) -> ModelId {
        let (first, count) = (usize::from(step.first), usize::from(step.count));
        let budget = self.request.budget();
        let bound = || self.models.terms.get(first).map_or(0.0, |first| step.bound.at(&first, budget));
        self.drawn_among(step.base, (first, count), |_| true, bound, budget, draw)
    }

    /// Whether no other model is in the window around the base, where it is among those seen.
    #[inline(always)]
    fn is_alone(&self, left: &Left, scores: &Scores, best: Best) -> bool {
        let Some(base) = self.models.catalog.order().get(best.place) else { return false };
        let deviation = self.models.profile(*base).latency.deviation.get() as i32;
        scores.count_within(left, &self.models.terms.mean, best.place, deviation) == 1
    }

    /// Stages 2 and 3 around a base.
    #[inline(never)]
    fn drawn(&self, base: ModelId, place: usize, budget: Budget, draw: Draw) -> ModelId {
        let mean = self.at(place).map_or(0, |(_, terms)| terms.mean);
        let mean = Micros::new(mean.unsigned_abs());
        let window = Window::around(Latency { mean, deviation: self.models.profile(base).latency.deviation });
        let (low, high) = (window.low.get() as i32, window.high.get() as i32);
        // One that waits is in by a mean below the window, but not by more than the longest wait.
        let least = low.wrapping_sub(self.request.no_wait_above().get() as i32);
        let means = self.models.means();
        let first = means.partition_point(|&mean| mean < least);
        let end = means.partition_point(|&mean| mean <= high);
        let inside = |terms: &Terms| low <= terms.mean && terms.mean <= high;
        // None that fits is more accurate than the base.
        let bound = || self.models.profile(base).accuracy.as_ppm() as f32;
        self.drawn_among(base, (first, end.wrapping_sub(first)), inside, bound, budget, draw)
    }

    /// Stage 3 among the eligible of so many models from a place on.
    #[inline(always)]
    fn drawn_among(
        &self,
        base: ModelId,
        (first, count): (usize, usize),
        inside: impl Fn(&Terms) -> bool,
        bound: impl FnOnce() -> f32,
        budget: Budget,
        draw: Draw,
    ) -> ModelId {
        let at = |place: usize| {
            self.at(first.wrapping_add(place)).filter(|(id, terms)| inside(terms) && self.may_answer(*id))
        };
        let sharpness = self.models.policy.sharpness;
        let weighted = (0..count).filter_map(at).map(|(id, terms)| (id, terms.weight(budget)));
        if !self.are_many(count, at)
            && let Some(drawn) = draw_few(weighted.clone(), sharpness, draw)
        {
            return drawn.unwrap_or(base);
        }
        if !sharpness.is_paper() {
            return sample(sharpened(weighted, sharpness), draw).unwrap_or(base);
        }
        let terms = |place| at(place).map(|(_, terms)| terms);
        draw_by_rejection(count, terms, bound(), budget, draw).and_then(at).map_or(base, |(id, _)| id)
    }

    /// Whether more than a few may be drawn.
    #[inline(always)]
    fn are_many<T>(&self, count: usize, at: impl Fn(usize) -> Option<T>) -> bool {
        if self.request.waits().is_empty() {
            count > FEW && (0..count).filter_map(at).nth(FEW).is_some()
        } else {
            // The slowest first: few of those that have to wait long to be in are in.
            count > 4 * FEW && (0..count).rev().filter_map(at).nth(FEW).is_some()
        }
    }
}
