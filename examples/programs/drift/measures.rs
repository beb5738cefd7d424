//! What a policy came to.

use mdinference::{Micros, Timestamp};

use crate::traffic::START;
use crate::world::{Outcome, World};

/// The length of what is looked at for whether a model is back.
const WINDOW: usize = 100;
/// How many of those it has to get.
const ENOUGH: usize = 95;

const MINUTE: Micros = Micros::from_millis(60_000);

/// What a policy came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measures {
    /// Effective, in percent: an answer in time counts as its model's accuracy, a late one as 0.
    pub accuracy: f64,
    pub late_pct: f64,
    pub probes: usize,
    pub late_probes: usize,
    pub recovery: Option<Recovery>,
    /// More than the clairvoyant's.
    pub late_per_minute_at_end: f64,
}

/// From the end of the last disturbance until the model was back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recovery {
    pub millis: f64,
    pub requests: usize,
}

impl Measures {
    pub fn new(world: &World, outcomes: &[Outcome], clairvoyant: &[Outcome]) -> Self {
        let count = |which: fn(&Outcome) -> bool| outcomes.iter().filter(|it| which(it)).count();
        let requests = outcomes.len() as f64;
        let effective: u64 = outcomes.iter().map(|it| u64::from(it.effective().as_ppm())).sum();
        let times: Vec<Timestamp> = world.arrivals.iter().map(|arrival| arrival.at).collect();
        let recovery = world.undisturbed().and_then(|(model, end)| {
            let picks =
                |outcomes: &[Outcome]| outcomes.iter().map(|it| it.model == model).collect::<Vec<_>>();
            recovery(&times, end, &picks(outcomes), &picks(clairvoyant))
        });
        Self {
            accuracy: effective as f64 / requests / 10_000.0,
            late_pct: 100.0 * count(|it| it.late) as f64 / requests,
            probes: count(|it| it.probe),
            late_probes: count(|it| it.probe && it.late),
            recovery,
            late_per_minute_at_end: late_per_minute_at_end(&times, outcomes)
                - late_per_minute_at_end(&times, clairvoyant),
        }
    }
}

/// The first of the requests after `end` that the clairvoyant gives the model from which on the model gets,
/// of the next 100 such requests, at least 95; at once if it is the first of all.
pub fn recovery(times: &[Timestamp], end: Timestamp, given: &[bool], wanted: &[bool]) -> Option<Recovery> {
    let after = times.partition_point(|&at| at < end);
    let wanted: Vec<usize> = (after..times.len()).filter(|&request| wanted[request]).collect();
    let back = |window: &[usize]| window.iter().filter(|&&request| given[request]).count() >= ENOUGH;
    let place = wanted.windows(WINDOW).position(back)?;
    let first = wanted[place];
    Some(match place {
        0 => Recovery { millis: 0.0, requests: 0 },
        _ => Recovery { millis: millis(end, times[first]), requests: first - after },
    })
}

/// Late answers to what arrived within the last minute; of a shorter time, as many as it would be in a
/// minute.
fn late_per_minute_at_end(times: &[Timestamp], outcomes: &[Outcome]) -> f64 {
    let end = times.last().copied().unwrap_or(START);
    let within = times.partition_point(|at| end.since(*at) >= MINUTE);
    let late = outcomes[within..].iter().filter(|outcome| outcome.late).count();
    late as f64 * (MINUTE.as_millis() / end.since(START).min(MINUTE).as_millis().max(0.001))
}

/// However long it is.
fn millis(from: Timestamp, to: Timestamp) -> f64 {
    to.as_micros().saturating_sub(from.as_micros()) as f64 / 1e3
}
