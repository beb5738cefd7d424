//! Catalogs and policies from hostile numbers: what is impossible is refused for the right reason, and what gets in
//! keeps the invariants.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mdinference::{
    Budget, Catalog, CatalogError, Field, Margin, Micros, NumberError, Policy, Profile, ProfileError,
    Sharpness,
};

#[path = "../../tests/support"]
#[allow(dead_code, unused_imports)]
mod support {
    pub mod case;
    pub mod invariants;
}
use support::case::{CAPACITY, Case};
use support::invariants;

#[derive(Arbitrary, Debug)]
struct Input {
    models: Vec<[Number; 3]>,
    margin: Number,
    sharpness: u32,
    budget: u32,
    draw: u64,
}

/// A number, rarely one that makes sense unless said so.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Number {
    Any(f64),
    Small(u8),
    Hundredths(u16),
}

impl Number {
    fn get(self) -> f64 {
        match self {
            Self::Any(number) => number,
            Self::Small(number) => number.into(),
            Self::Hundredths(number) => f64::from(number) / 100.0,
        }
    }
}

/// What is wrong with a number on a scale that ends at `top`. Up to half a step past it is rounded onto it.
fn fault(number: f64, top: f64, step: f64) -> Option<NumberError> {
    if number.is_nan() {
        Some(NumberError::NotANumber)
    } else if number.is_infinite() {
        Some(NumberError::Infinite)
    } else if number < 0.0 {
        Some(NumberError::Negative)
    } else if number >= top + step / 2.0 {
        Some(NumberError::TooLarge)
    } else {
        None
    }
}

fuzz_target!(|input: Input| {
    let profiles: Vec<Result<Profile, ProfileError>> = input
        .models
        .iter()
        .map(|model| {
            let [accuracy, mean, deviation] = model.map(Number::get);
            let profile = Profile::from_percent_and_millis(accuracy, mean, deviation);
            let top = Micros::MAX.as_millis();
            let first = [
                (Field::Accuracy, fault(accuracy, 100.0, 1e-4)),
                (Field::Mean, fault(mean, top, 1e-3)),
                (Field::Deviation, fault(deviation, top, 1e-3)),
            ]
            .into_iter()
            .find_map(|(field, error)| error.map(|error| ProfileError { field, error }));
            assert_eq!(profile.err(), first);
            profile
        })
        .collect();

    let bad = profiles.iter().take(CAPACITY + 1).position(Result::is_err);
    match (Catalog::<CAPACITY>::try_new(profiles.iter().copied()), bad) {
        (Err(CatalogError::Empty), None) => assert!(profiles.is_empty()),
        (Err(CatalogError::Full { capacity }), None) => assert!(profiles.len() > capacity),
        (Err(CatalogError::Model { model, error }), Some(bad)) => {
            assert_eq!((model, Err(error)), (bad, profiles[bad]));
        }
        (Ok(catalog), None) => assert_eq!(catalog.len(), profiles.len()),
        (result, bad) => panic!("{result:?} where the first bad model is {bad:?}"),
    }

    let margin = Margin::new(input.margin.get());
    assert_eq!(margin.err(), fault(input.margin.get(), 1_000.0, 1e-3));
    let sharpness = Sharpness::new(input.sharpness);
    assert_eq!(sharpness.err(), (input.sharpness == 0).then_some(NumberError::Zero));

    // With what is possible of all that.
    let possible: Vec<Profile> = profiles.into_iter().filter_map(Result::ok).take(CAPACITY).collect();
    if possible.is_empty() {
        return;
    }
    let policy = Policy::PAPER
        .with_margin(margin.unwrap_or(Margin::PAPER))
        .with_sharpness(sharpness.unwrap_or(Sharpness::PAPER));
    let budget = Budget::of(Micros::new(input.budget));
    invariants::all(&Case::new(possible, policy, budget, input.draw));
});
