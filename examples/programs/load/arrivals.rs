//! When requests arrive, and how long the network takes of each: the same for every policy.

use std::io::Read;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::Exp1;

use crate::network::Network;
use crate::setting::Setting;
use crate::world::Job;
use crate::zoo::BadInput;

/// T_nw is lognormal.
pub const NETWORK_MEAN_MS: f64 = 100.0;
pub const NETWORK_DEVIATION_MS: f64 = 50.0;

/// Phases of bursts: their mean length, and the rate in them in turn as a factor of the mean rate.
const PHASE_SECONDS: f64 = 2.0;
const PHASE_RATES: [f64; 2] = [1.8, 0.2];

/// How requests come, at a mean rate that is the cell's.
#[derive(Clone, Debug, PartialEq)]
pub enum Process {
    Poisson,
    /// Poisson, with a rate that is high and low in turn, for exponential times.
    Bursts,
    /// The gaps between the arrivals of a log, as multiples of their mean; they begin anew at the end.
    Recorded(Vec<f64>),
}

impl Process {
    /// A log: one arrival a line in ms, in order; empty lines and those that begin with # are passed over.
    pub fn read(file: &str, mut log: impl Read) -> Result<Self, BadInput> {
        let bad = |what: String| BadInput(format!("{file}: {what}"));
        let mut text = String::new();
        log.read_to_string(&mut text).map_err(|error| bad(error.to_string()))?;
        let mut arrivals: Vec<f64> = Vec::new();
        for (line, text) in (1..).zip(text.lines().map(str::trim)) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let number = text.parse().ok().filter(|arrival: &f64| arrival.is_finite());
            let arrival = number.ok_or_else(|| bad(format!("line {line}: '{text}' is not a number")))?;
            if arrivals.last().is_some_and(|&last| arrival < last) {
                return Err(bad(format!("line {line}: {text} ms is before the arrival above it")));
            }
            arrivals.push(arrival);
        }
        // Halved, so that the time between any two is a number.
        let half = |from: f64, to: f64| to / 2.0 - from / 2.0;
        let gaps: Vec<f64> = arrivals.windows(2).map(|pair| half(pair[0], pair[1])).collect();
        let span = half(*arrivals.first().unwrap_or(&0.0), *arrivals.last().unwrap_or(&0.0));
        let mean = span / gaps.len() as f64;
        if !mean.is_normal() {
            return Err(bad("there are no two arrivals with time between them".to_owned()));
        }
        Ok(Self::Recorded(gaps.into_iter().map(|gap| gap / mean).collect()))
    }

    /// So many gaps in seconds, at so many arrivals a second on average.
    fn gaps(&self, count: usize, rate: f64, rng: &mut StdRng) -> Vec<f64> {
        match self {
            Self::Poisson => (0..count).map(|_| rng.sample::<f64, _>(Exp1) / rate).collect(),
            Self::Bursts => bursts(count, rate, rng),
            Self::Recorded(gaps) => gaps.iter().cycle().take(count).map(|gap| gap / rate).collect(),
        }
    }
}

fn bursts(count: usize, rate: f64, rng: &mut StdRng) -> Vec<f64> {
    let mut phase = usize::from(rng.random::<bool>());
    let mut left = rng.sample::<f64, _>(Exp1) * PHASE_SECONDS;
    let gap = |_| {
        // What is to come in requests; a phase takes its rate of it.
        let (mut due, mut gap): (f64, f64) = (rng.sample(Exp1), 0.0);
        loop {
            let pace = rate * PHASE_RATES[phase];
            if due <= left * pace {
                left -= due / pace;
                return gap + due / pace;
            }
            due -= left * pace;
            gap += left;
            phase = 1 - phase;
            left = rng.sample::<f64, _>(Exp1) * PHASE_SECONDS;
        }
    };
    (0..count).map(gap).collect()
}

/// A request as it reaches the server.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub job: Job,
    /// T_nw in µs, both ways.
    pub network: u64,
}

/// The requests of a cell; another seed gives others.
pub fn arrivals(setting: &Setting<'_>, process: &Process, requests: u32, seed: u64) -> Vec<Arrival> {
    let network = Network::log_normal(NETWORK_MEAN_MS, NETWORK_DEVIATION_MS / NETWORK_MEAN_MS);
    // Generators of their own, so that the network takes the same of each request at every rate.
    let [mut of_gaps, mut of_network] = [1, 2].map(|stream| generator(seed, stream));
    let gaps = process.gaps(requests as usize, setting.total_rate(), &mut of_gaps);
    let mut seconds = 0.0;
    let arrival = |(id, gap): (usize, f64)| {
        seconds += gap;
        let arrived = (seconds * 1e6) as u64;
        let network = u64::from(network.quantile(of_network.random_range(f64::EPSILON..1.0)).get());
        let deadline = arrived + setting.sla.saturating_sub(network);
        Arrival { job: Job { deadline, arrived, id: id as u32 }, network }
    };
    gaps.into_iter().enumerate().map(arrival).collect()
}

/// One of several generators that a seed stands for.
pub fn generator(seed: u64, stream: u64) -> StdRng {
    StdRng::seed_from_u64(seed ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}
