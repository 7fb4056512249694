//! The command line.

mod flags;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, FromArgMatches, Parser, Subcommand, ValueEnum};

pub use self::flags::command;
use crate::backfill;
use crate::config::Shard;
use crate::failure::Failure;
use crate::secret::{is_secret_as_path, looks_secret};
use crate::web::ListenAddress;

/// The port that the exporter listens on by default.
pub const DEFAULT_PORT: u16 = 9963;

/// A Prometheus exporter for Wolkvox contact centres.
///
/// Without a command, runs the exporter, configured by a file or by the environment (WOLKVOX_SERVER, WOLKVOX_TOKEN
/// or WOLKVOX_TOKEN_FILE, WOLKVOX_TIMEZONE, WOLKVOX_OPERATION).
#[derive(Debug, Parser)]
#[expect(
    clippy::doc_markdown,
    reason = "this is the text of --help, where backticks would show"
)]
#[command(version = VERSION, name = "wolkvox_exporter")]
pub struct Arguments {
    /// The command; without one, the exporter runs.
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

/// The flags of the exporter. Each command has those that it uses: see [`command`].
#[derive(Args, Debug)]
pub struct Flags {
    /// Configuration file, or a folder of them; may be repeated. [default: ./wolkvox.yml if it exists]
    #[arg(long = "config.file", value_name = "FILE")]
    pub config_files: Vec<PathBuf>,
    /// Address to listen on; may be repeated. [default: :9963]
    #[arg(long = "web.listen-address", value_name = "HOST:PORT")]
    pub listen_addresses: Vec<ListenAddress>,
    /// Path of the metrics.
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value = "/metrics", value_parser = telemetry_path)]
    pub telemetry_path: String,
    /// Allow reloading the configuration with POST or PUT to /-/reload; SIGHUP always works.
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,
    /// Web configuration file for TLS and passwords, in the format of Prometheus's exporter-toolkit.
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,
    /// Answer /-/healthy and /-/ready without a password.
    #[arg(long = "web.health-without-auth")]
    pub health_without_auth: bool,
    /// Folder of the state, one file per operation; overrides the configuration.
    #[arg(long = "state.path", value_name = "DIR")]
    pub state_path: Option<PathBuf>,
    /// Number of this shard, from 0 on, or a name that ends in it, such as a pod's. [default: 0]
    #[arg(long = "shard.index", value_name = "INDEX", value_parser = Shard::parse_index)]
    pub shard_index: Option<u16>,
    /// Number of shards that share the operations of one configuration; each polls some. [default: 1]
    #[arg(long = "shard.total", value_name = "NUMBER")]
    pub shard_total: Option<u16>,
    /// Lowest level to log. [default: info; warn for the demo]
    #[arg(long = "log.level", value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,
    /// Format of the log.
    #[arg(long = "log.format", value_name = "FORMAT", default_value = "logfmt")]
    pub log_format: LogFormat,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the configuration. Exits with 0, or with 1 and all mistakes with their lines.
    CheckConfig {
        /// Configuration files, instead of --config.file.
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Read each configured report once and print what the API answered. Exits with 0, or with 1 if any failed. Changes
    /// no state.
    CheckApi {
        /// Read only this operation; may be repeated.
        #[arg(long = "operation", value_name = "NAME")]
        operations: Vec<String>,
        /// Read only this report; may be repeated.
        #[arg(long = "report", value_name = "NAME")]
        reports: Vec<String>,
        /// Also print what values look like, without showing them: digits as 9, letters as a.
        #[arg(long)]
        shapes: bool,
    },
    /// Print the configuration in effect: defaults merged, all values of all reports, no secrets.
    Config,
    /// Ask the exporter on this machine whether it is alive. Exits with 0, or with 1 and the reason. For containers without a
    /// shell.
    Health,
    /// Print the hash of a password for the web configuration. Asks for it, or reads a line from standard input.
    HashPassword {
        /// Print the line of this user for `basic_auth_users`.
        user: Option<String>,
    },
    /// Export the history before live counting began, as OpenMetrics for promtool. Exits with 0 when complete, otherwise
    /// with 1; run it again to resume.
    Backfill(backfill::Options),
    /// Run the exporter with an embedded simulator; needs no account.
    Demo {
        /// Seed of the simulated contact centres.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Run only the simulator of the Wolkvox API.
    Simulator {
        /// Seed of the simulated contact centres.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

/// Lowest level to log.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[expect(missing_docs, reason = "the names are self-explanatory")]
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
    /// One JSON object per line.
    Json,
}

/// Reads the command line, whose first item is the program. Ends the process after help, the version or an error of usage.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, Failure> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // First of all, since errors of usage repeat what was written.
    refuse_secrets(&arguments).map_err(Failure::Usage)?;
    let mut command = command();
    let matches = command
        .try_get_matches_from_mut(arguments)
        .unwrap_or_else(|wrong| wrong.exit());
    flags::refuse_strangers(&command, &matches).map_err(Failure::Usage)?;
    Ok(Arguments::from_arg_matches(&matches).unwrap_or_else(|wrong| wrong.format(&mut command).exit()))
}

/// Refuses a command line with something that looks like a secret. It is not repeated.
pub fn refuse_secrets(arguments: &[OsString]) -> Result<(), String> {
    let texts: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    for (place, text) in texts.iter().enumerate().skip(1) {
        let (flag, value) = match text.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (Some(flag), value),
            _ => (None, &**text),
        };
        let name = flag.filter(|flag| !looks_secret(flag));
        // Most values are no paths; those that are may be of a file that exists.
        if is_secret_as_path(Path::new(value)) || flag.is_some() && name.is_none() {
            let before = &texts[place - 1];
            let what = match name {
                Some(flag) => format!("the value of {flag}"),
                None if before.starts_with("--") && !before.contains('=') => format!("the argument after {before}"),
                None => format!("argument {place}"),
            };
            return Err(format!(
                "{what} looks like a secret, and is not repeated: other users of this machine can see it in the list of processes, \
                 so put a token into a file of its own, and the path of that file into `token_file` of the configuration"
            ));
        }
    }
    Ok(())
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

    /// The shard of this process. An error says what is wrong with the flags.
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
        return Err("a path starts with / and contains only letters, digits and -_.~/".to_owned());
    }
    if text.starts_with("/-/") {
        return Err("paths below /-/ are reserved for the exporter".to_owned());
    }
    Ok(text.to_owned())
}
