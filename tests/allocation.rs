//! Nothing allocates, counted by a global allocator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::hint::black_box;

use mdinference::{
    Accuracy, Budget, Catalog, Constraints, Cost, Index, Latency, Micros, ModelId, ModelSet, Policy, Profile,
    Sharpness, explain, select, select_constrained, subset,
};

const MODELS: usize = 64;

/// Models in each other's windows, the `seed` telling zoos apart.
fn profile(place: usize, seed: u32) -> Profile {
    let mean = 20_000 + (place as u32 + seed) % MODELS as u32 * 1_000;
    let latency = Latency { mean: Micros::new(mean), deviation: Micros::new(mean / 5) };
    Profile::new(Accuracy::from_ppm(500_000 + mean).unwrap(), latency).with_cost(Cost(place as u32))
}

fn catalog() -> Catalog<MODELS> {
    Catalog::new((0..MODELS).map(|place| profile(place, 0))).unwrap()
}

/// Budgets from where nothing fits to where all do, and draws.
fn requests() -> impl Iterator<Item = (Budget, u64)> {
    (0..200_u32).map(|step| {
        let draw = u64::from(step).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (Budget::of(Micros::from_millis(step)), draw)
    })
}

fn assert_no_allocation(work: impl FnOnce()) {
    let counted = allocation_counter::measure(work);
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| drop(black_box(Box::new(1))));
    assert_eq!(counted.count_total, 1);
}

#[test]
fn selecting() {
    let sharp = Policy::PAPER.with_sharpness(Sharpness::new(2.5).unwrap());
    let catalog = catalog();
    for policy in [Policy::PAPER, sharp] {
        assert_no_allocation(|| {
            for (budget, draw) in requests() {
                black_box(select(&catalog, &policy, budget, draw));
            }
        });
    }
}

#[test]
fn selecting_with_the_index() {
    let sharp = Policy::PAPER.with_sharpness(Sharpness::new(2.5).unwrap());
    for policy in [Policy::PAPER, sharp] {
        let catalog = catalog();
        assert_no_allocation(move || {
            let mut index = Index::new(catalog, policy);
            for (budget, draw) in requests() {
                black_box(index.select(budget, draw));
            }
            for place in 0..MODELS {
                let id = ModelId::new(place).unwrap();
                black_box(index.update(id, profile(place, 7)));
            }
        });
    }
}

#[test]
fn selecting_with_constraints() {
    let catalog = catalog();
    assert_no_allocation(|| {
        let odd: ModelSet<MODELS> = (1..MODELS).step_by(2).filter_map(ModelId::new).collect();
        let some = Constraints::NONE.with_allowed(&odd).with_max_cost(Cost(40));
        let none = Constraints::NONE.with_min_accuracy(Accuracy::MAX);
        for (budget, draw) in requests() {
            for constraints in [some, none] {
                let _ = black_box(select_constrained(&catalog, &Policy::PAPER, &constraints, budget, draw));
            }
        }
    });
}

#[test]
fn explaining() {
    let catalog = catalog();
    assert_no_allocation(|| {
        for (budget, draw) in requests() {
            black_box(explain(&catalog, &Policy::PAPER, &Constraints::NONE, budget));
            let decision = select(&catalog, &Policy::PAPER, budget, draw);
            black_box(decision.probability(catalog.models(), &Policy::PAPER));
        }
    });
}

#[test]
fn finding_a_subset() {
    let catalog = catalog();
    let weights = || requests().map(|(budget, _)| (budget, 1));
    assert_no_allocation(|| {
        black_box(subset::most_accurate(&catalog, Policy::PAPER.margin, weights(), 5));
        black_box(subset::smallest_within(&catalog, Policy::PAPER.margin, weights(), Accuracy::ZERO));
    });
}

#[test]
fn building_and_updating_a_catalog() {
    assert_no_allocation(|| {
        let mut catalog = catalog();
        for place in 0..MODELS {
            let id = ModelId::new(place).unwrap();
            black_box(catalog.update(id, profile(place, 7)));
        }
    });
}
