//! The program: parses the command line, sets up the log, runs the command, and turns a failure into an exit code.

mod commands;
mod logging;
mod signals;

use std::io::{self, Write};
use std::process::ExitCode;

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, set_dumpable_behavior, umask};
use wolkvox_exporter::cli::{self, Arguments, Command, LogLevel};
use wolkvox_exporter::failure::Failure;

fn main() -> ExitCode {
    keep_to_itself();
    let arguments = match cli::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(failure) => return end(&failure),
    };
    let level = arguments.flags.log_level.unwrap_or(match arguments.command {
        // Its addresses are the last lines that people see.
        Some(Command::Demo { .. }) => LogLevel::Warn,
        _ => LogLevel::Info,
    });
    logging::log_to_stderr(level, arguments.flags.log_format);
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => end(&failure),
    }
}

fn end(failure: &Failure) -> ExitCode {
    // If standard error is closed, only the exit code is left.
    let _ = writeln!(io::stderr(), "wolkvox_exporter: {failure}");
    failure.exit_code()
}

/// Lets nobody else read what the program writes and holds: a state has the key of the hashes, a history has all counts, and
/// the memory has tokens. Without this, a crash could also leave them in a core file.
fn keep_to_itself() {
    umask(Mode::RWXG | Mode::RWXO);
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        // Said before the log is set up.
        let _ = writeln!(
            io::stderr(),
            "wolkvox_exporter: core files cannot be turned off: {error}"
        );
    }
}

fn run(Arguments { command, flags }: Arguments) -> Result<(), Failure> {
    let shard = flags.shard().map_err(Failure::Usage)?;
    match command {
        None => commands::export::run(flags, shard),
        Some(Command::CheckConfig { files }) => commands::check_config::run(&flags, &files, shard),
        Some(Command::CheckApi {
            operations,
            reports,
            shapes,
        }) => commands::check_api::run(&flags, shard, &operations, &reports, shapes),
        Some(Command::Config) => commands::config::run(&flags, shard),
        Some(Command::Health) => commands::health::run(&flags),
        Some(Command::HashPassword { user }) => commands::hash_password::run(user.as_deref()),
        Some(Command::Backfill(options)) => commands::backfill::run(&flags, shard, &options),
        Some(Command::Demo { seed }) => commands::demo::run(&flags, shard, seed),
        Some(Command::Simulator { seed }) => commands::simulator::run(&flags, seed),
    }
}
