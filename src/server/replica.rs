//! [`Replicas`]: what the replicas of a server have measured, each of them itself.
//!
//! Each replica tells what it has measured, and never what it has heard; the newest of each is kept, and they are put
//! together when they are read. So hearing the same thing twice changes nothing, nor does the order.

use heapless::Vec;

use crate::catalog::ModelId;
use crate::server::learning::Learnt;
use crate::time::Timestamp;

/// What up to `R` replicas have measured of up to `N` models.
///
/// [`Self::pooled`] of it is what [`Server::hear`](crate::Server::hear) takes. A server that restarts hears its former
/// self by the same means, as one replica among the others.
///
/// ```
/// # use mdinference::{Budget, Catalog, Draw, Learning, Micros, Policy, Profile, Replicas, Server, Timestamp};
/// # let zoo = || Catalog::<1>::try_new([Profile::from_percent_and_millis(82.6, 112.61, 0.36)]);
/// # let (mut here, mut there) = (
/// #     Server::new(zoo()?, Policy::PAPER, Learning::DEFAULT),
/// #     Server::new(zoo()?, Policy::PAPER, Learning::DEFAULT),
/// # );
/// # let at = |millis| Timestamp::from_micros(0).after(Micros::from_millis(millis));
/// # for _ in 0..20 {
/// #     let (_, ticket) = there.begin(Budget::of(Micros::from_millis(200)), Draw::from_id(1), at(0));
/// #     there.learn(ticket.completed(at(130)), at(130));
/// # }
/// let model = here.catalog().id(0).ok_or("no model")?;
/// let mut replicas = Replicas::<1, 8>::new();
/// // What replica 7 has sent: the model is slower there.
/// let learnt = *there.learnt(model).ok_or("no model")?;
/// assert!(replicas.hear(7, model, learnt, at(1_000)));
/// assert!(!replicas.hear(7, model, learnt, at(1_000)), "nothing new");
/// here.hear(model, replicas.pooled(model));
/// assert_eq!(here.catalog(), there.catalog());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It takes 96 bytes for each of the `N` models of each of the `R` replicas. One that is too large for a stack may be a
/// `static`, in a lock, as [`Self::new`] is `const`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replicas<const N: usize, const R: usize> {
    /// By the replicas' numbers, so that the order in which they were heard of does not matter.
    replicas: Vec<Replica<N>, R>,
}

#[derive(Clone, Debug, PartialEq)]
struct Replica<const N: usize> {
    number: u32,
    told: Vec<Option<Statement>, N>,
}

/// What a replica has told of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Statement {
    model: ModelId,
    at: Timestamp,
    learnt: Learnt,
}

impl<const N: usize, const R: usize> Replicas<N, R> {
    /// Nothing has been heard.
    pub const fn new() -> Self {
        Self { replicas: Vec::new() }
    }

    /// What a replica has measured of a model, as of a time on its own clock, which must not start anew when the replica
    /// does.
    ///
    /// Says whether it is news: not if something as new has been heard of that replica and model, if it is one replica
    /// more than `R`, or if the model's place is past `N`.
    pub fn hear(&mut self, replica: u32, model: ModelId, learnt: Learnt, at: Timestamp) -> bool {
        if model.index() >= N {
            return false;
        }
        let place = self.replicas.partition_point(|known| known.number < replica);
        if self.replicas.get(place).is_none_or(|known| known.number != replica) {
            let mut told = Vec::new();
            let _ = told.resize_default(N);
            if self.replicas.push(Replica { number: replica, told }).is_err() {
                return false;
            }
            if let Some(rest @ [_, ..]) = self.replicas.get_mut(place..) {
                rest.rotate_right(1);
            }
        }
        let told = self.replicas.get_mut(place).and_then(|known| known.told.get_mut(model.index()));
        let Some(told) = told else { return false };
        let news = told.is_none_or(|known| known.at < at);
        if news {
            *told = Some(Statement { model, at, learnt });
        }
        news
    }

    /// What the replicas know of a model together, each by the samples it has; `None` if nobody has measured it.
    ///
    /// Where two disagree they have seen different times, and the one with the later sample is right, so all their
    /// servers' clocks need the same origin, to within seconds.
    pub fn pooled(&self, model: ModelId) -> Option<Learnt> {
        let told = self.replicas.iter().filter_map(|replica| *replica.told.get(model.index())?);
        told.filter(|told| told.model == model)
            .map(|told| told.learnt)
            .reduce(|one, other| one.merged(&other))
    }

    /// A replica is no more: what it has told is forgotten.
    pub fn forget(&mut self, replica: u32) {
        self.replicas.retain(|known| known.number != replica);
    }
}
