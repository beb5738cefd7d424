//! The server: what a request is answered by, and what each outcome teaches.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

#[path = "operations/server.rs"]
mod operations;

use mdinference::{
    Accuracy, Catalog, Constraints, Cost, Index, Learning, Micros, ModelId, ModelSet, NetworkTime, Outcome,
    Policy, Profile, Reason, Request, Server, Ticket, Timestamp,
};
use proptest::prelude::*;

/// Three models: 50 % in 3 ms, 77 % in 32 ms, 83 % in 113 ms.
fn server() -> Server<3> {
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

/// 250 ms with a network of 50 ms: 200 ms are left.
fn request<'a>() -> Request<'a, 3> {
    Request::new(millis(250), NetworkTime::TwiceInput(millis(25)))
}

fn chosen(server: &Server<3>, request: &Request<'_, 3>) -> usize {
    server.begin(request, 0).unwrap().0.model.index()
}

fn ticket(server: &Server<3>) -> Ticket {
    server.begin(&request(), 0).unwrap().1
}

fn mean(server: &Server<3>, model: usize) -> Micros {
    server.catalog().get(ModelId::new(model).unwrap()).unwrap().latency.mean
}

const NOW: Timestamp = Timestamp::from_micros(1_000_000);

#[test]
fn a_budget_is_what_is_left_of_the_sla() {
    let server = server();
    let (decision, ticket) =
        server.begin(&request().with_spent(millis(30)).with_wait(millis(50)), 0).unwrap();
    assert_eq!(decision.budget.time(), millis(120));
    assert_eq!((decision.model.index(), decision.reason), (2, Reason::Base));
    assert_eq!((ticket.model(), ticket.deadline()), (decision.model, millis(120)));
    assert_eq!(chosen(&server, &request().with_spent(millis(30)).with_wait(millis(60))), 1);
    assert_eq!(chosen(&server, &request().with_spent(millis(250))), 0);
}

#[test]
fn a_wait_for_one_model_counts_against_that_model_alone() {
    let server = server();
    let waits = [Micros::ZERO, Micros::ZERO, millis(87)];
    assert_eq!(chosen(&server, &request().with_model_waits(&waits)), 2);
    let waits = [Micros::ZERO, Micros::ZERO, millis(88)];
    assert_eq!(chosen(&server, &request().with_model_waits(&waits)), 1);
    // The run has to be done within what the wait leaves.
    let waits = [millis(10); 3];
    let (_, ticket) = server.begin(&request().with_model_waits(&waits), 0).unwrap();
    assert_eq!(ticket.deadline(), millis(190));
}

#[test]
fn constraints_hold_with_and_without_waits() {
    let server = server();
    let cheap: ModelSet<3> = [ModelId::new(0).unwrap(), ModelId::new(1).unwrap()].into_iter().collect();
    let constraints = Constraints::NONE.with_allowed(&cheap);
    let waits = [Micros::ZERO; 3];
    assert_eq!(chosen(&server, &request().with_constraints(constraints)), 1);
    assert_eq!(chosen(&server, &request().with_constraints(constraints).with_model_waits(&waits)), 1);
    let constraints =
        constraints.with_min_accuracy(Accuracy::from_percent(80.0).unwrap()).with_max_cost(Cost(0));
    for request in [
        request().with_constraints(constraints),
        request().with_constraints(constraints).with_model_waits(&waits),
    ] {
        let nothing = server.begin(&request, 0).unwrap_err();
        assert_eq!(
            (nothing.not_allowed, nothing.below_minimum_accuracy, nothing.above_maximum_cost),
            (1, 2, 0)
        );
    }
}

#[test]
fn a_completed_run_moves_the_profile_by_alpha() {
    let mut server = server();
    let changed = server.finish(ticket(&server), Outcome::Completed(Micros::new(132_610)), NOW);
    assert!(changed);
    assert_eq!(mean(&server, 2), Micros::new(113_610));
    // σ²' = 0.95 · (360² + 0.05 · 20,000²).
    let deviation = server.catalog().get(ModelId::new(2).unwrap()).unwrap().latency.deviation;
    assert_eq!(deviation, Micros::new(4_373));
}

/// Failing at once is not being fast: it costs the deadline.
#[test]
fn failures_and_timeouts_cost_the_deadline_however_soon_they_come() {
    for outcome in [Outcome::Failed(Micros::ZERO), Outcome::TimedOut(Micros::ZERO)] {
        let mut server = server();
        for _ in 0..5 {
            assert_eq!(mean(&server, 2), Micros::new(112_610));
            server.finish(ticket(&server), outcome, NOW);
        }
        assert_eq!(mean(&server, 2), millis(200));
        assert_eq!(chosen(&server, &request()), 1);
    }
}

/// A deadline that was shorter than the model needs anyway tells nothing.
#[test]
fn a_failure_never_makes_a_model_faster() {
    let mut server = server();
    let hopeless = Request::new(millis(1), NetworkTime::Given(Micros::ZERO));
    for _ in 0..100 {
        let (decision, ticket) = server.begin(&hopeless, 0).unwrap();
        assert_eq!((decision.model.index(), decision.reason), (0, Reason::NothingFits));
        assert!(!server.finish(ticket, Outcome::Failed(Micros::ZERO), NOW));
    }
    assert_eq!(mean(&server, 0), Micros::new(3_210));
}

#[test]
fn a_cancelled_run_tells_that_it_takes_at_least_as_long() {
    let mut server = server();
    assert!(!server.finish(ticket(&server), Outcome::Cancelled(millis(100)), NOW));
    assert_eq!(mean(&server, 2), Micros::new(112_610));
    assert!(server.finish(ticket(&server), Outcome::Cancelled(Micros::new(132_610)), NOW));
    assert_eq!(mean(&server, 2), Micros::new(113_610));
}

#[test]
fn a_dropped_ticket_loses_its_sample_and_nothing_else() {
    let server = server();
    let before = server.clone();
    drop(ticket(&server));
    assert_eq!(server, before);
}

/// Five runs that hang show it before any of them ends; asking often changes nothing.
#[test]
fn a_stuck_model_is_noticed_before_its_runs_end() {
    let mut server = server();
    let mut stuck: Vec<Ticket> = (0..5).map(|_| ticket(&server)).collect();
    assert_eq!(server.overdue_after(&stuck[0]), Micros::new(168_915));
    for running in [100, 150, 168] {
        assert!(stuck.iter_mut().all(|ticket| !server.overdue(ticket, millis(running), NOW)));
    }
    for (count, ticket) in stuck.iter_mut().enumerate() {
        for _ in 0..100 {
            server.overdue(ticket, millis(170), NOW);
        }
        let noticed = count == 4;
        assert_eq!(mean(&server, 2), if noticed { millis(170) } else { Micros::new(112_610) });
    }
    // Their end tells nothing new, unless it is twice as long.
    let before = server.clone();
    for ticket in stuck {
        server.finish(ticket, Outcome::Cancelled(millis(171)), NOW);
    }
    assert_eq!(server, before);
}

/// However long it hangs, and its end with it.
#[test]
fn a_single_cold_start_is_kept_out() {
    let mut server = server();
    let mut cold = ticket(&server);
    assert!((1..10_000).all(|running| !server.overdue(&mut cold, millis(running), NOW)));
    assert_eq!(server.overdue_after(&cold), Micros::MAX);
    assert!(!server.finish(cold, Outcome::Completed(millis(10_000)), NOW));
    assert_eq!(mean(&server, 2), Micros::new(112_610));
}

/// Ten times slower; avoided after five runs; tried again a minute later; found to have recovered.
#[test]
fn a_model_that_recovers_is_found_again() {
    let mut server = server();
    let mut now = NOW;
    let mut run = |server: &mut Server<3>, factor: u32| {
        let (decision, ticket) = server.begin(&request(), 0).unwrap();
        let usual = [3_210, 31_610, 112_610][decision.model.index()];
        let took = if decision.model.index() == 2 { usual * factor } else { usual };
        now = now.after(millis(100));
        server.finish(ticket, Outcome::Completed(Micros::new(took)), now);
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
    let model = ModelId::new(2).unwrap();
    for _ in 0..200 {
        server.judge(model, false);
    }
    // 82.6 · 0.999²⁰⁰ = 67.6: the second is more accurate now.
    let accuracy = server.catalog().get(model).unwrap().accuracy.as_percent();
    assert!((accuracy - 67.62).abs() < 0.01, "{accuracy}");
    assert_eq!(chosen(&server, &request()), 1);
}

#[test]
fn replicas_share_what_they_learnt() {
    let (mut here, mut there) = (server(), server());
    for _ in 0..100 {
        there.finish(ticket(&there), Outcome::Completed(millis(130)), NOW);
    }
    let model = ModelId::new(2).unwrap();
    assert!(here.merge(model, there.learnt(model).unwrap()));
    assert_eq!(mean(&here, 2), mean(&there, 2));
}

#[test]
fn a_stranger_is_harmless() {
    let mut server = server();
    let before = server.clone();
    let stranger = ModelId::new(3).unwrap();
    assert!(!server.judge(stranger, true));
    assert_eq!(server.learnt(stranger), None);
    assert_eq!(server, before);
}

/// Without waits and constraints a server decides as the index does, draw for draw.
#[test]
fn a_plain_request_is_decided_by_the_index() {
    let server = server();
    let index = Index::new(server.catalog().clone(), *server.policy());
    for step in 0..3_000u32 {
        let request = Request::new(Micros::new(step * 100), NetworkTime::Given(Micros::ZERO));
        let draw = u64::from(step).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        assert_eq!(server.begin(&request, draw).unwrap().0, index.select(request.budget(), draw));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_of_operations_breaks_a_promise(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        operations::run(&bytes);
    }
}
