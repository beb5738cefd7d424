//! The subsets as text or JSON.

use serde::Serialize;

use crate::search::{Found, Row, Settings};
use crate::table::table;

/// The shape of `--json`.
#[derive(Serialize)]
struct Json<'a> {
    network: &'a str,
    k: usize,
    accuracy: f64,
    loss: f64,
    greedy_loss: f64,
    models: &'a [String],
}

/// One object a row.
pub fn json(all: &[Found]) -> String {
    let lines = all.iter().flat_map(|found| {
        found.rows.iter().map(|row| {
            let &Row { ref models, accuracy, loss, greedy_loss } = row;
            let network = found.place.name();
            let json = Json {
                network,
                k: row.count(),
                accuracy: rounded(accuracy),
                loss: rounded(loss),
                greedy_loss: rounded(greedy_loss),
                models,
            };
            serde_json::to_string(&json).expect("numbers and words can be written as JSON") + "\n"
        })
    });
    lines.collect()
}

/// To six decimals, which are the same wherever the grid of network times is computed.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// A table a network, and what it means.
pub fn text(settings: &Settings, all: &[Found]) -> String {
    let slas: Vec<String> = settings.slas.iter().map(|sla| sla.as_millis().to_string()).collect();
    let mut out = format!(
        "The best k models out of {}, by the expected accuracy of the base: the most accurate model with\n\
         μ + {}σ below the budget. The budget is T_sla − T_nw, T_sla = {} ms. A request that no model fits\n\
         counts 0. Greedy is the choice of as many, each the one that helps most with those before.\n",
        settings.names.len(),
        settings.margin.get(),
        slas.join(" or "),
    );
    for found in all {
        out += &section(settings, found);
    }
    out
}

fn section(settings: &Settings, found: &Found) -> String {
    let network = found.place.network();
    let [median, late] = [0.5, 0.95].map(|share| network.quantile(share).as_millis());
    let out = format!(
        "\n{}: T_nw has a median of {median:.0} ms, and is above {late:.0} ms for 5 % of the requests.\n\
         The whole zoo comes to {:.2} %.\n",
        found.place.name(),
        found.whole,
    );
    if found.rows.is_empty() {
        return out + "No model is ever of any use.\n";
    }
    let rows = found.rows.iter().map(|row| {
        let mark = if row.count() == found.enough { "▶ " } else { "" };
        vec![
            format!("{mark}{}", row.count()),
            format!("{:.2}", row.accuracy),
            format!("{:.2}", row.loss),
            format!("{:.2}", row.greedy_loss),
            lines(&row.models),
        ]
    });
    let header = ["k", "accuracy\n%", "lost\npoints", "lost by greedy\npoints", "models, by μ + γσ"];
    let table = table(&header, 0..4, rows);
    let mut bases: Vec<String> =
        found.bases.iter().map(|(name, share)| format!("{name} {share:.2} %")).collect();
    bases.push(format!("none {:.2} %", 100.0 - found.bases.iter().map(|(_, share)| share).sum::<f64>()));
    format!(
        "{out}{table}\n▶ {} out of {} lose at most {} points. How often each is the base:\n{}\n",
        found.enough,
        settings.names.len(),
        settings.within.as_percent(),
        lines(&bases),
    )
}

/// The names in lines of about 80 letters.
fn lines(names: &[String]) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for (place, name) in names.iter().enumerate() {
        let letters = name.chars().count() + 2;
        if place > 0 {
            lines.push_str(if width + letters > 80 { ",\n" } else { ", " });
            width = if width + letters > 80 { 0 } else { width };
        }
        lines.push_str(name);
        width += letters;
    }
    lines
}
