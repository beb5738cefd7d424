//! Those that wait, by deadline: what policies share that keep no queue of the library.

use std::collections::BTreeSet;

use crate::world::Job;

#[derive(Clone, Debug, Default)]
pub struct Waiting {
    jobs: BTreeSet<Job>,
}

impl Waiting {
    pub fn put(&mut self, job: Job) {
        self.jobs.insert(job);
    }

    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// The most urgent.
    pub fn first(&self) -> Option<Job> {
        self.jobs.first().copied()
    }

    /// Gives up those whose slack is not above `need`, in µs.
    pub fn shed(&mut self, now: u64, need: f64, shed: &mut Vec<Job>) {
        while let Some(job) = self.first()
            && slack(job, now) as f64 <= need
        {
            self.jobs.pop_first();
            shed.push(job);
        }
    }

    /// Takes the most urgent, so many of them.
    pub fn take(&mut self, count: usize) -> Vec<Job> {
        (0..count).map_while(|_| self.jobs.pop_first()).collect()
    }
}

/// What is left until the deadline, in µs.
pub fn slack(job: Job, now: u64) -> u64 {
    job.deadline.saturating_sub(now)
}
