//! A gateway's firmware: it answers requests from models on a server, with a small model of its own in
//! reserve.
//!
//! One idea a file:
//! - [`gateway`]: the gateway without I/O, which is what to copy.
//! - [`serve`]: the loop that drives it.
//! - [`zoo`]: the models that it knows.
//! - [`world`]: a server and a network that are not there, for want of a radio.
//! - [`replay`]: a list of decisions, and whether they are made again.
//! - `board`: serial line, timers and exit status of the boards `mps2-an385` and `mps2-an386`.

#![no_std]

#[cfg(feature = "board")]
pub mod board;
pub mod gateway;
pub mod replay;
pub mod serve;
pub mod world;
pub mod zoo;
