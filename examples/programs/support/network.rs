//! T_nw, the time that the network takes of a request, as a random variable; and the two networks of Table IV.
//!
//! The paper measured those two and prints what came of them. Here each is the lognormal through two quantiles that it
//! prints: the on-device reliance of the two static rows of Table IV, P(T_nw + μ > 250 ms) for the fastest and for the
//! most accurate model. The other twelve cells follow from it.

use mdinference::Micros;
use statrs::distribution::{Continuous, ContinuousCDF, Normal};

/// The distribution of T_nw.
#[derive(Clone, Copy, Debug)]
pub enum Network {
    /// Twice a one-way time that is normally distributed, drawn again until it is positive, as the authors' published
    /// code draws it. What is cut off below zero makes its real mean larger and its real deviation smaller.
    TwiceOneWay { mean_ms: f64, deviation_ms: f64 },
    /// ln(T_nw / 1 ms) is normally distributed.
    LogNormal { log_mean: f64, log_deviation: f64 },
}

#[allow(dead_code, reason = "not every example needs all of it")]
impl Network {
    /// The lognormal that exceeds each of two times, in ms, with the probability given for it.
    pub fn log_normal_through([near, far]: [(f64, f64); 2]) -> Self {
        let score = |exceeded: f64| Normal::standard().inverse_cdf(1.0 - exceeded);
        let log_deviation = (far.0.ln() - near.0.ln()) / (score(far.1) - score(near.1));
        Self::LogNormal { log_mean: near.0.ln() - log_deviation * score(near.1), log_deviation }
    }

    /// The lognormal with this mean, in ms, and coefficient of variation; both are kept exactly, however large the second.
    pub fn log_normal(mean_ms: f64, variation: f64) -> Self {
        let log_variance = (1.0 + variation * variation).ln();
        Self::LogNormal { log_mean: mean_ms.ln() - log_variance / 2.0, log_deviation: log_variance.sqrt() }
    }

    /// The mean of T_nw in ms, and its coefficient of variation.
    pub fn mean_and_variation(&self) -> (f64, f64) {
        match *self {
            Self::TwiceOneWay { mean_ms, deviation_ms: 0.0 } => (2.0 * mean_ms, 0.0),
            Self::TwiceOneWay { mean_ms, deviation_ms } => {
                // A normal distribution cut off below zero, which lies `cut` deviations from the mean.
                let (normal, cut) = (Normal::standard(), -mean_ms / deviation_ms);
                let hazard = normal.pdf(cut) / (1.0 - normal.cdf(cut));
                let mean = mean_ms + deviation_ms * hazard;
                let deviation = deviation_ms * (1.0 + cut * hazard - hazard * hazard).sqrt();
                (2.0 * mean, deviation / mean)
            }
            Self::LogNormal { log_mean, log_deviation } => {
                let log_variance = log_deviation * log_deviation;
                ((log_mean + log_variance / 2.0).exp(), (log_variance.exp() - 1.0).sqrt())
            }
        }
    }

    /// The part of requests with a T_nw below a time in ms.
    pub fn below(&self, millis: f64) -> f64 {
        let normal = Normal::standard();
        match *self {
            Self::TwiceOneWay { mean_ms, deviation_ms: 0.0 } => f64::from(2.0 * mean_ms < millis),
            Self::TwiceOneWay { mean_ms, deviation_ms } => {
                let share = |one_way: f64| normal.cdf((one_way - mean_ms) / deviation_ms);
                (share(millis / 2.0) - share(0.0)) / (1.0 - share(0.0))
            }
            Self::LogNormal { log_mean, log_deviation } => {
                normal.cdf((millis.ln() - log_mean) / log_deviation)
            }
        }
    }

    /// The T_nw that is not exceeded with probability `share`, in (0, 1).
    pub fn quantile(&self, share: f64) -> Micros {
        let normal = Normal::standard();
        let millis = match *self {
            Self::TwiceOneWay { mean_ms, deviation_ms } => {
                let below_zero = normal.cdf(-mean_ms / deviation_ms);
                let score = normal.inverse_cdf(below_zero + share * (1.0 - below_zero));
                2.0 * (mean_ms + deviation_ms * score).max(0.0)
            }
            Self::LogNormal { log_mean, log_deviation } => {
                (log_mean + log_deviation * normal.inverse_cdf(share)).exp()
            }
        };
        Micros::try_from_millis(millis).unwrap_or(Micros::MAX)
    }

    /// The distribution as `count` times and their probabilities, to integrate over.
    ///
    /// The times are evenly spaced as standard scores, not as quantiles: an on-device reliance below 1 % is decided in
    /// the tail, where equally likely times are few.
    pub fn grid(&self, count: usize) -> Vec<(Micros, f64)> {
        // Leaves out less than 10⁻⁶.
        const WIDTH: f64 = 5.0;
        let normal = Normal::standard();
        let scores = (0..count).map(|index| WIDTH * ((2 * index + 1) as f64 / count as f64 - 1.0));
        let density = |score| normal.pdf(score);
        let total: f64 = scores.clone().map(density).sum();
        scores.map(|score| (self.quantile(normal.cdf(score)), density(score) / total)).collect()
    }
}

/// The network of Section V: the one-way time is 50 ± 25 ms.
#[allow(dead_code, reason = "not every example needs it")]
pub const ONE_WAY_50_25: Network = Network::TwiceOneWay { mean_ms: 50.0, deviation_ms: 25.0 };

/// On-device reliance of the static rows of Table IV, at an SLA of 250 ms, in percent.
#[derive(Clone, Copy, Debug)]
pub struct StaticReliance {
    /// Always mobilenet_v1_0.25_128, μ = 2.454 ms.
    pub latency: f64,
    /// Always nasnet_large, μ = 112.606 ms.
    pub accuracy: f64,
}

/// The university network, as printed.
pub const UNIVERSITY: StaticReliance = StaticReliance { latency: 0.26, accuracy: 3.67 };

/// The residential network, as printed.
pub const RESIDENTIAL: StaticReliance = StaticReliance { latency: 3.16, accuracy: 23.03 };

impl StaticReliance {
    /// The lognormal T_nw under which the two static rows have this reliance.
    pub fn network(self) -> Network {
        Network::log_normal_through([
            (250.0 - 112.606, self.accuracy / 100.0),
            (250.0 - 2.454, self.latency / 100.0),
        ])
    }
}
