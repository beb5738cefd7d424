//! An independent MDInference in exact rational arithmetic, written from the paper's Section IV-D and the rules of the
//! project for what the paper leaves open. It shares no code with `src/`: it reads the numbers of a [`Case`] and computes on
//! big integers.

use num_rational::BigRational;

use super::case::Case;

/// What the algorithm makes of a [`Case`], exactly.
pub struct Solution {
    /// The outcome of stage 1; `None` if no model meets the constraints.
    pub base: Option<Base>,
    /// Whether each model is eligible and fits (Eq. 2).
    pub fits: Vec<bool>,
    /// U(m) of every model, on the scale of accuracy in percent; zero where it does not fit or is not eligible.
    pub utilities: Vec<BigRational>,
    /// Whether each model is in the exploration set. Empty if nothing fits.
    pub set: Vec<bool>,
    /// Pr(m) of every model.
    pub probabilities: Vec<BigRational>,
}

/// The model that stage 1 arrives at, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The most accurate model that fits.
    Fits(usize),
    /// Nothing fits: the fastest.
    Fastest(usize),
}

/// One model in plain integers: parts per million, and nanoseconds.
struct Numbers {
    accuracy: i128,
    mean: i128,
    deviation: i128,
    /// μ + γσ.
    threshold: i128,
    eligible: bool,
}

/// Solves a case. Its sharpness k has to be a whole number, or Uᵏ would not be rational.
pub fn solve(case: &Case) -> Solution {
    let budget = i128::from(case.budget.time().get()) * 1_000;
    let margin_thousandths = i128::from(case.policy.margin.thousandths());
    let sharpness = case.policy.sharpness.get() as i32;
    assert_eq!(f64::from(sharpness), case.policy.sharpness.get(), "the oracle takes whole k only");

    let models: Vec<Numbers> = case
        .profiles
        .iter()
        .zip(&case.allowed)
        .map(|(profile, &allowed)| {
            let mean = i128::from(profile.latency.mean.get()) * 1_000;
            let deviation = i128::from(profile.latency.deviation.get()) * 1_000;
            Numbers {
                accuracy: i128::from(profile.accuracy.as_ppm()),
                mean,
                deviation,
                threshold: mean + margin_thousandths * deviation / 1_000,
                eligible: allowed
                    && profile.accuracy.as_ppm() >= case.min_accuracy.as_ppm()
                    && profile.cost.0 <= case.max_cost.0,
            }
        })
        .collect();

    let base = base(&models, budget);
    let zero = || BigRational::from_integer(0.into());

    let fits: Vec<bool> = models.iter().map(|model| model.eligible && model.threshold < budget).collect();

    // Eq. 3. Zero for a model that does not fit: the paper is silent on negative utilities.
    let utilities: Vec<BigRational> = models
        .iter()
        .zip(&fits)
        .map(|(model, fits)| {
            if !fits {
                return zero();
            }
            let slack = budget - model.threshold;
            let distance = (budget - model.mean).abs();
            BigRational::new((model.accuracy * slack).into(), (distance * 10_000).into())
        })
        .collect();

    // The exploration set: μ(m) in [μ_b − σ_b, μ_b + σ_b].
    let set: Vec<bool> = models
        .iter()
        .map(|model| match base {
            Some(Base::Fits(place)) => {
                let base = &models[place];
                model.eligible
                    && base.mean - base.deviation <= model.mean
                    && model.mean <= base.mean + base.deviation
            }
            _ => false,
        })
        .collect();

    // Pr(m) = U(m)ᵏ / ΣUᵏ over the set.
    let shares: Vec<BigRational> = utilities
        .iter()
        .zip(&set)
        .map(|(utility, &explored)| if explored { utility.pow(sharpness) } else { zero() })
        .collect();
    let total: BigRational = shares.iter().sum();
    let probabilities = match base {
        Some(Base::Fits(_)) if total > zero() => shares.iter().map(|share| share / &total).collect(),
        // No utility is positive (a base of accuracy zero), or nothing fits: with certainty.
        Some(Base::Fits(certain) | Base::Fastest(certain)) => (0..models.len())
            .map(|place| BigRational::from_integer(i32::from(place == certain).into()))
            .collect(),
        None => models.iter().map(|_| zero()).collect(),
    };

    Solution { base, fits, utilities, set, probabilities }
}

/// Eq. 1 and 2, by comparing every model with every other.
fn base(models: &[Numbers], budget: i128) -> Option<Base> {
    let best = |admitted: &dyn Fn(&Numbers) -> bool, better: &dyn Fn(&Numbers, &Numbers) -> bool| {
        let mut best: Option<usize> = None;
        for (place, model) in models.iter().enumerate() {
            // Strictly better only, so that the lower place keeps a tie.
            if model.eligible && admitted(model) && best.is_none_or(|best| better(model, &models[best])) {
                best = Some(place);
            }
        }
        best
    };
    let most_accurate = best(&|model| model.threshold < budget, &|a, b| {
        a.accuracy > b.accuracy || (a.accuracy == b.accuracy && a.threshold < b.threshold)
    });
    let fastest = best(&|_| true, &|a, b| a.mean < b.mean || (a.mean == b.mean && a.accuracy > b.accuracy));
    most_accurate.map(Base::Fits).or(fastest.map(Base::Fastest))
}
