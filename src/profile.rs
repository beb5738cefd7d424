//! What is known of one model: [`Accuracy`] A, [`Latency`] μ and σ, and what a run costs. Valid by construction.

use core::fmt;

use crate::number::{self, NumberError};
use crate::time::Micros;

/// How often a model is right, kept in parts per million: 0 to 100 % in steps of 0.0001 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "u32", into = "u32"))]
// paper: II, A(m)
pub struct Accuracy(u32);

impl Accuracy {
    /// Never right.
    pub const ZERO: Self = Self(0);
    /// Always right.
    pub const MAX: Self = Self(1_000_000);

    /// From percent, 0 to 100, rounded to the nearest part per million.
    ///
    /// # Errors
    /// Not a number, infinite, negative, or above 100.
    pub const fn from_percent(percent: f64) -> Result<Self, NumberError> {
        Self::scaled(percent, 10_000.0)
    }

    /// From a fraction, 0 to 1, rounded to the nearest part per million.
    ///
    /// # Errors
    /// Not a number, infinite, negative, or above 1.
    pub const fn from_fraction(fraction: f64) -> Result<Self, NumberError> {
        Self::scaled(fraction, 1_000_000.0)
    }

    /// From parts per million, 0 to 1,000,000.
    ///
    /// # Errors
    /// Above 1,000,000.
    pub const fn from_ppm(ppm: u32) -> Result<Self, NumberError> {
        if ppm > Self::MAX.0 { Err(NumberError::TooLarge) } else { Ok(Self(ppm)) }
    }

    /// In percent, 0 to 100.
    pub const fn as_percent(self) -> f64 {
        self.0 as f64 / 10_000.0
    }

    /// In parts per million, 0 to 1,000,000.
    pub const fn as_ppm(self) -> u32 {
        self.0
    }

    const fn scaled(value: f64, scale: f64) -> Result<Self, NumberError> {
        match number::fixed_point(value, scale, Self::MAX.0) {
            Ok(ppm) => Ok(Self(ppm)),
            Err(error) => Err(error),
        }
    }
}

/// From parts per million. The error names the field, as deserialising shows it as it is.
impl TryFrom<u32> for Accuracy {
    type Error = ProfileError;

    fn try_from(ppm: u32) -> Result<Self, ProfileError> {
        Self::from_ppm(ppm).map_err(|error| ProfileError::new(Field::Accuracy, error))
    }
}

impl From<Accuracy> for u32 {
    fn from(accuracy: Accuracy) -> Self {
        accuracy.0
    }
}

/// In percent with its sign; a precision in the format applies.
impl fmt::Display for Accuracy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_percent(), f)?;
        f.write_str(" %")
    }
}

/// The time one inference takes: mean μ and standard deviation σ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
// paper: II, mu and sigma
pub struct Latency {
    /// Mean μ.
    pub mean: Micros,
    /// Standard deviation σ.
    pub deviation: Micros,
}

/// What one run of a model costs, in any unit that the caller keeps to; zero unless given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Cost(pub u32);

/// One model of the catalog, as Section IV-D knows it: A(m), μ(m), σ(m).
///
/// With the feature `serde` it is written in people's units where people may read it, as in JSON and TOML, and as integers
/// elsewhere. The cost may be left out, a name is passed over, and any other field is refused:
///
/// ```toml
/// [[model]]
/// name = "nasnet_large"
/// accuracy_percent = 82.6
/// mean_ms = 112.61
/// deviation_ms = 0.36
/// cost = 5
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Profile {
    /// Accuracy A(m).
    pub accuracy: Accuracy,
    /// Inference time μ(m), σ(m).
    pub latency: Latency,
    /// Cost of a run; it matters to a [`Request`](crate::Request) with a greatest cost or a price.
    pub cost: Cost,
}

impl Profile {
    /// A profile at no cost.
    pub const fn new(accuracy: Accuracy, latency: Latency) -> Self {
        Self { accuracy, latency, cost: Cost(0) }
    }

    /// The same profile at a cost.
    pub const fn with_cost(self, cost: Cost) -> Self {
        Self { cost, ..self }
    }

    /// From whole numbers: accuracy in parts per million, mean and standard deviation in microseconds. Nothing of it needs
    /// floating point.
    ///
    /// # Errors
    /// Names the first field that is above its scale (1,000,000, [`Micros::MAX`]).
    pub const fn from_ppm_and_micros(accuracy: u32, mean: u32, deviation: u32) -> Result<Self, ProfileError> {
        Self::of(Accuracy::from_ppm(accuracy), Micros::try_new(mean), Micros::try_new(deviation))
    }

    /// From measured numbers: accuracy in percent, mean and standard deviation in milliseconds.
    ///
    /// # Errors
    /// Names the first field that is not a number, infinite, negative, or above its scale (100 %, [`Micros::MAX`]).
    pub const fn from_percent_and_millis(
        accuracy: f64,
        mean: f64,
        deviation: f64,
    ) -> Result<Self, ProfileError> {
        let accuracy = Accuracy::from_percent(accuracy);
        Self::of(accuracy, Micros::try_from_millis(mean), Micros::try_from_millis(deviation))
    }

    const fn of(
        accuracy: Result<Accuracy, NumberError>,
        mean: Result<Micros, NumberError>,
        deviation: Result<Micros, NumberError>,
    ) -> Result<Self, ProfileError> {
        match (accuracy, mean, deviation) {
            (Ok(accuracy), Ok(mean), Ok(deviation)) => Ok(Self::new(accuracy, Latency { mean, deviation })),
            (Err(error), _, _) => Err(ProfileError::new(Field::Accuracy, error)),
            (_, Err(error), _) => Err(ProfileError::new(Field::Mean, error)),
            (_, _, Err(error)) => Err(ProfileError::new(Field::Deviation, error)),
        }
    }
}

/// A field of a [`Profile`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Field {
    /// [`Profile::accuracy`].
    Accuracy,
    /// [`Latency::mean`].
    Mean,
    /// [`Latency::deviation`].
    Deviation,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accuracy => "accuracy",
            Self::Mean => "mean",
            Self::Deviation => "deviation",
        })
    }
}

/// A profile that can't be: which field, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ProfileError {
    /// The field at fault.
    pub field: Field,
    /// What is wrong with it.
    pub error: NumberError,
}

impl ProfileError {
    const fn new(field: Field, error: NumberError) -> Self {
        Self { field, error }
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.field, self.error) {
            (Field::Accuracy, NumberError::TooLarge) => f.write_str("accuracy is above 100 %"),
            (field, NumberError::TooLarge) => write!(f, "{field} is longer than {}", Micros::MAX),
            (field, error) => write!(f, "{field} {error}"),
        }
    }
}

impl core::error::Error for ProfileError {}
