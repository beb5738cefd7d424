//! All policies at all rates, on the same requests, spread over the processors.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::arrivals::{Arrival, Process, arrivals};
use crate::fluid;
use crate::measures::Measures;
use crate::policies::Entrant;
use crate::setting::Setting;

/// A policy at a rate.
#[derive(Clone, Debug)]
pub struct Row {
    pub policy: String,
    /// Requests a second and worker.
    pub rate: f64,
    pub came_to: CameTo,
}

#[derive(Clone, Debug)]
pub enum CameTo {
    Measures(Measures),
    /// No policy, but what none can beat: its effective accuracy in percent.
    Limit(f64),
}

impl Row {
    /// In percent.
    pub fn effective_accuracy(&self) -> f64 {
        match &self.came_to {
            CameTo::Measures(measures) => measures.effective_accuracy,
            CameTo::Limit(accuracy) => *accuracy,
        }
    }
}

pub const LIMIT: &str = "fluid_limit";

/// The stack of a thread: a queue of thousands is made on it before it is boxed.
const STACK: usize = 64 << 20;

/// Rate by rate, in the order of the entrants, and the limit at last if it is wanted. `done` is called after each of them
/// but the limit.
pub fn compare(
    settings: &[Setting<'_>],
    process: &Process,
    requests: u32,
    entrants: &[Entrant],
    with_limit: bool,
    done: impl Fn() + Sync,
) -> Vec<Row> {
    let of = |setting| arrivals(setting, process, requests, setting.seed);
    let traffic: Vec<Vec<Arrival>> = settings.iter().map(of).collect();
    let cells: Vec<(usize, usize)> = (0..entrants.len())
        .flat_map(|entrant| (0..settings.len()).map(move |cell| (entrant, cell)))
        .collect();
    let results: Vec<Mutex<Option<Measures>>> = cells.iter().map(|_| Mutex::new(None)).collect();
    let taken = AtomicUsize::new(0);
    let work = || {
        while let Some(&(entrant, cell)) = cells.get(taken.fetch_add(1, Ordering::Relaxed)) {
            let measures = entrants[entrant].measures(&settings[cell], &traffic[cell]);
            let place = entrant * settings.len() + cell;
            *results[place].lock().expect("nobody panicked with it") = Some(measures);
            done();
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).expect("threads can be had");
        }
    });
    let result = |entrant: usize, cell: usize| {
        results[entrant * settings.len() + cell].lock().expect("nobody panicked with it").take()
    };
    let mut rows = Vec::new();
    for (cell, setting) in settings.iter().enumerate() {
        let row = |policy: &str, came_to| Row { policy: policy.to_owned(), rate: setting.rate, came_to };
        for (place, entrant) in entrants.iter().enumerate() {
            let measures = result(place, cell).expect("every cell was worked on");
            rows.push(row(&entrant.name, CameTo::Measures(measures)));
        }
        if with_limit {
            rows.push(row(LIMIT, CameTo::Limit(fluid::limit(setting, &traffic[cell]))));
        }
    }
    rows
}
