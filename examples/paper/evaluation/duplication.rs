//! Section VI, with request duplication: Table IV, Figures 7 and 8, and the abstract's claims. All are expectations.

use mdinference::Micros;

use super::Settings;
use super::algorithm::Algorithm;
use super::models::Models;
use super::network::{RESIDENTIAL, StaticReliance, UNIVERSITY};
use super::outcome::{Outcome, expectation};
use super::parallel::{self, Progress};
use super::row::{Across, Claim, Row, Section};

/// The SLA of Table IV and of the abstract, in ms.
pub const SLA_MS: u32 = 250;

/// The SLAs that the printed tables of Figures 7 and 8 show, in ms.
const SHOWN_SLAS: [u32; 9] = [25, 50, 100, 150, 200, 250, 300, 400, 500];

/// One outcome a row of Table IV.
pub struct Compared {
    pub static_latency: Outcome,
    pub static_accuracy: Outcome,
    pub random: Outcome,
    pub mdinference: Outcome,
}

impl Compared {
    fn new(models: &Models, sla_ms: u32, grid: &[(Micros, f64)]) -> Self {
        let outcome = |algorithm| expectation(models, algorithm, Micros::from_millis(sla_ms), grid);
        Self {
            static_latency: outcome(Algorithm::StaticLatency),
            static_accuracy: outcome(Algorithm::StaticAccuracy),
            random: outcome(Algorithm::PureRandom),
            mdinference: outcome(Algorithm::PAPER),
        }
    }

    /// With their names in Table IV.
    pub fn named(&self) -> [(&'static str, &Outcome); 4] {
        [
            ("static latency", &self.static_latency),
            ("static accuracy", &self.static_accuracy),
            ("random", &self.random),
            ("mdinference", &self.mdinference),
        ]
    }
}

/// One of the two networks.
pub struct Place {
    pub name: &'static str,
    pub table4: Compared,
    /// Figures 7 and 8.
    pub points: Vec<Point>,
}

pub struct Point {
    pub sla_ms: u32,
    pub compared: Compared,
}

pub struct Duplication {
    pub models: Models,
    pub university: Place,
    pub residential: Place,
}

impl Duplication {
    pub fn run(settings: &Settings, progress: &dyn Progress) -> Self {
        let models = Models::measured();
        let place = |name, reliance: StaticReliance| {
            let network = reliance.network();
            let grid = network.grid(settings.grid);
            let table4 = Compared::new(&models, SLA_MS, &network.grid(10 * settings.grid));
            let slas: Vec<u32> = (25..=500).step_by(5).collect();
            let points = parallel::map(progress, &format!("Figures 7 and 8: {name}"), &slas, |&sla_ms| {
                Point { sla_ms, compared: Compared::new(&models, sla_ms, &grid) }
            });
            Place { name, table4, points }
        };
        let university = place("university", UNIVERSITY);
        let residential = place("residential", RESIDENTIAL);
        Self { models, university, residential }
    }

    pub fn places(&self) -> [&Place; 2] {
        [&self.university, &self.residential]
    }

    pub fn sections(&self) -> [Section; 4] {
        [self.table4(), self.accuracy(), self.reliance(), self.headline()]
    }

    fn table4(&self) -> Section {
        const FIGURE: &str = "table4";
        let mut rows = Vec::new();
        for index in 0..4 {
            for place in self.places() {
                let (row, outcome) = place.table4.named()[index];
                let cell = |measure: &str, ours| {
                    Row::new(FIGURE, row, format!("{} {measure}", place.name), SLA_MS, ours)
                };
                let reliance = cell("reliance", outcome.reliance());
                let accuracy = cell("accuracy", outcome.duplicated_accuracy).note("predicted");
                rows.push(match (row, place.name) {
                    ("static latency" | "static accuracy", _) => reliance.note("fitted"),
                    ("mdinference", "university") => reliance.anchored_on(printed(0.26)),
                    ("mdinference", _) => reliance.anchored_on(printed(3.16)),
                    _ => reliance.note("predicted"),
                });
                rows.push(match (row, place.name) {
                    ("static latency", _) => accuracy.against(printed(41.40)),
                    ("static accuracy" | "mdinference", "residential") => {
                        accuracy.note("predicted (their difference is not)")
                    }
                    _ => accuracy,
                });
            }
        }
        Section {
            title: format!("Table IV: request duplication at SLA {SLA_MS} ms, in percent"),
            points: Vec::new(),
            across: Across::Sla,
            rows,
            notes: vec![
                "Reliance is the share of requests that the on-device model (41.4 %) answers. Each network's T_nw is a \
                 lognormal through two quantiles, the reliance of the static rows: 4 cells are fitted, and the other 12 \
                 follow from it."
                    .into(),
                "The printed values of the 4 fitted cells are not at hand. They were inferred from MDInference's \
                 reliance (the abstract's 99.74 % and 96.84 %), from its +7.32 points over static accuracy on the \
                 residential network, and for the university network from recorded fractions of answers back within \
                 198 ms (84 %) and 166 ms (57 %). So MDInference's reliance and the +7.32 hold by construction: they \
                 are no predictions. A dash in the column of the paper: its value is not at hand."
                    .into(),
                "The random row is that of all 23 measured models; Table III's alone give another.".into(),
            ],
        }
    }

    fn accuracy(&self) -> Section {
        const FIGURE: &str = "figure7";
        let mut points = Vec::new();
        for place in self.places() {
            for index in 0..4 {
                for point in shown(place) {
                    let (row, outcome) = point.compared.named()[index];
                    let column = format!("{} accuracy (%)", place.name);
                    points.push(Row::new(FIGURE, row, column, point.sla_ms, outcome.duplicated_accuracy));
                }
            }
        }
        Section {
            title: "Figure 7: accuracy with request duplication".into(),
            points,
            across: Across::Sla,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn reliance(&self) -> Section {
        const FIGURE: &str = "figure8";
        let mut points = Vec::new();
        for place in self.places() {
            for point in shown(place) {
                let outcome = &point.compared.mdinference;
                let column = format!("{} reliance (%)", place.name);
                points.push(Row::new(FIGURE, "on device", column, point.sla_ms, outcome.reliance()));
            }
            for model in self.models.catalog.models() {
                let index = model.id.index();
                let answered = |point: &Point| point.compared.mdinference.answered[index];
                if place.points.iter().all(|point| answered(point) < 1.0) {
                    continue;
                }
                for point in shown(place) {
                    let column = format!("{} usage (%)", place.name);
                    let name = &self.models.names[index];
                    points.push(Row::new(FIGURE, name, column, point.sla_ms, answered(point)));
                }
            }
        }
        Section {
            title: "Figure 8: who answers under MDInference with request duplication".into(),
            points,
            across: Across::Sla,
            rows: Vec::new(),
            notes: vec![
                "A model's usage counts its answers within the SLA. Models whose usage is below 1 % at every SLA are \
                 left out."
                    .into(),
            ],
        }
    }

    fn headline(&self) -> Section {
        const FIGURE: &str = "headline";
        let mut rows = Vec::new();
        for place in self.places() {
            let Compared { static_latency, static_accuracy, mdinference, .. } = &place.table4;
            let residential = place.name == "residential";
            let row = |column: &str, ours| {
                Row::new(FIGURE, "mdinference", format!("{} {column}", place.name), SLA_MS, ours)
            };
            let gain = |other: &Outcome| mdinference.duplicated_accuracy - other.duplicated_accuracy;
            let over_latency = row("accuracy over static latency", gain(static_latency));
            let over_accuracy = row("accuracy over static accuracy", gain(static_accuracy));
            let in_time = row("requests in time", mdinference.attainment);
            rows.push(if residential {
                over_latency.note("the abstract names none")
            } else {
                over_latency.against(Claim::AtLeast(40.0)).note("the better network")
            });
            let attainment = if residential { 96.84 } else { 99.74 };
            rows.push(in_time.anchored_on(printed(attainment)));
            rows.push(if residential {
                over_accuracy.anchored_on(printed(7.32))
            } else {
                over_accuracy.note("predicted")
            });
        }
        Section {
            title: "The abstract's claims, in percent and points".into(),
            points: Vec::new(),
            across: Across::Sla,
            rows,
            notes: Vec::new(),
        }
    }
}

fn shown(place: &Place) -> impl Iterator<Item = &Point> {
    place.points.iter().filter(|point| SHOWN_SLAS.contains(&point.sla_ms))
}

/// A number that the paper prints to two decimals.
fn printed(value: f64) -> Claim {
    Claim::About { value, within: 0.05 }
}
