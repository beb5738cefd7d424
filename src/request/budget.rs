//! [`Budget`]: the time the model may take, T_budget = T_sla − T_nw (Section IV-D), and the ways to know T_nw.

use crate::time::Micros;

/// The time T_nw that the network takes of a request, and how it is known (Section IV-D).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum NetworkTime {
    /// 2·T_input: the request took this long to arrive, and the response is taken to need as long. That is on the safe
    /// side where T_input ≥ T_output, as for an image that is answered by a few words.
    // paper: IV-D, twice the input
    #[cfg_attr(feature = "serde", serde(rename = "twice_input_us"))]
    TwiceInput(Micros),
    /// 2·T_output: past responses took this long, and the request is taken to have needed as long. On the safe side
    /// where outputs are large, so that T_output ≥ T_input.
    // paper: IV-D, twice the output
    #[cfg_attr(feature = "serde", serde(rename = "twice_output_us"))]
    TwiceOutput(Micros),
    /// Both ways, as known by synchronised clocks, measurement, or a model of the network (Section III).
    // paper: III, network time known
    #[cfg_attr(feature = "serde", serde(rename = "given_us"))]
    Given(Micros),
}

impl NetworkTime {
    /// T_nw.
    pub const fn both_ways(self) -> Micros {
        match self {
            Self::TwiceInput(one_way) | Self::TwiceOutput(one_way) => one_way.saturating_mul(2),
            Self::Given(both_ways) => both_ways,
        }
    }
}

/// T_budget: what is left for the model. Never negative; nothing fits a budget of zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Budget(Micros);

impl Budget {
    /// T_budget = T_sla − T_nw, floored at zero.
    // paper: IV-D, budget
    pub const fn new(sla: Micros, network: NetworkTime) -> Self {
        Self(sla.saturating_sub(network.both_ways()))
    }

    /// A budget that is known as such.
    pub const fn of(time: Micros) -> Self {
        Self(time)
    }

    /// What is left when `spent` is gone for every model alike, such as time waited in a common queue.
    pub const fn minus(self, spent: Micros) -> Self {
        Self(self.0.saturating_sub(spent))
    }

    /// The budget as time.
    pub const fn time(self) -> Micros {
        self.0
    }
}
