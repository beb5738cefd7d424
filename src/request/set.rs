//! [`ModelSet`]: some of the models of a catalog.

use crate::catalog::ModelId;

/// A set of models of a catalog of capacity `N`: those that are healthy, loaded, or a tenant's. It goes by their places, so
/// that a model which takes another's place takes its membership too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ModelSet<const N: usize>([bool; N]);

impl<const N: usize> ModelSet<N> {
    /// No model.
    pub const NONE: Self = Self([false; N]);
    /// Every model.
    pub const ALL: Self = Self([true; N]);

    /// Adds a model; an id past the capacity changes nothing.
    pub fn insert(&mut self, id: ModelId) {
        self.set(id, true);
    }

    /// Takes a model out.
    pub fn remove(&mut self, id: ModelId) {
        self.set(id, false);
    }

    /// Whether a model is in.
    pub fn contains(&self, id: ModelId) -> bool {
        self.0.get(id.index()).copied().unwrap_or(false)
    }

    /// The models that are in both sets.
    pub fn intersection(mut self, other: &Self) -> Self {
        for (here, there) in self.0.iter_mut().zip(&other.0) {
            *here &= there;
        }
        self
    }

    /// Whether each model is in, by its place.
    pub(super) const fn as_slice(&self) -> &[bool] {
        &self.0
    }

    fn set(&mut self, id: ModelId, value: bool) {
        if let Some(slot) = self.0.get_mut(id.index()) {
            *slot = value;
        }
    }
}

impl<const N: usize> FromIterator<ModelId> for ModelSet<N> {
    fn from_iter<I: IntoIterator<Item = ModelId>>(ids: I) -> Self {
        let mut set = Self::NONE;
        ids.into_iter().for_each(|id| set.insert(id));
        set
    }
}
