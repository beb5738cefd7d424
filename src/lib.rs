#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(
    test,
    allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects)
)]

pub mod baseline;
mod budget;
mod caller;
mod catalog;
mod constraint;
pub mod duplicate;
pub mod estimate;
mod explain;
mod index;
mod number;
mod policy;
mod profile;
pub mod select;
pub mod subset;
mod time;

pub use budget::{Budget, NetworkTime};
pub use caller::{
    Device, Learning, Learnt, Outcome, Request, Server, Ticket, joint_budget, local_model, remote_time,
};
pub use catalog::{Catalog, CatalogError, Model, ModelId};
pub use constraint::{Constraints, Exclusion, ModelSet, NothingEligible, select_constrained};
pub use explain::{Candidate, Explanation, Verdict, explain};
pub use index::Index;
pub use number::NumberError;
pub use policy::{Margin, Policy, PolicyError, Sharpness};
pub use profile::{Accuracy, Cost, Field, Latency, Profile, ProfileError};
pub use select::{Decision, Reason, select, select_among, select_with};
pub use time::{Micros, Timestamp};
