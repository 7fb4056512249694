//! Requests each configured report once, and describes the results in plain words.
//!
//! It uses the queries and readers of the poller and saves nothing. It never opens the state, since an exporter may be
//! running on it.

mod describe;
mod selection;
pub mod shapes;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use self::selection::select;
use self::shapes::{Shapes, Sketch, Sketched};
use crate::client::{Allowance, Answer, ApiError, Attempt, CallBudget, Client, RetryPolicy};
use crate::clock::Clock;
use crate::config::{Config, Operation, ReportConfig};
use crate::fetch::clocks;
use crate::fetch::queries::{self, Api, EventQuery};
use crate::fetch::window;
use crate::metrics::series::SeriesKey;
use crate::metrics::{Family, Kind as FamilyKind};
use crate::reports::current::CurrentState;
use crate::reports::day_totals::DayTotals;
use crate::reports::events::{Collected, EventRows};
use crate::reports::{Kind, Outcome, Report, Tally};
use crate::wire::{Query, Rows};

/// The result of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Number of requested reports.
    pub reports: u64,
    /// Number of failed reports.
    pub failed: u64,
    /// Number of API calls.
    pub calls: u64,
}

/// The result for one report.
#[derive(Debug)]
pub struct CheckedReport {
    /// The report.
    pub report: &'static Report,
    /// How long the request took, if one was sent.
    pub duration: Option<Duration>,
    /// The contents of the answer, or why there is none.
    pub result: Result<Found, ApiError>,
    /// The shapes of the values, if requested.
    pub shapes: Option<Shapes>,
    calls: u64,
}

/// The contents of an answer.
#[derive(Debug)]
pub struct Found {
    /// The number of rows, whether they would count or not.
    pub rows: u64,
    /// The size of the answer in bytes, after decompression.
    pub bytes: u64,
    /// How far the API's clock is ahead of ours, if the answer shows it.
    pub clock_ahead: Option<SignedDuration>,
    /// The age of the newest row, if rows have dates.
    pub newest_age: Option<SignedDuration>,
    /// The number of series that the exporter would show, by family.
    pub series: BTreeMap<&'static Family, usize>,
    /// Whether `series_limit` would leave some out.
    pub over_limit: bool,
    /// How the rows would count.
    pub tally: Tally,
    /// The requested range in words.
    range: String,
}

/// Requests each report of each operation once, in sequence, and writes every result immediately.
pub async fn check(config: &Config, with_shapes: bool, clock: &Clock, out: &mut impl Write) -> io::Result<Verdict> {
    let mut verdict = Verdict::default();
    writeln!(
        out,
        "Each report is asked once. While an exporter polls with the same token, Wolkvox may refuse a request."
    )?;
    if with_shapes {
        writeln!(
            out,
            "Shapes show digits as 9, letters as a or A, other characters as ¤; length and punctuation are kept. Words of the vendor's \
             lists are shown as they are."
        )?;
    }
    for operation in &config.operations {
        writeln!(
            out,
            "\noperation {}: {} ({})",
            operation.name, operation.base_url, operation.timezone_name
        )?;
        let no_retries = RetryPolicy {
            retries: 0,
            ..RetryPolicy::default()
        };
        let client = Client::new(operation, no_retries);
        for (report, report_config) in &operation.reports {
            verdict.reports += 1;
            let check = match &client {
                Ok(client) => {
                    let check = Check {
                        client,
                        operation,
                        report,
                        config: report_config,
                        series_limit: config.series_limit,
                    };
                    check.run(with_shapes, clock).await
                }
                Err(error) => CheckedReport {
                    report,
                    duration: None,
                    result: Err(error.clone()),
                    shapes: None,
                    calls: 0,
                },
            };
            verdict.calls += check.calls;
            verdict.failed += u64::from(check.result.is_err());
            write!(out, "\n{check}")?;
            out.flush()?;
        }
    }
    writeln!(out, "\n{verdict}")?;
    Ok(verdict)
}

/// A report to check.
struct Check<'c> {
    client: &'c Client,
    operation: &'c Operation,
    report: &'static Report,
    config: &'c ReportConfig,
    series_limit: usize,
}

impl Check<'_> {
    async fn run(&self, with_shapes: bool, clock: &Clock) -> CheckedReport {
        let now = clock.now();
        let today = window::local_date(now, &self.operation.timezone);
        let mut api = CheckedApi {
            client: self.client,
            timeout: self.config.timeout,
            // Only the exporter knows how many of the day's calls are left.
            budget: CallBudget::new(u32::MAX, today, 0),
            attempts: Vec::new(),
            sketch: with_shapes.then(Sketch::default),
        };
        let result = match self.report.kind {
            Kind::Current(state) => self.current(&mut api, state, now, clock).await,
            Kind::DayTotals(totals) => self.day(&mut api, totals, now, clock).await,
            Kind::Events(rows) => self.events(&mut api, rows, now, clock).await,
        };
        CheckedReport {
            report: self.report,
            duration: api.attempts.last().map(|attempt| attempt.duration),
            result,
            calls: api.attempts.len() as u64,
            shapes: api.sketch.map(Sketch::into_shapes),
        }
    }

    async fn current(
        &self,
        api: &mut CheckedApi<'_>,
        state: CurrentState,
        now: Timestamp,
        clock: &Clock,
    ) -> Result<Found, ApiError> {
        let answer = queries::current(api, self.report, state, &self.config.choice, self.series_limit).await?;
        let tally = &answer.rows.tally;
        queries::check_usable(tally, tally.rows(Outcome::Counted))?;
        let found = Found::new(
            &answer,
            &answer.rows.tally,
            "of the current state".to_owned(),
            now,
            clock,
        )?;
        let series = answer.rows.series.iter();
        let mut series: BTreeMap<_, _> = series.map(|family| (family.family, family.series.len())).collect();
        for (family, _, _) in &answer.rows.names {
            *series.entry(*family).or_default() += 1;
        }
        Ok(Found {
            series,
            over_limit: !answer.rows.left_out.is_empty(),
            ..found
        })
    }

    async fn day(
        &self,
        api: &mut CheckedApi<'_>,
        totals: DayTotals,
        now: Timestamp,
        clock: &Clock,
    ) -> Result<Found, ApiError> {
        let date = window::local_date(now, &self.operation.timezone);
        let answer = queries::day(api, self.report, totals, self.operation, date, now).await?;
        let tally = &answer.rows.tally;
        queries::check_usable(tally, tally.rows(Outcome::Counted))?;
        let found = Found::new(&answer, tally, format!("of today, {date}"), now, clock)?;
        let zeros = (totals.zeros)(self.operation.currency.as_deref());
        let keys = zeros.iter().chain(&answer.rows.totals).map(|(key, _)| key);
        let series: BTreeSet<&SeriesKey> = keys.collect();
        Ok(Found {
            series: by_family(series),
            ..found
        })
    }

    async fn events(
        &self,
        api: &mut CheckedApi<'_>,
        rows: EventRows,
        now: Timestamp,
        clock: &Clock,
    ) -> Result<Found, ApiError> {
        let zone = &self.operation.timezone;
        let until = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let overlap = SignedDuration::try_from(self.config.overlap).unwrap_or_default();
        let query = EventQuery {
            report: self.report,
            rows,
            from: until.checked_sub(overlap).unwrap_or(until),
            until,
            zone,
            choice: &self.config.choice,
            // Nothing is stored, so identities need no secret key.
            hash_key: 0,
            final_before: Timestamp::MIN,
        };
        let mut answer = query.fetch(api).await?;
        let Collected { rows, tally, .. } = &mut answer.rows;
        queries::check_usable(tally, rows.len() as u64)?;
        for assumption in rows.iter().flat_map(|row| row.violated.iter()) {
            tally.violation(assumption);
        }
        let local = |at: Timestamp| zone.to_datetime(at);
        let range = format!("dated {} to {}", local(query.from), local(query.until));
        let found = Found::new(&answer, &answer.rows.tally, range, now, clock)?;
        let series = series_of_events(&answer.rows, self.report);
        // Names are not limited: each id has one.
        let limited =
            |(family, count): (&&Family, &usize)| family.kind != FamilyKind::Info && *count > self.series_limit;
        Ok(Found {
            newest_age: answer.rows.newest.map(|newest| until.duration_since(newest)),
            over_limit: series.iter().any(limited),
            series,
            ..found
        })
    }
}

impl Found {
    fn new<R>(
        answer: &Answer<R>,
        tally: &Tally,
        range: String,
        now: Timestamp,
        clock: &Clock,
    ) -> Result<Self, ApiError> {
        clocks::compare(answer.date, now)?;
        // The header has whole seconds, and reading the answer took some time.
        let (sent, read) = (now.as_second(), clock.now().as_second());
        let clock_ahead = answer.date.map(|date| {
            let date = date.as_second();
            SignedDuration::from_secs(date - date.clamp(sent.min(read), read.max(sent)))
        });
        Ok(Self {
            rows: answer.count,
            bytes: answer.bytes,
            clock_ahead,
            newest_age: None,
            series: BTreeMap::new(),
            over_limit: false,
            tally: tally.clone(),
            range,
        })
    }
}

/// The number of series per family.
fn by_family<'k>(keys: impl IntoIterator<Item = &'k SeriesKey>) -> BTreeMap<&'static Family, usize> {
    let mut families = BTreeMap::new();
    for key in keys {
        *families.entry(key.family).or_default() += 1;
    }
    families
}

fn series_of_events(events: &Collected, report: &'static Report) -> BTreeMap<&'static Family, usize> {
    let keys: BTreeSet<&SeriesKey> = events.series.iter().chain(&events.born_together).collect();
    let mut families = by_family(keys);
    for (family, _) in events.names.keys() {
        *families.entry(*family).or_default() += 1;
    }
    for family in report.families.iter().chain(report.names) {
        families.entry(family).or_default();
    }
    families
}

/// The API as a check uses it: one request, no retries.
struct CheckedApi<'c> {
    client: &'c Client,
    timeout: Duration,
    budget: CallBudget,
    attempts: Vec<Attempt>,
    sketch: Option<Sketch>,
}

impl Api for CheckedApi<'_> {
    async fn fetch<R: Rows + Send>(
        &mut self,
        query: &Query,
        rows: impl Fn() -> R + Send + Sync,
    ) -> Result<Answer<R>, ApiError> {
        let allowance = Allowance {
            timeout: self.timeout,
            retry_within: Duration::ZERO,
            budget: &mut self.budget,
            attempts: &mut self.attempts,
        };
        match &self.sketch {
            None => self.client.fetch(query, allowance, rows).await,
            Some(sketch) => {
                let answer = self
                    .client
                    .fetch(query, allowance, || Sketched::new(sketch, rows()))
                    .await?;
                Ok(answer.map(|sketched| sketched.rows))
            }
        }
    }
}
