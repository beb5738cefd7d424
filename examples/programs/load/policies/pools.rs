//! A pool of workers a model: the model of a request is fixed as it arrives, by what it would wait for each.

use std::collections::VecDeque;

use mdinference::load::{Growth, Next, Queue, Settings, Worker, expected_wait, residual};
use mdinference::{Budget, Draw, Index, Micros, Model, ModelSet, Request, Timestamp, Verdict};
use rand::rngs::StdRng;

use super::{CAPACITY, index, micros};
use crate::arrivals::generator;
use crate::setting::{MOST_BATCHED, MOST_WORKERS, Setting};
use crate::waiting::slack;
use crate::world::{Job, Policy, Run};

/// `paper`: by the paper's rule with the expected waits; first come, first served, one by one, and nothing is shed.
/// `paper_no_waits`: the same as if no one waited.
pub struct Paper<'a> {
    setting: &'a Setting<'a>,
    index: Index<CAPACITY>,
    with_waits: bool,
    draws: StdRng,
    pools: Vec<Pool>,
}

#[derive(Clone, Default)]
struct Pool {
    waiting: VecDeque<Job>,
    /// What runs, and since when.
    running: Vec<(u32, u64)>,
}

impl<'a> Paper<'a> {
    pub fn new(setting: &'a Setting<'a>, with_waits: bool) -> Self {
        let pools = vec![Pool::default(); setting.models()];
        Self { setting, index: index(setting), with_waits, draws: generator(setting.seed, 4), pools }
    }

    /// How long one that comes now waits for a model.
    fn wait(&self, model: usize, now: u64) -> Micros {
        let (pool, latency) = (&self.pools[model], self.setting.zoo.profiles[model].latency);
        let busy = pool.running.iter().map(|&(_, since)| residual(latency, micros(now - since)));
        let idle = std::iter::repeat_n(Micros::ZERO, self.setting.workers - pool.running.len());
        expected_wait(busy.chain(idle), pool.waiting.len() as u32, latency.mean)
    }
}

impl Policy for Paper<'_> {
    fn put(&mut self, job: Job, now: u64) {
        let waits: Vec<Micros> = match self.with_waits {
            true => (0..self.pools.len()).map(|model| self.wait(model, now)).collect(),
            false => Vec::new(),
        };
        let request = Request::new(Budget::of(micros(slack(job, now)))).with_waits(&waits);
        let decision = self.index.select(request, Draw::from_rng(&mut self.draws));
        let model = decision.expect("no model is ruled out").model.index();
        self.pools[model].waiting.push_back(job);
    }

    fn next(&mut self, now: u64, _: &mut Vec<Job>) -> Option<Run> {
        let most = self.setting.workers;
        let free = |pool: &Pool| pool.running.len() < most && !pool.waiting.is_empty();
        let model = self.pools.iter().position(free)?;
        let job = self.pools[model].waiting.pop_front()?;
        self.pools[model].running.push((job.id, now));
        Some(Run { model, jobs: vec![job] })
    }

    fn ended(&mut self, run: &Run, _: u64, _: u64) {
        self.pools[run.model].running.retain(|&(id, _)| id != run.jobs[0].id);
    }
}

/// `paper_dispatch` and `priced`: a queue of the library a model. A request goes for good to the model that is best with
/// its own queue's wait, and price; in each queue the earliest deadline is first, and what the model does not make is shed.
pub struct Queues {
    priced: bool,
    index: Index<CAPACITY>,
    lanes: Vec<Lane>,
    draws: StdRng,
    refused: Vec<Job>,
}

/// The queue of a model.
struct Lane {
    model: Model,
    alone: ModelSet<CAPACITY>,
    queue: Box<Queue<Job, WAITING, MOST_WORKERS, MOST_BATCHED>>,
    /// Who runs the batch of which this is the first.
    running: Vec<(u32, Worker)>,
}

/// Requests that may wait for a model; what comes while they are as many is shed.
const WAITING: usize = 4_096;

impl Queues {
    pub fn new(setting: &Setting<'_>, priced: bool) -> Self {
        let index = index(setting);
        let growth = Growth::new(setting.growth).expect("it has been checked");
        let lane = |model: Model| {
            let queue = Queue::new(Settings::DEFAULT.with_priced(priced))
                .with_workers(setting.workers as u16)
                .with_max_batch(setting.max_batch as u16)
                .with_batch_time(growth);
            let alone = [model.id].into_iter().collect();
            Lane { model, alone, queue: Box::new(queue), running: Vec::new() }
        };
        let mut lanes: Vec<Lane> = index.catalog().models().map(lane).collect();
        lanes.sort_unstable_by_key(|lane| lane.model.id);
        Self { priced, index, lanes, draws: generator(setting.seed, 4), refused: Vec::new() }
    }

    /// The lane for a request.
    fn choose(&self, budget: Budget, draw: Draw, now: Timestamp) -> usize {
        let wait = |lane: &Lane| lane.queue.wait(lane.model.profile.latency.mean, now);
        let waits: Vec<Micros> = self.lanes.iter().map(wait).collect();
        let request = Request::new(budget).with_waits(&waits);
        if self.priced {
            // A request has one price, so each model is asked for with its own: what fits, else the fastest.
            let worth = |lane: &Lane| {
                let explained = self.index.explain(request.with_price(lane.queue.price()));
                let own = explained.of(lane.model.id).expect("it is of this catalog");
                let fits = !matches!(own.verdict, Verdict::DoesNotFit | Verdict::Fastest);
                (fits, own.verdict == Verdict::Fastest, own.value)
            };
            let places = 0..self.lanes.len();
            places.max_by_key(|&place| worth(&self.lanes[place])).expect("there is a model")
        } else {
            self.index.select(request, draw).expect("no model is ruled out").model.index()
        }
    }
}

impl Policy for Queues {
    fn put(&mut self, job: Job, now: u64) {
        let (budget, at) = (Budget::of(micros(slack(job, now))), Timestamp::from_micros(now));
        let draw = Draw::from_rng(&mut self.draws);
        let place = self.choose(budget, draw, at);
        if self.lanes[place].queue.put(Request::new(budget), draw, job, at).is_err() {
            self.refused.push(job);
        }
    }

    fn next(&mut self, now: u64, shed: &mut Vec<Job>) -> Option<Run> {
        shed.append(&mut self.refused);
        for lane in &mut self.lanes {
            while let Some(next) =
                lane.queue.next_among(&self.index, &lane.alone, Timestamp::from_micros(now))
            {
                match next {
                    Next::Shed { job, .. } => shed.push(job),
                    Next::Run { worker, decision, jobs, .. } => {
                        lane.running.push((jobs[0].id, worker));
                        return Some(Run { model: decision.model.index(), jobs: jobs.to_vec() });
                    }
                }
            }
        }
        None
    }

    fn ended(&mut self, run: &Run, _: u64, now: u64) {
        let lane = &mut self.lanes[run.model];
        let of = |&(id, _): &(u32, Worker)| id == run.jobs[0].id;
        let place = lane.running.iter().position(of).expect("it was running");
        let (_, worker) = lane.running.swap_remove(place);
        lane.queue.ended(worker, Timestamp::from_micros(now));
    }
}
