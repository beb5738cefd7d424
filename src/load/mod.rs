//! Many requests, few workers: a server under load, one idea a file.
//!
//! A model chosen when a request comes is chosen for a wait that nobody knows yet; and where each takes the most accurate
//! model that *it* can still afford, it eats the slack of all behind it, until nobody has any. Two remedies, each of which
//! can be had alone:
//!
//! - **Pick at dispatch**: a [`Queue`] keeps those that wait by their deadlines (`line`), and when a worker is
//!   free it says what to run: the request with the earliest deadline, on the model chosen for what is left of its time
//!   *now*. What fits no model any more is shed at once, so that no worker is spent on it.
//! - **A price of time** (`traffic`): each run is charged for what it costs those behind it and those to come. The base is
//!   then the model of the greatest value (Eq. 1 with a price), and where batches are run, the model and the batch.
//!
//! A [`Selector`] is who chooses the models for it; [`expected_wait`] is for those who have queues of another kind.
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
//! Measured by `cargo run --release --example load`, as effective accuracy over 552 cells: 1 to 8 workers, T_sla 150 to
//! 400 ms, two zoos, Poisson, bursts and real arrivals, one by one and batches up to 32 with g = 0.15 and 0.5, from 5 to
//! 640 requests a second and worker. Against the best of all others in each cell it is 0.75 points above on average.
//!
//! | | |
//! |---|---|
//! | dividing batches | one worker, g = 0.15: 0.5, 0.6 and 0.0 points at 80, 160 and 320 a second |
//! | with what the first part costs the second taken back | the same to 0.2 lower |
//! | passing over who costs more than it is worth | 2 points at g = 0.5 in overload, nothing elsewhere |
//! | passing over any number, or up to 128, 64, 16, in place of a full batch of 32 | 0.0 to 0.3 lower at g = 0.5 on average, 2 lower in the worst cell |
//! | ρ cut at 1 in place of 0.95 | the same to 0.01 |
//! | arrivals smoothed by 0.02 or 0.05 in place of 0.01 | the same to 0.01; 0.1 more for slow bursts |
//! | a price where each model has its own workers | nothing |
//!
//! On a prototype, one by one and with batches, in the same scenario:
//!
//! | | |
//! |---|---|
//! | 10 to 60 ms in place of the 30 by which the loss is seen; its smoothing by 0.001 to 0.01; the price times 0.7 to 1.4; t/5 to t/2 in place of t/3 | within 0.1 on average, 0.3 to 0.8 in the worst cell |
//! | 1/(1 − ρ^W) for what a run costs in the long run | 0.4 lower one by one, 2.3 with batches |
//! | a fluid limit's shadow price; the exact losses of the first eight; first come, first served | worse |
//! | Eq. 3's draw around the priced base | 1.8 to 2.3 lower |
//!
//! Where it loses: two to eight workers in deep overload with batches (0.4 to 0.95), bursts of 5 requests a second at
//! T_sla 150 and 250 ms (0.5 to 0.8), and several workers at 150 ms (0.5 to 0.65), mostly to a table of what did best at
//! each load, made beforehand.
//!
//! It stands on live profiles, since batches are filled to the deadline by them: have a [`Server`](crate::Server) learn.
mod batch;
mod entry;
mod heap;
mod line;
mod next;
mod queue;
mod selector;
mod settings;
mod traffic;
mod wait;
mod workers;

pub use crate::batch::{BatchTime, Growth, Stretch};
pub use line::Waiting;
pub use next::{Full, Jobs, Next, Shed};
pub use queue::Queue;
pub use selector::Selector;
pub use settings::{Hopeless, Settings};
pub use traffic::Traffic;
pub use wait::{expected_wait, residual};
pub use workers::Worker;
