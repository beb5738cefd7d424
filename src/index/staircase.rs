//! Stage 1 as a staircase: the base as a function of the budget, a step for each model that is ever the base, with
//! stage 2 worked out beforehand, since the exploration set depends on the base alone.

use heapless::Vec;

use crate::catalog::ModelId;
use crate::index::draw::Bound;
use crate::index::lanes::Lanes;
use crate::index::order::{Change, Ordered};
use crate::request::Budget;
use crate::select::explore::Window;
use crate::select::threshold::Threshold;
use crate::select::utility::Terms;
use crate::time::Micros;

/// The steps by rising threshold, and so by rising accuracy.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Staircase<const N: usize> {
    /// The whole microseconds of each step's μ + γσ, apart from the steps because the look-up reads nothing else;
    /// those past the last step are never below a budget.
    thresholds: [i32; N],
    /// The first threshold of each block of [`BLOCK`].
    blocks: [i32; BLOCK],
    steps: Vec<Step, N>,
}

/// One base, and the window around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) base: ModelId,
    /// The place by μ of the first model in the window.
    pub(super) first: u16,
    /// How many models from there may be drawn: the window less those at its upper end that fit no budget of this
    /// step.
    pub(super) count: u16,
    /// The place past the last model in the window.
    end: u16,
    /// The threshold of the next step, up to which this one holds.
    next: i32,
    pub(super) method: Method,
    /// No utility on this step is greater.
    pub(super) bound: Bound,
    /// The first of the models that may be drawn.
    pub(super) lanes: Lanes,
}

/// How a model is drawn on a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Method {
    /// It is the base, with certainty.
    Certain,
    /// All of its models are in the first two lanes.
    Two,
    /// All of its models are in its lanes.
    Four,
    /// There are more, or the sharpness is not 1.
    Window,
}

impl<const N: usize> Staircase<N> {
    /// Without a step.
    pub(super) const fn new() -> Self {
        Self { thresholds: [i32::MAX; N], blocks: [i32::MAX; BLOCK], steps: Vec::new() }
    }

    /// Builds all steps anew.
    pub(super) fn build(&mut self, models: &Ordered<N>) {
        self.steps.clear();
        self.climb(models, (0, N));
        self.refresh(models, |_| false);
    }

    /// The step whose base is the most accurate model that fits; `None` if nothing fits.
    #[inline(always)]
    pub(super) fn step(&self, budget: Budget) -> Option<&Step> {
        let budget = budget.time().get() as i32;
        let below = match self.thresholds.first_chunk::<FEW>() {
            None => count_below(&self.thresholds, budget),
            Some(few) if self.steps.len() <= FEW => count_below(few, budget),
            Some(_) => self.count_in_blocks(budget),
        };
        self.steps.get(below.wrapping_sub(1))
    }

    /// The first threshold.
    pub(super) fn least(&self) -> Micros {
        self.thresholds.first().map_or(Micros::MAX, |threshold| Micros::new(threshold.unsigned_abs()))
    }

    /// How many thresholds are below the budget: those of the blocks before, and of the block in which it lies. A search
    /// if there are more blocks than a block holds, or the last is not whole.
    #[inline(always)]
    fn count_in_blocks(&self, budget: i32) -> usize {
        let (blocks, _) = self.thresholds.as_chunks::<BLOCK>();
        let block = count_below(&self.blocks, budget).wrapping_sub(1);
        match blocks.get(block) {
            Some(thresholds) if self.steps.len() <= BLOCK * BLOCK => {
                block.wrapping_mul(BLOCK).wrapping_add(count_below(thresholds, budget))
            }
            _ => {
                let thresholds = self.thresholds.get(..self.steps.len()).unwrap_or_default();
                thresholds.partition_point(|&threshold| threshold < budget)
            }
        }
    }

    /// Follows a change of `id` in `models`.
    pub(super) fn update(&mut self, models: &Ordered<N>, id: ModelId, change: &Change) {
        let Change { old_mean, new_mean, places, .. } = *change;
        self.steps.retain(|step| step.base != id);
        for step in &mut self.steps {
            let window = Window::around(models.profile(step.base).latency);
            let shift = |place: u16, old: bool, new: bool| {
                place.wrapping_add(u16::from(new)).wrapping_sub(u16::from(old))
            };
            step.first = shift(step.first, old_mean < window.low, new_mean < window.low);
            step.end = shift(step.end, old_mean <= window.high, new_mean <= window.high);
        }
        self.climb(models, places);
        self.refresh(models, |window| window.contains(old_mean) || window.contains(new_mean));
    }

    /// Goes through the models by threshold from the first of `places` and makes a step of each that is more accurate
    /// than all before it, until past the last of `places` it meets a step that stood before: from there on nothing
    /// has changed.
    fn climb(&mut self, models: &Ordered<N>, places: (usize, usize)) {
        let (from, to) = places;
        let Some(&id) = models.by_threshold.get(from) else { return };
        let start = models.rank(id);
        let mut at = self.steps.partition_point(|step| models.rank(step.base) < start);
        let before = self.steps.get(at.wrapping_sub(1));
        let mut best = before.map(|step| models.profile(step.base).accuracy);
        for (place, &id) in models.by_threshold.iter().enumerate().skip(from) {
            let accuracy = models.profile(id).accuracy;
            if best >= Some(accuracy) {
                continue;
            }
            best = Some(accuracy);
            while self.steps.get(at).is_some_and(|step| models.rank(step.base) < models.rank(id)) {
                self.remove(at);
            }
            if self.steps.get(at).is_none_or(|step| step.base != id) {
                self.insert(at, Step::new(models, id));
            } else if place > to {
                return;
            }
            at = at.wrapping_add(1);
        }
        self.steps.truncate(at);
    }

    // Not those of `Vec`, which have a panic that the compiler does not see to be out of reach.

    fn insert(&mut self, at: usize, step: Step) {
        // There are no more steps than models.
        let _ = self.steps.push(step);
        if let Some(rest @ [_, ..]) = self.steps.get_mut(at..) {
            rest.rotate_right(1);
        }
    }

    fn remove(&mut self, at: usize) {
        if let Some(rest @ [_, ..]) = self.steps.get_mut(at..) {
            rest.rotate_left(1);
            self.steps.pop();
        }
    }

    /// Brings up to date what follows from the windows and the thresholds: of steps that are new or whose window has
    /// `changed`, or whose next step is another.
    fn refresh(&mut self, models: &Ordered<N>, changed: impl Fn(&Window) -> bool) {
        let mut next = i32::MAX;
        for threshold in self.thresholds.iter_mut().skip(self.steps.len()) {
            *threshold = next;
        }
        for (step, place) in self.steps.iter_mut().zip(&mut self.thresholds).rev() {
            let profile = models.profile(step.base);
            if step.next != next || changed(&Window::around(profile.latency)) {
                step.next = next;
                step.trim(models);
            }
            *place = Threshold::new(profile.latency, models.policy.margin).as_whole_micros();
            next = *place;
        }
        for (first, block) in self.blocks.iter_mut().zip(self.thresholds.chunks(BLOCK)) {
            *first = block.first().copied().unwrap_or(i32::MAX);
        }
    }
}

/// So many thresholds are counted at once.
const FEW: usize = 24;
/// More are counted in blocks.
const BLOCK: usize = 16;

/// How many thresholds are below the budget: the signs of the differences, summed, so that there is no branch and four
/// go to a vector register.
#[inline(always)]
fn count_below<const LEN: usize>(thresholds: &[i32; LEN], budget: i32) -> usize {
    let sign = |threshold: &i32| threshold.wrapping_sub(budget) >> 31;
    thresholds.iter().map(sign).fold(0, i32::wrapping_sub) as usize
}

impl Step {
    /// No threshold.
    const UNTRIMMED: i32 = -1;

    /// The step of `base`, not yet trimmed.
    fn new<const N: usize>(models: &Ordered<N>, base: ModelId) -> Self {
        let window = Window::around(models.profile(base).latency);
        let mean = |terms: &Terms| Micros::new(terms.mean.unsigned_abs());
        Self {
            base,
            first: models.terms.partition_point(|terms| mean(terms) < window.low) as u16,
            count: 0,
            end: models.terms.partition_point(|terms| mean(terms) <= window.high) as u16,
            next: Self::UNTRIMMED,
            method: Method::Certain,
            bound: Bound::default(),
            lanes: Lanes::default(),
        }
    }

    /// Takes those models of the window into account that fit some budget of this step.
    fn trim<const N: usize>(&mut self, models: &Ordered<N>) {
        let (first, end) = (usize::from(self.first), usize::from(self.end));
        let window = models.terms.get(first..end).unwrap_or_default();
        let ids = models.catalog.order().get(first..end).unwrap_or_default();
        let fits = |terms: &Terms| terms.threshold <= self.next;
        let last = window.iter().rposition(fits);
        self.count = last.map_or(0, |last| last.wrapping_add(1)) as u16;
        let fitting = window.iter().zip(ids).filter(|(terms, _)| fits(terms));
        let accuracy = models.profile(self.base).accuracy.as_ppm() as f32;
        // A threshold is rounded up: less than one too much.
        let deviations = window.iter().map(|terms| terms.threshold.wrapping_sub(terms.mean));
        self.bound = Bound { accuracy, deviation: deviations.min().unwrap_or(0).saturating_sub(1).max(0) };
        self.method = match fitting.clone().take(Lanes::COUNT.wrapping_add(1)).count() {
            0 | 1 => Method::Certain,
            _ if accuracy == 0.0 => Method::Certain,
            _ if !models.policy.sharpness.is_paper() => Method::Window,
            2 => Method::Two,
            0..=Lanes::COUNT => Method::Four,
            _ => Method::Window,
        };
        let certain = self.method == Method::Certain;
        self.lanes = Lanes::new(fitting.take(if certain { 0 } else { Lanes::COUNT }), self.base);
    }
}
