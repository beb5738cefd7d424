//! [`Queue`]: those that wait for a worker, the earliest deadline first.

use heapless::Vec;

use crate::batch::{BatchTime, Growth};
use crate::catalog::Model;
use crate::index::Index;
use crate::load::batch::{Choice, Lot};
use crate::load::entry::Entry;
use crate::load::line::{Line, Waiting};
use crate::load::next::{Full, Jobs, Next, Shed};
use crate::load::selector::Selector;
use crate::load::settings::{Hopeless, Settings};
use crate::load::traffic::Traffic;
use crate::load::wait::expected_wait;
use crate::load::workers::{Worker, Workers};
use crate::profile::Latency;
use crate::request::{Budget, Draw, ModelSet, Price, Request};
use crate::select::Decision;
use crate::select::threshold::Threshold;
use crate::time::{Micros, Timestamp};

/// Those that wait for a worker, up to `CAPACITY` of them, the earliest deadline first; and what each of up to `WORKERS`
/// workers runs next, up to `BATCH` requests at once.
///
/// Its calls are all that it is told: [`Self::put`] when a request comes, [`Self::ended`] when a run has ended, and after
/// either, and at [`Self::poll_at`], [`Self::next`] until that has nothing more to say. What it knows of its load it has
/// from these. It does no I/O, reads no clock and allocates nothing.
///
/// ```
/// use mdinference::load::{Next, Queue, Settings};
/// use mdinference::{Budget, Catalog, Draw, Learning, Micros, Policy, Profile, Request, Server, Timestamp};
///
/// let zoo = Catalog::<3>::try_new([
///     Profile::from_percent_and_millis(49.7, 3.21, 0.08),
///     Profile::from_percent_and_millis(77.2, 31.61, 0.29),
///     Profile::from_percent_and_millis(82.6, 112.61, 0.36),
/// ])?;
/// let mut server = Server::new(zoo, Policy::PAPER, Learning::DEFAULT);
/// let mut queue: Queue<&str, 1_000> = Queue::new(Settings::DEFAULT);
/// let at = |millis| Timestamp::from_micros(0).after(Micros::from_millis(millis));
/// let request = |millis| Request::new(Budget::of(Micros::from_millis(millis)));
///
/// // A request comes: alone it gets the most accurate model that fits.
/// queue.put(request(150), Draw::from_id(1), "first", at(0))?;
/// let Some(Next::Run { worker, decision, ticket, jobs }) = queue.next(&mut server, at(0)) else { return Err("idle".into()) };
/// assert_eq!((decision.model.index(), &*jobs), (2, &["first"][..]));
///
/// // While it runs, others come. The worker is busy.
/// for name in ["second", "third", "fourth"] {
///     queue.put(request(190), Draw::from_id(2), name, at(10))?;
/// }
/// queue.put(request(60), Draw::from_id(3), "urgent", at(20))?;
/// assert!(queue.next(&mut server, at(20)).is_none());
/// // One of them has no chance any more: that is said as soon as it is known.
/// let hopeless = queue.poll_at();
/// assert_eq!(hopeless, Timestamp::from_micros(80_000 - 3_290));
/// let Some(Next::Shed { job, .. }) = queue.next(&mut server, hopeless) else { return Err("it waits".into()) };
/// assert_eq!(job, "urgent");
///
/// // The run has ended. The next has 87 ms left, in which two others wait: it is worth the middle model's time.
/// queue.ended(worker, at(113));
/// server.learn(ticket.completed(at(113)), at(113));
/// let Some(Next::Run { decision, ticket, jobs, .. }) = queue.next(&mut server, at(113)) else { return Err("idle".into()) };
/// assert_eq!((decision.model.index(), &*jobs), (1, &["second"][..]));
/// # drop(ticket);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Size
/// 114 bytes and a `T` for each of the `CAPACITY`, 32 for each worker. To put one in, to hand one out and to cancel one
/// takes steps as the logarithm of how many wait. Where batches are run, the first few are kept in order, which moves 16
/// bytes for each of them that comes before or after one.
#[derive(Clone, Debug)]
pub struct Queue<T, const CAPACITY: usize, const WORKERS: usize = 1, const BATCH: usize = 1, G = Growth> {
    line: Line<Entry<T>, CAPACITY>,
    workers: Workers<WORKERS>,
    settings: Settings,
    max_batch: u16,
    time: G,
    traffic: Traffic,
    /// No model fits a budget of so much or less, by what was known when it was last asked.
    least: Micros,
    /// When there may be something to do that nobody tells it of.
    check_at: Timestamp,
}

const NEVER: Timestamp = Timestamp::from_micros(u64::MAX);

impl<T, const CAPACITY: usize, const WORKERS: usize, const BATCH: usize> Queue<T, CAPACITY, WORKERS, BATCH> {
    const BATCHES_HAVE_SIZES: () = assert!(BATCH > 0 && BATCH <= u16::MAX as usize);

    /// An empty queue before idle workers.
    pub fn new(settings: Settings) -> Self {
        let () = Self::BATCHES_HAVE_SIZES;
        Self {
            line: Line::new(),
            workers: Workers::new(WORKERS as u16),
            settings,
            max_batch: BATCH as u16,
            time: Growth::DEFAULT,
            traffic: Traffic::new(),
            least: Micros::ZERO,
            check_at: NEVER,
        }
    }
}

impl<T, G: BatchTime, const CAPACITY: usize, const WORKERS: usize, const BATCH: usize>
    Queue<T, CAPACITY, WORKERS, BATCH, G>
{
    /// With the first so many of its workers alone, at least one; all of them idle.
    #[must_use]
    pub fn with_workers(self, workers: u16) -> Self {
        Self { workers: Workers::new(workers), ..self }
    }

    /// With batches of up to so many alone, at least one.
    #[must_use]
    pub fn with_max_batch(self, max_batch: u16) -> Self {
        Self { max_batch: max_batch.clamp(1, BATCH as u16), ..self }
    }

    /// With another time of a batch.
    #[must_use]
    pub fn with_batch_time<H: BatchTime>(self, time: H) -> Queue<T, CAPACITY, WORKERS, BATCH, H> {
        let Self { line, workers, settings, max_batch, time: _, traffic, least, check_at } = self;
        Queue { line, workers, settings, max_batch, time, traffic, least, check_at }
    }

    /// Puts a request in, whose budget counts from now on, with what the caller keeps of it. Of several requests with the
    /// same deadline the first to come is the first.
    ///
    /// What the request borrows is left out: which models it may go to is said when it is dispatched
    /// ([`Self::next_among`]), and it waits for none but its worker.
    ///
    /// # Errors
    /// [`Full`] gives the newcomer back if there is no room: those that wait were let in for time that they had. Who has
    /// none left goes as soon as [`Self::next`] is called, so call it first if that matters.
    pub fn put(
        &mut self,
        request: Request<'_>,
        draw: Draw,
        job: T,
        now: Timestamp,
    ) -> Result<Waiting, Full<T>> {
        let request = request.owned();
        let budget = request.budget().time();
        let deadline = now.after(budget);
        if budget > self.least {
            self.traffic.arrived(now);
        }
        self.check_at = self.check_at.min(deadline.before(self.least));
        self.line.put(deadline, Entry { request, draw, job }).map_err(|entry| Full(entry.job))
    }

    /// Takes out a request that waits, if it still does.
    pub fn cancel(&mut self, waiting: Waiting) -> Option<T> {
        self.line.cancel(waiting).map(|entry| entry.job)
    }

    /// What is to be done next: one to be shed, or a run if a worker is free; `None` if there is nothing to do before the
    /// next request, end of a run, or [`Self::poll_at`].
    ///
    /// `models` are those of an [`&Index`](Index), a [`&Front`](crate::Front) or a [`&mut Server`](crate::Server), whose
    /// probes go first.
    pub fn next<const N: usize, S: Selector<N>>(
        &mut self,
        models: S,
        now: Timestamp,
    ) -> Option<Next<T, S::Ticket, BATCH>> {
        self.dispatch(models, None, now)
    }

    /// As [`Self::next`], of some of the models alone.
    pub fn next_among<const N: usize, S: Selector<N>>(
        &mut self,
        models: S,
        allowed: &ModelSet<N>,
        now: Timestamp,
    ) -> Option<Next<T, S::Ticket, BATCH>> {
        self.dispatch(models, Some(allowed), now)
    }

    /// A run has ended, in whatever way, so its worker is free. Told twice it is harmless.
    pub fn ended(&mut self, worker: Worker, now: Timestamp) {
        self.worked(now);
        self.workers.end(worker);
    }

    /// When [`Self::next`] has something to say again though nobody has come and no run has ended: when the most urgent one
    /// becomes hopeless. The end of time if there is no such.
    pub const fn poll_at(&self) -> Timestamp {
        self.check_at
    }

    /// How many wait.
    pub const fn len(&self) -> usize {
        self.line.len()
    }

    /// Whether nobody waits.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How long one that came now would wait for a worker behind all others, if each of them takes so long: see
    /// [`expected_wait`].
    pub fn wait(&self, each: Micros, now: Timestamp) -> Micros {
        let waiting = u32::try_from(self.len()).unwrap_or(u32::MAX);
        expected_wait(self.workers.residuals(now), waiting, each)
    }

    /// What the queue has seen of its load.
    pub const fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// What the time of one that is run now alone is charged, for those who wait and those who will come: what `explain`
    /// needs to show the value of each model.
    pub fn price(&self) -> Price {
        self.traffic.price(self.len().saturating_sub(1), self.workers.count())
    }

    fn worked(&mut self, now: Timestamp) {
        self.traffic.worked(self.workers.busy(), self.workers.count(), now);
    }

    fn dispatch<const N: usize, S: Selector<N>>(
        &mut self,
        mut models: S,
        allowed: Option<&ModelSet<N>>,
        now: Timestamp,
    ) -> Option<Next<T, S::Ticket, BATCH>> {
        self.worked(now);
        self.least = models.index().least();
        self.check_at = NEVER;
        let (deadline, entry) = self.line.get(0)?;
        let draw = entry.draw;
        let request = entry.request_at(deadline, allowed, now);
        let free = self.workers.busy() < self.workers.count();
        let price = if self.settings.priced { self.price() } else { Price::NONE };
        let priced = request.with_price(request.price().plus(price));
        if free && let Some((decision, ticket)) = models.probe(&priced, draw, now) {
            let latency = models.live(decision.model).latency;
            return self.run(Lot::one(decision), ticket, latency, now);
        }
        let least = if request.any_model() && request.budget().time() > self.least {
            self.least
        } else {
            least_of(&models, &request)
        };
        let hopeless = request.budget().time() <= least;
        if !free && !hopeless {
            self.check_at = deadline.before(least);
            return None;
        }
        let decision = match models.index().select(priced, draw) {
            Ok(decision) => decision,
            Err(nothing) => return self.shed(Shed::NothingEligible(nothing)),
        };
        if hopeless && self.settings.hopeless == Hopeless::Shed {
            return self.shed(Shed::TooLate);
        }
        if !free {
            return None;
        }
        if self.max_batch > 1 {
            // A batch begins no later than at the place `max_batch`.
            self.line.sort(usize::from(self.max_batch).saturating_mul(2));
        }
        let lot = if self.max_batch <= 1 || self.len() <= 1 {
            Lot::one(decision)
        } else if hopeless {
            self.hopeless(decision, models.index(), allowed, now)
        } else if decision.reason.fits() {
            self.choice(models.index(), allowed, now).best().unwrap_or(Lot::one(decision))
        } else {
            Lot::one(decision)
        };
        let (decision, mut ticket) = models.begin(lot.decision, now);
        S::batch_of(&mut ticket, lot.size, lot.stretch);
        let latency = lot.stretch.of(models.live(decision.model).latency);
        if self.settings.priced {
            self.learn(&lot, models.index(), now);
        }
        self.run(Lot { decision, ..lot }, ticket, latency, now)
    }

    /// As many as are hopeless from the first on, since there is nothing that a larger batch could spoil.
    fn hopeless<const N: usize>(
        &self,
        decision: Decision,
        index: &Index<N>,
        allowed: Option<&ModelSet<N>>,
        now: Timestamp,
    ) -> Lot {
        let id = decision.model;
        let model = Model { id, profile: index.catalog().get(id).copied().unwrap_or_default() };
        let too = |&place: &usize| {
            self.line.get(place).is_some_and(|(deadline, entry)| {
                let left = entry.request_at(deadline, allowed, now).budget().time();
                left <= self.least && entry.accepts(&model, allowed)
            })
        };
        // The first is, by what it may go to.
        let size = (1..usize::from(self.max_batch)).take_while(too).count().saturating_add(1) as u16;
        Lot { decision, first: 0, size, stretch: self.time.stretch(id, size) }
    }

    fn choice<'a, const N: usize>(
        &'a self,
        index: &'a Index<N>,
        allowed: Option<&'a ModelSet<N>>,
        now: Timestamp,
    ) -> Choice<'a, T, G, CAPACITY, N> {
        Choice {
            line: &self.line,
            index,
            allowed,
            time: &self.time,
            most: self.max_batch,
            traffic: self.settings.priced.then_some((&self.traffic, self.workers.count())),
            now,
            gone: 0,
        }
    }

    /// What those that are dispatched tell of the worth of time: by how much less accurate the best model is that fits a
    /// budget which is shorter.
    fn learn<const N: usize>(&mut self, lot: &Lot, index: &Index<N>, now: Timestamp) {
        let best = |budget: Budget| {
            let base = index.base(budget).and_then(|base| index.catalog().get(base));
            base.map_or(0, |profile| profile.accuracy.as_ppm())
        };
        let mut lost = 0.0;
        for place in (lot.first..).take(lot.size.into()) {
            let budget =
                Budget::of(self.line.get(place).map_or(Micros::ZERO, |(deadline, _)| deadline.since(now)));
            lost += best(budget).saturating_sub(best(budget.minus(Traffic::SHORTER))) as f32;
        }
        self.traffic.dispatched(lot.size, lost);
    }

    fn run<K>(&mut self, lot: Lot, ticket: K, latency: Latency, now: Timestamp) -> Option<Next<T, K, BATCH>> {
        let worker = self.workers.begin(latency, now)?;
        let mut jobs = Vec::new();
        for _ in 0..lot.size {
            // No lot is larger than a batch.
            let entry = self.line.take(lot.first)?;
            let _ = jobs.push(entry.job);
        }
        let jobs = Jobs(jobs);
        Some(Next::Run { worker, decision: lot.decision, ticket, jobs })
    }

    fn shed<K>(&mut self, why: Shed) -> Option<Next<T, K, BATCH>> {
        let Entry { job, .. } = self.line.take(0)?;
        Some(Next::Shed { job, why })
    }
}

/// No model that a request may go to fits a budget of so much or less. Where all of them are held, each is taken for what
/// it was, so that the fastest may do.
fn least_of<const N: usize, S: Selector<N>>(models: &S, request: &Request<'_>) -> Micros {
    let margin = models.index().policy().margin;
    let eligible = models.index().catalog().models().filter(|model| request.exclusion(model).is_none());
    let least = eligible.map(|model| {
        let live = models.live(model.id).latency;
        let threshold = Threshold::whole_micros(live, margin).unsigned_abs();
        (live != model.profile.latency, threshold)
    });
    least.min().map_or(Micros::MAX, |(_, threshold)| Micros::new(threshold))
}
