//! Instructions a selection, draw included, counted by callgrind: they repeat exactly where times do not.
//!
//! - `cargo bench --bench instructions` counts and prints;
//! - `cargo bench --bench instructions -- --write` writes the counts to `benches/instructions.csv` as well;
//! - `cargo bench --bench instructions -- --check` fails if a count is past its limit there.
//!
//! A case runs twice as a child process, for some selections and for twice as many; the difference is theirs alone.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::hint::black_box;
use std::process::{Command, ExitCode};

use clap::Parser;
use mdinference::{
    Accuracy, Budget, Draw, Front, Index, Learning, Policy, Price, Request, Server, Timestamp,
};
use rand::SeedableRng;
use rand::rngs::{SmallRng, StdRng};

mod support;

use support::{BUDGETS, Family, Measured, budgets, budgets_at_steps, catalog, index, naive, table, table3};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.csv");

/// Instructions a selection, counted by callgrind.
#[derive(Parser)]
struct Arguments {
    /// Write the counts to benches/instructions.csv; limits that stand there stay
    #[arg(long)]
    write: bool,
    /// Fail if a count is past its limit in benches/instructions.csv
    #[arg(long, conflicts_with = "write")]
    check: bool,
    /// Cargo passes this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
    /// Only run a case, for so many selections; this is what callgrind looks at
    #[arg(long, num_args = 2, value_names = ["CASE", "SELECTIONS"], hide = true)]
    run: Option<Vec<String>>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Row {
    case: String,
    instructions: u64,
    limit: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some([case, selections]) = arguments.run.as_deref() {
        run(case, selections.parse().expect("a number of selections"));
        return ExitCode::SUCCESS;
    }
    match count_all(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn count_all(arguments: &Arguments) -> Result<ExitCode, String> {
    let limits = read_table()?;
    let mut rows = Vec::new();
    let mut lines = Vec::new();
    let mut past = 0;
    for case in cases() {
        let instructions = count(&case)?;
        let known = limits.iter().find(|row| row.case == case);
        if arguments.check && known.is_none() {
            return Err(format!("{TABLE}: there is no case '{case}'; write the table anew"));
        }
        let limit = known.map_or(instructions + instructions / 10, |row| row.limit);
        let verdict = if instructions > limit { "past its limit" } else { "" };
        past += usize::from(instructions > limit);
        lines.push(vec![case.clone(), instructions.to_string(), limit.to_string(), verdict.to_owned()]);
        rows.push(Row { case, instructions, limit });
    }
    println!("{}", table::table(&["case", "instructions", "limit", ""], 1..3, lines));
    if arguments.write {
        write_table(&rows)?;
    }
    if arguments.check && past > 0 {
        return Err(format!("{past} of {} cases are past their limits", rows.len()));
    }
    Ok(ExitCode::SUCCESS)
}

fn read_table() -> Result<Vec<Row>, String> {
    if !std::path::Path::new(TABLE).exists() {
        return Ok(Vec::new());
    }
    csv::Reader::from_path(TABLE)
        .and_then(|mut reader| reader.deserialize().collect())
        .map_err(|error| format!("{TABLE}: {error}"))
}

fn write_table(rows: &[Row]) -> Result<(), String> {
    csv::Writer::from_path(TABLE)
        .and_then(|mut writer| {
            rows.iter().try_for_each(|row| writer.serialize(row))?;
            Ok(writer.flush()?)
        })
        .map_err(|error| format!("{TABLE}: {error}"))
}

/// Every method on every zoo; those that go through all models only where that is not a matter of minutes.
fn cases() -> Vec<String> {
    let methods = ["naive", "naive-choose", "scan", "index", "index-at-steps"];
    let others = ["request", "min_accuracy", "price", "draw", "draw-and-base", "front", "server"];
    let mut cases: Vec<String> =
        methods.iter().chain(&others).map(|method| format!("table3/{method}")).collect();
    for n in [64, 256, 1_024, 10_000] {
        for family in ["dense", "sparse"] {
            let own = if n > 256 { &["naive", "index", "index-at-steps"][..] } else { &methods };
            cases.extend(own.iter().map(|method| format!("{family}-{n}/{method}")));
        }
    }
    cases
}

/// Instructions a selection, rounded to the nearest whole one.
fn count(case: &str) -> Result<u64, String> {
    let models = case.split(['-', '/']).find_map(|part| part.parse().ok()).unwrap_or(12);
    let slow = !case.contains("index") && models > 256;
    let selections = if slow { 128 } else { BUDGETS as u64 };
    let once = instructions(case, selections)?;
    let twice = instructions(case, 2 * selections)?;
    Ok((twice.saturating_sub(once) + selections / 2) / selections)
}

fn instructions(case: &str, selections: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--run", case, &selections.to_string()])
        .output()
        .map_err(|error| format!("valgrind, which counts the instructions, can't be run: {error}"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    log.lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
        .ok_or_else(|| format!("valgrind counted nothing for '{case}':\n{log}"))
}

fn run(case: &str, selections: usize) {
    let (zoo, method) = case.split_once('/').expect("ZOO/METHOD");
    match zoo {
        "table3" if matches!(method, "front" | "server") => served(method, selections),
        "table3" => on::<12>(&table3(), method, selections),
        "dense-64" => on::<64>(&Family::Dense.models(64), method, selections),
        "sparse-64" => on::<64>(&Family::Sparse.models(64), method, selections),
        "dense-256" => on::<256>(&Family::Dense.models(256), method, selections),
        "sparse-256" => on::<256>(&Family::Sparse.models(256), method, selections),
        "dense-1024" => on::<1_024>(&Family::Dense.models(1_024), method, selections),
        "sparse-1024" => on::<1_024>(&Family::Sparse.models(1_024), method, selections),
        "dense-10000" => on::<10_000>(&Family::Dense.models(10_000), method, selections),
        "sparse-10000" => on::<10_000>(&Family::Sparse.models(10_000), method, selections),
        _ => panic!("there is no zoo '{zoo}'"),
    }
}

fn on<const N: usize>(models: &[Measured], method: &str, selections: usize) {
    let index = index::<N>(models);
    let catalog = catalog::<N>(models);
    let budgets = match method {
        "index-at-steps" => budgets_at_steps(&index),
        _ => budgets(),
    };
    let budgets = budgets.iter().cycle().copied().take(selections).collect::<Vec<_>>();
    let small = &mut SmallRng::seed_from_u64(1);
    let std = &mut StdRng::seed_from_u64(1);
    let percent = |percent| Accuracy::from_percent(percent).expect("an accuracy");
    let ask = |request: Request| asked(&index, &budgets, request);
    match method {
        "naive" => budgets.iter().for_each(|&budget| {
            black_box(naive::weighted_index(models, budget, std));
        }),
        "naive-choose" => budgets.iter().for_each(|&budget| {
            black_box(naive::choose_weighted(models, budget, std));
        }),
        "scan" => budgets.iter().for_each(|&budget| {
            black_box(catalog.select(&Policy::PAPER, budget, Draw::from_rng(small)));
        }),
        "index" | "index-at-steps" => plain(&index, &budgets),
        "request" => ask(Request::new(Budget::default())),
        "min_accuracy" => ask(Request::new(Budget::default()).with_min_accuracy(percent(60.0))),
        "price" => ask(Request::new(Budget::default()).with_price(Price::per_milli(percent(0.1)))),
        "draw" => budgets.iter().for_each(|&budget| {
            black_box((budget, Draw::from_rng(small)));
        }),
        "draw-and-base" => budgets.iter().for_each(|&budget| {
            black_box((index.base(budget), Draw::from_rng(small)));
        }),
        _ => panic!("there is no method '{method}'"),
    }
}

/// By a server that has nothing to probe, and by its front: a ticket is made as well.
fn served(method: &str, selections: usize) {
    let mut server = Server::new(*catalog::<16>(&table3()), Policy::PAPER, Learning::DEFAULT);
    let budgets = budgets().iter().cycle().copied().take(selections).collect::<Vec<_>>();
    match method {
        "front" => begun_by_front(server.front(), &budgets),
        _ => begun(&mut server, &budgets),
    }
}

// Functions of their own, so that what is counted does not depend on what else there is to run.

#[inline(never)]
fn plain<const N: usize>(index: &Index<N>, budgets: &[Budget]) {
    let mut small = SmallRng::seed_from_u64(1);
    for &budget in budgets {
        black_box(index.select(budget, Draw::from_rng(&mut small)));
    }
}

#[inline(never)]
fn asked<const N: usize>(index: &Index<N>, budgets: &[Budget], request: Request) {
    let small = &mut SmallRng::seed_from_u64(1);
    budgets.iter().for_each(|&budget| {
        let _ = black_box(index.select(request.with_budget(budget), Draw::from_rng(small)));
    });
}

#[inline(never)]
fn begun_by_front<const N: usize>(front: &Front<N>, budgets: &[Budget]) {
    let small = &mut SmallRng::seed_from_u64(1);
    budgets.iter().for_each(|&budget| {
        drop(black_box(front.begin(budget, Draw::from_rng(small), Timestamp::default())));
    });
}

#[inline(never)]
fn begun<const N: usize>(server: &mut Server<N>, budgets: &[Budget]) {
    let small = &mut SmallRng::seed_from_u64(1);
    budgets.iter().for_each(|&budget| {
        drop(black_box(server.begin(budget, Draw::from_rng(small), Timestamp::default())));
    });
}
