//! How a [`Profile`] and its [`Latency`] are written with serde: in the units that people measure in where people may read
//! it, `accuracy_percent`, `mean_ms` and `deviation_ms`; else as the integers that they are, `accuracy_ppm`, `mean_us` and
//! `deviation_us`. Either way a number is checked as by the constructors, nothing is rounded on the way there and back,
//! and what is wrong is named.

use core::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::number::NumberError;
use crate::profile::{Accuracy, Cost, Field, Latency, Profile, ProfileError};
use crate::time::Micros;

/// One number of a profile, in the two ways in which it may be written.
#[derive(Clone, Copy)]
struct Number {
    /// With its unit, as people read it, and as an integer.
    names: [&'static str; 2],
    /// From what people write.
    measured: fn(f64) -> Result<u32, ProfileError>,
    /// From the integer.
    whole: fn(u32) -> Result<u32, ProfileError>,
    /// What people need not write.
    default: Option<u32>,
}

const ACCURACY: Number = Number {
    names: ["accuracy_percent", "accuracy_ppm"],
    measured: |percent| checked(Field::Accuracy, Accuracy::from_percent(percent).map(Accuracy::as_ppm)),
    whole: |ppm| checked(Field::Accuracy, Accuracy::from_ppm(ppm).map(Accuracy::as_ppm)),
    default: None,
};
const MEAN: Number = Number {
    names: ["mean_ms", "mean_us"],
    measured: |millis| checked(Field::Mean, Micros::try_from_millis(millis).map(Micros::get)),
    whole: |micros| checked(Field::Mean, Micros::try_new(micros).map(Micros::get)),
    default: None,
};
const DEVIATION: Number = Number {
    names: ["deviation_ms", "deviation_us"],
    measured: |millis| checked(Field::Deviation, Micros::try_from_millis(millis).map(Micros::get)),
    whole: |micros| checked(Field::Deviation, Micros::try_new(micros).map(Micros::get)),
    default: None,
};
const COST: Number = Number {
    names: ["cost", "cost"],
    measured: |cost| checked(Field::Cost, crate::number::whole(cost)),
    whole: Ok,
    default: Some(0),
};

const PROFILE: [Number; 4] = [ACCURACY, MEAN, DEVIATION, COST];
const LATENCY: [Number; 2] = [MEAN, DEVIATION];

/// The names by [`Number::names`]; people may give a profile a name, which is passed over here, for names are the
/// caller's.
const PROFILE_NAMES: [&[&str]; 2] = [
    &["accuracy_percent", "mean_ms", "deviation_ms", "cost", NAME],
    &["accuracy_ppm", "mean_us", "deviation_us", "cost", NAME],
];
const LATENCY_NAMES: [&[&str]; 2] = [&["mean_ms", "deviation_ms"], &["mean_us", "deviation_us"]];
const NAME: &str = "name";

fn checked(field: Field, number: Result<u32, NumberError>) -> Result<u32, ProfileError> {
    number.map_err(|error| ProfileError { field, error })
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { accuracy, latency: Latency { mean, deviation }, cost } = *self;
        let people = serializer.is_human_readable();
        let mut fields = serializer.serialize_struct("Profile", PROFILE.len())?;
        if people {
            fields.serialize_field("accuracy_percent", &accuracy.as_percent())?;
            fields.serialize_field("mean_ms", &mean.as_millis())?;
            fields.serialize_field("deviation_ms", &deviation.as_millis())?;
        } else {
            fields.serialize_field("accuracy_ppm", &accuracy.as_ppm())?;
            fields.serialize_field("mean_us", &mean.get())?;
            fields.serialize_field("deviation_us", &deviation.get())?;
        }
        fields.serialize_field("cost", &cost.0)?;
        fields.end()
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let numbers =
            Numbers::new("a model's profile", PROFILE, PROFILE_NAMES, deserializer.is_human_readable());
        let [accuracy, mean, deviation, cost] =
            deserializer.deserialize_struct("Profile", numbers.names(), numbers)?;
        // All of them are checked.
        let latency = Latency { mean: Micros::new(mean), deviation: Micros::new(deviation) };
        let accuracy = Accuracy::from_ppm(accuracy).map_err(D::Error::custom)?;
        Ok(Self::new(accuracy, latency).with_cost(Cost(cost)))
    }
}

impl Serialize for Latency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let people = serializer.is_human_readable();
        let mut fields = serializer.serialize_struct("Latency", LATENCY.len())?;
        if people {
            fields.serialize_field("mean_ms", &self.mean.as_millis())?;
            fields.serialize_field("deviation_ms", &self.deviation.as_millis())?;
        } else {
            fields.serialize_field("mean_us", &self.mean.get())?;
            fields.serialize_field("deviation_us", &self.deviation.get())?;
        }
        fields.end()
    }
}

impl<'de> Deserialize<'de> for Latency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let numbers = Numbers::new("a latency", LATENCY, LATENCY_NAMES, deserializer.is_human_readable());
        let [mean, deviation] = deserializer.deserialize_struct("Latency", numbers.names(), numbers)?;
        Ok(Self { mean: Micros::new(mean), deviation: Micros::new(deviation) })
    }
}

/// Reads numbers, by name or in their order.
struct Numbers<const K: usize> {
    what: &'static str,
    numbers: [Number; K],
    names: [&'static [&'static str]; 2],
    people: bool,
}

impl<const K: usize> Numbers<K> {
    fn new(
        what: &'static str,
        numbers: [Number; K],
        names: [&'static [&'static str]; 2],
        people: bool,
    ) -> Self {
        Self { what, numbers, names, people }
    }

    fn names(&self) -> &'static [&'static str] {
        let [people, whole] = self.names;
        if self.people { people } else { whole }
    }

    fn name(&self, number: &Number) -> &'static str {
        let [people, whole] = number.names;
        if self.people { people } else { whole }
    }
}

impl<'de, const K: usize> Visitor<'de> for Numbers<K> {
    type Value = [u32; K];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with", self.what)?;
        for (number, separator) in
            self.numbers.iter().zip(core::iter::once(" ").chain(core::iter::repeat(", ")))
        {
            write!(f, "{separator}{}", self.name(number))?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<[u32; K], A::Error> {
        let mut values = [None; K];
        while let Some(Key(place)) = map.next_key_seed(KeyOf(self.names()))? {
            let slots = values.iter_mut().zip(&self.numbers);
            let Some((slot, number)) = slots.into_iter().nth(place) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let name = self.name(number);
            if slot.is_some() {
                return Err(A::Error::duplicate_field(name));
            }
            let named = |error: A::Error| A::Error::custom(format_args!("{name}: {error}"));
            *slot = Some(if self.people {
                (number.measured)(map.next_value().map_err(named)?).map_err(A::Error::custom)?
            } else {
                (number.whole)(map.next_value().map_err(named)?).map_err(A::Error::custom)?
            });
        }
        let mut complete = [0; K];
        for ((complete, value), number) in complete.iter_mut().zip(values).zip(&self.numbers) {
            *complete = value.or(number.default).ok_or_else(|| A::Error::missing_field(self.name(number)))?;
        }
        Ok(complete)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<[u32; K], A::Error> {
        let mut complete = [0; K];
        for (place, (complete, number)) in complete.iter_mut().zip(&self.numbers).enumerate() {
            let missing = |_: ()| A::Error::invalid_length(place, &self);
            *complete = if self.people {
                (number.measured)(seq.next_element()?.ok_or(()).map_err(missing)?)
                    .map_err(A::Error::custom)?
            } else {
                (number.whole)(seq.next_element()?.ok_or(()).map_err(missing)?).map_err(A::Error::custom)?
            };
        }
        Ok(complete)
    }
}

/// The place of a field's name among those that there are.
struct Key(usize);
struct KeyOf(&'static [&'static str]);

impl<'de> serde::de::DeserializeSeed<'de> for KeyOf {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeyOf {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
        let place = self.0.iter().position(|known| *known == name);
        place.map(Key).ok_or_else(|| E::unknown_field(name, self.0))
    }
}
