//! A task per operation reads its reports one after the other, on a grid, and shows what came of it.
//!
//! Only here do the parts meet: the client that asks, the reports that know what rows mean, the ledger that counts, and
//! the board on which the result is shown.

mod grid;
pub mod window;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

pub use self::grid::{Grid, phase};
use crate::board::Board;
use crate::client::{Allowance, Answer, ApiError, Attempt, CallBudget, Client, Query, Reason, RetryPolicy, Rows};
use crate::clock::{Clock, Moment};
use crate::config::{Operation, ReportConfig};
use crate::ledger::{DayReading, Ledger};
use crate::metrics::own::{OperationHealth, Skip};
use crate::reports::call_durations::{self, CallDurations};
use crate::reports::campaigns::{self, Campaigns};
use crate::reports::{Outcome, ReportKind, Tally};

/// The API's clock and ours may differ by so much: beyond it, "until now" means another time there than here.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(10);
/// Our clock may be this far behind the end of what was read before.
const STEP_BACK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// What holds for all operations.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a new counter series shows 0.
    pub new_series_hold: Duration,
    /// Label sets per operation and family.
    pub series_limit: usize,
    /// When a failed request is sent again.
    pub retry: RetryPolicy,
}

/// Polls one operation.
#[derive(Debug)]
pub struct Poller {
    operation: Arc<Operation>,
    settings: Settings,
    client: Client,
    clock: Clock,
    board: Arc<Board>,
    ledger: Ledger,
    budget: CallBudget,
    health: OperationHealth,
    /// No poll before this instant, and why; set by the API's own word.
    suspended: Option<(Timestamp, Skip)>,
    /// When each report last had its turn, whether it was polled or not.
    last_ticks: BTreeMap<ReportKind, Timestamp>,
    /// Ticks since the last poll of a report, for when only every k-th is kept.
    ticks_left_out: BTreeMap<ReportKind, u64>,
    token_is_doubtful: bool,
}

impl Poller {
    /// A poller that has not asked anything yet. It shows its own metrics at once, at zero.
    pub fn new(operation: Operation, settings: Settings, clock: Clock, board: Arc<Board>) -> Result<Self, ApiError> {
        let client = Client::new(&operation, settings.retry)?;
        let polled = operation
            .reports
            .iter()
            .filter(|(report, _)| ReportKind::READ.contains(report));
        let health = OperationHealth::new(
            polled.map(|(report, config)| (*report, config.interval)),
            operation.daily_calls,
        );
        let today = window::local_date(clock.now(), &operation.timezone);
        let mut poller = Self {
            budget: CallBudget::new(operation.daily_calls, today),
            operation: Arc::new(operation),
            settings,
            client,
            clock,
            board,
            ledger: Ledger::new(settings.new_series_hold),
            health,
            suspended: None,
            last_ticks: BTreeMap::new(),
            ticks_left_out: BTreeMap::new(),
            token_is_doubtful: false,
        };
        poller.show_health();
        Ok(poller)
    }

    /// Polls on the grid that begins at `origin`, until told to stop. A poll that is under way then is given up: what
    /// it has not committed is read again by the next start.
    pub async fn run(mut self, origin: Instant, stop: CancellationToken) {
        stop.clone()
            .run_until_cancelled(async move { self.poll_forever(origin).await })
            .await;
    }

    async fn poll_forever(&mut self, origin: Instant) {
        let mut due: Vec<(Instant, ReportKind, Grid)> = self
            .health
            .reports
            .keys()
            .map(|report| {
                (
                    origin,
                    *report,
                    Grid::new(origin, self.operation.reports[report].interval),
                )
            })
            .collect();
        loop {
            let Some(next) = due.iter_mut().min_by_key(|(at, report, _)| (*at, *report)) else {
                return std::future::pending().await;
            };
            let (at, report, grid) = *next;
            self.releases().while_waiting_for(sleep_until(at)).await;
            self.tick(report).await;
            next.0 = grid.next_after(Instant::now().max(at));
        }
    }

    /// A tick of the grid: polls, unless the budget or the API says that this one is to be left out.
    pub async fn tick(&mut self, report: ReportKind) {
        let now = self.clock.now();
        self.last_ticks.remove(&report);
        let skip = self.reason_to_skip(report, now);
        self.last_ticks.insert(report, now);
        if let Some(skip) = skip {
            if let Some(health) = self.health.reports.get_mut(&report) {
                health.skip(skip);
            }
            self.show_health();
            return;
        }
        self.poll(report, now).await;
    }

    fn reason_to_skip(&mut self, report: ReportKind, now: Timestamp) -> Option<Skip> {
        self.budget.go_to(window::local_date(now, &self.operation.timezone));
        if let Some((until, skip)) = self.suspended {
            if now < until {
                return Some(skip);
            }
            self.suspended = None;
        }
        let thinning = self.budget.thinning(self.calls_until_midnight(now));
        let health = self.health.reports.get_mut(&report)?;
        let Some(every) = thinning else {
            health.up = Some(false);
            health.last_error = Some("daily_calls are used up; polls go on after local midnight".to_owned());
            return Some(Skip::Budget);
        };
        let interval = self.operation.reports[&report].interval;
        health.interval = interval.saturating_mul(u32::try_from(every).unwrap_or(u32::MAX));
        let left_out = self.ticks_left_out.entry(report).or_insert(every);
        *left_out += 1;
        if *left_out < every {
            return Some(Skip::Budget);
        }
        *left_out = 0;
        None
    }

    /// Calls that the ticks from now until local midnight need, if none is left out and no request is repeated.
    fn calls_until_midnight(&self, now: Timestamp) -> u64 {
        let midnight = window::next_midnight(now, &self.operation.timezone);
        let left = midnight.map_or(Duration::ZERO, |midnight| positive(midnight.duration_since(now)));
        let ticks = |report: &ReportKind| {
            let interval = self.config(*report).interval;
            let since = self
                .last_ticks
                .get(report)
                .map(|last| positive(now.duration_since(*last)));
            let due_in = since.map_or(Duration::ZERO, |since| interval.saturating_sub(since));
            left.saturating_sub(due_in)
                .as_nanos()
                .div_ceil(interval.as_nanos().max(1)) as u64
        };
        self.health.reports.keys().map(ticks).sum()
    }

    /// Polls a report, at an instant given from outside.
    pub async fn poll(&mut self, report: ReportKind, now: Timestamp) {
        let begin = Instant::now();
        self.budget.go_to(window::local_date(now, &self.operation.timezone));
        if self.token_is_doubtful {
            self.read_token_again().await;
        }
        let result = match report {
            ReportKind::Campaigns => self.poll_campaigns(now).await,
            ReportKind::CallDurations => self.poll_call_durations(now).await,
            ReportKind::AbandonedCalls | ReportKind::PreviewCalls | ReportKind::Ivr => return,
        };
        self.note_result(report, now, begin.elapsed(), result);
        self.show_health();
    }

    fn note_result(&mut self, report: ReportKind, now: Timestamp, duration: Duration, result: Result<usize, ApiError>) {
        let Some(health) = self.health.reports.get_mut(&report) else {
            return;
        };
        let failed_before = health.up == Some(false);
        health.polls += 1;
        health.last_attempt = Some(now);
        health.duration = Some(duration);
        let operation = &*self.operation.name;
        let error = match result {
            Ok(rows) => {
                health.success(now);
                tracing::info!(operation, report = report.name(), rows, ?duration, "polled");
                return;
            }
            Err(error) => error,
        };
        let reason = error.reason.name();
        if failed_before {
            tracing::warn!(
                operation,
                report = report.name(),
                reason,
                "poll failed again: {}",
                error.what
            );
        } else {
            tracing::warn!(operation, report = report.name(), reason, "poll failed: {error}");
        }
        health.failure(error.reason, error.to_string());
        match error.reason {
            Reason::Auth => self.token_is_doubtful = true,
            Reason::Quota => {
                let until = window::next_midnight(now, &self.operation.timezone);
                self.suspend(until, Skip::Quota);
            }
            _ => {
                let wait = error.retry_after.and_then(|wait| SignedDuration::try_from(wait).ok());
                self.suspend(wait.and_then(|wait| now.checked_add(wait).ok()), Skip::Quota);
            }
        }
    }

    /// Stops the polls of all reports until an instant.
    fn suspend(&mut self, until: Option<Timestamp>, skip: Skip) {
        let Some(until) = until else { return };
        tracing::warn!(operation = &*self.operation.name, %until, "polls are suspended");
        self.suspended = Some((until, skip));
        if skip == Skip::Quota {
            for health in self.health.reports.values_mut() {
                health.up = Some(false);
            }
        }
    }

    async fn read_token_again(&mut self) {
        match self.operation.token.source.read(&|name| std::env::var(name).ok()) {
            Ok(token) => self.client.set_token(token).await,
            Err(error) => tracing::warn!(
                operation = &*self.operation.name,
                "the token cannot be read again: {error}"
            ),
        }
        self.token_is_doubtful = false;
    }

    async fn poll_campaigns(&mut self, now: Timestamp) -> Result<usize, ApiError> {
        let report = ReportKind::Campaigns;
        let answer = self.ask(report, &campaigns::query(), now, Campaigns::default).await?;
        let (series, left_out) = answer.rows.series(self.settings.series_limit);
        for (family, count) in left_out {
            self.health.dropped(family, count);
        }
        let rows = self.note_rows(report, answer.rows.tally(), now);
        let max_age = self.config(report).max_age;
        self.board
            .show(&self.operation.name, report, series, Some(Instant::now() + max_age));
        Ok(rows)
    }

    /// Reads today first, since it is what people watch, then the days before it that need it.
    async fn poll_call_durations(&mut self, now: Timestamp) -> Result<usize, ApiError> {
        let report = ReportKind::CallDurations;
        let zone = self.operation.timezone.clone();
        if let Some(progress) = self.ledger.day_progress(report)
            && progress.covered.duration_since(now) > STEP_BACK_TOLERANCE
        {
            return Err(ApiError::new(
                Reason::Clock,
                "our clock is behind the end of what was read before",
            ));
        }
        let mut rows = self.read_day(window::local_date(now, &zone), now).await?;
        let reread = self.config(report).reread;
        let Some(progress) = self.ledger.day_progress(report) else {
            return Ok(rows);
        };
        let days = window::past_days(progress, &reread, now, &zone);
        let is_reread = window::reread_is_due(progress, &reread, now);
        // An outage's days must not starve the live polls; what does not fit now is read by a later poll.
        let allowed = usize::try_from(self.budget.spare(self.calls_until_midnight(now))).unwrap_or(usize::MAX);
        for date in days.iter().take(allowed) {
            rows += self.read_day(*date, now).await?;
        }
        if is_reread && days.len() <= allowed {
            self.ledger.commit_reread(report, Moment::at(now));
        }
        Ok(rows)
    }

    /// Reads one day of call durations, commits it and shows it.
    async fn read_day(&mut self, date: Date, now: Timestamp) -> Result<usize, ApiError> {
        let report = ReportKind::CallDurations;
        let operation = Arc::clone(&self.operation);
        let currency = operation.currency.as_deref();
        let (from, to) = window::day_text(date, now, &operation.timezone);
        let query = call_durations::query(from, to);
        let answer = self.ask(report, &query, now, || CallDurations::new(currency)).await?;
        let tally = answer.rows.tally().clone();
        let reading = DayReading {
            report,
            date,
            until: now,
            settled: window::is_settled(date, now, &operation.timezone),
            today: window::local_date(now, &operation.timezone),
            series: CallDurations::all_series(currency),
            totals: answer.rows.into_totals(),
        };
        let committed = self.ledger.commit_day(reading, Moment::at(now));
        if let Some(health) = self.health.reports.get_mut(&report) {
            health.corrections += committed.corrections;
        }
        self.board
            .show(&operation.name, report, self.ledger.shown(&report.families()), None);
        Ok(self.note_rows(report, &tally, now))
    }

    /// Asks, checks the clocks against each other, and notes every request that was sent.
    async fn ask<R: Rows>(
        &mut self,
        report: ReportKind,
        query: &Query,
        now: Timestamp,
        rows: impl Fn() -> R,
    ) -> Result<Answer<R>, ApiError> {
        let mut attempts: Vec<Attempt> = Vec::new();
        let config = self.config(report);
        let allowance = Allowance {
            timeout: config.timeout,
            retry_within: config.interval,
            budget: &mut self.budget,
            attempts: &mut attempts,
        };
        let fetch = self.client.fetch(query, allowance, rows);
        let releases = Releases {
            ledger: &mut self.ledger,
            board: &self.board,
            clock: &self.clock,
            operation: &self.operation,
        };
        let result = releases.while_waiting_for(fetch).await;
        self.health.calls_used = self.budget.used();
        if let Some(health) = self.health.reports.get_mut(&report) {
            attempts.into_iter().for_each(|attempt| health.request(attempt));
        }
        let answer = result?;
        if let Some(date) = answer.date
            && date.duration_since(now).abs() > CLOCK_TOLERANCE
        {
            return Err(ApiError::new(
                Reason::Clock,
                format!("the API's clock says {date}, ours says {now:.0}"),
            ));
        }
        Ok(answer)
    }

    fn note_rows(&mut self, report: ReportKind, tally: &Tally, now: Timestamp) -> usize {
        let Some(health) = self.health.reports.get_mut(&report) else {
            return 0;
        };
        health.tally.add(tally);
        health.data = Some(now);
        Outcome::ALL.iter().map(|outcome| tally.rows(*outcome)).sum::<u64>() as usize
    }

    fn show_health(&mut self) {
        (self.health.commits, self.health.last_commit) = self.ledger.commits();
        self.board.show_health(&self.operation.name, self.health.clone());
    }

    fn releases(&mut self) -> Releases<'_> {
        Releases {
            ledger: &mut self.ledger,
            board: &self.board,
            clock: &self.clock,
            operation: &self.operation,
        }
    }

    fn config(&self, report: ReportKind) -> &ReportConfig {
        &self.operation.reports[&report]
    }
}

fn positive(time: SignedDuration) -> Duration {
    Duration::try_from(time).unwrap_or_default()
}

/// Shows the counters whose hold ends while the poller waits for something else, be it its next tick or an answer.
struct Releases<'a> {
    ledger: &'a mut Ledger,
    board: &'a Board,
    clock: &'a Clock,
    operation: &'a Operation,
}

impl Releases<'_> {
    async fn while_waiting_for<F: Future>(self, awaited: F) -> F::Output {
        let mut awaited = pin!(awaited);
        loop {
            let Some(next) = self.ledger.next_release() else {
                return awaited.await;
            };
            tokio::select! {
                output = &mut awaited => return output,
                () = sleep_until(next) => {}
            }
            if self.ledger.commit_releases(Moment::at(self.clock.now())) {
                for report in self.operation.reports.keys().filter(|report| report.counts()) {
                    self.board.show(
                        &self.operation.name,
                        *report,
                        self.ledger.shown(&report.families()),
                        None,
                    );
                }
            }
        }
    }
}
