//! Serves what a config file says: `mdinference-axum CONFIG`.

mod backend;
mod front;
mod metrics;
mod zoo;

use std::{collections::BTreeMap, env, sync::Arc};

use arc_swap::ArcSwap;
use axum::routing::{Router, get, post};
use mdinference::{Catalog, Learning, Policy, Profile, Server};
use tokio::signal::unix::{SignalKind, signal};
use tokio::{net::TcpListener, sync::Semaphore, sync::mpsc};

use front::App;
use metrics::Metrics;
use zoo::Zoo;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let path = env::args().nth(1).unwrap_or("config/example.toml".to_owned());
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let nobody = Server::new(Catalog::new([Profile::default()])?, Policy::PAPER, Learning::DEFAULT);
    let zoo = Zoo::read(&path, &BTreeMap::new(), nobody)?;
    let listener = TcpListener::bind(&zoo.config.listen).await?;
    println!("listening on {}", listener.local_addr()?);
    let most_in_flight = zoo.config.most_in_flight;
    let shared = Arc::new(ArcSwap::from_pointee(zoo));
    let (reports, inbox) = mpsc::unbounded_channel();
    let learning = tokio::spawn(zoo::learn(path, inbox, shared.clone()));
    let (metrics, places) = (Metrics::new(), Semaphore::new(most_in_flight));
    let router = Router::new()
        .route("/infer", post(front::infer))
        .route("/explain", get(front::explain))
        .route("/feedback/{model}/{right}", post(front::feedback))
        .route("/metrics", get(front::metrics))
        .with_state(Arc::new(App { zoo: shared, reports, metrics, most_in_flight, places }));
    let stop = async move { tokio::select!(_ = terminate.recv() => (), _ = interrupt.recv() => ()) };
    axum::serve(listener, router).with_graceful_shutdown(stop).await?;
    learning.await? // until the last report has come
}
