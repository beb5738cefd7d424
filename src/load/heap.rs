//! [`Heap`]: keys of which the first is found at once, in a list where each knows its place.

use core::hint::select_unpredictable;

use crate::time::Timestamp;

/// The deadline in the upper half, then how many had come before (which begins anew after 2⁴⁸), and in the lowest 16 bits
/// the number of a slot: so that one comparison of whole numbers does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(u128);

impl Key {
    pub(super) const fn new(deadline: Timestamp, come: u64, slot: usize) -> Self {
        Self((deadline.as_micros() as u128) << 64 | (come << 16) as u128 | slot as u128)
    }

    pub(super) const fn deadline(self) -> Timestamp {
        Timestamp::from_micros((self.0 >> 64) as u64)
    }

    pub(super) const fn slot(self) -> usize {
        (self.0 & 0xFFFF) as usize
    }
}

/// A key comes before its children: those at `CHILDREN` times its place and on.
pub(super) struct Heap<'a> {
    pub(super) keys: &'a mut [Key],
    /// The place of each, by its slot.
    pub(super) places: &'a mut [u16],
}

/// Of 2, 4 and 8 it is the fastest.
const CHILDREN: usize = 4;

impl Heap<'_> {
    /// Puts another key in the place of one, which it gives back.
    pub(super) fn replace(&mut self, place: usize, other: Key) -> Option<Key> {
        let key = *self.keys.get(place)?;
        // To the bottom, since a key from there seldom belongs much higher.
        let hole = self.sink(place);
        self.rise(hole, other);
        Some(key)
    }

    /// Has a key rise from a place as far as it comes before those above it.
    pub(super) fn rise(&mut self, mut place: usize, key: Key) {
        while let Some(above) = place.checked_sub(1).map(|before| before / CHILDREN)
            && let Some(&parent) = self.keys.get(above)
            && key < parent
        {
            self.set(place, parent);
            place = above;
        }
        self.set(place, key);
    }

    /// Fills a place with the first of its children, and so on down; gives the place that is left.
    fn sink(&mut self, mut place: usize) -> usize {
        let children = |place: usize| place.wrapping_mul(CHILDREN).wrapping_add(1);
        while let Some(all) = self.keys.get(children(place)..).and_then(<[_]>::first_chunk) {
            let (child, key) = first_of(all);
            self.set(place, key);
            place = children(place).wrapping_add(child);
        }
        // Fewer are the last of all.
        let few = self.keys.get(children(place)..).unwrap_or_default();
        if let Some((child, &key)) = few.iter().enumerate().min_by_key(|(_, key)| **key) {
            self.set(place, key);
            place = children(place).wrapping_add(child);
        }
        place
    }

    fn set(&mut self, place: usize, key: Key) {
        if let Some(there) = self.keys.get_mut(place) {
            *there = key;
        }
        if let Some(known) = self.places.get_mut(key.slot()) {
            *known = place as u16;
        }
    }
}

/// The first, and which it is: without a branch, for each of them would be mispredicted half the time.
#[inline(always)]
fn first_of(children: &[Key; CHILDREN]) -> (usize, Key) {
    let first = |one: (usize, Key), other: (usize, Key)| {
        let later = other.1 < one.1;
        (select_unpredictable(later, other.0, one.0), select_unpredictable(later, other.1, one.1))
    };
    let [a, b, c, d] = *children;
    first(first((0, a), (1, b)), first((2, c), (3, d)))
}
