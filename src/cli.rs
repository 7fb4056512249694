//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::backfill;
use crate::config::Shard;
use crate::web::ListenAddress;

/// Where the exporter listens unless told otherwise.
pub const DEFAULT_PORT: u16 = 9963;

/// A Prometheus exporter for Wolkvox contact centres.
///
/// Without a command it runs as an exporter, configured by a file or by the environment (WOLKVOX_SERVER, WOLKVOX_TOKEN
/// or WOLKVOX_TOKEN_FILE, WOLKVOX_TIMEZONE, WOLKVOX_OPERATION).
#[derive(Debug, Parser)]
#[expect(
    clippy::doc_markdown,
    reason = "this is the text of --help, where backticks would show"
)]
#[command(version = VERSION, name = "wolkvox_exporter")]
pub struct Arguments {
    /// What to do instead of exporting.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags of the exporter.
    #[command(flatten)]
    pub flags: Flags,
}

const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (revision ",
    env!("BUILD_REVISION"),
    ", rustc ",
    env!("BUILD_RUSTC"),
    ")"
);

/// Flags that every command takes.
#[derive(Args, Debug)]
pub struct Flags {
    /// Configuration file; ./wolkvox.yml if there is one.
    #[arg(long = "config.file", value_name = "FILE", global = true)]
    pub config_file: Option<PathBuf>,
    /// Address to listen on; may be given several times. [default: :9963]
    #[arg(long = "web.listen-address", value_name = "HOST:PORT", global = true)]
    pub listen_addresses: Vec<ListenAddress>,
    /// Path of the metrics.
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value = "/metrics", value_parser = telemetry_path, global = true)]
    pub telemetry_path: String,
    /// Allow a reload of the configuration by POST or PUT of /-/reload; SIGHUP always does it.
    #[arg(long = "web.enable-lifecycle", global = true)]
    pub enable_lifecycle: bool,
    /// Web configuration file, for TLS and passwords: the schema of Prometheus's exporter-toolkit.
    #[arg(long = "web.config.file", value_name = "FILE", global = true)]
    pub web_config_file: Option<PathBuf>,
    /// Answer /-/healthy and /-/ready without a password.
    #[arg(long = "web.health-without-auth", global = true)]
    pub health_without_auth: bool,
    /// Folder of the state, one file per operation; beats the one of the configuration.
    #[arg(long = "state.path", value_name = "DIR", global = true)]
    pub state_path: Option<PathBuf>,
    /// Which of the shards this is: a number from 0 on, or a name that ends in one, such as a pod's. [default: 0]
    #[arg(long = "shard.index", value_name = "INDEX", value_parser = Shard::parse_index, global = true)]
    pub shard_index: Option<u16>,
    /// Number of processes that share the operations of one configuration; each is polled by one of them. [default: 1]
    #[arg(long = "shard.total", value_name = "NUMBER", global = true)]
    pub shard_total: Option<u16>,
    /// Least level of what is logged.
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "info", global = true)]
    pub log_level: LogLevel,
    /// Format of the log.
    #[arg(long = "log.format", value_name = "FORMAT", default_value = "logfmt", global = true)]
    pub log_format: LogFormat,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Checks a configuration file: exits with 0, or with 1 and every mistake with its line.
    CheckConfig {
        /// The file.
        file: PathBuf,
    },
    /// Asks each configured report once and says what came: exits with 0, or with 1 if any failed. Changes no state.
    CheckApi {
        /// Also print what values look like, without the values: digits as 9, letters as a.
        #[arg(long)]
        shapes: bool,
    },
    /// Writes what was before live counting, as OpenMetrics for promtool: exits with 0, or with 1 if it did not come to
    /// its end, and goes on when it is run again.
    Backfill(backfill::Options),
    /// Runs the exporter against an embedded simulator: no account needed.
    Demo {
        /// Seed of the simulated contact centres.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Runs the simulator of the Wolkvox API alone.
    Simulator {
        /// Seed of the simulated contact centres.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

/// Least level of what is logged.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Format of the log.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// `key=value` pairs.
    Logfmt,
    /// A JSON object a line.
    Json,
}

impl Flags {
    /// The addresses to listen on.
    pub fn listen_addresses_or(&self, default_port: u16) -> Vec<ListenAddress> {
        if self.listen_addresses.is_empty() {
            vec![ListenAddress::every_address(default_port)]
        } else {
            self.listen_addresses.clone()
        }
    }

    /// Which shard this is. An error says what is wrong with the flags.
    pub fn shard(&self) -> Result<Shard, String> {
        if self.shard_index.is_some() && self.shard_total.is_none() {
            return Err("--shard.index needs --shard.total, the number of shards".to_owned());
        }
        let (index, total) = (self.shard_index.unwrap_or(0), self.shard_total.unwrap_or(1));
        Shard::new(index, total).map_err(|wrong| format!("--shard.index={index} --shard.total={total}: {wrong}"))
    }
}

fn telemetry_path(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    if !text.starts_with('/') || !text.bytes().all(plain) {
        return Err("a path begins with / and has letters, digits and -_.~/ only".to_owned());
    }
    if text.starts_with("/-/") {
        return Err("paths below /-/ are the exporter's own".to_owned());
    }
    Ok(text.to_owned())
}
