//! Instructions a selection, draw included, and how many of its branches go the way that they seldom go, counted by callgrind:
//! both repeat exactly where times do not, wherever the code lies. A predictor that knew of each branch which way it mostly
//! goes would mispredict just these; a real one forgives what has a pattern, such as the end of a loop.
//!
//! - `cargo bench --bench instructions` counts and prints; a part of a name after `--` filters;
//! - `cargo bench --bench instructions -- --write` writes the counts to `benches/instructions.csv` as well;
//! - `cargo bench --bench instructions -- --check` fails if a count is past its limit there.
//!
//! A case runs twice as a child process, for some selections and for twice as many. Either prepares everything for twice as
//! many, so that the difference is that of the selections alone.

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
use std::sync::Arc;
use std::thread;

use clap::Parser;
use mdinference::load::Settings;
use mdinference::{Budget, Catalog, Decision, Draw, Front, Index, Policy, Report, Server, Timestamp};
use rand::SeedableRng;
use rand::rngs::{SmallRng, StdRng};

mod support;

use support::asks::{Ask, Asks, Empty, Health, Kind, MaxCost, MinAccuracy, Plain, Priced, Sharpness9, Waits};
use support::good_naive::Sorted;
use support::served::{reports, server, speed_up};
use support::waiting::Waiting;
use support::{Family, Measured, budgets, budgets_at_steps, catalog, index, naive, table, table3};

/// Selections that are counted.
const SELECTIONS: usize = 4_096;
/// Where it would otherwise be a matter of minutes.
const SELECTIONS_OF_SLOW: usize = 128;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.csv");

/// Instructions a selection, and branches that go the way they seldom go, counted by callgrind.
#[derive(Parser)]
struct Arguments {
    /// Only cases whose names have one of these parts, divided by bars
    #[arg(default_value = "", conflicts_with_all = ["write", "check"])]
    filter: String,
    /// Write the counts to benches/instructions.csv; limits that stand there stay
    #[arg(long)]
    write: bool,
    /// Fail if a count is past its limit in benches/instructions.csv
    #[arg(long, conflicts_with = "write")]
    check: bool,
    /// Cargo passes this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
    /// Only run a case, for so many selections this many times; this is what callgrind looks at
    #[arg(long, num_args = 3, value_names = ["CASE", "SELECTIONS", "ONCE_OR_TWICE"], hide = true)]
    run: Option<Vec<String>>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Row {
    case: String,
    instructions: u64,
    limit: u64,
    mispredicts: f64,
    mispredicts_limit: f64,
}

impl Row {
    fn new(case: String, Count { instructions, mispredicts }: Count, limits: Option<&Self>) -> Self {
        let limit = limits.map_or(instructions + instructions / 10, |row| row.limit);
        let mispredicts_limit =
            limits.map_or(hundredths(mispredicts * 1.1 + 0.05), |row| row.mispredicts_limit);
        Self { case, instructions, limit, mispredicts, mispredicts_limit }
    }

    fn verdict(&self) -> &'static str {
        if self.instructions > self.limit {
            "too many instructions"
        } else if self.mispredicts > self.mispredicts_limit {
            "too many mispredicted"
        } else {
            ""
        }
    }

    fn line(&self) -> Vec<String> {
        let Self { case, instructions, limit, mispredicts, mispredicts_limit } = self;
        let mispredicts = [format!("{mispredicts:.2}"), format!("{mispredicts_limit:.2}")];
        let [mispredicts, mispredicts_limit] = mispredicts;
        let numbers = [instructions.to_string(), limit.to_string(), mispredicts, mispredicts_limit];
        [case.clone()].into_iter().chain(numbers).chain([self.verdict().to_owned()]).collect()
    }
}

/// A selection.
#[derive(Clone, Copy)]
struct Count {
    instructions: u64,
    mispredicts: f64,
}

fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some([case, selections, times]) = arguments.run.as_deref() {
        let selections: usize = selections.parse().expect("a number of selections");
        let times: usize = times.parse().expect("once or twice");
        run(case, Counts { prepared: 2 * selections, run: times * selections });
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
    let limits_of = |case: &String| limits.iter().find(|row| row.case == *case);
    let asked = |case: &String| arguments.filter.split('|').any(|part| case.contains(part));
    let cases: Vec<String> = cases().into_iter().filter(asked).collect();
    if let Some(case) = cases.iter().find(|case| arguments.check && limits_of(case).is_none()) {
        return Err(format!("{TABLE}: there is no case '{case}'; write the table anew"));
    }
    let counts = count_each(&cases)?;
    let rows: Vec<Row> = cases
        .into_iter()
        .zip(counts)
        .map(|(case, count)| {
            let limits = limits_of(&case);
            Row::new(case, count, limits)
        })
        .collect();
    let header = ["case", "instructions", "limit", "mispredicts", "limit", ""];
    println!("{}", table::table(&header, 1..5, rows.iter().map(Row::line)));
    let past = rows.iter().filter(|row| !row.verdict().is_empty()).count();
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
    let others = [
        "index-called",
        "index-from-four",
        "request",
        "draw",
        "draw-and-base",
        "front",
        "server",
        "naive-health",
    ];
    let asked = ["health", "min_accuracy", "max_cost", "waits", "price", "sharpness9"];
    let beside = ["good-naive", "report", "publish"];
    let rows = |zoo: &str, methods: &[&str]| -> Vec<String> {
        methods.iter().map(|method| format!("{zoo}/{method}")).collect()
    };
    let mut cases = rows("table3", &[&methods[..], &others, &asked, &beside].concat());
    for n in [64, 256, 1_024, 10_000] {
        for family in ["dense", "sparse"] {
            let zoo = format!("{family}-{n}");
            cases.extend(rows(&zoo, if n > 256 { &["naive", "index", "index-at-steps"] } else { &methods }));
            if family == "dense" && n <= 1_024 {
                cases.extend(rows(&zoo, &[&asked[..], &beside].concat()));
            }
        }
    }
    cases.extend(rows("queue", &["put-dispatch", "put-dispatch-unpriced", "put-cancel"]));
    cases
}

/// Each case, as many at once as there are cores.
fn count_each(cases: &[String]) -> Result<Vec<Count>, String> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let turns: Vec<_> = (0..cores)
            .map(|turn| {
                let mine = cases.iter().skip(turn).step_by(cores);
                scope.spawn(|| mine.map(|case| count(case)).collect::<Vec<_>>().into_iter())
            })
            .collect();
        let mut turns: Vec<_> = turns.into_iter().map(|turn| turn.join().expect("no panic")).collect();
        (0..cases.len()).filter_map(|place| turns[place % cores].next()).collect()
    })
}

/// A selection, instructions rounded to the nearest whole one and mispredicted branches to hundredths.
fn count(case: &str) -> Result<Count, String> {
    let models = case.split(['-', '/']).find_map(|part| part.parse().ok()).unwrap_or(12);
    let slow = case.ends_with("/naive") && models > 256;
    let selections = if slow { SELECTIONS_OF_SLOW } else { SELECTIONS };
    let once = counted(case, selections, 1)?;
    let twice = counted(case, selections, 2)?;
    let [instructions, mispredicts] =
        [0, 1].map(|of| twice[of].saturating_sub(once[of]) as f64 / selections as f64);
    Ok(Count { instructions: instructions.round() as u64, mispredicts: hundredths(mispredicts) })
}

/// Of a whole run: instructions, and branches that go the way that they seldom go.
fn counted(case: &str, selections: usize, times: usize) -> Result<[u64; 2], String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        // Else each byte of a long copy counts as an instruction.
        .env("GLIBC_TUNABLES", "glibc.cpu.x86_rep_movsb_threshold=0x7fffffff")
        .args(["--tool=callgrind", "--dump-instr=yes", "--collect-jumps=yes"])
        .arg("--callgrind-out-file=/dev/stdout")
        .arg(program)
        .args(["--run", case, &selections.to_string(), &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind, which counts the instructions, can't be run: {error}"))?;
    let profile = String::from_utf8_lossy(&output.stdout);
    let instructions = profile.lines().find_map(|line| line.strip_prefix("totals: ")?.parse().ok());
    let branches = profile.lines().filter_map(|line| line.strip_prefix("jcnd=")).map(seldom).sum();
    instructions.map(|instructions| [instructions, branches]).ok_or_else(|| {
        format!("valgrind counted nothing for '{case}':\n{}", String::from_utf8_lossy(&output.stderr))
    })
}

/// Of a branch, how often it goes the way that it seldom goes; callgrind writes `taken/executed target`.
fn seldom(branch: &str) -> u64 {
    let (counts, _) = branch.split_once(' ').expect("jcnd=TAKEN/EXECUTED TARGET");
    let (taken, executed) = counts.split_once('/').expect("jcnd=TAKEN/EXECUTED TARGET");
    let [taken, executed]: [u64; 2] = [taken, executed].map(|count| count.parse().expect("a count"));
    taken.min(executed.saturating_sub(taken))
}

/// How many requests are prepared, and how many of them run.
#[derive(Clone, Copy)]
struct Counts {
    prepared: usize,
    run: usize,
}

fn run(case: &str, counts: Counts) {
    let (zoo, method) = case.split_once('/').expect("ZOO/METHOD");
    let by_server = matches!(method, "report" | "publish");
    match zoo {
        "queue" => queued(method, counts),
        "table3" if matches!(method, "front" | "server") => begun(method, counts),
        "table3" if matches!(method, "index-called" | "index-from-four") => elsewhere(method, counts),
        "table3" if by_server => served::<12>(&table3(), method, counts),
        "dense-64" if by_server => served::<64>(&Family::Dense.models(64), method, counts),
        "dense-256" if by_server => served::<256>(&Family::Dense.models(256), method, counts),
        "dense-1024" if by_server => served::<1_024>(&Family::Dense.models(1_024), method, counts),
        "table3" => on::<12>(&table3(), method, counts),
        "dense-64" => on::<64>(&Family::Dense.models(64), method, counts),
        "sparse-64" => on::<64>(&Family::Sparse.models(64), method, counts),
        "dense-256" => on::<256>(&Family::Dense.models(256), method, counts),
        "sparse-256" => on::<256>(&Family::Sparse.models(256), method, counts),
        "dense-1024" => on::<1_024>(&Family::Dense.models(1_024), method, counts),
        "sparse-1024" => on::<1_024>(&Family::Sparse.models(1_024), method, counts),
        "dense-10000" => on::<10_000>(&Family::Dense.models(10_000), method, counts),
        "sparse-10000" => on::<10_000>(&Family::Sparse.models(10_000), method, counts),
        _ => panic!("there is no zoo '{zoo}'"),
    }
}

/// Of these budgets, over and over.
fn repeated(budgets: &[Budget], counts: Counts) -> Vec<Budget> {
    budgets.iter().cycle().copied().take(counts.prepared).collect()
}

fn on<const N: usize>(models: &[Measured], method: &str, counts: Counts) {
    let budgets = match method {
        "index-at-steps" => budgets_at_steps(&index::<N>(models, Policy::PAPER), SELECTIONS),
        _ => budgets(SELECTIONS),
    };
    let asks = Asks::<N>::new(models, &repeated(&budgets, counts));
    let list = &asks.list[..counts.run];
    let index = || index::<N>(models, Policy::PAPER);
    match method {
        "naive" => naively::<Plain, N>(models, &asks, list),
        "naive-health" => naively::<Health, N>(models, &asks, list),
        "naive-choose" => chosen::<N>(models, &asks, list),
        "good-naive" => sorted(Sorted::new(models), list),
        "scan" => scanned(&catalog::<N>(models), list),
        "index" | "index-at-steps" => asked::<Plain, N>(&index(), &asks, list),
        "request" => asked::<Empty, N>(&index(), &asks, list),
        "health" => asked::<Health, N>(&index(), &asks, list),
        "min_accuracy" => asked::<MinAccuracy, N>(&index(), &asks, list),
        "max_cost" => asked::<MaxCost, N>(&index(), &asks, list),
        "waits" => asked::<Waits, N>(&index(), &asks, list),
        "price" => asked::<Priced, N>(&index(), &asks, list),
        // The same code as for k = 1.
        "sharpness9" => asked::<Plain, N>(&support::index(models, Sharpness9::POLICY), &asks, list),
        "draw" => drawn(list),
        "draw-and-base" => based(&index(), list),
        _ => panic!("there is no method '{method}'"),
    }
}

/// Where a program selects otherwise than in one place. Of capacities of their own, since all of one are compiled together.
fn elsewhere(method: &str, counts: Counts) {
    let budgets = repeated(&budgets(SELECTIONS), counts);
    let list = &budgets[..counts.run];
    match method {
        "index-called" => called(&index::<13>(&table3(), Policy::PAPER), list),
        _ => from_four(&index::<14>(&table3(), Policy::PAPER), list),
    }
}

/// By a server that has nothing to probe, and by its front: a ticket is made as well.
fn begun(method: &str, counts: Counts) {
    let mut server = server::<16>(&table3());
    let budgets = repeated(&budgets(SELECTIONS), counts);
    match method {
        "front" => begun_by_front(server.front(), &budgets[..counts.run]),
        _ => begun_by_server(&mut server, &budgets[..counts.run]),
    }
}

/// What a server does besides.
fn served<const N: usize>(models: &[Measured], method: &str, counts: Counts) {
    let mut server = server::<N>(models);
    match method {
        "report" => {
            speed_up(&mut server);
            let reports = reports(&server, &repeated(&budgets(SELECTIONS), counts));
            learnt(&mut server, &reports[..counts.run]);
        }
        _ => published(server.front(), counts.run),
    }
}

/// 1,000 wait for Table III.
fn queued(method: &str, counts: Counts) {
    let index = index::<12>(&table3(), Policy::PAPER);
    let budgets = repeated(&budgets(SELECTIONS), counts);
    let waiting = |priced| Waiting::new(&budgets, Settings::DEFAULT.with_priced(priced));
    let list = &budgets[..counts.run];
    match method {
        "put-dispatch" => dispatched(waiting(true), &index, list),
        "put-dispatch-unpriced" => dispatched(waiting(false), &index, list),
        "put-cancel" => cancelled(waiting(true), list),
        _ => panic!("there is no method '{method}'"),
    }
}

// Functions of their own, so that what is counted does not depend on what else there is to run.

#[inline(never)]
fn asked<K: Kind, const N: usize>(index: &Index<N>, asks: &Asks<N>, list: &[Ask]) {
    let mut small = SmallRng::seed_from_u64(1);
    for ask in list {
        let _ = black_box(K::select(index, asks, ask, Draw::from_rng(&mut small)));
    }
}

/// By a function of its own, as in a program in which it is not inlined.
#[inline(never)]
fn called<const N: usize>(index: &Index<N>, budgets: &[Budget]) {
    let mut small = SmallRng::seed_from_u64(1);
    for &budget in budgets {
        black_box(select(index, budget, Draw::from_rng(&mut small)));
    }
}

#[inline(never)]
fn select<const N: usize>(index: &Index<N>, budget: Budget, draw: Draw) -> Decision {
    index.select(budget, draw)
}

/// From several places, as in a program in which the compiler may not want to inline each.
#[inline(never)]
fn from_four<const N: usize>(index: &Index<N>, budgets: &[Budget]) {
    let small = &mut SmallRng::seed_from_u64(1);
    for &[one, two, three, four] in budgets.as_chunks().0 {
        black_box(index.select(one, Draw::from_rng(small)));
        black_box(index.select(two, Draw::from_rng(small)));
        black_box(index.select(three, Draw::from_rng(small)));
        black_box(index.select(four, Draw::from_rng(small)));
    }
}

#[inline(never)]
fn naively<K: Kind, const N: usize>(models: &[Measured], asks: &Asks<N>, list: &[Ask]) {
    let std = &mut StdRng::seed_from_u64(1);
    for ask in list {
        black_box(naive::weighted_index::<K, N>(models, asks, ask, std));
    }
}

#[inline(never)]
fn chosen<const N: usize>(models: &[Measured], asks: &Asks<N>, list: &[Ask]) {
    let std = &mut StdRng::seed_from_u64(1);
    for ask in list {
        black_box(naive::choose_weighted::<Plain, N>(models, asks, ask, std));
    }
}

#[inline(never)]
fn sorted(mut models: Sorted, list: &[Ask]) {
    let small = &mut SmallRng::seed_from_u64(1);
    for ask in list {
        black_box(models.select(ask.budget, small));
    }
}

#[inline(never)]
fn scanned<const N: usize>(catalog: &Catalog<N>, list: &[Ask]) {
    let small = &mut SmallRng::seed_from_u64(1);
    for ask in list {
        black_box(catalog.select(&Policy::PAPER, ask.budget, Draw::from_rng(small)));
    }
}

#[inline(never)]
fn drawn(list: &[Ask]) {
    let small = &mut SmallRng::seed_from_u64(1);
    for ask in list {
        black_box((ask.budget, Draw::from_rng(small)));
    }
}

#[inline(never)]
fn based<const N: usize>(index: &Index<N>, list: &[Ask]) {
    let small = &mut SmallRng::seed_from_u64(1);
    for ask in list {
        black_box((index.base(ask.budget), Draw::from_rng(small)));
    }
}

#[inline(never)]
fn begun_by_front<const N: usize>(front: &Front<N>, budgets: &[Budget]) {
    let small = &mut SmallRng::seed_from_u64(1);
    budgets.iter().for_each(|&budget| {
        drop(black_box(front.begin(budget, Draw::from_rng(small), Timestamp::default())));
    });
}

#[inline(never)]
fn begun_by_server<const N: usize>(server: &mut Server<N>, budgets: &[Budget]) {
    let small = &mut SmallRng::seed_from_u64(1);
    budgets.iter().for_each(|&budget| {
        drop(black_box(server.begin(budget, Draw::from_rng(small), Timestamp::default())));
    });
}

#[inline(never)]
fn learnt<const N: usize>(server: &mut Server<N>, reports: &[(Report, Timestamp)]) {
    for &(report, now) in reports {
        black_box(server.learn(report, now));
    }
}

#[inline(never)]
fn dispatched<const N: usize>(mut waiting: Waiting<1>, index: &Index<N>, budgets: &[Budget]) {
    for &budget in budgets {
        let _ = black_box((waiting.put(budget), waiting.dispatch(index)));
    }
}

#[inline(never)]
fn cancelled(mut waiting: Waiting<1>, budgets: &[Budget]) {
    for &budget in budgets {
        let _ = black_box(waiting.put(budget).map(|place| waiting.queue.cancel(place)));
    }
}

/// As it is for an `ArcSwap`, which gives the last one back to be written over.
#[inline(never)]
fn published<const N: usize>(front: &Front<N>, count: usize) {
    let mut spare = Arc::new(front.clone());
    let mut shared = spare.clone();
    for _ in 0..count {
        Arc::make_mut(&mut spare).clone_from(black_box(front));
        std::mem::swap(&mut spare, black_box(&mut shared));
    }
}
