//! The algorithm as one would write it who has thought of speed, for a budget alone: models sorted by mean once, a list of
//! `f32` for each of their parts, and nothing allocated in a selection.

use mdinference::Budget;
use rand::{Rng, RngExt};

use super::Measured;

/// All models by mean.
pub struct Sorted {
    means: Vec<f32>,
    deviations: Vec<f32>,
    /// Mean and deviation.
    thresholds: Vec<f32>,
    accuracies: Vec<f32>,
    /// The place of each before they were sorted.
    places: Vec<usize>,
    /// The running sums of the weights in a window.
    sums: Vec<f32>,
}

impl Sorted {
    pub fn new(models: &[Measured]) -> Self {
        let mut sorted: Vec<_> = models.iter().enumerate().collect();
        sorted.sort_by(|(_, a), (_, b)| a.mean.total_cmp(&b.mean));
        let list = |part: fn(&Measured) -> f64| sorted.iter().map(|(_, model)| part(model) as f32).collect();
        Self {
            means: list(|model| model.mean),
            deviations: list(|model| model.deviation),
            thresholds: list(|model| model.mean + model.deviation),
            accuracies: list(|model| model.accuracy),
            places: sorted.iter().map(|&(place, _)| place).collect(),
            sums: vec![0.0; models.len()],
        }
    }

    pub fn select(&mut self, budget: Budget, rng: &mut impl Rng) -> usize {
        let Self { means, deviations, thresholds, accuracies, places, sums } = self;
        let budget = budget.time().get() as f32 / 1_000.0;
        let (mut base, mut best) = (usize::MAX, f32::NEG_INFINITY);
        for (place, (&threshold, &accuracy)) in thresholds.iter().zip(accuracies.iter()).enumerate() {
            if threshold < budget && accuracy > best {
                (base, best) = (place, accuracy);
            }
        }
        if base == usize::MAX {
            return places[0];
        }
        // The window is what lies to both sides of the base.
        let (low, high) = (means[base] - deviations[base], means[base] + deviations[base]);
        let mut first = base;
        while first > 0 && means[first - 1] >= low {
            first -= 1;
        }
        let mut sum = 0.0;
        let mut end = first;
        while end < means.len() && means[end] <= high {
            let slack = f32::max(budget - thresholds[end], 0.0);
            sum += accuracies[end] * slack / (budget - means[end]).abs();
            sums[end] = sum;
            end += 1;
        }
        let target = rng.random::<f32>() * sum;
        let drawn = sums[first..end].iter().position(|&sum| sum > target);
        places[drawn.map_or(base, |drawn| first + drawn)]
    }
}
