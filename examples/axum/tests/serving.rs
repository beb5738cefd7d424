//! The whole server over HTTP: many clients, such that go away, models that hang, more than it can take.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use support::{Answer, Folder, Server, until};
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until};

/// Two cores are not enough for two of these at once.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Three models, far enough apart for a busy machine.
const ZOO: &str = "
most_in_flight = 1000
sla_ms = 1500

[model.fast]
accuracy_percent = 50
mean_ms = 60
deviation_ms = 2

[model.medium]
accuracy_percent = 70
mean_ms = 180
deviation_ms = 2

[model.best]
accuracy_percent = 90
mean_ms = 400
deviation_ms = 2
";

const IN_TIME: [(&str, &str); 3] = [("150", "fast"), ("360", "medium"), ("1500", "best")];

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_clients_get_their_answers_and_the_metrics_add_up() {
    const CLIENTS: usize = 300;
    const ROUNDS: usize = 3;
    let _alone = ALONE.lock().await;
    let server = Arc::new(Server::start(&Folder::new(ZOO)).await);
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let server = server.clone();
        clients.spawn(async move {
            let mut answers = Vec::new();
            for round in 0..ROUNDS {
                let (sla, model) = IN_TIME[(client + round) % IN_TIME.len()];
                let body = format!("{client} in round {round}");
                let answer = server.infer(&body, &[("x-sla-ms", sla)]).await;
                assert_eq!((answer.status.as_u16(), answer.model.as_str()), (200, model), "{answer:?}");
                assert_eq!(answer.body, body);
                assert_eq!(answer.reason, "Base");
                answers.push(answer);
            }
            answers
        });
    }
    until("most are in flight", async || server.metrics().await.in_flight(1000) >= 200).await;
    let answers: Vec<Answer> = clients.join_all().await.into_iter().flatten().collect();
    assert_eq!(answers.len(), CLIENTS * ROUNDS);
    let mut by_model = BTreeMap::<&str, usize>::new();
    for answer in &answers {
        *by_model.entry(&answer.model).or_default() += 1;
    }
    let metrics = server.metrics().await;
    for (model, count) in by_model {
        let completed = metrics.sum("requests_total", &[("model", model), ("outcome", "Completed")]);
        assert_eq!(completed, count as f64);
        assert_eq!(metrics.sum("run_ms_count", &[("model", model)]), count as f64);
        assert!(!metrics.stands(model, "Held"));
    }
    assert_eq!(metrics.sum("requests_total", &[]), answers.len() as f64);
    assert_eq!(metrics.in_flight(1000), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_go_away_leave_nothing_in_flight_and_teach() {
    let _alone = ALONE.lock().await;
    let hangs = "
        most_in_flight = 100
        sla_ms = 1500
        [model.fast]
        accuracy_percent = 50
        mean_ms = 20
        deviation_ms = 1
        [model.hangs]
        accuracy_percent = 90
        mean_ms = 50
        deviation_ms = 1
        simulated_ms = 60_000
    ";
    let server = Arc::new(Server::start(&Folder::new(hangs)).await);
    let mut clients = JoinSet::new();
    for _ in 0..20 {
        let server = server.clone();
        clients.spawn(async move { server.infer("", &[("x-sla-ms", "19000")]).await });
    }
    until("it is held", async || server.metrics().await.stands("hangs", "Held")).await;
    // Within the lease of the hold, which lasts for eight seconds, nothing but the end of a run changes that.
    let held = Instant::now();
    let answer = server.infer("instead", &[("x-sla-ms", "1000")]).await;
    assert_eq!((answer.model.as_str(), answer.body.as_str()), ("fast", "instead"));
    assert_eq!(server.metrics().await.in_flight(100), 20);
    clients.shutdown().await;
    until("the ends of its runs are known", async || !server.metrics().await.stands("hangs", "Held")).await;
    assert!(held.elapsed() < Duration::from_secs(6), "by the end of the lease");
    until("nothing is in flight", async || server.metrics().await.in_flight(100) == 0).await;
    let metrics = server.metrics().await;
    assert_eq!(metrics.sum("requests_total", &[("model", "hangs"), ("outcome", "Cancelled")]), 20.0);
    assert_eq!(metrics.sum("requests_total", &[]), 21.0);
}

/// Requests come all the time; for two seconds all runs of the best model hang.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_best_model_hangs_the_others_answer_in_time_and_then_it_is_back() {
    let _alone = ALONE.lock().await;
    let zoo = |simulated: &str| {
        format!(
            "most_in_flight = 1000
            sla_ms = 250
            [model.fast]
            accuracy_percent = 60
            mean_ms = 20
            deviation_ms = 1
            [model.best]
            accuracy_percent = 90
            mean_ms = 80
            deviation_ms = 1
            {simulated}"
        )
    };
    let folder = Folder::new(&zoo(""));
    let server = Arc::new(Server::start(&folder).await);
    let (stop, stopped) = oneshot::channel();
    let traffic = tokio::spawn(requests_until(server.clone(), stopped));
    let completed = async || {
        let best = [("model", "best"), ("outcome", "Completed")];
        server.metrics().await.sum("requests_total", &best)
    };
    until("the best model answers", async || completed().await > 20.0).await;

    folder.write(&zoo("simulated_ms = 60_000"));
    server.hang_up().await;
    let hangs = Instant::now();
    until("it is held", async || server.metrics().await.stands("best", "Held")).await;
    let known = Instant::now();
    assert!(known - hangs < Duration::from_secs(1));
    // Nothing is waited for here: this is how long it hangs.
    sleep_until(hangs + Duration::from_secs(2)).await;
    let before = completed().await;
    folder.write(&zoo(""));
    server.hang_up().await;
    let over = Instant::now();
    until("it is back", async || completed().await > before + 20.0).await;
    let back = Instant::now();
    assert!(!server.metrics().await.stands("best", "Held"));
    stop.send(()).unwrap();

    let answers = traffic.await.unwrap();
    let between = |from: Instant, to: Instant| {
        answers
            .iter()
            .filter(move |(began, ..)| (from..to).contains(began))
            .map(|(_, took, answer)| (took, answer))
    };
    let late = |answer: &Answer| answer.status == StatusCode::GATEWAY_TIMEOUT;
    // Those that were under way when it was found out.
    assert!((5..200).contains(&between(hangs, known).filter(|(_, answer)| late(answer)).count()));
    let meanwhile = between(known + Duration::from_millis(20), over);
    let others: Vec<_> = meanwhile.filter(|(_, answer)| answer.reason != "Probe").collect();
    assert!(others.len() > 200, "{}", others.len());
    assert!(others.iter().all(|(_, answer)| answer.model == "fast"));
    // Whatever else the machine is busy with.
    let in_time =
        |(took, answer): &&(&Duration, &Answer)| !late(answer) && **took < Duration::from_millis(250);
    assert!(others.iter().filter(in_time).count() * 100 >= others.len() * 95);
    assert!(between(known, back).filter(|(_, answer)| late(answer)).count() < 5, "probes that failed");
    println!("back {:?} after it was over; meanwhile {} by the other model", back - over, others.len());
}

/// 500 a second, each with when it began and how long it took.
async fn requests_until(
    server: Arc<Server>,
    mut stopped: oneshot::Receiver<()>,
) -> Vec<(Instant, Duration, Answer)> {
    let (mut clients, mut every) = (JoinSet::new(), interval(Duration::from_millis(2)));
    while stopped.try_recv().is_err() {
        every.tick().await;
        let server = server.clone();
        clients.spawn(async move {
            let began = Instant::now();
            let answer = server.infer("", &[]).await;
            (began, began.elapsed(), answer)
        });
    }
    clients.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_shed_at_once() {
    let _alone = ALONE.lock().await;
    let server = Server::start(&Folder::new(ZOO)).await;
    let shed = |answer: &Answer, why: &str| {
        assert_eq!((answer.status.as_u16(), answer.retry_after.as_str()), (503, "1"), "{answer:?}");
        assert!(answer.body.contains(why), "{answer:?}");
    };
    // Nothing is that fast.
    shed(&server.infer("", &[("x-sla-ms", "40")]).await, "no model can be in time");
    shed(
        &server.infer("", &[("x-sla-ms", "1000"), ("x-network-ms", "960")]).await,
        "no model can be in time",
    );
    let answer = server.infer("", &[("x-sla-ms", "360")]).await;
    assert_eq!((answer.model.as_str(), answer.accuracy.as_str()), ("medium", "70"));

    let metrics = server.metrics().await;
    let shed = |reason| metrics.sum("requests_total", &[("outcome", "Shed"), ("reason", reason)]);
    assert_eq!((shed("TooLate"), shed("Busy")), (2.0, 0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_are_in_flight_than_the_config_says() {
    let _alone = ALONE.lock().await;
    let server = Arc::new(Server::start(&Folder::new(&ZOO.replace("1000", "4"))).await);
    let mut clients = JoinSet::new();
    for _ in 0..12 {
        let server = server.clone();
        clients.spawn(async move { server.infer("", &[]).await });
    }
    let answers = clients.join_all().await;
    let (answered, shed): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == StatusCode::OK);
    assert_eq!((answered.len(), shed.len()), (4, 8));
    assert!(shed.iter().all(|answer| answer.status.as_u16() == 503 && answer.retry_after == "1"));
    let metrics = server.metrics().await;
    assert_eq!(metrics.sum("requests_total", &[("outcome", "Shed"), ("reason", "Busy")]), 8.0);
    assert_eq!(metrics.in_flight(4), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_header_is_named() {
    let server = Server::start(&Folder::new(ZOO)).await;
    for (name, value, message) in [
        ("x-sla-ms", "soon", "x-sla-ms is not a number"),
        ("x-sla-ms", "-1", "x-sla-ms is negative"),
        ("x-sla-ms", "", "x-sla-ms is not a number"),
        ("x-sla-ms", "1e300", "x-sla-ms is above the top of its scale"),
        ("x-network-ms", "inf", "x-network-ms is infinite"),
        ("x-network-ms", "40 ms", "x-network-ms is not a number"),
    ] {
        let answer = server.infer("", &[(name, value)]).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (400, message));
    }
}
