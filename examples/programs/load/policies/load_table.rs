//! `load_table`: for each load, the greatest mean time that did best, worked out beforehand and looked up for
//! the load as it is measured: RAMSIS (Mendoza et al., EuroSys 2024) in spirit.
//!
//! Beforehand, the paper's rule at dispatch, with only models of a mean time up to a limit, serves Poisson
//! arrivals (of another seed than the comparison's) at many loads, once with each limit.
//!
//! Simplified: RAMSIS works out the model for every number of requests that wait and every slack, by a Markov
//! decision process; here the rule sees to those. A batch has to keep up with the load, as that of `proteus`.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use super::frontier::{frontier, keeps_up, most_accurate, most_answers};
use super::rate::Rate;
use crate::arrivals::{Process, arrivals};
use crate::setting::Setting;
use crate::waiting::{Waiting, slack};
use crate::world::{Job, Policy, Run, serve};

/// What the load is measured over, as a multiple of T_sla.
// Tried, effective accuracy on average over all cells: 0.5, 1, 1.5 and 2 70.1, 4 69.9; 1 s 70.0, 3 s 69.5.
const WINDOW: f64 = 1.0;

/// From one load of the table to the next, as a factor.
// Tried, effective accuracy on average over all cells: 1.15, 1.2, 1.3, 1.4 and 1.6 70.1.
const STEP: f64 = 1.3;

/// How many loads: from what the fastest model can just answer down to a 1,200th of it.
const LOADS: i32 = 28;

/// Requests that each limit is tried with at each load.
// Tried, effective accuracy on average over all cells: 1,000, 2,000, 3,000, 6,000 and
// 12,000 70.1.
const REQUESTS: u32 = 3_000;

pub struct LoadTable<'a> {
    limited: Limited<'a>,
    table: Table,
    rate: Rate,
}

impl<'a> LoadTable<'a> {
    pub fn new(setting: &'a Setting<'a>) -> Self {
        Self {
            limited: Limited::new(setting),
            table: table(setting),
            rate: Rate::new((WINDOW * setting.sla as f64) as u64),
        }
    }
}

impl Policy for LoadTable<'_> {
    fn put(&mut self, job: Job, now: u64) {
        self.rate.arrived(now);
        self.limited.waiting.put(job);
    }

    fn next(&mut self, now: u64, shed: &mut Vec<Job>) -> Option<Run> {
        self.limited.load = self.rate.per_second(now) / self.limited.setting.workers as f64;
        self.limited.models = self.table.models(self.limited.load);
        self.limited.next(now, shed)
    }

    fn ended(&mut self, _: &Run, _: u64, _: u64) {}
}

/// The paper's rule at dispatch among the fastest models.
struct Limited<'a> {
    setting: &'a Setting<'a>,
    frontier: Vec<usize>,
    /// How many of them.
    models: usize,
    /// Requests a second and worker.
    load: f64,
    waiting: Waiting,
}

impl<'a> Limited<'a> {
    fn new(setting: &'a Setting<'a>) -> Self {
        let frontier = frontier(setting);
        Self { setting, models: frontier.len(), frontier, load: setting.rate, waiting: Waiting::default() }
    }

    fn pick(&self, slack: u64) -> Option<usize> {
        let models = &self.frontier[..self.models];
        let Self { setting, ref waiting, .. } = *self;
        if setting.max_batch == 1 {
            return most_accurate(setting, models, slack);
        }
        let able = |&model: &usize| keeps_up(setting, model, waiting.len(), slack, self.load);
        let best = models.iter().rev().copied().find(able);
        best.or_else(|| most_answers(setting, models, waiting.len(), slack))
    }
}

impl Policy for Limited<'_> {
    fn put(&mut self, job: Job, _: u64) {
        self.waiting.put(job);
    }

    fn next(&mut self, now: u64, shed: &mut Vec<Job>) -> Option<Run> {
        self.waiting.shed(now, self.setting.least_slack(), shed);
        let slack = slack(self.waiting.first()?, now);
        // What is the fastest by μ may not be by μ + σ.
        let model = self.pick(slack).unwrap_or(self.frontier[0]);
        let batch = self.setting.most(model, self.waiting.len(), slack).max(1);
        Some(Run { model, jobs: self.waiting.take(batch) })
    }

    fn ended(&mut self, _: &Run, _: u64, _: u64) {}
}

/// How many of the fastest models did best, by load.
#[derive(Clone, Debug)]
struct Table {
    /// The greatest load, requests a second and worker: beyond it there is nothing to choose.
    most: f64,
    /// The greatest load first.
    best: Vec<usize>,
}

impl Table {
    fn new(setting: &Setting<'_>) -> Self {
        let models = frontier(setting);
        let most = setting.max_batch as f64 * 1e6 / setting.mean(models[0], setting.max_batch).max(1.0);
        let best = |rate: f64| {
            let setting = Setting { rate, seed: !setting.seed, ..*setting };
            let requests = arrivals(&setting, &Process::Poisson, REQUESTS, setting.seed);
            let worth = |models: usize| {
                let mut policy = Limited { models, ..Limited::new(&setting) };
                serve(&setting, &requests, setting.workers, &mut policy).effective_accuracy
            };
            // The first of equals, in the order of speed.
            let worths = (1..=models.len()).map(|models| (models, worth(models)));
            let best = worths.reduce(|best, next| if next.1 > best.1 { next } else { best });
            best.expect("there is a model").0
        };
        Self { most, best: (0..LOADS).map(|place| best(most / STEP.powi(place))).collect() }
    }

    /// For the nearest load, by the factor between them.
    fn models(&self, load: f64) -> usize {
        let place = ((self.most / load).max(1.0).ln() / STEP.ln()).round() as usize;
        self.best[place.min(self.best.len() - 1)]
    }
}

/// The table for a setting, worked out once.
fn table(setting: &Setting<'_>) -> Table {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<OnceLock<Table>>>>> = LazyLock::new(Mutex::default);
    let Setting { zoo, sla, workers, max_batch, growth, late_worth, seed, rate: _ } = *setting;
    let key = format!("{:?}", (&zoo.profiles, sla, workers, max_batch, growth, late_worth, seed));
    let entry = Arc::clone(KNOWN.lock().expect("nobody panicked with it").entry(key).or_default());
    // Only those wait for it who want the same.
    entry.get_or_init(|| Table::new(setting)).clone()
}
