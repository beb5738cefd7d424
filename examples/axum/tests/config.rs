//! What the server keeps when its config is read anew, or when it is started again; and what it refuses.
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
simulated = { mean_ms = 80, deviation_ms = 1 }
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
    let explained = server.explain("sla_ms=70").await;
    let slower = explained.as_array().unwrap().iter().find(|it| it["name"] == "slower").unwrap();
    let fits = slower["verdict"] == "base";
    server.metrics().await.mean_ms("slower") > 70.0 && !fits
}

async fn names(server: &Server) -> Vec<String> {
    let explained = server.explain("").await;
    explained.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
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
    let long = SLOWER.replace("mean_ms = 80", "mean_ms = 700").replace("mean_ms = 50", "mean_ms = 600");
    let folder = Folder::new(&config(&(long + OTHER)));
    let server = Arc::new(Server::start(&folder).await);
    let run = tokio::spawn({
        let server = server.clone();
        async move { server.infer("still", &[]).await }
    });
    until("it is under way", async || server.metrics().await.sum("in_flight", &[]) == 1.0).await;
    folder.write(&config(OTHER));
    server.hang_up().await;
    until("its model is gone", async || names(&server).await == ["other"]).await;
    assert_eq!(server.metrics().await.sum("in_flight", &[]), 1.0);
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
        (SLOWER.to_owned() + "canary_percent = 101", ["model.slower", "canary_percent: is above the top"]),
        (SLOWER.replace("{ mean_ms = 80,", "{ mean_ms = -80,"), ["simulated", "mean is negative"]),
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

#[tokio::test]
async fn a_restarted_server_hears_what_its_former_self_has_learnt() {
    let folder = Folder::new(&config(SLOWER));
    let server = Arc::new(Server::start(&folder).await);
    teach(&server).await;
    // What has begun is answered before it ends.
    let last = tokio::spawn({
        let server = server.clone();
        async move { server.infer("the last", &[]).await }
    });
    until("it is under way", async || server.metrics().await.sum("in_flight", &[]) == 1.0).await;
    server.terminate().await;
    assert_eq!(last.await.unwrap().body, "the last");
    Arc::into_inner(server).unwrap().ended().await;

    // It is known at once, also after a life in which nothing was asked.
    for _ in 0..2 {
        let server = Server::start(&folder).await;
        assert!(knows(&server).await);
        server.terminate().await;
        server.ended().await;
    }

    // Another model by the same name knows nothing; nor does anyone of a file that is spoilt.
    folder.write(&config(&SLOWER.replace("= 90", "= 91")));
    let server = Server::start(&folder).await;
    assert_eq!(server.metrics().await.mean_ms("slower"), 50.0);
    server.terminate().await;
    server.ended().await;
    fs::write(folder.learnt(), "spoilt").unwrap();
    assert_eq!(Server::start(&folder).await.metrics().await.mean_ms("slower"), 50.0);
}

#[tokio::test]
async fn answers_that_were_wrong_cost_a_model_its_accuracy() {
    let server = Server::start(&Folder::new(&config(SLOWER))).await;
    let accuracy = async || server.metrics().await.sum("accuracy_percent", &[]);
    assert_eq!(accuracy().await, 90.0);
    assert_eq!(server.feedback("nobody", false).await, 404);
    for _ in 0..100 {
        assert_eq!(server.feedback("slower", false).await, 200);
    }
    until("it is less accurate", async || accuracy().await < 85.0).await;
}

#[tokio::test]
async fn a_canary_gets_its_share_until_it_is_known() {
    let canary =
        "[model.canary]\naccuracy_percent = 95\nmean_ms = 30\ndeviation_ms = 2\ncanary_percent = 50\n";
    let server = Arc::new(Server::start(&Folder::new(&config(&(OTHER.to_owned() + canary)))).await);
    assert!(server.metrics().await.stands("canary", "canary"));
    let explained = async |name: &str| {
        let all = server.explain("sla_ms=500").await;
        all.as_array().unwrap().iter().find(|it| it["name"] == name).unwrap().clone()
    };
    until("it gets its share", async || explained("canary").await["probability"] == 0.5).await;
    let other = explained("other").await;
    assert_eq!((&other["probability"], &other["verdict"]), (&0.5.into(), &"base".into()));
    let known = async || {
        server.infer("", &[]).await;
        !server.metrics().await.stands("canary", "canary")
    };
    until("it is known", known).await;
    let metrics = server.metrics().await;
    let runs = |model| metrics.sum("requests_total", &[("model", model), ("outcome", "completed")]);
    assert_eq!(runs("canary"), 20.0);
    assert!(runs("other") > 2.0);
    assert_eq!(server.infer("", &[]).await.model, "canary");
}

/// The config that the README begins with.
#[tokio::test]
async fn the_example_config_serves() {
    let example = fs::read_to_string("config/example.toml").unwrap();
    let without = |line: &&str| !line.starts_with("listen") && !line.starts_with("learnt");
    let server =
        Server::start(&Folder::new(&example.lines().filter(without).collect::<Vec<_>>().join("\n"))).await;
    assert_eq!(names(&server).await, ["inception_v3", "mobilenet_v1", "nasnet_large"]);
    let answer = server.infer("a picture", &[("x-sla-ms", "250"), ("x-network-ms", "90")]).await;
    assert_eq!((answer.status.as_u16(), answer.model.as_str()), (200, "nasnet_large"));
    assert_eq!((answer.accuracy.as_str(), answer.body.as_str()), ("82.6", "a picture"));
}
