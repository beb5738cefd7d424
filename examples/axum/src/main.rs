//! Serves what a config file says: `mdinference-axum CONFIG`.

mod backend;
mod front;
mod zoo;

use std::{env, sync::Arc};

use arc_swap::ArcSwap;
use axum::routing::{Router, get, post};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::{net::TcpListener, sync::mpsc};

#[tokio::main]
async fn main() -> Result<(), backend::Error> {
    let path = env::args().nth(1).unwrap_or("config/example.toml".to_owned());
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let zoo = Arc::new(ArcSwap::from_pointee(zoo::Zoo::new(&path)?));
    let metrics = PrometheusBuilder::new().install_recorder()?;
    let listener = TcpListener::bind(&zoo.load().config.listen).await?;
    println!("listening on {}", listener.local_addr()?);
    let (reports, inbox) = mpsc::unbounded_channel();
    let learning = tokio::spawn(zoo::learn(path, inbox, zoo.clone()));
    let app = front::App { zoo, reports, metrics, in_flight: Arc::default() };
    let router = Router::new()
        .route("/infer", post(front::infer))
        .route("/explain", get(front::explain))
        .route("/feedback/{model}/{right}", post(front::feedback))
        .route("/metrics", get(front::metrics))
        .with_state(Arc::new(app));
    let stop = async move { tokio::select!(_ = terminate.recv() => (), _ = interrupt.recv() => ()) };
    axum::serve(listener, router).with_graceful_shutdown(stop).await?;
    learning.await? // until the last report has come
}
