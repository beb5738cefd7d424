//! A queue under load: what waits, what is run and on which model, what it costs those behind, and what is learnt of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic
)]

#[path = "queue/learning.rs"]
mod learning;
#[path = "queue/load.rs"]
mod load;
#[path = "operations/queue.rs"]
mod operations;
#[path = "queue/order.rs"]
mod order;
#[path = "queue/price.rs"]
mod price;
mod support;
#[path = "support/table3.rs"]
mod table3;
#[path = "queue/world.rs"]
mod world;

use mdinference::load::Settings;
use proptest::prelude::*;

use crate::world::{Thousand, accuracy, config, drawn, index, poisson, run};

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn no_sequence_of_operations_breaks_a_promise(bytes in prop::collection::vec(any::<u8>(), 0..1_500)) {
        let said = operations::run(&bytes);
        prop_assert_eq!(operations::run(&bytes), said, "the same again is otherwise");
    }
}

/// Table III without the fictional model, one worker, 250 ms with a network of 100 ± 50 ms: the accuracy of all that come.
#[test]
fn a_price_of_time_is_worth_points() {
    for (rate, gain) in [(40.0, 1.5), (160.0, 6.0)] {
        let arrivals = poisson(4_000, rate, 1);
        let [priced, without] = [true, false].map(|priced| {
            let mut queue =
                Thousand::new(Settings::DEFAULT.with_priced(priced)).with_workers(1).with_max_batch(1);
            accuracy(&arrivals, &run(&mut queue, &mut index(), &arrivals, drawn(2)))
        });
        assert!(priced > without + gain, "at {rate} a second: {priced:.1} against {without:.1}");
    }
}
