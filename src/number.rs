//! Measured numbers into the integers used inside: one check for every constructor that takes an `f64`.

use core::fmt;

/// Why a number was refused.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum NumberError {
    /// NaN.
    NotANumber,
    /// Plus or minus infinity.
    Infinite,
    /// Below zero.
    Negative,
    /// Zero where a positive number is needed.
    Zero,
    /// Above the top of its scale.
    TooLarge,
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "is not a number",
            Self::Infinite => "is infinite",
            Self::Negative => "is negative",
            Self::Zero => "is zero",
            Self::TooLarge => "is above the top of its scale",
        })
    }
}

impl core::error::Error for NumberError {}

/// `value` if it is finite and not negative.
pub(crate) const fn finite(value: f64) -> Result<f64, NumberError> {
    if value.is_nan() {
        Err(NumberError::NotANumber)
    } else if value.is_infinite() {
        Err(NumberError::Infinite)
    } else if value < 0.0 {
        Err(NumberError::Negative)
    } else {
        Ok(value)
    }
}

/// `value` × `scale` as an integer in `0..=max`, rounded to nearest.
pub(crate) const fn fixed_point(value: f64, scale: f64, max: u32) -> Result<u32, NumberError> {
    match finite(value) {
        Err(error) => Err(error),
        Ok(value) => {
            let scaled = value * scale + 0.5;
            if scaled >= max as f64 + 1.0 { Err(NumberError::TooLarge) } else { Ok(scaled as u32) }
        }
    }
}
