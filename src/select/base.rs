//! Stage 1, the base: the model of the greatest value that fits the budget, else the fastest (Eq. 1 and 2). Without a
//! price the value is the accuracy.

use core::cmp::Reverse;

use crate::catalog::Model;
use crate::policy::Margin;
use crate::request::Budget;
use crate::select::threshold::Threshold;
use crate::select::value::Eligible;

/// The outcome of stage 1, which stage 2 explores around.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    /// The model of the greatest value that fits: without a price, the most accurate.
    Fits(Model),
    /// Nothing fits: the fastest model, to be used with certainty.
    ///
    /// The paper's text goes on to stages 2 and 3 from here. Taken at its word, all utilities of Eq. 3 are negative, so
    /// the quotients U / ΣU are positive, and they grow with σ: the less sure a model's time, the more often it would
    /// be picked. No zoo that comes with this crate has another model in the fastest one's window, where alone it would
    /// differ.
    // paper: IV-D, nothing fits
    Fastest(Model),
}

impl Base {
    /// The model, whether it fits or not.
    pub const fn model(self) -> Model {
        match self {
            Self::Fits(model) | Self::Fastest(model) => model,
        }
    }
}

/// Eq. 1: of the models that fit, that of the greatest value, which is the most accurate where nothing has a price; ties
/// go to the smaller μ + γσ, then to the lower id. If nothing fits, the [`fastest`]. `None` only if there are no models.
// paper: IV-D, Eq. 1
pub fn base(
    models: impl Iterator<Item = impl Into<Eligible>> + Clone,
    margin: Margin,
    budget: Budget,
) -> Option<Base> {
    let eligible = models.map(Into::<Eligible>::into);
    let threshold = |model: &Model| Threshold::new(model.profile.latency, margin);
    eligible
        .clone()
        .filter(|eligible| threshold(&eligible.model).fits(budget))
        .min_by(|a, b| {
            let tie = || (threshold(&a.model), a.model.id).cmp(&(threshold(&b.model), b.model.id));
            b.value.cmp(&a.value).then_with(tie)
        })
        .map(|eligible| Base::Fits(eligible.model))
        .or_else(|| fastest(eligible.map(|eligible| eligible.model)).map(Base::Fastest))
}

/// The model with the smallest μ; ties go to the more accurate, then to the lower id.
pub fn fastest(models: impl Iterator<Item = Model>) -> Option<Model> {
    models.min_by_key(|model| (model.profile.latency.mean, Reverse(model.profile.accuracy), model.id))
}
