//! What runs the models: this is what you replace.

use std::{error, time::Duration};

use axum::body::Bytes;
use rand_distr::{Distribution, Normal};

use crate::zoo::Model;

pub type Error = Box<dyn error::Error + Send + Sync>;

/// Runs a model of the config on the body of a request, and gives the body of the answer. It is dropped when nobody waits
/// for it any more. Here a model is a stand-in, which takes as long as the config says and answers what it was asked.
pub async fn run(model: &Model, body: Bytes) -> Result<Bytes, Error> {
    let latency = model.simulated.unwrap_or(model.profile.latency);
    let millis =
        Normal::new(latency.mean.as_millis(), latency.deviation.as_millis())?.sample(&mut rand::rng());
    tokio::time::sleep(Duration::from_secs_f64(millis.max(0.0) / 1_000.0)).await;
    Ok(body)
}
