//! A queue under load: what waits, what is run and on which model, what it costs those behind, and what is learnt of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic
)]

#[path = "operations/queue.rs"]
mod operations;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_operations_breaks_a_promise(bytes in prop::collection::vec(any::<u8>(), 0..1_500)) {
        let said = operations::run(&bytes);
        prop_assert_eq!(operations::run(&bytes), said, "the same again is otherwise");
    }
}
