//! A proof that nothing a request needs can panic: this links only if the compiler sees that no panic can be
//! reached, since the panic handler calls a function that is nowhere.
//!
//! `cargo build --release --target thumbv7em-none-eabihf`, here or with `--manifest-path`; with `--features planted` it
//! must not link. On a host it needs `RUSTFLAGS="-Clink-args=-nostartfiles -lc"` and the host named as the target.

#![no_std]
#![no_main]

mod rest;

use core::hint::black_box;
use core::panic::PanicInfo;

use mdinference::device::{Event, Strategy, TokenBucket};
use mdinference::load::{Growth, Next, Queue, Settings};
use mdinference::{
    Accuracy, Budget, Catalog, Device, Draw, Index, Latency, Learning, Micros, ModelId, ModelSet,
    NetworkTime, Policy, Price, Profile, Question, Replicas, Report, Request, Server, Share, Ticket,
    Timestamp, subset,
};

unsafe extern "C" {
    safe fn a_panic_can_be_reached() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    a_panic_can_be_reached()
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    loop {
        rest::values();
        rest::estimators();
        // That a panic would be found.
        #[cfg(feature = "planted")]
        black_box([0; 3][black_box(0_usize)]);
        let profile: Profile = black_box(Profile::default());
        if let Ok(mut catalog) = Catalog::<12>::new(black_box([profile; 12])) {
            let mut index = Index::new(catalog.clone(), black_box(Policy::PAPER));
            serve(&mut catalog, &mut index, profile);
            let _ = black_box(index.add(profile));
            let _ = black_box(index.remove(black_box(ModelId::default())));
            let _ = black_box(index.replace(black_box(ModelId::default()), profile));
            black_box(Draw::from_bytes(black_box(&[0_u8; 36])));
            let mut server = Server::new(catalog, Policy::PAPER, black_box(Learning::DEFAULT));
            live(&mut server);
            come_and_go(&mut server, profile);
        }
        // Not built here: `sort_unstable` of more than 20 models has a panic, for an order that contradicts
        // itself. That of integers does not, but the compiler does not know.
        if let Some((catalog, index)) = black_box(None::<(&mut Catalog<64>, &mut Index<64>)>) {
            serve(catalog, index, profile);
        }
        if let Some(server) = black_box(None::<&mut Server<64>>) {
            live(server);
        }
        if let Some((server, replicas)) = black_box(None::<(&mut Server<64>, &mut Replicas<64, 8>)>) {
            hear(server, replicas);
            *replicas = Replicas::new();
        }
        if let Some((queue, server)) = black_box(None::<(&mut Batching, &mut Server<64>)>) {
            wait(queue, server);
            *queue = Queue::new(black_box(Settings::DEFAULT))
                .with_workers(black_box(3))
                .with_max_batch(black_box(3))
                .with_batch_time(black_box([Growth::DEFAULT; 64]));
        }
        if let Some(device) = black_box(None::<&mut Device>) {
            duplicate(device);
        }
    }
}

/// What is done per request, per changed profile, and before any.
fn serve<const N: usize>(catalog: &mut Catalog<N>, index: &mut Index<N>, profile: Profile) {
    let budget = Budget::of(Micros::new(black_box(0)));
    let policy: Policy = black_box(Policy::PAPER);
    rest::stages(catalog, index, &policy);
    answer(catalog, index, &policy, budget);
    let (allowed, waits) = (black_box(ModelSet::<N>::ALL), black_box([Micros::ZERO; N]));
    answer(catalog, index, &policy, asking(budget, &allowed, &waits));

    let weights = black_box([(budget, 0); 3]);
    let best = subset::most_accurate(catalog, policy.margin, weights, black_box(0));
    black_box(best.accuracy_percent());
    black_box(subset::smallest_within(catalog, policy.margin, weights, profile.accuracy));

    let id: ModelId = black_box(ModelId::default());
    black_box(catalog.update(id, profile));
    black_box(index.update(id, profile));
}

/// What the reference and the index answer.
fn answer<const N: usize, Q: Question>(catalog: &Catalog<N>, index: &Index<N>, policy: &Policy, question: Q) {
    let (draw, id) = (Draw::from_bytes(black_box(&[0; 9])), black_box(ModelId::default()));
    let _ = black_box(catalog.select(policy, question, draw));
    let _ = black_box(index.select(question, draw));
    black_box(catalog.probability(policy, question, id));
    black_box(index.probability(question, id));
    for candidate in index.explain(question).candidates() {
        black_box(candidate);
    }
}

/// A request with everything that can be asked.
fn asking<'a, const N: usize>(budget: Budget, allowed: &'a ModelSet<N>, waits: &'a [Micros]) -> Request<'a> {
    Request::new(budget)
        .with_allowed(allowed)
        .with_waits(waits)
        .with_earlier(black_box(budget), black_box(Accuracy::ZERO))
        .with_price(black_box(Price::NONE))
}

/// What a server does per request, and between them.
fn live<const N: usize>(server: &mut Server<N>) {
    let (time, now) = (Micros::new(black_box(0)), Timestamp::from_micros(black_box(0)));
    let budget = Budget::new(time, NetworkTime::TwiceInput(time));
    ask(server, budget, now);
    let (allowed, waits) = (black_box(ModelSet::<N>::ALL), black_box([Micros::ZERO; N]));
    ask(server, asking(budget, &allowed, &waits).with_duplicate(), now);
    black_box(server.poll(black_box(now)));
    black_box(server.poll_at());
    black_box(server.standing(black_box(ModelId::default())));
}

type Batching = Queue<[u8; 3], 100, 4, 32, [Growth; 64]>;

/// Where requests wait for a worker.
fn wait(queue: &mut Batching, server: &mut Server<64>) {
    let now = Timestamp::from_micros(black_box(0));
    let (allowed, waits) = (black_box(ModelSet::<64>::ALL), black_box([Micros::ZERO; 64]));
    let request = asking(Budget::of(Micros::new(black_box(0))), &allowed, &waits);
    let waiting = queue.put(request, Draw::from_id(black_box(0)), black_box([0; 3]), now);
    if let Ok(waiting) = waiting {
        black_box(queue.cancel(waiting));
    }
    for among in [false, true] {
        let next = match among {
            true => queue.next_among(&mut *server, &allowed, now),
            false => queue.next(&mut *server, now),
        };
        if let Some(Next::Run { worker, ticket, jobs, .. }) = next {
            for job in jobs {
                black_box(job);
            }
            queue.ended(worker, now);
            end(server, ticket, now);
        }
    }
    let _ = black_box(queue.next(server.front(), now));
    black_box((queue.poll_at(), queue.len(), queue.is_empty(), queue.price()));
    let traffic = queue.traffic();
    black_box((traffic.arrivals_a_second(), traffic.loss_a_milli(), traffic.utilisation()));
    black_box(queue.wait(black_box(Micros::ZERO), now));
}

/// Its models come and go.
fn come_and_go<const N: usize>(server: &mut Server<N>, profile: Profile) {
    let share = Share::from_percent(black_box(1.0)).unwrap_or(Share::ALL);
    let _ = black_box(server.add(profile));
    let _ = black_box(server.add_canary(profile, share));
    let _ = black_box(server.remove(black_box(ModelId::default())));
    let _ = black_box(server.replace(black_box(ModelId::default()), profile));
}

/// What the one who learns, and those with a copy of the front, answer.
fn ask<const N: usize, Q: Question>(server: &mut Server<N>, question: Q, now: Timestamp) {
    let (draw, id) = (Draw::from_id(black_box(0)), black_box(ModelId::default()));
    let _ = black_box(server.probability(question, id, now));
    for candidate in server.front().explain(question, now).candidates() {
        black_box(candidate);
    }
    let request = question.request();
    if let Ok((_, ticket)) = server.begin(request, draw, now) {
        end(server, ticket, now);
    }
    let mut copy = black_box(server.front().clone());
    copy.clone_from(server.front());
    if let Ok((_, ticket)) = copy.begin(request, draw, now) {
        end(server, ticket, now);
    }
    drop(black_box(server.begin(request.budget(), draw, now)).1.or_else(lost));
}

/// What a run of it tells.
fn end<const N: usize>(server: &mut Server<N>, mut ticket: Ticket, now: Timestamp) {
    rest::by_hand(&mut ticket);
    ticket.started(black_box(now));
    if let Some(report) = ticket.overdue(black_box(now)) {
        black_box(server.learn(report, now));
    }
    let judged = Report::judged(ticket.model(), black_box(true));
    black_box(server.learn(judged, now));
    let mut guard = ticket.or_else(lost);
    if let Some(report) = guard.overdue(black_box(now)) {
        black_box(server.learn(report, now));
    }
    let report = match black_box(0) {
        0 => guard.completed(now),
        1 => guard.failed(now),
        2 => guard.timed_out(now),
        3 => guard.cancelled(now),
        // It is lost.
        _ => return,
    };
    black_box(server.learn(report, now));
}

fn lost(ticket: Ticket) {
    let now = ticket.overdue_at();
    let _ = black_box(match black_box(0) {
        0 => ticket.completed(now),
        1 => ticket.failed(now),
        2 => ticket.timed_out(now),
        _ => ticket.cancelled(now),
    });
}

/// What a server hears of others.
fn hear<const N: usize, const R: usize>(server: &mut Server<N>, replicas: &mut Replicas<N, R>) {
    let (model, now) = (black_box(ModelId::default()), Timestamp::from_micros(black_box(0)));
    if let Some(learnt) = server.learnt(model) {
        black_box(replicas.hear(black_box(0), model, *learnt, now));
    }
    black_box(server.hear(model, replicas.pooled(model)));
    replicas.forget(black_box(0));
}

/// What a device does per request.
fn duplicate(device: &mut Device) {
    let (time, now) = (Micros::new(black_box(0)), Timestamp::from_micros(black_box(0)));
    device.set_local(black_box(device.local()));
    black_box((
        device.counters(),
        Device::new(device.local(), black_box(Strategy::Always)).with_cap(TokenBucket::new(1, time)),
    ));
    let remote: Option<Latency> = black_box(None);
    let mut request = device.begin(now, time, remote);
    device.expect(&mut request, black_box(Latency::default()));
    request.handle(now, black_box(Event::Remote(Some(Accuracy::ZERO))));
    black_box(device.poll(&mut request, now));
    black_box(request.poll_at());
}
