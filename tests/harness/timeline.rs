//! Virtual time: what is to happen, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use mdinference::{Micros, Timestamp};

/// Events by time; those of the same time come in the order in which they were added, and timers after all
/// others.
pub(crate) struct Timeline<E> {
    now: Timestamp,
    added: u64,
    queue: BinaryHeap<Reverse<Entry<E>>>,
}

/// A device tells its events before it polls, so timers are last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Event,
    Timer,
}

struct Entry<E> {
    key: (Timestamp, Rank, u64),
    event: E,
}

impl<E> Timeline<E> {
    pub(crate) fn new() -> Self {
        Self { now: Timestamp::from_micros(0), added: 0, queue: BinaryHeap::new() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn after(&mut self, delay: Micros, event: E) {
        self.add(delay, Rank::Event, event);
    }

    pub(crate) fn timer(&mut self, delay: Micros, event: E) {
        self.add(delay, Rank::Timer, event);
    }

    fn add(&mut self, delay: Micros, rank: Rank, event: E) {
        self.added += 1;
        self.queue.push(Reverse(Entry { key: (self.now.after(delay), rank, self.added), event }));
    }

    pub(crate) fn next(&mut self) -> Option<E> {
        let Reverse(Entry { key: (at, ..), event }) = self.queue.pop()?;
        self.now = at;
        Some(event)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}
