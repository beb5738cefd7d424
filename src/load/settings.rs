//! [`Settings`]: how a queue dispatches.

/// How a queue dispatches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Settings {
    /// A run is charged for what it costs those behind it. Without, each request takes the most accurate model that it can
    /// afford when its turn comes.
    pub priced: bool,
    /// What becomes of a request that no model makes any more.
    pub hopeless: Hopeless,
}

impl Settings {
    /// Priced and shedding.
    pub const DEFAULT: Self = Self { priced: true, hopeless: Hopeless::Shed };

    /// With or without a price of time.
    pub const fn with_priced(self, priced: bool) -> Self {
        Self { priced, ..self }
    }

    /// With another fate of what is hopeless.
    pub const fn with_hopeless(self, hopeless: Hopeless) -> Self {
        Self { hopeless, ..self }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What becomes of a request that fits no model any more (Eq. 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Hopeless {
    /// It is handed out as shed.
    #[default]
    Shed,
    /// It is run on the fastest model all the same, in its turn and with others that are hopeless: those behind may be late
    /// for it.
    Fastest,
}
