//! [`Entry`]: a request that waits, and what the caller keeps with it.

use crate::catalog::Model;
use crate::request::{Draw, ModelSet, Request};
use crate::time::Timestamp;

/// A request that waits.
#[derive(Clone, Debug)]
pub(super) struct Entry<T> {
    pub(super) request: Request<'static>,
    pub(super) draw: Draw,
    pub(super) job: T,
}

impl<T> Entry<T> {
    /// Whether the request may go to a model.
    pub(super) fn accepts<const N: usize>(&self, model: &Model, allowed: Option<&ModelSet<N>>) -> bool {
        self.request.exclusion(model).is_none() && allowed.is_none_or(|set| set.contains(model.id))
    }

    /// The request as it is at `now`.
    pub(super) fn request_at<'a, const N: usize>(
        &self,
        deadline: Timestamp,
        allowed: Option<&'a ModelSet<N>>,
        now: Timestamp,
    ) -> Request<'a> {
        let waited = self.request.budget().time().saturating_sub(deadline.since(now));
        let request: Request<'a> = self.request.minus(waited);
        match allowed {
            Some(allowed) => request.with_allowed(allowed),
            None => request,
        }
    }
}
