//! The paper's evaluation as `cargo run --release --example paper` prints it, against committed text.
//!
//! After a change that is meant to show there, `UPDATE_EXPECTED=1 cargo test --test paper` writes the text anew.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects
)]

#[path = "../examples/paper/evaluation/mod.rs"]
mod evaluation;
#[path = "../examples/paper/report.rs"]
mod report;
#[path = "../examples/support/table.rs"]
mod table;

use std::sync::LazyLock;

use evaluation::algorithm::Algorithm;
use evaluation::duplication::SLA_MS;
use evaluation::models::Models;
use evaluation::network::Network;
use evaluation::network::{RESIDENTIAL, StaticReliance, UNIVERSITY};
use evaluation::outcome::{Outcome, expectation, replay, requests};
use evaluation::row::Section;
use evaluation::{Evaluation, ONE_WAY_50_25, Settings};
use mdinference::{Budget, Micros, NetworkTime};
use serde_json::Value;
use statrs::distribution::{ContinuousCDF, Normal};

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
fn json_has_the_fields_that_programs_rely_on() {
    let lines = report::json(sections());
    let mut table4 = Vec::new();
    for line in lines.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        assert!(row["ours"].is_f64(), "{line}");
        assert!(row["paper"].is_f64() || row["paper"].is_null(), "{line}");
        assert!(row["reproduced"].is_boolean() || (row["reproduced"].is_null() && row["paper"].is_null()));
        assert!(row.get("sla_ms").is_none_or(Value::is_u64), "{line}");
        if text("figure") == "table4" {
            table4.push((text("row"), text("column")));
        } else {
            text("row");
            text("column");
        }
    }
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
    // The mean of a normal distribution cut off at zero: m + s·φ(m/s) / Φ(m/s), here twice 51.3809 ms.
    let mean: f64 = ONE_WAY_50_25.grid(10_000).iter().map(|(time, share)| time.as_millis() * share).sum();
    assert!((mean - 2.0 * 51.3809).abs() < 0.01, "{mean}");
    let constant = Network::TwiceOneWay { mean_ms: 50.0, deviation_ms: 0.0 };
    assert_eq!(constant.quantile(0.01), Micros::from_millis(100));
    let network = Network::log_normal_through([(137.394, 0.2276), (247.546, 0.0314)]);
    assert!((network.quantile(1.0 - 0.2276).as_millis() - 137.394).abs() < 0.001);
    assert!((network.quantile(1.0 - 0.0314).as_millis() - 247.546).abs() < 0.001);
}

/// A number that the fit of a network must meet.
struct Anchor {
    measure: fn(&Models, &[(Micros, f64)]) -> f64,
    value: f64,
    /// Half the width of what it may stand for.
    uncertainty: f64,
}

fn reliance(models: &Models, grid: &[(Micros, f64)]) -> f64 {
    expectation(models, Algorithm::PAPER, Micros::from_millis(SLA_MS), grid).reliance()
}

/// MDInference's accuracy over static accuracy, in points.
fn gain(models: &Models, grid: &[(Micros, f64)]) -> f64 {
    let accuracy =
        |algorithm| expectation(models, algorithm, Micros::from_millis(SLA_MS), grid).duplicated_accuracy;
    accuracy(Algorithm::PAPER) - accuracy(Algorithm::StaticAccuracy)
}

/// How many of MDInference's remote answers are back within `time_ms`, in percent.
fn back_within(models: &Models, grid: &[(Micros, f64)], sla_ms: u32, time_ms: f64) -> f64 {
    let mut back = 0.0;
    let sla = Micros::from_millis(sla_ms);
    for &(network, probability) in grid {
        let budget = Budget::new(sla, NetworkTime::Given(network));
        for (id, share) in Algorithm::PAPER.shares(&models.catalog, sla, budget) {
            let latency = models.catalog.profiles()[id.index()].latency;
            let slack = time_ms - network.as_millis() - latency.mean.as_millis();
            back += probability * share * Normal::standard().cdf(slack / latency.deviation.as_millis());
        }
    }
    100.0 * back
}

/// The static rows' reliance that meets the anchors best, by Gauss and Newton: least squares, each anchor in units of
/// its uncertainty.
fn fit(models: &Models, anchors: &[Anchor]) -> StaticReliance {
    let misses = |latency, accuracy| {
        let grid = StaticReliance { latency, accuracy }.network().grid(40_000);
        let miss = |anchor: &Anchor| ((anchor.measure)(models, &grid) - anchor.value) / anchor.uncertainty;
        anchors.iter().map(miss).collect::<Vec<f64>>()
    };
    let (mut latency, mut accuracy) = (1.0, 10.0);
    for _ in 0..6 {
        let step = 0.02;
        let now = misses(latency, accuracy);
        let slope = |moved: Vec<f64>| -> Vec<f64> {
            moved.iter().zip(&now).map(|(moved, now)| (moved - now) / (latency * step)).collect()
        };
        let by_latency = slope(misses(latency * (1.0 + step), accuracy));
        let by_accuracy = slope(misses(latency, accuracy + latency * step));
        let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let (ll, la, aa) =
            (dot(&by_latency, &by_latency), dot(&by_latency, &by_accuracy), dot(&by_accuracy, &by_accuracy));
        let (l, a) = (dot(&by_latency, &now), dot(&by_accuracy, &now));
        let determinant = ll * aa - la * la;
        // Neither may leave 0 < latency < accuracy on the way.
        latency = (latency - (aa * l - la * a) / determinant).clamp(latency / 2.0, latency * 2.0);
        accuracy = (accuracy - (ll * a - la * l) / determinant).clamp(1.5 * latency, 50.0);
    }
    StaticReliance { latency, accuracy }
}

#[test]
fn the_static_reliance_follows_from_the_anchors() {
    let models = Models::measured();
    let university = fit(
        &models,
        &[
            Anchor { measure: reliance, value: 100.0 - 99.74, uncertainty: 0.005 },
            Anchor { measure: |m, grid| back_within(m, grid, 250, 198.0), value: 84.25, uncertainty: 0.75 },
            Anchor { measure: |m, grid| back_within(m, grid, 250, 166.0), value: 57.25, uncertainty: 0.75 },
        ],
    );
    let residential = fit(
        &models,
        &[
            Anchor { measure: reliance, value: 100.0 - 96.84, uncertainty: 0.005 },
            Anchor { measure: gain, value: 7.32, uncertainty: 0.005 },
        ],
    );
    for (place, fitted, used) in
        [("university", university, UNIVERSITY), ("residential", residential, RESIDENTIAL)]
    {
        assert!((fitted.latency - used.latency).abs() < 0.005, "{place}: {fitted:?}, {used:?}");
        assert!((fitted.accuracy - used.accuracy).abs() < 0.02, "{place}: {fitted:?}, {used:?}");
    }
}

/// The same record has fractions for the residential network, which its fit does not use. In whole percent, rounded or
/// cut off.
#[test]
fn the_residential_network_agrees_with_the_record() {
    let models = Models::measured();
    let grid = RESIDENTIAL.network().grid(20_000);
    for (sla_ms, time_ms, recorded) in
        [(250, 198.0, 44.0), (250, 166.0, 14.0), (400, 348.0, 96.0), (400, 316.0, 93.0)]
    {
        let back = back_within(&models, &grid, sla_ms, time_ms);
        assert!((recorded - 0.5..recorded + 1.0).contains(&back), "{time_ms} ms: {back}, {recorded}");
    }
}
