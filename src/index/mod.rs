//! [`Index`]: a catalog arranged so that a selection costs next to nothing.

mod draw;
mod order;
mod staircase;

use rand_core::Rng;

use crate::budget::Budget;
use crate::catalog::{Catalog, ModelId};
use crate::policy::Policy;
use crate::profile::Profile;
use crate::select::base::fastest;
use crate::select::sample::{sample, weights};
use crate::select::{Decision, Reason};

use self::draw::draw_by_rejection;
use self::order::Ordered;
use self::staircase::{Method, Staircase, Step};

/// A catalog and a policy, arranged once a profile change so that a selection costs next to nothing however many
/// models there are.
///
/// It decides as [`select`](crate::select()) does: the same base and the same probabilities; and the same model for the
/// same draw, unless more than four models may be drawn and k = 1, where it draws by rejection.
///
/// ```
/// use mdinference::{Budget, Catalog, Index, Micros, Policy, Profile};
///
/// let mobilenet = Profile::from_percent_and_millis(49.7, 3.21, 0.08)?;
/// let nasnet = Profile::from_percent_and_millis(82.6, 112.61, 0.36)?;
/// let mut index = Index::new(Catalog::<2>::new([mobilenet, nasnet])?, Policy::PAPER);
///
/// let decision = index.select(Budget::of(Micros::from_millis(170)), 0x9E37_79B9_7F4A_7C15);
/// assert_eq!(decision.model.index(), 1);
///
/// // The larger model has become slow: it no longer fits.
/// index.update(decision.model, Profile::from_percent_and_millis(82.6, 190.0, 8.0)?);
/// let decision = index.select(Budget::of(Micros::from_millis(170)), 0x9E37_79B9_7F4A_7C15);
/// assert_eq!(decision.model.index(), 0);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Index<const N: usize> {
    models: Ordered<N>,
    staircase: Staircase<N>,
    fastest: ModelId,
}

impl<const N: usize> Index<N> {
    /// Arranges a catalog, in n·log n.
    pub fn new(catalog: Catalog<N>, policy: Policy) -> Self {
        let models = Ordered::new(catalog, policy);
        let staircase = Staircase::new(&models);
        let mut index = Self { models, staircase, fastest: ModelId::default() };
        index.find_fastest();
        index
    }

    /// Picks a model for a request. `draw` is 64 uniformly random bits, as for [`select`](crate::select()); where it
    /// draws by rejection all of them decide, so none may be constant.
    #[inline]
    pub fn select(&self, budget: Budget, draw: u64) -> Decision {
        let Some(step) = self.staircase.step(budget) else { return self.nothing_fits(budget) };
        let base = step.base;
        let model = match step.method {
            Method::Certain => base,
            Method::Lanes => step.lanes.draw(budget, draw, base),
            Method::Window => self.draw_from_window(step, budget, draw),
        };
        let reason = if model == base { Reason::Base } else { Reason::Explored };
        Decision { model, base, reason, budget }
    }

    /// As [`Index::select`], with exactly one `u64` drawn from `rng`.
    #[inline]
    pub fn select_with<R: Rng + ?Sized>(&self, budget: Budget, rng: &mut R) -> Decision {
        self.select(budget, rng.next_u64())
    }

    /// Stage 1 alone: the most accurate model that fits, or `None` if nothing fits.
    #[inline]
    pub fn base(&self, budget: Budget) -> Option<ModelId> {
        self.staircase.step(budget).map(|step| step.base)
    }

    /// Replaces the profile of one model and gives back the old one; `None`, and no change, for an unknown id.
    ///
    /// The index is then what [`Index::new`] would make of the changed catalog, in a fraction of the time.
    pub fn update(&mut self, id: ModelId, profile: Profile) -> Option<Profile> {
        let change = self.models.update(id, profile)?;
        self.staircase.update(&self.models, id, &change);
        self.find_fastest();
        Some(change.old)
    }

    /// The catalog.
    pub fn catalog(&self) -> &Catalog<N> {
        &self.models.catalog
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.models.policy
    }

    fn find_fastest(&mut self) {
        // A catalog is never empty.
        self.fastest = fastest(self.models.fastest()).map_or(self.fastest, |model| model.id);
    }

    #[cold]
    fn nothing_fits(&self, budget: Budget) -> Decision {
        let fastest = self.fastest;
        Decision { model: fastest, base: fastest, reason: Reason::NothingFits, budget }
    }

    #[inline]
    fn draw_from_window(&self, step: &Step, budget: Budget, draw: u64) -> ModelId {
        let Ordered { catalog, policy, terms, .. } = &self.models;
        if !policy.sharpness.is_paper() {
            return self.draw_sharpened(step, budget, draw);
        }
        let first = usize::from(step.first);
        let window = terms.get(first..first.wrapping_add(step.count.into())).unwrap_or_default();
        draw_by_rejection(window, step.bound, budget, draw)
            .and_then(|place| catalog.order().get(first.wrapping_add(place)).copied())
            .unwrap_or(step.base)
    }

    #[cold]
    fn draw_sharpened(&self, step: &Step, budget: Budget, draw: u64) -> ModelId {
        let Ordered { catalog, policy, .. } = &self.models;
        let set = catalog.models_from(step.first.into(), step.count.into());
        sample(weights(set, policy, budget), draw).unwrap_or(step.base)
    }
}
