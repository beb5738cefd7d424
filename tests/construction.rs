//! Impossible numbers do not get in: each is a typed error that names the model and the field.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod support;

use std::fmt::{Display, Write as _};

use mdinference::estimate::Smoothing;
use mdinference::load::Growth;
use mdinference::{
    Accuracy, Catalog, CatalogError, Cost, Field, Margin, Micros, NothingEligible, NumberError, Profile,
    ProfileError, Share, Sharpness,
};
use proptest::prelude::*;

use support::config;
use support::expected::assert_expected;

/// What no scale has, and what is wrong with it.
const IMPOSSIBLE: [(f64, NumberError); 6] = [
    (f64::NAN, NumberError::NotANumber),
    (-f64::NAN, NumberError::NotANumber),
    (f64::INFINITY, NumberError::Infinite),
    (f64::NEG_INFINITY, NumberError::Infinite),
    (-1.0, NumberError::Negative),
    (-f64::MIN_POSITIVE, NumberError::Negative),
];

/// The constructors that take a number: the top of the scale, its step, and the constructor as a check.
type Check = fn(f64) -> Result<(), NumberError>;
const SCALES: [(f64, f64, Check); 5] = [
    (100.0, 1e-4, |value| Accuracy::from_percent(value).map(drop)),
    (100.0, 1e-4, |value| Share::from_percent(value).map(drop)),
    (1.0, 1e-6, |value| Accuracy::from_fraction(value).map(drop)),
    (2_147_483.647, 1e-3, |value| Micros::try_from_millis(value).map(drop)),
    (1_000.0, 1e-3, |value| Margin::new(value).map(drop)),
];

#[test]
fn every_scale_refuses_impossible_numbers() {
    for (number, error) in IMPOSSIBLE {
        for (_, _, check) in SCALES {
            assert_eq!(check(number), Err(error), "of {number}");
        }
    }
}

#[test]
fn every_scale_ends_where_it_says() {
    for (top, step, check) in SCALES {
        // Up to half a step past the top is rounded onto it.
        for inside in [0.0, -0.0, f64::MIN_POSITIVE, top / 2.0, top, top + 0.49 * step] {
            assert_eq!(check(inside), Ok(()), "of {inside}");
        }
        for outside in [top + 0.51 * step, top * 1.001, f64::MAX] {
            assert_eq!(check(outside), Err(NumberError::TooLarge), "of {outside}");
        }
    }
    assert_eq!(Accuracy::from_ppm(1_000_000), Ok(Accuracy::MAX));
    assert_eq!(Accuracy::from_ppm(1_000_001), Err(NumberError::TooLarge));
    assert_eq!(Accuracy::from_ppm(u32::MAX), Err(NumberError::TooLarge));
}

#[test]
fn sharpness_is_any_whole_number_from_one() {
    assert_eq!(Sharpness::new(0), Err(NumberError::Zero));
    for k in [1, 2, 9, u32::MAX] {
        assert_eq!(Sharpness::new(k).map(Sharpness::get), Ok(k));
    }
}

#[test]
fn a_profile_names_the_field() {
    for (number, error) in IMPOSSIBLE.into_iter().chain([(1e10, NumberError::TooLarge)]) {
        let refused = |field| Err(ProfileError { field, error });
        assert_eq!(Profile::from_percent_and_millis(number, 1.0, 1.0), refused(Field::Accuracy));
        assert_eq!(Profile::from_percent_and_millis(1.0, number, 1.0), refused(Field::Mean));
        assert_eq!(Profile::from_percent_and_millis(1.0, 1.0, number), refused(Field::Deviation));
    }
}

#[test]
fn a_catalog_names_the_model() {
    let good = Profile::from_percent_and_millis(50.0, 10.0, 1.0);
    let bad = Profile::from_percent_and_millis(50.0, 10.0, f64::NAN);
    let error = bad.unwrap_err();
    for place in 0..3 {
        let mut profiles = [good; 3];
        profiles[place] = bad;
        assert_eq!(Catalog::<3>::try_new(profiles), Err(CatalogError::Model { model: place, error }));
    }
    // The first that is bad.
    assert_eq!(Catalog::<3>::try_new([good, bad, bad]), Err(CatalogError::Model { model: 1, error }));
}

#[test]
fn a_catalog_holds_one_model_to_its_capacity() {
    let profile = Profile::from_percent_and_millis(50.0, 10.0, 1.0).unwrap();
    assert_eq!(Catalog::<3>::new([]), Err(CatalogError::Empty));
    for count in 1..=3 {
        assert_eq!(Catalog::<3>::new(vec![profile; count]).unwrap().len(), count);
    }
    assert_eq!(Catalog::<3>::new([profile; 4]), Err(CatalogError::Full { capacity: 3 }));
    // Without going through all of them.
    assert_eq!(Catalog::<3>::new(std::iter::repeat(profile)), Err(CatalogError::Full { capacity: 3 }));
}

#[test]
fn every_part_per_million_and_every_thousandth_comes_back() {
    for ppm in 0..=1_000_000 {
        let accuracy = Accuracy::from_ppm(ppm).unwrap();
        assert_eq!(Accuracy::from_percent(accuracy.as_percent()), Ok(accuracy));
        assert_eq!(Share::from_percent(accuracy.as_percent()).map(Share::as_ppm), Ok(ppm));
        assert_eq!(Accuracy::from_fraction(f64::from(ppm) / 1e6), Ok(accuracy));
        let margin = Margin::new(f64::from(ppm) / 1e3).unwrap();
        assert_eq!(margin.thousandths(), ppm);
        assert_eq!(Margin::new(margin.get()), Ok(margin));
        assert_eq!(Margin::from_thousandths(ppm), Ok(margin));
        assert_eq!(Smoothing::from_ppm(ppm), Smoothing::new(f64::from(ppm) / 1e6));
        assert_eq!(Growth::from_thousandths(ppm), Growth::new(f64::from(ppm) / 1e3));
    }
    assert_eq!(Margin::from_thousandths(1_000_001), Err(NumberError::TooLarge));
    assert_eq!(Smoothing::from_ppm(1_000_001), Err(NumberError::TooLarge));
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn every_microsecond_comes_back(micros in 0..=Micros::MAX.get()) {
        let time = Micros::new(micros);
        prop_assert_eq!(Micros::try_from_millis(time.as_millis()), Ok(time));
    }

    /// Few numbers, so that there are ties of every kind.
    #[test]
    fn a_constant_catalog_is_no_other(numbers in prop::array::uniform9((0..3_u32, 0..3_u32, 0..3_u32, 0..3_u32))) {
        let profiles = numbers.map(|(accuracy, mean, deviation, cost)| {
            Profile::from_ppm_and_micros(accuracy, mean, deviation).unwrap().with_cost(Cost(cost))
        });
        let (mut constant, mut built) = (Catalog::of(profiles), Catalog::<9>::new(profiles).unwrap());
        prop_assert!(constant.models().eq(built.models()));
        prop_assert!((0..9).all(|place| constant.id(place) == built.id(place)));
        prop_assert_eq!(constant.profiles(), built.profiles());
        let (model, other) = (built.id(4).unwrap(), profiles[0]);
        prop_assert_eq!(constant.update(model, other), built.update(model, other));
        prop_assert!(constant.models().eq(built.models()));
    }

    #[test]
    fn whole_numbers_make_the_same_profiles(
        accuracy in 0..=1_000_010_u32, mean in any::<u32>(), deviation in any::<u32>()
    ) {
        let [percent, mean_ms, deviation_ms] =
            [(accuracy, 1e4), (mean, 1e3), (deviation, 1e3)].map(|(number, scale)| f64::from(number) / scale);
        prop_assert_eq!(
            Profile::from_ppm_and_micros(accuracy, mean, deviation),
            Profile::from_percent_and_millis(percent, mean_ms, deviation_ms)
        );
    }

    #[test]
    fn what_gets_in_is_the_nearest_step(value in any::<f64>(), fraction in 0.0..1.001) {
        for (top, step, check) in SCALES {
            for value in [value, fraction * top] {
                let inside = value >= 0.0 && value < top + step / 2.0;
                prop_assert_eq!(check(value).is_ok(), inside, "{}", value);
            }
        }
        if let Ok(accuracy) = Accuracy::from_fraction(fraction) {
            prop_assert!((f64::from(accuracy.as_ppm()) - fraction * 1e6).abs() <= 0.500_001);
        }
    }
}

/// Everything a user may read when something is refused.
#[test]
fn messages() {
    let mut text = String::new();
    let mut line = |message: &dyn Display| writeln!(text, "{message}").unwrap();
    let bad: Vec<f64> = IMPOSSIBLE.map(|(number, _)| number).into_iter().step_by(2).chain([1e10]).collect();
    for &number in &bad {
        for (accuracy, mean, deviation) in [(number, 1.0, 1.0), (1.0, number, 1.0), (1.0, 1.0, number)] {
            let profile = Profile::from_percent_and_millis(accuracy, mean, deviation);
            line(&profile.unwrap_err());
            line(&Catalog::<1>::try_new([profile]).unwrap_err());
        }
    }
    for number in bad.into_iter().chain([0.0]) {
        if let Err(error) = Margin::new(number) {
            line(&format_args!("margin {error}"));
        }
    }
    line(&format_args!("sharpness {}", Sharpness::new(0).unwrap_err()));
    let profile = Profile::default();
    line(&Catalog::<2>::new([]).unwrap_err());
    line(&Catalog::<2>::new([profile; 3]).unwrap_err());
    let mut catalog = Catalog::<1>::new([profile]).unwrap();
    let id = catalog.id(0).unwrap();
    line(&catalog.add(profile).unwrap_err());
    line(&catalog.remove(id).unwrap_err());
    assert!(catalog.replace(id, profile).is_ok());
    line(&catalog.remove(id).unwrap_err());
    line(&NothingEligible { not_allowed: 1, below_minimum_accuracy: 2, above_maximum_cost: 3 });
    assert_expected("construction/messages.txt", &text);
}
