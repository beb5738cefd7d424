//! [`explain`]: why each model was, or could not be, picked for a request, with its exact probability.

use core::fmt;

use heapless::Vec;

use crate::budget::Budget;
use crate::catalog::{Catalog, ModelId};
use crate::constraint::{Constraints, Exclusion};
use crate::policy::Policy;
use crate::select::base::{Base, Threshold, base};
use crate::select::explore::{Window, exploration_set};
use crate::select::sample::probabilities;
use crate::select::utility::utility;

/// What the stages make of one model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The base: the most accurate model that fits.
    Base,
    /// In the exploration set, with a positive utility.
    Explored,
    /// μ + γσ is not below the budget (Eq. 2).
    DoesNotFit,
    /// It fits, but its mean lies outside the base's μ ± σ.
    OutsideWindow,
    /// In the exploration set and fits, but an accuracy of zero leaves it no utility.
    NoUtility,
    /// Nothing fits, and this is the fastest.
    Fastest,
    /// The request's constraints rule it out.
    Excluded(Exclusion),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base => f.write_str("base"),
            Self::Explored => f.write_str("explored"),
            Self::DoesNotFit => f.write_str("does not fit"),
            Self::OutsideWindow => f.write_str("outside the window"),
            Self::NoUtility => f.write_str("no utility"),
            Self::Fastest => f.write_str("fastest, nothing fits"),
            Self::Excluded(exclusion) => write!(f, "excluded: {exclusion}"),
        }
    }
}

/// One model's part in a selection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Which model.
    pub model: ModelId,
    /// What became of it.
    pub verdict: Verdict,
    /// Its utility U (Eq. 3) on the scale of accuracy in percent; zero if it does not fit or is excluded.
    pub utility: f64,
    /// The exact probability of its being picked.
    pub probability: f64,
}

/// A whole selection explained, a candidate a model in the order of their ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation<const N: usize> {
    /// The outcome of stage 1; `None` if no model meets the constraints.
    pub base: Option<Base>,
    /// T_budget.
    pub budget: Budget,
    /// Every model of the catalog.
    pub candidates: Vec<Candidate, N>,
}

/// Explains what [`select_constrained`](crate::select_constrained) does with the same arguments, and
/// [`select`](crate::select()) with [`Constraints::NONE`].
pub fn explain<const N: usize>(
    catalog: &Catalog<N>,
    policy: &Policy,
    constraints: &Constraints<'_, N>,
    budget: Budget,
) -> Explanation<N> {
    let eligible = catalog.models().filter(|model| constraints.exclusion(model).is_none());
    let base = base(eligible.clone(), policy.margin, budget);
    let mut candidates: Vec<Candidate, N> = Vec::new();
    for (index, &profile) in catalog.profiles().iter().enumerate() {
        let Some(id) = ModelId::new(index) else { break };
        let model = crate::catalog::Model { id, profile };
        let fits = Threshold::new(profile.latency, policy.margin).fits(budget);
        let verdict = match (constraints.exclusion(&model), base) {
            (Some(exclusion), _) => Verdict::Excluded(exclusion),
            (None, Some(Base::Fits(base))) if base.id == id => Verdict::Base,
            (None, Some(Base::Fastest(base))) if base.id == id => Verdict::Fastest,
            (None, Some(Base::Fits(base))) if fits => {
                if !Window::around(base.profile.latency).contains(profile.latency.mean) {
                    Verdict::OutsideWindow
                } else if profile.accuracy.as_ppm() == 0 {
                    Verdict::NoUtility
                } else {
                    Verdict::Explored
                }
            }
            (None, _) => Verdict::DoesNotFit,
        };
        let utility = match verdict {
            Verdict::Excluded(_) => 0.0,
            _ => utility(&profile, policy.margin, budget),
        };
        // Capacity is that of the catalog.
        let _ = candidates.push(Candidate { model: id, verdict, utility, probability: 0.0 });
    }
    let mut set = |id: ModelId, probability: f64| {
        if let Some(candidate) = candidates.get_mut(id.index()) {
            candidate.probability = probability;
        }
    };
    match base {
        Some(Base::Fits(base)) => {
            // Stays where no utility is positive: a base of accuracy zero is used with certainty.
            set(base.id, 1.0);
            let explored = exploration_set(eligible, base.profile.latency);
            let shares = probabilities(explored, policy, budget);
            if base.profile.accuracy.as_ppm() > 0 {
                shares.for_each(|(id, probability)| set(id, probability));
            }
        }
        Some(Base::Fastest(fastest)) => set(fastest.id, 1.0),
        None => {}
    }
    Explanation { base, budget, candidates }
}
