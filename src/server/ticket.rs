//! [`Ticket`], which a run is begun with, and [`Outcome`], which it ends with.

use crate::catalog::ModelId;
use crate::select::Decision;
use crate::time::Micros;

/// A run that was begun. It goes back to [`Server::finish`](crate::Server::finish); dropped instead, the run teaches nothing, and does no
/// other harm.
#[must_use = "a dropped ticket loses its sample: give it to `Server::finish`"]
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    pub(super) model: ModelId,
    pub(super) deadline: Micros,
    /// How long it had run when it counted as overdue; zero if it has not.
    pub(super) noticed: Micros,
}

impl Ticket {
    pub(super) const fn new(decision: &Decision, wait: Micros) -> Self {
        Self { model: decision.model, deadline: decision.budget.minus(wait).time(), noticed: Micros::ZERO }
    }

    /// The model to run.
    pub const fn model(&self) -> ModelId {
        self.model
    }

    /// The time the model may run: T_budget less the wait for this model.
    pub const fn deadline(&self) -> Micros {
        self.deadline
    }
}

/// What came of a run; all times are those of the run alone, from its start and without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Outcome {
    /// It gave an answer after this long, in time or not.
    Completed(Micros),
    /// It gave no answer, and that was known after this long. It counts as if it had taken at least its deadline, so
    /// that failing fast does not look fast.
    Failed(Micros),
    /// It was given up after this long, as too late. Counts as [`Outcome::Failed`] does.
    TimedOut(Micros),
    /// It was no longer needed after this long: "at least this long" is all that it tells.
    Cancelled(Micros),
}
