//! [`TokenBucket`]: a cap on extra load over time.

use crate::time::{Micros, Timestamp};

/// Allows a burst of duplicates, and one more each interval.
///
/// It is asked before a duplicate starts and can only withhold it; it never sees a primary. Over any time t it allows
/// at most `burst` + t ÷ `interval`. A clock that steps back stops the refill only until the next call.
///
/// ```
/// use mdinference::device::TokenBucket;
/// use mdinference::{Micros, Timestamp};
///
/// let mut bucket = TokenBucket::new(2, Micros::from_millis(1_000));
/// let now = Timestamp::from_micros(0);
/// assert!(bucket.take(now) && bucket.take(now) && !bucket.take(now));
/// assert!(bucket.take(now.after(Micros::from_millis(1_000))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct TokenBucket {
    #[cfg_attr(feature = "serde", serde(rename = "interval_us"))]
    interval: Micros,
    burst: u32,
    /// Time saved up, in µs: a token costs one interval, and at most `burst` intervals are kept.
    #[cfg_attr(feature = "serde", serde(rename = "saved_us"))]
    saved: u64,
    #[cfg_attr(feature = "serde", serde(rename = "refilled_us"))]
    refilled: Timestamp,
}

impl TokenBucket {
    /// No cap.
    pub const UNLIMITED: Self = Self::new(1, Micros::ZERO);

    /// A full bucket of `burst` tokens that gains one each `interval`. An interval of zero is no cap; a burst of zero
    /// with any other interval allows nothing.
    pub const fn new(burst: u32, interval: Micros) -> Self {
        // Below 2³² × 2³¹.
        let full = (burst as u64).saturating_mul(interval.get() as u64);
        Self { interval, burst, saved: full, refilled: Timestamp::from_micros(0) }
    }

    /// Takes a token if there is one.
    pub fn take(&mut self, now: Timestamp) -> bool {
        let interval = u64::from(self.interval.get());
        let full = u64::from(self.burst).saturating_mul(interval);
        let passed = now.as_micros().saturating_sub(self.refilled.as_micros());
        self.saved = self.saved.saturating_add(passed).min(full);
        self.refilled = now;
        match self.saved.checked_sub(interval) {
            Some(rest) => {
                self.saved = rest;
                true
            }
            None => false,
        }
    }
}

impl Default for TokenBucket {
    fn default() -> Self {
        Self::UNLIMITED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bucket: &mut TokenBucket, times: impl IntoIterator<Item = u64>) -> usize {
        times.into_iter().filter(|&now| bucket.take(Timestamp::from_micros(now))).count()
    }

    #[test]
    fn the_rate_is_kept_over_any_time() {
        let mut bucket = TokenBucket::new(3, Micros::new(100));
        assert_eq!(taken(&mut bucket, 0..10_000), 3 + 99);
        // A long rest fills it no further than the burst.
        assert_eq!(taken(&mut bucket, [u64::MAX; 10]), 3);
    }

    #[test]
    fn a_clock_that_steps_back_goes_on_from_there() {
        let mut bucket = TokenBucket::new(1, Micros::new(100));
        assert_eq!(taken(&mut bucket, [1_000_000, 1_000_050, 20, 69, 70]), 2);
    }

    #[test]
    fn the_limits_of_both_numbers() {
        assert_eq!(taken(&mut TokenBucket::default(), [0; 1_000]), 1_000);
        assert_eq!(taken(&mut TokenBucket::new(0, Micros::MAX), [0, u64::MAX]), 0);
        assert_eq!(taken(&mut TokenBucket::new(u32::MAX, Micros::MAX), [u64::MAX; 5]), 5);
    }
}
