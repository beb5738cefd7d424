//! [`ArrivalEstimator`]: how often requests come.

use crate::estimate::ewm::Smoothing;
use crate::time::{Micros, Timestamp};

/// The mean time between two requests: the plain mean of the first hundred, from then on exponentially weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ArrivalEstimator {
    /// In µs.
    mean: f32,
    /// Gaps seen, up to 1/α; one more than that, so that zero is nothing at all.
    seen: u32,
    latest: Timestamp,
}

impl ArrivalEstimator {
    const SMOOTHING: Smoothing = Smoothing::ARRIVALS;
    /// A gap counts as no more, so that a clock which steps forward is forgotten.
    const LONGEST: Micros = Micros::from_millis(60_000);

    pub(crate) const fn new() -> Self {
        Self { mean: 0.0, seen: 0, latest: Timestamp::from_micros(0) }
    }

    /// One more request.
    #[inline]
    pub(crate) fn observe(&mut self, now: Timestamp) {
        let gap = now.since(self.latest).min(Self::LONGEST).get() as f32;
        self.latest = now;
        if self.seen > 0 {
            self.mean += Self::SMOOTHING.weight(self.seen) * (gap - self.mean);
        }
        self.seen = self.seen.saturating_add(1).min(Self::SMOOTHING.memory());
    }

    /// When the last came.
    pub(crate) const fn latest(&self) -> Timestamp {
        self.latest
    }

    /// The mean time between two requests, at most a second; `None` before the second.
    #[inline]
    pub(crate) fn gap(&self) -> Option<Micros> {
        (self.seen > 1).then(|| Micros::new(self.mean as u32).min(Micros::from_millis(1_000)))
    }

    /// Requests a µs, at most one; zero before the second. The first are taken to have taken a tenth of a second, since
    /// a client may send its first few at once.
    #[inline]
    pub(crate) fn rate(&self) -> f32 {
        const FIRST: f32 = 100_000.0;
        let least = if self.seen < Self::SMOOTHING.memory() { FIRST / self.seen as f32 } else { 1.0 };
        if self.seen > 1 { 1.0 / self.mean.max(least) } else { 0.0 }
    }
}
