//! Sequences of operations on a queue, decoded from any bytes, against a plain list of those that wait: run by proptest
//! and by a fuzz target alike.

use std::cell::RefCell;
use std::rc::Rc;

use mdinference::load::{Full, Growth, Hopeless, Next, Queue, Settings, Shed, Waiting, Worker};
use mdinference::{
    Accuracy, Budget, Catalog, Cost, Decision, Draw, Front, Index, Latency, Learning, Margin, Micros, Model,
    ModelId, ModelSet, Policy, Price, Profile, Reason, Report, Request, Server, Sharpness, Ticket, Timestamp,
};

#[path = "bytes.rs"]
mod bytes;
#[path = "../queue/oracle.rs"]
pub(crate) mod oracle;

use bytes::Bytes;
use oracle::{Dispatched, Setting, Waiter};

const MODELS: usize = 6;
const WORKERS: usize = 8;
const BATCH: usize = 32;
const NEVER: Timestamp = Timestamp::from_micros(u64::MAX);

impl Bytes<'_> {
    /// Spans of every size, most of them of up to a quarter of a second.
    fn span(&mut self) -> Micros {
        let fine = u32::from(self.byte());
        match self.byte() {
            0 => Micros::ZERO,
            1 => Micros::MAX,
            2 => Micros::new(fine << 23),
            3 => Micros::new(fine << 14),
            4..=15 => Micros::new(fine),
            coarse => Micros::new(u32::from(coarse) << 10 | fine),
        }
    }

    fn accuracy(&mut self) -> Accuracy {
        Accuracy::from_ppm(u32::from(self.byte()) * 3_900).unwrap()
    }

    fn profile(&mut self) -> Profile {
        let deviation = if self.byte() < 32 { self.span() } else { Micros::new(u32::from(self.byte()) << 4) };
        let latency = Latency { mean: self.span(), deviation };
        Profile::new(self.accuracy(), latency).with_cost(Cost(u32::from(self.byte())))
    }

    fn policy(&mut self) -> Policy {
        let margin = [1.0, 1.0, 0.0, 3.0, 1_000.0][self.number(5)];
        let sharpness = [1, 3][self.number(2)];
        Policy { margin: Margin::new(margin).unwrap(), sharpness: Sharpness::new(sharpness).unwrap() }
    }

    /// Of all sizes, with few bits set.
    fn size(&mut self) -> u64 {
        u64::from(self.byte()) << (self.byte() % 57)
    }

    fn price(&mut self) -> Price {
        Price { per_micro: self.size(), per_micro_squared: self.size(), per_cost: self.size() }
    }

    /// One of these; `None` if there are none.
    fn place<T>(&mut self, items: &[T]) -> Option<usize> {
        let wide = u16::from_be_bytes([self.byte(), self.byte()]);
        usize::from(wide).checked_rem(items.len())
    }
}

/// Who chooses.
#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one")]
enum Models {
    Index(Index<MODELS>),
    Front(Front<MODELS>),
    Server(Server<MODELS>),
}

impl Models {
    fn catalog(&self) -> &Catalog<MODELS> {
        match self {
            Self::Index(index) => index.catalog(),
            Self::Front(front) => front.catalog(),
            Self::Server(server) => server.catalog(),
        }
    }

    fn policy(&self) -> &Policy {
        match self {
            Self::Index(index) => index.policy(),
            Self::Front(front) => front.policy(),
            Self::Server(server) => server.policy(),
        }
    }

    fn front(&self) -> Option<&Front<MODELS>> {
        match self {
            Self::Index(_) => None,
            Self::Front(front) => Some(front),
            Self::Server(server) => Some(server.front()),
        }
    }

    /// By what a model may do, held or not.
    fn live(&self, model: ModelId) -> Profile {
        self.front().map_or_else(|| self.catalog().get(model).copied(), |front| front.live(model)).unwrap()
    }

    /// What is due by now is done.
    fn polled(&self, now: Timestamp) -> Self {
        let mut polled = self.clone();
        if let Self::Server(server) = &mut polled
            && now >= server.poll_at()
        {
            server.poll(now);
        }
        polled
    }
}

/// What the caller keeps with a request: counted, so that none is lost and none comes twice.
#[derive(Debug)]
struct Job {
    id: usize,
    /// Not a copy of one.
    real: bool,
    book: Book,
}

/// How often each job has been dropped.
type Book = Rc<RefCell<Vec<u32>>>;

impl Clone for Job {
    fn clone(&self) -> Self {
        Self { id: self.id, real: false, book: Rc::clone(&self.book) }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if self.real {
            self.book.borrow_mut()[self.id] += 1;
        }
    }
}

/// One that waits, as the list knows it.
#[derive(Clone, Copy, Debug)]
struct Listed {
    id: usize,
    deadline: Timestamp,
    request: Request<'static>,
    earlier: Option<(Budget, Accuracy)>,
    draw: Draw,
}

impl Listed {
    /// As it waits now.
    fn at<'a>(&self, allowed: Option<&'a ModelSet<MODELS>>, now: Timestamp) -> Waiter<'a> {
        let request: Request<'a> = self.request;
        Waiter {
            asked: allowed.map_or(request, |allowed| request.with_allowed(allowed)),
            earlier: self.earlier.map(|(earlier, worth)| (earlier, worth.as_ppm())),
            slack: self.deadline.as_micros().saturating_sub(now.as_micros()),
        }
    }
}

/// What is handed out.
enum Handed {
    Shed { job: Job, why: Shed },
    Run { worker: Worker, decision: Decision, ticket: Option<Ticket>, jobs: Vec<Job> },
}

/// A queue, and what is around it.
struct Operated<const CAPACITY: usize> {
    queue: Box<Queue<Job, CAPACITY, WORKERS, BATCH, [Growth; MODELS]>>,
    models: Models,
    settings: Settings,
    workers: usize,
    most: usize,
    growth: [u32; MODELS],
    /// In the order of their deadlines, equal ones in that of their coming.
    waiting: Vec<Listed>,
    book: Book,
    places: Vec<(Waiting, usize)>,
    running: Vec<(Worker, Option<Ticket>)>,
    /// Of runs that have ended.
    former: Vec<Worker>,
    /// Of another queue.
    stranger: Worker,
    reports: Vec<Report>,
    now: Timestamp,
    /// All that was ever said, so that it can be said again.
    transcript: Vec<u64>,
}

/// Builds a queue and drives it by `bytes`. Panics if it breaks a promise; gives back all that it said.
#[allow(unreachable_pub, reason = "a fuzz target includes this file too")]
pub fn run(bytes: &[u8]) -> Vec<u64> {
    let mut bytes = Bytes::new(bytes);
    // The largest takes too long to be copied under Miri.
    match bytes.number(if cfg!(miri) { 4 } else { 5 }) {
        0 => operate::<1>(bytes),
        1 => operate::<2>(bytes),
        2 => operate::<5>(bytes),
        3 => operate::<64>(bytes),
        _ => operate::<1_000>(bytes),
    }
}

fn operate<const CAPACITY: usize>(mut bytes: Bytes<'_>) -> Vec<u64> {
    let profiles: Vec<Profile> = (0..=bytes.number(MODELS as u8)).map(|_| bytes.profile()).collect();
    let catalog = Catalog::<MODELS>::new(profiles).unwrap();
    let policy = bytes.policy();
    let models = match bytes.number(3) {
        0 => Models::Index(Index::new(catalog, policy)),
        1 => Models::Front(Server::new(catalog, policy, Learning::DEFAULT).front().clone()),
        _ => Models::Server(Server::new(catalog, policy, Learning::DEFAULT)),
    };
    let kinds = bytes.byte();
    let settings = Settings::DEFAULT.with_priced(kinds & 3 > 0).with_hopeless(if kinds & 12 > 0 {
        Hopeless::Shed
    } else {
        Hopeless::Fastest
    });
    let workers = 1 + bytes.number(WORKERS as u8);
    let most = [1, 1, 2, 3, 8, BATCH][bytes.number(6)];
    let growth = [0; MODELS].map(|_| [0, 1, 150, 500, 1_000][bytes.number(5)]);
    let growths = growth.map(|growth| Growth::new(f64::from(growth) / 1_000.0).unwrap());
    let queue = Queue::new(settings)
        .with_workers(workers as u16)
        .with_max_batch(most as u16)
        .with_batch_time(growths);
    let now = [0, 1_000_000, 1_700_000_000_000_000, u64::MAX - 1_000_000][bytes.number(4)];
    let mut operated = Operated::<CAPACITY> {
        queue: Box::new(queue),
        models,
        settings,
        workers,
        most,
        growth,
        waiting: Vec::new(),
        book: Book::default(),
        places: Vec::new(),
        running: Vec::new(),
        former: Vec::new(),
        stranger: stranger(),
        reports: Vec::new(),
        now: Timestamp::from_micros(now),
        transcript: Vec::new(),
    };
    while bytes.0.len() > 1 {
        operated.step(&mut bytes);
        operated.check();
    }
    operated.finish()
}

/// A worker that no queue of [`WORKERS`] has.
fn stranger() -> Worker {
    let index = Index::new(Catalog::<1>::new([Profile::default()]).unwrap(), Policy::PAPER);
    let mut other: Queue<(), 1, { WORKERS + 1 }> = Queue::new(Settings::DEFAULT);
    let mut last = None;
    for _ in 0..=WORKERS {
        let request = Request::new(Budget::of(Micros::new(1)));
        other.put(request, Draw::from_id(0), (), Timestamp::default()).unwrap();
        match other.next(&index, Timestamp::default()) {
            Some(Next::Run { worker, .. }) => last = Some(worker),
            _ => unreachable!(),
        }
    }
    last.unwrap()
}

impl<const CAPACITY: usize> Operated<CAPACITY> {
    fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.byte() % 16 {
            0 | 1 => self.put(bytes),
            2 => {
                for _ in 0..bytes.number(40) {
                    self.put(bytes);
                }
            }
            3 => {
                // Equal deadlines, and near ones.
                let (budget, apart) = (bytes.span(), bytes.number(3) as u32);
                for number in 0..bytes.byte().into() {
                    let asked = Asked::plain(Micros::new(budget.get() + apart * (number % 2)));
                    self.put_asked(asked, Draw::from_id(number.into()));
                }
            }
            // As it is meant to be used.
            4..=6 => self.drain(),
            7 => drop(self.next(None)),
            8 => {
                let set = bytes.byte();
                let catalog = self.models.catalog();
                let places = (0..MODELS).filter(|&place| set >> place & 1 == 1);
                let allowed = places.filter_map(|place| catalog.id(place)).collect();
                while self.next(Some(&allowed)) {}
            }
            9 => {
                if let Some(place) = bytes.place(&self.running) {
                    self.end(place, bytes.byte());
                }
            }
            10 => {
                let how = bytes.byte();
                while !self.running.is_empty() {
                    self.end(0, how);
                }
            }
            11 => {
                // Nobody's.
                if let Some(place) = bytes.place(&self.former) {
                    self.queue.ended(self.former[place], self.now);
                }
                self.queue.ended(self.stranger, self.now);
            }
            12 => {
                for _ in 0..=bytes.number(8) {
                    let Some(place) = bytes.place(&self.places) else { return };
                    self.cancel(place);
                }
            }
            13 => {
                let span = bytes.span();
                self.now = match bytes.number(8) {
                    0 => Timestamp::from_micros(bytes.wide()),
                    1 => self.now.before(span),
                    2 => NEVER,
                    _ => self.now.after(span),
                };
            }
            14 => {
                // As somebody does who sleeps until then.
                let due = self.queue.poll_at();
                if due < NEVER {
                    self.now = self.now.max(due);
                    self.drain();
                }
            }
            _ => self.learn(bytes),
        }
    }

    fn put(&mut self, bytes: &mut Bytes<'_>) {
        let asked = Asked::new(bytes);
        self.put_asked(asked, Draw::from_uniform_bits(bytes.wide()));
    }

    fn put_asked(&mut self, asked: Asked, draw: Draw) {
        let id = self.book.borrow().len();
        self.book.borrow_mut().push(0);
        let job = Job { id, real: true, book: Rc::clone(&self.book) };
        let request = asked.request();
        let put = if asked.borrows {
            // Which is left out.
            let (waits, allowed) = ([Micros::MAX; MODELS], ModelSet::<MODELS>::NONE);
            self.queue.put(request.with_waits(&waits).with_allowed(&allowed), draw, job, self.now)
        } else {
            self.queue.put(request, draw, job, self.now)
        };
        match put {
            Ok(place) => {
                let deadline = self.now.after(asked.budget.time());
                let behind = self.waiting.partition_point(|other| other.deadline <= deadline);
                let listed = Listed { id, deadline, request, earlier: asked.earlier, draw };
                self.waiting.insert(behind, listed);
                self.places.push((place, id));
                assert!(self.waiting.len() <= CAPACITY);
            }
            Err(Full(job)) => {
                assert_eq!((job.id, self.waiting.len()), (id, CAPACITY));
            }
        }
    }

    fn cancel(&mut self, place: usize) {
        let (place, id) = self.places[place];
        let listed = self.waiting.iter().position(|listed| listed.id == id);
        let job = self.queue.cancel(place);
        assert_eq!(job.as_ref().map(|job| job.id), listed.map(|_| id));
        if let Some(listed) = listed {
            self.waiting.remove(listed);
        }
    }

    /// Says whether there was anything.
    fn next(&mut self, allowed: Option<&ModelSet<MODELS>>) -> bool {
        // Told of a worker that is nobody's it does nothing but look at the clock, so that its price is what it will be.
        self.queue.ended(self.stranger, self.now);
        let (price, a) = (self.queue.price(), f64::from(self.queue.traffic().loss_a_milli()) * 10.0);
        let price = if self.settings.priced { price } else { Price::NONE };
        let free = self.running.len() < self.workers;
        // Those that are busy have it ask nobody.
        let ready =
            if free && !self.waiting.is_empty() { self.models.polled(self.now) } else { self.models.clone() };
        let handed = hand(&mut self.queue, &mut self.models, allowed, self.now);
        let Some(&first) = self.waiting.first() else {
            assert!(handed.is_none(), "handed out though nobody waits");
            return false;
        };
        let request = first.at(allowed, self.now).after(0);
        let priced = request.with_price(request.price().plus(price));
        let probe = ready.front().filter(|_| free).and_then(|front| {
            let (decision, _) = front.begin(priced, first.draw, self.now).ok()?;
            (decision.reason == Reason::Probe).then_some(decision)
        });
        let decision = probe.map_or_else(
            || Index::new(ready.catalog().clone(), *ready.policy()).select(priced, first.draw),
            Ok,
        );
        let may = |model: &Model| priced.exclusion(model).is_none();
        let fitting = ready
            .catalog()
            .models()
            .any(|model| may(&model) && fits(&ready, model.profile.latency, priced.budget()));
        // Where all that may answer are held, by what they were.
        let may_do = ready.catalog().models().filter(may).all(|model| ready.live(model.id) != model.profile)
            && ready
                .catalog()
                .models()
                .any(|model| may(&model) && fits(&ready, ready.live(model.id).latency, priced.budget()));
        let expected = match decision {
            Err(nothing) => Expected::Shed(Shed::NothingEligible(nothing)),
            Ok(decision) => {
                let hopeful = probe.is_some() || fitting || may_do;
                if !hopeful && self.settings.hopeless == Hopeless::Shed {
                    Expected::Shed(Shed::TooLate)
                } else if free {
                    Expected::Run(decision)
                } else {
                    Expected::Nothing
                }
            }
        };
        match (handed, expected) {
            (None, Expected::Nothing) => return false,
            (Some(Handed::Shed { job, why }), Expected::Shed(expected)) => {
                assert_eq!((job.id, why), (first.id, expected));
                self.waiting.remove(0);
                self.say(1, job.id);
            }
            (Some(Handed::Run { worker, decision, ticket, jobs }), Expected::Run(expected)) => {
                assert!(worker.index() < self.workers, "there is no such worker");
                assert!(self.running.iter().all(|(other, _)| other.index() != worker.index()), "it is busy");
                let ids: Vec<usize> = jobs.iter().map(|job| job.id).collect();
                let place = self.waiting.iter().position(|listed| listed.id == ids[0]).unwrap();
                let run: Vec<Listed> = self.waiting.drain(place..place + ids.len()).collect();
                assert!(run.iter().map(|listed| listed.id).eq(ids.iter().copied()), "not those at the front");
                if probe.is_none() && self.most > 1 && !self.waiting.is_empty() | (run.len() > 1) && fitting {
                    let dispatched = Dispatched { model: decision.model, first: place, size: run.len() };
                    let all = |listed: &Listed| listed.at(allowed, self.now);
                    let (before, after) = self.waiting.split_at(place);
                    let waiting: Vec<Waiter<'_>> = before.iter().chain(&run).chain(after).map(all).collect();
                    let load = (price != Price::NONE).then_some((a, self.workers, price.per_micro_squared));
                    // The square is all of the price of one that waits alone.
                    let load = if self.settings.priced { load.or(Some((a, self.workers, 0))) } else { None };
                    oracle::check(&self.setting(&ready, load), &waiting, dispatched);
                    assert_eq!(
                        (decision.base, decision.reason),
                        (decision.model.index() as u16, Reason::Base)
                    );
                    let whole = waiting[place].after(0).budget();
                    assert!(decision.budget == whole || run[0].earlier.is_some() && decision.budget < whole);
                } else {
                    // What fits no model at all goes to the fastest with all behind it that do not either.
                    let model =
                        Model { id: decision.model, profile: *ready.catalog().get(decision.model).unwrap() };
                    let hopeless = |listed: &&Listed| {
                        let request = listed.at(allowed, self.now).after(0);
                        let fits = |model: Model| fits(&ready, model.profile.latency, request.budget());
                        !ready.catalog().models().any(fits) && request.exclusion(&model).is_none()
                    };
                    let behind =
                        run[1..].iter().chain(&self.waiting).take(self.most - 1).take_while(hopeless).count();
                    let together = if probe.is_none() && !fitting && !may_do { 1 + behind } else { 1 };
                    assert_eq!((place, ids.len()), (0, together), "those that go together");
                    let key = |decision: &Decision| (decision.model, decision.base, decision.budget);
                    assert_eq!(key(&decision), key(&expected));
                    assert_eq!(decision.reason.fits(), expected.reason.fits());
                    if fitting || probe.is_some() {
                        assert_eq!(decision.reason, expected.reason);
                    }
                }
                if self.settings.priced && probe.is_none() {
                    self.check_learnt(&ready, &run, a);
                } else {
                    assert_eq!(f64::from(self.queue.traffic().loss_a_milli()) * 10.0, a);
                }
                if let Some(ticket) = &ticket {
                    let deadline = self.now.after(decision.budget.time());
                    assert_eq!((ticket.model(), ticket.deadline()), (decision.model, deadline));
                    assert!(ticket.overdue_at() > self.now || self.now.as_micros() > u64::MAX >> 1);
                }
                self.say(2 + worker.index() as u64, decision.model.index());
                ids.iter().for_each(|&id| self.say(0, id));
                self.running.push((worker, ticket));
                // Some are taken, the others are dropped with the rest.
                let taken = ids[0] % (ids.len() + 1);
                jobs.into_iter().take(taken).for_each(drop);
                let book = self.book.borrow();
                assert!(ids.iter().all(|&id| book[id] == 1), "one of the batch is lost, or comes twice");
            }
            (handed, expected) => {
                let handed = match handed {
                    None => "nothing".to_owned(),
                    Some(Handed::Shed { job, why }) => format!("{} is shed: {why:?}", job.id),
                    Some(Handed::Run { decision, .. }) => format!("{decision:?}"),
                };
                panic!("{handed}, and not {expected:?}");
            }
        }
        true
    }

    /// What those that are run together lose by 30 ms less is a two-hundredth of what they are taken to lose, for each.
    fn check_learnt(&self, models: &Models, run: &[Listed], before: f64) {
        let best = |left: u32| {
            let models = models
                .catalog()
                .models()
                .filter(|model| fits(models, model.profile.latency, Budget::of(Micros::new(left))));
            models.map(|model| f64::from(model.profile.accuracy.as_ppm())).fold(0.0, f64::max)
        };
        let lost = run.iter().map(|listed| {
            let left = listed.deadline.since(self.now).get();
            (best(left) - best(left.saturating_sub(30_000))) / 30_000.0
        });
        let mean = lost.sum::<f64>() / run.len() as f64;
        let expected = before + (0.005 * run.len() as f64).min(1.0) * (mean - before);
        let a = f64::from(self.queue.traffic().loss_a_milli()) * 10.0;
        assert!((a - expected).abs() <= 1e-5 * (before + mean), "{a} and not {expected}, by {mean}");
    }

    fn setting<'a>(&'a self, models: &Models, load: Option<(f64, usize, u64)>) -> Setting<'a> {
        let models_by_mean: Vec<Model> = models.catalog().models().collect();
        let margin_thousandths = models.policy().margin.thousandths();
        Setting { models: models_by_mean, margin_thousandths, most: self.most, growth: &self.growth, load }
    }

    /// All that there is to do is done; then nothing is until it said so.
    fn drain(&mut self) {
        while self.next(None) {}
        let due = self.queue.poll_at();
        let Some(&first) = self.waiting.first() else {
            assert_eq!(due, NEVER, "nobody waits");
            return;
        };
        assert_eq!(self.running.len(), self.workers, "a worker is idle, and somebody waits");
        let at = |now: Timestamp| {
            let (mut queue, mut models) = (self.queue.clone(), self.models.clone());
            hand(&mut queue, &mut models, None, now)
        };
        // One that is held is said to take 18 minutes, which fits a budget that is longer.
        let held = |model: Model| self.models.live(model.id) != model.profile;
        let long = first.request.budget().time().get() > 1 << 30;
        if self.settings.hopeless == Hopeless::Fastest || long && self.models.catalog().models().any(held) {
            return;
        }
        assert!(due > self.now, "whoever waits for it would spin");
        assert!(due <= first.deadline, "it is too late by then");
        assert!(
            matches!(at(due), Some(Handed::Shed { job, .. }) if job.id == first.id),
            "nothing to do at {due:?} for {first:?}"
        );
        let before = due.before(Micros::new(1));
        assert!(at(before).is_none(), "there was something to do before");
    }

    /// A run ends.
    fn end(&mut self, place: usize, how: u8) {
        let (worker, ticket) = self.running.swap_remove(place);
        self.queue.ended(worker, self.now);
        if how & 0x10 != 0 {
            // Told again.
            self.queue.ended(worker, self.now);
        }
        self.former.push(worker);
        let Some(mut ticket) = ticket else { return };
        if how & 0x20 != 0 {
            self.reports.extend(ticket.overdue(self.now));
        }
        self.reports.extend(match how % 8 {
            0..3 => Some(ticket.completed(self.now)),
            3 => Some(ticket.failed(self.now)),
            4 => Some(ticket.timed_out(self.now)),
            5 => Some(ticket.cancelled(self.now)),
            _ => None,
        });
    }

    /// The models change.
    fn learn(&mut self, bytes: &mut Bytes<'_>) {
        let (now, kind) = (self.now, bytes.byte());
        let id = self.models.catalog().models().next().unwrap().id;
        let id = self.models.catalog().id(bytes.number(MODELS as u8)).unwrap_or(id);
        match &mut self.models {
            Models::Index(index) => drop(index.update(id, bytes.profile())),
            Models::Front(_) => {}
            Models::Server(server) => match kind % 8 {
                0 => drop(server.add(bytes.profile())),
                1 => drop(server.remove(id)),
                2 => drop(server.replace(id, bytes.profile())),
                3 => {
                    let right = bytes.byte() < 128;
                    for _ in 0..100 {
                        server.learn(Report::judged(id, right), now);
                    }
                }
                // Each overdue, so that it is held.
                4 | 5 => {
                    let allowed: ModelSet<MODELS> = [id].into_iter().collect();
                    let request = Request::new(Budget::of(Micros::MAX)).with_allowed(&allowed);
                    for _ in 0..5 {
                        let mut ticket = server.front().begin(request, Draw::from_id(0), now).unwrap().1;
                        if let Some(report) = ticket.overdue(ticket.overdue_at()) {
                            server.learn(report, now);
                        }
                    }
                }
                _ => {
                    for report in self.reports.drain(..) {
                        server.learn(report, now);
                    }
                }
            },
        }
    }

    fn say(&mut self, what: u64, of: usize) {
        self.transcript.push(what << 32 | of as u64);
    }

    fn check(&mut self) {
        let Self { queue, waiting, workers, now, .. } = self;
        assert_eq!((queue.len(), queue.is_empty()), (waiting.len(), waiting.is_empty()));
        let traffic = *queue.traffic();
        let (arrivals, a) = (traffic.arrivals_a_second(), traffic.loss_a_milli());
        assert!((0.0..=1_000_000.0).contains(&arrivals), "{traffic:?}");
        assert!((0.0..=1.0).contains(&traffic.utilisation()), "{traffic:?}");
        // Of a whole answer in 30 ms.
        assert!((0.0..=3.334).contains(&a), "{traffic:?}");
        let price = queue.price();
        let [a, arrivals, busy] = [a, arrivals, traffic.utilisation().min(0.95)].map(f64::from);
        let of_workers = *workers as f64;
        let left = waiting.len().saturating_sub(1) as f64;
        let waits = a * 10.0 * left / of_workers;
        let comes = a * 10.0 * busy.powi(*workers as i32 - 1) * (arrivals * 1e-6 / of_workers) / 3.0;
        assert!(near(price.per_micro, waits * 65_536.0), "{price:?} of {traffic:?}");
        assert!(near(price.per_micro_squared, comes * 2_f64.powi(48)), "{price:?} of {traffic:?}");
        assert_eq!(price.per_cost, 0);
        // Whoever waits alone before idle workers does not wait.
        let wait = queue.wait(Micros::from_millis(1), *now);
        assert!(wait <= Micros::MAX);
        if waiting.len() + self.running.len() < *workers {
            assert_eq!(wait, Micros::ZERO);
        }
        let bits = [arrivals.to_bits(), traffic.utilisation().to_bits().into(), a.to_bits()];
        self.transcript.extend(bits);
    }

    /// Each has been handed out once, or waits, and goes with the queue.
    fn finish(self) -> Vec<u64> {
        let Self { queue, waiting, book, .. } = self;
        let waits = |id: usize| waiting.iter().any(|listed| listed.id == id);
        for (id, &dropped) in book.borrow().iter().enumerate() {
            assert_eq!(dropped, u32::from(!waits(id)), "{id}");
        }
        drop(queue);
        assert!(book.borrow().iter().all(|&dropped| dropped == 1));
        self.transcript
    }
}

/// What is to come.
#[derive(Debug)]
enum Expected {
    Nothing,
    Shed(Shed),
    Run(Decision),
}

/// Equal to within what f32 makes of it.
fn near(number: u64, exact: f64) -> bool {
    (number as f64 - exact).abs() <= 1.0 + exact * 1e-5
}

/// Eq. 2.
fn fits(models: &Models, latency: Latency, budget: Budget) -> bool {
    let Latency { mean, deviation } = latency;
    let margin = u64::from(models.policy().margin.thousandths());
    u64::from(mean.get()) * 1_000 + u64::from(deviation.get()) * margin
        < u64::from(budget.time().get()) * 1_000
}

/// What is next, by whoever chooses.
fn hand<const CAPACITY: usize>(
    queue: &mut Queue<Job, CAPACITY, WORKERS, BATCH, [Growth; MODELS]>,
    models: &mut Models,
    allowed: Option<&ModelSet<MODELS>>,
    now: Timestamp,
) -> Option<Handed> {
    macro_rules! next {
        ($models:expr) => {
            match allowed {
                Some(allowed) => queue.next_among($models, allowed, now),
                None => queue.next($models, now),
            }
        };
    }
    match models {
        Models::Index(index) => next!(&*index).map(|next| handed(next, |()| None)),
        Models::Front(front) => next!(&*front).map(|next| handed(next, Some)),
        Models::Server(server) => next!(&mut *server).map(|next| handed(next, Some)),
    }
}

fn handed<K>(next: Next<Job, K, BATCH>, ticket_of: impl Fn(K) -> Option<Ticket>) -> Handed {
    match next {
        Next::Shed { job, why } => Handed::Shed { job, why },
        Next::Run { worker, decision, ticket, jobs } => {
            Handed::Run { worker, decision, ticket: ticket_of(ticket), jobs: jobs.into_iter().collect() }
        }
    }
}

/// A request with whatever may be asked.
struct Asked {
    budget: Budget,
    min_accuracy: Accuracy,
    max_cost: Cost,
    price: Price,
    earlier: Option<(Budget, Accuracy)>,
    duplicate: bool,
    borrows: bool,
}

impl Asked {
    fn plain(budget: Micros) -> Self {
        Self {
            budget: Budget::of(budget),
            min_accuracy: Accuracy::ZERO,
            max_cost: Cost(u32::MAX),
            price: Price::NONE,
            earlier: None,
            duplicate: false,
            borrows: false,
        }
    }

    fn new(bytes: &mut Bytes<'_>) -> Self {
        let kinds = bytes.byte();
        let plain = Self::plain(bytes.span());
        if kinds < 128 {
            return plain;
        }
        let has = |bit: u32| kinds >> bit & 1 == 1;
        Self {
            min_accuracy: if has(0) { bytes.accuracy() } else { Accuracy::ZERO },
            max_cost: Cost(if has(1) { bytes.byte().into() } else { u32::MAX }),
            price: if has(2) { bytes.price() } else { Price::NONE },
            earlier: has(3).then(|| (Budget::of(bytes.span()), bytes.accuracy())),
            duplicate: has(4),
            borrows: has(5),
            ..plain
        }
    }

    fn request(&self) -> Request<'static> {
        let mut request = Request::new(self.budget)
            .with_min_accuracy(self.min_accuracy)
            .with_max_cost(self.max_cost)
            .with_price(self.price);
        if let Some((budget, worth)) = self.earlier {
            request = request.with_earlier(budget, worth);
        }
        if self.duplicate { request.with_duplicate() } else { request }
    }
}
