//! Any bytes, read by what the examples read their input with.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../examples/load/arrivals.rs"]
#[allow(dead_code)]
mod arrivals;
#[path = "../../examples/select/caution.rs"]
mod caution;
#[path = "../../examples/select/estimate.rs"]
mod estimate;
#[path = "../../examples/load/measures.rs"]
#[allow(dead_code)]
mod measures;
#[path = "../../examples/support/network.rs"]
#[allow(dead_code)]
mod network;
#[path = "../../examples/tests/operations/readers.rs"]
mod operations;
#[path = "../../examples/select/profiles.rs"]
mod profiles;
#[path = "../../examples/select/requests.rs"]
mod requests;
#[path = "../../examples/drift/scenario.rs"]
#[allow(dead_code)]
mod scenario;
#[path = "../../examples/load/setting.rs"]
#[allow(dead_code)]
mod setting;
#[path = "../../examples/support/table.rs"]
mod table;
#[path = "../../examples/select/timings.rs"]
mod timings;
#[path = "../../examples/load/world.rs"]
#[allow(dead_code)]
mod world;
#[path = "../../examples/support/zoo.rs"]
#[allow(dead_code)]
mod zoo;

fuzz_target!(|bytes: &[u8]| operations::run(bytes));
