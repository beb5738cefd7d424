//! The estimators: exact where they are exact, and unharmed by whatever comes in.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

use mdinference::estimate::{AccuracyEstimator, LatencyEstimator, NetworkEstimator, Observation, Smoothing};
use mdinference::{Accuracy, Latency, Micros, NetworkTime, NumberError, Timestamp};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp, LogNormal, Normal};

const ALPHA: Smoothing = Smoothing::LATENCY;
const FIFTH: u32 = LatencyEstimator::SHIFT_SAMPLES;

fn at(micros: u64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn latency(mean: u32, deviation: u32) -> Latency {
    Latency { mean: Micros::new(mean), deviation: Micros::new(deviation) }
}

fn took(micros: u32) -> Observation {
    Observation::Took(Micros::new(micros))
}

fn at_least(micros: u32) -> Observation {
    Observation::AtLeast(Micros::new(micros))
}

fn fed(mut estimator: LatencyEstimator, samples: impl IntoIterator<Item = u32>) -> LatencyEstimator {
    samples.into_iter().for_each(|sample| estimator.observe(took(sample), at(0), ALPHA));
    estimator
}

fn mean(estimator: &LatencyEstimator) -> u32 {
    estimator.latency().unwrap().mean.get()
}

fn sampled(distribution: &impl Distribution<f64>, rng: &mut StdRng) -> u32 {
    distribution.sample(rng).round() as u32
}

// ---- What is exact

proptest! {
    /// μ' = μ + αδ and σ²' = (1 − α)(σ² + αδ²), against `f64`, for samples that are no outliers.
    #[test]
    fn the_update_is_the_equation(
        prior in 1_000u32..100_000,
        samples in prop::collection::vec(0.8f64..1.25, 1..200),
        alpha in 0.001f64..1.0,
    ) {
        let smoothing = Smoothing::new(alpha).unwrap();
        let alpha = smoothing.get();
        let mut estimator = LatencyEstimator::from_prior(latency(prior, prior / 10));
        let (mut mean, mut variance) = (f64::from(prior), f64::from(prior / 10).powi(2));
        for sample in samples {
            // Near the mean as it is, so that none is an outlier.
            let sample = (mean * sample).round();
            estimator.observe(took(sample as u32), at(0), smoothing);
            let delta = sample - mean;
            mean += alpha * delta;
            variance = (1.0 - alpha) * (variance + alpha * delta * delta);
            let got = estimator.latency().unwrap();
            prop_assert!((f64::from(got.mean.get()) - mean).abs() <= 0.51 + mean * 1e-5, "{got:?} {mean}");
            let deviation = variance.sqrt();
            // What `f32` leaves of 1 − α is the less the nearer α is to 1.
            let relative = 1e-4 + 1e-7 / (1.0 - alpha);
            prop_assert!((f64::from(got.deviation.get()) - deviation).abs() <= 0.51 + deviation * relative);
        }
    }

    /// Until 1/n falls below α, a stream without a prior has the plain mean and population deviation of its samples.
    #[test]
    fn a_start_without_a_prior_is_the_plain_mean(samples in prop::collection::vec(50_000u32..60_000, 1..=20)) {
        let estimator = fed(LatencyEstimator::new(), samples.iter().copied());
        let n = samples.len() as f64;
        let mean = samples.iter().copied().map(f64::from).sum::<f64>() / n;
        let variance = samples.iter().map(|&sample| (f64::from(sample) - mean).powi(2)).sum::<f64>() / n;
        let got = estimator.latency().unwrap();
        prop_assert!((f64::from(got.mean.get()) - mean).abs() <= 0.6);
        prop_assert!((f64::from(got.deviation.get()) - variance.sqrt()).abs() <= 1.0);
    }
}

/// The same bits on every target: a change here is a value-breaking change.
#[test]
fn value_stability() {
    let mut estimator = LatencyEstimator::from_prior(latency(112_610, 360));
    let mut sample = 1u32;
    for step in 0..1_000u32 {
        sample = sample.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let observation = if step % 7 == 0 { at_least(sample >> 14) } else { took(60_000 + (sample >> 16)) };
        estimator.observe(observation, at(u64::from(step)), ALPHA);
    }
    assert_eq!(estimator.latency(), Some(latency(98_913, 28_268)));
}

// ---- What breaks estimators elsewhere

#[test]
fn nothing_is_known_before_the_first_sample_and_the_first_is_taken_whole() {
    let mut estimator = LatencyEstimator::new();
    assert_eq!(estimator.latency(), None);
    estimator.observe(took(40_000), at(5), ALPHA);
    assert_eq!(estimator.latency(), Some(latency(40_000, 0)));
}

#[test]
fn a_cold_start_is_kept_out() {
    let estimator = fed(LatencyEstimator::from_prior(latency(40_000, 4_000)), [900_000]);
    assert_eq!(estimator.latency(), Some(latency(40_000, 4_000)));
    // Without a prior it is all there is, until the fifth sample that says otherwise.
    let estimator = fed(LatencyEstimator::new(), [900_000, 40_000, 41_000, 39_000, 42_000]);
    assert_eq!(mean(&estimator), 900_000);
    assert_eq!(mean(&fed(estimator, [38_000])), 40_000);
}

#[test]
fn fewer_than_five_outliers_leave_no_trace() {
    for outlier in [0, 1, 400_000, u32::MAX] {
        let mut estimator = fed(LatencyEstimator::from_prior(latency(40_000, 4_000)), [40_000; 50]);
        let before = estimator.latency();
        for _ in 1..FIFTH {
            estimator.observe(took(outlier), at(0), ALPHA);
            assert_eq!(estimator.latency(), before);
        }
        estimator.observe(took(outlier), at(0), ALPHA);
        assert_eq!(
            estimator.latency().unwrap(),
            Latency { mean: Micros::new(outlier), deviation: Micros::ZERO }
        );
    }
}

/// Four runs of 100 ms are suspects of a model of 10 ms; by the time of the fifth it takes more than those.
#[test]
fn suspects_that_the_mean_has_come_past_are_forgotten() {
    let mut estimator = fed(LatencyEstimator::from_prior(latency(10_000, 0)), [100_000; 4]);
    while mean(&estimator) < 10_000_000 {
        estimator.observe(at_least(mean(&estimator) / 10 * 13), at(0), ALPHA);
    }
    let before = mean(&estimator);
    estimator.observe(at_least(before / 10 * 49), at(0), ALPHA);
    assert!(mean(&estimator) >= before, "a long run made {before} µs {} µs", mean(&estimator));
}

/// Ten times slower, and ten times faster: at the fifth sample.
#[test]
fn a_tenfold_change_shows_at_the_fifth_sample() {
    for (from, to) in [(40_000, 400_000), (40_000, 4_000)] {
        let mut estimator = fed(LatencyEstimator::from_prior(latency(from, from / 20)), [from; 100]);
        for sample in 1..=FIFTH {
            estimator.observe(took(to), at(0), ALPHA);
            assert_eq!(mean(&estimator), if sample < FIFTH { from } else { to });
        }
    }
}

/// A suspect is above μ by half of it and by 6σ.
#[test]
fn what_is_suspect_is_told() {
    let above = |deviation| LatencyEstimator::from_prior(latency(100_000, deviation)).suspect_above().get();
    assert_eq!((above(1_000), above(20_000)), (150_000, 220_000));
    assert_eq!(LatencyEstimator::new().suspect_above(), Micros::MAX);
}

/// A shift stands for its five samples, so that the sixth corrects it by a sixth.
#[test]
fn a_shift_is_soon_corrected() {
    let shifted = fed(LatencyEstimator::from_prior(latency(100_000, 1_000)), [300_000; 5]);
    assert_eq!((mean(&shifted), mean(&fed(shifted, [330_000]))), (300_000, 305_000));
}

/// An ordinary run speaks against a shift; one that was cut short does not, for it might have been slow.
#[test]
fn that_a_run_is_no_shorter_says_nothing_against_a_shift() {
    for (between, after) in [(took(110_000), 100_000..110_000), (at_least(110_000), 300_000..300_001)] {
        let mut estimator = fed(LatencyEstimator::from_prior(latency(100_000, 1_000)), [300_000; 4]);
        estimator.observe(between, at(0), ALPHA);
        estimator.observe(took(300_000), at(0), ALPHA);
        assert!(after.contains(&mean(&estimator)), "{between:?}: {estimator:?}");
    }
}

/// Any change between ÷10 and ×10, with σ = μ/20, within 5 % after 60 samples: in each of 41 × 200 seeded runs.
// paper: II, mu and sigma
#[test]
fn any_change_is_reflected_within_sixty_samples() {
    let mut rng = StdRng::seed_from_u64(1);
    for step in -20..=20 {
        let ratio = 10f64.powf(f64::from(step) / 20.0);
        for _ in 0..200 {
            let around = |mean: f64| Normal::new(mean, mean / 20.0).unwrap();
            let (before, after) = (around(20_000.0), around(20_000.0 * ratio));
            let estimator = fed(
                LatencyEstimator::from_prior(latency(20_000, 1_000)),
                (0..100).map(|_| sampled(&before, &mut rng)),
            );
            let estimator = fed(estimator, (0..60).map(|_| sampled(&after, &mut rng)));
            let error = f64::from(mean(&estimator)) / (20_000.0 * ratio) - 1.0;
            assert!(error.abs() <= 0.05, "×{ratio}: off by {:.1} %", error * 100.0);
        }
    }
}

/// Heavy tails lose no more of their mean than the documentation says.
#[test]
fn heavy_tails_are_known_to_within_what_is_stated() {
    let lognormal = LogNormal::new(20_000f64.ln() - 2f64.ln() / 2.0, 2f64.ln().sqrt()).unwrap();
    let exponential = Exp::new(1.0 / 20_000.0).unwrap();
    let mut rng = StdRng::seed_from_u64(2);
    let mut average = |sample: &mut dyn FnMut(&mut StdRng) -> u32| {
        let mut estimator = LatencyEstimator::from_prior(latency(20_000, 20_000));
        let mut sum = 0.0;
        for _ in 0..200_000 {
            estimator.observe(took(sample(&mut rng)), at(0), ALPHA);
            sum += f64::from(mean(&estimator));
        }
        sum / 200_000.0 / 20_000.0
    };
    let exponential = average(&mut |rng| sampled(&exponential, rng));
    assert!((0.98..1.0).contains(&exponential), "{exponential}");
    let lognormal = average(&mut |rng| sampled(&lognormal, rng));
    assert!((0.94..1.0).contains(&lognormal), "{lognormal}");
}

/// Samples until a model that fails at random is taken to be slow: the median of 201 seeded runs of at most 20,000.
fn samples_until_failures_show(failing: f64) -> u32 {
    let mut rng = StdRng::seed_from_u64(3);
    let mut runs: Vec<u32> = (0..201)
        .map(|_| {
            let mut estimator = LatencyEstimator::from_prior(latency(10_000, 500));
            for sample in 1..=20_000 {
                let observation = if rng.random_bool(failing) { at_least(200_000) } else { took(10_000) };
                estimator.observe(observation, at(0), ALPHA);
                if mean(&estimator) > 100_000 {
                    return sample;
                }
            }
            u32::MAX
        })
        .collect();
    runs.sort_unstable();
    runs[100]
}

#[test]
fn frequent_failures_show_and_rare_ones_do_not() {
    assert_eq!(samples_until_failures_show(1.0), FIFTH);
    assert!(samples_until_failures_show(0.5) <= 30, "{}", samples_until_failures_show(0.5));
    assert!(samples_until_failures_show(0.3) <= 300, "{}", samples_until_failures_show(0.3));
    assert_eq!(samples_until_failures_show(0.05), u32::MAX);
}

#[derive(Clone, Copy, Debug)]
struct Event {
    observation: Observation,
    now: Timestamp,
    smoothing: Smoothing,
}

/// Spans of every size, zero and the longest among them; times in any order, equal, and years apart.
fn events(length: usize) -> impl Strategy<Value = Vec<Event>> {
    let span = prop_oneof![Just(0u32), Just(u32::MAX), 0u32..100, 1_000u32..1_000_000, any::<u32>()];
    let now = prop_oneof![Just(0u64), 0u64..1_000_000, any::<u64>()];
    let alpha = prop_oneof![Just(0.05), Just(1.0), 0.000_001f64..1.0];
    let event = (span, any::<bool>(), now, alpha).prop_map(|(span, exact, now, alpha)| Event {
        observation: if exact { took(span) } else { at_least(span) },
        now: at(now),
        smoothing: Smoothing::new(alpha).unwrap(),
    });
    prop::collection::vec(event, 0..length)
}

fn started() -> impl Strategy<Value = LatencyEstimator> {
    let prior = (any::<u32>(), any::<u32>())
        .prop_map(|(mean, deviation)| LatencyEstimator::from_prior(latency(mean, deviation)));
    prop_oneof![Just(LatencyEstimator::new()), prior]
}

fn lived() -> impl Strategy<Value = LatencyEstimator> {
    (started(), events(40)).prop_map(|(mut estimator, events)| {
        for Event { observation, now, smoothing } in events {
            estimator.observe(observation, now, smoothing);
        }
        estimator
    })
}

proptest! {
    /// Whatever comes in, an estimate stays between the smallest and the largest of what came in, and "at least" never
    /// lowers it.
    #[test]
    fn an_estimate_stays_within_what_was_seen(estimator in started(), events in events(200)) {
        let mut estimator = estimator;
        let seen = |latency: Latency| latency.mean.get() as f64;
        let mut range = estimator.latency().map(|latency| (seen(latency), seen(latency)));
        for Event { observation, now, smoothing } in events {
            let before = estimator.latency();
            estimator.observe(observation, now, smoothing);
            let (Observation::Took(span) | Observation::AtLeast(span)) = observation;
            let span = f64::from(span.get());
            let (low, high) = range.map_or((span, span), |(low, high)| (low.min(span), high.max(span)));
            range = Some((low, high));
            let after = estimator.latency().unwrap();
            // A microsecond, or a few units in the last place of an `f32`.
            let rounding = |value: f64| 1.0 + value * 1e-6;
            prop_assert!(seen(after) >= low - rounding(low) && seen(after) <= high + rounding(high));
            let most = high + estimator.prior().map_or(0.0, |prior| f64::from(prior.deviation.get()));
            prop_assert!(f64::from(after.deviation.get()) <= most + rounding(most));
            if let (Observation::AtLeast(_), Some(before)) = (observation, before) {
                prop_assert!(after.mean >= before.mean, "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn merging_is_commutative_and_adds_the_samples(one in lived(), other in lived()) {
        let merged = one.merged(&other);
        prop_assert_eq!(merged, other.merged(&one));
        prop_assert_eq!(merged.samples(), one.samples() + other.samples());
        if let (Some(one), Some(other), Some(merged)) = (one.latency(), other.latency(), merged.latency()) {
            let (low, high) = (one.mean.min(other.mean).get() as f64, one.mean.max(other.mean).get() as f64);
            let merged = merged.mean.get() as f64;
            prop_assert!(merged >= low * 0.999_999 - 1.0 && merged <= high * 1.000_001 + 1.0);
        }
    }

    /// The mean and deviation of all samples, as if one had seen them all.
    #[test]
    fn merging_keeps_the_moments(
        one in prop::collection::vec(50_000u32..60_000, 1..=20),
        other in prop::collection::vec(50_000u32..60_000, 1..=20),
    ) {
        let start = LatencyEstimator::new;
        let merged = fed(start(), one.iter().copied()).merged(&fed(start(), other.iter().copied()));
        let all: Vec<f64> = one.iter().chain(&other).copied().map(f64::from).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let variance = all.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / all.len() as f64;
        let got = merged.latency().unwrap();
        prop_assert!((f64::from(got.mean.get()) - mean).abs() <= 0.6);
        prop_assert!((f64::from(got.deviation.get()) - variance.sqrt()).abs() <= 1.0);
    }

    /// An estimator that has seen nothing adds nothing.
    #[test]
    fn merging_with_a_newcomer_changes_nothing(one in lived()) {
        let newcomer = one.prior().map_or(LatencyEstimator::new(), LatencyEstimator::from_prior);
        prop_assert_eq!(one.merged(&newcomer), one);
    }
}

#[test]
fn of_two_that_disagree_the_later_is_right() {
    let mut before = LatencyEstimator::from_prior(latency(10_000, 500));
    let mut after = before;
    for time in 0..100 {
        before.observe(took(10_000), at(time), ALPHA);
        after.observe(took(100_000), at(1_000 + time), ALPHA);
    }
    assert_eq!(mean(&before.merged(&after)), 100_000);
    before.observe(took(10_000), at(2_000), ALPHA);
    assert_eq!(mean(&before.merged(&after)), 10_000);
}

/// What one has kept out may be nothing to both: each has to see five of its own.
#[test]
fn suspicions_are_not_shared() {
    let seen = fed(LatencyEstimator::from_prior(latency(10_000, 500)), [10_000, 90_000, 110_000]);
    let merged = fed(seen.merged(&seen), [100_000; 4]);
    assert_eq!(mean(&merged), 10_000);
    assert_eq!(mean(&fed(merged, [100_000])), 100_000);
    // One who has seen nothing has nothing to say against them.
    let merged = seen.merged(&LatencyEstimator::from_prior(latency(10_000, 500)));
    assert_eq!(mean(&fed(merged, [100_000; 3])), 100_000);
}

// ---- Network and accuracy

/// Each weighs by its samples, in whatever order they are put together.
#[test]
fn mergers_weigh_by_samples() {
    let of = |mean: u32, samples: usize| fed(LatencyEstimator::new(), vec![mean; samples]);
    let (ten, other, twenty) = (of(100_000, 10), of(110_000, 10), of(120_000, 20));
    for merged in [ten.merged(&other).merged(&twenty), twenty.merged(&other).merged(&ten)] {
        assert_eq!(mean(&merged), 112_500);
    }
}

/// Those of which one finds nothing strange in the other agree; only where both do one is wrong.
#[test]
fn it_takes_two_to_disagree() {
    let wide = fed(LatencyEstimator::from_prior(latency(100_000, 50_000)), [100_000; 3]);
    let narrow = fed(LatencyEstimator::new(), [160_000; 3]);
    assert_eq!(mean(&wide.merged(&narrow)), 130_000);
    let (few, strange) =
        (fed(LatencyEstimator::new(), [100_000; 5]), fed(LatencyEstimator::new(), [300_000; 20]));
    let alike = fed(LatencyEstimator::new(), [110_000; 20]);
    let believed = |estimator: &LatencyEstimator, others| {
        estimator.believed(others, ALPHA).map(|latency: Latency| latency.mean.get())
    };
    assert_eq!(believed(&few, Some(&strange)), Some(100_000));
    // Its own five, and fifteen of theirs.
    assert_eq!(believed(&few, Some(&alike)), Some(107_500));
    assert_eq!(believed(&LatencyEstimator::new(), Some(&alike)), Some(110_000));
    assert_eq!(believed(&LatencyEstimator::new(), None), None);
}

/// Of two that started from different profiles, what may come back is the slower.
#[test]
fn the_slower_prior_is_kept() {
    let [fast, slow] = [100_000, 200_000].map(|mean| LatencyEstimator::from_prior(latency(mean, 1_000)));
    for merged in [fast.merged(&slow), slow.merged(&fast)] {
        assert_eq!(merged.prior(), slow.prior());
    }
}

/// A prior is given up for its deviation too: once less than a half of it is left, or by as much more.
#[test]
fn a_deviation_is_believed_while_chance_explains_it() {
    let prior = latency(100_000, 10_000);
    let after = |samples: Vec<u32>| fed(LatencyEstimator::from_prior(prior), samples).believed(None, ALPHA);
    let alternating = |by: u32, runs: usize| {
        (0..runs).map(|run| if run % 2 == 0 { 100_000 + by } else { 100_000 - by }).collect()
    };
    assert_eq!(after(vec![100_000; 20]), Some(prior));
    assert!(after(vec![100_000; 40]).unwrap().deviation.get() < 4_000);
    assert_eq!(after(alternating(15_000, 100)), Some(prior));
    assert!(after(alternating(25_000, 100)).unwrap().deviation.get() > 20_000);
}

// paper: IV-D, past observations
#[test]
fn the_three_ways_to_know_the_network() {
    let mut network = NetworkEstimator::new();
    let input = Micros::from_millis(30);
    assert_eq!((network.output(), network.twice_output()), (None, None));
    assert_eq!(network.input_and_output(input), NetworkTime::TwiceInput(input));
    for _ in 0..100 {
        network.observe(Micros::from_millis(20), at(0), ALPHA);
    }
    assert_eq!(network.twice_output(), Some(NetworkTime::TwiceOutput(Micros::from_millis(20))));
    assert_eq!(network.input_and_output(input), NetworkTime::Given(Micros::from_millis(50)));
}

#[test]
fn accuracy_follows_a_drift() {
    let mut estimator = AccuracyEstimator::from_prior(Accuracy::from_percent(82.6).unwrap());
    assert_eq!(estimator.accuracy().as_ppm(), 826_000);
    let mut rng = StdRng::seed_from_u64(4);
    for _ in 0..5_000 {
        estimator.observe(rng.random_bool(0.5), Smoothing::ACCURACY);
    }
    // 0.326 · 0.999⁵⁰⁰⁰ = 0.2 points of the old one are left; four deviations of the noise are 4.5 points.
    assert!((estimator.accuracy().as_percent() - 50.0).abs() < 4.7, "{}", estimator.accuracy());
    for _ in 0..100_000 {
        estimator.observe(true, Smoothing::ACCURACY);
    }
    assert!(estimator.accuracy().as_percent() > 99.9 && estimator.accuracy() <= Accuracy::MAX);
}

/// Table III's best: right in 82.6 % of its answers.
fn best() -> AccuracyEstimator {
    AccuracyEstimator::from_prior(Accuracy::from_percent(82.6).unwrap())
}

fn judged(mut estimator: AccuracyEstimator, answers: impl IntoIterator<Item = bool>) -> AccuracyEstimator {
    answers.into_iter().for_each(|right| estimator.observe(right, Smoothing::ACCURACY));
    estimator
}

fn believed(estimator: &AccuracyEstimator, others: Option<&AccuracyEstimator>) -> f64 {
    estimator.believed(others, Smoothing::ACCURACY).as_percent()
}

/// The share of right answers wavers, what is believed does not.
#[test]
fn chance_is_not_taken_for_a_drift() {
    let mut rng = StdRng::seed_from_u64(5);
    let (mut estimator, mut furthest) = (best(), 0.0_f64);
    for _ in 0..1_000_000 {
        estimator.observe(rng.random_bool(0.826), Smoothing::ACCURACY);
        assert_eq!(estimator.believed(None, Smoothing::ACCURACY), best().prior());
        furthest = furthest.max((estimator.accuracy().as_percent() - 82.6).abs());
    }
    // Three of its standard deviations, which are 0.85 points: enough to put it behind the second of Table III.
    assert!(furthest > 2.5, "{furthest}");
}

/// A drift of ten points is known after some 550 answers: the median of 201 seeded runs.
#[test]
fn a_drift_is_known_once_chance_does_not_explain_it() {
    let mut rng = StdRng::seed_from_u64(6);
    let mut runs: Vec<u32> = (0..201)
        .map(|_| {
            let mut estimator = judged(best(), (0..5_000).map(|_| rng.random_bool(0.826)));
            (1..)
                .find(|_| {
                    estimator.observe(rng.random_bool(0.726), Smoothing::ACCURACY);
                    believed(&estimator, None) < 82.6
                })
                .unwrap()
        })
        .collect();
    runs.sort_unstable();
    assert!((450..650).contains(&runs[100]), "{}", runs[100]);
    assert!(runs[0] > 100, "{}", runs[0]);
}

/// Others' answers count for no more than its own lack to a full memory of a thousand.
#[test]
fn what_others_have_judged_makes_up_what_is_lacking() {
    let drifted = judged(best(), (0..20_000).map(|count| count % 2 == 0));
    assert!((believed(&best(), Some(&drifted)) - 50.0).abs() < 0.1);
    // 19 of 23 are 82.6 %.
    let as_ever = |answers: u32| (0..answers).map(|count| count % 23 < 19);
    let own = judged(best(), as_ever(500));
    let halves = (own.accuracy().as_percent() + drifted.accuracy().as_percent()) / 2.0;
    assert!((believed(&own, Some(&drifted)) - halves).abs() < 0.1);
    assert_eq!(believed(&judged(best(), as_ever(1_000)), Some(&drifted)), 82.6);
    // Those who have judged nothing say nothing.
    assert_eq!(believed(&best(), Some(&best())), 82.6);
}

proptest! {
    #[test]
    fn an_accuracy_known_is_an_accuracy_kept(ppm in 0u32..=1_000_000) {
        let accuracy = Accuracy::from_ppm(ppm).unwrap();
        prop_assert_eq!(AccuracyEstimator::from_prior(accuracy).accuracy(), accuracy);
    }

    #[test]
    fn merging_accuracies_is_commutative(ppm in 0u32..=1_000_000, one in any::<Vec<bool>>(), other in any::<Vec<bool>>()) {
        let start = AccuracyEstimator::from_prior(Accuracy::from_ppm(ppm).unwrap());
        let fed = |answers: &[bool]| {
            let mut estimator = start;
            answers.iter().for_each(|&right| estimator.observe(right, Smoothing::ACCURACY));
            estimator
        };
        let (one, other) = (fed(&one), fed(&other));
        prop_assert_eq!(one.merged(&other), other.merged(&one));
        prop_assert_eq!(one.merged(&start).accuracy(), one.accuracy());
    }
}

#[test]
fn smoothing_is_above_zero_and_up_to_one() {
    assert_eq!(Smoothing::new(0.0), Err(NumberError::Zero));
    assert_eq!(Smoothing::new(1e-9), Err(NumberError::Zero));
    assert_eq!(Smoothing::new(f64::NAN), Err(NumberError::NotANumber));
    assert_eq!(Smoothing::new(-0.1), Err(NumberError::Negative));
    assert_eq!(Smoothing::new(1.1), Err(NumberError::TooLarge));
    assert_eq!(Smoothing::new(1.0).unwrap().get(), 1.0);
}

// ---- Storing and sending

mod stored {
    use super::*;

    proptest! {
        #[test]
        fn state_comes_back_bit_for_bit(estimator in lived()) {
            let text = serde_json::to_string(&estimator).unwrap();
            prop_assert_eq!(serde_json::from_str::<LatencyEstimator>(&text).unwrap(), estimator);
        }
    }

    #[test]
    fn nothing_impossible_comes_in() {
        let good = serde_json::to_value(fed(LatencyEstimator::new(), [40_000, 42_000])).unwrap();
        assert!(serde_json::from_value::<LatencyEstimator>(good.clone()).is_ok());
        // Too large for an `f32` is infinite by then; JSON has no NaN but null.
        for bad in ["-1.0", "1e30", "1e300", "null"] {
            let bad: serde_json::Value = serde_json::from_str(bad).unwrap();
            for place in
                ["/moments/mean", "/moments/variance", "/suspects/moments/mean", "/suspects/moments/variance"]
            {
                let mut value = good.clone();
                *value.pointer_mut(place).unwrap() = bad.clone();
                assert!(serde_json::from_value::<LatencyEstimator>(value).is_err(), "{place} {bad}");
            }
        }
        let accuracy = |share: &str| format!(r#"{{"prior":500000,"share":{share},"judged":1}}"#);
        assert!(serde_json::from_str::<AccuracyEstimator>(&accuracy("1.0")).is_ok());
        for bad in ["1.5", "-0.1", "null"] {
            assert!(serde_json::from_str::<AccuracyEstimator>(&accuracy(bad)).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Smoothing>("0.0").is_err());
    }
}
