//! A server whose models change while it runs, in virtual time: what it knew at first, what it learns, and
//! what it could know at best.
//!
//! `cargo run --release --example drift -- --scenario spike`

#![allow(
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::panic
)]

#[path = "../support/command.rs"]
#[allow(dead_code, reason = "shared with the other examples")]
mod command;
mod comparison;
#[path = "../support/figures.rs"]
mod figures;
mod live;
mod measures;
#[path = "../support/network.rs"]
#[allow(dead_code, reason = "shared with the other examples")]
mod network;
#[path = "../support/panel.rs"]
#[allow(dead_code, reason = "shared with the other examples")]
mod panel;
mod plot;
mod policy;
mod report;
mod scenario;
#[path = "../support/table.rs"]
mod table;
mod traffic;
mod world;
#[path = "../support/zoo.rs"]
mod zoo;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use mdinference::Micros;

use command::{Failure, millis};
use comparison::compare;
use scenario::{NAMED, Scenario};
use traffic::Traffic;
use world::World;
use zoo::{BadInput, Zoo};

/// Runs a server in virtual time while its models change, under three policies that meet the same requests:
/// `frozen` chooses by the profiles it began with, `live` is the server as it is used by default and learns
/// from its runs, `clairvoyant` chooses by the profiles as they are at every moment. Requests arrive whether
/// or not others are still running (Poisson), and every run has a worker of its own. Draws what comes of it
/// over time as SVG.
#[derive(Parser)]
#[command(name = "drift", allow_negative_numbers = true, after_help = after_help())]
struct Arguments {
    /// What happens: one of those named below, or a CSV with the columns model, from_request, to_request,
    /// latency_factor, accuracy_delta (points) and stall_ms. Requests count from 0, to_request is the first
    /// after it; rows may overlap: factors multiply, deltas add. A stall begins as from_request arrives, and
    /// does not look at to_request: runs in progress or begun in it end no sooner than it does
    #[arg(long, value_name = "NAME|FILE", default_value = "spike")]
    scenario: String,
    /// Zoo: a CSV with the columns model, accuracy (%), mean_ms and std_ms; FILE:NAME picks the rows whose
    /// column zoo says NAME. A bare file name is also looked for among the zoos that come with the project
    #[arg(long, value_name = "FILE[:NAME]", default_value = "zoos.csv:table3")]
    zoo: String,
    /// Response-time target T_sla in milliseconds
    #[arg(long, value_name = "MS", default_value = "250", value_parser = millis)]
    sla_ms: Micros,
    /// Mean of T_nw, the time of the network both ways, in milliseconds; a server knows it of each request
    #[arg(long, value_name = "MS", default_value = "90", value_parser = millis)]
    network_ms: Micros,
    /// Standard deviation of T_nw, which is lognormal, in milliseconds; 0 for a constant T_nw
    #[arg(long, value_name = "MS", default_value = "0", value_parser = millis)]
    network_std_ms: Micros,
    /// Requests a second, on average
    #[arg(long, value_name = "RATE", default_value = "1000", value_parser = rate)]
    rps: f64,
    /// Requests
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 300_000,
        value_parser = clap::value_parser!(u32).range(1..=10_000_000)
    )]
    requests: u32,
    /// `live` begins requests by copies of the server's front, as many threads would that share it: a front
    /// is published whenever the server says so, and reaches those who begin 1 ms later. Without this, one
    /// owner begins and learns
    #[arg(long)]
    concurrency_snapshots: bool,
    /// Seed of all that is drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object a policy instead of a table: accuracy and lateness in percent; probes are all of
    /// them, those of a canary too; recovered_ms is null if the disturbed model never was, or its disturbance
    /// never ends
    #[arg(long)]
    json: bool,
    /// Directory for the SVG figure [default: target/drift in the project]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn after_help() -> String {
    let scenario = |(name, what)| format!("  {name:11} {what}\n");
    format!("Scenarios, of NasNet Large:\n{}", NAMED.map(scenario).concat())
}

fn rate(text: &str) -> Result<f64, String> {
    const RANGE: std::ops::RangeInclusive<f64> = 0.001..=1e6;
    let rate: f64 = text.trim().parse().map_err(|_| "is not a number".to_owned())?;
    if RANGE.contains(&rate) { Ok(rate) } else { Err("is not from 0.001 to 1000000".to_owned()) }
}

fn main() -> ExitCode {
    command::main(run)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let sla = arguments.sla_ms;
    let zoo = Zoo::open(&arguments.zoo)?;
    let traffic = Traffic {
        requests: arguments.requests,
        rate: arguments.rps,
        network: arguments.network_ms,
        network_deviation: arguments.network_std_ms,
        seed: arguments.seed,
    };
    if traffic.network == Micros::ZERO && traffic.network_deviation > Micros::ZERO {
        return Err(
            BadInput("a network of 0 ms on average has no deviation: --network-std-ms".to_owned()).into()
        );
    }
    let (name, what, scenario) = scenario(&arguments.scenario, &zoo, arguments.requests)?;
    let directory = figures::directory(arguments.out.as_deref(), "drift");
    let unwritable = |error| BadInput(format!("{}: {error}", directory.display()));
    // First, so that a bad directory shows at once.
    fs::create_dir_all(&directory).map_err(unwritable)?;

    let bar = progress_bar(3 * u64::from(arguments.requests));
    let world = World::new(zoo.profiles, &scenario, sla, traffic.arrivals());
    let runs = compare(&world, arguments.concurrency_snapshots, || bar.inc(1));
    bar.finish_and_clear();
    let runs = runs.map_err(|error| BadInput(format!("{}: {error}", arguments.zoo)))?;
    let figure = directory.join(&name).with_extension("svg");
    let svg = plot::svg(&what, &world, &runs).map_err(|error| BadInput(format!("the figure: {error}")))?;
    fs::write(&figure, svg).map_err(unwritable)?;

    let output = if arguments.json {
        report::json(&runs)
    } else {
        format!("{}Figure: {}\n", report::text(&what, &traffic, sla, &runs), figures::shown(&figure))
    };
    io::stdout().write_all(output.as_bytes())?;
    Ok(())
}

/// What it is called, what happens in it, and itself.
fn scenario(argument: &str, zoo: &Zoo, requests: u32) -> Result<(String, String, Scenario), BadInput> {
    if let Some((name, what)) = NAMED.iter().find(|(name, _)| *name == argument) {
        let subject = if *name == "steady" { "" } else { "NasNet Large " };
        let scenario = Scenario::named(name, zoo, requests.into())?;
        return Ok(((*name).to_owned(), format!("{name}: {subject}{what}"), scenario));
    }
    let path = Path::new(argument);
    if !path.exists() {
        let names = NAMED.map(|(name, _)| name).join(", ");
        return Err(BadInput(format!(
            "{argument}: there is no such file, nor a scenario of that name: {names}"
        )));
    }
    let scenario = Scenario::read(argument, zoo::open(argument, path)?, zoo)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok((name, argument.to_owned(), scenario))
}

/// On standard error, and only on a terminal.
fn progress_bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} requests, {eta} left");
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
