//! Which lot a queue may dispatch, worked out anew: every model and every size of a batch, in whole numbers. It shares no
//! code with `src/load`.
//!
//! ```text
//! V(m, first, b) = A(m) − ( t·(own + a·left/W) + t²·(own² + ρ^(W−1)·(λ/W)·a/3) + c·own_c ) / b,   t = μ(m, b)
//! ```
//!
//! in 2⁻¹⁶ parts per million; b is the most that the first can afford, `left` are those outside the batch.

use mdinference::{Budget, Micros, Model, ModelId, Price, Request};

/// What a lot is chosen by.
pub(crate) struct Setting<'a> {
    /// By μ, as a catalog gives them.
    pub(crate) models: Vec<Model>,
    pub(crate) margin_thousandths: u32,
    pub(crate) most: usize,
    /// g of each model by its place, in thousandths.
    pub(crate) growth: &'a [u32],
    /// a in parts per million a µs, how many workers, and what the square of a time is charged; `None` without a price.
    pub(crate) load: Option<(f64, usize, u64)>,
}

/// One that waits: what it asked when it came, its earlier budget with what an answer within that is worth more, and how
/// far away its deadline is, in µs.
#[derive(Clone, Copy)]
pub(crate) struct Waiter<'a> {
    pub(crate) asked: Request<'a>,
    pub(crate) earlier: Option<(Budget, u32)>,
    pub(crate) slack: u64,
}

impl<'a> Waiter<'a> {
    /// What it asks after so much more time.
    pub(crate) fn after(&self, micros: u32) -> Request<'a> {
        self.asked.minus(self.waited(micros))
    }

    fn earlier_after(&self, micros: u32) -> Option<(Budget, u32)> {
        let budget = self.after(micros).budget();
        self.earlier.map(|(earlier, worth)| (earlier.minus(self.waited(micros)).min(budget), worth))
    }

    fn waited(&self, micros: u32) -> Micros {
        let left = self.slack.saturating_sub(micros.into());
        let asked = self.asked.budget().time().get();
        Micros::new(u32::try_from(left).map_or(0, |left| asked.saturating_sub(left)))
    }
}

/// What was dispatched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dispatched {
    pub(crate) model: ModelId,
    pub(crate) first: usize,
    pub(crate) size: usize,
}

/// One that might be.
#[derive(Clone, Copy, Debug)]
struct Lot {
    dispatched: Dispatched,
    value: i128,
    /// By how much the library's may differ, for it rounds what each pays of each price.
    error: i128,
    threshold: u64,
}

impl Lot {
    /// Not certainly worth more than another.
    fn may_not_exceed(&self, other: &Self) -> bool {
        self.value <= other.value + self.error + other.error
    }
}

/// Whether this may be dispatched of those that wait.
pub(crate) fn check(setting: &Setting<'_>, waiting: &[Waiter<'_>], dispatched: Dispatched) {
    let urgent = setting.led_by(waiting, 0);
    let best = urgent.iter().max_by_key(|lot| lot.value).copied();
    let best = best.unwrap_or_else(|| panic!("nothing fits, and {dispatched:?} is run"));
    // Which of the two it is may be a matter of rounding.
    let worth = best.value + best.error >= 0 && setting.is_urgent(waiting, &urgent, &best, dispatched);
    let costs = best.value - best.error < 0 && setting.leads(waiting, &urgent, dispatched);
    assert!(worth || costs, "{dispatched:?}, though {best:?} of {urgent:?}");
}

impl Setting<'_> {
    /// Whether it is led by the most urgent one: the lot of the greatest value, or the first part of it.
    fn is_urgent(&self, waiting: &[Waiter<'_>], lots: &[Lot], best: &Lot, dispatched: Dispatched) -> bool {
        let picks = lots.iter().filter(|lot| best.may_not_exceed(lot));
        picks.into_iter().any(|pick| {
            // Without a price nothing is rounded, so that ties go by the threshold, then by place.
            let key = |lot: &Lot| (-lot.value, lot.threshold, lot.dispatched.model);
            let exact = |lot: &Lot| lot.error == 0 && self.load.is_none();
            let tie_goes = lots.iter().all(|lot| !exact(lot) || !exact(pick) || key(pick) <= key(lot));
            let parts = self.parts(waiting, pick);
            // With all of it first it is the whole, for the sake of those behind: whether that counts is left open.
            let (all, fewer): (Vec<Lot>, Vec<Lot>) =
                parts.into_iter().partition(|part| part.dispatched == pick.dispatched);
            let exceeded = |by: &Lot| fewer.iter().any(|part| !part.may_not_exceed(by));
            let whole =
                dispatched == pick.dispatched && [*pick].iter().chain(&all).any(|whole| !exceeded(whole));
            let part = fewer
                .iter()
                .any(|part| part.dispatched == dispatched && pick.may_not_exceed(part) && !exceeded(part));
            tie_goes && (whole || part)
        })
    }

    /// The first few of a lot, whose others then all fit a more accurate model, the fewest that it takes; at what both are
    /// worth a request, each as if it were dispatched when it begins.
    fn parts(&self, waiting: &[Waiter<'_>], pick: &Lot) -> Vec<Lot> {
        if self.load.is_none() {
            return Vec::new();
        }
        let model = self.model(pick.dispatched.model);
        let better = self.models.iter().filter(|other| other.profile.accuracy > model.profile.accuracy);
        let divided = |other: &Model| {
            (1..=pick.dispatched.size).find_map(|size| {
                let rest = self.most.min(waiting.len() - size);
                let took = self.time(model.profile.latency.mean.get(), &model, size);
                let second = self.lot_of(&waiting[size..], 0, other, rest, took)?;
                if rest == 0 || second.dispatched.size < rest {
                    return None;
                }
                let first = self.lot_of(waiting, 0, &model, size, 0)?;
                let requests = (size + rest) as i128;
                let both = |of: fn(&Lot) -> i128| of(&first) * size as i128 + of(&second) * rest as i128;
                let value = both(|lot| lot.value).div_euclid(requests);
                let error = both(|lot| lot.error) / requests + 2;
                (first.dispatched.size == size).then_some(Lot { value, error, ..first })
            })
        };
        better.filter_map(divided).collect()
    }

    /// Where the most urgent one costs more than it is worth, any may lead until even the fastest model takes all that are
    /// left, or a full batch: whether it is the best of these.
    fn leads(&self, waiting: &[Waiter<'_>], urgent: &[Lot], dispatched: Dispatched) -> bool {
        let (mut lots, mut last) = (urgent.to_vec(), 0);
        while !self.all_by_the_fastest(waiting, last) && last < self.most {
            last += 1;
            lots.extend(self.led_by(waiting, last));
        }
        let Some(chosen) = lots.iter().find(|lot| lot.dispatched == dispatched) else { return false };
        lots.iter().all(|lot| {
            // Of equal ones the more urgent leads: such as two of the same size on one model, which ask no more.
            let key = |lot: &Lot| {
                let Waiter { asked, earlier, .. } = waiting[lot.dispatched.first];
                (lot.dispatched.model, lot.dispatched.size, asked.price(), earlier)
            };
            let equal = key(lot) == key(chosen) && waiting[dispatched.first].earlier.is_none();
            lot.may_not_exceed(chosen) && (!equal || dispatched.first <= lot.dispatched.first)
        })
    }

    fn led_by(&self, waiting: &[Waiter<'_>], first: usize) -> Vec<Lot> {
        self.models.iter().filter_map(|model| self.lot_of(waiting, first, model, self.most, 0)).collect()
    }

    fn model(&self, id: ModelId) -> Model {
        *self.models.iter().find(|model| model.id == id).unwrap()
    }

    /// The largest of a model, of `most` at most, that is begun after so much time, when none but these wait.
    fn lot_of(
        &self,
        waiting: &[Waiter<'_>],
        first: usize,
        model: &Model,
        most: usize,
        after: u32,
    ) -> Option<Lot> {
        let waiter = waiting.get(first)?;
        let (request, earlier) = (waiter.after(after), waiter.earlier_after(after));
        let accept = |waiter: &&Waiter<'_>| waiter.asked.exclusion(model).is_none();
        let accepted = waiting[first..].iter().take(most).take_while(accept).count();
        let fits = |size: usize, budget: Budget| {
            self.threshold(model, size) < u64::from(budget.time().get()) * 1_000
        };
        let size = (1..=accepted).rfind(|&size| fits(size, request.budget()))?;
        let worth = earlier.filter(|&(budget, _)| fits(size, budget)).map_or(0, |(_, worth)| worth);
        let (load, squared) = match self.load {
            Some((a, workers, squared)) => {
                let left = (waiting.len() - size) as f64;
                (a * left / workers as f64 * 65_536.0, squared)
            }
            None => (0.0, 0),
        };
        let price = Price { per_micro: load as u64, per_micro_squared: squared, per_cost: 0 };
        let Price { per_micro, per_micro_squared, per_cost } = request.price().plus(price);
        let t = i128::from(self.time(model.profile.latency.mean.get(), model, size));
        let cost = i128::from(model.profile.cost.0);
        let paid = i128::from(per_micro) * t
            + i128::from(per_micro_squared) * (t * t) / (1 << 32)
            + i128::from(per_cost) * cost;
        let gross = (i128::from(model.profile.accuracy.as_ppm()) + i128::from(worth)) << 16;
        let value = (gross - paid / size as i128).max(i64::MIN.into());
        let rounded = if size > 1 { t + ((t * t) >> 32) + cost + 3 } else { 0 };
        // Of the load, which is of 24 bits here and there.
        let of_load = if load > 0.0 { t + ((load * t as f64) as i128 >> 20) } else { 0 };
        let error = if paid == 0 { 0 } else { rounded + of_load };
        let threshold = self.threshold(model, size);
        Some(Lot { dispatched: Dispatched { model: model.id, first, size }, value, error, threshold })
    }

    /// Whether the fastest model that fits takes all from here on, or a full batch.
    fn all_by_the_fastest(&self, waiting: &[Waiter<'_>], first: usize) -> bool {
        let fastest = self.led_by(waiting, first).into_iter().next();
        let all = self.most.min(waiting.len().saturating_sub(first));
        all == 0 || fastest.is_some_and(|lot| lot.dispatched.size == all)
    }

    /// In nanoseconds.
    fn threshold(&self, model: &Model, size: usize) -> u64 {
        let latency = model.profile.latency;
        let [mean, deviation] =
            [latency.mean, latency.deviation].map(|time| u64::from(self.time(time.get(), model, size)));
        mean * 1_000 + deviation * u64::from(self.margin_thousandths)
    }

    /// Of a batch, as long as the longest time at most.
    fn time(&self, one: u32, model: &Model, size: usize) -> u32 {
        let growth = u64::from(self.growth[model.id.index()]);
        let stretched = u64::from(one) * (1_000 + growth * (size as u64 - 1)) / 1_000;
        stretched.min(i32::MAX as u64) as u32
    }
}
