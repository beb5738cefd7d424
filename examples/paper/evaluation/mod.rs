//! The paper's evaluation, recomputed: a figure is a pure function of the settings, which gives curves and rows.

pub mod algorithm;
pub mod duplication;
pub mod figure3;
pub mod figure6;
pub mod models;
#[path = "../../support/network.rs"]
#[allow(dead_code, reason = "shared with the `device` example")]
pub mod network;
pub mod outcome;
pub mod parallel;
pub mod row;
pub mod variability;
#[path = "../../support/zoo.rs"]
mod zoo;

use duplication::Duplication;
use figure3::Figure3;
use figure6::Figure6;
use network::Network;
use parallel::Progress;
use row::Section;
use variability::Variability;

/// How much work to put in.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Of the requests.
    pub seed: u64,
    /// Requests replayed for each point of Figures 3 to 6.
    pub requests: usize,
    /// Network times that the expectations for a curve are taken over; for Table IV it is ten times as many.
    pub grid: usize,
}

impl Settings {
    /// What the example does unless told otherwise.
    pub const DEFAULT: Self = Self { seed: 2020, requests: 10_000, grid: 10_000 };
}

/// The network of Figures 3 and 6: the one-way time is 50 ± 25 ms.
pub const ONE_WAY_50_25: Network = Network::TwiceOneWay { mean_ms: 50.0, deviation_ms: 25.0 };

/// The SLAs of Figures 3 and 6, in ms: 10 to 400.
pub fn slas() -> Vec<u32> {
    (10..=400).step_by(5).collect()
}

/// The SLAs that the printed tables show of them.
pub const SHOWN_SLAS: [u32; 11] = [10, 25, 50, 75, 100, 115, 150, 200, 250, 300, 400];

pub struct Evaluation {
    pub figure3: Figure3,
    pub variability: Variability,
    pub figure6: Figure6,
    pub duplication: Duplication,
}

impl Evaluation {
    pub fn run(settings: &Settings, progress: &dyn Progress) -> Self {
        Self {
            figure3: Figure3::run(settings, progress),
            variability: Variability::run(settings, progress),
            figure6: Figure6::run(settings, progress),
            duplication: Duplication::run(settings, progress),
        }
    }

    /// The figures and tables in the paper's order, then the abstract's claims.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections = Vec::new();
        sections.extend(self.figure3.sections());
        sections.extend(self.variability.sections());
        sections.push(self.figure6.section());
        sections.extend(self.duplication.sections());
        sections
    }
}
