//! Request duplication in virtual time, by every strategy: `cargo run --release --example device`.

#![allow(unreachable_pub, clippy::arithmetic_side_effects)]

mod comparison;
#[path = "../support/network.rs"]
#[allow(dead_code, reason = "shared with the `paper` example")]
mod network;
mod report;
mod setting;
mod simulation;
#[path = "../support/table.rs"]
mod table;
#[path = "../support/zoo.rs"]
#[allow(dead_code, reason = "shared with the other examples")]
mod zoo;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use mdinference::device::{LocalStart, Strategy};
use mdinference::{Accuracy, Latency, Margin, Micros, NumberError};

use comparison::{Settings, compare};

/// Runs requests in virtual time over the two networks of Table IV (lognormal T_nw), on the device as well as on the
/// server, with each rule for when the local copy starts. All rules meet the same requests.
#[derive(Parser)]
#[command(name = "device", allow_negative_numbers = true)]
struct Arguments {
    /// Time within which a request is to be answered, in ms
    #[arg(long, value_name = "MS", default_value = "250", value_parser = positive_time)]
    sla_ms: Micros,
    /// Mean time of the local model, in ms
    #[arg(long, value_name = "MS", default_value = "40", value_parser = positive_time)]
    local_ms: Micros,
    /// Standard deviation of the local model's time, in ms (the time is normal)
    #[arg(long, value_name = "MS", default_value = "4", value_parser = time)]
    local_std_ms: Micros,
    /// Deviations of the local model's time that `deferred`, `at_risk` and `joint` keep in hand
    #[arg(long, value_name = "SIGMAS", default_value = "3", value_parser = margin)]
    margin: Margin,
    /// Deviations of the remote's expected time that have to fit the SLA for `at_risk` to leave the local copy out
    #[arg(long, value_name = "SIGMAS", default_value = "3", value_parser = margin)]
    risk: Margin,
    /// Accuracy that `joint` may pay for an answer before the local start, in points of percent
    #[arg(long, value_name = "POINTS", default_value = "2.5", value_parser = points)]
    price: Accuracy,
    /// Requests on each network
    #[arg(long, value_name = "COUNT", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    requests: u32,
    /// Seed of all that is drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object a row instead of tables; percentages in percent
    #[arg(long)]
    json: bool,
}

fn number<T>(
    text: &str,
    top: impl std::fmt::Display,
    checked: impl Fn(f64) -> Result<T, NumberError>,
) -> Result<T, String> {
    let number: f64 = text.parse().map_err(|_| "is not a number".to_owned())?;
    checked(number).map_err(|error| match error {
        NumberError::TooLarge => format!("is above {top}"),
        error => error.to_string(),
    })
}

fn time(text: &str) -> Result<Micros, String> {
    number(text, Micros::MAX, Micros::try_from_millis)
}

fn positive_time(text: &str) -> Result<Micros, String> {
    match time(text)? {
        Micros::ZERO => Err("is below a microsecond".into()),
        time => Ok(time),
    }
}

fn margin(text: &str) -> Result<Margin, String> {
    number(text, "1000", Margin::new)
}

fn points(text: &str) -> Result<Accuracy, String> {
    number(text, "100", Accuracy::from_percent)
}

/// On standard error, and only on a terminal.
fn progress_bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} requests, {eta} left");
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            // The first line says it all.
            let message = error.to_string();
            eprintln!("{}", message.lines().next().unwrap_or_default());
            return ExitCode::from(2);
        }
        Err(help) => help.exit(),
    };
    let Arguments { sla_ms: sla, margin, risk, price, requests, seed, .. } = arguments;
    let local = Latency { mean: arguments.local_ms, deviation: arguments.local_std_ms };
    let deferred = Strategy::Deferred { margin };
    if deferred.local_start(sla, local, None) == LocalStart::After(Micros::ZERO) {
        eprintln!("note: the local model does not fit the SLA, so not every request can be answered in time");
    }
    let settings = Settings { sla, local, margin, risk, price, requests, seed };
    let bar = progress_bar(2 * u64::from(requests));
    let results = compare(&settings, || bar.inc(1));
    bar.finish_and_clear();
    let output = match results {
        Ok(results) if arguments.json => report::json(&results),
        Ok(results) => report::text(&settings, &results),
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    match io::stdout().write_all(output.as_bytes()) {
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("standard output: {error}");
            ExitCode::from(2)
        }
        Ok(()) => ExitCode::SUCCESS,
    }
}
