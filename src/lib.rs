#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(
    test,
    allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects)
)]

pub mod baseline;
mod batch;
mod catalog;
pub mod device;
pub mod estimate;
mod index;
pub mod load;
mod number;
mod policy;
mod profile;
#[doc = include_str!("recipes.md")]
pub mod recipes {}
mod request;
pub mod select;
mod server;
pub mod subset;
mod ticks;
mod time;
#[cfg(feature = "serde")]
mod written;

pub use catalog::{Catalog, CatalogError, Model, ModelId};
pub use device::{Device, local_model, remote_time};
pub use index::Index;
pub use number::NumberError;
pub use policy::{Margin, Policy, PolicyError, Sharpness};
pub use profile::{Accuracy, Cost, Field, Latency, Profile, ProfileError};
pub use request::{
    Budget, Draw, Exclusion, ModelSet, NetworkTime, NothingEligible, Price, Question, Request,
};
pub use select::value::Value;
pub use select::{Candidate, Decision, Explanation, Reason, Verdict};
pub use server::{Front, Guard, Learning, Learnt, Replicas, Report, Server, Share, Standing, Ticket, Told};
pub use ticks::Ticks;
pub use time::{Micros, Timestamp};
