//! Properties of every selection, on random cases. They are written in `support/invariants.rs`, which the fuzz targets
//! call too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod support;

use proptest::prelude::*;

use support::config;
use support::invariants::{self, for_every_invariant};
use support::strategies::cases;

/// A test an invariant, so that a failure names it.
macro_rules! tests {
    ($($invariant:ident)*) => {
        proptest! {
            #![proptest_config(config(2_000))]

            $(
                #[test]
                fn $invariant(case in cases()) {
                    invariants::$invariant(&case);
                }
            )*
        }
    };
}

for_every_invariant!(tests);
