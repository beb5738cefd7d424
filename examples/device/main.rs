//! Request duplication in virtual time, by every strategy: `cargo run --release --example device`.

#![allow(unreachable_pub, clippy::arithmetic_side_effects)]

#[path = "../paper/evaluation/network.rs"]
#[allow(dead_code, reason = "shared with the `paper` example")]
mod network;
mod simulation;
#[path = "../support/zoo.rs"]
#[allow(dead_code, reason = "shared with the other examples")]
mod zoo;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use mdinference::duplicate::{LocalStart, Source, Strategy};
use mdinference::{Accuracy, Catalog, Index, Latency, Margin, Micros, NumberError, Policy};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;

use network::Network;
use simulation::{Draws, Rule, Run, World};
use zoo::Zoo;

/// The model on the device; its accuracy is that of the zoo.
const LOCAL_MODEL: &str = "mobilenet_v1_0.25_128";

/// Prices of the joint choice's curve, in points of accuracy.
const PRICES: [f64; 8] = [0.0, 1.0, 2.5, 5.0, 9.0, 12.0, 20.0, 100.0];

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

/// One network with all rules' runs.
struct Results {
    network: &'static str,
    rows: Vec<(&'static str, Run)>,
    curve: Vec<(f64, Run)>,
    /// Requests that `deferred` ended otherwise than `always`, and those that the remote did not answer in time.
    different: u64,
    remote_missed: u64,
}

/// T_nw of a network of Table IV, as the lognormal that exceeds 250 ms less the time of nasnet_large and of
/// mobilenet_v1_0.25_128 with these probabilities.
fn network(nasnet_large: f64, mobilenet: f64) -> Network {
    Network::log_normal_through([(250.0 - 112.606, nasnet_large), (250.0 - 2.454, mobilenet)])
}

fn simulate(arguments: &Arguments) -> Result<Vec<Results>, Box<dyn std::error::Error>> {
    let zoo = Zoo::shipped("p2")?;
    let (names, profiles): (Vec<_>, Vec<_>) =
        zoo.names.iter().zip(zoo.profiles).filter(|(name, _)| *name != "nasnet_fictional").unzip();
    let local = names.iter().position(|name| *name == LOCAL_MODEL).and_then(|index| profiles.get(index));
    let local_accuracy = local.map(|profile| profile.accuracy).ok_or("the zoo lacks the local model")?;
    let world = World {
        index: Index::new(Catalog::<32>::new(profiles)?, Policy::PAPER),
        local: Latency { mean: arguments.local_ms, deviation: arguments.local_std_ms },
        local_accuracy,
        sla: arguments.sla_ms,
    };

    let Arguments { margin, risk, .. } = *arguments;
    let deferred = Strategy::Deferred { margin };
    let without_price = |strategy| Run::new(&world, Rule { strategy, price: None });
    let joint = |price| Run::new(&world, Rule { strategy: deferred, price: Some(price) });
    let bar = progress_bar(2 * u64::from(arguments.requests));
    let mut rng = StdRng::seed_from_u64(arguments.seed);
    let mut all = Vec::new();
    for (name, network) in
        [("university", network(0.0362, 0.00256)), ("residential", network(0.2276, 0.0314))]
    {
        let mut always = without_price(Strategy::Always);
        let mut later = without_price(deferred);
        let mut others = [
            ("at_risk", without_price(Strategy::AtRisk { margin, risk })),
            ("never", without_price(Strategy::Never)),
            ("joint", joint(arguments.price)),
        ];
        let mut curve = Vec::new();
        for price in PRICES {
            curve.push((price, joint(Accuracy::from_percent(price)?)));
        }
        let (mut different, mut remote_missed) = (0, 0);
        for _ in 0..arguments.requests {
            let draws = Draws::new(&network, world.local, &mut rng);
            let source = always.request(&world, &draws);
            different += u64::from(later.request(&world, &draws) != source);
            remote_missed += u64::from(source != Some(Source::Remote));
            for (_, run) in &mut others {
                run.request(&world, &draws);
            }
            if !arguments.json {
                for (_, run) in &mut curve {
                    run.request(&world, &draws);
                }
            }
            bar.inc(1);
        }
        let mut rows = vec![("always", always), ("deferred", later)];
        rows.extend(others);
        all.push(Results { network: name, rows, curve, different, remote_missed });
    }
    bar.finish_and_clear();
    Ok(all)
}

/// On standard error, and only on a terminal.
fn progress_bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} requests, {eta} left");
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn json_rows(all: &[Results]) -> String {
    let mut lines = String::new();
    for results in all {
        for (strategy, run) in &results.rows {
            let fields = [
                ("network", json!(results.network)),
                ("strategy", json!(strategy)),
                ("attainment_pct", json!(run.attainment())),
                ("accuracy", json!(run.accuracy())),
                ("on_device_pct", json!(run.on_device())),
                ("local_runs_avoided_pct", json!(run.local_runs_avoided())),
            ];
            let fields = fields.map(|(name, value)| format!("\"{name}\":{value}"));
            lines.push_str(&format!("{{{}}}\n", fields.join(",")));
        }
    }
    lines
}

fn table(header: &[&str], left: usize, rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    let style = presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());
    table.load_style(style).set_content_arrangement(ContentArrangement::Disabled).set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The run of one rule in a set of rows.
fn run_of<'a>(results: &'a Results, strategy: &str) -> Option<&'a Run> {
    results.rows.iter().find(|(name, _)| *name == strategy).map(|(_, run)| run)
}

fn text(arguments: &Arguments, all: &[Results]) -> String {
    let Arguments { sla_ms, local_ms, local_std_ms, margin, requests, price, .. } = arguments;
    let spent = |run: Option<&Run>| run.map_or(0.0, Run::local_millis);
    let saved = |results: &Results, run: &Run| {
        let always = spent(run_of(results, "always"));
        if always > 0.0 { 100.0 * (1.0 - run.local_millis() / always) } else { 0.0 }
    };
    let rows = all.iter().flat_map(|results| {
        results.rows.iter().map(move |(strategy, run)| {
            vec![
                results.network.to_owned(),
                (*strategy).to_owned(),
                format!("{:.2}", run.attainment()),
                format!("{:.2}", run.accuracy()),
                format!("{:.2}", run.on_device()),
                format!("{:.2}", run.local_runs_avoided()),
                format!("{:.2}", run.local_millis()),
                format!("{:.2}", saved(results, run)),
            ]
        })
    });
    let header = [
        "network",
        "strategy",
        "in time\n%",
        "accuracy\n%",
        "on device\n%",
        "local runs\navoided %",
        "local time\nms/request",
        "local time\nsaved %",
    ];
    let strategies = table(&header, 2, rows);
    let rows = all.iter().flat_map(|results| {
        let deferred = run_of(results, "deferred");
        results.curve.iter().map(move |(price, run)| {
            let accuracy = deferred.map_or(0.0, Run::accuracy);
            let avoided = deferred.map_or(0.0, Run::local_runs_avoided);
            vec![
                results.network.to_owned(),
                format!("{price:.1}"),
                format!("{:.2}", run.accuracy()),
                format!("{:.2}", accuracy - run.accuracy()),
                format!("{:.2}", run.local_runs_avoided()),
                format!("{:.2}", run.local_runs_avoided() - avoided),
                format!("{:.2}", saved(results, run)),
            ]
        })
    });
    let header = [
        "network",
        "price\npoints",
        "accuracy\n%",
        "accuracy\nlost, points",
        "local runs\navoided %",
        "more than\ndeferred",
        "local time\nsaved %",
    ];
    let curve = table(&header, 1, rows);

    let mut out = format!(
        "{requests} requests on each network, to be answered within {sla_ms}; local model {LOCAL_MODEL}, \
         {local_ms} ± {local_std_ms}.\n\n{strategies}\n\
         always    the paper's rule: both copies start\n\
         deferred  the local copy starts at SLA − (μ + {margin}σ) of its time if there is no answer by then, or as \
         soon as\n          the upload shows that the answer will miss the SLA\n\
         at_risk   it does so only if the answer is not expected in time, by what the upload tells; T_nw is exactly\n          \
         twice T_input here, as in the paper, and on a network where it is not, some answers will be missed\n\
         never     there is no local copy; a late answer counts as none, of accuracy 0\n\
         joint     deferred, and the server pays up to {price} of accuracy for an answer before the local start\n\n",
        margin = margin.get(),
    );
    for Results { network, different, remote_missed, .. } in all {
        out.push_str(&format!(
            "{network}: deferred ended otherwise than always in {different} of {requests} requests\n  \
             (it can where the remote misses, {remote_missed} times here, and the local run takes longer than μ + {}σ)\n",
            margin.get()
        ));
    }
    out.push_str(&format!("\nWhat accuracy buys in avoided local runs, with the joint choice:\n\n{curve}\n"));
    out
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
    let needed = Strategy::Deferred { margin: arguments.margin };
    let local = Latency { mean: arguments.local_ms, deviation: arguments.local_std_ms };
    if needed.local_start(arguments.sla_ms, local, None) == LocalStart::After(Micros::ZERO) {
        eprintln!("note: the local model does not fit the SLA, so not every request can be answered in time");
    }
    let output = match simulate(&arguments) {
        Ok(results) if arguments.json => json_rows(&results),
        Ok(results) => text(&arguments, &results),
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
