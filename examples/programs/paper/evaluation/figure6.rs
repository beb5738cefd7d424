//! Figure 6 (Section V-C): how the ways to explore compare, with NasNet Fictional in the zoo, which is as slow as NasNet
//! Large and far less accurate. And the sharpness k that it takes to lose as little as the paper's text says.

use mdinference::{Micros, Policy, Sharpness};

use super::algorithm::Algorithm;
use super::models::Models;
use super::network::ONE_WAY_50_25;
use super::outcome::{Outcome, expectation, replay, requests};
use super::parallel::{self, Progress};
use super::row::{Across, Row, Section};
use super::statement::paper;
use super::{SHOWN_SLAS, Settings, slas};

/// What may be lost to related accurate, in points of accuracy, to count as negligible.
pub const NEGLIGIBLE: f64 = 0.5;

pub struct Figure6 {
    /// The smallest k that loses less than [`NEGLIGIBLE`] at every SLA.
    pub sharpness: u32,
    /// The largest loss at any SLA, in points, with k = 1 and with that k.
    pub losses: [(u32, f64); 2],
    /// NasNet Fictional's share of the picks while NasNet Large is the base, in percent (Eq. 3 as written).
    pub fictional_share: f64,
    pub points: Vec<Point>,
}

pub struct Point {
    pub sla_ms: u32,
    /// An outcome for each of [`Figure6::algorithms`].
    pub outcomes: Vec<Outcome>,
    /// Of the fastest model alone, which attains what can be attained.
    fastest: Outcome,
}

impl Figure6 {
    pub fn run(settings: &Settings, progress: &dyn Progress) -> Self {
        let models = Models::table3_with_fictional();
        let grid = ONE_WAY_50_25.grid(settings.grid);
        let accuracy =
            |algorithm, sla_ms| expectation(&models, algorithm, Micros::from_millis(sla_ms), &grid).accuracy;
        let slas = slas();
        let best = parallel::map(progress, "Figure 6: bound", &slas, |&sla_ms| {
            accuracy(Algorithm::RelatedAccurate, sla_ms)
        });
        let loss = |k, index: usize| best[index] - accuracy(mdinference(k), slas[index]);
        // A k that will not do mostly shows at the longest SLA, where the twins are explored most.
        let suffices = |k| (0..slas.len()).rev().all(|index| loss(k, index) < NEGLIGIBLE);
        let sharpness = (1..).find(|&k| suffices(k)).expect("a large k picks the largest utility");
        let indices: Vec<usize> = (0..slas.len()).collect();
        let losses = [1, sharpness].map(|k| {
            let losses = parallel::map(progress, &format!("Figure 6: k = {k}"), &indices, |&i| loss(k, i));
            (k, losses.into_iter().fold(0.0, f64::max))
        });

        let requests = requests(&ONE_WAY_50_25, settings.seed, settings.requests);
        let points = parallel::map(progress, "Figure 6", &slas, |&sla_ms| {
            let outcome = |algorithm| replay(&models, algorithm, Micros::from_millis(sla_ms), &requests);
            let outcomes = algorithms(sharpness).map(outcome).into();
            Point { sla_ms, outcomes, fastest: outcome(Algorithm::StaticLatency) }
        });
        let long = Micros::from_millis(100_000);
        let fictional = models.id("NasNet Fictional").index();
        let fictional_share = expectation(&models, Algorithm::PAPER, long, &grid).usage[fictional];
        Self { sharpness, losses, fictional_share, points }
    }

    /// What each point compares.
    pub fn algorithms(&self) -> [Algorithm; 5] {
        algorithms(self.sharpness)
    }

    pub fn section(&self) -> Section {
        const FIGURE: &str = "figure6";
        let mut points = Vec::new();
        type Measure = (&'static str, fn(&Outcome) -> f64);
        let measures: [Measure; 3] = [
            ("inference latency (ms)", |outcome| outcome.inference_ms),
            ("accuracy (%)", |outcome| outcome.accuracy),
            ("attainment (%)", |outcome| outcome.attainment),
        ];
        for (column, measure) in measures {
            for (index, algorithm) in self.algorithms().into_iter().enumerate() {
                for point in self.points.iter().filter(|point| SHOWN_SLAS.contains(&point.sla_ms)) {
                    points.push(Row::new(
                        FIGURE,
                        algorithm,
                        column,
                        point.sla_ms,
                        measure(&point.outcomes[index]),
                    ));
                }
            }
        }
        let stated = |row: &str, column: &str| paper("V-C", "Figure 6", row, column);
        let of = |algorithm: Algorithm| {
            let index = self.algorithms().iter().position(|other| *other == algorithm);
            let index = index.expect("one of the algorithms");
            move |point: &Point| point.outcomes[index].clone()
        };
        let (pure, random) = (of(Algorithm::PureRandom), of(Algorithm::RelatedRandom));
        let best = of(Algorithm::RelatedAccurate);
        let spread = |measure: fn(&Outcome) -> f64| {
            let values = || self.points.iter().map(|point| measure(&pure(point)));
            values().fold(f64::MIN, f64::max) - values().fold(f64::MAX, f64::min)
        };
        let flat = spread(|outcome| outcome.inference_ms).max(spread(|outcome| outcome.accuracy));
        let degrades = self.points.iter().find(|point| best(point).accuracy - random(point).accuracy > 1.0);
        let missed = |outcome: &Outcome, point: &Point| point.fastest.attainment - outcome.attainment;
        let from_set = [Algorithm::RelatedRandom, Algorithm::RelatedAccurate, Algorithm::PAPER];
        let missed_by_set = from_set.map(|algorithm| {
            let outcome = of(algorithm);
            self.points.iter().map(|point| missed(&outcome(point), point)).fold(0.0, f64::max)
        });
        let missed_by_set = missed_by_set.into_iter().fold(0.0, f64::max);
        let missed_by_pure = self.points.iter().map(|point| missed(&pure(point), point)).fold(0.0, f64::max);
        let loss = |(k, loss)| Row::new(FIGURE, mdinference(k), "largest loss (points)", None, loss);
        let [as_written, smallest] = self.losses;
        let rows = vec![
            Row::new(FIGURE, "pure random", "largest change over the SLAs", None, flat)
                .against(stated("pure random", "latency and accuracy").says(flat < 0.5))
                .note("points or ms"),
            Row::new(FIGURE, "three from M_E", "largest attainment lost (points)", None, missed_by_set)
                .against(stated("three from M_E", "SLA").says(missed_by_set < 1.0))
                .note("to the fastest model alone"),
            Row::new(FIGURE, "pure random", "largest attainment lost (points)", None, missed_by_pure)
                .note("to the fastest model alone"),
            Row::new(
                FIGURE,
                "related random",
                "SLA from which it loses (ms)",
                None,
                degrades.map_or(f64::INFINITY, |point| point.sla_ms.into()),
            )
            .against(stated("related random", "accuracy degrades from SLA").about(10.0))
            .note("more than 1 point"),
            loss(as_written)
                .against(stated("MDInference", "loss to related accurate").says(as_written.1 < NEGLIGIBLE))
                .note("Eq. 3 as written"),
            Row::new(FIGURE, "mdinference", "usage of NasNet Fictional (%)", None, self.fictional_share)
                .note("while NasNet Large is the base"),
            Row::new(FIGURE, "mdinference", "smallest sufficient k", None, self.sharpness),
            loss(smallest).note("less than 0.5"),
        ];
        Section {
            title: "Figure 6: ways to explore, with NasNet Fictional, T_nw = 100 ± 50 ms".into(),
            points,
            across: Across::Sla,
            rows,
            notes: vec![
                format!(
                    "Losses are to related accurate, at the SLA where they are largest. Here the paper's equation and its \
                     text part. By the text, MDInference loses next to nothing to related accurate, as NasNet \
                     Fictional is hardly ever picked. By Eq. 3, NasNet Fictional has NasNet Large's μ and σ, so its share is \
                     50.0 / (50.0 + 82.6) = {:.1} % whenever NasNet Large is the base, and each such pick costs \
                     32.6 points.",
                    self.fictional_share
                ),
                format!(
                    "Drawing by Uᵏ instead of U, less than 0.5 points are lost at every SLA from k = {} on, \
                     the smallest whole number that is enough. Losses are integrals.",
                    self.sharpness
                ),
            ],
        }
    }
}

fn algorithms(sharpness: u32) -> [Algorithm; 5] {
    [
        Algorithm::PureRandom,
        Algorithm::RelatedRandom,
        Algorithm::PAPER,
        mdinference(sharpness),
        Algorithm::RelatedAccurate,
    ]
}

/// MDInference with sharpness `k`, which is positive.
fn mdinference(k: u32) -> Algorithm {
    Algorithm::MdInference(Policy::PAPER.with_sharpness(Sharpness::new(k).expect("k is positive")))
}
