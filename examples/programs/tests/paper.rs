//! The paper's evaluation as `cargo run --release --example paper` prints it, against committed text.
//!
//! After a change that is meant to show there, `UPDATE_EXPECTED=1 cargo test -p mdinference-examples --test paper` writes the text anew.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects
)]

#[path = "../paper/evaluation/mod.rs"]
mod evaluation;
#[path = "../paper/report.rs"]
mod report;
#[path = "../support/table.rs"]
mod table;

use std::sync::LazyLock;

use evaluation::algorithm::Algorithm;
use evaluation::contradictions::fastest_alone;
use evaluation::duplication::SLA_MS;
use evaluation::models::Models;
use evaluation::network::{Network, ONE_WAY_50_25, RESIDENTIAL, UNIVERSITY};
use evaluation::outcome::{Outcome, expectation, replay, requests};
use evaluation::row::Section;
use evaluation::statement::{STATEMENTS, Statement, paper};
use evaluation::zoo::Zoo;
use evaluation::{Evaluation, Settings};
use mdinference::select::base::base;
use mdinference::{Budget, Margin, Micros, baseline};
use serde::Deserialize;
use serde_json::Value;

/// What the example prints by default.
fn sections() -> &'static [Section] {
    static SECTIONS: LazyLock<Vec<Section>> =
        LazyLock::new(|| Evaluation::run(&Settings::DEFAULT, &()).sections());
    &SECTIONS
}

#[test]
fn the_tables_are_as_committed() {
    let expected = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/paper/tables.txt");
    let tables = report::text(&Settings::DEFAULT, sections());
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(expected, &tables).unwrap();
    }
    let committed = std::fs::read_to_string(expected).unwrap();
    for (line, (ours, committed)) in tables.lines().zip(committed.lines()).enumerate() {
        assert_eq!(ours, committed, "tests/paper/tables.txt, line {}", line + 1);
    }
    assert_eq!(tables.lines().count(), committed.lines().count());
}

#[test]
fn the_readme_counts_the_verdicts() {
    let rows = || sections().iter().flat_map(|section| &section.rows);
    let verdicts = rows().filter(|row| row.paper.is_some()).count();
    let reproduced = rows().filter(|row| row.reproduced() == Some(true)).count();
    let fitted = rows().filter(|row| row.by_construction).count();
    let readme = include_str!("../../../README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    let counts =
        format!("({verdicts} verdicts; {reproduced} reproduce, {fitted} of them because they were fitted)");
    assert!(readme.contains(&counts), "README: {counts}");
}

#[test]
fn json_has_the_fields_that_programs_rely_on() {
    let lines = report::json(sections());
    let mut table4 = Vec::new();
    let mut keys = Vec::new();
    for line in lines.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        assert!(row["ours"].is_f64(), "{line}");
        if row["paper"].is_null() {
            assert!(row["source"].is_null() && row["reproduced"].is_null(), "{line}");
        } else {
            assert!(row["paper"].is_f64() || row["paper"].is_string(), "{line}");
            assert!(row["source"].is_string() && row["reproduced"].is_boolean(), "{line}");
        }
        assert!(row.get("sla_ms").is_none_or(Value::is_u64), "{line}");
        if text("figure") == "table4" {
            table4.push((text("row"), text("column")));
        }
        keys.push((text("figure"), text("row"), text("column"), row.get("sla_ms").and_then(Value::as_u64)));
    }
    let rows = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), rows, "two rows have one key");
    let mut expected = Vec::new();
    for row in ["static latency", "static accuracy", "random", "mdinference"] {
        for place in ["university", "residential"] {
            for measure in ["reliance", "accuracy"] {
                expected.push((row.to_owned(), format!("{place} {measure}")));
            }
        }
    }
    assert_eq!(table4, expected);
}

/// Rows of `paper.csv` that no simulation can check; a `*` stands for any row, or any column.
#[derive(Deserialize)]
struct Unchecked {
    section: String,
    item: String,
    row: String,
    column: String,
    reason: String,
}

impl Unchecked {
    fn covers(&self, statement: &Statement) -> bool {
        let any = |pattern: &str, text: &str| pattern == "*" || pattern == text;
        (&self.section, &self.item) == (&statement.section, &statement.item)
            && any(&self.row, &statement.row)
            && any(&self.column, &statement.column)
    }
}

#[test]
fn every_statement_of_the_paper_has_a_verdict_or_a_reason_why_not() {
    let file = include_str!("paper/unchecked.csv");
    let unchecked: Vec<Unchecked> =
        csv::Reader::from_reader(file.as_bytes()).into_deserialize().collect::<Result<_, _>>().unwrap();
    assert!(unchecked.iter().all(|line| !line.reason.is_empty()));
    let rows = || sections().iter().flat_map(|section| &section.rows);
    let judged =
        |statement: &Statement| rows().any(|row| row.paper.is_some_and(|paper| paper.statement == statement));
    for statement in STATEMENTS.iter() {
        let key = statement.key();
        let excused = unchecked.iter().filter(|line| line.covers(statement)).count();
        match judged(statement) {
            true => assert_eq!(excused, 0, "{key:?} has a verdict and a reason for none"),
            false => assert_eq!(excused, 1, "{key:?} has no verdict and {excused} reasons for that"),
        }
    }
    for line in &unchecked {
        let used = STATEMENTS.iter().any(|statement| line.covers(statement));
        assert!(used, "{}, {}: a reason for nothing", line.section, line.item);
    }
}

// paper: II, A(m)
// paper: II, mu and sigma
#[test]
fn the_zoo_is_table_iii() {
    let zoo = Zoo::shipped("table3_fictional").unwrap();
    let number = |row: &str, column| paper("V", "Table III", row, column).number().unwrap();
    for (name, profile) in zoo.names.iter().zip(&zoo.profiles) {
        assert_eq!(profile.accuracy.as_percent(), number(name, "top-1 accuracy"), "{name}");
        assert_eq!(profile.latency.mean.as_millis(), number(name, "inference average"), "{name}");
        assert_eq!(profile.latency.deviation.as_millis(), number(name, "inference std"), "{name}");
    }
    let printed = STATEMENTS.iter().filter(|statement| statement.item == "Table III").count();
    assert_eq!(printed, 3 * zoo.names.len());

    // What the text says of single models.
    let measured = Models::measured();
    let accuracy = |name| {
        let id = measured.id(name).index();
        measured.catalog.profiles()[id].accuracy.as_percent()
    };
    let example = |row: &str, column| paper("IV-B", "example", row, column).number().unwrap();
    let drop = accuracy("mobilenet_v1_1.0_224") - accuracy("mobilenet_v1_0.25_128");
    assert!((drop - example("MobileNets", "top-1 drop fastest against most accurate")).abs() < 1e-9);
    assert_eq!(accuracy("nasnet_large"), example("NasNet Large", "accuracy"));
    assert_eq!(accuracy("mobilenet_v1_1.0_160"), example("MobileNetV1 1.0 (160)", "accuracy"));
}

/// The quotients of negative utilities would be positive (Eq. 3); where the exploration set around the fastest model holds
/// no other, it makes no difference.
// paper: IV-D, nothing fits
#[test]
fn where_nothing_fits_the_fastest_explores_alone_on_all_shipped_zoos() {
    assert!(Models::shipped_zoos().iter().all(fastest_alone));
}

/// Related accurate is the best of the exploration set, which is not stage 1 alone: on the full zoo, in 49 µs of budgets.
// paper: IV-D, set past the budget
// paper: V-C, related accurate
#[test]
fn related_accurate_is_not_the_base() {
    let zoo = Models::measured();
    let pick = |budget| baseline::related_accurate(zoo.catalog.models(), Margin::PAPER, budget).unwrap();
    let base = |budget| base(zoo.catalog.models(), Margin::PAPER, budget).unwrap().model().id;
    let budgets = || (0..200_000).map(|micros| Budget::of(Micros::new(micros)));
    assert_eq!(budgets().filter(|&budget| pick(budget) != base(budget)).count(), 49);
    let budget = Budget::of(Micros::new(3_284));
    assert_eq!(base(budget), zoo.id("mobilenet_v1_0.25_192"));
    assert_eq!(pick(budget), zoo.id("mobilenet_v1_0.25_224"));
}

/// With 10,000 requests a share of them has a standard error of at most half a point, an accuracy of at most 0.21 points
/// (it lies between 41.4 and 82.6 %) and a mean latency of at most 0.6 ms. Each must be met to within four and a half
/// of them: by chance one comparison in 150,000 would not.
#[test]
fn replays_meet_their_expectation() {
    let (table3, measured) = (Models::table3_with_fictional(), Models::measured());
    let residential = RESIDENTIAL.network();
    for (models, network) in [(&table3, ONE_WAY_50_25), (&measured, residential)] {
        let requests = requests(&network, 7, 10_000);
        let grid = network.grid(10_000);
        for algorithm in [
            Algorithm::StaticGreedy,
            Algorithm::StaticLatency,
            Algorithm::StaticAccuracy,
            Algorithm::PureRandom,
            Algorithm::RelatedRandom,
            Algorithm::RelatedAccurate,
            Algorithm::PAPER,
        ] {
            for sla in [60, 115, 250].map(Micros::from_millis) {
                let sampled = replay(models, algorithm, sla, &requests);
                let exact = expectation(models, algorithm, sla, &grid);
                let compare = |what, measure: fn(&Outcome) -> f64, standard_error: f64| {
                    let (sampled, exact) = (measure(&sampled), measure(&exact));
                    assert!(
                        (sampled - exact).abs() < 4.5 * standard_error,
                        "{algorithm}, {sla}, {what}: {sampled}, {exact}"
                    );
                };
                compare("attainment", |outcome| outcome.attainment, 0.5);
                compare("accuracy", |outcome| outcome.accuracy, 0.21);
                compare("accuracy with duplication", |outcome| outcome.duplicated_accuracy, 0.21);
                compare("latency", |outcome| outcome.latency_ms, 0.6);
                let usage: f64 = exact.usage.iter().sum();
                assert!((usage - 100.0).abs() < 1e-6, "{algorithm}, {sla}: {usage}");
            }
        }
    }
}

/// Table IV's grid is fine enough for its two decimals.
#[test]
fn expectations_do_not_depend_on_the_grid() {
    let models = Models::measured();
    for network in [UNIVERSITY, RESIDENTIAL].map(|reliance| reliance.network()) {
        let outcome = |count| {
            let sla = Micros::from_millis(SLA_MS);
            expectation(&models, Algorithm::PAPER, sla, &network.grid(count))
        };
        let (coarse, fine) = (outcome(100_000), outcome(130_000));
        assert!((coarse.attainment - fine.attainment).abs() < 0.002);
        assert!((coarse.duplicated_accuracy - fine.duplicated_accuracy).abs() < 0.002);
    }
}

#[test]
fn networks_have_the_moments_and_quantiles_they_claim() {
    // The mean of a normal distribution cut off at zero: m + s·φ(m/s) / Φ(m/s), here twice 51.3812 ms.
    assert!((ONE_WAY_50_25.mean_and_variation().0 - 2.0 * 51.3812).abs() < 0.0002);
    let networks = [
        ONE_WAY_50_25,
        Network::TwiceOneWay { mean_ms: 50.0, deviation_ms: 50.0 },
        Network::log_normal(100.0, 0.5),
        UNIVERSITY.network(),
    ];
    for network in networks {
        // All the grid leaves out is one in a million, which the square of a lognormal still notices.
        let moment = |power| -> f64 {
            network.grid(10_000).iter().map(|(time, share)| time.as_millis().powi(power) * share).sum()
        };
        let (mean, variation) = network.mean_and_variation();
        assert!((moment(1) / mean - 1.0).abs() < 1e-3, "{network:?}: {mean}");
        let on_grid = (moment(2) / moment(1).powi(2) - 1.0).sqrt();
        assert!((on_grid / variation - 1.0).abs() < 2e-3, "{network:?}: {variation}, {on_grid}");
        for share in [0.1, 0.5, 0.9] {
            assert!((network.below(network.quantile(share).as_millis()) - share).abs() < 1e-4, "{network:?}");
        }
    }
    let constant = Network::TwiceOneWay { mean_ms: 50.0, deviation_ms: 0.0 };
    assert_eq!(constant.quantile(0.01), Micros::from_millis(100));
    assert_eq!((constant.below(100.0), constant.below(100.1)), (0.0, 1.0));
    let (mean, variation) = Network::log_normal(100.0, 1.0).mean_and_variation();
    assert!((mean - 100.0).abs() < 1e-9 && (variation - 1.0).abs() < 1e-9);
    let network = Network::log_normal_through([(137.394, 0.2276), (247.546, 0.0314)]);
    assert!((network.quantile(1.0 - 0.2276).as_millis() - 137.394).abs() < 0.001);
    assert!((network.quantile(1.0 - 0.0314).as_millis() - 247.546).abs() < 0.001);
}
