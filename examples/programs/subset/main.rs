//! How few models would do: the best k models of a zoo for each network of the paper, and what they lose to
//! all.
//!
//! `cargo run --release --example subset -- --zoo zoos.csv:p2 --sla-ms 100,250`

#![allow(unreachable_pub, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::expect_used)]

#[path = "../support/command.rs"]
mod command;
#[path = "../support/figures.rs"]
mod figures;
#[path = "../support/network.rs"]
#[allow(dead_code, reason = "shared with the other examples")]
mod network;
#[path = "../support/panel.rs"]
#[allow(dead_code, reason = "shared with the `paper` example")]
mod panel;
mod plot;
mod report;
mod search;
#[path = "../support/table.rs"]
mod table;
#[path = "../support/zoo.rs"]
mod zoo;

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use mdinference::{Accuracy, Catalog, Margin, Micros};

use command::{Failure, margin, millis, percent};
use search::{CAPACITY, Found, Place, Settings};
use zoo::{BadInput, Zoo};

/// Finds, for each number k of models, the k that serve the requests of a network best, and how few are
/// enough. Draws accuracy against k as SVG.
#[derive(Parser)]
#[command(name = "subset", allow_negative_numbers = true)]
struct Arguments {
    /// Zoo: a CSV with the columns model, accuracy (%), mean_ms and std_ms; FILE:NAME picks the rows whose
    /// column zoo says NAME. A bare file name is also looked for among the zoos that come with the project
    /// [default: the 23 models that the paper's authors measured]
    #[arg(long, value_name = "FILE[:NAME]")]
    zoo: Option<String>,
    /// Response-time target T_sla in milliseconds; several, separated by commas, are equally likely
    #[arg(long, value_name = "MS", default_value = "250", value_parser = millis, value_delimiter = ',')]
    sla_ms: Vec<Micros>,
    /// Only these networks, separated by commas
    #[arg(
        long,
        value_name = "NETWORKS",
        value_delimiter = ',',
        default_value = "normal,university,residential"
    )]
    network: Vec<Place>,
    /// Loss to the whole zoo that is small enough, in points of accuracy
    #[arg(long, value_name = "POINTS", default_value = "0.5", value_parser = percent)]
    within: Accuracy,
    /// Deviation margin γ: a model fits if μ + γσ is below the budget
    #[arg(long, value_name = "GAMMA", default_value = "1", value_parser = margin)]
    margin: Margin,
    /// Print one JSON object a line instead of tables: accuracy in percent, losses in points
    #[arg(long)]
    json: bool,
    /// Directory for the SVG figure [default: target/subset in the project]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    command::main(run)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { within, margin, .. } = *arguments;
    let zoo = match &arguments.zoo {
        Some(zoo) => Zoo::open(zoo)?,
        None => measured()?,
    };
    let catalog = Catalog::<CAPACITY>::new(zoo.profiles.iter().copied())
        .map_err(|error| BadInput(format!("{}: {error}", arguments.zoo.as_deref().unwrap_or("zoos.csv"))))?;
    let directory = figures::directory(arguments.out.as_deref(), "subset");
    let unwritable = |error| BadInput(format!("{}: {error}", directory.display()));
    // First, so that a bad directory shows at once.
    fs::create_dir_all(&directory).map_err(unwritable)?;

    let settings = Settings { names: zoo.names, catalog, slas: arguments.sla_ms.clone(), within, margin };
    let found: Vec<Found> = arguments.network.iter().map(|&place| settings.search(place)).collect();
    let figure = directory.join("subset.svg");
    let svg = plot::svg(&settings, &found).map_err(|error| BadInput(format!("the figure: {error}")))?;
    fs::write(&figure, svg).map_err(unwritable)?;

    let output = if arguments.json {
        report::json(&found)
    } else {
        format!("{}Figure: {}\n", report::text(&settings, &found), figures::shown(&figure))
    };
    io::stdout().write_all(output.as_bytes())?;
    Ok(())
}

/// What the paper's authors measured, without the model that they made up.
fn measured() -> Result<Zoo, BadInput> {
    let zoo = Zoo::shipped("p2")?;
    let measured = zoo.names.into_iter().zip(zoo.profiles).filter(|(name, _)| name != "nasnet_fictional");
    let (names, profiles) = measured.unzip();
    Ok(Zoo { names, profiles })
}
