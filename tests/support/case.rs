//! [`Case`]: a zoo and one whole question, whatever made them up.

use mdinference::{
    Accuracy, Budget, Catalog, Cost, Draw, Margin, Micros, ModelSet, Policy, Price, Profile, Request,
    Sharpness,
};

/// The most models a case has.
pub const CAPACITY: usize = 16;

/// Everything that a selection depends on.
#[derive(Clone, Debug)]
pub struct Case {
    /// 1 to [`CAPACITY`] models.
    pub profiles: Vec<Profile>,
    pub policy: Policy,
    pub budget: Budget,
    /// The bits of the draw.
    pub draw: u64,
    pub min_accuracy: Accuracy,
    pub max_cost: Cost,
    /// Whether each model may be used.
    pub allowed: Vec<bool>,
    /// By place; a model past the end waits for nothing.
    pub waits: Vec<Micros>,
    pub price: Price,
    /// An earlier budget, and what an answer within it is worth more.
    pub earlier: Option<(Budget, Accuracy)>,
}

impl Case {
    /// A case that asks nothing but a budget.
    pub fn new(profiles: Vec<Profile>, policy: Policy, budget: Budget, draw: u64) -> Self {
        let allowed = vec![true; profiles.len()];
        Self {
            profiles,
            policy,
            budget,
            draw,
            min_accuracy: Accuracy::ZERO,
            max_cost: Cost(u32::MAX),
            allowed,
            waits: Vec::new(),
            price: Price::NONE,
            earlier: None,
        }
    }

    pub fn with_budget(&self, budget: Budget) -> Self {
        Self { budget, ..self.clone() }
    }

    pub fn with_draw(&self, draw: u64) -> Self {
        Self { draw, ..self.clone() }
    }

    pub fn draw(&self) -> Draw {
        Draw::from_uniform_bits(self.draw)
    }

    pub fn catalog(&self) -> Catalog<CAPACITY> {
        Catalog::new(self.profiles.iter().copied()).unwrap()
    }

    /// Asks the question. What is neutral is left out, so that some questions are nothing but a budget.
    pub fn ask<T>(&self, answer: impl FnOnce(&Catalog<CAPACITY>, &Request<'_>) -> T) -> T {
        let catalog = self.catalog();
        let allowed = self.set(&catalog);
        answer(&catalog, &self.request(&allowed))
    }

    /// The question, with the models that may be used.
    pub fn request<'a, const N: usize>(&'a self, allowed: &'a ModelSet<N>) -> Request<'a> {
        let mut request = Request::new(self.budget);
        if self.min_accuracy != Accuracy::ZERO {
            request = request.with_min_accuracy(self.min_accuracy);
        }
        if self.max_cost != Cost(u32::MAX) {
            request = request.with_max_cost(self.max_cost);
        }
        if !self.waits.is_empty() {
            request = request.with_waits(&self.waits);
        }
        if self.price != Price::NONE {
            request = request.with_price(self.price);
        }
        if let Some((budget, worth)) = self.earlier {
            request = request.with_earlier(budget, worth);
        }
        if self.allowed.contains(&false) {
            request = request.with_allowed(allowed);
        }
        request
    }

    /// The models that may be used, to be lent to [`Case::request`].
    pub fn set<const N: usize>(&self, catalog: &Catalog<N>) -> ModelSet<N> {
        let places = self.allowed.iter().enumerate().filter(|&(_, &allowed)| allowed);
        places.filter_map(|(place, _)| catalog.id(place)).collect()
    }

    /// How long the request would wait for the model at a place.
    pub fn wait(&self, place: usize) -> Micros {
        self.waits.get(place).copied().unwrap_or(Micros::ZERO)
    }

    /// A profile as the request sees it: with its wait.
    pub fn waiting(&self, place: usize) -> Profile {
        let mut profile = self.profiles[place];
        let mean = u64::from(profile.latency.mean.get()) + u64::from(self.wait(place).get());
        profile.latency.mean = Micros::new(u32::try_from(mean).unwrap_or(u32::MAX));
        profile
    }

    /// Every budget at which something may change: one either side of each μ and each μ + γσ, and of the ends.
    pub fn boundaries(&self) -> Vec<Budget> {
        let margin = u64::from(self.policy.margin.thousandths());
        let mut times: Vec<u64> = (0..self.profiles.len())
            .flat_map(|place| {
                let latency = self.waiting(place).latency;
                let (mean, deviation) = (u64::from(latency.mean.get()), u64::from(latency.deviation.get()));
                [mean, mean + margin * deviation / 1_000]
            })
            .chain(self.earlier.map(|(budget, _)| budget.time().get().into()))
            .chain([0, u64::from(Micros::MAX.get())])
            .flat_map(|time| [time.saturating_sub(1), time, time + 1, time + 2])
            .collect();
        times.sort_unstable();
        times.dedup();
        // Under Miri each takes some thousand times as long.
        times
            .into_iter()
            .step_by(if cfg!(miri) { 16 } else { 1 })
            .filter_map(|time| u32::try_from(time).ok())
            .filter(|&time| time <= Micros::MAX.get())
            .map(|time| Budget::of(Micros::new(time)))
            .collect()
    }
}

/// A policy of γ in thousandths and a k of at least 1.
pub fn policy(margin_thousandths: u32, sharpness: u32) -> Policy {
    Policy::PAPER
        .with_margin(Margin::new(f64::from(margin_thousandths) / 1_000.0).unwrap())
        .with_sharpness(Sharpness::new(sharpness).unwrap())
}
