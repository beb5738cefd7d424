//! Ways to do the same, timed in turns: what else a machine is busy with slows all of them alike.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Each way has so many turns.
const TURNS: usize = 15;
/// How long a turn takes at least.
const TURN: Duration = Duration::from_millis(15);
/// So many calls between two looks at the clock.
const CALLS: usize = 512;

/// Those that are timed together, and their times.
pub struct Race<'a> {
    name: &'a str,
    filter: &'a str,
    ways: Vec<Way<'a>>,
}

struct Way<'a> {
    name: String,
    run: Box<dyn FnMut() + 'a>,
    /// In each turn, nanoseconds a call.
    nanos: Vec<f64>,
}

/// What one way took.
pub struct Time {
    pub race: String,
    pub name: String,
    nanos: Vec<f64>,
}

impl<'a> Race<'a> {
    /// Of the ways whose name, after that of the race and a slash, has one of the parts of `filter` in it, which are
    /// divided by bars.
    pub fn new(name: &'a str, filter: &'a str) -> Self {
        Self { name, filter, ways: Vec::new() }
    }

    /// A way that goes on along `list` from turn to turn, and over and over: as long as the list is, nothing learns it.
    pub fn over<T, R>(&mut self, name: &str, list: &'a [T], mut call: impl FnMut(&T) -> R + 'a) {
        let full = format!("{}/{name}", self.name);
        if !self.filter.split('|').any(|part| full.contains(part)) {
            return;
        }
        let mut from = 0;
        let run = move || {
            let end = from + CALLS;
            for item in &list[from..end] {
                // By reference: a copy would wait for its parts to be stored.
                black_box(&call(item));
            }
            from = if end + CALLS <= list.len() { end } else { 0 };
        };
        self.ways.push(Way { name: name.to_owned(), run: Box::new(run), nanos: Vec::new() });
    }

    /// Lets each have its turns.
    pub fn run(mut self) -> Vec<Time> {
        // The first is not counted.
        for turn in 0..=TURNS {
            for way in &mut self.ways {
                let (start, mut calls) = (Instant::now(), 0);
                while start.elapsed() < TURN {
                    (way.run)();
                    calls += CALLS;
                }
                if turn > 0 {
                    way.nanos.push(start.elapsed().as_secs_f64() * 1e9 / calls as f64);
                }
            }
        }
        let time = |way: Way<'_>| Time { race: self.name.to_owned(), name: way.name, nanos: way.nanos };
        self.ways.into_iter().map(time).collect()
    }
}

impl Time {
    /// Nanoseconds a call: the median of its turns.
    pub fn nanos(&self) -> f64 {
        median(self.nanos.clone())
    }

    /// How many times as fast it is: the median over the turns that they took one after the other.
    pub fn times_as_fast_as(&self, other: &Self) -> f64 {
        median(other.nanos.iter().zip(&self.nanos).map(|(other, own)| other / own).collect())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
