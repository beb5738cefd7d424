//! [`Known`]: all that a server keeps of one model, and what follows from it.

use crate::catalog::ModelId;
use crate::estimate::ewm::Moments;
use crate::estimate::latency::suspect_above;
use crate::estimate::{AccuracyEstimator, LatencyEstimator};
use crate::policy::Margin;
use crate::profile::{Accuracy, Cost, Latency, Profile};
use crate::request::Draw;
use crate::select::threshold::Threshold;
use crate::server::learning::{Learning, Learnt};
use crate::server::probe::{Probe, Share};
use crate::server::report::Told;
use crate::server::standing::{NEVER, Pace, Phase, Run, Trust};
use crate::time::{Micros, Timestamp};

/// What is known of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Known {
    /// What this server has measured.
    pub(super) learnt: Learnt,
    /// What the others have.
    pub(super) heard: Option<Heard>,
    pub(super) trust: Trust,
}

/// A [`Learnt`] without what only its own server needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Heard {
    latency: Moments,
    samples: u32,
    accuracy: AccuracyEstimator,
}

impl Heard {
    pub(super) fn new(learnt: Learnt) -> Self {
        let (latency, samples) = learnt.latency.summary();
        Self { latency, samples, accuracy: learnt.accuracy }
    }

    fn latency(&self) -> LatencyEstimator {
        LatencyEstimator::from_summary(self.latency, self.samples)
    }
}

/// What has become of a model by what was told of it.
pub(super) struct Lesson {
    /// What it is taken to be now.
    pub(super) live: Profile,
    /// A probe of it that is open is over.
    pub(super) over: bool,
}

/// A probe that is over with the first is open for so long, or three gaps between requests if that is longer.
const WINDOW: Micros = Micros::from_millis(300);
/// One probe is expected in so long, or in a gap.
const ONE_IN: Micros = Micros::from_millis(100);

impl Known {
    pub(super) fn new(prior: Profile) -> Self {
        Self { learnt: Learnt::from_prior(prior), heard: None, trust: Trust::new(Phase::Trusted) }
    }

    pub(super) fn canary(claimed: Profile, share: Share) -> Self {
        Self {
            learnt: Learnt::from_claim(claimed),
            trust: Trust::new(Phase::Canary(share)),
            ..Self::new(claimed)
        }
    }

    /// Takes in what a run, or a judged answer, has told of a model that was `shown`; `sampled` where a share of the requests
    /// goes to it.
    #[inline(always)]
    pub(super) fn learn(
        &mut self,
        told: Told,
        shown: Profile,
        sampled: bool,
        learning: Learning,
        margin: Margin,
        pace: Pace,
    ) -> Lesson {
        let Trust { phase, due, .. } = self.trust;
        let reference = self.reference(margin);
        let Self { learnt, trust, .. } = self;
        let mut accuracy = shown.accuracy;
        let probe = match told {
            Told::Overdue { began, probe } => {
                trust.overdue(began, probe, pace);
                probe
            }
            Told::Ended { began, probe, observation, .. } => {
                let run = Run { began, probe, observation };
                trust.ended(run, &mut learnt.latency, reference, margin, learning.latency, pace);
                probe
            }
            Told::Judged { right } => {
                // Those of a share are few, and so weigh more.
                let weight = if sampled { learning.accuracy.fivefold() } else { learning.accuracy };
                learnt.accuracy.observe_of(right, weight, learning.accuracy);
                accuracy = self.accuracy(learning);
                false
            }
        };
        let live = Profile { accuracy, latency: self.latency(learning), ..shown };
        let drifted = self.drifted(accuracy);
        if self.trust.due == NEVER && (drifted || slower(live.latency, reference, margin)) {
            self.trust.due = pace.after(1);
        }
        // Of one that is not trusted each run decides.
        let decides = probe || self.trust.phase == Phase::Unproven;
        let over = phase != self.trust.phase
            || drifted != self.drifted(shown.accuracy)
            || decides && due != self.trust.due;
        Lesson { live, over }
    }

    /// What the model is taken to be.
    pub(super) fn live(&self, learning: Learning, cost: Cost) -> Profile {
        Profile::new(self.accuracy(learning), self.latency(learning)).with_cost(cost)
    }

    pub(super) fn accuracy(&self, learning: Learning) -> Accuracy {
        let heard = self.heard.as_ref().map(|heard| &heard.accuracy);
        self.learnt.accuracy.believed(heard, learning.accuracy)
    }

    #[inline(always)]
    fn latency(&self, learning: Learning) -> Latency {
        let live = match &self.heard {
            None => self.learnt.latency.believed(None, learning.latency),
            Some(heard) => self.learnt.latency.believed(Some(&heard.latency()), learning.latency),
        };
        // Of a canary nothing else is known.
        live.or(self.learnt.latency.prior()).unwrap_or_default()
    }

    /// What it might be again: what it started from, or what the others have measured, whichever fits the shorter budget.
    #[inline]
    fn reference(&self, margin: Margin) -> Latency {
        let prior = self.learnt.latency.prior();
        match (prior, self.heard.as_ref().and_then(|heard| heard.latency().latency())) {
            (Some(prior), Some(heard)) if slower(prior, heard, margin) => heard,
            (prior, heard) => prior.or(heard).unwrap_or_default(),
        }
    }

    /// Whether one that is taken to be so accurate is less so than it was.
    fn drifted(&self, accuracy: Accuracy) -> bool {
        accuracy < self.learnt.accuracy.prior()
    }

    /// The probe that is to be opened now, if any.
    pub(super) fn probe(
        &self,
        model: ModelId,
        cost: Cost,
        learning: Learning,
        margin: Margin,
        pace: Pace,
        gap: Micros,
    ) -> Option<Probe> {
        let live = self.live(learning, cost);
        let reference = self.reference(margin);
        let slower = slower(live.latency, reference, margin);
        let shared = |share, latency| Probe {
            model,
            profile: Profile { accuracy: live.accuracy.max(self.learnt.accuracy.prior()), latency, cost },
            share,
            from: pace.now,
            until: pace.after(16),
            any_from: pace.now,
            slack: Micros::MAX,
            once: false,
        };
        let once = |latency| {
            let window = WINDOW.max(gap.saturating_mul(3));
            // First those that lose least, unless there are few, or it goes well, or some have come to nothing: requests
            // may come in bursts, which are over by then.
            let first = self.trust.good() == 0 && self.trust.unheard < 3;
            let careful = if gap < ONE_IN && first { ONE_IN } else { Micros::ZERO };
            // Four times as many with each that goes well, and twice with each that did not come about, for there may be
            // few requests that would gain by it.
            let doubled =
                self.trust.good().min(3).saturating_mul(2).saturating_add(self.trust.unheard.min(4));
            let one_in = Micros::new(ONE_IN.get() >> doubled);
            Probe {
                share: Share::of_one_in(one_in, gap),
                until: pace.now.after(window),
                any_from: pace.now.after(careful),
                slack: live.latency.mean,
                once: true,
                ..shared(Share::ALL, latency)
            }
        };
        match self.trust.phase {
            Phase::Held => None,
            Phase::Canary(share) => Some(shared(share, reference)),
            // By whichever more requests are long enough for.
            Phase::Unproven if slower => Some(once(reference)),
            Phase::Unproven => Some(once(live.latency)),
            Phase::Trusted
                if self.drifted(live.accuracy)
                    && (live.latency.mean <= suspect_above(reference) || !slower) =>
            {
                let lost = self.learnt.accuracy.prior().as_ppm().saturating_sub(live.accuracy.as_ppm());
                Some(shared(Share::losing(lost), live.latency))
            }
            Phase::Trusted if slower => Some(once(reference)),
            Phase::Trusted => None,
        }
    }

    /// When a probe that was opened has been waited for long enough.
    pub(super) fn lease(&self, probe: &Probe, lost: bool, pace: Pace) -> Timestamp {
        match self.trust.phase {
            // It goes on without a break.
            Phase::Canary(_) => pace.after(8),
            // With one, in which others have their turn.
            _ if !probe.once => pace.after(17),
            // Longer once many have come to nothing: their reports may be lost. And by up to a quarter more, lest each is
            // opened just when a burst of requests is over.
            _ => {
                let many = if lost { 1_u32 << self.trust.unheard.saturating_sub(4).min(3) } else { 1 };
                let waited = probe.until.after(suspect_above(probe.profile.latency)).after(WINDOW);
                let longer = pace.interval.saturating_mul(many.saturating_sub(1));
                let more = Draw::from_id(pace.now.as_micros()).below(longer.get() / 4);
                waited.after(longer).after(Micros::new(more))
            }
        }
    }
}

/// Whether a model that is taken to be so fits shorter budgets by what it might be again.
fn slower(live: Latency, reference: Latency, margin: Margin) -> bool {
    Threshold::new(reference, margin) < Threshold::new(live, margin)
}
