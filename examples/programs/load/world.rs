//! The server in virtual time: requests arrive, a policy says what free workers run, runs end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::RngExt;
use rand_distr::StandardNormal;

use crate::arrivals::{Arrival, generator};
use crate::measures::{Measures, Tally};
use crate::setting::Setting;

/// A request at the server; the order is by deadline. Times are in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Job {
    /// Its arrival and what is left of T_sla without T_nw: when its run has to end.
    pub deadline: u64,
    pub arrived: u64,
    /// Its place among the arrivals.
    pub id: u32,
}

/// Requests that a worker runs at once.
#[derive(Clone, Debug)]
pub struct Run {
    /// By its place in the zoo.
    pub model: usize,
    /// At least one, by deadline.
    pub jobs: Vec<Job>,
}

/// Who decides what is run.
pub trait Policy {
    /// A request arrives.
    fn put(&mut self, job: Job, now: u64);

    /// A worker is free: what it runs. Asked after each arrival and each end of a run until it gives nothing, or
    /// no worker is free. What is given up goes to `shed`.
    fn next(&mut self, now: u64, shed: &mut Vec<Job>) -> Option<Run>;

    /// A run has ended that took so long.
    fn ended(&mut self, run: &Run, took: u64, now: u64);
}

/// A run in progress; the order is by its end.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Ending {
    at: u64,
    /// How many runs had begun before it.
    number: usize,
    /// Its place among those in progress.
    slot: usize,
}

/// Lets a policy serve the arrivals with so many workers.
pub fn serve(
    setting: &Setting<'_>,
    arrivals: &[Arrival],
    workers: usize,
    policy: &mut dyn Policy,
) -> Measures {
    let mut tally = Tally::new(setting, arrivals);
    // The n-th run has the n-th draw, whatever it runs.
    let mut scores = generator(setting.seed, 3);
    let mut begun = 0;
    let mut endings: BinaryHeap<Reverse<Ending>> = BinaryHeap::with_capacity(workers);
    let mut slots: Vec<Option<(Run, u64)>> = vec![None; workers];
    let mut free: Vec<usize> = (0..workers).rev().collect();
    let mut coming = arrivals.iter().peekable();
    let mut shed = Vec::new();
    loop {
        let ending = endings.peek().map(|Reverse(ending)| ending.at);
        let arrival = coming.peek().map(|arrival| arrival.job.arrived);
        let now = match (ending, arrival) {
            (None, None) => break,
            // What ends as another arrives has made room for it.
            (Some(at), arrival) if arrival.is_none_or(|arrival| at <= arrival) => {
                let Reverse(ended) = endings.pop().expect("there is one");
                let (run, took) = slots[ended.slot].take().expect("it was in progress");
                free.push(ended.slot);
                policy.ended(&run, took, at);
                at
            }
            _ => {
                let job = coming.next().expect("there is one").job;
                policy.put(job, job.arrived);
                job.arrived
            }
        };
        while let Some(&slot) = free.last() {
            let next = policy.next(now, &mut shed);
            shed.drain(..).for_each(|job| tally.shed(job));
            let Some(run) = next else { break };
            let score: f64 = scores.sample(StandardNormal);
            let batch = run.jobs.len();
            let took = setting.mean(run.model, batch) + score * setting.deviation(run.model, batch);
            let took = took.max(1.0) as u64;
            tally.ran(&run, took, now + took);
            free.pop();
            slots[slot] = Some((run, took));
            endings.push(Reverse(Ending { at: now + took, number: begun, slot }));
            begun += 1;
        }
    }
    tally.measures(workers)
}
