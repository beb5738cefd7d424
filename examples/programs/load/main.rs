//! A server under load, in virtual time: more requests than its workers can give the best model to, and who makes the most
//! of it.
//!
//! `cargo run --release --example load -- --bursts`

#![allow(
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::panic
)]

mod arrivals;
#[path = "../support/command.rs"]
#[allow(dead_code, reason = "shared with the other examples")]
mod command;
mod comparison;
#[path = "../support/figures.rs"]
mod figures;
mod fluid;
mod measures;
#[path = "../support/network.rs"]
#[allow(dead_code, reason = "shared with the other examples")]
mod network;
#[path = "../support/panel.rs"]
#[allow(dead_code, reason = "shared with the other examples")]
mod panel;
mod plot;
mod policies;
mod report;
mod setting;
#[path = "../support/table.rs"]
mod table;
mod waiting;
mod world;
#[path = "../support/zoo.rs"]
#[allow(dead_code, reason = "shared with the other examples")]
mod zoo;

use std::fs;
use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use mdinference::Micros;

use arrivals::Process;
use command::{Failure, millis};
use comparison::compare;
use setting::{MOST_BATCHED, MOST_WORKERS, Setting};
use zoo::{BadInput, Zoo};

/// Runs a server in virtual time at several loads, under policies that meet the same requests and know the true
/// profiles: the paper's rule, the library's queue, single models, and what is published and used elsewhere. T_nw is
/// lognormal, 100 ± 50 ms. Draws effective accuracy, and what is late or shed, against load as SVG.
#[derive(Parser)]
#[command(name = "load", allow_negative_numbers = true, after_help = AFTER_HELP)]
struct Arguments {
    /// Zoo: a CSV with the columns model, accuracy (%), mean_ms and std_ms; FILE:NAME picks the rows whose
    /// column zoo says NAME. A bare file name is also looked for among the zoos that come with the project
    #[arg(long, value_name = "FILE[:NAME]", default_value = "zoos.csv:table3")]
    zoo: String,
    /// Response-time target T_sla in milliseconds
    #[arg(long, value_name = "MS", default_value = "250", value_parser = millis)]
    sla_ms: Micros,
    /// Workers, which all models share; 1 to 64
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = workers())]
    workers: u16,
    /// Requests a second and worker, on average; several with commas between
    #[arg(
        long,
        value_name = "RATE,…",
        default_value = "5,10,20,40,80,160",
        value_delimiter = ',',
        value_parser = rate
    )]
    rates: Vec<f64>,
    /// Requests come in bursts: at 1.8 and 0.2 times the rate in turn, for exponential times of 2 s on average.
    /// Otherwise they arrive independently of each other (Poisson)
    #[arg(long, conflicts_with = "arrivals")]
    bursts: bool,
    /// A log of arrivals, one a line in milliseconds, in order: its gaps are scaled to each rate, and begin anew at
    /// its end
    #[arg(long, value_name = "FILE")]
    arrivals: Option<String>,
    /// Each model has workers of its own, as many as --workers says: the model is chosen as a request arrives. The
    /// rates stay those of so many workers
    #[arg(long)]
    per_model_pools: bool,
    /// Requests that a run may take at once at most, 1 to 64; all but `paper` use it
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = max_batch())]
    max_batch: u16,
    /// A run of b requests takes 1 + G·(b − 1) times as long as a run of one; 0 to 1, in thousandths
    #[arg(long, value_name = "G", default_value = "0.15", value_parser = fraction)]
    batch_growth: f64,
    /// What a late answer counts, as a part of its model's accuracy; 0 to 1
    #[arg(long, value_name = "PART", default_value = "0", value_parser = fraction)]
    late_worth: f64,
    /// Requests at each rate
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 60_000,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    requests: u32,
    /// Seed of all that is drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object a policy and rate instead of a table: accuracy, shares and utilisation in percent,
    /// response times in milliseconds
    #[arg(long)]
    json: bool,
    /// Directory for the SVG figures [default: target/load in the project]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Policies; all but the first shed what fits no model any more:
  paper            The model is fixed as the request arrives, by the paper's rule with the exact wait subtracted;
                   first come, first served, one by one, nothing is shed
  paper_dispatch   The library's queue without a price of time: the paper's rule when a worker is free
  priced           The library's queue as it is by default
  slackfit         After SuperServe: of the (model, batch) just faster than the most urgent slack, the largest batch
  proteus          After Proteus: every 30 s, the mix of models that a linear program finds for the measured load
  load_table       After RAMSIS: for the measured load, the greatest μ that did best beforehand
  lowest_latency   The fastest by a moving average
  accuracy_floor   After INFaaS: the cheapest that meets an accuracy and the deadline
  static_shedding  One model, the best in hindsight, shedding what it does not make itself
  static:MODEL     One model
  fluid_limit      No policy, but what none can beat while the load is steady
With a pool a model, the model is fixed as the request arrives:
  paper            By the paper's rule with the expected waits; first come, first served, nothing is shed
  paper_no_waits   The same without the waits
  paper_dispatch   With the waits, and then a queue of the library a model
  priced           The same with each queue's price of time
";

fn workers() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=MOST_WORKERS as i64)
}

fn max_batch() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=MOST_BATCHED as i64)
}

fn rate(text: &str) -> Result<f64, String> {
    number(text, 0.001..=1e6, "is not from 0.001 to 1000000")
}

fn fraction(text: &str) -> Result<f64, String> {
    number(text, 0.0..=1.0, "is not from 0 to 1")
}

fn number(text: &str, range: RangeInclusive<f64>, otherwise: &str) -> Result<f64, String> {
    let number: f64 = text.trim().parse().map_err(|_| "is not a number".to_owned())?;
    if range.contains(&number) { Ok(number) } else { Err(otherwise.to_owned()) }
}

fn main() -> ExitCode {
    command::main(run)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let zoo = Zoo::open(&arguments.zoo)?;
    policies::check(&zoo).map_err(|error| BadInput(format!("{}: {error}", arguments.zoo)))?;
    let process = match &arguments.arrivals {
        Some(file) => Process::read(file, zoo::open(file, Path::new(file))?)?,
        None if arguments.bursts => Process::Bursts,
        None => Process::Poisson,
    };
    let directory = figures::directory(arguments.out.as_deref(), "load");
    let unwritable = |error| BadInput(format!("{}: {error}", directory.display()));
    // First, so that a bad directory shows at once.
    fs::create_dir_all(&directory).map_err(unwritable)?;

    let setting = |&rate: &f64| Setting {
        zoo: &zoo,
        sla: arguments.sla_ms.get().into(),
        workers: arguments.workers.into(),
        max_batch: arguments.max_batch.into(),
        growth: (arguments.batch_growth * 1e3).round() / 1e3,
        rate,
        late_worth: arguments.late_worth,
        seed: arguments.seed,
    };
    let settings: Vec<Setting<'_>> = arguments.rates.iter().map(setting).collect();
    let entrants = policies::entrants(&zoo, arguments.per_model_pools);
    let requests = u64::from(arguments.requests);
    let bar = progress_bar(requests * (settings.len() * entrants.len()) as u64);
    let with_limit = !arguments.per_model_pools;
    let rows = compare(&settings, &process, arguments.requests, &entrants, with_limit, || bar.inc(requests));
    bar.finish_and_clear();

    let mut shown_figures = Vec::new();
    for (name, svg) in [
        ("accuracy.svg", plot::accuracy(&brief(arguments), &rows)),
        ("late.svg", plot::late(&brief(arguments), &rows)),
    ] {
        let svg = svg.map_err(|error| BadInput(format!("the figure: {error}")))?;
        let path = directory.join(name);
        fs::write(&path, svg).map_err(unwritable)?;
        shown_figures.push(figures::shown(&path));
    }
    let output = if arguments.json {
        report::json(&zoo.names, &rows)
    } else {
        let compared = format!("{} requests at each rate; {}.", requests, brief(arguments));
        let text = report::text(&compared, &zoo.names, &rows);
        format!("{text}Figures: {}\n", shown_figures.join(", "))
    };
    io::stdout().write_all(output.as_bytes())?;
    Ok(())
}

/// What is compared, in a line.
fn brief(arguments: &Arguments) -> String {
    let Arguments { workers, max_batch, sla_ms, batch_growth, .. } = arguments;
    let process = match &arguments.arrivals {
        Some(file) => format!("arrivals of {file}"),
        None if arguments.bursts => "bursts".to_owned(),
        None => "Poisson".to_owned(),
    };
    let each = if arguments.per_model_pools { " a model" } else { "" };
    let plural = if *workers == 1 { "" } else { "s" };
    let batches = match max_batch {
        1 => String::new(),
        _ => format!(", batches up to {max_batch} (growth {batch_growth})"),
    };
    format!("{process}, {workers} worker{plural}{each}, T_sla {sla_ms}{batches}")
}

/// On standard error, and only on a terminal.
fn progress_bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} requests, {eta} left");
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
