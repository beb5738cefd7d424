//! Live profiles: what a running system learns of its models and its network, one idea a file.
//!
//! - [`ewm`]: the exponentially weighted mean and variance that all of them use.
//! - [`latency`]: the inference time μ, σ of one model.
//! - [`accuracy`]: how often one model is right.
//! - [`network`]: the time that requests and responses travel.
//! - `arrivals`: how often requests come.
//!
//! Every estimator is plain data: `Copy`, with serde, and mergeable, so that replicas share what they have measured. The
//! arithmetic is `f32` with + − × ÷ and square root alone, so it gives the same bits on every target.

pub mod accuracy;
pub(crate) mod arrivals;
pub mod ewm;
pub mod latency;
pub mod network;

pub use accuracy::AccuracyEstimator;
pub use ewm::Smoothing;
pub use latency::{LatencyEstimator, Observation};
pub use network::NetworkEstimator;
