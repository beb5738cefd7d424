//! What becomes of many requests under one algorithm: replayed one by one, or as the exact expectation.

use mdinference::{Budget, Draw, Micros, ModelId, NetworkTime};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
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
    /// Inference time alone, in ms.
    pub inference_ms: f64,
    /// Aggregate accuracy (Section III), in percent: the mean accuracy of the models that ran.
    pub accuracy: f64,
    /// SLA attainment (Section III): requests answered within the SLA, in percent.
    pub attainment: f64,
    /// Aggregate accuracy with request duplication, in percent: of the remote answer if it is in time, else of the
    /// device's. No model on the server is less accurate than the device's, so none gives way to it (Section IV-E).
    pub duplicated_accuracy: f64,
    /// Mean square of the same; see [`Outcome::accuracy_error`].
    duplicated_square: f64,
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

    /// The standard error of the reliance as measured on so many requests, in points.
    pub fn reliance_error(&self, requests: f64) -> f64 {
        let share = self.reliance() / 100.0;
        100.0 * (share * (1.0 - share) / requests).sqrt()
    }

    /// The standard error of the accuracy with duplication as measured on so many requests, in points.
    pub fn accuracy_error(&self, requests: f64) -> f64 {
        let variance = self.duplicated_square - self.duplicated_accuracy * self.duplicated_accuracy;
        (variance.max(0.0) / requests).sqrt()
    }
}

/// Aggregate accuracy (Section III): the mean accuracy over requests, of which each accuracy answered a part.
pub fn aggregate_accuracy(answers: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    answers.into_iter().map(|(accuracy, part)| part * accuracy).sum()
}

/// All that is random about a request.
pub struct Request {
    /// T_nw.
    pub network: Micros,
    /// Of the selection.
    pub draw: Draw,
    /// How many σ the inference takes longer than μ.
    pub delay: f64,
}

impl Request {
    /// How long a model takes for it, in ms.
    pub fn inference_ms(&self, models: &Models, id: ModelId) -> f64 {
        let (mean, deviation) = latency(models, id);
        (mean + self.delay * deviation).max(0.0)
    }
}

/// `count` requests. One seed gives the same requests, but for their T_nw, on every network: comparisons are paired.
pub fn requests(network: &Network, seed: u64, count: usize) -> Vec<Request> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut request = || Request {
        network: network.quantile(rng.random_range(f64::MIN_POSITIVE..1.0)),
        draw: Draw::from_rng(&mut rng),
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
        let inference = request.inference_ms(models, id);
        let in_time = request.network.as_millis() + inference <= sla.as_millis();
        tally.add(id, part, [request.network.as_millis(), inference], f64::from(in_time));
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
            let (mean, deviation) = latency(models, id);
            let in_time = below((sla.as_millis() - network.as_millis() - mean) / deviation);
            tally.add(id, probability * share, [network.as_millis(), mean], in_time);
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
fn latency(models: &Models, id: ModelId) -> (f64, f64) {
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
                inference_ms: 0.0,
                accuracy: 0.0,
                attainment: 0.0,
                duplicated_accuracy: 0.0,
                duplicated_square: 0.0,
                usage: none.clone(),
                answered: none,
            },
        }
    }

    /// A `part` of all requests that took so long on the network and in model `id`, and of which it answered the part
    /// `in_time` within the SLA.
    fn add(&mut self, id: ModelId, part: f64, [network_ms, inference_ms]: [f64; 2], in_time: f64) {
        let index = id.index();
        let accuracy = self.accuracy[index];
        let outcome = &mut self.outcome;
        outcome.latency_ms += part * (network_ms + inference_ms);
        outcome.inference_ms += part * inference_ms;
        outcome.accuracy += aggregate_accuracy([(accuracy, part)]);
        outcome.attainment += 100.0 * part * in_time;
        let answers = [(accuracy, part * in_time), (ON_DEVICE_ACCURACY, part * (1.0 - in_time))];
        outcome.duplicated_accuracy += aggregate_accuracy(answers);
        outcome.duplicated_square += aggregate_accuracy(answers.map(|(a, part)| (a * a, part)));
        outcome.usage[index] += 100.0 * part;
        outcome.answered[index] += 100.0 * part * in_time;
    }
}
