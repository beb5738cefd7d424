//! A queue in virtual time: requests come, workers run what they are given, and everybody calls when they should.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use mdinference::load::{Growth, Next, Queue, Shed, Worker};
use mdinference::{
    Catalog, Draw, Index, Learning, Micros, Policy, Profile, Reason, Report, Request, Server, Ticket,
    Timestamp,
};
use proptest::test_runner::Config;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Distribution, Exp1, LogNormal, StandardNormal};

use crate::{support, table3};

pub(crate) const MODELS: usize = 11;
pub(crate) const WORKERS: usize = 8;
pub(crate) const BATCH: usize = 32;
pub(crate) type Thousand<T = usize> = Queue<T, 1_000, WORKERS, BATCH>;

pub(crate) const NEVER: Timestamp = Timestamp::from_micros(u64::MAX);

/// So many random cases, or as many as are asked for.
pub(crate) fn config(cases: u32) -> Config {
    Config { failure_persistence: None, ..support::config(cases) }
}

pub(crate) const fn millis(millis: u32) -> Micros {
    Micros::from_millis(millis)
}

/// Milliseconds after the start.
pub(crate) const fn at(millis: u32) -> Timestamp {
    Timestamp::from_micros(millis as u64 * 1_000)
}

pub(crate) fn table3() -> Catalog<MODELS> {
    let profile = |(accuracy, mean, deviation)| Profile::from_percent_and_millis(accuracy, mean, deviation);
    Catalog::try_new(table3::MODELS.map(profile)).unwrap()
}

pub(crate) fn index() -> Index<MODELS> {
    Index::new(table3(), Policy::PAPER)
}

pub(crate) fn server() -> Server<MODELS> {
    Server::new(table3(), Policy::PAPER, Learning::DEFAULT)
}

/// One that comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: Timestamp,
    pub(crate) request: Request<'static>,
}

/// Poisson arrivals, of requests with 250 ms less a network time of 100 ± 50 ms.
pub(crate) fn poisson(requests: usize, a_second: f64, seed: u64) -> Vec<Arrival> {
    let mut generator = StdRng::seed_from_u64(seed);
    // Mean 100 and deviation 50 ms.
    let variance = (1.0 + 0.25_f64).ln();
    let network = LogNormal::new(100_f64.ln() - variance / 2.0, variance.sqrt()).unwrap();
    let mut now = 0.0;
    let mut arrival = || {
        let gap: f64 = Exp1.sample(&mut generator);
        now += gap * 1e6 / a_second;
        let left = (250.0 - network.sample(&mut generator)).max(0.0);
        let request = Request::new(mdinference::Budget::of(Micros::new((left * 1e3) as u32)));
        Arrival { at: Timestamp::from_micros(now as u64), request }
    };
    (0..requests).map(|_| arrival()).collect()
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    Shed { at: Timestamp, why: Shed },
    Run { from: Timestamp, to: Timestamp, model: usize, batch: usize, reason: Reason },
}

/// A run that begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ran {
    pub(crate) model: usize,
    pub(crate) from: Timestamp,
}

/// What a run makes reports with.
pub(crate) trait Reports {
    fn overdue_at(&self) -> Timestamp {
        NEVER
    }
    fn overdue(&mut self, _: Timestamp) -> Option<Report> {
        None
    }
    fn completed(self, now: Timestamp) -> Option<Report>;
}

impl Reports for () {
    fn completed(self, _: Timestamp) -> Option<Report> {
        None
    }
}

impl Reports for Ticket {
    fn overdue_at(&self) -> Timestamp {
        Self::overdue_at(self)
    }
    fn overdue(&mut self, now: Timestamp) -> Option<Report> {
        Self::overdue(self, now)
    }
    fn completed(self, now: Timestamp) -> Option<Report> {
        Some(Self::completed(self, now))
    }
}

/// Who chooses, and learns.
pub(crate) trait Chooser {
    type Ticket: Reports;
    fn next<const CAPACITY: usize>(
        &mut self,
        queue: &mut Queue<usize, CAPACITY, WORKERS, BATCH>,
        now: Timestamp,
    ) -> Option<Next<usize, Self::Ticket, BATCH>>;
    fn learn(&mut self, _: Report, _: Timestamp) {}
}

impl Chooser for Index<MODELS> {
    type Ticket = ();
    fn next<const CAPACITY: usize>(
        &mut self,
        queue: &mut Queue<usize, CAPACITY, WORKERS, BATCH>,
        now: Timestamp,
    ) -> Option<Next<usize, (), BATCH>> {
        queue.next(&*self, now)
    }
}

impl Chooser for Server<MODELS> {
    type Ticket = Ticket;
    fn next<const CAPACITY: usize>(
        &mut self,
        queue: &mut Queue<usize, CAPACITY, WORKERS, BATCH>,
        now: Timestamp,
    ) -> Option<Next<usize, Ticket, BATCH>> {
        queue.next(self, now)
    }
    fn learn(&mut self, report: Report, now: Timestamp) {
        Server::learn(self, report, now);
    }
}

/// μ and σ in µs by which runs are drawn.
pub(crate) fn drawn(seed: u64) -> impl FnMut(&Ran) -> Micros {
    let mut generator = StdRng::seed_from_u64(seed);
    let usual = table3::MODELS.map(|(_, mean, deviation)| (1e3 * mean, 1e3 * deviation));
    move |ran| {
        let (mean, deviation) = usual[ran.model];
        let normal: f64 = StandardNormal.sample(&mut generator);
        Micros::new((mean + normal * deviation).max(1.0) as u32)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ends(usize),
    Overdue(usize),
    Arrives(usize),
    Polls,
}

/// Runs all that come through a queue, until none is left. `time` says how long a run of one request takes.
pub(crate) fn run<C: Chooser, const CAPACITY: usize>(
    queue: &mut Queue<usize, CAPACITY, WORKERS, BATCH>,
    models: &mut C,
    arrivals: &[Arrival],
    mut time: impl FnMut(&Ran) -> Micros,
) -> Vec<Fate> {
    let mut fates: Vec<Option<Fate>> = vec![None; arrivals.len()];
    let mut events: BinaryHeap<Reverse<(Timestamp, Event)>> = BinaryHeap::new();
    let mut runs: Vec<Option<(Worker, C::Ticket)>> = Vec::new();
    let mut coming = arrivals.iter().enumerate();
    let mut come = |events: &mut BinaryHeap<_>| {
        events.extend(coming.next().map(|(number, arrival)| Reverse((arrival.at, Event::Arrives(number)))));
    };
    come(&mut events);
    let mut polled_at = NEVER;
    while let Some(Reverse((now, event))) = events.pop() {
        match event {
            Event::Arrives(number) => {
                let request = arrivals[number].request;
                let full = queue.put(request, Draw::from_id(number as u64), number, now).is_err();
                assert!(!full, "it is full");
                come(&mut events);
            }
            Event::Ends(run) => {
                let (worker, ticket) = runs[run].take().unwrap();
                queue.ended(worker, now);
                if let Some(report) = ticket.completed(now) {
                    models.learn(report, now);
                }
            }
            Event::Overdue(run) => {
                let Some(report) = runs[run].as_mut().and_then(|(_, ticket)| ticket.overdue(now)) else {
                    continue;
                };
                models.learn(report, now);
            }
            Event::Polls => {}
        }
        while let Some(next) = models.next(queue, now) {
            match next {
                Next::Shed { job, why } => {
                    assert_eq!(fates[job].replace(Fate::Shed { at: now, why }), None);
                }
                Next::Run { worker, decision, ticket, jobs } => {
                    let (model, batch) = (decision.model.index(), jobs.len());
                    let usual = time(&Ran { model, from: now });
                    let stretch = 1.0 + Growth::DEFAULT.get() * (batch as f64 - 1.0);
                    let to = now.after(Micros::new((f64::from(usual.get()) * stretch).round() as u32));
                    for job in jobs {
                        let fate = Fate::Run { from: now, to, model, batch, reason: decision.reason };
                        assert_eq!(fates[job].replace(fate), None);
                    }
                    events.push(Reverse((to, Event::Ends(runs.len()))));
                    if ticket.overdue_at() < to {
                        events.push(Reverse((ticket.overdue_at(), Event::Overdue(runs.len()))));
                    }
                    runs.push(Some((worker, ticket)));
                }
            }
        }
        let due = queue.poll_at();
        assert!(due > now, "whoever sleeps until then would spin");
        if due < NEVER && due != polled_at {
            polled_at = due;
            events.push(Reverse((due, Event::Polls)));
        }
    }
    fates.into_iter().map(|fate| fate.expect("it waits for ever")).collect()
}

/// The accuracy in percent of all requests; 0 for one that is late or shed.
pub(crate) fn accuracy(arrivals: &[Arrival], fates: &[Fate]) -> f64 {
    let worth = |(arrival, fate): (&Arrival, &Fate)| match *fate {
        Fate::Run { to, model, .. } if to <= arrival.at.after(arrival.request.budget().time()) => {
            table3::MODELS[model].0
        }
        _ => 0.0,
    };
    arrivals.iter().zip(fates).map(worth).sum::<f64>() / arrivals.len() as f64
}
