//! The requests: when each arrives, and all else that chance decides of it.

use mdinference::{Draw, Micros, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Exp1, StandardNormal};

use crate::network::Network;

/// When time begins.
pub const START: Timestamp = Timestamp::from_micros(1_000_000);

/// How requests come.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    pub requests: u32,
    /// Each second on average; the times between two are exponential (Poisson).
    pub rate: f64,
    /// Mean of T_nw, which is lognormal, or constant where it has no deviation.
    pub network: Micros,
    pub network_deviation: Micros,
    pub seed: u64,
}

/// A request, the same for every policy.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub at: Timestamp,
    /// T_nw, which is known.
    pub network: Micros,
    pub draw: Draw,
    /// How long its run takes, in deviations from the mean of whichever model it is.
    pub score: f64,
    /// Its answer is right where this is below the accuracy of the model, as a fraction.
    pub luck: f64,
}

impl Traffic {
    pub fn arrivals(&self) -> Vec<Arrival> {
        let [mean, deviation] = [self.network, self.network_deviation].map(Micros::as_millis);
        let network = (deviation > 0.0).then(|| Network::log_normal(mean, deviation / mean));
        let mut rng = StdRng::seed_from_u64(self.seed);
        let mut micros = START.as_micros() as f64;
        let arrival = |_| {
            micros += rng.sample::<f64, _>(Exp1) * 1e6 / self.rate;
            let share = rng.random_range(f64::EPSILON..1.0);
            Arrival {
                at: Timestamp::from_micros(micros as u64),
                network: network.map_or(self.network, |network| network.quantile(share)),
                draw: Draw::from_rng(&mut rng),
                score: rng.sample(StandardNormal),
                luck: rng.random(),
            }
        };
        (0..self.requests).map(arrival).collect()
    }
}
