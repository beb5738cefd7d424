//! The models in the two orders that the stages want them in: by μ for the window, by μ + γσ for the base.

use core::cmp::Reverse;

use heapless::Vec;

use crate::catalog::{Catalog, Changed, Model, ModelId, Move, copy_filled, reorder, sort};
use crate::index::score::BLOCK;
use crate::policy::{Margin, Policy};
use crate::profile::{Accuracy, Cost, Profile};
use crate::select::threshold::Threshold;
use crate::select::utility::Terms;

/// A catalog with what the index needs of each model at hand.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ordered<const N: usize> {
    pub(super) catalog: Catalog<N>,
    pub(super) policy: Policy,
    /// The terms of Eq. 3, in the catalog's order by μ.
    pub(super) terms: Vec<Terms, N>,
    /// What bounds each [`BLOCK`] of them.
    pub(super) blocks: Vec<Block, N>,
    /// The ids by [`Rank`].
    pub(super) by_threshold: Vec<ModelId, N>,
    /// By the models' places in the catalog, where they are there.
    ranked: Vec<u16, N>,
}

/// What bounds the models of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Block {
    /// The greatest accuracy, in parts per million.
    pub(super) accuracy: f32,
    /// The least μ + γσ in µs, rounded up.
    pub(super) threshold: i32,
    /// The least.
    pub(super) cost: Cost,
}

impl Block {
    const EMPTY: Self = Self { accuracy: 0.0, threshold: i32::MAX, cost: Cost(u32::MAX) };

    /// Of one model.
    fn of(profile: &Profile, terms: &Terms) -> Self {
        Self { accuracy: terms.accuracy, threshold: terms.threshold, cost: profile.cost }
    }

    #[inline]
    fn and(self, other: Self) -> Self {
        Self {
            accuracy: if self.accuracy > other.accuracy { self.accuracy } else { other.accuracy },
            threshold: self.threshold.min(other.threshold),
            cost: self.cost.min(other.cost),
        }
    }

    /// Whether it bounds the others still where one goes from `old` to `new`: it was not by that one, or is so again.
    fn outlasts(self, old: Self, new: Self) -> bool {
        (old.accuracy < self.accuracy || new.accuracy >= old.accuracy)
            && (old.threshold > self.threshold || new.threshold <= old.threshold)
            && (old.cost > self.cost || new.cost <= old.cost)
    }
}

/// Where a model stands among the candidates for the base: the first of those that are more accurate than all before
/// them is the next step of the staircase (Eq. 1 with its tie-breaks).
pub(super) type Rank = (Threshold, Reverse<Accuracy>, ModelId);

/// What an update changed: a model went from one place to another in either order.
pub(super) struct Change {
    pub(super) old: Profile,
    pub(super) by_mean: Move,
    pub(super) by_threshold: Move,
}

impl<const N: usize> Ordered<N> {
    /// Not yet arranged.
    pub(super) const fn new(catalog: Catalog<N>, policy: Policy) -> Self {
        Self {
            catalog,
            policy,
            terms: Vec::new(),
            blocks: Vec::new(),
            by_threshold: Vec::new(),
            ranked: Vec::new(),
        }
    }

    /// Makes this the same as another, at the cost of what is filled.
    pub(super) fn copy_from(&mut self, other: &Self) {
        let Self { catalog, policy, terms, blocks, by_threshold, ranked } = self;
        catalog.copy_from(&other.catalog);
        *policy = other.policy;
        copy_filled(terms, &other.terms);
        copy_filled(blocks, &other.blocks);
        copy_filled(by_threshold, &other.by_threshold);
        copy_filled(ranked, &other.ranked);
    }

    /// Brings everything up to date with the catalog.
    pub(super) fn arrange(&mut self) {
        let Self { catalog, policy, terms, blocks, by_threshold, ranked } = self;
        let margin = policy.margin;
        terms.clear();
        blocks.clear();
        by_threshold.clear();
        // As many as the catalog holds, so nothing is cut off. (`extend` would panic if it were.)
        for model in catalog.models() {
            let _ = terms.push(Terms::new(&model.profile, margin));
            let _ = by_threshold.push(model.id);
        }
        sort(by_threshold, |id| rank(catalog, margin, id));
        ranked.clear();
        for _ in catalog.profiles() {
            let _ = ranked.push(0);
        }
        by_threshold.iter().zip(0..).for_each(|(&id, place)| note(ranked, id, place));
        for _ in 0..terms.len().div_ceil(BLOCK) {
            let _ = blocks.push(Block::default());
        }
        self.bound_blocks(0, usize::MAX);
    }

    /// Brings the bounds of the blocks up to date, from that of a place up to that of another.
    fn bound_blocks(&mut self, from: usize, to: usize) {
        let Self { catalog, terms, blocks, .. } = self;
        let members = terms.chunks(BLOCK).zip(catalog.order().chunks(BLOCK));
        let from = from / BLOCK;
        for (block, (terms, ids)) in
            blocks.iter_mut().zip(members).take((to / BLOCK).saturating_add(1)).skip(from)
        {
            let members = ids.iter().zip(terms).map(|(&id, terms)| Block::of(&catalog.known(id), terms));
            *block = members.fold(Block::EMPTY, Block::and);
        }
    }

    /// The same once one model went from `old` to `new`, from a place to another.
    #[inline]
    fn bound_moved(&mut self, old: Block, new: Block, (from, to): (usize, usize)) {
        match self.blocks.get_mut(to / BLOCK) {
            Some(block) if from / BLOCK == to / BLOCK && block.outlasts(old, new) => *block = block.and(new),
            _ => self.bound_blocks(from, to),
        }
    }

    /// The model with this id, of which the catalog gave it.
    pub(super) fn profile(&self, id: ModelId) -> Profile {
        self.catalog.known(id)
    }

    pub(super) fn rank(&self, id: ModelId) -> Rank {
        rank(&self.catalog, self.policy.margin, id)
    }

    /// The whole microseconds of μ + γσ.
    pub(super) fn threshold(&self, id: ModelId) -> i32 {
        Threshold::new(self.profile(id).latency, self.policy.margin).as_whole_micros()
    }

    /// The first model by μ, and the others with the same μ.
    pub(super) fn fastest(&self) -> impl Iterator<Item = Model> + '_ {
        let least = self.catalog.models().next().map(|model| model.profile.latency.mean);
        self.catalog.models().take_while(move |model| Some(model.profile.latency.mean) == least)
    }

    #[inline(always)]
    pub(super) fn update(&mut self, id: ModelId, profile: Profile) -> Option<Change> {
        let Self { catalog, policy, terms, by_threshold, ranked, .. } = self;
        let margin = policy.margin;
        let Changed { old, moved } = catalog.change(id, profile)?;
        moved.apply(terms);
        let new_terms = Terms::new(&profile, margin);
        let old_terms = core::mem::replace(terms.get_mut(moved.to)?, new_terms);
        let from = ranked.get(id.index()).copied()?.into();
        let ranks = (rank_of(&old, margin, id), rank_of(&profile, margin, id));
        let rank = |other| rank(catalog, margin, other);
        let reranked = reorder(by_threshold, from, ranks, rank, |id, place| note(ranked, id, place));
        self.bound_moved(Block::of(&old, &old_terms), Block::of(&profile, &new_terms), moved.ends());
        Some(Change { old, by_mean: moved, by_threshold: reranked })
    }
}

fn note(places: &mut [u16], id: ModelId, place: u16) {
    if let Some(noted) = places.get_mut(id.index()) {
        *noted = place;
    }
}

fn rank<const N: usize>(catalog: &Catalog<N>, margin: Margin, id: ModelId) -> Rank {
    rank_of(&catalog.known(id), margin, id)
}

fn rank_of(profile: &Profile, margin: Margin, id: ModelId) -> Rank {
    (Threshold::new(profile.latency, margin), Reverse(profile.accuracy), id)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::tests::{MODELS, come_or_go, operation, profile};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_updated_is_as_arranged_anew(
            profiles in vec(profile(), 1..=MODELS),
            operations in vec(operation(), 0..100),
        ) {
            let mut models = Ordered::new(Catalog::<MODELS>::new(profiles).unwrap(), Policy::PAPER);
            models.arrange();
            for (operation, place, profile) in operations {
                let id = models.catalog.id(place).unwrap_or_default();
                if come_or_go(&mut models.catalog, operation, id, profile) {
                    models.arrange();
                } else {
                    models.update(id, profile);
                }
                let mut anew = Ordered::new(models.catalog.clone(), models.policy);
                anew.arrange();
                prop_assert_eq!(&models, &anew);
            }
        }
    }
}
