//! Where the linker finds the board's memory, and which list of decisions the board replays.

use std::env;

fn main() {
    let package = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rerun-if-env-changed=DECISIONS");
    let list = env::var("DECISIONS").unwrap_or(format!("{package}/decisions.csv"));
    println!("cargo:rustc-env=DECISIONS={list}");
    if env::var_os("CARGO_FEATURE_BOARD").is_some() {
        println!("cargo:rustc-link-search={package}");
        println!("cargo:rustc-link-arg-bins=-Tlink.x");
        println!("cargo:rustc-link-arg-bins=--nmagic");
    }
}
