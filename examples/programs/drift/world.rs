//! How the models really are, request by request, and what comes of each choice.

use mdinference::{Accuracy, Budget, Latency, Micros, NetworkTime, Profile, Timestamp};

use crate::scenario::{Disturbance, Scenario};
use crate::traffic::Arrival;

/// The truth, which is the same for every policy.
pub struct World {
    /// What was measured of the models at first.
    pub measured: Vec<Profile>,
    /// A model of which nothing was measured; its profile is a claim.
    pub canary: Option<usize>,
    pub sla: Micros,
    pub arrivals: Vec<Arrival>,
    /// Of each model, by time.
    states: Vec<Vec<State>>,
    stalls: Vec<Vec<Stall>>,
    spans: Vec<Span>,
}

/// How a model is from a request on.
#[derive(Clone, Copy, Debug)]
struct State {
    from: u64,
    factor: f64,
    /// In points.
    delta: f64,
}

/// No run ends within.
#[derive(Clone, Copy, Debug)]
struct Stall {
    from: Timestamp,
    to: Timestamp,
}

/// How long a disturbance lasts that has begun; one without an end, for ever.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    model: usize,
    pub from: Timestamp,
    pub to: Option<Timestamp>,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// By its place in the zoo.
    pub model: u16,
    pub late: bool,
    /// The choice was a probe.
    pub probe: bool,
    /// How accurate the model was then, late or not.
    pub accuracy: Accuracy,
}

impl Outcome {
    /// Effective: a late answer counts as 0.
    pub fn effective(&self) -> Accuracy {
        if self.late { Accuracy::ZERO } else { self.accuracy }
    }
}

impl World {
    pub fn new(measured: Vec<Profile>, scenario: &Scenario, sla: Micros, arrivals: Vec<Arrival>) -> Self {
        let of = |model| scenario.disturbances.iter().filter(move |it| it.model == model);
        let models = 0..measured.len();
        let states = models.clone().map(|model| states(of(model))).collect();
        let stalls = models.map(|model| stalls(of(model), &arrivals)).collect();
        let spans = spans(&scenario.disturbances, &arrivals);
        Self { measured, canary: scenario.canary, sla, arrivals, states, stalls, spans }
    }

    /// The requests from which on a model's profile is another, in order.
    pub fn changes(&self) -> Vec<(u64, usize)> {
        let of = |(model, states): (usize, &Vec<State>)| -> Vec<_> {
            states.iter().map(|state| (state.from, model)).collect()
        };
        let mut changes: Vec<_> = self.states.iter().enumerate().flat_map(of).collect();
        changes.sort_unstable();
        changes
    }

    /// The model's profile as it is for runs that a request begins.
    pub fn profile(&self, model: usize, request: u64) -> Profile {
        let State { factor, delta, .. } = self.state(model, request);
        let Profile { accuracy, latency, cost } = self.measured[model];
        let latency = Latency {
            mean: micros(latency.mean.as_millis() * factor),
            deviation: micros(latency.deviation.as_millis() * factor),
        };
        let percent = (accuracy.as_percent() + delta).clamp(0.0, 100.0);
        Profile { accuracy: Accuracy::from_percent(percent).unwrap_or_default(), latency, cost }
    }

    /// The models that stall.
    pub fn stalled(&self, now: Timestamp) -> impl Iterator<Item = usize> + '_ {
        let stalls =
            move |stalls: &Vec<Stall>| stalls.iter().any(|stall| (stall.from..stall.to).contains(&now));
        self.stalls.iter().enumerate().filter(move |(_, of)| stalls(of)).map(|(model, _)| model)
    }

    pub fn budget(&self, request: usize) -> Budget {
        Budget::new(self.sla, NetworkTime::Given(self.arrivals[request].network))
    }

    /// When the run ends that a request begins as it arrives.
    pub fn end(&self, request: usize, model: usize) -> Timestamp {
        let Arrival { at, score, .. } = self.arrivals[request];
        let Latency { mean, deviation } = self.measured[model].latency;
        let ordinary = mean.as_millis() + score * deviation.as_millis();
        let factor = self.state(model, request as u64).factor;
        let end = at.after(micros((ordinary * factor).max(0.001)));
        let held =
            |end, stall: &Stall| if stall.from < end && at < stall.to { stall.to.max(end) } else { end };
        self.stalls[model].iter().fold(end, held)
    }

    pub fn outcome(&self, request: usize, model: usize, probe: bool) -> Outcome {
        let Arrival { at, network, .. } = self.arrivals[request];
        let late = self.end(request, model).since(at).saturating_add(network) > self.sla;
        let accuracy = self.profile(model, request as u64).accuracy;
        Outcome { model: model as u16, late, probe, accuracy }
    }

    /// Whether an answer is right, in time or not.
    pub fn right(&self, request: usize, outcome: &Outcome) -> bool {
        self.arrivals[request].luck * 100.0 < outcome.accuracy.as_percent()
    }

    /// The disturbances.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The model that was disturbed last, and when that was over; `None` if it never is.
    pub fn undisturbed(&self) -> Option<(u16, Timestamp)> {
        // What never ends is after all else.
        let last = self.spans.iter().max_by_key(|span| (span.to.is_none(), span.to))?;
        Some((last.model as u16, last.to?))
    }

    fn state(&self, model: usize, request: u64) -> State {
        let states = &self.states[model];
        let begun = states.partition_point(|state| state.from <= request);
        let measured = State { from: 0, factor: 1.0, delta: 0.0 };
        begun.checked_sub(1).map_or(measured, |place| states[place])
    }
}

/// What the disturbances of a model come to: factors multiply, deltas add.
fn states<'a>(disturbances: impl Iterator<Item = &'a Disturbance>) -> Vec<State> {
    let disturbances: Vec<_> = disturbances.filter(|disturbance| disturbance.changes()).collect();
    let mut edges: Vec<u64> =
        disturbances.iter().flat_map(|disturbance| [disturbance.from, disturbance.to]).collect();
    edges.sort_unstable();
    edges.dedup();
    let state = |from| {
        let now =
            disturbances.iter().filter(|disturbance| (disturbance.from..disturbance.to).contains(&from));
        let factor = now.clone().map(|disturbance| disturbance.factor).product();
        State { from, factor, delta: now.map(|disturbance| disturbance.delta).sum() }
    };
    edges.into_iter().map(state).collect()
}

/// The stalls of a model, by when they begin.
fn stalls<'a>(disturbances: impl Iterator<Item = &'a Disturbance>, arrivals: &[Arrival]) -> Vec<Stall> {
    let stall = |disturbance: &Disturbance| {
        let from = at(arrivals, disturbance.from)?;
        Some(Stall { from, to: from.after(disturbance.stall) })
    };
    let mut stalls: Vec<Stall> =
        disturbances.filter(|it| it.stall > Micros::ZERO).filter_map(stall).collect();
    stalls.sort_unstable_by_key(|stall| stall.from);
    stalls
}

fn spans(disturbances: &[Disturbance], arrivals: &[Arrival]) -> Vec<Span> {
    let spans = |it: &Disturbance| {
        let Some(from) = at(arrivals, it.from) else { return Vec::new() };
        let stall = (it.stall > Micros::ZERO).then(|| Some(from.after(it.stall)));
        let change = it.changes().then(|| at(arrivals, it.to));
        [stall, change].into_iter().flatten().map(|to| Span { model: it.model, from, to }).collect()
    };
    disturbances.iter().flat_map(spans).collect()
}

fn at(arrivals: &[Arrival], request: u64) -> Option<Timestamp> {
    let request = usize::try_from(request).ok()?;
    arrivals.get(request).map(|arrival| arrival.at)
}

fn micros(millis: f64) -> Micros {
    Micros::try_from_millis(millis).unwrap_or(Micros::MAX)
}
