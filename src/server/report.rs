//! [`Report`]: what a run, or a judged answer, tells the one who learns.

use crate::catalog::ModelId;
use crate::estimate::Observation;
use crate::time::Timestamp;

/// What a run, or a judged answer, tells of a model: plain data, to be sent, logged and replayed.
///
/// A [`Ticket`](crate::Ticket) makes those of its run; [`Server::learn`](crate::Server::learn) takes them
/// all, in any order. One that comes twice counts twice. One of a model that the server does not know, or no
/// longer, teaches nobody.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[must_use = "only `Server::learn` learns from it"]
pub struct Report {
    /// Of which model.
    pub model: ModelId,
    /// What it tells.
    pub told: Told,
}

/// What a [`Report`] tells. Runs are told with when they began, since those that overlap tell of one event.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub enum Told {
    /// A run goes on for longer than its profile explains.
    Overdue {
        /// When it began.
        began: Timestamp,
        /// It is a probe that decides on the model's standing.
        probe: bool,
    },
    /// A run has ended.
    Ended {
        /// When it began.
        began: Timestamp,
        /// It was a probe that decides on the model's standing.
        probe: bool,
        /// How many requests it answered.
        #[cfg_attr(feature = "serde", serde(default = "one"))]
        batch: u16,
        /// How long it took, or that it takes no less than a time; no less than zero is nothing new. That of a batch is
        /// what a run of one request would have taken.
        observation: Observation,
    },
    /// Whether an answer was right.
    Judged {
        /// It was.
        right: bool,
    },
}

impl Report {
    /// An answer of a model was right, or it was not.
    pub const fn judged(model: ModelId, right: bool) -> Self {
        Self { model, told: Told::Judged { right } }
    }
}

#[cfg(feature = "serde")]
const fn one() -> u16 {
    1
}
