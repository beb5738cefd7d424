//! What the tests share. The fuzz targets include most of it too.

#![allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]

pub mod agreement;
pub mod case;
pub mod expected;
pub mod invariants;
pub mod oracle;
pub mod strategies;

use proptest::test_runner::Config;

/// So many random cases, or as many as `PROPTEST_CASES` says.
pub fn config(cases: u32) -> Config {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let default = Config::default();
    let cases = if asked { default.cases } else { cases };
    // Miri has no files.
    let failure_persistence = if cfg!(miri) { None } else { default.failure_persistence };
    Config { cases, failure_persistence, ..default }
}
