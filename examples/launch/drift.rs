//! A server whose models slow down, stall or get worse: `examples/drift`.

mod program;

fn main() -> std::process::ExitCode {
    program::run("drift")
}
