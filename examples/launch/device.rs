//! Duplication on the device, on networks of all kinds: `examples/programs/device`.

mod program;

fn main() -> std::process::ExitCode {
    program::run("device")
}
