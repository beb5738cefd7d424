//! Which lot a queue may dispatch, worked out anew: every model and every size of a batch, in whole numbers. It shares no
//! code with `src/load`.
//!
//! ```text
//! V(m, first, b) = A(m) − ( t·(own + a·left/W) + t²·(own² + ρ^(W−1)·(λ/W)·a/3) + c·own_c ) / b,   t = μ(m, b)
//! ```
//!
//! in 2⁻¹⁶ parts per million; b is the most that the first can afford, `left` are those outside the batch.

use mdinference::{Budget, Model, ModelId, Price, Request};

/// What a lot is chosen by.
pub(crate) struct Setting<'a> {
    /// By μ, as a catalog gives them.
    pub models: Vec<Model>,
    pub margin_thousandths: u32,
    pub most: usize,
    /// g of each model by its place, in thousandths.
    pub growth: &'a [u32],
    /// a in parts per million a µs, how many workers, and what the square of a time is charged; `None` without a price.
    pub load: Option<(f64, usize, u64)>,
}

/// One that waits: what it asks now, and its earlier budget with what an answer within that is worth more.
#[derive(Clone, Copy)]
pub(crate) struct Waiter<'a> {
    pub request: Request<'a>,
    pub earlier: Option<(Budget, u32)>,
}

/// What was dispatched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dispatched {
    pub model: ModelId,
    pub first: usize,
    pub size: usize,
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

/// So many that come after the most urgent one may lead in its place.
const LEADS: usize = 64;

/// Whether this may be dispatched of those that wait: it is as large as can be, and no other is worth more.
pub(crate) fn check(setting: &Setting<'_>, waiting: &[Waiter<'_>], dispatched: Dispatched) {
    let urgent = setting.led_by(waiting, 0);
    assert!(!urgent.is_empty(), "nothing fits, and {dispatched:?} is run");
    let mut lots = urgent;
    let chosen = setting.lot(waiting, dispatched.first, dispatched.model);
    let chosen = chosen.unwrap_or_else(|| panic!("{dispatched:?} does not fit"));
    assert_eq!(chosen.dispatched, dispatched, "another size is the largest");
    // Those before it stay only where the most urgent one costs more than it is worth; then any may lead until even the
    // fastest model takes all that are left, or a full batch.
    let urgent = lots.iter().max_by_key(|lot| lot.value).copied().unwrap();
    let skips = urgent.value + urgent.error < 0;
    assert!(dispatched.first == 0 || urgent.value - urgent.error < 0, "{dispatched:?} though {urgent:?}");
    let mut last = 0;
    while !setting.all_by_the_fastest(waiting, last) && last < LEADS {
        last += 1;
        if skips || dispatched.first > 0 {
            lots.extend(setting.led_by(waiting, last));
        }
    }
    assert!(dispatched.first <= last, "{dispatched:?} is too far behind");
    for lot in lots {
        assert!(chosen.value + chosen.error + lot.error >= lot.value, "{chosen:?} though {lot:?}");
        // Of equal ones the more urgent leads: such as two of the same size on one model, of which none asks for more.
        let price = |lot: &Lot| waiting[lot.dispatched.first].request.price();
        let same = (lot.dispatched.model, lot.dispatched.size) == (dispatched.model, dispatched.size)
            && price(&lot) == price(&chosen)
            && waiting[lot.dispatched.first].earlier.is_none()
            && waiting[dispatched.first].earlier.is_none();
        assert!(!same || dispatched.first <= lot.dispatched.first, "{chosen:?} though {lot:?}");
        // Without a price nothing is rounded, so that ties go by the threshold, then by place.
        if setting.load.is_none() && chosen.error + lot.error == 0 && lot.dispatched.first == 0 {
            let key = |lot: &Lot| (-lot.value, lot.threshold, lot.dispatched.model);
            assert!(key(&chosen) <= key(&lot), "{chosen:?} though {lot:?}");
        }
    }
}

impl Setting<'_> {
    fn led_by(&self, waiting: &[Waiter<'_>], first: usize) -> Vec<Lot> {
        self.models.iter().filter_map(|model| self.lot(waiting, first, model.id)).collect()
    }

    /// The largest of a model.
    fn lot(&self, waiting: &[Waiter<'_>], first: usize, model: ModelId) -> Option<Lot> {
        let Waiter { request, earlier } = *waiting.get(first)?;
        let model = *self.models.iter().find(|known| known.id == model)?;
        let accept = |waiter: &&Waiter<'_>| waiter.request.exclusion(&model).is_none();
        let accepted = waiting[first..].iter().take(self.most).take_while(accept).count();
        let fits = |size: usize, budget: Budget| {
            self.threshold(&model, size) < u64::from(budget.time().get()) * 1_000
        };
        let size = (1..=accepted).rfind(|&size| fits(size, request.budget()))?;
        let worth = earlier.filter(|&(budget, _)| fits(size, budget)).map_or(0, |(_, worth)| worth);
        let price = request.price();
        let (load, squared) = match self.load {
            Some((a, workers, squared)) => {
                let left = (waiting.len() - size) as f64;
                (a * left / workers as f64 * 65_536.0, squared)
            }
            None => (0.0, 0),
        };
        let Price { per_micro, per_micro_squared, per_cost } =
            price.plus(Price { per_micro: load as u64, per_micro_squared: squared, per_cost: 0 });
        let t = i128::from(self.time(model.profile.latency.mean.get(), &model, size));
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
        let threshold = self.threshold(&model, size);
        Some(Lot { dispatched: Dispatched { model: model.id, first, size }, value, error, threshold })
    }

    /// Whether the fastest model that fits takes all from here on, or a full batch.
    fn all_by_the_fastest(&self, waiting: &[Waiter<'_>], first: usize) -> bool {
        let fastest = self.models.iter().find_map(|model| self.lot(waiting, first, model.id));
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
