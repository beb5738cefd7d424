//! [`Ticks`]: the time by a counter that wraps.

use core::num::{NonZeroU32, NonZeroU64};

use crate::time::Timestamp;

/// Makes [`Timestamp`]s of a 32-bit counter that goes round, such as a timer or a cycle counter.
///
/// It has to be read twice in each round, or time is lost: every 35 minutes at 1 MHz, every 33 seconds at 64 MHz. Where
/// nothing else does so, an interrupt at the overflow and one half-way do. A reading that is less than half a round older
/// than the last, as one may be that was interrupted, is the same time as that.
///
/// ```
/// use core::num::NonZeroU32;
/// use mdinference::{Micros, Ticks};
///
/// let mut ticks = Ticks::new(NonZeroU32::new(64_000_000).expect("not zero"), 4_294_000_000);
/// let began = ticks.now(4_294_000_000);
/// let ended = ticks.now(1_567_704); // 2.535 million ticks later, and the counter has wrapped
/// assert_eq!(ended.since(began), Micros::new(39_609));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticks {
    hertz: NonZeroU32,
    last: u32,
    micros: u64,
    /// The part of a microsecond that is over, in parts of which one has `hertz`.
    rest: u32,
}

impl Ticks {
    /// The time is 0 while the counter, which counts so many ticks a second, is at `count`.
    pub const fn new(hertz: NonZeroU32, count: u32) -> Self {
        Self { hertz, last: count, micros: 0, rest: 0 }
    }

    /// The time with the counter at `count`: the microseconds since the start, rounded down.
    pub fn now(&mut self, count: u32) -> Timestamp {
        let passed = count.wrapping_sub(self.last);
        if passed < 1 << 31 {
            // Less than 2³¹ ticks of a million each, and the rest: no sum passes 2⁵¹.
            let scaled = u64::from(passed).wrapping_mul(1_000_000).wrapping_add(self.rest.into());
            let hertz = NonZeroU64::from(self.hertz);
            (self.last, self.rest) = (count, (scaled % hertz) as u32);
            self.micros = self.micros.wrapping_add(scaled / hertz);
        }
        Timestamp::from_micros(self.micros)
    }
}
