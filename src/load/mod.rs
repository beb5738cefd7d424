//! Many requests, few workers: a server under load, one idea a file.
//!
//! A model chosen when a request comes is chosen for a wait that nobody knows yet; and where each takes the most accurate
//! model that *it* can still afford, it eats the slack of all behind it, until nobody has any. Two remedies, each of which
//! can be had alone:
//!
//! - **Pick at dispatch**: a [`Queue`] keeps those that wait by their deadlines ([`line`]), and when one of its [`workers`]
//!   is free it says what to run: the request with the earliest deadline, on the model chosen for what is left of its time
//!   *now*. What fits no model any more is shed at once, so that no worker is spent on it.
//! - **A price of time** ([`traffic`]): each run is charged for what it costs those behind it and those to come. The base is
//!   then the model of the greatest value (Eq. 1 with a price), and where [`batch`]es are run, the model and the batch.
//!
//! [`selector`] is who chooses the models for it; [`wait`] is for those who have queues of another kind.
//!
//! # Which queue for what
//! | workers | |
//! |---|---|
//! | shared by all models | one [`Queue`], of as many workers as there are |
//! | those of a model run that model alone | a [`Queue`] a model: the model is chosen when the request comes, by [`Request::with_waits`](crate::Request::with_waits) of each [`Queue::wait`], and dispatched among that one alone ([`Queue::next_among`]). A price adds nothing there: what spills over from a busy model is what should |
//! | each request has its own | none: [`Server::begin`](crate::Server::begin) |
//!
//! Waits by model on a shared worker are not enough: they tell each request what it has to wait, and none what it costs.
//!
//! # No one starves
//! A request is handed out, to be run or as shed, no later than its deadline, if [`Queue::next`] is called when
//! [`Queue::poll_at`] says so and a worker gets free: those that come later have later deadlines, unless they have less
//! time. So a priority is a deadline, and no other is needed.
//!
//! # What was tried
//! MEASURED
mod batch;
mod line;
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
