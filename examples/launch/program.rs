//! The programs are in a package of their own, so that what only they need isn't built for `cargo test`.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::{Command, ExitCode};

/// Builds a program of that package, for speed, and runs it with the same arguments.
pub(crate) fn run(name: &str) -> ExitCode {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/programs/Cargo.toml");
    if !Path::new(manifest).exists() {
        eprintln!("error: '{name}' is not in this copy of the project, for there is no {manifest}");
        return ExitCode::FAILURE;
    }
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.args(["run", "--release", "--manifest-path", manifest, "--bin", name]);
    // What it builds is of interest to somebody who waits for it.
    if !io::stderr().is_terminal() {
        cargo.arg("--quiet");
    }
    match cargo.arg("--").args(env::args_os().skip(1)).status() {
        Ok(status) => {
            status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Err(error) => {
            eprintln!("error: cargo can't be run: {error}");
            ExitCode::FAILURE
        }
    }
}
