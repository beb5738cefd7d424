//! [`Request`]: what is known of a request when its model is to be chosen.

use crate::budget::{Budget, NetworkTime};
use crate::catalog::ModelId;
use crate::constraint::Constraints;
use crate::time::Micros;

/// What is known of a request when its model is to be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a, const N: usize> {
    /// T_sla, from the moment the client asked.
    pub sla: Micros,
    /// T_nw, by whichever way it is known.
    pub network: NetworkTime,
    /// Time gone since the request arrived here.
    pub spent: Micros,
    /// Time that it will yet wait whichever model is chosen, such as in a common queue.
    pub wait: Micros,
    /// Time that it would wait for each model, by [`ModelId`]; a model past the end waits for nothing.
    pub model_waits: &'a [Micros],
    /// What it demands of a model besides.
    pub constraints: Constraints<'a, N>,
}

impl<'a, const N: usize> Request<'a, N> {
    /// A request that waits for nothing and demands nothing else.
    pub const fn new(sla: Micros, network: NetworkTime) -> Self {
        Self {
            sla,
            network,
            spent: Micros::ZERO,
            wait: Micros::ZERO,
            model_waits: &[],
            constraints: Constraints::NONE,
        }
    }

    /// With the time gone since it arrived here.
    pub const fn with_spent(self, spent: Micros) -> Self {
        Self { spent, ..self }
    }

    /// With the time that it will yet wait whichever model is chosen.
    pub const fn with_wait(self, wait: Micros) -> Self {
        Self { wait, ..self }
    }

    /// With the time that it would wait for each model, by [`ModelId`]: for instance the model's requests in flight
    /// times its μ.
    pub const fn with_model_waits(self, model_waits: &'a [Micros]) -> Self {
        Self { model_waits, ..self }
    }

    /// With what it demands of a model.
    pub const fn with_constraints(self, constraints: Constraints<'a, N>) -> Self {
        Self { constraints, ..self }
    }

    /// T_budget = T_sla − T_nw − the time spent − the common wait.
    pub const fn budget(&self) -> Budget {
        Budget::new(self.sla, self.network).minus(self.spent).minus(self.wait)
    }

    pub(super) fn model_wait(&self, id: ModelId) -> Micros {
        self.model_waits.get(id.index()).copied().unwrap_or(Micros::ZERO)
    }
}
