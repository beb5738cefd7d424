//! The server: what a request is answered by, and what each report teaches.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

#[path = "operations/server.rs"]
mod operations;

use mdinference::estimate::Observation;
use mdinference::{
    Accuracy, Budget, Catalog, CatalogError, Cost, Draw, Front, Index, Latency, Learning, Micros, ModelId,
    ModelSet, NetworkTime, Policy, Profile, Reason, Report, Request, Server, Ticket, Timestamp, Told,
};
use proptest::prelude::*;

/// Three models: 50 % in 3 ms, 77 % in 32 ms, 83 % in 113 ms.
fn server() -> Server<3> {
    roomy()
}

/// The same, with room for more.
fn roomy<const N: usize>() -> Server<N> {
    let catalog = Catalog::try_new([
        Profile::from_percent_and_millis(49.7, 3.21, 0.08),
        Profile::from_percent_and_millis(77.2, 31.61, 0.29),
        Profile::from_percent_and_millis(82.6, 112.61, 0.36),
    ]);
    Server::new(catalog.unwrap(), Policy::PAPER, Learning::DEFAULT)
}

const fn millis(millis: u32) -> Micros {
    Micros::from_millis(millis)
}

/// Milliseconds after the requests are begun.
const fn at(millis: u32) -> Timestamp {
    NOW.after(Micros::from_millis(millis))
}

/// 250 ms with a network of 50 ms: 200 ms are left.
fn budget() -> Budget {
    Budget::new(millis(250), NetworkTime::TwiceInput(millis(25)))
}

fn draw() -> Draw {
    Draw::from_uniform_bits(0)
}

fn chosen<const N: usize>(server: &Server<N>, budget: Budget) -> usize {
    server.begin(budget, draw(), NOW).0.model.index()
}

fn ticket<const N: usize>(server: &Server<N>) -> Ticket {
    server.begin(budget(), draw(), NOW).1
}

fn id<const N: usize>(server: &Server<N>, model: usize) -> ModelId {
    server.catalog().id(model).unwrap()
}

fn latency<const N: usize>(server: &Server<N>, model: usize) -> Latency {
    server.catalog().get(id(server, model)).unwrap().latency
}

fn mean<const N: usize>(server: &Server<N>, model: usize) -> Micros {
    latency(server, model).mean
}

const NOW: Timestamp = Timestamp::from_micros(1_000_000);

#[test]
fn a_budget_is_what_is_left_of_the_sla() {
    let server = server();
    let (decision, ticket) = server.begin(budget().minus(millis(80)), draw(), NOW);
    assert_eq!(decision.budget.time(), millis(120));
    assert_eq!((decision.model.index(), decision.reason), (2, Reason::Base));
    assert_eq!((ticket.model(), ticket.deadline()), (decision.model, at(120)));
    assert_eq!(chosen(&server, budget().minus(millis(90))), 1);
    assert_eq!(chosen(&server, budget().minus(millis(250))), 0);
}

#[test]
fn a_wait_for_one_model_counts_against_that_model_alone() {
    let server = server();
    let pick = |waits: &[Micros]| {
        let request = Request::new(budget()).with_waits(waits);
        server.begin(request, draw(), NOW).unwrap().0.model.index()
    };
    assert_eq!(pick(&[Micros::ZERO, Micros::ZERO, millis(87)]), 2);
    assert_eq!(pick(&[Micros::ZERO, Micros::ZERO, millis(88)]), 1);
}

/// The deadline stays. The time counts from the start, and what a failure costs is the time that the wait
/// left.
#[test]
fn a_run_that_waits_for_its_model_counts_from_its_start() {
    let mut server = server();
    let begin = |server: &Server<3>| {
        let waits = [millis(10); 3];
        let request = Request::new(budget()).with_waits(&waits);
        let (_, mut ticket) = server.begin(request, draw(), NOW).unwrap();
        let overdue = ticket.overdue_at().since(NOW);
        ticket.started(at(30));
        assert_eq!((ticket.deadline(), ticket.overdue_at()), (at(200), at(30).after(overdue)));
        ticket
    };
    let told = |report: Report| report.told;
    assert_eq!(told(begin(&server).completed(at(143))), Told::Run(Observation::Took(millis(113))));
    assert_eq!(told(begin(&server).cancelled(at(143))), Told::Run(Observation::AtLeast(millis(113))));
    assert_eq!(told(begin(&server).failed(at(31))), Told::Run(Observation::AtLeast(millis(190))));
    assert_eq!(told(begin(&server).timed_out(at(300))), Told::Run(Observation::AtLeast(millis(270))));
    // One that is cancelled before its start tells nothing.
    let mut waiting = begin(&server);
    waiting.started(at(100));
    assert!(!server.learn(waiting.cancelled(at(100)), at(100)));
}

#[test]
fn demands_hold_with_and_without_waits() {
    let server = server();
    let cheap: ModelSet<3> = [id(&server, 0), id(&server, 1)].into_iter().collect();
    let request = Request::new(budget()).with_allowed(&cheap);
    let waits = [Micros::ZERO; 3];
    for request in [request, request.with_waits(&waits)] {
        assert_eq!(server.begin(request, draw(), NOW).unwrap().0.model.index(), 1);
        let request = request.with_min_accuracy(Accuracy::from_percent(80.0).unwrap()).with_max_cost(Cost(0));
        let nothing = server.begin(request, draw(), NOW).unwrap_err();
        assert_eq!(
            (nothing.not_allowed, nothing.below_minimum_accuracy, nothing.above_maximum_cost),
            (1, 2, 0)
        );
    }
}

#[test]
fn a_completed_run_moves_the_profile_by_alpha() {
    let mut server = server();
    let end = NOW.after(Micros::new(132_610));
    assert!(server.learn(ticket(&server).completed(end), end));
    // σ²' = 0.95 · (360² + 0.05 · 20,000²).
    let expected = Latency { mean: Micros::new(113_610), deviation: Micros::new(4_373) };
    assert_eq!(latency(&server, 2), expected);
}

/// Failing at once is not being fast: it costs the deadline.
#[test]
fn failures_and_timeouts_cost_the_deadline_however_soon_they_come() {
    for report in [Ticket::failed, Ticket::timed_out] {
        let mut server = server();
        for _ in 0..5 {
            assert_eq!(mean(&server, 2), Micros::new(112_610));
            server.learn(report(ticket(&server), NOW), NOW);
        }
        assert_eq!(mean(&server, 2), millis(200));
        assert_eq!(chosen(&server, budget()), 1);
    }
}

/// A deadline that was shorter than the model needs anyway tells nothing.
#[test]
fn a_failure_never_makes_a_model_faster() {
    let mut server = server();
    for _ in 0..100 {
        let (decision, ticket) = server.begin(Budget::of(millis(1)), draw(), NOW);
        assert_eq!((decision.model.index(), decision.reason), (0, Reason::TooLate));
        assert!(!server.learn(ticket.failed(NOW), NOW));
    }
    assert_eq!(mean(&server, 0), Micros::new(3_210));
}

#[test]
fn a_cancelled_run_tells_that_it_takes_at_least_as_long() {
    let mut server = server();
    assert!(!server.learn(ticket(&server).cancelled(at(100)), at(100)));
    assert_eq!(mean(&server, 2), Micros::new(112_610));
    let end = NOW.after(Micros::new(132_610));
    assert!(server.learn(ticket(&server).cancelled(end), end));
    assert_eq!(mean(&server, 2), Micros::new(113_610));
}

/// No run is known to the server but by its reports, so however many are lost, all goes on as if they had
/// never been.
#[test]
fn a_lost_ticket_loses_its_sample_and_nothing_else() {
    let (mut server, mut other) = (server(), server());
    for count in 0..1_000 {
        drop(ticket(&server));
        if count % 300 == 0 {
            // One that has told that it is overdue among them.
            let mut lost = ticket(&server);
            let report = lost.overdue(at(300)).unwrap();
            assert_eq!(server.learn(report, at(300)), other.learn(report, at(300)));
        }
    }
    assert_eq!(server, other);
    let (decision, ticket) = server.begin(budget(), draw(), at(400));
    assert_eq!(decision.model.index(), 2);
    let report = ticket.completed(at(520));
    assert!(server.learn(report, at(520)) && other.learn(report, at(520)));
    assert_eq!(server, other);
}

/// Five runs that hang show it before any of them ends; asking often changes nothing.
#[test]
fn a_stuck_model_is_noticed_before_its_runs_end() {
    let mut server = server();
    let mut stuck: Vec<Ticket> = (0..5).map(|_| ticket(&server)).collect();
    // 1.5 μ, and what rounding may take.
    assert_eq!(stuck[0].overdue_at(), NOW.after(Micros::new(168_915 + 4 + 1)));
    for running in [100, 150, 168] {
        assert!(stuck.iter_mut().all(|ticket| ticket.overdue(at(running)).is_none()));
    }
    for (count, ticket) in stuck.iter_mut().enumerate() {
        let reports: Vec<Report> = (0..100).filter_map(|_| ticket.overdue(at(170))).collect();
        assert_eq!(reports.len(), 1);
        server.learn(reports[0], at(170));
        let noticed = count == 4;
        assert_eq!(mean(&server, 2), if noticed { millis(170) } else { Micros::new(112_610) });
    }
    // Their end tells nothing new, unless it is twice as long.
    let before = server.clone();
    for ticket in stuck {
        assert!(!server.learn(ticket.cancelled(at(340)), at(340)));
    }
    assert_eq!(server, before);
    let mut longer = ticket(&roomy::<3>());
    assert!(longer.overdue(at(170)).is_some());
    assert_eq!(longer.cancelled(at(341)).told, Told::Run(Observation::AtLeast(millis(341))));
}

/// Whoever sleeps until then has something to report, and no earlier.
#[test]
fn a_run_is_overdue_from_the_point_that_its_ticket_tells() {
    let server = server();
    let mut ticket = ticket(&server);
    let due = ticket.overdue_at().as_micros();
    assert_eq!(ticket.overdue(Timestamp::from_micros(due - 1)), None);
    assert!(ticket.overdue(Timestamp::from_micros(due)).is_some());
    assert_eq!(ticket.overdue_at(), Timestamp::from_micros(u64::MAX));
    assert_eq!(ticket.overdue(Timestamp::from_micros(u64::MAX - 1)), None);
}

/// A clock at its end stands still, so that the run seems to have taken no time.
#[test]
fn a_run_is_overdue_once_also_at_the_end_of_time() {
    let server = server();
    let end = Timestamp::from_micros(u64::MAX);
    let (_, mut ticket) = server.begin(Budget::of(millis(200)), Draw::from_id(1), end);
    assert!(ticket.overdue(end).is_some());
    assert_eq!(ticket.overdue(end), None);
}

/// However long it hangs, and its end with it.
#[test]
fn a_single_cold_start_is_kept_out() {
    let mut server = server();
    let mut cold = ticket(&server);
    let reports = (1..10_000).filter_map(|running| cold.overdue(at(running))).collect::<Vec<_>>();
    for report in reports {
        assert!(!server.learn(report, at(10_000)));
    }
    assert!(!server.learn(cold.completed(at(10_000)), at(10_000)));
    assert_eq!(mean(&server, 2), Micros::new(112_610));
}

/// Back: no time is told, whatever the end. Forward: an outlier, which is kept out.
#[test]
fn a_clock_that_steps_teaches_no_time() {
    let mut server = server();
    let back = Timestamp::from_micros(1);
    for report in [Ticket::completed, Ticket::cancelled] {
        let before = server.clone();
        assert!(!server.learn(report(ticket(&server), back), NOW));
        assert_eq!(server, before);
    }
    assert_eq!(ticket(&server).overdue(back), None);
    let forward = NOW.after(Micros::MAX).after(Micros::MAX);
    assert!(!server.learn(ticket(&server).completed(forward), NOW));
    assert_eq!(mean(&server, 2), Micros::new(112_610));
}

/// Ten times slower; avoided after five runs; tried again a minute later; found to have recovered.
#[test]
fn a_model_that_recovers_is_found_again() {
    let mut server = server();
    let mut now = NOW;
    let mut run = |server: &mut Server<3>, factor: u32| {
        let (decision, ticket) = server.begin(budget(), draw(), now);
        let usual = [3_210, 31_610, 112_610][decision.model.index()];
        let took = if decision.model.index() == 2 { usual * factor } else { usual };
        let report = ticket.completed(now.after(Micros::new(took)));
        now = now.after(millis(100));
        server.learn(report, now);
        decision.model.index()
    };
    let slow: Vec<usize> = (0..1_000).map(|_| run(&mut server, 10)).collect();
    // 100 s: five runs at once, and five more after the first minute.
    assert_eq!(slow.iter().filter(|&&model| model == 2).count(), 10);
    let recovered: Vec<usize> = (0..1_000).map(|_| run(&mut server, 1)).collect();
    let first = recovered.iter().position(|&model| model == 2).unwrap();
    assert!(first <= 601, "within the minute: {first}");
    assert!(recovered[first..].iter().all(|&model| model == 2));
    assert_eq!(mean(&server, 2), Micros::new(112_610));
}

#[test]
fn judged_answers_move_the_accuracy() {
    let mut server = server();
    let model = id(&server, 2);
    for _ in 0..200 {
        assert!(server.learn(Report::judged(model, false), NOW));
    }
    // 82.6 · 0.999²⁰⁰ = 67.6: the second is more accurate now.
    let accuracy = server.catalog().get(model).unwrap().accuracy.as_percent();
    assert!((accuracy - 67.62).abs() < 0.01, "{accuracy}");
    assert_eq!(chosen(&server, budget()), 1);
}

#[test]
fn replicas_share_what_they_learnt() {
    let (mut here, mut there) = (server(), server());
    for _ in 0..100 {
        there.learn(ticket(&there).completed(at(130)), at(130));
    }
    let model = id(&here, 2);
    assert!(here.merge(model, there.learnt(model).unwrap()));
    assert_eq!(mean(&here, 2), mean(&there, 2));
}

/// Of another catalog: its ids, tickets and reports are recognised.
#[test]
fn a_stranger_is_harmless() {
    let mut server = server();
    let before = server.clone();
    let other = Catalog::<3>::new([Profile::default(); 3]).unwrap();
    let other = Server::new(other, Policy::PAPER, Learning::DEFAULT);
    for place in 0..3 {
        let stranger = id(&other, place);
        assert!(!server.learn(Report::judged(stranger, true), NOW));
        assert!(!server.merge(stranger, other.learnt(stranger).unwrap()));
        assert_eq!(server.learnt(stranger), None);
        assert_eq!(server.remove(stranger), Err(CatalogError::Unknown));
        assert_eq!(server.replace(stranger, Profile::default()), Err(CatalogError::Unknown));
    }
    let mut run = ticket(&other);
    let reports = [run.overdue(at(1_000)).unwrap(), run.completed(at(1_000))];
    for report in reports {
        // Nor is a model tried again by it.
        assert!(!server.learn(report, NOW.after(Micros::MAX)));
    }
    assert_eq!(server, before);
}

/// The others keep their ids and what was learnt of them, and their reports count as before.
#[test]
fn models_come_and_go() {
    let mut server = roomy::<4>();
    let [fast, middle, large] = [0, 1, 2].map(|place| id(&server, place));
    server.learn(ticket(&server).completed(at(130)), at(130));
    let learnt = *server.learnt(large).unwrap();

    let better = Profile::from_percent_and_millis(90.0, 150.0, 1.0).unwrap();
    let added = server.add(better).unwrap();
    assert_eq!((added.index(), server.learnt(added).unwrap().latency.samples()), (3, 0));
    assert_eq!(server.add(better), Err(CatalogError::Full { capacity: 4 }));
    let (decision, in_flight) = server.begin(budget(), draw(), NOW);
    assert_eq!(decision.model, added);

    // It turns out to be bad: its runs in flight end harmlessly.
    assert_eq!(server.remove(added), Ok(better));
    let before = server.clone();
    assert!(!server.learn(in_flight.completed(at(150)), at(150)));
    assert_eq!((server.learnt(added), &server), (None, &before));

    // A new version of one, under an id of its own, of which nothing is learnt yet.
    let old_run = server.begin(budget().minus(millis(150)), draw(), NOW).1;
    assert_eq!(old_run.model(), middle);
    let new = server.replace(middle, Profile::from_percent_and_millis(78.0, 20.0, 0.5).unwrap()).unwrap();
    assert!(new != middle && new.index() == middle.index());
    assert!(!server.learn(old_run.failed(at(1_000)), at(1_000)));
    assert_eq!(server.learnt(new).unwrap().latency.samples(), 0);
    assert_eq!((server.learnt(middle), mean(&server, 1)), (None, millis(20)));

    assert_eq!(server.learnt(large), Some(&learnt));
    assert!(server.learn(ticket(&server).completed(at(120)), at(120)));
    assert_eq!(server.learnt(large).unwrap().latency.samples(), 2);
    assert_eq!(server.add(better).unwrap().index(), 3);

    for id in [fast, new] {
        server.remove(id).unwrap();
    }
    let last = server.add(better).unwrap();
    assert_eq!(last.index(), 0, "the first place that is free");
    server.remove(last).unwrap();
    server.remove(id(&server, 3)).unwrap();
    assert_eq!(server.remove(large), Err(CatalogError::Empty));
}

/// A removed model that was slow is not tried again.
#[test]
fn what_is_removed_is_not_revived() {
    let mut server = server();
    for _ in 0..5 {
        server.learn(ticket(&server).completed(at(1_000)), at(1_000));
    }
    server.remove(id(&server, 2)).unwrap();
    assert!(!server.revive(NOW.after(Micros::MAX)));
}

/// A front is as it was when it was copied, and answers as the index does, as its server does.
#[test]
fn a_front_answers_as_the_index_does() {
    let mut server = server();
    let old: Front<3> = server.front().clone();
    server.learn(ticket(&server).completed(at(130)), at(130));
    let index = Index::new(server.catalog().clone(), *server.policy());
    let waits = [Micros::ZERO, Micros::ZERO, millis(20)];
    for step in 0..3_000 {
        let (budget, draw) = (Budget::of(Micros::new(step * 100)), Draw::from_id(step.into()));
        assert_eq!(server.begin(budget, draw, NOW).0, index.select(budget, draw));
        let request = Request::new(budget).with_waits(&waits);
        let decision = server.begin(request, draw, NOW).unwrap().0;
        assert_eq!(Ok(decision), index.select(request, draw));
        let probability = server.probability(request, decision.model);
        assert_eq!(probability, server.explain(request).probability(decision.model));
        assert_eq!(probability, index.probability(request, decision.model));
        assert_eq!(
            server.front().probability(budget, decision.model),
            index.probability(budget, decision.model)
        );
    }
    assert_eq!(server.front().catalog(), server.catalog());
    assert_eq!(old.catalog(), roomy::<3>().catalog());
    assert_eq!(old.policy(), server.policy());
}

/// All that a log holds is data of ours; what it replays is what happened.
#[cfg(feature = "serde")]
#[test]
fn a_log_replays() {
    #[derive(serde::Serialize, serde::Deserialize)]
    enum Line {
        Asked { budget: Budget, draw: Draw, now: Timestamp, decision: mdinference::Decision },
        Learnt { report: Report, now: Timestamp },
    }
    let (mut server, mut again) = (server(), server());
    let mut log = Vec::new();
    for number in 0..2_000 {
        let now = NOW.after(millis(number));
        let (budget, draw) = (Budget::of(millis(number % 240)), Draw::from_bytes(&number.to_le_bytes()));
        let (decision, mut ticket) = server.begin(budget, draw, now);
        log.push(Line::Asked { budget, draw, now, decision });
        let end = now.after(millis(number * 7_919 % 300));
        let judged = (number % 3 == 0).then(|| Report::judged(decision.model, number % 2 == 0));
        for report in ticket.overdue(end).into_iter().chain(judged).chain([ticket.completed(end)]) {
            log.push(Line::Learnt { report, now: end });
            server.learn(report, end);
        }
    }
    let log = serde_json::to_string(&log).unwrap();
    for line in serde_json::from_str::<Vec<Line>>(&log).unwrap() {
        match line {
            Line::Asked { budget, draw, now, decision } => {
                assert_eq!(again.begin(budget, draw, now).0, decision);
            }
            Line::Learnt { report, now } => {
                again.learn(report, now);
            }
        }
    }
    assert_eq!(again, server);
    assert!(server.catalog() != roomy::<3>().catalog());
}

/// As the docs say, in bytes for each model.
#[test]
fn sizes_are_documented() {
    fn check<const N: usize>() {
        let per_model = |bytes: usize| bytes / N;
        assert_eq!(per_model(size_of::<Catalog<N>>()), 24);
        assert_eq!(per_model(size_of::<Index<N>>()), 152);
        assert_eq!(per_model(size_of::<Front<N>>()), 152);
        assert_eq!(per_model(size_of::<Server<N>>()), 216);
    }
    check::<256>();
    check::<{ Server::<1>::MOST }>();
    assert_eq!((size_of::<Report>(), size_of::<Ticket>()), (12, 32));
}

/// The largest server, built, changed and copied on an ordinary thread's stack.
#[test]
fn the_largest_server_fits_a_stack() {
    const MOST: usize = Server::<1>::MOST;
    let run = || {
        let models = (0..MOST).map(|model| Profile::from_percent_and_millis(0.05 * model as f64, 20.0, 1.0));
        let catalog = Catalog::<MOST>::try_new(models).unwrap();
        let mut server = std::sync::Arc::new(Server::new(catalog, Policy::PAPER, Learning::DEFAULT));
        let server = std::sync::Arc::get_mut(&mut server).unwrap();
        server.replace(id(server, 7), Profile::default()).unwrap();
        std::sync::Arc::new(server.front().clone()).catalog().len()
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap();
    assert_eq!(thread.join().unwrap(), MOST);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_operations_breaks_a_promise(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        operations::run(&bytes);
    }

    /// The integers of a ticket and the floats of the estimator mean the same time, to within rounding; and
    /// never does a ticket tell of a run that the estimator does not find suspect.
    #[test]
    fn what_is_overdue_is_suspect(
        (mean, deviation) in prop_oneof![
            (0..100_u32, 0..100_u32),
            (0..1_000_000_u32, 0..200_000_u32),
            (0..=Micros::MAX.get() / 4, 0..=Micros::MAX.get() / 12),
        ],
        samples in prop::collection::vec(0.6..1.4_f64, 0..40),
    ) {
        let prior = Latency { mean: Micros::new(mean), deviation: Micros::new(deviation) };
        let catalog = Catalog::<1>::new([Profile::new(Accuracy::MAX, prior)]).unwrap();
        let mut server = Server::new(catalog, Policy::PAPER, Learning::DEFAULT);
        for sample in samples {
            let end = NOW.after(Micros::new((f64::from(mean) * sample) as u32));
            server.learn(server.begin(budget(), draw(), NOW).1.completed(end), end);
        }
        let mut ticket = server.begin(budget(), draw(), NOW).1;
        let overdue = ticket.overdue_at().since(NOW).get();
        let before = server.learnt(id(&server, 0)).unwrap().latency;
        let suspect = before.suspect_above().get();
        prop_assume!(overdue < Micros::MAX.get());
        prop_assert!(overdue > suspect && overdue - suspect <= 9 + (suspect >> 19), "{overdue} {suspect}");
        // A suspect is kept out.
        let report = ticket.overdue(ticket.overdue_at()).unwrap();
        server.learn(report, NOW);
        let after = server.learnt(id(&server, 0)).unwrap().latency;
        prop_assert_eq!((after.latency(), after.samples()), (before.latency(), before.samples() + 1));
    }
}
