//! Stage 3 among more models than stand side by side: each utility worked out once, or by rejection.

use crate::catalog::ModelId;
use crate::policy::Sharpness;
use crate::request::{Budget, Draw};
use crate::select::sample::{sample, sharper};
use crate::select::utility::Terms;

/// So many utilities are kept side by side.
pub(super) const FEW: usize = 16;

/// As [`sample`] by the weights made of these utilities, each worked out once; `None` if there are too many.
#[inline]
pub(super) fn draw_few(
    utilities: impl Iterator<Item = (ModelId, f32)>,
    sharpness: Sharpness,
    draw: Draw,
) -> Option<Option<ModelId>> {
    let (mut ids, mut weights, mut count) = ([ModelId::default(); FEW], [0.0; FEW], 0);
    for (id, utility) in utilities {
        *ids.get_mut(count)? = id;
        *weights.get_mut(count)? = utility;
        // One without utility is overwritten.
        count = count.wrapping_add(usize::from(utility > 0.0));
    }
    let (ids, weights) = (ids.get(..count)?, weights.get_mut(..count)?);
    if let [only] = *ids {
        return Some(Some(only));
    }
    if !sharpness.is_paper() {
        let largest = weights.iter().copied().fold(0.0, f32::max);
        weights.iter_mut().for_each(|utility| *utility = sharper(*utility, largest, sharpness));
    }
    Some(sample(ids.iter().copied().zip(weights.iter().copied()), draw))
}

/// What bounds the utilities in a window from above.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bound {
    /// The accuracy of the base, in parts per million: a model that fits is no more accurate.
    pub(super) accuracy: f32,
    /// No γσ is less, in µs.
    pub(super) deviation: i32,
}

impl Bound {
    /// (B − μ − γσ) / (B − μ) is greatest with the least γσ and the least μ, which is that of the first.
    #[inline(always)]
    pub(super) fn at(self, first: &Terms, budget: Budget) -> f32 {
        let remaining = (budget.time().get() as i32).wrapping_sub(first.mean);
        self.accuracy * remaining.wrapping_sub(self.deviation) as f32 / remaining as f32
    }
}

/// Draws one of `count` places with probability proportional to its weight, at a cost that hardly grows with them. No
/// utility is greater than `bound`; a place that has no terms has no weight.
///
/// A place is proposed uniformly and accepted with probability U / `bound`. Each round takes its bits from the draw,
/// scrambled: the first round is exact and so is each other on its own, since the scrambling is one-to-one. If after a
/// number of rounds that is small beside the window none is accepted, [`sample`] decides.
#[inline]
pub(super) fn draw_by_rejection(
    count: usize,
    at: impl Fn(usize) -> Option<Terms>,
    bound: f32,
    budget: Budget,
    draw: Draw,
) -> Option<usize> {
    let mut bits = draw.bits();
    let rounds = (count / 4).wrapping_add(16);
    // The lower 24 bits of a draw times this are uniform below the bound.
    let scale = bound / (1u32 << 24) as f32;
    for _ in 0..rounds {
        let place = ((bits >> 32).wrapping_mul(count as u64) >> 32) as usize;
        let accept_above = (bits & 0xFF_FFFF) as i32 as f32 * scale;
        if let Some(terms) = at(place)
            && terms.gain(budget) > accept_above * terms.remaining(budget).abs()
        {
            return Some(place);
        }
        bits = (bits ^ (bits >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    draw_by_scan(count, at, budget, Draw::from_uniform_bits(bits))
}

#[cold]
fn draw_by_scan(
    count: usize,
    at: impl Fn(usize) -> Option<Terms>,
    budget: Budget,
    draw: Draw,
) -> Option<usize> {
    let weight = |place| (place, at(place).map_or(0.0, |terms| terms.weight(budget)));
    sample((0..count).map(weight), draw)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::arithmetic_side_effects, clippy::indexing_slicing)]
mod tests {
    use core::cell::Cell;

    use super::*;
    use crate::policy::Margin;
    use crate::profile::Profile;
    use crate::time::Micros;

    const DRAWS: u32 = 40_000;

    /// Where all fit with room, where most fit by little, where next to nothing is accepted, so that the rounds run out;
    /// and by a bound that is too great.
    #[test]
    #[cfg_attr(miri, ignore = "too many draws")]
    fn rejection_meets_the_probabilities() {
        for (margin, budget, slackness) in
            [(1.0, 900, 1.0), (1.0, 230, 1.0), (1.0, 230, 6.0), (40.0, 500, 900.0)]
        {
            let (margin, budget) = (Margin::new(margin).unwrap(), Budget::of(Micros::from_millis(budget)));
            // Every fifth may not answer.
            let terms = |place: usize| {
                let (accuracy, mean) = (100.0 - 3.0 * place as f64, 90.0 + 5.0 * place as f64);
                let profile = Profile::from_percent_and_millis(accuracy, mean, 10.0).unwrap();
                (place % 5 != 4).then(|| Terms::new(&profile, margin))
            };
            let weights: [f32; 24] =
                core::array::from_fn(|place| terms(place).map_or(0.0, |it| it.weight(budget)));
            let bound = weights.iter().copied().fold(0.0, f32::max) * slackness;
            let total: f32 = weights.iter().sum();
            let (mut counts, looks) = ([0; 24], Cell::new(0));
            let looked_at = |place: usize| {
                looks.set(looks.get() + 1);
                terms(place)
            };
            for id in 0..DRAWS {
                let draw = Draw::from_id(id.into());
                counts[draw_by_rejection(24, looked_at, bound, budget, draw).unwrap()] += 1;
            }
            for (weight, count) in weights.into_iter().zip(counts) {
                let expected = DRAWS as f32 * weight / total;
                // Five standard deviations.
                let error = (count as f32 - expected).abs();
                assert!(error <= 5.0 * expected.sqrt(), "{count} for {expected}, bound {bound}");
            }
            // A round looks at one place; where none of 22 is accepted, a scan at all, and again up to what is drawn.
            let accepted = total / (24.0 * bound);
            let never = (1.0 - accepted).powi(22);
            let again: f32 =
                (1_u8..).zip(weights).map(|(looks, weight)| f32::from(looks) * weight / total).sum();
            let expected = DRAWS as f32 * ((1.0 - never) / accepted + (24.0 + again) * never);
            let error = (looks.get() as f32 - expected).abs();
            assert!(error <= 0.02 * expected, "{} for {expected}, bound {bound}", looks.get());
        }
    }

    /// The scrambling loses nothing of either half of the bits.
    #[test]
    #[cfg_attr(miri, ignore = "too many places")]
    fn who_proposes_the_same_place_goes_on_elsewhere() {
        let places = |bits| {
            let places: [Cell<usize>; 8] = Default::default();
            let count = Cell::new(0);
            let looked_at = |place| {
                places.get(count.replace(count.get() + 1)).inspect(|seen| seen.set(place));
                None
            };
            let draw = Draw::from_uniform_bits(bits);
            assert_eq!(draw_by_rejection(4_096, looked_at, 1.0, Budget::default(), draw), None);
            places.map(Cell::into_inner)
        };
        for upper in (1..100_u64).map(|upper| upper << 24) {
            let (one, other) = (places(upper << 32), places(upper << 32 | upper));
            assert_eq!(one[0], other[0]);
            assert_ne!(one[1..], other[1..]);
        }
    }

    #[test]
    fn without_a_utility_nothing_is_drawn() {
        let terms = |place: usize| {
            let accuracy = [0.0, 50.0].get(place).copied()?;
            Some(Terms::new(&Profile::from_percent_and_millis(accuracy, 90.0, 10.0).unwrap(), Margin::PAPER))
        };
        let budget = Budget::of(Micros::from_millis(500));
        // Zero proposes the first place, and accepts what is above zero.
        for (places, drawn) in [(0, None), (1, None), (2, Some(1)), (3, Some(1))] {
            let draw = Draw::from_uniform_bits(0);
            assert_eq!(draw_by_rejection(places, terms, 1e6, budget, draw), drawn);
        }
    }
}
