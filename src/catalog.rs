//! [`Catalog`]: the functionally-equivalent models M that a request may be answered by (Section III).

use core::cmp::Ordering;
use core::fmt;

use heapless::Vec;

use crate::profile::{Latency, Profile, ProfileError};

/// A model of a catalog: its place, from 0 in the order given at construction, and a tag by which the catalog knows it.
///
/// [`Catalog::id`] gives it. A catalog knows neither the ids of other catalogs nor those of models that it has removed or
/// replaced: the tag is a hash of all that the catalog was made of, and moves on with each model that its place is given
/// to. One in 65,536 catalogs has the tag of another by chance; replicas made of the same profiles have the same ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "serde_impl::Written", into = "serde_impl::Written"))]
// The place in the lower half and the tag in the upper: one number, so that ids are compared and moved as one.
pub struct ModelId(u32);

impl ModelId {
    const fn new(place: u16, tag: u16) -> Self {
        Self((tag as u32) << 16 | place as u32)
    }

    /// The place as an array index.
    pub const fn index(self) -> usize {
        self.place() as usize
    }

    pub(crate) const fn place(self) -> u16 {
        self.0 as u16
    }

    /// A number that is in the order of the ids.
    pub(crate) const fn by_place(self) -> u32 {
        self.0.rotate_left(16)
    }
}

/// By place.
impl Ord for ModelId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.by_place().cmp(&other.by_place())
    }
}

impl PartialOrd for ModelId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The place.
impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.place(), f)
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
/// that a decision does not depend on that order. It takes 24 bytes for each of the `N`.
#[derive(Clone, Debug)]
// paper: III, functionally-equivalent models
pub struct Catalog<const N: usize> {
    profiles: Vec<Profile, N>,
    tags: Vec<Tag, N>,
    /// Ids by μ, then σ, then accuracy, then id.
    order: Vec<ModelId, N>,
}

/// By which ids a place goes, and where in the order its model is; [`NOWHERE`] if there is none now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag {
    number: u16,
    ordered: u16,
}

/// Past the place of any model.
const NOWHERE: u16 = u16::MAX;

/// The same models at the same places, whatever their tags.
impl<const N: usize> PartialEq for Catalog<N> {
    fn eq(&self, other: &Self) -> bool {
        let by_place = |model: Model| (model.id.place(), model.profile);
        self.places().models().map(by_place).eq(other.places().models().map(by_place))
    }
}

impl<const N: usize> Eq for Catalog<N> {}

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
        let mut catalog = Self { profiles: Vec::new(), tags: Vec::new(), order: Vec::new() };
        for (index, profile) in profiles.into_iter().enumerate() {
            let profile = profile.map_err(|error| CatalogError::Model { model: index, error })?;
            catalog.profiles.push(profile).map_err(|_| CatalogError::Full { capacity: N })?;
        }
        if catalog.profiles.is_empty() {
            return Err(CatalogError::Empty);
        }
        let number = upper_bits(catalog.profiles.iter().fold(0, hashed));
        // As many as there are profiles, so there is room.
        for place in 0..catalog.profiles.len() as u16 {
            let _ = catalog.tags.push(Tag { number, ordered: NOWHERE });
            let _ = catalog.order.push(ModelId::new(place, number));
        }
        let Self { profiles, order, .. } = &mut catalog;
        sort(order, key_in(profiles));
        catalog.note_order();
        Ok(catalog)
    }

    /// Makes this the same as another, at the cost of what is filled.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        let Self { profiles, tags, order } = self;
        copy_filled(profiles, &other.profiles);
        copy_filled(tags, &other.tags);
        copy_filled(order, &other.order);
    }

    /// The catalog of so many profiles, the first of which becomes model 0: what [`catalog!`](crate::catalog!) makes, or
    /// for a constant whose profiles are constants already.
    #[expect(clippy::indexing_slicing, reason = "places below N, of arrays of N")]
    pub const fn of(profiles: [Profile; N]) -> Self {
        let () = Self::CAPACITY_FITS_MODEL_ID;
        let (mut hash, mut place) = (0, 0);
        while place < N {
            hash = hashed(hash, &profiles[place]);
            place = place.wrapping_add(1);
        }
        let number = upper_bits(hash);
        let mut order = [ModelId::new(0, number); N];
        let mut count = 0;
        while count < N {
            let id = ModelId::new(count as u16, number);
            // Past all before it that come after it.
            let mut to = count;
            while let Some(before) = to.checked_sub(1)
                && by_mean(&profiles[order[before].index()], order[before]) > by_mean(&profiles[count], id)
            {
                order[to] = order[before];
                to = before;
            }
            order[to] = id;
            count = count.wrapping_add(1);
        }
        let mut tags = [Tag { number, ordered: NOWHERE }; N];
        let mut ordered = 0;
        while ordered < N {
            tags[order[ordered].index()].ordered = ordered as u16;
            ordered = ordered.wrapping_add(1);
        }
        Self {
            profiles: Vec::from_array(profiles),
            tags: Vec::from_array(tags),
            order: Vec::from_array(order),
        }
    }

    /// How many models there are; never zero.
    #[expect(clippy::len_without_is_empty, reason = "a catalog is never empty")]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// The id of the model at a place, or `None` if there is none.
    pub fn id(&self, place: usize) -> Option<ModelId> {
        self.places().id(place)
    }

    /// The profile of one model, or `None` for an id of some other catalog, or of a model that is no more.
    pub fn get(&self, id: ModelId) -> Option<&Profile> {
        self.places().get(id)
    }

    /// All models by μ (then σ, accuracy and id).
    pub fn models(&self) -> impl DoubleEndedIterator<Item = Model> + ExactSizeIterator + Clone + '_ {
        self.order.iter().map(|&id| Model { id, profile: self.known(id) })
    }

    /// The profiles by their places. The profile of a removed model stays until its place is given to another.
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// Changes what is known of one model, which stays the same model; gives back the old profile, or `None`, and changes
    /// nothing, for an id that it does not know.
    pub fn update(&mut self, id: ModelId, profile: Profile) -> Option<Profile> {
        self.change(id, profile).map(|changed| changed.old)
    }

    /// As [`Catalog::update`], and says how the order changed.
    #[inline]
    pub(crate) fn change(&mut self, id: ModelId, profile: Profile) -> Option<Changed> {
        let old = *self.get(id)?;
        let Self { profiles, tags, order } = self;
        *profiles.get_mut(id.index())? = profile;
        let from = tags.get(id.index())?.ordered.into();
        let keys = (by_mean(&old, id), by_mean(&profile, id));
        let moved = reorder(order, from, keys, key_in(profiles), |id, place| note(tags, id, place));
        Some(Changed { old, moved })
    }

    /// Adds a model: at the first place that is vacant, or else at the end.
    ///
    /// # Errors
    /// [`CatalogError::Full`] if there is no room.
    pub fn add(&mut self, profile: Profile) -> Result<ModelId, CatalogError> {
        let full = CatalogError::Full { capacity: N };
        let place = match self.tags.iter().position(|tag| tag.ordered == NOWHERE) {
            Some(place) => place,
            None => {
                // Of what the catalog was made of too, by the tag of the place before. Not a tag that a place of this
                // catalog was made with, as far as chance allows.
                let before = self.tags.last().map_or(0, |tag| tag.number.into());
                let number = upper_bits(hashed(before, &profile));
                self.profiles.push(profile).map_err(|_| full)?;
                let _ = self.tags.push(Tag { number, ordered: NOWHERE });
                self.tags.len().saturating_sub(1)
            }
        };
        let (slot, tag) = self.profiles.get_mut(place).zip(self.tags.get_mut(place)).ok_or(full)?;
        *slot = profile;
        tag.number = tag.number.wrapping_add(1);
        let id = ModelId::new(place as u16, tag.number);
        let Self { profiles, tags, order } = self;
        let last = order.len();
        note(tags, id, last as u16);
        // There is room for as many as there are places.
        let _ = order.push(id);
        let keys = (u128::MAX, by_mean(&profile, id));
        reorder(order, last, keys, key_in(profiles), |id, place| note(tags, id, place));
        Ok(id)
    }

    /// Removes a model and gives back its profile. The others keep their ids.
    ///
    /// # Errors
    /// [`CatalogError::Unknown`] for an id that it does not know, [`CatalogError::Empty`] for the last model.
    pub fn remove(&mut self, id: ModelId) -> Result<Profile, CatalogError> {
        let profile = *self.get(id).ok_or(CatalogError::Unknown)?;
        if self.order.len() < 2 {
            return Err(CatalogError::Empty);
        }
        let tag = self.tags.get_mut(id.index()).ok_or(CatalogError::Unknown)?;
        let place = core::mem::replace(&mut tag.ordered, NOWHERE);
        if let Some(rest @ [_, ..]) = self.order.get_mut(place.into()..) {
            rest.rotate_left(1);
        }
        self.order.pop();
        self.note_order();
        Ok(profile)
    }

    /// Puts another model in the place of one, under an id of its own. The others keep theirs.
    ///
    /// # Errors
    /// [`CatalogError::Unknown`] for an id that it does not know.
    pub fn replace(&mut self, id: ModelId, profile: Profile) -> Result<ModelId, CatalogError> {
        self.change(id, profile).ok_or(CatalogError::Unknown)?;
        let tag = self.tags.get_mut(id.index()).ok_or(CatalogError::Unknown)?;
        tag.number = tag.number.wrapping_add(1);
        let new = ModelId::new(id.place(), tag.number);
        if let Some(slot) = self.order.get_mut(usize::from(tag.ordered)) {
            *slot = new;
        }
        Ok(new)
    }

    /// Writes down where in the order each model is.
    fn note_order(&mut self) {
        let Self { tags, order, .. } = self;
        order.iter().zip(0..).for_each(|(&id, place)| note(tags, id, place));
    }

    /// The profile of a model whose id is one of its own.
    #[inline(always)]
    pub(crate) fn known(&self, id: ModelId) -> Profile {
        self.profiles.get(id.index()).copied().unwrap_or_default()
    }

    /// The models by their places, without the capacity.
    pub(crate) fn places(&self) -> Places<'_> {
        Places { profiles: &self.profiles, tags: &self.tags }
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

/// The models of a catalog by their places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    profiles: &'a [Profile],
    tags: &'a [Tag],
}

impl<'a> Places<'a> {
    #[inline]
    fn id(self, place: usize) -> Option<ModelId> {
        let tag = self.tags.get(place).filter(|tag| tag.ordered != NOWHERE)?;
        Some(ModelId::new(place as u16, tag.number))
    }

    #[inline]
    pub(crate) fn get(self, id: ModelId) -> Option<&'a Profile> {
        let known = self.id(id.index()) == Some(id);
        self.profiles.get(id.index()).filter(|_| known)
    }

    pub(crate) fn models(self) -> impl Iterator<Item = Model> + Clone + 'a {
        let places = self.profiles.iter().enumerate();
        places.filter_map(move |(place, &profile)| Some(Model { id: self.id(place)?, profile }))
    }
}

/// The hash goes on with one more profile (FNV-1a, a word at a time).
const fn hashed(hash: u64, profile: &Profile) -> u64 {
    let Latency { mean, deviation } = profile.latency;
    let hash = taking(hash ^ 0xCBF2_9CE4_8422_2325, profile.accuracy.as_ppm());
    taking(taking(taking(hash, mean.get()), deviation.get()), profile.cost.0)
}

const fn taking(hash: u64, word: u32) -> u64 {
    (hash ^ word as u64).wrapping_mul(0x0000_0100_0000_01B3)
}

/// 16 bits of a hash, on each of which the last word has a bearing too: without one more multiplication a change there of
/// less than 2⁸ seldom reaches them.
const fn upper_bits(hash: u64) -> u16 {
    (hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as u16
}

/// What [`Catalog::change`] did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Changed {
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
        if from == to {
            return;
        }
        let (first, last) = self.ends();
        match items.get_mut(first..=last) {
            Some(between @ [_, _, ..]) if from < to => between.rotate_left(1),
            Some(between @ [_, _, ..]) => between.rotate_right(1),
            _ => {}
        }
    }

    /// The places from which and up to which there was a change.
    #[inline]
    pub(crate) fn ends(self) -> (usize, usize) {
        (self.from.min(self.to), self.from.max(self.to))
    }
}

fn note(tags: &mut [Tag], id: ModelId, place: u16) {
    if let Some(tag) = tags.get_mut(id.index()) {
        tag.ordered = place;
    }
}

/// Makes one list the same as another: what both have is copied as a whole, where a clone goes item by item.
pub(crate) fn copy_filled<T: Copy, const N: usize>(items: &mut Vec<T, N>, others: &Vec<T, N>) {
    items.truncate(others.len());
    let both = items.len();
    copy_first(both, items, others);
    for &other in others.iter().skip(both) {
        // Both have room for as many.
        let _ = items.push(other);
    }
}

/// Copies so many items, where there are as many.
pub(crate) fn copy_first<T: Copy>(count: usize, items: &mut [T], others: &[T]) {
    if let (Some(items), Some(others)) = (items.get_mut(..count), others.get(..count)) {
        items.copy_from_slice(others);
    }
}

/// Sorts ids by their keys.
pub(crate) fn sort<K: Ord, const N: usize>(ids: &mut Vec<ModelId, N>, key: impl Fn(ModelId) -> K) {
    // Up to `N` of them, so that the compiler sees how few they may be: the sort of a few has no panic.
    let count = ids.len().min(N);
    ids.get_mut(..count).unwrap_or_default().sort_unstable_by_key(|&id| key(id));
}

/// Moves the id at a place of `order`, which is sorted by `key` but for it, whose key was `old`, to where its new key belongs:
/// past its neighbours one by one, since what is known of a model changes little at a time. Notes where each id that it
/// touches is then.
#[inline]
pub(crate) fn reorder<K: Ord>(
    order: &mut [ModelId],
    from: usize,
    (old, new): (K, K),
    key: impl Fn(ModelId) -> K,
    mut note: impl FnMut(ModelId, u16),
) -> Move {
    let mut to = from;
    if new < old {
        while order.get(to.wrapping_sub(1)).is_some_and(|&before| key(before) > new) {
            to = to.wrapping_sub(1);
        }
    } else {
        while order.get(to.wrapping_add(1)).is_some_and(|&after| key(after) < new) {
            to = to.wrapping_add(1);
        }
    }
    let moved = Move { from, to };
    if from != to {
        moved.apply(order);
        let (first, last) = moved.ends();
        let touched = order.iter().zip(0..).take(last.wrapping_add(1)).skip(first);
        touched.for_each(|(&id, place)| note(id, place));
    }
    moved
}

/// What models are ordered by: μ, then σ, then accuracy, then place.
const fn by_mean(profile: &Profile, id: ModelId) -> u128 {
    let Profile { accuracy, latency: Latency { mean, deviation }, .. } = *profile;
    (mean.get() as u128) << 96
        | (deviation.get() as u128) << 64
        | (accuracy.as_ppm() as u128) << 32
        | id.by_place() as u128
}

fn key_in(profiles: &[Profile]) -> impl Fn(ModelId) -> u128 {
    |id| by_mean(&profiles.get(id.index()).copied().unwrap_or_default(), id)
}

/// A [`Catalog`] of constants, checked and sorted by the compiler: for each model its accuracy in percent, and mean and
/// standard deviation in milliseconds. In a `static` it lies in flash, and a selection goes straight to it.
///
/// ```
/// use mdinference::{Budget, Catalog, Draw, Micros, Policy, catalog};
///
/// static ZOO: Catalog<3> = catalog![(82.6, 112.61, 0.36), (49.7, 3.21, 0.08), (77.9, 31.11, 0.19)];
///
/// let decision = ZOO.select(&Policy::PAPER, Budget::of(Micros::from_millis(60)), Draw::from_id(1));
/// assert_eq!(decision.model.index(), 2);
/// ```
///
/// What can't be a profile does not compile:
///
/// ```compile_fail,E0080
/// # use mdinference::{Catalog, catalog};
/// static ZOO: Catalog<1> = catalog![(100.1, 112.61, 0.36)];
/// ```
#[macro_export]
macro_rules! catalog {
    ($(($accuracy:expr, $mean:expr, $deviation:expr)),+ $(,)?) => {
        const {
            $crate::Catalog::of([$(
                match $crate::Profile::from_percent_and_millis($accuracy, $mean, $deviation) {
                    Ok(profile) => profile,
                    // While it is compiled, and never in a program: all of it is a constant.
                    Err(_) => panic!("accuracies are 0 to 100 percent, times 0 to 2147483.647 milliseconds"),
                }
            ),+])
        }
    };
}

/// Why a catalog can't be.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum CatalogError {
    /// There would be no model.
    Empty,
    /// The catalog does not know this id: it is of another one, or of a model that is no more.
    Unknown,
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
            Self::Empty => f.write_str("a catalog has at least one model"),
            Self::Unknown => f.write_str("the catalog has no model of this id"),
            Self::Full { capacity } => write!(f, "more models than the catalog's capacity of {capacity}"),
            Self::Model { model, error } => write!(f, "model {model}: {error}"),
        }
    }
}

impl core::error::Error for CatalogError {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    pub(crate) const MODELS: usize = 24;

    /// What may be done, by a number, with the model at a place.
    pub(crate) fn operation() -> impl Strategy<Value = (u8, usize, Profile)> {
        (0..8_u8, 0..MODELS, profile())
    }

    /// Of few values, so that many are equal.
    pub(crate) fn profile() -> impl Strategy<Value = Profile> {
        (0..12_u32, 0..3_u32, 0..4_u32).prop_map(|(mean, deviation, accuracy)| {
            Profile::from_percent_and_millis(accuracy.into(), mean.into(), deviation.into()).unwrap()
        })
    }

    /// Adds, removes or replaces a model; `false` if its profile is to be updated instead.
    pub(crate) fn come_or_go(
        catalog: &mut Catalog<MODELS>,
        operation: u8,
        id: ModelId,
        profile: Profile,
    ) -> bool {
        match operation {
            0 => drop(catalog.add(profile)),
            1 => drop(catalog.remove(id)),
            2 => drop(catalog.replace(id, profile)),
            _ => return false,
        }
        true
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn places_in_the_order_are_known(
            profiles in vec(profile(), 1..=MODELS),
            operations in vec(operation(), 0..100),
        ) {
            let mut catalog = Catalog::<MODELS>::new(profiles).unwrap();
            for (operation, place, profile) in operations {
                let id = catalog.id(place).unwrap_or_default();
                if !come_or_go(&mut catalog, operation, id, profile) {
                    catalog.update(id, profile);
                }
                prop_assert!(catalog.order.is_sorted_by_key(|&id| key_in(&catalog.profiles)(id)));
                for (place, tag) in catalog.tags.iter().enumerate() {
                    let ordered = catalog.order.iter().position(|id| id.index() == place);
                    prop_assert_eq!(tag.ordered, ordered.map_or(NOWHERE, |at| at as u16));
                    prop_assert_eq!(ordered.map(|at| catalog.order[at]), catalog.id(place));
                }
            }
        }
    }
}

#[cfg(feature = "serde")]
mod serde_impl {
    use core::fmt;
    use core::marker::PhantomData;

    use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
    use serde::ser::{Serialize, SerializeSeq, Serializer};

    use super::{Catalog, CatalogError, ModelId};
    use crate::profile::Profile;

    /// An id as it is written.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(rename = "ModelId", deny_unknown_fields)]
    pub(super) struct Written {
        place: u16,
        tag: u16,
    }

    impl From<Written> for ModelId {
        fn from(Written { place, tag }: Written) -> Self {
            Self::new(place, tag)
        }
    }

    impl From<ModelId> for Written {
        fn from(id: ModelId) -> Self {
            Self { place: id.place(), tag: (id.0 >> 16) as u16 }
        }
    }

    /// A sequence of profiles in the order of their ids.
    impl<const N: usize> Serialize for Catalog<N> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut profiles = serializer.serialize_seq(Some(self.len()))?;
            self.places().models().try_for_each(|model| profiles.serialize_element(&model.profile))?;
            profiles.end()
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
