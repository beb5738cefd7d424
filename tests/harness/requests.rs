//! The device's view of its requests, and what must hold of each when it ends.

use std::cmp::Ordering;

use mdinference::device::{Duplication, Event, LocalStart, Source};
use mdinference::{Accuracy, Device, Micros, Timestamp};

use crate::world::LOCAL_ACCURACY;

/// A device with its own clock.
pub(crate) struct Phone {
    pub(crate) device: Device,
    /// Its strategy's place in the report.
    pub(crate) strategy: usize,
    /// Whether its duplicates are capped.
    pub(crate) capped: bool,
    /// What its clock reads at the origin of the true time; steps change it.
    pub(crate) clock: Timestamp,
}

impl Phone {
    /// What its clock reads.
    pub(crate) fn reading(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_micros(self.clock.as_micros() + now.as_micros())
    }
}

/// A request as the harness follows it, in true time.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) phone: usize,
    pub(crate) request: Duplication,
    pub(crate) at: Timestamp,
    pub(crate) sla: Micros,
    /// How long its uploads and downloads take.
    pub(crate) one_way: [Micros; 2],
    pub(crate) local_time: Micros,
    pub(crate) local_fails: bool,
    /// Timers that were set before are void.
    pub(crate) timer: u64,
    /// When a run's result was there, if it was.
    pub(crate) result: [Option<Timestamp>; 2],
    /// Of the model that the remote result is from.
    pub(crate) remote_accuracy: Option<Accuracy>,
    /// When the device was told that the remote run had failed, if it was.
    pub(crate) remote_failed: Option<Timestamp>,
    pub(crate) delivered: Option<Timestamp>,
    pub(crate) gave_up: Option<Timestamp>,
    pub(crate) last_call: Timestamp,
    /// The device's clock stepped since the last call.
    pub(crate) stepped_back: bool,
    pub(crate) stepped_forward: bool,
    /// How much time steps back have hidden from the device.
    pub(crate) hidden: Micros,
}

pub(crate) const fn index(source: Source) -> usize {
    match source {
        Source::Remote => 0,
        Source::Local => 1,
    }
}

impl Asked {
    /// Notes a call of the state machine.
    pub(crate) fn call(&mut self, now: Timestamp) {
        if std::mem::take(&mut self.stepped_back) {
            self.hidden = self.hidden.saturating_add(now.since(self.last_call));
        }
        self.last_call = now;
    }

    /// Notes what the device is told. Only the first of a run counts.
    pub(crate) fn note(&mut self, now: Timestamp, event: Event) {
        let remote_over = self.result[index(Source::Remote)].is_some() || self.remote_failed.is_some();
        match event {
            Event::Remote(accuracy) if !remote_over => {
                self.result[index(Source::Remote)] = Some(now);
                self.remote_accuracy = accuracy;
            }
            Event::Failed(Source::Remote) if !remote_over => self.remote_failed = Some(now),
            Event::Local => self.result[index(Source::Local)] = Some(now),
            Event::Remote(_) | Event::Failed(_) => {}
        }
    }

    pub(crate) fn ended(&self) -> bool {
        self.delivered.is_some() || self.gave_up.is_some()
    }

    /// Whether a run had its result by the SLA, in true time.
    fn had(&self, source: Source) -> bool {
        self.result[index(source)].is_some_and(|at| at.since(self.at) <= self.sla)
    }

    /// With both results in time so far, how accurate the remote one is, compared with the local; `None` if
    /// not told.
    pub(crate) fn compared(&self) -> Option<Ordering> {
        let both = self.had(Source::Remote) && self.had(Source::Local);
        self.remote_accuracy.filter(|_| both).map(|remote| remote.cmp(&LOCAL_ACCURACY))
    }

    /// Checks an ending against Section IV-E, by what has come so far, and that it comes as soon as it is
    /// due.
    pub(crate) fn check_ending(&self, now: Timestamp, delivered: Option<Source>) {
        if self.stepped_forward || self.hidden > Micros::ZERO {
            // The device's own time is another.
            return;
        }
        let overruled = self.compared() == Some(Ordering::Less);
        let [remote_at, local_at] = self.result;
        let (expected, due) = if self.had(Source::Remote) {
            // paper: IV-E, both in time
            (Some(if overruled { Source::Local } else { Source::Remote }), remote_at)
        } else if self.had(Source::Local) {
            // At the SLA, or as soon as it is done if there is no remote to wait for.
            // paper: IV-E, remote late
            (Some(Source::Local), self.remote_failed.zip(local_at).map(|(failed, done)| failed.max(done)))
        } else {
            // paper: III, target
            (None, None)
        };
        let due = due.unwrap_or(self.at.after(self.sla));
        assert_eq!((delivered, now), (expected, due), "{self:?}");
        assert!(self.request.ending().is_some_and(|ending| ending.overruled == overruled), "{self:?}");
    }

    /// Checks the promises once all is over; `local_needs` is μ + 3σ of the local model.
    pub(crate) fn check(&self, local_needs: Micros) {
        // Exactly one of the two, exactly once: the harness panics at a second.
        let ended = match (self.delivered, self.gave_up) {
            (Some(at), None) | (None, Some(at)) => at.since(self.at),
            (None, None) => panic!("a request was never answered"),
            (Some(_), Some(_)) => panic!("a request was answered and given up"),
        };
        assert_eq!(self.request.poll_at(), None, "a request never came to rest");
        if self.stepped_forward {
            // To the device the SLA was there before its time.
            return;
        }
        // A step back hides some time from the device; without one, this is the SLA itself.
        assert!(
            ended <= self.sla.saturating_add(self.hidden),
            "ended {ended} after the request, SLA {}",
            self.sla
        );
        if self.hidden > Micros::ZERO {
            return;
        }
        if self.gave_up.is_some() {
            assert_eq!(ended, self.sla, "gave up before the SLA");
            assert!(
                !self.had(Source::Remote) && !self.had(Source::Local),
                "gave up with a result in time: {self:?}"
            );
            // The local copy was wanted and not withheld, so it was started: there was a result unless the
            // run failed or took longer than was foreseen.
            let wanted = matches!(self.request.local_start(), LocalStart::After(_));
            let possible = wanted && !self.local_fails && self.local_time <= local_needs;
            assert!(!possible, "a local result was possible");
        }
    }
}
