//! [`Catalog`]: the functionally-equivalent models M that a request may be answered by (Section III).

use core::fmt;

use heapless::Vec;

use crate::profile::{Profile, ProfileError};

/// A model's place in its catalog, from 0, in the order given at construction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ModelId(u16);

impl ModelId {
    /// The model at `index`, or `None` past what a catalog can hold.
    pub fn new(index: usize) -> Option<Self> {
        u16::try_from(index).ok().map(Self)
    }

    pub(crate) const fn from_place(place: u16) -> Self {
        Self(place)
    }

    /// The place as an array index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A model as the stages of [`select`](mod@crate::select) see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Model {
    /// Which one.
    pub id: ModelId,
    /// What is known of it.
    pub profile: Profile,
}

/// Up to `N` models, at least one; `N` is at most 65,535.
///
/// They do the same job: any of them may answer any request, which is preprocessed on the device for all alike
/// (Section III).
///
/// Models keep their [`ModelId`]; [`Catalog::models`] goes through them by μ, whatever order they were given in, so
/// that a decision does not depend on that order.
#[derive(Clone, Debug, PartialEq, Eq)]
// paper: III, functionally-equivalent models
pub struct Catalog<const N: usize> {
    profiles: Vec<Profile, N>,
    /// Ids by μ, then σ, then accuracy, then id.
    order: Vec<ModelId, N>,
}

impl<const N: usize> Catalog<N> {
    const CAPACITY_FITS_MODEL_ID: () = assert!(N > 0 && N <= u16::MAX as usize);

    /// A catalog of `profiles`, the first of which becomes model 0.
    ///
    /// # Errors
    /// [`CatalogError::Empty`] without any, [`CatalogError::Full`] with more than `N`.
    pub fn new(profiles: impl IntoIterator<Item = Profile>) -> Result<Self, CatalogError> {
        Self::try_new(profiles.into_iter().map(Ok))
    }

    /// A catalog of profiles that may have failed, such as those of
    /// [`Profile::from_percent_and_millis`].
    ///
    /// # Errors
    /// As [`Catalog::new`], and [`CatalogError::Model`] for the first that failed.
    pub fn try_new(
        profiles: impl IntoIterator<Item = Result<Profile, ProfileError>>,
    ) -> Result<Self, CatalogError> {
        let () = Self::CAPACITY_FITS_MODEL_ID;
        let mut catalog = Self { profiles: Vec::new(), order: Vec::new() };
        for (index, profile) in profiles.into_iter().enumerate() {
            let profile = profile.map_err(|error| CatalogError::Model { model: index, error })?;
            let full = CatalogError::Full { capacity: N };
            let id = ModelId::new(index).ok_or(full)?;
            catalog.profiles.push(profile).map_err(|_| full)?;
            catalog.order.push(id).map_err(|_| full)?;
        }
        if catalog.profiles.is_empty() {
            return Err(CatalogError::Empty);
        }
        let Self { profiles, order } = &mut catalog;
        order.sort_unstable_by_key(|&id| (profiles.get(id.index()).map(by_mean), id));
        Ok(catalog)
    }

    /// How many models there are; never zero.
    #[expect(clippy::len_without_is_empty, reason = "a catalog is never empty")]
    pub fn len(&self) -> usize {
        self.profiles.len()
    }

    /// The profile of one model, or `None` for an id of some other catalog.
    pub fn get(&self, id: ModelId) -> Option<&Profile> {
        self.profiles.get(id.index())
    }

    /// All models by μ (then σ, accuracy and id).
    pub fn models(&self) -> impl DoubleEndedIterator<Item = Model> + ExactSizeIterator + Clone + '_ {
        self.order.iter().map(|&id| self.model(id))
    }

    fn model(&self, id: ModelId) -> Model {
        Model { id, profile: self.get(id).copied().unwrap_or_default() }
    }

    /// The profiles in the order of their ids.
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// Replaces the profile of one model and gives back the old one; `None`, and no change, for an unknown id.
    pub fn update(&mut self, id: ModelId, profile: Profile) -> Option<Profile> {
        self.replace(id, profile).map(|replaced| replaced.old)
    }

    /// As [`Catalog::update`], and says how the order changed.
    pub(crate) fn replace(&mut self, id: ModelId, profile: Profile) -> Option<Replaced> {
        let Self { profiles, order } = self;
        let old = *profiles.get(id.index())?;
        let key = |id: ModelId| (profiles.get(id.index()).map(by_mean), id);
        let moved = reorder(order, (Some(by_mean(&old)), id), (Some(by_mean(&profile)), id), key);
        *profiles.get_mut(id.index())? = profile;
        Some(Replaced { old, moved })
    }

    /// The ids in the order of [`Catalog::models`].
    pub(crate) fn order(&self) -> &[ModelId] {
        &self.order
    }

    /// `count` models from a place in the order of [`Catalog::models`].
    pub(crate) fn models_from(&self, place: usize, count: usize) -> impl Iterator<Item = Model> + Clone + '_ {
        self.models().skip(place).take(count)
    }
}

/// What [`Catalog::replace`] did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replaced {
    pub(crate) old: Profile,
    pub(crate) moved: Move,
}

/// One item of a sequence went from one place to another; those between shifted by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Move {
    pub(crate) from: usize,
    pub(crate) to: usize,
}

impl Move {
    /// The same move in a sequence kept in the same order.
    pub(crate) fn apply<T>(self, items: &mut [T]) {
        let Self { from, to } = self;
        let Some(between) = items.get_mut(from.min(to)..=from.max(to)) else { return };
        if from < to {
            between.rotate_left(1);
        } else {
            between.rotate_right(1);
        }
    }
}

/// Moves the one id of `order` whose key goes from `old` to `new`; `key` gives the keys by which `order` is sorted still.
pub(crate) fn reorder<K: Ord>(order: &mut [ModelId], old: K, new: K, key: impl Fn(ModelId) -> K) -> Move {
    let from = order.partition_point(|&other| key(other) < old);
    let below = order.partition_point(|&other| key(other) < new);
    // The model itself is among those below its new place if it moves up.
    let to = if below > from { below.saturating_sub(1) } else { below };
    let moved = Move { from, to };
    moved.apply(order);
    moved
}

/// The part of the order that comes before the id.
fn by_mean(profile: &Profile) -> impl Ord + use<> {
    let latency = profile.latency;
    (latency.mean, latency.deviation, profile.accuracy)
}

/// Why a catalog can't be.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CatalogError {
    /// No model was given.
    Empty,
    /// More models than the capacity.
    Full {
        /// The capacity `N`.
        capacity: usize,
    },
    /// One model's numbers are impossible.
    Model {
        /// Which one, from 0.
        model: usize,
        /// The field, and why.
        error: ProfileError,
    },
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the catalog is empty"),
            Self::Full { capacity } => write!(f, "the catalog holds at most {capacity} models"),
            Self::Model { model, error } => write!(f, "model {model}: {error}"),
        }
    }
}

impl core::error::Error for CatalogError {}

#[cfg(feature = "serde")]
mod serde_impl {
    use core::fmt;
    use core::marker::PhantomData;

    use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
    use serde::ser::{Serialize, Serializer};

    use super::{Catalog, CatalogError};
    use crate::profile::Profile;

    /// A sequence of profiles in the order of their ids.
    impl<const N: usize> Serialize for Catalog<N> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(&self.profiles)
        }
    }

    impl<'de, const N: usize> Deserialize<'de> for Catalog<N> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Profiles<const N: usize>(PhantomData<Catalog<N>>);

            impl<'de, const N: usize> Visitor<'de> for Profiles<N> {
                type Value = Catalog<N>;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "a sequence of 1 to {N} model profiles")
                }

                fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                    let mut profiles = heapless::Vec::<Profile, N>::new();
                    loop {
                        let model = profiles.len();
                        let next = seq
                            .next_element()
                            .map_err(|error| A::Error::custom(format_args!("model {model}: {error}")))?;
                        let Some(profile) = next else { break };
                        profiles
                            .push(profile)
                            .map_err(|_| A::Error::custom(CatalogError::Full { capacity: N }))?;
                    }
                    Catalog::new(profiles).map_err(A::Error::custom)
                }
            }

            deserializer.deserialize_seq(Profiles(PhantomData))
        }
    }
}
