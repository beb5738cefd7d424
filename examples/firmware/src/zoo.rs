//! The models that are chosen from, as integers: nothing here needs floating point.

use mdinference::{Accuracy, Catalog, CatalogError, Latency, Margin, Micros, Policy, Profile, Sharpness};

/// The most models that a zoo here has.
pub const MOST: usize = 12;

/// Models, and by which rule they are chosen.
#[derive(Clone, Copy, Debug)]
pub struct Zoo {
    /// As it is written in the list.
    pub name: &'static str,
    /// What was measured of them.
    pub models: &'static [Profile],
    /// By which rule they are chosen.
    pub policy: Policy,
}

/// Table III of the paper, with its fictional model at the end.
const MEASURED: [Profile; MOST] = [
    profile(490_000, 4_910, 60),
    profile(497_000, 3_210, 80),
    profile(632_000, 4_210, 60),
    profile(642_000, 25_490, 140),
    profile(683_000, 4_670, 70),
    profile(710_000, 5_430, 110),
    profile(739_000, 21_180, 170),
    profile(775_000, 50_850, 330),
    profile(779_000, 31_110, 190),
    profile(801_000, 59_210, 220),
    profile(826_000, 112_610, 360),
    profile(500_000, 112_610, 360),
];

/// Its models that were measured.
pub const TABLE_3: Zoo = Zoo { name: "table3", models: MEASURED.split_at(MOST - 1).0, policy: Policy::PAPER };

/// All of them.
pub const TABLE_3_FICTIONAL: Zoo = Zoo { name: "table3_fictional", models: &MEASURED, ..TABLE_3 };

/// The same as a constant in flash, sorted by the compiler.
pub static CATALOG: Catalog<MOST> = Catalog::of(MEASURED);

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
pub const LOCAL: Profile = profile(414_000, 40_000, 4_000);

/// All that are replayed.
pub const ALL: [Zoo; 7] = [
    TABLE_3,
    TABLE_3_FICTIONAL,
    Zoo { name: "table3_sharp", policy: rule(2_500, 9), ..TABLE_3_FICTIONAL },
    // All of them explore each other.
    Zoo {
        name: "wide",
        models: &[
            profile(550_000, 18_000, 4_000),
            profile(601_234, 20_000, 5_000),
            profile(600_000, 23_000, 6_000),
        ],
        policy: Policy::PAPER,
    },
    // Two that are the same, and one as accurate and less certain.
    Zoo {
        name: "ties",
        models: &[
            profile(700_000, 40_000, 1_000),
            profile(700_000, 40_000, 1_000),
            profile(700_000, 39_500, 1_500),
            profile(699_999, 40_000, 1_000),
        ],
        policy: Policy::PAPER,
    },
    Zoo { name: "alone", models: &[profile(414_000, 40_000, 4_000)], policy: Policy::PAPER },
    // No time and all the time there is, never right and always.
    Zoo {
        name: "extremes",
        models: &[
            profile(0, 0, 0),
            profile(1_000_000, u32::MAX, 0),
            profile(999_999, 1, u32::MAX),
            profile(1, 1, 0),
            profile(1_000_000, 16_777_217, 3),
        ],
        policy: rule(0, 1),
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
    /// There are more models than [`MOST`].
    pub fn catalog(&self) -> Result<Catalog<MOST>, CatalogError> {
        Catalog::new(self.models.iter().copied())
    }
}

/// Accuracy in parts per million, mean and standard deviation in µs.
const fn profile(accuracy: u32, mean: u32, deviation: u32) -> Profile {
    let latency = Latency { mean: Micros::new(mean), deviation: Micros::new(deviation) };
    match Accuracy::from_ppm(accuracy) {
        Ok(accuracy) => Profile::new(accuracy, latency),
        // While it is compiled, and never in a program: all of it is a constant.
        Err(_) => panic!("accuracies are at most 1,000,000 parts per million"),
    }
}

/// How many thousandths of a deviation must fit, and the power to which utilities are raised.
const fn rule(thousandths: u32, power: u32) -> Policy {
    match (Margin::from_thousandths(thousandths), Sharpness::new(power)) {
        (Ok(margin), Ok(sharpness)) => Policy { margin, sharpness },
        // As above.
        _ => panic!("margins are at most 1,000, and sharpness is not zero"),
    }
}
