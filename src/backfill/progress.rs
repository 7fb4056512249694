//! How far a backfill is: a line that rewrites itself for who looks on, lines of the log else.

use std::io::{self, IsTerminal, Write};

use jiff::civil::DateTime;

use crate::reports::ReportKind;

/// Tells how far it is.
#[derive(Debug)]
pub(super) struct Progress {
    is_terminal: bool,
    rows: u64,
    is_open: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            rows: 0,
            is_open: false,
        }
    }

    /// A report is read up to a local time.
    pub(super) fn read(&mut self, report: ReportKind, until: DateTime, rows: u64, calls: u32) {
        self.rows += rows;
        let rows = self.rows;
        if self.is_terminal {
            // Where standard error is closed there is no one to tell.
            let _ = write!(
                io::stderr(),
                "\r\x1b[K{report}: read up to {until}, {calls} calls of the API, {rows} rows"
            );
            self.is_open = true;
        } else {
            tracing::info!(report = report.name(), %until, calls, rows, "read");
        }
    }

    /// Rows that were read so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends the line, so that others can follow.
    pub(super) fn end_line(&mut self) {
        if std::mem::take(&mut self.is_open) {
            let _ = writeln!(io::stderr());
        }
    }
}
