//! Stage 1 for sixteen models side by side: what each is worth to a request, nearly, so that only what is in doubt has to
//! be compared exactly.

use crate::profile::{Accuracy, Cost};
use crate::request::Request;
use crate::select::utility::Terms;
use crate::select::value::Value;

/// So many are looked at side by side.
pub(super) const BLOCK: usize = 16;

/// What stage 1 needs to know of a model; or of several, none of which is better in any respect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    /// μ in µs.
    pub(super) mean: i32,
    /// μ + γσ in µs, rounded up.
    pub(super) threshold: i32,
    /// In parts per million.
    pub(super) accuracy: f32,
}

/// What a request asks of all models alike, on the scale of accuracy in parts per million.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// In µs.
    budget: i32,
    min_accuracy: f32,
    per_micro: f32,
    per_micro_squared: f32,
    per_cost: f32,
    /// By how many µs an earlier answer has to be earlier, and what it is worth more.
    earlier: i32,
    worth: f32,
}

/// Sixteen of them as a request sees them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// How much of the budget is left when the model is free, in µs; less than zero for one that may not answer. Less μ
    /// once they have been scored.
    left: [i32; BLOCK],
    /// What it is charged besides its time, less what it is worth more.
    charge: [f32; BLOCK],
    /// What each is worth: −∞ for one that may not answer or does not fit. The last bits are those of its lane, so that the
    /// greatest says whose it is.
    scores: [f32; BLOCK],
}

impl Asked {
    #[inline(always)]
    pub(super) fn by(request: &Request<'_>) -> Self {
        let (budget, price) = (request.budget().time(), request.price());
        let (earlier, worth) = request.earlier().unwrap_or((request.budget(), Accuracy::ZERO));
        let (micro, micro_squared) = (1.0 / (1u64 << 16) as f32, 1.0 / (1u64 << 48) as f32);
        Self {
            budget: budget.get() as i32,
            min_accuracy: request.min_accuracy().as_ppm() as f32,
            per_micro: price.per_micro as f32 * micro,
            per_micro_squared: price.per_micro_squared as f32 * micro_squared,
            per_cost: price.per_cost as f32 * micro,
            earlier: budget.saturating_sub(earlier.time()).get() as i32,
            worth: worth.as_ppm() as f32,
        }
    }
}

impl Seen {
    /// The least there is: a [`Value`] is no less, whatever it is charged.
    const LEAST: f32 = -((1u64 << 47) as f32);
    /// The bits of a score that hold a lane.
    const LANE: u32 = BLOCK as u32 - 1;

    /// Nothing is asked of one that is not asked of all.
    #[inline(always)]
    pub(super) const fn new(asked: &Asked) -> Self {
        Self { left: [asked.budget; BLOCK], charge: [0.0; BLOCK], scores: [f32::NEG_INFINITY; BLOCK] }
    }

    /// They have to be waited for so many µs.
    #[inline(always)]
    pub(super) fn wait(&mut self, waits: impl Iterator<Item = i32>) {
        for (left, wait) in self.left.iter_mut().zip(waits) {
            // Neither is negative. No budget is left where the wait is longer.
            *left = left.wrapping_sub(wait).max(0);
        }
    }

    /// Of these some may not answer.
    #[inline(always)]
    pub(super) fn rule_out(&mut self, may: impl Iterator<Item = bool>) {
        for (left, may) in self.left.iter_mut().zip(may) {
            // All bits set for one that may not. No branch: nothing foretells it.
            *left |= i32::from(may).wrapping_sub(1);
        }
    }

    /// They cost so much.
    #[inline(always)]
    pub(super) fn charge(&mut self, asked: &Asked, costs: impl Iterator<Item = Cost>) {
        for (charge, cost) in self.charge.iter_mut().zip(costs) {
            *charge += cost.0 as f32 * asked.per_cost;
        }
    }

    /// Some are done early enough to be worth more.
    #[inline(always)]
    pub(super) fn reward(&mut self, asked: &Asked, offers: impl Iterator<Item = Offer>) {
        for ((charge, left), offer) in self.charge.iter_mut().zip(&self.left).zip(offers) {
            if offer.threshold <= left.wrapping_sub(asked.earlier) {
                *charge -= asked.worth;
            }
        }
    }

    /// Whether the threshold of the model of a lane is on the border: as it is rounded up, it fits what is left or it does not.
    #[inline]
    pub(super) fn is_close(&self, asked: &Asked, lane: usize, terms: &Terms) -> bool {
        let Terms { mean, threshold, .. } = *terms;
        let left = self.left.get(lane).map_or(0, |left| left.wrapping_add(mean));
        threshold == left || threshold == left.wrapping_sub(asked.earlier)
    }

    /// What each is worth, when all else is known.
    #[inline(always)]
    pub(super) fn score(&mut self, asked: &Asked, offers: impl Iterator<Item = Offer>) {
        let Self { left, charge, scores } = self;
        let lanes = scores.iter_mut().zip(left).zip(charge).zip(0..BLOCK as u32);
        for ((((score, left), &mut charge), lane), offer) in lanes.zip(offers) {
            let mean = offer.mean as f32;
            let charge = charge + mean * (asked.per_micro + mean * asked.per_micro_squared);
            let net = offer.accuracy - charge;
            let net = if net > Self::LEAST { net } else { Self::LEAST };
            let may = (offer.threshold <= *left) & (offer.accuracy >= asked.min_accuracy);
            *score = if may { f32::from_bits(net.to_bits() & !Self::LANE | lane) } else { f32::NEG_INFINITY };
            *left = left.wrapping_sub(offer.mean);
        }
    }

    /// The greatest.
    #[inline(always)]
    pub(super) fn best(&self) -> f32 {
        let larger = |a: f32, b: f32| if a > b { a } else { b };
        let mut best = [f32::NEG_INFINITY; 4];
        for four in self.scores.as_chunks::<4>().0 {
            for (best, &score) in best.iter_mut().zip(four) {
                *best = larger(*best, score);
            }
        }
        let [a, b, c, d] = best;
        larger(larger(a, c), larger(b, d))
    }

    /// Whose score it is.
    #[inline(always)]
    pub(super) fn lane(score: f32) -> usize {
        (score.to_bits() & Self::LANE) as usize
    }

    /// Who has a lower score than this is worth less than one of that score. Both are off by no more than 7·2⁻²⁴ of what is
    /// charged, which is no more than 2·10⁶ and the score, and twice 33·2⁻²⁴ for the lane.
    #[inline(always)]
    pub(super) fn near(score: f32) -> f32 {
        score - (16.0 + score.abs() * (1.0 / 65_536.0))
    }

    /// How many have at least this score.
    #[inline(always)]
    pub(super) fn count(&self, least: f32) -> i32 {
        self.scores.iter().map(|&score| i32::from(score >= least)).fold(0, i32::wrapping_add)
    }

    /// How many have a score, and what is left less μ within so much of `left`.
    #[inline(always)]
    pub(super) fn count_within(&self, left: i32, deviation: i32) -> i32 {
        let within = self.scores.iter().zip(&self.left).map(|(&score, other)| {
            // Of those that have a score neither is negative, so that it does not wrap around.
            let apart = other.wrapping_sub(left);
            let within = (apart <= deviation) & (apart >= deviation.wrapping_neg());
            i32::from((score > f32::NEG_INFINITY) & within)
        });
        within.fold(0, i32::wrapping_add)
    }

    pub(super) fn scores(&self) -> impl Iterator<Item = f32> {
        self.scores.iter().copied()
    }

    /// That of a lane is not to be found again.
    #[inline(always)]
    pub(super) fn leave_out(&mut self, lane: usize) {
        if let Some(score) = self.scores.get_mut(lane) {
            *score = f32::NEG_INFINITY;
        }
    }

    pub(super) fn exactly(value: Value) -> f32 {
        value.get() as f32 / (1u64 << 16) as f32
    }
}
