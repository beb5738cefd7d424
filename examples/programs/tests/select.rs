//! The `select` example as its users meet it: what it prints, and how it refuses bad input.
//!
//! Regenerate the expected text with `UPDATE_EXPECTED=1 cargo test -p mdinference-examples --test select`.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::path::Path;

#[path = "../../../tests/support/expected.rs"]
mod expected;
#[path = "select/profiles.rs"]
mod profiles;
#[path = "support/transcript.rs"]
mod transcript;

/// Of runs among the files of this test.
fn transcripts(runs: &[(&str, &str)]) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/select");
    transcript::transcripts(env!("CARGO_BIN_EXE_select"), &directory, runs)
}

#[test]
fn answers() {
    expected::assert_expected(
        "select/answers.txt",
        &transcripts(&[
            ("--zoo zoos.csv:table3 --sla-ms 250 --input-ms 40", ""),
            ("--zoo zoos.csv:table3 --sla-ms 250 --input-ms 40 --seed 8 --json", ""),
            ("--zoo zoos.csv:c5 --sla-ms 250 --input-ms 40 --network-ms 97.5 --margin 0.5 --sharpness 9", ""),
            ("--zoo small.csv --sla-ms 100 --output-ms 10.25 --min-accuracy 60 --max-cost 3", ""),
            ("--zoo small.csv --sla-ms 100 --input-ms 10 --only fast,slow --without slow --json", ""),
            ("--zoo small.csv --sla-ms 100 --input-ms 10 --min-accuracy 99 --json", ""),
            ("--zoo small.csv --requests requests.csv", ""),
            ("--zoo small.csv --requests - --json", "network_ms,sla_ms\n80,250\n250,250\n"),
        ]),
    );
}

#[test]
fn refusals() {
    expected::assert_expected(
        "select/refusals.txt",
        &transcripts(&[
            ("", ""),
            ("--zoo nowhere.csv --sla-ms 250 --input-ms 40", ""),
            ("--zoo zoos.csv --sla-ms 250 --input-ms 40", ""),
            ("--zoo zoos.csv:none --sla-ms 250 --input-ms 40", ""),
            ("--zoo above.csv --sla-ms 250 --input-ms 40", ""),
            ("--zoo word.csv --sla-ms 250 --input-ms 40", ""),
            ("--zoo short.csv --sla-ms 250 --input-ms 40", ""),
            ("--zoo column.csv --sla-ms 250 --input-ms 40", ""),
            ("--zoo small.csv --sla-ms 250", ""),
            ("--zoo small.csv --sla-ms -250 --input-ms 40", ""),
            ("--zoo small.csv --sla-ms NaN --input-ms 40", ""),
            ("--zoo small.csv --sla-ms 1e9 --input-ms 40", ""),
            ("--zoo small.csv --sla-ms 250 --input-ms 40 --margin inf", ""),
            ("--zoo small.csv --sla-ms 250 --input-ms 40 --sharpness 0", ""),
            ("--zoo small.csv --sla-ms 250 --input-ms 40 --min-accuracy 101", ""),
            ("--zoo small.csv --sla-ms 250 --input-ms 40 --only nobody", ""),
            ("--zoo small.csv --requests nowhere.csv", ""),
            ("--zoo small.csv --requests -", "sla_ms,network_ms\n250,80\n250,-1\n"),
            ("--zoo small.csv --requests -", "sla_ms\n250\n"),
            ("--zoo small.csv --requests -", ""),
            ("--zoo small.csv --requests -", "sla_ms,network_ms\r\n\r\n# a comment\r\n  \r\n250,x\r\n"),
            ("--timings nowhere.csv", ""),
            ("--timings small.csv", ""),
            ("--timings -", "model,ms,correct,ms\nfast,1,1,1\n"),
            ("--timings -", "fast,1,1\nfast,2,1\n"),
            ("--timings -", "model,ms,correct\n\n"),
            ("--timings -", "model,ms,correct\n\n\nfast,1,1\n,1,1\n"),
            ("--timings -", "model,ms,correct\n\n\nfast,quick,1\n"),
            ("--timings -", "model,ms,correct\nfast,-1,1\n"),
            ("--timings -", "model,ms,correct\nfast,NaN,1\n"),
            ("--timings -", "model,ms,correct\nfast,1e10,1\n"),
            ("--timings -", "model,ms,correct\nfast,1,yes\n"),
            ("--timings -", "model,ms,correct\nfast,,1\n"),
            ("--timings -", "model,ms,correct\nfast,1,5,1\n"),
            ("--timings -", "model,ms,correct\nfast,1,1\nfas"),
            ("--timings - --csv", "model,ms\nfast,1\nfast,2\n"),
            ("--timings timings.csv --zoo small.csv", ""),
            ("--timings timings.csv --csv --json", ""),
            ("--timings timings.csv --csv --sla-ms 250 --input-ms 40", ""),
            ("--timings timings.csv --margin 2", ""),
            ("--timings timings.csv --sla-ms 250 --input-ms 40 --only once", ""),
            ("--timings - --requests -", ""),
            ("--zoo small.csv --csv --sla-ms 250 --input-ms 40", ""),
        ]),
    );
}
