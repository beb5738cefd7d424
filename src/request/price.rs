//! [`Price`]: what time and money are worth, in accuracy.

use crate::profile::{Accuracy, Cost};
use crate::time::Micros;

/// The accuracy that a run is charged for its time and its cost: where it is set, the base is the model with the
/// greatest value, A(m) less its price, in place of the greatest A(m).
///
/// Time has a price where others wait for the same accelerator, or where energy counts. It is charged for μ, without σ
/// and without waits. Prices add up, and are plain integers, so that they can be logged and replayed.
///
/// ```
/// use mdinference::{Accuracy, Price};
///
/// // A tenth of a point for each millisecond.
/// let price = Price::per_milli(Accuracy::from_percent(0.1)?);
/// assert_eq!(price.per_micro, 1 << 16); // 0.0001 % a microsecond
/// # Ok::<(), mdinference::NumberError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Price {
    /// For each µs of μ, in 2⁻¹⁶ parts per million.
    pub per_micro: u64,
    /// For each µs² of μ², in 2⁻⁴⁸ parts per million.
    pub per_micro_squared: u64,
    /// For each unit of [`Cost`], in 2⁻¹⁶ parts per million.
    pub per_cost: u64,
}

impl Price {
    /// Neither time nor money is worth anything: the paper's rule.
    pub const NONE: Self = Self { per_micro: 0, per_micro_squared: 0, per_cost: 0 };

    /// So much accuracy for each millisecond of μ, to the nearest 2⁻¹⁶ parts per million a microsecond.
    pub const fn per_milli(accuracy: Accuracy) -> Self {
        let scaled = ((accuracy.as_ppm() as u64) << 16).saturating_add(500);
        // The divisor is not zero.
        let per_micro = match scaled.checked_div(1_000) {
            Some(quotient) => quotient,
            None => 0,
        };
        Self { per_micro, ..Self::NONE }
    }

    /// So much accuracy for each unit of [`Cost`].
    pub const fn per_cost(accuracy: Accuracy) -> Self {
        Self { per_cost: (accuracy.as_ppm() as u64) << 16, ..Self::NONE }
    }

    /// Both prices together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            per_micro: self.per_micro.saturating_add(other.per_micro),
            per_micro_squared: self.per_micro_squared.saturating_add(other.per_micro_squared),
            per_cost: self.per_cost.saturating_add(other.per_cost),
        }
    }

    /// Each one's part where so many share a run; rounded down.
    pub(crate) fn shared_by(self, requests: u16) -> Self {
        let part = |price: u64| price.checked_div(requests.into()).unwrap_or(price);
        Self {
            per_micro: part(self.per_micro),
            per_micro_squared: part(self.per_micro_squared),
            per_cost: part(self.per_cost),
        }
    }

    /// Whether nothing is charged.
    pub(crate) const fn is_none(&self) -> bool {
        self.per_micro | self.per_micro_squared | self.per_cost == 0
    }

    /// What a run of so many µs and such a cost is charged, in 2⁻¹⁶ parts per million.
    #[inline(always)]
    pub(crate) fn of(&self, mean: Micros, Cost(cost): Cost) -> u128 {
        let (mean, cost) = (u64::from(mean.get()), u64::from(cost));
        let product = |price: u64, amount: u64| u128::from(price).wrapping_mul(amount.into());
        // Below 2⁹⁵, 2⁹⁴ and 2⁹⁶: none wraps around.
        let time = product(self.per_micro, mean);
        let square = product(self.per_micro_squared, mean.wrapping_mul(mean)) >> 32;
        let money = product(self.per_cost, cost);
        time.wrapping_add(square).wrapping_add(money)
    }
}
