//! Stage 1 as a staircase: the base as a function of the budget, a step for each model that is ever the base, with
//! stage 2 worked out beforehand, since the exploration set depends on the base alone.

use core::ops::Range;

use heapless::Vec;

use crate::catalog::{ModelId, Move, copy_filled, copy_first};
use crate::index::draw::Bound;
use crate::index::lanes::Lanes;
use crate::index::order::{Change, Ordered};
use crate::profile::Accuracy;
use crate::request::Budget;
use crate::select::explore::Window;
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
    /// The place by μ of the first model in the window.
    pub(super) first: u16,
    /// How many models from there may be drawn: the window less those at its upper end that fit no budget of this
    /// step.
    pub(super) count: u16,
    /// The place past the last model in the window.
    end: u16,
    /// The threshold of the next step, up to which this one holds.
    next: i32,
    pub(super) base: ModelId,
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

    /// Makes this the same as another, at the cost of what is filled.
    pub(super) fn copy_from(&mut self, other: &Self) {
        let Self { thresholds, blocks, steps } = self;
        // Past the steps of either they are the same.
        copy_first(steps.len().max(other.steps.len()), thresholds, &other.thresholds);
        *blocks = other.blocks;
        copy_filled(steps, &other.steps);
    }

    /// Builds all steps anew.
    pub(super) fn build(&mut self, models: &Ordered<N>) {
        self.steps.clear();
        self.thresholds = [i32::MAX; N];
        // Not by a climb: without its insertions an index that is never updated is a third smaller.
        rising(models, &models.by_threshold, None).for_each(|id| self.push(models, id));
        self.refresh(models);
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
        let Change { old, by_mean, by_threshold: Move { from, to } } = *change;
        let profile = models.profile(id);
        let mut own = None;
        for (at, step) in self.steps.iter_mut().enumerate() {
            if step.base == id {
                own = Some(at);
            } else {
                step.shift(models, by_mean, profile.latency.mean);
            }
        }
        if let Some(at) = own {
            self.renew(models, at, from != to);
        }
        if profile.accuracy != old.accuracy {
            self.climb(models, from.min(to), N);
        } else if from != to {
            // Past those that moved nothing is more accurate than what came before.
            self.climb(models, from.min(to), from.max(to));
        }
        self.refresh(models);
    }

    /// Has a step follow its base, or takes it out if that has moved and the others are no longer in order around it.
    fn renew(&mut self, models: &Ordered<N>, at: usize, moved: bool) {
        let rank = |at: usize| self.steps.get(at).map(|step| models.rank(step.base));
        let out_of_order =
            |one: usize, other: usize| rank(one).zip(rank(other)).is_some_and(|(one, other)| one > other);
        if moved && (out_of_order(at.wrapping_sub(1), at) || out_of_order(at, at.wrapping_add(1))) {
            self.remove(at);
        } else if let Some((step, threshold)) = self.steps.get_mut(at).zip(self.thresholds.get_mut(at)) {
            step.follow_base(models);
            *threshold = models.threshold(step.base);
        }
    }

    /// Goes through the models by threshold, from one place up to another, and makes a step of each that is more accurate
    /// than all before it, and of no other.
    fn climb(&mut self, models: &Ordered<N>, from: usize, to: usize) {
        let all = models.by_threshold.as_slice();
        let Some(range) = all.get(from..all.len().min(to.saturating_add(1))) else { return };
        let ([first, .., last] | [first @ last]) = *range else { return };
        let start = models.rank(first);
        let mut at = self.steps.partition_point(|step| models.rank(step.base) < start);
        let before = self.steps.get(at.wrapping_sub(1));
        let best = before.map(|step| models.profile(step.base).accuracy);
        for id in rising(models, range, best) {
            self.remove_while(at, |step| models.rank(step.base) < models.rank(id));
            if self.steps.get(at).is_none_or(|step| step.base != id) {
                self.insert(models, at, id);
            }
            at = at.wrapping_add(1);
        }
        self.remove_while(at, |step| models.rank(step.base) <= models.rank(last));
    }

    /// Puts a step with this base at the end.
    fn push(&mut self, models: &Ordered<N>, base: ModelId) {
        if let Some(last) = self.thresholds.get_mut(self.steps.len()) {
            *last = models.threshold(base);
        }
        // There are no more steps than models.
        let _ = self.steps.push(Step::new(models, base));
    }

    // Not those of `Vec`, which have a panic that the compiler does not see to be out of reach.

    fn insert(&mut self, models: &Ordered<N>, at: usize, base: ModelId) {
        self.push(models, base);
        if let Some(rest @ [_, ..]) = self.steps.get_mut(at..) {
            rest.rotate_right(1);
        }
        if let Some(rest @ [_, ..]) = self.thresholds.get_mut(at..self.steps.len()) {
            rest.rotate_right(1);
        }
    }

    fn remove(&mut self, at: usize) {
        if let Some(rest @ [_, ..]) = self.thresholds.get_mut(at..self.steps.len()) {
            rest.rotate_left(1);
            if let Some(last) = rest.last_mut() {
                *last = i32::MAX;
            }
        }
        if let Some(rest @ [_, ..]) = self.steps.get_mut(at..) {
            rest.rotate_left(1);
            self.steps.pop();
        }
    }

    fn remove_while(&mut self, at: usize, condition: impl Fn(&Step) -> bool) {
        while self.steps.get(at).is_some_and(&condition) {
            self.remove(at);
        }
    }

    /// Brings up to date what follows from the windows and the thresholds: of steps that are new or whose window has
    /// changed, or whose next step is another.
    #[inline]
    fn refresh(&mut self, models: &Ordered<N>) {
        let mut next = i32::MAX;
        for (step, &threshold) in self.steps.iter_mut().zip(&self.thresholds).rev() {
            if step.next != next {
                step.trim(models, next);
            }
            next = threshold;
        }
        if N > FEW {
            for (first, block) in self.blocks.iter_mut().zip(self.thresholds.chunks(BLOCK)) {
                *first = block.first().copied().unwrap_or(i32::MAX);
            }
        }
    }
}

/// Those of some models, in the order that they are in, that are more accurate than all before them and than this.
fn rising<const N: usize>(
    models: &Ordered<N>,
    ids: &[ModelId],
    mut best: Option<Accuracy>,
) -> impl Iterator<Item = ModelId> {
    ids.iter().copied().filter(move |&id| {
        let accuracy = Some(models.profile(id).accuracy);
        let rises = best < accuracy;
        if rises {
            best = accuracy;
        }
        rises
    })
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
        let (low, high) = (window.low.get() as i32, window.high.get() as i32);
        let means = models.means();
        Self {
            base,
            first: means.partition_point(|&mean| mean < low) as u16,
            count: 0,
            end: means.partition_point(|&mean| mean <= high) as u16,
            next: Self::UNTRIMMED,
            method: Method::Certain,
            bound: Bound::default(),
            lanes: Lanes::default(),
        }
    }

    /// Follows its base, whose latency has changed: as a rule by little, so the edges of the window are near.
    fn follow_base<const N: usize>(&mut self, models: &Ordered<N>) {
        let window = Window::around(models.profile(self.base).latency);
        let (low, high) = (window.low.get() as i32, window.high.get() as i32);
        let means = models.means();
        let edge = |edge: u16, before: &dyn Fn(i32) -> bool| {
            let is_before = |place: usize| means.get(place).is_some_and(|&mean| before(mean));
            let mut edge = usize::from(edge).min(means.len());
            while edge > 0 && !is_before(edge.wrapping_sub(1)) {
                edge = edge.wrapping_sub(1);
            }
            while is_before(edge) {
                edge = edge.wrapping_add(1);
            }
            edge as u16
        };
        (self.first, self.end) = (edge(self.first, &|mean| mean < low), edge(self.end, &|mean| mean <= high));
        self.next = Self::UNTRIMMED;
    }

    /// Follows a model, now of this mean, that has gone from one place by μ to another.
    ///
    /// Its new place among the others tells whether it is before an edge of the window, unless it is right there.
    fn shift<const N: usize>(&mut self, models: &Ordered<N>, Move { from, to }: Move, mean: Micros) {
        let Range { start, end } = self.window();
        if from.max(to).wrapping_add(1) < start || from.min(to) > end {
            return;
        }
        let was_in = self.window().contains(&from);
        let window = || Window::around(models.profile(self.base).latency);
        let edge = |edge: u16, before: &dyn Fn() -> bool| {
            let others = usize::from(edge).wrapping_sub(usize::from(from < usize::from(edge)));
            others.wrapping_add(usize::from(to < others || to == others && before())) as u16
        };
        let (first, end) =
            (edge(self.first, &|| mean < window().low), edge(self.end, &|| mean <= window().high));
        (self.first, self.end) = (first, end);
        if was_in || self.window().contains(&to) {
            self.next = Self::UNTRIMMED;
        }
    }

    /// The places by μ of the models in the window.
    fn window(&self) -> Range<usize> {
        self.first.into()..self.end.into()
    }

    /// Takes those models of the window into account that fit some budget of this step, which holds up to the threshold `next`.
    fn trim<const N: usize>(&mut self, models: &Ordered<N>, next: i32) {
        let thresholds = models.terms.threshold.get(self.window()).unwrap_or_default();
        let fits = |&threshold: &i32| threshold <= next;
        let before = core::mem::replace(&mut self.next, next);
        if before != Self::UNTRIMMED
            && !thresholds.iter().any(|threshold| fits(threshold) != (*threshold <= before))
        {
            // The same ones fit.
            return;
        }
        let ids = models.catalog.order().get(self.window()).unwrap_or_default();
        let none = Lanes::of_none(self.base);
        self.lanes = none;
        let (mut count, mut fitting) = (0, 0);
        for (place, (_, &id)) in
            thresholds.iter().zip(ids).enumerate().filter(|(_, (threshold, _))| fits(threshold))
        {
            let terms = models.terms.get(self.window().start.wrapping_add(place)).unwrap_or_default();
            self.lanes.put(fitting, terms, id);
            (count, fitting) = (place.wrapping_add(1), fitting.wrapping_add(1));
            if fitting > Lanes::COUNT {
                count = thresholds.iter().rposition(fits).map_or(0, |last| last.wrapping_add(1));
                break;
            }
        }
        self.count = count as u16;
        let accuracy = models.profile(self.base).accuracy.as_ppm() as f32;
        self.method = match fitting {
            0 | 1 => Method::Certain,
            _ if accuracy == 0.0 => Method::Certain,
            _ if !models.policy.sharpness.is_paper() => Method::Window,
            2 => Method::Two,
            0..=Lanes::COUNT => Method::Four,
            _ => Method::Window,
        };
        if matches!(self.method, Method::Certain | Method::Window) {
            self.lanes = none;
        }
        self.bound = if self.method == Method::Window {
            // A threshold is rounded up: less than one too much.
            let means = models.terms.mean.get(self.window()).unwrap_or_default();
            let both = thresholds.iter().zip(means).take(count);
            let deviations = both.map(|(threshold, mean)| threshold.wrapping_sub(*mean));
            Bound { accuracy, deviation: deviations.min().unwrap_or(0).saturating_sub(1).max(0) }
        } else {
            Bound::default()
        };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::{Catalog, Model};
    use crate::index::Index;
    use crate::policy::{Margin, Policy};
    use crate::profile::Profile;

    const MODELS: usize = 24;

    /// Many in each other's windows, some of which fit by less than a microsecond.
    fn profile() -> impl Strategy<Value = Profile> {
        (0..=1_000_000_u32, 200..400_u32, 0..200_u32).prop_map(|(accuracy, mean, deviation)| {
            Profile::from_ppm_and_micros(accuracy, mean, deviation).unwrap()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Something fits from the first threshold on. Those that may be drawn are in the window, all that fit are among
        /// them, and none has a utility above the bound.
        #[test]
        fn what_may_be_drawn_is_there_and_bounded(
            profiles in vec(profile(), 1..=MODELS),
            margin in 0..3_000_u32,
            budgets in vec(0..1_500_u32, 20),
        ) {
            let policy = Policy::PAPER.with_margin(Margin::from_thousandths(margin).unwrap());
            let index = Index::new(Catalog::<MODELS>::new(profiles).unwrap(), policy);
            let Index { models, staircase, .. } = &index;
            let least = index.least();
            prop_assert!(staircase.step(Budget::of(least)).is_none());
            prop_assert!(staircase.step(Budget::of(least.saturating_add(Micros::new(1)))).is_some());
            for budget in budgets.into_iter().map(|time| Budget::of(Micros::new(time))) {
                let Some(step) = staircase.step(budget) else { continue };
                let window = Window::around(models.profile(step.base).latency);
                let places = usize::from(step.first)..usize::from(step.first.wrapping_add(step.count));
                let first = models.terms.get(places.start).unwrap();
                for (place, Model { profile, .. }) in models.catalog.models().enumerate() {
                    let terms = models.terms.get(place).unwrap();
                    let inside = window.contains(profile.latency.mean);
                    prop_assert!(places.contains(&place) || !(inside && terms.fits(budget)));
                    prop_assert!(inside || !places.contains(&place));
                    if places.contains(&place) && step.method == Method::Window {
                        let (bound, base) = (step.bound.at(&first, budget), models.profile(step.base));
                        prop_assert!(terms.weight(budget) <= bound * (1.0 + 1e-6));
                        prop_assert!(bound <= base.accuracy.as_ppm() as f32 * (1.0 + 1e-6));
                    }
                }
            }
        }
    }
}
