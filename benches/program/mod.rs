//! The exporter in a process of its own: what it answers, and what it uses of memory and CPU.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use std::{fs, thread};

use procfs::process::Process;

use super::Outcome;

/// A process that ends with this.
pub(crate) struct Owned(pub(crate) Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program as people run it.
pub(crate) struct Exporter {
    pub(crate) child: Owned,
    pub(crate) address: String,
    pub(crate) log: PathBuf,
}

impl Exporter {
    /// Starts the binary with a configuration.
    pub(crate) fn start(binary: &Path, config: &Path) -> Outcome<Self> {
        // Free a moment ago; the kernel gives the next one to the next who asks.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let log = config.with_extension("log");
        let child = Command::new(binary)
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

    pub(crate) fn wait_until_served(&self) -> Outcome<()> {
        let begin = Instant::now();
        while self.scrape().is_err() {
            if begin.elapsed() > Duration::from_secs(10) {
                return Err(format!("the exporter does not serve: {}", fs::read_to_string(&self.log)?).into());
            }
            thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }

    pub(crate) fn scrape(&self) -> Outcome<Answer> {
        Answer::get(&self.address, &[])
    }

    /// Prints what was wrong, if anything was. Nobody polls as often as a bench, so that advice is left out.
    pub(crate) fn complaints(&self) -> Outcome<()> {
        let log = fs::read_to_string(&self.log)?;
        let is_complaint = |line: &&str| line.contains("level=warn") || line.contains("level=error");
        let is_advice = |line: &&str| line.contains("Wolkvox advises");
        let complaints: Vec<&str> = log
            .lines()
            .filter(is_complaint)
            .filter(|line| !is_advice(line))
            .collect();
        if let Some(first) = complaints.first() {
            println!("  {} warnings were logged, first: {first}", complaints.len());
        }
        Ok(())
    }
}

/// An answer with status 200.
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn get(address: &str, headers: &[&str]) -> Outcome<Self> {
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

    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        let text = str::from_utf8(&self.body).unwrap_or_default();
        text.lines().filter(|line| !line.starts_with('#'))
    }

    /// The sum over the label sets that contain a text.
    pub(crate) fn sum(&self, name: &str, labels: &str) -> f64 {
        let is_it = |rest: &str| rest.starts_with(['{', ' ']) && rest.contains(labels);
        self.lines()
            .filter(|line| line.strip_prefix(name).is_some_and(is_it))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }
}

/// Resident memory of a process now and at its peak, in bytes.
pub(crate) fn memory_of(process: u32) -> Outcome<(f64, f64)> {
    let status = Process::new(process.cast_signed())?.status()?;
    let bytes = |kilobytes: Option<u64>| kilobytes.unwrap_or_default() as f64 * 1024.0;
    Ok((bytes(status.vmrss), bytes(status.vmhwm)))
}

/// Seconds that a process took of all cores, of user and system.
pub(crate) fn cpu_of(process: u32) -> Outcome<f64> {
    let stat = Process::new(process.cast_signed())?.stat()?;
    Ok((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
}

/// From now on the peak is that of later.
pub(crate) fn forget_peak_of(process: u32) -> Outcome<()> {
    Ok(fs::write(format!("/proc/{process}/clear_refs"), "5")?)
}
