//! `static:MODEL`: one model for all, the earliest deadlines first.

use crate::setting::Setting;
use crate::waiting::{Waiting, slack};
use crate::world::{Job, Policy, Run};

/// What becomes of a request that the model does not make, but a faster one would.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Missed {
    /// Only what no model makes is shed, as by the others; this is run, in its turn.
    Run,
    /// It is shed.
    Shed,
}

pub struct Fixed<'a> {
    setting: &'a Setting<'a>,
    model: usize,
    missed: Missed,
    waiting: Waiting,
}

impl<'a> Fixed<'a> {
    pub fn new(setting: &'a Setting<'a>, model: usize, missed: Missed) -> Self {
        Self { setting, model, missed, waiting: Waiting::default() }
    }
}

impl Policy for Fixed<'_> {
    fn put(&mut self, job: Job, _: u64) {
        self.waiting.put(job);
    }

    fn next(&mut self, now: u64, shed: &mut Vec<Job>) -> Option<Run> {
        let Self { setting, model, missed, ref mut waiting } = *self;
        let need = match missed {
            Missed::Run => setting.least_slack(),
            Missed::Shed => setting.mean(model, 1) + setting.deviation(model, 1),
        };
        waiting.shed(now, need, shed);
        // As many as the most urgent can afford.
        let batch = setting.most(model, waiting.len(), slack(waiting.first()?, now)).max(1);
        Some(Run { model, jobs: waiting.take(batch) })
    }

    fn ended(&mut self, _: &Run, _: u64, _: u64) {}
}
