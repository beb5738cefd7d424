//! The crate against the oracle, check by check: property tests and fuzz targets call the same.

use mdinference::select::base;
use mdinference::{Exclusion, ModelId, Reason, Verdict};
use num_rational::BigRational;

use super::case::Case;
use super::invariants::{decide, explained};
use super::oracle::{Base, solve};

/// Base, value, budget, set membership and positive-utility membership are those of the oracle.
pub fn same_sets(case: &Case) {
    let exact = solve(case);
    let explanation = explained(case);
    let base = explanation.base.map(|base| match base {
        base::Base::Fits(model) => Base::Fits(model.id.index()),
        base::Base::Fastest(model) if model.profile.latency.mean < case.budget.time() => {
            Base::Tight(model.id.index())
        }
        base::Base::Fastest(model) => Base::TooLate(model.id.index()),
    });
    assert_eq!(base, exact.base);
    assert_eq!(explanation.budget.time().get(), exact.budget);
    let decided = decide(case).ok().map(|decision| {
        assert_eq!(decision.budget, explanation.budget);
        let base = usize::from(decision.base);
        match decision.reason {
            Reason::Base | Reason::Explored => Base::Fits(base),
            Reason::Tight => Base::Tight(base),
            Reason::TooLate => Base::TooLate(base),
            Reason::Probe => panic!("only a server probes"),
        }
    });
    assert_eq!(decided, exact.base);
    let zero = rational(0.0);
    let priced = case.price != mdinference::Price::NONE;
    for (place, candidate) in explanation.candidates.iter().enumerate() {
        assert_eq!(candidate.model.index(), place);
        assert_eq!(i128::from(candidate.value.get()), exact.values[place], "of model {place}");
        let utility = &exact.utilities[place];
        let verdict = match (exclusion(case, place), exact.base) {
            (Some(exclusion), _) => Verdict::Excluded(exclusion),
            (None, Some(Base::Fits(base))) if base == place => Verdict::Base,
            (None, Some(Base::Tight(fastest) | Base::TooLate(fastest))) if fastest == place => {
                Verdict::Fastest
            }
            (None, _) if !exact.fits[place] => Verdict::DoesNotFit,
            (None, _) if priced => Verdict::NotExplored,
            (None, _) if !exact.set[place] => Verdict::OutsideWindow,
            (None, _) if *utility == zero => Verdict::NoUtility,
            (None, _) => Verdict::Explored,
        };
        assert_eq!(candidate.verdict, verdict, "of model {place}");
        assert_eq!(candidate.probability > 0.0, exact.probabilities[place] > zero, "of model {place}");
        assert_close(candidate.utility, utility, &(utility * rational(4.0 * UNIT_F64)));
    }
}

/// Why a model is not eligible: the first that holds.
fn exclusion(case: &Case, place: usize) -> Option<Exclusion> {
    let profile = case.profiles[place];
    if !case.allowed[place] {
        Some(Exclusion::NotAllowed)
    } else if profile.accuracy < case.min_accuracy {
        Some(Exclusion::BelowMinimumAccuracy)
    } else if profile.cost > case.max_cost {
        Some(Exclusion::AboveMaximumCost)
    } else {
        None
    }
}

/// The probabilities of `explain` are relatively within (n + 10k)·2⁻⁵³ of the exact ones for a set of n.
pub fn close_probabilities(case: &Case) {
    let exact = solve(case);
    let n = exact.set.iter().filter(|&&explored| explored).count() as f64;
    let bound = rational((n + 10.0 * f64::from(case.policy.sharpness.get())) * UNIT_F64);
    for (candidate, exact) in explained(case).candidates.iter().zip(&exact.probabilities) {
        assert_close(candidate.probability, exact, &(exact * &bound));
    }
}

/// The share of all draws that pick a model is within (n + 4k + 3)·2⁻²⁴ of its exact probability.
pub fn close_draws(case: &Case) {
    let exact = solve(case);
    let n = exact.set.iter().filter(|&&explored| explored).count() as f64;
    let bound = rational((n + 4.0 * f64::from(case.policy.sharpness.get()) + 3.0) * UNIT_F32);
    for (realised, exact) in realised_probabilities(case).iter().zip(&exact.probabilities) {
        assert_close(*realised, exact, &bound);
    }
}

/// The exact share of the 2²⁴ distinct draws that pick each model: the pick goes up with the draw in the order of the
/// catalog, so that bisection finds where it changes.
fn realised_probabilities(case: &Case) -> Vec<f64> {
    const DRAWS: u64 = 1 << 24;
    let order: Vec<ModelId> = case.catalog().models().map(|model| model.id).collect();
    let pick = |draw: u64| {
        let decision = decide(&case.with_draw(draw << 40)).unwrap();
        order.iter().position(|&id| id == decision.model).unwrap()
    };
    let mut shares = vec![0.0; order.len()];
    let mut first = 0;
    while first < DRAWS {
        let place = pick(first);
        // The first draw that no longer picks it: the pick changes somewhere in same..other.
        let (mut same, mut other) = (first, DRAWS);
        while other - same > 1 {
            let middle = same + (other - same) / 2;
            if pick(middle) == place { same = middle } else { other = middle }
        }
        shares[order[place].index()] += (other - first) as f64 / DRAWS as f64;
        first = other;
    }
    shares
}

const UNIT_F32: f64 = 1.0 / (1_u64 << 24) as f64;
const UNIT_F64: f64 = f64::EPSILON / 2.0;

/// |`value` − `exact`| ≤ `bound`, exactly.
fn assert_close(value: f64, exact: &BigRational, bound: &BigRational) {
    let value = rational(value);
    let error = if value > *exact { &value - exact } else { exact - &value };
    assert!(error <= *bound, "{value} for {exact}: off by more than {bound}");
}

fn rational(value: f64) -> BigRational {
    BigRational::from_float(value).unwrap()
}
