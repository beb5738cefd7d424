//! A server as it is used by default, in virtual time: it learns from its runs, which overlap.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use mdinference::{
    CatalogError, Decision, Front, Learning, Micros, Policy, Reason, Report, Server, Share, Ticket, Timestamp,
};

use crate::policy::{CAPACITY, catalog, measured};
use crate::world::{Outcome, World};

/// From when a front is published until those who begin have it.
const PUBLISHING: Micros = Micros::from_millis(1);

/// Of the requests that would gain by it, what a model gets that was never measured.
const CANARY: Share = match Share::from_percent(1.0) {
    Ok(share) => share,
    Err(_) => unreachable!(),
};

/// What is to happen, apart from arrivals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A run is overdue.
    Overdue,
    /// A run is over, and its answer judged.
    Ended,
}

struct Live<'a> {
    world: &'a World,
    server: Server<CAPACITY>,
    /// Which model of the zoo has each place of the server's catalog.
    models: Vec<usize>,
    snapshots: Option<Snapshots>,
    /// By time, and by request.
    events: BinaryHeap<Reverse<(Timestamp, usize, Event)>>,
    /// By request.
    running: HashMap<usize, Ticket>,
    outcomes: Vec<Outcome>,
}

/// What those choose by who share a server.
struct Snapshots {
    front: Front<CAPACITY>,
    /// With when each arrives.
    published: VecDeque<(Timestamp, Front<CAPACITY>)>,
}

/// Chooses by what its runs teach it; by snapshots of it, if so wanted. `done` is called after each request.
pub fn live(world: &World, snapshots: bool, done: impl Fn()) -> Result<Vec<Outcome>, CatalogError> {
    let mut models: Vec<usize> = measured(world).collect();
    let catalog = catalog(world, models.iter().copied())?;
    let mut server = Server::new(catalog, Policy::PAPER, Learning::DEFAULT);
    if let Some(canary) = world.canary {
        server.add_canary(world.measured[canary], CANARY)?;
        models.push(canary);
    }
    let snapshots =
        snapshots.then(|| Snapshots { front: server.front().clone(), published: VecDeque::new() });
    let mut live = Live {
        world,
        server,
        models,
        snapshots,
        events: BinaryHeap::new(),
        running: HashMap::new(),
        outcomes: Vec::with_capacity(world.arrivals.len()),
    };
    for request in 0..world.arrivals.len() {
        live.advance(world.arrivals[request].at);
        live.begin(request);
        done();
    }
    Ok(live.outcomes)
}

impl Live<'_> {
    /// All that happens until a time.
    fn advance(&mut self, until: Timestamp) {
        loop {
            let event = self.events.peek().copied().filter(|Reverse((at, ..))| *at <= until);
            let poll = self.server.poll_at();
            match event {
                Some(Reverse((at, request, event))) if at < poll => {
                    self.events.pop();
                    match event {
                        Event::Overdue => self.overdue(request, at),
                        Event::Ended => self.end(request, at),
                    }
                }
                _ if poll <= until => self.poll(poll),
                _ => return,
            }
        }
    }

    fn poll(&mut self, now: Timestamp) {
        if self.server.poll(now) {
            self.publish(now);
        }
        assert!(self.server.poll_at() > now, "what is due has been done");
    }

    fn begin(&mut self, request: usize) {
        let arrival = &self.world.arrivals[request];
        let budget = self.world.budget(request);
        let (decision, ticket): (Decision, Ticket) = match &mut self.snapshots {
            None => self.server.begin(budget, arrival.draw, arrival.at),
            Some(snapshots) => snapshots.newest(arrival.at).begin(budget, arrival.draw, arrival.at),
        };
        let model = self.models[decision.model.index()];
        let end = self.world.end(request, model);
        if ticket.overdue_at() < end {
            self.events.push(Reverse((ticket.overdue_at(), request, Event::Overdue)));
        }
        self.events.push(Reverse((end, request, Event::Ended)));
        self.running.insert(request, ticket);
        self.outcomes.push(self.world.outcome(request, model, decision.reason == Reason::Probe));
    }

    fn overdue(&mut self, request: usize, now: Timestamp) {
        let report = self.running.get_mut(&request).and_then(|ticket| ticket.overdue(now));
        self.learn(report.expect("the ticket said when"), now);
    }

    fn end(&mut self, request: usize, now: Timestamp) {
        let ticket = self.running.remove(&request).expect("a run ends once");
        let model = ticket.model();
        self.learn(ticket.completed(now), now);
        self.learn(Report::judged(model, self.world.right(request, &self.outcomes[request])), now);
    }

    fn learn(&mut self, report: Report, now: Timestamp) {
        if self.server.learn(report, now) {
            self.publish(now);
        }
    }

    fn publish(&mut self, now: Timestamp) {
        if let Some(snapshots) = &mut self.snapshots {
            snapshots.published.push_back((now.after(PUBLISHING), self.server.front().clone()));
        }
    }
}

impl Snapshots {
    /// What has arrived by now.
    fn newest(&mut self, now: Timestamp) -> &Front<CAPACITY> {
        let arrived = self.published.partition_point(|(at, _)| *at <= now);
        if let Some((_, newest)) = self.published.drain(..arrived).next_back() {
            self.front = newest;
        }
        &self.front
    }
}
