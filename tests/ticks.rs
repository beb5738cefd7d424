//! Time by a counter that wraps: exact, and what is decided by it is the same wherever the counter wraps.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod support;

use core::num::NonZeroU32;

use mdinference::device::{Event, Source, Strategy, TokenBucket};
use mdinference::estimate::{NetworkEstimator, Smoothing};
use mdinference::{
    Accuracy, Budget, Catalog, Device, Draw, Latency, Learning, Micros, Policy, Profile, Server, Ticks,
    Timestamp,
};
use proptest::collection::vec;
use proptest::prelude::*;

use support::config;

const HALF_A_ROUND: u32 = 1 << 31;
const MEGAHERTZ: NonZeroU32 = NonZeroU32::new(1_000_000).unwrap();

proptest! {
    #![proptest_config(config(5_000))]

    /// Against whole rounds counted apart, however the counter is read.
    #[test]
    fn no_tick_is_lost(
        hertz in prop_oneof![Just(1), Just(1_000_000), Just(u32::MAX), 1..=u32::MAX],
        start in any::<u32>(),
        readings in vec((prop_oneof![0..100_u32, 0..HALF_A_ROUND], prop::option::of(0..=HALF_A_ROUND)), 0..50),
    ) {
        let mut ticks = Ticks::new(NonZeroU32::new(hertz).unwrap(), start);
        let mut passed = 0_u64;
        for (more, late) in readings {
            passed += u64::from(more);
            let count = (u64::from(start) + passed) as u32;
            let exact = Timestamp::from_micros((u128::from(passed) * 1_000_000 / u128::from(hertz)) as u64);
            prop_assert_eq!(ticks.now(count), exact);
            // One that was read before and comes in late.
            if let Some(late) = late {
                prop_assert_eq!(ticks.now(count.wrapping_sub(late)), exact);
            }
        }
    }
}

/// Tells a story at these times, in microseconds, and says all that came of it.
type Story = fn(&mut dyn FnMut(u64) -> Timestamp) -> String;

/// The story by true time, and by a counter that wraps in the middle of each microsecond of it at which something is done.
fn is_the_same_wherever_it_wraps(story: Story) {
    let mut times = Vec::new();
    let expected = story(&mut |micros| {
        times.push(micros);
        Timestamp::from_micros(micros)
    });
    assert!(times.len() > 10, "little is done");
    for wrap in times {
        // The counter is at 0 then, or one before.
        for start in [0_u32.wrapping_sub(wrap as u32), u32::MAX.wrapping_sub(wrap as u32)] {
            let mut ticks = Ticks::new(MEGAHERTZ, start);
            let told = story(&mut |micros| ticks.now(start.wrapping_add(micros as u32)));
            assert_eq!(told, expected, "wrapped at {wrap} µs");
        }
    }
}

/// A duplication in which each state is passed through: the remote run fails, is late, is in time, and nothing is.
#[test]
fn duplication() {
    is_the_same_wherever_it_wraps(|at| {
        let local = Profile::from_percent_and_millis(39.5, 20.0, 2.0).unwrap();
        let remote = Latency { mean: Micros::from_millis(60), deviation: Micros::from_millis(10) };
        let cap = TokenBucket::new(2, Micros::from_millis(150));
        let mut device = Device::new(local, Strategy::Always).with_cap(cap);
        let mut told = String::new();
        for (number, events) in [
            vec![(20_u64, Event::Local), (61, Event::Remote(None))],
            vec![(21, Event::Local), (140, Event::Remote(None))],
            vec![(5, Event::Failed(Source::Remote)), (19, Event::Local)],
            vec![(7, Event::Failed(Source::Local)), (99, Event::Failed(Source::Remote))],
            vec![],
        ]
        .into_iter()
        .enumerate()
        {
            let began = number as u64 * 200_000 + 3;
            let mut request = device.begin(at(began), Micros::from_millis(100), Some(remote));
            let mut events = events.into_iter().peekable();
            for millis in [0_u64, 5, 7, 19, 20, 21, 50, 61, 99, 100, 140] {
                let now = at(began + millis * 1_000);
                while let Some((_, event)) = events.next_if(|(when, _)| *when <= millis) {
                    request.handle(now, event);
                }
                while let Some(action) = device.poll(&mut request, now) {
                    told += &format!("{number} {millis} {action:?}\n");
                }
                told +=
                    &format!("{:?} in {:?}\n", request.ending(), request.poll_at().map(|due| due.since(now)));
            }
        }
        told + &format!("{:?}", device.counters())
    });
}

/// What is learnt of runs and of the network: a model hangs, is held, probed, and comes back.
#[test]
fn estimators() {
    is_the_same_wherever_it_wraps(|at| {
        let zoo = [(0, 10), (300_000, 40), (600_000, 90)].map(|(accuracy, millis)| {
            let latency = Latency { mean: Micros::from_millis(millis), deviation: Micros::from_millis(1) };
            Profile::new(Accuracy::from_ppm(accuracy).unwrap(), latency)
        });
        let catalog = Catalog::<3>::new(zoo).unwrap();
        let learning = Learning { probe_interval: Micros::from_millis(1_000), ..Learning::DEFAULT };
        let mut server = Server::new(catalog, Policy::PAPER, learning);
        let mut network = NetworkEstimator::new();
        let (mut told, mut hanging) = (String::new(), Vec::new());
        for number in 0..60_u64 {
            let began = number * 1_000_000;
            let budget = Budget::of(Micros::from_millis(150));
            let (decision, mut ticket) = server.begin(budget, Draw::from_id(number), at(began));
            let mean = server.learnt(decision.model).unwrap().latency.prior().unwrap().mean;
            let hangs = (10..16).contains(&number);
            let end = at(began + u64::from(mean.get()) + number % 7 * 300 + if hangs { 500_000 } else { 0 });
            let output = Micros::new(20_000 + number as u32 % 5 * 1_000);
            network.observe(output, end, Smoothing::LATENCY);
            let mut changed = false;
            if hangs {
                changed |= ticket.overdue(end).is_some_and(|report| server.learn(report, end));
                hanging.push(ticket);
            } else {
                changed |= server.learn(ticket.completed(end), end);
            }
            if number == 20 {
                hanging.drain(..).for_each(|ticket| changed |= server.learn(ticket.completed(end), end));
            }
            let standing = server.standing(decision.model);
            let due = server.poll_at().since(end);
            told += &format!(
                "{number} {:?} {:?} {changed} {standing:?} {due:?}\n",
                decision.model.index(),
                decision.reason
            );
        }
        for standing in ["Held", "Probe", "Trusted"] {
            assert!(told.contains(standing), "never {standing}");
        }
        let learnt: Vec<_> = server
            .catalog()
            .models()
            .map(|model| (model.profile, server.learnt(model.id).unwrap()))
            .collect();
        told + &format!("{learnt:?} {network:?}")
    });
}
