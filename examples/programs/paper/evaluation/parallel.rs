//! The points of a curve on all cores.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Where a long computation says how far it is.
pub trait Progress: Sync {
    /// `what` begins, and takes so many steps.
    fn begin(&self, what: &str, steps: usize);
    /// One step is done.
    fn step(&self);
}

/// Says nothing.
impl Progress for () {
    fn begin(&self, _: &str, _: usize) {}
    fn step(&self) {}
}

/// `point` of every item, in their order.
pub fn map<T: Sync, P: Send>(
    progress: &dyn Progress,
    what: &str,
    items: &[T],
    point: impl Fn(&T) -> P + Sync,
) -> Vec<P> {
    progress.begin(what, items.len());
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut points = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return points };
            points.push((index, point(item)));
            progress.step();
        }
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut points = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no point panics")).collect::<Vec<_>>()
    });
    points.sort_unstable_by_key(|&(index, _)| index);
    points.into_iter().map(|(_, point)| point).collect()
}
