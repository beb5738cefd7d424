//! The paper's setting: the two networks of Table IV, its models on the server, and the one on the device. How long that
//! one takes is not the paper's: it is a setting of this example.

use std::error::Error;

use mdinference::{Catalog, Index, Latency, Micros, Policy, Profile};

use crate::network::{Network, RESIDENTIAL, UNIVERSITY};
use crate::simulation::World;
use crate::zoo::Zoo;

/// The model on the device; its accuracy is that of the zoo.
pub const LOCAL_MODEL: &str = "mobilenet_v1_0.25_128";

/// T_nw of the networks of Table IV.
pub fn networks() -> [(&'static str, Network); 2] {
    [("university", UNIVERSITY.network()), ("residential", RESIDENTIAL.network())]
}

/// The measured models of the paper's authors on the server, and a local model that takes this long.
pub fn world(sla: Micros, local: Latency) -> Result<World<32>, Box<dyn Error>> {
    let zoo = Zoo::shipped("p2")?;
    let named = || zoo.names.iter().zip(&zoo.profiles);
    let local_model =
        named().find(|(name, _)| *name == LOCAL_MODEL).ok_or("the zoo lacks the local model")?;
    let local = Profile::new(local_model.1.accuracy, local);
    let measured = named().filter(|(name, _)| *name != "nasnet_fictional").map(|(_, profile)| *profile);
    let index = Index::new(Catalog::new(measured)?, Policy::PAPER);
    Ok(World { index, local, sla })
}
