//! The firmware: sees whether this processor decides as all others do, and then answers some requests, each
//! in its time.

#![no_std]
#![no_main]

use core::fmt::{self, Write};

use cortex_m_rt::entry;
use mdinference::device::{Counters, Ending, Source};
use mdinference::{Accuracy, Draw, Micros, Reason, Timestamp};
use mdinference_firmware::board::{Clock, Serial, exit};
use mdinference_firmware::gateway::Gateway;
use mdinference_firmware::replay::{Replayed, replay};
use mdinference_firmware::serve::serve;
use mdinference_firmware::world::World;
use mdinference_firmware::zoo::{LOCAL, MOST, NAMES, TABLE_3};

/// What is replayed.
const LIST: &str = include_str!(env!("DECISIONS"));

/// Within how many ms the requests are to be answered, in turns.
const TARGETS: [u32; 4] = [250, 130, 250, 80];

#[entry]
fn main() -> ! {
    let mut serial = Serial::new();
    let status = match run(&mut serial) {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(fmt::Error) => 2,
    };
    exit(status)
}

/// Whether all is as it should be.
fn run(serial: &mut Serial) -> Result<bool, fmt::Error> {
    let Ok(models) = TABLE_3.catalog() else {
        writeln!(serial, "These models make no catalog.")?;
        return Ok(false);
    };
    if !check(serial)? {
        return Ok(false);
    }
    writeln!(
        serial,
        "A gateway: {} models on a server, one of its own, a network between.",
        TABLE_3.models.len()
    )?;
    let mut gateway = Gateway::new(models, TABLE_3.policy, LOCAL);
    let mut clock = Clock::new();
    let well = World::new(&TABLE_3);
    let mut requests = 0;
    for (what, world, count) in [
        ("All is well.", well, 8),
        ("NasNet Large has become three times as slow.", well.with_slow(10), 14),
        ("The network is gone.", well.with_outage(), 8),
        ("All is well again.", well, 16),
    ] {
        writeln!(serial, "\n{what}\n")?;
        writeln!(
            serial,
            "request    at     target  network  budget  model chosen       because   answer  by      after"
        )?;
        for target in TARGETS.map(Micros::from_millis).into_iter().cycle().take(count) {
            requests += 1;
            request(serial, &mut gateway, &mut clock, &world, (requests, target))?;
        }
    }
    let Counters { remote, local, nothing, started, avoided, .. } = *gateway.device().counters();
    writeln!(
        serial,
        "\n{requests} requests: {remote} answered by the server, {local} here, {nothing} by nobody."
    )?;
    writeln!(serial, "The model here was started {started} times, and was not needed {avoided} times.")?;
    Ok(true)
}

fn request(
    serial: &mut Serial,
    gateway: &mut Gateway<MOST>,
    clock: &mut Clock,
    world: &World,
    (number, target): (u64, Micros),
) -> fmt::Result {
    let now = clock.sleep_until(Timestamp::from_micros(300_000 * number));
    let network = gateway.network().twice_output().map_or(Micros::ZERO, |network| network.both_ways());
    let budget = gateway.budget(target).time();
    let job = (target, Draw::from_id(number));
    let (decision, ending, _) = serve(gateway, world, job, now, &mut |at| clock.sleep_until(at));
    let name = NAMES.get(decision.model.index()).unwrap_or(&"?");
    let because = match decision.reason {
        Reason::Base => "base",
        Reason::Explored => "explored",
        Reason::Probe => "probe",
        Reason::Tight => "tight",
        Reason::TooLate => "too late",
    };
    let seconds = now.as_micros() / 1_000_000;
    let tenths = now.as_micros() / 100_000 % 10;
    write!(
        serial,
        "{number:>7}  {seconds:>3}.{tenths} s  {}  {} {}  {name:<17}  {because:<8}  ",
        Whole(target),
        Whole(network),
        Whole(budget)
    )?;
    match ending {
        Some(Ending { delivered: Some(source), after, .. }) => {
            let accuracy: Accuracy = gateway.accuracy(decision.model, source);
            let by = match source {
                Source::Remote => "server",
                Source::Local => "own",
            };
            writeln!(serial, "{accuracy:.1}  {by:<6}{}", Whole(after))
        }
        _ => writeln!(serial, "none"),
    }
}

/// A time in whole milliseconds.
struct Whole(Micros);

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4} ms", self.0.get() / 1_000)
    }
}

fn check(serial: &mut Serial) -> Result<bool, fmt::Error> {
    let replayed = replay(LIST);
    match &replayed {
        Ok(Replayed { lines, zoos }) => writeln!(serial, "{lines} decisions of {zoos} zoos are the same\n")?,
        Err(difference) => writeln!(serial, "{difference}")?,
    }
    Ok(replayed.is_ok())
}
