//! `manual --to FOLDER`
//!
//! Writes the manual pages and the completions for bash, zsh and fish to a folder, from the command line's own definition.
//! Packages contain them; the program does not, since few machines need them.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use clap::Parser;
use clap_complete::Shell;
use wolkvox_exporter::cli;

/// The program, as packages install it.
const NAME: &str = "wolkvox_exporter";

/// Sections that the definition of the command line lacks.
const MORE: &str = r#".SH "EXIT STATUS"
0 when it was stopped, 1 when it failed, 2 for wrong usage or configuration.
.SH SIGNALS
SIGHUP reads the configuration and the token files again; one that is not sound changes nothing.
SIGTERM and SIGINT let scrapes under way end within 10 seconds, and stop.
.SH FILES
.TP
.I /etc/wolkvox_exporter/wolkvox.yml
the configuration of the service of the Debian package
.TP
.I /etc/default/wolkvox_exporter
its further arguments
.TP
.I /var/lib/wolkvox_exporter
its state, one file an operation
"#;

#[derive(Parser)]
struct Options {
    /// The folder, created if necessary.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

fn main() -> std::io::Result<()> {
    let folder = Options::parse().to;
    std::fs::create_dir_all(&folder)?;
    // Without revision and compiler, which --version shows too: they would make the pages differ with each build.
    let command = cli::command().version(env!("CARGO_PKG_VERSION"));
    clap_mangen::generate_to(command.clone(), &folder)?;
    OpenOptions::new()
        .append(true)
        .open(folder.join(format!("{NAME}.1")))?
        .write_all(MORE.as_bytes())?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command.clone(), NAME, &folder)?;
    }
    Ok(())
}
