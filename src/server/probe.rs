//! [`Probe`]: a request that goes to a model which, by what is known of it now, would not be chosen, to see whether it has
//! recovered.
//!
//! It is drawn before stage 1, from the request's own draw remixed, so that stages 2 and 3 keep their bits.

use heapless::Vec;

use crate::catalog::{Model, ModelId, Places, copy_filled};
use crate::number::{self, NumberError};
use crate::policy::Margin;
use crate::profile::Profile;
use crate::request::{Draw, Request};
use crate::select::Beforehand;
use crate::select::base::Base;
use crate::select::threshold::Threshold;
use crate::select::value::Eligible;
use crate::time::{Micros, Timestamp};

/// A share of the requests, in parts per million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "u32", into = "u32"))]
pub struct Share(u32);

impl Share {
    /// All of them.
    pub const ALL: Self = Self(1_000_000);

    /// From percent, 0 to 100, rounded to the nearest part per million.
    ///
    /// # Errors
    /// Not a number, infinite, negative, or above 100.
    pub const fn from_percent(percent: f64) -> Result<Self, NumberError> {
        match number::fixed_point(percent, 10_000.0, Self::ALL.0) {
            Ok(ppm) => Ok(Self(ppm)),
            Err(error) => Err(error),
        }
    }

    /// In parts per million.
    pub const fn as_ppm(self) -> u32 {
        self.0
    }

    /// So large that one request is expected in `window`, which is no longer than four seconds, where one comes each `gap`.
    pub(super) fn of_one_in(window: Micros, gap: Micros) -> Self {
        if gap >= window {
            return Self::ALL;
        }
        // gap · 10⁶ / window, by divisions of 32 bits.
        let divided = |gap: u32| {
            let gap = gap.saturating_mul(1_000);
            gap.checked_div(window.get()).zip(gap.checked_rem(window.get())).unwrap_or_default()
        };
        let (thousandths, rest) = divided(gap.get());
        Self(thousandths.wrapping_mul(1_000).wrapping_add(divided(rest).0))
    }

    /// A hundredth, or less, so that what answers lose of this many parts per million of accuracy makes a tenth of a point
    /// of all at most.
    pub(super) fn losing(lost: u32) -> Self {
        Self(1_000_000_000_u32.checked_div(lost).unwrap_or(u32::MAX).min(10_000))
    }
}

/// From parts per million. The error names the share, as deserialising shows it as it is.
impl TryFrom<u32> for Share {
    type Error = &'static str;

    fn try_from(ppm: u32) -> Result<Self, Self::Error> {
        if ppm > Self::ALL.0 { Err("a share is above 1000000 parts per million") } else { Ok(Self(ppm)) }
    }
}

impl From<Share> for u32 {
    fn from(share: Share) -> Self {
        share.0
    }
}

/// Probes that a front may send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Probe {
    pub(super) model: ModelId,
    /// What it is taken to be: its times decide whether it fits.
    pub(super) profile: Profile,
    /// How many of the requests that would gain by it.
    pub(super) share: Share,
    /// From when on, and until when: a front that is older sends none.
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// Before this, only requests that have slack, or a duplicate on the device.
    pub(super) any_from: Timestamp,
    /// A request has slack if its budget is longer: by what the model seems to be now it may be in time all the same.
    pub(super) slack: Micros,
    /// It is over with the first.
    pub(super) once: bool,
}

/// The probes that a front may send now: as a rule none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Probes(Vec<Probe, { Beforehand::MOST }>);

impl Probe {
    /// Whether a request would gain by it, whose base it is by what is known now.
    fn suits(&self, request: &Request<'_>, choice: &Choice<'_>, now: Timestamp) -> bool {
        let Some(base) = choice.base else { return false };
        let (Some(&live), Some(&of_base)) =
            (choice.places.get(self.model), choice.places.get(base.model().id))
        else {
            return false;
        };
        let value =
            |id: ModelId, profile: Profile| Eligible::new(Model { id, profile }, request, choice.margin);
        let probed = value(self.model, self.profile);
        let budget = request.budget();
        let gains = match base {
            Base::Fits(base) => probed.value > value(base.id, of_base).value,
            // Nothing fits, and it does.
            Base::Fastest(_) => true,
        };
        let careful = now >= self.any_from
            || request.has_duplicate()
            || budget.time() > self.slack.saturating_add(request.wait(self.model));
        let in_time = Threshold::new(probed.model.profile.latency, choice.margin).fits(budget);
        let allowed = request.exclusion(&Model { id: self.model, profile: live }).is_none();
        (self.from..=self.until).contains(&now) && gains && in_time && careful && allowed
    }
}

/// What would be chosen without a probe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'a> {
    pub(super) base: Option<Base>,
    pub(super) places: Places<'a>,
    pub(super) margin: Margin,
}

impl Probes {
    /// Makes these the same as others.
    pub(super) fn copy_from(&mut self, other: &Self) {
        copy_filled(&mut self.0, &other.0);
    }

    #[inline(always)]
    pub(super) fn none(&self) -> bool {
        self.0.is_empty()
    }

    /// The probe that this draw makes of a request, if it does. The `choice` is asked for only where it may.
    ///
    /// Each has a draw of its own, so that one which suits nobody leaves the requests to the others.
    pub(super) fn drawn<'a>(
        &self,
        request: &Request<'_>,
        mut draw: Draw,
        now: Timestamp,
        choice: impl Fn() -> Choice<'a>,
    ) -> Option<Probe> {
        let drawn = self.0.iter().find(|probe| {
            draw = draw.remixed();
            draw.below(Share::ALL.0) < probe.share.0 && probe.suits(request, &choice(), now)
        });
        drawn.copied()
    }

    /// Whether any may be drawn now.
    pub(super) fn any(&self, now: Timestamp) -> bool {
        self.0.iter().any(|probe| (probe.from..=probe.until).contains(&now))
    }

    /// Which models a request may be sent to as a probe, and how likely.
    pub(super) fn beforehand(
        &self,
        request: &Request<'_>,
        choice: &Choice<'_>,
        now: Timestamp,
    ) -> Beforehand {
        let mut beforehand = Beforehand::default();
        let mut left = 1.0;
        for probe in self.0.iter().filter(|probe| probe.suits(request, choice, now)) {
            let probability = left * f64::from(probe.share.0) / f64::from(Share::ALL.0);
            left -= probability;
            beforehand.add(probe.model, probability);
        }
        beforehand
    }

    /// Opens one, in place of any of the same model. `false` if there is no room: those that last leave some for those that
    /// do not.
    pub(super) fn open(&mut self, probe: Probe) -> bool {
        self.close(probe.model);
        let lasting = self.0.iter().filter(|open| !open.once).count();
        let room = probe.once || lasting < Beforehand::MOST - 1;
        room && self.0.push(probe).is_ok()
    }

    /// Says whether there was one.
    #[inline(never)]
    pub(super) fn close(&mut self, model: ModelId) -> bool {
        let before = self.0.len();
        self.0.retain(|probe| probe.model != model);
        self.0.len() < before
    }

    /// Whether a lasting one is open.
    #[inline]
    pub(super) fn lasts(&self, model: ModelId) -> bool {
        self.0.iter().any(|probe| probe.model == model && !probe.once)
    }

    pub(super) fn close_all(&mut self) -> bool {
        let any = !self.none();
        self.0.clear();
        any
    }

    /// Closes those that have ended.
    pub(super) fn close_ended(&mut self, now: Timestamp) -> bool {
        let before = self.0.len();
        self.0.retain(|probe| now <= probe.until);
        self.0.len() < before
    }
}
