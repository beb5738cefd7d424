//! What is asked over HTTP, and how it is answered.

use std::{pin::pin, sync::Arc};

use arc_swap::ArcSwap;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, body::Bytes, extract::State};
use mdinference::{Budget, Draw, Micros, NetworkTime, Reason, Report};
use metrics::histogram;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use tokio::{sync::Semaphore, sync::mpsc::UnboundedSender, time::timeout};

use crate::{backend, prometheus, zoo::Model, zoo::Zoo, zoo::now};

/// What the requests share.
pub struct App {
    pub zoo: ArcSwap<Zoo>,
    pub reports: UnboundedSender<Report>,
    pub places: Semaphore,
    pub counted: PrometheusHandle,
}

type Front = State<Arc<App>>;

/// Why there is no answer, and when to come again.
type Failure = (StatusCode, Option<[(&'static str, &'static str); 1]>, String);

/// The answer of the model that is chosen for the time that there is.
pub async fn infer(State(app): Front, headers: HeaderMap, body: Bytes) -> Result<Response, Failure> {
    let (zoo, began) = (app.zoo.load_full(), now());
    let _place = app.places.try_acquire().map_err(|_| shed("Busy", "too many requests are in flight"))?;
    let (decision, run) = zoo.front.begin(budget(&zoo, &headers)?, Draw::from_rng(&mut rand::rng()), began);
    let chosen = zoo.config.model.iter().find(|(_, model)| model.id == decision.model);
    let Some((name, model)) = chosen.filter(|_| decision.reason != Reason::TooLate) else {
        return Err(shed("TooLate", "no model can be in time"));
    };

    let reason = format!("{:?}", decision.reason);
    let ended = |outcome, report| {
        prometheus::count(name.clone(), outcome, reason.clone());
        histogram!("mdinference_run_ms", "model" => name.clone()).record(now().since(began).as_millis());
        app.reports.send(report).ok();
    };
    let mut run = run.or_else(|lost| ended("Cancelled", lost.cancelled(now())));
    let mut answer = pin!(backend::run(model, body));
    let mut result = timeout(run.overdue_at().min(run.deadline()).since(now()).into(), &mut answer).await;
    if result.is_err() {
        run.overdue(now()).map(|report| app.reports.send(report));
        result = timeout(run.deadline().since(now()).into(), answer).await;
    }
    let (outcome, report, status, body) = match result {
        Ok(Ok(answer)) => ("Completed", run.completed(now()), StatusCode::OK, answer),
        Ok(Err(error)) => ("Failed", run.failed(now()), StatusCode::BAD_GATEWAY, error.to_string().into()),
        Err(_) => ("TimedOut", run.timed_out(now()), StatusCode::GATEWAY_TIMEOUT, "given up as late".into()),
    };
    ended(outcome, report);
    let percent = zoo.front.live(model.id).unwrap_or_default().accuracy.as_percent().to_string();
    let about = [("x-model", name), ("x-accuracy-percent", &percent), ("x-reason", &reason)];
    Ok((status, about, body).into_response())
}

/// What becomes of each model if a request has such headers.
pub async fn explain(State(app): Front, headers: HeaderMap) -> Result<Json<Value>, Failure> {
    let zoo = app.zoo.load();
    let explanation = zoo.front.explain(budget(&zoo, &headers)?, now());
    let models = zoo.config.model.iter().filter_map(|(name, &Model { id, .. })| {
        let (it, live, standing) = (explanation.of(id)?, zoo.front.live(id)?, zoo.front.standing(id)?);
        Some(json!({ "model": name, "standing": standing, "live": live,
            "verdict": it.verdict, "utility": it.utility, "probability": it.probability }))
    });
    Ok(Json(models.collect()))
}

pub async fn metrics(State(app): Front) -> String {
    app.counted.render() + &prometheus::now(&app.zoo.load(), app.places.available_permits())
}

/// What is left of the time that the client gives, by its headers.
fn budget(zoo: &Zoo, headers: &HeaderMap) -> Result<Budget, Failure> {
    let millis = |name: &str, default| {
        let Some(value) = headers.get(name) else { return Ok(default) };
        let text = String::from_utf8_lossy(value.as_bytes());
        Micros::try_from_millis(text.parse().unwrap_or(f64::NAN))
            .map_err(|why| (StatusCode::BAD_REQUEST, None, format!("{name} {why}")))
    };
    let sla = millis("x-sla-ms", Micros::from_millis(zoo.config.sla_ms))?;
    Ok(Budget::new(sla, NetworkTime::Given(millis("x-network-ms", Micros::ZERO)?)))
}

/// Turned away, to come again.
fn shed(reason: &str, why: &str) -> Failure {
    prometheus::count(String::new(), "Shed", reason.to_owned());
    (StatusCode::SERVICE_UNAVAILABLE, Some([("retry-after", "1")]), why.to_owned())
}
