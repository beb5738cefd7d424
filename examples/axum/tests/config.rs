//! What the server keeps when its config is read anew, and what it refuses.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::fs;
use std::sync::Arc;

use support::{Folder, Server, until};

/// Written as a model of 50 ms that takes 80.
const SLOWER: &str = "
[model.slower]
accuracy_percent = 90
mean_ms = 50
deviation_ms = 2
simulated_ms = 80
";

const OTHER: &str = "
[model.other]
accuracy_percent = 60
mean_ms = 20
deviation_ms = 1
";

fn config(models: &str) -> String {
    format!("most_in_flight = 100\nsla_ms = 1000\n{models}")
}

/// Until what was written is no longer believed.
async fn teach(server: &Server) {
    let known = async || {
        assert_eq!(server.infer("", &[]).await.model, "slower");
        knows(server).await
    };
    until("it is known to be slower", known).await;
}

/// What it says, and what it goes by: in 70 ms there is no time for that model.
async fn knows(server: &Server) -> bool {
    let slower = &server.explain(&[("x-sla-ms", "70")]).await["slower"];
    let is_slower = slower["live"]["mean_ms"].as_f64().unwrap() > 70.0;
    assert!(!is_slower || slower["verdict"] != "Base");
    server.metrics().await.mean_ms("slower") > 70.0 && is_slower
}

async fn names(server: &Server) -> Vec<String> {
    server.explain(&[]).await.into_keys().collect()
}

#[tokio::test]
async fn a_new_config_leaves_what_was_learnt_of_models_that_stay() {
    let folder = Folder::new(&config(SLOWER));
    let server = Arc::new(Server::start(&folder).await);
    teach(&server).await;

    folder.write(&config(&(SLOWER.to_owned() + OTHER)));
    server.hang_up().await;
    until("the other model is there", async || names(&server).await == ["other", "slower"]).await;
    assert!(knows(&server).await);
    assert_eq!(server.infer("", &[("x-sla-ms", "45")]).await.model, "other");

    // Its time is written anew: nothing is known of that model.
    folder.write(&config(&(SLOWER.replace("mean_ms = 50", "mean_ms = 51") + OTHER)));
    server.hang_up().await;
    until("it is a new model", async || server.metrics().await.mean_ms("slower") == 51.0).await;

    folder.write(&config(OTHER));
    server.hang_up().await;
    until("it is gone", async || names(&server).await == ["other"]).await;
    assert!(!server.metrics().await.0.contains("mean_ms{model=\"slower\"}"));
    assert_eq!(server.infer("", &[]).await.model, "other");
    assert_eq!(server.complaints(), "");
}

/// What is under way when a model goes ends as it would have.
#[tokio::test]
async fn runs_of_a_model_that_goes_end_as_they_would_have() {
    let long =
        SLOWER.replace("simulated_ms = 80", "simulated_ms = 700").replace("mean_ms = 50", "mean_ms = 600");
    let folder = Folder::new(&config(&(long + OTHER)));
    let server = Arc::new(Server::start(&folder).await);
    let run = tokio::spawn({
        let server = server.clone();
        async move { server.infer("still", &[]).await }
    });
    until("it is under way", async || server.metrics().await.in_flight(100) == 1).await;
    folder.write(&config(OTHER));
    server.hang_up().await;
    until("its model is gone", async || names(&server).await == ["other"]).await;
    assert_eq!(server.metrics().await.in_flight(100), 1);
    let answer = run.await.unwrap();
    assert_eq!((answer.model.as_str(), answer.body.as_str()), ("slower", "still"));
}

#[tokio::test]
async fn a_config_that_is_wrong_is_refused_by_name_and_changes_nothing() {
    let folder = Folder::new(&config(SLOWER));
    let server = Arc::new(Server::start(&folder).await);
    teach(&server).await;
    let many: String = (0..33).map(|number| OTHER.replace("other", &format!("other{number}"))).collect();
    for (wrong, messages) in [
        (SLOWER.replace("mean_ms = 50", "mean_ms = -50"), ["model.slower", "mean is negative"]),
        (SLOWER.replace("mean_ms = 50", "mean_us = 50"), ["model.slower", "mean_ms"]),
        (SLOWER.replace("90", "190"), ["model.slower", "accuracy is above 100 %"]),
        (SLOWER.replace("deviation_ms = 2", "deviation_ms = \"2\""), ["model.slower", "deviation_ms"]),
        (SLOWER.to_owned() + "share = 1", ["model.slower", "unknown field `share`"]),
        (SLOWER.replace("simulated_ms = 80", "simulated_ms = -80"), ["simulated_ms = -80", "invalid value"]),
        (SLOWER.to_owned() + SLOWER, ["model.slower", "duplicate key"]),
        ("[model.slower".to_owned(), ["model.slower", "unclosed table"]),
        ("[model]".to_owned(), ["", "a catalog has at least one model"]),
        (many, ["", "more models than the catalog's capacity"]),
    ] {
        let before = server.complaints().len();
        folder.write(&config(&wrong));
        server.hang_up().await;
        until("it complains", async || server.complaints().len() > before).await;
        let said = async || server.complaints()[before..].to_owned();
        let refused = async || messages.iter().all(|message| server.complaints()[before..].contains(message));
        until(&format!("it refuses {wrong}: {}", said().await), refused).await;
        assert_eq!(names(&server).await, ["slower"]);
        assert!(knows(&server).await);
    }
    assert_eq!(server.infer("", &[]).await.model, "slower");
}

/// The config that the README begins with.
#[tokio::test]
async fn the_example_config_serves() {
    let example = fs::read_to_string("config/example.toml").unwrap();
    let without: Vec<_> = example.lines().filter(|line| !line.starts_with("listen")).collect();
    let server = Server::start(&Folder::new(&without.join("\n"))).await;
    assert_eq!(names(&server).await, ["inception_v3", "mobilenet_v1", "nasnet_large"]);
    let answer = server.infer("a picture", &[("x-sla-ms", "250"), ("x-network-ms", "90")]).await;
    assert_eq!((answer.status.as_u16(), answer.model.as_str()), (200, "nasnet_large"));
    assert_eq!((answer.accuracy.as_str(), answer.body.as_str()), ("82.6", "a picture"));
}
