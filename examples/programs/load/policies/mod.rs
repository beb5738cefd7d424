//! Who competes.

mod accuracy_floor;
mod dispatch;
mod fixed;
mod frontier;
mod load_table;
mod lowest_latency;
mod paper;
mod pools;
mod proteus;
mod rate;
mod slackfit;

use mdinference::{Catalog, CatalogError, Index, Micros, Policy as Rule};

use crate::arrivals::Arrival;
use crate::measures::Measures;
use crate::setting::Setting;
use crate::world::{Policy, serve};
use crate::zoo::Zoo;
use fixed::Missed;

/// Models that a zoo may have.
const CAPACITY: usize = 64;

/// Whether the library takes the zoo.
pub fn check(zoo: &Zoo) -> Result<(), CatalogError> {
    Catalog::<CAPACITY>::new(zoo.profiles.iter().copied()).map(drop)
}

/// The zoo as the library has it.
fn index(setting: &Setting<'_>) -> Index<CAPACITY> {
    let catalog = Catalog::new(setting.zoo.profiles.iter().copied());
    Index::new(catalog.expect("the zoo has been checked"), Rule::PAPER)
}

fn micros(micros: u64) -> Micros {
    Micros::new(u32::try_from(micros).unwrap_or(u32::MAX))
}

/// Who competes at each rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Entrant {
    pub name: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Paper,
    Dispatch { priced: bool },
    Fixed(usize),
    FixedShedding,
    Slackfit,
    Proteus,
    LoadTable,
    LowestLatency,
    AccuracyFloor,
    PoolsPaper { with_waits: bool },
    PoolsQueues { priced: bool },
}

/// Of one pool of workers that all models share, or of a pool a model.
pub fn entrants(zoo: &Zoo, per_model_pools: bool) -> Vec<Entrant> {
    const SHARED: [(&str, Kind); 9] = [
        ("paper", Kind::Paper),
        ("paper_dispatch", Kind::Dispatch { priced: false }),
        ("priced", Kind::Dispatch { priced: true }),
        ("slackfit", Kind::Slackfit),
        ("proteus", Kind::Proteus),
        ("load_table", Kind::LoadTable),
        ("lowest_latency", Kind::LowestLatency),
        ("accuracy_floor", Kind::AccuracyFloor),
        ("static_shedding", Kind::FixedShedding),
    ];
    const POOLS: [(&str, Kind); 4] = [
        ("paper", Kind::PoolsPaper { with_waits: true }),
        ("paper_no_waits", Kind::PoolsPaper { with_waits: false }),
        ("paper_dispatch", Kind::PoolsQueues { priced: false }),
        ("priced", Kind::PoolsQueues { priced: true }),
    ];
    let named: &[(&str, Kind)] = if per_model_pools { &POOLS } else { &SHARED };
    let named = named.iter().map(|&(name, kind)| Entrant { name: name.to_owned(), kind });
    let fixed = zoo.names.iter().enumerate();
    let fixed =
        fixed.map(|(model, name)| Entrant { name: format!("{FIXED}{name}"), kind: Kind::Fixed(model) });
    named.chain(fixed).collect()
}

/// Before the name of a model that is the only one.
pub const FIXED: &str = "static:";

impl Entrant {
    /// What it comes to with these requests.
    pub fn measures(&self, setting: &Setting<'_>, arrivals: &[Arrival]) -> Measures {
        let workers = setting.workers;
        let serve =
            |workers, mut policy: Box<dyn Policy + '_>| serve(setting, arrivals, workers, &mut *policy);
        match self.kind {
            Kind::Paper => serve(workers, Box::new(paper::Paper::new(setting))),
            Kind::Dispatch { priced } => serve(workers, Box::new(dispatch::Dispatch::new(setting, priced))),
            Kind::Fixed(model) => serve(workers, Box::new(fixed::Fixed::new(setting, model, Missed::Run))),
            // The best of them, in hindsight.
            Kind::FixedShedding => (0..setting.models())
                .map(|model| serve(workers, Box::new(fixed::Fixed::new(setting, model, Missed::Shed))))
                .max_by(|a, b| a.effective_accuracy.total_cmp(&b.effective_accuracy))
                .expect("there is a model"),
            Kind::Slackfit => serve(workers, Box::new(slackfit::SlackFit::new(setting))),
            Kind::Proteus => serve(workers, Box::new(proteus::Proteus::new(setting))),
            Kind::LoadTable => serve(workers, Box::new(load_table::LoadTable::new(setting))),
            Kind::LowestLatency => serve(workers, Box::new(lowest_latency::LowestLatency::new(setting))),
            Kind::AccuracyFloor => serve(workers, Box::new(accuracy_floor::AccuracyFloor::new(setting))),
            Kind::PoolsPaper { with_waits } => {
                serve(workers * setting.models(), Box::new(pools::Paper::new(setting, with_waits)))
            }
            Kind::PoolsQueues { priced } => {
                serve(workers * setting.models(), Box::new(pools::Queues::new(setting, priced)))
            }
        }
    }
}
