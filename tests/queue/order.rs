//! Who is next: the earliest deadline, each once, none too late.

use std::cell::Cell;

use mdinference::load::{Full, Hopeless, Next, Queue, Settings, Shed, Waiting, Worker};
use mdinference::{
    Accuracy, Budget, Catalog, Decision, Draw, Index, Micros, ModelSet, NothingEligible, Policy, Profile,
    Request, Server, Standing, Timestamp,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::world::{
    Arrival, BATCH, Fate, MODELS, NEVER, Thousand, at, config, drawn, index, millis, run, server,
};

const DRAW: Draw = Draw::from_uniform_bits(0);

fn request(budget: u32) -> Request<'static> {
    Request::new(Budget::of(millis(budget)))
}

/// What is run next, if anything is.
fn ran<T, const CAPACITY: usize, const WORKERS: usize>(
    queue: &mut Queue<T, CAPACITY, WORKERS>,
    index: &Index<MODELS>,
    now: Timestamp,
) -> Option<(Worker, Decision, T)> {
    match queue.next(index, now)? {
        Next::Run { worker, decision, jobs, .. } => Some((worker, decision, jobs.into_iter().next()?)),
        Next::Shed { .. } => panic!("it is shed"),
    }
}

#[test]
fn the_earliest_deadline_is_first_and_of_equal_ones_the_first_to_come() {
    let (mut queue, index) = (Queue::<_, 256>::new(Settings::DEFAULT), index());
    for (name, budget, now) in
        [("c", 500, 0), ("a", 300, 100), ("d", 390, 110), ("b", 290, 110), ("e", 380, 120)]
    {
        queue.put(request(budget), DRAW, name, at(now)).unwrap();
    }
    let mut order = Vec::new();
    while let Some((worker, _, name)) = ran(&mut queue, &index, at(120)) {
        order.push(name);
        queue.ended(worker, at(120));
    }
    assert_eq!(order, ["a", "b", "c", "d", "e"]);
}

#[test]
fn a_full_queue_gives_the_newcomer_back() {
    let mut queue = Queue::<_, 2>::new(Settings::DEFAULT);
    let places = ["a", "b"].map(|name| queue.put(request(300), DRAW, name, at(0)).unwrap());
    // However urgent it is.
    assert_eq!(queue.put(request(10), DRAW, "c", at(0)), Err(Full("c")));
    assert_eq!(Full("c").to_string(), "the queue is full");
    assert_eq!((queue.cancel(places[0]), queue.len()), (Some("a"), 1));
    assert!(queue.put(request(10), DRAW, "c", at(0)).is_ok());
    assert_eq!(queue.len(), 2);
}

#[test]
fn a_place_takes_so_many_bytes() {
    let thousand = size_of::<Queue<u64, 2_000>>() - size_of::<Queue<u64, 1_000>>();
    assert_eq!((thousand, size_of::<Waiting>()), (1_000 * (114 + size_of::<u64>()), 16));
}

/// A place may be given to others, many times.
#[test]
fn an_old_place_cancels_nobody() {
    let (mut queue, index) = (Queue::<_, 2>::new(Settings::DEFAULT), index());
    let mut old = Vec::new();
    for turn in 0..100 {
        let one = queue.put(request(300), DRAW, 2 * turn, at(0)).unwrap();
        let other = queue.put(request(300), DRAW, 2 * turn + 1, at(0)).unwrap();
        for &place in &old {
            assert_eq!(queue.cancel(place), None);
        }
        assert_eq!(queue.cancel(one), Some(2 * turn));
        let (worker, _, job) = ran(&mut queue, &index, at(0)).unwrap();
        assert_eq!(job, 2 * turn + 1);
        queue.ended(worker, at(0));
        old.extend([one, other]);
    }
}

#[test]
fn a_worker_runs_one_thing_at_a_time() {
    let (mut queue, index) = (Queue::<_, 9, 8>::new(Settings::DEFAULT).with_workers(3), index());
    for name in 0..9 {
        queue.put(request(300), DRAW, name, at(0)).unwrap();
    }
    let next = |queue: &mut Queue<u32, 9, 8>| ran(queue, &index, at(0)).map(|(worker, _, _)| worker);
    let workers = [(); 3].map(|()| next(&mut queue).unwrap());
    assert_eq!(workers.map(Worker::index), [0, 1, 2]);
    assert!(next(&mut queue).is_none());
    // Told twice, it is free once; and a run that is long over tells nothing of the present one.
    queue.ended(workers[1], at(0));
    queue.ended(workers[1], at(0));
    let again = next(&mut queue).unwrap();
    assert!((again.index(), next(&mut queue)) == (1, None) && again != workers[1]);
    queue.ended(workers[1], at(0));
    assert!(next(&mut queue).is_none());
    queue.ended(again, at(0));
    assert!(next(&mut queue).is_some() && next(&mut queue).is_none());
}

/// Those of a batch that nobody takes are dropped with it, and nobody else is.
#[test]
fn a_batch_that_is_dropped_half_way_loses_its_own_alone() {
    #[derive(Debug)]
    struct Job<'a>(u32, &'a Cell<u32>);
    impl Drop for Job<'_> {
        fn drop(&mut self) {
            self.1.set(self.1.get() + 1);
        }
    }
    let dropped = Cell::new(0);
    let index = index();
    let settings = Settings::DEFAULT.with_priced(false);
    let mut queue = Queue::<_, 64, 1, 8>::new(settings).with_max_batch(8);
    for number in 0..20 {
        queue.put(request(1_000), DRAW, Job(number, &dropped), at(0)).unwrap();
    }
    let Some(Next::Run { jobs, worker, .. }) = queue.next(&index, at(0)) else { panic!("nothing is run") };
    assert_eq!((jobs.len(), queue.len()), (8, 12));
    let mut jobs = jobs.into_iter();
    assert_eq!(jobs.by_ref().take(3).map(|job| job.0).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(dropped.get(), 3);
    drop(jobs);
    assert_eq!(dropped.get(), 8);
    queue.ended(worker, at(0));
    let Some(Next::Run { jobs, .. }) = queue.next(&index, at(0)) else { panic!("nothing is run") };
    assert_eq!(jobs.iter().map(|job| job.0).collect::<Vec<_>>(), [8, 9, 10, 11, 12, 13, 14, 15]);
    drop((jobs, queue));
    assert_eq!(dropped.get(), 20);
}

/// Both workers are busy: until then there is nothing to do, and then there is.
#[test]
fn the_next_call_is_when_the_most_urgent_one_becomes_hopeless() {
    let (mut queue, index) = (Queue::<_, 256>::new(Settings::DEFAULT), index());
    assert_eq!(queue.poll_at(), NEVER);
    queue.put(request(200), DRAW, "runs", at(0)).unwrap();
    assert!(ran(&mut queue, &index, at(0)).is_some());
    assert_eq!(queue.poll_at(), NEVER);
    queue.put(request(90), DRAW, "second", at(10)).unwrap();
    queue.put(request(50), DRAW, "first", at(20)).unwrap();
    // MobileNet 0.25 takes 3.21 + 0.08 ms.
    for (name, deadline) in [("first", 70), ("second", 100)] {
        let due = Timestamp::from_micros(1_000 * deadline - 3_290);
        let before = due.before(Micros::new(1));
        assert!(queue.next(&index, before).is_none());
        assert_eq!(queue.poll_at(), due);
        let Some(Next::Shed { job, why }) = queue.next(&index, due) else { panic!("nothing is shed") };
        assert_eq!((job, why), (name, Shed::TooLate));
        assert!(queue.next(&index, due).is_none());
    }
    assert_eq!(queue.poll_at(), NEVER);
}

/// Of 150 ms, NasNet Large, which alone is good enough, takes 113 ms.
#[test]
fn a_request_that_few_models_may_answer_is_shed_in_time() {
    let (mut queue, index) = (Queue::<_, 256>::new(Settings::DEFAULT), index());
    queue.put(request(200), DRAW, "runs", at(0)).unwrap();
    assert!(ran(&mut queue, &index, at(0)).is_some());
    let demanding = request(150).with_min_accuracy(Accuracy::from_percent(82.0).unwrap());
    queue.put(demanding, DRAW, "waits", at(0)).unwrap();
    assert!(queue.next(&index, at(0)).is_none());
    let due = Timestamp::from_micros(150_000 - 112_970);
    assert!(matches!(queue.next(&index, due), Some(Next::Shed { why: Shed::TooLate, .. })));
    let mut queue = queue;
    queue.put(demanding, DRAW, "waits", at(0)).unwrap();
    assert!(queue.next(&index, at(0)).is_none());
    assert_eq!(queue.poll_at(), due);
}

#[test]
fn a_request_that_no_model_may_answer_is_shed_at_once() {
    let (mut queue, index) = (Queue::<_, 256>::new(Settings::DEFAULT), index());
    queue.put(request(200), DRAW, "runs", at(0)).unwrap();
    assert!(ran(&mut queue, &index, at(0)).is_some());
    queue.put(request(200).with_min_accuracy(Accuracy::MAX), DRAW, "waits", at(0)).unwrap();
    let nothing = NothingEligible { below_minimum_accuracy: MODELS as u16, ..NothingEligible::default() };
    let Some(Next::Shed { job, why }) = queue.next(&index, at(0)) else { panic!("it waits") };
    assert_eq!((job, why), ("waits", Shed::NothingEligible(nothing)));
    assert_eq!(why.to_string(), nothing.to_string());
    queue.put(request(200), DRAW, "waits", at(0)).unwrap();
    let next = queue.next_among(&index, &ModelSet::NONE, at(0));
    assert!(matches!(next, Some(Next::Shed { why: Shed::NothingEligible(_), .. })));
}

/// Each has hung five times.
pub(crate) fn held(server: &mut Server<MODELS>, now: Timestamp) {
    for model in server.catalog().models().map(|model| model.id).collect::<Vec<_>>() {
        let allowed: ModelSet<MODELS> = [model].into_iter().collect();
        for _ in 0..5 {
            let request = request(300).with_allowed(&allowed);
            let mut ticket = server.begin(request, DRAW, now).unwrap().1;
            let report = ticket.overdue(ticket.overdue_at()).unwrap();
            server.learn(report, now);
        }
        assert_eq!(server.standing(model), Some(Standing::Held));
    }
}

/// The worker hangs, and so do all models: who waits is told before it is too late all the same.
#[test]
fn nobody_waits_for_ever_while_all_are_held() {
    let mut server = server();
    held(&mut server, at(1_000));
    let mut queue = Queue::<_, 256>::new(Settings::DEFAULT);
    queue.put(request(200), DRAW, "runs", at(1_000)).unwrap();
    assert!(matches!(queue.next(&mut server, at(1_000)), Some(Next::Run { .. })));
    queue.put(request(200), DRAW, "waits", at(1_000)).unwrap();
    assert!(queue.next(&mut server, at(1_000)).is_none());
    let due = queue.poll_at();
    assert!(due <= at(1_200), "by {due:?} it is late");
    assert!(matches!(queue.next(&mut server, due), Some(Next::Shed { .. })));
}

/// Requests of all kinds, for runs that now and then hang.
fn arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    let budget = prop_oneof![0..20_000_u32, 0..300_000_u32, Just(200_000)];
    let gap = prop_oneof![Just(0), 0..5_000_u32, 0..100_000_u32];
    vec((gap, budget, 0..4_u32), 1..80).prop_map(|all| {
        let mut now = Timestamp::from_micros(0);
        let arrive = |(gap, budget, kind): (u32, u32, u32)| {
            now = now.after(Micros::new(gap));
            let plain = Request::new(Budget::of(Micros::new(budget)));
            let demanding = plain.with_min_accuracy(Accuracy::from_percent(75.0).unwrap());
            Arrival { at: now, request: if kind == 0 { demanding } else { plain } }
        };
        all.into_iter().map(arrive).collect()
    })
}

fn deadline(arrival: &Arrival) -> Timestamp {
    arrival.at.after(arrival.request.budget().time())
}

/// As usual, but now and then for long.
fn hanging(seed: u64) -> impl FnMut(&crate::world::Ran) -> Micros {
    let (mut usual, mut runs) = (drawn(seed), seed);
    move |ran| {
        runs += 1;
        let hangs = Draw::from_id(runs).bits().is_multiple_of(8);
        if hangs { millis(1_000) } else { usual(ran) }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// One with so many µs more time than a minute.
    Put(u32),
    /// One of the last that came, so many before.
    Cancel(usize),
    Run,
}

/// Takes these steps, beside a list in the order of the deadlines.
fn listed<const CAPACITY: usize, const BATCH: usize>(steps: &[Step]) {
    let index = Index::new(Catalog::<1>::new([Profile::default()]).unwrap(), Policy::PAPER);
    let settings = Settings::DEFAULT.with_priced(false);
    let mut queue = Box::new(Queue::<usize, CAPACITY, 1, BATCH>::new(settings));
    let (mut list, mut places) = (Vec::new(), Vec::new());
    for &step in steps {
        match step {
            Step::Put(micros) => {
                let budget = Budget::of(Micros::new(60_000_000 + micros));
                match queue.put(Request::new(budget), DRAW, places.len(), at(0)) {
                    Ok(place) => {
                        let behind = list.partition_point(|&(other, _)| other <= micros);
                        list.insert(behind, (micros, places.len()));
                        places.push(place);
                    }
                    Err(Full(job)) => assert_eq!((job, list.len()), (places.len(), CAPACITY)),
                }
            }
            Step::Cancel(before) if !places.is_empty() => {
                let job = places.len() - 1 - before % places.len().min(2 * CAPACITY);
                let waits = list.iter().position(|&(_, other)| other == job);
                assert_eq!(queue.cancel(places[job]), waits.map(|place| list.remove(place).1));
            }
            Step::Cancel(_) => {}
            Step::Run => match queue.next(&index, at(0)) {
                Some(Next::Run { worker, jobs, .. }) => {
                    let first: Vec<usize> = list.drain(..list.len().min(BATCH)).map(|(_, job)| job).collect();
                    assert_eq!(*jobs, first);
                    queue.ended(worker, at(0));
                }
                next => assert!(next.is_none() && list.is_empty()),
            },
        }
        assert_eq!(queue.len(), list.len());
    }
}

proptest! {
    #![proptest_config(config(128))]

    /// Whoever calls when the queue says so, and when a worker is free, has each handed out by its deadline: in time to be
    /// run, or to be told that it is not.
    #[test]
    fn nobody_starves(
        arrivals in arrivals(),
        workers in 1..=4_u16,
        batch in prop_oneof![Just(1), 1..=BATCH as u16],
        priced: bool,
        seed in 0..1_000_u64,
    ) {
        let settings = Settings::DEFAULT.with_priced(priced);
        let mut queue = Thousand::new(settings).with_workers(workers).with_max_batch(batch);
        let fates = run(&mut queue, &mut index(), &arrivals, hanging(seed));
        for (arrival, fate) in arrivals.iter().zip(&fates) {
            match *fate {
                Fate::Shed { at, .. } => prop_assert!(at <= deadline(arrival), "{arrival:?}: {fate:?}"),
                Fate::Run { from, .. } => prop_assert!(from < deadline(arrival), "{arrival:?}: {fate:?}"),
            }
        }
        prop_assert!(queue.is_empty());
    }

    /// Those that wait are a list in order: put in, cancelled by places old and new, and run alone or in batches.
    #[test]
    fn those_who_wait_are_a_list_in_order(
        steps in vec((0..100_u8, any::<u32>()), 0..4_000),
        puts in 30..95_u8,
        cancels in 0..=100_u8,
        apart in select(&[0, 1, 1_000, -1_000]),
        spread in select(&[1, 10, 1_000_000]),
    ) {
        let steps = steps.into_iter().enumerate().map(|(count, (kind, value))| match kind {
            kind if kind < puts => Step::Put((4_000_000 + count as i32 * apart) as u32 + value % spread),
            _ if value as u8 % 100 < cancels => Step::Cancel(value as usize >> 8),
            _ => Step::Run,
        });
        let steps: Vec<Step> = steps.collect();
        listed::<1, 1>(&steps);
        listed::<2, 1>(&steps);
        listed::<1_000, 1>(&steps);
        listed::<1, 2>(&steps);
        listed::<7, 3>(&steps);
        listed::<1_000, 8>(&steps);
        listed::<1_000, 100>(&steps);
    }

    /// Where nobody is shed each is run, in the order of the deadlines.
    #[test]
    fn what_is_hopeless_is_run_in_its_turn(
        arrivals in arrivals(),
        workers in 1..=4_u16,
        priced: bool,
        seed in 0..1_000_u64,
    ) {
        let settings = Settings::DEFAULT.with_priced(priced).with_hopeless(Hopeless::Fastest);
        let mut queue = Thousand::new(settings).with_workers(workers).with_max_batch(1);
        let fates = run(&mut queue, &mut index(), &arrivals, hanging(seed));
        let began: Vec<Timestamp> = fates.iter().map(|fate| match *fate {
            Fate::Run { from, .. } => from,
            Fate::Shed { .. } => panic!("it is shed"),
        }).collect();
        for (one, a) in arrivals.iter().enumerate() {
            for (other, b) in arrivals.iter().enumerate().skip(one + 1) {
                // The second came later: if it is run first, the first had come, and its deadline is later.
                if began[other] < began[one] {
                    prop_assert!(deadline(b) < deadline(a), "{a:?} behind {b:?}");
                } else if began[one] < began[other] && b.at < began[one] {
                    prop_assert!(deadline(a) <= deadline(b), "{b:?} behind {a:?}");
                }
            }
        }
    }
}
