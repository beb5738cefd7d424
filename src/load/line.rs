//! [`Line`]: those who wait, by their deadlines.
//!
//! A heap of keys beside slots that stay where they are. Batches look at the earliest few in order: those are taken from
//! the heap once, and stand sorted behind it in the same list. With a thousand waiting, a ring of keys in order took half
//! as long again to put in and hand out, and two and a half times as long to put in and cancel.

use heapless::Vec;

use crate::load::heap::{Heap, Key};
use crate::time::Timestamp;

/// A place in the queue, which [`Queue::put`](super::Queue::put) gives: to cancel what waits there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Waiting(Key);

/// Of equal deadlines, the first to come is the first.
#[derive(Clone, Debug)]
pub(super) struct Line<T, const CAPACITY: usize> {
    /// Those of the heap; the sorted ones, the earliest last; and those who are gone, whose slots are free.
    keys: Vec<Key, CAPACITY>,
    /// How many are in the heap. None of them comes before a sorted one.
    heaped: usize,
    len: usize,
    slots: Vec<Option<T>, CAPACITY>,
    /// Where in the heap the key of each slot is, if it is there.
    places: Vec<u16, CAPACITY>,
    /// How many have come.
    come: u64,
}

/// No newcomer is sorted into so many without the latest of them going back into the heap: up to here that costs more than
/// to move those behind it.
const MANY: usize = 128;

impl<T, const CAPACITY: usize> Line<T, CAPACITY> {
    const SLOTS_HAVE_NUMBERS: () = assert!(CAPACITY > 0 && CAPACITY <= 65_536);

    pub(super) const fn new() -> Self {
        let () = Self::SLOTS_HAVE_NUMBERS;
        Self { keys: Vec::new(), heaped: 0, len: 0, slots: Vec::new(), places: Vec::new(), come: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Gives the newcomer back if there is no room.
    #[inline]
    pub(super) fn put(&mut self, deadline: Timestamp, newcomer: T) -> Result<Waiting, T> {
        if self.len == self.keys.len() {
            if self.slots.push(None).is_err() {
                return Err(newcomer);
            }
            let _ = self.places.push(0);
            let _ = self.keys.push(Key::new(deadline, 0, self.len));
        }
        let slot = self.keys.get(self.len).map_or(0, |gone| gone.slot());
        if let Some(free) = self.slots.get_mut(slot) {
            *free = Some(newcomer);
        }
        let key = Key::new(deadline, self.come, slot);
        self.come = self.come.wrapping_add(1);
        self.insert(key);
        Ok(Waiting(key))
    }

    /// The one at this place of the order, with its deadline: of the sorted ones, and the next.
    #[inline]
    pub(super) fn get(&self, place: usize) -> Option<(Timestamp, &T)> {
        let sorted = self.len.wrapping_sub(self.heaped);
        let key = match sorted.checked_sub(place.wrapping_add(1)) {
            Some(later) => self.keys.get(self.heaped.wrapping_add(later))?,
            None if place == sorted && self.heaped > 0 => self.keys.first()?,
            None => return None,
        };
        Some((key.deadline(), self.slots.get(key.slot())?.as_ref()?))
    }

    /// Sorts the first so many.
    pub(super) fn sort(&mut self, count: usize) {
        while self.heaped > 0 && self.len.wrapping_sub(self.heaped) < count {
            self.lift(0);
        }
    }

    /// Takes out the one at this place of the order.
    pub(super) fn take(&mut self, place: usize) -> Option<T> {
        self.sort(place.wrapping_add(1));
        self.remove(self.len.checked_sub(place)?.checked_sub(1)?)
    }

    /// Takes out whoever waits there, if it is still the same.
    pub(super) fn cancel(&mut self, Waiting(key): Waiting) -> Option<T> {
        let place = usize::from(*self.places.get(key.slot())?);
        let (heap, sorted) = self.keys.get(..self.len)?.split_at_checked(self.heaped)?;
        if heap.get(place) == Some(&key) {
            self.lift(place);
            self.remove(self.heaped)
        } else {
            let place = sorted.binary_search_by(|other| key.cmp(other)).ok()?;
            self.remove(self.heaped.wrapping_add(place))
        }
    }

    /// Puts a key among the sorted ones, and the latest of them into the heap if it is the newcomer or they are many.
    fn insert(&mut self, key: Key) {
        let sorted = self.keys.get(self.heaped..self.len).unwrap_or_default();
        let many = sorted.len() >= MANY;
        let place = self.heaped.wrapping_add(sorted.partition_point(|other| *other > key));
        if let Some(gone) = self.keys.get_mut(self.len) {
            *gone = key;
        }
        self.len = self.len.wrapping_add(1);
        if let Some(from @ [_, _, ..]) = self.keys.get_mut(place..self.len) {
            from.rotate_right(1);
        }
        if place == self.heaped || many {
            let last = self.heaped;
            self.heaped = last.wrapping_add(1);
            let Some(keys) = self.keys.get_mut(..self.heaped) else { return };
            let latest = keys.last().copied().unwrap_or(key);
            Heap { keys, places: &mut self.places }.rise(last, latest);
        }
    }

    /// Makes one of the heap the latest of the sorted ones.
    fn lift(&mut self, place: usize) {
        let Some((last, keys)) = self.keys.get_mut(..self.heaped).and_then(<[_]>::split_last_mut) else {
            return;
        };
        self.heaped = keys.len();
        // Unless it is the last.
        if let Some(key) = (Heap { keys, places: &mut self.places }).replace(place, *last) {
            *last = key;
        }
    }

    /// Takes out one of the sorted ones, by its place in the list.
    fn remove(&mut self, place: usize) -> Option<T> {
        if let Some(from @ [_, _, ..]) = self.keys.get_mut(place..self.len) {
            from.rotate_left(1);
        }
        self.len = self.len.checked_sub(1)?;
        self.slots.get_mut(self.keys.get(self.len)?.slot())?.take()
    }
}
