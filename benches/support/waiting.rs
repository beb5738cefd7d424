//! A queue in which 1,000 wait for one worker.

use mdinference::load::{Full, Next, Queue, Settings, Waiting as Place};
use mdinference::{Budget, Draw, Index, Micros, Request, Timestamp};
use rand::SeedableRng;
use rand::rngs::SmallRng;

/// How many wait.
const WAITING: usize = 1_000;

/// One is handed out every 50 µs, so that one waits for 50 ms on average.
pub struct Waiting<const BATCH: usize> {
    pub queue: Box<Queue<u64, { WAITING + 8 }, 1, BATCH>>,
    small: SmallRng,
    now: u64,
}

impl<const BATCH: usize> Waiting<BATCH> {
    /// Of those that have been put in one after another over 50 ms.
    pub fn new(budgets: &[Budget], settings: Settings) -> Self {
        let (queue, small) = (Box::new(Queue::new(settings)), SmallRng::seed_from_u64(1));
        let mut waiting = Self { queue, small, now: 0 };
        let budgets = budgets.iter().cycle().filter(|budget| budget.time() > Micros::from_millis(100));
        for &budget in budgets.take(WAITING) {
            waiting.now += 50;
            waiting.put(budget).expect("room");
        }
        waiting
    }

    /// Puts one in.
    pub fn put(&mut self, budget: Budget) -> Result<Place, Full<u64>> {
        let draw = Draw::from_rng(&mut self.small);
        self.queue.put(Request::new(budget), draw, self.now, Timestamp::from_micros(self.now))
    }

    /// Hands out the next, 50 µs later, and says how many they are.
    pub fn dispatch<const N: usize>(&mut self, index: &Index<N>) -> usize {
        self.now += 50;
        let at = Timestamp::from_micros(self.now);
        let next = std::hint::black_box(self.queue.next(index, at));
        match &next {
            Some(Next::Run { worker, jobs, .. }) => {
                self.queue.ended(*worker, at);
                jobs.len()
            }
            Some(Next::Shed { .. }) => 1,
            None => 0,
        }
    }
}

/// As many budgets, of 150 ms to within half a millisecond: deadlines are nearly in the order in which they come.
pub fn alike(budgets: &[Budget]) -> Vec<Budget> {
    budgets.iter().map(|budget| Budget::of(Micros::new(149_500 + budget.time().get() % 1_000))).collect()
}
