//! What time costs: nothing where nobody waits and nobody comes; and what is chosen by it.

use std::cmp::Ordering;

use mdinference::load::{Growth, Hopeless, Next, Queue, Settings};
use mdinference::select::base::Base;
use mdinference::{
    Accuracy, Budget, Catalog, Decision, Draw, Index, Latency, Micros, Model, Policy, Price, Profile, Reason,
    Request, Timestamp, Verdict,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::operations::oracle::{self, Dispatched, Setting, Waiter};
use crate::support::case::{CAPACITY, Case};
use crate::support::strategies::{cases, prices, profile, zoos};
use crate::world::config;
use crate::world::{at, index, millis, table3};

const DRAW: Draw = Draw::from_uniform_bits(0);

fn priced() -> Settings {
    Settings::DEFAULT
}

/// What a request of this case is run on, of one that is put in alone now.
fn chosen(queue: &mut Queue<(), 4>, case: &Case, now: Timestamp) -> Option<Decision> {
    case.ask(|catalog, request| {
        let index = Index::new(catalog.clone(), case.policy);
        let allowed = case.set(catalog);
        queue.put(*request, case.draw(), (), now).unwrap();
        let next = if case.allowed.contains(&false) {
            queue.next_among(&index, &allowed, now)
        } else {
            queue.next(&index, now)
        };
        match next {
            Some(Next::Run { decision, worker, .. }) => {
                queue.ended(worker, now);
                Some(decision)
            }
            _ => None,
        }
    })
}

proptest! {
    #![proptest_config(config(1_000))]

    /// The first that ever comes meets nobody, and nobody comes that is known of: it is the paper's selection to the bit.
    /// And so it is for all who come where time has no price.
    #[test]
    fn without_a_price_it_is_the_selection_of_the_paper(
        // What a queue does not know of: a wait for one model alone.
        cases in prop::collection::vec(cases(), 1..4).prop_map(|mut cases| {
            cases.iter_mut().for_each(|case| case.waits.clear());
            cases
        }),
        now in 0..1_000_000_u64,
    ) {
        let now = Timestamp::from_micros(now);
        let fastest = Settings::DEFAULT.with_hopeless(Hopeless::Fastest);
        let mut never = Queue::new(fastest.with_priced(false));
        for case in &cases {
            let expected = case.ask(|catalog, request| {
                let index = Index::new(catalog.clone(), case.policy).select(*request, case.draw());
                let scan = catalog.select(&case.policy, *request, case.draw());
                // Where the index draws by rejection it meets the same probabilities by other draws.
                assert!(index == scan || *request == Request::new(case.budget));
                index.ok()
            });
            let mut first = Queue::new(fastest);
            prop_assert_eq!(chosen(&mut first, case, now), expected);
            prop_assert_eq!(chosen(&mut never, case, now), expected);
        }
    }

    /// Whatever is asked, and whatever else has a price.
    #[test]
    fn a_greater_price_of_time_never_picks_a_slower_model(
        case in cases(),
        price in prices(),
        (greater, square) in (any::<u64>(), any::<bool>()),
        halvings in 0..64_u32,
    ) {
        let more = greater >> halvings;
        let prices = [0, more / 2, more, more.saturating_mul(2)].map(|more| {
            price.plus(if square {
                Price { per_micro_squared: more, ..Price::NONE }
            } else {
                Price { per_micro: more, ..Price::NONE }
            })
        });
        let picks = prices.map(|price| Case { price, ..case.clone() }).map(|case| {
            case.ask(|catalog, request| {
                let index = Index::new(catalog.clone(), case.policy);
                let explained = catalog.explain(&case.policy, *request);
                if case.price != Price::NONE {
                    let picked = catalog.select(&case.policy, *request, case.draw());
                    let picked = picked.map(|decision| decision.model);
                    assert_eq!(picked.ok(), explained.base.map(|base| base.model().id));
                    assert_eq!(index.select(*request, case.draw()).map(|decision| decision.model), picked);
                }
                let values = explained.candidates().map(|candidate| candidate.value.get());
                let values = values.collect::<Vec<_>>();
                explained.base.map(|base| (base.model().id.index(), values))
            })
        });
        let mean = |place: usize| case.profiles[place].latency.mean;
        for pair in picks.windows(2) {
            let [Some((less, _)), Some((more, values))] = pair else { continue };
            // The price of a square is rounded down, and no value is below the bottom of its scale: there two that are
            // not equal may tie, and a tie is decided by μ + γσ.
            let ties = square && values[*more].abs_diff(values[*less]) <= 1 || values[*more] == i64::MIN;
            prop_assert!(mean(*more) <= mean(*less) || ties, "{less} by less, {more} by more");
        }
    }
}

/// A queue that has seen requests come, at this time, and as many wait as are said.
fn loaded<const CAPACITY: usize, const WORKERS: usize, const BATCH: usize>(
    settings: Settings,
    waiting: &[(u32, Request<'static>)],
    apart: u32,
) -> (Queue<usize, CAPACITY, WORKERS, BATCH>, Timestamp) {
    let mut queue = Queue::new(settings);
    queue.put(Request::new(Budget::of(millis(900))), DRAW, 0, at(0)).unwrap();
    let Some(Next::Run { worker, .. }) = queue.next(&index(), at(0)) else { panic!("nothing is run") };
    queue.ended(worker, at(113));
    let mut now = at(1_000);
    for (number, (_, request)) in waiting.iter().enumerate() {
        now = now.after(Micros::new(apart));
        queue.put(*request, Draw::from_id(number as u64), number, now).unwrap();
    }
    // Told again, so that it knows how busy its workers have been until now, and its price is what it will be.
    queue.ended(worker, now);
    (queue, now)
}

/// 1 to 20 requests, each with a budget in µs, and some with a price of their own.
fn waiting(
    most: usize,
    own: impl Strategy<Value = Price>,
) -> impl Strategy<Value = Vec<(u32, Request<'static>)>> {
    let budget = prop_oneof![3 => 3_000..300_000_u32, 1 => 0..3_000_u32];
    prop::collection::vec((budget, own), 1..most).prop_map(|all| {
        let request =
            |(budget, price)| (budget, Request::new(Budget::of(Micros::new(budget))).with_price(price));
        all.into_iter().map(request).collect()
    })
}

/// Table III, or any.
fn zoo() -> impl Strategy<Value = Vec<Profile>> {
    let any = zoos().prop_flat_map(|zoo| prop::collection::vec(profile(zoo), 1..11));
    prop_oneof![Just(table3().profiles().to_vec()), any]
}

/// None, as a rule; or one of up to about a tenth of a point for a millisecond, and for a unit of cost.
fn own() -> impl Strategy<Value = Price> {
    let some = (0..70_000_u64, 0..100_000_000_u64, 0..70_000_000_u64);
    let some = some.prop_map(|(per_micro, per_micro_squared, per_cost)| Price {
        per_micro,
        per_micro_squared,
        per_cost,
    });
    prop_oneof![2 => Just(Price::NONE), 1 => some]
}

proptest! {
    #![proptest_config(config(300))]

    /// Each is what the catalog selects for what is left of it at the price that the queue shows, with its own added; and
    /// `explain` shows what that is worth.
    #[test]
    fn one_by_one_it_is_a_selection_at_the_price_of_time(
        waiting in waiting(30, own()),
        apart in prop_oneof![Just(0), 0..30_000_u32],
        zoo in zoo(),
    ) {
        let catalog = Catalog::<CAPACITY>::new(zoo).unwrap();
        let index = Index::new(catalog.clone(), Policy::PAPER);
        let (mut queue, mut now) = loaded::<32, 2, 1>(priced(), &waiting, apart);
        loop {
            let price = queue.price();
            match queue.next(&index, now) {
                None => break,
                Some(Next::Shed { job, .. }) => {
                    let left = left(&waiting, job, apart, now);
                    let fits = |model: Model| {
                        let Latency { mean, deviation } = model.profile.latency;
                        mean.get() + deviation.get() < left
                    };
                    prop_assert!(!catalog.models().any(fits));
                }
                Some(Next::Run { worker, decision, jobs, .. }) => {
                    let (job, own) = (jobs[0], waiting[jobs[0]].1.price());
                    let left = Budget::of(Micros::new(left(&waiting, job, apart, now)));
                    let request = Request::new(left).with_price(own.plus(price));
                    if own.plus(price) != Price::NONE {
                        let draw = Draw::from_id(job as u64);
                        prop_assert_eq!(catalog.select(&Policy::PAPER, request, draw), Ok(decision));
                    }
                    let explained = index.explain(request).of(decision.model).unwrap();
                    let profile = catalog.get(decision.model).unwrap();
                    let (mean, cost) = (i128::from(profile.latency.mean.get()), i128::from(profile.cost.0));
                    let Price { per_micro, per_micro_squared, per_cost } = own.plus(price);
                    let value = (i128::from(profile.accuracy.as_ppm()) << 16)
                        - i128::from(per_micro) * mean
                        - ((i128::from(per_micro_squared) * mean * mean) >> 32)
                        - i128::from(per_cost) * cost;
                    prop_assert_eq!(i128::from(explained.value.get()), value);
                    let picked = matches!(explained.verdict, Verdict::Base | Verdict::Explored);
                    prop_assert!(picked, "{:?}", explained);
                    now = now.after(Micros::new(1 + apart / 2));
                    queue.ended(worker, now);
                }
            }
        }
        prop_assert!(queue.is_empty());
    }

    /// With batches: the model, those at the front, and how many are those of the greatest value. See [`oracle`] for what
    /// is rounded.
    #[test]
    fn a_batch_is_that_of_the_greatest_value(
        waiting in waiting(120, own()),
        apart in prop_oneof![Just(0), 0..3_000_u32],
        zoo in zoo(),
        most in 1..=32_u16,
        growth in select(vec![0_u32, 150, 150, 500, 1_000]),
        is_priced in prop::bool::weighted(0.8),
    ) {
        let catalog = Catalog::<CAPACITY>::new(zoo).unwrap();
        let index = Index::new(catalog.clone(), Policy::PAPER);
        let (queue, mut now) = loaded::<128, 2, 32>(priced().with_priced(is_priced), &waiting, apart);
        let time = Growth::new(f64::from(growth) / 1e3).unwrap();
        let mut queue = queue.with_max_batch(most).with_batch_time(time);
        let mut listed: Vec<usize> = (0..waiting.len()).collect();
        let deadline = |job: usize| u64::from(waiting[job].0) + job as u64 * u64::from(apart);
        listed.sort_by_key(|&job| deadline(job));
        loop {
            let (price, a) = (queue.price(), f64::from(queue.traffic().loss_a_milli()) * 10.0);
            match queue.next(&index, now) {
                None => break,
                Some(Next::Shed { job, .. }) => prop_assert_eq!(job, listed.remove(0)),
                Some(Next::Run { worker, decision, jobs, .. }) => {
                    let first = listed.iter().position(|&job| job == jobs[0]).unwrap();
                    prop_assert_eq!(&listed[first..first + jobs.len()], &jobs[..]);
                    if listed.len() > 1 && most > 1 {
                        let setting = Setting {
                            models: catalog.models().collect(),
                            margin_thousandths: 1_000,
                            most: most.into(),
                            growth: &[growth; CAPACITY],
                            load: is_priced.then_some((a, 2, price.per_micro_squared)),
                        };
                        let waits = |&job: &usize| Waiter {
                            asked: waiting[job].1,
                            earlier: None,
                            slack: left(&waiting, job, apart, now).into(),
                        };
                        let waits: Vec<Waiter<'_>> = listed.iter().map(waits).collect();
                        let dispatched = Dispatched { model: decision.model, first, size: jobs.len() };
                        oracle::check(&setting, &waits, dispatched);
                        prop_assert_eq!(decision.reason, Reason::Base);
                    }
                    listed.drain(first..first + jobs.len());
                    now = now.after(Micros::new(500));
                    queue.ended(worker, now);
                }
            }
        }
        prop_assert!(listed.is_empty());
    }
}

/// What a request that came as the so manyth has left, in µs.
fn left(waiting: &[(u32, Request<'static>)], job: usize, apart: u32, now: Timestamp) -> u32 {
    let came = at(1_000).as_micros() + (job as u64 + 1) * u64::from(apart);
    let waited = now.as_micros() - came;
    u64::from(waiting[job].0).saturating_sub(waited) as u32
}

/// What a request is charged of its own is added to what its time costs others.
#[test]
fn prices_add_up() {
    let index = index();
    let pick = |own: Price, waiting: u32| {
        let mut queue = Queue::<_, 256>::new(Settings::DEFAULT);
        let request = Request::new(Budget::of(millis(1_000_000)));
        queue.put(request.with_price(own), DRAW, 0, at(0)).unwrap();
        for number in 1..=waiting {
            // So seldom that those who will come cost next to nothing.
            queue.put(request, DRAW, number, at(10_000 * number)).unwrap();
        }
        let Some(Next::Run { decision, .. }) = queue.next(&index, at(10_000 * waiting)) else {
            panic!("nothing is run")
        };
        decision.model.index()
    };
    let points_a_milli = |points| Price::per_milli(Accuracy::from_percent(points).unwrap());
    // NasNet Large has 2.5 points more than the next, in 53 ms more.
    assert_eq!(pick(Price::NONE, 0), 10);
    assert_eq!(pick(points_a_milli(0.04), 0), 10);
    assert_eq!(pick(points_a_milli(0.05), 0), 9);
    // One that waits costs a tenth of a point a millisecond.
    assert_eq!(pick(Price::NONE, 1), 8);
    assert_eq!(pick(points_a_milli(0.1), 0), 8);
    assert_eq!(pick(points_a_milli(0.2), 1), 5);
    assert_eq!(pick(points_a_milli(0.3), 0), 5);
}

/// One is in a hurry, three have time: with a price he goes alone, so that they get a better model; without they go with
/// him on one of 71 %.
#[test]
fn who_is_in_a_hurry_goes_alone_for_those_who_have_time() {
    let index = index();
    for (priced, last, sizes) in [
        (true, (200, 0), vec![(5, 1), (9, 3)]),
        // He came before the clock was set back.
        (true, (8, 195), vec![(5, 1), (9, 3)]),
        (false, (200, 0), vec![(5, 4)]),
    ] {
        let mut queue = Queue::<_, 8, 1, 8>::new(Settings::DEFAULT.with_priced(priced));
        for (budget, now) in [last, (10, 0), (200, 0), (200, 0)] {
            queue.put(Request::new(Budget::of(millis(budget))), DRAW, (), at(now)).unwrap();
        }
        let mut runs = Vec::new();
        let mut now = at(0);
        while let Some(Next::Run { worker, decision, jobs, .. }) = queue.next(&index, now) {
            runs.push((decision.model.index(), jobs.len()));
            now = now.after(millis(6));
            queue.ended(worker, now);
        }
        assert_eq!(runs, sizes);
    }
}

/// By μ: more that wait never pick a slower model.
#[test]
fn the_more_wait_the_faster_it_is() {
    let index = index();
    let mut before = Micros::MAX;
    for waiting in 0..200 {
        let mut queue = Queue::<_, 256>::new(Settings::DEFAULT);
        for number in 0..=waiting {
            queue.put(Request::new(Budget::of(millis(10_000))), DRAW, number, at(20 * number)).unwrap();
        }
        let Some(Next::Run { decision, .. }) = queue.next(&index, at(20 * waiting)) else {
            panic!("nothing is run")
        };
        let mean = index.catalog().get(decision.model).unwrap().latency.mean;
        assert_ne!(mean.cmp(&before), Ordering::Greater, "with {waiting} that wait");
        before = mean;
    }
    assert_eq!(before, Micros::new(3_210));
}

/// What is priced and fits nothing is the fastest, as ever.
#[test]
fn what_fits_nothing_has_no_price() {
    let index = index();
    let request =
        Request::new(Budget::of(Micros::new(3_250))).with_price(Price { per_micro: u64::MAX, ..Price::NONE });
    let fastest = index.explain(request).base.unwrap();
    assert!(matches!(fastest, Base::Fastest(model) if model.id.index() == 1));
}
