//! [`Index`]: a catalog arranged so that a selection costs next to nothing.

mod columns;
mod draw;
mod integer;
mod lanes;
mod order;
mod score;
mod staircase;
mod walk;

use crate::catalog::{Catalog, CatalogError, ModelId};
use crate::policy::Policy;
use crate::profile::Profile;
use crate::request::{Budget, Draw, NothingEligible, Question, Request};
use crate::select::base::fastest;
use crate::select::sample::{Probabilities, sample, sharpened};
use crate::select::{Decision, Explanation, Reason};
use crate::time::Micros;

use self::draw::{draw_by_rejection, draw_few};
use self::order::Ordered;
use self::staircase::{Method, Staircase, Step};
use self::walk::Walk;

/// A catalog and a policy, arranged once a profile change so that a selection costs next to nothing however many
/// models there are.
///
/// It decides as [`Catalog::select`] does, whatever is asked: the same base, the same exploration set and the same
/// probabilities. For the same draw it picks the same model, unless k = 1 and more than four models are in the exploration
/// set, whether they fit or not, or more than sixteen where more than a budget is asked: there it may draw by rejection.
///
/// ```
/// use mdinference::{Budget, Catalog, Draw, Index, Micros, Policy, Profile};
///
/// let mobilenet = Profile::from_percent_and_millis(49.7, 3.21, 0.08)?;
/// let nasnet = Profile::from_percent_and_millis(82.6, 112.61, 0.36)?;
/// let mut index = Index::new(Catalog::<2>::new([mobilenet, nasnet])?, Policy::PAPER);
///
/// let decision = index.select(Budget::of(Micros::from_millis(170)), Draw::from_id(4_711));
/// assert_eq!(decision.model.index(), 1);
///
/// // The larger model has become slow: it no longer fits.
/// index.update(decision.model, Profile::from_percent_and_millis(82.6, 190.0, 8.0)?);
/// let decision = index.select(Budget::of(Micros::from_millis(170)), Draw::from_id(4_711));
/// assert_eq!(decision.model.index(), 0);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// It takes 166 bytes for each of the `N` models there may be. To be built without optimisation it needs five times as
/// much stack: up to 2,400 models on a thread of 2 MiB. [`Clone::clone_from`] copies no more than what is filled, into what
/// is there.
#[derive(Debug, PartialEq)]
pub struct Index<const N: usize> {
    models: Ordered<N>,
    staircase: Staircase<N>,
    fastest: ModelId,
}

impl<const N: usize> Clone for Index<N> {
    fn clone(&self) -> Self {
        let Self { models, staircase, fastest } = self;
        Self { models: models.clone(), staircase: staircase.clone(), fastest: *fastest }
    }

    fn clone_from(&mut self, other: &Self) {
        let Self { models, staircase, fastest } = self;
        models.copy_from(&other.models);
        staircase.copy_from(&other.staircase);
        *fastest = other.fastest;
    }
}

impl<const N: usize> Index<N> {
    /// Arranges a catalog, in n·log n.
    pub fn new(catalog: Catalog<N>, policy: Policy) -> Self {
        // Filled in its place, since large ones barely fit a stack.
        let models = Ordered::new(catalog, policy);
        let mut index = Self { models, staircase: Staircase::new(), fastest: ModelId::default() };
        index.arrange();
        index
    }

    /// Picks a model. Where it draws by rejection all 64 bits of the draw decide, so none may be constant.
    ///
    /// # Errors
    /// A [`Request`] that rules out every model: [`NothingEligible`]. A [`Budget`] is always answered.
    #[inline]
    pub fn select<Q: Question>(&self, question: Q, draw: Draw) -> Q::Answer<Decision> {
        question.answer(|budget| self.select_plain(budget, draw), |request| self.select_any(*request, draw))
    }

    /// What becomes of every model, and how likely each is to be picked.
    pub fn explain<'a, Q: Question + 'a>(&'a self, question: Q) -> Explanation<'a> {
        self.catalog().explain(self.policy(), question)
    }

    /// The exact probability with which a model is picked, as [`Explanation::probability`]; of a budget, at the cost of
    /// the window around its base alone.
    pub fn probability<Q: Question>(&self, question: Q, model: ModelId) -> f64 {
        let request = question.request();
        match request.as_budget() {
            Some(budget) => self.probability_plain(budget, model),
            None => self.explain(question).probability(model),
        }
    }

    /// Stage 1 alone: the most accurate model that fits, or `None` if nothing fits.
    #[inline]
    pub fn base(&self, budget: Budget) -> Option<ModelId> {
        self.staircase.step(budget).map(|step| step.base)
    }

    /// Replaces the profile of one model and gives back the old one; `None`, and no change, for an unknown id.
    ///
    /// The index is then what [`Index::new`] would make of the changed catalog, in a fraction of the time.
    pub fn update(&mut self, id: ModelId, profile: Profile) -> Option<Profile> {
        let change = self.models.update(id, profile)?;
        self.staircase.update(&self.models, id, &change);
        // Only one of the least μ may be it, or have been.
        let mean = change.old.latency.mean.min(profile.latency.mean);
        if self.models.means().first().is_none_or(|&first| mean.get() as i32 <= first) {
            self.find_fastest();
        }
        Some(change.old)
    }

    /// Adds a model, in n·log n: see [`Catalog::add`].
    ///
    /// # Errors
    /// As [`Catalog::add`].
    pub fn add(&mut self, profile: Profile) -> Result<ModelId, CatalogError> {
        let changed = self.models.catalog.add(profile)?;
        self.arrange();
        Ok(changed)
    }

    /// Removes a model, in n·log n: see [`Catalog::remove`].
    ///
    /// # Errors
    /// As [`Catalog::remove`].
    pub fn remove(&mut self, id: ModelId) -> Result<Profile, CatalogError> {
        let changed = self.models.catalog.remove(id)?;
        self.arrange();
        Ok(changed)
    }

    /// Puts another model in the place of one, in n·log n: see [`Catalog::replace`].
    ///
    /// # Errors
    /// As [`Catalog::replace`].
    pub fn replace(&mut self, id: ModelId, profile: Profile) -> Result<ModelId, CatalogError> {
        let changed = self.models.catalog.replace(id, profile)?;
        self.arrange();
        Ok(changed)
    }

    /// All of it anew: which models there are changes rarely.
    fn arrange(&mut self) {
        self.models.arrange();
        self.staircase.build(&self.models);
        self.find_fastest();
    }

    /// The catalog.
    pub fn catalog(&self) -> &Catalog<N> {
        &self.models.catalog
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.models.policy
    }

    /// No model fits a budget of so much or less.
    pub(crate) fn least(&self) -> Micros {
        self.staircase.least()
    }

    fn find_fastest(&mut self) {
        // A catalog is never empty.
        self.fastest = fastest(self.models.fastest()).map_or(self.fastest, |model| model.id);
    }

    #[inline(always)]
    fn select_plain(&self, budget: Budget, draw: Draw) -> Decision {
        let Some(step) = self.staircase.step(budget) else {
            let model = self.fastest;
            return Decision { model, base: model.place(), reason: self.nothing_fits(budget), budget };
        };
        let model = match step.method {
            Method::Certain if integer::PAYS => step.base,
            // One that is certain too: a branch that nothing foretells costs more than its weight does.
            Method::Certain | Method::Two => step.lanes.draw_of_two(budget, draw),
            Method::Four => step.lanes.draw_of_four(budget, draw, step.base),
            Method::Window => self.draw_from_window(step, budget, draw).unwrap_or(step.base),
        };
        let reason = if model == step.base { Reason::Base } else { Reason::Explored };
        Decision { model, base: step.base.place(), reason, budget }
    }

    // By value, so that a request which asks no more than a budget is not put into memory.
    #[inline(never)]
    fn select_any(&self, request: Request<'_>, draw: Draw) -> Result<Decision, NothingEligible> {
        Walk::new(&self.models, &request).decide(|budget| self.staircase.step(budget), draw)
    }

    fn probability_plain(&self, budget: Budget, id: ModelId) -> f64 {
        let Some(step) = self.staircase.step(budget) else { return f64::from(id == self.fastest) };
        let window = self.models.catalog.models_from(step.first.into(), step.count.into());
        let probabilities = Probabilities::new(window.clone(), self.policy(), budget);
        match window.clone().find(|model| model.id == id) {
            Some(model) => probabilities.of(&model).unwrap_or(f64::from(id == step.base)),
            None => 0.0,
        }
    }

    /// Why the fastest. Not the whole decision: a call that gives one has it pass through memory where something fits.
    #[cold]
    fn nothing_fits(&self, budget: Budget) -> Reason {
        let profile = self.models.profile(self.fastest);
        Reason::of_fastest(profile.latency.mean, budget)
    }

    // Always, for where a program selects in several places.
    #[inline(always)]
    fn draw_from_window(&self, step: &Step, budget: Budget, draw: Draw) -> Option<ModelId> {
        let Ordered { catalog, policy, terms, .. } = &self.models;
        if !policy.sharpness.is_paper() {
            return self.draw_sharpened(step, budget, draw);
        }
        let first = usize::from(step.first);
        let at = |place: usize| terms.get(first.wrapping_add(place));
        let bound = at(0).map_or(0.0, |first| step.bound.at(&first, budget));
        draw_by_rejection(step.count.into(), at, bound, budget, draw)
            .and_then(|place| catalog.order().get(first.wrapping_add(place)).copied())
    }

    #[cold]
    fn draw_sharpened(&self, step: &Step, budget: Budget, draw: Draw) -> Option<ModelId> {
        let Ordered { catalog, policy, terms, .. } = &self.models;
        let (first, count) = (usize::from(step.first), usize::from(step.count));
        let ids = catalog.order().get(first..).unwrap_or_default();
        let window = ids.iter().zip(terms.from(first)).take(count);
        let weighted = window.map(|(&id, terms)| (id, terms.weight(budget)));
        let drawn = draw_few(weighted.clone(), policy.sharpness, draw);
        drawn.unwrap_or_else(|| sample(sharpened(weighted, policy.sharpness), draw))
    }
}
