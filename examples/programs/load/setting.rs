//! What a cell of the comparison is set to, and what a policy may know beforehand: the true profiles.

use crate::zoo::Zoo;

/// Workers, of each model with a pool a model.
pub const MOST_WORKERS: usize = 64;
/// Requests that may be run at once.
pub const MOST_BATCHED: usize = 64;

/// A zoo, a server and a load.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    pub zoo: &'a Zoo,
    /// T_sla in µs.
    pub sla: u64,
    /// Workers; with a pool a model, of each model.
    pub workers: usize,
    /// Requests that a run takes at most.
    pub max_batch: usize,
    /// A run of b requests takes 1 + growth · (b − 1) times as long as a run of one.
    pub growth: f64,
    /// Requests a second and worker.
    pub rate: f64,
    /// What an answer that is late is worth, as a fraction of one in time.
    pub late_worth: f64,
    pub seed: u64,
}

impl Setting<'_> {
    pub fn models(&self) -> usize {
        self.zoo.profiles.len()
    }

    /// In percent.
    pub fn accuracy(&self, model: usize) -> f64 {
        self.zoo.profiles[model].accuracy.as_percent()
    }

    /// How many times as long a run of so many takes.
    pub fn stretch(&self, batch: usize) -> f64 {
        1.0 + self.growth * (batch as f64 - 1.0)
    }

    /// μ of a run of so many, in µs.
    pub fn mean(&self, model: usize, batch: usize) -> f64 {
        f64::from(self.zoo.profiles[model].latency.mean.get()) * self.stretch(batch)
    }

    /// σ of a run of so many, in µs.
    pub fn deviation(&self, model: usize, batch: usize) -> f64 {
        f64::from(self.zoo.profiles[model].latency.deviation.get()) * self.stretch(batch)
    }

    /// Whether a run of so many ends within the slack, by μ + σ.
    pub fn fits(&self, model: usize, batch: usize, slack: u64) -> bool {
        self.mean(model, batch) + self.deviation(model, batch) < slack as f64
    }

    /// The most requests, of `waiting`, that a run may take within the slack; 0 if not even one.
    pub fn most(&self, model: usize, waiting: usize, slack: u64) -> usize {
        let alone = self.mean(model, 1) + self.deviation(model, 1);
        let most = waiting.min(self.max_batch);
        if most == 0 || alone >= slack as f64 {
            return 0;
        }
        if self.growth == 0.0 {
            return most;
        }
        let room = 1.0 + (slack as f64 / alone - 1.0) / self.growth;
        let mut batch = most.min((room as usize).saturating_add(1));
        // To the last bit the same as `fits`.
        while batch > 1 && !self.fits(model, batch, slack) {
            batch -= 1;
        }
        batch
    }

    /// The least slack, in µs, above which some model fits: less is hopeless.
    pub fn least_slack(&self) -> f64 {
        let alone = |model| self.mean(model, 1) + self.deviation(model, 1);
        (0..self.models()).map(alone).fold(f64::MAX, f64::min)
    }

    /// Requests a second in all.
    pub fn total_rate(&self) -> f64 {
        self.rate * self.workers as f64
    }
}
