//! [`Decision`]: a model picked for a request, with what it was picked on.

use core::fmt;

use crate::catalog::ModelId;
use crate::request::Budget;
use crate::select::base::Base;
use crate::time::Micros;

/// A model picked for a request, and what it was picked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Decision {
    /// The model to run.
    pub model: ModelId,
    /// The place of the base it was explored from (stage 1): [`ModelId::index`] of that model.
    pub base: u16,
    /// Why this model.
    pub reason: Reason,
    #[cfg_attr(feature = "serde", serde(rename = "budget_us"))]
    /// The budget that it was chosen within: T_budget, or the earlier one that the request asks for, if the base fits it.
    pub budget: Budget,
}

// It is copied and logged with each request.
const _: () = assert!(size_of::<Decision>() <= 12);

/// Why a model was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Reason {
    /// It is the base: the most accurate model that fits, or that of the greatest value.
    Base,
    /// It was drawn from the exploration set around the base.
    Explored,
    /// It is a probe: what is known of it now speaks against it, and a server sees whether it has recovered.
    Probe,
    /// No model fits the budget: it is the fastest, which may still make it (μ < T_budget).
    Tight,
    /// No model fits the budget: it is the fastest, and hardly in time (μ ≥ T_budget).
    TooLate,
}

impl Reason {
    /// Whether the model that was picked, and with it any, fits the budget (Eq. 2); a probe may.
    pub const fn fits(self) -> bool {
        matches!(self, Self::Base | Self::Explored | Self::Probe)
    }

    /// Where nothing fits, of the fastest model's μ.
    pub(crate) fn of_fastest(mean: Micros, budget: Budget) -> Self {
        if mean < budget.time() { Self::Tight } else { Self::TooLate }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Base => "most accurate model that fits",
            Self::Explored => "explored near the base",
            Self::Probe => "probe, to see whether it has recovered",
            Self::Tight => "nothing fits: the fastest model, which may still be in time",
            Self::TooLate => "nothing fits: the fastest model, too late on average",
        })
    }
}

impl Decision {
    pub(crate) fn new(base: Base, model: ModelId, budget: Budget) -> Self {
        let reason = match base {
            Base::Fits(base) if base.id == model => Reason::Base,
            Base::Fits(_) => Reason::Explored,
            Base::Fastest(fastest) => Reason::of_fastest(fastest.profile.latency.mean, budget),
        };
        Self { model, base: base.model().id.place(), reason, budget }
    }
}
