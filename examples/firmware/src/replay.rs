//! [`replay`]: whether a list of decisions is made again, line by line and bit by bit.
//!
//! Each line is one request to the gateway of a zoo, in virtual time: what was asked, and what came of it.
//! The last column is a hash of all that was decided and learnt in that zoo up to there.

use core::fmt::{self, Write};

use heapless::String;
use mdinference::device::{Ending, LocalRun, Source};
use mdinference::{Budget, CatalogError, Decision, Draw, Index, Micros, Reason, Timestamp, Verdict};

use crate::gateway::Gateway;
use crate::serve::serve;
use crate::world::World;
use crate::zoo::{ALL, LOCAL, MOST, TABLE_3_FICTIONAL, Zoo};

/// What a list begins with.
pub const HEADER: &str = "zoo,target_us,draw,budget_us,model,probability,mean_us,deviation_us,state";

/// One line of the list.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    zoo: &'static str,
    /// In what time it was to be answered, and by which 64 bits it was chosen.
    target: Micros,
    draw: Draw,
    /// What the network left of that.
    budget: Budget,
    /// The place of the model, and the probability with which it was picked.
    model: usize,
    probability: f64,
    /// The model's profile after its report.
    mean: Micros,
    deviation: Micros,
    state: u64,
}

/// The shortest decimal fraction that is read back as the same bits is how `core` writes an `f64`.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { zoo, target, draw, budget, model, probability, mean, deviation, state } = self;
        let (target, draw, budget) = (target.get(), draw.bits(), budget.time().get());
        let (mean, deviation) = (mean.get(), deviation.get());
        write!(f, "{zoo},{target},{draw},{budget},{model},{probability},{mean},{deviation},{state}")
    }
}

/// The gateway of one zoo in virtual time, and beside it the same models at the profiles they began with.
#[derive(Debug)]
pub struct Player {
    zoo: &'static Zoo,
    gateway: Gateway<MOST>,
    index: Index<MOST>,
    now: Timestamp,
    state: u64,
}

impl Player {
    /// At the beginning of time.
    ///
    /// # Errors
    /// The zoo's models make no catalog.
    pub fn new(zoo: &'static Zoo) -> Result<Self, CatalogError> {
        let (catalog, policy) = (zoo.catalog()?, zoo.policy);
        Ok(Self {
            zoo,
            gateway: Gateway::new(catalog.clone(), policy, LOCAL),
            index: Index::new(catalog, policy),
            now: Timestamp::from_micros(0),
            state: 0,
        })
    }

    /// One request, from the choice to what is learnt of it.
    pub fn step(&mut self, target: Micros, draw: Draw) -> Row {
        // Up to half a minute lies between two requests.
        self.now = self.now.after(Micros::new((draw.bits() >> 39) as u32));
        self.gateway.idle(self.now);
        let budget = self.gateway.budget(target);
        self.unlearnt(budget, draw);
        let mut probabilities = [0.0; MOST];
        let explanation = self.gateway.server().explain(budget, self.now);
        for (candidate, place) in explanation.candidates().zip(&mut probabilities) {
            *place = candidate.probability;
            self.state = mixed(self.state, candidate.utility.to_bits());
            self.state = mixed(self.state, candidate.probability.to_bits());
            self.state = mixed(self.state, verdict(candidate.verdict));
        }
        let world = self.world();
        let (decision, ending, now) =
            serve(&mut self.gateway, &world, (target, draw), self.now, &mut |at| at);
        self.now = now;
        self.decided(decision);
        self.ended(ending);
        let live = self.gateway.server().catalog().get(decision.model).copied().unwrap_or_default();
        let network = self.gateway.network().output().unwrap_or_default();
        for latency in [live.latency, network] {
            self.state = mixed(self.state, latency.mean.get().into());
            self.state = mixed(self.state, latency.deviation.get().into());
        }
        self.state = mixed(self.state, now.as_micros());
        let model = decision.model.index();
        Row {
            zoo: self.zoo.name,
            target,
            draw,
            budget,
            model,
            probability: probabilities.get(model).copied().unwrap_or_default(),
            mean: live.latency.mean,
            deviation: live.latency.deviation,
            state: self.state,
        }
    }

    /// In every other minute a model is slow, each in its turn.
    fn world(&self) -> World {
        let (minute, world) = (self.now.as_micros() / 60_000_000, World::new(self.zoo));
        let turn = minute / 2 % self.zoo.models.len() as u64;
        if minute % 2 == 0 { world } else { world.with_slow(turn as usize) }
    }

    /// What is chosen by the profiles that the models began with: by the index, by the plain scan, and how
    /// likely.
    fn unlearnt(&mut self, budget: Budget, draw: Draw) {
        let indexed = self.index.select(budget, draw);
        let scanned = self.index.catalog().select(self.index.policy(), budget, draw);
        self.decided(indexed);
        self.decided(scanned);
        for probability in [
            self.index.probability(budget, indexed.model),
            self.index.catalog().probability(self.index.policy(), budget, indexed.model),
        ] {
            self.state = mixed(self.state, probability.to_bits());
        }
    }

    fn decided(&mut self, decision: Decision) {
        let reason = match decision.reason {
            Reason::Base => 0,
            Reason::Explored => 1,
            Reason::Probe => 2,
            Reason::Tight => 3,
            Reason::TooLate => 4,
        };
        for number in [decision.model.index() as u64, decision.base.into(), reason] {
            self.state = mixed(self.state, number);
        }
    }

    fn ended(&mut self, ending: Option<Ending>) {
        let delivered = match ending.and_then(|ending| ending.delivered) {
            None => 0,
            Some(Source::Remote) => 1,
            Some(Source::Local) => 2,
        };
        let (local_run, after) = ending.map_or((0, Micros::ZERO), |ending| {
            let local_run = match ending.local_run {
                LocalRun::Started => 1,
                LocalRun::Avoided => 2,
                LocalRun::Withheld => 3,
            };
            (local_run, ending.after)
        });
        for number in [delivered, local_run, after.get().into()] {
            self.state = mixed(self.state, number);
        }
    }
}

fn verdict(verdict: Verdict) -> u64 {
    match verdict {
        Verdict::Base => 0,
        Verdict::Explored => 1,
        Verdict::DoesNotFit => 2,
        Verdict::OutsideWindow => 3,
        Verdict::NoUtility => 4,
        Verdict::NotExplored => 5,
        Verdict::Fastest => 6,
        Verdict::Probe => 7,
        Verdict::Excluded(_) => 8,
    }
}

/// One number more in a hash.
const fn mixed(state: u64, number: u64) -> u64 {
    Draw::from_id(state.rotate_left(7) ^ number).bits()
}

/// How many lines were made again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// In all.
    pub lines: usize,
    /// Of how many zoos.
    pub zoos: usize,
}

/// What was not as the list has it.
#[derive(Clone, Copy, Debug)]
pub enum Difference<'a> {
    /// The list does not begin with [`HEADER`], or has no line.
    NoList,
    /// A line is no request to a zoo that is known.
    NotUnderstood {
        /// From 1.
        line: usize,
        /// What it says.
        list: &'a str,
    },
    /// Something else came of a request.
    Line {
        /// From 1.
        line: usize,
        /// What the list has.
        list: &'a str,
        /// What came of it here.
        here: Row,
    },
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoList => write!(f, "this is no list of decisions: it does not begin with {HEADER}"),
            Self::NotUnderstood { line, list } => write!(f, "line {line} is not understood: {list}"),
            Self::Line { line, list, here } => {
                write!(f, "line {line} is another one here\n  list {list}\n  here {here}")
            }
        }
    }
}

/// Makes all decisions of a list again.
///
/// # Errors
/// The first line that is another one here.
pub fn replay(list: &str) -> Result<Replayed, Difference<'_>> {
    let mut lines = list.lines().enumerate().map(|(place, text)| (place + 1, text));
    if lines.next().is_none_or(|(_, header)| header != HEADER) {
        return Err(Difference::NoList);
    }
    let mut replayed = Replayed::default();
    let mut player: Option<Player> = None;
    for (line, list) in lines {
        let (zoo, target, draw) = asked(list).ok_or(Difference::NotUnderstood { line, list })?;
        if player.as_ref().is_none_or(|player| player.zoo.name != zoo.name) {
            player = Player::new(zoo).ok();
            replayed.zoos += 1;
        }
        let player = player.as_mut().ok_or(Difference::NotUnderstood { line, list })?;
        let here = player.step(target, draw);
        let mut written = String::<160>::new();
        // One that is too long differs.
        let _ = write!(written, "{here}");
        if written != list {
            return Err(Difference::Line { line, list, here });
        }
        replayed.lines += 1;
    }
    if replayed.lines == 0 { Err(Difference::NoList) } else { Ok(replayed) }
}

/// What a line asks.
fn asked(line: &str) -> Option<(&'static Zoo, Micros, Draw)> {
    let mut columns = line.split(',');
    let zoo = Zoo::named(columns.next()?)?;
    let target = Micros::new(columns.next()?.parse().ok()?);
    Some((zoo, target, Draw::from_uniform_bits(columns.next()?.parse().ok()?)))
}

/// The lines of a new list.
pub fn rows() -> impl Iterator<Item = Row> {
    ALL.iter().flat_map(|zoo| {
        let lines = if zoo.name == TABLE_3_FICTIONAL.name { 1_200 } else { 400 };
        let mut player = Player::new(zoo).ok();
        (0..lines).filter_map(move |number| {
            let draw = Draw::from_id(number);
            player.as_mut().map(|player| player.step(target(zoo, number), draw))
        })
    })
}

/// Targets of all kinds: mostly those of people, and what is at a limit.
fn target(zoo: &Zoo, number: u64) -> Micros {
    let bits = Draw::from_id(!number).bits();
    let model = zoo.models.get((bits >> 32) as usize % zoo.models.len()).copied().unwrap_or_default();
    // About where this model begins to fit.
    let fits = model.latency.mean.saturating_add(model.latency.deviation);
    match number % 16 {
        0 => Micros::ZERO,
        1 => Micros::MAX,
        2 => Micros::new(bits as u32 % 3),
        3..8 => fits.saturating_add(Micros::new(bits as u32 % 60_000)),
        // Before anything is known of the network, and where that is nothing, it is the budget.
        8 => fits.saturating_add(Micros::new(bits as u32 % 2)),
        _ => Micros::new(bits as u32 % 300_000),
    }
}
