//! The `select` example as its users meet it: what it prints, and how it refuses bad input.
//!
//! Regenerate the expected text with `UPDATE_EXPECTED=1 cargo test --test select`.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

#[path = "support/expected.rs"]
mod expected;

/// The example, brought up to date first: `cargo test` does so by itself, `cargo test --test select` does not.
fn example() -> &'static Path {
    static EXAMPLE: LazyLock<PathBuf> = LazyLock::new(|| {
        let release: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };
        let build = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--example", "select"])
            .args(release)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(build.expect("cargo runs").success(), "the example does not build");
        // Tests are in `deps` of the folder that has `examples`.
        let test = std::env::current_exe().expect("a test has a path");
        let folder = test.ancestors().nth(2).expect("two folders up");
        folder.join("examples").join(format!("select{}", std::env::consts::EXE_SUFFIX))
    });
    &EXAMPLE
}

/// The command, what it printed to both streams, and its exit code.
fn transcript(arguments: &[&str], input: &str) -> String {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/select");
    let mut child = Command::new(example())
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example is there");
    let written = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the example ends");
    // It may refuse its arguments before it reads anything.
    assert!(written.is_ok() || !output.status.success());
    format!(
        "$ select {}\n{}{}exit {}\n\n",
        arguments.join(" "),
        String::from_utf8(output.stdout).expect("text"),
        String::from_utf8(output.stderr).expect("text"),
        output.status.code().expect("an exit code"),
    )
}

fn transcripts(runs: &[(&str, &str)]) -> String {
    let run = |(arguments, input): &(&str, &str)| {
        transcript(&arguments.split_whitespace().collect::<Vec<_>>(), input)
    };
    runs.iter().map(run).collect()
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
        ]),
    );
}
