//! [`Next`]: what a queue hands out.

use core::fmt;
use core::ops::Deref;

use heapless::Vec;

use crate::load::workers::Worker;
use crate::request::NothingEligible;
use crate::select::Decision;

/// Why a request was shed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Shed {
    /// No model makes it any more: not even the fastest fits what is left (Eq. 2).
    TooLate,
    /// It rules out every model.
    NothingEligible(NothingEligible),
}

impl fmt::Display for Shed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLate => f.write_str("no model is fast enough any more"),
            Self::NothingEligible(nothing) => fmt::Display::fmt(nothing, f),
        }
    }
}

/// The queue is full: here is the newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Full<T>(pub T);

impl<T> fmt::Display for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue is full")
    }
}

impl<T: fmt::Debug> core::error::Error for Full<T> {}

/// What is to be done next.
#[must_use = "its jobs have left the queue"]
#[derive(Clone, Debug)]
pub enum Next<T, K, const BATCH: usize> {
    /// This one has no chance any more: to be told so at once.
    Shed {
        /// What was kept with it.
        job: T,
        /// Why.
        why: Shed,
    },
    /// These are to be run together, now.
    Run {
        /// By this worker, which is busy from now on.
        worker: Worker,
        /// On this model; within the budget that the most urgent one has left.
        decision: Decision,
        /// What makes the reports of the run.
        ticket: K,
        /// What was kept with each.
        jobs: Jobs<T, BATCH>,
    },
}

/// The jobs of one run, at least one, the earliest deadline first.
#[derive(Clone, Debug)]
pub struct Jobs<T, const BATCH: usize>(pub(super) Vec<T, BATCH>);

impl<T, const BATCH: usize> Deref for Jobs<T, BATCH> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T, const BATCH: usize> IntoIterator for Jobs<T, BATCH> {
    type Item = T;
    type IntoIter = <Vec<T, BATCH> as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
