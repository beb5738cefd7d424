//! Sequences of operations on a server, decoded from any bytes, with its promises checked after each: run by proptest
//! and by a fuzz target alike.

use mdinference::{
    Accuracy, Budget, Catalog, Constraints, Cost, Latency, Learning, Micros, Model, ModelId, ModelSet,
    NetworkTime, Outcome, Policy, Profile, Request, Server, Ticket, Timestamp, select_among,
    select_constrained,
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

    fn model(&mut self) -> ModelId {
        // One past the end among them.
        ModelId::new(usize::from(self.byte()) % (MODELS + 1)).unwrap()
    }
}

/// Builds a server and drives it by `bytes`. Panics if it breaks a promise.
#[allow(unreachable_pub, reason = "a fuzz target includes this file too")]
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let priors: Vec<Profile> = (0..=usize::from(bytes.byte()) % MODELS)
        .map(|_| {
            let accuracy = Accuracy::from_ppm(u32::from(bytes.byte()) * 3_900).unwrap();
            let latency = Latency { mean: bytes.span(), deviation: bytes.span() };
            Profile::new(accuracy, latency).with_cost(Cost(u32::from(bytes.byte())))
        })
        .collect();
    let learning = Learning::DEFAULT.with_patience(bytes.span());
    let catalog = Catalog::<MODELS>::new(priors.iter().copied()).unwrap();
    let mut server = Server::new(catalog, Policy::PAPER, learning);
    let mut replica = server.clone();
    let mut running: Vec<Ticket> = Vec::new();
    let mut now = Timestamp::default();
    while !bytes.0.is_empty() {
        let before = server.clone();
        let operation = bytes.byte();
        let changed = match operation % 8 {
            0 | 1 => {
                running.extend(begin(&server, &mut bytes));
                false
            }
            2 | 3 => match running.is_empty() {
                true => false,
                false => {
                    let ticket = running.swap_remove(usize::from(bytes.byte()) % running.len());
                    finish(&mut server, ticket, &mut bytes, now)
                }
            },
            4 => match running.first_mut() {
                None => false,
                Some(ticket) => {
                    let span = bytes.span();
                    let model = ticket.model();
                    let changed = server.overdue(ticket, span, now);
                    assert!(!changed || mean(&server, model) > mean(&before, model));
                    let again = server.clone();
                    assert!(!server.overdue(ticket, span, now) && server == again, "once is enough");
                    changed
                }
            },
            5 => server.judge(bytes.model(), bytes.byte() % 2 == 0),
            6 => {
                // The clock goes on, steps back, and jumps by years.
                now = match bytes.byte() % 4 {
                    0 => Timestamp::from_micros(bytes.wide()),
                    _ => now.after(bytes.span()),
                };
                server.revive(now)
            }
            _ => {
                let model = bytes.model();
                let changed = replica.learnt(model).is_some_and(|learnt| server.merge(model, learnt));
                replica = before.clone();
                changed
            }
        };
        assert_eq!(changed, server.catalog() != before.catalog(), "whether profiles changed must be told");
        check(&server, &priors);
    }
}

fn mean(server: &Server<MODELS>, model: ModelId) -> Option<Micros> {
    server.catalog().get(model).map(|profile| profile.latency.mean)
}

/// Begins a request, and compares the choice with that of the plain scan.
fn begin(server: &Server<MODELS>, bytes: &mut Bytes<'_>) -> Option<Ticket> {
    let mut allowed = ModelSet::NONE;
    let set = bytes.byte();
    (0..MODELS)
        .filter(|&model| set >> model & 1 == 1)
        .for_each(|model| allowed.insert(ModelId::new(model).unwrap()));
    let waits: Vec<Micros> = (0..usize::from(bytes.byte()) % (MODELS + 2)).map(|_| bytes.span()).collect();
    let network = match set >> 5 {
        0 => NetworkTime::TwiceInput(bytes.span()),
        1 => NetworkTime::TwiceOutput(bytes.span()),
        _ => NetworkTime::Given(bytes.span()),
    };
    let mut request = Request::new(bytes.span(), network).with_spent(bytes.span()).with_wait(bytes.span());
    if set & 0x10 == 0 {
        let accuracy = Accuracy::from_ppm(u32::from(bytes.byte()) * 3_900).unwrap();
        let cost = Cost(u32::from(bytes.byte()));
        let constraints =
            Constraints::NONE.with_allowed(&allowed).with_min_accuracy(accuracy).with_max_cost(cost);
        request = request.with_constraints(constraints);
    }
    request = request.with_model_waits(&waits);
    let budget = Budget::new(request.sla, request.network).minus(request.spent).minus(request.wait);
    assert_eq!(request.budget(), budget);

    let wait = |model: ModelId| waits.get(model.index()).copied().unwrap_or_default();
    let models: Vec<Model> = server
        .catalog()
        .models()
        .filter(|model| request.constraints.exclusion(model).is_none())
        .map(|mut model| {
            model.profile.latency.mean = model.profile.latency.mean.saturating_add(wait(model.id));
            model
        })
        .collect();
    let draw = bytes.wide();
    match server.begin(&request, draw) {
        Ok((decision, ticket)) => {
            let expected = select_among(models.iter().copied(), server.policy(), budget, draw).unwrap();
            assert_eq!((decision.base, decision.budget), (expected.base, budget));
            assert!(decision.probability(models.iter().copied(), server.policy()) > 0.0);
            assert_eq!(ticket.model(), decision.model);
            assert_eq!(ticket.deadline(), budget.minus(wait(decision.model)).time());
            Some(ticket)
        }
        Err(nothing) => {
            assert!(models.is_empty());
            let plain =
                select_constrained(server.catalog(), server.policy(), &request.constraints, budget, draw);
            assert_eq!(plain, Err(nothing));
            None
        }
    }
}

fn finish(server: &mut Server<MODELS>, ticket: Ticket, bytes: &mut Bytes<'_>, now: Timestamp) -> bool {
    let model = ticket.model();
    let (deadline, before) = (ticket.deadline(), server.learnt(model).copied().unwrap().latency);
    let old = mean(server, model);
    let span = bytes.span();
    let outcome = match bytes.byte() % 4 {
        0 => Outcome::Completed(span),
        1 => Outcome::Failed(span),
        2 => Outcome::TimedOut(span),
        _ => Outcome::Cancelled(span),
    };
    let changed = server.finish(ticket, outcome, now);
    let after = server.learnt(model).unwrap().latency;
    match outcome {
        Outcome::Completed(_) => assert_eq!(after.samples(), before.samples().saturating_add(1)),
        Outcome::Failed(_) | Outcome::TimedOut(_) | Outcome::Cancelled(_) => {
            let tried_again = server.catalog().get(model).unwrap().latency == rounded(after.prior().unwrap());
            assert!(
                mean(server, model) >= old || tried_again,
                "{outcome:?} (deadline {deadline}) made it faster"
            );
        }
    }
    changed
}

/// Every profile is what has been learnt, and the catalog is in order.
fn check(server: &Server<MODELS>, priors: &[Profile]) {
    assert_eq!(server.catalog().len(), priors.len());
    for (model, prior) in
        server.catalog().models().zip(0..).map(|(model, _)| (model, priors[model.id.index()]))
    {
        let learnt = server.learnt(model.id).unwrap();
        assert_eq!(model.profile.cost, prior.cost);
        assert_eq!(model.profile.accuracy, learnt.accuracy.accuracy());
        assert_eq!(rounded(model.profile.latency), learnt.latency.latency().unwrap());
    }
    assert!(server.catalog().models().is_sorted_by_key(|model| model.profile.latency.mean));
}

/// As an estimator gives it back, which keeps 24 bits.
fn rounded(latency: Latency) -> Latency {
    mdinference::estimate::LatencyEstimator::from_prior(latency).latency().unwrap()
}
