//! Devices, a network and a server in virtual time.

use std::cmp::Ordering;
use std::collections::HashMap;

use mdinference::device::{Action, Counters, Event as Run, Source, Strategy, TokenBucket};
use mdinference::{
    Accuracy, Budget, Catalog, Device, Draw, Latency, Learning, Micros, ModelId, NetworkTime, Policy,
    Profile, Report, Server, Ticket, Timestamp, remote_time,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1, LogNormal, StandardNormal};

use crate::faults::{Faults, Spikes};
use crate::requests::{Asked, Phone, index};
use crate::table3::{LARGEST, MODELS};
use crate::timeline::Timeline;

/// The samples after which a live profile is within 5 % of the truth, as documented for `Smoothing::LATENCY`.
const SAMPLES_TO_TRUTH: u32 = 60;

/// The same after runs that failed. They count as slow, for want of anything better, by as much as the
/// request had time left; so there the mean comes back from further away than from any change that is not
/// taken for a shift.
const SAMPLES_AFTER_FAILURES: u32 = 100;

const PHONES: usize = 24;
/// Between two requests of all devices together, on average.
const GAP: Micros = Micros::from_millis(10);
/// The local model is as accurate as NasNet Mobile: more than some of the server's, less than others.
pub(crate) const LOCAL_ACCURACY: Accuracy = accuracy(6);
const LOCAL_LATENCY: Latency = Latency { mean: Micros::from_millis(40), deviation: Micros::from_millis(4) };
/// μ + 3σ of the local model.
const LOCAL_NEEDS: Micros = Micros::from_millis(52);
const SLAS: [Micros; 3] = [Micros::from_millis(100), Micros::from_millis(250), Micros::from_millis(400)];

/// Of a model of the server.
const fn accuracy(model: usize) -> Accuracy {
    match Accuracy::from_percent(MODELS[model].0) {
        Ok(accuracy) => accuracy,
        Err(_) => panic!("above 100 %"),
    }
}

#[derive(Clone, Copy)]
enum Event {
    /// Somebody asks.
    Ask,
    /// A device's clock steps.
    Step { phone: usize },
    /// The time that a request's device asked to be woken at.
    Timer { request: usize, timer: u64 },
    /// The upload is over.
    Arrive { request: usize },
    /// The request is through the server's queue.
    Dequeued { request: usize, model: ModelId },
    /// A remote run ends.
    Finish { request: usize, how: Ended },
    /// A remote run is overdue.
    Overdue { request: usize },
    /// A report has come to the one who learns. With how the run ended, if it was of its end.
    Learn { report: Report, ended: Option<RunEnd> },
    /// The device is told that a run has ended.
    Tell { request: usize, event: Run },
    /// The server is told that a run is not needed any more.
    Abandon { request: usize },
}

#[derive(Clone, Copy, PartialEq)]
enum Ended {
    Result,
    Error,
    Silence,
}

/// A run that was not abandoned.
#[derive(Clone, Copy)]
struct RunEnd {
    /// What the model takes without a cold start, in multiples of its profile.
    slowness: f64,
    failing: bool,
}

/// A run on the server.
struct Running {
    ticket: Ticket,
    end: RunEnd,
}

/// How a model's profile follows the truth.
#[derive(Clone, Copy)]
struct Followed {
    slowness: f64,
    /// Complete runs since the truth changed or a run failed.
    samples: u32,
    /// How many of them it takes.
    needed: u32,
    cold: bool,
}

/// What a scenario came to.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) requests: u64,
    /// Of devices without a cap, by strategy: always, deferred, at risk, never.
    pub(crate) strategies: [Counters; 4],
    /// Of devices with a cap.
    pub(crate) capped: Counters,
    /// Requests that ended with both results in time, by whether the remote one was less accurate than the
    /// local, as accurate, or more.
    pub(crate) both_in_time: [u64; 3],
    /// Requests during which the device's clock stepped.
    pub(crate) stepped: u64,
    /// Times that a profile was compared with the truth, by model.
    pub(crate) compared: [u64; MODELS.len()],
    /// The seconds at which runs of the largest model began.
    pub(crate) largest_began: Vec<u64>,
    /// The second at which each model was last compared with the truth.
    pub(crate) last_compared: [u64; MODELS.len()],
}

pub(crate) struct World {
    faults: Faults,
    timeline: Timeline<Event>,
    rng: StdRng,
    network: LogNormal<f64>,
    phones: Vec<Phone>,
    requests: Vec<Asked>,
    to_ask: usize,
    server: Server<16>,
    queued: HashMap<usize, Ticket>,
    running: HashMap<usize, Running>,
    followed: [Followed; MODELS.len()],
    summary: Summary,
}

impl World {
    pub(crate) fn new(faults: Faults, requests: usize, seed: u64) -> Self {
        let profiles =
            MODELS.map(|(accuracy, mean, std)| Profile::from_percent_and_millis(accuracy, mean, std));
        let catalog = Catalog::try_new(profiles).expect("valid models");
        let mut rng = StdRng::seed_from_u64(seed);
        let local = Profile::new(LOCAL_ACCURACY, LOCAL_LATENCY);
        let strategies = [Strategy::Always, Strategy::DEFERRED, Strategy::AT_RISK, Strategy::Never];
        let phones = (0..PHONES).map(|phone| {
            let strategy = phone % strategies.len();
            let capped = phone >= PHONES - strategies.len();
            let cap =
                if capped { TokenBucket::new(2, Micros::from_millis(900)) } else { TokenBucket::UNLIMITED };
            // Far enough from zero that steps back stay possible.
            let clock = Timestamp::from_micros(1_000_000_000_000 + rng.random_range(0..1_000_000));
            Phone { device: Device::new(local, strategies[strategy]).with_cap(cap), strategy, capped, clock }
        });
        let mut world = Self {
            phones: phones.collect(),
            timeline: Timeline::new(),
            // One way, in ms: T_nw has a median of 62 ms.
            network: LogNormal::new(3.43, 0.55).expect("a distribution"),
            requests: Vec::with_capacity(requests),
            to_ask: requests,
            server: Server::new(catalog, Policy::PAPER, Learning::DEFAULT),
            queued: HashMap::new(),
            running: HashMap::new(),
            followed: [Followed { slowness: 1.0, samples: 0, needed: SAMPLES_TO_TRUTH, cold: false };
                MODELS.len()],
            summary: Summary::default(),
            faults,
            rng,
        };
        world.timeline.after(Micros::ZERO, Event::Ask);
        if world.faults.clock_steps {
            (0..PHONES).for_each(|phone| world.timeline.after(Micros::ZERO, Event::Step { phone }));
        }
        world
    }

    /// Until everything is over; checks every promise.
    pub(crate) fn run(mut self) -> Summary {
        while let Some(event) = self.timeline.next() {
            self.happen(event);
        }
        assert!(self.running.is_empty() && self.queued.is_empty(), "a ticket was lost");
        for asked in &self.requests {
            asked.check(LOCAL_NEEDS);
            self.summary.stepped += u64::from(asked.stepped_forward || asked.hidden > Micros::ZERO);
        }
        for phone in &self.phones {
            let Summary { strategies, capped, .. } = &mut self.summary;
            let sum = if phone.capped { capped } else { &mut strategies[phone.strategy] };
            *sum = sum.merged(*phone.device.counters());
        }
        self.summary.requests = self.requests.len() as u64;
        let all = self.summary.strategies.into_iter().fold(self.summary.capped, Counters::merged);
        assert_eq!(all.requests(), self.summary.requests, "the devices counted otherwise");
        self.summary
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Ask => self.ask(),
            Event::Step { phone } => self.step(phone),
            Event::Timer { request, timer } => {
                if self.requests[request].timer == timer {
                    self.drive(request);
                }
            }
            Event::Arrive { request } => self.arrive(request),
            Event::Dequeued { request, model } => self.start_remote(request, model),
            Event::Finish { request, how } => self.finish(request, how),
            Event::Overdue { request } => self.overdue(request),
            Event::Learn { report, ended } => self.learn(report, ended),
            Event::Tell { request, event } => self.tell(request, event),
            Event::Abandon { request } => self.abandon(request),
        }
    }

    fn now(&self) -> Timestamp {
        self.timeline.now()
    }

    fn second(&self) -> u64 {
        self.now().as_micros() / 1_000_000
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    fn around(&mut self, mean: f64, deviation: f64) -> Micros {
        let score: f64 = StandardNormal.sample(&mut self.rng);
        Micros::try_from_millis((mean + deviation * score).max(0.1)).expect("a time")
    }

    // The device.

    fn ask(&mut self) {
        let phone = self.rng.random_range(0..PHONES);
        let sla = SLAS[self.rng.random_range(0..SLAS.len())];
        let now = self.now();
        let one_way = [0; 2].map(|_| {
            let millis = self.network.sample(&mut self.rng);
            Micros::try_from_millis(millis).expect("a time")
        });
        let local_time = self.around(LOCAL_LATENCY.mean.as_millis(), LOCAL_LATENCY.deviation.as_millis());
        let local_fails = self.chance(self.faults.local_failures);
        let Phone { device, .. } = &self.phones[phone];
        let reading = self.phones[phone].reading(now);
        self.requests.push(Asked {
            phone,
            request: device.begin(reading, sla, None),
            at: now,
            sla,
            one_way,
            local_time,
            local_fails,
            timer: 0,
            result: [None; 2],
            remote_accuracy: None,
            remote_failed: None,
            delivered: None,
            gave_up: None,
            last_call: now,
            stepped_back: false,
            stepped_forward: false,
            hidden: Micros::ZERO,
        });
        self.drive(self.requests.len() - 1);
        if self.requests.len() < self.to_ask {
            let pause: f64 = Exp1.sample(&mut self.rng);
            let pause = Micros::new((pause * f64::from(GAP.get())) as u32);
            self.timeline.after(pause, Event::Ask);
        }
    }

    /// Polls a request until it has nothing to do, and sets its timer.
    fn drive(&mut self, request: usize) {
        let now = self.now();
        loop {
            let asked = &mut self.requests[request];
            let phone = &mut self.phones[asked.phone];
            let reading = phone.reading(now);
            asked.call(now);
            let Some(action) = phone.device.poll(&mut asked.request, reading) else {
                // Sleeping is relative: a timer does not step with the clock.
                asked.timer += 1;
                if let Some(at) = asked.request.poll_at() {
                    assert!(at > reading, "the device would spin");
                    let timer = asked.timer;
                    self.timeline.timer(at.since(reading), Event::Timer { request, timer });
                }
                return;
            };
            match action {
                Action::Start(Source::Remote) => {
                    let upload = asked.one_way[0];
                    if !self.chance(self.faults.lost_requests) {
                        self.timeline.after(upload, Event::Arrive { request });
                    }
                }
                Action::Start(Source::Local) => {
                    let event = if asked.local_fails { Run::Failed(Source::Local) } else { Run::Local };
                    self.timeline.after(asked.local_time, Event::Tell { request, event });
                }
                Action::Deliver(source) => {
                    assert!(!asked.ended(), "delivered twice");
                    assert!(asked.result[index(source)].is_some(), "{source:?} delivered without a result");
                    asked.check_ending(now, Some(source));
                    asked.delivered = Some(now);
                    if let Some(compared) = asked.compared() {
                        let [less, equal, more] = &mut self.summary.both_in_time;
                        *match compared {
                            Ordering::Less => less,
                            Ordering::Equal => equal,
                            Ordering::Greater => more,
                        } += 1;
                    }
                }
                Action::GiveUp => {
                    assert!(!asked.ended(), "gave up after the end");
                    asked.check_ending(now, None);
                    asked.gave_up = Some(now);
                }
                Action::Cancel(Source::Remote) => {
                    let upload = asked.one_way[0];
                    self.timeline.after(upload, Event::Abandon { request });
                }
                // The result of a cancelled run is told all the same: that is to be harmless.
                Action::Cancel(Source::Local) => {}
            }
        }
    }

    fn tell(&mut self, request: usize, event: Run) {
        let now = self.now();
        let asked = &mut self.requests[request];
        asked.note(now, event);
        asked.call(now);
        let reading = self.phones[asked.phone].reading(now);
        asked.request.handle(reading, event);
        self.drive(request);
    }

    fn step(&mut self, phone: usize) {
        let back = self.chance(0.5);
        let by = self.rng.random_range(0..60_000_000);
        let clock = self.phones[phone].clock.as_micros();
        self.phones[phone].clock = Timestamp::from_micros(if back { clock - by } else { clock + by });
        let mut under_way = false;
        for asked in self.requests.iter_mut().rev().take(2_000) {
            if asked.phone == phone && !asked.ended() {
                under_way = true;
                asked.stepped_back |= back;
                asked.stepped_forward |= !back;
            }
        }
        if under_way || self.requests.len() < self.to_ask {
            let pause: f64 = Exp1.sample(&mut self.rng);
            self.timeline.after(Micros::new((pause * 1e6) as u32), Event::Step { phone });
        }
    }

    // The server.

    fn arrive(&mut self, request: usize) {
        let Asked { sla, one_way: [upload, _], phone, .. } = self.requests[request];
        let spike = match self.faults.queue_spikes {
            Some(_) if self.second() % 4 == 3 => Micros::new(self.rng.random_range(0..200_000)),
            _ => Micros::ZERO,
        };
        let told = if self.faults.queue_spikes == Some(Spikes::Told) { spike } else { Micros::ZERO };
        let budget = Budget::new(sla, NetworkTime::TwiceInput(upload)).minus(told);
        let draw = Draw::from_rng(&mut self.rng);
        let (decision, ticket) = self.server.begin(budget, draw, self.now());
        self.queued.insert(request, ticket);
        self.timeline.after(spike, Event::Dequeued { request, model: decision.model });

        // The device knows T_input now, and expects what the server most likely does.
        let model = self.server.explain(budget, self.now()).base.expect("there are models").model();
        let network = Latency { mean: upload.saturating_mul(2), deviation: Micros::new(upload.get() / 2) };
        let expected = remote_time(network, model.profile.latency);
        let asked = &mut self.requests[request];
        self.phones[phone].device.expect(&mut asked.request, expected);
        self.drive(request);
    }

    fn start_remote(&mut self, request: usize, model: ModelId) {
        // It may have been abandoned while it waited.
        let Some(mut ticket) = self.queued.remove(&request) else { return };
        ticket.started(self.now());
        let number = model.index();
        let second = self.second();
        if number == LARGEST {
            self.summary.largest_began.push(second);
        }

        let slowness = self.faults.slowness(number, second);
        let followed = &mut self.followed[number];
        if followed.slowness != slowness {
            *followed = Followed { slowness, samples: 0, needed: SAMPLES_TO_TRUTH, ..*followed };
        }
        if self.faults.cold_start == Some(second) {
            self.faults.cold_start = None;
            self.followed.iter_mut().for_each(|followed| followed.cold = true);
        }
        let cold = std::mem::take(&mut self.followed[number].cold);
        let (_, mean, deviation) = MODELS[number];
        let warm = self.around(slowness * mean, slowness * deviation);
        let takes = if cold { warm.saturating_add(Micros::from_millis(2_000)) } else { warm };
        let failing = self.faults.failing(second);
        let (takes, how) = if failing && self.chance(self.faults.errors) {
            (Micros::from_millis(1), Ended::Error)
        } else if failing && self.chance(self.faults.silent_failures) {
            (Micros::from_millis(1), Ended::Silence)
        } else {
            (takes, Ended::Result)
        };
        let overdue = ticket.overdue_at().since(self.now());
        let end = RunEnd { slowness, failing: how != Ended::Result };
        self.running.insert(request, Running { ticket, end });
        self.timeline.after(takes, Event::Finish { request, how });
        self.timeline.after(overdue, Event::Overdue { request });
    }

    fn finish(&mut self, request: usize, how: Ended) {
        // It may have been abandoned.
        let Some(Running { ticket, end }) = self.running.remove(&request) else {
            return;
        };
        let (model, now) = (ticket.model(), self.now());
        let report = if how == Ended::Result { ticket.completed(now) } else { ticket.failed(now) };
        self.send(report, Some(end));

        let event = match how {
            Ended::Result => Run::Remote(Some(accuracy(model.index()))),
            Ended::Error => Run::Failed(Source::Remote),
            Ended::Silence => return,
        };
        let download = self.requests[request].one_way[1];
        if !self.chance(self.faults.lost_responses) {
            self.timeline.after(download, Event::Tell { request, event });
        }
        if self.chance(self.faults.repeated_responses) {
            let again = if self.chance(0.5) { event } else { Run::Failed(Source::Remote) };
            self.timeline.after(download.saturating_mul(3), Event::Tell { request, event: again });
        }
    }

    /// To the one who learns, which takes a while, and now and then a long while: reports overtake each
    /// other.
    fn send(&mut self, report: Report, ended: Option<RunEnd>) {
        let longest = if self.chance(0.01) { 50_000 } else { 500 };
        let delay = Micros::new(self.rng.random_range(0..longest));
        self.timeline.after(delay, Event::Learn { report, ended });
    }

    fn learn(&mut self, report: Report, ended: Option<RunEnd>) {
        self.server.learn(report, self.now());
        if let Some(RunEnd { slowness, failing }) = ended {
            self.compare(report.model, slowness, failing);
        }
    }

    /// A run of `model` was finished: compares every live profile with the truth that has had the samples
    /// that this takes.
    fn compare(&mut self, model: ModelId, slowness: f64, failed: bool) {
        let second = self.second();
        let followed = &mut self.followed[model.index()];
        if failed {
            // A failure counts as slow, on purpose: the truth is not what is to be found now.
            followed.samples = 0;
            followed.needed = SAMPLES_AFTER_FAILURES;
        } else if slowness == followed.slowness {
            followed.samples += 1;
        }
        for (number, followed) in self.followed.iter().enumerate() {
            let Followed { slowness, samples, needed, .. } = *followed;
            if samples >= needed {
                // One that is held shows the longest times, and keeps its profile.
                let id = self.server.catalog().id(number).expect("a model");
                let learnt = self.server.learnt(id).expect("a model").latency;
                let known = learnt.latency().expect("a prior").mean.as_millis();
                let truth = MODELS[number].1 * slowness;
                let off = (known / truth - 1.0).abs();
                assert!(off <= 0.05, "model {number}: {known} ms after {samples} samples of {truth} ms");
            }
        }
        let followed = self.followed[model.index()];
        if followed.samples >= followed.needed {
            self.summary.compared[model.index()] += 1;
            self.summary.last_compared[model.index()] = second;
        }
    }

    fn overdue(&mut self, request: usize) {
        let now = self.now();
        let Some(Running { ticket, .. }) = self.running.get_mut(&request) else { return };
        let report = ticket.overdue(now).expect("the ticket said when");
        self.send(report, None);
    }

    fn abandon(&mut self, request: usize) {
        // Its result is lost, and with it what it tells of the truth.
        if let Some(Running { ticket, .. }) = self.running.remove(&request) {
            let report = ticket.cancelled(self.now());
            self.send(report, None);
        }
        // One that has not run has nothing to tell.
        self.queued.remove(&request);
    }
}
