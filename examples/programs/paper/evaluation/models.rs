//! The zoos of the paper.

use mdinference::ModelId;

use super::zoo::Zoo;

/// Room for the largest zoo.
pub type Catalog = mdinference::Catalog<24>;

/// A catalog with the names of its models.
pub struct Models {
    pub names: Vec<String>,
    pub catalog: Catalog,
}

impl Models {
    /// Table III without NasNet Fictional, for Figures 3 to 5.
    pub fn table3() -> Self {
        Self::shipped("table3", |_| true)
    }

    /// All of Table III, for Figure 6.
    pub fn table3_with_fictional() -> Self {
        Self::shipped("table3_fictional", |_| true)
    }

    /// All 23 models measured on the GPU server, for Table IV, Figures 7 and 8.
    pub fn measured() -> Self {
        Self::shipped("p2", |name| name != "nasnet_fictional")
    }

    /// All zoos that come with the project.
    pub fn shipped_zoos() -> [Self; 4] {
        ["table3", "table3_fictional", "p2", "c5"].map(|zoo| Self::shipped(zoo, |_| true))
    }

    /// The model of that name.
    pub fn id(&self, name: &str) -> ModelId {
        let index = self.names.iter().position(|other| other == name);
        index.and_then(|index| self.catalog.id(index)).expect("a model of a shipped zoo")
    }

    fn shipped(zoo: &str, keep: impl Fn(&str) -> bool) -> Self {
        let zoo = Zoo::shipped(zoo).expect("the shipped zoos are sound");
        let (names, profiles): (Vec<_>, Vec<_>) =
            zoo.names.into_iter().zip(zoo.profiles).filter(|(name, _)| keep(name)).unzip();
        let catalog = Catalog::new(profiles).expect("the shipped zoos are not larger");
        Self { names, catalog }
    }
}
