//! Many requests, few workers: pick at dispatch, and a price of time.
mod batch;
pub(crate) mod line;
mod queue;
mod selector;
mod traffic;
mod wait;
mod workers;

pub use crate::batch::{BatchTime, Growth, Stretch};
pub use line::Waiting;
pub use queue::{Full, Hopeless, Jobs, Next, Queue, Settings, Shed};
pub use selector::Selector;
pub use traffic::Traffic;
pub use wait::{expected_wait, residual};
pub use workers::Worker;
