//! Stage 3 among few models, whose utilities are worked out side by side: the same weights, summed in the same order, as
//! by [`sample`](crate::select::sample::sample).

use crate::catalog::ModelId;
use crate::index::integer;
use crate::request::{Budget, Draw};
use crate::select::sample::unit;
use crate::select::utility::Terms;

/// Up to four models. A lane without one has an accuracy of zero, and so no weight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Lanes {
    mean: [i32; Self::COUNT],
    threshold: [i32; Self::COUNT],
    fraction: [f32; Self::COUNT],
    accuracy: [f32; Self::COUNT],
    ids: [ModelId; Self::COUNT],
}

impl Lanes {
    pub(super) const COUNT: usize = 4;

    /// No model yet: then it is `base`.
    pub(super) const fn of_none(base: ModelId) -> Self {
        Self { mean: [0; 4], threshold: [0; 4], fraction: [0.0; 4], accuracy: [0.0; 4], ids: [base; 4] }
    }

    /// Puts a model into a lane, if there is one of this number.
    #[expect(clippy::indexing_slicing, reason = "a lane is below four")]
    pub(super) fn put(&mut self, lane: usize, terms: Terms, id: ModelId) {
        if lane < Self::COUNT {
            self.mean[lane] = terms.mean;
            self.threshold[lane] = terms.threshold;
            self.fraction[lane] = terms.fraction;
            self.accuracy[lane] = terms.accuracy;
            self.ids[lane] = id;
        }
    }

    /// Where only the first two lanes have models.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "a lane is below two")]
    pub(super) fn draw_of_two(&self, budget: Budget, draw: Draw) -> ModelId {
        if integer::PAYS
            && let Some(second) = integer::second_of_two([self.terms(0), self.terms(1)], budget, draw)
        {
            return self.ids[usize::from(second)];
        }
        let [first, second] = self.weights(budget);
        let target = unit(draw) * (first + second);
        // By a place, since nothing foretells a branch.
        self.ids[usize::from(first <= target)]
    }

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "a lane is below four, and the compiler knows")]
    pub(super) fn draw_of_four(&self, budget: Budget, draw: Draw, base: ModelId) -> ModelId {
        let weights: [f32; Self::COUNT] = self.weights(budget);
        let [first, second, third, fourth] = weights;
        let two = first + second;
        let three = two + third;
        let target = unit(draw) * (three + fourth);
        let past = |sum: f32| usize::from(sum <= target);
        let lane = past(first).wrapping_add(past(two)).wrapping_add(past(three)) & (Self::COUNT - 1);
        // Always so. Reading the weight back has the compiler keep all four in one register.
        if weights[lane] > 0.0 { self.ids[lane] } else { base }
    }

    #[inline(always)]
    fn weights<const FIRST: usize>(&self, budget: Budget) -> [f32; FIRST] {
        core::array::from_fn(|lane| self.terms(lane).weight(budget))
    }

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "a lane is below four, and the compiler knows")]
    fn terms(&self, lane: usize) -> Terms {
        Terms {
            mean: self.mean[lane],
            threshold: self.threshold[lane],
            fraction: self.fraction[lane],
            accuracy: self.accuracy[lane],
        }
    }
}
