//! The comparison as text or JSON.

use serde::Serialize;

use crate::comparison::Run;
use crate::measures::Recovery;
use crate::table::table;
use crate::traffic::Traffic;

/// The shape of `--json`.
#[derive(Serialize)]
struct Json {
    policy: &'static str,
    accuracy: f64,
    late_pct: f64,
    probes: usize,
    late_probes: usize,
    recovered_ms: Option<f64>,
    late_per_minute_at_end: f64,
}

/// One object a policy.
pub fn json(runs: &[Run]) -> String {
    let line = |run: &Run| {
        let measures = &run.measures;
        let json = Json {
            policy: run.policy,
            accuracy: rounded(measures.accuracy),
            late_pct: rounded(measures.late_pct),
            probes: measures.probes,
            late_probes: measures.late_probes,
            recovered_ms: measures.recovery.map(|recovery| recovery.millis),
            late_per_minute_at_end: rounded(measures.late_per_minute_at_end),
        };
        serde_json::to_string(&json).expect("numbers and words can be written as JSON") + "\n"
    };
    runs.iter().map(line).collect()
}

/// To six decimals.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// A table, and what it means. `what` happens stands above it.
pub fn text(what: &str, traffic: &Traffic, sla: impl std::fmt::Display, runs: &[Run]) -> String {
    let &Traffic { requests, rate, network, network_deviation, .. } = traffic;
    let rows = runs.iter().map(|run| {
        let measures = &run.measures;
        let recovery = |value: fn(Recovery) -> String| measures.recovery.map_or("–".to_owned(), value);
        vec![
            run.policy.to_owned(),
            format!("{:.2}", measures.accuracy),
            format!("{:.3}", measures.late_pct),
            measures.probes.to_string(),
            measures.late_probes.to_string(),
            recovery(|recovery| recovery.requests.to_string()),
            recovery(|recovery| format!("{:.0}", recovery.millis)),
            format!("{:.1}", measures.late_per_minute_at_end),
        ]
    });
    let header = [
        "policy",
        "accuracy\n%",
        "late\n%",
        "probes",
        "late\nprobes",
        "recovered\nrequests",
        "recovered\nms",
        "late a minute\nat the end",
    ];
    let table = table(&header, 1..header.len(), rows);
    let network = format!("T_nw {network} ± {network_deviation}");
    format!(
        "{what}.\n{requests} requests, {rate} a second, to be answered within {sla}; {network}.\n\n\
         {table}\n{MEANING}\n"
    )
}

/// Of the columns.
const MEANING: &str = "\
accuracy       effective: an answer in time counts as its model's true accuracy, a late one as 0
probes         choices of a model to learn whether to trust it, those of a canary included
recovered      from the end of the last disturbance to the first of 100 requests that the clairvoyant gives
               the disturbed model of which it gets 95; – if it never does, or the disturbance never ends
late a minute  of those that arrived in the last minute, more than the clairvoyant's; of a shorter run, at
               the rate of all of it
";
