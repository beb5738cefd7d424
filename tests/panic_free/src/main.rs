//! A proof that nothing a request needs can panic: this links only if the compiler sees that no panic can be reached,
//! since the panic handler calls a function that is nowhere.
//!
//! `cargo build --release --target thumbv7em-none-eabihf`, here or with `--manifest-path`.

#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use mdinference::duplicate::Event;
use mdinference::{
    Accuracy, Budget, Catalog, Constraints, Device, Index, Latency, Micros, ModelId, ModelSet, NetworkTime,
    Outcome, Policy, Profile, Request, Server, Timestamp, explain, select, select_constrained, subset,
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
        let profile: Profile = black_box(Profile::default());
        if let Ok(mut catalog) = Catalog::<12>::new(black_box([profile; 12])) {
            let mut index = Index::new(catalog.clone(), black_box(Policy::PAPER));
            serve(&mut catalog, &mut index, profile);
        }
        // Not built here: `sort_unstable` of more than 20 models has a panic, for an order that contradicts itself.
        // That of integers does not, but the compiler does not know.
        if let Some((catalog, index)) = black_box(None::<(&mut Catalog<64>, &mut Index<64>)>) {
            serve(catalog, index, profile);
        }
        if let Some(server) = black_box(None::<&mut Server<64>>) {
            live(server);
        }
        if let Some(device) = black_box(None::<&mut Device>) {
            duplicate(device);
        }
    }
}

/// What is done per request, per changed profile, and before any.
fn serve<const N: usize>(catalog: &mut Catalog<N>, index: &mut Index<N>, profile: Profile) {
    let budget = Budget::of(Micros::new(black_box(0)));
    let draw = black_box(0_u64);
    let policy: Policy = black_box(Policy::PAPER);
    black_box(select(catalog, &policy, budget, draw));
    black_box(index.select(budget, draw));

    let allowed = black_box(ModelSet::ALL);
    let constraints = Constraints::NONE.with_allowed(&allowed);
    let _ = black_box(select_constrained(catalog, &policy, &constraints, budget, draw));
    black_box(explain(catalog, &policy, &constraints, budget));

    let weights = black_box([(budget, 0); 3]);
    black_box(subset::most_accurate(catalog, policy.margin, weights, black_box(0)));
    black_box(subset::smallest_within(catalog, policy.margin, weights, profile.accuracy));

    let id: ModelId = black_box(ModelId::default());
    black_box(catalog.update(id, profile));
    black_box(index.update(id, profile));
}

/// What a server does per request.
fn live<const N: usize>(server: &mut Server<N>) {
    let (time, now) = (Micros::new(black_box(0)), Timestamp::from_micros(black_box(0)));
    let allowed = black_box(ModelSet::ALL);
    let waits = black_box([Micros::ZERO; N]);
    let request = Request::new(time, NetworkTime::TwiceInput(time)).with_model_waits(&waits);
    let request = request.with_constraints(Constraints::NONE.with_allowed(&allowed));
    if let Ok((decision, mut ticket)) = server.begin(&request, black_box(0)) {
        black_box(server.overdue(&mut ticket, time, now));
        black_box(server.finish(ticket, black_box(Outcome::Completed(time)), now));
        black_box(server.judge(decision.model, black_box(true)));
    }
}

/// What a device does per request.
fn duplicate(device: &mut Device) {
    let (time, now) = (Micros::new(black_box(0)), Timestamp::from_micros(black_box(0)));
    let remote: Option<Latency> = black_box(None);
    let mut request = device.begin(now, time, remote);
    device.expect(&mut request, black_box(Latency::default()));
    request.handle(now, black_box(Event::Remote(Some(Accuracy::ZERO))));
    black_box(device.poll(&mut request, now));
    black_box(request.poll_at());
}
