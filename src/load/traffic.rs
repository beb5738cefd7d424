//! [`Traffic`]: what a queue sees of its load, and the [`Price`] of time that follows.
//!
//! A run takes time from all behind it. One of t costs each that waits t/W of its slack, W being the workers, and each that
//! will come while it goes on a part of that, t/3 of the λt/W there will be a worker (fitted: see the module); later ones
//! only if no worker is free then, which is why the utilisation ρ counts, once for each further worker. What a unit of
//! slack is worth is seen from the requests themselves, by how much less accurate the best model is that fits a budget
//! 30 ms shorter. So, for `left` waiting outside the batch:
//!
//! ```text
//! price(t) = a·t·( left/W + ρ^(W−1)·(λ/W)·t/3 )
//! ```
//!
//! Pure `f32` arithmetic with + − × ÷ alone: the same bits on every target.

use crate::estimate::arrivals::ArrivalEstimator;
use crate::request::Price;
use crate::time::{Micros, Timestamp};

/// The load of a queue's workers, as its own calls show it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    arrivals: ArrivalEstimator,
    /// ρ.
    utilisation: f32,
    /// a, in parts per million a µs.
    loss: f32,
    /// Until when the utilisation is known, once it is.
    latest: Option<Timestamp>,
}

impl Traffic {
    /// By how much less a budget is compared.
    pub(super) const SHORTER: Micros = Micros::from_millis(30);
    /// What a dispatched request teaches of a, and ρ over what time.
    const SMOOTHING: f32 = 0.005;
    const OVER: f32 = 2_000_000.0;
    const MOST_UTILISED: f32 = 0.95;

    /// Nothing is known: no arrivals, ρ = 0.3, a = 0.1 point/ms.
    pub(super) const fn new() -> Self {
        Self { arrivals: ArrivalEstimator::new(), utilisation: 0.3, loss: 1.0, latest: None }
    }

    /// λ: requests a second that could be answered in time when they came; zero before the second.
    pub fn arrivals_a_second(&self) -> f32 {
        self.arrivals.rate() * 1_000_000.0
    }

    /// ρ: the share of the workers' time that they are busy, of the last seconds; 0 to 1.
    pub const fn utilisation(&self) -> f32 {
        self.utilisation
    }

    /// a: the accuracy that a request loses by a millisecond's less time, in points.
    pub fn loss_a_milli(&self) -> f32 {
        self.loss / 10.0
    }

    /// What time is worth to those who wait outside a run and to those who will come.
    #[inline]
    pub(super) fn price(&self, left: usize, workers: u16) -> Price {
        let workers = f32::from(workers.max(1));
        let mut all_busy = 1.0;
        let utilisation = self.utilisation.min(Self::MOST_UTILISED);
        for _ in 1..workers as u16 {
            all_busy *= utilisation;
        }
        let waiting = self.loss * left as f32 / workers;
        let coming = self.loss * all_busy * self.arrivals.rate() / (3.0 * workers);
        // Both saturate, and neither is negative or not a number.
        let per_micro = (waiting * 65_536.0) as u64;
        let per_micro_squared = (coming * 65_536.0 * 4_294_967_296.0) as u64;
        Price { per_micro, per_micro_squared, ..Price::NONE }
    }

    /// One more that could be answered in time.
    #[inline]
    pub(super) fn arrived(&mut self, now: Timestamp) {
        self.arrivals.observe(now);
    }

    /// So many of the workers have been busy until now.
    #[inline]
    pub(super) fn worked(&mut self, busy: u16, workers: u16, now: Timestamp) {
        let span = self.latest.map_or(Micros::ZERO, |latest| now.since(latest)).get() as f32;
        let share = f32::from(busy) / f32::from(workers.max(1));
        self.utilisation += span / (span + Self::OVER) * (share - self.utilisation);
        self.latest = Some(now);
    }

    /// Of so many requests dispatched together, the sum of what a budget shorter by [`Self::SHORTER`] would have cost
    /// them, in parts per million.
    #[inline]
    pub(super) fn dispatched(&mut self, requests: u16, lost: f32) {
        let requests = f32::from(requests.max(1));
        let loss = lost / requests / Self::SHORTER.get() as f32;
        self.loss += (Self::SMOOTHING * requests).min(1.0) * (loss - self.loss);
    }
}
