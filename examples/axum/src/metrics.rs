//! [`Metrics`]: what `/metrics` tells.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use prometheus_client::{encoding::text::encode, registry::Registry};

use crate::zoo::Zoo;

type Labels = Vec<(&'static str, String)>;

/// Counted as it happens; all else is read when it is asked for.
pub struct Metrics {
    requests: Family<Labels, Counter>,
    run_ms: Family<Labels, Histogram>,
}

impl Metrics {
    pub fn new() -> Self {
        let run_ms: fn() -> Histogram = || Histogram::new(exponential_buckets(1.0, 2.0, 14));
        Self { requests: Family::default(), run_ms: Family::new_with_constructor(run_ms) }
    }

    pub fn count(&self, model: &str, outcome: &str, reason: impl ToString, ran_ms: Option<f64>) {
        let (model, reason) = (("model", model.to_owned()), ("reason", reason.to_string()));
        if let Some(millis) = ran_ms {
            self.run_ms.get_or_create(&vec![model.clone()]).observe(millis);
        }
        self.requests.get_or_create(&vec![model, ("outcome", outcome.to_owned()), reason]).inc();
    }

    pub fn text(&self, zoo: &Zoo, in_flight: usize) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("mdinference");
        registry.register("requests", "Requests that have ended", self.requests.clone());
        registry.register("run_ms", "How long runs took", self.run_ms.clone());
        let [load, mean, deviation, accuracy, standing] =
            ["in_flight", "mean_ms", "deviation_ms", "accuracy_percent", "standing"].map(|name| {
                let gauge = Family::<Labels, Gauge<f64, AtomicU64>>::default();
                registry.register(name, "As it is now", gauge.clone());
                gauge
            });
        load.get_or_create(&vec![]).set(in_flight as f64);
        for (name, model) in &zoo.config.model {
            let Some(learnt) = zoo.learnt(model) else { continue };
            let latency = learnt.latency.latency().unwrap_or_default();
            let labels = vec![("model", name.clone())];
            mean.get_or_create(&labels).set(latency.mean.as_millis());
            deviation.get_or_create(&labels).set(latency.deviation.as_millis());
            accuracy.get_or_create(&labels).set(learnt.accuracy.accuracy().as_percent());
            let now = zoo.server.standing(model.id).map(|standing| standing.to_string()).unwrap_or_default();
            standing.get_or_create(&[labels, vec![("standing", now)]].concat()).set(1.0);
        }
        let mut text = String::new();
        encode(&mut text, &registry).map(|()| text)
    }
}
