//! Tries the selector on a zoo of your own, and explains the answer; and makes such a zoo of a timing log.
//!
//! `cargo run --release --example select -- --zoo zoos.csv:table3 --sla-ms 250 --input-ms 40`
//!
//! `cargo run --release --example select -- --timings log.csv`

#![allow(unreachable_pub, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::expect_used)]

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{ArgGroup, Parser};
use mdinference::{
    Accuracy, Budget, Catalog, Cost, Draw, Margin, Micros, ModelId, ModelSet, NetworkTime, Policy, Request,
    Sharpness,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

mod answer;
mod caution;
#[path = "../support/command.rs"]
mod command;
mod estimate;
mod profiles;
mod requests;
#[path = "../support/table.rs"]
mod table;
mod timings;
#[path = "../support/zoo.rs"]
mod zoo;

use answer::Answer;
use command::{Failure, margin, millis, percent};
use profiles::Profiles;
use requests::Requests;
use zoo::{BadInput, Table, Zoo};

/// How many models a zoo may have.
const CAPACITY: usize = 1_024;

/// Picks a model for a request from a zoo, as MDInference does, and says why. Or tells the profiles of a
/// timing log, and how sure they are.
#[derive(Parser)]
#[command(name = "select", allow_negative_numbers = true)]
#[command(group = ArgGroup::new("request").args(["sla_ms", "requests"]))]
struct Arguments {
    /// Zoo: a CSV with the columns model, accuracy (%), mean_ms, std_ms and optionally cost; FILE:NAME picks
    /// the rows whose column zoo says NAME. A bare file name is also looked for among the zoos that come with
    /// the project
    #[arg(long, value_name = "FILE[:NAME]", required_unless_present = "timings")]
    zoo: Option<String>,
    /// Timing log: a CSV with the columns model, ms and correct (1, 0, true or false), a row a run; - is
    /// standard input. ms is empty where a run gave no answer, correct where nobody judged it. The profiles
    /// that it tells take the place of a zoo; without a request they are what is printed, with 95 % intervals
    /// and what to beware of
    #[arg(long, value_name = "FILE", conflicts_with = "zoo")]
    timings: Option<String>,
    /// Print the profiles of the timing log as a zoo, to be read by --zoo
    #[arg(long, requires = "timings", conflicts_with_all = ["json", "request"])]
    csv: bool,

    /// Response-time target T_sla in milliseconds
    #[arg(long, value_name = "MS", value_parser = millis)]
    #[arg(required_unless_present_any = ["requests", "timings"])]
    sla_ms: Option<Micros>,
    /// Time T_input that the request took to arrive, in milliseconds; T_nw is then twice that
    #[arg(long, value_name = "MS", value_parser = millis, requires = "request")]
    input_ms: Option<Micros>,
    /// Time T_output that past responses took, in milliseconds; T_nw is then twice that
    #[arg(long, value_name = "MS", value_parser = millis, requires = "request", conflicts_with = "input_ms")]
    output_ms: Option<Micros>,
    /// Network time T_nw, both ways, in milliseconds; goes before the other two
    #[arg(long, value_name = "MS", value_parser = millis, requires = "request")]
    network_ms: Option<Micros>,
    /// Many requests: a CSV with the columns sla_ms and network_ms; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sla_ms", "input_ms", "output_ms", "network_ms"])]
    requests: Option<String>,

    /// Deviation margin γ: a model fits if μ + γσ is below the budget
    #[arg(long, value_name = "GAMMA", default_value = "1", value_parser = margin, requires = "request")]
    margin: Margin,
    /// Sharpness k, a whole number: models are drawn by utility to the power of k
    #[arg(long, value_name = "K", default_value = "1", value_parser = sharpness, requires = "request")]
    sharpness: Sharpness,
    /// Seed of the draws
    #[arg(long, default_value_t = 7, requires = "request")]
    seed: u64,

    /// Only models at least this accurate, in percent
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percent, requires = "request")]
    min_accuracy: Accuracy,
    /// Only models at most this costly
    #[arg(long, value_name = "COST", default_value_t = u32::MAX, hide_default_value = true)]
    #[arg(requires = "request")]
    max_cost: u32,
    /// Only these models, separated by commas
    #[arg(long, value_name = "MODELS", value_delimiter = ',', requires = "request")]
    only: Vec<String>,
    /// None of these models, separated by commas
    #[arg(long, value_name = "MODELS", value_delimiter = ',', requires = "request")]
    without: Vec<String>,

    /// One JSON object a request; of a timing log without a request, one a model: accuracy in percent, 95 %
    /// intervals
    #[arg(long)]
    json: bool,
}

fn sharpness(text: &str) -> Result<Sharpness, String> {
    let k = text.trim().parse().ok().and_then(|k| Sharpness::new(k).ok());
    k.ok_or_else(|| format!("is not a whole number from 1 to {}", u32::MAX))
}

fn main() -> ExitCode {
    command::main(run)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    match (&arguments.timings, &arguments.zoo) {
        (Some(log), _) => match of_log(arguments, log)? {
            Some(zoo) => answer(arguments, zoo::shown(log), &zoo),
            None => Ok(()),
        },
        (None, Some(file)) => answer(arguments, file, &Zoo::open(file)?),
        (None, None) => Err(BadInput("--zoo or --timings is missing".to_owned()).into()),
    }
}

/// Prints the profiles of a timing log, or gives them back as a zoo if there are requests to answer.
fn of_log(arguments: &Arguments, log: &str) -> Result<Option<Zoo>, Failure> {
    let asked = arguments.sla_ms.is_some() || arguments.requests.is_some();
    if log == "-" && arguments.requests.as_deref() == Some("-") {
        let what = "standard input can't be both the timing log and the requests";
        return Err(BadInput(what.to_owned()).into());
    }
    let profiles = Profiles::of(timings::read(Table::open(log)?)?);
    let mut output = io::stdout().lock();
    if !asked && arguments.json {
        output.write_all(profiles.json().as_bytes())?;
        return Ok(None);
    }
    if !asked && !arguments.csv {
        output.write_all(profiles.text().as_bytes())?;
        warn(profiles.warnings())?;
        return Ok(None);
    }
    warn(profiles.warnings())?;
    let (zoo, rest) = profiles.zoo(zoo::shown(log))?;
    if !rest.is_empty() {
        warn([format!("left out of the zoo, for want of σ or of an accuracy: {}", rest.join(", "))])?;
    }
    if arguments.csv {
        output.write_all(profiles::csv(&zoo).as_bytes())?;
        return Ok(None);
    }
    Ok(Some(zoo))
}

fn warn(warnings: impl IntoIterator<Item = String>) -> io::Result<()> {
    let mut errors = io::stderr().lock();
    warnings.into_iter().try_for_each(|warning| writeln!(errors, "warning: {warning}"))
}

/// Answers the requests from a zoo.
fn answer(arguments: &Arguments, file: &str, zoo: &Zoo) -> Result<(), Failure> {
    let catalog = Catalog::<CAPACITY>::new(zoo.profiles.iter().copied())
        .map_err(|error| BadInput(format!("{file}: {error}")))?;
    let allowed = allowed(arguments, zoo, &catalog)?;
    let request = Request::new(Budget::default())
        .with_min_accuracy(arguments.min_accuracy)
        .with_max_cost(Cost(arguments.max_cost))
        .with_allowed(&allowed);
    let policy = Policy::PAPER.with_margin(arguments.margin).with_sharpness(arguments.sharpness);
    let mut rng = StdRng::seed_from_u64(arguments.seed);
    let mut answer = |budget| {
        let request = request.with_budget(budget);
        let decision = catalog.select(&policy, request, Draw::from_rng(&mut rng));
        Answer { zoo, catalog: &catalog, policy, request, decision }
    };

    let mut output = io::stdout().lock();
    let Some(requests) = &arguments.requests else {
        let (network, origin) = network(arguments)?;
        let sla = arguments.sla_ms.unwrap_or_default();
        let answer = answer(Budget::new(sla, network));
        if arguments.json {
            writeln!(output, "{}", answer.json())?;
        } else {
            writeln!(output, "Budget: {} = {sla} − {origin}\n", answer.request.budget().time())?;
            write!(output, "{}", answer.text())?;
        }
        return Ok(());
    };
    let mut rows = Vec::new();
    let mut requests = Requests::read(Table::open(requests)?)?;
    while let Some((sla, network)) = requests.next()? {
        let answer = answer(Budget::new(sla, NetworkTime::Given(network)));
        if arguments.json {
            writeln!(output, "{}", answer.json())?;
        } else {
            rows.push(answer.row(rows.len() + 1, sla, network));
        }
    }
    if !arguments.json {
        let header =
            ["", "base", "pick", "reason", "SLA (ms)", "T_nw (ms)", "budget (ms)", "probability (%)"];
        writeln!(output, "{}", table::table(&header, 4..8, rows))?;
    }
    Ok(())
}

/// T_nw, and how it comes about.
fn network(arguments: &Arguments) -> Result<(NetworkTime, String), BadInput> {
    match (arguments.network_ms, arguments.input_ms, arguments.output_ms) {
        (Some(network), ..) => Ok((NetworkTime::Given(network), format!("{network}"))),
        (None, Some(input), _) => Ok((NetworkTime::TwiceInput(input), format!("2 · {input}"))),
        (None, None, Some(output)) => Ok((NetworkTime::TwiceOutput(output), format!("2 · {output}"))),
        (None, None, None) => Err(BadInput(
            "the network time is missing: give --input-ms, --output-ms or --network-ms".to_owned(),
        )),
    }
}

/// The models that --only and --without leave.
fn allowed(
    arguments: &Arguments,
    zoo: &Zoo,
    catalog: &Catalog<CAPACITY>,
) -> Result<ModelSet<CAPACITY>, BadInput> {
    let ids = |option: &str, names: &[String]| -> Result<Vec<ModelId>, BadInput> {
        let id = |name: &String| {
            let index = zoo.names.iter().position(|other| other == name.trim());
            index.and_then(|index| catalog.id(index)).ok_or_else(|| {
                let known = zoo.names.join(", ");
                BadInput(format!("{option}: there is no model '{name}' in the zoo; there are: {known}"))
            })
        };
        names.iter().map(id).collect()
    };
    let mut allowed = match ids("--only", &arguments.only)? {
        none if none.is_empty() => ModelSet::ALL,
        only => only.into_iter().collect(),
    };
    for id in ids("--without", &arguments.without)? {
        allowed.remove(id);
    }
    Ok(allowed)
}
