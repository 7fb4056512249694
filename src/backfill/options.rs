//! The command line of a backfill.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use jiff::civil::Date;

use super::Failure;
use crate::durations::span;
use crate::reports::REPORTS;

/// In seconds. Steps divide a quarter of an hour, so that there is a sample at each local midnight, which in every time zone
/// is a whole number of quarters after the epoch.
const QUARTER: u64 = 15 * 60;
/// In seconds.
const SHORTEST_STEP: u64 = 15;
/// Prometheus considers a series ended after this time without a sample.
const LOOKBACK: Duration = Duration::from_secs(5 * 60);

/// What to write, and where.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The operation. Optional if only one is configured.
    #[arg(long, value_name = "NAME")]
    pub operation: Option<String>,
    /// The first local day of the operation, such as 2026-10-21.
    #[arg(long, value_name = "DATE")]
    pub from: Date,
    /// The last local day. By default, the history ends where live counting began, according to the state.
    #[arg(long, value_name = "DATE")]
    pub to: Option<Date>,
    /// The time between two samples. It must divide 15 minutes: 1m, 3m or 5m, for example.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = step)]
    pub step: Duration,
    /// A label for all series; can be repeated. job and instance are required.
    #[arg(long = "label", value_name = "NAME=VALUE")]
    pub labels: Vec<TargetLabel>,
    /// The file to write; standard output by default. Only a backfill with a file can be resumed.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Read calls by duration by the hour instead of by the day: 24 API calls for each day.
    #[arg(long)]
    pub hourly: bool,
}

/// A label that Prometheus would add when it scrapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetLabel {
    name: String,
    value: String,
}

impl FromStr for TargetLabel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or("expected a name and a value, such as job=wolkvox")?;
        let mut bytes = name.bytes();
        let can_begin = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        let can_follow = |byte: u8| can_begin(byte) || byte.is_ascii_digit();
        if !bytes.next().is_some_and(can_begin) || !bytes.all(can_follow) {
            return Err("a label name has letters, digits and _, and does not begin with a digit".to_owned());
        }
        if name.starts_with("__") {
            return Err("labels that begin with __ are reserved for Prometheus".to_owned());
        }
        let families = REPORTS
            .into_iter()
            .flat_map(|report| report.families.iter().chain(report.names).copied());
        let mut ours = families.flat_map(|family| family.labels).chain(&["operation", "le"]);
        if ours.any(|our| *our == name) {
            return Err(format!("the exporter itself sets the label {name}"));
        }
        if value.is_empty() {
            return Err("the value is empty, and Prometheus drops empty labels".to_owned());
        }
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// As it is written in a sample.
impl fmt::Display for TargetLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self
            .value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        write!(f, "{}=\"{value}\"", self.name)
    }
}

impl Options {
    /// The labels as they are written in a sample. Fails if one is missing or given twice.
    pub(super) fn target_labels(&self) -> Result<String, Failure> {
        let names: Vec<&str> = self.labels.iter().map(|label| &*label.name).collect();
        if let Some(missing) = ["job", "instance"].into_iter().find(|name| !names.contains(name)) {
            return Err(Failure::Usage(format!(
                "the label {missing} is missing: Prometheus adds job and instance to what it scrapes, and history without \
                 them would be different series. Copy them from Status > Targets in Prometheus, for example: \
                 --label job=wolkvox --label instance=exporter.example:9963"
            )));
        }
        if let Some((n, name)) = names.iter().enumerate().find(|(n, name)| names[..*n].contains(name)) {
            return Err(Failure::Usage(format!(
                "the label {name} is given twice: {} and {}",
                self.labels[names.iter().position(|other| other == name).unwrap_or(n)],
                self.labels[n]
            )));
        }
        let labels: Vec<String> = self.labels.iter().map(ToString::to_string).collect();
        Ok(labels.join(","))
    }

    /// Warns about options that are valid but probably a mistake.
    pub(super) fn warn(&self) {
        if self.step > LOOKBACK {
            tracing::warn!(
                step = span(self.step),
                "Prometheus considers a series ended after 5 minutes without a sample: queries between two samples will find nothing"
            );
        }
    }
}

fn step(text: &str) -> Result<Duration, String> {
    let step = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let seconds = step.as_secs();
    if step.subsec_nanos() != 0 || seconds < SHORTEST_STEP || !QUARTER.is_multiple_of(seconds) {
        return Err("a step is between 15s and 15m and divides 15 minutes: 1m, 3m or 5m, for example".to_owned());
    }
    Ok(step)
}
