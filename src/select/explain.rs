//! [`Explanation`]: why each model was, or could not be, picked for a request, with its exact probability.

use core::fmt;

use crate::catalog::{Model, ModelId, Places};
use crate::policy::Policy;
use crate::request::{Budget, Exclusion, Request};
use crate::select::base::Base;
use crate::select::explore::{Window, exploration_set};
use crate::select::sample::Probabilities;
use crate::select::threshold::Threshold;
use crate::select::utility::utility;
use crate::select::value::{Eligible, Value, eligible};
use crate::select::{explores, stage_1};

/// What the stages make of one model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Verdict {
    /// The base: the most accurate model that fits, or that of the greatest value.
    Base,
    /// In the exploration set, with a positive utility.
    Explored,
    /// μ + γσ is not below the budget (Eq. 2).
    DoesNotFit,
    /// It fits, but its mean lies outside the base's μ ± σ.
    OutsideWindow,
    /// In the exploration set and fits, but an accuracy of zero leaves it no utility.
    NoUtility,
    /// It fits, but where time has a price the base is used with certainty.
    NotExplored,
    /// Nothing fits, and this is the fastest.
    Fastest,
    /// It would not be picked, but a server probes it.
    Probe,
    /// The request rules it out.
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
            Self::NotExplored => f.write_str("less value"),
            Self::Fastest => f.write_str("fastest, nothing fits"),
            Self::Probe => f.write_str("probe"),
            Self::Excluded(exclusion) => write!(f, "excluded: {exclusion}"),
        }
    }
}

/// One model's part in a selection.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Candidate {
    /// Which model.
    pub model: ModelId,
    /// What became of it.
    pub verdict: Verdict,
    /// What stage 1 maximises: its accuracy less its price.
    pub value: Value,
    /// Its utility U (Eq. 3) on the scale of accuracy in percent; zero if it does not fit or is excluded.
    pub utility: f64,
    /// The exact probability of its being picked.
    pub probability: f64,
}

/// Models that some of the requests go to before any stage is asked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Beforehand([Option<(ModelId, f64)>; Self::MOST]);

impl Beforehand {
    pub(crate) const MOST: usize = 4;

    /// A model, and how likely it is; one too many is left out.
    pub(crate) fn add(&mut self, model: ModelId, probability: f64) {
        if let Some(slot) = self.0.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some((model, probability));
        }
    }

    fn of(&self, id: ModelId) -> f64 {
        self.0.iter().flatten().filter(|(model, _)| *model == id).map(|(_, probability)| probability).sum()
    }

    fn total(&self) -> f64 {
        self.0.iter().flatten().map(|(_, probability)| probability).sum()
    }
}

/// A whole selection explained: made by `explain` of those who answer. Nothing is kept of single models: each
/// [`Candidate`] is worked out when it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Explanation<'a> {
    /// The outcome of stage 1, its μ raised by its wait; `None` if the request rules out every model.
    pub base: Option<Base>,
    /// The budget that a model is chosen within: see [`Decision::budget`](crate::Decision).
    pub budget: Budget,
    request: Request<'a>,
    policy: Policy,
    places: Places<'a>,
    /// Of the exploration set; `None` where the base is used with certainty.
    explored: Option<Probabilities>,
    beforehand: Beforehand,
}

impl<'a> Explanation<'a> {
    /// Of the models of a catalog, as it gives them by μ and by their places.
    pub(crate) fn new(
        models: impl Iterator<Item = Model> + Clone,
        places: Places<'a>,
        policy: &Policy,
        request: Request<'a>,
    ) -> Self {
        let (valued, models) = eligible(models, &request, policy.margin);
        let (base, budget) = stage_1(valued, policy.margin, &request);
        let explored = match base {
            Some(Base::Fits(base)) if explores(&request) => {
                Some(Probabilities::new(exploration_set(models, base.profile.latency), policy, budget))
            }
            _ => None,
        };
        Self { base, budget, request, policy: *policy, places, explored, beforehand: Beforehand::default() }
    }

    /// Where some requests go elsewhere before any stage is asked.
    pub(crate) fn with_beforehand(self, beforehand: Beforehand) -> Self {
        Self { beforehand, ..self }
    }

    /// Every model of the catalog, in the order of their ids.
    pub fn candidates(&self) -> impl Iterator<Item = Candidate> + Clone + '_ {
        self.places.models().map(|model| self.candidate(model))
    }

    /// One model, or `None` for an id of some other catalog.
    pub fn of(&self, id: ModelId) -> Option<Candidate> {
        let profile = *self.places.get(id)?;
        Some(self.candidate(Model { id, profile }))
    }

    /// The exact probability with which a model is picked, for off-policy evaluation of logs; zero for an id of some
    /// other catalog.
    ///
    /// A draw meets it to within (n + 4k + 3)·2⁻²⁴ for an exploration set of n models, up to 4,096: n + 2 from
    /// [`sample`](crate::select::sample::sample), and the rest from weights that are off by at most 7k parts in 2²⁴.
    pub fn probability(&self, id: ModelId) -> f64 {
        self.of(id).map_or(0.0, |candidate| candidate.probability)
    }

    fn candidate(&self, model: Model) -> Candidate {
        let Policy { margin, .. } = self.policy;
        let Eligible { model: waiting, value } = Eligible::new(model, &self.request, margin);
        let latency = waiting.profile.latency;
        let fits = Threshold::new(latency, margin).fits(self.budget);
        let verdict = match (self.request.exclusion(&model), self.base) {
            (Some(exclusion), _) => Verdict::Excluded(exclusion),
            (None, Some(Base::Fits(base))) if base.id == model.id => Verdict::Base,
            (None, Some(Base::Fastest(base))) if base.id == model.id => Verdict::Fastest,
            (None, Some(Base::Fits(base))) if fits => {
                if self.explored.is_none() {
                    Verdict::NotExplored
                } else if !Window::around(base.profile.latency).contains(latency.mean) {
                    Verdict::OutsideWindow
                } else if model.profile.accuracy.as_ppm() == 0 {
                    Verdict::NoUtility
                } else {
                    Verdict::Explored
                }
            }
            (None, _) => Verdict::DoesNotFit,
        };
        let utility = match verdict {
            Verdict::Excluded(_) => 0.0,
            _ => utility(&waiting.profile, margin, self.budget),
        };
        let explored = self.explored.and_then(|explored| explored.of(&waiting));
        let probability = match verdict {
            // Where no utility is positive, a base of accuracy zero is used with certainty.
            Verdict::Base => explored.unwrap_or(1.0),
            Verdict::Explored => explored.unwrap_or(0.0),
            Verdict::Fastest => 1.0,
            _ => 0.0,
        };
        let probed = self.beforehand.of(model.id);
        let verdict = if probed > 0.0 && probability == 0.0 { Verdict::Probe } else { verdict };
        let probability = probed + (1.0 - self.beforehand.total()).max(0.0) * probability;
        Candidate { model: model.id, verdict, value, utility, probability }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::profile::Profile;
    use crate::time::Micros;

    /// Of 50, 80 and 90 % the second is the base, and alone; the third does not fit.
    #[test]
    fn what_goes_elsewhere_beforehand_leaves_the_rest_to_the_others() {
        let zoo = [(50.0, 10.0, 1.0), (80.0, 100.0, 5.0), (90.0, 300.0, 5.0)]
            .map(|(accuracy, mean, deviation)| Profile::from_percent_and_millis(accuracy, mean, deviation));
        let zoo = Catalog::<3>::try_new(zoo).unwrap();
        let explained = |beforehand: &[(usize, f64)]| {
            let mut these = Beforehand::default();
            beforehand
                .iter()
                .for_each(|&(place, probability)| these.add(zoo.id(place).unwrap(), probability));
            let budget = Budget::of(Micros::from_millis(200));
            let explanation = zoo.explain(&Policy::PAPER, budget).with_beforehand(these);
            let seen = explanation.candidates().map(|it| (it.verdict, it.probability));
            seen.collect::<heapless::Vec<_, 3>>()
        };
        use Verdict::{Base, DoesNotFit, OutsideWindow, Probe};
        assert_eq!(explained(&[]), [(OutsideWindow, 0.0), (Base, 1.0), (DoesNotFit, 0.0)]);
        let some = [(2, 0.25), (1, 0.125), (2, 0.125), (0, 0.0625), (0, 0.25)];
        assert_eq!(explained(&some[..3]), [(OutsideWindow, 0.0), (Base, 0.625), (Probe, 0.375)]);
        // One too many is left out.
        assert_eq!(explained(&some), [(Probe, 0.0625), (Base, 0.5625), (Probe, 0.375)]);
        // No more can be left than there is.
        assert_eq!(explained(&[(2, 0.75), (0, 0.75)]), [(Probe, 0.75), (Base, 0.0), (Probe, 0.75)]);
    }
}
