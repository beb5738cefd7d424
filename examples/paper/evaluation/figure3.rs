//! Figure 3 (Section V-B): MDInference against static greedy over the SLA, on one variable network.

use mdinference::Micros;

use super::algorithm::Algorithm;
use super::models::Models;
use super::outcome::{Outcome, replay, requests};
use super::parallel::{self, Progress};
use super::row::{Across, Claim, Row, Section};
use super::{ONE_WAY_50_25, SHOWN_SLAS, Settings, slas};

pub struct Figure3 {
    pub models: Models,
    pub points: Vec<Point>,
}

pub struct Point {
    pub sla_ms: u32,
    pub greedy: Outcome,
    pub mdinference: Outcome,
}

impl Point {
    /// How much of static greedy's latency MDInference saves, in percent.
    pub fn latency_reduction(&self) -> f64 {
        100.0 * (1.0 - self.mdinference.latency_ms / self.greedy.latency_ms)
    }
}

impl Figure3 {
    pub fn run(settings: &Settings, progress: &dyn Progress) -> Self {
        let models = Models::table3();
        let requests = requests(&ONE_WAY_50_25, settings.seed, settings.requests);
        let points = parallel::map(progress, "Figure 3", &slas(), |&sla_ms| {
            let outcome = |algorithm| replay(&models, algorithm, Micros::from_millis(sla_ms), &requests);
            Point { sla_ms, greedy: outcome(Algorithm::StaticGreedy), mdinference: outcome(Algorithm::PAPER) }
        });
        Self { models, points }
    }

    pub fn at(&self, sla_ms: u32) -> &Point {
        self.points.iter().find(|point| point.sla_ms == sla_ms).expect("an SLA of the figure")
    }

    /// The point where MDInference saves the largest part of the latency.
    pub fn largest_reduction(&self) -> &Point {
        let reduction = Point::latency_reduction;
        let larger = |a: &&Point, b: &&Point| reduction(a).total_cmp(&reduction(b));
        self.points.iter().max_by(larger).expect("there are points")
    }

    /// The SLA from which on static greedy's mean latency is within the SLA.
    pub fn greedy_within(&self) -> u32 {
        let violates = |point: &&Point| point.greedy.latency_ms > f64::from(point.sla_ms);
        let kept = self.points.iter().rev().take_while(|point| !violates(point));
        kept.last().map_or(u32::MAX, |point| point.sla_ms)
    }

    pub fn sections(&self) -> [Section; 2] {
        [self.comparison(), self.usage()]
    }

    fn comparison(&self) -> Section {
        const FIGURE: &str = "figure3a";
        let mut points = Vec::new();
        type Measure = (&'static str, fn(&Outcome) -> f64);
        let measures: [Measure; 3] = [
            ("latency (ms)", |outcome| outcome.latency_ms),
            ("accuracy (%)", |outcome| outcome.accuracy),
            ("attainment (%)", |outcome| outcome.attainment),
        ];
        for (column, measure) in measures {
            for sla_ms in SHOWN_SLAS {
                let point = self.at(sla_ms);
                points.push(Row::new(FIGURE, "static greedy", column, sla_ms, measure(&point.greedy)));
                points.push(Row::new(FIGURE, "mdinference", column, sla_ms, measure(&point.mdinference)));
            }
        }
        let largest = self.largest_reduction();
        let at_250 = self.at(250);
        let accuracy =
            |column| Row::new(FIGURE, "mdinference", column, 115, self.at(115).mdinference.accuracy);
        let rows = vec![
            Row::new(
                FIGURE,
                "mdinference",
                "largest latency reduction (%)",
                largest.sla_ms,
                largest.latency_reduction(),
            )
            .against(Claim::Between(42.0, 43.0)),
            Row::new(FIGURE, "mdinference", "SLA of that reduction (ms)", None, largest.sla_ms.into())
                .against(Claim::About { value: 115.0, within: 5.0 }),
            accuracy("accuracy (%) by the paper's text").against(Claim::About { value: 68.0, within: 1.0 }),
            accuracy("accuracy (%) by the paper's plot").against(Claim::Between(65.0, 66.0)),
            Row::new(
                FIGURE,
                "static greedy",
                "smallest SLA its latency keeps (ms)",
                None,
                self.greedy_within().into(),
            )
            .against(Claim::Above(200.0)),
            Row::new(
                FIGURE,
                "mdinference",
                "accuracy over greedy's (points)",
                250,
                at_250.mdinference.accuracy - at_250.greedy.accuracy,
            ),
        ];
        Section {
            title: "Figure 3a: MDInference against static greedy, T_nw = 100 ± 50 ms".into(),
            points,
            across: Across::Sla,
            rows,
            notes: vec![
                "The reduction is against static greedy, whose latency keeps an SLA when its mean is within it. On the \
                 accuracy at 115 ms the paper's text (about 68 %) and its plot (65 to 66 %) part; the plot reproduces."
                    .into(),
            ],
        }
    }

    fn usage(&self) -> Section {
        const FIGURE: &str = "figure3b";
        let mut points = Vec::new();
        for model in self.models.catalog.models() {
            for sla_ms in SHOWN_SLAS {
                let usage = self.at(sla_ms).mdinference.usage[model.id.index()];
                points.push(Row::new(
                    FIGURE,
                    &self.models.names[model.id.index()],
                    "usage (%)",
                    sla_ms,
                    usage,
                ));
            }
        }
        let never = self.models.id("InceptionResNetV2").index();
        let never = self.points.iter().map(|point| point.mdinference.usage[never]).fold(0.0, f64::max);
        let fastest = self.models.id("MobileNetV1 0.25").index();
        let early = self.points.iter().filter(|point| point.sla_ms < 30);
        let fastest = early.map(|point| point.mdinference.usage[fastest]).fold(100.0, f64::min);
        let rows = vec![
            Row::new(FIGURE, "InceptionResNetV2", "largest usage at any SLA (%)", None, never)
                .against(Claim::Says("never picked", never == 0.0)),
            Row::new(FIGURE, "MobileNetV1 0.25", "smallest usage below 30 ms (%)", None, fastest)
                .against(Claim::Says("the fastest is used", fastest > 50.0)),
        ];
        Section {
            title: "Figure 3b: models that MDInference uses, by μ".into(),
            points,
            across: Across::Sla,
            rows,
            notes: vec![
                "Below 30 ms the fastest model counts as the one used if it answers more than half of the requests at \
                 every SLA. The others had a network fast enough to leave time for a better model."
                    .into(),
            ],
        }
    }
}
