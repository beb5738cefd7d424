//! What none of the large parts calls: values and their constructors, the stages one by one, the estimators by themselves.

use core::convert::Infallible;
use core::hint::black_box;
use core::num::NonZeroU32;

use rand_core::TryRng;

use mdinference::device::{
    Counters, Duplication, Ending, LocalStart, Strategy, TokenBucket, local_model, remote_time,
};
use mdinference::estimate::{AccuracyEstimator, LatencyEstimator, NetworkEstimator, Observation, Smoothing};
use mdinference::load::{Growth, Hopeless, Settings, Stretch, expected_wait, residual};
use mdinference::select::base::{base, fastest};
use mdinference::select::explore::{Window, exploration_set};
use mdinference::select::sample::{Probabilities, sample, unit, weights};
use mdinference::select::threshold::Threshold;
use mdinference::select::utility::{Terms, utility};
use mdinference::select::value::eligible;
use mdinference::{
    Accuracy, Budget, Catalog, Cost, Draw, Index, Latency, Learning, Learnt, Margin, Micros, Model, ModelSet,
    NetworkTime, Policy, Price, Profile, Request, Share, Sharpness, Ticket, Ticks, Timestamp, Value,
    baseline,
};

/// A generator, of nothing.
struct Zeros;

impl TryRng for Zeros {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(black_box(0))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(black_box(0))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(black_box(0));
        Ok(())
    }
}

/// Every constructor, and what can be read.
pub fn values() {
    let (float, whole): (f64, u32) = (black_box(0.0), black_box(0));
    let accuracies =
        [Accuracy::from_percent(float), Accuracy::from_fraction(float), Accuracy::from_ppm(whole)];
    for accuracy in accuracies.into_iter().flatten() {
        black_box((accuracy.as_percent(), accuracy.as_ppm(), Value::of(accuracy).as_percent()));
        black_box((Value::of(accuracy).get(), AccuracyEstimator::from_prior(accuracy)));
        let price = Price::per_milli(accuracy).plus(Price::per_cost(accuracy));
        black_box(Request::new(Budget::default()).with_price(price).price());
    }
    let _ = black_box((Micros::try_new(whole), Micros::try_from_millis(float), Micros::from_millis(whole)));
    let time = Micros::new(whole);
    black_box((time.as_millis(), time.get(), time.saturating_add(time), time.saturating_sub(time)));
    black_box((time.saturating_mul(whole), Micros::from(core::time::Duration::from_millis(black_box(1)))));
    let now = Timestamp::from_micros(black_box(0));
    black_box((now.after(time), now.before(time), now.since(now), now.as_micros()));
    let _ = black_box((
        Profile::from_percent_and_millis(float, float, float),
        Profile::from_ppm_and_micros(whole, whole, whole),
        Profile::new(Accuracy::MAX, Latency::default()).with_cost(Cost(whole)),
    ));
    let _ = black_box((Margin::new(float), Margin::from_thousandths(whole), Sharpness::new(whole)));
    let _ = black_box((Smoothing::new(float), Smoothing::from_ppm(whole), Share::from_percent(float)));
    let _ = black_box((Growth::new(float), Growth::from_thousandths(whole)));
    let policy =
        Policy::PAPER.with_margin(black_box(Margin::PAPER)).with_sharpness(black_box(Sharpness::PAPER));
    black_box((policy, policy.margin.get(), policy.margin.thousandths(), policy.sharpness.get()));
    let learning =
        Learning::DEFAULT.with_latency(black_box(Smoothing::LATENCY)).with_accuracy(Smoothing::ACCURACY);
    black_box((
        learning.with_probe_interval(time),
        learning.latency.get(),
        Growth::DEFAULT.get(),
        Share::ALL.as_ppm(),
    ));
    black_box(Settings::DEFAULT.with_priced(black_box(true)).with_hopeless(black_box(Hopeless::Fastest)));
    let stretch = Stretch::from_thousandths(whole);
    black_box((stretch.thousandths(), stretch.of(Latency { mean: time, deviation: time })));
    if let Some(hertz) = NonZeroU32::new(whole) {
        black_box(Ticks::new(hertz, whole).now(black_box(1)));
    }
    let network: NetworkTime = black_box(NetworkTime::TwiceInput(time));
    let budget = Budget::new(time, network).minus(time);
    black_box((budget.time(), network.both_ways()));
}

/// Each stage by itself, and what the paper compares with.
pub fn stages<const N: usize>(catalog: &Catalog<N>, index: &Index<N>, policy: &Policy) {
    let (budget, draw) = (Budget::of(Micros::new(black_box(0))), Draw::from_rng(&mut Zeros));
    black_box(Draw::from_uniform_bits(black_box(0)));
    let (margin, models) = (policy.margin, catalog.models());
    black_box((draw.bits(), unit(draw), index.base(budget), index.policy(), catalog.len()));
    let latency: Latency = black_box(Latency::default());
    black_box((base(models.clone(), margin, budget).map(|base| base.model()), fastest(models.clone())));
    black_box((Window::around(latency).contains(latency.mean), Threshold::new(latency, margin).as_nanos()));
    black_box(Threshold::new(latency, margin).fits(budget));
    let set = exploration_set(models.clone(), latency);
    let shares = Probabilities::new(set.clone(), policy, budget);
    for Model { id, profile } in set.clone() {
        black_box((
            catalog.get(id),
            utility(&profile, margin, budget),
            Terms::new(&profile, margin).weight(budget),
        ));
        black_box(shares.of(&Model { id, profile }));
    }
    black_box(sample(weights(set, policy, budget), draw));
    let request = Request::new(budget)
        .with_budget(budget)
        .with_min_accuracy(black_box(Accuracy::ZERO))
        .with_max_cost(black_box(Cost(0)))
        .minus(black_box(Micros::ZERO));
    black_box((request.owned().has_duplicate(), request.budget()));
    let (valued, waiting) = eligible(models.clone(), &request, margin);
    waiting.for_each(|model| {
        black_box(model);
    });
    for candidate in valued {
        black_box((request.exclusion(&candidate.model), request.wait(candidate.model.id), candidate.value));
    }
    black_box((baseline::static_latency(models.clone()), baseline::static_accuracy(models.clone())));
    black_box((
        baseline::static_greedy(models.clone(), margin, budget.time()),
        baseline::pure_random(models.clone(), draw),
    ));
    black_box(baseline::related_random(models.clone(), margin, budget, draw));
    black_box(baseline::related_accurate(models.clone(), margin, budget));
    black_box(local_model(models, margin, budget.time()));
    let mut allowed: ModelSet<N> = catalog.models().map(|model| model.id).collect();
    for Model { id, .. } in catalog.models() {
        allowed.remove(id);
        allowed.insert(id);
        black_box(allowed.contains(id));
    }
    black_box(allowed.intersection(&ModelSet::ALL));
    black_box((catalog.id(black_box(0)), catalog.profiles(), index.catalog().len()));
}

/// The estimators by themselves.
pub fn estimators() {
    let (time, now) = (Micros::new(black_box(0)), Timestamp::from_micros(black_box(0)));
    let latency = Latency { mean: time, deviation: time };
    let smoothing: Smoothing = black_box(Smoothing::LATENCY);
    let mut times = [LatencyEstimator::new(), LatencyEstimator::from_prior(latency)];
    for estimator in &mut times {
        estimator.observe(black_box(Observation::Took(time)), now, smoothing);
        estimator.observe(black_box(Observation::AtLeast(time)), now, smoothing);
        black_box((estimator.latency(), estimator.prior(), estimator.samples(), estimator.suspect_above()));
    }
    let [one, other] = times;
    black_box((one.merged(&other), one.believed(Some(&other), smoothing)));
    let mut right = AccuracyEstimator::from_prior(black_box(Accuracy::ZERO));
    right.observe(black_box(true), smoothing);
    black_box((
        right.merged(&right),
        right.believed(Some(&right), smoothing),
        right.accuracy(),
        right.prior(),
    ));
    let mut network = NetworkEstimator::new();
    network.observe(time, now, smoothing);
    black_box((network.output(), network.twice_output(), network.input_and_output(time)));
    black_box(Learnt::from_prior(black_box(Profile::default())));
    black_box(remote_time(latency, latency));
}

/// What a device has beside its requests, and a ticket beside its reports.
pub fn by_hand(ticket: &mut Ticket) {
    let (time, now) = (Micros::new(black_box(0)), Timestamp::from_micros(black_box(0)));
    let latency = Latency { mean: time, deviation: time };
    let start: LocalStart = black_box(Strategy::Always).local_start(time, latency, black_box(Some(latency)));
    let mut cap = TokenBucket::new(black_box(1), time);
    let mut request = Duplication::new(now, time, Accuracy::MAX, start);
    request.plan(start);
    black_box((cap.take(now), request.poll(now, &mut cap), request.sla(), request.local_start()));
    let ending: Option<Ending> = request.ending();
    let mut counters = Counters::default();
    ending.into_iter().for_each(|ending| counters.record(ending));
    black_box((counters.merged(counters), counters.requests()));
    ticket.longer_by(time);
    ticket.batch_of(black_box(1), Stretch::from_thousandths(black_box(1_000)));
    black_box((ticket.deadline(), ticket.overdue_at()));
    black_box((residual(latency, time), expected_wait([time; 3].into_iter(), black_box(0), time)));
}
