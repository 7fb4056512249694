//! Processes of this bench, and what they use of memory and CPU.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use jiff::{SignedDuration, Timestamp};
use procfs::process::Process;
use wolkvox_exporter::reports::REPORTS;

use super::wrk::PROMETHEUS;
use super::{Outcome, born};

pub(super) const EXPORTER: &str = env!("CARGO_BIN_EXE_wolkvox_exporter");

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

/// A process that ends with this.
pub(super) struct Owned(pub(super) Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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
        Ok(fs::write(format!("/proc/{}/clear_refs", self.child.0.id()), "5")?)
    }
}

/// Resident memory of a process now and at its peak, in bytes.
pub(super) fn memory_of(process: u32) -> Outcome<(f64, f64)> {
    let status = Process::new(process.cast_signed())?.status()?;
    let bytes = |kilobytes: Option<u64>| kilobytes.unwrap_or_default() as f64 * 1024.0;
    Ok((bytes(status.vmrss), bytes(status.vmhwm)))
}

/// Seconds that a process took of all cores, of user and system.
pub(super) fn cpu_of(process: u32) -> Outcome<f64> {
    let stat = Process::new(process.cast_signed())?.stat()?;
    Ok((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
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

/// The program as people run it.
pub(super) struct Exporter {
    pub(super) child: Owned,
    pub(super) address: String,
    pub(super) log: PathBuf,
}

impl Exporter {
    pub(super) fn start(config: &Path) -> Outcome<Self> {
        // Free a moment ago; the kernel gives the next one to the next who asks.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let log = config.with_extension("log");
        let child = Command::new(EXPORTER)
            .arg("--config.file")
            .arg(config)
            .args(["--web.listen-address", &address])
            .stderr(fs::File::create(&log)?)
            .spawn()?;
        Ok(Self {
            child: Owned(child),
            address,
            log,
        })
    }

    pub(super) fn wait_until_served(&self) -> Outcome<()> {
        let begin = Instant::now();
        while self.scrape().is_err() {
            if begin.elapsed() > Duration::from_secs(10) {
                return Err(format!("the exporter does not serve: {}", fs::read_to_string(&self.log)?).into());
            }
            thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }

    pub(super) fn scrape(&self) -> Outcome<Answer> {
        Answer::get(&self.address, &[])
    }

    pub(super) fn scrape_like_prometheus(&self) -> Outcome<Answer> {
        Answer::get(&self.address, &PROMETHEUS)
    }

    /// Prints what was wrong, if anything was.
    pub(super) fn complaints(&self) -> Outcome<()> {
        let log = fs::read_to_string(&self.log)?;
        let complaints: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("level=warn") || line.contains("level=error"))
            .collect();
        if let Some(first) = complaints.first() {
            println!("  {} warnings were logged, first: {first}", complaints.len());
        }
        Ok(())
    }
}

/// An answer with status 200.
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn get(address: &str, headers: &[&str]) -> Outcome<Self> {
        let mut stream = TcpStream::connect(address)?;
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let head = memchr::memmem::find(&answer, b"\r\n\r\n").ok_or("no answer")?;
        let body = answer.split_off(head + 4);
        if !answer.starts_with(b"HTTP/1.1 200 ") {
            return Err(format!("the answer was {}", String::from_utf8_lossy(&answer)).into());
        }
        Ok(Self { body })
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        let text = str::from_utf8(&self.body).unwrap_or_default();
        text.lines().filter(|line| !line.starts_with('#'))
    }

    pub(super) fn series(&self) -> usize {
        self.lines().count()
    }

    /// The sum over all label sets.
    pub(super) fn sum(&self, name: &str) -> f64 {
        self.lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }
}
