//! [`Report`]: what a run, or a judged answer, tells the one who learns.

use crate::catalog::ModelId;
use crate::estimate::Observation;

/// What a run, or a judged answer, tells of a model: plain data, to be sent, logged and replayed.
///
/// A [`Ticket`](crate::Ticket) makes those of its run; [`Server::learn`](crate::Server::learn) takes them
/// all, in any order. One that comes twice counts twice. One of a model that the server does not know, or no
/// longer, teaches nobody.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[must_use = "only `Server::learn` learns from it"]
pub struct Report {
    /// Of which model.
    pub model: ModelId,
    /// What it tells.
    pub told: Told,
}

/// What a [`Report`] tells.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Told {
    /// How long a run took, or that it takes no less than a time; no less than zero is nothing new.
    Run(Observation),
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

    pub(super) const fn run(model: ModelId, observation: Observation) -> Self {
        Self { model, told: Told::Run(observation) }
    }
}
