//! [`LatencyEstimator`]: the inference time μ, σ of one model, from the runs it makes.
//!
//! What breaks such estimators elsewhere, and the rule here:
//!
//! | what comes in | rule |
//! |---|---|
//! | the first sample | taken whole if there is no prior; otherwise the prior is what it is averaged with |
//! | an outlier: above both 1.5 μ and μ + 6σ, or below both ⅔ μ and μ − 3σ | kept out, and counted as a suspect |
//! | a lasting shift | the fifth suspect in a row on one side replaces the estimate by the suspects' own μ, σ |
//! | runs that overlap | tell of one event: slow ones are a shift only if one of them began after the first was known |
//! | a failure, a timeout | "at least" the time that it cost: see [`Observation::AtLeast`] |
//! | a cancelled or unfinished run | "at least" the time it had run |
//! | "at least x" | a sample of x if x > μ, else nothing: it may raise μ, never lower it |
//! | samples out of order, or at the same time | taken in the order given; time tells what overlaps, and no more |
//!
//! An ordinary sample takes back one suspect; one that began after an event was known takes back all of it. So a model that fails at random now and then keeps its profile: one that
//! fails in 10 % of its runs for tens of thousands. One that fails in 30 % is known to be slow after some 200 runs, one
//! that fails in half after some 25. Keeping outliers out costs heavy tails a part of their mean: 1 % of an exponential
//! distribution's, 5 % of a lognormal one's with σ = μ.
//!
//! # How soon a change shows
//! With [`Smoothing::LATENCY`] and σ ≤ μ/20, any change of the true mean is reflected to within 5 % after 60 samples,
//! and one past the outlier limits, such as ten times slower or faster, at the fifth. After a time in which runs failed,
//! whose costs are part of the estimate, it takes up to 100.

use crate::estimate::ewm::{Moments, SIGNIFICANT, Smoothing};
use crate::profile::Latency;
use crate::time::{Micros, Timestamp};

/// What one run tells of a model's inference time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Observation {
    /// It ran to its end and took this long.
    #[cfg_attr(feature = "serde", serde(rename = "took_us"))]
    Took(Micros),
    /// It takes no less than this: it was cancelled, or still runs, after this long; or it failed, which cost whoever
    /// waited for it this long.
    #[cfg_attr(feature = "serde", serde(rename = "at_least_us"))]
    AtLeast(Micros),
}

/// Which side of the mean a suspect lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Side {
    #[default]
    Above,
    Below,
}

/// Samples too far from the mean to believe at once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Suspects {
    side: Side,
    /// How many, less the ordinary samples since.
    count: u32,
    moments: Moments,
    /// When the first was known.
    since: Timestamp,
    /// One of them began after that.
    lasting: bool,
}

/// What a sample was to the estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// Nothing new.
    None,
    /// It moved the estimate.
    Ordinary,
    /// It was kept out.
    Suspect,
    /// It was kept out, and so were enough for a shift, but all of them tell of one event.
    Event,
    /// It made the suspects the estimate, which are slower.
    Slower,
    /// Or faster.
    Faster,
}

/// The mean and deviation of one model's inference time, kept up to date from its runs.
///
/// ```
/// use mdinference::estimate::{LatencyEstimator, Observation, Smoothing};
/// use mdinference::{Latency, Micros, Timestamp};
///
/// let prior = Latency { mean: Micros::from_millis(40), deviation: Micros::from_millis(4) };
/// let mut estimator = LatencyEstimator::from_prior(prior);
/// let now = Timestamp::from_micros(0);
///
/// // One cold start is kept out …
/// estimator.observe(Observation::Took(Micros::from_millis(900)), now, Smoothing::LATENCY);
/// assert_eq!(estimator.latency(), Some(prior));
/// // … a machine that has become slower is not.
/// for _ in 1..LatencyEstimator::SHIFT_SAMPLES {
///     estimator.observe(Observation::Took(Micros::from_millis(900)), now, Smoothing::LATENCY);
/// }
/// assert_eq!(estimator.latency().map(|latency| latency.mean), Some(Micros::from_millis(900)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "serde_impl::Unchecked"))]
pub struct LatencyEstimator {
    prior: Option<Latency>,
    /// In µs and µs².
    moments: Moments,
    /// How many samples the moments stand for, up to 1/α; zero while nothing is known.
    window: u32,
    suspects: Suspects,
    /// Samples ever taken in.
    samples: u64,
    /// When the last was.
    latest: Timestamp,
}

impl LatencyEstimator {
    /// This many suspects in a row on one side are a lasting shift.
    pub const SHIFT_SAMPLES: u32 = 5;

    /// Nothing is known until the first sample.
    pub const fn new() -> Self {
        Self {
            prior: None,
            moments: Moments { mean: 0.0, variance: 0.0 },
            window: 0,
            suspects: Suspects {
                side: Side::Above,
                count: 0,
                moments: Moments { mean: 0.0, variance: 0.0 },
                since: Timestamp::from_micros(0),
                lasting: false,
            },
            samples: 0,
            latest: Timestamp::from_micros(0),
        }
    }

    /// Starts from a profile measured elsewhere, which weighs as much as a full memory of samples.
    pub fn from_prior(prior: Latency) -> Self {
        Self { prior: Some(prior), moments: moments(prior), window: u32::MAX, ..Self::new() }
    }

    /// Starts from a profile that has been claimed and never measured: nothing of it is believed.
    pub(crate) fn from_claim(claimed: Latency) -> Self {
        Self { prior: Some(claimed), ..Self::new() }
    }

    /// Its moments, and how many samples they stand for.
    pub(crate) fn summary(&self) -> (Moments, u32) {
        (self.moments, self.evidence())
    }

    pub(crate) fn from_summary(moments: Moments, samples: u32) -> Self {
        Self { moments, window: samples, samples: samples.into(), ..Self::new() }
    }

    /// The clock has stepped back: what is known was not known later than now.
    pub(crate) fn stepped_back(&mut self, now: Timestamp) {
        self.suspects.since = self.suspects.since.min(now);
        self.latest = self.latest.min(now);
    }

    /// Returns to a profile, which then weighs as one sample, so that one which is not quite right is soon corrected.
    pub(crate) fn restore(&mut self, latency: Latency) {
        let Self { prior, samples, latest, .. } = *self;
        *self = Self { prior, samples, latest, moments: moments(latency), window: 1, ..Self::new() };
    }

    /// What the inference time is taken to be where others have measured it too: their samples make up what its own lack to
    /// a full memory, unless they disagree. It is the prior unless μ or σ is further from it than chance explains. `None`
    /// while nobody knows anything.
    #[inline]
    pub fn believed(&self, others: Option<&Self>, smoothing: Smoothing) -> Option<Latency> {
        let (moments, samples) = match others.map(|others| (self.evidence(), others)) {
            Some((own, others)) if own == 0 || !self.disagrees(others) => {
                // Once it has had as many itself, it needs no others, also where it has begun anew since.
                let had = if own == 0 { 0 } else { u32::try_from(self.samples).unwrap_or(u32::MAX) };
                let heard = others.evidence().min(smoothing.memory().saturating_sub(had));
                let pooled = self.moments.pooled(own, others.moments, heard);
                (pooled.unwrap_or(self.moments), self.window.max(own.saturating_add(heard)))
            }
            _ => (self.moments, self.window),
        };
        let chance = |prior: &Latency| {
            let deviation = prior.deviation.get() as f32;
            let away = SIGNIFICANT * libm::sqrtf(smoothing.spread(samples));
            // σ strays less than that, but not symmetrically.
            let wider = 1.0 + away;
            (moments.mean - prior.mean.get() as f32).abs() <= away * deviation
                && (deviation / wider..=deviation * wider).contains(&moments.deviation())
        };
        (samples > 0).then(|| self.prior.filter(chance).unwrap_or(moments.latency()))
    }

    /// μ and σ, rounded to the microsecond, and from 16.7 s on to 24 bits; `None` while there has been neither a prior
    /// nor a sample.
    pub fn latency(&self) -> Option<Latency> {
        (self.window > 0).then(|| self.moments.latency())
    }

    /// The profile that it started from.
    pub const fn prior(&self) -> Option<Latency> {
        self.prior
    }

    /// How many samples it has taken in, kept-out ones among them; "at least" a time below μ is none.
    pub const fn samples(&self) -> u64 {
        self.samples
    }

    /// A run longer than this is a suspect, to within rounding; [`Micros::MAX`] while nothing is known.
    pub fn suspect_above(&self) -> Micros {
        if self.window == 0 {
            Micros::MAX
        } else {
            micros(self.moments.mean + self.part(Side::Above).max(self.spread(Side::Above)))
        }
    }

    /// Takes in what one run told, of runs one after another. Any order and any values are harmless.
    pub fn observe(&mut self, observation: Observation, now: Timestamp, smoothing: Smoothing) {
        self.observe_run(observation, now, now, smoothing);
    }

    /// Takes in what a run told that began at `began`, where runs may overlap.
    #[inline(always)]
    pub(crate) fn observe_run(
        &mut self,
        observation: Observation,
        began: Timestamp,
        now: Timestamp,
        smoothing: Smoothing,
    ) -> Evidence {
        let (span, exact) = match observation {
            Observation::Took(span) => (span, true),
            Observation::AtLeast(span) => (span, false),
        };
        let sample = span.get() as f32;
        if !exact && self.window > 0 && sample <= self.moments.mean {
            return Evidence::None;
        }
        self.latest = now;
        self.samples = self.samples.saturating_add(1);
        if let Some(side) = self.suspicion(sample) {
            return self.suspect(sample, side, began, now);
        }
        self.window = self.window.saturating_add(1).min(smoothing.memory());
        self.moments = self.moments.updated(sample, smoothing.weight(self.window));
        // That a run is no shorter says nothing against a shift.
        if exact && self.suspects.count > 0 {
            let Suspects { lasting, since, .. } = self.suspects;
            let over = !lasting && began >= since;
            self.suspects = if over { Suspects::default() } else { self.suspects.one_less() };
        }
        Evidence::Ordinary
    }

    /// Whether it would keep such a sample out as too slow.
    pub(crate) fn finds_slow(&self, observation: Observation) -> bool {
        let (Observation::Took(span) | Observation::AtLeast(span)) = observation;
        self.suspicion(span.get() as f32) == Some(Side::Above)
    }

    /// What two estimators of the same model know together, whichever is asked.
    ///
    /// Where they agree, each weighs by the samples it stands for (at most 1/α), and the mean and variance are those of
    /// all these samples together. Where each finds the other's mean suspect, they have seen different times, and the
    /// one with the later sample is right (the slower, if they are of the same time). Sample counts add up, so of two
    /// that are merged again and again, what they had in common counts again and again. Their timestamps must have the
    /// same origin.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        let (own, others) = (self.evidence(), other.evidence());
        // All of it, so that it does not matter which is asked; floats that are not negative sort by their bits.
        let rank = |estimator: &Self, evidence: u32| {
            let Moments { mean, variance } = estimator.moments;
            (evidence > 0, estimator.latest, mean.to_bits(), variance.to_bits(), estimator.window)
        };
        let later = if rank(self, own) >= rank(other, others) { self } else { other };
        // What one has kept out may be nothing to both.
        let suspects = match (self.samples, other.samples) {
            (_, 0) => self.suspects,
            (0, _) => other.suspects,
            _ => Suspects::default(),
        };
        let both = Self {
            prior: slower(self.prior, other.prior),
            samples: self.samples.saturating_add(other.samples),
            latest: self.latest.max(other.latest),
            suspects,
            ..*later
        };
        match self.moments.pooled(own, other.moments, others) {
            Some(moments) if own > 0 && others > 0 && !self.disagrees(other) => Self {
                moments,
                window: self.window.max(other.window).max(own.saturating_add(others)),
                ..both
            },
            _ => both,
        }
    }

    fn disagrees(&self, other: &Self) -> bool {
        self.suspicion(other.moments.mean).is_some() && other.suspicion(self.moments.mean).is_some()
    }

    /// How many of its own samples the moments stand for.
    fn evidence(&self) -> u32 {
        // A prior that no sample has moved stands for none, whatever was kept out.
        let moved = self.window < u32::MAX;
        if moved { u32::try_from(self.samples).unwrap_or(u32::MAX).min(self.window) } else { 0 }
    }

    /// A sample may be so far from the mean …
    fn part(&self, side: Side) -> f32 {
        let mean = self.moments.mean;
        if side == Side::Above { mean / 2.0 } else { mean / 3.0 }
    }

    /// … or so far.
    fn spread(&self, side: Side) -> f32 {
        let deviation = self.moments.deviation();
        if side == Side::Above { 6.0 * deviation } else { 3.0 * deviation }
    }

    /// On which side of the mean a sample is too far off, if it is.
    fn suspicion(&self, sample: f32) -> Option<Side> {
        let delta = sample - self.moments.mean;
        let side = if delta > 0.0 { Side::Above } else { Side::Below };
        (self.window > 0 && delta.abs() > self.part(side) && delta.abs() > self.spread(side)).then_some(side)
    }

    #[cold]
    fn suspect(&mut self, sample: f32, side: Side, began: Timestamp, now: Timestamp) -> Evidence {
        // Those that are no longer far off, since μ has come after them, are none any more: a shift above never makes μ
        // smaller.
        let still = self.suspects.side == side && self.suspicion(self.suspects.moments.mean) == Some(side);
        let before = if still { self.suspects } else { Suspects::default() };
        let count = before.count.saturating_add(1);
        // The plain mean and variance of the suspects; the first, with weight 1, forgets any before.
        let moments = self.suspects.moments.updated(sample, 1.0 / count as f32);
        let (since, lasting) = match before.count {
            0 => (now, false),
            _ => (before.since, before.lasting || began >= before.since),
        };
        self.suspects = Suspects { side, count, moments, since, lasting };
        if count < Self::SHIFT_SAMPLES {
            Evidence::Suspect
        } else if lasting || side == Side::Below {
            *self = Self { moments, window: count, suspects: Suspects::default(), ..*self };
            if side == Side::Above { Evidence::Slower } else { Evidence::Faster }
        } else {
            Evidence::Event
        }
    }
}

impl Suspects {
    fn one_less(self) -> Self {
        match self.count {
            0 | 1 => Self::default(),
            count => Self { count: count.saturating_sub(1), ..self },
        }
    }
}

/// [`LatencyEstimator::suspect_above`] of an estimator that shows this μ, σ, for those who have nothing but the profile:
/// never less, and more by 4 µs and a millionth at most.
pub(crate) fn suspect_above(latency: Latency) -> Micros {
    let Latency { mean, deviation } = latency;
    let half = Micros::new(mean.get() / 2);
    let limit = mean.saturating_add(half.max(deviation.saturating_mul(6)));
    // μ, μ/2 and σ are off by half a microsecond each, and floats by 2⁻²⁴ of what they stand for, a few times.
    limit.saturating_add(Micros::new(limit.get() >> 20)).saturating_add(Micros::new(4))
}

impl Moments {
    fn latency(self) -> Latency {
        Latency { mean: micros(self.mean), deviation: micros(self.deviation()) }
    }
}

fn moments(latency: Latency) -> Moments {
    let deviation = latency.deviation.get() as f32;
    Moments { mean: latency.mean.get() as f32, variance: deviation * deviation }
}

/// To the nearest microsecond.
fn micros(span: f32) -> Micros {
    // A float becomes an integer by saturation.
    Micros::new((span + 0.5) as u32)
}

fn slower(one: Option<Latency>, other: Option<Latency>) -> Option<Latency> {
    let key = |prior: Option<Latency>| prior.map(|latency| (latency.mean, latency.deviation));
    if key(one) >= key(other) { one } else { other }
}

#[cfg(feature = "serde")]
mod serde_impl {
    use super::{Latency, LatencyEstimator, Micros, Moments, Suspects, Timestamp};

    /// The fields as they come in.
    #[derive(serde::Deserialize)]
    #[serde(rename = "LatencyEstimator")]
    pub(super) struct Unchecked {
        prior: Option<Latency>,
        moments: Moments,
        window: u32,
        suspects: Suspects,
        samples: u64,
        latest: Timestamp,
    }

    impl TryFrom<Unchecked> for LatencyEstimator {
        type Error = &'static str;

        fn try_from(unchecked: Unchecked) -> Result<Self, Self::Error> {
            let Unchecked { prior, moments, window, suspects, samples, latest } = unchecked;
            let longest = Micros::MAX.get() as f32;
            for moments in [moments, suspects.moments] {
                if !moments.within(longest, longest * longest) {
                    return Err("a mean or variance is not a number, negative, or too large");
                }
            }
            Ok(Self { prior, moments, window, suspects, samples, latest })
        }
    }
}
