//! `fluid_limit`: what no policy can beat while the load is steady, as if time could be given to requests in any parts.

use crate::arrivals::Arrival;
use crate::setting::Setting;

/// The greatest mean accuracy of the requests, in percent, if all that has to hold is that the models take no more time
/// than the workers have until the last deadline: a request of a model μ of a full batch, shared by it. A model counts for
/// a request in full where μ + σ alone is below its budget, else as late; who gets none counts 0.
///
/// It is a fractional multiple-choice knapsack, which is solved exactly by taking steps along the upper hulls of
/// (time, accuracy) in the order of their slopes, the dual's price of time.
pub fn limit(setting: &Setting<'_>, arrivals: &[Arrival]) -> f64 {
    let alone = |model| setting.mean(model, 1) + setting.deviation(model, 1);
    let mut needs: Vec<f64> = (0..setting.models()).map(alone).collect();
    needs.sort_unstable_by(f64::total_cmp);
    // Requests that so many of the models fit are alike.
    let mut alike = vec![0_u32; needs.len() + 1];
    for Arrival { job, .. } in arrivals {
        let budget = (job.deadline - job.arrived) as f64;
        alike[needs.partition_point(|&need| need < budget)] += 1;
    }
    let options = |fitting: usize| -> Vec<Point> {
        let longest = fitting.checked_sub(1).map_or(-1.0, |last| needs[last]);
        let option = |model| {
            let worth = if alone(model) <= longest { 1.0 } else { setting.late_worth };
            let time = setting.mean(model, setting.max_batch) / setting.max_batch as f64;
            Point { time, accuracy: worth * setting.accuracy(model) }
        };
        (0..setting.models()).map(option).collect()
    };
    let mut steps: Vec<(Step, f64)> = Vec::new();
    for (fitting, &count) in alike.iter().enumerate() {
        steps.extend(hull(&options(fitting)).into_iter().map(|step| (step, f64::from(count))));
    }
    steps.sort_by(|(a, _), (b, _)| b.slope().total_cmp(&a.slope()));
    let end = arrivals.iter().map(|arrival| arrival.job.deadline).max().unwrap_or(0);
    let mut left = setting.workers as f64 * end as f64;
    let mut total = 0.0;
    for (step, count) in steps {
        let part = if step.time * count > left { left / (step.time * count) } else { 1.0 };
        total += part * count * step.accuracy;
        left = (left - part * count * step.time).max(0.0);
    }
    total / arrivals.len() as f64
}

/// What a model takes of the time, in µs, and gives.
#[derive(Clone, Copy, Debug)]
struct Point {
    time: f64,
    accuracy: f64,
}

/// From one corner of a hull to the next.
type Step = Point;

impl Step {
    fn slope(self) -> f64 {
        self.accuracy / self.time
    }
}

/// The steps from nothing to the most accurate, by falling slopes.
fn hull(options: &[Point]) -> Vec<Step> {
    let mut at = Point { time: 0.0, accuracy: 0.0 };
    let mut steps = Vec::new();
    loop {
        let step = |to: &Point| Point { time: to.time - at.time, accuracy: to.accuracy - at.accuracy };
        let above = options.iter().filter(|to| to.accuracy > at.accuracy && to.time >= at.time);
        let Some(to) = above.max_by(|a, b| step(a).slope().total_cmp(&step(b).slope())) else {
            return steps;
        };
        steps.push(step(to));
        at = *to;
    }
}
