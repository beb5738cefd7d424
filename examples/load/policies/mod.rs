//! Who competes.

mod fixed;
mod paper;

use mdinference::{Catalog, Index, Policy as Rule};

use crate::setting::Setting;
use crate::world::Policy;

/// Models that a zoo may have.
pub const CAPACITY: usize = 64;

/// The zoo as the library has it.
fn index(setting: &Setting<'_>) -> Index<CAPACITY> {
    let catalog = Catalog::new(setting.zoo.profiles.iter().copied());
    Index::new(catalog.expect("the zoo has been checked"), Rule::PAPER)
}

/// A row of the comparison at each rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Paper,
    Fixed(usize),
}

/// All that compete with one pool of workers.
pub fn shared(names: &[String]) -> Vec<Row> {
    let fixed = names
        .iter()
        .enumerate()
        .map(|(model, name)| Row { name: format!("static:{name}"), kind: Kind::Fixed(model) });
    let row = |(name, kind): (&str, Kind)| Row { name: name.to_owned(), kind };
    [("paper", Kind::Paper)].map(row).into_iter().chain(fixed).collect()
}

impl Row {
    /// The policy for a cell.
    pub fn policy<'a>(&self, setting: &'a Setting<'a>) -> Box<dyn Policy + 'a> {
        match self.kind {
            Kind::Paper => Box::new(paper::Paper::new(setting)),
            Kind::Fixed(model) => Box::new(fixed::Fixed::new(setting, model)),
        }
    }
}
