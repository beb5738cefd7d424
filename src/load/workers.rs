//! [`Workers`]: who runs what, from when on.

use crate::load::wait::residual;
use crate::profile::Latency;
use crate::time::{Micros, Timestamp};

/// One of a queue's workers, and one run of it: which [`Next::Run`](super::Next) gives, and
/// [`Queue::ended`](super::Queue::ended) takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "the worker is taken for busy until `Queue::ended` is told"]
pub struct Worker {
    number: u16,
    run: u32,
}

impl Worker {
    /// Which one: from 0 to one less than there are.
    pub const fn index(self) -> usize {
        self.number as usize
    }
}

/// The first `count` of `MOST` workers.
#[derive(Clone, Debug)]
pub(super) struct Workers<const MOST: usize> {
    count: u16,
    /// How many are busy.
    busy: u16,
    runs: [Run; MOST],
}

/// What a worker runs, or ran last.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    number: u32,
    goes_on: bool,
    began: Timestamp,
    latency: Latency,
}

impl<const MOST: usize> Workers<MOST> {
    const NUMBERED: () = assert!(MOST > 0 && MOST <= u16::MAX as usize);

    pub(super) fn new(count: u16) -> Self {
        let () = Self::NUMBERED;
        Self { count: count.clamp(1, MOST as u16), busy: 0, runs: [Run::default(); MOST] }
    }

    pub(super) const fn count(&self) -> u16 {
        self.count
    }

    pub(super) const fn busy(&self) -> u16 {
        self.busy
    }

    /// Has a worker begin, if one is free.
    pub(super) fn begin(&mut self, latency: Latency, now: Timestamp) -> Option<Worker> {
        let runs = self.runs.iter_mut().take(self.count.into());
        let (number, run) = runs.enumerate().find(|(_, run)| !run.goes_on)?;
        *run = Run { number: run.number.wrapping_add(1), goes_on: true, began: now, latency };
        self.busy = self.busy.saturating_add(1);
        Some(Worker { number: number as u16, run: run.number })
    }

    /// Says whether it was busy with this run.
    pub(super) fn end(&mut self, worker: Worker) -> bool {
        match self.runs.get_mut(worker.index()) {
            Some(run) if run.goes_on && run.number == worker.run => {
                run.goes_on = false;
                self.busy = self.busy.saturating_sub(1);
                true
            }
            _ => false,
        }
    }

    /// How much longer each is expected to be busy.
    pub(super) fn residuals(&self, now: Timestamp) -> impl Iterator<Item = Micros> + Clone + '_ {
        let of_one = move |run: &Run| {
            if run.goes_on { residual(run.latency, now.since(run.began)) } else { Micros::ZERO }
        };
        self.runs.iter().take(self.count.into()).map(of_one)
    }
}
