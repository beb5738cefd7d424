//! The algorithm as one would write it with `std` and `rand`: a `Vec` of `f64` models, collected window, weighted draw.

use mdinference::Budget;
use rand::Rng;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::seq::IndexedRandom;

use super::Measured;

/// Stages 1 and 2, and the utilities of stage 3; `Err` is the fastest model, when nothing fits.
fn explore(models: &[Measured], budget: Budget) -> Result<Vec<(usize, f64)>, usize> {
    let budget = budget.time().as_millis();
    let base = models
        .iter()
        .filter(|model| model.mean + model.deviation < budget)
        .max_by(|a, b| a.accuracy.total_cmp(&b.accuracy));
    let Some(base) = base else {
        let fastest = models.iter().enumerate().min_by(|(_, a), (_, b)| a.mean.total_cmp(&b.mean));
        return Err(fastest.map_or(0, |(index, _)| index));
    };
    Ok(models
        .iter()
        .enumerate()
        .filter(|(_, model)| (model.mean - base.mean).abs() <= base.deviation)
        .map(|(index, model)| {
            let slack = f64::max(budget - (model.mean + model.deviation), 0.0);
            (index, model.accuracy * slack / (budget - model.mean).abs())
        })
        .collect())
}

/// With rand's `WeightedIndex`.
pub fn weighted_index(models: &[Measured], budget: Budget, rng: &mut impl Rng) -> usize {
    match explore(models, budget) {
        Err(fastest) => fastest,
        Ok(set) => {
            let weights = set.iter().map(|&(_, utility)| utility);
            let draw = WeightedIndex::new(weights).expect("the base has a positive utility");
            set[draw.sample(rng)].0
        }
    }
}

/// With rand's `choose_weighted`.
pub fn choose_weighted(models: &[Measured], budget: Budget, rng: &mut impl Rng) -> usize {
    match explore(models, budget) {
        Err(fastest) => fastest,
        Ok(set) => {
            let chosen = set.choose_weighted(rng, |&(_, utility)| utility);
            chosen.expect("the base has a positive utility").0
        }
    }
}
