//! One real round against the configured operations, told in plain words.
//!
//! Each configured report is asked once, with the questions and readers of the poller. Nothing is kept: the folder of the
//! state is never opened, since an exporter may be running on it.

pub mod shapes;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use self::shapes::{Shapes, Sketch, Sketched};
use crate::client::{Allowance, Answer, ApiError, Attempt, CallBudget, Client, RetryPolicy};
use crate::clock::Clock;
use crate::config::{Config, Operation, ReportConfig};
use crate::fetch::clocks;
use crate::fetch::pieces::CUT_AT;
use crate::fetch::queries::{self, Api, EventQuestion};
use crate::fetch::window;
use crate::metrics::series::SeriesKey;
use crate::metrics::{Family, Kind};
use crate::reports::call_durations::CallDurations;
use crate::reports::events::Collected;
use crate::reports::{Outcome, ReportKind, Tally};
use crate::wire::{Query, Rows};

/// A newest row of so many seconds is worth a word: in a contact centre at work there are younger ones.
const OLD: i64 = 30 * 60;

/// What a check came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Reports that were asked.
    pub reports: u64,
    /// Reports that failed.
    pub failed: u64,
    /// Calls of the API that were made.
    pub calls: u64,
}

/// What one report came to.
#[derive(Debug)]
pub struct ReportCheck {
    /// The report.
    pub report: ReportKind,
    /// How long the request took, if one was sent.
    pub duration: Option<Duration>,
    /// What came, or why nothing did.
    pub result: Result<Found, ApiError>,
    /// What the values look like, if that was asked for.
    pub shapes: Option<Shapes>,
    calls: u64,
}

/// What an answer held.
#[derive(Debug)]
pub struct Found {
    /// The rows, whatever becomes of them.
    pub rows: u64,
    /// The length of the answer, once decompressed.
    pub bytes: u64,
    /// How far the API's clock is ahead of ours, if it shows one.
    pub clock_ahead: Option<SignedDuration>,
    /// How old the newest row is, where rows are dated.
    pub newest_age: Option<SignedDuration>,
    /// What the exporter would show: families and their series.
    pub series: BTreeMap<&'static Family, usize>,
    /// Whether there is more than `series_limit` lets through.
    pub over_limit: bool,
    /// What became of the rows.
    pub tally: Tally,
    /// What was asked for, in words.
    asked: String,
}

/// Asks each report of each operation once, one after the other, and writes what came as it comes.
pub async fn check(config: &Config, with_shapes: bool, clock: &Clock, out: &mut impl Write) -> io::Result<Verdict> {
    let mut verdict = Verdict::default();
    writeln!(
        out,
        "Each report is asked once. While an exporter polls with the same token, Wolkvox may refuse a request."
    )?;
    if with_shapes {
        writeln!(
            out,
            "Shapes show digits as 9, letters as a or A, other signs as ¤; length and punctuation are kept."
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
                    let asked = Asked {
                        client,
                        operation,
                        report: *report,
                        config: report_config,
                        series_limit: config.series_limit,
                    };
                    asked.check(with_shapes, clock).await
                }
                Err(error) => ReportCheck {
                    report: *report,
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

/// A report that is to be asked.
struct Asked<'c> {
    client: &'c Client,
    operation: &'c Operation,
    report: ReportKind,
    config: &'c ReportConfig,
    series_limit: usize,
}

impl Asked<'_> {
    async fn check(&self, with_shapes: bool, clock: &Clock) -> ReportCheck {
        let now = clock.now();
        let today = window::local_date(now, &self.operation.timezone);
        let mut api = CheckedApi {
            client: self.client,
            timeout: self.config.timeout,
            // What is left of the day is known to the exporter alone.
            budget: CallBudget::new(u32::MAX, today, 0),
            attempts: Vec::new(),
            sketch: with_shapes.then(Sketch::default),
        };
        let result = self.ask(&mut api, now, clock).await;
        ReportCheck {
            report: self.report,
            duration: api.attempts.last().map(|attempt| attempt.duration),
            result,
            calls: api.attempts.len() as u64,
            shapes: api.sketch.map(Sketch::into_shapes),
        }
    }

    async fn ask(&self, api: &mut CheckedApi<'_>, now: Timestamp, clock: &Clock) -> Result<Found, ApiError> {
        let operation = self.operation;
        match self.report {
            ReportKind::Campaigns => {
                let answer = queries::campaigns(api).await?;
                let found = Found::new(&answer, answer.rows.tally(), "of now".to_owned(), now, clock)?;
                let (shown, left_out) = answer.rows.series(self.series_limit);
                let series = shown.iter().map(|family| (family.family, family.series.len()));
                Ok(Found {
                    series: series.collect(),
                    over_limit: !left_out.is_empty(),
                    ..found
                })
            }
            ReportKind::CallDurations => {
                let date = window::local_date(now, &operation.timezone);
                let answer = queries::call_durations(api, operation, date, now).await?;
                let found = Found::new(&answer, answer.rows.tally(), format!("of today, {date}"), now, clock)?;
                let series = CallDurations::all_series(operation.currency.as_deref());
                Ok(Found {
                    series: by_family(series.iter().map(|(key, _)| key)),
                    ..found
                })
            }
            ReportKind::AbandonedCalls | ReportKind::PreviewCalls | ReportKind::Ivr => {
                let until = Timestamp::from_second(now.as_second()).unwrap_or(now);
                let overlap = SignedDuration::try_from(self.config.overlap).unwrap_or_default();
                let question = EventQuestion {
                    report: self.report,
                    from: until.checked_sub(overlap).unwrap_or(until),
                    until,
                    zone: &operation.timezone,
                    filter: self.config.filter.as_deref(),
                    // Nothing is remembered, so identities need not be kept secret.
                    hash_key: 0,
                };
                let answer = question.ask(api).await?;
                let local = |at: Timestamp| operation.timezone.to_datetime(at);
                let asked = format!("dated {} to {}", local(question.from), local(question.until));
                let found = Found::new(&answer, &answer.rows.tally, asked, now, clock)?;
                let series = series_of_events(&answer.rows, self.report);
                // Names are not subject to it: each id has one.
                let limited =
                    |(family, count): (&&Family, &usize)| family.kind != Kind::Info && *count > self.series_limit;
                Ok(Found {
                    newest_age: answer.rows.newest.map(|newest| until.duration_since(newest)),
                    over_limit: series.iter().any(limited),
                    series,
                    ..found
                })
            }
        }
    }
}

impl Found {
    fn new<R>(
        answer: &Answer<R>,
        tally: &Tally,
        asked: String,
        now: Timestamp,
        clock: &Clock,
    ) -> Result<Self, ApiError> {
        clocks::compare(answer.date, now)?;
        // The header has whole seconds, and some time passed until the answer was read.
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
            asked,
        })
    }
}

/// How many series each family would have.
fn by_family<'k>(keys: impl IntoIterator<Item = &'k SeriesKey>) -> BTreeMap<&'static Family, usize> {
    let mut families = BTreeMap::new();
    for key in keys {
        *families.entry(key.family).or_default() += 1;
    }
    families
}

fn series_of_events(events: &Collected, report: ReportKind) -> BTreeMap<&'static Family, usize> {
    let keys: BTreeSet<&SeriesKey> = events.series.iter().chain(&events.born_together).collect();
    let mut families = by_family(keys);
    for (family, _) in events.names.keys() {
        *families.entry(*family).or_default() += 1;
    }
    for family in report.families() {
        families.entry(family).or_default();
    }
    families
}

/// The API as a check asks it: once, whatever comes.
struct CheckedApi<'c> {
    client: &'c Client,
    timeout: Duration,
    budget: CallBudget,
    attempts: Vec<Attempt>,
    sketch: Option<Sketch>,
}

impl Api for CheckedApi<'_> {
    async fn ask<R: Rows + Send>(
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

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reports, failed, calls } = self;
        match failed {
            0 => write!(f, "All {reports} reports are fine.")?,
            failed => write!(f, "{failed} of {reports} reports failed.")?,
        }
        write!(f, " Calls of the API made: {calls}.")
    }
}

impl fmt::Display for ReportCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = self
            .duration
            .map_or_else(String::new, |duration| format!(" in {:.2} s", duration.as_secs_f64()));
        match &self.result {
            Ok(found) => {
                let Found { rows, bytes, .. } = found;
                writeln!(f, "  {}: {rows} rows, {bytes} bytes{took}", self.report)?;
                write!(f, "{found}")?;
            }
            Err(error) => {
                writeln!(f, "  {}: FAILED{took}", self.report)?;
                writeln!(f, "    {error}")?;
            }
        }
        match &self.shapes {
            Some(shapes) if self.result.is_ok() || !shapes.is_empty() => write!(f, "{shapes}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows == 0 {
            writeln!(
                f,
                "    the report is empty: the API has no rows {}; that is no failure, but rows can come hours late",
                self.asked
            )?;
        } else {
            writeln!(f, "    asked for rows {}", self.asked)?;
        }
        if self.rows >= CUT_AT {
            writeln!(
                f,
                "    the API gives no more rows at once: the exporter will ask in smaller windows"
            )?;
        }
        if let Some(ahead) = self.clock_ahead {
            let seconds = ahead.as_secs();
            match seconds {
                0 => writeln!(f, "    the API's clock agrees with ours")?,
                1.. => writeln!(f, "    the API's clock is {seconds} s ahead of ours")?,
                _ => writeln!(f, "    the API's clock is {} s behind ours", -seconds)?,
            }
        }
        if let Some(age) = self.newest_age {
            let age = age.as_secs();
            match age {
                0.. => writeln!(
                    f,
                    "    the newest row is {} old{}",
                    humantime::format_duration(Duration::from_secs(age.unsigned_abs())),
                    if age < OLD {
                        ""
                    } else {
                        ": if there was more since, rows come late or the operation's timezone is wrong"
                    }
                )?,
                _ => writeln!(
                    f,
                    "    the newest row is dated {} s after now: check the operation's timezone",
                    -age
                )?,
            }
        }
        let bad = [
            (Outcome::Invalid, "rows that lack what identifies them"),
            (Outcome::Ignored, "totals, repetitions, or rows that say nothing yet"),
        ];
        for (outcome, why) in bad {
            let rows = self.tally.rows(outcome);
            if rows > 0 {
                writeln!(f, "    would be {}: {rows}, {why}", outcome.name())?;
            }
        }
        for (field, count) in self.tally.invalid_fields() {
            writeln!(
                f,
                "    could not be read: {field} in {count} of the rows; please report what --shapes says of it"
            )?;
        }
        if self.over_limit {
            writeln!(
                f,
                "    more than series_limit allows: raise it, or what is beyond will not have series of its own"
            )?;
        }
        writeln!(f, "    would expose")?;
        for (family, count) in &self.series {
            writeln!(f, "      {:<42} {count:>6} series", family.sample_name())?;
        }
        Ok(())
    }
}
