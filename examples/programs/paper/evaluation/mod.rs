//! The paper's evaluation, recomputed: a figure is a pure function of the settings, which gives curves and rows.

pub mod algorithm;
pub mod claims;
pub mod contradictions;
pub mod duplication;
pub mod figure3;
pub mod figure6;
pub mod figure8;
pub mod models;
#[path = "../../support/network.rs"]
pub mod network;
pub mod outcome;
pub mod parallel;
pub mod row;
pub mod statement;
pub mod variability;
#[path = "../../support/zoo.rs"]
pub mod zoo;

use contradictions::Contradictions;
use duplication::Duplication;
use figure3::Figure3;
use figure6::Figure6;
use figure8::Figure8;
use parallel::Progress;
use row::{Across, Row, Section};
use variability::Variability;

/// How much work to put in.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Of the requests.
    pub seed: u64,
    /// Requests replayed for each point of Figures 3 and 6.
    pub requests: usize,
    /// Network times that the expectations for a curve are taken over; for Table IV it is ten times as many.
    pub grid: usize,
}

impl Settings {
    /// What the example does unless told otherwise.
    pub const DEFAULT: Self = Self { seed: 2020, requests: 10_000, grid: 10_000 };
}

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
    pub figure8: Figure8,
    contradictions: Contradictions,
}

impl Evaluation {
    pub fn run(settings: &Settings, progress: &dyn Progress) -> Self {
        Self {
            figure3: Figure3::run(settings, progress),
            variability: Variability::run(settings, progress),
            figure6: Figure6::run(settings, progress),
            duplication: Duplication::run(settings, progress),
            figure8: Figure8::run(settings),
            contradictions: Contradictions::run(settings),
        }
    }

    /// The figures and tables in the paper's order, then its claims, and where it contradicts itself.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections = vec![definition()];
        sections.extend(self.figure3.sections());
        sections.extend(self.variability.sections());
        sections.push(self.figure6.section());
        sections.extend(self.duplication.sections());
        sections.push(self.figure8.section());
        sections.push(claims::section(&self.duplication));
        sections.push(self.contradictions.section(&self.duplication));
        sections
    }
}

/// Aggregate accuracy by the paper's example.
fn definition() -> Section {
    let stated = statement::paper("III", "definition", "aggregate accuracy example", "40 60 60 gives");
    let ours = outcome::aggregate_accuracy([40.0, 60.0, 60.0].map(|accuracy| (accuracy, 1.0 / 3.0)));
    Section {
        title: "What is measured (Section III)".into(),
        points: Vec::new(),
        across: Across::Sla,
        rows: vec![
            Row::new("definition", "three requests", "aggregate accuracy of 40, 60 and 60 (%)", None, ours)
                .against(stated.rounded()),
        ],
        notes: vec![
            "Aggregate accuracy is the mean accuracy of the models that answered, over all requests; SLA attainment is \
             the share of requests that are answered within the SLA."
                .into(),
        ],
    }
}
