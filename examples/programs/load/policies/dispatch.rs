//! `paper_dispatch` and `priced`: the library's queue, without and with a price of time. It knows the true profiles, and
//! learns the load by itself.

use mdinference::load::{Growth, Next, Queue, Settings, Worker};
use mdinference::{Budget, Draw, Index, Request, Timestamp};
use rand::rngs::StdRng;

use super::{CAPACITY, index, micros};
use crate::arrivals::generator;
use crate::setting::{MOST_BATCHED, MOST_WORKERS, Setting};
use crate::waiting::slack;
use crate::world::{Job, Policy, Run};

/// Requests that may wait; what comes while it is full is shed.
const WAITING: usize = 16_384;

pub struct Dispatch {
    index: Index<CAPACITY>,
    queue: Box<Queue<Job, WAITING, MOST_WORKERS, MOST_BATCHED>>,
    draws: StdRng,
    refused: Vec<Job>,
    /// Who runs the batch of which this is the first.
    running: Vec<(u32, Worker)>,
}

impl Dispatch {
    pub fn new(setting: &Setting<'_>, priced: bool) -> Self {
        let growth = Growth::new(setting.growth).expect("it has been checked");
        let queue = Queue::new(Settings::DEFAULT.with_priced(priced))
            .with_workers(setting.workers as u16)
            .with_max_batch(setting.max_batch as u16)
            .with_batch_time(growth);
        Self {
            index: index(setting),
            queue: Box::new(queue),
            draws: generator(setting.seed, 4),
            refused: Vec::new(),
            running: Vec::new(),
        }
    }
}

impl Policy for Dispatch {
    fn put(&mut self, job: Job, now: u64) {
        let request = Request::new(Budget::of(micros(slack(job, now))));
        let draw = Draw::from_rng(&mut self.draws);
        if self.queue.put(request, draw, job, Timestamp::from_micros(now)).is_err() {
            self.refused.push(job);
        }
    }

    fn next(&mut self, now: u64, shed: &mut Vec<Job>) -> Option<Run> {
        shed.append(&mut self.refused);
        loop {
            match self.queue.next(&self.index, Timestamp::from_micros(now))? {
                Next::Shed { job, .. } => shed.push(job),
                Next::Run { worker, decision, jobs, .. } => {
                    self.running.push((jobs[0].id, worker));
                    return Some(Run { model: decision.model.index(), jobs: jobs.to_vec() });
                }
            }
        }
    }

    fn ended(&mut self, run: &Run, _: u64, now: u64) {
        let of = |&(id, _): &(u32, Worker)| id == run.jobs[0].id;
        let place = self.running.iter().position(of).expect("it was running");
        let (_, worker) = self.running.swap_remove(place);
        self.queue.ended(worker, Timestamp::from_micros(now));
    }
}
