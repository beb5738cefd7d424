//! The comparison as a table or JSON.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::comparison::{CameTo, Row};
use crate::measures::Measures;
use crate::policies::FIXED;
use crate::table::table;

/// The shape of `--json`; what the limit does not have is null.
#[derive(Serialize)]
struct Json<'a> {
    policy: &'a str,
    rate: f64,
    effective_accuracy: f64,
    late_pct: Option<f64>,
    shed_pct: Option<f64>,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    utilisation_pct: Option<f64>,
    mean_batch: Option<f64>,
    /// By the models' names, those that answered any request.
    usage_pct: Option<Map<String, Value>>,
}

/// One object a policy and rate.
pub fn json(names: &[String], rows: &[Row]) -> String {
    let line = |row: &Row| {
        let measures = match &row.came_to {
            CameTo::Measures(measures) => Some(measures),
            CameTo::Limit(_) => None,
        };
        let number = |value: fn(&Measures) -> f64| measures.map(|measures| rounded(value(measures)));
        let json = Json {
            policy: &row.policy,
            rate: row.rate,
            effective_accuracy: rounded(row.effective_accuracy()),
            late_pct: number(|measures| measures.late_pct),
            shed_pct: number(|measures| measures.shed_pct),
            p50_ms: measures.and_then(|measures| measures.p50_ms),
            p99_ms: measures.and_then(|measures| measures.p99_ms),
            utilisation_pct: number(|measures| measures.utilisation_pct),
            mean_batch: measures.and_then(|measures| measures.mean_batch).map(rounded),
            usage_pct: measures.map(|measures| {
                used(names, measures).map(|(name, share)| (name.to_owned(), rounded(share).into())).collect()
            }),
        };
        serde_json::to_string(&json).expect("numbers and words can be written as JSON") + "\n"
    };
    rows.iter().map(line).collect()
}

/// To six decimals.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// The models that answered any request, and how many, in percent.
fn used<'a>(names: &'a [String], measures: &'a Measures) -> impl Iterator<Item = (&'a str, f64)> {
    let shares = names.iter().map(String::as_str).zip(measures.usage.iter().copied());
    shares.filter(|&(_, share)| share > 0.0)
}

/// Models named in the table, those that answer most.
const NAMED: usize = 3;

/// A table, and what it means. What was `compared` stands above it.
pub fn text(compared: &str, names: &[String], rows: &[Row]) -> String {
    let cells = |row: &Row| {
        let mark = if is_best_fixed(rows, row) { " *" } else { "" };
        let mut cells = vec![
            row.rate.to_string(),
            format!("{}{mark}", row.policy),
            format!("{:.2}", row.effective_accuracy()),
        ];
        match &row.came_to {
            CameTo::Limit(_) => cells.extend(vec!["–".to_owned(); 6].into_iter().chain([String::new()])),
            CameTo::Measures(measures) => {
                let maybe = |value: Option<f64>, decimals: usize| {
                    value.map_or("–".to_owned(), |value| format!("{value:.decimals$}"))
                };
                cells.extend([
                    format!("{:.2}", measures.late_pct),
                    format!("{:.2}", measures.shed_pct),
                    maybe(measures.p50_ms, 0),
                    maybe(measures.p99_ms, 0),
                    format!("{:.1}", measures.utilisation_pct),
                    maybe(measures.mean_batch, 2),
                    most_used(names, measures),
                ]);
            }
        }
        cells
    };
    let header = [
        "rate",
        "policy",
        "effective\naccuracy %",
        "late\n%",
        "shed\n%",
        "p50\nms",
        "p99\nms",
        "utilised\n%",
        "mean\nbatch",
        "usage of the models, %",
    ];
    let mut table = table(&header, 2..header.len() - 1, rows.iter().map(cells));
    if let Some(rates) = table.column_mut(0) {
        rates.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    format!("{compared}\n\n{table}\n{MEANING}\n")
}

fn most_used(names: &[String], measures: &Measures) -> String {
    let mut used: Vec<(&str, f64)> = used(names, measures).collect();
    used.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let others = used.len().saturating_sub(NAMED);
    let named = used.iter().take(NAMED).map(|(name, share)| format!("{name} {share:.0}"));
    let others = (others > 0).then(|| format!("{others} more"));
    named.chain(others).collect::<Vec<_>>().join(", ")
}

/// The best single model at its rate, in hindsight.
pub fn is_best_fixed(rows: &[Row], row: &Row) -> bool {
    let rivals = rows.iter().filter(|other| other.rate == row.rate && other.policy.starts_with(FIXED));
    let best = rivals.max_by(|a, b| a.effective_accuracy().total_cmp(&b.effective_accuracy()));
    best.is_some_and(|best| best.policy == row.policy)
}

/// Of the columns.
const MEANING: &str = "\
rate      requests a second and worker
*         the best single model at this rate, in hindsight
effective an answer in time counts as its model's accuracy, a late one as --late-worth of it, none as 0
p50, p99  of the response time of those that were answered, with the network
usage     of all requests
";
