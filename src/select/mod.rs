//! The selection algorithm of Section IV-D, a file a stage: [`base`](mod@base) (1), [`explore`] (2), [`utility`](mod@utility) and [`sample`](mod@sample) (3).
//! Here they are put together.

pub mod base;
pub mod explore;
pub mod sample;
pub mod utility;

use core::fmt;

use rand_core::Rng;

use crate::budget::Budget;
use crate::catalog::{Catalog, Model, ModelId};
use crate::policy::Policy;

use self::base::Base;

/// A model picked for a request, and what it was picked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Decision {
    /// The model to run.
    pub model: ModelId,
    /// The base it was explored from (stage 1).
    pub base: ModelId,
    /// Why this model.
    pub reason: Reason,
    /// T_budget.
    pub budget: Budget,
}

/// Why a model was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Reason {
    /// It is the base: the most accurate model that fits.
    Base,
    /// It was drawn from the exploration set around the base.
    Explored,
    /// No model fits the budget: it is the fastest.
    NothingFits,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Base => "most accurate model that fits",
            Self::Explored => "explored near the base",
            Self::NothingFits => "nothing fits: the fastest model",
        })
    }
}

impl Decision {
    pub(crate) const fn new(base: Base, model: ModelId, budget: Budget) -> Self {
        let id = base.model().id;
        Self {
            model,
            base: id,
            reason: match base {
                Base::Fastest(_) => Reason::NothingFits,
                Base::Fits(_) if id.index() == model.index() => Reason::Base,
                Base::Fits(_) => Reason::Explored,
            },
            budget,
        }
    }

    /// The exact probability with which this model was to be picked, for off-policy evaluation of logs.
    ///
    /// `models` and `policy` must be those of the selection. The draw meets this probability to within
    /// (n + 3k + 3)·2⁻²⁴ for an exploration set of n models, up to 4,096: n + 2 from [`sample::sample`], and the rest
    /// from weights that are off by at most 5k + 1 parts in 2²⁴.
    pub fn probability(&self, models: impl Iterator<Item = Model> + Clone, policy: &Policy) -> f64 {
        if self.reason == Reason::NothingFits {
            return 1.0;
        }
        let Some(base) = models.clone().find(|model| model.id == self.base) else {
            return 0.0;
        };
        let set = explore::exploration_set(models, base.profile.latency);
        let mut total = 0.0;
        let mut own = 0.0;
        for (id, probability) in sample::probabilities(set, policy, self.budget) {
            total += probability;
            if id == self.model {
                own = probability;
            }
        }
        // A base of accuracy zero has no utility, nor has any other model that fits: it is used with certainty.
        if total > 0.0 { own } else { 1.0 }
    }
}

/// Picks a model for a request: stages 1 to 3 over the whole catalog, by a plain scan.
///
/// `draw` is 64 uniformly random bits, of which the upper 24 decide: a hash of a request id gives a choice that sticks,
/// and a log of draws replays a day. The same inputs give the same decision on every target.
///
/// This is the reference; [`Index`](crate::Index) decides the same in less time.
///
/// ```
/// use mdinference::{select, Budget, Catalog, Micros, NetworkTime, Policy, Profile};
///
/// let catalog = Catalog::<2>::try_new([
///     Profile::from_percent_and_millis(49.7, 3.21, 0.08),
///     Profile::from_percent_and_millis(82.6, 112.61, 0.36),
/// ])?;
/// let network = NetworkTime::TwiceInput(Micros::from_millis(40));
/// let budget = Budget::new(Micros::from_millis(250), network);
/// let decision = select(&catalog, &Policy::PAPER, budget, 0x9E37_79B9_7F4A_7C15);
/// assert_eq!(decision.model.index(), 1);
/// # Ok::<(), mdinference::CatalogError>(())
/// ```
pub fn select<const N: usize>(catalog: &Catalog<N>, policy: &Policy, budget: Budget, draw: u64) -> Decision {
    // The default never shows: a catalog is never empty.
    select_among(catalog.models(), policy, budget, draw).unwrap_or(Decision {
        model: ModelId::default(),
        base: ModelId::default(),
        reason: Reason::NothingFits,
        budget,
    })
}

/// As [`select`], with exactly one `u64` drawn from `rng`.
pub fn select_with<const N: usize, R: Rng + ?Sized>(
    catalog: &Catalog<N>,
    policy: &Policy,
    budget: Budget,
    rng: &mut R,
) -> Decision {
    select(catalog, policy, budget, rng.next_u64())
}

/// As [`select`], among any models: some of a catalog, or models whose μ has been raised by the time they would wait.
/// `None` only if there are none.
pub fn select_among(
    models: impl Iterator<Item = Model> + Clone,
    policy: &Policy,
    budget: Budget,
    draw: u64,
) -> Option<Decision> {
    let base = base::base(models.clone(), policy.margin, budget)?;
    let id = match base {
        Base::Fastest(model) => model.id,
        Base::Fits(model) => {
            let set = explore::exploration_set(models, model.profile.latency);
            sample::sample(sample::weights(set, policy, budget), draw).unwrap_or(model.id)
        }
    };
    Some(Decision::new(base, id, budget))
}
