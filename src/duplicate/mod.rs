//! Request duplication, on the device (Section IV): a request goes to the server and is run by a small local model as
//! well, so that something always arrives in time.
//!
//! The paper's rule: a remote result in time wins; at the SLA the local result is delivered if the remote has not
//! come. One idea a file: [`Duplication`] is that rule as a state machine without I/O, [`Strategy`] says when the local
//! copy starts, [`TokenBucket`] caps the extra load, [`Counters`] counts what it came to.
//! [`Device`](crate::Device) puts them together.

mod counters;
mod limit;
mod machine;
mod start;
mod stopwatch;

pub use counters::Counters;
pub use limit::TokenBucket;
pub use machine::{Action, Duplication, Ending, Event, LocalRun, Source};
pub use start::{LocalStart, Strategy};
