//! What runs the models: this is what you replace.

use axum::body::Bytes;
use mdinference::Micros;

use crate::zoo::Model;

/// Runs a model of the config on the body of a request, and gives the body of the answer. It is dropped when
/// nobody waits for it any more.
///
/// Here a model is a stand-in, which takes as long as the config says and answers what it was asked.
pub async fn run(model: &Model, body: Bytes) -> anyhow::Result<Bytes> {
    let time = model.simulated_ms.map_or(model.profile.latency.mean, Micros::from_millis);
    tokio::time::sleep(time.into()).await;
    Ok(body)
}
