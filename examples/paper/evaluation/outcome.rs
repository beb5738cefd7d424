//! What becomes of many requests under one algorithm: replayed one by one, or as the exact expectation.

use mdinference::{Budget, Micros, ModelId, NetworkTime};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::StandardNormal;
use statrs::distribution::{ContinuousCDF, Normal};

use super::algorithm::Algorithm;
use super::models::Models;
use super::network::Network;

/// Accuracy of the on-device model (mobilenet_v1_0.25_128), in percent: what a duplicated request falls back on.
pub const ON_DEVICE_ACCURACY: f64 = 41.4;

/// The means over all requests.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// End-to-end latency T_nw + inference time, in ms.
    pub latency_ms: f64,
    /// Accuracy of the models that ran, in percent.
    pub accuracy: f64,
    /// Requests answered within the SLA, in percent.
    pub attainment: f64,
    /// Accuracy with request duplication, in percent: of the remote answer if it is in time, else of the device's.
    pub duplicated_accuracy: f64,
    /// Requests that each model ran, in percent, by model id.
    pub usage: Vec<f64>,
    /// Requests that each model answered within the SLA, in percent, by model id.
    pub answered: Vec<f64>,
}

impl Outcome {
    /// Requests left to the on-device model, in percent.
    pub fn reliance(&self) -> f64 {
        100.0 - self.attainment
    }
}

/// All that is random about a request.
pub struct Request {
    /// T_nw.
    pub network: Micros,
    /// 64 random bits for the selection.
    pub draw: u64,
    /// How many σ the inference takes longer than μ.
    pub delay: f64,
}

/// `count` requests. One seed gives the same requests, but for their T_nw, on every network: comparisons are paired.
pub fn requests(network: &Network, seed: u64, count: usize) -> Vec<Request> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut request = || Request {
        network: network.quantile(rng.random_range(f64::MIN_POSITIVE..1.0)),
        draw: rng.next_u64(),
        delay: rng.sample(StandardNormal),
    };
    (0..count).map(|_| request()).collect()
}

/// Answers every request with the model that the algorithm picks for it.
pub fn replay(models: &Models, algorithm: Algorithm, sla: Micros, requests: &[Request]) -> Outcome {
    let mut tally = Tally::new(models);
    let part = 1.0 / requests.len() as f64;
    for request in requests {
        let budget = Budget::new(sla, NetworkTime::Given(request.network));
        let id = algorithm.pick(&models.catalog, sla, budget, request.draw);
        let (mean, deviation) = inference(models, id);
        let latency = request.network.as_millis() + (mean + request.delay * deviation).max(0.0);
        let in_time = if latency <= sla.as_millis() { 1.0 } else { 0.0 };
        tally.add(id, part, latency, in_time);
    }
    tally.outcome
}

/// The same without sampling: over a [`Network::grid`], with exact selection probabilities and the normal distribution
/// of the inference time (whose part below zero is smaller than 10⁻³⁰ for every measured model).
pub fn expectation(models: &Models, algorithm: Algorithm, sla: Micros, grid: &[(Micros, f64)]) -> Outcome {
    let mut tally = Tally::new(models);
    for &(network, probability) in grid {
        let budget = Budget::new(sla, NetworkTime::Given(network));
        for (id, share) in algorithm.shares(&models.catalog, sla, budget) {
            let (mean, deviation) = inference(models, id);
            let latency = network.as_millis() + mean;
            let in_time = below((sla.as_millis() - latency) / deviation);
            tally.add(id, probability * share, latency, in_time);
        }
    }
    tally.outcome
}

/// The part of a normal distribution below a standard score.
fn below(score: f64) -> f64 {
    // Most scores are far out, where there is nothing to compute: 1 − Φ(9) < 10⁻¹⁸.
    if score.abs() < 9.0 { Normal::standard().cdf(score) } else { f64::from(score > 0.0) }
}

/// μ and σ in ms.
fn inference(models: &Models, id: ModelId) -> (f64, f64) {
    let latency = models.catalog.profiles()[id.index()].latency;
    (latency.mean.as_millis(), latency.deviation.as_millis())
}

struct Tally {
    /// By model id, in percent.
    accuracy: Vec<f64>,
    outcome: Outcome,
}

impl Tally {
    fn new(models: &Models) -> Self {
        let profiles = models.catalog.profiles();
        let none = vec![0.0; profiles.len()];
        Self {
            accuracy: profiles.iter().map(|profile| profile.accuracy.as_percent()).collect(),
            outcome: Outcome {
                latency_ms: 0.0,
                accuracy: 0.0,
                attainment: 0.0,
                duplicated_accuracy: 0.0,
                usage: none.clone(),
                answered: none,
            },
        }
    }

    /// A `part` of all requests that model `id` ran, and of which it answered the part `in_time` within the SLA.
    fn add(&mut self, id: ModelId, part: f64, latency_ms: f64, in_time: f64) {
        let index = id.index();
        let accuracy = self.accuracy[index];
        let outcome = &mut self.outcome;
        outcome.latency_ms += part * latency_ms;
        outcome.accuracy += part * accuracy;
        outcome.attainment += 100.0 * part * in_time;
        outcome.duplicated_accuracy += part * (in_time * accuracy + (1.0 - in_time) * ON_DEVICE_ACCURACY);
        outcome.usage[index] += 100.0 * part;
        outcome.answered[index] += 100.0 * part * in_time;
    }
}
