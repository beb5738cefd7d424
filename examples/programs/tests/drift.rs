//! The `drift` example: what its scenarios do to the models, what it measures, and how it refuses bad input.
//!
//! Regenerate the expected text with `UPDATE_EXPECTED=1 cargo test -p mdinference-examples --test drift`.

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

use mdinference::{Micros, Timestamp};

#[path = "../drift/comparison.rs"]
#[allow(dead_code, reason = "shared with the example")]
mod comparison;
#[path = "../../../tests/support/expected.rs"]
mod expected;
#[path = "../drift/live.rs"]
mod live;
#[path = "../drift/measures.rs"]
mod measures;
#[path = "../support/network.rs"]
#[allow(dead_code, reason = "shared with the examples")]
mod network;
#[path = "../drift/policy.rs"]
mod policy;
#[path = "../drift/scenario.rs"]
mod scenario;
#[path = "../drift/traffic.rs"]
mod traffic;
#[path = "support/transcript.rs"]
mod transcript;
#[path = "../drift/world.rs"]
#[allow(dead_code, reason = "shared with the example")]
mod world;
#[path = "../support/zoo.rs"]
#[allow(dead_code, reason = "shared with the examples")]
mod zoo;

use comparison::{Run, compare};
use measures::{Recovery, recovery};
use scenario::{NAMED, Scenario};
use traffic::Traffic;
use world::{Outcome, World};
use zoo::Zoo;

const HEADER: &str = "model,from_request,to_request,latency_factor,accuracy_delta,stall_ms\n";
const SLA: Micros = Micros::from_millis(250);
/// NasNet Large, the last of Table III.
const LARGEST: usize = 10;

const TRAFFIC: Traffic = Traffic {
    requests: 3_000,
    rate: 1_000.0,
    network: Micros::from_millis(90),
    network_deviation: Micros::ZERO,
    seed: 1,
};

fn world_in(rows: &str, traffic: Traffic) -> World {
    let zoo = Zoo::shipped("table3").unwrap();
    let scenario = Scenario::read("rows", format!("{HEADER}{rows}").as_bytes(), &zoo).unwrap();
    World::new(zoo.profiles, &scenario, SLA, traffic.arrivals())
}

fn world(rows: &str) -> World {
    world_in(rows, TRAFFIC)
}

fn run(world: &World) -> [Run; 3] {
    compare(world, false, || ()).unwrap().try_into().ok().expect("three policies")
}

/// The accuracy of the model and the mean of its time in ms, for runs that a request begins.
fn profile(world: &World, request: u64) -> (f64, f64) {
    let profile = world.profile(LARGEST, request);
    (profile.accuracy.as_percent(), profile.latency.mean.as_millis())
}

#[test]
fn rows_hold_from_their_first_request_until_their_last_and_add_up() {
    let world =
        world("NasNet Large,10,20,3,-10,0\nnasnet_large,15,30,0.5,-80,0\nnasnet-large,20,25,1,90,0\n");
    let expected = [
        (9, (82.6, 112.61)),
        (10, (72.6, 337.83)),
        (14, (72.6, 337.83)),
        (15, (0.0, 168.915)),
        (19, (0.0, 168.915)),
        (20, (92.6, 56.305)),
        (25, (2.6, 56.305)),
        (30, (82.6, 112.61)),
    ];
    for (request, is) in expected {
        assert_eq!(profile(&world, request), is, "request {request}");
    }
    // The others stay as they are.
    assert!(world.changes().iter().all(|&(_, model)| model == LARGEST));
}

#[test]
fn a_run_takes_what_its_first_moment_says() {
    let (before, within) = (world(""), world("NasNet Large,10,20,3,0,0\n"));
    let takes = |world: &World, request: usize| {
        world.end(request, LARGEST).since(world.arrivals[request].at).as_millis()
    };
    for request in 0..30 {
        let factor = if (10..20).contains(&request) { 3.0 } else { 1.0 };
        assert!((takes(&within, request) / takes(&before, request) - factor).abs() < 1e-4);
    }
}

#[test]
fn no_run_in_a_stall_ends_before_it() {
    let (moving, stalling) = (world(""), world("NasNet Large,1000,0,1,0,500\n"));
    let from = moving.arrivals[1_000].at;
    let to = from.after(Micros::from_millis(500));
    let mut held = [0; 2];
    for (request, arrival) in moving.arrivals.iter().enumerate() {
        let (freely, end) = (moving.end(request, LARGEST), stalling.end(request, LARGEST));
        if freely <= from || arrival.at >= to {
            assert_eq!(end, freely, "request {request}");
        } else {
            assert_eq!(end, freely.max(to), "request {request}");
            held[usize::from(arrival.at >= from)] += 1;
        }
        let stalled: Vec<usize> = stalling.stalled(arrival.at).collect();
        assert_eq!(stalled, if (from..to).contains(&arrival.at) { vec![LARGEST] } else { vec![] });
    }
    // In progress, and begun in it.
    assert!(held[0] > 50 && held[1] > 300, "{held:?}");
    let [_, _, clairvoyant] = run(&stalling);
    let avoids = |(request, outcome): (usize, &Outcome)| {
        !(from..to).contains(&stalling.arrivals[request].at) || usize::from(outcome.model) != LARGEST
    };
    assert!(clairvoyant.outcomes.iter().enumerate().all(avoids));
}

#[test]
fn frozen_loses_what_is_too_slow_and_the_clairvoyant_takes_the_next() {
    // 337.83 + 90 ms are late.
    let [frozen, _, clairvoyant] = run(&world("NasNet Large,1000,2000,3,0,0\n"));
    assert!((frozen.measures.accuracy - 82.6 * 2.0 / 3.0).abs() < 1e-9);
    assert!((frozen.measures.late_pct - 100.0 / 3.0).abs() < 1e-9);
    assert!((clairvoyant.measures.accuracy - (82.6 * 2.0 + 80.1) / 3.0).abs() < 1e-9);
    assert_eq!(clairvoyant.measures.late_pct, 0.0);
    for run in [frozen, clairvoyant] {
        assert_eq!(run.measures.recovery, Some(Recovery { millis: 0.0, requests: 0 }));
    }
    let [frozen, ..] = run(&world("NasNet Large,1000,2000,1,-10,0\n"));
    assert!((frozen.measures.accuracy - (82.6 * 2.0 + 72.6) / 3.0).abs() < 1e-9);
}

#[test]
fn all_policies_meet_the_same_requests() {
    let traffic = Traffic { network_deviation: Micros::from_millis(50), ..TRAFFIC };
    let [frozen, live, clairvoyant] = run(&world_in("", traffic));
    assert_eq!(frozen.outcomes, clairvoyant.outcomes);
    assert_eq!(live.outcomes.len(), clairvoyant.outcomes.len());
    // Until something happens they are the same, and what is the same then has the same outcome.
    let [_, disturbed, _] = run(&world_in("NasNet Large,1500,3000,3,0,0\n", traffic));
    assert_eq!(live.outcomes[..1_500], disturbed.outcomes[..1_500]);
    // The network alone makes some of them late, whoever chooses.
    assert!(frozen.measures.late_pct > 0.5 && frozen.measures.late_pct < 3.0);
    assert_eq!(frozen.measures.late_per_minute_at_end, 0.0);
}

#[test]
fn live_is_back_after_a_spike_by_a_few_probes() {
    let world = world_in("NasNet Large,1000,6000,3,0,0\n", Traffic { requests: 20_000, ..TRAFFIC });
    for snapshots in [false, true] {
        let runs = compare(&world, snapshots, || ()).unwrap();
        let [frozen, live, clairvoyant] = [&runs[0], &runs[1], &runs[2]].map(|run| &run.measures);
        assert!(frozen.accuracy < live.accuracy && live.accuracy < clairvoyant.accuracy, "{live:?}");
        assert!(live.recovery.is_some_and(|back| back.millis > 0.0 && back.millis < 12_000.0), "{live:?}");
        assert!((3..100).contains(&live.probes) && live.late_probes < live.probes, "{live:?}");
        assert_eq!((frozen.probes, clairvoyant.probes), (0, 0));
    }
}

#[test]
fn nothing_is_recovered_from_what_does_not_end() {
    for rows in
        ["", "NasNet Large,1000,3000,3,0,0\n", "NasNet Large,9000,9500,3,0,0\n", "NasNet Large,10,20,1,0,0\n"]
    {
        assert_eq!(world(rows).undisturbed(), None, "{rows}");
    }
    let of = |rows: &str| world(rows).undisturbed().unwrap();
    let at = |request: usize| world("").arrivals[request].at;
    assert_eq!(of("NasNet Large,10,20,3,0,0\nInceptionV4,5,30,3,0,0\n"), (9, at(30)));
    assert_eq!(of("NasNet Large,10,20,3,0,40\n").1, at(20).max(at(10).after(Micros::from_millis(40))));
    assert_eq!(of("NasNet Large,10,0,1,0,40\n").1, at(10).after(Micros::from_millis(40)));
}

/// A request a millisecond.
fn times(requests: u64) -> Vec<Timestamp> {
    (0..requests).map(|request| Timestamp::from_micros(1_000 * request)).collect()
}

#[test]
fn a_model_is_back_with_the_first_of_a_hundred_requests_of_which_it_gets_95() {
    let (times, end) = (times(1_000), Timestamp::from_micros(99_500));
    let wanted = vec![true; 1_000];
    let lost = |until: usize| (0..1_000).map(|request| request >= until).collect::<Vec<_>>();
    let after = |millis, requests| Some(Recovery { millis, requests });
    assert_eq!(recovery(&times, end, &lost(100), &wanted), after(0.0, 0));
    // Up to five of the hundred may be others'.
    assert_eq!(recovery(&times, end, &lost(105), &wanted), after(0.0, 0));
    assert_eq!(recovery(&times, end, &lost(106), &wanted), after(1.5, 1));
    assert_eq!(recovery(&times, end, &lost(300), &wanted), after(195.5, 195));
    assert_eq!(recovery(&times, end, &lost(905), &wanted), after(800.5, 800));
    // There is no hundred any more.
    assert_eq!(recovery(&times, end, &lost(906), &wanted), None);

    // Only every second is the model's by the clairvoyant: the others tell nothing.
    let every_second: Vec<bool> = (0..1_000).map(|request| request % 2 == 0).collect();
    assert_eq!(recovery(&times, end, &lost(300), &every_second), after(190.5, 190));
    assert_eq!(recovery(&times, end, &every_second, &every_second), after(0.0, 0));
    assert_eq!(recovery(&times, end, &every_second, &wanted), None);
    assert_eq!(recovery(&times, end, &wanted, &[false; 1_000]), None);
}

#[test]
fn the_named_scenarios_are_there() {
    let zoo = Zoo::shipped("table3").unwrap();
    let of = |name| Scenario::named(name, &zoo, 300_000).unwrap();
    for (name, _) in NAMED {
        let scenario = of(name);
        assert_eq!(scenario.disturbances.is_empty(), ["canary", "steady"].contains(&name), "{name}");
        assert_eq!(scenario.canary, (name == "canary").then_some(LARGEST));
        assert!(scenario.disturbances.iter().all(|it| it.model == LARGEST));
    }
    let ranges: Vec<_> = of("flapping").disturbances.iter().map(|it| (it.from, it.to)).collect();
    assert_eq!(ranges, [(90_000, 120_000), (210_000, 240_000), (330_000, 360_000)]);
    // By the name that other zoos have for the same model.
    let p2 = Scenario::named("slow", &Zoo::shipped("p2").unwrap(), 1).unwrap();
    assert_eq!(p2.disturbances[0].model, 20);
}

#[test]
fn a_canary_is_not_among_the_measured() {
    let zoo = Zoo::shipped("table3").unwrap();
    let scenario = Scenario::named("canary", &zoo, 3_000).unwrap();
    let [frozen, live, clairvoyant] = run(&World::new(zoo.profiles, &scenario, SLA, TRAFFIC.arrivals()));
    assert_eq!((frozen.measures.accuracy, clairvoyant.measures.accuracy), (80.1, 82.6));
    // A hundredth of the requests until 20 runs have been seen: about 2,000.
    assert!(live.measures.accuracy > 80.1 && live.measures.accuracy < 82.6);
    assert!((20..=30).contains(&live.measures.probes), "{} probes", live.measures.probes);
}

fn directory(test: &str) -> PathBuf {
    transcript::directory("drift", test)
}

fn transcripts(directory: &Path, arguments: &[&str]) -> String {
    transcript::without_input(env!("CARGO_BIN_EXE_drift"), directory, arguments)
}

#[test]
fn answers() {
    let directory = directory("answers");
    fs::write(directory.join("nothing.csv"), HEADER).unwrap();
    let json = |scenario: &str| {
        let arguments =
            format!("--scenario {scenario} --network-std-ms 50 --requests 2000 --json --out figures");
        let printed = transcripts(&directory, &[&arguments]);
        printed.lines().filter(|line| line.starts_with('{')).map(str::to_owned).collect::<Vec<_>>()
    };
    let steady = json("steady");
    assert_eq!(json("nothing.csv"), steady);
    for (line, policy) in steady.iter().zip(["frozen", "live", "clairvoyant"]) {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["policy"], policy);
        assert_eq!(object["probes"], 0);
        assert_eq!(object["recovered_ms"], serde_json::Value::Null);
    }
    for figure in ["nothing.svg", "steady.svg"] {
        assert!(fs::read_to_string(directory.join("figures").join(figure)).unwrap().starts_with("<svg"));
    }
}

#[test]
fn refusals() {
    let directory = directory("refusals");
    let row = |row: &str| format!("{HEADER}NasNet Large,10,20,1,0,0\n{row}\n");
    let files = [
        ("empty.csv", String::new()),
        ("header.csv", "model,from,to_request,latency_factor,accuracy_delta,stall_ms\n".to_owned()),
        ("lacking.csv", "model,from_request,to_request,latency_factor,accuracy_delta\n".to_owned()),
        ("twice.csv", HEADER.replace("\n", ",model\n")),
        ("model.csv", row("NasNet Huge,10,20,1,0,0")),
        ("negative_request.csv", row("NasNet Large,-10,20,1,0,0")),
        ("half_request.csv", row("NasNet Large,10,20.5,1,0,0")),
        ("inverted.csv", row("NasNet Large,20,10,3,0,0")),
        ("inverted_stall.csv", row("NasNet Large,20,10,3,0,100")),
        ("no_range.csv", row("NasNet Large,20,,3,0,0")),
        ("negative_factor.csv", row("NasNet Large,10,20,-3,0,0")),
        ("zero_factor.csv", row("NasNet Large,10,20,0,0,0")),
        ("large_factor.csv", row("NasNet Large,10,20,1e7,0,0")),
        ("word.csv", row("NasNet Large,10,20,three,0,0")),
        ("delta.csv", row("NasNet Large,10,20,1,-101,0")),
        ("no_delta.csv", row("NasNet Large,10,20,1,,0")),
        ("not_a_delta.csv", row("NasNet Large,10,20,1,NaN,0")),
        ("stall.csv", row("NasNet Large,10,20,1,0,-5")),
        ("long_stall.csv", row("NasNet Large,10,20,1,0,3000000")),
        ("short.csv", row("NasNet Large,10,20,1,0")),
        ("long.csv", row("NasNet Large,10,20,1,0,0,0")),
    ];
    for (name, text) in &files {
        fs::write(directory.join(name), text).unwrap();
    }
    let small = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/select/small.csv");
    fs::copy(small, directory.join("small.csv")).unwrap();
    let arguments: Vec<String> = files.iter().map(|(name, _)| format!("--scenario {name}")).collect();
    let others = [
        "--scenario quick",
        "--scenario nowhere.csv",
        "--scenario slow --zoo small.csv",
        "--zoo nowhere.csv",
        "--sla-ms -1",
        "--network-ms 0 --network-std-ms 5",
        "--rps 0",
        "--rps many",
        "--requests 0",
        "--requests 10000001",
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(others).collect();
    expected::assert_expected("drift/refusals.txt", &transcripts(&directory, &arguments));
}
