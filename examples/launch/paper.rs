//! Replays the evaluation of the paper: `examples/programs/paper`.

mod program;

fn main() -> std::process::ExitCode {
    program::run("paper")
}
