//! How few models are enough: `examples/programs/subset`.

mod program;

fn main() -> std::process::ExitCode {
    program::run("subset")
}
