//! What the replicas of a server tell each other over a network that reorders, doubles and loses what is said, decoded from
//! any bytes: what is heard against a plain list of who said what, and in the end all know the same. Run by proptest and by
//! a fuzz target alike.

use std::collections::BTreeMap;

use mdinference::{
    Accuracy, Budget, Catalog, Cost, Draw, Latency, Learning, Learnt, Micros, ModelId, ModelSet, Policy,
    Profile, Replicas, Report, Request, Server, Timestamp,
};

#[path = "bytes.rs"]
#[allow(dead_code, reason = "it is shared")]
mod bytes;

use bytes::Bytes;

const MODELS: usize = 3;
/// There is room for so many in what each of them has heard …
const REPLICAS: usize = 3;
/// … and so many there may be.
const MOST: usize = 4;
/// The catalogs have room for one model more than what is heard has.
const PLACES: usize = MODELS + 1;

impl Bytes<'_> {
    /// Mostly of the order of a run.
    fn span(&mut self) -> Micros {
        let fine = u32::from(self.byte());
        match self.byte() {
            0 => Micros::ZERO,
            1 => Micros::MAX,
            2 => Micros::new(fine << 23),
            coarse => Micros::new(u32::from(coarse) << 10 | fine),
        }
    }

    fn profile(&mut self) -> Profile {
        let latency = Latency { mean: self.span(), deviation: Micros::new(u32::from(self.byte()) << 6) };
        let accuracy = Accuracy::from_ppm(u32::from(self.byte()) * 3_900).unwrap();
        Profile::new(accuracy, latency).with_cost(Cost(1))
    }
}

/// What a replica has said of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Statement {
    replica: u32,
    model: ModelId,
    learnt: Learnt,
    at: Timestamp,
}

/// What has been heard, as a plain list: by replica, and by the place of the model.
#[derive(Clone, Default)]
struct Listed(BTreeMap<u32, BTreeMap<usize, Statement>>);

impl Listed {
    /// Says whether it is news.
    fn hear(&mut self, said: Statement) -> bool {
        let place = said.model.index();
        let full = !self.0.contains_key(&said.replica) && self.0.len() == REPLICAS;
        if full || place >= MODELS {
            return false;
        }
        let of_replica = self.0.entry(said.replica).or_default();
        let news = of_replica.get(&place).is_none_or(|known| known.at < said.at);
        if news {
            of_replica.insert(place, said);
        }
        news
    }

    fn of(&self, model: ModelId) -> Vec<Learnt> {
        let said = self.0.values().filter_map(|of_replica| of_replica.get(&model.index()));
        said.filter(|said| said.model == model).map(|said| said.learnt).collect()
    }
}

/// A replica, and what it has heard of the others.
struct Replica {
    number: u32,
    server: Server<PLACES>,
    now: Timestamp,
    heard: Replicas<MODELS, REPLICAS>,
    listed: Listed,
    /// On their way to it.
    wire: Vec<Statement>,
}

impl Replica {
    fn hear(&mut self, said: Statement) {
        let Statement { replica, model, learnt, at } = said;
        let news = self.heard.hear(replica, model, learnt, at);
        assert_eq!(news, self.listed.hear(said));
        let before = self.heard.clone();
        assert!(!self.heard.hear(replica, model, learnt, at), "the same twice is no news");
        assert_eq!(self.heard, before, "the same twice has changed something");
        self.check(model);
    }

    /// What is known of a model together is what those have said of it who are known, whatever else came in.
    fn check(&self, model: ModelId) {
        let said = self.listed.of(model);
        let pooled = self.heard.pooled(model);
        assert_eq!(pooled, said.iter().copied().reduce(|one, other| merged(&one, &other)));
        let Some(pooled) = pooled else { return };
        let samples: u64 = said.iter().map(|learnt| learnt.latency.samples()).sum();
        assert_eq!(pooled.latency.samples(), samples);
        let means =
            || said.iter().filter_map(|learnt| learnt.latency.latency()).map(|known| known.mean.get());
        if let (Some(least), Some(greatest), Some(known)) =
            (means().min(), means().max(), pooled.latency.latency())
        {
            // They are of 24 bits.
            let near = |time: u32| 1 + (time >> 21);
            let mean = known.mean.get();
            assert!(
                mean + near(mean) >= least && mean <= greatest + near(greatest),
                "{mean} of {least} to {greatest}"
            );
        }
    }

    /// The server takes in what the others know together.
    fn take(&mut self, model: ModelId) {
        let own = self.server.learnt(model).copied();
        let pooled = self.heard.pooled(model);
        self.server.hear(model, pooled);
        assert_eq!(self.server.learnt(model).copied(), own, "what others know is not one's own");
        let before = self.server.clone();
        assert!(!self.server.hear(model, pooled), "nothing new, and the front has changed");
        assert_eq!(self.server.front(), before.front());
    }

    /// What it has measured of a model.
    fn says(&self, model: ModelId, at: Timestamp) -> Option<Statement> {
        let learnt = *self.server.learnt(model)?;
        Some(Statement { replica: self.number, model, learnt, at })
    }
}

/// It does not matter which is asked.
fn merged(one: &Learnt, other: &Learnt) -> Learnt {
    let latency = one.latency.merged(&other.latency);
    let accuracy = one.accuracy.merged(&other.accuracy);
    assert_eq!(latency, other.latency.merged(&one.latency));
    assert_eq!(accuracy, other.accuracy.merged(&one.accuracy));
    Learnt { latency, accuracy }
}

/// Builds replicas and drives them by `bytes`. Panics if they break a promise.
#[allow(unreachable_pub, reason = "a fuzz target includes this file too")]
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let count = 1 + bytes.number(MOST as u8);
    let profiles: Vec<Profile> = (0..1 + bytes.number(PLACES as u8)).map(|_| bytes.profile()).collect();
    let catalog = Catalog::<PLACES>::new(profiles).unwrap();
    let models = (0..PLACES).filter_map(|place| catalog.id(place)).collect();
    let first = Server::new(catalog, Policy::PAPER, Learning::DEFAULT);
    let replica = |number| Replica {
        number,
        server: first.clone(),
        now: Timestamp::default(),
        heard: Replicas::new(),
        listed: Listed::default(),
        wire: Vec::new(),
    };
    // Their numbers are none of places.
    let replicas = (0..count as u32).map(|place| replica(10 * (place ^ 1))).collect();
    let mut operated = Operated { replicas, models, gone: Vec::new(), first: first.clone(), clock: 0 };
    while bytes.0.len() > 1 {
        operated.step(&mut bytes);
    }
    operated.agree(&mut bytes);
}

struct Operated {
    replicas: Vec<Replica>,
    models: Vec<ModelId>,
    gone: Vec<ModelId>,
    /// As each of them began.
    first: Server<PLACES>,
    /// How often something was said, and so when.
    clock: u64,
}

impl Operated {
    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let operation = bytes.byte();
        let place = bytes.number(self.replicas.len() as u8);
        let model = self.models[bytes.number(self.models.len() as u8)];
        match operation % 12 {
            0..=2 => self.run_some(place, model, bytes),
            3 => {
                let (replica, right) = (&mut self.replicas[place], bytes.byte() < 128);
                for _ in 0..=bytes.byte() {
                    replica.server.learn(Report::judged(model, right), replica.now);
                }
            }
            4 => self.tell(place, model),
            5 => self.models.clone().into_iter().for_each(|model| self.tell(place, model)),
            6..=8 => {
                let replica = &mut self.replicas[place];
                let Some(message) = usize::from(bytes.byte()).checked_rem(replica.wire.len()) else { return };
                let said = match bytes.number(4) {
                    // It comes again later.
                    0 => replica.wire[message],
                    _ => replica.wire.swap_remove(message),
                };
                replica.hear(said);
            }
            9 => {
                let replica = &mut self.replicas[place];
                if let Some(message) = usize::from(bytes.byte()).checked_rem(replica.wire.len()) {
                    replica.wire.swap_remove(message);
                }
            }
            10 => self.replicas[place].take(model),
            _ => match bytes.number(3) {
                0 => self.forget(place, 10 * bytes.number(MOST as u8) as u32),
                1 => self.replace(model, bytes.profile()),
                _ => self.restart(place),
            },
        }
    }

    /// Runs of a model, of about as long each.
    fn run_some(&mut self, place: usize, model: ModelId, bytes: &mut Bytes<'_>) {
        let Replica { server, now, .. } = &mut self.replicas[place];
        let took = bytes.span();
        let allowed: ModelSet<PLACES> = [model].into_iter().collect();
        let request = Request::new(Budget::of(Micros::MAX)).with_allowed(&allowed);
        for number in 0..=bytes.number(32) as u64 {
            let (_, ticket) = server.begin(request, Draw::from_id(number), *now).unwrap();
            *now = now.after(took).after(Micros::new(number as u32 % 5));
            let report = if bytes.0.is_empty() { ticket.failed(*now) } else { ticket.completed(*now) };
            server.learn(report, *now);
        }
    }

    /// A replica says to all others what it has measured itself.
    fn tell(&mut self, place: usize, model: ModelId) {
        self.clock += 1;
        let at = Timestamp::from_micros(self.clock);
        let Some(said) = self.replicas[place].says(model, at) else { return };
        let others = self.replicas.iter_mut().filter(|other| other.number != said.replica);
        others.for_each(|other| other.wire.push(said));
    }

    fn forget(&mut self, place: usize, number: u32) {
        let Replica { heard, listed, .. } = &mut self.replicas[place];
        heard.forget(number);
        listed.0.remove(&number);
        self.models.iter().for_each(|&model| self.replicas[place].check(model));
    }

    /// All of them replace a model, while what was said of the old one is on its way.
    fn replace(&mut self, model: ModelId, profile: Profile) {
        let mut new = None;
        let servers = self.replicas.iter_mut().map(|replica| &mut replica.server);
        for server in servers.chain([&mut self.first]) {
            let id = server.replace(model, profile).unwrap();
            assert_eq!(*new.get_or_insert(id), id, "the same change gives the same id");
        }
        self.models.retain(|&known| known != model);
        self.models.extend(new);
        self.gone.push(model);
    }

    /// A replica loses all that it has measured, hears of its former self what that has told, and goes by another name.
    fn restart(&mut self, place: usize) {
        let models = self.models.clone();
        models.iter().for_each(|&model| self.tell(place, model));
        let number = self.replicas.iter().map(|replica| replica.number).max().unwrap_or(0) + 1;
        let at = Timestamp::from_micros(self.clock);
        let replica = &mut self.replicas[place];
        let former: Vec<Statement> = models.iter().filter_map(|&model| replica.says(model, at)).collect();
        replica.wire.extend(former);
        replica.server = self.first.clone();
        replica.number = number;
    }

    /// The last that each has to say comes to all, in an order of its own: then all of them know the same.
    fn agree(mut self, bytes: &mut Bytes<'_>) {
        let mut said: Vec<Statement> = Vec::new();
        for replica in self.replicas.iter().take(REPLICAS) {
            for &model in &self.models {
                self.clock += 1;
                said.extend(replica.says(model, Timestamp::from_micros(self.clock)));
            }
        }
        let mut known: Option<Replicas<MODELS, REPLICAS>> = None;
        for replica in &mut self.replicas {
            // Nobody who is no more is remembered.
            (replica.heard, replica.listed) = (Replicas::new(), Listed::default());
            let turn = bytes.byte();
            let count = said.len();
            said.rotate_left(usize::from(turn) % count);
            if turn & 1 == 1 {
                said.reverse();
            }
            let late =
                replica.wire.drain(..).filter(|late| said.iter().any(|said| said.replica == late.replica));
            let late: Vec<Statement> = late.collect();
            let (first, last) = said.split_at(usize::from(turn) % count);
            let all: Vec<Statement> = [first, &late, last, first].concat();
            all.into_iter().for_each(|said| replica.hear(said));
            let of_all = said.iter().filter(|said| self.models.contains(&said.model));
            of_all.for_each(|said| replica.check(said.model));
            self.gone.iter().for_each(|&gone| replica.check(gone));
            let known = known.get_or_insert_with(|| replica.heard.clone());
            assert_eq!(*known, replica.heard, "it depends on the order");
        }
        // Two that have measured nothing are alike once they have heard the same, in whatever order.
        let mut listeners = [self.first.clone(), self.first];
        let heard = &self.replicas[0].heard;
        for &model in &self.models {
            listeners[0].hear(model, heard.pooled(model));
        }
        for &model in self.models.iter().rev().chain(&self.models) {
            listeners[1].hear(model, heard.pooled(model));
        }
        let [one, other] = listeners;
        assert_eq!(one.catalog(), other.catalog());
    }
}
