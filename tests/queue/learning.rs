//! A server that learns from the runs of a queue, alone and in batches; and models that hang and come back meanwhile.

use mdinference::estimate::Observation;
use mdinference::load::{BatchTime, Growth, Next, Queue, Settings, Stretch};
use mdinference::{
    Budget, Catalog, Draw, Learning, Micros, ModelId, ModelSet, Policy, Profile, Reason, Request, Server,
    Standing, Ticket, Timestamp, Told,
};
use proptest::prelude::*;

use crate::order::held;
use crate::table3::LARGEST;
use crate::world::config;
use crate::world::{Arrival, BATCH, Fate, MODELS, Ran, Thousand, at, drawn, index, millis, run, table3};

const DRAW: Draw = Draw::from_uniform_bits(0);

/// One model, as it is taken to be at first.
fn one(prior: Micros) -> Server<1> {
    let deviation = Micros::new(prior.get() / 50);
    let latency = mdinference::Latency { mean: prior, deviation };
    let catalog = Catalog::new([Profile::new(mdinference::Accuracy::MAX, latency)]).unwrap();
    Server::new(catalog, Policy::PAPER, Learning::DEFAULT)
}

/// So many requests as one run.
fn batch<const BATCH: usize, G: BatchTime>(
    queue: &mut Queue<u32, 64, 1, BATCH, G>,
    server: &mut Server<1>,
    size: u16,
    now: Timestamp,
) -> (mdinference::load::Worker, Ticket) {
    for number in 0..size {
        queue.put(Request::new(Budget::of(millis(60_000))), DRAW, number.into(), now).unwrap();
    }
    match queue.next(server, now) {
        Some(Next::Run { worker, ticket, jobs, .. }) if jobs.len() == usize::from(size) => (worker, ticket),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(config(100))]

    /// Runs of (1 + g·(b − 1))·x teach x, whatever the batches are.
    #[test]
    fn batches_teach_the_time_of_one(
        growth in 0..=1_000_u32,
        prior in 2_000..200_000_u32,
        percent in 50..200_u32,
        sizes in prop::collection::vec(1..=32_u16, 1..6),
    ) {
        let took = prior * percent / 100;
        let mut server = one(Micros::new(prior));
        let queue = Queue::<u32, 64, 1, 32>::new(Settings::DEFAULT);
        let mut queue = queue.with_batch_time(Growth::new(f64::from(growth) / 1e3).unwrap());
        let mut now = at(0);
        for &size in sizes.iter().cycle().take(200) {
            let (worker, ticket) = batch(&mut queue, &mut server, size, now);
            let stretch = 1_000 + growth * u32::from(size - 1);
            now = now.after(Micros::new((u64::from(took) * u64::from(stretch) / 1_000) as u32));
            let report = ticket.completed(now);
            let tells_of_all = matches!(report.told, Told::Ended { batch, .. } if batch == size);
            prop_assert!(tells_of_all);
            queue.ended(worker, now);
            server.learn(report, now);
        }
        let model = server.catalog().id(0).unwrap();
        let mean = server.catalog().get(model).unwrap().latency.mean.get();
        // A µs is lost to rounding; and what it started from has 3 in 10⁵ of the weight.
        prop_assert!(mean.abs_diff(took) <= 3 + took / 10_000, "{mean} for {took}");
        prop_assert_eq!(server.standing(model), Some(Standing::Trusted));
    }

    /// A run of b is overdue as much later as it takes longer, and tells so much less, however it ends.
    #[test]
    fn what_a_batch_tells_is_of_one(
        growth in 0..=1_000_u32,
        size in 1..=32_u16,
        mean in 1_000..500_000_u32,
        ran in 0..20_000_000_u32,
        budget in 17_000_000..60_000_000_u32,
    ) {
        let growth_of = Growth::new(f64::from(growth) / 1e3).unwrap();
        let stretch = u64::from(1_000 + growth * u32::from(size - 1));
        let one_of = |span: u32| (u64::from(span) * 1_000 / stretch) as u32;
        let begin = || {
            let mut server = one(Micros::new(mean));
            let mut queue = Queue::<u32, 64, 1, 32>::new(Settings::DEFAULT).with_batch_time(growth_of);
            for number in 0..size {
                let request = Request::new(Budget::of(Micros::new(budget + u32::from(number))));
                queue.put(request, DRAW, number.into(), at(0)).unwrap();
            }
            let next = queue.next(&mut server, at(0));
            let Some(Next::Run { ticket, jobs, .. }) = next else { panic!("nothing is run") };
            assert_eq!(jobs.len(), usize::from(size));
            ticket
        };
        let alone = one(Micros::new(mean)).begin(Budget::of(Micros::new(budget)), DRAW, at(0)).1;
        let mut ticket = begin();
        // Within the budget of the most urgent one.
        prop_assert_eq!(ticket.deadline(), at(0).after(Micros::new(budget)));
        let (one, all) = (alone.overdue_at().as_micros() - 1, ticket.overdue_at().as_micros() - 1);
        prop_assert_eq!(all, one * stretch / 1_000);
        prop_assert_eq!(ticket.overdue(Timestamp::from_micros(all)), None);
        prop_assert!(ticket.overdue(ticket.overdue_at()).is_some());

        let now = at(0).after(Micros::new(ran));
        let told = |report: mdinference::Report| match report.told {
            Told::Ended { batch, observation, .. } if batch == size => observation,
            other => panic!("{other:?}"),
        };
        let (ran, whole) = (one_of(ran), one_of(budget));
        let [completed, cancelled, timed_out, failed] = [
            Ticket::completed as fn(Ticket, Timestamp) -> mdinference::Report,
            Ticket::cancelled,
            Ticket::timed_out,
            Ticket::failed,
        ].map(|end| told(end(begin(), now)));
        let least = |time: u32| Observation::AtLeast(Micros::new(time));
        prop_assert_eq!(completed, Observation::Took(Micros::new(ran)));
        prop_assert_eq!(cancelled, least(ran));
        prop_assert_eq!(timed_out, least(ran.max(whole)));
        prop_assert_eq!(failed, least(ran.max(whole).max(one as u32 + 1)));
    }
}

/// As the caller's accelerator has it: in parts of four.
#[test]
fn the_time_of_a_batch_is_the_callers() {
    struct Parts;
    impl BatchTime for Parts {
        fn stretch(&self, _: ModelId, batch: u16) -> Stretch {
            Stretch::from_thousandths(1_000 * u32::from(batch.div_ceil(4)))
        }
    }
    let mut server = one(millis(10));
    let request = |budget| Request::new(Budget::of(millis(budget)));
    let mut queue = Queue::<_, 64, 1, 32>::new(Settings::DEFAULT).with_batch_time(Parts);
    for number in 0..20 {
        queue.put(request(25), DRAW, number, at(0)).unwrap();
    }
    // Two parts take 20.4 ms, three 30.6.
    let Some(Next::Run { worker, jobs, ticket, .. }) = queue.next(&mut server, at(0)) else {
        panic!("nothing")
    };
    assert_eq!(jobs.len(), 8);
    server.learn(ticket.completed(at(20)), at(20));
    queue.ended(worker, at(20));
    let learnt = server.learnt(server.catalog().id(0).unwrap()).unwrap().latency;
    assert_eq!((learnt.latency().unwrap().mean, learnt.samples()), (millis(10), 1));
    // How long one that comes now would wait is by the batch too.
    let mut queue = Queue::<_, 64, 1, 32>::new(Settings::DEFAULT).with_batch_time(Parts).with_max_batch(8);
    for number in 0..8 {
        queue.put(request(25), DRAW, number, at(0)).unwrap();
    }
    assert!(matches!(queue.next(&mut server, at(0)), Some(Next::Run { .. })));
    assert_eq!(queue.wait(Micros::ZERO, at(5)), millis(15));
}

/// Few come, so that what waits for a thousand requests takes up to 60 of these intervals: 3 s.
fn server() -> Server<MODELS> {
    Server::new(table3(), Policy::PAPER, Learning::DEFAULT.with_probe_interval(millis(50)))
}

/// Requests with a budget of 200 ms for two minutes.
fn steady(a_second: u32) -> Vec<Arrival> {
    let request = Request::new(Budget::of(millis(200)));
    (0..120 * a_second).map(|number| Arrival { at: at(1_000 + number * 1_000 / a_second), request }).collect()
}

/// How often the largest model answers, of those that come within these seconds, in percent; and how many are probes.
fn largest(arrivals: &[Arrival], fates: &[Fate], seconds: std::ops::Range<u32>) -> (f64, usize) {
    let within = at(1_000 * seconds.start)..at(1_000 * seconds.end);
    let of: Vec<&Fate> = arrivals
        .iter()
        .zip(fates)
        .filter(|(arrival, _)| within.contains(&arrival.at))
        .map(|(_, fate)| fate)
        .collect();
    let large = |fate: &&&Fate| matches!(fate, Fate::Run { model: LARGEST, .. });
    let probe = |fate: &&&Fate| matches!(fate, Fate::Run { reason: Reason::Probe, .. });
    let share = 100.0 * of.iter().filter(large).count() as f64 / of.len() as f64;
    (share, of.iter().filter(probe).count())
}

/// The most accurate model, and what it is, takes four times as long for 20 s: it is left alone but for probes, and comes
/// back; alone and in batches.
#[test]
fn a_model_that_stalls_is_left_alone_and_comes_back() {
    for (rate, workers, batch, priced) in [
        (4, 1, 1, true),
        (10, 3, 1, true),
        (10, 3, BATCH as u16, true),
        (30, 8, BATCH as u16, true),
        (30, 8, BATCH as u16, false),
    ] {
        let arrivals = steady(rate);
        let mut server = server();
        let mut queue =
            Thousand::new(Settings::DEFAULT.with_priced(priced)).with_workers(workers).with_max_batch(batch);
        let stalls = at(20_000)..at(40_000);
        let mut usual = drawn(7);
        let slow = |ran: &Ran| {
            let time = usual(ran);
            if ran.model == LARGEST && stalls.contains(&ran.from) { time.saturating_mul(4) } else { time }
        };
        let fates = run(&mut queue, &mut server, &arrivals, slow);
        let (before, _) = largest(&arrivals, &fates, 1..20);
        let (during, probes) = largest(&arrivals, &fates, 24..40);
        let (after, _) = largest(&arrivals, &fates, 100..120);
        let case =
            format!("{rate} a second, {workers} workers, {batch}: {before:.0} {during:.0} {after:.0} %");
        assert!(before > 50.0 && during < 30.0 && after > before - 10.0, "{case}");
        assert!(probes > 0, "no probes: {case}");
        assert_eq!(server.standing(server.catalog().id(LARGEST).unwrap()), Some(Standing::Trusted), "{case}");
    }
}

/// All of them hang at once: the queue goes on with what it has, and as soon as they run again all are found again.
#[test]
fn all_models_may_hang_and_come_back() {
    for (rate, workers, batch) in [(10, 2, 1), (30, 4, BATCH as u16)] {
        let arrivals = steady(rate);
        let mut server = server();
        let mut queue = Thousand::new(Settings::DEFAULT).with_workers(workers).with_max_batch(batch);
        let stalls = at(20_000)..at(30_000);
        let mut usual = drawn(8);
        let hang = |ran: &Ran| if stalls.contains(&ran.from) { millis(3_000) } else { usual(ran) };
        let fates = run(&mut queue, &mut server, &arrivals, hang);
        let (before, _) = largest(&arrivals, &fates, 1..20);
        let (after, _) = largest(&arrivals, &fates, 100..120);
        let shed = |range: std::ops::Range<u32>| {
            let within = at(1_000 * range.start)..at(1_000 * range.end);
            let shed = |(arrival, fate): &(&Arrival, &Fate)| {
                within.contains(&arrival.at) && matches!(fate, Fate::Shed { .. })
            };
            arrivals.iter().zip(&fates).filter(shed).count()
        };
        assert!(after > before - 10.0, "{before:.0} and then {after:.0} %");
        assert!(shed(22..30) > 0 && shed(100..120) == 0, "{} and {}", shed(22..30), shed(100..120));
    }
}

/// Where all are held, a request runs on the fastest by what it was, is shed by that, and its end brings the model back.
#[test]
fn a_held_server_goes_on_through_a_queue() {
    for batch in [1, BATCH as u16] {
        let mut server = server();
        held(&mut server, at(1_000));
        let mut queue = Thousand::new(Settings::DEFAULT).with_max_batch(batch).with_workers(1);
        let budgets = [3, 50, 200, 200];
        for (number, &budget) in budgets.iter().enumerate() {
            queue.put(Request::new(Budget::of(millis(budget))), DRAW, number, at(1_000)).unwrap();
        }
        // 3.21 + 0.08 ms.
        assert!(matches!(queue.next(&mut server, at(1_000)), Some(Next::Shed { job: 0, .. })));
        let Some(Next::Run { worker, decision, ticket, jobs }) = queue.next(&mut server, at(1_000)) else {
            panic!("all wait")
        };
        assert_eq!((decision.model.index(), decision.reason, &*jobs), (1, Reason::Tight, &[1][..]));
        let end = at(1_000).after(Micros::new(3_210));
        queue.ended(worker, end);
        server.learn(ticket.completed(end), end);
        assert_ne!(server.standing(decision.model), Some(Standing::Held));
        // It is one that is probed now, and there is none else.
        let mut now = end;
        let mut probes = 0;
        for number in 4..400 {
            queue.put(Request::new(Budget::of(millis(200))), Draw::from_id(number), 4, now).unwrap();
            while let Some(next) = queue.next(&mut server, now) {
                let Next::Run { worker, decision, ticket, .. } = next else { panic!("it is shed") };
                probes += u32::from(decision.reason == Reason::Probe);
                let usual = index().catalog().get(decision.model).unwrap().latency.mean;
                now = now.after(usual);
                queue.ended(worker, now);
                server.learn(ticket.completed(now), now);
            }
            now = now.after(millis(100));
        }
        let large = server.catalog().id(LARGEST).unwrap();
        assert!(server.standing(large) == Some(Standing::Trusted) && probes >= 3, "after {probes} probes");
    }
}

/// Probes go to the models that a request may go to, and where time has a price only as far as they are worth it: with
/// 20 that wait a millisecond is worth two points.
#[test]
fn a_probe_is_one_that_would_be_chosen() {
    let mut server = server();
    let large = server.catalog().id(LARGEST).unwrap();
    let mut tickets: Vec<Ticket> =
        (0..5).map(|_| server.begin(Budget::of(millis(200)), DRAW, at(0)).1).collect();
    for ticket in &mut tickets {
        assert_eq!(ticket.model(), large);
        let report = ticket.overdue(ticket.overdue_at()).unwrap();
        server.learn(report, at(170));
    }
    server.learn(tickets.remove(0).completed(at(300)), at(300));
    let mut others = ModelSet::ALL;
    others.remove(large);
    let probes = |others: Option<&ModelSet<MODELS>>, priced: bool, waiting: u32, batch: u16| {
        let probe = |number: &u64| {
            let settings = Settings::DEFAULT.with_priced(priced);
            let mut queue = Thousand::new(settings).with_workers(1).with_max_batch(batch);
            queue.put(Request::new(Budget::of(millis(200))), Draw::from_id(*number), 0, at(500)).unwrap();
            for _ in 0..waiting {
                queue.put(Request::new(Budget::of(millis(200))), DRAW, 0, at(500)).unwrap();
            }
            let mut server = server.clone();
            let next = match others {
                Some(others) => queue.next_among(&mut server, others, at(500)),
                None => queue.next(&mut server, at(500)),
            };
            let Some(Next::Run { decision, jobs, .. }) = next else { panic!("it waits") };
            let probe = decision.reason == Reason::Probe;
            // It is sent alone.
            assert!(!probe || decision.model == large && jobs.len() == 1);
            probe
        };
        (0..100).filter(probe).count()
    };
    for batch in [1, BATCH as u16] {
        let all = probes(None, true, 0, batch);
        assert!(all > 10 && probes(None, false, 20, batch) == all, "{all}");
        assert_eq!(probes(Some(&others), true, 0, batch), 0);
        assert_eq!(probes(None, true, 20, batch), 0);
    }
}
