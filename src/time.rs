//! Time as integers: [`Micros`] for spans, [`Timestamp`] for points. Nothing here reads a clock.

use core::fmt;
use core::time::Duration;

use crate::number::{self, NumberError};

/// A span of time in whole microseconds, `0..=Micros::MAX`; arithmetic saturates at both ends.
///
/// The top is 2³¹ − 1 µs (35 min 47 s), so that the difference of any two spans fits an `i32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "written::Whole", into = "u32"))]
pub struct Micros(u32);

impl Micros {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span, 2³¹ − 1 µs.
    pub const MAX: Self = Self(i32::MAX as u32);

    /// `micros` microseconds; longer than [`Micros::MAX`] saturates.
    pub const fn new(micros: u32) -> Self {
        if micros > Self::MAX.0 { Self::MAX } else { Self(micros) }
    }

    /// `micros` microseconds.
    ///
    /// # Errors
    /// Longer than [`Micros::MAX`].
    pub const fn try_new(micros: u32) -> Result<Self, NumberError> {
        if micros > Self::MAX.0 { Err(NumberError::TooLarge) } else { Ok(Self(micros)) }
    }

    /// `millis` milliseconds; longer than [`Micros::MAX`] saturates.
    pub const fn from_millis(millis: u32) -> Self {
        Self::new(millis.saturating_mul(1_000))
    }

    /// A measured number of milliseconds, rounded to the nearest microsecond.
    ///
    /// # Errors
    /// Not a number, infinite, negative, or longer than [`Micros::MAX`].
    pub const fn try_from_millis(millis: f64) -> Result<Self, NumberError> {
        match number::fixed_point(millis, 1_000.0, Self::MAX.0) {
            Ok(micros) => Ok(Self(micros)),
            Err(error) => Err(error),
        }
    }

    /// Whole microseconds.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Milliseconds, exactly.
    pub const fn as_millis(self) -> f64 {
        self.0 as f64 / 1_000.0
    }

    /// `self + other`, at most [`Micros::MAX`].
    pub const fn saturating_add(self, other: Self) -> Self {
        Self::new(self.0.saturating_add(other.0))
    }

    /// `self − other`, at least zero.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self × factor`, at most [`Micros::MAX`].
    pub const fn saturating_mul(self, factor: u32) -> Self {
        Self::new(self.0.saturating_mul(factor))
    }
}

impl From<u32> for Micros {
    fn from(micros: u32) -> Self {
        Self::new(micros)
    }
}

impl From<Micros> for u32 {
    fn from(micros: Micros) -> Self {
        micros.0
    }
}

/// Saturates at [`Micros::MAX`]; a part of a microsecond is dropped.
impl From<Duration> for Micros {
    fn from(duration: Duration) -> Self {
        u32::try_from(duration.as_micros()).map_or(Self::MAX, Self::new)
    }
}

impl From<Micros> for Duration {
    fn from(micros: Micros) -> Self {
        Self::from_micros(u64::from(micros.0))
    }
}

/// In milliseconds with a unit; a precision in the format applies.
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_millis(), f)?;
        f.write_str(" ms")
    }
}

/// A point in time: microseconds since an origin that the caller chooses and keeps to.
///
/// It is passed in wherever time matters. A clock that steps back is harmless: spans from a later point to an
/// earlier one are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Timestamp(u64);

impl Timestamp {
    /// `micros` microseconds after the origin.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the origin.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`; zero if `earlier` is later, [`Micros::MAX`] if it is long ago.
    pub const fn since(self, earlier: Self) -> Micros {
        let span = self.0.saturating_sub(earlier.0);
        if span > Micros::MAX.0 as u64 { Micros::MAX } else { Micros(span as u32) }
    }

    /// The point `span` after `self`.
    pub const fn after(self, span: Micros) -> Self {
        Self(self.0.saturating_add(span.0 as u64))
    }

    /// The point `span` before `self`, or the origin if that is later.
    pub const fn before(self, span: Micros) -> Self {
        Self(self.0.saturating_sub(span.0 as u64))
    }
}

#[cfg(feature = "serde")]
mod written {
    use super::Micros;

    /// Microseconds as they are written: checked, not saturated, when they are read.
    #[derive(serde::Deserialize)]
    #[serde(transparent)]
    pub(super) struct Whole(u32);

    impl TryFrom<Whole> for Micros {
        type Error = &'static str;

        fn try_from(whole: Whole) -> Result<Self, Self::Error> {
            Self::try_new(whole.0).map_err(|_| "a time is longer than 2147483647 µs")
        }
    }
}
