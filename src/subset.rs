//! The spanning subset (Section VI): the few models that serve nearly all requests, found without
//! measurement.
//!
//! Most models of a zoo are hardly ever the base, and need not be deployed. From how often each budget comes,
//! [`most_accurate`] finds the k models whose base is the most accurate on average, and [`smallest_within`]
//! the fewest that come close to the whole zoo. Both are exact, and both look at stage 1 alone (Eq. 1 and 2):
//! what stage 2 draws besides the base is left out, and a budget that no model of the subset fits counts as
//! accuracy 0.
//!
//! # How
//!
//! A model can only be the base if it is more accurate than all whose threshold t = μ + γσ is as small. These
//! models are steps t₁ < t₂ < … of rising accuracy a₁ < a₂ < …, and any choice of them is such a staircase
//! again. Each step adds aᵢ − aᵢ₋₁, with a₀ = 0, for the budgets above tᵢ. Where G(t) is the weight of the
//! budgets above t, the expected accuracy times the weight of all is Σ (aᵢ − aᵢ₋₁)·G(tᵢ). With h as the step
//! before i, the best choice of at most j steps that ends with i comes to
//!
//! ```text
//! fⱼ(i) = max ( aᵢ·G(tᵢ),  fⱼ₋₁(h) + (aᵢ − aₕ)·G(tᵢ) over all h < i )
//! ```
//!
//! Each further model brings at most what the one before brought: once one brings nothing, the subset is as
//! good as the whole zoo.
//!
//! It is also the choice of k of the points (aᵢ, G(tᵢ)) that cover the greatest area towards the origin, for
//! which there are faster ways with more memory (Bringmann, Friedrich and Klitzke, "Two-dimensional subset
//! selection for hypervolume and epsilon-indicator", GECCO 2014).
//!
//! # Cost
//!
//! Nothing is kept but one row of f, on the stack: 50 bytes for each of the N models of capacity, the result
//! included. The way back works the rows out again, which makes the time O(n·m + b·log m + k²·m²) for n
//! models, m of them steps, and b budgets: on a desktop 0.1 ms for 10,000 budgets and a choice of 5 out of 24
//! models, 4 ms for 63 out of 64, half a second for 50 out of 1,024.
//!
//! # Ties
//!
//! There are never more models than the accuracy needs. Of several subsets of the same accuracy and size it
//! is the one with the smallest threshold of the slowest model, then of the second slowest, and so on; of two
//! models with the same accuracy and threshold, the one with the lower id.

use core::cmp::Reverse;

use heapless::Vec;

use crate::catalog::{Catalog, Model, ModelId};
use crate::policy::Margin;
use crate::profile::{Accuracy, Latency};
use crate::request::Budget;
use crate::select::threshold::Threshold;

/// Some models of a catalog, and the expected accuracy of the base among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subset<const N: usize> {
    /// By rising μ + γσ, and so by rising accuracy.
    pub models: Vec<ModelId, N>,
    /// The expected accuracy times [`Subset::weight`], in parts per million: exact, so that subsets for the
    /// same weights compare by it.
    pub weighted_ppm: u128,
    /// The weight of all budgets together.
    pub weight: u128,
}

impl<const N: usize> Subset<N> {
    /// The expected accuracy in percent, 0 to 100; 0 if nothing has weight.
    pub fn accuracy_percent(&self) -> f64 {
        // The sum is 0 without weight, and so the quotient.
        self.weighted_ppm as f64 / self.weight.max(1) as f64 / 10_000.0
    }
}

/// The at most `count` models whose base has the greatest expected accuracy over `weights`: budgets, in any
/// order and more than once if need be, and how often each comes, in any unit.
///
/// There are fewer than `count` if fewer are as good as the whole zoo, so a `count` past the number of models
/// asks for the whole zoo's accuracy. Without budgets, with weights of zero only, or with a `count` of 0,
/// there are none.
///
/// ```
/// use mdinference::{Budget, Catalog, Margin, Micros, ModelSet, Profile, Request, subset};
///
/// let catalog = Catalog::<8>::try_new([
///     Profile::from_percent_and_millis(49.7, 3.21, 0.08),
///     Profile::from_percent_and_millis(77.9, 31.11, 0.19),
///     Profile::from_percent_and_millis(80.1, 59.21, 0.22),
///     Profile::from_percent_and_millis(82.6, 112.61, 0.36),
/// ])?;
/// // Budgets as they were seen: 5 of 20 ms, 35 of 70 ms, 60 of 150 ms.
/// let seen = [(20, 5), (70, 35), (150, 60)].map(|(ms, times)| (Budget::of(Micros::from_millis(ms)), times));
///
/// let two = subset::most_accurate(&catalog, Margin::PAPER, seen, 2);
/// assert_eq!(two.models.iter().map(|id| id.index()).collect::<Vec<_>>(), [0, 2]);
/// assert_eq!((two.weighted_ppm, two.weight), (5 * 497_000 + 95 * 801_000, 100));
/// assert_eq!(format!("{:.2} %", two.accuracy_percent()), "78.58 %");
///
/// let deployed: ModelSet<8> = two.models.iter().copied().collect();
/// let request = Request::new(Budget::of(Micros::from_millis(70))).with_allowed(&deployed);
/// # let _ = request;
/// # Ok::<(), mdinference::CatalogError>(())
/// ```
// paper: VI, spanning subset
pub fn most_accurate<const N: usize>(
    catalog: &Catalog<N>,
    margin: Margin,
    weights: impl IntoIterator<Item = (Budget, u32)>,
    count: usize,
) -> Subset<N> {
    fewest(catalog, margin, weights, Accuracy::ZERO, count)
}

/// The fewest models whose base has an expected accuracy over `weights` at most `loss` below that of the
/// whole zoo, and the best that many can be. Otherwise as [`most_accurate`].
pub fn smallest_within<const N: usize>(
    catalog: &Catalog<N>,
    margin: Margin,
    weights: impl IntoIterator<Item = (Budget, u32)>,
    loss: Accuracy,
) -> Subset<N> {
    fewest(catalog, margin, weights, loss, N)
}

// No sum saturates: weights are below 2³² and an iteration that ends has fewer than 2⁶⁴ of them, which makes
// less than 2⁹⁶; an expectation is at most 10⁶ < 2²⁰ times that.

/// The fewest models with at most this loss, or else `most` of them; the best of that number.
fn fewest<const N: usize>(
    catalog: &Catalog<N>,
    margin: Margin,
    weights: impl IntoIterator<Item = (Budget, u32)>,
    loss: Accuracy,
    most: usize,
) -> Subset<N> {
    let mut steps = Vec::<Step, N>::new();
    for step in staircase(catalog, margin) {
        // There are no more steps than models.
        let _ = steps.push(step);
    }
    let weight = weigh(&mut steps, weights);
    let enough = whole(&steps).saturating_sub(u128::from(loss.as_ppm()).saturating_mul(weight));

    let mut end = Step::end();
    let mut count = 0_usize;
    // All steps are enough, so that this ends.
    while end.best < enough && count < most {
        advance(&mut steps);
        end.best = end.best_over(&steps);
        count = count.wrapping_add(1);
    }

    // Back from the end: the first h over which the maximum is reached, of which f is worked out again.
    let mut models = Vec::new();
    let (mut next, mut before) = (end, steps.as_mut_slice());
    for rows in (0..count).rev() {
        let place = before.iter().position(|step| next.over(step) == next.best);
        let up_to = place.and_then(|place| before.get_mut(..=place));
        let Some((step, rest)) = up_to.and_then(<[Step]>::split_last_mut) else { break };
        let _ = models.push(step.model);
        (next, before) = (*step, rest);
        before.iter_mut().for_each(|step| step.best = 0);
        (0..rows).for_each(|_| advance(before));
    }
    models.reverse();
    Subset { models, weighted_ppm: end.best, weight }
}

/// A model that is more accurate than all whose threshold is as small.
#[derive(Clone, Copy)]
struct Step {
    model: ModelId,
    threshold: Threshold,
    /// aᵢ in parts per million.
    accuracy: u32,
    /// G(tᵢ).
    above: u128,
    /// fⱼ(i). Zero does for f₀: over no h is it more than on its own.
    best: u128,
}

/// The steps by rising threshold and so by rising accuracy: each time the first of the models that are more
/// accurate than the step before.
fn staircase<const N: usize>(catalog: &Catalog<N>, margin: Margin) -> impl Iterator<Item = Step> + '_ {
    let threshold = move |model: &Model| Threshold::new(model.profile.latency, margin);
    let mut below = Accuracy::ZERO;
    core::iter::from_fn(move || {
        let higher = catalog.models().filter(|model| model.profile.accuracy > below);
        let first =
            higher.min_by_key(|model| (threshold(model), Reverse(model.profile.accuracy), model.id))?;
        below = first.profile.accuracy;
        Some(Step {
            model: first.id,
            threshold: threshold(&first),
            accuracy: below.as_ppm(),
            above: 0,
            best: 0,
        })
    })
}

/// Gives each step its G; the weight of all budgets.
fn weigh(steps: &mut [Step], weights: impl IntoIterator<Item = (Budget, u32)>) -> u128 {
    let mut weight = 0_u128;
    for (budget, share) in weights {
        weight = weight.saturating_add(share.into());
        // To the highest step below the budget first …
        let reached = steps.partition_point(|step| step.threshold.fits(budget));
        if let Some(step) = steps.get_mut(reached.wrapping_sub(1)) {
            step.above = step.above.saturating_add(share.into());
        }
    }
    // … then to all below.
    let mut above = 0_u128;
    for step in steps.iter_mut().rev() {
        above = above.saturating_add(step.above);
        step.above = above;
    }
    weight
}

/// The expected accuracy of all steps, times the weight.
fn whole(steps: &[Step]) -> u128 {
    let (mut whole, mut below) = (0_u128, 0);
    for step in steps {
        whole = whole.saturating_add(step.gain(below));
        below = step.accuracy;
    }
    whole
}

/// From fⱼ₋₁ to fⱼ. In place, from the last step down, as each looks at those before it.
fn advance(mut steps: &mut [Step]) {
    while let Some((step, before)) = steps.split_last_mut() {
        step.best = step.best_over(before);
        steps = before;
    }
}

impl Step {
    /// Past all budgets, where nothing is to be gained: its f is the greatest of all. It stands in no
    /// staircase.
    fn end() -> Self {
        let threshold = Threshold::new(Latency::default(), Margin::PAPER);
        Self { model: ModelId::default(), threshold, accuracy: 0, above: 0, best: 0 }
    }

    /// (aᵢ − aₕ)·G(tᵢ).
    fn gain(&self, below: u32) -> u128 {
        u128::from(self.accuracy.saturating_sub(below)).saturating_mul(self.above)
    }

    /// fⱼ₋₁(h) + (aᵢ − aₕ)·G(tᵢ).
    fn over(&self, before: &Self) -> u128 {
        before.best.saturating_add(self.gain(before.accuracy))
    }

    /// The recurrence.
    fn best_over(&self, before: &[Self]) -> u128 {
        before.iter().map(|before| self.over(before)).fold(self.gain(0), u128::max)
    }
}
