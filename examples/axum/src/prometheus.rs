//! What `/metrics` tells.

use metrics::{counter, gauge, with_local_recorder};
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::zoo::{Model, Zoo};

/// Of the histogram of runs.
pub const BUCKETS_MS: [f64; 12] = [1., 2., 5., 10., 20., 50., 100., 200., 500., 1_000., 2_000., 5_000.];

/// Counts a request that has ended.
pub fn count(model: String, outcome: &'static str, reason: String) {
    counter!("mdinference_requests_total", "model" => model, "outcome" => outcome, "reason" => reason)
        .increment(1);
}

/// How things are now.
pub fn now(zoo: &Zoo, free_places: usize) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    with_local_recorder(&recorder, || {
        gauge!("mdinference_free_places").set(free_places as f64);
        for (name, &Model { id, .. }) in &zoo.config.model {
            let (Some(live), Some(standing)) = (zoo.front.live(id), zoo.front.standing(id)) else { continue };
            let set = |what: &'static str, value| gauge!(what, "model" => name.clone()).set(value);
            set("mdinference_mean_ms", live.latency.mean.as_millis());
            set("mdinference_deviation_ms", live.latency.deviation.as_millis());
            set("mdinference_accuracy_percent", live.accuracy.as_percent());
            let labels = [("model", name.clone()), ("standing", format!("{standing:?}"))];
            gauge!("mdinference_standing", &labels).set(1.0);
        }
    });
    recorder.handle().render()
}
