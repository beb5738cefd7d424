//! Figure 3 (Section V-A): MDInference against static greedy over the SLA, on one variable network.

use mdinference::Micros;

use super::algorithm::Algorithm;
use super::models::Models;
use super::network::ONE_WAY_50_25;
use super::outcome::{Outcome, replay, requests};
use super::parallel::{self, Progress};
use super::row::{Across, Row, Section};
use super::statement::paper;
use super::{SHOWN_SLAS, Settings, slas};

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

    /// The SLA from which on `holds` holds, in ms; infinite if it does not hold at the last.
    fn holds_from(&self, holds: impl Fn(&Point) -> bool) -> f64 {
        let held = self.points.iter().rev().take_while(|point| holds(point));
        held.last().map_or(f64::INFINITY, |point| point.sla_ms.into())
    }

    /// The SLA from which on an algorithm's mean latency is within the SLA.
    pub fn operates_from(&self, outcome: fn(&Point) -> &Outcome) -> f64 {
        self.holds_from(|point| outcome(point).latency_ms <= point.sla_ms.into())
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
        let operates = self.operates_from(|point| &point.mdinference);
        let behind = |point: &Point| point.greedy.accuracy - point.mdinference.accuracy;
        let operating = self.points.iter().filter(|point| f64::from(point.sla_ms) >= operates);
        let most_behind = operating.max_by(|a, b| behind(a).total_cmp(&behind(b))).expect("an SLA of 400 ms");
        let at_115 = &self.at(115).mdinference;
        let mdinference = |column, sla, ours: f64| Row::new(FIGURE, "mdinference", column, sla, ours);
        let rows = vec![
            mdinference("largest latency reduction (%)", Some(largest.sla_ms), largest.latency_reduction())
                .against(
                    paper("V-A", "summary", "MDInference", "end-to-end latency reduction up to").rounded(),
                ),
            mdinference("largest latency reduction (%), Figure 3a", None, largest.latency_reduction())
                .against(paper("V-A", "Figure 3a", "MDInference", "latency reduction up to").at_least()),
            mdinference("smallest SLA its latency keeps (ms)", None, operates)
                .against(paper("V-A", "Figure 3a", "MDInference", "operates down to SLA").about(5.0))
                .note("as static greedy below"),
            Row::new(
                FIGURE,
                "static greedy",
                "smallest SLA its latency keeps (ms)",
                None,
                self.operates_from(|point| &point.greedy),
            )
            .against(
                paper("V-A", "Figure 3a", "static greedy", "frequent SLA violations until SLA above").above(),
            ),
            mdinference("aggregate accuracy (%)", Some(115), at_115.accuracy).against(
                paper("V-A", "Figure 3a", "MDInference", "aggregate accuracy at SLA 115").about(1.0),
            ),
            Row::new(
                FIGURE,
                "static greedy",
                "largest accuracy over mdinference's (points)",
                most_behind.sla_ms,
                behind(most_behind),
            )
            .against(paper("V-A", "Figure 3a", "static greedy", "higher accuracy up to").about(1.0))
            .note("while mdinference keeps the SLA"),
            mdinference(
                "SLA from which it is within 1 point of greedy (ms)",
                None,
                self.holds_from(|point| behind(point) < 1.0),
            )
            .against(
                paper("V-A", "Figure 3a", "MDInference", "matches static greedy accuracy for SLA above")
                    .at_most(),
            ),
        ];
        Section {
            title: "Figure 3a: MDInference against static greedy, T_nw = 100 ± 50 ms".into(),
            points,
            across: Across::Sla,
            rows,
            notes: vec![
                "An algorithm's latency keeps an SLA when its mean is within it. The largest reduction is where static \
                 greedy goes over to NasNet Large."
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
        let usage = |name| {
            let index = self.models.id(name).index();
            move |point: &Point| point.mdinference.usage[index]
        };
        let (never, fastest, best) =
            (usage("InceptionResNetV2"), usage("MobileNetV1 0.25"), usage("NasNet Large"));
        let most_by_fastest = self.points.iter().take_while(|point| fastest(point) > 50.0).last();
        let rows = vec![
            Row::new(
                FIGURE,
                "MobileNetV1 0.25",
                "SLA up to which it answers most requests (ms)",
                None,
                most_by_fastest.map_or(0, |point| point.sla_ms),
            )
            .against(
                paper("V-A", "Figure 3b", "MobileNetV1 0.25", "aggressively chosen for SLA below").at_least(),
            ),
            Row::new(
                FIGURE,
                "InceptionResNetV2",
                "largest usage at any SLA (%)",
                None,
                self.points.iter().map(never).fold(0.0, f64::max),
            )
            .against(
                paper("V-A", "Figure 3b", "InceptionResNetV2", "usage")
                    .says(self.points.iter().all(|point| never(point) == 0.0)),
            ),
            Row::new(
                FIGURE,
                "NasNet Large",
                "SLA from which it answers most requests (ms)",
                None,
                self.holds_from(|point| best(point) > 50.0),
            )
            .against(paper("V-A", "Figure 3b", "MDInference", "converges to most accurate at SLA").at_most()),
        ];
        Section {
            title: "Figure 3b: models that MDInference uses, by μ".into(),
            points,
            across: Across::Sla,
            rows,
            notes: vec![
                "Most requests are more than half of them. Below 30 ms the others had a network fast enough to leave \
                 time for a better model."
                    .into(),
            ],
        }
    }
}
