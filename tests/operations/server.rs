//! Sequences of operations on a server, decoded from any bytes, with its promises checked after each: run by
//! proptest and by a fuzz target alike.

use mdinference::estimate::{LatencyEstimator, Observation};
use mdinference::{
    Accuracy, Budget, Catalog, CatalogError, Cost, Draw, Latency, Learning, Micros, ModelId, ModelSet,
    NetworkTime, Policy, Price, Profile, Report, Request, Server, Ticket, Timestamp, Told,
};

const MODELS: usize = 4;

/// Takes numbers off the front; zero once there are no more.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn wide(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

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

    fn profile(&mut self) -> Profile {
        let accuracy = Accuracy::from_ppm(u32::from(self.byte()) * 3_900).unwrap();
        let latency = Latency { mean: self.span(), deviation: self.span() };
        Profile::new(accuracy, latency).with_cost(Cost(u32::from(self.byte())))
    }

    /// One of these; `None` if there are none.
    fn place<T>(&mut self, items: &[T]) -> Option<usize> {
        usize::from(self.byte()).checked_rem(items.len())
    }
}

/// A server, and what is around it.
struct Operated {
    server: Server<MODELS>,
    /// An earlier state of it.
    replica: Server<MODELS>,
    /// Of its models, by place, and those of models that are no more.
    priors: Vec<Option<(ModelId, Profile)>>,
    gone: Vec<ModelId>,
    /// Of another catalog.
    strangers: Vec<ModelId>,
    running: Vec<Ticket>,
    /// On their way to the server, and those that it has seen, to come again.
    sent: Vec<Report>,
    seen: Vec<Report>,
    now: Timestamp,
}

/// Builds a server and drives it by `bytes`. Panics if it breaks a promise.
#[allow(unreachable_pub, reason = "a fuzz target includes this file too")]
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let priors: Vec<Profile> = (0..=usize::from(bytes.byte()) % MODELS).map(|_| bytes.profile()).collect();
    let learning = Learning::DEFAULT.with_patience(bytes.span());
    let catalog = Catalog::<MODELS>::new(priors.iter().copied()).unwrap();
    let priors =
        (0..).zip(&priors).map(|(place, &prior)| Some((catalog.id(place).unwrap(), prior))).collect();
    let server = Server::new(catalog, Policy::PAPER, learning);
    let stranger = Catalog::<MODELS>::new([Profile::new(Accuracy::MAX, Latency::default()); MODELS]).unwrap();
    let strangers: Vec<ModelId> =
        stranger.models().map(|model| model.id).filter(|&id| server.catalog().get(id).is_none()).collect();
    let mut operated = Operated {
        replica: server.clone(),
        server,
        priors,
        gone: Vec::new(),
        strangers,
        running: Vec::new(),
        sent: Vec::new(),
        seen: Vec::new(),
        now: Timestamp::default(),
    };
    while !bytes.0.is_empty() {
        operated.step(&mut bytes);
        operated.check();
    }
}

impl Operated {
    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let before = self.server.clone();
        let changed = match bytes.byte() % 12 {
            0 | 1 => {
                let ticket = begin(&self.server, bytes, self.now);
                self.running.extend(ticket);
                false
            }
            2 | 3 => {
                self.end(bytes);
                false
            }
            4 => {
                self.overdue(bytes);
                false
            }
            // Reports come in any order, and some again.
            5 | 6 => match bytes.place(&self.sent) {
                Some(place) => {
                    let report = self.sent.swap_remove(place);
                    self.seen.push(report);
                    self.learn(report)
                }
                None => false,
            },
            7 => match bytes.place(&self.seen) {
                Some(place) => self.learn(self.seen[place]),
                None => false,
            },
            8 => {
                let report = Report::judged(self.any_model(bytes), bytes.byte() < 128);
                self.learn(report)
            }
            9 => {
                // The clock goes on, steps back, and jumps by years.
                self.now = match bytes.byte() % 4 {
                    0 => Timestamp::from_micros(bytes.wide()),
                    _ => self.now.after(bytes.span()),
                };
                self.server.revive(self.now)
            }
            10 => {
                let model = self.any_model(bytes);
                let changed =
                    self.replica.learnt(model).is_some_and(|learnt| self.server.merge(model, learnt));
                self.replica = before.clone();
                changed
            }
            _ => {
                self.come_and_go(bytes);
                return;
            }
        };
        assert_eq!(
            changed,
            self.server.catalog() != before.catalog(),
            "whether profiles changed must be told"
        );
    }

    /// Any model, there or not.
    fn any_model(&self, bytes: &mut Bytes<'_>) -> ModelId {
        let there = self.priors.iter().flatten().map(|&(id, _)| id);
        let all: Vec<ModelId> = there.chain(self.gone.iter().chain(&self.strangers).copied()).collect();
        all[bytes.place(&all).unwrap()]
    }

    /// A run ends, or its ticket is lost.
    fn end(&mut self, bytes: &mut Bytes<'_>) {
        let Some(place) = bytes.place(&self.running) else { return };
        let mut ticket = self.running.swap_remove(place);
        let end = self.now.after(bytes.span());
        self.sent.push(match bytes.byte() % 6 {
            0 => ticket.completed(end),
            1 => ticket.failed(end),
            2 => ticket.timed_out(end),
            3 => ticket.cancelled(end),
            4 => {
                ticket.started(self.now);
                ticket.completed(end)
            }
            _ => return,
        });
    }

    fn overdue(&mut self, bytes: &mut Bytes<'_>) {
        let now = self.now.after(bytes.span());
        let Some(ticket) = self.running.first_mut() else { return };
        let due = ticket.overdue_at();
        let report = ticket.overdue(now);
        // At the end of time it may be due, or have been reported before.
        if due < Timestamp::from_micros(u64::MAX) {
            assert_eq!(report.is_some(), now >= due);
        }
        assert_eq!(ticket.overdue(now), None, "once is enough");
        self.sent.extend(report);
    }

    fn learn(&mut self, report: Report) -> bool {
        let before = self.server.clone();
        let Report { model, told, .. } = report;
        let changed = self.server.learn(report, self.now);
        let (Some(old), Some(learnt)) = (before.learnt(model), self.server.learnt(model)) else {
            assert!(!changed && self.server == before, "a stranger taught something");
            return false;
        };
        match told {
            Told::Run(Observation::Took(_)) => {
                assert_eq!(learnt.latency.samples(), old.latency.samples().saturating_add(1));
            }
            Told::Run(Observation::AtLeast(time)) => {
                let latency = self.server.catalog().get(model).unwrap().latency;
                let tried_again = latency == rounded(learnt.latency.prior().unwrap());
                let slower = latency.mean >= before.catalog().get(model).unwrap().latency.mean;
                assert!(slower || tried_again, "at least {time} made it faster");
            }
            _ => assert_eq!(learnt.latency.samples(), old.latency.samples()),
        }
        changed
    }

    /// A model is added, removed or replaced. The others stay as they are.
    fn come_and_go(&mut self, bytes: &mut Bytes<'_>) {
        let before = self.server.clone();
        let (operation, model, profile) = (bytes.byte() % 3, self.any_model(bytes), bytes.profile());
        let known = before.catalog().get(model).is_some();
        let (added, removed) = match operation {
            0 => match self.server.add(profile) {
                Ok(id) => (Some(id), None),
                Err(error) => {
                    assert_eq!(error, CatalogError::Full { capacity: MODELS });
                    assert_eq!(before.catalog().len(), MODELS);
                    (None, None)
                }
            },
            1 => match self.server.remove(model) {
                Ok(old) => {
                    assert_eq!(Some(&old), before.catalog().get(model));
                    (None, Some(model))
                }
                Err(error) => {
                    assert_eq!(error, if known { CatalogError::Empty } else { CatalogError::Unknown });
                    (None, None)
                }
            },
            _ => match self.server.replace(model, profile) {
                Ok(id) => (Some(id), Some(model)),
                Err(error) => {
                    assert_eq!((known, error), (false, CatalogError::Unknown));
                    (None, None)
                }
            },
        };
        for &(id, _) in self.priors.iter().flatten().filter(|&&(id, _)| Some(id) != removed) {
            assert_eq!(self.server.learnt(id), before.learnt(id), "another model changed");
        }
        if let Some(id) = removed {
            self.priors[id.index()] = None;
            self.gone.push(id);
        }
        if let Some(id) = added {
            assert!(!self.gone.contains(&id) && before.catalog().get(id).is_none(), "an id came back");
            // By chance, one in 65,536.
            self.strangers.retain(|&stranger| stranger != id);
            self.priors.resize(self.priors.len().max(id.index() + 1), None);
            self.priors[id.index()] = Some((id, profile));
        }
    }

    /// Every profile is what has been learnt, and the catalog is in order.
    fn check(&self) {
        let catalog = self.server.catalog();
        assert_eq!(catalog.len(), self.priors.iter().flatten().count());
        for &(id, prior) in self.priors.iter().flatten() {
            let (profile, learnt) = (catalog.get(id).unwrap(), self.server.learnt(id).unwrap());
            assert_eq!(profile.cost, prior.cost);
            assert_eq!(profile.accuracy, learnt.accuracy.accuracy());
            assert_eq!(rounded(profile.latency), learnt.latency.latency().unwrap());
            if learnt.latency.samples() == 0 {
                assert_eq!(profile.latency, prior.latency);
            }
        }
        assert!(catalog.models().is_sorted_by_key(|model| model.profile.latency.mean));
        for &id in self.gone.iter().chain(&self.strangers) {
            assert_eq!((catalog.get(id), self.server.learnt(id)), (None, None));
        }
    }
}

/// Begins a request, and compares the choice with that of the plain scan.
fn begin(server: &Server<MODELS>, bytes: &mut Bytes<'_>, now: Timestamp) -> Option<Ticket> {
    let mut allowed = ModelSet::<MODELS>::NONE;
    let set = bytes.byte();
    let ids =
        (0..MODELS).filter(|&place| set >> place & 1 == 1).filter_map(|place| server.catalog().id(place));
    ids.for_each(|id| allowed.insert(id));
    let waits: Vec<Micros> = (0..usize::from(bytes.byte()) % (MODELS + 2)).map(|_| bytes.span()).collect();
    let network = match set >> 5 {
        0 => NetworkTime::TwiceInput(bytes.span()),
        1 => NetworkTime::TwiceOutput(bytes.span()),
        _ => NetworkTime::Given(bytes.span()),
    };
    let budget = Budget::new(bytes.span(), network).minus(bytes.span());
    let mut request = Request::new(budget);
    if set & 0x10 == 0 {
        let accuracy = Accuracy::from_ppm(u32::from(bytes.byte()) * 3_900).unwrap();
        let cost = Cost(u32::from(bytes.byte()));
        request = request.with_allowed(&allowed).with_min_accuracy(accuracy).with_max_cost(cost);
    }
    if set & 0x20 == 0 {
        request = request.with_price(Price { per_cost: u64::from(bytes.byte()) << 24, ..Price::NONE });
    }
    request = request.with_waits(&waits);

    let draw = Draw::from_uniform_bits(bytes.wide());
    let expected = server.catalog().select(server.policy(), request, draw);
    match server.begin(request, draw, now) {
        Ok((decision, ticket)) => {
            assert_eq!(
                expected.map(|expected| (expected.base, expected.budget)),
                Ok((decision.base, budget))
            );
            assert!(server.probability(request, decision.model) > 0.0);
            assert_eq!((ticket.model(), ticket.deadline()), (decision.model, now.after(budget.time())));
            assert!(ticket.overdue_at() > now || now.as_micros() > u64::MAX >> 1);
            Some(ticket)
        }
        Err(nothing) => {
            assert_eq!(expected, Err(nothing));
            None
        }
    }
}

/// As an estimator gives it back, which keeps 24 bits.
fn rounded(latency: Latency) -> Latency {
    LatencyEstimator::from_prior(latency).latency().unwrap()
}
