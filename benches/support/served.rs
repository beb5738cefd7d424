//! A server that learns, and the reports that it takes.

use mdinference::{Budget, Draw, Learning, Policy, Report, Request, Server, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Measured, catalog};

pub fn server<const N: usize>(models: &[Measured]) -> Box<Server<N>> {
    Box::new(Server::new(*catalog(models), Policy::PAPER, Learning::DEFAULT))
}

/// Of each budget a run that took up to 5 % more or less than the mean of its model, one a millisecond: each of them moves
/// a profile.
pub fn reports<const N: usize>(server: &Server<N>, budgets: &[Budget]) -> Vec<(Report, Timestamp)> {
    let mut rng = StdRng::seed_from_u64(5);
    timed(budgets)
        .map(|(budget, now)| {
            let start = Timestamp::from_micros(0);
            let (decision, mut ticket) =
                server.front().begin(Request::new(budget), Draw::from_rng(&mut rng), start).expect("a model");
            let mean = server.catalog().get(decision.model).expect("a model").latency.mean.get();
            let took = u64::from(mean) * rng.random_range(950..1_050) / 1_000;
            let end = Timestamp::from_micros(now);
            ticket.started(Timestamp::from_micros(now - took));
            (ticket.completed(end), end)
        })
        .collect()
}

/// The same of runs that were cancelled as soon as they began: they tell nothing.
#[allow(dead_code, reason = "not every benchmark needs it")]
pub fn reports_of_nothing<const N: usize>(
    server: &Server<N>,
    budgets: &[Budget],
) -> Vec<(Report, Timestamp)> {
    let mut rng = StdRng::seed_from_u64(5);
    timed(budgets)
        .map(|(budget, now)| {
            let now = Timestamp::from_micros(now);
            let (_, ticket) =
                server.front().begin(Request::new(budget), Draw::from_rng(&mut rng), now).expect("a model");
            (ticket.cancelled(now), now)
        })
        .collect()
}

/// Each a millisecond after the one before, in microseconds.
fn timed(budgets: &[Budget]) -> impl Iterator<Item = (Budget, u64)> {
    budgets.iter().copied().zip((10_000_000..).step_by(1_000))
}
