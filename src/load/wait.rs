//! The expected wait for a worker, from what is under way.

use crate::profile::Latency;
use crate::time::Micros;

/// How much longer a run is expected to take that has run for `ran`: μ less that; once it is past μ, σ, or as long again
/// as it is late if that is more, since who knows what holds it up.
pub fn residual(latency: Latency, ran: Micros) -> Micros {
    let Latency { mean, deviation } = latency;
    if ran < mean { mean.saturating_sub(ran) } else { deviation.max(ran.saturating_sub(mean)) }
}

/// How long a request that comes now waits for a worker, behind `waiting` others that take `each` on average: first come,
/// first served, by workers that are busy for the `residuals`, one a worker and zero if it is idle.
///
/// Exact where times are as expected, whatever the number of workers. Without workers it is [`Micros::MAX`].
///
/// ```
/// use mdinference::load::{expected_wait, residual};
/// use mdinference::{Latency, Micros};
///
/// let millis = Micros::from_millis;
/// let nasnet = Latency { mean: millis(112), deviation: millis(1) };
/// // Two workers: one has run for 100 ms, the other has just begun; three wait.
/// let residuals = [residual(nasnet, millis(100)), residual(nasnet, millis(0))];
/// // The workers are free at 12, 112, 124 and 224 ms: the last is this one's turn.
/// assert_eq!(expected_wait(residuals.into_iter(), 3, millis(112)), millis(224));
/// ```
pub fn expected_wait(residuals: impl Iterator<Item = Micros> + Clone, waiting: u32, each: Micros) -> Micros {
    let each = u64::from(each.get());
    // How many runs have begun by then, of those that wait and of those that come after it.
    let begun_by = |time: Micros| {
        let of_one = |residual: Micros| match time.get().checked_sub(residual.get()) {
            None => 0,
            Some(since) => u64::from(since).checked_div(each).map_or(u64::MAX, |runs| runs.saturating_add(1)),
        };
        residuals.clone().map(of_one).fold(0, u64::saturating_add)
    };
    // The earliest time by which it has begun as well, by halves.
    let (mut early, mut late) = (0, Micros::MAX.get());
    while early < late {
        let middle = early.midpoint(late);
        if begun_by(Micros::new(middle)) > waiting.into() {
            late = middle;
        } else {
            early = middle.saturating_add(1);
        }
    }
    Micros::new(early)
}
