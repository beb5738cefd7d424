//! How long several requests take as one run: [`Stretch`], and the caller's [`BatchTime`], such as a [`Growth`].

use crate::catalog::ModelId;
use crate::number::{self, NumberError};
use crate::profile::Latency;
use crate::time::Micros;

/// How many times as long as a run of one request a batch takes: 1 or more, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stretch(u32);

impl Stretch {
    /// As long as one request.
    pub const ONE: Self = Self(1_000);

    /// From thousandths; below 1,000, which would be shorter than one request, it is 1,000.
    pub const fn from_thousandths(thousandths: u32) -> Self {
        if thousandths < Self::ONE.0 { Self::ONE } else { Self(thousandths) }
    }

    /// In thousandths.
    pub const fn thousandths(self) -> u32 {
        self.0
    }

    /// The time of a batch of a model whose time for one request is `latency`: μ and σ grow alike.
    #[inline]
    pub fn of(self, latency: Latency) -> Latency {
        Latency { mean: self.longer(latency.mean), deviation: self.longer(latency.deviation) }
    }

    /// So many times as long, rounded down.
    #[inline]
    pub(crate) fn longer(self, span: Micros) -> Micros {
        let micros = u64::from(span.get()).saturating_mul(self.0.into()) / 1_000;
        u32::try_from(micros).map_or(Micros::MAX, Micros::new)
    }

    /// What a batch's time is to one request, rounded down.
    pub(crate) fn shorter(self, span: Micros) -> Micros {
        let micros = u64::from(span.get()).saturating_mul(1_000).checked_div(self.0.into());
        micros.and_then(|micros| u32::try_from(micros).ok()).map_or(span, Micros::new)
    }
}

/// How long a batch takes, which the caller knows of its accelerator.
///
/// ```
/// use mdinference::ModelId;
/// use mdinference::load::{BatchTime, Stretch};
///
/// /// As measured: an accelerator that takes batches of up to 8 at once, and others in parts.
/// struct Measured;
/// impl BatchTime for Measured {
///     fn stretch(&self, _: ModelId, batch: u16) -> Stretch {
///         Stretch::from_thousandths(u32::from(batch.div_ceil(8)) * 1_200)
///     }
/// }
/// # assert_eq!(Measured.stretch(ModelId::default(), 9).thousandths(), 2_400);
/// ```
pub trait BatchTime {
    /// Of so many requests on this model, compared with one. It must not fall as the batch grows.
    fn stretch(&self, model: ModelId, batch: u16) -> Stretch;
}

/// Linear growth g: a batch of b requests takes 1 + g·(b − 1) times as long as one, on every model. Kept in thousandths,
/// 0 to 1,000: at 1 batches gain nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "f64", into = "f64"))]
pub struct Growth(u32);

impl Growth {
    /// g = 0.15.
    pub const DEFAULT: Self = Self(150);

    /// `growth` rounded to the nearest thousandth.
    ///
    /// # Errors
    /// Not a number, infinite, negative, or above 1.
    pub const fn new(growth: f64) -> Result<Self, NumberError> {
        match number::fixed_point(growth, 1_000.0, 1_000) {
            Ok(thousandths) => Ok(Self(thousandths)),
            Err(error) => Err(error),
        }
    }

    /// From thousandths, 0 to 1,000.
    ///
    /// # Errors
    /// Above 1,000.
    pub const fn from_thousandths(thousandths: u32) -> Result<Self, NumberError> {
        if thousandths > 1_000 { Err(NumberError::TooLarge) } else { Ok(Self(thousandths)) }
    }

    /// g.
    pub const fn get(self) -> f64 {
        self.0 as f64 / 1_000.0
    }
}

impl TryFrom<f64> for Growth {
    type Error = NumberError;

    fn try_from(growth: f64) -> Result<Self, NumberError> {
        Self::new(growth)
    }
}

impl From<Growth> for f64 {
    fn from(growth: Growth) -> Self {
        growth.get()
    }
}

impl Default for Growth {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl BatchTime for Growth {
    fn stretch(&self, _: ModelId, batch: u16) -> Stretch {
        let more = u32::from(batch).saturating_sub(1);
        Stretch::from_thousandths(self.0.saturating_mul(more).saturating_add(Stretch::ONE.0))
    }
}

/// Each model's own, by its place; one past the end has [`Growth::DEFAULT`].
impl<const N: usize> BatchTime for [Growth; N] {
    fn stretch(&self, model: ModelId, batch: u16) -> Stretch {
        self.get(model.index()).unwrap_or(&Growth::DEFAULT).stretch(model, batch)
    }
}
