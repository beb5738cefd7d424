//! The `subset` example as its users meet it: what it prints, and how it refuses bad input.
//!
//! Regenerate the expected text with `UPDATE_EXPECTED=1 cargo test -p mdinference-examples --test subset`. It is of the
//! network of Section V alone, so that it does not depend on what the two others are taken to be.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects
)]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../../tests/support/expected.rs"]
mod expected;
#[path = "support/transcript.rs"]
mod transcript;

/// With a small zoo in it.
fn directory(test: &str) -> PathBuf {
    let directory = transcript::directory("subset", test);
    let small = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/select/small.csv");
    fs::copy(small, directory.join("small.csv")).unwrap();
    directory
}

fn transcripts(directory: &Path, arguments: &[&str]) -> String {
    transcript::without_input(env!("CARGO_BIN_EXE_subset"), directory, arguments)
}

#[test]
fn answers() {
    let directory = directory("answers");
    expected::assert_expected(
        "subset/answers.txt",
        &transcripts(
            &directory,
            &[
                "--zoo small.csv --network normal --sla-ms 50,150 --within 5 --out figures",
                "--zoo small.csv --network normal --sla-ms 0 --out figures",
                "--network normal --margin 3 --json --out figures",
            ],
        ),
    );
    assert!(fs::read_to_string(directory.join("figures/subset.svg")).unwrap().starts_with("<svg"));
}

#[test]
fn refusals() {
    let directory = directory("refusals");
    expected::assert_expected(
        "subset/refusals.txt",
        &transcripts(
            &directory,
            &[
                "--zoo nowhere.csv",
                "--zoo zoos.csv",
                "--zoo small.csv --sla-ms 100,-1",
                "--zoo small.csv --within 101",
                "--zoo small.csv --margin 1001",
                "--zoo small.csv --network moon",
            ],
        ),
    );
}
