//! The models worth running, and what policies ask of them alike.

use crate::setting::Setting;

/// Models that are more accurate than all that are as fast, the fastest first.
pub fn frontier(setting: &Setting<'_>) -> Vec<usize> {
    let mut models: Vec<usize> = (0..setting.models()).collect();
    let key = |model: usize| (setting.mean(model, 1), -setting.accuracy(model));
    models.sort_by(|&a, &b| key(a).partial_cmp(&key(b)).expect("all are numbers"));
    let mut best = f64::NEG_INFINITY;
    models.retain(|&model| {
        let better = setting.accuracy(model) > best;
        best = best.max(setting.accuracy(model));
        better
    });
    models
}

/// Of models that stand by accuracy, the most accurate that fits the slack alone.
pub fn most_accurate(setting: &Setting<'_>, models: &[usize], slack: u64) -> Option<usize> {
    models.iter().rev().copied().find(|&model| setting.fits(model, 1, slack))
}

/// The one that answers most requests in its time, if the batch is as large as the slack allows; ties: the last.
pub fn most_answers(setting: &Setting<'_>, models: &[usize], waiting: usize, slack: u64) -> Option<usize> {
    let pace = |model: usize| {
        let batch = setting.most(model, waiting, slack);
        batch as f64 / setting.mean(model, batch.max(1))
    };
    models.iter().copied().max_by(|&a, &b| pace(a).total_cmp(&pace(b)))
}
