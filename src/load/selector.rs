//! [`Selector`]: who chooses the models for a queue.

use crate::batch::Stretch;
use crate::catalog::ModelId;
use crate::index::Index;
use crate::profile::Profile;
use crate::request::{Draw, Request};
use crate::select::Decision;
use crate::server::{Front, Server, Ticket};
use crate::time::Timestamp;

/// Who chooses the models: an [`&Index`](Index), whose profiles stay as they are, a [`&Front`](Front), or a
/// [`&mut Server`](Server), with a ticket for each run.
///
/// Implemented for these, and for nothing else.
pub trait Selector<const N: usize>: sealed::Sealed {
    /// What makes the reports of a run: a [`Ticket`], or nothing where nobody learns.
    type Ticket;

    #[doc(hidden)]
    fn index(&self) -> &Index<N>;

    /// The run that is a probe, if one is drawn.
    #[doc(hidden)]
    fn probe(
        &mut self,
        request: &Request<'_>,
        draw: Draw,
        now: Timestamp,
    ) -> Option<(Decision, Self::Ticket)>;

    /// Begins the run that was decided on.
    #[doc(hidden)]
    fn begin(&self, decision: Decision, now: Timestamp) -> (Decision, Self::Ticket);

    /// The run is one for so many requests.
    #[doc(hidden)]
    fn batch_of(ticket: &mut Self::Ticket, requests: u16, stretch: Stretch);

    /// The profile of a model that the index has, held or not.
    #[doc(hidden)]
    fn live(&self, model: ModelId) -> Profile;
}

impl<const N: usize> Selector<N> for &Index<N> {
    type Ticket = ();

    fn index(&self) -> &Index<N> {
        self
    }

    fn probe(&mut self, _: &Request<'_>, _: Draw, _: Timestamp) -> Option<(Decision, ())> {
        None
    }

    fn begin(&self, decision: Decision, _: Timestamp) -> (Decision, ()) {
        (decision, ())
    }

    fn batch_of((): &mut (), _: u16, _: Stretch) {}

    fn live(&self, model: ModelId) -> Profile {
        self.catalog().get(model).copied().unwrap_or_default()
    }
}

impl<const N: usize> Selector<N> for &Front<N> {
    type Ticket = Ticket;

    fn index(&self) -> &Index<N> {
        Front::index(self)
    }

    fn probe(&mut self, request: &Request<'_>, draw: Draw, now: Timestamp) -> Option<(Decision, Ticket)> {
        self.begin_probe(request, draw, now)
    }

    fn begin(&self, decision: Decision, now: Timestamp) -> (Decision, Ticket) {
        self.begin_decided(decision, now)
    }

    fn batch_of(ticket: &mut Ticket, requests: u16, stretch: Stretch) {
        ticket.batch_of(requests, stretch);
    }

    fn live(&self, model: ModelId) -> Profile {
        Front::live(self, model).unwrap_or_default()
    }
}

impl<const N: usize> Selector<N> for &mut Server<N> {
    type Ticket = Ticket;

    fn index(&self) -> &Index<N> {
        self.front().index()
    }

    fn probe(&mut self, request: &Request<'_>, draw: Draw, now: Timestamp) -> Option<(Decision, Ticket)> {
        self.begin_probe(request, draw, now)
    }

    fn begin(&self, decision: Decision, now: Timestamp) -> (Decision, Ticket) {
        self.front().begin_decided(decision, now)
    }

    fn batch_of(ticket: &mut Ticket, requests: u16, stretch: Stretch) {
        ticket.batch_of(requests, stretch);
    }

    fn live(&self, model: ModelId) -> Profile {
        self.front().live(model).unwrap_or_default()
    }
}

mod sealed {
    use crate::index::Index;
    use crate::server::{Front, Server};

    pub trait Sealed {}
    impl<const N: usize> Sealed for &Index<N> {}
    impl<const N: usize> Sealed for &Front<N> {}
    impl<const N: usize> Sealed for &mut Server<N> {}
}
