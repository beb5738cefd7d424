//! What happens to the models, and when: by name, or from a CSV.

use std::io::Read;

use mdinference::{Micros, NumberError};

use crate::zoo::{BadInput, Column, Row, Table, Zoo};

/// The scenarios that have a name, with what happens in them to NasNet Large.
pub const NAMED: [(&str, &str); 9] = [
    ("slow", "takes 3 times as long from request 60,000 on"),
    ("spike", "takes 3 times as long from request 60,000 to 165,000"),
    ("stall", "stalls for 2 s at request 60,000"),
    ("flapping", "takes 3 times as long for the last 30,000 of every 120,000 requests"),
    ("optimistic", "takes 1.5 times as long as its profile says, throughout"),
    ("faster", "takes half as long from request 60,000 on"),
    ("drift", "loses 10 points of accuracy at request 60,000"),
    ("canary", "was never measured; `live` tries it on a share of 1 %, `frozen` does without it"),
    ("steady", "nothing happens"),
];

/// The model that the named scenarios are of.
const DISTURBED: &str = "NasNet Large";

/// Of a CSV.
const COLUMNS: [&str; 6] =
    ["model", "from_request", "to_request", "latency_factor", "accuracy_delta", "stall_ms"];

/// For a disturbance that does not end.
const FOREVER: u64 = u64::MAX;

/// The largest factor, so that what a factor makes of a time is a number still.
const MOST: f64 = 1e6;

/// What happens, in requests from 0.
#[derive(Debug)]
pub struct Scenario {
    pub disturbances: Vec<Disturbance>,
    /// A model that was never measured.
    pub canary: Option<usize>,
}

/// What happens to one model, by its place in the zoo.
#[derive(Clone, Copy, Debug)]
pub struct Disturbance {
    pub model: usize,
    /// The first request of it.
    pub from: u64,
    /// The first request after it. A stall does not look at it.
    pub to: u64,
    /// On the time of runs that are begun in it.
    pub factor: f64,
    /// On the accuracy, in points.
    pub delta: f64,
    /// From the arrival of the first request on, no run ends for so long.
    pub stall: Micros,
}

impl Disturbance {
    fn new(model: usize, from: u64, to: u64) -> Self {
        Self { model, from, to, factor: 1.0, delta: 0.0, stall: Micros::ZERO }
    }

    /// Whether it changes the model's profile.
    pub fn changes(&self) -> bool {
        (self.factor != 1.0 || self.delta != 0.0) && self.from < self.to
    }
}

impl Scenario {
    /// One of [`NAMED`], for so many requests.
    pub fn named(name: &str, zoo: &Zoo, requests: u64) -> Result<Self, BadInput> {
        let mut scenario = Self { disturbances: Vec::new(), canary: None };
        if name == "steady" {
            return Ok(scenario);
        }
        let model = find(zoo, DISTURBED).ok_or_else(|| {
            BadInput(format!(
                "the scenario '{name}' is of {DISTURBED}, which the zoo lacks: give a CSV of your own"
            ))
        })?;
        let lasting = Disturbance::new(model, 60_000, FOREVER);
        scenario.disturbances = match name {
            "slow" => vec![Disturbance { factor: 3.0, ..lasting }],
            "spike" => vec![Disturbance { factor: 3.0, to: 165_000, ..lasting }],
            "stall" => vec![Disturbance { stall: Micros::from_millis(2_000), ..lasting }],
            "flapping" => (0..requests)
                .step_by(120_000)
                .map(|period| Disturbance {
                    factor: 3.0,
                    ..Disturbance::new(model, period + 90_000, period + 120_000)
                })
                .collect(),
            "optimistic" => vec![Disturbance { factor: 1.5, from: 0, ..lasting }],
            "faster" => vec![Disturbance { factor: 0.5, ..lasting }],
            "drift" => vec![Disturbance { delta: -10.0, ..lasting }],
            "canary" => {
                scenario.canary = Some(model);
                Vec::new()
            }
            _ => {
                let names = NAMED.map(|(name, _)| name).join(", ");
                return Err(BadInput(format!("there is no scenario '{name}'; there are: {names}")));
            }
        };
        Ok(scenario)
    }

    /// From a CSV with the columns `model,from_request,to_request,latency_factor,accuracy_delta,stall_ms`.
    pub fn read(file: &str, csv: impl Read, zoo: &Zoo) -> Result<Self, BadInput> {
        let mut table = Table::read(file, csv)?;
        table.only(&COLUMNS)?;
        let columns = Columns {
            model: table.required("model")?,
            from: table.required("from_request")?,
            to: table.required("to_request")?,
            factor: table.required("latency_factor")?,
            delta: table.required("accuracy_delta")?,
            stall: table.required("stall_ms")?,
        };
        let mut disturbances = Vec::new();
        while let Some(row) = table.next_row()? {
            disturbances.push(columns.disturbance(&row, zoo)?);
        }
        Ok(Self { disturbances, canary: None })
    }
}

struct Columns {
    model: Column,
    from: Column,
    to: Column,
    factor: Column,
    delta: Column,
    stall: Column,
}

impl Columns {
    fn disturbance(&self, row: &Row<'_>, zoo: &Zoo) -> Result<Disturbance, BadInput> {
        let name = row.text(&self.model);
        let model = find(zoo, name).ok_or_else(|| {
            row.bad(&self.model, format!("there is no model '{name}'; there are: {}", zoo.names.join(", ")))
        })?;
        let from = request(row, &self.from)?;
        let factor = row.number(&self.factor, factor, &MOST.to_string())?;
        let delta = points(row, &self.delta)?;
        let stall = row.number(&self.stall, Micros::try_from_millis, &Micros::MAX.to_string())?;
        let mut disturbance = Disturbance { factor, delta, stall, ..Disturbance::new(model, from, FOREVER) };
        // How long a mere stall lasts is said by its time.
        if disturbance.changes() || stall == Micros::ZERO {
            disturbance.to = request(row, &self.to)?;
            if disturbance.to < from {
                return Err(row.bad(&self.to, format!("'{}' is before from_request, {from}", disturbance.to)));
            }
        }
        Ok(disturbance)
    }
}

fn request(row: &Row<'_>, column: &Column) -> Result<u64, BadInput> {
    let text = row.text(column);
    text.parse().map_err(|_| {
        let what =
            if text.is_empty() { "is missing".into() } else { format!("'{text}' is not a whole number") };
        row.bad(column, what)
    })
}

fn factor(value: f64) -> Result<f64, NumberError> {
    match value {
        _ if value.is_nan() => Err(NumberError::NotANumber),
        _ if value < 0.0 => Err(NumberError::Negative),
        0.0 => Err(NumberError::Zero),
        _ if value > MOST => Err(NumberError::TooLarge),
        _ => Ok(value),
    }
}

fn points(row: &Row<'_>, column: &Column) -> Result<f64, BadInput> {
    let text = row.text(column);
    let number = text.parse::<f64>().ok().filter(|points| points.abs() <= 100.0);
    number.ok_or_else(|| {
        let number = "is not a number from -100 to 100";
        row.bad(column, if text.is_empty() { "is missing".into() } else { format!("'{text}' {number}") })
    })
}

/// A model by its name, or by the only one that differs in no more than case, spaces, dashes and underscores.
fn find(zoo: &Zoo, name: &str) -> Option<usize> {
    let plain = |name: &str| name.to_lowercase().replace([' ', '-'], "_");
    let alike = |known: &&String| plain(known) == plain(name);
    let only = zoo.names.iter().filter(alike).count() == 1;
    let exact = zoo.names.iter().position(|known| known == name);
    exact.or_else(|| zoo.names.iter().position(|known| only && alike(&known)))
}
