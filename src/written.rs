//! How a [`Profile`] and its [`Latency`] are written with serde: in the units that people measure in where people may read
//! it, else as the integers that they are. Either way a number is checked as by the constructors, and none is rounded on
//! the way there and back.

use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::number::NumberError;
use crate::profile::{Accuracy, Cost, Field, Latency, Profile, ProfileError};
use crate::time::Micros;

/// A profile as people write it. They may give it a name, which is passed over here, for names are the caller's.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Profile", deny_unknown_fields)]
#[serde(expecting = "a profile with accuracy_percent, mean_ms, deviation_ms and cost")]
struct Measured {
    #[serde(deserialize_with = "accuracy_percent")]
    accuracy_percent: f64,
    #[serde(deserialize_with = "mean_ms")]
    mean_ms: f64,
    #[serde(deserialize_with = "deviation_ms")]
    deviation_ms: f64,
    #[serde(default, deserialize_with = "cost")]
    cost: u32,
    #[serde(default, skip_serializing)]
    #[allow(dead_code, reason = "passed over")]
    name: Option<IgnoredAny>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Profile")]
struct Whole {
    accuracy_ppm: u32,
    mean_us: u32,
    deviation_us: u32,
    cost: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Latency", deny_unknown_fields)]
#[serde(expecting = "a latency with mean_ms and deviation_ms")]
struct MeasuredLatency {
    #[serde(deserialize_with = "mean_ms")]
    mean_ms: f64,
    #[serde(deserialize_with = "deviation_ms")]
    deviation_ms: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Latency")]
struct WholeLatency {
    mean_us: u32,
    deviation_us: u32,
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { accuracy, latency: Latency { mean, deviation }, cost: Cost(cost) } = *self;
        if serializer.is_human_readable() {
            let accuracy_percent = accuracy.as_percent();
            let (mean_ms, deviation_ms) = (mean.as_millis(), deviation.as_millis());
            Measured { accuracy_percent, mean_ms, deviation_ms, cost, name: None }.serialize(serializer)
        } else {
            let (mean_us, deviation_us) = (mean.get(), deviation.get());
            Whole { accuracy_ppm: accuracy.as_ppm(), mean_us, deviation_us, cost }.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let profile = if deserializer.is_human_readable() {
            let Measured { accuracy_percent, mean_ms, deviation_ms, cost, .. } =
                Measured::deserialize(deserializer)?;
            Self::from_percent_and_millis(accuracy_percent, mean_ms, deviation_ms)
                .map(|profile| profile.with_cost(Cost(cost)))
        } else {
            let Whole { accuracy_ppm, mean_us, deviation_us, cost } = Whole::deserialize(deserializer)?;
            named(Field::Accuracy, Accuracy::from_ppm(accuracy_ppm)).and_then(|accuracy| {
                Ok(Self::new(accuracy, whole(mean_us, deviation_us)?).with_cost(Cost(cost)))
            })
        };
        profile.map_err(D::Error::custom)
    }
}

impl Serialize for Latency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { mean, deviation } = *self;
        if serializer.is_human_readable() {
            let (mean_ms, deviation_ms) = (mean.as_millis(), deviation.as_millis());
            MeasuredLatency { mean_ms, deviation_ms }.serialize(serializer)
        } else {
            WholeLatency { mean_us: mean.get(), deviation_us: deviation.get() }.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Latency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let latency = if deserializer.is_human_readable() {
            let MeasuredLatency { mean_ms, deviation_ms } = MeasuredLatency::deserialize(deserializer)?;
            Profile::from_percent_and_millis(0.0, mean_ms, deviation_ms).map(|profile| profile.latency)
        } else {
            let WholeLatency { mean_us, deviation_us } = WholeLatency::deserialize(deserializer)?;
            whole(mean_us, deviation_us)
        };
        latency.map_err(D::Error::custom)
    }
}

fn whole(mean_us: u32, deviation_us: u32) -> Result<Latency, ProfileError> {
    let mean = named(Field::Mean, Micros::try_new(mean_us))?;
    Ok(Latency { mean, deviation: named(Field::Deviation, Micros::try_new(deviation_us))? })
}

fn named<T>(field: Field, number: Result<T, NumberError>) -> Result<T, ProfileError> {
    number.map_err(|error| ProfileError { field, error })
}

/// Names the field if what stands there is no such number at all.
macro_rules! fields {
    ($($field:ident: $number:ty)*) => {
        $(fn $field<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$number, D::Error> {
            Deserialize::deserialize(deserializer)
                .map_err(|error| D::Error::custom(format_args!("{}: {error}", stringify!($field))))
        })*
    };
}

fields! { accuracy_percent: f64 mean_ms: f64 deviation_ms: f64 cost: u32 }
