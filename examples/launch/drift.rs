//! A server whose models slow down, stall or get worse: `examples/programs/drift`.

mod program;

fn main() -> std::process::ExitCode {
    program::run("drift")
}
