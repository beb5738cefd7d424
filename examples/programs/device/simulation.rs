//! One request after another in virtual time: the crate's own device and selector, driven by drawn times.

use mdinference::device::{Action, Counters, Event, LocalStart, Source, Strategy};
use mdinference::select::base::fastest;
use mdinference::{
    Accuracy, Budget, Device, Draw, Index, Latency, Micros, NetworkTime, Profile, Request, Timestamp,
    remote_time,
};
use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::StandardNormal;

use crate::network::Network;

/// All that chance decides of a request; the same for every rule, so that they can be compared request by request.
#[derive(Clone, Copy)]
pub struct Draws {
    /// One way; T_nw is twice this, as in the paper.
    one_way: Micros,
    selection: Draw,
    /// The remote model's time, in deviations from its mean.
    remote_score: f64,
    local_time: Micros,
}

impl Draws {
    pub fn new(network: &Network, local: Latency, rng: &mut StdRng) -> Self {
        let share = rng.random_range(f64::EPSILON..1.0);
        Self {
            one_way: Micros::new(network.quantile(share).get() / 2),
            selection: Draw::from_rng(rng),
            remote_score: rng.sample(StandardNormal),
            local_time: taking(local, rng.sample(StandardNormal)),
        }
    }
}

/// A time that lies `score` deviations from the mean; never below a microsecond.
fn taking(latency: Latency, score: f64) -> Micros {
    let millis = latency.mean.as_millis() + score * latency.deviation.as_millis();
    Micros::try_from_millis(millis.max(0.001)).unwrap_or(Micros::MAX)
}

/// How the device and the server go about a request.
#[derive(Clone, Copy)]
pub struct Rule {
    pub strategy: Strategy,
    /// What the server may pay in accuracy for an answer before the device's local start.
    pub price: Option<Accuracy>,
}

/// The server's models and the device's.
pub struct World<const N: usize> {
    pub index: Index<N>,
    pub local: Profile,
    pub sla: Micros,
}

impl<const N: usize> World<N> {
    /// What the server is asked.
    fn request(&self, network: NetworkTime, rule: Rule) -> Request<'static> {
        let request = Request::new(Budget::new(self.sla, network));
        match (rule.price, rule.strategy.local_start(self.sla, self.local.latency, None)) {
            (Some(price), LocalStart::After(delay)) => {
                request.with_earlier(Budget::new(delay, network), price)
            }
            _ => request,
        }
    }

    /// The time from a request to its result if the server answers with the base.
    fn expected(&self, network: NetworkTime, rule: Rule) -> Latency {
        let base = self.index.explain(self.request(network, rule)).base;
        let model = base.map(|base| base.model().profile.latency).unwrap_or_default();
        remote_time(Latency { mean: network.both_ways(), deviation: Micros::ZERO }, model)
    }

    /// An upload that lasts this long leaves too little time for the way back and the fastest model.
    fn hopeless_after(&self) -> Micros {
        let fastest = fastest(self.index.catalog().models());
        let mean = fastest.map_or(Micros::ZERO, |model| model.profile.latency.mean);
        Micros::new(self.sla.saturating_sub(mean).get().div_ceil(2))
    }
}

/// A rule at work: its device, and what came of its requests.
pub struct Run {
    rule: Rule,
    device: Device,
    in_time: u64,
    /// Of the answers in time, in ppm; a request without one counts as 0.
    accuracy: u64,
    local_micros: u64,
}

impl Run {
    pub fn new<const N: usize>(world: &World<N>, rule: Rule) -> Self {
        let device = Device::new(world.local, rule.strategy);
        Self { rule, device, in_time: 0, accuracy: 0, local_micros: 0 }
    }

    /// One request from beginning to end; who answered it.
    pub fn request<const N: usize>(&mut self, world: &World<N>, draws: &Draws) -> Option<Source> {
        let began = Timestamp::from_micros(0);
        let network = NetworkTime::TwiceInput(draws.one_way);

        // What the server does with it, once it is there. No model is ruled out.
        let model = world.index.select(world.request(network, self.rule), draws.selection).ok()?.model;
        let profile = world.index.catalog().get(model).copied().unwrap_or_default();
        let remote_takes = network.both_ways().saturating_add(taking(profile.latency, draws.remote_score));

        // What the device lives through. Its upload is over, or has lasted for so long that not even the fastest model can answer in time.
        let known_of_upload = draws.one_way.min(world.hopeless_after());
        let mut upload_known = Some(began.after(known_of_upload));
        let mut remote_done = Some(began.after(remote_takes));
        let mut local_done: Option<Timestamp> = None;
        let mut local_started = None;
        let mut request = self.device.begin(began, world.sla, None);
        while let Some(due) = request.poll_at() {
            let next =
                [upload_known, remote_done, local_done].into_iter().flatten().fold(due, Timestamp::min);
            if upload_known.take_if(|at| *at == next).is_some() {
                self.device.expect(
                    &mut request,
                    world.expected(NetworkTime::TwiceInput(known_of_upload), self.rule),
                );
            }
            if remote_done.take_if(|at| *at == next).is_some() {
                request.handle(next, Event::Remote(Some(profile.accuracy)));
            }
            if local_done.take_if(|at| *at == next).is_some() {
                request.handle(next, Event::Local);
                self.local_micros += u64::from(draws.local_time.get());
                local_started = None;
            }
            while let Some(action) = self.device.poll(&mut request, next) {
                match action {
                    Action::Start(Source::Local) => {
                        local_started = Some(next);
                        local_done = Some(next.after(draws.local_time));
                    }
                    Action::Cancel(Source::Local) => {
                        let ran = local_started.take().map_or(Micros::ZERO, |start| next.since(start));
                        self.local_micros += u64::from(ran.get());
                        local_done = None;
                    }
                    Action::Cancel(Source::Remote) => remote_done = None,
                    Action::Start(Source::Remote) | Action::Deliver(_) | Action::GiveUp => {}
                }
            }
        }
        let ending = request.ending()?;
        let source = ending.delivered.filter(|_| ending.after <= world.sla)?;
        let accuracy = match source {
            Source::Remote => profile.accuracy,
            Source::Local => world.local.accuracy,
        };
        self.in_time += 1;
        self.accuracy += u64::from(accuracy.as_ppm());
        Some(source)
    }

    pub fn counters(&self) -> &Counters {
        self.device.counters()
    }

    fn share(&self, count: u64) -> f64 {
        100.0 * count as f64 / self.counters().requests() as f64
    }

    /// Requests answered by the SLA, in percent.
    pub fn attainment(&self) -> f64 {
        self.share(self.in_time)
    }

    /// Mean accuracy of the answers, in percent; no answer in time counts as 0.
    pub fn accuracy(&self) -> f64 {
        self.share(self.accuracy) / 1_000_000.0
    }

    /// Requests answered on the device, in percent.
    pub fn on_device(&self) -> f64 {
        self.share(self.counters().local)
    }

    /// Requests that the remote did not answer in time.
    pub fn remote_missed(&self) -> u64 {
        let counters = self.counters();
        counters.requests() - counters.remote - counters.overruled
    }

    /// Requests for which no local run was started, in percent.
    pub fn local_runs_avoided(&self) -> f64 {
        self.share(self.counters().avoided)
    }

    /// Time that local runs took, in ms a request; a cancelled run counts until it was cancelled.
    pub fn local_millis(&self) -> f64 {
        self.local_micros as f64 / 1_000.0 / self.counters().requests() as f64
    }
}
