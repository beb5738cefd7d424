//! What stage 1 maximises: [`Value`], the accuracy of a model less its price; and [`Eligible`], a model as the stages
//! compare it.

use core::fmt;

use crate::catalog::Model;
use crate::policy::Margin;
use crate::profile::Accuracy;
use crate::request::Request;
use crate::select::threshold::Threshold;

/// What an answer of a model is worth, exactly, in 2⁻¹⁶ parts per million of accuracy; below zero where a run costs more
/// than its answer is worth. Without a price it is A(m), so that Eq. 1 holds to the bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Value(i64);

impl Value {
    /// A(m) alone.
    pub const fn of(accuracy: Accuracy) -> Self {
        // Below 2³⁶.
        Self((accuracy.as_ppm() as i64) << 16)
    }

    /// In 2⁻¹⁶ parts per million.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// On the scale of accuracy in percent.
    pub fn as_percent(self) -> f64 {
        self.0 as f64 / (65_536.0 * 10_000.0)
    }

    /// A(m) and what it is worth more, both in parts per million, less a price; the bottom of the scale if that is below
    /// it, so that no greater price ever makes for a greater value.
    #[inline(always)]
    pub(crate) fn net(accuracy: u32, worth: u32, price: u128) -> Self {
        // Below 2⁴⁹.
        let gross = i64::from(accuracy).wrapping_add(i64::from(worth)) << 16;
        match i64::try_from(price) {
            Ok(price) => Self(gross.saturating_sub(price)),
            Err(_) => Self(i64::MIN),
        }
    }
}

/// On the scale of accuracy, with a percent sign; a precision in the format applies.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_percent(), f)?;
        f.write_str(" %")
    }
}

/// A model that may answer a request, as the stages compare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Eligible {
    /// The model; μ is raised by the time that the request would wait for it.
    pub model: Model,
    /// What stage 1 maximises.
    pub value: Value,
}

/// At no price.
impl From<Model> for Eligible {
    fn from(model: Model) -> Self {
        Self { model, value: Value::of(model.profile.accuracy) }
    }
}

impl Eligible {
    /// A model as a request sees it, whether it may answer or not.
    pub(crate) fn new(model: Model, request: &Request<'_>, margin: Margin) -> Self {
        let price = request.price().of(model.profile.latency.mean, model.profile.cost);
        let model = waiting(model, request);
        let worth = match request.earlier() {
            Some((budget, worth)) if Threshold::new(model.profile.latency, margin).fits(budget) => worth,
            _ => Accuracy::ZERO,
        };
        let value = Value::net(model.profile.accuracy.as_ppm(), worth.as_ppm(), price);
        Self { model, value }
    }
}

/// The models that may answer a request, each μ raised by its wait, and with their values as well: stages 2 and 3 need no
/// values.
pub fn eligible<'a>(
    models: impl Iterator<Item = Model> + Clone + 'a,
    request: &'a Request<'a>,
    margin: Margin,
) -> (impl Iterator<Item = Eligible> + Clone + 'a, impl Iterator<Item = Model> + Clone + 'a) {
    let eligible = models.filter(|model| request.exclusion(model).is_none());
    (
        eligible.clone().map(move |model| Eligible::new(model, request, margin)),
        eligible.map(move |model| waiting(model, request)),
    )
}

/// A model whose μ is raised by the time that a request would wait for it.
fn waiting(mut model: Model, request: &Request<'_>) -> Model {
    let latency = &mut model.profile.latency;
    latency.mean = latency.mean.saturating_add(request.wait(model.id));
    model
}
