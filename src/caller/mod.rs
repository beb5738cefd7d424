//! The pieces put together for the two callers.

mod device;
mod joint;
mod server;

pub use device::{Device, local_model, remote_time};
pub use joint::joint_budget;
pub use server::{Learning, Learnt, Outcome, Request, Server, Ticket};
