//! The profiles that a timing log tells: as a table, as JSON, as a zoo file, as a zoo.

use std::iter;

use mdinference::Profile;
use serde::Serialize;

use crate::caution::cautions;
use crate::estimate::{self, Estimate};
use crate::table::table;
use crate::timings::Runs;
use crate::zoo::{BadInput, Zoo};

pub struct Profiles(Vec<Measured>);

/// What the runs of one model tell; what they do not is `None`.
struct Measured {
    runs: Runs,
    mean: Option<Estimate>,
    deviation: Option<Estimate>,
    accuracy: Option<Estimate>,
    p99: Option<f64>,
    cautions: Vec<String>,
}

/// The shape of `--json`: times in milliseconds, accuracy in percent, `_95` the ends of a 95 % interval.
#[derive(Serialize)]
struct Json<'a> {
    model: &'a str,
    runs: usize,
    failed: u64,
    mean_ms: Option<f64>,
    mean_ms_95: Option<[f64; 2]>,
    std_ms: Option<f64>,
    std_ms_95: Option<[f64; 2]>,
    p99_ms: Option<f64>,
    judged: u64,
    right: u64,
    accuracy: Option<f64>,
    accuracy_95: Option<[f64; 2]>,
    warnings: &'a [String],
}

const INTERVALS: &str = "95 % intervals: of μ by Student's t, of σ by χ² (which takes times to be normal), \
                         of the accuracy by Wilson's score.";

impl Profiles {
    pub fn of(log: Vec<Runs>) -> Self {
        Self(log.into_iter().map(Measured::of).collect())
    }

    /// What to beware of, a line each.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.0.iter().flat_map(|measured| {
            measured.cautions.iter().map(|caution| format!("{}: {caution}", measured.runs.model))
        })
    }

    pub fn text(&self) -> String {
        let header = [
            "model",
            "runs",
            "μ\nms",
            "95 % interval\nms",
            "σ\nms",
            "95 % interval\nms",
            "p99\nms",
            "judged",
            "accuracy\n%",
            "95 % interval\n%",
        ];
        let table = table(&header, 1..10, self.0.iter().map(Measured::row));
        format!("{table}\n{INTERVALS}\n")
    }

    /// One object a model.
    pub fn json(&self) -> String {
        self.0.iter().map(|measured| measured.json() + "\n").collect()
    }

    /// The models of which all is known, and those left out.
    pub fn zoo(&self, file: &str) -> Result<(Zoo, Vec<&str>), BadInput> {
        let mut zoo = Zoo::default();
        let mut rest = Vec::new();
        for measured in &self.0 {
            match measured.profile() {
                Some(profile) => {
                    zoo.names.push(measured.runs.model.clone());
                    zoo.profiles.push(profile);
                }
                None => rest.push(measured.runs.model.as_str()),
            }
        }
        if zoo.names.is_empty() {
            let what =
                "no model has all that a zoo needs: two runs with a time, and an answer that is judged";
            return Err(BadInput(format!("{file}: {what}")));
        }
        Ok((zoo, rest))
    }
}

impl Measured {
    fn of(runs: Runs) -> Self {
        Self {
            mean: estimate::mean(&runs.ms),
            deviation: estimate::deviation(&runs.ms),
            accuracy: estimate::percent(runs.right, runs.judged),
            p99: estimate::p99(&runs.ms),
            cautions: cautions(&runs),
            runs,
        }
    }

    fn profile(&self) -> Option<Profile> {
        let (accuracy, mean, deviation) = (self.accuracy?.value, self.mean?.value, self.deviation?.value);
        Profile::from_percent_and_millis(accuracy, mean, deviation).ok()
    }

    fn row(&self) -> Vec<String> {
        let figure = |estimate: Option<Estimate>, decimals| {
            let Some(Estimate { value, interval }) = estimate else {
                return ["–".to_owned(), "–".to_owned()];
            };
            let interval = interval.map(|[low, high]| format!("{low:.decimals$} – {high:.decimals$}"));
            [format!("{value:.decimals$}"), interval.unwrap_or("–".to_owned())]
        };
        let [mean, mean_95] = figure(self.mean, 3);
        let [deviation, deviation_95] = figure(self.deviation, 3);
        let [accuracy, accuracy_95] = figure(self.accuracy, 1);
        let p99 = self.p99.map_or("–".to_owned(), |p99| format!("{p99:.3}"));
        let (model, runs, judged) =
            (self.runs.model.clone(), self.runs.ms.len().to_string(), self.runs.judged.to_string());
        vec![model, runs, mean, mean_95, deviation, deviation_95, p99, judged, accuracy, accuracy_95]
    }

    fn json(&self) -> String {
        // To the microsecond and the part per million, as profiles are.
        let ms = |value| rounded(value, 1e3);
        let percent = |value| rounded(value, 1e4);
        let value = |estimate: Estimate| estimate.value;
        let interval = |estimate: Estimate| estimate.interval;
        let json = Json {
            model: &self.runs.model,
            runs: self.runs.ms.len(),
            failed: self.runs.failed,
            mean_ms: self.mean.map(value).map(ms),
            mean_ms_95: self.mean.and_then(interval).map(|ends| ends.map(ms)),
            std_ms: self.deviation.map(value).map(ms),
            std_ms_95: self.deviation.and_then(interval).map(|ends| ends.map(ms)),
            p99_ms: self.p99.map(ms),
            judged: self.runs.judged,
            right: self.runs.right,
            accuracy: self.accuracy.map(value).map(percent),
            accuracy_95: self.accuracy.and_then(interval).map(|ends| ends.map(percent)),
            warnings: &self.cautions,
        };
        serde_json::to_string(&json).expect("numbers and words can be written as JSON")
    }
}

/// A zoo of a log as a file, for `--zoo`.
pub fn csv(zoo: &Zoo) -> String {
    let mut writer = csv::WriterBuilder::new().comment(Some(b'#')).from_writer(Vec::new());
    let header = ["model", "accuracy", "mean_ms", "std_ms"].map(str::to_owned);
    let rows = zoo.names.iter().zip(&zoo.profiles).map(|(name, Profile { accuracy, latency, .. })| {
        let [mean, deviation] =
            [latency.mean, latency.deviation].map(|time| format!("{:.3}", time.as_millis()));
        [name.clone(), format!("{:.4}", accuracy.as_percent()), mean, deviation]
    });
    for row in iter::once(header).chain(rows) {
        writer.write_record(row).expect("rows of one length can be written to memory");
    }
    let text = writer.into_inner().expect("memory can be written to");
    String::from_utf8(text).expect("what is written is text")
}

fn rounded(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale
}
