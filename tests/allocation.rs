//! Nothing allocates, counted by a global allocator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::hint::black_box;

use mdinference::load::{Full, Next, Queue, Settings};
use mdinference::{
    Accuracy, Budget, Catalog, Cost, Draw, Index, Latency, Learning, Micros, ModelSet, Policy, Price,
    Profile, Reason, Replicas, Report, Request, Server, Share, Sharpness, Standing, Ticket, Timestamp,
    subset,
};

const MODELS: usize = 64;

/// Models in each other's windows, the `seed` telling zoos apart.
fn profile(place: usize, seed: u32) -> Profile {
    let mean = 20_000 + (place as u32 + seed) % MODELS as u32 * 1_000;
    let latency = Latency { mean: Micros::new(mean), deviation: Micros::new(mean / 5) };
    Profile::new(Accuracy::from_ppm(500_000 + mean).unwrap(), latency).with_cost(Cost(place as u32))
}

fn catalog() -> Catalog<MODELS> {
    Catalog::new((0..MODELS).map(|place| profile(place, 0))).unwrap()
}

/// Budgets from where nothing fits to where all do, and draws.
fn requests() -> impl Iterator<Item = (Budget, Draw)> {
    (0..200_u32).map(|step| (Budget::of(Micros::from_millis(step)), Draw::from_id(step.into())))
}

fn policies() -> [Policy; 2] {
    [Policy::PAPER, Policy::PAPER.with_sharpness(Sharpness::new(3).unwrap())]
}

/// Asks everything that can be asked, alone and together, for each budget.
fn ask(catalog: &Catalog<MODELS>, mut answer: impl FnMut(&Request<'_>, Draw)) {
    let odd: ModelSet<MODELS> = (1..MODELS).step_by(2).filter_map(|place| catalog.id(place)).collect();
    let waits = [Micros::from_millis(2); MODELS / 2];
    let price = Price::per_milli(Accuracy::from_ppm(100).unwrap());
    for (budget, draw) in requests() {
        let plain = Request::new(budget);
        let some = plain.with_allowed(&odd).with_max_cost(Cost(40)).with_waits(&waits);
        let none = plain.with_min_accuracy(Accuracy::MAX);
        let earlier =
            some.with_earlier(budget.minus(Micros::from_millis(20)), Accuracy::from_ppm(9_000).unwrap());
        for request in [plain, some, none, earlier, earlier.with_price(price), plain.with_price(price)] {
            answer(&request, draw);
        }
    }
}

fn assert_no_allocation(work: impl FnOnce()) {
    let counted = allocation_counter::measure(work);
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| drop(black_box(Box::new(1))));
    assert_eq!(counted.count_total, 1);
}

#[test]
fn selecting() {
    let catalog = catalog();
    for policy in policies() {
        assert_no_allocation(|| {
            for (budget, draw) in requests() {
                black_box(catalog.select(&policy, budget, draw));
            }
            ask(&catalog, |request, draw| {
                let _ = black_box(catalog.select(&policy, *request, draw));
            });
        });
    }
}

#[test]
fn selecting_with_the_index() {
    for policy in policies() {
        let catalog = catalog();
        assert_no_allocation(move || {
            let mut index = Index::new(catalog, policy);
            for (budget, draw) in requests() {
                black_box(index.select(budget, draw));
            }
            ask(index.catalog(), |request, draw| {
                let _ = black_box(index.select(*request, draw));
            });
            for place in 0..MODELS {
                let id = index.catalog().id(place).unwrap();
                black_box(index.update(id, profile(place, 7)));
            }
            let id = index.catalog().id(3).unwrap();
            assert!(index.remove(id).is_ok());
            let id = index.add(profile(3, 7)).unwrap();
            assert!(index.replace(id, profile(3, 8)).is_ok());
        });
    }
}

#[test]
fn explaining() {
    let catalog = catalog();
    for policy in policies() {
        let index = Index::new(catalog.clone(), policy);
        assert_no_allocation(|| {
            ask(&catalog, |request, draw| {
                let explanation = black_box(catalog.explain(&policy, *request));
                black_box(explanation.candidates().last());
                if let Ok(decision) = index.select(*request, draw) {
                    black_box(explanation.of(decision.model));
                    black_box(catalog.probability(&policy, *request, decision.model));
                    black_box(index.probability(*request, decision.model));
                    black_box(index.probability(request.budget(), decision.model));
                    black_box(index.explain(*request).probability(decision.model));
                }
            });
        });
    }
}

#[test]
fn finding_a_subset() {
    let catalog = catalog();
    let weights = || requests().map(|(budget, _)| (budget, 1));
    assert_no_allocation(|| {
        black_box(subset::most_accurate(&catalog, Policy::PAPER.margin, weights(), 5));
        black_box(subset::smallest_within(&catalog, Policy::PAPER.margin, weights(), Accuracy::ZERO));
    });
}

#[test]
fn building_and_changing_a_catalog() {
    assert_no_allocation(|| {
        let mut catalog = catalog();
        for place in 0..MODELS {
            let id = catalog.id(place).unwrap();
            black_box(catalog.update(id, profile(place, 7)));
        }
        let id = catalog.id(3).unwrap();
        assert!(catalog.remove(id).is_ok());
        let id = catalog.add(profile(3, 7)).unwrap();
        assert!(catalog.replace(id, profile(3, 8)).is_ok());
    });
}

/// Batches on two workers, under more than they can do.
#[test]
fn queueing() {
    let catalog = catalog();
    assert_no_allocation(move || {
        let mut server = Server::new(catalog, Policy::PAPER, Learning::DEFAULT);
        let mut queue = Queue::<u32, 40, 2, 8>::new(Settings::DEFAULT);
        let odd: ModelSet<MODELS> =
            (1..MODELS).step_by(2).filter_map(|place| server.catalog().id(place)).collect();
        let (mut full, mut shed, mut batches, mut under_way) = (0, 0, 0, heapless::Deque::<_, 2>::new());
        for step in 0..4_000 {
            let now = Timestamp::default().after(Micros::from_millis(2 * step));
            let request = Request::new(Budget::of(Micros::from_millis(20 + step * 7 % 200)));
            match queue.put(request, Draw::from_id(step.into()), step, now) {
                Ok(waiting) if step % 50 == 0 => assert_eq!(queue.cancel(waiting), Some(step)),
                Ok(_) => {}
                Err(Full(_)) => full += 1,
            }
            if step % 30 == 0
                && let Some((worker, ticket)) = under_way.pop_front()
            {
                let ticket: Ticket = ticket;
                queue.ended(worker, now);
                black_box(server.learn(ticket.completed(now), now));
            }
            while let Some(next) = match step % 3 {
                0 => queue.next_among(&mut server, &odd, now),
                _ => queue.next(&mut server, now),
            } {
                match next {
                    Next::Shed { .. } => shed += 1,
                    Next::Run { worker, ticket, jobs, .. } => {
                        batches += u32::from(jobs.len() > 1);
                        assert!(under_way.push_back((worker, ticket)).is_ok());
                    }
                }
            }
            black_box((queue.wait(Micros::from_millis(20), now), queue.price(), queue.poll_at()));
        }
        assert!(full > 0 && shed > 0 && batches > 0, "{full} {shed} {batches}");
    });
}

/// Choosing, learning, holds, probes and canaries; hearing of others; coming and going.
#[test]
fn serving() {
    let catalog = catalog();
    assert_no_allocation(move || {
        let mut server = Server::new(catalog, Policy::PAPER, Learning::DEFAULT);
        let mut replicas = Replicas::<MODELS, 2>::new();
        let canary = server.catalog().id(MODELS - 1).unwrap();
        server.remove(canary).unwrap();
        let canary = server.add_canary(profile(0, 60), Share::ALL).unwrap();
        let after = |millis| Timestamp::default().after(Micros::from_millis(millis));
        let (mut probes, mut held) = (0, 0);
        for step in 0..2_000 {
            let now = after(10 * step);
            let budget = Budget::of(Micros::from_millis(step % 200));
            let (decision, mut ticket) = server.begin(budget, Draw::from_id(step.into()), now);
            probes += u32::from(decision.reason == Reason::Probe);
            black_box(server.explain(budget, now).candidates().last());
            black_box(server.probability(budget, decision.model, now));
            // Now and then some hang.
            let late = after(10 * step + if step % 300 < 100 { 900 } else { 30 });
            if let Some(report) = ticket.overdue(late) {
                black_box(server.learn(report, now));
            }
            held += server
                .catalog()
                .models()
                .filter(|model| server.standing(model.id) == Some(Standing::Held))
                .count();
            let lost = |ticket: Ticket| {
                let _ = black_box(ticket.cancelled(late));
            };
            let report = match step % 3 {
                0 => ticket.completed(late),
                1 => ticket.or_else(lost).failed(late),
                _ => {
                    drop(ticket.or_else(lost));
                    Report::judged(decision.model, step % 2 == 0)
                }
            };
            black_box(server.learn(report, now));
            black_box(server.poll(server.poll_at().min(now)));
            let learnt = *server.learnt(decision.model).unwrap();
            black_box(replicas.hear(step % 3, decision.model, learnt, now));
            black_box(server.hear(decision.model, replicas.pooled(decision.model)));
            if step % 500 == 0 {
                replicas.forget(1);
            }
        }
        assert!(probes > 0 && held > 0, "{probes} {held}");
        assert_ne!(server.standing(canary), Some(Standing::Canary), "it was never tried");
        server.replace(canary, profile(3, 8)).unwrap();
    });
}
