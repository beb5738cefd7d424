//! A server under load, in virtual time.

#![allow(
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::panic
)]

mod arrivals;
mod measures;
#[path = "../support/network.rs"]
#[allow(dead_code, reason = "shared with the other examples")]
mod network;
mod policies;
mod setting;
mod waiting;
mod world;
#[path = "../support/zoo.rs"]
#[allow(dead_code, reason = "shared with the other examples")]
mod zoo;

use arrivals::{Process, arrivals};
use setting::Setting;
use zoo::Zoo;

fn main() {
    let zoo = Zoo::shipped("table3").expect("it is there");
    for rate in [5.0, 10.0, 20.0, 40.0, 80.0, 160.0] {
        let setting = Setting {
            zoo: &zoo,
            sla: 250_000,
            workers: 1,
            max_batch: 1,
            growth: 0.15,
            rate,
            late_worth: 0.0,
            seed: 20,
        };
        let arrivals = arrivals(&setting, &Process::Poisson, 60_000, setting.seed);
        for row in policies::shared(&zoo.names) {
            let measures = world::serve(&setting, &arrivals, setting.workers, &mut *row.policy(&setting));
            println!(
                "{{\"policy\": {:?}, \"rate\": {rate}, \"effective_accuracy\": {:.2}, \"late_pct\": {:.2}}}",
                row.name, measures.effective_accuracy, measures.late_pct
            );
        }
    }
}
