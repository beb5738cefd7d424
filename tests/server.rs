//! The server: what a request is answered by, and what each report teaches.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic
)]

#[path = "operations/server.rs"]
mod operations;

use std::cell::RefCell;

use mdinference::estimate::{Observation, Smoothing};
use mdinference::{
    Accuracy, Budget, Catalog, CatalogError, Cost, Decision, Draw, Front, Guard, Index, Latency, Learning,
    Learnt, Margin, Micros, ModelId, ModelSet, NetworkTime, Policy, Profile, Reason, Replicas, Report,
    Request, Server, Share, Standing, Ticket, Timestamp, Told,
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

fn chosen<const N: usize>(server: &mut Server<N>, budget: Budget) -> usize {
    server.begin(budget, draw(), NOW).0.model.index()
}

fn ticket<const N: usize>(server: &mut Server<N>) -> Ticket {
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

fn standing<const N: usize>(server: &Server<N>, model: usize) -> Standing {
    server.standing(id(server, model)).unwrap()
}

/// Of many requests, the first that is a probe, if any is.
fn probe<const N: usize>(server: &mut Server<N>, now: Timestamp) -> Option<(Decision, Ticket)> {
    probe_within(server, budget(), now)
}

fn probe_within<const N: usize>(
    server: &mut Server<N>,
    budget: Budget,
    now: Timestamp,
) -> Option<(Decision, Ticket)> {
    server.poll(now);
    let probes = |draw: &Draw| server.front().begin(budget, *draw, now).0.reason == Reason::Probe;
    let draw = (0..1_000).map(Draw::from_id).find(probes)?;
    Some(server.begin(budget, draw, now))
}

/// The largest model is stuck: five of its runs are overdue.
fn stuck() -> (Server<3>, Vec<Ticket>) {
    let mut server = server();
    let mut stuck: Vec<Ticket> = (0..5).map(|_| ticket(&mut server)).collect();
    for ticket in &mut stuck {
        let report = ticket.overdue(at(170)).unwrap();
        server.learn(report, at(170));
    }
    (server, stuck)
}

const NOW: Timestamp = Timestamp::from_micros(1_000_000);

// ---- Choosing

#[test]
fn a_budget_is_what_is_left_of_the_sla() {
    let mut server = server();
    let (decision, ticket) = server.begin(budget().minus(millis(80)), draw(), NOW);
    assert_eq!(decision.budget.time(), millis(120));
    assert_eq!((decision.model.index(), decision.reason), (2, Reason::Base));
    assert_eq!((ticket.model(), ticket.deadline()), (decision.model, at(120)));
    assert_eq!(chosen(&mut server, budget().minus(millis(90))), 1);
    assert_eq!(chosen(&mut server, budget().minus(millis(250))), 0);
}

#[test]
fn a_wait_for_one_model_counts_against_that_model_alone() {
    let mut server = server();
    let mut pick = |waits: &[Micros]| {
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
    let begin = |server: &mut Server<3>| {
        let waits = [millis(10); 3];
        let request = Request::new(budget()).with_waits(&waits);
        let (_, mut ticket) = server.begin(request, draw(), NOW).unwrap();
        let overdue = ticket.overdue_at().since(NOW);
        ticket.started(at(30));
        assert_eq!((ticket.deadline(), ticket.overdue_at()), (at(200), at(30).after(overdue)));
        ticket
    };
    let told = |report: Report, observation| {
        assert_eq!(report.told, Told::Ended { began: at(30), probe: false, batch: 1, observation });
    };
    told(begin(&mut server).completed(at(143)), Observation::Took(millis(113)));
    told(begin(&mut server).cancelled(at(143)), Observation::AtLeast(millis(113)));
    told(begin(&mut server).failed(at(31)), Observation::AtLeast(millis(190)));
    told(begin(&mut server).timed_out(at(300)), Observation::AtLeast(millis(270)));
    let report = begin(&mut server).overdue(at(300)).unwrap();
    assert_eq!(report.told, Told::Overdue { began: at(30), probe: false });
    // One that is cancelled before its start tells nothing.
    let mut waiting = begin(&mut server);
    waiting.started(at(100));
    assert!(!server.learn(waiting.cancelled(at(100)), at(100)));
}

#[test]
fn demands_hold_with_and_without_waits() {
    let mut server = server();
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

/// A front is as it was when it was copied, and answers as the index does, as its server does.
#[test]
fn a_front_answers_as_the_index_does() {
    let mut server = server();
    let old: Front<3> = server.front().clone();
    let run = ticket(&mut server);
    server.learn(run.completed(at(130)), at(130));
    let index = Index::new(server.catalog().clone(), *server.policy());
    let waits = [Micros::ZERO, Micros::ZERO, millis(20)];
    for step in 0..3_000 {
        let (budget, draw) = (Budget::of(Micros::new(step * 100)), Draw::from_id(step.into()));
        assert_eq!(server.begin(budget, draw, NOW).0, index.select(budget, draw));
        let request = Request::new(budget).with_waits(&waits);
        let decision = server.begin(request, draw, NOW).unwrap().0;
        assert_eq!(Ok(decision), index.select(request, draw));
        let probability = server.probability(request, decision.model, NOW);
        assert_eq!(probability, server.explain(request, NOW).probability(decision.model));
        assert_eq!(probability, index.probability(request, decision.model));
        assert_eq!(
            server.front().probability(budget, decision.model, NOW),
            index.probability(budget, decision.model)
        );
    }
    assert_eq!(server.front().catalog(), server.catalog());
    assert_eq!(old.catalog(), roomy::<3>().catalog());
    assert_eq!(old.policy(), server.policy());
}

// ---- Runs

#[test]
fn a_completed_run_moves_the_profile_by_alpha() {
    let mut server = server();
    let end = NOW.after(Micros::new(132_610));
    let run = ticket(&mut server);
    assert!(server.learn(run.completed(end), end));
    // σ²' = 0.95 · (360² + 0.05 · 20,000²).
    let expected = Latency { mean: Micros::new(113_610), deviation: Micros::new(4_373) };
    assert_eq!(latency(&server, 2), expected);
}

#[test]
fn another_alpha_moves_it_by_more() {
    let half = Smoothing::new(0.5).unwrap();
    let learning = Learning::DEFAULT.with_latency(half).with_accuracy(half);
    let mut server = Server::new(server().catalog().clone(), Policy::PAPER, learning);
    let end = NOW.after(Micros::new(132_610));
    let run = ticket(&mut server);
    server.learn(run.completed(end), end);
    assert_eq!(mean(&server, 2), Micros::new(122_610));
    let model = id(&server, 2);
    server.learn(Report::judged(model, false), end);
    let learnt = server.learnt(model).unwrap().accuracy;
    assert_eq!(learnt.accuracy(), Accuracy::from_percent(41.3).unwrap());
}

/// What a model started from is believed as long as chance explains what is seen of it.
#[test]
fn a_run_that_chance_explains_changes_no_profile() {
    let mut server = server();
    let end = NOW.after(Micros::new(113_500));
    let run = ticket(&mut server);
    assert!(!server.learn(run.completed(end), end));
    assert_eq!(mean(&server, 2), Micros::new(112_610));
    let learnt = server.learnt(id(&server, 2)).unwrap().latency;
    assert_eq!((learnt.samples(), learnt.latency().unwrap().mean), (1, Micros::new(112_655)));
}

/// Failing at once is not being fast: it costs the deadline.
#[test]
fn failures_and_timeouts_cost_the_deadline_however_soon_they_come() {
    for report in [Ticket::failed, Ticket::timed_out] {
        let mut server = server();
        for _ in 0..5 {
            assert_eq!(mean(&server, 2), Micros::new(112_610));
            let run = ticket(&mut server);
            server.learn(report(run, NOW), NOW);
        }
        assert_eq!(mean(&server, 2), millis(200));
        assert_eq!(chosen(&mut server, budget()), 1);
    }
}

/// A deadline that was shorter than the model needs anyway makes it no faster; that it fails shows all the
/// same.
#[test]
fn a_model_that_fails_where_nothing_fits_becomes_slower() {
    let mut server = server();
    let mut failures = 0;
    while server.begin(Budget::of(millis(1)), draw(), NOW).0.model.index() == 0 {
        let before = mean(&server, 0);
        let (decision, ticket) = server.begin(Budget::of(millis(1)), draw(), NOW);
        assert_eq!(decision.reason, Reason::TooLate);
        server.learn(ticket.failed(NOW), NOW);
        assert!(mean(&server, 0) >= before);
        failures += 1;
        // Each five make it half as slow again: 3.21 · 1.5⁶ is more than the 31.61 ms of the next.
        assert!(failures <= 30, "{:?}", latency(&server, 0));
    }
    assert!(failures > 20, "{failures}");
    // One that was given up at a deadline which it can't keep tells nothing.
    let (_, ticket) = server.begin(Budget::of(millis(1)), draw(), NOW);
    let before = server.front().clone();
    assert!(!server.learn(ticket.timed_out(at(1)), at(1)));
    assert_eq!(*server.front(), before);
}

#[test]
fn a_cancelled_run_tells_that_it_takes_at_least_as_long() {
    let mut server = server();
    let run = ticket(&mut server);
    assert!(!server.learn(run.cancelled(at(100)), at(100)));
    assert_eq!(mean(&server, 2), Micros::new(112_610));
    let end = NOW.after(Micros::new(132_610));
    let run = ticket(&mut server);
    assert!(server.learn(run.cancelled(end), end));
    assert_eq!(mean(&server, 2), Micros::new(113_610));
}

/// No run is known to the server but by its reports, so however many are lost, all goes on as if they had
/// never been.
#[test]
fn a_lost_ticket_loses_its_sample_and_nothing_else() {
    let (mut server, mut other) = (server(), server());
    for count in 0..1_000 {
        drop(ticket(&mut server));
        if count % 300 == 0 {
            // One that has told that it is overdue among them.
            let mut lost = ticket(&mut server);
            let report = lost.overdue(at(300)).unwrap();
            assert_eq!(server.learn(report, at(300)), other.learn(report, at(300)));
        }
    }
    assert_eq!(server, other);
    let (decision, ticket) = server.begin(budget(), draw(), at(400));
    assert_eq!(decision.model.index(), 2);
    let report = ticket.completed(at(520));
    assert_eq!(server.learn(report, at(520)), other.learn(report, at(520)));
    assert_eq!(server, other);
    assert_eq!(server.learnt(id(&server, 2)).unwrap().latency.samples(), 1);
}

/// Whoever sleeps until then has something to report, and no earlier.
#[test]
fn a_run_is_overdue_from_the_point_that_its_ticket_tells() {
    let mut ticket = ticket(&mut server());
    // 1.5 μ, and what rounding may take.
    assert_eq!(ticket.overdue_at(), NOW.after(Micros::new(168_915 + 4 + 1)));
    let due = ticket.overdue_at().as_micros();
    assert_eq!(ticket.overdue(Timestamp::from_micros(due - 1)), None);
    assert!(ticket.overdue(Timestamp::from_micros(due)).is_some());
    assert_eq!(ticket.overdue_at(), Timestamp::from_micros(u64::MAX));
    assert_eq!(ticket.overdue(Timestamp::from_micros(u64::MAX - 1)), None);
}

/// A clock at its end stands still, so that the run seems to have taken no time.
#[test]
fn a_run_is_overdue_once_also_at_the_end_of_time() {
    let end = Timestamp::from_micros(u64::MAX);
    let (_, mut ticket) = server().begin(Budget::of(millis(200)), Draw::from_id(1), end);
    assert!(ticket.overdue(end).is_some());
    assert_eq!(ticket.overdue(end), None);
}

/// A model of twenty minutes, as of any other time, is overdue after half as much again.
#[test]
fn a_run_of_a_slow_model_is_overdue_no_sooner() {
    for minutes in [1, 10, 17, 18, 20] {
        let slow = Latency { mean: millis(60_000 * minutes), deviation: Micros::ZERO };
        let catalog = Catalog::<1>::new([Profile::new(Accuracy::MAX, slow)]).unwrap();
        let mut server = Server::new(catalog, Policy::PAPER, Learning::DEFAULT);
        let (_, ticket) = server.begin(Budget::of(Micros::MAX), draw(), NOW);
        let overdue = ticket.overdue_at().since(NOW);
        assert!(overdue >= millis(90_000 * minutes), "{minutes} min: overdue after {overdue}");
    }
}

/// However long it hangs, and its end with it.
#[test]
fn a_single_cold_start_is_kept_out() {
    let mut server = server();
    let mut cold = ticket(&mut server);
    let reports = (1..10_000).filter_map(|running| cold.overdue(at(running))).collect::<Vec<_>>();
    assert_eq!(reports.len(), 1);
    for report in reports {
        assert!(!server.learn(report, at(10_000)));
    }
    assert!(!server.learn(cold.completed(at(10_000)), at(10_000)));
    assert_eq!(mean(&server, 2), Micros::new(112_610));
    assert_eq!(standing(&server, 2), Standing::Trusted);
}

/// Nor do 24 runs count that were in one and the same cold start: once they have ended, probes show it.
#[test]
fn a_cold_start_of_many_runs_is_one_event() {
    let mut server = server();
    let runs: Vec<Ticket> = (0..24).map(|_| ticket(&mut server)).collect();
    for (run, count) in runs.into_iter().zip(0..) {
        server.learn(run.completed(at(2_000 + count)), at(2_000 + count));
    }
    let learnt = server.learnt(id(&server, 2)).unwrap().latency;
    assert_eq!(learnt.latency(), learnt.prior());
    assert_eq!(standing(&server, 2), Standing::Probing);
    for count in 0..3 {
        let now = at(2_100 + 200 * count);
        let (decision, run) = probe(&mut server, now).expect("a probe");
        assert_eq!(decision.model.index(), 2);
        let end = now.after(millis(113));
        server.learn(run.completed(end), end);
    }
    assert_eq!((standing(&server, 2), mean(&server, 2)), (Standing::Trusted, Micros::new(112_610)));
}

/// Back: no time is told, whatever the end. Forward: an outlier, which is kept out.
#[test]
fn a_clock_that_steps_teaches_no_time() {
    let mut server = server();
    let back = Timestamp::from_micros(1);
    let model = id(&server, 2);
    for report in [Ticket::completed, Ticket::cancelled] {
        let run = ticket(&mut server);
        let before = server.clone();
        assert!(!server.learn(report(run, back), NOW));
        assert_eq!((server.front(), server.learnt(model)), (before.front(), before.learnt(model)));
    }
    assert_eq!(ticket(&mut server).overdue(back), None);
    let forward = NOW.after(Micros::MAX).after(Micros::MAX);
    let run = ticket(&mut server);
    assert!(!server.learn(run.completed(forward), NOW));
    assert_eq!(mean(&server, 2), Micros::new(112_610));
}

#[test]
fn judged_answers_move_the_accuracy() {
    let mut server = server();
    let model = id(&server, 2);
    let accuracy = |server: &Server<3>| server.catalog().get(model).unwrap().accuracy.as_percent();
    // The wrong ones of a model that is right in 82.6 % come in such numbers by chance.
    for _ in 0..50 {
        assert!(!server.learn(Report::judged(model, false), NOW));
        assert_eq!(accuracy(&server), 82.6);
    }
    for _ in 50..200 {
        server.learn(Report::judged(model, false), NOW);
    }
    assert!(accuracy(&server) < 70.0, "{}", accuracy(&server));
    assert_eq!(chosen(&mut server, budget()), 1);
    // A share of the requests shows whether it is as good as ever again.
    server.poll(at(1_000));
    assert_eq!(standing(&server, 2), Standing::Probing);
    let share = server.probability(budget(), model, at(1_000));
    assert!(share > 0.001 && share <= 0.01, "{share}");
    for _ in 0..5_000 {
        server.learn(Report::judged(model, true), at(1_000));
    }
    assert!(accuracy(&server) > 90.0, "{}", accuracy(&server));
    assert_eq!((chosen(&mut server, budget()), standing(&server, 2)), (2, Standing::Trusted));
}

// ---- Tickets that come home by themselves

/// Ended by one of the four, it reports what the ticket would, and nothing is lost.
#[test]
fn a_guard_that_has_ended_tells_no_more() {
    type Ends = [(fn(Ticket, Timestamp) -> Report, fn(Guard<fn(Ticket)>, Timestamp) -> Report); 4];
    let ends: Ends = [
        (Ticket::completed, Guard::completed),
        (Ticket::failed, Guard::failed),
        (Ticket::timed_out, Guard::timed_out),
        (Ticket::cancelled, Guard::cancelled),
    ];
    for (of_ticket, of_guard) in ends {
        let mut server = server();
        let plain = ticket(&mut server);
        let guard = ticket(&mut server).or_else((|_| panic!("it was not lost")) as fn(Ticket));
        assert_eq!(of_guard(guard, at(130)), of_ticket(plain, at(130)));
    }
}

#[test]
fn a_guard_that_is_lost_tells_once() {
    let mut server = server();
    let home = RefCell::new(Vec::new());
    let mut guard = ticket(&mut server).or_else(|ticket| home.borrow_mut().push(ticket));
    guard.started(at(10));
    assert!(guard.overdue(at(300)).is_some());
    assert_eq!((guard.model().index(), guard.deadline()), (2, at(200)));
    drop(guard);
    let mut home = home.into_inner();
    let mut lost = home.pop().unwrap();
    assert!(home.is_empty());
    // It is the ticket as it was.
    assert_eq!((lost.model().index(), lost.deadline(), lost.overdue(at(400))), (2, at(200), None));
    let observation = Observation::AtLeast(millis(340));
    assert_eq!(
        lost.cancelled(at(350)).told,
        Told::Ended { began: at(10), probe: false, batch: 1, observation }
    );
}

#[test]
fn a_guard_comes_home_from_a_panic() {
    let mut server = server();
    let (home, reports) = std::sync::mpsc::channel();
    let run = ticket(&mut server).or_else(move |lost| home.send(lost.failed(at(1))).unwrap());
    let panicked = std::thread::spawn(move || {
        let run = run;
        let deadline = run.deadline();
        std::panic::resume_unwind(Box::new(deadline));
    });
    assert!(panicked.join().is_err());
    let report = reports.recv().unwrap();
    assert_eq!((report.model.index(), reports.recv().ok()), (2, None));
}

// ---- Standing

#[test]
fn a_standing_has_a_name() {
    let names = [Standing::Trusted, Standing::Held, Standing::Probing, Standing::Canary];
    assert_eq!(names.map(|standing| standing.to_string()), ["trusted", "held", "probing", "canary"]);
}

/// Five runs that hang show it before any of them ends; asking often changes nothing. It keeps its profile:
/// when one of them has ended, three probes in a row bring it back.
#[test]
fn a_stuck_model_is_noticed_before_its_runs_end() {
    let mut server = server();
    let mut stuck: Vec<Ticket> = (0..5).map(|_| ticket(&mut server)).collect();
    for running in [100, 150, 168] {
        assert!(stuck.iter_mut().all(|ticket| ticket.overdue(at(running)).is_none()));
    }
    for (count, ticket) in stuck.iter_mut().enumerate() {
        assert_eq!((standing(&server, 2), chosen(&mut server, budget())), (Standing::Trusted, 2));
        let reports: Vec<Report> = (0..100).filter_map(|_| ticket.overdue(at(170))).collect();
        assert_eq!(reports.len(), 1);
        assert_eq!(server.learn(reports[0], at(170)), count == 4);
    }
    assert_eq!((standing(&server, 2), chosen(&mut server, budget())), (Standing::Held, 1));
    assert!(probe(&mut server, at(1_000)).is_none());
    let learnt = server.learnt(id(&server, 2)).unwrap().latency;
    assert_eq!(learnt.latency(), learnt.prior());

    for ended in stuck {
        assert!(standing(&server, 2) != Standing::Trusted);
        server.learn(ended.completed(at(2_000)), at(2_000));
        assert_eq!((standing(&server, 2), chosen(&mut server, budget())), (Standing::Probing, 1));
    }
    for count in 0..3 {
        let now = at(2_000 + 200 * count);
        let (decision, run) = probe(&mut server, now).expect("a probe");
        assert_eq!((decision.model.index(), decision.reason), (2, Reason::Probe));
        assert!(probe(&mut server, now).is_none(), "one at a time");
        let end = now.after(millis(113));
        server.learn(run.completed(end), end);
    }
    assert_eq!((standing(&server, 2), mean(&server, 2)), (Standing::Trusted, Micros::new(112_610)));
}

/// If nothing is heard of the runs, the hold ends by itself, at the time that the server tells.
#[test]
fn a_hold_ends_by_itself() {
    let (mut server, stuck) = stuck();
    drop(stuck);
    // At 170 ms, for 8 s.
    assert_eq!(server.poll_at(), at(8_170));
    assert!(!server.poll(at(8_169)));
    assert_eq!(standing(&server, 2), Standing::Held);
    assert!(server.poll(at(8_170)));
    assert_eq!(standing(&server, 2), Standing::Probing);
    assert!(probe(&mut server, at(8_170)).is_some());
}

/// Hearing of others, or how its answers were, says nothing of a model that is stuck.
#[test]
fn a_hold_is_not_ended_by_other_news() {
    let (mut server, _stuck) = stuck();
    let model = id(&server, 2);
    server.hear(model, None);
    server.hear(model, Some(Learnt::from_prior(*roomy::<3>().catalog().get(model).unwrap())));
    for _ in 0..200 {
        server.learn(Report::judged(model, false), at(171));
    }
    server.poll(at(171));
    assert_eq!(standing(&server, 2), Standing::Held);
}

/// Ten times slower: avoided after five runs, but for probes; found to have recovered by the first of three.
#[test]
fn a_model_that_recovers_is_found_again() {
    let mut server = server();
    let mut now = NOW;
    let mut run = |server: &mut Server<3>, factor: u32| {
        let (decision, ticket) = server.begin(budget(), Draw::from_id(now.as_micros()), now);
        let usual = [3_210, 31_610, 112_610][decision.model.index()];
        let took = if decision.model.index() == 2 { usual * factor } else { usual };
        let end = now.after(Micros::new(took));
        server.learn(ticket.completed(end), end);
        now = end.max(now.after(millis(1_000)));
        decision.model.index() == 2
    };
    assert!((0..100).all(|_| run(&mut server, 1)));
    let slow: Vec<u32> = (0..1_500).filter(|_| run(&mut server, 10)).collect();
    // At a request a second, probes come a minute apart, two, four and then six.
    let [fifth, probes @ ..] = &slow[4..] else { panic!("{slow:?}") };
    let apart: Vec<u32> = slow[4..].iter().zip(probes).map(|(one, next)| (next - one) / 60).collect();
    assert_eq!((*fifth, apart), (4, vec![1, 1, 2, 4, 6, 6]));
    let recovered: Vec<u32> = (0..1_000).filter(|_| run(&mut server, 1)).collect();
    assert!(recovered[0] <= 360, "within the longest interval: {recovered:?}");
    assert!(recovered.is_sorted_by(|one, next| one + 1 == *next) && recovered.ends_with(&[999]));
    assert_eq!(mean(&server, 2), Micros::new(112_610));
}

/// Three good probes bring back what a model started from. A run that began before and was slow is part of what is over;
/// one that was not counts.
#[test]
fn a_model_that_is_back_is_what_it_was() {
    let mut server = server();
    let (slow, ordinary) = (ticket(&mut server), ticket(&mut server));
    let ordinary = ordinary.completed(at(113));
    let mut now = NOW;
    for _ in 0..5 {
        let run = server.begin(budget(), draw(), now).1;
        now = now.after(millis(1_126));
        server.learn(run.completed(now), now);
    }
    assert_eq!(mean(&server, 2), millis(1_126));
    let mut probes = 0;
    for _ in 0..20 {
        now = now.after(millis(100)).max(server.poll_at());
        if let Some((_, run)) = probe(&mut server, now) {
            now = now.after(millis(113));
            server.learn(run.completed(now), now);
            probes += 1;
        }
    }
    assert_eq!((probes, standing(&server, 2)), (3, Standing::Trusted));
    let learnt = |server: &Server<3>| server.learnt(id(server, 2)).unwrap().latency;
    let back = learnt(&server);
    assert_eq!(back.latency(), back.prior());
    server.learn(slow.completed(now), now);
    assert_eq!(learnt(&server), back);
    server.learn(ordinary, now);
    assert_eq!(learnt(&server).samples(), back.samples() + 1);
}

/// The runs that made a hold are done with: after three good probes it takes five others.
#[test]
fn a_hold_that_is_over_leaves_nothing_behind() {
    let (mut server, mut stuck) = stuck();
    server.learn(stuck.pop().unwrap().completed(at(2_000)), at(2_000));
    for now in [2_000, 2_200, 2_400] {
        let (_, run) = probe(&mut server, at(now)).expect("a probe");
        server.learn(run.completed(at(now + 113)), at(now + 113));
    }
    for count in 1..=5 {
        assert_eq!(standing(&server, 2), Standing::Trusted, "{count}");
        let mut run = server.begin(budget(), draw(), at(3_000)).1;
        server.learn(run.overdue(at(3_200)).unwrap(), at(3_200));
    }
    assert_eq!(standing(&server, 2), Standing::Held);
}

/// A copy of the front sends probes for a while, and then no more: whoever has it may be cut off.
#[test]
fn probes_of_a_copy_lapse() {
    let (mut server, mut stuck) = stuck();
    let end = stuck.pop().unwrap().completed(at(2_000));
    assert!(server.learn(end, at(2_000)));
    let copy = server.front().clone();
    let probes = |now: Timestamp| {
        let reason = |id| copy.begin(budget(), Draw::from_id(id), now).0.reason;
        (0..1_000).filter(|&id| reason(id) == Reason::Probe).count()
    };
    assert_eq!((probes(at(1_999)), probes(at(60_000))), (0, 0));
    assert!(probes(at(2_100)) > 0);
    let model = id(&server, 2);
    assert!(copy.probability(budget(), model, at(2_100)) > 0.0);
    assert_eq!(copy.probability(budget(), model, at(60_000)), 0.0);
}

/// What is told of a probe is published: else those with a copy of the front would send others.
#[test]
fn that_a_probe_is_over_is_told() {
    let (mut server, mut stuck) = stuck();
    let end = stuck.pop().unwrap().completed(at(2_000));
    assert!(server.learn(end, at(2_000)));
    let copy = server.front().clone();
    let draw = (0..1_000)
        .map(Draw::from_id)
        .find(|&draw| copy.begin(budget(), draw, at(2_100)).0.reason == Reason::Probe);
    let (_, mut run) = copy.begin(budget(), draw.unwrap(), at(2_100));
    let report = run.overdue(at(2_299)).unwrap();
    assert!(server.learn(report, at(2_299)));
    assert_eq!(server.front().begin(budget(), draw.unwrap(), at(2_299)).0.reason, Reason::Base);
}

/// Where nothing else may answer, a model that is not trusted does; that it fails is no better than if a probe
/// had.
#[test]
fn no_probe_is_sent_right_after_a_failure() {
    let (mut server, mut stuck) = stuck();
    server.learn(stuck.pop().unwrap().completed(at(2_000)), at(2_000));
    let large: ModelSet<3> = [id(&server, 2)].into_iter().collect();
    let request = Request::new(Budget::of(millis(50))).with_allowed(&large);
    let (decision, run) = server.begin(request, draw(), at(2_001)).unwrap();
    assert_eq!(decision.reason, Reason::TooLate);
    server.learn(run.completed(at(2_200)), at(2_200));
    assert!((2_200..3_200).step_by(10).all(|now| probe(&mut server, at(now)).is_none()));
}

/// A probe may fit the request's whole budget only: then it has all of it.
#[test]
fn a_probe_has_the_time_that_it_was_found_to_fit() {
    let (mut server, mut stuck) = stuck();
    let end = stuck.pop().unwrap().completed(at(2_000));
    server.learn(end, at(2_000));
    let earlier = Budget::of(millis(50));
    let request = Request::new(budget()).with_earlier(earlier, Accuracy::from_percent(1.0).unwrap());
    let front = server.front();
    let begun = (0..1_000).map(|id| front.begin(request, Draw::from_id(id), at(2_100)).unwrap());
    let (decision, ticket) =
        begun.into_iter().find(|(decision, _)| decision.reason == Reason::Probe).unwrap();
    assert_eq!(decision.model.index(), 2);
    assert_eq!(ticket.deadline(), at(2_100 + 200), "112.61 ms do not fit an earlier 50");
}

/// Runs of a model that is still used for longer budgets go on meanwhile.
#[test]
fn there_is_one_probe_at_a_time() {
    let catalog = Catalog::<2>::try_new([
        Profile::from_percent_and_millis(77.2, 31.61, 0.29),
        Profile::from_percent_and_millis(82.6, 800.0, 10.0),
    ]);
    // As requests are few, sixty times as long: 600 ms.
    let learning = Learning::DEFAULT.with_probe_interval(millis(10));
    let mut server = Server::new(catalog.unwrap(), Policy::PAPER, learning);
    let run = |server: &mut Server<2>, now: Timestamp| {
        let (decision, ticket) = server.begin(Budget::of(millis(2_000)), draw(), now);
        assert_eq!(decision.model.index(), 1);
        ticket
    };
    // It fits no 900 ms any more.
    for count in 0..20 {
        let ticket = run(&mut server, at(1_000 * count));
        server.learn(ticket.completed(at(1_000 * count + 1_000)), at(1_000 * count + 1_000));
    }
    let other = run(&mut server, at(20_000));
    let probe = |server: &mut Server<2>, now: Timestamp| {
        let begun = (0..100).map(|id| server.begin(Budget::of(millis(900)), Draw::from_id(id), now));
        begun.into_iter().find(|(decision, _)| decision.reason == Reason::Probe)
    };
    let (_, out) = probe(&mut server, at(20_990)).expect("a probe");
    server.learn(other.completed(at(21_000)), at(21_000));
    for now in (21_000..22_190).step_by(10).map(at) {
        assert!(
            now < out.overdue_at() && probe(&mut server, now).is_none(),
            "another {} later",
            now.since(at(20_990))
        );
    }
}

/// However many models are tried at a share, one that is to come back gets its probe.
#[test]
fn canaries_do_not_keep_others_from_being_probed() {
    let mut server = roomy::<16>();
    for _ in 0..8 {
        // Nobody gains by them.
        let useless = Profile::from_percent_and_millis(10.0, 150.0, 1.0).unwrap();
        server.add_canary(useless, Share::from_percent(10.0).unwrap()).unwrap();
    }
    server.poll(NOW);
    let mut stuck: Vec<Ticket> = (0..5).map(|_| ticket(&mut server)).collect();
    for ticket in &mut stuck {
        let report = ticket.overdue(at(170)).unwrap();
        server.learn(report, at(170));
    }
    assert_eq!(standing(&server, 2), Standing::Held);
    let mut now = at(170);
    let found = (0..100).any(|_| {
        now = now.max(server.poll_at());
        probe(&mut server, now).is_some_and(|(decision, _)| decision.model.index() == 2)
    });
    assert!(found, "it is {} for ever", standing(&server, 2));
}

/// A canary gets its share of the requests that would gain by it, and is a model as any other after 20 runs.
#[test]
fn a_canary_is_known_after_twenty_runs() {
    let mut server = roomy::<4>();
    let claimed = Profile::from_percent_and_millis(90.0, 20.0, 1.0).unwrap();
    let canary = server.add_canary(claimed, Share::from_percent(10.0).unwrap()).unwrap();
    server.poll(NOW);
    assert_eq!(server.standing(canary), Some(Standing::Canary));
    assert!((server.probability(budget(), canary, NOW) - 0.1).abs() < 1e-6);
    // It would be late, or is not wanted.
    assert_eq!(server.probability(Budget::of(millis(20)), canary, NOW), 0.0);
    let others: ModelSet<4> = (0..3).map(|place| id(&server, place)).collect();
    assert_eq!(server.probability(Request::new(budget()).with_allowed(&others), canary, NOW), 0.0);
    let mut runs = 0;
    for number in 0..1_000 {
        let now = at(10 * number);
        let (decision, ticket) = server.begin(budget(), Draw::from_id(number.into()), now);
        let took = if decision.model == canary { millis(40) } else { millis(113) };
        if server.standing(canary) == Some(Standing::Canary) {
            assert_eq!(decision.reason == Reason::Probe, decision.model == canary);
            runs += u32::from(decision.model == canary);
        }
        server.learn(ticket.completed(now.after(took)), now.after(took));
    }
    // Those that were under way when it became known are among them.
    assert_eq!(runs, 20);
    // Twice as slow as it was claimed to be, and the best all the same.
    assert_eq!(server.catalog().get(canary).unwrap().latency.mean, millis(40));
    assert_eq!(chosen(&mut server, budget()), canary.index());
}

/// Of two probes by copies of the front the other, which was longer, is reported when all is over.
#[test]
fn what_is_told_late_of_a_probe_leaves_nobody_waiting() {
    let (mut server, mut stuck) = stuck();
    let end = stuck.pop().unwrap().completed(at(2_000));
    server.learn(end, at(2_000));
    let (_, late) = probe(&mut server.clone(), at(2_050)).expect("a probe");
    for count in 0..3 {
        let now = at(2_050 + 200 * count);
        let (_, run) = probe(&mut server, now).expect("a probe");
        let end = now.after(millis(113));
        server.learn(run.completed(end), end);
    }
    assert_eq!(standing(&server, 2), Standing::Trusted);
    server.poll(at(100_000));
    server.learn(late.completed(at(2_200)), at(100_000));
    // 122 ms, by which it does not fit.
    let (budget, model) = (Budget::of(millis(118)), id(&server, 2));
    let probed = (100..200).any(|second| {
        server.poll(at(1_000 * second));
        server.probability(budget, model, at(1_000 * second)) > 0.0
    });
    assert!(probed, "it is due at {:?}", server.poll_at());
}

/// By a wide margin it fits what it fitted, though it is slower; that it was right less often does not leave
/// it unprobed.
#[test]
fn a_drift_is_probed_by_whatever_margin() {
    let catalog = Catalog::<2>::try_new([
        Profile::from_percent_and_millis(77.2, 31.61, 0.29),
        Profile::from_percent_and_millis(82.6, 100.0, 10.0),
    ]);
    let policy = Policy::PAPER.with_margin(Margin::new(10.0).unwrap());
    let mut server = Server::new(catalog.unwrap(), policy, Learning::DEFAULT);
    let budget = Budget::of(millis(250));
    for count in 0..10 {
        let (decision, ticket) = server.begin(budget, draw(), at(200 * count));
        assert_eq!(decision.model.index(), 1);
        server.learn(ticket.completed(at(200 * count + 190)), at(200 * count + 190));
    }
    let model = id(&server, 1);
    for _ in 0..200 {
        server.learn(Report::judged(model, false), at(2_000));
    }
    assert_eq!(chosen(&mut server, budget), 0);
    let probed = (3..200).any(|second| {
        server.poll(at(1_000 * second));
        server.probability(budget, model, at(1_000 * second)) > 0.0
    });
    assert!(probed, "it is due at {:?}", server.poll_at());
}

/// What was suspected by a clock that was ahead is no excuse for what comes after.
#[test]
fn a_shift_is_known_after_a_clock_has_stepped_back() {
    let mut server = server();
    let ahead = NOW.after(Micros::MAX).after(Micros::MAX);
    let (_, run) = server.begin(budget(), draw(), ahead);
    server.learn(run.completed(ahead.after(millis(340))), ahead.after(millis(340)));
    let large: ModelSet<3> = [id(&server, 2)].into_iter().collect();
    let request = Request::new(Budget::of(millis(500))).with_allowed(&large);
    for count in 0..20 {
        let (_, run) = server.begin(request, draw(), at(1_000 * count)).unwrap();
        let end = at(1_000 * count + 340);
        server.learn(run.completed(end), end);
    }
    assert_eq!(mean(&server, 2), millis(340));
}

/// Nothing waits for a time to come again that has been.
#[test]
fn a_hold_ends_after_a_clock_has_stepped_back_whatever_the_interval() {
    for interval in [Micros::ZERO, millis(1), millis(1_000), millis(600_000), Micros::MAX] {
        let learning = Learning::DEFAULT.with_probe_interval(interval);
        let mut server = Server::new(roomy::<3>().catalog().clone(), Policy::PAPER, learning);
        let days = (0..100).fold(NOW, |now, _| now.after(Micros::MAX));
        for _ in 0..5 {
            let (_, mut run) = server.begin(budget(), draw(), days);
            let report = run.overdue(days.after(millis(170))).unwrap();
            server.learn(report, days.after(millis(170)));
        }
        assert_eq!(standing(&server, 2), Standing::Held);
        server.poll(NOW);
        server.poll(NOW.after(Micros::MAX));
        server.poll(NOW.after(Micros::MAX).after(Micros::MAX));
        assert_eq!(standing(&server, 2), Standing::Probing, "at an interval of {interval}");
    }
}

#[test]
fn a_clock_that_steps_back_changes_no_front_by_itself() {
    let mut server = server();
    assert!(!server.poll(at(10_000)));
    assert!(!server.poll(at(0)), "nothing was waited for");
}

/// One that was used by long requests, slow as it was, and got stuck then: also where no such request comes any
/// more.
#[test]
fn a_slow_model_that_was_stuck_is_probed_for_what_it_was_at_first() {
    let mut server = server();
    let large: ModelSet<3> = [id(&server, 2)].into_iter().collect();
    let long = Request::new(Budget::of(millis(500))).with_allowed(&large);
    for count in 0..20 {
        let (_, run) = server.begin(long, draw(), at(400 * count)).unwrap();
        server.learn(run.completed(at(400 * count + 338)), at(400 * count + 338));
    }
    assert_eq!(mean(&server, 2), millis(338));
    for _ in 0..5 {
        let (_, mut run) = server.begin(long, draw(), at(10_000)).unwrap();
        let report = run.overdue(at(10_600)).unwrap();
        server.learn(report, at(10_600));
    }
    assert_eq!(standing(&server, 2), Standing::Held);
    // It is what it was, and what comes is 200 ms long.
    let back = (11..3_000).find(|second| {
        let now = at(1_000 * second);
        if let Some((_, run)) = probe(&mut server, now) {
            server.learn(run.completed(now.after(millis(113))), now.after(millis(113)));
        }
        server.front().begin(budget(), draw(), NOW).0.model.index() == 2
    });
    assert!(back.is_some(), "it is {:?} for ever", latency(&server, 2));
}

/// Where a request comes once a minute, no probe waits for it in vain for hours.
#[test]
fn few_requests_are_enough_for_a_model_to_come_back() {
    let (mut server, mut stuck) = stuck();
    server.learn(stuck.pop().unwrap().completed(at(2_000)), at(2_000));
    let back = (1..600).find(|&minute| {
        // The server is polled whenever it has something to do.
        let now = at(60_000 * minute);
        while server.poll_at() < now {
            server.poll(server.poll_at());
        }
        let (decision, run) = server.begin(budget(), Draw::from_id(minute.into()), now);
        let end = now.after(if decision.model.index() == 2 { millis(113) } else { millis(32) });
        server.learn(run.completed(end), end);
        (decision.model.index(), decision.reason) == (2, Reason::Base)
    });
    assert!(back.is_some_and(|minutes| minutes < 20), "after {back:?} requests");
}

/// Nor where they come in bursts, with nothing in between.
#[test]
fn bursts_are_enough_for_a_model_to_come_back() {
    let mut server = server();
    let burst = |server: &mut Server<3>, number: u32, factor: u32| {
        let now = at(5_000 * number);
        let runs: Vec<(Decision, Ticket)> = (0..100)
            .map(|request| server.begin(budget(), Draw::from_id((100 * number + request).into()), now))
            .collect();
        let base = runs.iter().filter(|(decision, _)| decision.model.index() == 2).count();
        for (decision, run) in runs {
            let took = if decision.model.index() == 2 { 113 * factor } else { 32 };
            server.learn(run.completed(now.after(millis(took))), now.after(millis(took)));
        }
        base
    };
    assert!((0..10).all(|number| burst(&mut server, number, 1) == 100));
    for number in 10..30 {
        burst(&mut server, number, 3);
    }
    assert_eq!(mean(&server, 2), millis(339));
    let back = (30..500).find(|&number| burst(&mut server, number, 1) == 100);
    assert!(back.is_some_and(|number| number < 100), "after {back:?} bursts");
}

/// Of two models that are to be probed, one that no request gains by takes none from the other.
#[test]
fn a_probe_that_suits_nobody_leaves_the_requests_to_others() {
    let catalog = Catalog::<3>::try_new([
        Profile::from_percent_and_millis(50.0, 100.0, 0.3),
        Profile::from_percent_and_millis(77.2, 31.61, 0.29),
        Profile::from_percent_and_millis(82.6, 112.61, 0.36),
    ]);
    let mut server = Server::new(catalog.unwrap(), Policy::PAPER, Learning::DEFAULT);
    // Both are three times slower, and then as they were.
    for count in 0..5 {
        let runs = [0, 2].map(|model| {
            let allowed: ModelSet<3> = [id(&server, model)].into_iter().collect();
            let request = Request::new(Budget::of(millis(500))).with_allowed(&allowed);
            server.begin(request, draw(), at(400 * count)).unwrap().1
        });
        for run in runs {
            server.learn(run.completed(at(400 * count + 340)), at(400 * count + 340));
        }
    }
    let now = server.poll_at().max(at(100_000));
    server.poll(now);
    assert_eq!((standing(&server, 0), standing(&server, 2)), (Standing::Probing, Standing::Probing));
    let probability = server.probability(budget(), id(&server, 2), now.after(millis(150)));
    assert!(probability > 0.5, "{probability}");
}

// ---- Replicas

#[test]
fn replicas_share_what_they_learnt() {
    let (mut here, mut there) = (server(), server());
    for _ in 0..100 {
        let run = ticket(&mut there);
        there.learn(run.completed(at(130)), at(130));
    }
    let model = id(&here, 2);
    let mut replicas = Replicas::<3, 2>::new();
    assert!(replicas.hear(1, model, *there.learnt(model).unwrap(), NOW));
    assert!(here.hear(model, replicas.pooled(model)));
    assert_eq!(mean(&here, 2), mean(&there, 2));
    assert!(!here.hear(model, replicas.pooled(model)), "nothing new");
    replicas.forget(1);
    assert_eq!(replicas.pooled(model), None);
    assert!(here.hear(model, None));
    assert_eq!(here.catalog(), server().catalog());
}

/// Only the newest of each replica counts, and room for one replica more there is not.
#[test]
fn the_newest_of_each_replica_counts() {
    let mut there = server();
    let model = id(&there, 2);
    let nothing = *there.learnt(model).unwrap();
    let run = ticket(&mut there);
    there.learn(run.completed(at(130)), at(130));
    let one = *there.learnt(model).unwrap();
    let mut replicas = Replicas::<3, 2>::new();
    assert_eq!(replicas.pooled(model), None);
    assert!(replicas.hear(7, model, one, at(2)));
    assert!(!replicas.hear(7, model, nothing, at(1)) && !replicas.hear(7, model, nothing, at(2)));
    assert_eq!(replicas.pooled(model), Some(one));
    assert!(replicas.hear(7, model, nothing, at(3)) && replicas.hear(3, model, one, at(0)));
    assert_eq!(replicas.pooled(model).unwrap().latency.samples(), 1);
    assert!(!replicas.hear(5, model, one, at(4)), "there are two");
    replicas.forget(7);
    assert!(replicas.hear(5, model, one, at(4)));
    assert_eq!(replicas.pooled(model).unwrap().latency.samples(), 2);
    assert_eq!(replicas.pooled(id(&there, 1)), None);
}

/// A model that was replaced lives on in what replicas say that have not heard of it.
#[test]
fn what_is_told_late_of_a_model_that_is_no_more_changes_nothing() {
    let mut server = server();
    let old = id(&server, 2);
    let of_old = *server.learnt(old).unwrap();
    let new = server.replace(old, Profile::from_percent_and_millis(85.0, 120.0, 1.0).unwrap()).unwrap();
    let of_new = *server.learnt(new).unwrap();
    let mut replicas = Replicas::<3, 2>::new();
    replicas.hear(1, old, of_old, at(1));
    assert!(replicas.hear(1, new, of_new, at(2)));
    assert!(!replicas.hear(1, old, of_old, at(1)), "it was said before");
    assert_eq!(replicas.pooled(new), Some(of_new));
}

/// What others say every second is no reason to probe a model every second.
#[test]
fn hearing_often_makes_no_more_probes() {
    let mut server = server();
    let model = id(&server, 2);
    for _ in 0..5 {
        let run = ticket(&mut server);
        server.learn(run.completed(at(1_000)), at(1_000));
    }
    let heard = *server.learnt(model).unwrap();
    let mut probes = 0;
    for tenth in 0..600 {
        let now = at(1_000 + 100 * tenth);
        server.hear(model, Some(heard));
        if let Some((_, run)) = probe(&mut server, now) {
            probes += 1;
            let late = now.after(millis(1_000));
            server.learn(run.completed(late), late);
        }
    }
    // 60 s at intervals of 1, 2, 4 s and so on.
    assert!(probes <= 12, "{probes}");
}

/// What a former self has measured, and this one has found otherwise, does not count against the model whenever
/// it recovers.
#[test]
fn what_was_heard_long_ago_delays_no_recovery() {
    let large = |server: &Server<3>| [id(server, 2)].into_iter().collect::<ModelSet<3>>();
    let run = |server: &mut Server<3>, from: u32, took: u32, count: u32| {
        let allowed = large(server);
        let request = Request::new(Budget::of(millis(500))).with_allowed(&allowed);
        for run in 0..count {
            let began = at(from + took * run);
            let (_, ticket) = server.begin(request, draw(), began).unwrap();
            server.learn(ticket.completed(began.after(millis(took))), began.after(millis(took)));
        }
    };
    let mut former = server();
    run(&mut former, 0, 140, 100);
    let model = id(&former, 2);
    let seconds = [None, former.learnt(model).copied()].map(|heard| {
        let mut server = server();
        server.hear(model, heard);
        run(&mut server, 20_000, 113, 100);
        run(&mut server, 40_000, 340, 5);
        let mut now = at(60_000);
        let count = (0..5_000).find(|_| {
            now = now.after(millis(1_000));
            let budget = Budget::of(millis(125));
            let back = server.front().begin(budget, draw(), at(0)).0.model == model;
            if !back && let Some((_, run)) = probe_within(&mut server, budget, now) {
                server.learn(run.completed(now.after(millis(113))), now.after(millis(113)));
            }
            back
        });
        count.unwrap()
    });
    assert!(seconds[1] <= seconds[0] + 3, "until it is back: {seconds:?} s");
}

/// A former self that was less accurate is not believed for ever: once the answers are right again, it is
/// restored.
#[test]
fn a_drift_that_was_heard_of_ends() {
    let (mut former, mut server) = (server(), server());
    let model = id(&server, 2);
    for count in 0..5_000 {
        former.learn(Report::judged(model, count % 2 == 0), NOW);
    }
    server.hear(model, former.learnt(model).copied());
    assert_eq!(chosen(&mut server, budget()), 1);
    let mut judge = |count: u32| {
        // 19 of 23 are 82.6 %.
        server.learn(Report::judged(model, count % 23 < 19), NOW);
        chosen(&mut server, budget()) == 2
    };
    assert!((0..3_000).any(&mut judge), "it is {:?}", server.catalog().get(model));
    assert!((0..1_000).all(judge), "it is {:?}", server.catalog().get(model));
}

// ---- Others

/// Of another catalog: its ids, tickets and reports are recognised.
#[test]
fn a_stranger_is_harmless() {
    let mut server = server();
    let before = server.clone();
    let other = Catalog::<3>::new([Profile::default(); 3]).unwrap();
    let mut other = Server::new(other, Policy::PAPER, Learning::DEFAULT);
    for place in 0..3 {
        let stranger = id(&other, place);
        assert!(!server.learn(Report::judged(stranger, true), NOW));
        assert!(!server.hear(stranger, other.learnt(stranger).copied()));
        assert_eq!((server.learnt(stranger), server.standing(stranger)), (None, None));
        assert_eq!(server.remove(stranger), Err(CatalogError::Unknown));
        assert_eq!(server.replace(stranger, Profile::default()), Err(CatalogError::Unknown));
    }
    let mut run = ticket(&mut other);
    let reports = [run.overdue(at(1_000)).unwrap(), run.completed(at(1_000))];
    for report in reports {
        // Nor does time go by with it.
        assert!(!server.learn(report, NOW.after(Micros::MAX)));
    }
    assert_eq!(server, before);
}

/// The others keep their ids and what was learnt of them, and their reports count as before.
#[test]
fn models_come_and_go() {
    let mut server = roomy::<4>();
    let [fast, middle, large] = [0, 1, 2].map(|place| id(&server, place));
    let run = ticket(&mut server);
    server.learn(run.completed(at(130)), at(130));
    let learnt = *server.learnt(large).unwrap();

    let better = Profile::from_percent_and_millis(90.0, 150.0, 1.0).unwrap();
    let added = server.add(better).unwrap();
    assert_eq!((added.index(), server.learnt(added).unwrap().latency.samples()), (3, 0));
    assert_eq!(server.add(better), Err(CatalogError::Full { capacity: 4 }));
    assert_eq!(server.add_canary(better, Share::ALL), Err(CatalogError::Full { capacity: 4 }));
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
    let run = ticket(&mut server);
    assert!(server.learn(run.completed(at(120)), at(120)));
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

/// A removed model is not probed, nor does what takes its place inherit its standing.
#[test]
fn what_is_removed_is_not_probed() {
    let (mut server, _stuck) = stuck();
    server.remove(id(&server, 2)).unwrap();
    let now = NOW.after(Micros::MAX);
    server.poll(now);
    assert!(probe(&mut server, now).is_none());
    let new = server.add(Profile::from_percent_and_millis(82.6, 112.61, 0.36).unwrap()).unwrap();
    assert_eq!((new.index(), server.standing(new)), (2, Some(Standing::Trusted)));
    assert_eq!(chosen(&mut server, budget()), 2);
}

/// All that a log holds is data of ours; what it replays is what happened.
#[test]
fn a_log_replays() {
    #[derive(serde::Serialize, serde::Deserialize)]
    enum Line {
        Asked { budget: Budget, draw: Draw, now: Timestamp, decision: Decision },
        Learnt { report: Report, now: Timestamp },
        Polled { now: Timestamp },
        Heard { model: ModelId, others: Option<Learnt> },
    }
    let (mut server, mut again, mut other) = (server(), server(), server());
    let mut log = Vec::new();
    let mut probes = 0;
    for number in 0..2_000 {
        let now = NOW.after(millis(100 * number));
        let (budget, draw) = (Budget::of(millis(number % 240)), Draw::from_bytes(&number.to_le_bytes()));
        let (decision, mut ticket) = server.begin(budget, draw, now);
        probes += u32::from(decision.reason == Reason::Probe);
        log.push(Line::Asked { budget, draw, now, decision });
        let end = now.after(millis(number * 7_919 % 300));
        let judged = (number % 3 == 0).then(|| Report::judged(decision.model, number % 2 == 0));
        for report in ticket.overdue(end).into_iter().chain(judged).chain([ticket.completed(end)]) {
            log.push(Line::Learnt { report, now: end });
            server.learn(report, end);
            other.learn(report, now);
        }
        if number % 100 == 0 {
            let (model, now) = (decision.model, server.poll_at().min(now.after(millis(5_000))));
            let others = other.learnt(model).copied();
            log.extend([Line::Polled { now }, Line::Heard { model, others }]);
            server.poll(now);
            server.hear(model, others);
        }
    }
    let log = serde_json::to_string(&log).unwrap();
    for line in serde_json::from_str::<Vec<Line>>(&log).unwrap() {
        match line {
            Line::Asked { budget, draw, now, decision } => {
                assert_eq!(again.begin(budget, draw, now).0, decision);
            }
            Line::Learnt { report, now } => drop(again.learn(report, now)),
            Line::Polled { now } => drop(again.poll(now)),
            Line::Heard { model, others } => drop(again.hear(model, others)),
        }
    }
    assert_eq!(again, server);
    assert!(server.catalog() != roomy::<3>().catalog());
    assert!(probes > 0);
}

/// As the docs say, in bytes for each model.
#[test]
fn sizes_are_documented() {
    const MOST: usize = Server::<1>::MOST;
    let per_model = |bytes: usize| bytes / MOST;
    assert_eq!(per_model(size_of::<Catalog<MOST>>()), 24);
    assert_eq!(per_model(size_of::<Index<MOST>>()), 166);
    assert_eq!(per_model(size_of::<Front<MOST>>()), 168);
    assert_eq!(per_model(size_of::<Server<MOST>>()), 320);
    assert_eq!(per_model(size_of::<Replicas<MOST, 8>>()) / 8, 96);
    assert_eq!((size_of::<Report>(), size_of::<Ticket>()), (32, 40));
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

    /// A run is overdue above both 1.5 μ and μ + 6σ of the profile that it was chosen by, to within rounding;
    /// and where that is the estimator's own, it finds such a run suspect.
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
        let mut now = NOW;
        for sample in samples {
            let run = server.begin(budget(), draw(), now).1;
            now = now.after(Micros::new((f64::from(mean) * sample) as u32));
            server.learn(run.completed(now), now);
        }
        let mut ticket = server.begin(budget(), draw(), now).1;
        let overdue = ticket.overdue_at().since(now).get();
        prop_assume!(overdue < Micros::MAX.get());
        let live = latency(&server, 0);
        let ordinary = live.mean.get() + (live.mean.get() / 2).max(6 * live.deviation.get());
        prop_assert!(overdue > ordinary && overdue - ordinary <= 9 + (ordinary >> 19), "{overdue} {ordinary}");
        let learnt = server.learnt(id(&server, 0)).unwrap().latency;
        if learnt.latency() == Some(live) {
            prop_assert!(overdue > learnt.suspect_above().get());
        }
        // Once is no reason for anything.
        let report = ticket.overdue(ticket.overdue_at()).unwrap();
        prop_assert!(!server.learn(report, now));
        prop_assert_eq!(server.learnt(id(&server, 0)).unwrap().latency, learnt);
    }
}
