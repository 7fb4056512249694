//! The progress of a backfill: a bar on a terminal, or else lines in the log.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::history::History;
use super::plan::Plan;
use crate::reports::Report;

/// The length of the bar in characters.
const BAR: usize = 30;

/// The progress of a backfill.
#[derive(Debug)]
pub(super) struct Progress {
    is_terminal: bool,
    zone: TimeZone,
    /// The time to be read of each report.
    spans: BTreeMap<&'static Report, RangeInclusive<Timestamp>>,
    /// The seconds already read of each report.
    read: BTreeMap<&'static Report, i64>,
    rows: u64,
    /// Whether the bar is on the current line of the terminal.
    is_open: bool,
}

impl Progress {
    /// Starts with what the interrupted run has read, which is in the history.
    pub(super) fn new(plan: &Plan, history: &History, zone: &TimeZone) -> Self {
        let spans = plan.ends.iter().map(|(report, end)| (*report, plan.from..=end.at));
        let before = plan.ends.keys().filter_map(|report| {
            let until = history.covered(report, false)?;
            Some((*report, seconds(plan.from, until)))
        });
        Self {
            is_terminal: io::stderr().is_terminal(),
            zone: zone.clone(),
            spans: spans.collect(),
            read: before.collect(),
            rows: 0,
            is_open: false,
        }
    }

    /// A report is read up to a time.
    pub(super) fn advance(&mut self, report: &'static Report, until: Timestamp, rows: u64, calls: u32) {
        self.rows += rows;
        // Time after the birth is read only for the identities of its facts, and is not part of the history.
        if let Some(span) = self.spans.get(&report).filter(|span| span.contains(&until)) {
            self.read.insert(report, seconds(*span.start(), until));
        }
        let (rows, percent) = (self.rows, self.percent());
        let until = self.zone.to_datetime(until);
        if self.is_terminal {
            let filled = BAR * percent / 100;
            // Nobody is watching if standard error is closed.
            let _ = write!(
                io::stderr(),
                "\r\x1b[K[{:<BAR$}] {percent:>3} %  {report} up to {until}, {rows} rows, {calls} API calls",
                "#".repeat(filled)
            );
            self.is_open = true;
        } else {
            tracing::info!(report = report.name, %until, percent, calls, rows, "read");
        }
    }

    /// How much of the time of all reports is read, in percent.
    fn percent(&self) -> usize {
        let all: i64 = self
            .spans
            .values()
            .map(|span| seconds(*span.start(), *span.end()))
            .sum();
        let read: i64 = self.read.values().sum();
        usize::try_from(100 * read / all.max(1)).unwrap_or_default()
    }

    /// The rows that this run has read so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends the line of the bar, so that other output can follow.
    pub(super) fn end_line(&mut self) {
        if std::mem::take(&mut self.is_open) {
            let _ = writeln!(io::stderr());
        }
    }
}

fn seconds(from: Timestamp, until: Timestamp) -> i64 {
    until.as_second() - from.as_second()
}
