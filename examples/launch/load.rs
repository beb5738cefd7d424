//! A server under load: `examples/load`.

mod program;

fn main() -> std::process::ExitCode {
    program::run("load")
}
