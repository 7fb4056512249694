//! Puts the compiler and the revision into the build, for `--version` and `wolkvox_exporter_build_info`.

use std::path::Path;
use std::process::Command;

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = output(&rustc, &["--version"]).and_then(|text| Some(text.split(' ').nth(1)?.to_owned()));
    // Where a build has no repository, whoever starts it says what it builds: so does the Dockerfile.
    let told = std::env::var("REVISION").ok().filter(|revision| !revision.is_empty());
    let revision = told.or_else(|| output("git", &["rev-parse", "--short=12", "HEAD"]));
    println!(
        "cargo::rustc-env=BUILD_RUSTC={}",
        version.as_deref().unwrap_or("unknown")
    );
    println!(
        "cargo::rustc-env=BUILD_REVISION={}",
        revision.as_deref().unwrap_or("unknown")
    );
    println!("cargo::rerun-if-env-changed=REVISION");
    println!("cargo::rerun-if-changed=build.rs");
    // A file that is not there would make every build a new one.
    if Path::new(".git/logs/HEAD").exists() {
        println!("cargo::rerun-if-changed=.git/logs/HEAD");
    }
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
