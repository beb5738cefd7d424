//! `proteus`: the mix of models that is most accurate at the load, by a linear program solved every 30 s, as
//! Proteus (Ahmad et al., ASPLOS 2024) does it.
//!
//! The program: shares x of the requests, ΣxA at most, Σx ≤ 1, and Σxτ at most the time that the workers have
//! a request. τ is a model's time a request in its largest batch that leaves room for waiting. It is a
//! fractional knapsack, with its solution where the upper hull of (τ, A) passes that time: two neighbours on
//! the hull, or one of its ends.
//!
//! Simplified: Proteus gives each worker one model and routes requests to workers, in whole numbers; here all
//! workers share their time, and a request is routed when it is run, to what is most behind its share. A plan
//! does not look at budgets.
//! Stronger than published: until 30 s have passed, it plans anew each time that it has seen twice as long.
//! What the mix cannot make in time is run by a faster model. A batch that does not keep up with the load of
//! late is passed over.

use super::frontier::{frontier, keeps_up, most_answers};
use super::rate::Rate;
use crate::setting::Setting;
use crate::waiting::{Waiting, slack};
use crate::world::{Job, Policy, Run};

/// Between plans, and what they look back on, in µs.
const PERIOD: u64 = 30_000_000;

/// The first plan, in µs after the first arrival.
// Tried, effective accuracy on average over all cells: 0.05 s and 1 s 69.7, 30 s 69.5.
const FIRST: u64 = 1_000_000;

/// How many times the measured load a plan is for.
// Tried, effective accuracy on average over all cells: 1 69.7, 1.1 69.7, 1.2 69.7, 1.3 69.5.
const HEADROOM: f64 = 1.1;

/// The time of a batch that a plan counts on, at most, as a fraction of T_sla.
// Tried, effective accuracy on average over all cells: 0.2 69.6, 0.3 69.7, 0.4 69.7, 0.5 69.7.
const BATCH: f64 = 0.3;

/// What a batch has to keep up with is measured over this, as a multiple of T_sla.
// Tried, effective accuracy on average over all cells: 0.5, 1, 2 and 4 69.7.
const RECENT: f64 = 1.0;

pub struct Proteus<'a> {
    setting: &'a Setting<'a>,
    frontier: Vec<usize>,
    rate: Rate,
    /// Arrivals of late.
    recent: Rate,
    /// Requests a second and worker, of late.
    load: f64,
    /// When it plans again.
    due: u64,
    /// The fastest first.
    mix: Vec<Part>,
    waiting: Waiting,
}

/// What a model is to answer.
#[derive(Clone, Copy)]
struct Part {
    model: usize,
    /// Of all requests.
    share: f64,
    /// How many it should have answered of those that arrived since the plan, and has not.
    due: f64,
}

impl Part {
    fn new(model: usize, share: f64) -> Self {
        Self { model, share, due: 0.0 }
    }
}

impl<'a> Proteus<'a> {
    pub fn new(setting: &'a Setting<'a>) -> Self {
        let frontier = frontier(setting);
        let best = *frontier.last().expect("there is a model");
        Self {
            setting,
            frontier,
            rate: Rate::new(PERIOD),
            recent: Rate::new((RECENT * setting.sla as f64) as u64),
            load: 0.0,
            due: 0,
            mix: vec![Part::new(best, 1.0)],
            waiting: Waiting::default(),
        }
    }

    /// The solution of the program for what was measured.
    fn plan(&mut self, now: u64) {
        let age = self.rate.age(now);
        self.due = now + age.clamp(FIRST, PERIOD);
        let load = HEADROOM * self.rate.per_second(now);
        if load == 0.0 {
            return;
        }
        let time = self.setting.workers as f64 * 1e6 / load;
        let hull = self.hull();
        let slower = hull.partition_point(|&(_, needs)| needs <= time);
        self.mix = match (slower.checked_sub(1).map(|faster| hull[faster]), hull.get(slower)) {
            (Some((faster, least)), Some(&(model, needs))) => {
                let share = (time - least) / (needs - least);
                vec![Part::new(faster, 1.0 - share), Part::new(model, share)]
            }
            (Some((model, _)), None) | (None, Some(&(model, _))) => vec![Part::new(model, 1.0)],
            // No model is ever right.
            (None, None) => return,
        };
    }

    /// The upper hull of (τ, A) from nothing for no time: models with τ in µs, the fastest first.
    fn hull(&self) -> Vec<(usize, f64)> {
        let needs = |model| {
            let time = BATCH * self.setting.sla as f64;
            let batch = self.setting.most(model, self.setting.max_batch, time as u64).max(1);
            self.setting.mean(model, batch) / batch as f64
        };
        let mut hull = Vec::new();
        let (mut time, mut accuracy) = (0.0, 0.0);
        loop {
            let slope =
                |&(model, needs): &(usize, f64)| (self.setting.accuracy(model) - accuracy) / (needs - time);
            let models = self.frontier.iter().map(|&model| (model, needs(model)));
            let further =
                models.filter(|&(model, needs)| needs > time && self.setting.accuracy(model) > accuracy);
            let Some(next) = further.max_by(|a, b| slope(a).total_cmp(&slope(b))) else { return hull };
            hull.push(next);
            (time, accuracy) = (next.1, self.setting.accuracy(next.0));
        }
    }

    /// Whether a model may run the next batch.
    fn able(&self, model: usize, slack: u64) -> bool {
        match self.setting.max_batch {
            1 => self.setting.fits(model, 1, slack),
            _ => keeps_up(self.setting, model, self.waiting.len(), slack, self.load),
        }
    }

    /// Of the mix, what is most behind; else the most accurate of what is faster than all in it.
    fn pick(&self, slack: u64) -> usize {
        let able = self.mix.iter().filter(|part| self.able(part.model, slack));
        if let Some(part) = able.max_by(|a, b| a.due.total_cmp(&b.due)) {
            return part.model;
        }
        let fastest = self.mix.first().expect("there is a plan").model;
        let faster = self
            .frontier
            .partition_point(|&model| self.setting.mean(model, 1) < self.setting.mean(fastest, 1));
        let faster = &self.frontier[..faster];
        let able = faster.iter().rev().copied().find(|&model| self.able(model, slack));
        let able = able.or_else(|| most_answers(self.setting, &self.frontier, self.waiting.len(), slack));
        able.unwrap_or(self.frontier[0])
    }
}

impl Policy for Proteus<'_> {
    fn put(&mut self, job: Job, now: u64) {
        self.waiting.put(job);
        self.rate.arrived(now);
        self.recent.arrived(now);
        if now >= self.due {
            self.plan(now);
        }
        self.mix.iter_mut().for_each(|part| part.due += part.share);
    }

    fn next(&mut self, now: u64, shed: &mut Vec<Job>) -> Option<Run> {
        self.waiting.shed(now, self.setting.least_slack(), shed);
        let slack = slack(self.waiting.first()?, now);
        self.load = self.recent.per_second(now) / self.setting.workers as f64;
        let model = self.pick(slack);
        let batch = self.setting.most(model, self.waiting.len(), slack).max(1);
        if let Some(part) = self.mix.iter_mut().find(|part| part.model == model) {
            part.due -= batch as f64;
        }
        Some(Run { model, jobs: self.waiting.take(batch) })
    }

    fn ended(&mut self, _: &Run, _: u64, _: u64) {}
}
