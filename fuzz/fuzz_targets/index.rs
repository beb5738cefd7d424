//! Whole questions to one index under any updates, against the plain scan.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/operations/index.rs"]
#[allow(dead_code)]
mod operations;
#[path = "../../tests/support"]
#[allow(dead_code, unused_imports)]
mod support {
    pub mod case;
    pub mod invariants;
}

fuzz_target!(|bytes: &[u8]| operations::run(bytes));
