//! [`Gateway`]: what chooses, duplicates and learns, without I/O and without a clock.

use mdinference::device::{Action, Duplication, Ending, Event, Source, Strategy};
use mdinference::estimate::{NetworkEstimator, Smoothing};
use mdinference::{
    Accuracy, Budget, Catalog, Decision, Device, Draw, Latency, Learning, Micros, ModelId, NetworkTime,
    Policy, Profile, Server, Ticket, Timestamp, remote_time,
};

/// A model that is avoided is tried again 60 of these intervals later where few requests come, here 0.6 s: it costs
/// no answer that is late, as there is a model here.
const LEARNING: Learning = Learning::DEFAULT.with_probe_interval(Micros::from_millis(10));

/// Models on a server, a small one here, and what is known of them and of the network between.
#[derive(Clone, Debug)]
pub struct Gateway<const N: usize> {
    server: Server<N>,
    network: NetworkEstimator,
    device: Device,
}

/// A request under way.
#[derive(Debug)]
pub struct Job {
    /// The model that the server is to run, and why that one.
    pub decision: Decision,
    sent: Timestamp,
    /// Until its report is made.
    ticket: Option<Ticket>,
    duplication: Duplication,
}

impl<const N: usize> Gateway<N> {
    /// A gateway to a server of these models, with a model of its own.
    pub fn new(models: Catalog<N>, policy: Policy, local: Profile) -> Self {
        Self {
            server: Server::new(models, policy, LEARNING),
            network: NetworkEstimator::new(),
            device: Device::new(local, Strategy::DEFERRED),
        }
    }

    /// What the server's models are known to be.
    pub fn server(&self) -> &Server<N> {
        &self.server
    }

    /// How long answers travel.
    pub fn network(&self) -> &NetworkEstimator {
        &self.network
    }

    /// The model here, and what became of the requests.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Does what is due while there are no requests.
    pub fn idle(&mut self, now: Timestamp) {
        self.server.poll(now);
    }

    /// What the network leaves of a response-time target.
    pub fn budget(&self, target: Micros) -> Budget {
        Budget::new(target, self.network.twice_output().unwrap_or(NetworkTime::Given(Micros::ZERO)))
    }

    /// Chooses the model for a request that is to be answered within `target` from now on.
    pub fn begin(&mut self, now: Timestamp, target: Micros, draw: Draw) -> Job {
        let (decision, mut ticket) = self.server.begin(self.budget(target), draw, now);
        let one_way = self.network.output();
        if let Some(one_way) = one_way {
            ticket.started(now.after(one_way.mean));
        }
        let model = self.server.catalog().get(decision.model);
        let expected = one_way.zip(model).map(|(one_way, model)| {
            let both_ways = Latency { mean: one_way.mean.saturating_mul(2), ..one_way };
            remote_time(both_ways, model.latency)
        });
        let duplication = self.device.begin(now, target, expected);
        Job { decision, sent: now, ticket: Some(ticket), duplication }
    }

    /// When to poll if nothing comes before; `None` when all is done.
    pub fn poll_at(&self, job: &Job) -> Option<Timestamp> {
        let due = job.duplication.poll_at()?;
        Some(job.ticket.as_ref().map_or(due, |ticket| due.min(ticket.overdue_at())))
    }

    /// What to do next, one thing a call; `None` when there is nothing.
    pub fn poll(&mut self, job: &mut Job, now: Timestamp) -> Option<Action> {
        if let Some(report) = job.ticket.as_mut().and_then(|ticket| ticket.overdue(now)) {
            self.server.learn(report, now);
        }
        let action = self.device.poll(&mut job.duplication, now)?;
        // It was not there at the target.
        if action == Action::Cancel(Source::Remote)
            && let Some(ticket) = job.ticket.take()
        {
            self.server.learn(ticket.timed_out(now), now);
        }
        Some(action)
    }

    /// The server's answer is here: its model took `took`, which comes with the answer; the rest was the
    /// network.
    pub fn answered(&mut self, job: &mut Job, took: Micros, now: Timestamp) {
        let Some(mut ticket) = job.ticket.take() else { return };
        let travelled = now.since(job.sent).saturating_sub(took);
        let one_way = Micros::new(travelled.get() / 2);
        self.network.observe(one_way, now, Smoothing::LATENCY);
        let ended = now.before(one_way);
        ticket.started(ended.before(took));
        let accuracy = self.accuracy(ticket.model(), Source::Remote);
        self.server.learn(ticket.completed(ended), now);
        job.duplication.handle(now, Event::Remote(Some(accuracy)));
    }

    /// The server will not answer.
    pub fn failed(&mut self, job: &mut Job, now: Timestamp) {
        let Some(ticket) = job.ticket.take() else { return };
        self.server.learn(ticket.failed(now), now);
        job.duplication.handle(now, Event::Failed(Source::Remote));
    }

    /// How accurate an answer is that comes from this model of the server, or from the one here.
    pub fn accuracy(&self, model: ModelId, source: Source) -> Accuracy {
        let profile = match source {
            Source::Remote => self.server.catalog().get(model).copied().unwrap_or_default(),
            Source::Local => self.device.local(),
        };
        profile.accuracy
    }

    /// The model here is done.
    pub fn local_done(&mut self, job: &mut Job, now: Timestamp) {
        job.duplication.handle(now, Event::Local);
    }
}

impl Job {
    /// How it ended, once it has.
    pub fn ending(&self) -> Option<Ending> {
        self.duplication.ending()
    }
}
