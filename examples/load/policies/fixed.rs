//! `static:MODEL`: one model for all, the earliest deadlines first; what it cannot make is shed.

use crate::setting::Setting;
use crate::waiting::{Waiting, slack};
use crate::world::{Job, Policy, Run};

pub struct Fixed<'a> {
    setting: &'a Setting<'a>,
    model: usize,
    waiting: Waiting,
}

impl<'a> Fixed<'a> {
    pub fn new(setting: &'a Setting<'a>, model: usize) -> Self {
        Self { setting, model, waiting: Waiting::default() }
    }
}

impl Policy for Fixed<'_> {
    fn put(&mut self, job: Job, _: u64) {
        self.waiting.put(job);
    }

    fn next(&mut self, now: u64, shed: &mut Vec<Job>) -> Option<Run> {
        let Self { setting, model, ref mut waiting } = *self;
        waiting.shed(now, setting.mean(model, 1) + setting.deviation(model, 1), shed);
        let first = waiting.first()?;
        let batch = setting.most(model, waiting.len(), slack(first, now));
        Some(Run { model, jobs: waiting.take(batch) })
    }

    fn ended(&mut self, _: &Run, _: u64, _: u64) {}
}
