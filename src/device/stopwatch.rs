//! [`Stopwatch`]: the time since a request, by a clock that may step.

use crate::time::{Micros, Timestamp};

/// Adds up how far the clock has moved forward.
///
/// A step back counts as no time, and time goes on from there: it hides the time between two readings, once, and not
/// the length of the step. A step forward can't be told from time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stopwatch {
    reading: Timestamp,
    elapsed: Micros,
}

impl Stopwatch {
    pub(super) const fn start(now: Timestamp) -> Self {
        Self { reading: now, elapsed: Micros::ZERO }
    }

    /// The time since the start, with the clock now at `now`.
    pub(super) fn advance(&mut self, now: Timestamp) -> Micros {
        self.elapsed = self.elapsed.saturating_add(now.since(self.reading));
        self.reading = now;
        self.elapsed
    }

    /// What the clock will read `elapsed` after the start if it does not step; the last reading if that is over.
    pub(super) const fn at(&self, elapsed: Micros) -> Timestamp {
        self.reading.after(elapsed.saturating_sub(self.elapsed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: u64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn a_step_back_hides_only_the_time_since_the_last_reading() {
        let mut watch = Stopwatch::start(at(1_000_000));
        assert_eq!(watch.advance(at(1_000_300)), Micros::new(300));
        assert_eq!(watch.advance(at(5)), Micros::new(300));
        assert_eq!(watch.advance(at(105)), Micros::new(400));
        assert_eq!(watch.at(Micros::new(500)), at(205));
        assert_eq!(watch.at(Micros::new(100)), at(105));
    }

    #[test]
    fn the_ends_saturate() {
        let mut watch = Stopwatch::start(at(0));
        assert_eq!(watch.advance(at(u64::MAX)), Micros::MAX);
        assert_eq!(watch.advance(at(0)), Micros::MAX);
        assert_eq!(watch.advance(at(u64::MAX)), Micros::MAX);
    }
}
