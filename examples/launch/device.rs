//! Duplication on the device, on networks of all kinds: `examples/device`.

mod program;

fn main() -> std::process::ExitCode {
    program::run("device")
}
