//! The commands, one file each, and what they share.

pub(crate) mod backfill;
pub(crate) mod check_api;
pub(crate) mod check_config;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod export;
pub(crate) mod hash_password;
pub(crate) mod health;
mod server;
pub(crate) mod simulator;

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context;
use wolkvox_exporter::cli::Flags;
use wolkvox_exporter::config::{Config, ConfigError, Shard};
use wolkvox_exporter::failure::Failure;

/// How long blocking work may take after the command has ended.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// Runs the asynchronous part of a command.
fn block_on(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    // Fails only if a provider is installed already; ring is the only one compiled in.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().context("the asynchronous runtime cannot be started")?;
    let result = runtime.block_on(command);
    // A hanging disk or name server must not keep the process alive.
    runtime.shutdown_timeout(SHUTDOWN);
    result
}

/// Reads the configuration that the flags name, and applies the flags that override it.
fn read_config(flags: &Flags, shard: Shard) -> Result<Config, ConfigError> {
    let mut config = Config::find(&flags.config_files, &environment)?;
    config.state_path = flags.state_path.clone().or(config.state_path);
    config.keep(shard);
    Ok(config)
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn print(text: &str) -> anyhow::Result<()> {
    io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")
}
