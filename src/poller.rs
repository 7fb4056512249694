//! A task per operation reads its reports one after the other, on a grid, and shows what came of it.
//!
//! Only here do the parts meet: the client that asks, the reports that know what rows mean, the ledger that counts, and
//! the board on which the result is shown.

mod call_durations;
mod events;
mod grid;
mod releases;
mod results;
mod stop;
mod streak;
pub(crate) mod turns;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

pub use self::grid::{Grid, phase};
use self::releases::{Releases, commit_apart};
use self::results::Before;
pub use self::stop::Stop;
use self::streak::Streak;
use crate::board::Board;
use crate::client::{Allowance, Answer, ApiError, Attempt, CallBudget, Client, Reason, RetryPolicy};
use crate::clock::{Clock, Moment};
use crate::config::{Operation, ReportConfig};
use crate::fetch::pieces::PieceLength;
use crate::fetch::queries::{self, Api};
use crate::fetch::{clocks, window};
use crate::health::{OperationHealth, Skip};
use crate::ledger::{Ledger, StateError, Storage};
use crate::reports::{ReportKind, Tally};
use crate::wire::{Query, Rows};

/// What to do when `daily_calls` are used up, as opposed to the calls that the API grants.
const BUDGET_ADVICE: &str =
    "polls go on after local midnight; raise daily_calls if the licences allow it, or lengthen the intervals";

/// What holds for all operations.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a new counter series shows 0.
    pub new_series_hold: Duration,
    /// Label sets per operation and family.
    pub series_limit: usize,
    /// When a failed request is sent again.
    pub retry: RetryPolicy,
    /// An answer with so many rows is taken as cut by the API.
    pub cut_at: u64,
}

/// How often a stopping poller looks whether its last commit has ended.
const COMMIT_CHECK: Duration = Duration::from_millis(5);

/// Why an operation cannot be polled at all.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The client cannot be set up.
    #[error(transparent)]
    Client(#[from] ApiError),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Polls one operation.
#[derive(Debug)]
pub struct Poller {
    operation: Arc<Operation>,
    settings: Settings,
    client: Client,
    clock: Clock,
    board: Arc<Board>,
    ledger: Arc<Mutex<Ledger>>,
    budget: CallBudget,
    health: OperationHealth,
    /// No poll before this instant, and why; set by the API's own word.
    suspended: Option<(Timestamp, Skip)>,
    /// When each report last had its turn, whether it was polled or not.
    last_ticks: BTreeMap<ReportKind, Timestamp>,
    /// Ticks since the last poll of a report, for when only every k-th is kept.
    ticks_left_out: BTreeMap<ReportKind, u64>,
    token_is_doubtful: bool,
    /// How much time the next piece of a report may cover.
    piece_lengths: BTreeMap<ReportKind, PieceLength>,
    /// Where a window ended that was not read to its end: the next one goes on there, and does not reach back again.
    unfinished: BTreeMap<ReportKind, Timestamp>,
    /// When the poll that is under way began.
    poll_began: Instant,
    /// The local date on which idle series were last looked for.
    idle_checked: Date,
    /// The failures in a row of each report that fails.
    streaks: BTreeMap<ReportKind, Streak>,
}

impl Poller {
    /// A poller that has not asked or shown anything yet.
    pub fn new(
        operation: Operation,
        settings: Settings,
        storage: Storage,
        clock: Clock,
        board: Arc<Board>,
    ) -> Result<Self, StartError> {
        let client = Client::new(&operation, settings.retry)?;
        let now = clock.now();
        let ledger = Ledger::open(
            storage,
            settings.new_series_hold,
            settings.series_limit,
            Moment::at(now),
        )?;
        let today = window::local_date(now, &operation.timezone);
        let mut health = OperationHealth::new(intervals(&operation), operation.daily_calls);
        for (report, health) in &mut health.reports {
            health.restored(ledger.covered(*report));
        }
        let budget = CallBudget::new(operation.daily_calls, today, ledger.calls_used(today));
        health.calls_used = budget.used();
        Ok(Self {
            budget,
            operation: Arc::new(operation),
            settings,
            client,
            clock,
            board,
            ledger: Arc::new(Mutex::new(ledger)),
            health,
            suspended: None,
            last_ticks: BTreeMap::new(),
            ticks_left_out: BTreeMap::new(),
            token_is_doubtful: false,
            piece_lengths: BTreeMap::new(),
            unfinished: BTreeMap::new(),
            poll_began: Instant::now(),
            idle_checked: today.yesterday().unwrap_or(today),
            streaks: BTreeMap::new(),
        })
    }

    /// The operation.
    pub fn name(&self) -> &Arc<str> {
        &self.operation.name
    }

    /// The interval of the report that is polled most often.
    pub fn shortest_interval(&self) -> Duration {
        intervals(&self.operation)
            .map(|(_, interval)| interval)
            .min()
            .unwrap_or_default()
    }

    /// Shows what the state has, and the poller's own metrics.
    pub fn show(&mut self) {
        for report in self.operation.reports.keys().filter(|report| report.counts()) {
            self.show_counters(*report);
        }
        self.show_health();
    }

    /// Goes over to a changed configuration of the same operation, between two polls. What was counted and what is
    /// known of its polls stays; a report that is no longer configured leaves the page, but not the state.
    pub fn reconfigure(&mut self, operation: Operation, settings: Settings, client: Client) {
        let before = std::mem::replace(&mut self.operation, Arc::new(operation));
        self.settings = settings;
        self.client = client;
        self.budget.set_limit(self.operation.daily_calls);
        self.health
            .reconfigure(intervals(&self.operation), self.operation.daily_calls);
        let ledger = Arc::clone(&self.ledger);
        let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.adjust(settings.new_series_hold, settings.series_limit);
        for report in ReportKind::ALL {
            let is_new = !before.reports.contains_key(&report);
            match self.health.reports.get_mut(&report) {
                Some(health) if is_new => health.restored(ledger.covered(report)),
                Some(_) => {}
                None => self.board.remove_report(&self.operation.name, report),
            }
        }
        drop(ledger);
        if before.base_url != self.operation.base_url {
            // What is shown of campaigns is another server's.
            self.board.remove_report(&self.operation.name, ReportKind::Campaigns);
        }
        // Whatever was wrong before, the new configuration is to be tried.
        self.suspended = None;
        self.token_is_doubtful = false;
        self.last_ticks.clear();
        self.ticks_left_out.clear();
        self.piece_lengths.clear();
        self.unfinished.clear();
        self.streaks.clear();
        self.show();
    }

    /// Polls on the grid that begins at `origin`, until told to stop. What a poll that is given up has not committed is
    /// read again by the next start. A commit that is under way is waited for, and the calls used are saved.
    pub async fn run(mut self, origin: Instant, stop: Stop) -> Self {
        let polls = self.poll_until(origin, &stop.soon);
        if stop.at_once.run_until_cancelled(polls).await.is_none() {
            while Arc::strong_count(&self.ledger) > 1 {
                sleep(COMMIT_CHECK).await;
            }
            if let Err(error) = self.save_calls(self.clock.now()).await {
                tracing::warn!(
                    operation = &*self.operation.name,
                    "the calls used were not saved: {}",
                    error.what
                );
            }
        }
        self
    }

    async fn poll_until(&mut self, origin: Instant, stop: &CancellationToken) {
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
        for report in self.operation.reports.keys().copied().collect::<Vec<_>>() {
            self.note_next_poll(report, origin);
        }
        self.show_health();
        loop {
            let Some(next) = due.iter_mut().min_by_key(|(at, report, _)| (*at, *report)) else {
                return stop.cancelled().await;
            };
            let (at, report, grid) = *next;
            let waited = stop.run_until_cancelled(sleep_until(at));
            if self.releases().while_waiting_for(waited).await.is_none() || stop.is_cancelled() {
                return;
            }
            // Known before the tick, so that it is shown with what comes of it.
            self.note_next_poll(report, grid.next_after(Instant::now().max(at)));
            self.tick(report).await;
            next.0 = grid.next_after(Instant::now().max(at));
        }
    }

    /// Polls a report, at an instant given from outside.
    pub async fn poll(&mut self, report: ReportKind, now: Timestamp) {
        self.poll_began = Instant::now();
        self.budget.go_to(window::local_date(now, &self.operation.timezone));
        if self.token_is_doubtful {
            self.read_token_again().await;
        }
        let before = Before::of(self.health.reports.get(&report));
        let result = match report {
            ReportKind::Campaigns => self.poll_campaigns(now).await,
            ReportKind::CallDurations => self.poll_call_durations(now).await,
            ReportKind::AbandonedCalls | ReportKind::PreviewCalls | ReportKind::Ivr => {
                self.poll_events(report, now).await
            }
        };
        let result = match result {
            Ok(rows) => self.drop_idle_series(now).await.map(|()| rows),
            // What was asked in vain cost calls, too.
            Err(error) => Err(self.save_calls(now).await.err().unwrap_or(error)),
        };
        self.note_result(report, now, before, result);
        self.show_health();
    }

    /// Once a day, drops the series that were idle for too long.
    async fn drop_idle_series(&mut self, now: Timestamp) -> Result<(), ApiError> {
        let today = window::local_date(now, &self.operation.timezone);
        if today > self.idle_checked {
            self.commit(now, move |ledger, now| ledger.commit_idle(today, now))
                .await?;
            self.idle_checked = today;
        }
        Ok(())
    }

    async fn save_calls(&self, now: Timestamp) -> Result<(), ApiError> {
        let (today, used) = self.calls_of_today(now);
        self.commit(now, move |ledger, now| ledger.commit_calls(today, used, now))
            .await
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
        let answer = queries::campaigns(&mut self.api(report, now)).await?;
        let (series, left_out) = answer.rows.series(self.settings.series_limit);
        for (family, count) in left_out {
            self.health.dropped(family, count);
        }
        let max_age = self.config(report).max_age;
        self.board
            .show(&self.operation.name, report, series, Some(Instant::now() + max_age));
        let rows = self.note_rows(report, answer.rows.tally(), answer.count, now);
        if let Err(error) = self.save_calls(now).await {
            // The state of now needs no disk; the reports that count will fail and say so.
            tracing::debug!(
                operation = &*self.operation.name,
                "calls were not saved: {}",
                error.what
            );
        }
        Ok(rows)
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
        let (timeout, retry_within) = (config.timeout, config.interval);
        let releases = self.releases();
        let allowance = Allowance {
            timeout,
            retry_within,
            budget: &mut self.budget,
            attempts: &mut attempts,
        };
        let result = releases
            .while_waiting_for(self.client.fetch(query, allowance, rows))
            .await;
        self.health.calls_used = self.budget.used();
        if let Some(health) = self.health.reports.get_mut(&report) {
            attempts.into_iter().for_each(|attempt| health.request(attempt));
        }
        let answer = result?;
        // A poll may take long, and its time is that of its beginning.
        let elapsed = SignedDuration::try_from(self.poll_began.elapsed()).unwrap_or_default();
        clocks::compare(answer.date, now.saturating_add(elapsed).unwrap_or(now))?;
        Ok(answer)
    }

    /// The API, for the questions of one report at one time.
    fn api(&mut self, report: ReportKind, now: Timestamp) -> PolledApi<'_> {
        PolledApi {
            poller: self,
            report,
            now,
        }
    }

    /// Commits on a thread that may wait for the disk.
    async fn commit<T: Send + 'static>(
        &self,
        now: Timestamp,
        commit: impl FnOnce(&mut Ledger, Moment) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, ApiError> {
        commit_apart(&self.ledger, Moment::at(now), commit)
            .await
            .map_err(|error| ApiError::new(Reason::State, error))
    }

    /// The calls of the day and those that were used, to be saved with whatever is saved next.
    fn calls_of_today(&self, now: Timestamp) -> (Date, u32) {
        (window::local_date(now, &self.operation.timezone), self.budget.used())
    }

    fn note_rows(&mut self, report: ReportKind, tally: &Tally, count: u64, now: Timestamp) -> usize {
        if let Some(health) = self.health.reports.get_mut(&report) {
            health.tally.add(tally);
            health.data = Some(now);
        }
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    fn note_capped(&mut self, report: ReportKind) {
        tracing::warn!(
            operation = &*self.operation.name,
            report = report.name(),
            "one second alone has as many rows as the API gives at all: some of them may be missing"
        );
        if let Some(health) = self.health.reports.get_mut(&report) {
            health.capped_windows += 1;
        }
    }

    fn show_counters(&self, report: ReportKind) {
        let shown = self.ledger().visible_series(&report.families());
        self.board.show(&self.operation.name, report, shown, None);
    }

    fn show_health(&mut self) {
        let state = self.ledger().statistics();
        self.health.state = state;
        self.board.show_health(&self.operation.name, self.health.clone());
    }

    /// The ledger. The lock is free whenever the poller does not wait for a commit.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn releases(&self) -> Releases {
        Releases {
            ledger: Arc::clone(&self.ledger),
            board: Arc::clone(&self.board),
            clock: self.clock.clone(),
            operation: Arc::clone(&self.operation),
        }
    }

    fn config(&self, report: ReportKind) -> &ReportConfig {
        &self.operation.reports[&report]
    }
}

/// The API as a poll asks it.
struct PolledApi<'p> {
    poller: &'p mut Poller,
    report: ReportKind,
    now: Timestamp,
}

impl Api for PolledApi<'_> {
    async fn ask<R: Rows + Send>(
        &mut self,
        query: &Query,
        rows: impl Fn() -> R + Send + Sync,
    ) -> Result<Answer<R>, ApiError> {
        self.poller.ask(self.report, query, self.now, rows).await
    }
}

/// How often each report is polled.
fn intervals(operation: &Operation) -> impl Iterator<Item = (ReportKind, Duration)> {
    operation
        .reports
        .iter()
        .map(|(report, config)| (*report, config.interval))
}

fn positive(time: SignedDuration) -> Duration {
    Duration::try_from(time).unwrap_or_default()
}
