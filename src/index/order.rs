//! The models in the two orders that the stages want them in: by μ for the window, by μ + γσ for the base.

use heapless::Vec;

use crate::catalog::{Catalog, Changed, Model, ModelId, Move, copy_filled, reorder, sort};
use crate::index::columns::{Block, Blocks, Columns};
use crate::index::score::BLOCK;
use crate::policy::{Margin, Policy};
use crate::profile::Profile;
use crate::select::threshold::Threshold;
use crate::select::utility::Terms;

/// A catalog with what the index needs of each model at hand.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ordered<const N: usize> {
    pub(super) catalog: Catalog<N>,
    pub(super) policy: Policy,
    /// The terms of Eq. 3, in the catalog's order by μ.
    pub(super) terms: Columns<N>,
    /// What bounds each [`BLOCK`] of them.
    pub(super) blocks: Blocks<N>,
    /// The ids by [`Rank`].
    pub(super) by_threshold: Vec<ModelId, N>,
    /// By the models' places in the catalog, where they are there.
    ranked: Vec<u16, N>,
}

/// Where a model stands among the candidates for the base: the first of those that are more accurate than all before
/// them is the next step of the staircase (Eq. 1 with its tie-breaks). By μ + γσ, then the accuracy, the greatest first,
/// then the place: one number, which is compared without a branch.
pub(super) type Rank = u128;

/// What an update changed: a model went from one place to another in either order.
pub(super) struct Change {
    pub(super) old: Profile,
    pub(super) by_mean: Move,
    pub(super) by_threshold: Move,
}

impl<const N: usize> Ordered<N> {
    /// Whether there may be several blocks: of one nobody asks what bounds it.
    const BLOCKS: bool = N > BLOCK;

    /// Not yet arranged.
    pub(super) const fn new(catalog: Catalog<N>, policy: Policy) -> Self {
        Self {
            catalog,
            policy,
            terms: Columns::new(),
            blocks: Blocks::new(),
            by_threshold: Vec::new(),
            ranked: Vec::new(),
        }
    }

    /// Makes this the same as another, at the cost of what is filled.
    pub(super) fn copy_from(&mut self, other: &Self) {
        let Self { catalog, policy, terms, blocks, by_threshold, ranked } = self;
        let filled = catalog.len().max(other.catalog.len());
        catalog.copy_from(&other.catalog);
        *policy = other.policy;
        terms.copy_from(filled, &other.terms);
        if Self::BLOCKS {
            blocks.copy_from(filled.div_ceil(BLOCK), &other.blocks);
        }
        copy_filled(by_threshold, &other.by_threshold);
        copy_filled(ranked, &other.ranked);
    }

    /// Brings everything up to date with the catalog.
    pub(super) fn arrange(&mut self) {
        let Self { catalog, policy, terms, blocks, by_threshold, ranked } = self;
        let margin = policy.margin;
        *terms = Columns::new();
        *blocks = Blocks::new();
        by_threshold.clear();
        // As many as the catalog holds, so nothing is cut off. (`extend` would panic if it were.)
        for (place, model) in catalog.models().enumerate() {
            terms.set(place, Terms::new(&model.profile, margin));
            let _ = by_threshold.push(model.id);
        }
        sort(by_threshold, |id| rank(catalog, margin, id));
        ranked.clear();
        for _ in catalog.profiles() {
            let _ = ranked.push(0);
        }
        by_threshold.iter().zip(0..).for_each(|(&id, place)| note(ranked, id, place));
        if Self::BLOCKS {
            self.bound_blocks(0, self.catalog.len());
        }
    }

    /// Brings the bounds of the blocks up to date, from that of a place up to that of another.
    fn bound_blocks(&mut self, from: usize, to: usize) {
        let Self { catalog, terms, blocks, .. } = self;
        let (from, to) = (from / BLOCK, to / BLOCK);
        for (block, ids) in catalog.order().chunks(BLOCK).enumerate().take(to.saturating_add(1)).skip(from) {
            let members = ids
                .iter()
                .zip(block.wrapping_mul(BLOCK)..)
                .filter_map(|(&id, place)| Some(Block::of(&terms.get(place)?, catalog.known(id).cost)));
            blocks.set(block, members.fold(Block::EMPTY, Block::and));
        }
    }

    /// The same once one model went from `old` to `new`, from a place to another.
    #[inline]
    fn bound_moved(&mut self, old: Block, new: Block, (from, to): (usize, usize)) {
        let block = to / BLOCK;
        match self.blocks.get(block) {
            Some(bounds) if from / BLOCK == block && bounds.outlasts(old, new) => {
                self.blocks.set(block, bounds.and(new));
            }
            _ => self.bound_blocks(from, to),
        }
    }

    /// The means, of which there are as many as models.
    pub(super) fn means(&self) -> &[i32] {
        self.terms.mean.get(..self.catalog.len()).unwrap_or_default()
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
        Threshold::whole_micros(self.profile(id).latency, self.policy.margin)
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
        let (old_terms, new_terms) = (terms.get(moved.from)?, Terms::new(&profile, margin));
        terms.shift(moved);
        terms.set(moved.to, new_terms);
        let from = ranked.get(id.index()).copied()?.into();
        let ranks = (rank_of(&old, margin, id), rank_of(&profile, margin, id));
        let rank = |other| rank(catalog, margin, other);
        let reranked = reorder(by_threshold, from, ranks, rank, |id, place| note(ranked, id, place));
        let (before, after) = (Block::of(&old_terms, old.cost), Block::of(&new_terms, profile.cost));
        if Self::BLOCKS {
            self.bound_moved(before, after, moved.ends());
        }
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
    let (threshold, accuracy) = (Threshold::new(profile.latency, margin), profile.accuracy.as_ppm());
    u128::from(threshold.as_nanos()) << 64 | u128::from(!accuracy) << 32 | u128::from(id.by_place())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::tests::{MODELS, come_or_go, operation, profile};
    use crate::profile::Cost;

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

    /// Wherever it goes, it bounds no block itself, before or after.
    #[test]
    #[cfg_attr(miri, ignore = "too many models")]
    fn who_goes_far_moves_others_from_block_to_block() {
        const MANY: u32 = 20 * BLOCK as u32;
        let profile = |place: u32, accuracy, deviation, cost| {
            let profile = Profile::from_ppm_and_micros(accuracy, 10 * place, deviation);
            profile.unwrap().with_cost(Cost(cost))
        };
        for from in [0, 1, 15, 16, 100, 256, 319] {
            for to in [0, 1, 15, 16, 17, 255, 256, 260, 272, 319] {
                let others = (0..MANY).map(|place| profile(place, 500_000 + place % 7, place % 5, 1));
                let mut catalog = Catalog::<{ MANY as usize }>::new(others).unwrap();
                let id = catalog.models().nth(from as usize).unwrap().id;
                catalog.update(id, profile(from, 400_000, 10_000, 2)).unwrap();
                let mut models = Ordered::new(catalog, Policy::PAPER);
                models.arrange();
                models.update(id, profile(to, 400_000, 10_000, 2)).unwrap();
                let mut anew = Ordered::new(models.catalog.clone(), models.policy);
                anew.arrange();
                assert!(models == anew, "from {from} to {to}");
            }
        }
    }
}
