//! The index on catalogs larger than those of `properties.rs`: against the plain scan, and updated against fresh.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[path = "operations/index.rs"]
mod operations;
mod support;

use mdinference::{
    Accuracy, Budget, Catalog, Cost, Draw, Index, Learning, Margin, Micros, ModelSet, Policy, Price, Profile,
    Request, Server, Timestamp,
};
use proptest::collection::vec;
use proptest::prelude::*;

use support::config;
use support::invariants::{same_decision, update};
use support::strategies::{policies, profile, zoos};

const CAPACITY: usize = 128;

/// As the scan, but for which of the exploration set is drawn.
fn same_base<const N: usize>(index: &Index<N>, request: &Request<'_>, draw: Draw) {
    let scan = index.catalog().select(index.policy(), *request, draw);
    let decision = index.select(*request, draw);
    match (decision, scan) {
        (Ok(decision), Ok(scan)) => {
            assert_eq!((decision.base, decision.budget), (scan.base, scan.budget));
            assert_eq!(decision.reason.fits(), scan.reason.fits());
            assert!(index.probability(*request, decision.model) > 0.0);
            if request.price() != Price::NONE || !decision.reason.fits() {
                assert_eq!(decision, scan);
            }
        }
        (decision, scan) => assert_eq!(decision, scan),
    }
}

/// Whatever is asked at the edges: no time and all there is, waits longer than any budget, prices past all sense.
fn same_at_the_edges<const N: usize>(distinct: &[Profile], count: usize, policy: Policy, bits: u64) {
    // Each stands several times, so that there are ties within a block and across blocks.
    let catalog = Catalog::<N>::new(distinct.iter().copied().cycle().take(count)).unwrap();
    let index = Index::new(catalog, policy);
    let draw = Draw::from_uniform_bits(bits);
    let some = |place: usize| bits >> (place % 64) & 1 == 1;
    let allowed: ModelSet<N> =
        (0..N).filter(|&place| some(place)).filter_map(|p| index.catalog().id(p)).collect();
    let waits: Vec<Micros> = (0..count).map(|p| if some(p) { Micros::ZERO } else { Micros::MAX }).collect();
    let longest = distinct.iter().map(|profile| profile.latency.mean).max().unwrap();
    for time in [Micros::ZERO, Micros::new(1), longest, longest.saturating_add(longest), Micros::MAX] {
        let asked = Request::new(Budget::of(time));
        let price = Price { per_micro: bits, per_micro_squared: bits, per_cost: bits };
        let earlier = Budget::of(longest);
        for request in [
            asked.with_allowed(&allowed),
            asked.with_max_cost(Cost(1)),
            asked.with_waits(&waits),
            asked.with_waits(&waits[..count / 2]).with_max_cost(Cost(1)),
            asked.with_price(Price { per_micro: bits >> 40, ..Price::NONE }),
            asked.with_price(price).with_allowed(&allowed),
            asked.with_earlier(earlier, Accuracy::from_ppm(1).unwrap()),
            asked.with_waits(&waits).with_earlier(earlier, Accuracy::from_ppm(1_000_000).unwrap()),
        ] {
            same_base(&index, &request, draw);
        }
    }
}

/// Its μ + γσ of 15.001 µs is past the scale with its wait, and its μ is not: so it fits no budget, not the greatest
/// either, though it is in the window of a base as uncertain as that.
#[test]
fn who_waits_past_the_scale_is_not_drawn() {
    let profiles = [(900_000, Micros::MAX.get()), (800_000, 5_001)]
        .map(|(accuracy, deviation)| Profile::from_ppm_and_micros(accuracy, 10, deviation).unwrap());
    let policy = Policy::PAPER.with_margin(Margin::from_thousandths(1).unwrap());
    let index = Index::new(Catalog::<2>::new(profiles).unwrap(), policy);
    let waits = [Micros::ZERO, Micros::MAX.saturating_sub(Micros::new(12))];
    let request = Request::new(Budget::of(Micros::MAX)).with_waits(&waits);
    for draw in [0, 1 << 63, u64::MAX].map(Draw::from_uniform_bits) {
        let decision = index.select(request, draw);
        assert_eq!(decision, index.catalog().select(&policy, request, draw));
        assert_eq!(decision.map(|decision| decision.model.index()), Ok(0));
    }
}

/// A catalog without room for more, and one model before the window or past it.
#[test]
fn a_twin_is_drawn_beside_one_that_is_not() {
    for elsewhere in [10_000, 150_000] {
        let profiles = [(800_000, 100_000), (700_000, 100_000), (100_000, elsewhere)]
            .map(|(accuracy, mean)| Profile::from_ppm_and_micros(accuracy, mean, 5_000).unwrap());
        let index = Index::new(Catalog::<3>::new(profiles).unwrap(), Policy::PAPER);
        let waits = [0, 0, 1].map(Micros::new);
        let request = Request::new(Budget::of(Micros::from_millis(200))).with_waits(&waits);
        let drawn = [0, u64::MAX].map(|bits| {
            let draw = Draw::from_uniform_bits(bits);
            let decision = index.select(request, draw);
            assert_eq!(decision, index.catalog().select(&Policy::PAPER, request, draw));
            decision.unwrap().model
        });
        assert_ne!(drawn[0], drawn[1]);
    }
}

/// Each slower model is more accurate, so that each is a step: the base is the last that fits. Then some go elsewhere.
fn each_is_a_step<const N: usize>(count: u32) {
    let threshold = |place: u32| 100 + 10 * place + place % 4;
    let profile = |accuracy: u32, place: u32| {
        Profile::from_ppm_and_micros(1_000 + 2_000 * accuracy, 100 + 10 * place, place % 4).unwrap()
    };
    let mut profiles: Vec<Profile> = (0..count).map(|place| profile(place, place)).collect();
    let mut index = Index::new(Catalog::<N>::new(profiles.iter().copied()).unwrap(), Policy::PAPER);
    for time in 90..=threshold(count) {
        let last = (0..count).rev().find(|&place| threshold(place) < time);
        let base = index.base(Budget::of(Micros::new(time))).map(|base| base.index() as u32);
        assert_eq!(base, last, "within {time} µs, of {count}");
    }
    for turn in 0..40 {
        let (place, to) = (turn * 7 % count, turn * turn * 13 % count);
        update(&mut index, &mut profiles, place as usize, profile(place, to));
        // Near the others, so that they stay in order or change it by one.
        update(&mut index, &mut profiles, place as usize, profile(place, place + turn % 3));
    }
}

#[test]
fn as_many_steps_as_models() {
    each_is_a_step::<24>(24);
    each_is_a_step::<25>(25);
    each_is_a_step::<40>(33);
    each_is_a_step::<300>(24);
    each_is_a_step::<300>(256);
    each_is_a_step::<300>(257);
    each_is_a_step::<300>(300);
}

/// Of so many alike, of which nobody is left out in 1,000 draws but once in 10¹⁷ times.
#[test]
fn everyone_in_a_window_is_drawn() {
    for count in 1..=24 {
        let profile =
            |model| Profile::from_percent_and_millis(80.0, 40.0 + 0.1 * f64::from(model), 5.0).unwrap();
        let index = Index::new(Catalog::<24>::new((0..count).map(profile)).unwrap(), Policy::PAPER);
        let budget = Budget::of(Micros::from_millis(200));
        let drawn: ModelSet<24> =
            (0..1_000).map(|id| index.select(budget, Draw::from_id(id)).model).collect();
        assert!(index.catalog().models().all(|model| drawn.contains(model.id)), "of {count}: {drawn:?}");
    }
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn at_the_edges(
        distinct in zoos().prop_flat_map(|zoo| vec(profile(zoo), 1..=24)),
        count in prop::sample::select(vec![1, 16, 17, 33, CAPACITY]),
        policy in policies(),
        bits in any::<u64>(),
    ) {
        same_at_the_edges::<CAPACITY>(&distinct, count, policy, bits);
    }

    #[test]
    fn many_models_and_many_updates(
        (profiles, updates) in zoos().prop_flat_map(|zoo| {
            (vec(profile(zoo), 1..=CAPACITY), vec((any::<prop::sample::Index>(), profile(zoo)), 0..=12))
        }),
        policy in policies(),
        requests in vec((any::<prop::sample::Index>(), 0..3_u32, any::<u64>()), 30),
        (allowed, waits) in (vec(any::<bool>(), CAPACITY), vec(0..200_000_u32, 0..=CAPACITY)),
        (worth, per_micro, cost) in (0..200_000_u32, 0..1_u64 << 36, 0..4_u32),
    ) {
        let mut profiles = profiles;
        let catalog = Catalog::<CAPACITY>::new(profiles.iter().copied()).unwrap();
        let mut index = Index::new(catalog, policy);
        for (place, profile) in updates {
            let place = place.index(profiles.len());
            update(&mut index, &mut profiles, place, profile);
        }
        for (model, either_side, draw) in requests {
            let latency = model.get(&profiles).latency;
            let margin = policy.margin.get();
            let threshold = latency.mean.as_millis() + margin * latency.deviation.as_millis();
            let micros = (threshold * 1_000.0) as u32;
            let budget = Budget::of(Micros::new(micros.saturating_add(either_side).saturating_sub(1)));
            let draw = Draw::from_uniform_bits(draw);
            same_decision(&index, budget, draw);

            let allowed: ModelSet<CAPACITY> = (0..CAPACITY)
                .filter(|&place| allowed[place])
                .filter_map(|place| index.catalog().id(place))
                .collect();
            let waits: Vec<Micros> = waits.iter().copied().map(Micros::new).collect();
            let asked = Request::new(budget);
            let price = Price { per_micro, per_micro_squared: per_micro >> 8, per_cost: per_micro };
            let earlier = budget.minus(latency.deviation);
            let accuracy = model.get(&profiles).accuracy;
            for request in [
                asked.with_allowed(&allowed),
                asked.with_min_accuracy(accuracy).with_max_cost(Cost(cost)),
                asked.with_waits(&waits),
                asked.with_earlier(earlier, Accuracy::from_ppm(worth).unwrap()),
                asked.with_price(Price { per_micro, ..Price::NONE }),
                asked.with_price(price).with_waits(&waits),
                asked.with_allowed(&allowed).with_waits(&waits).with_price(price).with_earlier(earlier, accuracy),
            ] {
                same_base(&index, &request, draw);
            }
        }
    }

    /// Whole questions, whatever has become of the index before.
    #[test]
    fn no_sequence_of_operations_breaks_a_promise(bytes in vec(any::<u8>(), 0..500)) {
        operations::run(&bytes);
    }

    /// Several rows of blocks, the last full or not.
    #[test]
    fn at_the_edges_of_large_ones(
        distinct in zoos().prop_flat_map(|zoo| vec(profile(zoo), 1..=200)),
        count in prop::sample::select(vec![255, 257, 1_009, 1_024]),
        policy in policies(),
        bits in any::<u64>(),
    ) {
        same_at_the_edges::<1_024>(&distinct, count, policy, bits);
    }

    /// A front that is written over is the other one, whichever had more models.
    #[test]
    fn written_over(
        lists in zoos().prop_flat_map(|zoo| [0; 2].map(|_| vec(profile(zoo), 1..=CAPACITY))),
        policies in [policies(), policies()],
        requests in vec((0..500_000_u32, any::<u64>()), 8),
    ) {
        let front = |profiles: &[Profile], policy| {
            let catalog = Catalog::<CAPACITY>::new(profiles.iter().copied()).unwrap();
            Server::new(catalog, policy, Learning::DEFAULT).front().clone()
        };
        let mut one = front(&lists[0], policies[0]);
        let other = front(&lists[1], policies[1]);
        one.clone_from(&other);
        prop_assert_eq!(&one, &other);
        prop_assert!(one.catalog().models().eq(other.catalog().models()));
        for (budget, draw) in requests {
            let (budget, draw) = (Budget::of(Micros::new(budget)), Draw::from_uniform_bits(draw));
            let now = Timestamp::default();
            prop_assert_eq!(one.begin(budget, draw, now), other.begin(budget, draw, now));
        }
    }
}
