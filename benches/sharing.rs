//! What it costs that many threads choose and one learns: `cargo bench --bench sharing`.
//!
//! A writer on another thread takes in 30,000 runs a second, distributed as Table III measured them, and
//! publishes a front after each, though as a rule none has changed. A reader selects for the models of Table
//! III, with budgets from N(150, 50) ms; one that has the server to itself is the yardstick. Wall times depend
//! on the machine; the difference, taken in alternating rounds of one run, is what counts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

#[path = "../examples/programs/support/zoo.rs"]
#[allow(dead_code, unreachable_pub)]
mod zoo;

use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Cache};
use criterion::Criterion;
use mdinference::{
    Budget, Catalog, Draw, Front, Index, Latency, Learning, Micros, Policy, Server, Timestamp,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Normal};

const MODELS: usize = 12;
const UPDATES_A_SECOND: u32 = 30_000;
/// Rounds of each kind, and selections a round; a round spans some forty updates.
const ROUNDS: usize = 301;
const SELECTIONS: usize = 100_000;

fn server() -> Server<MODELS> {
    let catalog = Catalog::new(zoo::Zoo::shipped("table3").unwrap().profiles).unwrap();
    Server::new(catalog, Policy::PAPER, Learning::DEFAULT)
}

fn requests() -> Vec<(Budget, Draw)> {
    let mut rng = StdRng::seed_from_u64(1);
    let budgets = Normal::new(150_000.0, 50_000.0).unwrap();
    let sample = |rng: &mut StdRng| {
        let budget: f64 = budgets.sample(rng);
        Budget::of(Micros::new(budget.max(0.0) as u32))
    };
    (0..4_096).map(|_| (sample(&mut rng), Draw::from_uniform_bits(rng.random()))).collect()
}

/// Takes in runs at the stated rate and publishes after each, until told to stop.
fn write(
    mut server: Server<MODELS>,
    shared: &ArcSwap<Front<MODELS>>,
    stop: &AtomicBool,
    updates: &AtomicU64,
) {
    let requests = requests();
    let mut spare = Arc::new(server.front().clone());
    let mut rng = StdRng::seed_from_u64(2);
    let start = Instant::now();
    for (count, (budget, draw)) in (1u32..).zip(requests.iter().cycle()) {
        let due = Duration::from_secs(1) / UPDATES_A_SECOND * count;
        while start.elapsed() < due {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            spin_loop();
        }
        let now = Timestamp::from_micros(start.elapsed().as_micros() as u64);
        let (decision, ticket) = server.begin(*budget, *draw, now);
        // As it was measured, so that the profiles stay those of the yardstick.
        let Latency { mean, deviation } = server.learnt(decision.model).unwrap().latency.prior().unwrap();
        let run = Normal::new(f64::from(mean.get()), f64::from(deviation.get())).unwrap();
        let took = Micros::new(run.sample(&mut rng) as u32);
        black_box(server.learn(ticket.completed(now.after(took)), now));
        Arc::make_mut(&mut spare).clone_from(server.front());
        spare = shared.swap(spare);
        updates.fetch_add(1, Ordering::Relaxed);
    }
}

/// Not inlined, so that all kinds run the same code.
#[inline(never)]
fn begin(front: &Front<MODELS>, budget: Budget, draw: Draw) {
    drop(black_box(front.begin(budget, draw, Timestamp::default())));
}

#[inline(never)]
fn select(index: &Index<MODELS>, budget: Budget, draw: Draw) {
    black_box(index.select(budget, draw));
}

/// Nanoseconds for one of `SELECTIONS`, if the writer kept to its rate meanwhile, as it can't on a busy
/// machine.
fn round(
    mut select: impl FnMut(Budget, Draw),
    requests: &[(Budget, Draw)],
    updates: &AtomicU64,
) -> Option<f64> {
    let (start, before) = (Instant::now(), updates.load(Ordering::Relaxed));
    for (budget, draw) in requests.iter().cycle().take(SELECTIONS) {
        select(*budget, *draw);
    }
    let elapsed = start.elapsed().as_secs_f64();
    let rate = (updates.load(Ordering::Relaxed) - before) as f64 / elapsed;
    let kept = (0.9..1.1).contains(&(rate / f64::from(UPDATES_A_SECOND)));
    kept.then_some(elapsed * 1e9 / SELECTIONS as f64)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let own = server();
    let index = Index::new(own.catalog().clone(), *own.policy());
    let shared = ArcSwap::from_pointee(server().front().clone());
    let (stop, updates) = (AtomicBool::new(false), AtomicU64::new(0));
    let requests = requests();
    thread::scope(|scope| {
        scope.spawn(|| write(server(), &shared, &stop, &updates));
        let mut cache = Cache::new(&shared);
        let mut kinds: [Vec<f64>; 4] = Default::default();
        let mut tried = 0;
        while kinds[0].len() < ROUNDS && tried < 20 * ROUNDS {
            tried += 1;
            let rounds = [
                round(|budget, draw| select(&index, budget, draw), &requests, &updates),
                round(|budget, draw| begin(own.front(), budget, draw), &requests, &updates),
                round(|budget, draw| begin(cache.load(), budget, draw), &requests, &updates),
                round(|budget, draw| begin(&shared.load(), budget, draw), &requests, &updates),
            ];
            if let [Some(plain), Some(private), Some(snapshot), Some(load)] = rounds {
                kinds
                    .iter_mut()
                    .zip([plain, private, snapshot, load])
                    .for_each(|(kind, nanos)| kind.push(nanos));
            }
        }
        if kinds[0].is_empty() {
            stop.store(true, Ordering::Relaxed);
            panic!("too busy a machine: the writer never kept to its rate");
        }
        println!(
            "{UPDATES_A_SECOND} updates/s, a front of {} bytes each; ns a selection, medians of {} rounds of {tried}:",
            size_of::<Front<MODELS>>(),
            kinds[0].len(),
        );
        let [plain, private, snapshot, load] = kinds;
        let row = |what: &str, kind: &[f64], base: &[f64], over: &str| {
            let more = median(kind.iter().zip(base).map(|(kind, base)| kind - base).collect());
            println!("  {what:30} {:6.1} {more:+6.1} over {over}", median(kind.to_vec()));
        };
        row("Index::select alone", &plain, &plain, "itself");
        row("Front::begin, private", &private, &plain, "the index");
        row("Front::begin, cached", &snapshot, &private, "private");
        row("Front::begin, ArcSwap::load", &load, &private, "private");

        // Means, which other work on the machine stretches.
        let mut criterion = Criterion::default().configure_from_args();
        let mut group = criterion.benchmark_group("sharing");
        let mut next = requests.iter().cycle();
        group.bench_function("private", |bencher| {
            bencher.iter(|| next.next().map(|(budget, draw)| begin(own.front(), *budget, *draw)));
        });
        group.bench_function("shared", |bencher| {
            bencher.iter(|| next.next().map(|(budget, draw)| begin(cache.load(), *budget, *draw)));
        });
        group.finish();
        stop.store(true, Ordering::Relaxed);
    });

    let mut criterion = Criterion::default().configure_from_args();
    let (mut server, mut next) = (server(), requests.iter().cycle());
    criterion.bench_function("begin and learn", |bencher| {
        bencher.iter(|| {
            let Some(&(budget, draw)) = next.next() else { return };
            let (decision, ticket) = server.begin(budget, draw, Timestamp::default());
            let mean = server.catalog().get(decision.model).unwrap().latency.mean.get();
            let took = Micros::new(mean + (draw.bits() % 64) as u32 - 32);
            black_box(server.learn(ticket.completed(Timestamp::default().after(took)), Timestamp::default()));
        });
    });
    criterion.final_summary();
}
