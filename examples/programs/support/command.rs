//! What the command-line examples share: numbers from arguments, and errors of one line with the exit code 2.

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use clap::Parser;
use mdinference::{Accuracy, Margin, Micros, NumberError};

use crate::zoo::BadInput;

pub fn millis(text: &str) -> Result<Micros, String> {
    checked(text, Micros::try_from_millis, &format!("is longer than {}", Micros::MAX))
}

pub fn margin(text: &str) -> Result<Margin, String> {
    checked(text, Margin::new, "is above 1000")
}

pub fn percent(text: &str) -> Result<Accuracy, String> {
    checked(text, Accuracy::from_percent, "is above 100")
}

pub fn checked<T>(text: &str, new: fn(f64) -> Result<T, NumberError>, too_large: &str) -> Result<T, String> {
    let number = text.trim().parse().map_err(|_| "is not a number".to_owned())?;
    new(number).map_err(|error| match error {
        NumberError::TooLarge => too_large.to_owned(),
        error => error.to_string(),
    })
}

/// What stops an example.
pub enum Failure {
    Input(BadInput),
    Output(io::Error),
}

impl From<BadInput> for Failure {
    fn from(bad: BadInput) -> Self {
        Self::Input(bad)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Runs an example on its arguments.
pub fn main<Arguments: Parser>(run: impl FnOnce(&Arguments) -> Result<(), Failure>) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            // Clap's message without its hints: one line that says what is wrong.
            let message = error.to_string();
            let lines = message.split("\n\n").next().unwrap_or_default().lines();
            eprintln!("{}", lines.map(str::trim).collect::<Vec<_>>().join(" "));
            return ExitCode::from(2);
        }
        Err(help) => help.exit(),
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough.
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Output(error)) => {
            eprintln!("error: the output can't be written: {error}");
            ExitCode::FAILURE
        }
        Err(Failure::Input(bad)) => {
            eprintln!("error: {bad}");
            ExitCode::from(2)
        }
    }
}
