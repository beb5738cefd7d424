//! What is asked over HTTP, and how it is answered.

use std::{collections::HashMap, pin::pin, sync::Arc};

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, body::Bytes};
use mdinference::{
    Accuracy, Budget, Draw, Micros, NetworkTime, NumberError, Reason, Report, Request, Ticket, Timestamp,
};
use serde_json::{Value, json};
use tokio::{sync::Semaphore, sync::mpsc::UnboundedSender, time::timeout};

use crate::zoo::{Shared, Zoo, now};
use crate::{backend, metrics::Metrics};

/// What the requests share.
pub struct App {
    pub zoo: Shared,
    pub reports: UnboundedSender<Report>,
    pub metrics: Metrics,
    pub most_in_flight: usize,
    pub places: Semaphore,
}

type Front = State<Arc<App>>;

/// Why there is no answer, and when to come again.
type Failure = (StatusCode, Option<[(&'static str, &'static str); 1]>, String);

impl App {
    fn shed(&self, reason: &str, why: impl ToString) -> Failure {
        self.metrics.count("", "shed", reason, None);
        (StatusCode::SERVICE_UNAVAILABLE, Some([("retry-after", "1")]), why.to_string())
    }

    fn ended(&self, model: &str, outcome: &str, reason: Reason, began: Timestamp, report: Report) {
        self.metrics.count(model, outcome, reason, Some(now().since(began).as_millis()));
        self.reports.send(report).ok();
    }
}

pub async fn infer(State(app): Front, headers: HeaderMap, body: Bytes) -> Result<Response, Failure> {
    let (zoo, began) = (app.zoo.load_full(), now());
    let _place = app.places.try_acquire().map_err(|_| app.shed("busy", "too many requests are in flight"))?;
    let request = question(&zoo, &|name| Some(headers.get(name)?.to_str().unwrap_or_default()))?;
    let begun = zoo.server.front().begin(request, Draw::from_rng(&mut rand::rng()), began);
    let (decision, ticket) = begun.map_err(|nothing| app.shed("nothing eligible", nothing))?;
    let (reason, best_effort) = (decision.reason, headers.contains_key("x-best-effort"));
    let chosen = zoo.config.model.iter().find(|(_, model)| model.id == decision.model);
    let (Some((name, model)), true) = (chosen, best_effort || reason != Reason::TooLate) else {
        return Err(app.shed("too late", reason));
    };

    let (home, of) = (app.clone(), name.clone());
    let lost = move |run: Ticket| home.ended(&of, "cancelled", reason, began, run.cancelled(now()));
    let mut run = ticket.or_else(lost);
    let deadline = if best_effort { began.after(Micros::MAX) } else { run.deadline() };
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
    app.ended(name, outcome, reason, began, report);
    let answer = result.map_err(anyhow::Error::from).flatten().unwrap_or_else(|it| it.to_string().into());
    let live = zoo.server.catalog().get(model.id).copied().unwrap_or_default();
    let percent = live.accuracy.as_percent().to_string();
    let about =
        [("x-model", name.clone()), ("x-accuracy-percent", percent), ("x-reason", reason.to_string())];
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

type Words = Query<HashMap<String, String>>;

/// What would become of a request: `sla_ms` here is `x-sla-ms` there, and so on.
pub async fn explain(State(app): Front, Query(asked): Words) -> Result<Json<Value>, Failure> {
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

/// Whether an answer of a model was right.
pub async fn feedback(State(app): Front, Path((name, right)): Judged) -> Result<(), StatusCode> {
    let zoo = app.zoo.load();
    let model = zoo.config.model.get(&name).ok_or(StatusCode::NOT_FOUND)?;
    app.reports.send(Report::judged(model.id, right)).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

pub async fn metrics(State(app): Front) -> Result<Response, StatusCode> {
    let in_flight = app.most_in_flight - app.places.available_permits();
    let text = app.metrics.text(&app.zoo.load(), in_flight).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([("content-type", kind)], text).into_response())
}
