//! The exporter's own metrics about its polls, per operation and report.
//!
//! Each operation's poller keeps these numbers and publishes them with every poll. Every counter exists at 0 from the
//! start for every report and reason, so that the first failure is an increase. The counters restart at 0 with the
//! process.

mod assumptions;
mod families;
mod info;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use self::assumptions::Violations;
pub use self::families::FAMILIES;
use self::families::{
    ASSUMPTION_VIOLATIONS, BACKLOG_ROWS, CALLS_LIMIT, CALLS_USED, CAPPED_WINDOWS, CORRECTIONS, DATA, INVALID_FIELDS,
    LAST_ATTEMPT, LAST_REREAD, LAST_SUCCESS, LATENESS, NEWEST_ROW, OPEN, POLL_DURATION, POLL_FAILURES, POLL_INTERVAL,
    POLLS, POLLS_SKIPPED, REQUEST_BOUNDS, REQUEST_DURATION, REQUEST_FAILURES, REQUESTS, ROWS, SERIES_DROPPED,
    STATE_COMMIT_FAILURES, STATE_COMMITS, STATE_LAST_COMMIT, STATE_SIZE, UNKNOWN_WORD, UP, USED_BY_OTHERS,
};
pub use self::info::operation_info;
use crate::client::{ApiError, Attempt, Reason};
use crate::language::{Message, Text};
use crate::ledger::{LATENESS_BOUNDS, Statistics};
use crate::metrics::Family;
use crate::metrics::series::{Amount, FamilySeries, Histogram, Label, Micros, Value};
use crate::reports::{Assumption, Kind, Outcome, Report, Tally};

/// Why a poll was left out: the values of the label `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// To keep within the daily budget.
    Budget,
    /// The API reported that the day's calls are used up.
    Quota,
}

const SKIPS: [Skip; 2] = [Skip::Budget, Skip::Quota];
/// The values of the label `reason`, in the same order.
const SKIP_REASONS: [&str; SKIPS.len()] = ["budget", "quota"];

/// How the polls of an operation went.
#[derive(Clone, Debug)]
pub struct OperationHealth {
    /// The operation's zone, and its name.
    pub timezone: (TimeZone, String),
    /// All polled reports.
    pub reports: BTreeMap<&'static Report, ReportHealth>,
    /// Calls used on the local day.
    pub calls_used: u32,
    /// Calls allowed per day.
    pub calls_limit: u32,
    /// Calls of the operation that other programs used on that day, when the API last told.
    pub used_by_others: Option<u64>,
    /// Whether it is within the operation's hours; `None` if it has none.
    pub is_open: Option<bool>,
    /// Commits of the state.
    pub state: Statistics,
    /// Number of series that the limit left out, for every family of the polled reports.
    pub dropped: BTreeMap<&'static Family, u64>,
    /// When it last left something out.
    pub dropped_at: Option<Timestamp>,
}

/// A failure in words, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// The kind of failure.
    pub reason: Reason,
    /// What happened.
    pub what: Message,
    /// What to do.
    pub advice: Text,
    /// Why polls are skipped, if the failure is that no calls are left.
    pub skip: Option<Skip>,
}

/// How the polls of one report went.
#[derive(Clone, Debug)]
pub struct ReportHealth {
    /// Whether the last poll succeeded; `None` before the first has ended.
    pub up: Option<bool>,
    /// Polls that have ended.
    pub polls: u64,
    /// When the report was last requested.
    pub last_attempt: Option<Timestamp>,
    /// When the report was last read without a failure.
    pub last_success: Option<Timestamp>,
    /// The end of the window that the shown data covers.
    pub data: Option<Timestamp>,
    /// The current time between polls.
    pub interval: Duration,
    /// One of so many polls is made, so that the day's calls last until midnight; usually 1.
    pub one_of: u32,
    /// How old the newest data of a poll is meant to be: rows that may still change wait for so long.
    pub settle: Duration,
    /// How long the last poll took.
    pub duration: Option<Duration>,
    /// When it will be polled next, as far as is known; set by the poller.
    pub next_poll: Option<Timestamp>,
    /// The last failure, until a poll succeeds.
    pub last_error: Option<LastError>,
    /// The latest date of a row, for reports of events.
    pub newest_row: Option<Timestamp>,
    /// When old rows or days were last read again to the end, for reports that count.
    pub last_reread: Option<Timestamp>,
    /// How old rows were when they were first counted, for reports of events.
    pub lateness: Histogram,
    /// How its rows were counted.
    pub tally: Tally,
    /// The assumptions that were broken lately.
    pub violations: Violations,
    /// Day totals that decreased.
    pub corrections: u64,
    /// Counted rows that were older than three intervals and older than 15 minutes.
    pub backlog_rows: u64,
    /// Single seconds that reached the record limit.
    pub capped_windows: u64,
    /// Whether the shown data was read by an earlier process and restored from the state.
    is_restored: bool,
    failures: [u64; Reason::ALL.len()],
    skipped: [u64; SKIPS.len()],
    requests: u64,
    request_failures: [u64; Reason::ALL.len()],
    request_duration: Histogram,
}

impl ReportHealth {
    /// Before the first poll.
    pub fn new(interval: Duration) -> Self {
        Self {
            up: None,
            polls: 0,
            last_attempt: None,
            last_success: None,
            data: None,
            interval,
            one_of: 1,
            settle: Duration::ZERO,
            duration: None,
            next_poll: None,
            last_error: None,
            newest_row: None,
            last_reread: None,
            lateness: Histogram::new(LATENESS_BOUNDS),
            tally: Tally::default(),
            violations: Violations::default(),
            corrections: 0,
            backlog_rows: 0,
            capped_windows: 0,
            is_restored: false,
            failures: [0; Reason::ALL.len()],
            skipped: [0; SKIPS.len()],
            requests: 0,
            request_failures: [0; Reason::ALL.len()],
            request_duration: Histogram::new(REQUEST_BOUNDS),
        }
    }

    /// Adopts the progress from the state: up to when the report was read, `None` if it never was.
    pub fn restored(&mut self, covered: Option<Timestamp>) {
        self.is_restored = covered.is_some();
        self.last_success = covered;
        self.data = covered;
    }

    /// Whether the first poll has ended, with or without success, or was left out.
    fn first_poll_ended(&self) -> bool {
        self.up.is_some() || self.skipped.iter().any(|count| *count > 0)
    }

    /// Records a request.
    pub fn request(&mut self, attempt: Attempt) {
        self.requests += 1;
        if let Some(reason) = attempt.failure {
            self.request_failures[reason as usize] += 1;
        }
        let micros = u64::try_from(attempt.duration.as_micros()).unwrap_or(u64::MAX);
        self.request_duration.observe(REQUEST_BOUNDS, Micros(micros));
    }

    /// Records a failure of a poll.
    pub fn failure(&mut self, error: &ApiError) {
        self.failures[error.reason as usize] += 1;
        self.up = Some(false);
        self.last_error = Some(LastError {
            reason: error.reason,
            what: error.what.clone(),
            advice: error.advice(),
            skip: None,
        });
    }

    /// Records that no calls are left for the report; its own last poll may have been good.
    pub fn out_of_calls(&mut self, skip: Skip, what: Message, advice: Text) {
        self.up = Some(false);
        self.last_error = Some(LastError {
            reason: Reason::Quota,
            what,
            advice,
            skip: Some(skip),
        });
    }

    /// Records a success.
    pub fn success(&mut self, at: Timestamp) {
        self.up = Some(true);
        self.last_success = Some(at);
        self.last_error = None;
    }

    /// Records a poll that was left out.
    pub fn skip(&mut self, skip: Skip) {
        self.skipped[skip as usize] += 1;
    }

    /// Requests so far, including retries.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Polls left out for this reason.
    pub fn skipped(&self, skip: Skip) -> u64 {
        self.skipped[skip as usize]
    }
}

impl OperationHealth {
    /// Whether there is something to show: data from the state, or the first poll of every report has ended or was left
    /// out.
    pub fn is_ready(&self) -> bool {
        let mut reports = self.reports.values();
        reports.any(|report| report.is_restored) || self.reports.values().all(ReportHealth::first_poll_ended)
    }

    /// All of it as series.
    pub fn series(&self) -> Vec<FamilySeries> {
        let mut series = SeriesBuilder::default();
        for (report, health) in &self.reports {
            series.report(report, health);
        }
        series.gauge(&CALLS_USED, [], Some(f64::from(self.calls_used)));
        series.gauge(&CALLS_LIMIT, [], Some(f64::from(self.calls_limit)));
        series.gauge(&OPEN, [], self.is_open.map(f64::from));
        series.gauge(&USED_BY_OTHERS, [], self.used_by_others.map(|calls| calls as f64));
        for (family, dropped) in &self.dropped {
            series.counter(&SERIES_DROPPED, [family.sample_name().into()], *dropped);
        }
        series.counter(&STATE_COMMITS, [], self.state.commits);
        series.counter(&STATE_COMMIT_FAILURES, [], self.state.failures);
        series.gauge(&STATE_LAST_COMMIT, [], self.state.last_commit.map(seconds));
        series.gauge(&STATE_SIZE, [], self.state.size_bytes.map(|bytes| bytes as f64));
        series.0.into_values().collect()
    }
}

/// Series by family.
#[derive(Default)]
struct SeriesBuilder(BTreeMap<&'static Family, FamilySeries>);

impl SeriesBuilder {
    fn report(&mut self, report: &'static Report, health: &ReportHealth) {
        let name = || Label::Borrowed(report.name);
        let counters = [
            (&POLLS, health.polls),
            (&CORRECTIONS, health.corrections),
            (&REQUESTS, health.requests),
            (&BACKLOG_ROWS, health.backlog_rows),
            (&CAPPED_WINDOWS, health.capped_windows),
        ];
        for (family, value) in counters {
            self.counter(family, [name()], value);
        }
        let gauges = [
            (&UP, health.up.map(|up| f64::from(u8::from(up)))),
            (&LAST_SUCCESS, health.last_success.map(seconds)),
            (&LAST_ATTEMPT, health.last_attempt.map(seconds)),
            (&DATA, health.data.map(seconds)),
            (&NEWEST_ROW, health.newest_row.map(seconds)),
            (&LAST_REREAD, health.last_reread.map(seconds)),
            (&POLL_INTERVAL, Some(health.interval.as_secs_f64())),
            (&POLL_DURATION, health.duration.map(|duration| duration.as_secs_f64())),
        ];
        for (family, value) in gauges {
            self.gauge(family, [name()], value);
        }
        for reason in Reason::ALL {
            self.counter(
                &POLL_FAILURES,
                [name(), reason.name().into()],
                health.failures[reason as usize],
            );
            if reason.of_a_request() {
                let failures = health.request_failures[reason as usize];
                self.counter(&REQUEST_FAILURES, [name(), reason.name().into()], failures);
            }
        }
        for (skip, reason) in SKIPS.into_iter().zip(SKIP_REASONS) {
            self.counter(&POLLS_SKIPPED, [name(), reason.into()], health.skipped(skip));
        }
        for outcome in Outcome::ALL {
            self.counter(&ROWS, [name(), outcome.name().into()], health.tally.rows(outcome));
        }
        for assumption in Assumption::of(&report.kind) {
            let count = health.tally.violations(*assumption);
            self.counter(&ASSUMPTION_VIOLATIONS, [name(), assumption.name().into()], count);
        }
        for (field, word) in health.violations.words() {
            self.gauge(&UNKNOWN_WORD, [name(), field.into(), word.to_owned().into()], Some(1.0));
        }
        for field in report.fields {
            let count = health.tally.invalid_fields().get(field).copied().unwrap_or_default();
            self.counter(&INVALID_FIELDS, [name(), (*field).into()], count);
        }
        if let Kind::Events(_) = report.kind {
            self.push(&LATENESS, vec![name()], Value::Histogram(health.lateness.clone()));
        }
        self.push(
            &REQUEST_DURATION,
            vec![name()],
            Value::Histogram(health.request_duration.clone()),
        );
    }

    fn counter<const N: usize>(&mut self, family: &'static Family, labels: [Label; N], value: u64) {
        self.push(family, labels.into(), Value::Amount(Amount::Count(value)));
    }

    fn gauge<const N: usize>(&mut self, family: &'static Family, labels: [Label; N], value: Option<f64>) {
        if let Some(value) = value {
            self.push(family, labels.into(), Value::Number(value));
        }
    }

    fn push(&mut self, family: &'static Family, labels: Vec<Label>, value: Value) {
        self.0
            .entry(family)
            .or_insert_with(|| FamilySeries::new(family))
            .push(labels, value);
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}
