//! What replicas of a server tell each other, in any order: in the end all know the same.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/operations/replicas.rs"]
#[allow(dead_code)]
mod operations;

fuzz_target!(|bytes: &[u8]| operations::run(bytes));
