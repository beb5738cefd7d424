//! A server under load: `examples/programs/load`.

mod program;

fn main() -> std::process::ExitCode {
    program::run("load")
}
