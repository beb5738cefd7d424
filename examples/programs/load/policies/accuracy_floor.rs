//! `accuracy_floor`: the cheapest model that meets an accuracy and the deadline, as INFaaS (Romero et al.,
//! ATC 2021) chooses among variants of a model; cheapest here is fastest.
//!
//! Simplified: INFaaS also starts and stops workers as the load changes; here they are given. Where the
//! deadline of the most urgent rules out all that meet the floor, the fastest model answers.

use super::frontier::frontier;
use crate::setting::Setting;
use crate::waiting::{Waiting, slack};
use crate::world::{Job, Policy, Run};

/// As a fraction of the accuracy of the best model.
// Tried, effective accuracy on average over all cells: 0.6 47.5, 0.8 64.0, 0.82 64.0,
// 0.84 65.6, 0.85 65.6, 0.88 61.5, 0.9 61.1, 0.94 61.1.
const FLOOR: f64 = 0.84;

pub struct AccuracyFloor<'a> {
    setting: &'a Setting<'a>,
    /// The fastest.
    otherwise: usize,
    /// What meets the floor, the fastest first.
    meeting: Vec<usize>,
    waiting: Waiting,
}

impl<'a> AccuracyFloor<'a> {
    pub fn new(setting: &'a Setting<'a>) -> Self {
        let mut meeting = frontier(setting);
        let (first, last) = (meeting.first().copied(), meeting.last().copied());
        let (otherwise, best) = first.zip(last).expect("there is a model");
        meeting.retain(|&model| setting.accuracy(model) >= FLOOR * setting.accuracy(best));
        Self { setting, otherwise, meeting, waiting: Waiting::default() }
    }
}

impl Policy for AccuracyFloor<'_> {
    fn put(&mut self, job: Job, _: u64) {
        self.waiting.put(job);
    }

    fn next(&mut self, now: u64, shed: &mut Vec<Job>) -> Option<Run> {
        let Self { setting, otherwise, ref meeting, ref mut waiting } = *self;
        waiting.shed(now, setting.least_slack(), shed);
        let slack = slack(waiting.first()?, now);
        let model = meeting.iter().copied().find(|&model| setting.fits(model, 1, slack)).unwrap_or(otherwise);
        let batch = setting.most(model, waiting.len(), slack).max(1);
        Some(Run { model, jobs: waiting.take(batch) })
    }

    fn ended(&mut self, _: &Run, _: u64, _: u64) {}
}
