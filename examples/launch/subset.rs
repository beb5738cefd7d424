//! How few models are enough: `examples/subset`.

mod program;

fn main() -> std::process::ExitCode {
    program::run("subset")
}
