//! Figures 4 and 5 (Section V-B): MDInference as the network grows more variable, at an SLA of 100 and of 250 ms.

use mdinference::Micros;

use super::Settings;
use super::algorithm::Algorithm;
use super::models::Models;
use super::network::Network;
use super::outcome::{Outcome, replay, requests};
use super::parallel::{self, Progress};
use super::row::{Across, Claim, Row, Section};

/// One-way network time, in ms.
const MEAN_MS: f64 = 50.0;

/// Up to this coefficient of variation a network counts as stable, in percent.
const STABLE: u32 = 25;

/// The coefficients of variation that the printed tables show, in percent.
const SHOWN: [u32; 5] = [0, 25, 50, 75, 100];

pub struct Variability {
    pub models: Models,
    pub points: Vec<Point>,
}

pub struct Point {
    /// Coefficient of variation of the one-way time before truncation, in percent.
    pub variation: u32,
    pub at_100: Outcome,
    pub at_250: Outcome,
}

impl Variability {
    pub fn run(settings: &Settings, progress: &dyn Progress) -> Self {
        let models = Models::table3();
        let variations: Vec<u32> = (0..=100).step_by(5).collect();
        let points = parallel::map(progress, "Figures 4 and 5", &variations, |&variation| {
            let deviation_ms = MEAN_MS * f64::from(variation) / 100.0;
            let network = Network::TwiceOneWay { mean_ms: MEAN_MS, deviation_ms };
            let requests = requests(&network, settings.seed, settings.requests);
            let at = |sla_ms| replay(&models, Algorithm::PAPER, Micros::from_millis(sla_ms), &requests);
            Point { variation, at_100: at(100), at_250: at(250) }
        });
        Self { models, points }
    }

    pub fn sections(&self) -> [Section; 2] {
        let stable = self.points.iter().filter(|point| point.variation <= STABLE);
        let stable = stable.map(|point| point.at_100.attainment).fold(0.0, f64::max);
        let accuracies = || self.points.iter().map(|point| point.at_250.accuracy);
        let around_80 = Claim::About { value: 80.0, within: 3.0 };
        [
            self.section(
                "figure4",
                100,
                |point| &point.at_100,
                vec![
                    Row::new(
                        "figure4",
                        format!("stable network, CV 0 to {STABLE} %"),
                        "largest attainment (%)",
                        100,
                        stable,
                    )
                    .against(Claim::Below(50.0)),
                ],
            ),
            self.section(
                "figure5",
                250,
                |point| &point.at_250,
                vec![
                    Row::new(
                        "figure5",
                        "CV 0 to 100 %",
                        "largest accuracy (%)",
                        250,
                        accuracies().fold(0.0, f64::max),
                    )
                    .against(around_80),
                    Row::new(
                        "figure5",
                        "CV 0 to 100 %",
                        "smallest accuracy (%)",
                        250,
                        accuracies().fold(100.0, f64::min),
                    )
                    .against(around_80),
                ],
            ),
        ]
    }

    fn section(
        &self,
        figure: &'static str,
        sla_ms: u32,
        outcome: fn(&Point) -> &Outcome,
        rows: Vec<Row>,
    ) -> Section {
        let mut points = Vec::new();
        for point in self.points.iter().filter(|point| SHOWN.contains(&point.variation)) {
            let of = outcome(point);
            let mut push = |row: &str, ours| {
                points.push(Row::new(figure, row, format!("CV {} %", point.variation), sla_ms, ours));
            };
            push("accuracy (%)", of.accuracy);
            push("attainment (%)", of.attainment);
            for model in self.models.catalog.models() {
                let index = model.id.index();
                push(&format!("usage of {} (%)", self.models.names[index]), of.usage[index]);
            }
        }
        Section {
            title: format!(
                "{}: network variability at SLA {sla_ms} ms, one-way time {MEAN_MS} ms ± CV",
                figure.replace("figure", "Figure ")
            ),
            points,
            across: Across::Column,
            rows,
            notes: Vec::new(),
        }
    }
}
