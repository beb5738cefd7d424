//! What is asked over HTTP, and how it is answered.

use std::{collections::HashMap, pin::pin, sync::Arc};

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, body::Bytes};
use mdinference::{Accuracy, Budget, Draw, Micros, NetworkTime, NumberError};
use mdinference::{Reason, Report, Request, Standing, Ticket, Timestamp};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use tokio::{sync::mpsc::UnboundedSender, time::timeout};

use crate::backend;
use crate::zoo::{Shared, Zoo, now};

/// What the requests share.
pub struct App {
    pub zoo: Shared,
    pub reports: UnboundedSender<Report>,
    pub metrics: PrometheusHandle,
    /// There is one more of it for each request in flight.
    pub in_flight: Arc<()>,
}

/// Why there is no answer, and when to come again.
type Failure = (StatusCode, Option<[(&'static str, &'static str); 1]>, String);

fn shed(reason: &'static str, why: impl ToString) -> Failure {
    counter!("requests_total", "outcome" => "shed", "reason" => reason).increment(1);
    (StatusCode::SERVICE_UNAVAILABLE, Some([("retry-after", "1")]), why.to_string())
}

fn ended(model: &str, outcome: &'static str, reason: Reason, began: Timestamp) {
    let (model, reason) = (model.to_owned(), reason.to_string());
    histogram!("run_ms", "model" => model.clone()).record(now().since(began).as_millis());
    counter!("requests_total", "model" => model, "outcome" => outcome, "reason" => reason).increment(1);
}

pub async fn infer(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let (zoo, in_flight, began) = (app.zoo.load_full(), app.in_flight.clone(), now());
    if Arc::strong_count(&in_flight) > zoo.config.most_in_flight + 1 {
        return Err(shed("busy", "too many requests are in flight"));
    }
    let request = question(&zoo, &|name| Some(headers.get(name)?.to_str().unwrap_or_default()))?;
    let begun = zoo.server.front().begin(request, Draw::from_rng(&mut rand::rng()), began);
    let (decision, ticket) = begun.map_err(|nothing| shed("nothing eligible", nothing))?;
    let (reason, best_effort) = (decision.reason, headers.contains_key("x-best-effort"));
    let chosen = zoo.config.model.iter().find(|(_, model)| model.id == decision.model);
    let (Some((name, model)), true) = (chosen, best_effort || reason != Reason::TooLate) else {
        return Err(shed("too late", reason));
    };

    let (home, of) = (app.clone(), name.clone());
    let mut run = ticket.or_else(move |lost: Ticket| {
        home.reports.send(lost.cancelled(now())).ok();
        ended(&of, "cancelled", reason, began);
    });
    let at_last = began.after(Micros::from_millis(zoo.config.best_effort_ms));
    let deadline = if best_effort { at_last } else { run.deadline() };
    let mut answer = pin!(backend::run(model, body));
    let mut result = timeout(run.overdue_at().min(deadline).since(now()).into(), &mut answer).await;
    if result.is_err() {
        run.overdue(now()).map(|report| app.reports.send(report));
        result = timeout(deadline.since(now()).into(), answer).await;
    }
    let (outcome, report, status) = match &result {
        Ok(Ok(_)) => ("completed", run.completed(now()), StatusCode::OK),
        Ok(Err(_)) => ("failed", run.failed(now()), StatusCode::BAD_GATEWAY),
        Err(_) => ("timed out", run.timed_out(now()), StatusCode::GATEWAY_TIMEOUT),
    };
    app.reports.send(report).ok();
    ended(name, outcome, reason, began);
    let answer =
        result.unwrap_or_else(|late| Err(late.into())).unwrap_or_else(|error| error.to_string().into());
    let accuracy =
        zoo.server.catalog().get(model.id).map_or(0.0, |live| live.accuracy.as_percent()).to_string();
    let about =
        [("x-model", name.clone()), ("x-reason", reason.to_string()), ("x-accuracy-percent", accuracy)];
    Ok((status, about, answer).into_response())
}

type Asked<'a> = &'a dyn Fn(&str) -> Option<&'a str>;

/// What is asked, by the names of headers.
fn question(zoo: &Zoo, asked: Asked) -> Result<Request<'static>, Failure> {
    let millis = |name| number(name, asked, Micros::try_from_millis);
    let sla = millis("x-sla-ms")?.or(millis("x-envoy-expected-rq-timeout-ms")?);
    let sla = sla.unwrap_or(Micros::from_millis(zoo.config.sla_ms));
    let network = NetworkTime::Given(millis("x-network-ms")?.unwrap_or_default());
    let accuracy = number("x-min-accuracy-percent", asked, Accuracy::from_percent)?.unwrap_or_default();
    Ok(Request::new(Budget::new(sla, network)).with_min_accuracy(accuracy))
}

fn number<T>(name: &str, asked: Asked, of: fn(f64) -> Result<T, NumberError>) -> Result<Option<T>, Failure> {
    let number = asked(name).map(|text| of(text.parse().unwrap_or(f64::NAN))).transpose();
    number.map_err(|error| (StatusCode::BAD_REQUEST, None, format!("{name} {error}")))
}

type Query1 = Query<HashMap<String, String>>;

pub async fn explain(State(app): State<Arc<App>>, Query(asked): Query1) -> Result<Json<Value>, Failure> {
    let zoo = app.zoo.load();
    let named = |header: &str| asked.get(&header.replace("x-", "").replace('-', "_")).map(String::as_str);
    let explanation = zoo.server.explain(question(&zoo, &named)?, now());
    let candidates = zoo.config.model.iter().filter_map(|(name, model)| {
        let (it, standing) = (explanation.of(model.id)?, zoo.server.standing(model.id)?);
        Some(json!({ "name": name, "verdict": it.verdict.to_string(), "standing": standing.to_string(),
            "value": it.value.as_percent(), "utility": it.utility, "probability": it.probability }))
    });
    Ok(Json(candidates.collect()))
}

type Judged = Path<(String, bool)>;

pub async fn feedback(State(app): State<Arc<App>>, Path((name, right)): Judged) -> Result<(), StatusCode> {
    let zoo = app.zoo.load();
    let model = zoo.config.model.get(&name).ok_or(StatusCode::NOT_FOUND)?;
    app.reports.send(Report::judged(model.id, right)).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

pub async fn metrics(State(app): State<Arc<App>>) -> String {
    let zoo = app.zoo.load();
    for (name, model) in &zoo.config.model {
        let Some(learnt) = zoo.learnt(model) else { continue };
        let latency = learnt.latency.latency().unwrap_or_default();
        gauge!("mean_ms", "model" => name.clone()).set(latency.mean.as_millis());
        gauge!("deviation_ms", "model" => name.clone()).set(latency.deviation.as_millis());
        gauge!("accuracy_percent", "model" => name.clone()).set(learnt.accuracy.accuracy().as_percent());
        for standing in [Standing::Trusted, Standing::Held, Standing::Probing, Standing::Canary] {
            let now = f64::from(zoo.server.standing(model.id) == Some(standing));
            gauge!("standing", "model" => name.clone(), "standing" => standing.to_string()).set(now);
        }
    }
    gauge!("in_flight").set((Arc::strong_count(&app.in_flight) - 1) as f64);
    app.metrics.render()
}
