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

use mdinference::device::Source::{Local, Remote};
use mdinference::device::{
    Action, Duplication, Ending, Event, LocalRun, LocalStart, Source, Strategy, TokenBucket,
};
use mdinference::select::base::Base;
use mdinference::{
    Accuracy, Budget, Catalog, Device, Draw, Latency, Margin, Micros, Policy, Profile, Request, Timestamp,
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

/// The local model's.
const ACCURACY: Accuracy = ppm(500_000);

const fn ppm(ppm: u32) -> Accuracy {
    match Accuracy::from_ppm(ppm) {
        Ok(accuracy) => accuracy,
        Err(_) => panic!("above 100 %"),
    }
}

/// A remote result from a model more or less accurate than the local one, as accurate, or of untold accuracy.
const BETTER: Event = Event::Remote(Some(ppm(500_001)));
const WORSE: Event = Event::Remote(Some(ppm(499_999)));
const EQUAL: Event = Event::Remote(Some(ACCURACY));
const UNTOLD: Event = Event::Remote(None);

fn begun(start: LocalStart) -> Duplication {
    Duplication::new(ms(0), SLA, ACCURACY, start)
}

/// All that there is to do now.
fn all_to_do(poll: impl FnMut() -> Option<Action>) -> Vec<Action> {
    // Two starts, a delivery and two cancels.
    const MOST: usize = 5;
    let actions: Vec<Action> = std::iter::from_fn(poll).take(MOST + 1).collect();
    assert!(actions.len() <= MOST, "a request never comes to rest: {actions:?}");
    actions
}

/// What a request does when the given events happen, at the times in ms: each action with its time, as a caller sees
/// them who polls after each event and whenever told to.
fn script(start: LocalStart, events: &[(u64, Event)]) -> Vec<(u64, Action)> {
    let mut cap = TokenBucket::UNLIMITED;
    let mut request = begun(start);
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
        let to_do = all_to_do(|| request.poll(now, &mut cap));
        actions.extend(to_do.into_iter().map(|action| (now.as_micros() / 1_000, action)));
        // Or the caller would spin.
        assert!(request.poll_at().is_none_or(|at| at > now), "{request:?}");
    }
    actions
}

const ALWAYS: LocalStart = LocalStart::After(Micros::ZERO);
const DEFERRED: LocalStart = LocalStart::After(Micros::from_millis(198));

// paper: IV-E, duplicate
// paper: IV-E, both in time
// paper: IV-E, remote late
// paper: III, target
#[test]
fn the_papers_rule() {
    use Action::{Cancel, Deliver, GiveUp, Start};
    use Event::Failed;
    let started = [(0, Start(Remote)), (0, Start(Local))];
    let cases: &[(Events, Actions)] = &[
        // Both in time: the more accurate is delivered when the remote one comes, and there is nothing to cancel.
        (&[(40, Event::Local), (170, WORSE)], &[(170, Deliver(Local))]),
        (&[(40, Event::Local), (170, BETTER)], &[(170, Deliver(Remote))]),
        // Without a difference, or none that is known of, the remote one is.
        (&[(40, Event::Local), (170, EQUAL)], &[(170, Deliver(Remote))]),
        (&[(40, Event::Local), (170, UNTOLD)], &[(170, Deliver(Remote))]),
        // A local run that is still going on is not waited for, whatever it would give.
        (&[(30, WORSE), (40, Event::Local)], &[(30, Deliver(Remote)), (30, Cancel(Local))]),
        (&[(30, BETTER)], &[(30, Deliver(Remote)), (30, Cancel(Local))]),
        (&[(30, UNTOLD)], &[(30, Deliver(Remote)), (30, Cancel(Local))]),
        // One that has failed has nothing to compare.
        (&[(40, Failed(Local)), (170, WORSE)], &[(170, Deliver(Remote))]),
        // What was told first holds.
        (&[(40, Event::Local), (50, Failed(Local)), (170, WORSE)], &[(170, Deliver(Local))]),
        // At the SLA is in time, for either.
        (&[(40, Event::Local), (250, WORSE)], &[(250, Deliver(Local))]),
        (&[(40, Event::Local), (250, BETTER)], &[(250, Deliver(Remote))]),
        (&[(250, BETTER)], &[(250, Deliver(Remote)), (250, Cancel(Local))]),
        (&[(250, WORSE)], &[(250, Deliver(Remote)), (250, Cancel(Local))]),
        (&[(250, Event::Local)], &[(250, Deliver(Local)), (250, Cancel(Remote))]),
        // The remote is late: the local result waits for the SLA.
        (&[(40, Event::Local)], &[(250, Deliver(Local)), (250, Cancel(Remote))]),
        (&[(40, Event::Local), (251, BETTER)], &[(250, Deliver(Local)), (250, Cancel(Remote))]),
        (&[(251, BETTER)], &[(250, GiveUp), (250, Cancel(Local)), (250, Cancel(Remote))]),
        // Unless the remote has failed.
        (&[(40, Event::Local), (90, Failed(Remote))], &[(90, Deliver(Local))]),
        (&[(20, Failed(Remote)), (40, Event::Local)], &[(40, Deliver(Local))]),
        (&[(20, Failed(Remote)), (30, BETTER), (40, Event::Local)], &[(40, Deliver(Local))]),
        // That there is nothing is said at the SLA.
        (&[(40, Failed(Local)), (90, Failed(Remote))], &[(250, GiveUp)]),
        (&[(90, Failed(Remote)), (100, Failed(Local))], &[(250, GiveUp)]),
        (&[(40, Failed(Local))], &[(250, GiveUp), (250, Cancel(Remote))]),
        (&[], &[(250, GiveUp), (250, Cancel(Local)), (250, Cancel(Remote))]),
    ];
    for (events, expected) in cases {
        let actions = script(ALWAYS, events);
        assert_eq!(actions[..2], started, "{events:?}");
        assert_eq!(actions[2..], **expected, "{events:?}");
    }
}

// paper: VI, duplicate only when needed
#[test]
fn a_deferred_copy_starts_only_if_it_is_needed() {
    use Action::{Cancel, Deliver, GiveUp, Start};
    use Event::Failed;
    let cases: &[(LocalStart, Events, Actions)] = &[
        // A more accurate local model is neither waited for nor started for that.
        (DEFERRED, &[(170, BETTER)], &[(170, Deliver(Remote))]),
        (DEFERRED, &[(170, WORSE)], &[(170, Deliver(Remote))]),
        (DEFERRED, &[(198, WORSE)], &[(198, Deliver(Remote))]),
        (LocalStart::OnFailure, &[(170, WORSE)], &[(170, Deliver(Remote))]),
        (LocalStart::Never, &[(170, WORSE)], &[(170, Deliver(Remote))]),
        (DEFERRED, &[(230, WORSE)], &[(198, Start(Local)), (230, Deliver(Remote)), (230, Cancel(Local))]),
        // Once it is done it counts as any other.
        (DEFERRED, &[(240, Event::Local), (245, WORSE)], &[(198, Start(Local)), (245, Deliver(Local))]),
        (DEFERRED, &[(240, Event::Local), (245, BETTER)], &[(198, Start(Local)), (245, Deliver(Remote))]),
        (
            DEFERRED,
            &[(240, Event::Local)],
            &[(198, Start(Local)), (250, Deliver(Local)), (250, Cancel(Remote))],
        ),
        // A remote that fails leaves nothing to wait for.
        (DEFERRED, &[(20, Failed(Remote)), (60, Event::Local)], &[(20, Start(Local)), (60, Deliver(Local))]),
        (
            LocalStart::OnFailure,
            &[(20, Failed(Remote)), (60, Event::Local)],
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

/// What a request with both runs going on ends with when it is polled only after these events, at a time in ms.
fn polled_once(events: &[(u64, Event)], at: u64) -> (Option<Action>, Ending) {
    let mut cap = TokenBucket::UNLIMITED;
    let mut request = begun(ALWAYS);
    all_to_do(|| request.poll(ms(0), &mut cap));
    events.iter().for_each(|&(at, event)| request.handle(ms(at), event));
    (request.poll(ms(at), &mut cap), request.ending().unwrap())
}

// paper: IV-E, both in time
#[test]
fn what_is_told_before_a_poll_is_compared_in_any_order() {
    for (event, source) in [(WORSE, Local), (EQUAL, Remote), (BETTER, Remote), (UNTOLD, Remote)] {
        // In the same instant, or polled after the SLA.
        for events in [
            [(100, event), (100, Event::Local)],
            [(100, Event::Local), (100, event)],
            [(100, event), (249, Event::Local)],
        ] {
            for at in [249, 900] {
                let (action, ending) = polled_once(&events, at);
                assert_eq!(action, Some(Action::Deliver(source)), "{events:?} at {at}");
                assert_eq!(ending.overruled, source == Local);
            }
        }
    }
    // Of two accuracies, the one that came with the result.
    let (action, _) = polled_once(&[(100, WORSE), (101, BETTER), (102, Event::Local)], 102);
    assert_eq!(action, Some(Action::Deliver(Local)));
}

// paper: IV-E, remote late
// paper: III, target
#[test]
fn a_late_poll_finds_the_ending_of_the_sla() {
    let polled_late = |events: &[(u64, Event)]| {
        let (action, ending) = polled_once(events, 900);
        assert!(!ending.overruled);
        action
    };
    assert_eq!(polled_late(&[(249, Event::Local)]), Some(Action::Deliver(Local)));
    assert_eq!(polled_late(&[(251, BETTER), (252, Event::Local)]), Some(Action::GiveUp));
    for late in [BETTER, WORSE] {
        assert_eq!(polled_late(&[(40, Event::Local), (251, late)]), Some(Action::Deliver(Local)));
    }
    for remote in [BETTER, WORSE] {
        assert_eq!(polled_late(&[(249, remote), (251, Event::Local)]), Some(Action::Deliver(Remote)));
    }
    // First polled when it is all over: nothing is started in vain.
    let mut cap = TokenBucket::UNLIMITED;
    let mut request = begun(ALWAYS);
    assert_eq!(request.poll(ms(250), &mut cap), Some(Action::GiveUp));
    assert_eq!(request.poll(ms(250), &mut cap), None);
    assert_eq!(request.poll_at(), None);
}

// paper: III, one on-device model
#[test]
fn all_requests_of_a_device_have_its_one_local_model() {
    let local = |percent| Profile::from_percent_and_millis(percent, 40.0, 4.0).unwrap();
    let mut device = Device::new(local(50.0), Strategy::Always);
    let remote = Event::Remote(Some(Accuracy::from_percent(60.0).unwrap()));
    let end = |device: &mut Device, mut request: Duplication| {
        all_to_do(|| device.poll(&mut request, ms(0)));
        request.handle(ms(40), Event::Local);
        request.handle(ms(170), remote);
        device.poll(&mut request, ms(170))
    };
    let before = device.begin(ms(0), SLA, None);
    device.set_local(local(70.0));
    assert_eq!(device.local(), local(70.0));
    let after = device.begin(ms(0), SLA, None);
    // A request under way keeps the accuracy that it began with.
    assert_eq!(end(&mut device, before), Some(Action::Deliver(Remote)));
    assert_eq!(end(&mut device, after), Some(Action::Deliver(Local)));

    // Unknown: whatever the remote model is, its result is delivered.
    device.set_local(Profile::new(Accuracy::ZERO, local(0.0).latency));
    let unknown = device.begin(ms(0), SLA, None);
    assert_eq!(end(&mut device, unknown), Some(Action::Deliver(Remote)));

    // That the local one was delivered does not mean that the remote missed.
    let counters = device.counters();
    assert_eq!((counters.remote, counters.local, counters.overruled), (2, 1, 1));
    assert_eq!((counters.started, counters.wasted), (3, 2));
    assert_eq!(counters.merged(*counters).overruled, 2);
}

#[test]
fn a_start_that_is_overdue_starts_at_once() {
    let mut cap = TokenBucket::UNLIMITED;
    let mut request = begun(DEFERRED);
    assert_eq!(request.poll(ms(0), &mut cap), Some(Action::Start(Remote)));
    assert_eq!(request.poll(ms(220), &mut cap), Some(Action::Start(Local)));

    // A local model that does not fit the SLA is tried from the first.
    let slow = Profile::from_percent_and_millis(50.0, 300.0, 0.0).unwrap();
    let device = Device::new(slow, Strategy::DEFERRED);
    assert_eq!(device.begin(ms(0), SLA, None).local_start(), ALWAYS);
}

#[test]
fn the_cap_withholds_duplicates_and_nothing_else() {
    let local = Profile::from_percent_and_millis(50.0, 40.0, 0.0).unwrap();
    let cap = TokenBucket::new(1, Micros::MAX);
    let mut device = Device::new(local, Strategy::Always).with_cap(cap);
    let mut actions = |request: &mut Duplication, now| all_to_do(|| device.poll(request, now));
    let begin = || Device::new(local, Strategy::Always).begin(ms(0), SLA, None);

    let (mut first, mut second, mut third) = (begin(), begin(), begin());
    assert_eq!(actions(&mut first, ms(0)), [Action::Start(Remote), Action::Start(Local)]);
    // Exhausted: the primary starts all the same, and is left running.
    assert_eq!(actions(&mut second, ms(0)), [Action::Start(Remote)]);
    assert_eq!(actions(&mut third, ms(0)), [Action::Start(Remote)]);
    assert_eq!(actions(&mut second, ms(100)), []);
    second.handle(ms(200), Event::Remote(None));
    assert_eq!(actions(&mut second, ms(200)), [Action::Deliver(Remote)]);
    // In place of a failed remote the local run is no duplicate.
    third.handle(ms(200), Event::Failed(Remote));
    assert_eq!(actions(&mut third, ms(200)), [Action::Start(Local)]);
    third.handle(ms(240), Event::Local);
    assert_eq!(actions(&mut third, ms(240)), [Action::Deliver(Local)]);

    assert_eq!(second.ending().unwrap().local_run, LocalRun::Withheld);
    assert_eq!(third.ending().unwrap().local_run, LocalRun::Started);
    assert_eq!(device.counters().withheld, 1);
}

#[test]
fn what_is_learnt_on_the_way_changes_the_plan() {
    let local = Profile::from_percent_and_millis(50.0, 40.0, 4.0).unwrap();
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
    let mut request = Duplication::new(ms(1_000_000), SLA, ACCURACY, DEFERRED);
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

// paper: IV-E, local model
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
fn an_earlier_answer_is_paid_no_more_than_it_is_worth() {
    let zoo = zoo();
    let budget = |millis| Budget::of(Micros::from_millis(millis));
    let within = |until_local, worth| {
        let worth = Accuracy::from_percent(worth).unwrap();
        let request = Request::new(budget(150)).with_earlier(budget(until_local), worth);
        zoo.select(&Policy::PAPER, request, Draw::from_id(1)).unwrap().budget
    };
    assert_eq!(within(120, 0.0), budget(120), "the same model answers in time");
    assert_eq!(within(98, 2.4), budget(150));
    assert_eq!(within(98, 2.5), budget(98));
    assert_eq!(within(2, 100.0), budget(150), "nothing answers before the local start");
    assert_eq!(within(170, 100.0), budget(150), "the SLA stays the limit");
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

/// Often equal, or next to each other.
fn any_accuracy() -> impl Values<Value = Accuracy> {
    let ppm =
        prop_oneof![4 => 499_999u32..=500_001, 1 => Just(0), 1 => Just(1_000_000), 1 => 0u32..=1_000_000];
    ppm.prop_map(|ppm| Accuracy::from_ppm(ppm).unwrap())
}

fn any_local() -> impl Values<Value = Profile> {
    (any_accuracy(), any_latency()).prop_map(|(accuracy, latency)| Profile::new(accuracy, latency))
}

fn any_source() -> impl Values<Value = Source> {
    prop_oneof![Just(Remote), Just(Local)]
}

fn any_event() -> impl Values<Value = Event> {
    prop_oneof![
        2 => proptest::option::weighted(0.8, any_accuracy()).prop_map(Event::Remote),
        2 => Just(Event::Local),
        1 => any_source().prop_map(Event::Failed),
    ]
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
        local in any_local(),
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
        1 => any_local().prop_map(Operation::SetLocal),
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
