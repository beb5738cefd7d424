//! What the `device` example shows, compared with what follows from its networks and models. The local model's times are
//! settings of this project's, not the paper's.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects
)]

#[path = "../device/comparison.rs"]
mod comparison;
#[path = "../support/network.rs"]
mod network;
#[path = "../device/setting.rs"]
mod setting;
#[path = "../device/simulation.rs"]
mod simulation;
#[path = "../support/zoo.rs"]
mod zoo;

use comparison::{Results, Settings, compare};
use mdinference::{Accuracy, Budget, Latency, Margin, Micros, NetworkTime};
use network::Network;
use statrs::distribution::{ContinuousCDF, Normal};

/// At 20,000 requests a share is known to ±0.35 points (one deviation) at worst.
const REQUESTS: u32 = 20_000;

fn compared(sla: u32, [mean, deviation]: [u32; 2]) -> [Results; 2] {
    let three = Margin::new(3.0).unwrap();
    let settings = Settings {
        sla: Micros::from_millis(sla),
        local: Latency { mean: Micros::from_millis(mean), deviation: Micros::from_millis(deviation) },
        margin: three,
        risk: three,
        price: Accuracy::from_percent(2.5).unwrap(),
        requests: REQUESTS,
        seed: 1,
    };
    compare(&settings, || ()).unwrap().try_into().ok().unwrap()
}

/// The part of remote answers that are back before a local copy that starts at `sla` − (μ + 3σ): an integral over the
/// network, with exact probabilities of selection and normal inference times.
fn back_before_local(network: Network, sla: u32, [mean, deviation]: [u32; 2]) -> f64 {
    let world = setting::world(Micros::from_millis(sla), Latency::default()).unwrap();
    let catalog = world.index.catalog();
    let local_start = f64::from(sla - mean - 3 * deviation);
    let mut back = 0.0;
    for (time, part) in network.grid(5_000) {
        let budget = Budget::new(world.sla, NetworkTime::Given(time));
        let explanation = world.index.explain(budget);
        for candidate in explanation.candidates().filter(|candidate| candidate.probability > 0.0) {
            let latency = catalog.get(candidate.model).unwrap().latency;
            let slack = local_start - time.as_millis() - latency.mean.as_millis();
            let in_time = Normal::standard().cdf(slack / latency.deviation.as_millis());
            back += part * candidate.probability * in_time;
        }
    }
    back
}

/// To within four and a half standard errors, and one request: by chance one comparison in 150,000 would not.
// paper: VI, duplicate only when needed
#[test]
fn deferred_avoids_the_local_runs_whose_answer_is_back_before() {
    for (sla, local) in [(250, [40, 4]), (250, [66, 6]), (400, [40, 4]), (400, [66, 6])] {
        for (results, (name, network)) in compared(sla, local).iter().zip(setting::networks()) {
            let expected = back_before_local(network, sla, local);
            let avoided = results.deferred.local_runs_avoided() / 100.0;
            let requests = f64::from(REQUESTS);
            let error = 4.5 * (expected * (1.0 - expected) / requests).sqrt() + 1.0 / requests;
            assert!((avoided - expected).abs() < error, "{name} {sla} {local:?}: {avoided}, {expected}");
        }
    }
}

// paper: IV-E, duplicate
// paper: VI, duplicate only when needed
#[test]
fn deferred_delivers_what_the_papers_rule_delivers() {
    for (sla, local) in [(250, [40, 4]), (250, [66, 6]), (400, [66, 6])] {
        for Results { network, always, deferred, at_risk, never, different, .. } in compared(sla, local) {
            assert_eq!(different, 0, "{network} {sla} {local:?}");
            assert_eq!(always.attainment(), 100.0);
            assert_eq!(deferred.attainment(), 100.0);
            assert_eq!(deferred.accuracy(), always.accuracy());
            assert_eq!(deferred.on_device(), always.on_device());
            assert!(deferred.local_millis() < always.local_millis());
            // T_nw is known exactly here, so what is at risk is known as well.
            assert!(at_risk.attainment() > 99.99);
            assert!(at_risk.local_runs_avoided() >= deferred.local_runs_avoided());
            // The model on the device is the least accurate of all, so its result never overrules.
            assert_eq!(always.counters().overruled, 0);
            let remote_missed = always.remote_missed();
            let missed = 100.0 * remote_missed as f64 / f64::from(REQUESTS);
            assert!(remote_missed > 0 && (100.0 - never.attainment() - missed).abs() < 1e-9);
        }
    }
}

#[test]
fn the_joint_choice_buys_avoided_runs_with_accuracy() {
    for Results { network, deferred, joint, curve, .. } in compared(250, [40, 4]) {
        assert_eq!(joint.attainment(), 100.0);
        assert!(joint.local_runs_avoided() > deferred.local_runs_avoided() + 10.0, "{network}");
        let avoided: Vec<f64> = curve.iter().map(|(_, run)| run.local_runs_avoided()).collect();
        assert!(avoided.is_sorted(), "{network}: {avoided:?}");
        for (price, run) in &curve {
            let lost = deferred.accuracy() - run.accuracy();
            assert!(lost <= *price, "{network}: {lost} points lost at {price}");
        }
    }
}
