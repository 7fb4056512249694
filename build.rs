//! Puts the compiler and the revision into the build, for `--version` and `wolkvox_exporter_build_info`.

use std::process::Command;

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = output(&rustc, &["--version"]).and_then(|text| Some(text.split(' ').nth(1)?.to_owned()));
    let revision = output("git", &["rev-parse", "--short=12", "HEAD"]);
    println!(
        "cargo::rustc-env=BUILD_RUSTC={}",
        version.as_deref().unwrap_or("unknown")
    );
    println!(
        "cargo::rustc-env=BUILD_REVISION={}",
        revision.as_deref().unwrap_or("unknown")
    );
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=.git/logs/HEAD");
}

/// What a command printed, or `None` when it is not there or failed: a build from a tarball has no revision.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
