//! Sequences of operations on a server, decoded from any bytes, with its promises checked after each; then it
//! is left alone, and has to recover: run by proptest and by a fuzz target alike.

use mdinference::estimate::Observation;
use mdinference::select::base::Base;
use mdinference::select::threshold::Threshold;
use mdinference::{
    Accuracy, Budget, Candidate, Catalog, CatalogError, Cost, Decision, Draw, Front, Latency, Learning,
    Learnt, Margin, Micros, Model, ModelId, ModelSet, NetworkTime, NothingEligible, Policy, Price, Profile,
    Reason, Replicas, Report, Request, Server, Share, Sharpness, Standing, Ticket, Timestamp, Told, Verdict,
};

#[path = "bytes.rs"]
mod bytes;

use bytes::Bytes;

const MODELS: usize = 6;
const REPLICAS: usize = 3;
const NEVER: Timestamp = Timestamp::from_micros(u64::MAX);

impl Bytes<'_> {
    /// Spans of every size, crowded where profiles are.
    fn span(&mut self) -> Micros {
        let fine = u32::from(self.byte());
        match self.byte() {
            0 => Micros::ZERO,
            1 => Micros::MAX,
            2 => Micros::new(fine << 23),
            coarse => Micros::new(u32::from(coarse) << 10 | fine),
        }
    }

    fn accuracy(&mut self) -> Accuracy {
        Accuracy::from_ppm(u32::from(self.byte()) * 3_900).unwrap()
    }

    fn profile(&mut self) -> Profile {
        let latency = Latency { mean: self.span(), deviation: self.deviation() };
        Profile::new(self.accuracy(), latency).with_cost(Cost(u32::from(self.byte())))
    }

    /// As a rule small.
    fn deviation(&mut self) -> Micros {
        if self.byte() < 32 { self.span() } else { Micros::new(u32::from(self.byte()) << 4) }
    }

    fn policy(&mut self) -> Policy {
        let margin = [1.0, 1.0, 0.0, 3.0, 1_000.0][self.number(5)];
        let sharpness = [1, 3][self.number(2)];
        Policy { margin: Margin::new(margin).unwrap(), sharpness: Sharpness::new(sharpness).unwrap() }
    }

    fn learning(&mut self) -> Learning {
        let learning = Learning::DEFAULT;
        if self.byte() < 192 { learning } else { learning.with_probe_interval(self.span()) }
    }

    /// One of these; `None` if there are none.
    fn place<T>(&mut self, items: &[T]) -> Option<usize> {
        usize::from(self.byte()).checked_rem(items.len())
    }
}

/// A model of the server, and what is known of it outside.
#[derive(Clone, Copy)]
struct Hosted {
    id: ModelId,
    prior: Profile,
    heard: Option<Learnt>,
    /// Until when there is to be no other probe of it.
    probed_until: Timestamp,
}

impl Hosted {
    fn new(id: ModelId, prior: Profile) -> Self {
        Self { id, prior, heard: None, probed_until: Timestamp::default() }
    }
}

/// A server, and what is around it.
struct Operated {
    server: Server<MODELS>,
    /// Is called as the server is, and asked nothing else.
    twin: Server<MODELS>,
    /// As the front was when last somebody was told to publish it.
    told: Front<MODELS>,
    told_at: Timestamp,
    was_different: bool,
    /// The server's time, which does not step back by little.
    clock: Timestamp,
    /// An older one, which others choose by.
    copy: Front<MODELS>,
    learning: Learning,
    /// Its models, by place, and the ids of those that are no more.
    hosted: Vec<Option<Hosted>>,
    gone: Vec<ModelId>,
    /// Of another catalog.
    strangers: Vec<ModelId>,
    latest: Timestamp,
    running: Vec<Ticket>,
    /// On their way to the server, and those that it has seen, to come again.
    sent: Vec<Report>,
    seen: Vec<Report>,
    statements: Vec<Statement>,
    now: Timestamp,
}

/// What a replica has said of a model.
#[derive(Clone, Copy)]
struct Statement {
    replica: u32,
    model: ModelId,
    learnt: Learnt,
    at: Timestamp,
}

/// Builds a server and drives it by `bytes`. Panics if it breaks a promise.
#[allow(unreachable_pub, reason = "a fuzz target includes this file too")]
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let priors: Vec<Profile> = (0..=bytes.number(MODELS as u8)).map(|_| bytes.profile()).collect();
    let (policy, learning) = (bytes.policy(), bytes.learning());
    let catalog = Catalog::<MODELS>::new(priors.iter().copied()).unwrap();
    let hosted = catalog.models().map(|model| model.id).collect::<Vec<_>>();
    let hosted = (0..priors.len())
        .map(|place| *hosted.iter().find(|id| id.index() == place).unwrap())
        .zip(priors)
        .map(|(id, prior)| Some(Hosted::new(id, prior)))
        .collect();
    let server = Server::new(catalog, policy, learning);
    let stranger = Catalog::<MODELS>::new([Profile::new(Accuracy::MAX, Latency::default()); MODELS]).unwrap();
    let strangers: Vec<ModelId> =
        stranger.models().map(|model| model.id).filter(|&id| server.catalog().get(id).is_none()).collect();
    let mut operated = Operated {
        twin: server.clone(),
        told: server.front().clone(),
        told_at: Timestamp::default(),
        was_different: false,
        clock: Timestamp::default(),
        copy: server.front().clone(),
        server,
        learning,
        hosted,
        gone: Vec::new(),
        strangers,
        latest: Timestamp::default(),
        running: Vec::new(),
        sent: Vec::new(),
        seen: Vec::new(),
        statements: Vec::new(),
        now: Timestamp::default(),
    };
    while bytes.0.len() > 1 {
        operated.step(&mut bytes);
        operated.check();
    }
    // It takes up to thousands of runs, which takes too long under Miri.
    if !cfg!(miri) {
        operated.recover(&mut bytes);
    }
}

impl Operated {
    fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.byte() % 16 {
            0 | 1 => {
                let asked = Asked::new(&self.server, bytes);
                let draw = Draw::from_uniform_bits(bytes.wide());
                let answer = self.begin(asked.request(), draw);
                self.running.extend(answer.map(|(_, ticket)| ticket));
            }
            2 => self.begin_by_copy(bytes),
            3 => {
                // Many at once, of one model.
                let model = self.any_hosted(bytes).id;
                let allowed: ModelSet<MODELS> = [model].into_iter().collect();
                let request = Request::new(self.long()).with_allowed(&allowed);
                for _ in 0..bytes.number(8) {
                    let answer = self.begin(request, Draw::from_uniform_bits(bytes.wide()));
                    self.running.extend(answer.map(|(_, ticket)| ticket));
                }
            }
            4 => self.end(bytes),
            5 => self.end_all(bytes),
            6 => self.overdue(bytes),
            7 => {
                // All that run hang.
                self.now = self.now.after(bytes.span());
                let now = self.now;
                let reports: Vec<Report> =
                    self.running.iter_mut().filter_map(|ticket| ticket.overdue(now)).collect();
                reports.into_iter().for_each(|report| self.learn(report));
            }
            // Reports come in any order, and some again.
            8 | 9 => {
                if let Some(place) = bytes.place(&self.sent) {
                    let report = self.sent.swap_remove(place);
                    self.seen.push(report);
                    self.learn(report);
                }
            }
            10 => {
                if let Some(place) = bytes.place(&self.seen) {
                    self.learn(self.seen[place]);
                }
            }
            11 => {
                let (model, right) = (self.any_model(bytes), bytes.byte() < 128);
                (0..1 + 20 * bytes.number(16)).for_each(|_| self.learn(Report::judged(model, right)));
            }
            12 => {
                // The clock goes on, steps back, and jumps by years.
                self.now = match bytes.number(4) {
                    0 => Timestamp::from_micros(bytes.wide()),
                    1 => self.now.after(Micros::from_millis(10 * u32::from(bytes.byte()))),
                    _ => self.now.after(bytes.span()),
                };
                self.poll();
            }
            13 => {
                // As somebody does who sleeps until then.
                let due = self.server.poll_at();
                if due < NEVER {
                    self.now = self.now.max(due);
                    self.poll();
                }
            }
            14 => self.hear(bytes),
            _ => self.come_and_go(bytes),
        }
    }

    fn ids(&self) -> Vec<ModelId> {
        self.hosted.iter().flatten().map(|hosted| hosted.id).collect()
    }

    fn hosted(&mut self, id: ModelId) -> Option<&mut Hosted> {
        self.hosted.iter_mut().flatten().find(|hosted| hosted.id == id)
    }

    fn any_hosted(&self, bytes: &mut Bytes<'_>) -> Hosted {
        let hosted: Vec<Hosted> = self.hosted.iter().flatten().copied().collect();
        hosted[bytes.place(&hosted).unwrap()]
    }

    /// Any model, there or not.
    fn any_model(&self, bytes: &mut Bytes<'_>) -> ModelId {
        let mut all = self.ids();
        all.extend(self.gone.iter().chain(&self.strangers));
        all[bytes.place(&all).unwrap()]
    }

    /// A budget that every model fits by what it started from, if there is one.
    fn long(&self) -> Budget {
        Budget::of(self.hosted.iter().flatten().map(|hosted| needed(hosted.prior.latency)).max().unwrap())
    }

    fn begin(&mut self, request: Request<'_>, draw: Draw) -> Result<(Decision, Ticket), NothingEligible> {
        // What is due by now is done first.
        let mut ready = self.server.clone();
        if self.now >= ready.poll_at() {
            let changed = ready.poll(self.now);
            self.tick();
            // Of a probe that was closed and opened again it is told later.
            self.was_different |= changed && self.clock <= self.told_at;
        }
        check_probabilities(ready.front(), &request, self.now);
        let answer = self.server.begin(request, draw, self.now);
        self.was_different |= *self.server.front() != self.told;
        assert_eq!(answer, self.twin.begin(request, draw, self.now));
        assert_eq!(answer, ready.front().begin(request, draw, self.now));
        check_choice(ready.front(), &request, draw, self.now, &answer);
        if let Ok((decision, ticket)) = &answer
            && decision.reason == Reason::Probe
        {
            // It may have been opened just now.
            self.was_different = true;
            self.latest = self.now;
            self.check_probe(ticket);
        }
        answer
    }

    /// While the report of a probe is waited for, there is no other of its model, unless it gets a share.
    fn check_probe(&mut self, ticket: &Ticket) {
        let (now, model) = (self.now, ticket.model());
        if !self.drifted(model) && self.server.standing(model) != Some(Standing::Canary) {
            let hosted = self.hosted(model).unwrap();
            assert!(now >= hosted.probed_until, "two probes at once");
            hosted.probed_until = ticket.overdue_at();
        }
    }

    /// Whether a model is taken to be less accurate than it was.
    fn drifted(&self, model: ModelId) -> bool {
        let known = self.server.catalog().get(model).zip(self.server.learnt(model));
        known.is_some_and(|(profile, learnt)| profile.accuracy < learnt.accuracy.prior())
    }

    /// Others choose by a front that was published some time ago, and by clocks of their own.
    fn begin_by_copy(&mut self, bytes: &mut Bytes<'_>) {
        let asked = Asked::new(&self.server, bytes);
        let draw = Draw::from_uniform_bits(bytes.wide());
        let now = match bytes.number(3) {
            0 => self.now,
            1 => self.now.after(bytes.span()),
            _ => Timestamp::from_micros(self.now.as_micros().saturating_sub(bytes.span().get().into())),
        };
        check_probabilities(&self.copy, &asked.request(), now);
        let answer = self.copy.begin(asked.request(), draw, now);
        check_choice(&self.copy, &asked.request(), draw, now, &answer);
        self.running.extend(answer.map(|(_, ticket)| ticket));
        if bytes.byte() < 128 {
            self.copy.clone_from(&self.told);
            assert_eq!(self.copy, self.told);
            assert!(self.copy.catalog().models().eq(self.told.catalog().models()));
        }
    }

    /// A run ends, or its ticket is lost.
    fn end(&mut self, bytes: &mut Bytes<'_>) {
        let Some(place) = bytes.place(&self.running) else { return };
        let mut ticket = self.running.swap_remove(place);
        let end = self.now.after(bytes.span());
        let how = bytes.byte();
        if how & 0x20 != 0 {
            ticket.started(self.now);
        }
        if how & 0x40 != 0 {
            ticket.longer_by(bytes.span());
        }
        self.sent.extend(if how & 0x10 == 0 { ended(ticket, how, end) } else { guarded(ticket, how, end) });
    }

    /// All that run end at once, and the server learns of it.
    fn end_all(&mut self, bytes: &mut Bytes<'_>) {
        self.now = self.now.after(bytes.span());
        let (how, now) = (bytes.byte(), self.now);
        for ticket in std::mem::take(&mut self.running) {
            if let Some(report) = ended(ticket, how, now) {
                self.learn(report);
            }
        }
    }

    fn overdue(&mut self, bytes: &mut Bytes<'_>) {
        let now = self.now.after(bytes.span());
        let Some(ticket) = self.running.first_mut() else { return };
        let due = ticket.overdue_at();
        let report = ticket.overdue(now);
        // At the end of time it may be due, or have been reported before.
        if due < NEVER {
            assert_eq!(report.is_some(), now >= due);
        }
        assert_eq!(ticket.overdue(now), None, "once is enough");
        self.sent.extend(report);
    }

    fn learn(&mut self, report: Report) {
        let before = self.server.clone();
        let Report { model, told, .. } = report;
        let changed = self.server.learn(report, self.now);
        if before.catalog().get(model).is_some() {
            self.tick();
        }
        assert_eq!(changed, self.twin.learn(report, self.now));
        for id in self.ids().into_iter().filter(|&id| id != model) {
            assert_eq!(self.server.learnt(id), before.learnt(id), "another model's report taught it");
        }
        let (Some(old), Some(new)) = (before.learnt(model), self.server.learnt(model)) else {
            assert!(!changed && self.server == before, "a stranger taught something");
            return;
        };
        match told {
            Told::Overdue { .. } => assert_eq!(new, old),
            Told::Ended { observation, .. } => {
                assert_eq!(new.accuracy, old.accuracy);
                let more = new.latency.samples() - old.latency.samples();
                assert!(more <= 1);
                if let (Observation::AtLeast(time), Some(latency)) = (observation, old.latency.latency()) {
                    let slower = new.latency.latency().unwrap().mean >= latency.mean;
                    assert!(slower, "at least {time} made it faster than {latency:?}");
                }
            }
            _ => assert_eq!(new.latency, old.latency),
        }
        self.hosted(model).unwrap().probed_until = Timestamp::default();
        self.tell(changed);
    }

    fn poll(&mut self) {
        let changed = self.server.poll(self.now);
        assert_eq!(changed, self.twin.poll(self.now));
        self.tick();
        if self.now < std::mem::replace(&mut self.latest, self.now) {
            // A clock that steps back takes what is waited for with it.
            let hosted = self.hosted.iter_mut().flatten();
            hosted.for_each(|hosted| hosted.probed_until = Timestamp::default());
        }
        self.tell(changed);
    }

    /// Whether the front has changed since that was last told.
    fn tell(&mut self, changed: bool) {
        let different = *self.server.front() != self.told;
        assert!(changed || !different, "the front has changed, and nobody is told");
        // A probe that was closed and opened again at the same time is the same.
        let back = self.was_different || self.clock <= self.told_at;
        assert!(different || back || !changed, "the front is as it was, and something else is told");
        self.published();
    }

    fn published(&mut self) {
        self.told.clone_from(self.server.front());
        self.told_at = self.clock;
        self.was_different = false;
    }

    /// The server has looked at the time.
    fn tick(&mut self) {
        let patience = self.learning.probe_interval.min(Micros::from_millis(10_000));
        let stepped_back = self.clock.since(self.now) > patience;
        self.clock = if stepped_back { self.now } else { self.clock.max(self.now) };
    }

    /// A replica, which is this server as it was, or one that has run on, tells what it has measured; or all is forgotten.
    fn hear(&mut self, bytes: &mut Bytes<'_>) {
        let (model, replica) = (self.any_model(bytes), bytes.number(REPLICAS as u8) as u32);
        let kind = bytes.byte();
        if kind < 128
            && let Some(&(mut learnt)) = self.server.learnt(model)
        {
            if kind < 64 {
                // Where it runs, it has taken other times than here.
                let took = Observation::Took(bytes.span());
                for _ in 0..bytes.number(32) {
                    learnt.latency.observe(took, self.now, self.learning.latency);
                }
            }
            let at = Timestamp::from_micros(self.statements.len() as u64);
            self.statements.push(Statement { replica, model, learnt, at });
            return;
        }
        let mut replicas = Replicas::<MODELS, REPLICAS>::new();
        for &Statement { replica, model, learnt, at } in &self.statements {
            replicas.hear(replica, model, learnt, at);
        }
        if bytes.byte() < 64 {
            replicas.forget(replica);
        }
        self.hear_of(model, replicas.pooled(model));
    }

    fn hear_of(&mut self, model: ModelId, others: Option<Learnt>) {
        let before = self.server.clone();
        let changed = self.server.hear(model, others);
        assert_eq!(changed, self.twin.hear(model, others));
        for id in self.ids() {
            assert_eq!(self.server.learnt(id), before.learnt(id), "what others know is not one's own");
        }
        if let Some(hosted) = self.hosted(model) {
            hosted.heard = others;
            self.tell(changed);
        } else {
            assert!(!changed && self.server == before, "heard of a stranger");
        }
    }

    /// A model is added, removed or replaced. The others stay as they are.
    fn come_and_go(&mut self, bytes: &mut Bytes<'_>) {
        let before = self.server.clone();
        let (operation, model, profile) = (bytes.number(4), self.any_model(bytes), bytes.profile());
        let share = Share::from_percent(f64::from(bytes.byte()) * 100.0 / 255.0).unwrap();
        let known = before.catalog().get(model).is_some();
        let operate = |server: &mut Server<MODELS>| match operation {
            0 => server.add(profile).map(Some),
            1 => server.add_canary(profile, share).map(Some),
            2 => server.remove(model).map(|_| None),
            _ => server.replace(model, profile).map(Some),
        };
        let done = operate(&mut self.server);
        assert_eq!(done, operate(&mut self.twin));
        let removed = (operation > 1 && done.is_ok()).then_some(model);
        let added = match done {
            Ok(added) => added,
            Err(error) => {
                let expected = match operation {
                    0 | 1 => CatalogError::Full { capacity: MODELS },
                    2 if known => CatalogError::Empty,
                    _ => CatalogError::Unknown,
                };
                assert_eq!(error, expected);
                assert_eq!(self.server, before);
                return;
            }
        };
        for id in self.ids().into_iter().filter(|&id| Some(id) != removed) {
            assert_eq!(self.server.learnt(id), before.learnt(id), "another model changed");
            assert_eq!(self.server.standing(id), before.standing(id), "another model changed");
        }
        if let Some(id) = removed {
            self.hosted[id.index()] = None;
            self.gone.push(id);
        }
        if let Some(id) = added {
            assert!(!self.gone.contains(&id) && before.catalog().get(id).is_none(), "an id came back");
            // By chance, one in 65,536.
            self.strangers.retain(|&stranger| stranger != id);
            self.hosted.resize(self.hosted.len().max(id.index() + 1), None);
            self.hosted[id.index()] = Some(Hosted::new(id, profile));
            let standing = if operation == 1 { Standing::Canary } else { Standing::Trusted };
            assert_eq!(self.server.standing(id), Some(standing));
        }
        // Whoever does this publishes.
        assert_eq!(self.server.poll(self.now), self.twin.poll(self.now));
        self.tick();
        self.published();
    }

    /// Every profile is what has been learnt, what is worse than it was is waited for, and the catalog is in
    /// order.
    fn check(&self) {
        let (catalog, front) = (self.server.catalog(), self.server.front());
        assert_eq!(catalog.len(), self.hosted.iter().flatten().count());
        let mut all_well = true;
        for Hosted { id, prior, heard, .. } in self.hosted.iter().flatten() {
            let (profile, learnt) = (catalog.get(*id).unwrap(), self.server.learnt(*id).unwrap());
            let standing = self.server.standing(*id).unwrap();
            assert_eq!(profile.cost, prior.cost);
            let accuracy = heard.as_ref().map(|heard| &heard.accuracy);
            assert_eq!(profile.accuracy, learnt.accuracy.believed(accuracy, self.learning.accuracy));
            let latency = heard.as_ref().map(|heard| &heard.latency);
            let live = learnt.latency.believed(latency, self.learning.latency).unwrap_or(prior.latency);
            let shut = Latency { mean: Micros::new(SHUT.get() + live.mean.get() / 2), ..live };
            match standing {
                Standing::Trusted => assert_eq!(profile.latency, live),
                Standing::Held | Standing::Canary => assert_eq!(profile.latency, shut),
                Standing::Probing => assert!(profile.latency == live || profile.latency == shut),
            }
            assert_eq!(front.standing(*id), Some(standing));
            // One that is shut is shown to within a microsecond.
            let shown = front.live(*id).unwrap().latency;
            let same = live.mean.get().abs_diff(shown.mean.get()) <= 1 && shown.deviation == live.deviation;
            assert!(same || live.mean >= SHUT, "{shown:?} is shown of {live:?}");
            all_well &= self.recovered(*id, prior.latency);
        }
        assert!(catalog.models().is_sorted_by_key(|model| model.profile.latency.mean));
        for &id in self.gone.iter().chain(&self.strangers) {
            assert_eq!(
                (catalog.get(id), self.server.learnt(id), self.server.standing(id), front.live(id)),
                (None, None, None, None)
            );
        }
        // But at the end of time.
        assert!(self.server.poll_at() < NEVER || all_well || self.now.as_micros() > u64::MAX / 2);
    }

    /// However it stands: if nobody tells any more of what runs, and time goes by, it is as it began.
    fn recover(mut self, bytes: &mut Bytes<'_>) {
        self.running.clear();
        self.now = match bytes.number(4) {
            0 => Timestamp::from_micros(self.now.as_micros() / 2),
            1 => self.now.after(Micros::MAX),
            _ => self.now,
        };
        // Not at the end of time.
        self.now = self.now.min(Timestamp::from_micros(u64::MAX / 2));
        self.poll();
        // Else a model may be probed for what others have found it to be.
        self.ids().into_iter().for_each(|id| self.hear_of(id, None));
        let all: Vec<Hosted> = self.hosted.iter().flatten().copied().collect();
        let recoverable = |hosted: &Hosted| self.recoverable(hosted.prior.latency);
        let canary = |hosted: &Hosted| self.server.standing(hosted.id) == Some(Standing::Canary);
        if bytes.byte() < 128 && all.iter().all(|hosted| recoverable(hosted) && !canary(hosted)) {
            self.recover_under_load(&all);
        } else {
            let some: Vec<Hosted> = all.into_iter().filter(recoverable).collect();
            some.into_iter().for_each(|hosted| self.recover_model(hosted.id, hosted.prior));
        }
        self.check();
    }

    /// A budget that is long enough is no longer than a model that is shut is said to take; and an estimate,
    /// which is of 24 bits, tells the deviation from none.
    fn recoverable(&self, latency: Latency) -> bool {
        let Latency { mean, deviation } = latency;
        let told_apart = mean.get() < 1 << 19 || deviation.get() > mean.get() >> 17;
        told_apart && needed(latency).max(self.fitting(latency).time()) < SHUT
    }

    /// Requests go on, some for each model that have just the time it takes: then what is chosen for them is as
    /// good as it was at first.
    fn recover_under_load(&mut self, hosted: &[Hosted]) {
        for &Hosted { id, prior, .. } in hosted {
            let accuracy = |server: &Server<MODELS>| server.catalog().get(id).unwrap().accuracy;
            for _ in 0..6_000 {
                let accuracy = accuracy(&self.server);
                if accuracy != prior.accuracy {
                    let report = Report::judged(id, accuracy < prior.accuracy);
                    assert_eq!(self.server.learn(report, self.now), self.twin.learn(report, self.now));
                }
            }
            assert_eq!(accuracy(&self.server), prior.accuracy);
        }
        self.tick();
        self.published();
        let mut rounds = 0;
        while !self.chooses_as_at_first(hosted) {
            rounds += 1;
            assert!(rounds <= MOST_ROUNDS, "it chooses otherwise for ever");
            let due = self.server.poll_at();
            self.now = if due < NEVER { self.now.max(due) } else { self.now };
            // Now and then nothing comes for so long that a report of the slowest would have come.
            let pause = if rounds % 16 == 0 { self.long().time() } else { Micros::from_millis(101) };
            self.now = self.now.after(pause);
            for turn in 0..hosted.len() {
                // In no order that what is due might keep to as well.
                let number = (rounds * MODELS + turn) as u64;
                let place = Draw::from_id(number).bits() as usize % hosted.len();
                let request = Request::new(self.fitting(hosted[place].prior.latency));
                self.poll();
                let draw = self.any_probe(request, number).unwrap_or(Draw::from_id(number));
                let (decision, ticket) = self.begin(request, draw).unwrap();
                let Hosted { prior, .. } = *self.hosted(decision.model).unwrap();
                let mean = prior.latency.mean.get();
                self.now = self.now.after(Micros::new(mean - (mean >> 18)));
                self.learn(ticket.completed(self.now));
            }
        }
    }

    /// For each budget that a model just fits by what it started from, the base is as accurate as it was.
    fn chooses_as_at_first(&self, hosted: &[Hosted]) -> bool {
        let policy = self.server.policy();
        let at_first = Catalog::<MODELS>::new(hosted.iter().map(|hosted| hosted.prior)).unwrap();
        hosted.iter().all(|&Hosted { prior, .. }| {
            let budget = self.fitting(prior.latency);
            let base = |catalog: &Catalog<MODELS>| catalog.explain(policy, budget).base.unwrap();
            let (now, at_first) = (base(self.server.catalog()), base(&at_first));
            let fits = |base| matches!(base, Base::Fits(_));
            (fits(now), now.model().profile.accuracy) >= (fits(at_first), at_first.model().profile.accuracy)
        })
    }

    /// Of some requests, one that is a probe.
    fn any_probe(&self, request: Request<'_>, number: u64) -> Option<Draw> {
        let draws = (0..50).map(|id| Draw::from_id(1_000 * number + id));
        let reason = |draw: Draw| self.server.front().begin(request, draw, self.now).unwrap().0.reason;
        draws.into_iter().find(|&draw| reason(draw) == Reason::Probe)
    }

    fn recover_model(&mut self, id: ModelId, prior: Profile) {
        let allowed: ModelSet<MODELS> = [id].into_iter().collect();
        let alone = Request::new(Budget::of(needed(prior.latency))).with_allowed(&allowed);
        let fitting = Request::new(self.fitting(prior.latency));
        let (mut requests, mean) = (0, prior.latency.mean.get());
        while !self.recovered(id, prior.latency) {
            requests += 1;
            assert!(requests <= MOST_REQUESTS, "it is {:?} for ever", self.server.standing(id));
            let due = self.server.poll_at();
            assert!(due.as_micros() <= self.now.as_micros() + 3 * u64::from(Micros::MAX.get()), "{due:?}");
            self.now = self.now.max(due);
            self.poll();
            assert!(self.server.poll_at() > self.now, "whoever waits for it would spin");
            let probe = self.probe_draw(id, fitting);
            let (request, draw) = probe.map_or((alone, Draw::from_id(requests)), |draw| (fitting, draw));
            let (decision, ticket) = self.begin(request, draw).unwrap();
            assert_eq!(decision.model, id);
            // It comes to rest a few of its last bits away.
            self.now = self.now.after(Micros::new(mean - (mean >> 18)));
            self.learn(ticket.completed(self.now));
            for _ in 0..50 {
                if self.drifted(id) {
                    self.learn(Report::judged(id, true));
                }
            }
        }
        // It answers what it answered at first.
        let (decision, _) = self.begin(fitting.with_allowed(&allowed), Draw::from_id(0)).unwrap();
        assert!(decision.model == id && decision.reason.fits());
    }

    /// It is chosen by its live profile, which is as good as what it started from.
    fn recovered(&self, id: ModelId, prior: Latency) -> bool {
        let threshold = |latency| Threshold::new(latency, self.server.policy().margin);
        let live = self.server.catalog().get(id).unwrap().latency;
        let trusted = self.server.standing(id) == Some(Standing::Trusted);
        trusted && threshold(live) <= threshold(prior) && !self.drifted(id)
    }

    /// The least budget that a model fits by what it started from.
    fn fitting(&self, latency: Latency) -> Budget {
        let nanos = Threshold::new(latency, self.server.policy().margin).as_nanos();
        Budget::of(Micros::new(u32::try_from(nanos / 1_000 + 1).unwrap_or(u32::MAX)))
    }

    /// Of many requests that come in the next tenth of a second, one that is a probe of a model, if there is
    /// one.
    fn probe_draw(&mut self, id: ModelId, request: Request<'_>) -> Option<Draw> {
        let later = self.now.after(Micros::from_millis(101));
        let probes = |draw: &Draw| {
            let decision = self.server.clone().begin(request, *draw, later).unwrap().0;
            (decision.model, decision.reason) == (id, Reason::Probe)
        };
        let draw = (0..50).map(Draw::from_id).find(probes)?;
        self.now = later;
        Some(draw)
    }
}

/// How many requests it takes a model to recover at most. As a rule it is three probes, or as many more as it
/// has had relapses: 24. One that fits though it seems slower has no probes, and its estimate comes near by a
/// twentieth each time: a deviation of 2³¹ µs falls below half of one in 865 runs.
const MOST_REQUESTS: u64 = 1_000;
/// How many rounds of requests it takes under load: those, and the waits between probes that failed at first.
const MOST_ROUNDS: usize = 3_000;
/// A model that is shut takes half of the longest time, and half of its own.
const SHUT: Micros = Micros::new(Micros::MAX.get() / 2 + 1);

/// Longer than a run takes.
fn needed(latency: Latency) -> Micros {
    let Latency { mean, deviation } = latency;
    mean.saturating_add(deviation.saturating_mul(6)).saturating_add(Micros::new(1))
}

/// The end of a run, or that its ticket is lost.
fn ended(ticket: Ticket, how: u8, end: Timestamp) -> Option<Report> {
    match how % 8 {
        0..3 => Some(ticket.completed(end)),
        3 | 4 => Some(ticket.failed(end)),
        5 => Some(ticket.timed_out(end)),
        6 => Some(ticket.cancelled(end)),
        _ => None,
    }
}

/// The same of a ticket that comes home by itself: once if it is lost, and else never.
fn guarded(ticket: Ticket, how: u8, end: Timestamp) -> Option<Report> {
    let (model, deadline) = (ticket.model(), ticket.deadline());
    let mut lost = Vec::new();
    let guard = ticket.or_else(|ticket| lost.push(ticket));
    assert_eq!((guard.model(), guard.deadline()), (model, deadline));
    let report = match how % 8 {
        0..3 => Some(guard.completed(end)),
        3 | 4 => Some(guard.failed(end)),
        5 => Some(guard.timed_out(end)),
        6 => Some(guard.cancelled(end)),
        _ => {
            drop(guard);
            None
        }
    };
    assert_eq!(lost.len(), usize::from(report.is_none()));
    report.or_else(|| {
        let ticket = lost.pop()?;
        assert_eq!((ticket.model(), ticket.deadline()), (model, deadline));
        Some(ticket.cancelled(end))
    })
}

/// Each request is answered by some model: for sure, and as `explain` says.
fn check_probabilities(front: &Front<MODELS>, request: &Request<'_>, now: Timestamp) {
    let candidates: Vec<Candidate> = front.explain(*request, now).candidates().collect();
    let total: f64 = candidates.iter().map(|candidate| candidate.probability).sum();
    let eligible = candidates.iter().any(|candidate| !matches!(candidate.verdict, Verdict::Excluded(_)));
    assert!((total - f64::from(u8::from(eligible))).abs() < 1e-6, "{candidates:?}");
    for Candidate { model, verdict, probability, .. } in candidates {
        assert!((front.probability(*request, model, now) - probability).abs() < 1e-6);
        match verdict {
            Verdict::Probe => assert!(probability > 0.0),
            Verdict::Excluded(_) => assert_eq!(probability, 0.0),
            _ => {}
        }
    }
}

/// A choice is what the plain scan makes of the same profiles, or a probe that the request allows.
fn check_choice(
    front: &Front<MODELS>,
    request: &Request<'_>,
    draw: Draw,
    now: Timestamp,
    answer: &Result<(Decision, Ticket), NothingEligible>,
) {
    let expected = front.catalog().select(front.policy(), *request, draw);
    match answer {
        Ok((decision, ticket)) => {
            let expected = expected.unwrap();
            // A probe fits the whole budget.
            let probe = decision.reason == Reason::Probe;
            let budget = if probe { request.budget() } else { expected.budget };
            assert_eq!((decision.base, decision.budget), (expected.base, budget));
            let model = Model { id: decision.model, profile: *front.catalog().get(decision.model).unwrap() };
            assert_eq!(request.exclusion(&model), None);
            if !decision.reason.fits() {
                // Of one that is shut out too, by what it takes.
                let mean = front.live(decision.model).unwrap().latency.mean;
                let tight = mean.saturating_add(request.wait(decision.model)) < decision.budget.time();
                assert_eq!((decision.reason == Reason::Tight, expected.reason.fits()), (tight, false));
            }
            assert!(front.probability(*request, decision.model, now) > 0.0);
            let deadline = now.after(decision.budget.time());
            assert_eq!((ticket.model(), ticket.deadline()), (decision.model, deadline));
            assert!(ticket.overdue_at() > now || now.as_micros() > u64::MAX >> 1);
        }
        Err(nothing) => assert_eq!(expected, Err(*nothing)),
    }
}

/// A request with whatever may be asked.
struct Asked {
    budget: Budget,
    allowed: Option<ModelSet<MODELS>>,
    waits: Vec<Micros>,
    min_accuracy: Accuracy,
    max_cost: Cost,
    price: Price,
    earlier: Option<(Budget, Accuracy)>,
    duplicate: bool,
}

impl Asked {
    fn new(server: &Server<MODELS>, bytes: &mut Bytes<'_>) -> Self {
        let kinds = bytes.byte();
        let has = |bit: u32| kinds >> bit & 1 == 1;
        let network = match bytes.number(3) {
            0 => NetworkTime::TwiceInput(bytes.span()),
            1 => NetworkTime::TwiceOutput(bytes.span()),
            _ => NetworkTime::Given(Micros::ZERO),
        };
        let budget = Budget::new(bytes.span(), network);
        let allowed = has(0).then(|| {
            let set = bytes.byte();
            let places = (0..MODELS).filter(|&place| set >> place & 1 == 1);
            places.filter_map(|place| server.catalog().id(place)).collect()
        });
        let waits = if has(1) {
            (0..bytes.number(MODELS as u8 + 2)).map(|_| bytes.span()).collect()
        } else {
            Vec::new()
        };
        Self {
            budget,
            allowed,
            waits,
            min_accuracy: if has(2) { bytes.accuracy() } else { Accuracy::ZERO },
            max_cost: Cost(if has(3) { bytes.byte().into() } else { u32::MAX }),
            price: Price { per_cost: if has(4) { u64::from(bytes.byte()) << 24 } else { 0 }, ..Price::NONE },
            earlier: has(5).then(|| (Budget::of(bytes.span()), bytes.accuracy())),
            duplicate: has(6),
        }
    }

    fn request(&self) -> Request<'_> {
        let mut request = Request::new(self.budget)
            .with_waits(&self.waits)
            .with_min_accuracy(self.min_accuracy)
            .with_max_cost(self.max_cost)
            .with_price(self.price);
        if let Some(allowed) = &self.allowed {
            request = request.with_allowed(allowed);
        }
        if let Some((budget, worth)) = self.earlier {
            request = request.with_earlier(budget, worth);
        }
        if self.duplicate { request.with_duplicate() } else { request }
    }
}
