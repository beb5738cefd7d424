//! Stage 3 between two models in whole numbers, for processors to which floating point is software. Which of two is drawn
//! is told where that is clear; where it is a close thing the weights decide, so that it is the same on every target.

use crate::request::{Budget, Draw};
use crate::select::utility::Terms;

/// Whether that pays: floating point is software, as far as a target says so.
pub(super) const PAYS: bool = cfg!(all(target_arch = "arm", target_abi = "eabi"));

/// What a number is at least and at most.
#[derive(Clone, Copy, Debug)]
struct Between(u32, u32);

impl Between {
    /// A number of which the lower bits, or a part below 1, are left out.
    fn of(number: u32, left_out: u32) -> Self {
        let least = number >> left_out;
        Self(least, least.wrapping_add(1))
    }

    /// As [`of`](Self::of), of a difference of times; none below zero.
    fn of_time(difference: i32, left_out: u32) -> Self {
        match u32::try_from(difference) {
            Ok(difference) => Self::of(difference, left_out),
            Err(_) => Self(0, 0),
        }
    }
}

/// Whether the second of two is drawn, and not the first; `None` where it is a close thing.
///
/// The first is if u·(U₁ + U₂) < U₁. With s for what the budget has beyond a model's threshold, and r for what it has beyond
/// the mean, that is
///
/// ```text
/// u · A₂ · s₂ · r₁ < (1 − u) · A₁ · s₁ · r₂
/// ```
///
/// The upper 16 bits of u are looked at and 15 of everything else, so that a side has at most 62. By what weights and their
/// sum are rounded 1 − u is off by at most 16·2⁻²⁴: here it is made smaller or greater by 2⁻¹⁶ more than need be.
pub(super) fn second_of_two([first, second]: [Terms; 2], budget: Budget, draw: Draw) -> Option<bool> {
    const ONE: u32 = 1 << 16;
    let time = budget.time().get();
    // 15 bits are left of the greatest time.
    let left_out = 17_u32.saturating_sub(time.leading_zeros());
    let beyond = |other: i32| Between::of_time((time as i32).wrapping_sub(other), left_out);
    let side = |share: Between, weighed: Terms, other: Terms| {
        let accuracy = upper_bits(weighed.accuracy);
        // A threshold is rounded up, by less than 1 µs.
        let (slack, remaining) = (beyond(weighed.threshold), beyond(other.mean));
        let product = |share: u32, accuracy: u32, slack: u32, remaining: u32| {
            u64::from(share.wrapping_mul(accuracy)).wrapping_mul(u64::from(slack.wrapping_mul(remaining)))
        };
        let least = product(share.0, accuracy.0, slack.0, remaining.0);
        (least, move || product(share.1, accuracy.1, slack.1, remaining.1))
    };
    let upper = (draw.bits() >> 48) as u32;
    let rest = ONE.wrapping_sub(upper);
    let (first_least, first_most) =
        side(Between(rest.saturating_sub(2), rest.wrapping_add(1)), first, second);
    let (second_least, second_most) = side(Between::of(upper, 0), second, first);
    if first_least > second_most() {
        Some(false)
    } else if second_least > first_most() {
        Some(true)
    } else {
        None
    }
}

/// A whole number below 2²⁰ without its lower five bits, from its mantissa, as a conversion is software too.
fn upper_bits(accuracy: f32) -> Between {
    let bits = accuracy.to_bits();
    let mantissa = bits & 0x7F_FFFF | 0x80_0000;
    // The exponent is 127 for one, whose mantissa has 23 bits after the point.
    let shift = 155_u32.wrapping_sub(bits >> 23);
    Between::of(mantissa.checked_shr(shift).unwrap_or(0), 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::index::lanes::Lanes;
    use crate::policy::Margin;
    use crate::profile::Profile;
    use crate::time::Micros;

    /// Models and budgets of any size, and draws of any kind, most of them at the border between two models.
    #[test]
    #[cfg_attr(miri, ignore = "too many draws")]
    fn what_is_clear_is_what_the_weights_decide() {
        let twins = Catalog::<2>::of([Profile::from_percent_and_millis(80.0, 100.0, 1.0).unwrap(); 2]);
        let ids = [0, 1].map(|place| twins.id(place).unwrap());
        let (mut clear, mut close) = ([0, 0], 0);
        for id in 0..40_000 {
            let random = |what: u64, below: u32| Draw::from_id(id << 8 | what).below(below);
            let size = 2 << random(0, 30);
            let budget = Budget::of(Micros::new(size - (random(1, size) >> random(10, 4))));
            let terms = |what: u64| {
                let accuracy = random(what, 1_000_001) >> random(what + 1, 8);
                let (mean, deviation) = (
                    random(what + 2, size) >> random(what + 6, 20),
                    random(what + 3, size) >> random(what + 4, 20),
                );
                let margin = Margin::new(f64::from(random(what + 5, 3_000)) / 1_000.0).unwrap();
                Terms::new(&Profile::from_ppm_and_micros(accuracy, mean, deviation).unwrap(), margin)
            };
            let pair = [terms(16), terms(32)];
            let mut lanes = Lanes::of_none(ids[0]);
            lanes.put(0, pair[0], ids[0]);
            lanes.put(1, pair[1], ids[1]);
            let [first, second] = pair.map(|terms| terms.weight(budget));
            let border = (first / (first + second) * (1 << 24) as f32) as i64;
            let beside = border + i64::from(random(6, 9)) - 4;
            let near = border + ((i64::from(random(7, 2_001)) - 1_000) << random(8, 8));
            for draw in [random(9, 1 << 24).into(), beside, near] {
                let draw = Draw::from_uniform_bits((draw.clamp(0, 0xFF_FFFF) as u64) << 40);
                let drawn = lanes.draw_of_two(budget, draw) == ids[1];
                match second_of_two(pair, budget, draw) {
                    Some(told) => {
                        assert_eq!(told, drawn, "{pair:?}, {budget:?}, {draw:?}");
                        clear[usize::from(told)] += 1;
                    }
                    None => close += 1,
                }
            }
        }
        // Neither is rare.
        let all = clear[0] + clear[1] + close;
        assert!(
            clear.iter().all(|&clear| clear > all / 10) && close > all / 3,
            "{clear:?} are clear, {close} not"
        );
    }

    /// As a server asks: twins of which both have room, and any draw.
    #[test]
    #[cfg_attr(miri, ignore = "too many draws")]
    fn little_is_a_close_thing() {
        let terms = |accuracy, mean, deviation| {
            let profile = Profile::from_percent_and_millis(accuracy, mean, deviation).unwrap();
            Terms::new(&profile, Margin::PAPER)
        };
        let pair = [terms(50.0, 112.6, 0.4), terms(82.6, 113.1, 0.4)];
        let close = (0..100_000).filter(|&id| {
            let budget = Budget::of(Micros::new(115_000 + Draw::from_id(!id).below(100_000)));
            second_of_two(pair, budget, Draw::from_id(id)).is_none()
        });
        assert!(close.count() <= 30); // 21
    }
}
