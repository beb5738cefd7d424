//! [`Line`]: those who wait, in the order of their deadlines.
//!
//! A ring of keys in order beside slots that stay where they are. Whoever comes in between moves the keys of the nearer
//! end on by one, which for a thousand waiting is less than what a heap's branches cost; and the order can be read as it
//! is, for batches and for those behind the first.

use heapless::{Deque, Vec};

use crate::time::Timestamp;

/// A place in the queue, which [`Queue::put`](super::Queue::put) gives: to cancel what waits there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Waiting {
    deadline: Timestamp,
    slot: u16,
    turn: u32,
}

/// Of equal deadlines, the first to come is the first.
#[derive(Clone, Debug)]
pub(super) struct Line<T, const CAPACITY: usize> {
    order: Deque<Key, CAPACITY>,
    slots: Vec<Slot<T>, CAPACITY>,
    /// The first of the slots that are free, each of which knows the next.
    free: Option<u16>,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    deadline: Timestamp,
    slot: u16,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    /// How often it has been freed: by which old places are recognised.
    turn: u32,
    content: Content<T>,
}

#[derive(Clone, Debug)]
enum Content<T> {
    Waits(T),
    Free { next: Option<u16> },
}

impl<T, const CAPACITY: usize> Line<T, CAPACITY> {
    const SLOTS_HAVE_NUMBERS: () = assert!(CAPACITY > 0 && CAPACITY <= 65_536);

    pub(super) const fn new() -> Self {
        let () = Self::SLOTS_HAVE_NUMBERS;
        Self { order: Deque::new(), slots: Vec::new(), free: None }
    }

    pub(super) const fn len(&self) -> usize {
        self.order.len()
    }

    /// Gives the newcomer back if there is no room.
    pub(super) fn put(&mut self, deadline: Timestamp, newcomer: T) -> Result<Waiting, T> {
        let (number, turn) = match self.free {
            Some(number) => {
                let Some(slot) = self.slots.get_mut(usize::from(number)) else { return Err(newcomer) };
                if let Content::Free { next } = slot.content {
                    self.free = next;
                }
                slot.content = Content::Waits(newcomer);
                (number, slot.turn)
            }
            None => {
                let number = self.slots.len() as u16;
                let slot = Slot { turn: 0, content: Content::Waits(newcomer) };
                if let Err(Slot { content: Content::Waits(newcomer), .. }) = self.slots.push(slot) {
                    return Err(newcomer);
                }
                (number, 0)
            }
        };
        self.insert(Key { deadline, slot: number });
        Ok(Waiting { deadline, slot: number, turn })
    }

    /// The one at this place of the order, with its deadline.
    pub(super) fn get(&self, place: usize) -> Option<(Timestamp, &T)> {
        let key = self.key(place)?;
        match &self.slots.get(usize::from(key.slot))?.content {
            Content::Waits(content) => Some((key.deadline, content)),
            Content::Free { .. } => None,
        }
    }

    /// Takes out the one at this place of the order.
    pub(super) fn take(&mut self, place: usize) -> Option<T> {
        let key = self.remove(place)?;
        let slot = self.slots.get_mut(usize::from(key.slot))?;
        slot.turn = slot.turn.wrapping_add(1);
        let content = core::mem::replace(&mut slot.content, Content::Free { next: self.free });
        self.free = Some(key.slot);
        match content {
            Content::Waits(content) => Some(content),
            Content::Free { .. } => None,
        }
    }

    /// Takes out whoever waits there, if it is still the same.
    pub(super) fn cancel(&mut self, waiting: Waiting) -> Option<T> {
        let slot = self.slots.get(usize::from(waiting.slot))?;
        if slot.turn != waiting.turn || matches!(slot.content, Content::Free { .. }) {
            return None;
        }
        let mut place = self.places_before(|deadline| deadline < waiting.deadline);
        while self.key(place)?.slot != waiting.slot {
            place = place.wrapping_add(1);
        }
        self.take(place)
    }

    fn key(&self, place: usize) -> Option<Key> {
        let (front, back) = self.order.as_slices();
        front.get(place).or_else(|| back.get(place.wrapping_sub(front.len()))).copied()
    }

    /// How many come before, by their deadlines.
    fn places_before(&self, before: impl Fn(Timestamp) -> bool) -> usize {
        let (front, back) = self.order.as_slices();
        let before = |key: &Key| before(key.deadline);
        match back.first() {
            Some(first) if before(first) => front.len().wrapping_add(back.partition_point(before)),
            _ => front.partition_point(before),
        }
    }

    fn insert(&mut self, key: Key) {
        let place = self.places_before(|deadline| deadline <= key.deadline);
        // There are as many keys as slots, so there is room.
        if place < self.len() / 2 {
            let _ = self.order.push_front(key);
            self.send_first_to(place);
        } else {
            let _ = self.order.push_back(key);
            self.send_last_to(place);
        }
    }

    fn remove(&mut self, place: usize) -> Option<Key> {
        if place >= self.len() {
            None
        } else if place < self.len() / 2 {
            self.bring_to_front(place);
            self.order.pop_front()
        } else {
            self.bring_to_back(place);
            self.order.pop_back()
        }
    }

    /// Moves the first key to a place, those up to there one to the front.
    fn send_first_to(&mut self, place: usize) {
        let (front, back) = self.order.as_mut_slices();
        match place.checked_sub(front.len()) {
            None => left(front.get_mut(..=place)),
            Some(place) => {
                left(Some(front));
                left(back.get_mut(..=place));
                swap(front.last_mut(), back.get_mut(place));
            }
        }
    }

    /// Moves the last key to a place, those from there on one to the back.
    fn send_last_to(&mut self, place: usize) {
        let (front, back) = self.order.as_mut_slices();
        match place.checked_sub(front.len()) {
            Some(place) => right(back.get_mut(place..)),
            None => {
                right(Some(back));
                right(front.get_mut(place..));
                swap(front.get_mut(place), back.first_mut());
            }
        }
    }

    /// Moves the key at a place to the front, those before it one to the back.
    fn bring_to_front(&mut self, place: usize) {
        let (front, back) = self.order.as_mut_slices();
        match place.checked_sub(front.len()) {
            None => right(front.get_mut(..=place)),
            Some(place) => {
                swap(front.last_mut(), back.get_mut(place));
                right(back.get_mut(..=place));
                right(Some(front));
            }
        }
    }

    /// Moves the key at a place to the back, those behind it one to the front.
    fn bring_to_back(&mut self, place: usize) {
        let (front, back) = self.order.as_mut_slices();
        match place.checked_sub(front.len()) {
            Some(place) => left(back.get_mut(place..)),
            None => {
                swap(front.get_mut(place), back.first_mut());
                left(front.get_mut(place..));
                left(Some(back));
            }
        }
    }
}

fn left(keys: Option<&mut [Key]>) {
    if let Some(keys @ [_, ..]) = keys {
        keys.rotate_left(1);
    }
}

fn right(keys: Option<&mut [Key]>) {
    if let Some(keys @ [_, ..]) = keys {
        keys.rotate_right(1);
    }
}

fn swap(one: Option<&mut Key>, other: Option<&mut Key>) {
    if let (Some(one), Some(other)) = (one, other) {
        core::mem::swap(one, other);
    }
}
