//! Any bytes, read by what the examples read their input with.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../examples/programs/load/arrivals.rs"]
#[allow(dead_code)]
mod arrivals;
#[path = "../../examples/programs/select/caution.rs"]
mod caution;
#[path = "../../examples/programs/select/estimate.rs"]
mod estimate;
#[path = "../../examples/programs/load/measures.rs"]
#[allow(dead_code)]
mod measures;
#[path = "../../examples/programs/support/network.rs"]
#[allow(dead_code)]
mod network;
#[path = "../../examples/programs/tests/operations/readers.rs"]
mod operations;
#[path = "../../examples/programs/select/profiles.rs"]
mod profiles;
#[path = "../../examples/programs/select/requests.rs"]
mod requests;
#[path = "../../examples/programs/drift/scenario.rs"]
#[allow(dead_code)]
mod scenario;
#[path = "../../examples/programs/load/setting.rs"]
#[allow(dead_code)]
mod setting;
#[path = "../../examples/programs/support/table.rs"]
mod table;
#[path = "../../examples/programs/select/timings.rs"]
mod timings;
#[path = "../../examples/programs/load/world.rs"]
#[allow(dead_code)]
mod world;
#[path = "../../examples/programs/support/zoo.rs"]
#[allow(dead_code)]
mod zoo;

fuzz_target!(|bytes: &[u8]| operations::run(bytes));
