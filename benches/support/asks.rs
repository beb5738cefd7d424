//! What requests ask: their budgets, and with each kind of request what else; and the same for the naive versions.

use mdinference::{
    Accuracy, Budget, Cost, Decision, Draw, Index, Micros, ModelSet, NothingEligible, Policy, Price, Request,
    Sharpness,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Measured, catalog};

/// Points of accuracy that a millisecond costs.
const POINTS_PER_MILLI: f64 = 0.1;
/// The longest wait for a model, in milliseconds.
const LONGEST_WAIT: u32 = 50;
/// There are so many lists of waits, each of them another stretch of one.
const WAITS: u16 = 4_096;

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    pub budget: Budget,
    /// The model that may not be used, where one may not.
    missing: u16,
    /// From where on its waits are.
    waits: u16,
}

/// So many requests, and all that they may ask: made before anything is measured.
pub struct Asks<const N: usize> {
    pub list: Vec<Ask>,
    /// All models but the one of this place.
    healthy: Vec<ModelSet<N>>,
    waits: Vec<Micros>,
    empty: Request<'static>,
    min_accuracy: Request<'static>,
    max_cost: Request<'static>,
    price: Request<'static>,
    naive: Naive,
}

/// The same in the types of the naive versions.
struct Naive {
    models: usize,
    healthy: Vec<Vec<bool>>,
    waits: Vec<f64>,
    min_accuracy: f64,
    max_cost: u32,
}

impl<const N: usize> Asks<N> {
    /// Of each budget one request.
    pub fn new(models: &[Measured], budgets: &[Budget]) -> Self {
        let mut rng = StdRng::seed_from_u64(50);
        let n = models.len();
        let list = budgets.iter().map(|&budget| Ask {
            budget,
            missing: rng.random_range(0..n as u16),
            waits: rng.random_range(0..WAITS),
        });
        let list = list.collect();
        let ids: Vec<_> = catalog::<N>(models).models().map(|model| model.id).collect();
        let healthy = |missing| ids.iter().copied().filter(|id| id.index() != missing).collect();
        let longest = LONGEST_WAIT * 1_000;
        let waits: Vec<_> =
            (0..usize::from(WAITS) + n).map(|_| Micros::new(rng.random_range(0..longest))).collect();
        let mut accuracies: Vec<_> = models.iter().map(|model| model.accuracy).collect();
        accuracies.sort_by(f64::total_cmp);
        let (min_accuracy, max_cost) = (accuracies[n / 2], n as u32 / 2);
        let empty = Request::new(Budget::default());
        let percent = |percent| Accuracy::from_percent(percent).expect("an accuracy");
        Self {
            list,
            healthy: (0..n).map(healthy).collect(),
            empty,
            min_accuracy: empty.with_min_accuracy(percent(min_accuracy)),
            max_cost: empty.with_max_cost(Cost(max_cost)),
            price: empty.with_price(Price::per_milli(percent(POINTS_PER_MILLI))),
            naive: Naive {
                models: n,
                healthy: (0..n).map(|missing| (0..n).map(|place| place != missing).collect()).collect(),
                waits: waits.iter().map(|wait| wait.as_millis()).collect(),
                min_accuracy,
                max_cost,
            },
            waits,
        }
    }

    fn waits(&self, ask: &Ask) -> &[Micros] {
        &self.waits[ask.waits.into()..][..self.naive.models]
    }
}

/// A kind of request, for the index and for the naive version that keeps to the same: what it does not say is as in the
/// paper.
pub trait Kind {
    const POLICY: Policy = Policy::PAPER;
    /// A decision, or that there may be none.
    type Answer;

    /// By the index, whose policy this is.
    fn select<const N: usize>(index: &Index<N>, asks: &Asks<N>, ask: &Ask, draw: Draw) -> Self::Answer;

    /// Whether the naive version explores around the base.
    const EXPLORES: bool = true;

    fn eligible<const N: usize>(_: &Asks<N>, _: &Ask, _: usize, _: &Measured) -> bool {
        true
    }

    /// When the model would be done, in milliseconds.
    fn mean<const N: usize>(_: &Asks<N>, _: &Ask, _: usize, model: &Measured) -> f64 {
        model.mean
    }

    fn value(model: &Measured) -> f64 {
        model.accuracy
    }

    fn weight(utility: f64) -> f64 {
        utility
    }
}

/// A budget.
pub struct Plain;
/// A request that asks for no more.
pub struct Empty;
/// All models but one, another one each time.
pub struct Health;
/// At least the median accuracy.
pub struct MinAccuracy;
/// At most the median cost.
pub struct MaxCost;
/// Up to 50 ms for each model, and others each time.
pub struct Waits;
/// A tenth of a point for each millisecond.
pub struct Priced;
/// A budget, with k = 9.
pub struct Sharpness9;

impl Kind for Plain {
    type Answer = Decision;
    #[inline(always)]
    fn select<const N: usize>(index: &Index<N>, _: &Asks<N>, ask: &Ask, draw: Draw) -> Decision {
        index.select(ask.budget, draw)
    }
}

impl Kind for Empty {
    type Answer = Result<Decision, NothingEligible>;
    #[inline(always)]
    fn select<const N: usize>(
        index: &Index<N>,
        asks: &Asks<N>,
        ask: &Ask,
        draw: Draw,
    ) -> Result<Decision, NothingEligible> {
        index.select(asks.empty.with_budget(ask.budget), draw)
    }
}

impl Kind for Health {
    type Answer = Result<Decision, NothingEligible>;
    #[inline(always)]
    fn select<const N: usize>(
        index: &Index<N>,
        asks: &Asks<N>,
        ask: &Ask,
        draw: Draw,
    ) -> Result<Decision, NothingEligible> {
        let healthy = &asks.healthy[usize::from(ask.missing)];
        index.select(Request::new(ask.budget).with_allowed(healthy), draw)
    }

    fn eligible<const N: usize>(asks: &Asks<N>, ask: &Ask, place: usize, _: &Measured) -> bool {
        asks.naive.healthy[usize::from(ask.missing)][place]
    }
}

impl Kind for MinAccuracy {
    type Answer = Result<Decision, NothingEligible>;
    #[inline(always)]
    fn select<const N: usize>(
        index: &Index<N>,
        asks: &Asks<N>,
        ask: &Ask,
        draw: Draw,
    ) -> Result<Decision, NothingEligible> {
        index.select(asks.min_accuracy.with_budget(ask.budget), draw)
    }

    fn eligible<const N: usize>(asks: &Asks<N>, _: &Ask, _: usize, model: &Measured) -> bool {
        model.accuracy >= asks.naive.min_accuracy
    }
}

impl Kind for MaxCost {
    type Answer = Result<Decision, NothingEligible>;
    #[inline(always)]
    fn select<const N: usize>(
        index: &Index<N>,
        asks: &Asks<N>,
        ask: &Ask,
        draw: Draw,
    ) -> Result<Decision, NothingEligible> {
        index.select(asks.max_cost.with_budget(ask.budget), draw)
    }

    fn eligible<const N: usize>(asks: &Asks<N>, _: &Ask, _: usize, model: &Measured) -> bool {
        model.cost <= asks.naive.max_cost
    }
}

impl Kind for Waits {
    type Answer = Result<Decision, NothingEligible>;
    #[inline(always)]
    fn select<const N: usize>(
        index: &Index<N>,
        asks: &Asks<N>,
        ask: &Ask,
        draw: Draw,
    ) -> Result<Decision, NothingEligible> {
        index.select(Request::new(ask.budget).with_waits(asks.waits(ask)), draw)
    }

    fn mean<const N: usize>(asks: &Asks<N>, ask: &Ask, place: usize, model: &Measured) -> f64 {
        model.mean + asks.naive.waits[usize::from(ask.waits) + place]
    }
}

impl Kind for Priced {
    type Answer = Result<Decision, NothingEligible>;
    #[inline(always)]
    fn select<const N: usize>(
        index: &Index<N>,
        asks: &Asks<N>,
        ask: &Ask,
        draw: Draw,
    ) -> Result<Decision, NothingEligible> {
        index.select(asks.price.with_budget(ask.budget), draw)
    }

    const EXPLORES: bool = false;

    fn value(model: &Measured) -> f64 {
        model.accuracy - POINTS_PER_MILLI * model.mean
    }
}

impl Kind for Sharpness9 {
    type Answer = Decision;
    const POLICY: Policy = Policy::PAPER.with_sharpness(match Sharpness::new(9) {
        Ok(sharpness) => sharpness,
        Err(_) => Sharpness::PAPER,
    });

    #[inline(always)]
    fn select<const N: usize>(index: &Index<N>, _: &Asks<N>, ask: &Ask, draw: Draw) -> Decision {
        index.select(ask.budget, draw)
    }

    fn weight(utility: f64) -> f64 {
        utility.powi(9)
    }
}
