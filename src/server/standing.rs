//! [`Standing`]: whether a model is trusted, and the one state machine that decides it.
//!
//! ```text
//!            five runs overdue, none ended well in between           one of them ends, or the lease does
//!  Trusted ───────────────────────────────────────────────▶ Held ─────────────────────────────────────▶ Unproven
//!   │  ▲ ▲    five slow runs, all of one event                                                           │   │
//!   │  │ └────────────────────────────────────────────────────────────────────── three good probes ──────┘   │
//!   │  └─────────────────── it is slower for good: its live profile is that of the slow runs ────────────────┘
//!   └─ its live profile has become worse than what it started from, and nobody runs it any more:
//!      probes, and three good ones in a row restore what it started from
//! ```
//!
//! A held or unproven model is not chosen by its live profile, which it keeps. Everything that waits for a report is a
//! lease: it has a time, set when it began, at which it is over all the same. [`Trust::due`] is the one of them that
//! ends next, so that no state depends on a report that may be lost.
//!
//! Evidence counts once: what began before a model's last change of standing is part of what changed it.

use core::fmt;

use crate::estimate::latency::{Evidence, suspect_above};
use crate::estimate::{LatencyEstimator, Observation, Smoothing};
use crate::policy::Margin;
use crate::profile::Latency;
use crate::select::threshold::Threshold;
use crate::server::probe::Share;
use crate::time::{Micros, Timestamp};

/// Whether a model is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Standing {
    /// It is chosen by its live profile.
    Trusted,
    /// Five of its runs are overdue and none has ended well since: it is not chosen until one ends, or 8 intervals are
    /// over. It keeps its profile, for this may be a stall.
    Held,
    /// By what it started from, or what replicas say, it would be chosen, by what is known of it now it is not: it is
    /// probed, one request at a time.
    Probing,
    /// It has never been measured: it gets a share of the requests until its profile is known.
    Canary,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trusted => "trusted",
            Self::Held => "held",
            Self::Probing => "probing",
            Self::Canary => "canary",
        })
    }
}

/// A standing as it is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Phase {
    Trusted,
    Held,
    /// After a hold, or slow runs of one event: chosen by probes alone.
    Unproven,
    Canary(Share),
}

/// How far a model is trusted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trust {
    pub(super) phase: Phase,
    /// When something is to be done: a hold ends, a probe may be sent, a probe has not been heard of.
    pub(super) due: Timestamp,
    /// Since when it stands as it does.
    since: Timestamp,
    /// Runs overdue since one ended well, and until when they count.
    overdue: u8,
    overdue_until: Timestamp,
    /// Probes in a row that went well.
    good: u8,
    /// Times that a probe was opened since one was heard of.
    pub(super) unheard: u8,
    /// How often the interval of probes has doubled.
    strikes: u8,
    /// How often it was restored of late: what has relapsed has to show more.
    restored: u8,
    /// A run was once what the model started from.
    met: bool,
    /// Its last probe is not followed by an ordinary run yet.
    pub(super) probing: bool,
}

/// The clock and the intervals of everything that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) now: Timestamp,
    /// Of probes.
    pub(super) interval: Micros,
}

impl Pace {
    /// How long a hold lasts, and an overdue run counts.
    const LEASE: u32 = 8;
    /// How long a model must have been trusted for what was before to be forgotten.
    const LONG: u32 = 32;

    pub(super) fn after(self, intervals: u32) -> Timestamp {
        self.now.after(self.interval.saturating_mul(intervals))
    }

    fn long_since(self, then: Timestamp) -> bool {
        self.now.since(then) >= self.interval.saturating_mul(Self::LONG)
    }
}

/// A run that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) began: Timestamp,
    pub(super) probe: bool,
    pub(super) observation: Observation,
}

/// When nothing is to be done.
pub(super) const NEVER: Timestamp = Timestamp::from_micros(u64::MAX);
/// How many runs overdue make a hold.
const OVERDUE: u8 = 5;
/// How many good probes in a row restore a model, and how often that doubles.
const GOOD: u8 = 3;
const RELAPSES: u8 = 3;
/// How often the interval of probes doubles, and how many it comes to at most: for a model that was once what it started
/// from, and for one that never was.
///
/// The first is a trade between late answers and the time until a model that has recovered is back. `cargo run --release
/// --example drift`, over six seeds at 1,000 requests a second: with 6, a model that stays slow costs 8 to 9 late answers a
/// minute (20 to 27 from copies of the front), and one that has recovered is back after 3.9 s (median of spikes of 20 to
/// 200 s; 6.9 s at most); with 8, by one seed, 7 (18), and 6.1 s (8.7).
const STRIKES: u8 = 6;
const LONGEST: u32 = 6;
const LONGEST_UNMET: u32 = 64;
/// A canary is known after as many runs as a profile stands for.
const KNOWN: u8 = 20;

impl Trust {
    pub(super) const fn new(phase: Phase) -> Self {
        const START: Timestamp = Timestamp::from_micros(0);
        Self {
            phase,
            // A canary's share is to be opened at once; all else waits for a first run.
            due: if matches!(phase, Phase::Canary(_)) { START } else { NEVER },
            since: START,
            overdue: 0,
            overdue_until: START,
            good: 0,
            unheard: 0,
            strikes: 0,
            restored: 0,
            met: false,
            probing: false,
        }
    }

    /// Whether no request but a probe may go to it.
    pub(super) const fn shut(&self) -> bool {
        !matches!(self.phase, Phase::Trusted)
    }

    /// What is shown of it; `sampled` where a share of the requests goes to it.
    pub(super) const fn standing(&self, sampled: bool) -> Standing {
        match self.phase {
            Phase::Trusted if self.probing || sampled => Standing::Probing,
            Phase::Trusted => Standing::Trusted,
            Phase::Held => Standing::Held,
            Phase::Unproven => Standing::Probing,
            Phase::Canary(_) => Standing::Canary,
        }
    }

    /// Takes in that a run goes on for longer than its profile explains.
    pub(super) fn overdue(&mut self, began: Timestamp, probe: bool, pace: Pace) {
        if began < self.since {
            return;
        }
        match self.phase {
            Phase::Held | Phase::Canary(_) => {}
            Phase::Trusted if !probe => {
                if pace.now > self.overdue_until {
                    self.overdue = 0;
                }
                self.overdue = self.overdue.saturating_add(1);
                self.overdue_until = pace.after(Pace::LEASE);
                if self.overdue >= OVERDUE {
                    self.forget_old(pace);
                    self.enter(Phase::Held, pace.after(Pace::LEASE), pace);
                }
            }
            Phase::Trusted | Phase::Unproven => self.failed(pace),
        }
    }

    /// Takes in the end of a run, and has the estimator learn from it; `reference` is what it might be again.
    #[inline(always)]
    pub(super) fn ended(
        &mut self,
        run: Run,
        estimator: &mut LatencyEstimator,
        reference: Latency,
        margin: Margin,
        smoothing: Smoothing,
        pace: Pace,
    ) {
        let Run { began, probe, observation } = run;
        let old = began < self.since;
        // Only a probe is measured by it.
        let probes = probe || self.phase == Phase::Unproven;
        let live = if probes { estimator.latency().unwrap_or_default() } else { Latency::default() };
        let tells = match (self.phase, observation) {
            (Phase::Trusted, _) => !(old && estimator.finds_slow(observation)),
            // Of a model of which nothing is known, that a run was cut short tells nothing.
            (Phase::Canary(_), Observation::AtLeast(time)) => time > reference.mean,
            _ => true,
        };
        if !tells {
            return;
        }
        let evidence = estimator.observe_run(observation, began, pace.now, smoothing);
        let took = match observation {
            Observation::Took(time) => Some(time),
            Observation::AtLeast(_) => None,
        };
        self.met = self.met || took.is_some_and(|time| time <= in_line(reference));
        match (self.phase, evidence) {
            (Phase::Canary(_), _) => {
                self.good = self.good.saturating_add(1);
                if self.good >= KNOWN {
                    self.enter(Phase::Trusted, pace.after(1), pace);
                }
            }
            (phase, Evidence::Slower) => {
                if phase == Phase::Trusted {
                    self.forget_old(pace);
                }
                self.enter(Phase::Trusted, self.backoff(pace), pace);
            }
            (Phase::Held, _) => {
                // One that gave an answer shows that it is over.
                let due = if took.is_some() { pace.now } else { pace.after(1) };
                self.enter(Phase::Unproven, due, pace);
            }
            (Phase::Unproven, _) => {
                if !old {
                    self.probed(observation, suspect_above(live), estimator, reference, pace);
                }
            }
            // Those that began before are slow by now.
            (Phase::Trusted, Evidence::Faster) => self.enter(Phase::Trusted, self.backoff(pace), pace),
            (Phase::Trusted, Evidence::Event) => {
                self.forget_old(pace);
                self.enter(Phase::Unproven, pace.now, pace);
            }
            (Phase::Trusted, _) if probe => {
                if !old {
                    let limit = middle(reference, live, margin).max(in_line(reference));
                    self.probed(observation, limit, estimator, reference, pace);
                }
            }
            (Phase::Trusted, Evidence::Ordinary) => {
                if took.is_some() {
                    self.overdue = 0;
                }
                self.probing = false;
                self.forget_old(pace);
                let due = self.backoff(pace);
                // A probe that is out is waited for.
                self.due = if self.due == NEVER { due } else { self.due.max(due) };
            }
            (Phase::Trusted, _) => {}
        }
    }

    /// What a probe has shown.
    fn probed(
        &mut self,
        observation: Observation,
        limit: Micros,
        estimator: &mut LatencyEstimator,
        reference: Latency,
        pace: Pace,
    ) {
        match observation {
            Observation::Took(time) if time <= limit => {
                self.good = self.good.saturating_add(1);
                self.unheard = 0;
                self.due = pace.now;
                if self.good >= GOOD << self.restored {
                    if self.phase == Phase::Trusted {
                        estimator.restore(reference);
                    }
                    self.enter(Phase::Trusted, self.backoff(pace), pace);
                    self.probing = false;
                    self.restored = self.restored.saturating_add(1).min(RELAPSES);
                }
            }
            Observation::Took(time) | Observation::AtLeast(time) if time > limit => self.failed(pace),
            // It was cancelled too soon to show anything.
            _ => self.due = pace.after(1),
        }
    }

    /// A probe has failed.
    fn failed(&mut self, pace: Pace) {
        self.enter(self.phase, self.backoff(pace), pace);
        self.strikes = self.strikes.saturating_add(1).min(STRIKES);
    }

    /// What was long ago is forgotten.
    fn forget_old(&mut self, pace: Pace) {
        if (self.strikes, self.restored) != (0, 0) && pace.long_since(self.since) {
            (self.strikes, self.restored) = (0, 0);
        }
    }

    fn enter(&mut self, phase: Phase, due: Timestamp, pace: Pace) {
        *self = Self { phase, due, since: pace.now, overdue: 0, good: 0, unheard: 0, ..*self };
    }

    #[inline]
    fn backoff(&self, pace: Pace) -> Timestamp {
        let most = if self.met { LONGEST } else { LONGEST_UNMET };
        pace.after((1 << self.strikes).min(most))
    }

    /// A lease has ended.
    pub(super) fn lapse(&mut self, pace: Pace) {
        if self.phase == Phase::Held {
            self.enter(Phase::Unproven, pace.now, pace);
        }
    }

    /// There may be news of a model that waits for none.
    pub(super) fn wake(&mut self, now: Timestamp) {
        if self.due == NEVER {
            self.due = now;
        }
    }

    /// How many probes in a row went well.
    pub(super) const fn good(&self) -> u8 {
        self.good
    }

    /// The clock has stepped back: nothing waits for the old time to come again.
    pub(super) fn stepped_back(&mut self, pace: Pace) {
        self.since = self.since.min(pace.now);
        self.overdue_until = self.overdue_until.min(pace.now);
        self.due = self.due.min(pace.after(1));
    }
}

/// No run of such a model takes longer but once in a thousand.
fn in_line(latency: Latency) -> Micros {
    latency.mean.saturating_add(latency.deviation.saturating_mul(3))
}

/// The middle between the μ + γσ of two profiles.
fn middle(one: Latency, other: Latency, margin: Margin) -> Micros {
    let micros = |latency| Threshold::in_micros(latency, margin).0 / 2;
    Micros::new(u32::try_from(micros(one).saturating_add(micros(other))).unwrap_or(u32::MAX))
}

/// What a model that no request may go to shows in the index: so long that it fits no budget below 18 minutes, and still
/// in the order of the models, so that if all are shut the fastest answers.
pub(super) fn shut(latency: Latency) -> Latency {
    Latency { mean: Micros::new(SHUT.saturating_add(latency.mean.get() / 2)), ..latency }
}

/// What it was before, to within a microsecond.
pub(super) fn open(latency: Latency) -> Latency {
    Latency { mean: Micros::new(latency.mean.get().saturating_sub(SHUT).saturating_mul(2)), ..latency }
}

const SHUT: u32 = Micros::MAX.get() / 2 + 1;
