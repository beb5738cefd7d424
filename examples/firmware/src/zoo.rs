//! The models that are chosen from, as integers: nothing here needs floating point.

use mdinference::{
    Accuracy, Catalog, CatalogError, Latency, Margin, Micros, Policy, Profile, ProfileError, Sharpness,
};

/// The most models that a zoo here has.
pub const MOST: usize = 12;

/// Accuracy in parts per million, mean and standard deviation in µs.
pub type Measured = (u32, u32, u32);

/// Models, and by which rule they are chosen.
#[derive(Clone, Copy, Debug)]
pub struct Zoo {
    /// As it is written in the list.
    pub name: &'static str,
    /// What was measured of them.
    pub models: &'static [Measured],
    /// Thousandths of a deviation that must fit, and the power to which utilities are raised.
    rule: (f64, u32),
}

/// Table III of the paper, with its fictional model at the end.
const MEASURED: [Measured; MOST] = [
    (490_000, 4_910, 60),
    (497_000, 3_210, 80),
    (632_000, 4_210, 60),
    (642_000, 25_490, 140),
    (683_000, 4_670, 70),
    (710_000, 5_430, 110),
    (739_000, 21_180, 170),
    (775_000, 50_850, 330),
    (779_000, 31_110, 190),
    (801_000, 59_210, 220),
    (826_000, 112_610, 360),
    (500_000, 112_610, 360),
];

/// Its models that were measured.
pub const TABLE_3: Zoo = Zoo { name: "table3", models: MEASURED.split_at(MOST - 1).0, rule: (1.0, 1) };

/// All of them.
pub const TABLE_3_FICTIONAL: Zoo = Zoo { name: "table3_fictional", models: &MEASURED, ..TABLE_3 };

/// Their names.
pub const NAMES: [&str; MOST] = [
    "SqueezeNet",
    "MobileNetV1 0.25",
    "MobileNetV1 0.5",
    "DenseNet",
    "MobileNetV1 0.75",
    "MobileNetV1 1.0",
    "NasNet Mobile",
    "InceptionResNetV2",
    "InceptionV3",
    "InceptionV4",
    "NasNet Large",
    "NasNet Fictional",
];

/// The model on the gateway: right in 41.4 %, in 40 ± 4 ms.
pub const LOCAL: Measured = (414_000, 40_000, 4_000);

/// All that are replayed.
pub const ALL: [Zoo; 7] = [
    TABLE_3,
    TABLE_3_FICTIONAL,
    Zoo { name: "table3_sharp", rule: (2.5, 9), ..TABLE_3_FICTIONAL },
    // All of them explore each other.
    Zoo {
        name: "wide",
        models: &[(550_000, 18_000, 4_000), (601_234, 20_000, 5_000), (600_000, 23_000, 6_000)],
        rule: (1.0, 1),
    },
    // Two that are the same, and one as accurate and less certain.
    Zoo {
        name: "ties",
        models: &[
            (700_000, 40_000, 1_000),
            (700_000, 40_000, 1_000),
            (700_000, 39_500, 1_500),
            (699_999, 40_000, 1_000),
        ],
        rule: (1.0, 1),
    },
    Zoo { name: "alone", models: &[(414_000, 40_000, 4_000)], rule: (1.0, 1) },
    // No time and all the time there is, never right and always.
    Zoo {
        name: "extremes",
        models: &[
            (0, 0, 0),
            (1_000_000, u32::MAX, 0),
            (999_999, 1, u32::MAX),
            (1, 1, 0),
            (1_000_000, 16_777_217, 3),
        ],
        rule: (0.0, 1),
    },
];

impl Zoo {
    /// The zoo of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|zoo| zoo.name == name)
    }

    /// Its models.
    ///
    /// # Errors
    /// What was measured is out of range, or there are more models than [`MOST`].
    pub fn catalog(&self) -> Result<Catalog<MOST>, CatalogError> {
        Catalog::try_new(self.models.iter().copied().map(profile))
    }

    /// By which rule they are chosen.
    pub fn policy(&self) -> Policy {
        let (margin, sharpness) = self.rule;
        Policy {
            margin: Margin::new(margin).unwrap_or(Margin::PAPER),
            sharpness: Sharpness::new(sharpness).unwrap_or(Sharpness::PAPER),
        }
    }
}

/// What was measured, as a profile.
///
/// # Errors
/// The accuracy is above 1,000,000.
pub fn profile((accuracy, mean, deviation): Measured) -> Result<Profile, ProfileError> {
    let latency = Latency { mean: Micros::new(mean), deviation: Micros::new(deviation) };
    Ok(Profile::new(Accuracy::try_from(accuracy)?, latency))
}
