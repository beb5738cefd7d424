//! A server that learns, and the reports that it takes.

use mdinference::{
    Budget, Draw, Learning, Micros, ModelSet, Policy, Report, Request, Server, Ticket, Timestamp,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Measured, catalog};

/// So many runs of a model have it believed to be as fast as it has become.
const ENOUGH: usize = 32;

pub fn server<const N: usize>(models: &[Measured]) -> Box<Server<N>> {
    Box::new(Server::new(*catalog(models), Policy::PAPER, Learning::DEFAULT))
}

/// Has every model be a fifth faster than it was measured, since what chance explains moves no profile.
pub fn speed_up<const N: usize>(server: &mut Server<N>) {
    let ids: Vec<_> = server.catalog().models().map(|model| model.id).collect();
    let mut rng = StdRng::seed_from_u64(5);
    let mut now = 5_000_000;
    for id in ids.iter().flat_map(|&id| [id; ENOUGH]) {
        let alone: ModelSet<N> = [id].into_iter().collect();
        let request = Request::new(Budget::of(Micros::from_millis(500))).with_allowed(&alone);
        let ticket = begin(server, request, &mut rng);
        server.learn(end(server, ticket, now, &mut rng), Timestamp::from_micros(now));
        now += 50;
    }
}

/// Of each budget a run, one a millisecond, whose time is within 5 % of what its model has become: each moves a profile.
pub fn reports<const N: usize>(server: &Server<N>, budgets: &[Budget]) -> Vec<(Report, Timestamp)> {
    let mut rng = StdRng::seed_from_u64(5);
    let report = |(budget, now)| {
        let ticket = begin(server, Request::new(budget), &mut rng);
        (end(server, ticket, now, &mut rng), Timestamp::from_micros(now))
    };
    timed(budgets).map(report).collect()
}

/// The same of runs that were cancelled as soon as they began: they tell nothing.
#[allow(dead_code, reason = "not every benchmark needs it")]
pub fn reports_of_nothing<const N: usize>(
    server: &Server<N>,
    budgets: &[Budget],
) -> Vec<(Report, Timestamp)> {
    let mut rng = StdRng::seed_from_u64(5);
    let report = |(budget, now)| {
        let mut ticket = begin(server, Request::new(budget), &mut rng);
        let now = Timestamp::from_micros(now);
        ticket.started(now);
        (ticket.cancelled(now), now)
    };
    timed(budgets).map(report).collect()
}

/// Each a millisecond after the one before, in microseconds.
fn timed(budgets: &[Budget]) -> impl Iterator<Item = (Budget, u64)> {
    budgets.iter().copied().zip((10_000_000..).step_by(1_000))
}

fn begin<const N: usize>(server: &Server<N>, request: Request<'_>, rng: &mut StdRng) -> Ticket {
    let begun = server.front().begin(request, Draw::from_rng(rng), Timestamp::from_micros(0));
    begun.expect("a model").1
}

/// It took 75 to 85 % of what its model was measured at.
fn end<const N: usize>(server: &Server<N>, mut ticket: Ticket, now: u64, rng: &mut StdRng) -> Report {
    let learnt = server.learnt(ticket.model()).expect("a model");
    let measured = learnt.latency.prior().expect("a profile").mean.get();
    let took = u64::from(measured) * rng.random_range(750..850) / 1_000;
    ticket.started(Timestamp::from_micros(now - took));
    ticket.completed(Timestamp::from_micros(now))
}
