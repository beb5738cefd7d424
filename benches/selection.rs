//! What a selection costs: `cargo bench --bench selection`.
//!
//! The naive versions, the plain scan, the index and the floors take turns, each over 2²⁰ requests, so that their branches
//! are learnt by nobody; ratios are to the naive version that keeps to the same, in this run.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::hint::black_box;
use std::sync::Arc;

use clap::Parser;
use mdinference::load::Settings;
use mdinference::select::base::base;
use mdinference::select::explore::{Window, exploration_set};
use mdinference::select::sample::{sample, weights};
use mdinference::select::utility::Terms;
use mdinference::{
    Budget, Catalog, Decision, Draw, Front, Index, Latency, Micros, Model, ModelId, Policy, Profile, Server,
};
use rand::rngs::{SmallRng, StdRng};
use rand::{Rng, SeedableRng};

#[path = "support/race.rs"]
mod race;
mod support;

use race::{Race, Time};
use support::asks::{Asks, Empty, Health, Kind, MaxCost, MinAccuracy, Plain, Priced, Sharpness9, Waits};
use support::good_naive::Sorted;
use support::served::{reports, reports_of_nothing, server, speed_up};
use support::waiting::{Waiting, alike};
use support::{Family, Measured, budgets, budgets_at_steps, catalog, index, naive, steps, table, table3};

const NAIVE: &str = "naive";
const GOOD: &str = "naive, sorted";
/// Budgets, and what else is asked.
const COUNT: usize = 1 << 20;
/// Reports and updates.
const CHANGES: usize = 1 << 16;

/// Times of a selection, and their ratios to what one would write without this crate.
#[derive(Parser)]
struct Arguments {
    /// Only what has this in its name, such as 'table3', or one of these, such as '/health|upkeep'
    #[arg(default_value = "")]
    filter: String,
    /// Cargo passes this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let Arguments { filter, bench: _ } = Arguments::parse();
    let budgets = budgets(COUNT);
    let (dense, sparse) = (|n| Family::Dense.models(n), |n| Family::Sparse.models(n));
    let mut lines = Vec::new();
    zoo::<12>("table3", &table3(), &budgets, &filter, &mut lines);
    asked::<12>("table3", &table3(), &budgets, &filter, &mut lines);
    zoo::<64>("dense-64", &dense(64), &budgets, &filter, &mut lines);
    asked::<64>("dense-64", &dense(64), &budgets, &filter, &mut lines);
    zoo::<64>("sparse-64", &sparse(64), &budgets, &filter, &mut lines);
    zoo::<256>("dense-256", &dense(256), &budgets, &filter, &mut lines);
    asked::<256>("dense-256", &dense(256), &budgets, &filter, &mut lines);
    zoo::<256>("sparse-256", &sparse(256), &budgets, &filter, &mut lines);
    zoo::<1_024>("dense-1024", &dense(1_024), &budgets, &filter, &mut lines);
    asked::<1_024>("dense-1024", &dense(1_024), &budgets, &filter, &mut lines);
    zoo::<1_024>("sparse-1024", &sparse(1_024), &budgets, &filter, &mut lines);
    zoo::<10_000>("dense-10000", &dense(10_000), &budgets, &filter, &mut lines);
    zoo::<10_000>("sparse-10000", &sparse(10_000), &budgets, &filter, &mut lines);
    stages(&budgets, &filter, &mut lines);
    upkeep::<12>("upkeep/table3", &table3(), &budgets, &filter, &mut lines);
    upkeep::<64>("upkeep/dense-64", &dense(64), &budgets, &filter, &mut lines);
    upkeep::<256>("upkeep/dense-256", &dense(256), &budgets, &filter, &mut lines);
    upkeep::<1_024>("upkeep/dense-1024", &dense(1_024), &budgets, &filter, &mut lines);
    upkeep::<1_024>("upkeep/sparse-1024", &sparse(1_024), &budgets, &filter, &mut lines);
    waiting(&budgets, &filter, &mut lines);
    let header = ["", "", "median (ns)", "naive ÷ this", "sorted ÷ this"];
    println!("{}", table::table(&header, 2..5, lines));
}

/// The lines of the table that a race makes, with ratios to the naive versions if they ran.
fn lines(times: &[Time]) -> impl Iterator<Item = Vec<String>> + '_ {
    let ratio = |time: &Time, name| {
        let other = times.iter().find(|other| other.name == name);
        other.map_or(String::new(), |other| format!("{:.2}", time.times_as_fast_as(other)))
    };
    times.iter().map(move |time| {
        let nanos = format!("{:.1}", time.nanos());
        vec![time.race.clone(), time.name.clone(), nanos, ratio(time, NAIVE), ratio(time, GOOD)]
    })
}

/// A budget alone.
fn zoo<const N: usize>(
    name: &str,
    models: &[Measured],
    budgets: &[Budget],
    filter: &str,
    table: &mut Vec<Vec<String>>,
) {
    let catalog = catalog::<N>(models);
    let index = index::<N>(models, Policy::PAPER);
    let asks = Asks::<N>::new(models, budgets);
    let at_steps = budgets_at_steps(&index, COUNT);
    let terms = terms_by_mean(&catalog);
    let mut good = Sorted::new(models);
    let mut std = [1, 2].map(StdRng::seed_from_u64);
    let [std, other_std] = &mut std;
    let mut small = [1, 2, 3, 4, 5, 6, 7, 8].map(SmallRng::seed_from_u64);
    let [for_good, for_scan, for_index, for_called, for_draw, for_base, for_steps, for_window] = &mut small;
    let mut race = Race::new(name, filter);
    race.over(NAIVE, &asks.list, |ask| naive::weighted_index::<Plain, N>(models, &asks, ask, std));
    race.over("naive, choose_weighted", &asks.list, |ask| {
        naive::choose_weighted::<Plain, N>(models, &asks, ask, other_std)
    });
    race.over(GOOD, budgets, |&budget| good.select(budget, for_good));
    race.over("plain scan", budgets, |&budget| {
        catalog.select(&Policy::PAPER, budget, Draw::from_rng(for_scan))
    });
    race.over("index", budgets, |&budget| index.select(budget, Draw::from_rng(for_index)));
    race.over("index, called", budgets, |&budget| select(&index, budget, Draw::from_rng(for_called)));
    race.over("floor: draw", budgets, |_| for_draw.next_u64());
    race.over("floor: draw and base", budgets, |&budget| (for_base.next_u64(), index.base(budget)));
    table.extend(lines(&race.run()));
    let mut race = Race::new(name, filter);
    // What would be done here if it were not drawn by rejection.
    race.over("at steps: plain window scan", &at_steps, |&budget| {
        scan_window(&index, &terms, budget, Draw::from_rng(for_window))
    });
    race.over("at steps: index", &at_steps, |&budget| index.select(budget, Draw::from_rng(for_steps)));
    table.extend(lines(&race.run()));
}

/// Not inlined, as it may be where a program selects in several places.
#[inline(never)]
fn select<const N: usize>(index: &Index<N>, budget: Budget, draw: Draw) -> Decision {
    index.select(budget, draw)
}

/// A request: each kind of request by the index, against the naive version that keeps to it.
fn asked<const N: usize>(
    name: &str,
    models: &[Measured],
    budgets: &[Budget],
    filter: &str,
    table: &mut Vec<Vec<String>>,
) {
    let asks = Asks::<N>::new(models, budgets);
    kind::<Empty, N>(&format!("{name}/request"), models, &asks, filter, table);
    kind::<Health, N>(&format!("{name}/health"), models, &asks, filter, table);
    kind::<MinAccuracy, N>(&format!("{name}/min_accuracy"), models, &asks, filter, table);
    kind::<MaxCost, N>(&format!("{name}/max_cost"), models, &asks, filter, table);
    kind::<Waits, N>(&format!("{name}/waits"), models, &asks, filter, table);
    kind::<Priced, N>(&format!("{name}/price"), models, &asks, filter, table);
    kind::<Sharpness9, N>(&format!("{name}/sharpness9"), models, &asks, filter, table);
}

fn kind<K: Kind, const N: usize>(
    name: &str,
    models: &[Measured],
    asks: &Asks<N>,
    filter: &str,
    table: &mut Vec<Vec<String>>,
) {
    let index = index::<N>(models, K::POLICY);
    let mut std = StdRng::seed_from_u64(1);
    let mut small = SmallRng::seed_from_u64(1);
    let mut race = Race::new(name, filter);
    race.over(NAIVE, &asks.list, |ask| naive::weighted_index::<K, N>(models, asks, ask, &mut std));
    race.over("index", &asks.list, |ask| K::select(&index, asks, ask, Draw::from_rng(&mut small)));
    table.extend(lines(&race.run()));
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
fn stages(budgets: &[Budget], filter: &str, table: &mut Vec<Vec<String>>) {
    let catalog = catalog::<12>(&table3());
    let index = index::<12>(&table3(), Policy::PAPER);
    let policy = Policy::PAPER;
    let mut small = SmallRng::seed_from_u64(1);
    let latency = |budget| -> Latency {
        let base = index.base(budget).and_then(|id| catalog.get(id));
        base.map(|profile| profile.latency).unwrap_or_default()
    };
    let mut race = Race::new("stages/table3", filter);
    race.over("1: base", budgets, |&budget| base(catalog.models(), policy.margin, budget));
    race.over("2: exploration set", budgets, |&budget| {
        exploration_set(catalog.models(), latency(budget)).count()
    });
    race.over("3: utilities and draw", budgets, |&budget| {
        sample(weights(catalog.models(), &policy, budget), Draw::from_rng(&mut small))
    });
    table.extend(lines(&race.run()));
}

/// What is done beside selections: building an index and updating one profile, taking in reports, publishing,
/// explaining.
fn upkeep<const N: usize>(
    name: &str,
    models: &[Measured],
    budgets: &[Budget],
    filter: &str,
    table: &mut Vec<Vec<String>>,
) {
    let catalog: Box<Catalog<N>> = catalog(models);
    let mut changed = index::<N>(models, Policy::PAPER);
    let index = changed.clone();
    // Means that wander by up to 5 %, as estimates do.
    let updates: Vec<(ModelId, Profile)> = (0..CHANGES)
        .map(|at| {
            let id = catalog.id(at * 7 % models.len()).expect("an id");
            let profile = *catalog.get(id).expect("a profile");
            let percent = 95 + at as u32 * 3 % 11;
            let mean = Micros::new(profile.latency.mean.get() / 100 * percent);
            (id, Profile { latency: Latency { mean, ..profile.latency }, ..profile })
        })
        .collect();
    let mut learning: Box<Server<N>> = server(models);
    speed_up(&mut learning);
    let mut idle = learning.clone();
    let moving = reports(&learning, &budgets[..CHANGES]);
    let nothing = reports_of_nothing(&learning, &budgets[..CHANGES]);
    let published = learning.clone();
    let bytes = vec![1u8; bytes_filled(&index)];
    let mut copies: [Arc<[u8]>; 2] = [bytes.clone().into(), bytes.clone().into()];
    let mut fronts = [Arc::new(published.front().clone()), Arc::new(published.front().clone())];
    let asked: Vec<(Budget, ModelId)> =
        budgets.iter().zip(updates.iter().cycle()).map(|(&budget, &(id, _))| (budget, id)).collect();
    let mut race = Race::new(name, filter);
    race.over("build", budgets, |_| Index::new((*catalog).clone(), Policy::PAPER));
    race.over("update one profile", &updates, |&(id, profile)| changed.update(id, profile));
    race.over("report: moves a profile", &moving, |&(report, now)| learning.learn(report, now));
    race.over("report: tells nothing", &nothing, |&(report, now)| idle.learn(report, now));
    race.over("publish", budgets, |_| {
        let [spare, shared] = &mut fronts;
        Arc::make_mut(spare).clone_from(published.front());
        std::mem::swap(spare, shared);
    });
    race.over("bare copy of what is filled", budgets, |_| {
        let [spare, shared] = &mut copies;
        Arc::make_mut(spare).copy_from_slice(black_box(&bytes));
        std::mem::swap(spare, shared);
    });
    race.over("publish anew", budgets, |_| Arc::new(published.front().clone()));
    race.over("probability", &asked, |&(budget, id)| index.probability(budget, id));
    race.over("explain", budgets, |&budget| {
        index.explain(budget).candidates().map(|candidate| candidate.probability).sum::<f64>()
    });
    table.extend(lines(&race.run()));
}

/// How many bytes of a front are filled: for each model, and for each of them that is ever the base.
fn bytes_filled<const N: usize>(index: &Index<N>) -> usize {
    const STEP: usize = 104;
    const MODEL: usize = (size_of::<Front<1_024>>() - size_of::<Front<512>>()) / 512 - STEP;
    index.catalog().len() * MODEL + steps(index).len() * STEP
}

/// A queue in which 1,000 wait for one worker and Table III: each step puts one in and hands one out, or cancels it. Where
/// batches are run, one is run once as many have been put in as were in the last.
fn waiting(budgets: &[Budget], filter: &str, table: &mut Vec<Vec<String>>) {
    let index = &*index::<12>(&table3(), Policy::PAPER);
    let alike = &alike(budgets)[..];
    let unpriced = Settings::DEFAULT.with_priced(false);
    let mut race = Race::new("queue/table3", filter);
    for (name, settings, budgets) in [
        ("put and dispatch, priced", Settings::DEFAULT, budgets),
        ("put and dispatch", unpriced, budgets),
        ("put and dispatch, in order", unpriced, alike),
    ] {
        let mut waiting = Waiting::<1>::new(budgets, settings);
        race.over(name, budgets, move |&budget| {
            let put = waiting.put(budget);
            (put, waiting.dispatch(index))
        });
    }
    let mut waiting = Waiting::<8>::new(budgets, Settings::DEFAULT);
    let mut last = 0_usize;
    race.over("put and dispatch, in batches of up to 8", budgets, move |&budget| {
        last = if last > 1 { last - 1 } else { waiting.dispatch(index) };
        waiting.put(budget)
    });
    for (name, budgets) in [("put and cancel", budgets), ("put and cancel, in order", alike)] {
        let mut waiting = Waiting::<1>::new(budgets, Settings::DEFAULT);
        race.over(name, budgets, move |&budget| waiting.put(budget).map(|place| waiting.queue.cancel(place)));
    }
    table.extend(lines(&race.run()));
}
