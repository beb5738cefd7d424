//! Figure 8 (Section V-D): where the time of 20 sampled requests goes, under the four algorithms of Table IV, with request
//! duplication on the residential network at an SLA of 250 ms.

use mdinference::{Budget, Micros, NetworkTime};

use super::Settings;
use super::algorithm::Algorithm;
use super::duplication::SLA_MS;
use super::models::Models;
use super::network::RESIDENTIAL;
use super::outcome::{Request, requests};
use super::row::{Across, Row, Section};

/// Requests that the paper shows.
const REQUESTS: usize = 20;

pub struct Figure8 {
    /// The same requests, by rising T_nw, under each row of Table IV.
    pub algorithms: [(&'static str, Vec<Sample>); 4],
}

/// One request.
pub struct Sample {
    /// T_nw, in ms.
    pub network_ms: f64,
    /// The time of the model on the server, in ms.
    pub inference_ms: f64,
    /// The device's result is used: the remote one is not there at the SLA.
    pub on_device: bool,
}

impl Figure8 {
    pub fn run(settings: &Settings) -> Self {
        let models = Models::measured();
        let mut requests = requests(&RESIDENTIAL.network(), settings.seed, REQUESTS);
        requests.sort_by_key(|request| request.network);
        let sla = Micros::from_millis(SLA_MS);
        let algorithms = [
            ("static latency", Algorithm::StaticLatency),
            ("static accuracy", Algorithm::StaticAccuracy),
            ("random", Algorithm::PureRandom),
            ("mdinference", Algorithm::PAPER),
        ];
        let algorithms = algorithms.map(|(name, algorithm)| {
            let sample = |request: &Request| {
                let budget = Budget::new(sla, NetworkTime::Given(request.network));
                let id = algorithm.pick(&models.catalog, sla, budget, request.draw);
                let network_ms = request.network.as_millis();
                let inference_ms = request.inference_ms(&models, id);
                Sample { network_ms, inference_ms, on_device: network_ms + inference_ms > sla.as_millis() }
            };
            (name, requests.iter().map(sample).collect())
        });
        Self { algorithms }
    }

    pub fn section(&self) -> Section {
        const FIGURE: &str = "figure8";
        let mut points = Vec::new();
        let mut part = |row: &str, samples: &[Sample], column: &str, value: fn(&Sample) -> f64| {
            for (number, sample) in (1..).zip(samples) {
                points.push(Row::new(
                    FIGURE,
                    row,
                    format!("{column}, request {number}"),
                    SLA_MS,
                    value(sample),
                ));
            }
        };
        let (_, samples) = &self.algorithms[0];
        part("all", samples, "network (ms)", |sample| sample.network_ms);
        for (algorithm, samples) in &self.algorithms {
            part(algorithm, samples, "inference (ms)", |sample| sample.inference_ms);
            part(algorithm, samples, "on device (ms)", |sample| {
                if sample.on_device { f64::from(SLA_MS) } else { 0.0 }
            });
        }
        Section {
            title: format!("Figure 8: where the time of {REQUESTS} requests goes, residential, SLA {SLA_MS} ms"),
            points,
            across: Across::Request,
            rows: Vec::new(),
            notes: vec![
                "The same requests for each algorithm, by rising T_nw. Where the device answers, it does so at the SLA; \
                 the remote answer would have taken the times of network and inference."
                    .into(),
            ],
        }
    }
}
