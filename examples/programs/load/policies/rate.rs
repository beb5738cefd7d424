//! How many requests have arrived a second of late.

use std::collections::VecDeque;

/// A window that slides.
#[derive(Clone, Debug)]
pub struct Rate {
    /// In µs.
    window: u64,
    first: Option<u64>,
    /// When requests arrived, the latest last.
    arrivals: VecDeque<u64>,
}

impl Rate {
    /// Over so many µs, at least one.
    pub fn new(window: u64) -> Self {
        Self { window: window.max(1), first: None, arrivals: VecDeque::new() }
    }

    pub fn arrived(&mut self, now: u64) {
        self.first.get_or_insert(now);
        self.arrivals.push_back(now);
    }

    /// For how long arrivals have been seen, in µs.
    pub fn age(&self, now: u64) -> u64 {
        self.first.map_or(0, |first| now - first)
    }

    /// Arrivals a second over the window, or since the first of all; 0 before the second of all.
    pub fn per_second(&mut self, now: u64) -> f64 {
        while self.arrivals.front().is_some_and(|&at| at + self.window <= now) {
            self.arrivals.pop_front();
        }
        let (age, count) = (self.age(now), self.arrivals.len());
        match age {
            0 => 0.0,
            // The first one began it.
            _ if age < self.window => (count - 1) as f64 / age as f64 * 1e6,
            _ => count as f64 / self.window as f64 * 1e6,
        }
    }
}
