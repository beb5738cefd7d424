//! The subsets of every size for one network, and what the greedy choice comes to.

use clap::ValueEnum;
use mdinference::select::threshold::Threshold;
use mdinference::{Accuracy, Budget, Catalog, Margin, Micros, Model, NetworkTime, subset};

use crate::network::{Network, ONE_WAY_50_25, RESIDENTIAL, UNIVERSITY};

/// How many models a zoo may have.
pub const CAPACITY: usize = 256;

/// Times T_nw that a network is taken as, for each SLA; a tenth of them is off by up to 0.003 points.
const GRID: usize = 100_000;

/// The most rows for a network, unless more models are needed to be enough.
const ROWS: usize = 24;

/// The networks of the paper.
#[derive(Clone, Copy, ValueEnum)]
pub enum Place {
    /// Section V: T_nw is twice a normal one-way time of 50 ± 25 ms
    Normal,
    /// Table IV: a lognormal through its two static cells
    University,
    /// Table IV: a lognormal through its two static cells
    Residential,
}

impl Place {
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::University => "university",
            Self::Residential => "residential",
        }
    }

    pub fn network(self) -> Network {
        match self {
            Self::Normal => ONE_WAY_50_25,
            Self::University => UNIVERSITY.network(),
            Self::Residential => RESIDENTIAL.network(),
        }
    }
}

pub struct Settings {
    /// Of the models, by their ids.
    pub names: Vec<String>,
    pub catalog: Catalog<CAPACITY>,
    /// Equally likely.
    pub slas: Vec<Micros>,
    pub within: Accuracy,
    pub margin: Margin,
}

/// What was found for one network.
pub struct Found {
    pub place: Place,
    /// From one model to as many as are enough, and on until the loss is 0.00.
    pub rows: Vec<Row>,
    /// Expected accuracy of the whole zoo in percent.
    pub whole: f64,
    /// The smallest number of models that is enough.
    pub enough: usize,
    /// Of that subset: how often each is the base, in percent of the requests.
    pub bases: Vec<(String, f64)>,
}

/// The best subset of one size.
pub struct Row {
    /// By rising μ + γσ.
    pub models: Vec<String>,
    /// Expected, in percent.
    pub accuracy: f64,
    /// To the whole zoo, in points.
    pub loss: f64,
    /// The same for as many models chosen greedily.
    pub greedy_loss: f64,
}

impl Row {
    pub fn count(&self) -> usize {
        self.models.len()
    }
}

impl Settings {
    pub fn search(&self, place: Place) -> Found {
        let weights = self.weights(place);
        let weights_again = || weights.iter().copied();
        let enough = subset::smallest_within(&self.catalog, self.margin, weights_again(), self.within);
        let whole = self.whole(&weights);
        let percent = |weighted_ppm: u128| weighted_ppm as f64 / enough.weight as f64 / 10_000.0;

        let mut greedy = Greedy::new(self, &weights);
        let mut rows: Vec<Row> = Vec::new();
        let nothing_lost = |rows: &[Row]| rows.last().is_some_and(|row| row.loss < 0.005);
        while rows.len() < enough.models.len() || (rows.len() < ROWS && !nothing_lost(&rows)) {
            let found = subset::most_accurate(&self.catalog, self.margin, weights_again(), rows.len() + 1);
            greedy.add();
            if found.models.len() == rows.len() {
                // No further model is of any use.
                break;
            }
            rows.push(Row {
                models: found.models.iter().map(|id| self.names[id.index()].clone()).collect(),
                accuracy: found.accuracy_percent(),
                loss: percent(whole - found.weighted_ppm),
                greedy_loss: percent(whole - greedy.weighted_ppm()),
            });
        }
        Found {
            place,
            rows,
            whole: percent(whole),
            enough: enough.models.len(),
            bases: self.bases(&enough, &weights),
        }
    }

    /// The budgets, with whole weights that keep even the rarest.
    fn weights(&self, place: Place) -> Vec<(Budget, u32)> {
        let grid = place.network().grid(GRID);
        let budgets = |&sla: &Micros| {
            let weight = |probability: f64| (probability * f64::from(u32::MAX)).round() as u32;
            grid.iter().map(move |&(network, probability)| {
                (Budget::new(sla, NetworkTime::Given(network)), weight(probability))
            })
        };
        self.slas.iter().flat_map(budgets).collect()
    }

    fn fits(&self, model: &Model, budget: Budget) -> bool {
        Threshold::new(model.profile.latency, self.margin).fits(budget)
    }

    /// Of all models: the greatest accuracy that fits each budget, times its weight, in parts per million.
    fn whole(&self, weights: &[(Budget, u32)]) -> u128 {
        let base = |budget| {
            let fitting = self.catalog.models().filter(move |model| self.fits(model, budget));
            fitting.map(|model| model.profile.accuracy.as_ppm()).max().unwrap_or(0)
        };
        weights.iter().map(|&(budget, weight)| u128::from(base(budget)) * u128::from(weight)).sum()
    }

    fn bases(&self, subset: &subset::Subset<CAPACITY>, weights: &[(Budget, u32)]) -> Vec<(String, f64)> {
        let models =
            subset.models.iter().map(|&id| Model { id, profile: self.catalog.profiles()[id.index()] });
        let models: Vec<Model> = models.collect();
        let mut weight = vec![0_u128; models.len()];
        for &(budget, share) in weights {
            // The more accurate, the later.
            if let Some(base) = models.iter().rposition(|model| self.fits(model, budget)) {
                weight[base] += u128::from(share);
            }
        }
        let name = |model: &Model| self.names[model.id.index()].clone();
        let share = |weight: u128| 100.0 * weight as f64 / subset.weight as f64;
        models.iter().map(name).zip(weight.into_iter().map(share)).collect()
    }
}

/// What one would write by hand: add the model that helps most, again and again.
struct Greedy<'a> {
    settings: &'a Settings,
    weights: &'a [(Budget, u32)],
    /// The accuracy that each budget has so far, in parts per million.
    reached: Vec<u32>,
}

impl<'a> Greedy<'a> {
    fn new(settings: &'a Settings, weights: &'a [(Budget, u32)]) -> Self {
        Self { settings, weights, reached: vec![0; weights.len()] }
    }

    fn add(&mut self) {
        let Self { settings, weights, reached } = self;
        let raised = |model: &Model, (&(budget, weight), &reached): (&(Budget, u32), &u32)| {
            let accuracy = if settings.fits(model, budget) { model.profile.accuracy.as_ppm() } else { 0 };
            (accuracy.max(reached), weight)
        };
        let value = |model: &Model| -> u128 {
            let raised = weights.iter().zip(reached.iter()).map(|budget| raised(model, budget));
            raised.map(|(accuracy, weight)| u128::from(accuracy) * u128::from(weight)).sum()
        };
        let Some(best) = settings.catalog.models().max_by_key(value) else { return };
        let accuracies = weights.iter().zip(reached.iter()).map(|budget| raised(&best, budget).0);
        *reached = accuracies.collect();
    }

    fn weighted_ppm(&self) -> u128 {
        let budgets = self.weights.iter().zip(&self.reached);
        budgets.map(|(&(_, weight), &accuracy)| u128::from(accuracy) * u128::from(weight)).sum()
    }
}
