//! Any operations on a device with several requests under way, and what must hold whatever they are.
//!
//! Needs nothing but the crate, so that a property test ([`run`]) and a fuzz target ([`run_bytes`]) share it. Both
//! panic when a promise is broken.

use mdinference::device::{Action, Counters, Duplication, Event, LocalRun, LocalStart, Source, Strategy};
use mdinference::device::{Ending, TokenBucket};
use mdinference::{Accuracy, Device, Latency, Margin, Micros, Profile, Timestamp};

#[path = "bytes.rs"]
#[allow(dead_code, reason = "it is shared")]
mod bytes;

use bytes::Bytes;

/// Requests under way at a time; operations name them modulo this.
const REQUESTS: usize = 4;

/// What stays the same over the operations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) strategy: Strategy,
    pub(crate) local: Profile,
    pub(crate) burst: u32,
    pub(crate) interval: Micros,
    /// What the clock reads at first.
    pub(crate) origin: Timestamp,
}

/// One thing that may happen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    /// The clock moves forward by as many µs.
    Pass(u32),
    /// The clock steps back by as many µs.
    StepBack(u32),
    /// A request begins, and one that was there is forgotten.
    Begin { request: usize, sla: Micros, remote: Option<Latency> },
    /// A run is said to have ended, whether it was started or not.
    Tell { request: usize, event: Event },
    /// The remote result is expected at another time.
    Expect { request: usize, remote: Latency },
    /// The local copy is planned anew.
    Plan { request: usize, start: LocalStart },
    /// More is known of the local model.
    SetLocal(Profile),
    /// One poll.
    Poll { request: usize },
    /// Polls until there is nothing to do.
    Drain { request: usize },
}

/// Does the operations and checks the promises after each.
pub(crate) fn run(setup: Setup, operations: impl IntoIterator<Item = Operation>) {
    let mut bench = Bench::new(setup);
    for operation in operations {
        bench.apply(operation);
    }
    bench.finish();
}

/// As [`run`], with the operations that any bytes stand for.
#[allow(dead_code, reason = "for the fuzz target")]
pub(crate) fn run_bytes(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let setup = bytes.setup();
    run(setup, core::iter::from_fn(|| (!bytes.0.is_empty()).then(|| bytes.operation())));
}

/// A device, its requests, and what was seen of them.
struct Bench {
    setup: Setup,
    device: Device,
    now: Timestamp,
    requests: [Option<Watched>; REQUESTS],
    counters: Counters,
    /// Local copies that started beside a running remote.
    duplicates: u64,
    /// How far the clock has moved forward in all.
    moved: u64,
}

/// A request with its history, kept apart from the state machine.
struct Watched {
    request: Duplication,
    read: Timestamp,
    elapsed: u64,
    runs: [Seen; 2],
    local_accuracy: Accuracy,
    /// What was told with the remote result.
    remote_accuracy: Option<Accuracy>,
    ending: Option<Ending>,
    replanned: bool,
}

/// What was seen of one run.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    started: bool,
    /// Whether it ended with a result in time.
    ended: Option<bool>,
    cancelled: bool,
}

impl Watched {
    fn seen(&mut self, source: Source) -> &mut Seen {
        match source {
            Source::Remote => &mut self.runs[0],
            Source::Local => &mut self.runs[1],
        }
    }

    /// The clock is read in a call for this request.
    fn read(&mut self, now: Timestamp) {
        let passed = now.as_micros().saturating_sub(self.read.as_micros());
        // Spans end at `Micros::MAX`.
        self.elapsed = self.elapsed.saturating_add(passed).min(Micros::MAX.get().into());
        self.read = now;
    }

    fn at_sla(&self) -> bool {
        self.elapsed >= u64::from(self.request.sla().get())
    }

    /// How a request that has not ended is to end now, by Section IV-E; `None` if it is to go on.
    fn due_ending(&self) -> Option<Action> {
        let [remote, local] = self.runs.map(|run| run.ended);
        if remote == Some(true) {
            let more_accurate = self.remote_accuracy.is_some_and(|remote| remote < self.local_accuracy);
            let overruled = local == Some(true) && more_accurate;
            return Some(Action::Deliver(if overruled { Source::Local } else { Source::Remote }));
        }
        match local {
            Some(true) if remote == Some(false) || self.at_sla() => Some(Action::Deliver(Source::Local)),
            _ => self.at_sla().then_some(Action::GiveUp),
        }
    }
}

impl Bench {
    fn new(setup: Setup) -> Self {
        let cap = TokenBucket::new(setup.burst, setup.interval);
        Self {
            setup,
            device: Device::new(setup.local, setup.strategy).with_cap(cap),
            now: setup.origin,
            requests: Default::default(),
            counters: Counters::default(),
            duplicates: 0,
            moved: 0,
        }
    }

    fn apply(&mut self, operation: Operation) {
        let now = self.now;
        match operation {
            Operation::Pass(micros) => {
                let later = now.as_micros().saturating_add(micros.into());
                self.moved += later - now.as_micros();
                self.now = Timestamp::from_micros(later);
            }
            Operation::StepBack(micros) => {
                self.now = Timestamp::from_micros(now.as_micros().saturating_sub(micros.into()));
            }
            Operation::Begin { request, sla, remote } => {
                let duplication = self.device.begin(now, sla, remote);
                assert_eq!(duplication.poll_at(), Some(now), "the remote is to start at once");
                self.requests[request % REQUESTS] = Some(Watched {
                    request: duplication,
                    read: now,
                    elapsed: 0,
                    runs: Default::default(),
                    local_accuracy: self.device.local().accuracy,
                    remote_accuracy: None,
                    ending: None,
                    replanned: false,
                });
            }
            Operation::Tell { request, event } => {
                let Some(watched) = &mut self.requests[request % REQUESTS] else { return };
                watched.read(now);
                let in_time = watched.elapsed <= u64::from(watched.request.sla().get());
                watched.request.handle(now, event);
                let (source, result) = match event {
                    Event::Remote(_) => (Source::Remote, in_time),
                    Event::Local => (Source::Local, in_time),
                    Event::Failed(source) => (source, false),
                };
                let seen = watched.seen(source);
                if seen.started && !seen.cancelled && seen.ended.is_none() {
                    seen.ended = Some(result);
                    if let Event::Remote(accuracy) = event {
                        watched.remote_accuracy = accuracy;
                    }
                }
            }
            Operation::Expect { request, remote } => {
                let Some(watched) = &mut self.requests[request % REQUESTS] else { return };
                self.device.expect(&mut watched.request, remote);
            }
            Operation::Plan { request, start } => {
                let Some(watched) = &mut self.requests[request % REQUESTS] else { return };
                watched.request.plan(start);
                watched.replanned = true;
            }
            Operation::SetLocal(local) => self.device.set_local(local),
            Operation::Poll { request } => {
                self.poll(request % REQUESTS);
            }
            Operation::Drain { request } => self.drain(request % REQUESTS),
        }
        self.check_totals();
    }

    /// Polls until there is nothing to do, which is soon.
    fn drain(&mut self, index: usize) {
        // Two starts, a delivery, two cancels, and then nothing.
        assert!((0..6).any(|_| !self.poll(index)), "a request never comes to rest");
    }

    /// One poll; whether there was something to do.
    fn poll(&mut self, index: usize) -> bool {
        let now = self.now;
        let Some(watched) = &mut self.requests[index] else { return false };
        let due = watched.request.poll_at();
        let stepped_back = now < watched.read;
        let planned = watched.request.local_start();
        watched.read(now);
        let action = self.device.poll(&mut watched.request, now);

        let at_sla = watched.at_sla();
        let [remote, local] = watched.runs;
        let ended = watched.ending.is_some();
        // paper: IV-E, both in time
        // paper: IV-E, remote late
        // paper: III, target
        let is_ending = matches!(action, Some(Action::Deliver(_) | Action::GiveUp));
        if ended {
            assert!(!is_ending, "ended twice");
        } else {
            let due = watched.due_ending();
            assert_eq!(action.filter(|_| is_ending), due, "{:?}, {:?}", watched.runs, watched.request);
        }
        match action {
            Some(Action::Start(source)) => {
                assert!(!ended && !at_sla, "{source:?} started when it could not help");
                let seen = watched.seen(source);
                assert!(!seen.started, "{source:?} started twice");
                seen.started = true;
                if source == Source::Local {
                    assert!(remote.started, "local started before remote");
                    assert!(remote.ended != Some(true), "local started with the remote result here");
                    let replaces = remote.ended == Some(false);
                    self.duplicates += u64::from(!replaces);
                    match planned {
                        LocalStart::After(delay) => {
                            assert!(replaces || watched.elapsed >= delay.get().into(), "local started early");
                        }
                        LocalStart::OnFailure => assert!(replaces, "local started without a failure"),
                        LocalStart::Never => panic!("local started in spite of never"),
                    }
                }
            }
            // Checked above.
            Some(Action::Deliver(_) | Action::GiveUp) => {}
            Some(Action::Cancel(source)) => {
                assert!(ended, "{source:?} cancelled before the end");
                let seen = watched.seen(source);
                assert!(
                    seen.started && seen.ended.is_none() && !seen.cancelled,
                    "{source:?} cancelled in vain"
                );
                seen.cancelled = true;
            }
            None => {
                if ended {
                    let over = |run: Seen| !run.started || run.ended.is_some() || run.cancelled;
                    assert!(over(remote) && over(local), "a run was left running");
                    assert_eq!(watched.request.poll_at(), None);
                } else {
                    assert!(remote.started, "remote was not started");
                    let due = match watched.request.local_start() {
                        LocalStart::After(delay) => watched.elapsed >= delay.get().into(),
                        LocalStart::OnFailure | LocalStart::Never => false,
                    };
                    assert!(local.started || !due, "the local copy was forgotten");
                    // Or the caller would spin.
                    assert!(
                        watched.request.poll_at().is_some_and(|at| at > now || at.as_micros() == u64::MAX)
                    );
                }
            }
        }
        if action.is_some() && !stepped_back {
            assert!(due.is_some_and(|due| due <= now), "{action:?} came before its time");
        }
        if is_ending {
            let ending = watched.request.ending().expect("an ending");
            let delivered = match action {
                Some(Action::Deliver(source)) => Some(source),
                _ => None,
            };
            assert_eq!(ending.delivered, delivered);
            let both = remote.ended == Some(true) && local.ended == Some(true);
            assert_eq!(ending.overruled, both && delivered == Some(Source::Local));
            assert_eq!(ending.local_run == LocalRun::Started, local.started);
            assert_eq!(u64::from(ending.after.get()), watched.elapsed);
            if self.setup.strategy == Strategy::Never && !watched.replanned {
                assert_eq!(ending.local_run, LocalRun::Avoided);
            }
            watched.ending = Some(ending);
            count(&mut self.counters, ending);
        } else {
            assert_eq!(watched.request.ending(), watched.ending, "the ending changed");
        }
        action.is_some()
    }

    fn check_totals(&self) {
        let counters = self.device.counters();
        assert_eq!(*counters, self.counters);
        assert_eq!(counters.requests(), counters.started + counters.avoided);
        assert_eq!(counters.started, counters.local + counters.wasted);
        assert!(counters.withheld <= counters.avoided);
        assert!(counters.overruled <= counters.local);
        if self.setup.interval > Micros::ZERO {
            let cap = u64::from(self.setup.burst) + self.moved / u64::from(self.setup.interval.get());
            assert!(self.duplicates <= cap, "the cap on extra load was passed");
        }
    }

    /// Lets the time of every request pass: each must have come to its end, and to rest.
    fn finish(&mut self) {
        for index in 0..REQUESTS {
            self.drain(index);
            let Some(watched) = &self.requests[index] else { continue };
            let rest = watched.request.sla().get();
            // A clock at its end stands still.
            self.now = Timestamp::from_micros(self.now.as_micros().min(u64::MAX / 2));
            self.drain(index);
            self.apply(Operation::Pass(rest));
            self.drain(index);
            let watched = self.requests[index].as_ref().expect("still there");
            assert!(watched.ending.is_some(), "no ending at the SLA");
            assert_eq!(watched.request.poll_at(), None);
        }
        self.check_totals();
    }
}

/// Counts a request by each sentence of [`Counters`].
fn count(counters: &mut Counters, Ending { delivered, overruled, local_run, .. }: Ending) {
    let started = local_run == LocalRun::Started;
    let counts = [
        (&mut counters.remote, delivered == Some(Source::Remote)),
        (&mut counters.local, delivered == Some(Source::Local)),
        (&mut counters.overruled, overruled),
        (&mut counters.nothing, delivered.is_none()),
        (&mut counters.started, started),
        (&mut counters.avoided, !started),
        (&mut counters.wasted, started && delivered != Some(Source::Local)),
        (&mut counters.withheld, local_run == LocalRun::Withheld),
    ];
    for (count, counts) in counts {
        *count += u64::from(counts);
    }
}

impl Bytes<'_> {
    /// A number of any magnitude: mostly of the order of an SLA, sometimes extreme.
    fn magnitude(&mut self) -> u32 {
        let (high, low) = (u32::from(self.byte()), u32::from(self.byte()));
        match high % 8 {
            0 => low % 4,
            7 => u32::MAX >> (low % 32),
            _ => (high << 8 | low).saturating_mul(8),
        }
    }

    fn micros(&mut self) -> Micros {
        Micros::new(self.magnitude())
    }

    fn latency(&mut self) -> Latency {
        Latency { mean: self.micros(), deviation: self.micros() }
    }

    /// Often equal, or next to each other.
    fn accuracy(&mut self) -> Accuracy {
        let ppm = match self.byte() % 8 {
            0 => 0,
            7 => 1_000_000,
            near => 500_000 + u32::from(near) / 2,
        };
        Accuracy::from_ppm(ppm).expect("in range")
    }

    fn local(&mut self) -> Profile {
        Profile::new(self.accuracy(), self.latency())
    }

    fn margin(&mut self) -> Margin {
        Margin::new(f64::from(self.byte()) / 16.0).expect("in range")
    }

    fn setup(&mut self) -> Setup {
        let strategy = match self.byte() % 4 {
            0 => Strategy::Always,
            1 => Strategy::Deferred { margin: self.margin() },
            2 => Strategy::AtRisk { margin: self.margin(), risk: self.margin() },
            _ => Strategy::Never,
        };
        let local = self.local();
        let (burst, interval) = (u32::from(self.byte()), self.micros());
        let origin = Timestamp::from_micros(u64::from(self.magnitude()) << (self.byte() % 64));
        Setup { strategy, local, burst, interval, origin }
    }

    fn operation(&mut self) -> Operation {
        let source = |byte: u8| if byte & 16 == 0 { Source::Remote } else { Source::Local };
        let byte = self.byte();
        let request = usize::from(byte >> 5);
        match byte % 16 {
            0 | 1 => Operation::Pass(self.magnitude()),
            2 => Operation::StepBack(self.magnitude()),
            3 | 4 => {
                let remote = (byte & 16 == 0).then(|| self.latency());
                Operation::Begin { request, sla: self.micros(), remote }
            }
            5..=7 => {
                let event = match source(byte) {
                    // Untold once in three.
                    Source::Remote => Event::Remote((byte % 16 != 7).then(|| self.accuracy())),
                    Source::Local => Event::Local,
                };
                Operation::Tell { request, event }
            }
            8 => Operation::Tell { request, event: Event::Failed(source(byte)) },
            9 => Operation::Expect { request, remote: self.latency() },
            10 => {
                let start = match self.byte() % 3 {
                    0 => LocalStart::After(self.micros()),
                    1 => LocalStart::OnFailure,
                    _ => LocalStart::Never,
                };
                Operation::Plan { request, start }
            }
            11 | 12 => Operation::Poll { request },
            13 => Operation::SetLocal(self.local()),
            _ => Operation::Drain { request },
        }
    }
}
