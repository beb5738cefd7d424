//! All policies on the same requests.

use std::thread;

use mdinference::CatalogError;

use crate::live::live;
use crate::measures::Measures;
use crate::policy::{clairvoyant, frozen};
use crate::world::{Outcome, World};

/// What a policy did, and came to.
pub struct Run {
    pub policy: &'static str,
    pub outcomes: Vec<Outcome>,
    pub measures: Measures,
}

/// Frozen, live and clairvoyant; `done` is called after each request of each.
pub fn compare(world: &World, snapshots: bool, done: impl Fn() + Sync) -> Result<Vec<Run>, CatalogError> {
    let outcomes = thread::scope(|scope| {
        let frozen = scope.spawn(|| frozen(world, &done));
        let live = scope.spawn(|| live(world, snapshots, &done));
        let clairvoyant = scope.spawn(|| clairvoyant(world, &done));
        [frozen, live, clairvoyant].map(|policy| policy.join().expect("no policy panics"))
    });
    let [frozen, live, clairvoyant] = outcomes;
    let outcomes = [frozen?, live?, clairvoyant?];
    let measures = outcomes.each_ref().map(|of| Measures::new(world, of, &outcomes[2]));
    let runs = ["frozen", "live", "clairvoyant"].into_iter().zip(outcomes).zip(measures);
    Ok(runs.map(|((policy, outcomes), measures)| Run { policy, outcomes, measures }).collect())
}
