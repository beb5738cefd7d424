//! Any operations on a queue, with its promises checked after each.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/operations/queue.rs"]
#[allow(dead_code)]
mod operations;

fuzz_target!(|bytes: &[u8]| drop(operations::run(bytes)));
