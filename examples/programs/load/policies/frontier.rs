//! The models worth running, and what policies ask of them alike.
//!
//! The constants of `slackfit`, `proteus`, `load_table`, `lowest_latency` and `accuracy_floor` are the best
//! on average over 189 cells of 20,000 requests each: Poisson, bursts and a recorded log; T_sla 150, 250 and
//! 400 ms; 1 and 4 workers; Table III and p2; one by one, and batches of up to 32 with a growth of 0.15 and
//! 0.5; 5 to 640 requests a second and worker.

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

/// Whether the next batch of a model, as large as the slack allows, takes all that wait, or at least as many
/// as arrive while it runs, at so many a second and worker.
// With batches for the most urgent alone, whoever can run it, `proteus` comes to 67.4 on average over all
// cells, with this to 69.7. Models passed over that cannot run all that wait within 0.6 of the slack of the
// last one: 70.1 where that is asked one by one as well, and `load_table` 70.2. Nothing published does so,
// and that is more the rule's doing than the plan's.
pub fn keeps_up(setting: &Setting<'_>, model: usize, waiting: usize, slack: u64, load: f64) -> bool {
    let batch = setting.most(model, waiting, slack);
    let arriving = load * setting.mean(model, batch.max(1)) / 1e6;
    batch == waiting || batch > 0 && batch as f64 >= arriving
}

/// Of those that fit the slack, the one that answers most requests in its time, by batches as large as the slack
/// allows.
pub fn most_answers(setting: &Setting<'_>, models: &[usize], waiting: usize, slack: u64) -> Option<usize> {
    let pace = |model: usize| {
        let batch = setting.most(model, waiting, slack);
        batch as f64 / setting.mean(model, batch)
    };
    let fitting = models.iter().copied().filter(|&model| setting.fits(model, 1, slack));
    fitting.max_by(|&a, &b| pace(a).total_cmp(&pace(b)))
}
