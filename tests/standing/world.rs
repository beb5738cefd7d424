//! A server in virtual time: Poisson arrivals, a worker for each run, reports as soon as there is something to tell.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use mdinference::{
    Catalog, Draw, Front, Learning, Micros, ModelId, Policy, Profile, Question, Reason, Report, Server,
    Standing, Ticket, Timestamp,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Exp1, StandardNormal};

use crate::table3;

pub(crate) const MODELS: usize = 12;

/// What becomes of a run.
#[derive(Clone, Copy)]
pub(crate) enum Fate {
    Took(Micros),
    Fails(Micros),
    /// Its task dies with the ticket, without a report.
    Lost,
}

impl From<Micros> for Fate {
    fn from(time: Micros) -> Self {
        Self::Took(time)
    }
}

pub(crate) struct World {
    pub(crate) server: Server<MODELS>,
    /// Requests choose by copies of the front, and only reports come to the server.
    pub(crate) snapshots: bool,
    /// Runs are reported as overdue.
    pub(crate) overdue: bool,
    /// Each answer is judged, by the accuracy of the model that gave it.
    pub(crate) judged: Option<[f64; MODELS]>,
    front: Front<MODELS>,
    /// How often the front had changed.
    pub(crate) published: u32,
    rng: StdRng,
    /// In µs.
    gap: f64,
    pub(crate) now: Timestamp,
    next: Timestamp,
    /// When a run tells something: that it is overdue, or its end.
    events: BinaryHeap<Reverse<(Timestamp, usize, Event)>>,
    running: Vec<Option<Ticket>>,
    free: Vec<usize>,
    /// μ and σ in µs.
    usual: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Overdue,
    Completed,
    Failed,
}

/// What came of the requests of a span.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) requests: u32,
    pub(crate) picked: [u32; MODELS],
    pub(crate) late: u32,
    pub(crate) probes: u32,
}

pub(crate) const fn millis(millis: u32) -> Micros {
    Micros::from_millis(millis)
}

pub(crate) const fn seconds(seconds: u32) -> Micros {
    Micros::from_millis(1_000 * seconds)
}

impl World {
    /// Of Table III.
    pub(crate) fn new(requests_a_second: f64, seed: u64) -> Self {
        Self::of(table3::MODELS, requests_a_second, seed)
    }

    pub(crate) fn of<const N: usize>(
        models: [(f64, f64, f64); N],
        requests_a_second: f64,
        seed: u64,
    ) -> Self {
        let profiles = models
            .map(|(accuracy, mean, deviation)| Profile::from_percent_and_millis(accuracy, mean, deviation));
        let server = Server::new(Catalog::try_new(profiles).unwrap(), Policy::PAPER, Learning::DEFAULT);
        let start = Timestamp::from_micros(1_000_000);
        Self {
            front: server.front().clone(),
            server,
            snapshots: false,
            overdue: true,
            judged: None,
            published: 0,
            rng: StdRng::seed_from_u64(seed),
            gap: 1e6 / requests_a_second,
            now: start,
            next: start,
            events: BinaryHeap::new(),
            running: Vec::new(),
            free: Vec::new(),
            usual: models.iter().map(|&(_, mean, deviation)| (1e3 * mean, 1e3 * deviation)).collect(),
        }
    }

    /// A model that has never been measured.
    pub(crate) fn add_canary(&mut self, (accuracy, mean, deviation): (f64, f64, f64), share: f64) -> ModelId {
        let claimed = Profile::from_percent_and_millis(accuracy, mean, deviation).unwrap();
        self.usual.push((1e3 * mean, 1e3 * deviation));
        self.server.add_canary(claimed, mdinference::Share::from_percent(share).unwrap()).unwrap()
    }

    pub(crate) fn id(&self, model: usize) -> ModelId {
        self.server.catalog().id(model).unwrap()
    }

    pub(crate) fn standing(&self, model: usize) -> Standing {
        self.server.standing(self.id(model)).unwrap()
    }

    /// Lets a span go by in which all requests are alike. `fate` says what becomes of a run of a model that usually takes
    /// so long and begins now.
    pub(crate) fn run<F: Into<Fate>>(
        &mut self,
        span: Micros,
        question: impl Question,
        fate: impl FnMut(usize, Micros, Timestamp) -> F,
    ) -> Outcome {
        self.run_mixed(span, |_| question, fate)
    }

    /// The same where requests differ; they are numbered.
    pub(crate) fn run_mixed<F: Into<Fate>, Q: Question>(
        &mut self,
        span: Micros,
        question: impl Fn(u32) -> Q,
        mut fate: impl FnMut(usize, Micros, Timestamp) -> F,
    ) -> Outcome {
        let end = self.now.after(span);
        let mut outcome = Outcome::default();
        loop {
            let event = self.events.peek().map_or(Timestamp::from_micros(u64::MAX), |Reverse((at, ..))| *at);
            if event.min(self.next) >= end {
                break;
            }
            self.now = event.min(self.next);
            if event <= self.next {
                let Some(Reverse((_, place, event))) = self.events.pop() else { break };
                self.tell(place, event);
            } else {
                let gap: f64 = Exp1.sample(&mut self.rng);
                self.next = self.now.after(Micros::new((gap * self.gap) as u32));
                self.begin(question(outcome.requests), &mut fate, &mut outcome);
            }
        }
        self.now = end;
        outcome
    }

    /// Each model as it is usually.
    pub(crate) fn run_well(&mut self, span: Micros, question: impl Question) -> Outcome {
        self.run(span, question, |_, usual, _| usual)
    }

    /// No run of a model ends for a span, neither those under way nor those that begin in it.
    pub(crate) fn stall(&mut self, model: usize, span: Micros, question: impl Question) -> Outcome {
        let until = self.now.after(span);
        for Reverse((at, place, event)) in std::mem::take(&mut self.events).into_vec() {
            let ticket = self.running[place].as_ref().unwrap();
            let stalls = ticket.model().index() == model && event != Event::Overdue && at < until;
            if stalls && self.overdue && ticket.overdue_at() < until {
                self.events.push(Reverse((ticket.overdue_at(), place, Event::Overdue)));
            }
            self.events.push(Reverse((if stalls { until } else { at }, place, event)));
        }
        self.run(
            span,
            question,
            |picked, usual, now| {
                if picked == model { usual.max(until.since(now)) } else { usual }
            },
        )
    }

    fn begin<F: Into<Fate>>(
        &mut self,
        question: impl Question,
        fate: &mut impl FnMut(usize, Micros, Timestamp) -> F,
        outcome: &mut Outcome,
    ) {
        let draw = Draw::from_uniform_bits(self.rng.next_u64());
        let request = question.request();
        let begun = match self.snapshots {
            true => self.front.begin(request, draw, self.now),
            false => self.server.begin(request, draw, self.now),
        };
        let (decision, ticket) = begun.unwrap();
        let model = decision.model.index();
        let (mean, deviation) = self.usual[model];
        let score: f64 = StandardNormal.sample(&mut self.rng);
        let usual = Micros::new((mean + deviation * score).max(1.0) as u32);
        outcome.requests += 1;
        outcome.picked[model] += 1;
        outcome.probes += u32::from(decision.reason == Reason::Probe);
        let (time, event) = match fate(model, usual, self.now).into() {
            Fate::Took(time) => (time, Event::Completed),
            Fate::Fails(time) => (time, Event::Failed),
            Fate::Lost => {
                outcome.late += 1;
                return;
            }
        };
        let ends = self.now.after(time);
        outcome.late += u32::from(ends > ticket.deadline() || event == Event::Failed);
        let overdue = ticket.overdue_at();
        let place = self.free.pop().unwrap_or_else(|| {
            self.running.push(None);
            self.running.len() - 1
        });
        self.running[place] = Some(ticket);
        if overdue < ends && self.overdue {
            self.events.push(Reverse((overdue, place, Event::Overdue)));
        }
        self.events.push(Reverse((ends, place, event)));
    }

    fn tell(&mut self, place: usize, event: Event) {
        if event == Event::Overdue {
            let report = self.running[place].as_mut().and_then(|ticket| ticket.overdue(self.now));
            report.into_iter().for_each(|report| self.learn(report));
            return;
        }
        self.free.push(place);
        let ticket = self.running[place].take().unwrap();
        let model = ticket.model();
        self.learn(if event == Event::Failed { ticket.failed(self.now) } else { ticket.completed(self.now) });
        if let Some(accuracies) = self.judged {
            let share = self.rng.next_u64() as f64 / u64::MAX as f64;
            self.learn(Report::judged(model, share < accuracies[model.index()] / 100.0));
        }
    }

    fn learn(&mut self, report: Report) {
        if self.server.learn(report, self.now) {
            self.published += 1;
            self.front.clone_from(self.server.front());
        }
    }
}
