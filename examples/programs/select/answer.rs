//! The answer to one request, as text and as JSON.

use mdinference::{Catalog, Decision, Micros, NothingEligible, Policy, Request};
use serde::Serialize;

use crate::CAPACITY;
use crate::table::table;
use crate::zoo::Zoo;

/// What became of one request.
pub struct Answer<'a> {
    pub zoo: &'a Zoo,
    pub catalog: &'a Catalog<CAPACITY>,
    pub policy: Policy,
    pub request: Request<'a>,
    pub decision: Result<Decision, NothingEligible>,
}

/// The shape of `--json`.
#[derive(Serialize)]
struct Json<'a> {
    budget_ms: f64,
    base: Option<&'a str>,
    pick: Option<&'a str>,
    reason: String,
    candidates: Vec<JsonCandidate<'a>>,
}

#[derive(Serialize)]
struct JsonCandidate<'a> {
    model: &'a str,
    verdict: String,
    utility: f64,
    probability: f64,
}

impl Answer<'_> {
    fn name(&self, place: usize) -> &str {
        &self.zoo.names[place]
    }

    fn base(&self) -> Option<&str> {
        self.decision.ok().map(|decision| self.name(decision.base.into()))
    }

    fn pick(&self) -> Option<&str> {
        self.decision.ok().map(|decision| self.name(decision.model.index()))
    }

    fn reason(&self) -> String {
        match self.decision {
            Ok(decision) => decision.reason.to_string(),
            Err(nothing) => nothing.to_string(),
        }
    }

    /// Of the pick, in percent.
    fn probability(&self) -> f64 {
        let probability = |model| self.catalog.probability(&self.policy, self.request, model);
        self.decision.map_or(0.0, |decision| 100.0 * probability(decision.model))
    }

    pub fn json(&self) -> String {
        let explanation = self.catalog.explain(&self.policy, self.request);
        let candidates = explanation.candidates().map(|candidate| JsonCandidate {
            model: self.name(candidate.model.index()),
            verdict: candidate.verdict.to_string(),
            utility: candidate.utility,
            probability: candidate.probability,
        });
        let json = Json {
            budget_ms: self.request.budget().time().as_millis(),
            base: self.base(),
            pick: self.pick(),
            reason: self.reason(),
            candidates: candidates.collect(),
        };
        serde_json::to_string(&json).expect("numbers and words can be written as JSON")
    }

    pub fn text(&self) -> String {
        let explanation = self.catalog.explain(&self.policy, self.request);
        let rows = explanation.candidates().map(|candidate| {
            let profile = self.zoo.profiles[candidate.model.index()];
            vec![
                self.name(candidate.model.index()).to_owned(),
                candidate.verdict.to_string(),
                format!("{:.1}", profile.accuracy.as_percent()),
                format!("{:.3}", profile.latency.mean.as_millis()),
                format!("{:.3}", profile.latency.deviation.as_millis()),
                format!("{:.4}", candidate.utility),
                format!("{:.4}", 100.0 * candidate.probability),
            ]
        });
        let header = ["model", "verdict", "accuracy (%)", "μ (ms)", "σ (ms)", "utility", "probability (%)"];
        let table = table(&header, 2..7, rows);
        match self.pick() {
            Some(pick) => {
                let (reason, probability) = (self.reason(), self.probability());
                format!("{table}\n\nPick: {pick} ({reason}; probability {probability:.4} %)\n")
            }
            None => format!("{table}\n\nNo pick: {}\n", self.reason()),
        }
    }

    pub fn row(&self, number: usize, sla: Micros, network: Micros) -> Vec<String> {
        vec![
            number.to_string(),
            self.base().unwrap_or("–").to_owned(),
            self.pick().unwrap_or("–").to_owned(),
            self.reason(),
            format!("{:.3}", sla.as_millis()),
            format!("{:.3}", network.as_millis()),
            format!("{:.3}", self.request.budget().time().as_millis()),
            self.pick().map_or("–".to_owned(), |_| format!("{:.4}", self.probability())),
        ]
    }
}
