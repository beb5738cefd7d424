//! Stage 3 among few models, whose utilities are worked out side by side: the same weights, summed in the same order, as
//! by [`sample`](crate::select::sample::sample).

use crate::catalog::ModelId;
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

    /// The first of `models`; `base` is the id of the lanes without a model.
    pub(super) fn new<'a>(models: impl Iterator<Item = (&'a Terms, &'a ModelId)>, base: ModelId) -> Self {
        let mut models = models.map(|(&terms, &id)| (terms, id));
        let four: [_; Self::COUNT] =
            core::array::from_fn(|_| models.next().unwrap_or((Terms::default(), base)));
        Self {
            mean: four.map(|(terms, _)| terms.mean),
            threshold: four.map(|(terms, _)| terms.threshold),
            fraction: four.map(|(terms, _)| terms.fraction),
            accuracy: four.map(|(terms, _)| terms.accuracy),
            ids: four.map(|(_, id)| id),
        }
    }

    /// Where only the first two lanes have models.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "a lane is below two")]
    pub(super) fn draw_of_two(&self, budget: Budget, draw: Draw) -> ModelId {
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
    #[expect(clippy::indexing_slicing, reason = "a lane is below four, and the compiler knows")]
    fn weights<const FIRST: usize>(&self, budget: Budget) -> [f32; FIRST] {
        core::array::from_fn(|lane| {
            let terms = Terms {
                mean: self.mean[lane],
                threshold: self.threshold[lane],
                fraction: self.fraction[lane],
                accuracy: self.accuracy[lane],
            };
            terms.weight(budget)
        })
    }
}
