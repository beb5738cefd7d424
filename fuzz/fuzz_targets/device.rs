//! Any operations on a device, with its promises checked after each.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/operations/device.rs"]
#[allow(dead_code)]
mod operations;

fuzz_target!(|bytes: &[u8]| operations::run_bytes(bytes));
