//! Examples as their users meet them: what they print, and how they end.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// For each run of an example in a directory, by its arguments and its input: the command, what it printed to
/// both streams, and its exit code.
pub fn transcripts(example: &str, directory: &Path, runs: &[(&str, &str)]) -> String {
    let program = build(example);
    let run = |&(arguments, input): &(&str, &str)| {
        let mut command = Command::new(&program);
        command.args(arguments.split_whitespace()).current_dir(directory);
        format!("$ {example} {arguments}\n{}\n", outcome(&mut command, input))
    };
    runs.iter().map(run).collect()
}

/// A directory of its own for a test of an example, as figures are left in it.
#[allow(dead_code, reason = "not every example leaves figures")]
pub fn directory(example: &str, test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(example).join(test);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// [`transcripts`] of runs that read nothing.
#[allow(dead_code, reason = "not every example reads nothing")]
pub fn without_input(example: &str, directory: &Path, arguments: &[&str]) -> String {
    let runs: Vec<_> = arguments.iter().map(|arguments| (*arguments, "")).collect();
    transcripts(example, directory, &runs)
}

/// The example, brought up to date first: `cargo test` does so by itself, `cargo test --test NAME` does not.
fn build(example: &str) -> PathBuf {
    let release: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };
    let build = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--example", example])
        .args(release)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(build.expect("cargo runs").success(), "the example does not build");
    // Tests are in `deps` of the folder that has `examples`.
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.ancestors().nth(2).expect("two folders up");
    folder.join("examples").join(format!("{example}{}", std::env::consts::EXE_SUFFIX))
}

fn outcome(command: &mut Command, input: &str) -> String {
    let mut child = command
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
        "{}{}exit {}\n",
        String::from_utf8(output.stdout).expect("text"),
        String::from_utf8(output.stderr).expect("text"),
        output.status.code().expect("an exit code"),
    )
}
