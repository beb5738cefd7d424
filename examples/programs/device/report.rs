//! The comparison as text or JSON.

use serde_json::json;

use crate::comparison::{Results, Settings};
use crate::setting::LOCAL_MODEL;
use crate::simulation::Run;
use crate::table::table;

/// One object a row; percentages in percent.
pub fn json(all: &[Results]) -> String {
    let mut lines = String::new();
    for results in all {
        for (strategy, run) in results.named() {
            let fields = [
                ("network", json!(results.network)),
                ("strategy", json!(strategy)),
                ("attainment_pct", json!(run.attainment())),
                ("accuracy", json!(run.accuracy())),
                ("on_device_pct", json!(run.on_device())),
                ("local_runs_avoided_pct", json!(run.local_runs_avoided())),
            ];
            let fields = fields.map(|(name, value)| format!("\"{name}\":{value}"));
            lines.push_str(&format!("{{{}}}\n", fields.join(",")));
        }
    }
    lines
}

/// Tables, and what they mean.
pub fn text(settings: &Settings, all: &[Results]) -> String {
    let Settings { sla, local, margin, price, requests, .. } = settings;
    let margin = margin.get();
    let saved = |results: &Results, run: &Run| {
        let always = results.always.local_millis();
        if always > 0.0 { 100.0 * (1.0 - run.local_millis() / always) } else { 0.0 }
    };
    let rows = all.iter().flat_map(|results| {
        results.named().map(|(strategy, run)| {
            vec![
                results.network.to_owned(),
                strategy.to_owned(),
                format!("{:.2}", run.attainment()),
                format!("{:.2}", run.accuracy()),
                format!("{:.2}", run.on_device()),
                format!("{:.2}", run.local_runs_avoided()),
                format!("{:.2}", run.local_millis()),
                format!("{:.2}", saved(results, run)),
            ]
        })
    });
    let header = [
        "network",
        "strategy",
        "in time\n%",
        "accuracy\n%",
        "on device\n%",
        "local runs\navoided %",
        "local time\nms/request",
        "local time\nsaved %",
    ];
    let strategies = table(&header, 2..header.len(), rows);
    let rows = all.iter().flat_map(|results| {
        results.curve.iter().map(move |(price, run)| {
            let (accuracy, avoided) = (results.deferred.accuracy(), results.deferred.local_runs_avoided());
            vec![
                results.network.to_owned(),
                format!("{price:.1}"),
                format!("{:.2}", run.accuracy()),
                format!("{:.2}", accuracy - run.accuracy()),
                format!("{:.2}", run.local_runs_avoided()),
                format!("{:.2}", run.local_runs_avoided() - avoided),
                format!("{:.2}", saved(results, run)),
            ]
        })
    });
    let header = [
        "network",
        "price\npoints",
        "accuracy\n%",
        "accuracy\nlost, points",
        "local runs\navoided %",
        "more than\ndeferred",
        "local time\nsaved %",
    ];
    let curve = table(&header, 1..header.len(), rows);

    let mut out = format!(
        "{requests} requests on each network, to be answered within {sla}; local model {LOCAL_MODEL}, \
         {} ± {}.\n\n{strategies}\n\
         always    the paper's rule: both copies start\n\
         deferred  the local copy starts at SLA − (μ + {margin}σ) of its time if there is no answer by then, or as \
         soon as\n          the upload shows that the answer will come after that, and hardly in time\n\
         at_risk   it does so only if the answer is not expected in time, by what the upload tells; T_nw is exactly\n          \
         twice T_input here, as in the paper, and on a network where it is not, some answers will be missed\n\
         never     there is no local copy; a late answer counts as none, of accuracy 0\n\
         joint     deferred, and the server pays up to {price} of accuracy for an answer before the local start\n\n",
        local.mean, local.deviation,
    );
    for Results { network, always, different, .. } in all {
        let remote_missed = always.remote_missed();
        out.push_str(&format!(
            "{network}: deferred ended otherwise than always in {different} of {requests} requests\n  \
             (it can where the remote misses, {remote_missed} times here, and the local run takes longer than μ + {}σ)\n",
            margin
        ));
    }
    out.push_str(&format!("\nWhat accuracy buys in avoided local runs, with the joint choice:\n\n{curve}\n"));
    out
}
