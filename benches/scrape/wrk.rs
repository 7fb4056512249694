//! `wrk`, which sends the scrapes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Outcome;

const WRK: &str = "wrk";
/// What Prometheus sends.
pub(super) const PROMETHEUS: [&str; 2] = [
    "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "Accept-Encoding: gzip",
];
/// Makes `wrk` print its figures in one line.
const SCRIPT: &str = r#"
done = function(summary, latency, requests)
  local errors = summary.errors
  local figures = {
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout
  }
  for i, figure in ipairs(figures) do figures[i] = string.format("%.0f", figure) end
  io.write("figures " .. table.concat(figures, " ") .. "\n")
end
"#;

pub(super) struct Wrk {
    pub(super) script: PathBuf,
}

/// What a run of `wrk` found.
pub(super) struct Figures {
    /// Answers a second.
    pub(super) throughput: f64,
    /// Seconds, like the next.
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// The most memory of the subject during the run, in bytes.
    pub(super) peak: f64,
}

impl Wrk {
    pub(super) fn find(folder: &Path) -> Outcome<Self> {
        // It knows its version only together with its usage, which is a failure to it.
        if let Err(error) = Command::new(WRK)
            .arg("-v")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
        {
            return Err(format!("wrk cannot be run ({error}); on Debian: apt-get install wrk").into());
        }
        let script = folder.join("figures.lua");
        fs::write(&script, SCRIPT)?;
        Ok(Self { script })
    }

    /// Scrapes; an answer that is not good, or is not the whole page, is an error.
    pub(super) fn run(
        &self,
        url: &str,
        coding: &str,
        connections: usize,
        time: Duration,
        page: usize,
    ) -> Outcome<Figures> {
        let output = Command::new(WRK)
            .arg(format!("-t{}", connections.min(2)))
            .arg(format!("-c{connections}"))
            .arg(format!("-d{}s", time.as_secs()))
            .args(["--timeout", "20s", "-H", &format!("Accept-Encoding: {coding}"), "-s"])
            .arg(&self.script)
            .arg(url)
            .stderr(Stdio::inherit())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let line = text.lines().find_map(|line| line.strip_prefix("figures "));
        let numbers: Vec<f64> = line
            .ok_or_else(|| format!("wrk has failed: {text}"))?
            .split(' ')
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let [requests, micros, bytes, p50, p99, errors @ ..] = &numbers[..] else {
            return Err(format!("wrk gave other figures: {text}").into());
        };
        if errors.iter().any(|count| *count > 0.0) {
            return Err(format!("not all answers of {url} were good: {text}").into());
        }
        // The page ends with the memory and the CPU of the process, whose digits vary.
        if *requests < 1.0 || bytes / requests < page as f64 - 200.0 {
            return Err(format!("answers of {url} were no whole pages: {text}").into());
        }
        Ok(Figures {
            throughput: requests / micros * 1e6,
            p50: p50 / 1e6,
            p99: p99 / 1e6,
            peak: 0.0,
        })
    }
}
