//! Serves what a config file says, and learns: `mdinference-axum CONFIG`.

mod backend;
mod front;
mod prometheus;
mod zoo;

use std::{env, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use axum::routing::{Router, get, post};
use mdinference::{Catalog, Learning, Policy, Profile, Server};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::{net::TcpListener, sync::Semaphore, sync::mpsc, time::interval, time::sleep};

use crate::{front::App, zoo::Zoo, zoo::now};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let path = env::args().nth(1).unwrap_or("config/example.toml".to_owned());
    let mut hangup = signal(SignalKind::hangup())?;
    let nobody = Catalog::new([Profile::default()])?;
    let (mut config, mut server) = (Arc::default(), Server::new(nobody, Policy::PAPER, Learning::DEFAULT));
    zoo::read(&path, &mut config, &mut server)?;

    let listener = TcpListener::bind(&config.listen).await?;
    println!("listening on {}", listener.local_addr()?);
    let (reports, mut inbox) = mpsc::unbounded_channel();
    let counted = PrometheusBuilder::new().set_buckets(&prometheus::BUCKETS_MS)?.install_recorder()?;
    let zoo = ArcSwap::from_pointee(Zoo { config: config.clone(), front: server.front().clone() });
    let app = Arc::new(App { zoo, reports, places: Semaphore::new(config.most_in_flight), counted });
    let router = Router::new()
        .route("/infer", post(front::infer))
        .route("/explain", get(front::explain))
        .route("/metrics", get(front::metrics))
        .with_state(app.clone());
    tokio::spawn(axum::serve(listener, router).into_future());

    let mut upkeep = interval(Duration::from_secs(5));
    loop {
        let changed = tokio::select! {
            Some(report) = inbox.recv() => Ok(server.learn(report, now())),
            () = sleep(server.poll_at().since(now()).into()) => Ok(server.poll(now())),
            Some(()) = hangup.recv() => zoo::read(&path, &mut config, &mut server).map(|()| true),
            _ = upkeep.tick() => { app.counted.run_upkeep(); Ok(false) } // or what runs took piles up
        };
        if changed.inspect_err(|error| eprintln!("{error:#}")).unwrap_or(false) {
            app.zoo.store(Arc::new(Zoo { config: config.clone(), front: server.front().clone() }));
        }
    }
}
