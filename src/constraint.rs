//! [`Constraints`]: what a request demands of a model besides the deadline. They restrict the catalog before stage 1.

use core::fmt;

use crate::budget::Budget;
use crate::catalog::{Catalog, Model, ModelId};
use crate::policy::Policy;
use crate::profile::{Accuracy, Cost};
use crate::select::{Decision, select_among};

/// A set of models of a catalog of capacity `N`: those that are healthy, loaded, or a tenant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ModelSet<const N: usize>([bool; N]);

impl<const N: usize> ModelSet<N> {
    /// No model.
    pub const NONE: Self = Self([false; N]);
    /// Every model.
    pub const ALL: Self = Self([true; N]);

    /// Adds a model; an id past the capacity changes nothing.
    pub fn insert(&mut self, id: ModelId) {
        self.set(id, true);
    }

    /// Takes a model out.
    pub fn remove(&mut self, id: ModelId) {
        self.set(id, false);
    }

    /// Whether a model is in.
    pub fn contains(&self, id: ModelId) -> bool {
        self.0.get(id.index()).copied().unwrap_or(false)
    }

    /// The models that are in both sets.
    pub fn intersection(mut self, other: &Self) -> Self {
        for (here, there) in self.0.iter_mut().zip(&other.0) {
            *here &= there;
        }
        self
    }

    fn set(&mut self, id: ModelId, value: bool) {
        if let Some(slot) = self.0.get_mut(id.index()) {
            *slot = value;
        }
    }
}

impl<const N: usize> FromIterator<ModelId> for ModelSet<N> {
    fn from_iter<I: IntoIterator<Item = ModelId>>(ids: I) -> Self {
        let mut set = Self::NONE;
        ids.into_iter().for_each(|id| set.insert(id));
        set
    }
}

/// The demands of one request; none unless given.
///
/// ```
/// use mdinference::{Accuracy, Constraints, Cost, ModelSet};
///
/// let healthy = ModelSet::<12>::ALL;
/// let constraints = Constraints::NONE
///     .with_min_accuracy(Accuracy::from_percent(60.0)?)
///     .with_max_cost(Cost(5))
///     .with_allowed(&healthy);
/// # let _ = constraints;
/// # Ok::<(), mdinference::NumberError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constraints<'a, const N: usize> {
    /// At least this accurate.
    pub min_accuracy: Accuracy,
    /// At most this costly.
    pub max_cost: Cost,
    /// One of these; any if `None`.
    pub allowed: Option<&'a ModelSet<N>>,
}

impl<'a, const N: usize> Constraints<'a, N> {
    /// No demands.
    pub const NONE: Self = Self { min_accuracy: Accuracy::ZERO, max_cost: Cost(u32::MAX), allowed: None };

    /// With a minimum accuracy.
    pub const fn with_min_accuracy(self, min_accuracy: Accuracy) -> Self {
        Self { min_accuracy, ..self }
    }

    /// With a maximum cost.
    pub const fn with_max_cost(self, max_cost: Cost) -> Self {
        Self { max_cost, ..self }
    }

    /// With the models that may be used now.
    pub const fn with_allowed(self, allowed: &'a ModelSet<N>) -> Self {
        Self { allowed: Some(allowed), ..self }
    }

    /// Why a model may not be used, or `None` if it may.
    pub fn exclusion(&self, model: &Model) -> Option<Exclusion> {
        if self.allowed.is_some_and(|set| !set.contains(model.id)) {
            Some(Exclusion::NotAllowed)
        } else if model.profile.accuracy < self.min_accuracy {
            Some(Exclusion::BelowMinimumAccuracy)
        } else if model.profile.cost > self.max_cost {
            Some(Exclusion::AboveMaximumCost)
        } else {
            None
        }
    }
}

/// Why a model is not eligible for a request; the first that holds, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Exclusion {
    /// Not in the set of models that may be used now.
    NotAllowed,
    /// Less accurate than the request demands.
    BelowMinimumAccuracy,
    /// More costly than the request allows.
    AboveMaximumCost,
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAllowed => "not allowed",
            Self::BelowMinimumAccuracy => "below the minimum accuracy",
            Self::AboveMaximumCost => "above the maximum cost",
        })
    }
}

/// No model meets the constraints: how many were excluded, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NothingEligible {
    /// Models not in the set that may be used now.
    pub not_allowed: u16,
    /// Other models below the minimum accuracy.
    pub below_minimum_accuracy: u16,
    /// Other models above the maximum cost.
    pub above_maximum_cost: u16,
}

impl fmt::Display for NothingEligible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no model is eligible: {} not allowed, {} below the minimum accuracy, {} above the maximum cost",
            self.not_allowed, self.below_minimum_accuracy, self.above_maximum_cost
        )
    }
}

impl core::error::Error for NothingEligible {}

/// As [`select`](crate::select()), among the models that meet `constraints`.
///
/// # Errors
/// [`NothingEligible`] if no model meets them, whatever the budget.
pub fn select_constrained<const N: usize>(
    catalog: &Catalog<N>,
    policy: &Policy,
    constraints: &Constraints<'_, N>,
    budget: Budget,
    draw: u64,
) -> Result<Decision, NothingEligible> {
    let eligible = catalog.models().filter(|model| constraints.exclusion(model).is_none());
    select_among(eligible, policy, budget, draw).ok_or_else(|| {
        let mut nothing = NothingEligible::default();
        for model in catalog.models() {
            let count = match constraints.exclusion(&model) {
                Some(Exclusion::NotAllowed) => &mut nothing.not_allowed,
                Some(Exclusion::BelowMinimumAccuracy) => &mut nothing.below_minimum_accuracy,
                Some(Exclusion::AboveMaximumCost) => &mut nothing.above_maximum_cost,
                None => continue,
            };
            *count = count.saturating_add(1);
        }
        nothing
    })
}
