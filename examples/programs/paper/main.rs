//! Replays the evaluation of the MDInference paper and says, line by line, what the paper reports, what this crate
//! gives, and whether that reproduces: `cargo run --release --example paper`.

#![allow(
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects
)]

mod evaluation;
#[path = "../support/figures.rs"]
mod figures;
mod plot;
mod report;
#[path = "../support/table.rs"]
mod table;

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use evaluation::parallel::Progress;
use evaluation::row::Section;
use evaluation::{Evaluation, Settings};

/// Replays the evaluation of the MDInference paper (Ogden and Guo, IC2E 2020): Figures 3 to 8, Table IV and
/// every claim that a simulation can check, each beside what the paper states. Draws the figures as SVG.
#[derive(Parser)]
#[command(name = "paper")]
struct Arguments {
    /// Print one JSON object a line instead of tables: times in ms, shares in percent; what the paper states is a number or
    /// its words, and source is the section it stands in
    #[arg(long)]
    json: bool,
    /// Seed of the replayed requests
    #[arg(long, default_value_t = Settings::DEFAULT.seed)]
    seed: u64,
    /// Requests replayed for each point of Figures 3 and 6; the others are integrals
    #[arg(long, value_name = "COUNT", default_value_t = Settings::DEFAULT.requests as u32, value_parser = clap::value_parser!(u32).range(1..))]
    requests: u32,
    /// Directory for the SVG figures [default: target/paper in the project]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let directory = figures::directory(arguments.out.as_deref(), "paper");
    let settings =
        Settings { seed: arguments.seed, requests: arguments.requests as usize, ..Settings::DEFAULT };
    let (sections, figures) = match evaluate(&settings, &directory) {
        Ok(evaluated) => evaluated,
        Err(error) => return failed(&directory.display().to_string(), &*error),
    };
    let output = if arguments.json {
        report::json(&sections)
    } else {
        format!(
            "{}\n{} figures in {}\n",
            report::text(&settings, &sections),
            figures,
            figures::shown(&directory)
        )
    };
    match io::stdout().write_all(output.as_bytes()) {
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => failed("standard output", &error),
        Ok(()) => ExitCode::SUCCESS,
    }
}

/// The rows, and how many figures are in the directory now.
fn evaluate(settings: &Settings, directory: &Path) -> Result<(Vec<Section>, usize), Box<dyn Error>> {
    // First, so that a bad directory shows at once.
    fs::create_dir_all(directory)?;
    let bar = Bar::new();
    let evaluation = Evaluation::run(settings, &bar);
    bar.0.finish_and_clear();
    let figures = plot::all(&evaluation, directory)?;
    Ok((evaluation.sections(), figures))
}

/// One line on what went wrong, and where.
fn failed(place: &str, error: &dyn Error) -> ExitCode {
    eprintln!("{place}: {error}");
    ExitCode::from(2)
}

/// On standard error, and only on a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let style = ProgressStyle::with_template("{msg:32} {bar:40} {pos}/{len}");
        Self(ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, steps: usize) {
        self.0.set_message(what.to_owned());
        self.0.set_length(steps as u64);
        self.0.reset();
    }

    fn step(&self) {
        self.0.inc(1);
    }
}
