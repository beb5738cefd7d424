//! A server in virtual time: Poisson arrivals, a worker for each run, reports as soon as there is something to tell.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use mdinference::{
    Budget, Catalog, Decision, Draw, Front, Learning, Micros, Policy, Profile, Question, Reason, Report, Server,
    Ticket, Timestamp,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Exp1, StandardNormal};

pub(crate) const MODELS: usize = 16;

/// Table III without its fictional model.
pub(crate) const TABLE3: [(f64, f64, f64); 11] = [
    (49.0, 4.91, 0.06),
    (49.7, 3.21, 0.08),
    (63.2, 4.21, 0.06),
    (64.2, 25.49, 0.14),
    (68.3, 4.67, 0.07),
    (71.0, 5.43, 0.11),
    (73.9, 21.18, 0.17),
    (77.5, 50.85, 0.33),
    (77.9, 31.11, 0.19),
    (80.1, 59.21, 0.22),
    (82.6, 112.61, 0.36),
];

/// NasNet Large.
pub(crate) const LARGEST: usize = 10;

/// A run under way; those that end first come first.
struct Running {
    ticket: Ticket,
    begun: Timestamp,
}

pub(crate) struct World {
    pub(crate) server: Server<MODELS>,
    front: Front<MODELS>,
    /// Requests choose by copies of the front, and only reports come to the server.
    pub(crate) snapshots: bool,
    rng: StdRng,
    gap: f64,
    now: Timestamp,
    next: Timestamp,
    /// When a run tells something: at its end, or when it is overdue.
    events: BinaryHeap<Reverse<(Timestamp, usize, bool)>>,
    running: Vec<Option<Running>>,
    free: Vec<usize>,
    usual: Vec<(f64, f64)>,
}

/// What came of the requests of a span.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) picked: [u32; MODELS],
    pub(crate) late: u32,
    pub(crate) probes: u32,
    /// Times that a front was published.
    pub(crate) published: u32,
}

pub(crate) fn seconds(seconds: u32) -> Micros {
    Micros::from_millis(1_000 * seconds)
}

impl World {
    pub(crate) fn table3(rps: f64, seed: u64) -> Self {
        Self::of(TABLE3, rps, seed)
    }

    pub(crate) fn of<const N: usize>(models: [(f64, f64, f64); N], rps: f64, seed: u64) -> Self {
        let profiles = models.map(|(accuracy, mean, deviation)| {
            Profile::from_percent_and_millis(accuracy, mean, deviation)
        });
        let server = Server::new(Catalog::try_new(profiles).unwrap(), Policy::PAPER, Learning::DEFAULT);
        Self {
            front: server.front().clone(),
            server,
            snapshots: false,
            rng: StdRng::seed_from_u64(seed),
            gap: 1e6 / rps,
            now: Timestamp::from_micros(1_000_000),
            next: Timestamp::from_micros(1_000_000),
            events: BinaryHeap::new(),
            running: Vec::new(),
            free: Vec::new(),
            usual: models.iter().map(|&(_, mean, deviation)| (1e3 * mean, 1e3 * deviation)).collect(),
        }
    }

    /// Lets a span go by. `time` says how long a run of a model takes that usually takes so long, and begins now.
    pub(crate) fn run(
        &mut self,
        span: Micros,
        question: impl Question,
        mut time: impl FnMut(usize, Micros, Timestamp) -> Micros,
    ) -> Outcome
    where
        Budget: Sized,
    {
        let end = self.now.after(span);
        let mut outcome = Outcome::default();
        loop {
            let event = self.events.peek().map(|Reverse((at, ..))| *at);
            match event {
                Some(at) if at <= self.next => {
                    if at >= end {
                        break;
                    }
                    let Some(Reverse((_, place, ended))) = self.events.pop() else { break };
                    self.now = at;
                    self.tell(place, ended, &mut outcome);
                }
                _ => {
                    if self.next >= end {
                        break;
                    }
                    self.now = self.next;
                    let gap: f64 = Exp1.sample(&mut self.rng);
                    self.next = self.now.after(Micros::new((gap * self.gap) as u32));
                    self.begin(question, &mut time, &mut outcome);
                }
            }
        }
        self.now = end;
        outcome
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// No run of a model that is under way ends before then.
    pub(crate) fn stall(&mut self, model: usize, until: Timestamp) {
        let events = std::mem::take(&mut self.events).into_vec();
        for Reverse((at, place, ended)) in events {
            let stalled = self.running[place].as_ref().is_some_and(|run| run.ticket.model().index() == model);
            let at = if stalled && ended { at.max(until) } else { at };
            self.events.push(Reverse((at, place, ended)));
            if stalled && ended {
                let overdue = self.running[place].as_ref().map(|run| run.ticket.overdue_at()).unwrap();
                if overdue < at {
                    self.events.push(Reverse((overdue, place, false)));
                }
            }
        }
    }

    fn begin<Q: Question>(
        &mut self,
        question: Q,
        time: &mut impl FnMut(usize, Micros, Timestamp) -> Micros,
        outcome: &mut Outcome,
    ) {
        let draw = Draw::from_uniform_bits(self.rng.next_u64());
        let request = question.request();
        let (decision, ticket): (Decision, Ticket) = if self.snapshots {
            self.front.begin(request, draw, self.now).unwrap()
        } else {
            self.server.begin(request, draw, self.now).unwrap()
        };
        let model = decision.model.index();
        let (mean, deviation) = self.usual[model];
        let score: f64 = StandardNormal.sample(&mut self.rng);
        let took = time(model, Micros::new((mean + deviation * score).max(1.0) as u32), self.now);
        let ends = self.now.after(took);
        outcome.picked[model] += 1;
        outcome.probes += u32::from(decision.reason == Reason::Probe);
        outcome.late += u32::from(ends > ticket.deadline());
        let overdue = ticket.overdue_at();
        let place = self.free.pop().unwrap_or(self.running.len());
        let running = Some(Running { ticket, begun: self.now });
        if place == self.running.len() {
            self.running.push(running);
        } else {
            self.running[place] = running;
        }
        if overdue < ends {
            self.events.push(Reverse((overdue, place, false)));
        }
        self.events.push(Reverse((ends, place, true)));
    }

    fn tell(&mut self, place: usize, ended: bool, outcome: &mut Outcome) {
        let report = if ended {
            self.free.push(place);
            let Running { ticket, begun } = self.running[place].take().unwrap();
            assert!(begun <= self.now);
            ticket.completed(self.now)
        } else {
            self.running[place].as_mut().unwrap().ticket.overdue(self.now).unwrap()
        };
        self.learn(report, outcome);
    }

    fn learn(&mut self, report: Report, outcome: &mut Outcome) {
        if self.server.learn(report, self.now) {
            outcome.published += 1;
            self.front.clone_from(self.server.front());
        }
    }
}
