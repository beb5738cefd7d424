//! What is counted of a policy's work.

use crate::arrivals::Arrival;
use crate::setting::Setting;
use crate::world::{Job, Run};

/// What a policy came to.
#[derive(Clone, Debug)]
pub struct Measures {
    /// In percent, over all requests: an answer in time counts as its model's accuracy, a late one as `late_worth`
    /// of it, a request that was shed as 0.
    pub effective_accuracy: f64,
    /// Requests that were answered after T_sla, in percent of all.
    pub late_pct: f64,
    /// Requests that were not run, in percent of all.
    pub shed_pct: f64,
    /// Quantiles of the response time of those that were answered, with the network, in ms, if any were.
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    /// Time that workers ran, in percent.
    pub utilisation_pct: f64,
    /// Requests a run, if there was one.
    pub mean_batch: Option<f64>,
    /// Requests that each model answered, in percent of all.
    pub usage: Vec<f64>,
}

/// Counts while a policy works.
pub struct Tally<'a> {
    setting: &'a Setting<'a>,
    arrivals: &'a [Arrival],
    /// Whether each request has been shed or run.
    settled: Vec<bool>,
    accuracy: f64,
    late: u64,
    shed: u64,
    /// In µs.
    responses: Vec<u64>,
    busy: u64,
    end: u64,
    runs: u64,
    answered: Vec<u64>,
}

impl<'a> Tally<'a> {
    pub fn new(setting: &'a Setting<'a>, arrivals: &'a [Arrival]) -> Self {
        Self {
            setting,
            arrivals,
            settled: vec![false; arrivals.len()],
            accuracy: 0.0,
            late: 0,
            shed: 0,
            responses: Vec::with_capacity(arrivals.len()),
            busy: 0,
            end: arrivals.last().map_or(0, |last| last.job.arrived),
            runs: 0,
            answered: vec![0; setting.models()],
        }
    }

    fn settle(&mut self, job: Job) {
        let settled = std::mem::replace(&mut self.settled[job.id as usize], true);
        assert!(!settled, "request {} was run or shed twice", job.id);
    }

    pub fn shed(&mut self, job: Job) {
        self.settle(job);
        self.shed += 1;
    }

    pub fn ran(&mut self, run: &Run, took: u64, end: u64) {
        assert!(
            (1..=self.setting.max_batch).contains(&run.jobs.len()),
            "a run of {} requests",
            run.jobs.len()
        );
        let accuracy = self.setting.accuracy(run.model);
        for &job in &run.jobs {
            self.settle(job);
            let late = end > job.deadline;
            self.late += u64::from(late);
            self.accuracy += if late { self.setting.late_worth * accuracy } else { accuracy };
            self.responses.push(end - job.arrived + self.arrivals[job.id as usize].network);
        }
        self.answered[run.model] += run.jobs.len() as u64;
        self.busy += took;
        self.runs += 1;
        self.end = self.end.max(end);
    }

    /// Of so many workers.
    pub fn measures(mut self, workers: usize) -> Measures {
        if let Some(lost) = self.settled.iter().position(|settled| !settled) {
            panic!("request {lost} was neither run nor shed");
        }
        let requests = self.arrivals.len() as f64;
        let percent = |count: u64| 100.0 * count as f64 / requests;
        self.responses.sort_unstable();
        let quantile = |share: f64| {
            let rank = (share * self.responses.len() as f64).ceil() as usize;
            self.responses.get(rank.saturating_sub(1)).map(|&micros| micros as f64 / 1e3)
        };
        Measures {
            effective_accuracy: self.accuracy / requests,
            late_pct: percent(self.late),
            shed_pct: percent(self.shed),
            p50_ms: quantile(0.5),
            p99_ms: quantile(0.99),
            utilisation_pct: 100.0 * self.busy as f64 / (workers as f64 * self.end.max(1) as f64),
            mean_batch: (self.runs > 0).then(|| self.responses.len() as f64 / self.runs as f64),
            usage: self.answered.iter().map(|&count| percent(count)).collect(),
        }
    }
}
