//! [`Agenda`]: when something is due, so that it is known and not looked for.

use crate::server::known::Known;
use crate::server::standing::NEVER;
use crate::time::Timestamp;

/// The earliest time at which something is due, of each [`BLOCK`] of models by their places.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Agenda([Timestamp; BLOCKS]);

/// A server has no more models than so many blocks.
const BLOCKS: usize = 32;
const BLOCK: usize = 32;

impl Agenda {
    pub(super) fn of(known: &[Known]) -> Self {
        let mut agenda = Self([NEVER; BLOCKS]);
        for (earliest, block) in agenda.0.iter_mut().zip(known.chunks(BLOCK)) {
            *earliest = earliest_of(block);
        }
        agenda
    }

    /// Takes in that what is due of the model at a place was due at another time `before`.
    #[inline]
    pub(super) fn moved(&mut self, known: &[Known], place: usize, before: Timestamp) {
        let (Some(known_there), Some(earliest)) = (known.get(place), self.0.get_mut(place / BLOCK)) else {
            return;
        };
        if known_there.trust.due <= *earliest {
            *earliest = known_there.trust.due;
        } else if before <= *earliest {
            *earliest = known.chunks(BLOCK).nth(place / BLOCK).map_or(NEVER, earliest_of);
        }
    }

    /// When the next thing is due.
    pub(super) fn earliest(&self) -> Timestamp {
        self.0.iter().copied().min().unwrap_or(NEVER)
    }

    /// The first place from one on of which something is due by now.
    pub(super) fn due(&self, known: &[Known], from: usize, now: Timestamp) -> Option<usize> {
        let blocks = known.chunks(BLOCK).zip(&self.0).enumerate().skip(from / BLOCK);
        let mut places =
            blocks.filter(|(_, (_, earliest))| **earliest <= now).flat_map(|(block, (known, _))| {
                let first = block.saturating_mul(BLOCK);
                known.iter().zip(first..).filter(|(known, _)| known.trust.due <= now).map(|(_, place)| place)
            });
        places.find(|&place| place >= from)
    }
}

fn earliest_of(block: &[Known]) -> Timestamp {
    block.iter().map(|known| known.trust.due).min().unwrap_or(NEVER)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::{Catalog, ModelId};
    use crate::estimate::Observation;
    use crate::policy::Policy;
    use crate::profile::{Accuracy, Latency, Profile};
    use crate::request::{Budget, Draw};
    use crate::server::{Learning, Report, Server, Share, Told};
    use crate::time::Micros;

    /// In two blocks.
    const MODELS: usize = 40;

    type Operation = (u8, usize, u32);

    fn profile(number: u32) -> Profile {
        let mean = Micros::new(10_000 + number % 50_000);
        let accuracy = Accuracy::from_ppm(number % 1_000_000).unwrap();
        Profile::new(accuracy, Latency { mean, deviation: Micros::new(500) })
    }

    /// Does one thing, of the model at a place, now or later or earlier.
    fn operate(server: &mut Server<MODELS>, now: &mut Timestamp, (operation, place, number): Operation) {
        let model = server.catalog().id(place).unwrap_or_default();
        let began = Timestamp::from_micros(now.as_micros().saturating_sub(number.into()));
        let probe = number % 2 == 0;
        match operation {
            0..=3 => {
                // Ordinary, or too long, or cut short.
                let mean = server.learnt(model).and_then(|learnt| learnt.latency.latency());
                let time = mean.unwrap_or_default().mean.saturating_mul([1, 1, 4][operation as usize % 3]);
                let ended = if operation == 3 { Observation::AtLeast(time) } else { Observation::Took(time) };
                learn(server, model, Told::Ended { began, probe, observation: ended, batch: 1 }, *now);
            }
            4 => learn(server, model, Told::Overdue { began, probe }, *now),
            5 => (0..40).for_each(|_| learn(server, model, Told::Judged { right: probe }, *now)),
            6 | 7 => *now = now.after(Micros::new(number)),
            8 => *now = began,
            9 => *now = (*now).max(server.poll_at().min(now.after(Micros::from_millis(60_000)))),
            10 => drop(server.remove(model)),
            11 => drop(server.add(profile(number))),
            12 => drop(server.replace(model, profile(number))),
            13 => drop(server.add_canary(profile(number), Share::ALL)),
            _ => drop(server.begin(Budget::of(Micros::MAX), Draw::from_id(number.into()), *now)),
        }
        server.poll(*now);
    }

    fn learn(server: &mut Server<MODELS>, model: ModelId, told: Told, now: Timestamp) {
        server.learn(Report { model, told }, now);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_due_is_as_a_scan_finds_it(
            models in 1..=MODELS,
            operations in vec((0..15_u8, 0..MODELS, 0..20_000_000_u32), 0..200),
        ) {
            let priors = (0..models as u32).map(|number| profile(number * 7_919));
            let catalog = Catalog::<MODELS>::new(priors).unwrap();
            let mut server = Server::new(catalog, Policy::PAPER, Learning::DEFAULT);
            let mut now = Timestamp::from_micros(1_000_000_000);
            for operation in operations {
                operate(&mut server, &mut now, operation);
                let known = server.known.iter().enumerate();
                let there = known.filter(|(place, _)| server.catalog().id(*place).is_some());
                let due = there.map(|(_, known)| known.trust.due).min().unwrap();
                prop_assert_eq!(server.agenda.earliest(), due);
                prop_assert_eq!(&server.agenda, &Agenda::of(&server.known));
                let now = server.latest;
                let first = server.known.iter().position(|known| known.trust.due <= now);
                prop_assert_eq!(server.agenda.due(&server.known, 0, now), first);
            }
        }
    }
}
