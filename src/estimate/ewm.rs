//! The exponentially weighted mean and variance of a stream of samples (the profile update of the authors' code):
//!
//! ```text
//! δ = x − μ,   μ' = μ + αδ,   σ²' = (1 − α)(σ² + αδ²)
//! ```
//!
//! With α = 1/n for the n-th sample the same two lines give the plain mean and population variance of the first n.
//! So a stream without a past starts with α = 1, 1/2, 1/3 … until that falls below the smoothing factor: its first
//! sample is taken whole, and nothing starts from zero.

use crate::number::{self, NumberError};

/// Smoothing factor α: the weight of the newest sample, above 0 and up to 1. Kept in parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "f64", into = "f64"))]
pub struct Smoothing(u32);

impl Smoothing {
    /// α = 0.05: the last 59 samples hold 95 % of the weight, and the mean of steady samples strays by 0.16 of their
    /// standard deviation.
    pub const LATENCY: Self = Self(50_000);
    /// α = 0.001, for right and wrong answers: an accuracy of 80 % is known to ± 0.9 points.
    pub const ACCURACY: Self = Self(1_000);
    /// α = 0.01, for the gaps between requests.
    pub(crate) const ARRIVALS: Self = Self(10_000);

    /// `alpha` rounded to the nearest part per million.
    ///
    /// # Errors
    /// Not a number, infinite, negative, zero (or rounded to it), or above 1.
    pub const fn new(alpha: f64) -> Result<Self, NumberError> {
        match number::fixed_point(alpha, 1_000_000.0, 1_000_000) {
            Err(error) => Err(error),
            Ok(0) => Err(NumberError::Zero),
            Ok(ppm) => Ok(Self(ppm)),
        }
    }

    /// From parts per million, 1 to 1,000,000.
    ///
    /// # Errors
    /// Zero, or above 1,000,000.
    pub const fn from_ppm(ppm: u32) -> Result<Self, NumberError> {
        match ppm {
            0 => Err(NumberError::Zero),
            1..=1_000_000 => Ok(Self(ppm)),
            _ => Err(NumberError::TooLarge),
        }
    }

    /// α.
    pub const fn get(self) -> f64 {
        self.0 as f64 / 1_000_000.0
    }

    /// Five times the weight, 1 at most.
    pub(crate) const fn fivefold(self) -> Self {
        let ppm = self.0.saturating_mul(5);
        Self(if ppm > 1_000_000 { 1_000_000 } else { ppm })
    }

    /// The variance of the estimate of so many samples, in variances of a sample: 1/n, and in the long run α / (2 − α).
    #[inline]
    pub(crate) fn spread(self, samples: u32) -> f32 {
        let alpha = self.0 as f32 / 1_000_000.0;
        if samples < self.memory() { 1.0 / samples.max(1) as f32 } else { alpha / (2.0 - alpha) }
    }

    /// 1/α, rounded up: from this many samples on, α is no less than 1/n.
    #[inline]
    pub(crate) const fn memory(self) -> u32 {
        // α is never zero.
        1_000_000_u32.div_ceil(if self.0 == 0 { 1 } else { self.0 })
    }

    /// The weight of the last of `samples` samples: α, or 1/n while that is more.
    #[inline]
    pub(crate) fn weight(self, samples: u32) -> f32 {
        let (alpha, nth) = (self.0 as f32 / 1_000_000.0, 1.0 / samples.max(1) as f32);
        if nth > alpha { nth } else { alpha }
    }
}

impl TryFrom<f64> for Smoothing {
    type Error = NumberError;

    fn try_from(alpha: f64) -> Result<Self, NumberError> {
        Self::new(alpha)
    }
}

impl From<Smoothing> for f64 {
    fn from(smoothing: Smoothing) -> Self {
        smoothing.get()
    }
}

/// How many standard deviations an estimate is to be from what it started from to be believed: by chance that happens
/// once in a hundred thousand times its memory.
pub(crate) const SIGNIFICANT: f32 = 5.0;

/// Mean μ and variance σ² of a stream; both finite and not negative as long as the samples are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Moments {
    pub(crate) mean: f32,
    pub(crate) variance: f32,
}

impl Moments {
    /// With one more sample at the weight `alpha`, in (0, 1].
    #[inline]
    pub(crate) fn updated(self, sample: f32, alpha: f32) -> Self {
        let delta = sample - self.mean;
        // The same from either end; from the nearer one little is lost to rounding, and with α = 1 nothing.
        let mean = if alpha <= 0.5 { self.mean + alpha * delta } else { sample - (1.0 - alpha) * delta };
        Self { mean: mean.max(0.0), variance: (1.0 - alpha) * (self.variance + alpha * delta * delta) }
    }

    /// The mean and variance of two streams put together, `self` of `own` samples and `other` of `others`; `None` if
    /// both are empty.
    pub(crate) fn pooled(self, own: u32, other: Self, others: u32) -> Option<Self> {
        match (own, others) {
            (0, 0) => return None,
            (_, 0) => return Some(self),
            (0, _) => return Some(other),
            _ => {}
        }
        let (own, others) = (own as f32, others as f32);
        let total = own + others;
        let between = self.mean - other.mean;
        Some(Self {
            mean: (own * self.mean + others * other.mean) / total,
            variance: (own * self.variance + others * other.variance) / total
                + (own / total) * (others / total) * (between * between),
        })
    }

    /// Standard deviation σ.
    pub(crate) fn deviation(self) -> f32 {
        libm::sqrtf(self.variance)
    }

    /// Whether both are finite, not negative, and at most these.
    #[cfg(feature = "serde")]
    pub(crate) fn within(self, mean: f32, variance: f32) -> bool {
        // A NaN is in no range.
        (0.0..=mean).contains(&self.mean) && (0.0..=variance).contains(&self.variance)
    }
}
