//! Where the paper contradicts itself, in numbers.

use mdinference::Micros;
use mdinference::select::base::fastest;
use mdinference::select::explore::exploration_set;

use super::Settings;
use super::algorithm::Algorithm;
use super::duplication::{Duplication, SLA_MS};
use super::models::Models;
use super::network::UNIVERSITY;
use super::outcome::{Outcome, expectation};
use super::row::{Across, Row, Section};

pub struct Contradictions {
    /// Static latency and random on the university network, with Table III's models alone.
    table3: [Outcome; 2],
    /// Mean and deviation of the university network as fitted to Table IV, in ms.
    university_ms: [f64; 2],
    /// Of the shipped zoos, those where the exploration set around the fastest model holds another.
    not_alone: usize,
}

impl Contradictions {
    pub fn run(settings: &Settings) -> Self {
        let models = Models::table3();
        let network = UNIVERSITY.network();
        let grid = network.grid(settings.grid);
        let outcome = |algorithm| expectation(&models, algorithm, Micros::from_millis(SLA_MS), &grid);
        let (mean_ms, variation) = network.mean_and_variation();
        Self {
            table3: [Algorithm::StaticLatency, Algorithm::PureRandom].map(outcome),
            university_ms: [mean_ms, mean_ms * variation],
            not_alone: Models::shipped_zoos().iter().filter(|models| !fastest_alone(models)).count(),
        }
    }

    pub fn section(&self, duplication: &Duplication) -> Section {
        const FIGURE: &str = "contradictions";
        let table4 = &duplication.university.table4;
        let [static_latency, random] = &self.table3;
        let [mean_ms, deviation_ms] = self.university_ms;
        let accuracy = |row: &str, column: &str, outcome: &Outcome| {
            Row::new(FIGURE, row, column, SLA_MS, outcome.duplicated_accuracy)
        };
        let rows = vec![
            accuracy("static latency", "university accuracy, the text's models (%)", static_latency)
                .note("printed: 41.40"),
            accuracy("static latency", "university accuracy, all 23 models (%)", &table4.static_latency),
            accuracy("random", "university accuracy, the text's models (%)", random).note("printed: 63.33"),
            accuracy("random", "university accuracy, all 23 models (%)", &table4.random),
            Row::new(FIGURE, "university network", "mean T_nw by Table IV (ms)", None, mean_ms)
                .note("Section V: 100"),
            Row::new(FIGURE, "university network", "deviation of T_nw by Table IV (ms)", None, deviation_ms)
                .note("Section V: 50"),
            Row::new(
                FIGURE,
                "nothing fits",
                "zoos where Eq. 3 might not take the fastest",
                None,
                self.not_alone as f64,
            )
            .note("of those shipped"),
        ];
        Section {
            title: "Where the paper contradicts itself".into(),
            points: Vec::new(),
            across: Across::Sla,
            rows,
            notes: vec![
                "Section V-D takes Table III's models and leaves MobileNetV1 0.25 (128) to the device. Table IV's cells of \
                 static latency and random need all 23 measured models, that one among them."
                    .into(),
                "Sections V and V-D both have a university network. The first is 100 ± 50 ms; the reliance that Table IV \
                 prints for two models needs a faster one."
                    .into(),
                "If nothing fits, stage 1 takes the fastest model and the text goes on to stages 2 and 3. There every \
                 utility is negative (Eq. 3), so the quotients U / ΣU are positive and grow with σ: the less sure a \
                 model's time, the more often it would be picked. That can't be meant, so the fastest is used with \
                 certainty. On the \
                 shipped zoos the exploration set around the fastest model holds no other, so it is the same."
                    .into(),
                "The accuracy at 115 ms (Figure 3a) and the loss to related accurate (Figure 6) are other than the \
                 equations give: see there."
                    .into(),
            ],
        }
    }
}

/// Whether the exploration set around the fastest model holds no other.
pub fn fastest_alone(models: &Models) -> bool {
    let fastest = fastest(models.catalog.models()).expect("a catalog is never empty");
    exploration_set(models.catalog.models(), fastest.profile.latency).count() == 1
}
