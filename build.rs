//! Puts the compiler and the revision into the build, for `--version` and `wolkvox_exporter_build_info`, and sets up glibc.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=REVISION");
    // From the environment and not from git: otherwise every commit would compile the crate and link all tests again.
    let revision = std::env::var("REVISION").ok().filter(|revision| !revision.is_empty());
    println!("cargo::rustc-env=BUILD_REVISION={}", or_unknown(revision));
    println!("cargo::rustc-env=BUILD_RUSTC={}", or_unknown(rustc_version()));
    give_memory_back();
}

/// Links `src/memory.c` into the program, where the C library is glibc.
fn give_memory_back() {
    println!("cargo::rerun-if-changed=src/memory.c");
    if std::env::var("CARGO_CFG_TARGET_ENV").as_deref() != Ok("gnu") {
        return;
    }
    for object in cc::Build::new().file("src/memory.c").compile_intermediates() {
        println!("cargo::rustc-link-arg-bins={}", object.display());
    }
}

fn or_unknown(text: Option<String>) -> String {
    text.unwrap_or_else(|| "unknown".to_owned())
}

/// Such as `1.95.0`.
fn rustc_version() -> Option<String> {
    let output = Command::new(std::env::var_os("RUSTC")?)
        .arg("--version")
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.split_whitespace().nth(1)?.to_owned())
}
