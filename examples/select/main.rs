//! Tries the selector on a zoo of your own, and explains the answer.
//!
//! `cargo run --release --example select -- --zoo zoos.csv:table3 --sla-ms 250 --input-ms 40`

#![allow(unreachable_pub, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::expect_used)]

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use mdinference::{
    Accuracy, Budget, Catalog, Cost, Draw, Margin, Micros, ModelId, ModelSet, NetworkTime, Policy, Request,
    Sharpness,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

mod answer;
#[path = "../support/command.rs"]
mod command;
mod requests;
#[path = "../support/table.rs"]
mod table;
#[path = "../support/zoo.rs"]
mod zoo;

use answer::Answer;
use command::{Failure, margin, millis, percent};
use requests::Requests;
use zoo::{BadInput, Zoo};

/// How many models a zoo may have.
const CAPACITY: usize = 1_024;

/// Picks a model for a request from a zoo, as MDInference does, and says why.
#[derive(Parser)]
#[command(name = "select", allow_negative_numbers = true)]
struct Arguments {
    /// Zoo: a CSV with the columns model, accuracy (%), mean_ms, std_ms and optionally cost; FILE:NAME picks the rows
    /// whose column zoo says NAME. A bare file name is also looked for among the zoos that come with the project
    #[arg(long, value_name = "FILE[:NAME]")]
    zoo: String,

    /// Response-time target T_sla in milliseconds
    #[arg(long, value_name = "MS", value_parser = millis, required_unless_present = "requests")]
    sla_ms: Option<Micros>,
    /// Time T_input that the request took to arrive, in milliseconds; T_nw is then twice that
    #[arg(long, value_name = "MS", value_parser = millis)]
    input_ms: Option<Micros>,
    /// Time T_output that past responses took, in milliseconds; T_nw is then twice that
    #[arg(long, value_name = "MS", value_parser = millis, conflicts_with = "input_ms")]
    output_ms: Option<Micros>,
    /// Network time T_nw, both ways, in milliseconds; goes before the other two
    #[arg(long, value_name = "MS", value_parser = millis)]
    network_ms: Option<Micros>,
    /// Many requests: a CSV with the columns sla_ms and network_ms; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sla_ms", "input_ms", "output_ms", "network_ms"])]
    requests: Option<String>,

    /// Deviation margin γ: a model fits if μ + γσ is below the budget
    #[arg(long, value_name = "GAMMA", default_value = "1", value_parser = margin)]
    margin: Margin,
    /// Sharpness k, a whole number: models are drawn by utility to the power of k
    #[arg(long, value_name = "K", default_value = "1", value_parser = sharpness)]
    sharpness: Sharpness,
    /// Seed of the draws
    #[arg(long, default_value_t = 7)]
    seed: u64,

    /// Only models at least this accurate, in percent
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    min_accuracy: Accuracy,
    /// Only models at most this costly
    #[arg(long, value_name = "COST", default_value_t = u32::MAX, hide_default_value = true)]
    max_cost: u32,
    /// Only these models, separated by commas
    #[arg(long, value_name = "MODELS", value_delimiter = ',')]
    only: Vec<String>,
    /// None of these models, separated by commas
    #[arg(long, value_name = "MODELS", value_delimiter = ',')]
    without: Vec<String>,

    /// One JSON object a request
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
    let zoo = Zoo::open(&arguments.zoo)?;
    let catalog = Catalog::<CAPACITY>::new(zoo.profiles.iter().copied())
        .map_err(|error| BadInput(format!("{}: {error}", arguments.zoo)))?;
    let allowed = allowed(arguments, &zoo, &catalog)?;
    let request = Request::new(Budget::default())
        .with_min_accuracy(arguments.min_accuracy)
        .with_max_cost(Cost(arguments.max_cost))
        .with_allowed(&allowed);
    let policy = Policy::PAPER.with_margin(arguments.margin).with_sharpness(arguments.sharpness);
    let mut rng = StdRng::seed_from_u64(arguments.seed);
    let mut answer = |budget| {
        let request = request.with_budget(budget);
        let decision = catalog.select(&policy, request, Draw::from_rng(&mut rng));
        Answer { zoo: &zoo, catalog: &catalog, policy, request, decision }
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
    let mut requests = Requests::open(requests)?;
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
