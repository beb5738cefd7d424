//! Examples as their users meet them: what they print, and how they end.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// For each run of a program in a directory, by its arguments and its input: the command, what it printed to both
/// streams, and its exit code.
pub fn transcripts(program: &str, directory: &Path, runs: &[(&str, &str)]) -> String {
    let name = Path::new(program).file_stem().expect("a name").to_string_lossy();
    let run = |&(arguments, input): &(&str, &str)| {
        let mut command = Command::new(program);
        command.args(arguments.split_whitespace()).current_dir(directory);
        format!("$ {name} {arguments}\n{}\n", outcome(&mut command, input))
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
pub fn without_input(program: &str, directory: &Path, arguments: &[&str]) -> String {
    let runs: Vec<_> = arguments.iter().map(|arguments| (*arguments, "")).collect();
    transcripts(program, directory, &runs)
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
