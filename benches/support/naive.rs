//! The algorithm as one would write it with `std` and `rand`: a `Vec` of `f64` models, collected window, weighted draw.
//! What a request asks besides is a filter, or a term, more.

use rand::Rng;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::seq::IndexedRandom;

use super::Measured;
use super::asks::{Ask, Asks, Kind};

/// The models that may be drawn with their weights; `Err` is the one that is certain.
fn explore<K: Kind, const N: usize>(
    models: &[Measured],
    asks: &Asks<N>,
    ask: &Ask,
) -> Result<Vec<(usize, f64)>, usize> {
    let budget = ask.budget.time().as_millis();
    let eligible =
        || models.iter().enumerate().filter(|&(place, model)| K::eligible(asks, ask, place, model));
    let mean = |place, model| K::mean(asks, ask, place, model);
    let base = eligible()
        .filter(|&(place, model)| mean(place, model) + model.deviation < budget)
        .max_by(|(_, a), (_, b)| K::value(a).total_cmp(&K::value(b)));
    let Some((place, base)) = base else {
        let fastest = eligible().min_by(|&(i, a), &(j, b)| mean(i, a).total_cmp(&mean(j, b)));
        return Err(fastest.map_or(0, |(place, _)| place));
    };
    if !K::EXPLORES {
        return Err(place);
    }
    let middle = mean(place, base);
    Ok(eligible()
        .filter(|&(place, model)| (mean(place, model) - middle).abs() <= base.deviation)
        .map(|(place, model)| {
            let mean = mean(place, model);
            let slack = f64::max(budget - (mean + model.deviation), 0.0);
            (place, K::weight(model.accuracy * slack / (budget - mean).abs()))
        })
        .collect())
}

/// With rand's `WeightedIndex`.
pub fn weighted_index<K: Kind, const N: usize>(
    models: &[Measured],
    asks: &Asks<N>,
    ask: &Ask,
    rng: &mut impl Rng,
) -> usize {
    match explore::<K, N>(models, asks, ask) {
        Err(certain) => certain,
        Ok(set) => {
            let weights = set.iter().map(|&(_, weight)| weight);
            let draw = WeightedIndex::new(weights).expect("the base has a positive utility");
            set[draw.sample(rng)].0
        }
    }
}

/// With rand's `choose_weighted`.
pub fn choose_weighted<K: Kind, const N: usize>(
    models: &[Measured],
    asks: &Asks<N>,
    ask: &Ask,
    rng: &mut impl Rng,
) -> usize {
    match explore::<K, N>(models, asks, ask) {
        Err(certain) => certain,
        Ok(set) => {
            let chosen = set.choose_weighted(rng, |&(_, weight)| weight);
            chosen.expect("the base has a positive utility").0
        }
    }
}
