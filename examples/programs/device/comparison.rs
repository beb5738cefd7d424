//! All rules on the same requests.

use std::error::Error;

use mdinference::device::Strategy;
use mdinference::{Accuracy, Latency, Margin, Micros};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::setting::{networks, world};
use crate::simulation::{Draws, Rule, Run};

/// Prices of the joint choice's curve, in points of accuracy.
const PRICES: [f64; 8] = [0.0, 1.0, 2.5, 5.0, 9.0, 12.0, 20.0, 100.0];

/// What is compared.
#[derive(Clone, Copy)]
pub struct Settings {
    pub sla: Micros,
    pub local: Latency,
    /// Deviations of the local model's time kept in hand.
    pub margin: Margin,
    /// Deviations of the remote's expected time that have to fit the SLA.
    pub risk: Margin,
    /// What the joint choice may pay.
    pub price: Accuracy,
    /// On each network.
    pub requests: u32,
    pub seed: u64,
}

/// One network with all rules' runs.
pub struct Results {
    pub network: &'static str,
    pub always: Run,
    pub deferred: Run,
    pub at_risk: Run,
    pub never: Run,
    pub joint: Run,
    /// The joint choice at each price, in points.
    pub curve: Vec<(f64, Run)>,
    /// Requests that `deferred` ended otherwise than `always`.
    pub different: u64,
}

impl Results {
    /// The runs by strategy.
    pub fn named(&self) -> [(&'static str, &Run); 5] {
        [
            ("always", &self.always),
            ("deferred", &self.deferred),
            ("at_risk", &self.at_risk),
            ("never", &self.never),
            ("joint", &self.joint),
        ]
    }
}

/// Runs all requests on both networks; `done` is called after each.
pub fn compare(settings: &Settings, done: impl Fn()) -> Result<Vec<Results>, Box<dyn Error>> {
    let Settings { sla, local, margin, risk, price, requests, seed } = *settings;
    let world = world(sla, local)?;
    let deferred = Strategy::Deferred { margin };
    let run = |strategy, price| Run::new(&world, Rule { strategy, price });
    let mut rng = StdRng::seed_from_u64(seed);
    let mut all = Vec::new();
    for (name, network) in networks() {
        let mut results = Results {
            network: name,
            always: run(Strategy::Always, None),
            deferred: run(deferred, None),
            at_risk: run(Strategy::AtRisk { margin, risk }, None),
            never: run(Strategy::Never, None),
            joint: run(deferred, Some(price)),
            curve: Vec::new(),
            different: 0,
        };
        for points in PRICES {
            results.curve.push((points, run(deferred, Some(Accuracy::from_percent(points)?))));
        }
        for _ in 0..requests {
            let draws = Draws::new(&network, local, &mut rng);
            let source = results.always.request(&world, &draws);
            results.different += u64::from(results.deferred.request(&world, &draws) != source);
            let Results { at_risk, never, joint, curve, .. } = &mut results;
            for run in [at_risk, never, joint].into_iter().chain(curve.iter_mut().map(|(_, run)| run)) {
                run.request(&world, &draws);
            }
            done();
        }
        all.push(results);
    }
    Ok(all)
}
