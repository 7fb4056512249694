//! Runs a measurement in its own process, and hands its figures back.

use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use procfs::process::Process;

use super::{ANSWERS, Outcome};

/// The result of a measuring process.
pub(crate) struct Figures {
    pub(crate) seconds: f64,
    /// Bytes received, or rows read.
    pub(crate) amount: f64,
    /// Time spent on commits, including waits for the disk.
    pub(crate) commits: f64,
    /// CPU time over all cores, user and system, in seconds.
    pub(crate) cpu: f64,
    pub(crate) idle: f64,
    pub(crate) peak: f64,
}

impl Figures {
    pub(crate) fn of(way: &str, address: &str) -> Outcome<Self> {
        let output = Command::new(env::current_exe()?)
            .args([way, address])
            .stderr(Stdio::inherit())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [seconds, amount, commits, cpu, idle, peak] = numbers[..] else {
            return Err(format!("{way} has failed").into());
        };
        Ok(Self {
            seconds,
            amount,
            commits,
            cpu,
            idle,
            peak,
        })
    }
}

/// The result of reading, in the measuring process.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) time: Duration,
    pub(crate) amount: u64,
    pub(crate) commits: Duration,
}

/// In the measuring process: requests a short answer first, which sets up connection and buffers, then all answers.
pub(crate) fn measured<F>(address: &str, read: fn(String, Vec<&'static str>) -> F) -> Outcome<()>
where
    F: Future<Output = Outcome<Run>> + Send + 'static,
{
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "no cryptography")?;
    let runtime = tokio::runtime::Runtime::new()?;
    // Spawned, as pollers are.
    let run = |scripts| runtime.block_on(runtime.spawn(read(address.to_owned(), scripts)));
    run(vec!["short"])??;
    let idle = memory("VmRSS")?;
    let cpu_before = cpu_seconds()?;
    let Run { time, amount, commits } = run(vec!["long"; ANSWERS])??;
    let cpu = cpu_seconds()? - cpu_before;
    let (time, commits) = (time.as_secs_f64(), commits.as_secs_f64());
    println!("{time} {amount} {commits} {cpu} {idle} {}", memory("VmHWM")?);
    Ok(())
}

/// The CPU time of this process over all cores.
fn cpu_seconds() -> Outcome<f64> {
    let stat = Process::myself()?.stat()?;
    Ok((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
}

/// Memory of this process as the kernel reports it, in bytes.
fn memory(key: &str) -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with(key))
        .ok_or("no such line")?;
    let kibibytes: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kibibytes * 1024)
}
