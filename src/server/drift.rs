//! [`Drift`]: whether a model whose answers have become worse is as accurate again as it was.
//!
//! One that is taken to be less accurate than others gets no requests, and so no answers to be judged by. It then gets a
//! hundredth of those that would gain by it if it were as before: they are in time, so each costs no more than the
//! difference. Their answers decide by Wald's sequential test: once they are a thousand times likelier by what it was than
//! by what it is taken to be, it is restored; the other way round, the share halves, three times at most.

use crate::estimate::AccuracyEstimator;
use crate::profile::Accuracy;
use crate::server::probe::Share;

/// What the answers of such a model say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Drift {
    /// The logarithm of how much likelier they are by what it was.
    evidence: f32,
    halved: u8,
}

impl Drift {
    /// A hundredth of the requests.
    const SHARE: Share = Share::ppm(10_000);
    /// The logarithm of a thousand.
    const ENOUGH: f32 = 6.9;
    const HALVED: u8 = 3;

    /// Takes in an answer of a model whose accuracy is believed to be this.
    pub(super) fn judged(&mut self, right: bool, believed: Accuracy, estimator: &mut AccuracyEstimator) {
        let prior = estimator.prior();
        if believed >= prior {
            *self = Self::default();
            return;
        }
        self.evidence += estimator.evidence_for_prior(believed, right);
        if self.evidence > Self::ENOUGH {
            *estimator = AccuracyEstimator::from_prior(prior);
            *self = Self::default();
        } else if self.evidence < -Self::ENOUGH {
            self.evidence = 0.0;
            self.halved = self.halved.saturating_add(1).min(Self::HALVED);
        }
    }

    /// How many of the requests it is to get.
    pub(super) const fn share(&self) -> Share {
        Self::SHARE.halved(self.halved)
    }
}
