//! An independent MDInference in exact rational arithmetic, written from the paper's Section IV-D and the rules of the
//! project for what the paper leaves open. It shares no code with `src/`: it reads the numbers of a [`Case`] and computes on
//! big integers.

use num_rational::BigRational;

use super::case::Case;

/// What the algorithm makes of a [`Case`], exactly.
pub struct Solution {
    /// The outcome of stage 1; `None` if the request rules out every model.
    pub base: Option<Base>,
    /// The budget that the other stages are within, in µs.
    pub budget: u32,
    /// What stage 1 maximises, of every model, in 2⁻¹⁶ parts per million; not below −2⁶³.
    pub values: Vec<i128>,
    /// Whether each model is eligible and fits that budget (Eq. 2).
    pub fits: Vec<bool>,
    /// U(m) of every model, on the scale of accuracy in percent; zero where it does not fit or is not eligible.
    pub utilities: Vec<BigRational>,
    /// Whether each model is in the exploration set. Empty if nothing fits, or where time or money has a
    /// price.
    pub set: Vec<bool>,
    /// Pr(m) of every model.
    pub probabilities: Vec<BigRational>,
}

/// The model that stage 1 arrives at, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// That of the greatest value that fits.
    Fits(usize),
    /// Nothing fits: the fastest, whose mean is below the budget.
    Tight(usize),
    /// Nothing fits: the fastest, whose mean is not below the budget.
    TooLate(usize),
}

/// One model in plain integers: parts per million, and nanoseconds.
struct Numbers {
    accuracy: i128,
    /// With the wait; at most the longest time there is.
    mean: i128,
    deviation: i128,
    /// μ + γσ, with the wait.
    threshold: i128,
    /// In 2⁻¹⁶ parts per million.
    value: i128,
    eligible: bool,
}

/// The longest time there is, in µs.
const LONGEST: i128 = (1 << 31) - 1;

/// Solves a case.
pub fn solve(case: &Case) -> Solution {
    let whole = i128::from(case.budget.time().get()) * 1_000;
    // An earlier budget that is later is none.
    let earlier = case.earlier.map(|(budget, worth)| {
        ((i128::from(budget.time().get()) * 1_000).min(whole), i128::from(worth.as_ppm()))
    });
    let margin_thousandths = i128::from(case.policy.margin.thousandths());
    let sharpness = i32::try_from(case.policy.sharpness.get()).unwrap();
    let (per_micro, per_square, per_cost) = (
        i128::from(case.price.per_micro),
        i128::from(case.price.per_micro_squared),
        i128::from(case.price.per_cost),
    );
    let priced = per_micro != 0 || per_square != 0 || per_cost != 0;

    let models: Vec<Numbers> = case
        .profiles
        .iter()
        .enumerate()
        .map(|(place, profile)| {
            let micros = i128::from(profile.latency.mean.get());
            let wait = case.waits.get(place).map_or(0, |wait| i128::from(wait.get()));
            let mean = (micros + wait).min(LONGEST) * 1_000;
            let deviation = i128::from(profile.latency.deviation.get()) * 1_000;
            let threshold = mean + margin_thousandths * deviation / 1_000;
            let accuracy = i128::from(profile.accuracy.as_ppm());
            // The price is for the run and not for the wait. In 2⁻¹⁶ parts per million, rounded down.
            let price = per_micro * micros
                + per_square * (micros * micros) / (1 << 32)
                + per_cost * i128::from(profile.cost.0);
            let worth = match earlier {
                Some((budget, worth)) if threshold < budget => worth,
                _ => 0,
            };
            Numbers {
                accuracy,
                mean,
                deviation,
                threshold,
                value: ((accuracy + worth) * (1 << 16) - price).max(i64::MIN.into()),
                eligible: case.allowed[place]
                    && profile.accuracy.as_ppm() >= case.min_accuracy.as_ppm()
                    && profile.cost.0 <= case.max_cost.0,
            }
        })
        .collect();

    let base = base(&models, whole);
    let zero = || BigRational::from_integer(0.into());

    // The others are within the earlier budget if the base is.
    let budget = match (base, earlier) {
        (Some(Base::Fits(place)), Some((earlier, _))) if models[place].threshold < earlier => earlier,
        _ => whole,
    };
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

    // The exploration set: μ(m) in [μ_b − σ_b, μ_b + σ_b]. Where there is a price nothing is explored.
    let set: Vec<bool> = models
        .iter()
        .map(|model| match base {
            Some(Base::Fits(place)) if !priced => {
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
        // No utility is positive (a base of accuracy zero), nothing is explored, or nothing fits: with
        // certainty.
        Some(Base::Fits(certain) | Base::Tight(certain) | Base::TooLate(certain)) => (0..models.len())
            .map(|place| BigRational::from_integer(i32::from(place == certain).into()))
            .collect(),
        None => models.iter().map(|_| zero()).collect(),
    };

    let budget = u32::try_from(budget / 1_000).unwrap();
    let values = models.iter().map(|model| model.value).collect();
    Solution { base, budget, values, fits, utilities, set, probabilities }
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
    let greatest = best(&|model| model.threshold < budget, &|a, b| {
        a.value > b.value || (a.value == b.value && a.threshold < b.threshold)
    });
    let fastest = best(&|_| true, &|a, b| a.mean < b.mean || (a.mean == b.mean && a.accuracy > b.accuracy));
    let last_resort =
        |place: usize| if models[place].mean < budget { Base::Tight(place) } else { Base::TooLate(place) };
    greatest.map(Base::Fits).or(fastest.map(last_resort))
}
