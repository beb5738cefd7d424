//! [`joint_budget`]: the server's part in sparing the device its local copy.

use crate::budget::Budget;
use crate::catalog::Model;
use crate::policy::Margin;
use crate::profile::Accuracy;
use crate::select::base::{Base, base};

/// The budget to select with when the device starts its local copy at a known time, so that a result before then
/// spares it the run.
///
/// `budget` is T_sla − T_nw and `until_local` the same with the time of the local start in place of T_sla, both on the
/// clock of the request. It is `until_local` where a model fits that and its base accuracy (Eq. 1) is at most `price`
/// below that for `budget`; otherwise `budget`. Never longer than `budget`, so no promise on the SLA changes.
///
/// ```
/// use mdinference::{Accuracy, Budget, Catalog, Margin, Micros, NetworkTime, Profile, joint_budget};
///
/// let catalog = Catalog::<2>::try_new([
///     Profile::from_percent_and_millis(80.1, 59.2, 0.2),
///     Profile::from_percent_and_millis(82.6, 112.6, 0.3),
/// ])?;
/// let network = NetworkTime::Given(Micros::from_millis(100));
/// let budget = Budget::new(Micros::from_millis(250), network);
/// let until_local = Budget::new(Micros::from_millis(198), network);
///
/// let joint = |price| joint_budget(catalog.models(), Margin::PAPER, budget, until_local, price);
/// assert_eq!(joint(Accuracy::from_percent(2.5)?), until_local);
/// assert_eq!(joint(Accuracy::from_percent(2.4)?), budget);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn joint_budget(
    models: impl Iterator<Item = Model> + Clone,
    margin: Margin,
    budget: Budget,
    until_local: Budget,
    price: Accuracy,
) -> Budget {
    let accuracy = |budget| match base(models.clone(), margin, budget) {
        Some(Base::Fits(model)) => Some(model.profile.accuracy.as_ppm()),
        Some(Base::Fastest(_)) | None => None,
    };
    // What fits the shorter one fits the longer one.
    let shorter = until_local.min(budget);
    match (accuracy(shorter), accuracy(budget)) {
        (Some(early), Some(best)) if best.saturating_sub(early) <= price.as_ppm() => shorter,
        _ => budget,
    }
}
