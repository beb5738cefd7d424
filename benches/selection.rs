//! What a selection costs: `cargo bench --bench selection`.
//!
//! Each zoo is a group in which the naive version, the plain scan, the index and the floors run one after the other;
//! the ratios to the naive version in this same run are printed at the end. Budgets vary with each selection.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use mdinference::select::base::base;
use mdinference::select::explore::{Window, exploration_set};
use mdinference::select::sample::{sample, weights};
use mdinference::select::utility::Terms;
use mdinference::{
    Accuracy, Budget, Catalog, Draw, Index, Latency, Micros, Model, ModelId, Policy, Profile, Request,
};
use rand::rngs::{SmallRng, StdRng};
use rand::{Rng, SeedableRng};

mod support;

use support::{BUDGETS, Family, Measured, budgets, budgets_at_steps, catalog, index, naive, table, table3};

const NAIVE: &str = "naive, WeightedIndex";

fn main() {
    let start = SystemTime::now();
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(900))
        .sample_size(30)
        .configure_from_args();
    zoo::<12>(&mut criterion, "table3", &table3());
    zoo::<64>(&mut criterion, "dense-64", &Family::Dense.models(64));
    zoo::<64>(&mut criterion, "sparse-64", &Family::Sparse.models(64));
    zoo::<256>(&mut criterion, "dense-256", &Family::Dense.models(256));
    zoo::<256>(&mut criterion, "sparse-256", &Family::Sparse.models(256));
    zoo::<1_024>(&mut criterion, "dense-1024", &Family::Dense.models(1_024));
    zoo::<1_024>(&mut criterion, "sparse-1024", &Family::Sparse.models(1_024));
    zoo::<10_000>(&mut criterion, "dense-10000", &Family::Dense.models(10_000));
    zoo::<10_000>(&mut criterion, "sparse-10000", &Family::Sparse.models(10_000));
    stages(&mut criterion);
    upkeep::<12>(&mut criterion, "upkeep/table3", &table3());
    upkeep::<1_024>(&mut criterion, "upkeep/dense-1024", &Family::Dense.models(1_024));
    upkeep::<1_024>(&mut criterion, "upkeep/sparse-1024", &Family::Sparse.models(1_024));
    criterion.final_summary();
    print_ratios(start);
}

/// Times `select` over `budgets`, a budget a call.
fn over<T>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    budgets: &[Budget],
    mut select: impl FnMut(Budget) -> T,
) {
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|calls| {
            let start = Instant::now();
            for &budget in budgets.iter().cycle().take(calls as usize) {
                // By reference: a copy would wait for the decision's parts to be stored.
                black_box(&select(budget));
            }
            start.elapsed()
        });
    });
}

fn zoo<const N: usize>(criterion: &mut Criterion, name: &str, models: &[Measured]) {
    let mut group = criterion.benchmark_group(name);
    let catalog = catalog::<N>(models);
    let index = index::<N>(models);
    let drawn = budgets();
    let mut std = StdRng::seed_from_u64(1);
    let mut small = SmallRng::seed_from_u64(1);
    over(&mut group, NAIVE, &drawn, |budget| naive::weighted_index(models, budget, &mut std));
    over(&mut group, "naive, choose_weighted", &drawn, |budget| {
        naive::choose_weighted(models, budget, &mut std)
    });
    over(&mut group, "plain scan", &drawn, |budget| {
        catalog.select(&Policy::PAPER, budget, Draw::from_rng(&mut small))
    });
    over(&mut group, "index", &drawn, |budget| index.select(budget, Draw::from_rng(&mut small)));
    over(&mut group, "floor: draw", &drawn, |_| small.next_u64());
    over(&mut group, "floor: draw and base", &drawn, |budget| (small.next_u64(), index.base(budget)));
    let steps = budgets_at_steps(&index);
    let terms = terms_by_mean(&catalog);
    over(&mut group, "at steps: index", &steps, |budget| index.select(budget, Draw::from_rng(&mut small)));
    over(&mut group, "at steps: plain window scan", &steps, |budget| {
        scan_window(&index, &terms, budget, Draw::from_rng(&mut small))
    });
    group.finish();
}

/// The terms of all models by μ, for the plain scan of a window.
fn terms_by_mean<const N: usize>(catalog: &Catalog<N>) -> Vec<(Micros, Terms)> {
    let terms = |model: Model| (model.profile.latency.mean, Terms::new(&model.profile, Policy::PAPER.margin));
    catalog.models().map(terms).collect()
}

/// Stage 1 from the index, and stages 2 and 3 by going through the window: what the index would do if it did not draw
/// by rejection.
fn scan_window<const N: usize>(
    index: &Index<N>,
    terms: &[(Micros, Terms)],
    budget: Budget,
    draw: Draw,
) -> Option<usize> {
    let base = index.base(budget)?;
    let window = Window::around(index.catalog().get(base)?.latency);
    let first = terms.partition_point(|(mean, _)| *mean < window.low);
    let end = terms.partition_point(|(mean, _)| *mean <= window.high);
    let weights = terms[first..end].iter().map(|(_, terms)| terms.weight(budget));
    sample(weights.enumerate(), draw).map(|place| first + place)
}

/// Each stage alone, on Table III.
fn stages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stages/table3");
    let catalog = catalog::<12>(&table3());
    let index = index::<12>(&table3());
    let (policy, budgets) = (Policy::PAPER, budgets());
    let mut small = SmallRng::seed_from_u64(1);
    over(&mut group, "1: base", &budgets, |budget| base(catalog.models(), policy.margin, budget));
    let latency = |budget| -> Latency {
        let base = index.base(budget).and_then(|id| catalog.get(id));
        base.map(|profile| profile.latency).unwrap_or_default()
    };
    over(&mut group, "2: exploration set", &budgets, |budget| {
        exploration_set(catalog.models(), latency(budget)).count()
    });
    over(&mut group, "3: utilities and draw", &budgets, |budget| {
        sample(weights(catalog.models(), &policy, budget), Draw::from_rng(&mut small))
    });
    let min_accuracy = Accuracy::from_percent(60.0).expect("an accuracy");
    let request = Request::new(Budget::default()).with_min_accuracy(min_accuracy);
    over(&mut group, "1 to 3 under constraints", &budgets, |budget| {
        catalog.select(&policy, request.with_budget(budget), Draw::from_rng(&mut small))
    });
    over(&mut group, "explain", &budgets, |budget| {
        catalog.explain(&policy, budget).candidates().map(|candidate| candidate.probability).sum::<f64>()
    });
    group.finish();
}

/// Building an index, and updating one profile in it.
fn upkeep<const N: usize>(criterion: &mut Criterion, name: &str, models: &[Measured]) {
    let mut group = criterion.benchmark_group(name);
    let catalog: Box<Catalog<N>> = catalog(models);
    group.bench_function("build", |bencher| {
        bencher.iter(|| Index::new((*catalog).clone(), Policy::PAPER));
    });
    // Means that wander by up to 5 %, as estimates do.
    let mut index = index::<N>(models);
    let updates: Vec<(ModelId, Profile)> = (0..BUDGETS)
        .map(|at| {
            let id = catalog.id(at * 7 % models.len()).expect("an id");
            let profile = *catalog.get(id).expect("a profile");
            let percent = 95 + at as u32 * 3 % 11;
            let mean = Micros::new(profile.latency.mean.get() / 100 * percent);
            (id, Profile::new(profile.accuracy, Latency { mean, ..profile.latency }))
        })
        .collect();
    let mut updates = updates.iter().cycle();
    group.bench_function("update one profile", |bencher| {
        bencher.iter(|| {
            let &(id, profile) = updates.next().expect("a cycle");
            index.update(id, profile)
        });
    });
    group.finish();
}

/// The medians of this run, and their ratios to the naive version of the same zoo.
fn print_ratios(start: SystemTime) {
    let mut lines = Vec::new();
    let zoos = [
        "table3",
        "dense-64",
        "sparse-64",
        "dense-256",
        "sparse-256",
        "dense-1024",
        "sparse-1024",
        "dense-10000",
        "sparse-10000",
    ];
    let methods =
        [NAIVE, "naive, choose_weighted", "plain scan", "index", "floor: draw", "floor: draw and base"];
    for zoo in zoos {
        let Some(naive) = median(zoo, NAIVE, start) else { continue };
        for method in methods {
            if let Some(median) = median(zoo, method, start) {
                let ratio = format!("{:.1}", naive / median);
                lines.push(vec![zoo.to_owned(), method.to_owned(), format!("{median:.1}"), ratio]);
            }
        }
        let at_steps = |method| median(zoo, &format!("at steps: {method}"), start);
        if let (Some(index), Some(scan)) = (at_steps("index"), at_steps("plain window scan")) {
            let ratio = format!("{:.2} of the scan", index / scan);
            lines.push(vec![zoo.to_owned(), "at steps: index".to_owned(), format!("{index:.1}"), ratio]);
        }
    }
    if !lines.is_empty() {
        let header = ["zoo", "method", "median (ns)", "naive ÷ this"];
        println!("\nRatios within this run:\n{}", table::table(&header, 2..4, lines));
    }
}

/// The median of a benchmark in nanoseconds, if criterion has written it since `start`.
fn median(group: &str, name: &str, start: SystemTime) -> Option<f64> {
    let home = std::env::var_os("CRITERION_HOME").map(PathBuf::from).unwrap_or_else(|| {
        let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        PathBuf::from(target).join("criterion")
    });
    let file_name = |text: &str| text.replace([':', '/'], "_");
    let path = home.join(file_name(group)).join(file_name(name)).join("new/estimates.json");
    if std::fs::metadata(&path).ok()?.modified().ok()? < start {
        return None;
    }
    let estimates: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    estimates["median"]["point_estimate"].as_f64()
}
