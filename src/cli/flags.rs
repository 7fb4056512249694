//! Which flags each command has.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory};

use super::Arguments;

/// Commands about the configured exporter. They may stand behind its own command line, as in the unit of a service; what
/// they do not use of it has no effect.
const OF_THE_EXPORTER: [&str; 5] = ["check-config", "check-api", "config", "health", "backfill"];

/// The flags that a command uses, by its name.
fn used_by(command: &str) -> &'static [&'static str] {
    match command {
        "check-config" => &[
            "config.file",
            "state.path",
            "shard.total",
            "web.config.file",
            "log.level",
            "log.format",
        ],
        "check-api" => &["config.file", "shard.index", "shard.total", "log.level", "log.format"],
        "config" => &[
            "config.file",
            "state.path",
            "shard.index",
            "shard.total",
            "log.level",
            "log.format",
        ],
        "health" => &["web.listen-address", "log.level", "log.format"],
        "backfill" => &[
            "config.file",
            "state.path",
            "shard.index",
            "shard.total",
            "log.level",
            "log.format",
        ],
        "demo" => &[
            "web.listen-address",
            "web.telemetry-path",
            "web.enable-lifecycle",
            "web.config.file",
            "web.health-without-auth",
            "state.path",
            "shard.index",
            "shard.total",
            "log.level",
            "log.format",
        ],
        "simulator" => &["web.listen-address", "log.level", "log.format"],
        _ => &[],
    }
}

/// What a flag means to a command, where that is not what it means to the exporter.
fn help(command: &str, flag: &str) -> Option<&'static str> {
    match (command, flag) {
        ("demo", "state.path") => {
            Some("Folder of the state, one file per operation; without it, counts start from 0 at every start")
        }
        ("demo", "log.level") => Some("Lowest level to log. [default: warn]"),
        (_, "log.level") => Some("Lowest level to log. [default: info]"),
        ("health", "web.listen-address") => Some("Address of the exporter; of several, the first. [default: :9963]"),
        ("simulator", "web.listen-address") => Some("Address to listen on; may be repeated. [default: :9964]"),
        _ => None,
    }
}

/// The command line: the exporter has all flags, and each command those that it uses. They may stand before or after its
/// name.
pub fn command() -> clap::Command {
    let command = Arguments::command();
    let flags: Vec<Arg> = command.get_arguments().cloned().collect();
    command.mut_subcommands(|below| {
        let name = below.get_name().to_owned();
        let used = flags.iter().filter_map(|flag| {
            let long = flag.get_long().filter(|long| used_by(&name).contains(long))?;
            // Global, so that a value from before the name counts.
            let flag = flag.clone().global(true);
            Some(match help(&name, long) {
                Some(help) => flag.help(help),
                None => flag,
            })
        });
        below.args(used)
    })
}

/// Refuses a flag from before the name of a command that would have no effect, such as the configuration of a demo.
pub(super) fn refuse_strangers(command: &clap::Command, matches: &ArgMatches) -> Result<(), String> {
    let Some(name) = matches.subcommand_name().filter(|name| !OF_THE_EXPORTER.contains(name)) else {
        return Ok(());
    };
    let is_given = |flag: &&Arg| matches.value_source(flag.get_id().as_str()) == Some(ValueSource::CommandLine);
    let given = command.get_arguments().filter(is_given).filter_map(Arg::get_long);
    match given.into_iter().find(|flag| !used_by(name).contains(flag)) {
        Some(flag) => Err(format!(
            "{name} does not use --{flag}: leave it out, or see wolkvox_exporter {name} --help"
        )),
        None => Ok(()),
    }
}
