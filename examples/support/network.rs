//! T_nw, the time that the network takes of a request, as a random variable; and the two networks of Table IV.
//!
//! The paper measured its two networks; here each is a lognormal. The design is to take it through two quantiles that
//! the paper prints, the on-device reliance of the two static rows of Table IV, P(T_nw + μ > 250 ms) for the fastest
//! and for the most accurate model, which leaves twelve cells to predict.
//!
//! Those four printed cells are not at hand. [`UNIVERSITY`] and [`RESIDENTIAL`] hold what follows for them from numbers
//! that are: MDInference's reliance from the abstract (99.74 % and 96.84 % of requests answered in time) and, on the
//! residential network, its accuracy of 7.32 points above static accuracy; on the university network, the fractions of
//! MDInference's answers that an earlier evaluation recorded as back within 198 ms (84 %) and within 166 ms (57 %), in
//! whole percent that may be rounded or cut off. `tests/paper.rs` derives the four again. Whoever has the printed
//! cells can put them in here.

use mdinference::Micros;
use statrs::distribution::{Continuous, ContinuousCDF, Normal};

/// The distribution of T_nw.
#[derive(Clone, Copy, Debug)]
pub enum Network {
    /// Twice a one-way time that is normally distributed but always positive (Section V).
    TwiceOneWay { mean_ms: f64, deviation_ms: f64 },
    /// ln(T_nw / 1 ms) is normally distributed (Section VI).
    LogNormal { log_mean: f64, log_deviation: f64 },
}

impl Network {
    /// The lognormal that exceeds each of two times, in ms, with the probability given for it.
    pub fn log_normal_through([near, far]: [(f64, f64); 2]) -> Self {
        let score = |exceeded: f64| Normal::standard().inverse_cdf(1.0 - exceeded);
        let log_deviation = (far.0.ln() - near.0.ln()) / (score(far.1) - score(near.1));
        Self::LogNormal { log_mean: near.0.ln() - log_deviation * score(near.1), log_deviation }
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

/// On-device reliance of the static rows of Table IV, at an SLA of 250 ms, in percent.
#[derive(Clone, Copy, Debug)]
pub struct StaticReliance {
    /// Always mobilenet_v1_0.25_128, μ = 2.454 ms.
    pub latency: f64,
    /// Always nasnet_large, μ = 112.606 ms.
    pub accuracy: f64,
}

/// The university network: inferred, see above; good to 0.005 and 0.1 points.
pub const UNIVERSITY: StaticReliance = StaticReliance { latency: 0.256, accuracy: 3.62 };

/// The residential network: inferred, see above; good to 0.005 and 0.02 points.
#[allow(clippy::approx_constant, reason = "a share, not π")]
pub const RESIDENTIAL: StaticReliance = StaticReliance { latency: 3.14, accuracy: 22.76 };

impl StaticReliance {
    /// The lognormal T_nw under which the two static rows have this reliance.
    pub fn network(self) -> Network {
        Network::log_normal_through([
            (250.0 - 112.606, self.accuracy / 100.0),
            (250.0 - 2.454, self.latency / 100.0),
        ])
    }
}
