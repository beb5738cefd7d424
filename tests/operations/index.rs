//! Whole questions to one index that lives through updates, decoded from any bytes: its state against that of one built
//! anew, and each answer against that of the reference, a catalog that is changed alike. Run by proptest and by a fuzz
//! target alike, which both have the tests' `support`.

use mdinference::select::explore::exploration_set;
use mdinference::select::threshold::Threshold;
use mdinference::{
    Accuracy, Budget, Catalog, CatalogError, Cost, Decision, Draw, Explanation, Index, Latency, Micros,
    Model, ModelId, ModelSet, Policy, Price, Profile, Reason, Request, Verdict,
};

use crate::support::case::policy;
use crate::support::invariants::{same_explanations, sorted};

#[path = "bytes.rs"]
mod bytes;

use bytes::Bytes;

/// So many models of an exploration set are drawn as the scan draws them: of a budget, and where more is asked.
const ALIKE: [usize; 2] = [4, 16];

impl Bytes<'_> {
    /// One of these; `None` if there are none.
    fn any<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        let wide = u16::from_be_bytes([self.byte(), self.byte()]);
        items.get(usize::from(wide).checked_rem(items.len())?).copied()
    }

    /// A whole number of any size.
    fn size(&mut self) -> u64 {
        match self.byte() {
            kind @ 0..128 => u64::from(self.byte()) << (kind % 57),
            128..192 => self.byte().into(),
            kind => self.wide() >> (kind % 64),
        }
    }

    fn micros(&mut self) -> Micros {
        Micros::new(u32::try_from(self.size()).unwrap_or(u32::MAX))
    }

    fn accuracy(&mut self) -> Accuracy {
        let ppm = match self.byte() {
            0 => 0,
            u8::MAX => 1_000_000,
            // Next to each other.
            near @ 1..32 => 500_000 + u32::from(near),
            coarse => u32::from(coarse) * 3_900 + u32::from(self.byte()),
        };
        Accuracy::from_ppm(ppm).unwrap()
    }

    /// Of models that tie, that are within each other's windows, as measured, at the end of all times, and any.
    fn profile(&mut self, zoo: u8) -> Profile {
        let wide = u32::from_be_bytes([0, 0, self.byte(), self.byte()]);
        let (mean, deviation) = match zoo % 6 {
            0 => (wide % 13, u32::from(self.byte()) % 5),
            1 => (40_000 + wide % 1_001, u32::from(self.byte()) * 6),
            2 | 3 => (wide * 8, u32::from(self.byte()) << (zoo % 9)),
            4 => (Micros::MAX.get() - wide % 21, u32::from(self.byte()) % 21),
            _ => (wide << (zoo % 16), self.micros().get()),
        };
        let latency = Latency { mean: Micros::new(mean), deviation: Micros::new(deviation) };
        Profile::new(self.accuracy(), latency).with_cost(Cost(u32::from(self.byte()) % 4))
    }

    fn policy(&mut self) -> Policy {
        let margin = [1_000, 1_000, 0, 1, 333, 1_500, 3_000, 1_000_000][self.number(8)];
        policy(margin, [1, 1, 1, 2, 9][self.number(5)])
    }
}

/// So many profiles of a zoo that a number stands for.
fn zoo(zoo: u8, number: u64, count: usize) -> impl Iterator<Item = Profile> {
    (0..count as u64).map(move |place| {
        let bits = Draw::from_id(number << 16 | place).bits().to_be_bytes();
        Bytes(&bits).profile(zoo)
    })
}

/// Builds an index and drives it by `bytes`. Panics if it breaks a promise.
#[allow(unreachable_pub, reason = "a fuzz target includes this file too")]
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    // One block of models, several, and two rows of sixteen blocks, whose staircases are of all kinds.
    match bytes.number(4) {
        0 => operate::<5>(bytes),
        1 => operate::<16>(bytes),
        2 => operate::<50>(bytes),
        _ => operate::<300>(bytes),
    }
}

fn operate<const N: usize>(mut bytes: Bytes<'_>) {
    let kind = bytes.byte();
    let count = 1 + bytes.size() as usize % N;
    let profiles: Vec<Profile> = zoo(kind, u64::from(bytes.byte()), count).collect();
    let catalog = Catalog::<N>::new(profiles.iter().copied()).unwrap();
    let hosted: Vec<ModelId> = (0..count).filter_map(|place| catalog.id(place)).collect();
    let index = Box::new(Index::new(catalog.clone(), bytes.policy()));
    let mut operated = Operated {
        copy: index.clone(),
        index,
        catalog,
        hosted: hosted.into_iter().zip(profiles).collect(),
        gone: Vec::new(),
        zoo: kind,
    };
    operated.check();
    while bytes.0.len() > 1 {
        operated.step(&mut bytes);
    }
}

/// An index, and what is around it.
struct Operated<const N: usize> {
    index: Box<Index<N>>,
    /// One that was used before, to be written over.
    copy: Box<Index<N>>,
    /// The reference.
    catalog: Catalog<N>,
    hosted: Vec<(ModelId, Profile)>,
    /// The models that are no more.
    gone: Vec<ModelId>,
    zoo: u8,
}

impl<const N: usize> Operated<N> {
    fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.byte() % 16 {
            0..=3 => self.update(bytes),
            4 => self.report(bytes),
            5 => self.add(bytes),
            6 => self.remove(bytes),
            7 => self.replace(bytes),
            8 => {
                let index = Index::new(self.catalog.clone(), bytes.policy());
                self.copy = std::mem::replace(&mut self.index, Box::new(index));
            }
            9 => {
                // As fronts are published: over one that was used before, whatever it is of.
                self.copy.clone_from(&self.index);
                std::mem::swap(&mut self.index, &mut self.copy);
                assert_eq!(self.index, self.copy);
            }
            10 => self.copy = self.index.clone(),
            11 => self.strangers(bytes),
            _ => return self.ask(bytes),
        }
        self.check();
    }

    /// A profile becomes another, or one that has something in common with what there is.
    fn update(&mut self, bytes: &mut Bytes<'_>) {
        let (id, old) = bytes.any(&self.hosted).unwrap();
        let (_, other) = bytes.any(&self.hosted).unwrap();
        let Latency { mean, deviation } = old.latency;
        let a_little = Micros::new(u32::from(bytes.byte()) >> 4);
        let (earlier, later) = (mean.saturating_sub(a_little), mean.saturating_add(a_little));
        let profile = match bytes.number(10) {
            0 => other,
            1 => Profile { accuracy: other.accuracy, ..old },
            2 => Profile { latency: other.latency, ..old },
            3 => Profile { latency: Latency { mean: other.latency.mean, deviation }, ..old },
            4 => Profile { latency: Latency { mean, deviation: other.latency.deviation }, ..old },
            5 => Profile { latency: Latency { mean: earlier, deviation }, ..old },
            6 => Profile { latency: Latency { mean: later, deviation }, ..old },
            7 => Profile { cost: Cost(u32::from(bytes.byte()) % 4), accuracy: bytes.accuracy(), ..old },
            // As a server does that shuts a model out.
            8 => Profile { latency: Latency { mean: Micros::MAX, deviation }, ..old },
            _ => bytes.profile(self.zoo),
        };
        self.set(id, profile);
    }

    /// Many profiles move by a little, as they do by what servers learn, or by much.
    fn report(&mut self, bytes: &mut Bytes<'_>) {
        let (number, most) = (bytes.byte(), 1 + u64::from(bytes.byte()) * 16);
        for turn in 0..1 + bytes.number(12) as u64 {
            let bits = Draw::from_id(u64::from(number) << 8 | turn).bits();
            let (id, old) = self.hosted[bits as usize % self.hosted.len()];
            let moved = |time: Micros, bits: u64| {
                let by = Micros::new((bits % most) as u32);
                if bits >> 31 & 1 == 0 { time.saturating_add(by) } else { time.saturating_sub(by) }
            };
            let mean = moved(old.latency.mean, bits >> 16);
            let deviation = if bits >> 63 == 0 {
                old.latency.deviation
            } else {
                moved(old.latency.deviation, bits >> 24)
            };
            self.set(id, Profile { latency: Latency { mean, deviation }, ..old });
        }
    }

    fn set(&mut self, id: ModelId, profile: Profile) {
        let hosted = self.hosted.iter_mut().find(|(hosted, _)| *hosted == id).unwrap();
        let old = std::mem::replace(&mut hosted.1, profile);
        assert_eq!(self.index.update(id, profile), Some(old));
        assert_eq!(self.catalog.update(id, profile), Some(old));
    }

    fn add(&mut self, bytes: &mut Bytes<'_>) {
        let profile = bytes.profile(self.zoo);
        let added = self.index.add(profile);
        assert_eq!(added, self.catalog.add(profile));
        match added {
            Ok(id) => self.hosted.push((id, profile)),
            Err(error) => {
                assert_eq!((error, self.hosted.len()), (CatalogError::Full { capacity: N }, N));
            }
        }
    }

    fn remove(&mut self, bytes: &mut Bytes<'_>) {
        let (id, profile) = bytes.any(&self.hosted).unwrap();
        let removed = self.index.remove(id);
        assert_eq!(removed, self.catalog.remove(id));
        if self.hosted.len() == 1 {
            return assert_eq!(removed, Err(CatalogError::Empty));
        }
        assert_eq!(removed, Ok(profile));
        self.hosted.retain(|(hosted, _)| *hosted != id);
        self.gone.push(id);
    }

    fn replace(&mut self, bytes: &mut Bytes<'_>) {
        let (id, _) = bytes.any(&self.hosted).unwrap();
        let profile = bytes.profile(self.zoo);
        let replaced = self.index.replace(id, profile);
        assert_eq!(replaced, self.catalog.replace(id, profile));
        self.hosted.retain(|(hosted, _)| *hosted != id);
        self.hosted.push((replaced.unwrap(), profile));
        self.gone.push(id);
    }

    /// What is not known changes nothing.
    fn strangers(&mut self, bytes: &mut Bytes<'_>) {
        let Some(id) = bytes.any(&self.gone) else { return };
        let profile = bytes.profile(self.zoo);
        assert_eq!(self.index.update(id, profile), None);
        assert_eq!(self.index.remove(id), Err(CatalogError::Unknown));
        assert_eq!(self.index.replace(id, profile), Err(CatalogError::Unknown));
        assert_eq!(self.catalog.get(id), None);
        assert_eq!(self.index.probability(Budget::of(bytes.micros()), id), 0.0);
    }

    /// The index is that of the reference, which has the models that it should have.
    fn check(&self) {
        assert_eq!(self.catalog.len(), self.hosted.len());
        for (id, profile) in &self.hosted {
            assert_eq!(self.catalog.get(*id), Some(profile));
        }
        sorted(&self.catalog);
        assert!(self.index.catalog().models().eq(self.catalog.models()));
        assert_eq!(*self.index, Index::new(self.catalog.clone(), *self.index.policy()));
    }

    /// A question, or the same of several budgets.
    fn ask(&self, bytes: &mut Bytes<'_>) {
        let asked = Asked::new(self, bytes);
        let draw = match bytes.byte() {
            0 => Draw::from_uniform_bits(0),
            u8::MAX => Draw::from_uniform_bits(u64::MAX),
            id => Draw::from_id(u64::from(id)),
        };
        let (model, _) = bytes.any(&self.hosted).unwrap();
        let request = asked.request();
        self.answer(&request, draw, model);
        for _ in 0..bytes.number(4) {
            self.answer(&request.with_budget(self.budget(&asked.waits, bytes)), draw, model);
        }
        self.answer(&request.minus(bytes.micros()), draw, model);
        self.answer(&request.owned(), draw, model);
    }

    /// Where something changes, and anywhere.
    fn budget(&self, waits: &[Micros], bytes: &mut Bytes<'_>) -> Budget {
        let kind = bytes.byte();
        if kind & 3 == 3 {
            return Budget::of(bytes.micros());
        }
        let (id, profile) = bytes.any(&self.hosted).unwrap();
        let wait = waits.get(id.index()).copied().unwrap_or(Micros::ZERO);
        let Latency { mean, deviation } = profile.latency;
        let mean = mean.saturating_add(wait);
        let time = if kind & 1 == 0 {
            mean
        } else {
            let margin = self.index.policy().margin;
            let nanos = Threshold::new(Latency { mean, deviation }, margin).as_nanos();
            Micros::new(u32::try_from(nanos / 1_000).unwrap_or(u32::MAX))
        };
        let by = Micros::new(u32::from(kind >> 3));
        Budget::of(if kind & 4 == 0 { time.saturating_add(by) } else { time.saturating_sub(by) })
    }

    /// One answer, against that of the reference.
    fn answer(&self, request: &Request<'_>, draw: Draw, model: ModelId) {
        let (index, catalog, policy) = (&self.index, &self.catalog, self.index.policy());
        let (decision, scan) = (index.select(*request, draw), catalog.select(policy, *request, draw));
        let (explained, explanation) = (index.explain(*request), catalog.explain(policy, *request));
        same_explanations(&explained, &explanation);
        assert_eq!(index.probability(*request, model).to_bits(), explanation.probability(model).to_bits());
        match (decision, scan) {
            (Ok(decision), Ok(scan)) if !self.draws_alike(request, &explanation) => {
                self.may_be_drawn(&decision, &scan, &explanation);
            }
            (decision, scan) => assert_eq!(decision, scan),
        }
        if is_plain(request) {
            let budget = request.budget();
            let (decision, scan) = (index.select(budget, draw), catalog.select(policy, budget, draw));
            if self.draws_alike(request, &explanation) {
                assert_eq!(decision, scan);
            } else {
                self.may_be_drawn(&decision, &scan, &explanation);
            }
            let base = catalog.id(scan.base.into()).filter(|_| scan.reason.fits());
            assert_eq!(index.base(budget), base);
            assert_eq!(index.probability(budget, model).to_bits(), explanation.probability(model).to_bits());
        }
    }

    /// Whether a draw picks the same model: not where it is from many, and by rejection.
    fn draws_alike(&self, request: &Request<'_>, explanation: &Explanation<'_>) -> bool {
        let alike = if is_plain(request) { ALIKE[0] } else { ALIKE[1] };
        let Some(base) = explanation.base else { return true };
        let waiting = |model: Model| {
            let mut profile = model.profile;
            profile.latency.mean = profile.latency.mean.saturating_add(request.wait(model.id));
            Model { profile, ..model }
        };
        let base = self.catalog.models().find(|model| model.id == base.model().id).map(waiting).unwrap();
        let eligible = self.catalog.models().filter(|model| request.exclusion(model).is_none()).map(waiting);
        let set = exploration_set(eligible, base.profile.latency);
        self.index.policy().sharpness.get() != 1 || set.count() <= alike
    }

    /// But for which model it is, the decisions are the same; and it is one that may be drawn.
    fn may_be_drawn(&self, decision: &Decision, scan: &Decision, explanation: &Explanation<'_>) {
        assert_eq!((decision.base, decision.budget), (scan.base, scan.budget));
        assert_eq!(decision.reason.fits(), scan.reason.fits());
        let drawn = explanation.of(decision.model).unwrap();
        assert!(drawn.probability > 0.0, "{drawn:?} is drawn");
        match decision.reason {
            Reason::Base => assert_eq!(drawn.verdict, Verdict::Base),
            Reason::Explored => assert_eq!(drawn.verdict, Verdict::Explored),
            _ => assert_eq!(decision, scan),
        }
    }
}

/// Whether nothing is asked that has a bearing on which model it is, but a budget.
fn is_plain(request: &Request<'_>) -> bool {
    let plain = Request::new(request.budget());
    [plain, plain.with_duplicate()].contains(request)
}

/// A request with whatever may be asked.
struct Asked<const N: usize> {
    budget: Budget,
    min_accuracy: Option<Accuracy>,
    max_cost: Option<Cost>,
    allowed: Option<ModelSet<N>>,
    waits: Vec<Micros>,
    price: Option<Price>,
    earlier: Option<(Budget, Accuracy)>,
    duplicate: bool,
}

impl<const N: usize> Asked<N> {
    fn new(operated: &Operated<N>, bytes: &mut Bytes<'_>) -> Self {
        let kinds = bytes.byte();
        let has = |bit: u32| kinds >> bit & 1 == 1;
        let waits = if has(0) { waits::<N>(bytes) } else { Vec::new() };
        Self {
            budget: operated.budget(&waits, bytes),
            allowed: has(1).then(|| operated.allowed(bytes)),
            min_accuracy: has(2).then(|| operated.accuracy(bytes)),
            max_cost: has(3).then(|| Cost(u32::from(bytes.byte()) % 4)),
            price: has(4).then(|| {
                let [per_micro, per_micro_squared, per_cost] = [(); 3].map(|()| bytes.size());
                Price { per_micro, per_micro_squared, per_cost }
            }),
            earlier: has(5).then(|| (operated.budget(&waits, bytes), operated.worth(bytes))),
            duplicate: has(6),
            waits,
        }
    }

    fn request(&self) -> Request<'_> {
        let mut request = Request::new(self.budget).with_waits(&self.waits);
        if let Some(accuracy) = self.min_accuracy {
            request = request.with_min_accuracy(accuracy);
        }
        if let Some(cost) = self.max_cost {
            request = request.with_max_cost(cost);
        }
        if let Some(allowed) = &self.allowed {
            request = request.with_allowed(allowed);
        }
        if let Some(price) = self.price {
            request = request.with_price(price);
        }
        if let Some((budget, worth)) = self.earlier {
            request = request.with_earlier(budget, worth);
        }
        if self.duplicate { request.with_duplicate() } else { request }
    }
}

/// Waits for fewer or more models than there are: none, short ones, and any.
fn waits<const N: usize>(bytes: &mut Bytes<'_>) -> Vec<Micros> {
    let (count, number, halvings) = (bytes.size() as usize % (N + 3), bytes.byte(), bytes.byte());
    let wait = |place: u64| {
        let bits = Draw::from_id(u64::from(number) << 16 | place).bits();
        Micros::new(if bits & 1 == 0 { 0 } else { (bits >> 32) as u32 >> (halvings % 32) })
    };
    (0..count as u64).map(wait).collect()
}

impl<const N: usize> Operated<N> {
    /// None, one, some, or all but a few.
    fn allowed(&self, bytes: &mut Bytes<'_>) -> ModelSet<N> {
        let (number, among) = (u64::from(bytes.byte()), bytes.byte());
        let allowed = |id: &ModelId| Draw::from_id(number << 16 | id.index() as u64).bits() as u8 <= among;
        let mut set: ModelSet<N> = self.hosted.iter().map(|(id, _)| *id).filter(allowed).collect();
        if among & 1 == 0 {
            set.insert(bytes.any(&self.hosted).unwrap().0);
        }
        set
    }

    /// That of a model or one part per million more, or any.
    fn accuracy(&self, bytes: &mut Bytes<'_>) -> Accuracy {
        let kind = bytes.number(3);
        let (_, Profile { accuracy, .. }) = bytes.any(&self.hosted).unwrap();
        match kind {
            0 => accuracy,
            1 => Accuracy::from_ppm(accuracy.as_ppm() + 1).unwrap_or(accuracy),
            _ => bytes.accuracy(),
        }
    }

    /// A difference of two accuracies, where preferring the earlier changes, or any.
    fn worth(&self, bytes: &mut Bytes<'_>) -> Accuracy {
        let [one, other] = [(); 2].map(|()| self.accuracy(bytes).as_ppm());
        let worth = if bytes.byte() < 192 { one.abs_diff(other) } else { one };
        Accuracy::from_ppm(worth).unwrap()
    }
}
