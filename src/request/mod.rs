//! The question: [`Budget`], or [`Request`] with everything else that a request may ask; and [`Draw`], its randomness.

mod budget;
mod draw;
mod price;
mod question;
mod set;

use core::fmt;

use crate::catalog::{Model, ModelId};
use crate::profile::{Accuracy, Cost};
use crate::time::Micros;

pub use budget::{Budget, NetworkTime};
pub use draw::Draw;
pub use price::Price;
pub use question::Question;
pub use set::ModelSet;

/// Everything that a request may ask: a budget, which models may answer, what they would wait for, what time is worth.
///
/// It is plain data of no capacity: what it says of single models is borrowed. [`Request::with_budget`] makes a template
/// of it, and [`Request::owned`] leaves the borrowed parts out, to be kept in a queue or a log.
///
/// ```
/// use mdinference::{Accuracy, Budget, Catalog, Cost, Micros, ModelSet, Profile, Request};
///
/// let zoo = Catalog::<12>::new([Profile::default(); 3])?;
/// // The second model is out of order.
/// let healthy: ModelSet<12> = zoo.models().map(|model| model.id).filter(|id| id.index() != 1).collect();
/// let request = Request::new(Budget::of(Micros::from_millis(170)))
///     .with_allowed(&healthy)
///     .with_min_accuracy(Accuracy::from_percent(60.0)?)
///     .with_max_cost(Cost(5));
/// # let _ = request;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    budget: Budget,
    /// Nothing but the budget is asked: kept up to date, for it is looked at each time.
    plain: bool,
    /// No model is ruled out or preferred by it, so it leaves a budget plain.
    duplicate: bool,
    min_accuracy: Accuracy,
    max_cost: Cost,
    price: Price,
    earlier: Option<Earlier>,
    allowed: Option<&'a [bool]>,
    waits: &'a [Micros],
}

/// An earlier time by which an answer is worth more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Earlier {
    /// As it was given; one longer than the request's is the request's.
    budget: Budget,
    worth: Accuracy,
}

impl Request<'_> {
    /// Nothing but a budget.
    pub const fn new(budget: Budget) -> Self {
        Self {
            budget,
            plain: true,
            duplicate: false,
            min_accuracy: Accuracy::ZERO,
            max_cost: Cost(u32::MAX),
            price: Price::NONE,
            earlier: None,
            allowed: None,
            waits: &[],
        }
    }

    /// The same without what it borrows: the models that may be used, and the waits.
    #[inline]
    pub const fn owned(self) -> Request<'static> {
        Request { allowed: None, waits: &[], ..self }.noted()
    }
}

impl<'a> Request<'a> {
    /// The same for another budget.
    #[inline]
    pub const fn with_budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// What is left of it when `spent` is gone for every model alike, such as time waited in a common queue.
    #[must_use]
    #[inline]
    pub const fn minus(self, spent: Micros) -> Self {
        let earlier = match self.earlier {
            Some(Earlier { budget, worth }) => Some(Earlier { budget: budget.minus(spent), worth }),
            None => None,
        };
        Self { budget: self.budget.minus(spent), earlier, ..self }
    }

    /// Only models at least this accurate.
    #[inline]
    pub const fn with_min_accuracy(self, min_accuracy: Accuracy) -> Self {
        Self { min_accuracy, ..self }.noted()
    }

    /// Only models at most this costly.
    #[inline]
    pub const fn with_max_cost(self, max_cost: Cost) -> Self {
        Self { max_cost, ..self }.noted()
    }

    /// Only these models. A model past the capacity of the set is not among them.
    #[inline]
    pub const fn with_allowed<const N: usize>(self, allowed: &'a ModelSet<N>) -> Self {
        Self { allowed: Some(allowed.as_slice()), ..self }.noted()
    }

    /// Where each model has workers of its own: the time that the request would wait for each, by its place
    /// ([`expected_wait`](crate::load::expected_wait)); a model past the end waits for nothing. A wait that is the same for
    /// all belongs in the budget: [`Budget::minus`]. On workers that models share neither is enough: there let a
    /// [`Queue`](crate::load::Queue) pick at dispatch.
    ///
    /// It adds to μ wherever that is compared with the budget or with another's, and not where it is priced.
    #[inline]
    pub const fn with_waits(self, waits: &'a [Micros]) -> Self {
        Self { waits, ..self }.noted()
    }

    /// With a price of time and cost.
    #[inline]
    pub const fn with_price(self, price: Price) -> Self {
        Self { price, ..self }.noted()
    }

    /// An answer within the shorter `budget` is worth so much more: such as one that comes before the device starts its
    /// local copy, and spares it the run.
    ///
    /// `budget` is T_sla − T_nw with the time of the local start in place of T_sla, on the clock of the request. A model
    /// that fits it is preferred if it is at most `worth` less accurate than the base for the whole budget; it is then
    /// explored around within the shorter. No promise on the SLA changes.
    ///
    /// ```
    /// use mdinference::{Accuracy, Budget, Catalog, Draw, Micros, NetworkTime, Policy, Profile, Request};
    ///
    /// let catalog = Catalog::<2>::try_new([
    ///     Profile::from_percent_and_millis(80.1, 59.2, 0.2),
    ///     Profile::from_percent_and_millis(82.6, 112.6, 0.3),
    /// ])?;
    /// let network = NetworkTime::Given(Micros::from_millis(100));
    /// let budget = Budget::new(Micros::from_millis(250), network);
    /// let until_local = Budget::new(Micros::from_millis(198), network);
    ///
    /// let picked = |points| {
    ///     let worth = Accuracy::from_percent(points)?;
    ///     let request = Request::new(budget).with_earlier(until_local, worth);
    ///     let decision = catalog.select(&Policy::PAPER, request, Draw::from_id(1))?;
    ///     Ok::<_, Box<dyn std::error::Error>>((decision.model.index(), decision.budget))
    /// };
    /// assert_eq!(picked(2.5)?, (0, until_local));
    /// assert_eq!(picked(2.4)?, (1, budget));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub const fn with_earlier(self, budget: Budget, worth: Accuracy) -> Self {
        Self { earlier: Some(Earlier { budget, worth }), ..self }.noted()
    }

    /// The device has a duplicate of the request on a model of its own (Section IV-E), so that an answer which is late costs
    /// less: a server's probes go to such requests first.
    pub const fn with_duplicate(self) -> Self {
        Self { duplicate: true, ..self }
    }

    /// T_budget.
    pub const fn budget(&self) -> Budget {
        self.budget
    }

    /// What time and cost are worth.
    pub const fn price(&self) -> Price {
        self.price
    }

    /// Whether the device has a duplicate.
    pub const fn has_duplicate(&self) -> bool {
        self.duplicate
    }

    /// How long the request would wait for a model.
    pub fn wait(&self, id: ModelId) -> Micros {
        self.waits.get(id.index()).copied().unwrap_or(Micros::ZERO)
    }

    /// Why a model may not answer, or `None` if it may.
    pub fn exclusion(&self, model: &Model) -> Option<Exclusion> {
        if !self.allows(model.id) {
            Some(Exclusion::NotAllowed)
        } else if model.profile.accuracy < self.min_accuracy {
            Some(Exclusion::BelowMinimumAccuracy)
        } else if !self.affords(model.profile.cost) {
            Some(Exclusion::AboveMaximumCost)
        } else {
            None
        }
    }

    /// Whether it is among those that may be used now.
    #[inline(always)]
    pub(crate) fn allows(&self, id: ModelId) -> bool {
        self.allowed.is_none_or(|set| set.get(id.index()).copied().unwrap_or(false))
    }

    pub(crate) const fn min_accuracy(&self) -> Accuracy {
        self.min_accuracy
    }

    pub(crate) const fn any_cost(&self) -> bool {
        self.max_cost.0 == u32::MAX
    }

    pub(crate) fn affords(&self, cost: Cost) -> bool {
        cost <= self.max_cost
    }

    pub(crate) const fn allows_all(&self) -> bool {
        self.allowed.is_none()
    }

    /// Whether nothing is asked but a budget and which models may answer.
    pub(crate) const fn prefers_nobody(&self) -> bool {
        self.price.is_none() && self.earlier.is_none() && self.waits.is_empty()
    }

    /// By the place of the model; nothing past the end.
    pub(crate) const fn waits(&self) -> &'a [Micros] {
        self.waits
    }

    /// All bits that any wait has, together: less than twice the longest, at a quarter of the cost.
    pub(crate) fn no_wait_above(&self) -> Micros {
        Micros::new(self.waits.iter().fold(0, |bits, wait| bits | wait.get()))
    }

    /// Whether no model is ruled out.
    pub(crate) const fn any_model(&self) -> bool {
        self.min_accuracy.as_ppm() == 0 && self.max_cost.0 == u32::MAX && self.allowed.is_none()
    }

    /// The budget, if nothing else is asked.
    #[inline(always)]
    pub(crate) fn as_budget(&self) -> Option<Budget> {
        self.plain.then_some(self.budget)
    }

    /// The shorter budget, and what an answer within it is worth more.
    #[inline(always)]
    pub(crate) fn earlier(&self) -> Option<(Budget, Accuracy)> {
        self.earlier.map(|Earlier { budget, worth }| (budget.min(self.budget), worth))
    }

    #[inline]
    const fn noted(self) -> Self {
        let Self { price, earlier, waits, .. } = self;
        Self { plain: self.any_model() && price.is_none() && earlier.is_none() && waits.is_empty(), ..self }
    }
}

/// Nothing but a budget.
impl From<Budget> for Request<'_> {
    fn from(budget: Budget) -> Self {
        Self::new(budget)
    }
}

/// Why a model is not eligible for a request; the first that holds, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Exclusion {
    /// Not in the set of models that may be used now.
    NotAllowed,
    /// Less accurate than the request demands.
    BelowMinimumAccuracy,
    /// More costly than the request allows.
    AboveMaximumCost,
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAllowed => "not allowed",
            Self::BelowMinimumAccuracy => "below the minimum accuracy",
            Self::AboveMaximumCost => "above the maximum cost",
        })
    }
}

/// The request rules out every model: how many, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct NothingEligible {
    /// Models not in the set that may be used now.
    pub not_allowed: u16,
    /// Other models below the minimum accuracy.
    pub below_minimum_accuracy: u16,
    /// Other models above the maximum cost.
    pub above_maximum_cost: u16,
}

impl NothingEligible {
    /// How many of the models are excluded, and why.
    pub(crate) fn count(models: impl Iterator<Item = Model>, request: &Request<'_>) -> Self {
        let mut nothing = Self::default();
        for exclusion in models.filter_map(|model| request.exclusion(&model)) {
            let count = match exclusion {
                Exclusion::NotAllowed => &mut nothing.not_allowed,
                Exclusion::BelowMinimumAccuracy => &mut nothing.below_minimum_accuracy,
                Exclusion::AboveMaximumCost => &mut nothing.above_maximum_cost,
            };
            *count = count.saturating_add(1);
        }
        nothing
    }
}

impl fmt::Display for NothingEligible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no model is eligible: {} not allowed, {} below the minimum accuracy, {} above the maximum cost",
            self.not_allowed, self.below_minimum_accuracy, self.above_maximum_cost
        )
    }
}

impl core::error::Error for NothingEligible {}

/// The owned part of a request, with units in its names. One that borrows is refused rather than cut short.
#[cfg(feature = "serde")]
mod written {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error};

    use super::{Accuracy, Budget, Cost, Earlier, Price, Request};

    #[derive(Serialize, Deserialize)]
    #[serde(rename = "Request", deny_unknown_fields)]
    struct Owned {
        budget_us: Budget,
        #[serde(default)]
        min_accuracy_ppm: Accuracy,
        #[serde(default = "any_cost")]
        max_cost: Cost,
        #[serde(default)]
        price: Price,
        #[serde(default)]
        earlier: Option<OwnedEarlier>,
        #[serde(default)]
        duplicate: bool,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(rename = "Earlier", deny_unknown_fields)]
    struct OwnedEarlier {
        budget_us: Budget,
        worth_ppm: Accuracy,
    }

    fn any_cost() -> Cost {
        Request::new(Budget::default()).max_cost
    }

    impl Serialize for Request<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let Self { budget, plain: _, duplicate, min_accuracy, max_cost, price, earlier, allowed, waits } =
                *self;
            if allowed.is_some() || !waits.is_empty() {
                return Err(S::Error::custom(
                    "a request that borrows can't be written: `Request::owned` can",
                ));
            }
            let earlier =
                earlier.map(|Earlier { budget, worth }| OwnedEarlier { budget_us: budget, worth_ppm: worth });
            Owned { budget_us: budget, min_accuracy_ppm: min_accuracy, max_cost, price, earlier, duplicate }
                .serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for Request<'static> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let Owned { budget_us, min_accuracy_ppm, max_cost, price, earlier, duplicate } =
                Owned::deserialize(deserializer)?;
            let request = Self { duplicate, ..Self::new(budget_us) }
                .with_min_accuracy(min_accuracy_ppm)
                .with_max_cost(max_cost)
                .with_price(price);
            Ok(match earlier {
                Some(OwnedEarlier { budget_us, worth_ppm }) => request.with_earlier(budget_us, worth_ppm),
                None => request,
            })
        }
    }
}
