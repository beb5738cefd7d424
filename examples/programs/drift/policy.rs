//! The policies that learn nothing: the one need not, the other does not.

use mdinference::{Catalog, CatalogError, Index, ModelSet, Policy, Request};

use crate::traffic::Arrival;
use crate::world::{Outcome, World};

/// How many models a zoo may have.
pub const CAPACITY: usize = 64;

/// The measured models, which have the first places of a catalog.
pub fn measured(world: &World) -> impl Iterator<Item = usize> + '_ {
    (0..world.measured.len()).filter(|&model| world.canary != Some(model))
}

/// The models in this order, as they were measured.
pub fn catalog(
    world: &World,
    models: impl IntoIterator<Item = usize>,
) -> Result<Catalog<CAPACITY>, CatalogError> {
    Catalog::new(models.into_iter().map(|model| world.measured[model]))
}

/// Chooses by the profiles that were measured at first. `done` is called after each request.
pub fn frozen(world: &World, done: impl Fn()) -> Result<Vec<Outcome>, CatalogError> {
    let models: Vec<usize> = measured(world).collect();
    let index = Index::new(catalog(world, models.iter().copied())?, Policy::PAPER);
    let outcome = |(request, arrival): (usize, &Arrival)| {
        let decision = index.select(world.budget(request), arrival.draw);
        done();
        world.outcome(request, models[decision.model.index()], false)
    };
    Ok(world.arrivals.iter().enumerate().map(outcome).collect())
}

/// Chooses by the profiles as they are at every moment, and none that stalls if there is another. `done` is
/// called after each request.
pub fn clairvoyant(world: &World, done: impl Fn()) -> Result<Vec<Outcome>, CatalogError> {
    let catalog = catalog(world, 0..world.measured.len())?;
    let ids: Vec<_> = (0..catalog.len()).filter_map(|place| catalog.id(place)).collect();
    let mut index = Index::new(catalog, Policy::PAPER);
    let mut changes = world.changes().into_iter().peekable();
    let mut outcomes = Vec::with_capacity(world.arrivals.len());
    for (request, arrival) in world.arrivals.iter().enumerate() {
        while let Some((from, model)) = changes.next_if(|(from, _)| *from <= request as u64) {
            index.update(ids[model], world.profile(model, from));
        }
        let mut moving = ModelSet::<CAPACITY>::ALL;
        world.stalled(arrival.at).for_each(|model| moving.remove(ids[model]));
        let budget = world.budget(request);
        let decision = if moving == ModelSet::ALL {
            index.select(budget, arrival.draw)
        } else {
            let request = Request::new(budget).with_allowed(&moving);
            // Where all of them stall, there is nothing to choose by.
            index.select(request, arrival.draw).unwrap_or_else(|_| index.select(budget, arrival.draw))
        };
        outcomes.push(world.outcome(request, decision.model.index(), false));
        done();
    }
    Ok(outcomes)
}
