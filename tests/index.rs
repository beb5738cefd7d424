//! The index on catalogs larger than those of `properties.rs`: against the plain scan, and updated against fresh.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod support;

use mdinference::{Budget, Catalog, Draw, Index, Micros};
use proptest::collection::vec;
use proptest::prelude::*;

use support::config;
use support::invariants::{same_decision, update};
use support::strategies::{policies, profile, zoos};

const CAPACITY: usize = 128;

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn many_models_and_many_updates(
        (profiles, updates) in zoos().prop_flat_map(|zoo| {
            (vec(profile(zoo), 1..=CAPACITY), vec((any::<prop::sample::Index>(), profile(zoo)), 0..=12))
        }),
        policy in policies(),
        requests in vec((any::<prop::sample::Index>(), 0..3_u32, any::<u64>()), 30),
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
            same_decision(&index, budget, Draw::from_uniform_bits(draw));
        }
    }
}
