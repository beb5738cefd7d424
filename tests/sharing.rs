//! Many threads choose, one learns: fronts published by `arc-swap`, a cache a thread. Real threads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use arc_swap::{ArcSwap, Cache};
use mdinference::select::base::Base;
use mdinference::{
    Budget, Catalog, Draw, Front, Guard, Learning, Micros, ModelId, Policy, Profile, Replicas, Report,
    Request, Server, Ticket, Timestamp,
};

const MODELS: usize = 8;
const READERS: usize = 4;

/// Models that differ in accuracy alone, all at 20 ± 1 ms.
fn server() -> Server<MODELS> {
    let models = (0..MODELS).map(|model| Profile::from_percent_and_millis(50.0 + model as f64, 20.0, 1.0));
    Server::new(Catalog::try_new(models).unwrap(), Policy::PAPER, Learning::DEFAULT)
}

fn models(front: &Front<MODELS>) -> impl Iterator<Item = ModelId> + '_ {
    (0..MODELS).filter_map(|place| front.catalog().id(place))
}

/// 20 to 84 ms left, from any number.
fn budget(number: u64) -> Budget {
    Budget::of(Micros::from_millis(20 + (number % 64) as u32))
}

/// A stream of numbers that look random.
fn numbers(seed: u64) -> impl Iterator<Item = u64> {
    (1..).map(move |count: u64| {
        let number = (seed << 32 | count).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (number ^ number >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
    })
}

/// A server and its parts may be sent to another thread and looked at from several.
#[test]
fn everything_may_be_shared() {
    fn check<T: Send + Sync>() {}
    check::<Server<MODELS>>();
    check::<Front<MODELS>>();
    check::<Ticket>();
    check::<Guard<fn(Ticket)>>();
    check::<Replicas<MODELS, 4>>();
    check::<Report>();
}

/// The writer gives every model the same sample and then publishes, so in every snapshot all models must have
/// one and the same μ and σ; and a decision must be one that the plain scan over the snapshot's own profiles
/// could make.
#[test]
fn no_selection_sees_a_half_updated_profile() {
    const UPDATES: u64 = 2_000;
    const MOST_UPDATES: u64 = 1_000_000;
    const SNAPSHOTS: usize = 300;
    let mut server = server();
    let mut spare = Arc::new(server.front().clone());
    let shared = ArcSwap::new(spare.clone());
    let (done, started) = (AtomicBool::new(false), Barrier::new(READERS + 1));
    let snapshots_seen = AtomicUsize::new(0);
    thread::scope(|scope| {
        for reader in 0..READERS as u64 {
            let (shared, done, started, snapshots_seen) = (&shared, &done, &started, &snapshots_seen);
            scope.spawn(move || {
                let mut cache = Cache::new(shared);
                let mut last = cache.load().catalog().profiles()[0].latency;
                started.wait();
                for number in numbers(reader).take_while(|_| !done.load(Ordering::Relaxed)) {
                    let front: &Front<MODELS> = cache.load();
                    let one = front.catalog().profiles()[0].latency;
                    assert!(front.catalog().profiles().iter().all(|profile| profile.latency == one));
                    let (budget, draw) = (budget(number), Draw::from_uniform_bits(number));
                    let (decision, ticket) = front.begin(budget, draw, Timestamp::default());
                    let explained = front.catalog().explain(front.policy(), budget);
                    let base = explained.base.unwrap();
                    assert_eq!(usize::from(decision.base), base.model().id.index());
                    assert_eq!(decision.reason.fits(), matches!(base, Base::Fits(_)));
                    assert!(explained.probability(decision.model) > 0.0);
                    assert!(ticket.overdue_at() >= Timestamp::default().after(one.mean));
                    drop(ticket);
                    if one != last {
                        last = one;
                        snapshots_seen.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        started.wait();
        for (number, now) in numbers(99).zip(0..MOST_UPDATES) {
            // On a busy machine the readers may not have run yet.
            if now >= UPDATES && snapshots_seen.load(Ordering::Relaxed) > SNAPSHOTS {
                break;
            }
            let took = Micros::new(15_000 + (number % 10_000) as u32);
            let all: Vec<ModelId> = models(server.front()).collect();
            for &model in &all {
                // A ticket for this model: the one that is not waited for.
                let waits = all.iter().map(|&other| if other == model { Micros::ZERO } else { Micros::MAX });
                let waits: Vec<Micros> = waits.collect();
                let request = Request::new(budget(0)).with_waits(&waits);
                let began = Timestamp::from_micros(now);
                let (_, ticket) = server.begin(request, Draw::from_id(0), began).unwrap();
                assert_eq!(ticket.model(), model);
                server.learn(ticket.completed(began.after(took)), began);
            }
            Arc::make_mut(&mut spare).clone_from(server.front());
            spare = shared.swap(spare);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(snapshots_seen.into_inner() > SNAPSHOTS, "the readers have seen too little to tell");
}

/// What the readers have begun is what the writer has learnt from, run for run and model for model, but for
/// the runs of a model that was replaced meanwhile: those that are under way end harmlessly.
#[test]
fn no_sample_is_lost() {
    const REQUESTS: usize = 5_000;
    const REPLACED_AFTER: usize = 1_000;
    let mut server = server();
    let old = server.catalog().id(0).unwrap();
    let shared = ArcSwap::from_pointee(server.front().clone());
    let (reports, inbox) = mpsc::channel::<(Report, Timestamp)>();
    let began: [AtomicUsize; MODELS] = Default::default();
    let began_with_old = AtomicUsize::new(0);
    let mut from_old = [0; 2];
    let mut spare = Arc::new(server.front().clone());
    thread::scope(|scope| {
        for reader in 0..READERS as u64 {
            let (shared, began, began_with_old) = (&shared, &began, &began_with_old);
            let reports = reports.clone();
            scope.spawn(move || {
                let mut cache = Cache::new(shared);
                for (number, time) in numbers(reader).zip(0..REQUESTS as u64) {
                    let now = Timestamp::from_micros(time);
                    let draw = Draw::from_uniform_bits(number);
                    let (decision, ticket) = cache.load().begin(budget(number), draw, now);
                    let counter =
                        if decision.model == old { began_with_old } else { &began[decision.model.index()] };
                    counter.fetch_add(1, Ordering::Relaxed);
                    // Slower, faster, and outliers, so that the models picked vary. None that is too slow:
                    // five such would change a model's standing, and what began before that is part of what
                    // changed it.
                    let took = (10_000 + (number % 20_000) as u32) / if number % 16 == 0 { 10 } else { 1 };
                    let report = ticket.completed(now.after(Micros::new(took)));
                    reports.send((report, now)).unwrap();
                }
            });
        }
        drop(reports);
        for ((report, now), count) in inbox.into_iter().zip(0..) {
            from_old[usize::from(count > REPLACED_AFTER)] += usize::from(report.model == old);
            let mut changed = server.learn(report, now);
            if count == REPLACED_AFTER {
                server.replace(old, *server.catalog().get(old).unwrap()).unwrap();
                changed = true;
            }
            if changed {
                Arc::make_mut(&mut spare).clone_from(server.front());
                spare = shared.swap(spare);
            }
        }
    });
    let samples = |id| server.learnt(id).unwrap().latency.samples();
    let learnt: Vec<u64> = models(server.front()).map(samples).collect();
    let began: Vec<u64> = began.iter().map(|count| count.load(Ordering::Relaxed) as u64).collect();
    assert_eq!(learnt, began);
    assert_eq!(from_old.iter().sum::<usize>(), began_with_old.into_inner());
    let all = learnt.iter().sum::<u64>() as usize + from_old.iter().sum::<usize>();
    assert_eq!(all, READERS * REQUESTS);
    assert!(learnt.iter().filter(|&&samples| samples > 0).count() > 2, "{learnt:?}");
    // The last front is the last state.
    assert_eq!(*shared.load_full(), *server.front());
}
