//! Any bytes, read with serde as anything that may be written.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/operations/written.rs"]
#[allow(dead_code)]
mod operations;

fuzz_target!(|bytes: &[u8]| operations::run(bytes));
