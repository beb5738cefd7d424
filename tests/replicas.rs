//! What replicas of a server tell each other: case by case in `server.rs`, here in any order.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[path = "operations/replicas.rs"]
mod operations;
mod support;

use proptest::prelude::*;

use support::config;

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn no_sequence_of_operations_breaks_a_promise(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        operations::run(&bytes);
    }
}
