//! What the index needs of models side by side, a column for each number: so those of several models are read at once.

use crate::catalog::{Move, copy_first};
use crate::profile::Cost;
use crate::select::utility::Terms;

/// The terms of Eq. 3 of up to `N` models in an order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Columns<const N: usize> {
    pub(super) mean: [i32; N],
    pub(super) threshold: [i32; N],
    pub(super) fraction: [f32; N],
    pub(super) accuracy: [f32; N],
}

/// Where there is no model: less accurate than is ever asked.
const NO_ACCURACY: f32 = -1.0;

impl<const N: usize> Columns<N> {
    pub(super) const fn new() -> Self {
        Self { mean: [i32::MAX; N], threshold: [i32::MAX; N], fraction: [0.0; N], accuracy: [NO_ACCURACY; N] }
    }

    /// Makes this the same as another: past `filled` there is no model in either.
    pub(super) fn copy_from(&mut self, filled: usize, other: &Self) {
        let Self { mean, threshold, fraction, accuracy } = self;
        copy_first(filled, mean, &other.mean);
        copy_first(filled, threshold, &other.threshold);
        copy_first(filled, fraction, &other.fraction);
        copy_first(filled, accuracy, &other.accuracy);
    }

    /// Those at a place, if there is a model.
    #[inline(always)]
    pub(super) fn get(&self, place: usize) -> Option<Terms> {
        Some(Terms {
            mean: *self.mean.get(place)?,
            threshold: *self.threshold.get(place)?,
            fraction: *self.fraction.get(place)?,
            accuracy: *self.accuracy.get(place)?,
        })
    }

    /// Those from a place on.
    pub(super) fn from(&self, place: usize) -> impl Iterator<Item = Terms> + Clone {
        let times = self.mean.iter().zip(&self.threshold);
        let columns = times.zip(&self.fraction).zip(&self.accuracy).skip(place);
        columns.map(|(((&mean, &threshold), &fraction), &accuracy)| Terms {
            mean,
            threshold,
            fraction,
            accuracy,
        })
    }

    #[expect(clippy::indexing_slicing, reason = "only where there is such a place")]
    pub(super) fn set(&mut self, place: usize, terms: Terms) {
        if place < N {
            self.mean[place] = terms.mean;
            self.threshold[place] = terms.threshold;
            self.fraction[place] = terms.fraction;
            self.accuracy[place] = terms.accuracy;
        }
    }

    pub(super) fn shift(&mut self, moved: Move) {
        if moved.from != moved.to {
            moved.apply(&mut self.mean);
            moved.apply(&mut self.threshold);
            moved.apply(&mut self.fraction);
            moved.apply(&mut self.accuracy);
        }
    }
}

/// What bounds the models of a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Block {
    /// The greatest accuracy, in parts per million.
    pub(super) accuracy: f32,
    /// The least μ + γσ in µs, rounded up.
    pub(super) threshold: i32,
    /// The least.
    pub(super) cost: Cost,
}

impl Block {
    pub(super) const EMPTY: Self = Self { accuracy: NO_ACCURACY, threshold: i32::MAX, cost: Cost(u32::MAX) };

    /// Of one model.
    pub(super) fn of(terms: &Terms, cost: Cost) -> Self {
        Self { accuracy: terms.accuracy, threshold: terms.threshold, cost }
    }

    #[inline]
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            accuracy: if self.accuracy > other.accuracy { self.accuracy } else { other.accuracy },
            threshold: self.threshold.min(other.threshold),
            cost: self.cost.min(other.cost),
        }
    }

    /// Whether it bounds the others still where one goes from `old` to `new`: it was not by that one, or is so again.
    pub(super) fn outlasts(self, old: Self, new: Self) -> bool {
        (old.accuracy < self.accuracy || new.accuracy >= old.accuracy)
            && (old.threshold > self.threshold || new.threshold <= old.threshold)
            && (old.cost > self.cost || new.cost <= old.cost)
    }
}

/// As many blocks as there may be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Blocks<const N: usize> {
    pub(super) accuracy: [f32; N],
    pub(super) threshold: [i32; N],
    pub(super) cost: [Cost; N],
}

impl<const N: usize> Blocks<N> {
    pub(super) const fn new() -> Self {
        let Block { accuracy, threshold, cost } = Block::EMPTY;
        Self { accuracy: [accuracy; N], threshold: [threshold; N], cost: [cost; N] }
    }

    /// As of [`Columns`].
    pub(super) fn copy_from(&mut self, filled: usize, other: &Self) {
        let Self { accuracy, threshold, cost } = self;
        copy_first(filled, accuracy, &other.accuracy);
        copy_first(filled, threshold, &other.threshold);
        copy_first(filled, cost, &other.cost);
    }

    pub(super) fn get(&self, block: usize) -> Option<Block> {
        Some(Block {
            accuracy: *self.accuracy.get(block)?,
            threshold: *self.threshold.get(block)?,
            cost: *self.cost.get(block)?,
        })
    }

    #[expect(clippy::indexing_slicing, reason = "only where there is such a block")]
    pub(super) fn set(&mut self, block: usize, bounds: Block) {
        if block < N {
            self.accuracy[block] = bounds.accuracy;
            self.threshold[block] = bounds.threshold;
            self.cost[block] = bounds.cost;
        }
    }
}
