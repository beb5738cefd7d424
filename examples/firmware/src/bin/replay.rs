//! Makes the decisions of a list again, or writes a new one, on anything that has files.
//!
//! ```text
//! replay LIST            exit status 1 if anything is another
//! replay --write LIST
//! ```

use std::env;
use std::fmt::Write;
use std::fs;
use std::process::ExitCode;

use mdinference_firmware::replay::{HEADER, Replayed, replay, rows};

const USAGE: &str = "usage: replay [--write] LIST";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--write", path] => write(path),
        [path] if !path.starts_with('-') => check(path),
        ["--help"] => Ok(USAGE.to_owned()),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn check(path: &str) -> Result<String, String> {
    let list = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let Replayed { lines, zoos } = replay(&list).map_err(|difference| difference.to_string())?;
    Ok(format!("{lines} decisions of {zoos} zoos are the same"))
}

fn write(path: &str) -> Result<String, String> {
    let mut list = format!("{HEADER}\n");
    for row in rows() {
        let _ = writeln!(list, "{row}");
    }
    fs::write(path, &list).map_err(|error| format!("{path}: {error}"))?;
    Ok(format!("{} decisions are in {path}", list.lines().count() - 1))
}
