//! The pieces put together for the two callers.

mod device;
mod joint;

pub use device::{Device, local_model, remote_time};
pub use joint::joint_budget;
