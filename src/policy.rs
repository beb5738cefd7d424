//! [`Policy`]: the two settings of the algorithm, the deviation margin γ and the sharpness k. The paper has 1 and 1.

use core::fmt;

use crate::number::{self, NumberError};

/// Deviation margin γ: a model fits when μ + γσ < T_budget (Eq. 2, where γ = 1; the authors' code has γ).
///
/// Kept in thousandths, 0 to 1,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "f64", into = "f64"))]
pub struct Margin(u32);

impl Margin {
    /// γ = 1, as in the paper.
    pub const PAPER: Self = Self(1_000);

    /// `gamma` rounded to the nearest thousandth.
    ///
    /// # Errors
    /// Not a number, infinite, negative, or above 1,000.
    pub const fn new(gamma: f64) -> Result<Self, NumberError> {
        match number::fixed_point(gamma, 1_000.0, 1_000_000) {
            Ok(thousandths) => Ok(Self(thousandths)),
            Err(error) => Err(error),
        }
    }

    /// From thousandths, 0 to 1,000,000.
    ///
    /// # Errors
    /// Above 1,000,000.
    pub const fn from_thousandths(thousandths: u32) -> Result<Self, NumberError> {
        if thousandths > 1_000_000 { Err(NumberError::TooLarge) } else { Ok(Self(thousandths)) }
    }

    /// γ in thousandths.
    pub const fn thousandths(self) -> u32 {
        self.0
    }

    /// γ.
    pub const fn get(self) -> f64 {
        self.0 as f64 / 1_000.0
    }
}

/// As [`Margin::new`]. The error names the setting, as deserialising shows it as it is.
impl TryFrom<f64> for Margin {
    type Error = PolicyError;

    fn try_from(gamma: f64) -> Result<Self, PolicyError> {
        Self::new(gamma).map_err(PolicyError::Margin)
    }
}

impl From<Margin> for f64 {
    fn from(margin: Margin) -> Self {
        margin.get()
    }
}

/// Sharpness k: a model is drawn with probability proportional to Uᵏ. k = 1 is the paper (Section IV-D); a larger k
/// explores inferior twins of the base less. A whole number, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "u32", into = "u32"))]
pub struct Sharpness(u32);

impl Sharpness {
    /// k = 1, as in the paper.
    pub const PAPER: Self = Self(1);

    /// Any `k` from 1.
    ///
    /// # Errors
    /// Zero.
    pub const fn new(k: u32) -> Result<Self, NumberError> {
        if k == 0 { Err(NumberError::Zero) } else { Ok(Self(k)) }
    }

    /// k.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// k = 1, where Uᵏ needs no power.
    pub(crate) const fn is_paper(self) -> bool {
        self.0 == 1
    }
}

/// As [`Sharpness::new`]. The error names the setting, as deserialising shows it as it is.
impl TryFrom<u32> for Sharpness {
    type Error = PolicyError;

    fn try_from(k: u32) -> Result<Self, PolicyError> {
        Self::new(k).map_err(PolicyError::Sharpness)
    }
}

impl From<Sharpness> for u32 {
    fn from(sharpness: Sharpness) -> Self {
        sharpness.0
    }
}

/// The settings of a selection.
///
/// ```
/// use mdinference::{Margin, Policy};
///
/// let careful = Policy::PAPER.with_margin(Margin::new(3.0)?);
/// assert_eq!(careful.margin.get(), 3.0);
/// # Ok::<(), mdinference::NumberError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Policy {
    /// Deviation margin γ.
    pub margin: Margin,
    /// Sharpness k.
    pub sharpness: Sharpness,
}

impl Policy {
    /// γ = 1, k = 1.
    pub const PAPER: Self = Self { margin: Margin::PAPER, sharpness: Sharpness::PAPER };

    /// With another deviation margin.
    pub const fn with_margin(self, margin: Margin) -> Self {
        Self { margin, ..self }
    }

    /// With another sharpness.
    pub const fn with_sharpness(self, sharpness: Sharpness) -> Self {
        Self { sharpness, ..self }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::PAPER
    }
}

/// A policy that can't be: which setting, and why.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PolicyError {
    /// The deviation margin.
    Margin(NumberError),
    /// The sharpness.
    Sharpness(NumberError),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Margin(error) => write!(f, "margin {error}"),
            Self::Sharpness(error) => write!(f, "sharpness {error}"),
        }
    }
}

impl core::error::Error for PolicyError {}
