//! A server that is left alone: under load, with runs that overlap, models that stall, slow down, fail and recover. All in
//! virtual time, with fixed seeds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

#[path = "support/table3.rs"]
mod table3;
#[path = "standing/world.rs"]
mod world;

use mdinference::{Accuracy, Budget, Draw, Micros, Reason, Request, Standing, Timestamp};

use crate::table3::LARGEST;
use crate::world::{Fate, MODELS, World, millis, seconds};

/// NasNet Large, of 112.61 ms, is the most accurate for it.
const BUDGET: Budget = Budget::of(millis(160));

/// As usual, but for one model.
fn slower(model: usize, factor: f64) -> impl FnMut(usize, Micros, Timestamp) -> Micros {
    move |picked, usual, _| {
        if picked == model { Micros::new((f64::from(usual.get()) * factor) as u32) } else { usual }
    }
}

/// By an own estimate of 109.8 ± 15.4 ms, of a prior of 110 ± 5, it fits no budget of 125 ms; only its prior does, whose
/// mean is no smaller. The budgets come one at a time, and under load.
#[test]
fn a_model_is_not_locked_out_by_its_deviation() {
    for rate in [5.0, 1_000.0] {
        let mut world = World::of([(77.9, 31.11, 0.19), (82.6, 110.0, 5.0)], rate, 1);
        let budget = Budget::of(millis(125));
        let mut runs = 0;
        let outcome = world.run(seconds(1_000), budget, |model, usual, _| {
            runs += u32::from(model == 1);
            if model == 0 { usual } else { [millis(88), millis(130)][runs as usize % 2] }
        });
        // By Eq. 2 it is rightly left alone while it is so, but for probes.
        assert!(outcome.picked[1] < outcome.requests / 10, "{outcome:?}");
        // And it is found again once it is what it was, within its longest interval, of a thousand requests or a minute.
        world.run_well(seconds(if rate < 10.0 { 600 } else { 15 }), budget);
        let outcome = world.run_well(seconds(100), budget);
        assert!(outcome.picked[1] > outcome.requests * 9 / 10, "{outcome:?}");
    }
}

/// A right prior and a budget of μ + σ + 2 ms: by chance the estimate goes above it, again and again.
#[test]
fn a_model_is_not_locked_out_by_chance() {
    let mut world = World::of([(77.9, 31.11, 0.19), (82.6, 110.0, 5.0)], 50.0, 2);
    for hour in 0..4 {
        let outcome = world.run_well(seconds(3_600), Budget::of(millis(117)));
        assert!(outcome.picked[1] > outcome.requests * 8 / 10, "hour {hour}: {outcome:?}");
    }
}

/// One stall of 2 s is one event, however many runs are in it, and whether they are reported as overdue or not.
#[test]
fn a_stall_is_forgiven() {
    for (rate, overdue, snapshots) in [
        (200.0, true, false),
        (200.0, false, false),
        (1_000.0, true, false),
        (1_000.0, true, true),
        (5_000.0, true, true),
    ] {
        let mut world = World::new(rate, 3);
        (world.overdue, world.snapshots) = (overdue, snapshots);
        world.run_well(seconds(60), BUDGET);
        let stalled = world.stall(LARGEST, seconds(2), BUDGET);
        if overdue {
            // In the 1.5 μ until the first is overdue, and little more.
            assert!(f64::from(stalled.late) < 0.25 * rate, "{rate}: {stalled:?}");
            assert_eq!(world.standing(LARGEST), Standing::Held);
        }
        world.run_well(seconds(2), BUDGET);
        let outcome = world.run_well(seconds(1), BUDGET);
        assert_eq!((outcome.picked[LARGEST], outcome.late), (outcome.requests, 0), "{rate} {overdue}");
        assert_eq!(world.standing(LARGEST), Standing::Trusted);
        let latency = world.server.catalog().get(world.id(LARGEST)).unwrap().latency;
        assert!((111_000..114_000).contains(&latency.mean.get()), "its profile is kept: {latency:?}");
    }
}

/// A model that stays three times slower costs a probe each 6 s, at any rate; a little more from copies of the front, of
/// which several may probe at once.
#[test]
fn a_model_that_stays_slow_costs_a_few_late_answers() {
    for (rate, snapshots, most) in [
        (100.0, false, 10),
        (1_000.0, false, 10),
        (5_000.0, false, 10),
        (1_000.0, true, 40),
        (5_000.0, true, 40),
    ] {
        let mut world = World::new(rate, 4);
        world.snapshots = snapshots;
        world.run_well(seconds(60), BUDGET);
        let first = world.run(seconds(60), BUDGET, slower(LARGEST, 3.0));
        // Those that were under way until the first was overdue, in 1.5 μ.
        assert!(f64::from(first.late) < 0.2 * rate + 40.0, "{rate}: {first:?}");
        for _ in 0..4 {
            let minute = world.run(seconds(60), BUDGET, slower(LARGEST, 3.0));
            assert!(minute.late <= most, "{rate} {snapshots}: {minute:?}");
        }
        assert_eq!(world.standing(LARGEST), Standing::Probing);
        // It recovers: within the longest interval and three runs.
        let longest = if rate < 1_000.0 { seconds(60) } else { seconds(6) };
        world.run_well(longest.saturating_add(seconds(2)), BUDGET);
        let outcome = world.run_well(seconds(2), BUDGET);
        assert_eq!(outcome.picked[LARGEST], outcome.requests, "{rate} {snapshots}");
    }
}

/// What was never what its prior says is probed once a minute.
#[test]
fn a_prior_that_was_never_right_costs_one_late_answer_a_minute() {
    for factor in [1.05, 1.3, 1.5] {
        let budget = Budget::of(millis(if factor < 1.4 { 113 } else { 160 }));
        let mut world = World::new(1_000.0, 5);
        world.run(seconds(120), budget, slower(LARGEST, factor));
        let outcome = world.run(seconds(600), budget, slower(LARGEST, factor));
        assert!(outcome.late <= 11, "{factor}: {outcome:?}");
    }
}

/// Slow for 30 s of every 120.
#[test]
fn a_model_that_flaps_is_used_while_it_is_well() {
    let mut world = World::new(1_000.0, 6);
    world.run_well(seconds(90), BUDGET);
    for _ in 0..5 {
        let slow = world.run(seconds(30), BUDGET, slower(LARGEST, 3.0));
        assert!(slow.late < 220, "{slow:?}");
        let well = world.run_well(seconds(90), BUDGET);
        assert!(well.picked[LARGEST] > well.requests * 85 / 100, "{well:?}");
    }
}

/// Nothing is wrong: no request is spent on a probe, whatever the budgets, and hardly ever is there anything to publish.
#[test]
fn nothing_is_probed_without_a_reason() {
    for rate in [200.0, 1_000.0] {
        let mut world = World::new(rate, 7);
        world.judged = Some(std::array::from_fn(|model| {
            table3::MODELS.get(model).map_or(0.0, |&(accuracy, ..)| accuracy)
        }));
        let outcome = world.run_mixed(
            seconds(300),
            |number| Budget::of(Micros::new(20_000 + (number.wrapping_mul(2_654_435_761) >> 8) % 150_000)),
            |_, usual, _| usual,
        );
        assert_eq!(outcome.probes, 0, "{outcome:?}");
        assert_eq!(world.published, 0);
    }
}

/// Everything slows down at once, and recovers at once: many models are probed, four at a time.
#[test]
fn all_models_may_fall_and_rise_together() {
    let mut world = World::new(1_000.0, 8);
    let budgets = |number: u32| Budget::of(millis([4, 5, 6, 22, 32, 60, 160][number as usize % 7]));
    let before = world.run_mixed(seconds(60), budgets, |_, usual, _| usual);
    world.run_mixed(seconds(60), budgets, |_, usual, _| usual.saturating_mul(3));
    world.run_mixed(seconds(30), budgets, |_, usual, _| usual);
    let after = world.run_mixed(seconds(60), budgets, |_, usual, _| usual);
    assert!(after.late < after.requests / 1_000, "{after:?}");
    for (model, (before, after)) in before.picked.iter().zip(after.picked).enumerate() {
        assert!(after.abs_diff(*before) < 400, "{model}: {before} {after}");
    }
}

/// Failing at once where nothing fits costs what it costs: the second fastest answers, until the fastest is well again.
#[test]
fn a_fastest_model_that_fails_where_nothing_fits_is_learnt_of() {
    let mut world = World::new(1_000.0, 9);
    let nothing = Budget::of(Micros::ZERO);
    let outcome = world.run_well(seconds(10), nothing);
    assert_eq!(outcome.picked[1], outcome.requests);
    world.run(
        seconds(10),
        nothing,
        |model, usual, _| {
            if model == 1 { Fate::Fails(millis(1)) } else { Fate::Took(usual) }
        },
    );
    let outcome =
        world.run(
            seconds(10),
            nothing,
            |model, usual, _| {
                if model == 1 { Fate::Fails(millis(1)) } else { Fate::Took(usual) }
            },
        );
    assert!(outcome.picked[1] <= 3, "{outcome:?}");
    assert_eq!(outcome.picked[2] + outcome.picked[1], outcome.requests);
}

/// Tickets that are lost wedge nothing: a hold ends by itself, and so does a probe that nobody reports.
#[test]
fn lost_tickets_wedge_nothing() {
    for snapshots in [false, true] {
        let mut world = World::new(1_000.0, 10);
        world.snapshots = snapshots;
        world.run_well(seconds(10), BUDGET);
        // All runs hang, are reported as overdue, and are never heard of again.
        let hang =
            |model, usual, _| if model == LARGEST { Fate::Took(Micros::MAX) } else { Fate::Took(usual) };
        world.run(millis(300), BUDGET, hang);
        assert_eq!(world.standing(LARGEST), Standing::Held);
        // And so is each probe.
        let lost = |model, usual, _| if model == LARGEST { Fate::Lost } else { Fate::Took(usual) };
        let outcome = world.run(seconds(60), BUDGET, lost);
        assert_eq!(world.standing(LARGEST), Standing::Probing);
        assert!((8..500).contains(&outcome.probes), "{outcome:?}");
        world.run_well(seconds(9), BUDGET);
        let outcome = world.run_well(seconds(1), BUDGET);
        assert_eq!(outcome.picked[LARGEST], outcome.requests);
    }
}

/// Those with a duplicate on the device lose least by a late answer, and so are asked first.
#[test]
fn probes_go_first_to_requests_with_a_duplicate() {
    let mut world = World::new(1_000.0, 11);
    world.run_well(seconds(10), BUDGET);
    let asked = std::cell::Cell::new(false);
    let minute = |world: &mut World, picked: &mut [u32; 2]| {
        world.run_mixed(
            seconds(60),
            |number| {
                asked.set(number % 2 == 0);
                let request = Request::new(BUDGET);
                if asked.get() { request.with_duplicate() } else { request }
            },
            |model, usual, _| {
                picked[usize::from(asked.get())] += u32::from(model == LARGEST);
                if model == LARGEST { usual.saturating_mul(3) } else { usual }
            },
        )
    };
    minute(&mut world, &mut [0, 0]);
    let mut probes = [0, 0];
    for _ in 0..60 {
        minute(&mut world, &mut probes);
    }
    let [without, with] = probes;
    assert!(with > 3 * without / 2 && with + without < 700, "{without} without, {with} with");
}

/// Ten points less accurate from one request to the next, and back.
#[test]
fn a_drift_of_accuracy_is_noticed_and_its_end_too() {
    let accuracies = |largest: f64| {
        let of = |model: usize| table3::MODELS.get(model).map_or(0.0, |&(accuracy, ..)| accuracy);
        Some(std::array::from_fn::<f64, MODELS, _>(
            |model| if model == LARGEST { largest } else { of(model) },
        ))
    };
    let mut world = World::new(1_000.0, 12);
    world.judged = accuracies(82.6);
    let outcome = world.run_well(seconds(60), BUDGET);
    assert_eq!(outcome.picked[LARGEST], outcome.requests);
    world.judged = accuracies(72.6);
    world.run_well(seconds(3), BUDGET);
    let outcome = world.run_well(seconds(300), BUDGET);
    assert!(outcome.picked[LARGEST] < outcome.requests / 100, "{outcome:?}");
    assert_eq!((world.standing(LARGEST), outcome.late), (Standing::Probing, 0));
    world.judged = accuracies(82.6);
    let mut waited = 0;
    while world.standing(LARGEST) != Standing::Trusted {
        world.run_well(seconds(1), BUDGET);
        waited += 1;
        assert!(waited < 120, "not found again");
    }
}

/// It gets its share of the requests that would gain by it, until its profile is known; then what it deserves.
#[test]
fn a_canary_becomes_a_model() {
    for snapshots in [false, true] {
        let mut world = World::new(1_000.0, 13);
        world.snapshots = snapshots;
        world.run_well(seconds(10), BUDGET);
        // It claims 90 ms and takes 120.
        let canary = world.add_canary((90.0, 90.0, 1.0), 1.0);
        let truth =
            |model, usual: Micros, _| if model == 11 { Micros::new(usual.get() * 4 / 3) } else { usual };
        let first = world.run(millis(500), BUDGET, truth);
        assert!(first.picked[11] <= 15 && first.picked[11] == first.probes, "{first:?}");
        assert_eq!(world.server.standing(canary), Some(Standing::Canary));
        world.run(seconds(4), BUDGET, truth);
        let outcome = world.run(seconds(2), BUDGET, truth);
        assert_eq!((outcome.picked[11], outcome.late), (outcome.requests, 0));
        // Where its claim would do and the truth does not, it is probed, and no more.
        let outcome = world.run(seconds(60), Budget::of(millis(119)), truth);
        assert!(outcome.late < 20, "{outcome:?}");
    }
}

/// A probe is drawn as often as it is said to be, and `explain` says the same.
#[test]
fn probes_count_in_probabilities() {
    let mut world = World::new(1_000.0, 14);
    world.snapshots = true;
    world.run_well(seconds(10), BUDGET);
    world.stall(LARGEST, seconds(2), BUDGET);
    world.run_well(millis(5), BUDGET);
    let front = world.server.front().clone();
    let largest = world.id(LARGEST);
    // A moment at which a probe is open for all.
    let now = world.now.after(millis(150));
    let probability = front.probability(BUDGET, largest, now);
    assert!((0.005..0.02).contains(&probability), "{probability}");
    let explained = front.explain(BUDGET, now);
    assert_eq!(explained.probability(largest), probability);
    let total: f64 = explained.candidates().map(|candidate| candidate.probability).sum();
    assert!((total - 1.0).abs() < 1e-9, "{total}");
    let draws = 400_000;
    let drawn =
        (0..draws).filter(|&id| front.begin(BUDGET, Draw::from_id(id), now).0.model == largest).count();
    let expected = probability * draws as f64;
    // Five standard deviations: a false alarm in 1.7 million seeds.
    assert!((drawn as f64 - expected).abs() < 5.0 * expected.sqrt(), "{drawn} of {expected}");
    // It lapses.
    assert_eq!(front.probability(BUDGET, largest, world.now.after(seconds(5))), 0.0);
    // And asks nothing of a request that rules the model out.
    let cheap = Request::new(BUDGET).with_min_accuracy(Accuracy::from_percent(82.7).unwrap());
    assert!(front.begin(cheap, Draw::from_id(1), now).is_err());
}

/// A prior far too slow, which nobody would ever find out: others have measured the model, and that counts until it has
/// measured it itself. Where they disagree its own runs count, and it is probed by what the others say.
#[test]
fn what_others_have_measured_counts_where_it_has_not() {
    let slow_prior = [(80.1, 59.21, 0.22), (82.6, 300.0, 1.0)];
    let mut world = World::of(slow_prior, 1_000.0, 15);
    let mut other = World::of([(80.1, 59.21, 0.22), (82.6, 112.0, 1.0)], 100.0, 16);
    other.run_well(seconds(10), BUDGET);
    let heard = other.server.learnt(other.id(1)).copied();
    let well = |model, usual: Micros, _| if model == 1 { Micros::new(112_000) } else { usual };

    let outcome = world.run(seconds(10), BUDGET, well);
    assert_eq!((outcome.picked[1], outcome.probes), (0, 0));
    let model = world.id(1);
    assert!(world.server.hear(model, heard));
    assert!(!world.server.hear(model, heard), "the same again is no news");
    let outcome = world.run(seconds(10), BUDGET, well);
    assert_eq!((outcome.picked[1], outcome.late), (outcome.requests, 0));
    // Here it is slow, whatever the others say, and again what they say.
    let slow = |model, usual: Micros, _| if model == 1 { Micros::new(190_000) } else { usual };
    world.run(seconds(10), BUDGET, slow);
    let outcome = world.run(seconds(60), BUDGET, slow);
    assert!((1..=10).contains(&outcome.late) && outcome.late == outcome.probes, "{outcome:?}");
    world.run(seconds(8), BUDGET, well);
    let outcome = world.run(seconds(1), BUDGET, well);
    assert_eq!(outcome.picked[1], outcome.requests);
}

/// A server that has no other models: the fastest goes on to answer, and is late no more surely than it was.
#[test]
fn where_all_models_are_held_the_fastest_answers() {
    let mut world = World::of([(49.7, 3.21, 0.08), (82.6, 112.61, 0.36)], 1_000.0, 17);
    let now = world.now;
    for (model, budget) in [(1, BUDGET), (0, Budget::of(millis(10)))] {
        for id in 0..5 {
            let (decision, mut ticket) = world.server.begin(budget, Draw::from_id(id), now);
            assert_eq!(decision.model.index(), model);
            let report = ticket.overdue(now.after(seconds(1))).unwrap();
            world.server.learn(report, now.after(seconds(1)));
        }
        assert_eq!(world.standing(model), Standing::Held);
    }
    let (decision, ticket) = world.server.begin(BUDGET, Draw::from_id(9), now.after(seconds(1)));
    assert_eq!((decision.model.index(), decision.reason), (0, Reason::Tight));
    assert!(ticket.overdue_at().since(now) < seconds(2), "by its own time, not by one that fits nothing");
}

/// Slow for a while, and then stuck: what it has come to be taken for fits no request, and what it started from does.
#[test]
fn a_model_that_was_slow_when_it_got_stuck_is_found_again() {
    let mut world = World::new(1_000.0, 18);
    world.run_well(seconds(60), BUDGET);
    // Not slow enough to be found suspect; longer budgets go on to use it.
    let long = Budget::of(millis(250));
    world.run(seconds(10), long, slower(LARGEST, 1.45));
    world.stall(LARGEST, seconds(2), long);
    assert_eq!(world.standing(LARGEST), Standing::Held);
    // It is as it was, and nobody has 163 ms for it any more.
    world.run_well(seconds(10), BUDGET);
    let outcome = world.run_well(seconds(1), BUDGET);
    assert_eq!(outcome.picked[LARGEST], outcome.requests);
}
