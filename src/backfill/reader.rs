//! Reads history from the API with the calls that the day's live polls leave over.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::history::History;
use super::journal::Journal;
use super::plan::End;
use super::progress::Progress;
use super::records::{DayRecord, Record};
use super::{Failure, FetchSettings};
use crate::client::{Allowance, Answer, ApiError, CallBudget, Client, Reason};
use crate::clock::{Clock, Moment};
use crate::config::Operation;
use crate::fetch::calls::calls_of_the_rest_of_the_day;
use crate::fetch::clocks;
use crate::fetch::pieces::{PieceLength, second_after};
use crate::fetch::queries::{self, Api, EventQuery};
use crate::fetch::window;
use crate::ledger::Ledger;
use crate::reports::day_totals::DayTotals;
use crate::reports::events::EventRows;
use crate::reports::{Kind, Outcome, Report};
use crate::wire::{Query, Rows};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
/// A piece that times out is halved down to this length.
const SHORTEST_AFTER_TIMEOUT: SignedDuration = SignedDuration::from_hours(1);

/// Reads the history of one operation.
pub(super) struct Reader<'b> {
    pub(super) operation: &'b Operation,
    pub(super) settings: FetchSettings,
    /// Whether calls by duration are read hour by hour.
    pub(super) hourly: bool,
    pub(super) clock: &'b Clock,
    pub(super) stop: &'b CancellationToken,
    pub(super) client: Client,
    pub(super) budget: CallBudget,
    /// Held open until the end, so that no exporter uses the token in the meantime.
    pub(super) ledger: Option<Ledger>,
    pub(super) hash_key: u128,
    pub(super) journal: Option<Journal>,
    pub(super) history: History,
    pub(super) progress: Progress,
    /// Calls made by this run.
    pub(super) calls: u32,
}

/// Why reading a report ended early.
pub(super) enum Abort {
    /// This report cannot be read; others may be readable.
    Report(ApiError),
    /// Nothing more can be read.
    All(Failure),
}

impl Reader<'_> {
    /// Reads what is left of a report.
    pub(super) async fn read(&mut self, report: &'static Report, from: Timestamp, end: &End) -> Result<(), Abort> {
        match report.kind {
            // The current state has no history.
            Kind::Current(_) => Ok(()),
            Kind::DayTotals(totals) => self.read_days(report, totals, from, end).await,
            Kind::Events(rows) => {
                let cut_at = end.record_limit.unwrap_or(u64::MAX).min(self.settings.cut_at);
                if end.is_birth && rows.rows_share_facts {
                    // A fact with rows on both sides of the birth is counted live, because live counting sees its later
                    // rows. So read the rows after the birth first: their facts must not count here.
                    let now = self.clock.now();
                    let overlap = SignedDuration::try_from(self.operation.reports[report].overlap).unwrap_or_default();
                    let until = end.at.saturating_add(overlap).unwrap_or(end.at).min(now);
                    self.read_events(report, rows, true, end.at..until, cut_at).await?;
                }
                self.read_events(report, rows, false, from..end.at, cut_at).await
            }
        }
    }

    async fn read_events(
        &mut self,
        report: &'static Report,
        rows: EventRows,
        of_live: bool,
        Range { start: from, end }: Range<Timestamp>,
        cut_at: u64,
    ) -> Result<(), Abort> {
        let mut next = self.history.covered(report, of_live).unwrap_or(from);
        while next < end {
            let mut length = self.history.length(report);
            let until = length.end(next, end - SECOND);
            self.check_allowed()?;
            let operation = self.operation;
            let query = EventQuery {
                report,
                rows,
                from: next,
                until,
                zone: &operation.timezone,
                choice: &operation.reports[report].choice,
                hash_key: self.hash_key,
                // Nothing is read again.
                final_before: Timestamp::MAX,
            };
            let answer = query.fetch(&mut HistoryApi { reader: self, report }).await;
            let judged = length.accept(next, until, answer, cut_at);
            let complete = match judged {
                Ok(Some(complete)) => complete,
                Ok(None) => {
                    self.record_too_much(report, length)?;
                    continue;
                }
                Err(error) => {
                    let is_long = until.duration_since(next) > SHORTEST_AFTER_TIMEOUT;
                    if error.reason == Reason::Timeout && is_long {
                        self.record_too_much(report, length)?;
                        continue;
                    }
                    return Err(self.halt(error));
                }
            };
            let collected = &complete.collected;
            queries::check_usable(&collected.tally, collected.rows.len() as u64).map_err(|error| self.halt(error))?;
            if complete.is_capped {
                tracing::warn!(
                    report = report.name,
                    second = %operation.timezone.to_datetime(until),
                    "a single second reached the API's record limit: some of its rows may be missing"
                );
            }
            let piece = self.history.piece(report, of_live, until, complete, length, from..end);
            let rows = piece.rows;
            self.append(Record::Piece(piece))?;
            next = second_after(until);
            self.report_progress(report, next, rows);
        }
        Ok(())
    }

    /// Reads the totals at the end of each day or, for hourly history, the day's totals at the end of each hour. So an
    /// hour that occurs twice is not counted twice.
    async fn read_days(
        &mut self,
        report: &'static Report,
        totals: DayTotals,
        from: Timestamp,
        end: &End,
    ) -> Result<(), Abort> {
        let operation = self.operation;
        let zone = &operation.timezone;
        let step = if self.hourly {
            SignedDuration::from_hours(1)
        } else {
            SignedDuration::MAX
        };
        let mut next = self.history.covered(report, false).unwrap_or(from);
        while next < end.at {
            let date = window::local_date(next, zone);
            let midnight = window::next_midnight(next, zone).unwrap_or(end.at);
            let until = next.saturating_add(step).unwrap_or(midnight).min(midnight).min(end.at);
            let birth = end
                .totals
                .as_ref()
                .filter(|birth| window::local_date(birth.at, zone) == date);
            let totals = match birth {
                // The totals at birth come from the state: the API's may have grown since.
                Some(birth) if until == end.at => {
                    let series = (totals.zeros)(operation.currency.as_deref()).into_iter();
                    let totals = series.filter_map(|(key, _)| birth.total(&key).map(|total| (key, total)));
                    totals.collect()
                }
                _ => {
                    self.check_allowed()?;
                    let mut api = HistoryApi { reader: self, report };
                    // At midnight the day is over; before that, ask until the last second of the step.
                    let at = if until == midnight { until } else { until - SECOND };
                    let answer = queries::day(&mut api, report, totals, operation, date, at).await;
                    let read = answer.map_err(|error| self.halt(error))?.rows;
                    let used = read.tally.rows(Outcome::Counted);
                    queries::check_usable(&read.tally, used).map_err(|error| self.halt(error))?;
                    read.totals
                }
            };
            self.append(Record::Day(DayRecord::new(report, date, until, totals, birth)))?;
            next = until;
            self.report_progress(report, next, 0);
        }
        Ok(())
    }

    fn record_too_much(&mut self, report: &'static Report, next: PieceLength) -> Result<(), Abort> {
        let report = report.name.to_owned();
        self.append(Record::TooMuch { report, next })
    }

    fn append(&mut self, record: Record) -> Result<(), Abort> {
        if let Some(journal) = &mut self.journal {
            journal.append(&record).map_err(Abort::All)?;
        }
        self.history.apply(&record);
        Ok(())
    }

    fn report_progress(&mut self, report: &'static Report, until: Timestamp, rows: u64) {
        self.progress.advance(report, until, rows, self.calls);
    }

    /// Fails if no call is left after those that live polls need until midnight.
    fn check_allowed(&mut self) -> Result<(), Abort> {
        if self.stop.is_cancelled() {
            return Err(Abort::All(self.stopped()));
        }
        let now = self.clock.now();
        self.budget.set_day(window::local_date(now, &self.operation.timezone));
        let needed = u32::try_from(calls_of_the_rest_of_the_day(self.operation, now)).unwrap_or(u32::MAX);
        self.budget.set_limit(self.operation.daily_calls.saturating_sub(needed));
        if self.budget.left() > 0 {
            return Ok(());
        }
        Err(Abort::All(Failure::Failed(format!(
            "operation {}: of the {} daily_calls, {} are used and the live polls until midnight need {needed}: {}{}",
            self.operation.name,
            self.operation.daily_calls,
            self.budget.used(),
            self.more_calls(now),
            self.kept()
        ))))
    }

    /// When calls will be available again.
    fn more_calls(&self, now: Timestamp) -> String {
        let midnight = window::next_midnight(now, &self.operation.timezone).unwrap_or(now);
        if calls_of_the_rest_of_the_day(self.operation, midnight) >= u64::from(self.operation.daily_calls) {
            return "the polls of a whole day leave no calls. Run the same command again late in the day, when few polls are left, \
                    lengthen intervals, or raise daily_calls"
                .to_owned();
        }
        format!("run the same command again after {}", self.next_midnight(now))
    }

    fn next_midnight(&self, now: Timestamp) -> String {
        let zone = &self.operation.timezone;
        let midnight = window::next_midnight(now, zone).unwrap_or(now);
        format!("{} ({})", zone.to_datetime(midnight), self.operation.timezone_name)
    }

    pub(super) fn stopped(&self) -> Failure {
        Failure::Failed(format!(
            "stopped before the end; run the same command again in a minute or so, since Wolkvox is still working on the \
             last request{}",
            self.kept()
        ))
    }

    /// What a failure message says about the data read so far.
    pub(super) fn kept(&self) -> &'static str {
        if self.journal.is_some() {
            "; what was read is kept, and the next run continues from there"
        } else {
            "; nothing is kept: only a backfill with --output can be resumed"
        }
    }

    fn halt(&self, error: ApiError) -> Abort {
        if self.stop.is_cancelled() {
            return Abort::All(self.stopped());
        }
        let name = &self.operation.name;
        match error.reason {
            Reason::Quota => Abort::All(Failure::Failed(format!(
                "operation {name}: {}; run the same command again after {}{}",
                error.what,
                self.next_midnight(self.clock.now()),
                self.kept()
            ))),
            // Other reports would fail too.
            Reason::Connect | Reason::Tls | Reason::Concurrency | Reason::Auth | Reason::Clock | Reason::State => {
                Abort::All(Failure::Failed(format!("operation {name}: {error}{}", self.kept())))
            }
            _ => Abort::Report(error),
        }
    }

    /// Saves the number of calls made, whatever the result.
    fn save_calls(&mut self) -> Result<(), ApiError> {
        let now = self.clock.now();
        let today = window::local_date(now, &self.operation.timezone);
        self.budget.set_day(today);
        match &mut self.ledger {
            Some(ledger) => ledger
                .commit_calls(today, self.budget.used(), Moment::at(now))
                .map_err(|error| ApiError::new(Reason::State, error.to_string())),
            None => Ok(()),
        }
    }
}

/// The API as a backfill uses it.
struct HistoryApi<'r, 'b> {
    reader: &'r mut Reader<'b>,
    report: &'static Report,
}

impl Api for HistoryApi<'_, '_> {
    async fn fetch<R: Rows + Send>(
        &mut self,
        query: &Query,
        rows: impl Fn() -> R + Send + Sync,
    ) -> Result<Answer<R>, ApiError> {
        let reader = &mut *self.reader;
        let config = &reader.operation.reports[self.report];
        let used = reader.budget.used();
        let mut attempts = Vec::new();
        let allowance = Allowance {
            timeout: config.timeout,
            retry_within: config.interval,
            budget: &mut reader.budget,
            attempts: &mut attempts,
        };
        let asked = reader.client.fetch(query, allowance, rows);
        let asked = reader.stop.run_until_cancelled(asked).await;
        reader.calls += reader.budget.used().saturating_sub(used);
        reader.save_calls()?;
        let answer = asked.unwrap_or_else(|| Err(ApiError::new(Reason::Other, "stopped")))?;
        clocks::compare(answer.date, reader.clock.now())?;
        Ok(answer)
    }
}
