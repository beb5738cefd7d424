//! The algorithms that the paper compares, one interface for all: a pick for a draw, and the exact probabilities.

use std::fmt;

use mdinference::select::base::{Base, base};
use mdinference::select::explore::exploration_set;
use mdinference::{Budget, Draw, Margin, Micros, ModelId, Policy, baseline};

use super::models::Catalog;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Algorithm {
    StaticGreedy,
    StaticLatency,
    StaticAccuracy,
    PureRandom,
    RelatedRandom,
    RelatedAccurate,
    MdInference(Policy),
}

impl Algorithm {
    /// MDInference with γ = 1 and k = 1.
    pub const PAPER: Self = Self::MdInference(Policy::PAPER);

    /// The model that answers a request with this SLA and budget.
    pub fn pick(self, catalog: &Catalog, sla: Micros, budget: Budget, draw: Draw) -> ModelId {
        let models = catalog.models();
        let margin = Margin::PAPER;
        match self {
            Self::StaticGreedy => baseline::static_greedy(models, margin, sla),
            Self::StaticLatency => baseline::static_latency(models),
            Self::StaticAccuracy => baseline::static_accuracy(models),
            Self::PureRandom => baseline::pure_random(models, draw),
            Self::RelatedRandom => baseline::related_random(models, margin, budget, draw),
            Self::RelatedAccurate => baseline::related_accurate(models, margin, budget),
            Self::MdInference(policy) => Some(catalog.select(&policy, budget, draw).model),
        }
        .expect("a catalog is never empty")
    }

    /// The models that may answer such a request, each with its exact probability.
    pub fn shares(self, catalog: &Catalog, sla: Micros, budget: Budget) -> Vec<(ModelId, f64)> {
        let evenly = |ids: Vec<ModelId>| {
            let share = 1.0 / ids.len() as f64;
            ids.into_iter().map(|id| (id, share)).collect()
        };
        match self {
            Self::PureRandom => evenly(catalog.models().map(|model| model.id).collect()),
            Self::RelatedRandom => match base(catalog.models(), Margin::PAPER, budget) {
                Some(Base::Fits(base)) => {
                    let set = exploration_set(catalog.models(), base.profile.latency);
                    evenly(set.map(|model| model.id).collect())
                }
                nothing_fits => nothing_fits.map(|fastest| (fastest.model().id, 1.0)).into_iter().collect(),
            },
            Self::MdInference(policy) => catalog
                .explain(&policy, budget)
                .candidates()
                .filter(|candidate| candidate.probability > 0.0)
                .map(|candidate| (candidate.model, candidate.probability))
                .collect(),
            deterministic => {
                vec![(deterministic.pick(catalog, sla, budget, Draw::from_uniform_bits(0)), 1.0)]
            }
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StaticGreedy => "static greedy",
            Self::StaticLatency => "static latency",
            Self::StaticAccuracy => "static accuracy",
            Self::PureRandom => "pure random",
            Self::RelatedRandom => "related random",
            Self::RelatedAccurate => "related accurate",
            Self::MdInference(policy) if *policy == Policy::PAPER => "mdinference",
            Self::MdInference(policy) => return write!(f, "mdinference k={}", policy.sharpness.get()),
        })
    }
}
