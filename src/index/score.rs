//! Stage 1 for sixteen models side by side: what each is worth to a request, nearly, so that only what is in doubt has to
//! be compared exactly.

use crate::catalog::ModelId;
use crate::profile::{Accuracy, Cost};
use crate::request::Request;
use crate::select::value::Value;
use crate::time::Micros;

/// So many are looked at side by side.
pub(super) const BLOCK: usize = 16;

/// What stage 1 needs to know of models; or of several in each lane, none of which is better in any respect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offers<'a> {
    /// μ in µs.
    pub(super) mean: &'a [i32],
    /// μ + γσ in µs, rounded up.
    pub(super) threshold: &'a [i32],
    /// In parts per million.
    pub(super) accuracy: &'a [f32],
}

/// What a request asks of all models alike, on the scale of accuracy in parts per million; of one that has no price it is
/// known beforehand, so that nothing is worked out for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<const PRICED: bool> {
    min_accuracy: f32,
    per_micro: f32,
    per_micro_squared: f32,
    per_cost: f32,
    /// By how many µs an earlier answer has to be earlier, and what it is worth more.
    pub(super) earlier: i32,
    worth: f32,
}

/// How much of the budget is left when each model is free, in µs; less than zero for one that may not answer.
pub(super) type Left = [i32; BLOCK];

/// What sixteen of them are worth to a request: −∞ for one that may not answer or does not fit. The last bits of a score are
/// those of its lane, so that the greatest says whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scores([f32; BLOCK]);

impl<const PRICED: bool> Asked<PRICED> {
    #[inline(always)]
    pub(super) fn by(request: &Request<'_>) -> Self {
        let (budget, price) = (request.budget().time(), request.price());
        let (earlier, worth) = request.earlier().unwrap_or((request.budget(), Accuracy::ZERO));
        let (micro, micro_squared) = (1.0 / (1u64 << 16) as f32, 1.0 / (1u64 << 48) as f32);
        Self {
            min_accuracy: request.min_accuracy().as_ppm() as f32,
            per_micro: price.per_micro as f32 * micro,
            per_micro_squared: price.per_micro_squared as f32 * micro_squared,
            per_cost: price.per_cost as f32 * micro,
            earlier: budget.saturating_sub(earlier.time()).get() as i32,
            worth: worth.as_ppm() as f32,
        }
    }
}

/// They have to be waited for: four at once, as long as there is a wait for each.
#[inline(always)]
pub(super) fn wait(mut left: Left, ids: &[ModelId], waits: &[Micros]) -> Left {
    let mut done: usize = 0;
    for (left, ids) in left.as_chunks_mut::<4>().0.iter_mut().zip(ids.as_chunks::<4>().0) {
        let Some(waits) = wait_of_four(ids, waits) else { break };
        left.iter_mut().zip(waits).for_each(take);
        done = done.wrapping_add(ids.len());
    }
    if done < ids.len() { wait_one_by_one(left, ids, done, waits) } else { left }
}

/// The same from a place on, where some may not have to be waited for.
#[inline(never)]
pub(super) fn wait_one_by_one(mut left: Left, ids: &[ModelId], from: usize, waits: &[Micros]) -> Left {
    let waits = ids.iter().map(|id| waits.get(id.index()).copied().unwrap_or(Micros::ZERO));
    left.iter_mut().zip(waits).skip(from).for_each(take);
    left
}

fn take((left, wait): (&mut i32, Micros)) {
    // Neither is negative. Less than zero is left where the wait is longer.
    *left = left.wrapping_sub(wait.get() as i32);
}

#[inline(always)]
fn wait_of_four([a, b, c, d]: &[ModelId; 4], waits: &[Micros]) -> Option<[Micros; 4]> {
    let wait = |id: &ModelId| waits.get(id.index()).copied();
    Some([wait(a)?, wait(b)?, wait(c)?, wait(d)?])
}

/// Of these some may not answer.
#[inline(always)]
pub(super) fn rule_out(left: &mut Left, may: impl Iterator<Item = bool>) {
    for (left, may) in left.iter_mut().zip(may) {
        // All bits set for one that may not. No branch: nothing foretells it.
        *left |= i32::from(may).wrapping_sub(1);
    }
}

/// They cost so much.
#[inline(always)]
pub(super) fn charge<const PRICED: bool>(
    charges: &mut [f32; BLOCK],
    asked: &Asked<PRICED>,
    costs: impl Iterator<Item = Cost>,
) {
    for (charge, cost) in charges.iter_mut().zip(costs) {
        *charge += cost.0 as f32 * asked.per_cost;
    }
}

/// Some are done early enough to be worth more.
#[inline(always)]
pub(super) fn reward<const PRICED: bool>(
    charges: &mut [f32; BLOCK],
    asked: &Asked<PRICED>,
    left: &Left,
    thresholds: &[i32],
) {
    for ((charge, &left), &threshold) in charges.iter_mut().zip(left).zip(thresholds) {
        if threshold <= left.max(0).wrapping_sub(asked.earlier) {
            *charge -= asked.worth;
        }
    }
}

/// Whether the threshold of a model is on the border: as it is rounded up, it fits what is left or it does not.
#[inline(always)]
pub(super) fn is_close(earlier: i32, left: i32, threshold: i32) -> bool {
    threshold == left || threshold == left.wrapping_sub(earlier)
}

impl Scores {
    /// The least there is: a [`Value`] is no less, whatever it is charged.
    const LEAST: f32 = -((1u64 << 47) as f32);
    /// The bits of a score that hold a lane.
    const LANE: u32 = BLOCK as u32 - 1;

    /// What each is worth: one that is charged so much besides its time.
    #[inline(always)]
    pub(super) fn new<const PRICED: bool>(
        asked: &Asked<PRICED>,
        left: &Left,
        charges: &[f32; BLOCK],
        offers: Offers<'_>,
    ) -> Self {
        let mut scores = [f32::NEG_INFINITY; BLOCK];
        let Offers { mean, threshold, accuracy } = offers;
        let lanes = scores.iter_mut().zip(left).zip(charges).zip(0..BLOCK as u32);
        let offers = mean.iter().zip(threshold).zip(accuracy);
        for ((((of_lane, left), &charge), lane), ((&mean, threshold), &accuracy)) in lanes.zip(offers) {
            let net = if PRICED {
                let mean = mean as f32;
                let net = accuracy - (charge + mean * (asked.per_micro + mean * asked.per_micro_squared));
                if net > Self::LEAST { net } else { Self::LEAST }
            } else {
                accuracy - charge
            };
            // By bits, which the compiler does for four at once.
            let fits = i32::from(threshold <= left).wrapping_neg() as u32;
            let accurate = i32::from(accuracy >= asked.min_accuracy).wrapping_neg() as u32;
            let may = fits & accurate;
            let (score, none) = (net.to_bits() & !Self::LANE | lane, f32::NEG_INFINITY.to_bits());
            *of_lane = f32::from_bits(score & may | none & !may);
        }
        Self(scores)
    }

    /// The greatest.
    #[inline(always)]
    pub(super) fn best(&self) -> f32 {
        let larger = |a: f32, b: f32| if a > b { a } else { b };
        let mut best = [f32::NEG_INFINITY; 4];
        for four in self.0.as_chunks::<4>().0 {
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
    /// charged, which is no more than 2·10⁶ and the score, and twice 33·2⁻²⁴ for the lane: up to 4 where there is no price.
    #[inline(always)]
    pub(super) fn near<const PRICED: bool>(score: f32) -> f32 {
        score - if PRICED { 16.0 + score.abs() * (1.0 / 65_536.0) } else { 16.0 }
    }

    /// How many have at least this score.
    #[inline(always)]
    pub(super) fn count(&self, least: f32) -> i32 {
        self.0.iter().map(|&score| i32::from(score >= least)).fold(0, i32::wrapping_add)
    }

    /// How many are done no further than the deviation from when that of a lane is; one that does not fit may be among them.
    #[inline(always)]
    pub(super) fn count_within(&self, left: &Left, means: &[i32], lane: usize, deviation: i32) -> i32 {
        let spare = |(left, mean): (&i32, &i32)| left.wrapping_sub(*mean);
        let own = left.get(lane).zip(means.get(lane)).map_or(0, spare);
        // Neither is negative.
        let high = (own as u32).wrapping_add(deviation as u32).min(i32::MAX as u32);
        let (low, high) = (own.wrapping_sub(deviation), high as i32);
        let within = left.iter().zip(means).map(|other| {
            let spare = spare(other);
            i32::from((low <= spare) & (spare <= high))
        });
        within.fold(0, i32::wrapping_add)
    }

    pub(super) fn scores(&self) -> impl Iterator<Item = f32> {
        self.0.iter().copied()
    }

    /// That of a lane is not to be found again.
    #[inline(always)]
    pub(super) fn leave_out(&mut self, lane: usize) {
        if let Some(score) = self.0.get_mut(lane) {
            *score = f32::NEG_INFINITY;
        }
    }

    pub(super) fn exactly(value: Value) -> f32 {
        value.get() as f32 / (1u64 << 16) as f32
    }
}
