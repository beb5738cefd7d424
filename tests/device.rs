//! The device's side: request duplication case by case, and any operations in any order.

#![allow(
    missing_docs,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects
)]

#[path = "operations/device.rs"]
mod operations;

use mdinference::duplicate::Source::{Local, Remote};
use mdinference::duplicate::{
    Action, Duplication, Event, LocalRun, LocalStart, Source, Strategy, TokenBucket,
};
use mdinference::select::base::Base;
use mdinference::{
    Accuracy, Budget, Catalog, Device, Latency, Margin, Micros, Profile, Timestamp, joint_budget,
    local_model, remote_time,
};
use proptest::prelude::*;
use proptest::strategy::Strategy as Values;

use operations::{Operation, Setup, run, run_bytes};

const SLA: Micros = Micros::from_millis(250);

const fn ms(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

/// With their times in ms.
type Events = &'static [(u64, Event)];
type Actions = &'static [(u64, Action)];

/// What a request does when the given events happen, at the times in ms: each action with its time, as a caller sees
/// them who polls after each event and whenever told to.
fn script(start: LocalStart, events: &[(u64, Event)]) -> Vec<(u64, Action)> {
    let mut cap = TokenBucket::UNLIMITED;
    let mut request = Duplication::new(ms(0), SLA, start);
    let mut actions = Vec::new();
    let mut events = events.iter().peekable();
    while let Some(due) = request.poll_at() {
        let now = match events.peek() {
            Some(&&(at, event)) if ms(at) <= due => {
                events.next();
                request.handle(ms(at), event);
                ms(at)
            }
            _ => due,
        };
        while let Some(action) = request.poll(now, &mut cap) {
            actions.push((now.as_micros() / 1_000, action));
        }
    }
    actions
}

const ALWAYS: LocalStart = LocalStart::After(Micros::ZERO);
const DEFERRED: LocalStart = LocalStart::After(Micros::from_millis(198));

#[test]
fn the_papers_rule() {
    use Action::{Cancel, Deliver, GiveUp, Start};
    use Event::{Done, Failed};
    let started = [(0, Start(Remote)), (0, Start(Local))];
    let cases: &[(Events, Actions)] = &[
        // A remote result in time wins, with the local done or not.
        (&[(30, Done(Remote))], &[(30, Deliver(Remote)), (30, Cancel(Local))]),
        (&[(40, Done(Local)), (170, Done(Remote))], &[(170, Deliver(Remote))]),
        // At the SLA is in time.
        (&[(40, Done(Local)), (250, Done(Remote))], &[(250, Deliver(Remote))]),
        (&[(250, Done(Local))], &[(250, Deliver(Local)), (250, Cancel(Remote))]),
        // The local result waits for the SLA, unless the remote has failed.
        (&[(40, Done(Local))], &[(250, Deliver(Local)), (250, Cancel(Remote))]),
        (&[(40, Done(Local)), (90, Failed(Remote))], &[(90, Deliver(Local))]),
        (&[(20, Failed(Remote)), (40, Done(Local))], &[(40, Deliver(Local))]),
        // A local failure costs nothing while the remote may come.
        (&[(40, Failed(Local)), (170, Done(Remote))], &[(170, Deliver(Remote))]),
        // That there is nothing is said at the SLA.
        (&[(40, Failed(Local)), (90, Failed(Remote))], &[(250, GiveUp)]),
        (&[(90, Failed(Remote)), (100, Failed(Local))], &[(250, GiveUp)]),
        (&[], &[(250, GiveUp), (250, Cancel(Local)), (250, Cancel(Remote))]),
    ];
    for (events, expected) in cases {
        let actions = script(ALWAYS, events);
        assert_eq!(actions[..2], started, "{events:?}");
        assert_eq!(actions[2..], **expected, "{events:?}");
    }
}

#[test]
fn a_deferred_copy_starts_only_if_it_is_needed() {
    use Action::{Cancel, Deliver, GiveUp, Start};
    use Event::{Done, Failed};
    let cases: &[(LocalStart, Events, Actions)] = &[
        (DEFERRED, &[(170, Done(Remote))], &[(170, Deliver(Remote))]),
        (DEFERRED, &[(198, Done(Remote))], &[(198, Deliver(Remote))]),
        (
            DEFERRED,
            &[(240, Done(Local))],
            &[(198, Start(Local)), (250, Deliver(Local)), (250, Cancel(Remote))],
        ),
        (
            DEFERRED,
            &[(230, Done(Remote))],
            &[(198, Start(Local)), (230, Deliver(Remote)), (230, Cancel(Local))],
        ),
        // A remote that fails leaves nothing to wait for.
        (DEFERRED, &[(20, Failed(Remote)), (60, Done(Local))], &[(20, Start(Local)), (60, Deliver(Local))]),
        (
            LocalStart::OnFailure,
            &[(20, Failed(Remote)), (60, Done(Local))],
            &[(20, Start(Local)), (60, Deliver(Local))],
        ),
        (LocalStart::OnFailure, &[], &[(250, GiveUp), (250, Cancel(Remote))]),
        (LocalStart::Never, &[(20, Failed(Remote))], &[(250, GiveUp)]),
    ];
    for (start, events, expected) in cases {
        let actions = script(*start, events);
        assert_eq!(actions[0], (0, Start(Remote)));
        assert_eq!(actions[1..], **expected, "{start:?} {events:?}");
    }
}

#[test]
fn a_late_poll_finds_the_ending_of_the_sla() {
    let mut cap = TokenBucket::UNLIMITED;
    let polled_late = |events: &[(u64, Event)]| {
        let mut cap = TokenBucket::UNLIMITED;
        let mut request = Duplication::new(ms(0), SLA, ALWAYS);
        while request.poll(ms(0), &mut cap).is_some() {}
        events.iter().for_each(|&(at, event)| request.handle(ms(at), event));
        request.poll(ms(900), &mut cap)
    };
    assert_eq!(polled_late(&[(249, Event::Done(Local))]), Some(Action::Deliver(Local)));
    assert_eq!(polled_late(&[(251, Event::Done(Remote)), (252, Event::Done(Local))]), Some(Action::GiveUp));
    assert_eq!(
        polled_late(&[(40, Event::Done(Local)), (251, Event::Done(Remote))]),
        Some(Action::Deliver(Local))
    );
    // First polled when it is all over: nothing is started in vain.
    let mut request = Duplication::new(ms(0), SLA, ALWAYS);
    assert_eq!(request.poll(ms(250), &mut cap), Some(Action::GiveUp));
    assert_eq!(request.poll(ms(250), &mut cap), None);
    assert_eq!(request.poll_at(), None);
}

#[test]
fn a_start_that_is_overdue_starts_at_once() {
    let mut cap = TokenBucket::UNLIMITED;
    let mut request = Duplication::new(ms(0), SLA, DEFERRED);
    assert_eq!(request.poll(ms(0), &mut cap), Some(Action::Start(Remote)));
    assert_eq!(request.poll(ms(220), &mut cap), Some(Action::Start(Local)));

    // A local model that does not fit the SLA is tried from the first.
    let slow = Latency { mean: Micros::from_millis(300), deviation: Micros::ZERO };
    let device = Device::new(slow, Strategy::DEFERRED);
    assert_eq!(device.begin(ms(0), SLA, None).local_start(), ALWAYS);
}

#[test]
fn the_cap_withholds_duplicates_and_nothing_else() {
    let local = Latency { mean: Micros::from_millis(40), deviation: Micros::ZERO };
    let cap = TokenBucket::new(1, Micros::MAX);
    let mut device = Device::new(local, Strategy::Always).with_cap(cap);
    let mut actions = |request: &mut Duplication, now| {
        std::iter::from_fn(|| device.poll(request, now)).collect::<Vec<Action>>()
    };
    let begin = || Device::new(local, Strategy::Always).begin(ms(0), SLA, None);

    let (mut first, mut second, mut third) = (begin(), begin(), begin());
    assert_eq!(actions(&mut first, ms(0)), [Action::Start(Remote), Action::Start(Local)]);
    // Exhausted: the primary starts all the same, and is left running.
    assert_eq!(actions(&mut second, ms(0)), [Action::Start(Remote)]);
    assert_eq!(actions(&mut third, ms(0)), [Action::Start(Remote)]);
    assert_eq!(actions(&mut second, ms(100)), []);
    second.handle(ms(200), Event::Done(Remote));
    assert_eq!(actions(&mut second, ms(200)), [Action::Deliver(Remote)]);
    // In place of a failed remote the local run is no duplicate.
    third.handle(ms(200), Event::Failed(Remote));
    assert_eq!(actions(&mut third, ms(200)), [Action::Start(Local)]);
    third.handle(ms(240), Event::Done(Local));
    assert_eq!(actions(&mut third, ms(240)), [Action::Deliver(Local)]);

    assert_eq!(second.ending().unwrap().local_run, LocalRun::Withheld);
    assert_eq!(third.ending().unwrap().local_run, LocalRun::Started);
    assert_eq!(device.counters().withheld, 1);
}

#[test]
fn what_is_learnt_on_the_way_changes_the_plan() {
    let local = Latency { mean: Micros::from_millis(40), deviation: Micros::from_millis(4) };
    let device = Device::new(local, Strategy::AT_RISK);
    let model = Latency { mean: Micros::from_millis(112), deviation: Micros::from_millis(3) };
    let network = |mean| Latency { mean: Micros::from_millis(mean), deviation: Micros::from_millis(4) };
    // 3, 4, 5.
    assert_eq!(remote_time(network(80), model).deviation, Micros::from_millis(5));

    let mut request = device.begin(ms(0), SLA, None);
    let mut start_if_expected = |mean| {
        device.expect(&mut request, remote_time(network(mean), model));
        request.local_start()
    };
    assert_eq!(device.begin(ms(0), SLA, None).local_start(), DEFERRED);
    assert_eq!(start_if_expected(122), LocalStart::OnFailure);
    assert_eq!(start_if_expected(123), ALWAYS);
}

#[test]
fn a_clock_that_steps_back_costs_the_time_since_the_last_call() {
    let mut cap = TokenBucket::UNLIMITED;
    let mut request = Duplication::new(ms(1_000_000), SLA, DEFERRED);
    assert_eq!(request.poll(ms(1_000_000), &mut cap), Some(Action::Start(Remote)));
    assert_eq!(request.poll(ms(1_000_150), &mut cap), None);
    assert_eq!(request.poll_at(), Some(ms(1_000_198)));
    // Ten minutes back, 7 ms after the call before.
    assert_eq!(request.poll(ms(400_157), &mut cap), None);
    assert_eq!(request.poll_at(), Some(ms(400_157 + 48)));
    assert_eq!(request.poll(ms(400_157 + 48), &mut cap), Some(Action::Start(Local)));
}

fn zoo() -> Catalog<3> {
    Catalog::try_new([
        Profile::from_percent_and_millis(41.4, 2.454, 0.191),
        Profile::from_percent_and_millis(80.1, 59.214, 0.220),
        Profile::from_percent_and_millis(82.6, 112.606, 0.335),
    ])
    .unwrap()
}

#[test]
fn the_local_model_is_the_most_accurate_that_fits_the_sla() {
    let margin = Margin::new(3.0).unwrap();
    let pick = |sla| match local_model(zoo().models(), margin, Micros::from_millis(sla)) {
        Some(Base::Fits(model)) => (model.id.index(), true),
        Some(Base::Fastest(model)) => (model.id.index(), false),
        None => panic!("there are models"),
    };
    assert_eq!([pick(250), pick(113), pick(50), pick(1)], [(2, true), (1, true), (0, true), (0, false)]);
}

#[test]
fn the_joint_budget_pays_no_more_than_the_price() {
    let zoo = zoo();
    let budget = |millis| Budget::of(Micros::from_millis(millis));
    let joint = |until_local, price| {
        let price = Accuracy::from_percent(price).unwrap();
        joint_budget(zoo.models(), Margin::PAPER, budget(150), budget(until_local), price)
    };
    assert_eq!(joint(120, 0.0), budget(120), "the same model answers in time");
    assert_eq!(joint(98, 2.4), budget(150));
    assert_eq!(joint(98, 2.5), budget(98));
    assert_eq!(joint(2, 100.0), budget(150), "nothing answers before the local start");
    assert_eq!(joint(170, 100.0), budget(150), "the SLA stays the limit");
}

fn any_micros() -> impl Values<Value = Micros> {
    prop_oneof![
        8 => (0u32..400_000).prop_map(Micros::new),
        1 => (0u32..3).prop_map(Micros::new),
        1 => any::<u32>().prop_map(Micros::new),
    ]
}

fn any_latency() -> impl Values<Value = Latency> {
    (any_micros(), any_micros()).prop_map(|(mean, deviation)| Latency { mean, deviation })
}

fn any_margin() -> impl Values<Value = Margin> {
    (0u32..12).prop_map(|gamma| Margin::new(gamma.into()).unwrap())
}

fn any_source() -> impl Values<Value = Source> {
    prop_oneof![Just(Remote), Just(Local)]
}

fn any_event() -> impl Values<Value = Event> {
    prop_oneof![3 => any_source().prop_map(Event::Done), 1 => any_source().prop_map(Event::Failed)]
}

fn any_start() -> impl Values<Value = LocalStart> {
    prop_oneof![
        4 => any_micros().prop_map(LocalStart::After),
        1 => Just(LocalStart::OnFailure),
        1 => Just(LocalStart::Never),
    ]
}

prop_compose! {
    fn any_setup()(
        strategy in prop_oneof![
            Just(Strategy::Always),
            any_margin().prop_map(|margin| Strategy::Deferred { margin }),
            (any_margin(), any_margin()).prop_map(|(margin, risk)| Strategy::AtRisk { margin, risk }),
            Just(Strategy::Never),
        ],
        local in any_latency(),
        burst in 0u32..4,
        interval in prop_oneof![Just(Micros::ZERO), any_micros()],
        origin in prop_oneof![0u64..1_000_000, any::<u64>()],
    ) -> Setup {
        Setup { strategy, local, burst, interval, origin: Timestamp::from_micros(origin) }
    }
}

fn any_operation() -> impl Values<Value = Operation> {
    let request = 0usize..4;
    prop_oneof![
        4 => prop_oneof![9 => 0u32..300_000, 1 => any::<u32>()].prop_map(Operation::Pass),
        1 => prop_oneof![0u32..300_000, any::<u32>()].prop_map(Operation::StepBack),
        2 => (request.clone(), any_micros(), proptest::option::of(any_latency()))
            .prop_map(|(request, sla, remote)| Operation::Begin { request, sla, remote }),
        4 => (request.clone(), any_event()).prop_map(|(request, event)| Operation::Tell { request, event }),
        1 => (request.clone(), any_latency()).prop_map(|(request, remote)| Operation::Expect { request, remote }),
        1 => (request.clone(), any_start()).prop_map(|(request, start)| Operation::Plan { request, start }),
        2 => request.clone().prop_map(|request| Operation::Poll { request }),
        6 => request.prop_map(|request| Operation::Drain { request }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_operations_keep_the_promises(
        setup in any_setup(),
        operations in prop::collection::vec(any_operation(), 0..120),
    ) {
        run(setup, operations);
    }

    #[test]
    fn any_bytes_keep_the_promises(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        run_bytes(&bytes);
    }
}
