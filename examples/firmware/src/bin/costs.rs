//! What the library costs on this board, a line each: what is counted, of what, and how much.
//!
//! Instructions are counted by the clock of an emulator that gives every instruction the same 256 ns, which
//! are 6.4 ticks, so that they are exact, which is seen to first. What the loop and the call take is
//! subtracted.

#![no_std]
#![no_main]

use core::fmt::{self, Write};
use core::hint::black_box;

use cortex_m_rt::entry;
use mdinference::device::{Duplication, Event, Source, Strategy};
use mdinference::estimate::{LatencyEstimator, NetworkEstimator, Smoothing};
use mdinference::{
    Budget, Catalog, Decision, Device, Draw, Front, Index, Learning, Micros, Policy, Report, Server, Ticket,
    Timestamp,
};
use mdinference_firmware::board::{Clock, Serial, deepest_stack, exit, hundred_instructions};
use mdinference_firmware::gateway::Gateway;
use mdinference_firmware::zoo::{CATALOG, LOCAL, MOST};

/// Nanoseconds of an instruction, and of a tick.
const INSTRUCTION: u64 = 256;
const TICK: u64 = 40;

/// How many times each is done.
const TIMES: u32 = 256;

/// Whatever is asked.
struct Bench {
    index: Index<MOST>,
    server: Server<MOST>,
    network: NetworkEstimator,
    device: Device,
    now: Timestamp,
}

type Case = fn(&mut Bench, Budget, Draw) -> usize;

/// Where one model is left after stage 2, and where two are to be drawn from: NasNet Large and the fictional
/// one.
const CERTAIN: (u32, u32) = (1_000, 112_000);
const DRAWN: (u32, u32) = (113_000, 300_000);

const CASES: [(&str, Case, (u32, u32)); 9] = [
    ("scan certain", scan, CERTAIN),
    ("scan with a draw", scan, DRAWN),
    ("index certain", index, CERTAIN),
    ("index with a draw", index, DRAWN),
    ("server begin certain", begin, CERTAIN),
    ("server begin with a draw", begin, DRAWN),
    ("server begin and learn", begin_and_learn, CERTAIN),
    ("network observe", observe, CERTAIN),
    ("device request", duplicate, CERTAIN),
];

#[entry]
fn main() -> ! {
    let status = if measure(&mut Serial::new()).is_ok() { 0 } else { 1 };
    exit(status)
}

fn measure(serial: &mut Serial) -> fmt::Result {
    let mut bench = Bench {
        index: Index::new(CATALOG.clone(), Policy::PAPER),
        server: Server::new(CATALOG.clone(), Policy::PAPER, Learning::DEFAULT),
        network: NetworkEstimator::new(),
        device: Device::new(LOCAL, Strategy::DEFERRED),
        now: Timestamp::from_micros(1_000_000),
    };
    let mut clock = Clock::new();
    let mut instructions = |bench: &mut Bench, case, range| {
        let took =
            ticks(&mut clock, bench, case, range).saturating_sub(ticks(&mut clock, bench, nothing, range));
        let all = u64::from(TIMES) * INSTRUCTION;
        (took * TICK + all / 2) / all
    };
    let counted = instructions(&mut bench, hundred, CERTAIN);
    if counted != 100 {
        writeln!(serial, "100 instructions are counted as {counted}: this clock does not count them")?;
        return Err(fmt::Error);
    }
    for (name, case, range) in CASES {
        writeln!(serial, "instructions,{name},{}", instructions(&mut bench, case, range))?;
    }
    for (name, case, range) in CASES {
        // The deepest of all.
        let most = (0..TIMES).map(|number| {
            let (budget, draw) = question(number, range);
            deepest_stack(|| {
                black_box(case(&mut bench, budget, draw));
            })
        });
        writeln!(serial, "stack,{name},{}", most.max().unwrap_or(0))?;
    }
    for (name, size) in [
        ("Catalog of 12", size_of::<Catalog<MOST>>()),
        ("Index of 12", size_of::<Index<MOST>>()),
        ("Front of 12", size_of::<Front<MOST>>()),
        ("Server of 12", size_of::<Server<MOST>>()),
        ("Gateway of 12", size_of::<Gateway<MOST>>()),
        ("Decision", size_of::<Decision>()),
        ("Ticket", size_of::<Ticket>()),
        ("Report", size_of::<Report>()),
        ("Device", size_of::<Device>()),
        ("Duplication", size_of::<Duplication>()),
        ("LatencyEstimator", size_of::<LatencyEstimator>()),
        ("NetworkEstimator", size_of::<NetworkEstimator>()),
    ] {
        writeln!(serial, "ram,{name},{size}")?;
    }
    Ok(())
}

#[inline(never)]
fn ticks(clock: &mut Clock, bench: &mut Bench, case: Case, range: (u32, u32)) -> u64 {
    let case = black_box(case);
    let start = clock.ticks();
    for number in 0..TIMES {
        let (budget, draw) = question(number, range);
        black_box(case(bench, budget, draw));
    }
    clock.ticks() - start
}

#[inline(always)]
fn question(number: u32, (least, most): (u32, u32)) -> (Budget, Draw) {
    let draw = Draw::from_id(number.into());
    (Budget::of(Micros::new(least + draw.bits() as u32 % (most - least))), draw)
}

#[inline(never)]
fn nothing(_: &mut Bench, budget: Budget, _: Draw) -> usize {
    budget.time().get() as usize
}

#[inline(never)]
fn hundred(_: &mut Bench, budget: Budget, _: Draw) -> usize {
    hundred_instructions();
    budget.time().get() as usize
}

#[inline(never)]
fn scan(bench: &mut Bench, budget: Budget, draw: Draw) -> usize {
    bench.index.catalog().select(bench.index.policy(), budget, draw).model.index()
}

#[inline(never)]
fn index(bench: &mut Bench, budget: Budget, draw: Draw) -> usize {
    bench.index.select(budget, draw).model.index()
}

#[inline(never)]
fn begin(bench: &mut Bench, budget: Budget, draw: Draw) -> usize {
    let (decision, ticket) = bench.server.begin(budget, draw, bench.now);
    drop(black_box(ticket));
    decision.model.index()
}

/// The model took what it was measured at, to within 1 %.
#[inline(never)]
fn begin_and_learn(bench: &mut Bench, budget: Budget, draw: Draw) -> usize {
    let (decision, ticket) = bench.server.begin(budget, draw, bench.now);
    let mean = bench.index.catalog().get(decision.model).map_or(0, |profile| profile.latency.mean.get());
    bench.now = bench.now.after(Micros::new(mean + draw.bits() as u32 % (mean / 100 + 1)));
    bench.server.learn(ticket.completed(bench.now), bench.now);
    decision.model.index()
}

#[inline(never)]
fn observe(bench: &mut Bench, budget: Budget, _: Draw) -> usize {
    bench.network.observe(budget.time(), bench.now, Smoothing::LATENCY);
    0
}

/// The remote result comes in time, after the local copy was started: all polls of the request.
#[inline(never)]
fn duplicate(bench: &mut Bench, _: Budget, _: Draw) -> usize {
    let ms = |ms| bench.now.after(Micros::from_millis(ms));
    let mut request = bench.device.begin(bench.now, Micros::from_millis(250), None);
    for (now, event) in [(ms(0), None), (ms(198), None), (ms(240), Some(Event::Remote(None)))] {
        if let Some(event) = event {
            request.handle(now, event);
        }
        while let Some(action) = bench.device.poll(&mut request, now) {
            black_box(action);
        }
    }
    usize::from(request.ending().is_some_and(|ending| ending.delivered == Some(Source::Remote)))
}
