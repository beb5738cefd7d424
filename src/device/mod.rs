//! Request duplication, on the device (Section IV-E): a request goes to the server and is run by a small local model as
//! well, so that something always arrives in time.
//!
//! The paper's rule has two outcomes. When the remote result arrives before the SLA, the result of the more accurate
//! model is used, most often the remote one; so the machine knows the accuracy of both. When it does not, the local
//! result is used at the SLA. Only results that are there are compared: nobody waits for a local run once the remote
//! result is here.
//!
//! One idea a file: [`Duplication`] is that rule as a state machine without I/O, [`Strategy`] says when the local copy
//! starts, [`TokenBucket`] caps the extra load, [`Counters`] counts what it came to. [`Device`] puts them together,
//! [`local_model`] chooses the model, and [`remote_time`] says when the server's answer is to be expected.

mod caller;
mod counters;
mod limit;
mod machine;
mod start;
mod stopwatch;

pub use caller::{Device, local_model, remote_time};
pub use counters::Counters;
pub use limit::TokenBucket;
pub use machine::{Action, Duplication, Ending, Event, LocalRun, Source};
pub use start::{LocalStart, Strategy};
