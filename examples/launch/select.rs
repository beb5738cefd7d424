//! Tries the selector on a zoo of your own, and explains the answer: `examples/programs/select`.

mod program;

fn main() -> std::process::ExitCode {
    program::run("select")
}
