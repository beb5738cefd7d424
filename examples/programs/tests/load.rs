//! The `load` example: its arrivals, its world, what it counts, and how it refuses bad input.
//!
//! Regenerate the expected text with `UPDATE_EXPECTED=1 cargo test -p mdinference-examples --test load`.

#![allow(
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects
)]

use std::fs;
use std::path::{Path, PathBuf};

use mdinference::Profile;

#[path = "../load/arrivals.rs"]
mod arrivals;
#[path = "../load/comparison.rs"]
mod comparison;
#[path = "../../../tests/support/expected.rs"]
mod expected;
#[path = "../load/fluid.rs"]
mod fluid;
#[path = "../load/measures.rs"]
mod measures;
#[path = "../support/network.rs"]
#[allow(dead_code, reason = "shared with the examples")]
mod network;
#[path = "../load/policies/mod.rs"]
#[allow(dead_code, reason = "shared with the example")]
mod policies;
#[path = "../load/setting.rs"]
#[allow(dead_code, reason = "shared with the example")]
mod setting;
#[path = "support/transcript.rs"]
mod transcript;
#[path = "../load/waiting.rs"]
mod waiting;
#[path = "../load/world.rs"]
mod world;
#[path = "../support/zoo.rs"]
#[allow(dead_code, reason = "shared with the examples")]
mod zoo;

use arrivals::{Arrival, Process, arrivals};
use comparison::{LIMIT, Row, compare};
use measures::Measures;
use setting::Setting;
use waiting::Waiting;
use world::{Job, Policy, Run, serve};
use zoo::Zoo;

fn setting(zoo: &Zoo) -> Setting<'_> {
    Setting {
        zoo,
        sla: 250_000,
        workers: 1,
        max_batch: 1,
        growth: 0.15,
        rate: 40.0,
        late_worth: 0.0,
        seed: 1,
    }
}

/// Models whose times do not vary, by accuracy and ms.
fn exact(models: &[(f64, f64)]) -> Zoo {
    Zoo {
        names: (0..models.len()).map(|model| format!("model {model}")).collect(),
        profiles: models
            .iter()
            .map(|&(percent, millis)| Profile::from_percent_and_millis(percent, millis, 0.0).unwrap())
            .collect(),
    }
}

/// Requests by when they arrive and what they have left then, in ms; all had 20 ms of network.
fn requests(at: &[(u64, u64)]) -> Vec<Arrival> {
    let request = |(id, &(at, left)): (usize, &(u64, u64))| {
        let arrived = at * 1_000;
        let job = Job { deadline: arrived + left * 1_000, arrived, id: id as u32 };
        Arrival { job, network: 20_000 }
    };
    at.iter().enumerate().map(request).collect()
}

/// The first model for all, the earliest deadlines first, as many as there are, whether or not they are late; who has
/// nothing left is shed.
struct Plain<'a> {
    setting: &'a Setting<'a>,
    waiting: Waiting,
}

impl Policy for Plain<'_> {
    fn put(&mut self, job: Job, _: u64) {
        self.waiting.put(job);
    }

    fn next(&mut self, now: u64, shed: &mut Vec<Job>) -> Option<Run> {
        self.waiting.shed(now, 0.0, shed);
        self.waiting.first()?;
        Some(Run { model: 0, jobs: self.waiting.take(self.setting.max_batch) })
    }

    fn ended(&mut self, run: &Run, took: u64, _: u64) {
        assert_eq!(took as f64, self.setting.mean(run.model, run.jobs.len()));
    }
}

fn plain(setting: &Setting<'_>, arrivals: &[Arrival]) -> Measures {
    serve(setting, arrivals, setting.workers, &mut Plain { setting, waiting: Waiting::default() })
}

#[test]
fn runs_follow_each_other_and_are_late_after_their_deadlines() {
    let zoo = exact(&[(80.0, 10.0)]);
    // They end at 10, 20 (the third, which is more urgent), 30 (late), and the last has no time left at all.
    let arrivals = requests(&[(0, 10), (1, 28), (2, 18), (3, 0)]);
    let measures = plain(&setting(&zoo), &arrivals);
    assert_eq!((measures.effective_accuracy, measures.late_pct, measures.shed_pct), (40.0, 25.0, 25.0));
    assert_eq!((measures.p50_ms, measures.p99_ms), (Some(38.0), Some(49.0)));
    assert_eq!((measures.utilisation_pct, measures.mean_batch), (100.0, Some(1.0)));
    assert_eq!(measures.usage, [75.0]);
    // A late answer that is worth half.
    let measures = plain(&Setting { late_worth: 0.5, ..setting(&zoo) }, &arrivals);
    assert_eq!(measures.effective_accuracy, 50.0);
    // On two workers the second is in time; they end at 10, 11 and 20.
    let measures = plain(&Setting { workers: 2, ..setting(&zoo) }, &arrivals);
    assert_eq!((measures.effective_accuracy, measures.late_pct), (60.0, 0.0));
    assert_eq!(measures.utilisation_pct, 75.0);
    // The second and third at once, in 11.5 ms.
    let measures = plain(&Setting { max_batch: 2, ..setting(&zoo) }, &arrivals);
    assert_eq!((measures.late_pct, measures.mean_batch, measures.p99_ms), (25.0, Some(1.5), Some(40.5)));
}

#[test]
fn what_was_not_answered_has_no_times() {
    let zoo = exact(&[(80.0, 10.0)]);
    let measures = plain(&setting(&zoo), &requests(&[(0, 0), (5, 0)]));
    assert_eq!((measures.effective_accuracy, measures.shed_pct, measures.utilisation_pct), (0.0, 100.0, 0.0));
    assert_eq!((measures.p50_ms, measures.p99_ms, measures.mean_batch), (None, None, None));
}

/// The mean gap in ms, and the part of the gaps that are below half of it.
fn gaps(arrivals: &[Arrival]) -> (f64, f64) {
    let mean = arrivals.last().unwrap().job.arrived as f64 / arrivals.len() as f64;
    let short = arrivals
        .windows(2)
        .filter(|pair| ((pair[1].job.arrived - pair[0].job.arrived) as f64) < mean / 2.0)
        .count();
    (mean / 1e3, short as f64 / arrivals.len() as f64)
}

#[test]
fn requests_come_at_the_rate_of_all_workers() {
    let zoo = exact(&[(80.0, 10.0)]);
    let setting = Setting { workers: 4, rate: 50.0, ..setting(&zoo) };
    let of = |process: &Process| arrivals(&setting, process, 100_000, 1);
    // 5 ms; of exponential gaps 1 − e^(−1/2) are below half of the mean.
    let (mean, short) = gaps(&of(&Process::Poisson));
    assert!((mean - 5.0).abs() < 0.05 && (short - 0.3935).abs() < 0.005, "{mean} {short}");
    // 0.9 of them come at 1.8 times the rate, the others at 0.2 times: 0.9·(1 − e^−0.9) + 0.1·(1 − e^−0.1). 250 pairs of
    // phases make the mean less sure.
    let (mean, short) = gaps(&of(&Process::Bursts));
    assert!((mean - 5.0).abs() < 0.8 && (short - 0.5436).abs() < 0.05, "{mean} {short}");
    // Gaps of 1 and 3, again and again, are 2.5 and 7.5 ms.
    let log = Process::read("log", "# ms\n7\n8\n\n11\n".as_bytes()).unwrap();
    let at: Vec<u64> = of(&log).iter().take(5).map(|arrival| arrival.job.arrived).collect();
    assert_eq!(at, [2_500, 10_000, 12_500, 20_000, 22_500]);
    // The network is the same however they come: lognormal, 100 ± 50 ms.
    let networks = |arrivals: &[Arrival]| -> Vec<u64> { arrivals.iter().map(|it| it.network).collect() };
    let network = networks(&of(&Process::Poisson));
    assert_eq!(network, networks(&of(&log)));
    let mean = network.iter().sum::<u64>() as f64 / 1e8;
    let variance = network.iter().map(|&micros| (micros as f64 / 1e3 - mean).powi(2)).sum::<f64>() / 1e5;
    assert!((mean - 100.0).abs() < 0.6 && (variance.sqrt() - 50.0).abs() < 1.0, "{mean} {variance}");
}

#[test]
fn the_fluid_limit_is_the_best_of_all_mixes() {
    // 2 s for 100 requests: 1 s for the first model, and a third of them the second at 30 ms more each.
    let zoo = exact(&[(50.0, 10.0), (90.0, 40.0), (60.0, 30.0)]);
    let many = requests(&[(0, 2_000); 100]);
    let limit = |setting: Setting<'_>, arrivals| fluid::limit(&setting, arrivals);
    let near = |limit: f64, expected: f64| assert!((limit - expected).abs() < 1e-9, "{limit}");
    near(limit(setting(&zoo), &many), 50.0 + 40.0 / 3.0);
    near(limit(Setting { workers: 2, ..setting(&zoo) }, &many), 90.0);
    // Two at once take 1.15 times as long, so 5.75 and 23 ms each.
    near(
        limit(Setting { max_batch: 2, ..setting(&zoo) }, &many),
        50.0 + 40.0 * (2_000.0 - 575.0) / 17.25 / 100.0,
    );
    // Time for a fifth of them with one model alone; the more accurate is dearer a point.
    let few = requests(&[(0, 200); 100]);
    near(limit(setting(&zoo), &few), 10.0);
    // Half of them fit the first model alone, or none.
    let mixed = requests(&[(0, 1_000), (0, 40), (0, 10), (0, 9)]);
    near(limit(setting(&zoo), &mixed), (90.0 + 60.0) / 4.0);
    near(limit(Setting { late_worth: 0.5, ..setting(&zoo) }, &mixed), (90.0 + 60.0 + 45.0 + 45.0) / 4.0);
    // Models that are equal, or take no time.
    let zoo = exact(&[(50.0, 0.0), (60.0, 0.0), (90.0, 40.0), (90.0, 40.0)]);
    near(limit(setting(&zoo), &few), 60.0 + 30.0 * 5.0 / 100.0);
}

fn rows(settings: &[Setting<'_>], process: &Process, requests: u32, pools: bool) -> Vec<Row> {
    let entrants = policies::entrants(settings[0].zoo, pools);
    compare(settings, process, requests, &entrants, !pools, || ())
}

fn accuracy(rows: &[Row], rate: f64, policy: &str) -> f64 {
    rows.iter().find(|row| row.rate == rate && row.policy == policy).unwrap().effective_accuracy()
}

#[test]
fn nobody_beats_the_fluid_limit_while_the_load_is_steady() {
    let zoo = Zoo::shipped("table3").unwrap();
    for (max_batch, rates) in [(1, [20.0, 160.0]), (16, [80.0, 320.0])] {
        let settings = rates.map(|rate| Setting { rate, max_batch, ..setting(&zoo) });
        let rows = rows(&settings, &Process::Poisson, 4_000, false);
        for row in &rows {
            // A run that was lucky may be in time against what its μ + σ says.
            let limit = accuracy(&rows, row.rate, LIMIT) + 0.1;
            assert!(row.effective_accuracy() <= limit, "{} at {}: {limit}", row.policy, row.rate);
        }
        for rate in rates {
            let of = |policy| accuracy(&rows, rate, policy);
            assert!(of("priced") > of("paper_dispatch") && of("paper_dispatch") > of("paper"));
        }
    }
}

#[test]
fn whoever_waits_for_what_fits_is_not_late() {
    let mut zoo = Zoo::shipped("table3").unwrap();
    zoo.profiles.iter_mut().for_each(|profile| profile.latency.deviation = mdinference::Micros::ZERO);
    let settings = [Setting { workers: 2, rate: 60.0, max_batch: 4, ..setting(&zoo) }];
    let measured = |pools| -> Vec<(String, Measures)> {
        let rows = rows(&settings, &Process::Bursts, 4_000, pools);
        let measures = |row: Row| match row.came_to {
            comparison::CameTo::Measures(measures) => Some((row.policy, measures)),
            comparison::CameTo::Limit(_) => None,
        };
        rows.into_iter().filter_map(measures).collect()
    };
    for pools in [false, true] {
        for (policy, measures) in measured(pools) {
            if ["priced", "paper_dispatch", "static_shedding"].contains(&policy.as_str()) {
                assert_eq!(measures.late_pct, 0.0, "{policy}");
            }
            let settled = measures.usage.iter().sum::<f64>() + measures.shed_pct;
            assert!((settled - 100.0).abs() < 1e-9, "{policy}: {settled} %");
            assert!(measures.p50_ms <= measures.p99_ms && measures.utilisation_pct <= 100.0, "{policy}");
        }
    }
}

#[test]
fn waits_are_right_for_a_pool_a_model() {
    let zoo = Zoo::shipped("table3").unwrap();
    let rows = rows(&[setting(&zoo)], &Process::Poisson, 20_000, true);
    let of = |policy| accuracy(&rows, 40.0, policy);
    assert!((of("paper") - 78.5).abs() < 0.5, "{}", of("paper"));
    assert!(of("paper_no_waits") < 15.0, "{}", of("paper_no_waits"));
}

fn directory(test: &str) -> PathBuf {
    transcript::directory("load", test)
}

fn transcripts(directory: &Path, arguments: &[&str]) -> String {
    transcript::without_input(env!("CARGO_BIN_EXE_load"), directory, arguments)
}

#[test]
fn answers() {
    let directory = directory("answers");
    let json = |arguments: &str| -> Vec<serde_json::Value> {
        let arguments = format!("{arguments} --rates 40,20 --requests 500 --seed 7 --json --out figures");
        let printed = transcripts(&directory, &[&arguments]);
        let lines = printed.lines().filter(|line| line.starts_with('{'));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let rows = json("");
    assert_eq!(rows, json(""));
    let policies = |rate: f64| -> Vec<&str> {
        let rows = rows.iter().filter(|row| row["rate"] == rate);
        rows.map(|row| row["policy"].as_str().unwrap()).collect()
    };
    assert_eq!(policies(40.0), policies(20.0));
    let rivals = ["slackfit", "proteus", "load_table", "lowest_latency", "accuracy_floor", "static_shedding"];
    for policy in ["paper", "paper_dispatch", "priced", "static:NasNet Large", LIMIT].iter().chain(&rivals) {
        assert!(policies(40.0).contains(policy), "{policy}");
    }
    for row in &rows {
        assert!(row["effective_accuracy"].is_f64(), "{row}");
        for field in ["late_pct", "shed_pct", "p50_ms", "p99_ms", "utilisation_pct", "mean_batch"] {
            assert_eq!(row[field].is_null(), row["policy"] == LIMIT, "{row}");
        }
    }
    let large = rows.iter().find(|row| row["policy"] == "static:NasNet Large").unwrap();
    assert!(large["usage_pct"]["NasNet Large"].as_f64().unwrap() > 20.0, "{large}");
    assert_eq!(large["usage_pct"].as_object().unwrap().len(), 1);
    assert_eq!(json("--per-model-pools").len(), 2 * 15);
    for figure in ["accuracy.svg", "late.svg"] {
        assert!(fs::read_to_string(directory.join("figures").join(figure)).unwrap().starts_with("<svg"));
    }
}

#[test]
fn refusals() {
    let directory = directory("refusals");
    let files = [
        ("empty.ms", ""),
        ("one.ms", "5\n"),
        ("at_once.ms", "5\n5\n5\n"),
        ("word.ms", "5\n\nsix\n"),
        ("infinite.ms", "5\ninf\n"),
        ("back.ms", "5\n7\n6.5\n"),
    ];
    for (name, text) in files {
        fs::write(directory.join(name), text).unwrap();
    }
    let row = |model| format!("model {model},50,1,0\n");
    let large: String = (0..65).map(row).collect();
    fs::write(directory.join("large.csv"), format!("model,accuracy,mean_ms,std_ms\n{large}")).unwrap();
    let arguments: Vec<String> = files.iter().map(|(name, _)| format!("--arrivals {name}")).collect();
    let others = [
        "--arrivals nowhere.ms",
        "--arrivals one.ms --bursts",
        "--zoo nowhere.csv",
        "--zoo zoos.csv:none",
        "--zoo large.csv",
        "--sla-ms -1",
        "--workers 0",
        "--workers 65",
        "--rates 5,many",
        "--rates 5,0",
        "--max-batch 0",
        "--max-batch 65",
        "--batch-growth 1.5",
        "--batch-growth much",
        "--late-worth -0.1",
        "--requests 0",
        "--out large.csv",
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(others).collect();
    expected::assert_expected("load/refusals.txt", &transcripts(&directory, &arguments));
}
