//! A server shared between threads: one writer, snapshots by `arc-swap`, a cache a thread. Real threads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use arc_swap::{ArcSwap, Cache};
use mdinference::select::base::{Base, base};
use mdinference::{
    Catalog, Learning, Micros, ModelId, NetworkTime, Outcome, Policy, Profile, Reason, Request, Server,
    Ticket, Timestamp,
};

const MODELS: usize = 8;
const READERS: usize = 4;

/// Models that differ in accuracy alone, all at 20 ± 1 ms.
fn server() -> Server<MODELS> {
    let models = (0..MODELS).map(|model| Profile::from_percent_and_millis(50.0 + model as f64, 20.0, 1.0));
    Server::new(Catalog::try_new(models).unwrap(), Policy::PAPER, Learning::DEFAULT)
}

fn models() -> impl Iterator<Item = ModelId> {
    (0..MODELS).filter_map(ModelId::new)
}

/// A request with 20 to 84 ms left, from any number.
fn request(number: u64) -> Request<'static, MODELS> {
    let budget = Micros::from_millis(20 + (number % 64) as u32);
    Request::new(budget, NetworkTime::Given(Micros::ZERO))
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
    check::<Ticket>();
    check::<Outcome>();
}

/// The writer gives every model the same sample and then publishes, so in every snapshot all models must have one and
/// the same μ and σ; and a decision must be one that the plain scan over the snapshot's own profiles could make.
#[test]
fn no_selection_sees_a_half_updated_profile() {
    const UPDATES: u64 = 2_000;
    const MOST_UPDATES: u64 = 1_000_000;
    const SNAPSHOTS: usize = 300;
    let mut server = server();
    let shared = ArcSwap::from_pointee(server.clone());
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
                    let server: &Server<MODELS> = cache.load();
                    let one = server.catalog().profiles()[0].latency;
                    assert!(server.catalog().profiles().iter().all(|profile| profile.latency == one));
                    assert!(
                        models().all(|model| server.learnt(model).unwrap().latency.latency() == Some(one))
                    );
                    let (decision, ticket) = server.begin(&request(number), number).unwrap();
                    let base =
                        base(server.catalog().models(), server.policy().margin, decision.budget).unwrap();
                    assert_eq!(decision.base, base.model().id);
                    assert_eq!(decision.reason == Reason::NothingFits, matches!(base, Base::Fastest(_)));
                    assert!(decision.probability(server.catalog().models(), server.policy()) > 0.0);
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
            for model in models() {
                // A ticket for this model: the one that is still allowed.
                let waits: Vec<Micros> =
                    models().map(|other| if other == model { Micros::ZERO } else { Micros::MAX }).collect();
                let (_, ticket) = server.begin(&request(0).with_model_waits(&waits), 0).unwrap();
                assert_eq!(ticket.model(), model);
                server.finish(ticket, Outcome::Completed(took), Timestamp::from_micros(now));
            }
            shared.store(Arc::new(server.clone()));
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(snapshots_seen.into_inner() > SNAPSHOTS, "the readers have seen too little to tell");
}

/// What the readers have begun is what the writer has learnt from, run for run and model for model.
#[test]
fn no_sample_is_lost() {
    const REQUESTS: usize = 5_000;
    let mut server = server();
    let shared = ArcSwap::from_pointee(server.clone());
    let (sender, receiver) = mpsc::channel::<(Ticket, Outcome, Timestamp)>();
    let began: [AtomicUsize; MODELS] = Default::default();
    thread::scope(|scope| {
        for reader in 0..READERS as u64 {
            let (shared, began, sender) = (&shared, &began, sender.clone());
            scope.spawn(move || {
                let mut cache = Cache::new(shared);
                for (number, time) in numbers(reader).zip(0..REQUESTS as u64) {
                    let (decision, ticket) = cache.load().begin(&request(number), number).unwrap();
                    began[decision.model.index()].fetch_add(1, Ordering::Relaxed);
                    // Slower, faster, and outliers, so that the models picked vary.
                    let took = Micros::new(
                        10_000 + (number % 20_000) as u32 * if number % 16 == 0 { 10 } else { 1 },
                    );
                    sender.send((ticket, Outcome::Completed(took), Timestamp::from_micros(time))).unwrap();
                }
            });
        }
        drop(sender);
        for (ticket, outcome, now) in receiver {
            if server.finish(ticket, outcome, now) {
                shared.store(Arc::new(server.clone()));
            }
        }
    });
    let learnt: Vec<u64> = models().map(|model| server.learnt(model).unwrap().latency.samples()).collect();
    let began: Vec<u64> = began.iter().map(|count| count.load(Ordering::Relaxed) as u64).collect();
    assert_eq!(learnt, began);
    assert_eq!(learnt.iter().sum::<u64>(), (READERS * REQUESTS) as u64);
    assert!(learnt.iter().filter(|&&samples| samples > 0).count() > 2, "{learnt:?}");
    // The last snapshot is the last state.
    assert_eq!(shared.load().catalog(), server.catalog());
}
