//! `paper`: the model of each request is fixed as it arrives, by the paper's rule with the exact wait subtracted; first
//! come, first served, one by one, and nothing is shed.

use std::collections::VecDeque;

use mdinference::{Budget, Draw, Index};
use rand::rngs::StdRng;

use super::{CAPACITY, index, micros};
use crate::arrivals::generator;
use crate::setting::Setting;
use crate::waiting::slack;
use crate::world::{Job, Policy, Run};

pub struct Paper<'a> {
    setting: &'a Setting<'a>,
    index: Index<CAPACITY>,
    draws: StdRng,
    /// Each with its model, and the worker that is expected to run it.
    waiting: VecDeque<(Job, usize, usize)>,
    /// What runs: the request, and the worker that was expected to run it.
    running: Vec<(u32, usize)>,
    /// When each worker is expected to have done all that is here, in µs.
    done: Vec<f64>,
}

impl<'a> Paper<'a> {
    pub fn new(setting: &'a Setting<'a>) -> Self {
        Self {
            setting,
            index: index(setting),
            draws: generator(setting.seed, 4),
            waiting: VecDeque::new(),
            running: Vec::new(),
            done: vec![0.0; setting.workers],
        }
    }
}

impl Policy for Paper<'_> {
    fn put(&mut self, job: Job, now: u64) {
        let at = now as f64;
        let sooner = |a: &usize, b: &usize| self.done[*a].total_cmp(&self.done[*b]);
        let worker = (0..self.done.len()).min_by(sooner).expect("there is a worker");
        let wait = (self.done[worker] - at).max(0.0);
        let budget = Budget::of(micros(slack(job, now))).minus(micros(wait as u64));
        let model = self.index.select(budget, Draw::from_rng(&mut self.draws)).model.index();
        self.done[worker] = at + wait + self.setting.mean(model, 1);
        self.waiting.push_back((job, model, worker));
    }

    fn next(&mut self, _: u64, _: &mut Vec<Job>) -> Option<Run> {
        let (job, model, worker) = self.waiting.pop_front()?;
        self.running.push((job.id, worker));
        Some(Run { model, jobs: vec![job] })
    }

    fn ended(&mut self, run: &Run, took: u64, _: u64) {
        let of = |&(id, _): &(u32, usize)| id == run.jobs[0].id;
        let place = self.running.iter().position(of).expect("it was running");
        let (_, worker) = self.running.swap_remove(place);
        // By how much it took longer than expected, so does all that comes after it.
        self.done[worker] += took as f64 - self.setting.mean(run.model, 1);
    }
}
