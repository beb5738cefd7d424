//! [`World`]: a server and a network that are not there, in integers, so that they are the same on every
//! target.

use mdinference::{Draw, Latency, Micros, ModelId};

use crate::zoo::Zoo;

/// What the models run like in truth, and the network between.
#[derive(Clone, Copy, Debug)]
pub struct World {
    zoo: &'static Zoo,
    slow: Option<usize>,
    outage: bool,
}

/// What will become of one request.
#[derive(Clone, Copy, Debug)]
pub struct Fate {
    /// How long the server's model takes; `None` where it fails.
    pub took: Option<Micros>,
    /// When the answer is here, or that there will be none: this long after the request was sent.
    pub remote: Micros,
    /// How long the model here takes.
    pub local: Micros,
}

/// What the model on the gateway takes.
const LOCAL: Latency = Latency { mean: Micros::from_millis(40), deviation: Micros::from_millis(4) };
/// What the network takes one way.
const ONE_WAY: Latency = Latency { mean: Micros::from_millis(25), deviation: Micros::from_millis(6) };

impl World {
    /// A server of these models, at what was measured of them.
    pub const fn new(zoo: &'static Zoo) -> Self {
        Self { zoo, slow: None, outage: false }
    }

    /// The model at this place is three times as slow.
    #[must_use]
    pub const fn with_slow(self, place: usize) -> Self {
        Self { slow: Some(place), ..self }
    }

    /// No answer comes through.
    #[must_use]
    pub const fn with_outage(self) -> Self {
        Self { outage: true, ..self }
    }

    /// What will become of a request for a model, by the bits of its draw.
    pub fn fate(&self, model: ModelId, draw: Draw) -> Fate {
        let mut bits = draw.bits();
        // A stream of its own: the draw itself has decided already.
        let mut next = || {
            bits = Draw::from_id(bits).bits();
            bits
        };
        let place = model.index();
        let model = self.zoo.models.get(place).copied().unwrap_or_default();
        let run = about(model.latency, next());
        let run = run.saturating_mul(if self.slow == Some(place) { 3 } else { 1 });
        let travel = about(ONE_WAY, next()).saturating_add(about(ONE_WAY, next()));
        let chance = next() % 64;
        // A packet was lost, and sent again after a while.
        let travel = travel.saturating_mul(if chance == 0 { 8 } else { 1 });
        let took = (chance != 1).then_some(run);
        let remote = travel.saturating_add(took.unwrap_or(Micros::ZERO));
        let remote = if self.outage { Micros::MAX } else { remote };
        Fate { took, remote, local: about(LOCAL, next()) }
    }
}

/// A time of this mean and deviation: bell-shaped, as the sum of eight bytes.
fn about(time: Latency, bits: u64) -> Micros {
    let sum: i64 = bits.to_le_bytes().into_iter().map(i64::from).sum();
    // The mean of the sum, and its deviation.
    let away = i64::from(time.deviation.get()) * (sum - 1_020) / 209;
    let micros = (i64::from(time.mean.get()) + away).max(0);
    Micros::new(u32::try_from(micros).unwrap_or(u32::MAX))
}
