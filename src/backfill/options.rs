//! What a backfill is asked for on the command line.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use jiff::civil::Date;

use super::Failure;
use crate::reports::ReportKind;

/// Local midnights are whole quarters of an hour apart from the epoch in every zone, and a sample stands on each.
const QUARTER: u64 = 15 * 60;
const SHORTEST_STEP: u64 = 15;
/// Prometheus takes a series as ended when it had no sample for so long.
const LOOKBACK: Duration = Duration::from_secs(5 * 60);

/// What is to be written, and where to.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The operation; may be left out where only one is configured.
    #[arg(long, value_name = "NAME")]
    pub operation: Option<String>,
    /// The first local day of the operation, such as 2026-10-21.
    #[arg(long, value_name = "DATE")]
    pub from: Date,
    /// The last local day. Without it, up to where live counting began, as the state says.
    #[arg(long, value_name = "DATE")]
    pub to: Option<Date>,
    /// From one sample to the next, a part of 15 minutes: 1m, 3m or 5m, say.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = step)]
    pub step: Duration,
    /// A label for all series; may be given several times. job and instance are needed.
    #[arg(long = "label", value_name = "NAME=VALUE")]
    pub labels: Vec<TargetLabel>,
    /// The file to write; without it, standard output. Only with a file can a backfill be stopped and gone on with.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Read calls by duration hour by hour, not day by day: 24 calls of the API a day.
    #[arg(long)]
    pub hourly: bool,
}

/// A label that Prometheus would add to what it scrapes.
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
        let begins = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        let goes_on = |byte: u8| begins(byte) || byte.is_ascii_digit();
        if !bytes.next().is_some_and(begins) || !bytes.all(goes_on) {
            return Err("the name of a label has letters, digits and _, and begins with no digit".to_owned());
        }
        if name.starts_with("__") {
            return Err("labels that begin with __ are Prometheus's own".to_owned());
        }
        let families = ReportKind::ALL.into_iter().flat_map(ReportKind::families);
        let mut ours = families.flat_map(|family| family.labels).chain(&["operation", "le"]);
        if ours.any(|our| *our == name) {
            return Err(format!("the exporter itself sets the label {name}"));
        }
        if value.is_empty() {
            return Err("the value is empty, which is no label to Prometheus".to_owned());
        }
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// As it stands in a sample.
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
    /// The labels as they stand in a sample. Fails when one is missing or given twice.
    pub(super) fn target_labels(&self) -> Result<String, Failure> {
        let names: Vec<&str> = self.labels.iter().map(|label| &*label.name).collect();
        if let Some(missing) = ["job", "instance"].into_iter().find(|name| !names.contains(name)) {
            return Err(Failure::Usage(format!(
                "the label {missing} is missing: Prometheus adds job and instance to what it scrapes, and history without \
                 them would be other series. Take them from the page Status > Targets of Prometheus, for example: \
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

    /// What is allowed, and perhaps not meant.
    pub(super) fn warn(&self) {
        if self.step > LOOKBACK {
            tracing::warn!(
                step = ?self.step,
                "Prometheus takes a series as ended when it had no sample for 5 minutes: between two steps queries will find nothing"
            );
        }
    }
}

fn step(text: &str) -> Result<Duration, String> {
    let step = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let seconds = step.as_secs();
    if step.subsec_nanos() != 0 || seconds < SHORTEST_STEP || !QUARTER.is_multiple_of(seconds) {
        return Err("a step is from 15s to 15m and divides 15 minutes: 1m, 3m, 5m, say".to_owned());
    }
    Ok(step)
}
