//! Processes of this bench besides the exporter.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use jiff::{SignedDuration, Timestamp};
use wolkvox_exporter::reports::REPORTS;

use super::program::{Owned, forget_peak_of, memory_of};
use super::{Outcome, born};

/// A folder of this run, gone with it.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Outcome<Self> {
        let folder = env::temp_dir().join(format!("wolkvox_exporter-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It may stay where it cannot be removed.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Certificates made for this run, and the file that names them.
pub(super) fn web_config(folder: &Path) -> Outcome<PathBuf> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    fs::write(folder.join("web.crt"), made.cert.pem())?;
    fs::write(folder.join("web.key"), made.signing_key.serialize_pem())?;
    let file = folder.join("web.yml");
    fs::write(&file, "tls_server_config:\n  cert_file: web.crt\n  key_file: web.key\n")?;
    Ok(file)
}

/// This program once more, doing something else.
pub(super) struct Subject {
    pub(super) child: Owned,
    /// The first line of its output: where it listens.
    pub(super) line: String,
    pub(super) output: BufReader<std::process::ChildStdout>,
}

impl Subject {
    pub(super) fn start(arguments: &[&str]) -> Outcome<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut subject = Self {
            child: Owned(child),
            line: String::new(),
            output,
        };
        subject.line = subject.read_line()?;
        Ok(subject)
    }

    pub(super) fn read_line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        match line.trim_end() {
            "" => Err("a subject has failed".into()),
            line => Ok(line.to_owned()),
        }
    }

    pub(super) fn memory(&self) -> Outcome<(f64, f64)> {
        memory_of(self.child.0.id())
    }

    pub(super) fn forget_peak(&self) -> Outcome<()> {
        forget_peak_of(self.child.0.id())
    }
}

/// A simulator in a process of its own, and the tokens of its operations.
pub(super) struct Simulation(pub(super) Subject, pub(super) Vec<String>);

impl Simulation {
    pub(super) fn start(operations: usize, volume: f64) -> Outcome<Self> {
        let mut subject = Subject::start(&["simulator", &operations.to_string(), &volume.to_string()])?;
        let tokens = (0..operations).map(|_| subject.read_line()).collect::<Outcome<_>>()?;
        Ok(Self(subject, tokens))
    }

    /// Writes a configuration that polls all reports of all operations, and makes the state anew. Its reports are born with the
    /// first poll, or were that long before now.
    pub(super) fn configure(
        &self,
        folder: &Path,
        interval: Duration,
        born_before: Option<SignedDuration>,
    ) -> Outcome<PathBuf> {
        let folder = folder.join("exporter");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(folder.join("state"))?;
        let mut config = "state_path: state\noperations:\n".to_owned();
        for (n, token) in self.1.iter().enumerate() {
            fs::write(folder.join(format!("{n}.token")), token)?;
            write!(
                config,
                "  - name: operation-{n:03}\n    url: {}\n    token_file: {n}.token\n    timezone: America/Bogota\n    \
                 currency: COP\n    daily_calls: 1000000\n    reports:\n",
                self.0.line
            )?;
            if let Some(before) = born_before {
                let born = Timestamp::from_second((Timestamp::now() - before).as_second())?;
                born::write(&folder.join("state"), &format!("operation-{n:03}"), born)?;
            }
            for kind in REPORTS {
                writeln!(config, "      {}: {{interval: {}s}}", kind.name, interval.as_secs())?;
            }
        }
        let file = folder.join("wolkvox.yml");
        fs::write(&file, config)?;
        Ok(file)
    }
}
