//! Section V-D, with request duplication: Table IV, Figure 7, and who answers. All are expectations.

use mdinference::Micros;

use super::Settings;
use super::algorithm::Algorithm;
use super::models::Models;
use super::network::{RESIDENTIAL, StaticReliance, UNIVERSITY};
use super::outcome::{ON_DEVICE_ACCURACY, Outcome, expectation};
use super::parallel::{self, Progress};
use super::row::{Across, Claim, Row, Section};
use super::statement::{Statement, paper};

/// The SLA of Table IV and of the abstract, in ms.
pub const SLA_MS: u32 = 250;

/// Requests that the paper measured on each network (Section V-D).
pub const MEASURED_REQUESTS: f64 = 5_000.0;

/// A measured number may be so many of its standard errors off: by chance one in 370 is further.
const STANDARD_ERRORS: f64 = 3.0;

/// The SLAs that the printed tables of Figure 7 show, in ms.
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
    /// Over the SLA.
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
            let points = parallel::map(progress, &format!("Figure 7: {name}"), &slas, |&sla_ms| Point {
                sla_ms,
                compared: Compared::new(&models, sla_ms, &grid),
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

    pub fn sections(&self) -> [Section; 3] {
        [self.table4(), self.figure7(), self.answers()]
    }

    fn table4(&self) -> Section {
        const FIGURE: &str = "table4";
        const PRINTED: [&str; 4] = ["Static Latency", "Static Accuracy", "Random", "MDInference"];
        let mut rows = Vec::new();
        for (index, printed) in PRINTED.into_iter().enumerate() {
            for place in self.places() {
                let (row, outcome) = place.table4.named()[index];
                let cell = |measure: &str, column: &str, ours| {
                    let row = Row::new(FIGURE, row, format!("{} {measure}", place.name), SLA_MS, ours);
                    (row, paper("V-D", "Table IV", printed, &format!("{} {column}", place.name)))
                };
                let (reliance, stated) = cell("reliance", "on-device reliance", outcome.reliance());
                rows.push(match row {
                    "static latency" | "static accuracy" => reliance.fitted_to(stated.rounded()),
                    _ => reliance.against(measured(stated, outcome.reliance_error(MEASURED_REQUESTS))),
                });
                let (accuracy, stated) = cell("accuracy", "aggregate accuracy", outcome.duplicated_accuracy);
                let error = outcome.accuracy_error(MEASURED_REQUESTS);
                rows.push(match row {
                    // Every answer is of 41.4 %.
                    "static latency" => accuracy.against(stated.rounded()),
                    _ => accuracy.against(measured(stated, error)),
                });
            }
        }
        Section {
            title: format!("Table IV: request duplication at SLA {SLA_MS} ms, in percent"),
            points: Vec::new(),
            across: Across::Sla,
            rows,
            notes: vec![
                format!(
                    "Reliance is the share of requests that the on-device model ({ON_DEVICE_ACCURACY} %) answers. Each \
                     network's T_nw is the lognormal through two printed quantiles, the reliance of the static rows: 4 \
                     cells are fitted, and the other 12 follow from it. A predicted cell is met to within \
                     {STANDARD_ERRORS} standard errors of a mean over {MEASURED_REQUESTS} requests, as many as the paper \
                     measured on each network."
                ),
                "The models on the server are all 23 measured ones.".into(),
            ],
        }
    }

    fn figure7(&self) -> Section {
        const FIGURE: &str = "figure7";
        let mut points = Vec::new();
        type Measure = (&'static str, fn(&Outcome) -> f64);
        let measures: [Measure; 2] =
            [("accuracy (%)", |outcome| outcome.duplicated_accuracy), ("reliance (%)", Outcome::reliance)];
        for place in self.places() {
            for (measure, value) in measures {
                for index in 0..4 {
                    for point in shown(place) {
                        let (row, outcome) = point.compared.named()[index];
                        let column = format!("{} {measure}", place.name);
                        points.push(Row::new(FIGURE, row, column, point.sla_ms, value(outcome)));
                    }
                }
            }
        }
        // When each algorithm gets so far, in the order of `Compared::named`.
        let from = |reached: fn(&Outcome) -> bool| {
            [0, 1, 2, 3].map(|index| {
                let mut points = self.residential.points.iter();
                let reached = points.find(|point| reached(point.compared.named()[index].1));
                reached.map_or(f64::INFINITY, |point| point.sla_ms.into())
            })
        };
        let mut rows = Vec::new();
        let mut compare = |column: &str, from: [f64; 4], stated: &'static Statement, first: bool| {
            for (index, (row, _)) in self.residential.table4.named().into_iter().enumerate() {
                if from[index].is_finite() {
                    let row = Row::new(FIGURE, row, column, None, from[index]);
                    rows.push(if index == 3 { row.against(stated.says(first)) } else { row });
                }
            }
        };
        let stated = |column| paper("V-D", "Figure 7", "MDInference", column);
        let accurate = from(|outcome| outcome.duplicated_accuracy >= 60.0);
        let first = accurate[..3].iter().all(|&other| accurate[3] < other);
        compare("residential SLA with 60 % accuracy (ms)", accurate, stated("accuracy"), first);
        let reliant = from(|outcome| outcome.reliance() <= 50.0);
        // The fastest model alone can't be beaten.
        let first = reliant[1..3].iter().all(|&other| reliant[3] < other) && reliant[3] <= reliant[0];
        compare("residential SLA with 50 % reliance (ms)", reliant, stated("on-device reliance"), first);
        for place in self.places() {
            let column = |measure: &str| format!("{} {measure}", place.name);
            rows.push(Row::new(FIGURE, "on-device only", column("accuracy (%)"), None, ON_DEVICE_ACCURACY));
            rows.push(Row::new(FIGURE, "on-device only", column("reliance (%)"), None, 100.0));
        }
        Section {
            title: "Figure 7: accuracy and on-device reliance with request duplication".into(),
            points,
            across: Across::Sla,
            rows,
            notes: vec![
                "No other model fails less often to be in time than the fastest one, static latency; but it is no more \
                 accurate than the device."
                    .into(),
            ],
        }
    }

    fn answers(&self) -> Section {
        const FIGURE: &str = "answers";
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
            title: "Who answers under MDInference with request duplication".into(),
            points,
            across: Across::Sla,
            rows: Vec::new(),
            notes: vec![
                "Not in the paper. A model's usage counts its answers within the SLA. Models whose usage is below 1 % at \
                 every SLA are left out."
                    .into(),
            ],
        }
    }
}

fn shown(place: &Place) -> impl Iterator<Item = &Point> {
    place.points.iter().filter(|point| SHOWN_SLAS.contains(&point.sla_ms))
}

/// What the paper measured, met to within what so many requests leave open, and rounding.
pub fn measured(stated: &'static Statement, standard_error: f64) -> Claim {
    stated.about(STANDARD_ERRORS * standard_error + stated.half_digit())
}
