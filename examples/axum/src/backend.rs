//! What runs the models: this is what you replace.

use std::time::Duration;

use axum::body::Bytes;
use rand_distr::{Distribution, Normal};

use crate::zoo::Model;

/// Runs a model of the config on the body of a request, and gives the body of the answer. It is dropped when
/// nobody waits for it any more.
///
/// Here a model is a stand-in, which takes as long as the config says and answers what it was asked.
pub async fn run(model: &Model, body: Bytes) -> anyhow::Result<Bytes> {
    let latency = model.simulated.unwrap_or(model.profile.latency);
    let millis =
        Normal::new(latency.mean.as_millis(), latency.deviation.as_millis())?.sample(&mut rand::rng());
    tokio::time::sleep(Duration::from_secs_f64(millis.max(0.0) / 1_000.0)).await;
    Ok(body)
}
