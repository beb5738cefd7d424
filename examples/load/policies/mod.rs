//! Who competes.

mod fixed;

use crate::setting::Setting;
use crate::world::Policy;

/// A row of the comparison at each rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Fixed(usize),
}

/// All that compete with one pool of workers.
pub fn shared(names: &[String]) -> Vec<Row> {
    let fixed = names
        .iter()
        .enumerate()
        .map(|(model, name)| Row { name: format!("static:{name}"), kind: Kind::Fixed(model) });
    fixed.collect()
}

impl Row {
    /// The policy for a cell.
    pub fn policy<'a>(&self, setting: &'a Setting<'a>) -> Box<dyn Policy + 'a> {
        match self.kind {
            Kind::Fixed(model) => Box::new(fixed::Fixed::new(setting, model)),
        }
    }
}
