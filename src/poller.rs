//! One task per operation polls its reports one after the other, on a fixed grid, and publishes the results.
//!
//! Only this module connects the client that sends queries, the reports that interpret rows, the ledger that counts,
//! and the store from which the web serves.

mod commit;
mod current;
mod day_totals;
mod events;
mod failure_log;
mod grid;
mod held_series;
mod record;
mod record_limit;
mod request;
mod rereads;
mod schedule;
mod source;
mod stop;
mod summary;
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use tokio::time::Instant;

use self::commit::SharedLedger;
use self::failure_log::FailureStreak;
pub use self::grid::{Grid, phase};
use self::held_series::HeldSeries;
use self::record_limit::RecordLimit;
use self::request::Poll;
use self::rereads::Rereads;
use self::schedule::Schedule;
pub use self::stop::Stop;
use self::summary::HourSummary;
use crate::client::{ApiError, CallBudget, Client, Reason, RetryPolicy};
use crate::clock::{Clock, Moment};
use crate::config::Operation;
use crate::fetch::calls::midnight_after;
use crate::fetch::clocks::JumpWatch;
use crate::fetch::pieces::PieceLength;
use crate::fetch::window;
use crate::health::{OperationHealth, ReportHealth, operation_info};
use crate::language::Text;
use crate::ledger::{Ledger, StateError, Storage};
use crate::metrics::Family;
use crate::published::Published;
use crate::reports::current::CurrentState;
use crate::reports::{Kind, QUOTA, Report};

/// The advice when `daily_calls` are used up, as opposed to the API's own quota.
const BUDGET_ADVICE: Text = Text::new(
    "polling resumes after local midnight; raise daily_calls if the licences allow it, or lengthen the intervals",
    "las lecturas siguen después de la medianoche local; aumente daily_calls si las licencias lo permiten, o alargue los intervalos",
);

/// By default, gauges are shown for as many intervals after their last poll.
const MAX_AGE_INTERVALS: u32 = 3;

/// The settings that all operations share.
#[derive(Clone, Copy, Debug)]
pub struct PollSettings {
    /// How long a new counter series stays at 0.
    pub new_series_hold: Duration,
    /// Label sets per operation and family.
    pub series_limit: usize,
    /// When a failed request is retried.
    pub retry: RetryPolicy,
    /// An answer with at least this many rows is assumed to be cut by the API.
    pub cut_at: u64,
}

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
    settings: PollSettings,
    client: Client,
    clock: Clock,
    published: Arc<Published>,
    ledger: SharedLedger,
    budget: CallBudget,
    reports: BTreeMap<&'static Report, PolledReport>,
    schedule: Schedule,
    /// Number of series that the limit left out, for every family of the polled reports.
    dropped: BTreeMap<&'static Family, u64>,
    /// When the limit last left something out.
    dropped_at: Option<Timestamp>,
    /// The API refused the token, so its file is read again before the next poll.
    token_is_doubtful: bool,
    /// The local date of the last search for idle series.
    idle_checked: Date,
    jumps: JumpWatch,
    /// Calls of the operation today that were not ours, when the API last told.
    used_by_others: Option<u64>,
    /// For the log.
    hour: HourSummary,
    /// Whether each report was read at least once.
    all_were_read: bool,
}

/// What the poller keeps about a report between polls.
#[derive(Debug)]
struct PolledReport {
    health: ReportHealth,
    /// How much time the next piece may cover.
    piece_length: PieceLength,
    /// Where an incomplete window stopped. The next window continues there and does not reach back again.
    unfinished: Option<Timestamp>,
    /// The failures since the last success.
    failures: Option<FailureStreak>,
    rereads: Rereads,
    record_limit: RecordLimit,
    /// When the current state that is shown was read.
    read_at: Option<Instant>,
}

impl Poller {
    /// A poller that has not yet sent or published anything.
    pub fn new(
        operation: Operation,
        settings: PollSettings,
        storage: Storage,
        clock: Clock,
        published: Arc<Published>,
    ) -> Result<Self, StartError> {
        let client = Client::new(&operation, settings.retry)?;
        let operation = Arc::new(operation);
        let now = clock.now();
        let ledger = Ledger::open(
            storage,
            settings.new_series_hold,
            settings.series_limit,
            Moment::at(now),
        )?;
        let today = window::local_date(now, &operation.timezone);
        let budget = CallBudget::new(operation.daily_calls, today, ledger.calls_used(today));
        let reports = operation.reports.iter().map(|(report, config)| {
            let mut polled = PolledReport::new(config.interval);
            polled.restored(report, &ledger);
            (*report, polled)
        });
        Ok(Self {
            reports: reports.collect(),
            dropped: families_of(&operation).map(|family| (family, 0)).collect(),
            dropped_at: None,
            budget,
            schedule: Schedule::new(Arc::clone(&operation)),
            operation,
            settings,
            client,
            clock,
            published,
            ledger: SharedLedger::new(ledger),
            token_is_doubtful: false,
            idle_checked: today.yesterday().unwrap_or(today),
            jumps: JumpWatch::default(),
            used_by_others: None,
            hour: HourSummary::default(),
            all_were_read: false,
        })
    }

    /// The operation.
    pub fn name(&self) -> &Arc<str> {
        &self.operation.name
    }

    /// The shortest interval of all its reports.
    pub fn shortest_interval(&self) -> Duration {
        let intervals = self.operation.reports.values().map(|config| config.interval);
        intervals.min().unwrap_or_default()
    }

    /// Publishes the totals from the state, what the operation is, and the poller's own metrics.
    pub fn publish(&mut self) {
        self.published
            .publish_info(&self.operation.name, operation_info(&self.operation));
        for report in self.operation.reports.keys().filter(|report| report.counts()) {
            self.publish_counters(report);
        }
        self.publish_names();
        self.publish_health();
    }

    /// Adopts a changed configuration of the same operation, between two polls. Totals and poll health are kept. A
    /// report that is no longer configured leaves the page, but not the state.
    pub fn reconfigure(&mut self, operation: Operation, settings: PollSettings, client: Client) {
        let before = std::mem::replace(&mut self.operation, Arc::new(operation));
        let mut reports_before = std::mem::take(&mut self.reports);
        let dropped_before = std::mem::take(&mut self.dropped);
        self.settings = settings;
        self.client = client;
        self.budget.set_limit(self.operation.daily_calls);
        self.ledger
            .lock()
            .adjust(settings.new_series_hold, settings.series_limit);
        for (report, config) in &self.operation.reports {
            let mut polled = PolledReport::new(config.interval);
            match reports_before.remove(report) {
                Some(before) => {
                    polled.health = before.health;
                    polled.record_limit = before.record_limit;
                    polled.read_at = before.read_at;
                    polled.health.interval = config.interval;
                    polled.health.one_of = 1;
                }
                None => polled.restored(report, &self.ledger.lock()),
            }
            self.reports.insert(report, polled);
        }
        for report in reports_before.keys() {
            self.published.remove_report(&self.operation.name, report);
        }
        if before.base_url != self.operation.base_url {
            // The published gauges come from the previous server.
            self.used_by_others = None;
            let current = before.reports.keys().filter(|report| !report.counts());
            current.for_each(|report| self.published.remove_report(&self.operation.name, report));
        }
        let dropped = |family| dropped_before.get(family).copied().unwrap_or_default();
        self.dropped = families_of(&self.operation)
            .map(|family| (family, dropped(family)))
            .collect();
        // The new configuration may have fixed what was wrong, so a pause is over.
        self.schedule = Schedule::new(Arc::clone(&self.operation));
        self.token_is_doubtful = false;
        self.publish();
    }

    /// Polls a report at the given time.
    pub async fn poll(&mut self, report: &'static Report, now: Timestamp) {
        let Some(mut poll) = self.begin(report, now).await else {
            return;
        };
        let result = match report.kind {
            Kind::Current(state) => self.poll_current(&mut poll, state).await,
            Kind::DayTotals(totals) => self.poll_day_totals(&mut poll, totals).await,
            Kind::Events(rows) => self.poll_events(&mut poll, rows).await,
        };
        self.end(&poll, result).await;
    }

    /// Polls a report of the current state, perhaps between two pieces of another report.
    async fn poll_now(&mut self, report: &'static Report, state: CurrentState, now: Timestamp) {
        let Some(mut poll) = self.begin(report, now).await else {
            return;
        };
        let result = self.poll_current(&mut poll, state).await;
        self.end(&poll, result).await;
    }

    /// What comes before each poll. `None` if it failed already.
    async fn begin(&mut self, report: &'static Report, now: Timestamp) -> Option<Poll> {
        let poll = Poll::new(report, self.operation.reports[report].clone(), now);
        let passed = self.clock.passed();
        if let Some(Err(error)) = passed.map(|passed| self.jumps.check(now, passed)) {
            self.record_result(&poll, Err(error));
            self.publish_health();
            return None;
        }
        self.budget.set_day(self.local_date(now));
        if self.token_is_doubtful {
            self.read_token_again().await;
        }
        Some(poll)
    }

    /// What comes after each poll.
    async fn end(&mut self, poll: &Poll, result: Result<(), ApiError>) {
        let (report, now) = (poll.report, poll.now);
        let result = match result {
            Ok(()) => self.drop_idle_series(now).await,
            // A failed poll used calls too.
            Err(error) => Err(self.save_next_call(now).await.err().unwrap_or(error)),
        };
        self.record_result(poll, result);
        let last_reread = self.ledger.lock().last_reread(report);
        self.polled(report).health.last_reread = last_reread;
        self.publish_health();
    }

    /// Once a day, drops series that have been idle for too long.
    async fn drop_idle_series(&mut self, now: Timestamp) -> Result<(), ApiError> {
        let today = self.local_date(now);
        if today > self.idle_checked {
            self.commit(now, move |ledger, now| ledger.commit_idle(today, now))
                .await?;
            self.idle_checked = today;
        }
        Ok(())
    }

    async fn save_next_call(&self, now: Timestamp) -> Result<(), ApiError> {
        let (today, used) = self.calls_to_save(now);
        self.save_calls(now, today, used).await
    }

    async fn save_calls(&self, now: Timestamp, today: Date, used: u32) -> Result<(), ApiError> {
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

    /// Commits on a thread that may block on the disk.
    async fn commit<T: Send + 'static>(
        &self,
        now: Timestamp,
        commit: impl FnOnce(&mut Ledger, Moment) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let committed = self.ledger.commit(Moment::at(now), commit).await;
        committed.map_err(|error| ApiError::new(Reason::State, error))
    }

    /// The current day and its calls, to be saved with the next commit. The next call is among them: it is counted before it is
    /// sent, or a process that crashes again and again would use more than it knows of.
    fn calls_to_save(&self, now: Timestamp) -> (Date, u32) {
        (self.local_date(now), self.budget.used_with_next())
    }

    /// Calls that catching up may use without taking those that live polls need until midnight.
    fn calls_for_catch_up(&self, now: Timestamp) -> u64 {
        let needed = self.schedule.calls_needed(now, midnight_after(now, &self.operation));
        self.budget.spare(needed)
    }

    fn local_date(&self, now: Timestamp) -> Date {
        window::local_date(now, &self.operation.timezone)
    }

    fn publish_counters(&self, report: &'static Report) {
        self.held_series().publish(report);
    }

    /// Publishes the counters and names if they have changed.
    fn publish_changes(&self, report: &'static Report) {
        if self.ledger.lock().has_changed(report.families) {
            self.publish_counters(report);
        }
        if self.ledger.lock().has_changed(report.names) {
            self.publish_names();
        }
    }

    /// Publishes the names of all ids. Several reports may give the name of one.
    fn publish_names(&self) {
        let families: BTreeSet<&'static Family> = (self.operation.reports.keys())
            .flat_map(|report| report.names)
            .copied()
            .collect();
        let families: Vec<&'static Family> = families.into_iter().collect();
        let names = self.ledger.lock().series_to_publish(&families);
        self.published.publish_names(&self.operation.name, names);
    }

    /// Shows the gauges of a report for as long as its polls are apart now: that may be longer than at its last poll.
    fn keep_shown(&self, report: &'static Report) {
        if let Some(until) = self.shown_until(report) {
            self.published.keep_until(&self.operation.name, report, until);
        }
    }

    /// Until when the last answer of a report of the current state holds; `None` if there is none.
    fn shown_until(&self, report: &'static Report) -> Option<Instant> {
        let polled = self.reports.get(report)?;
        let max_age = self.operation.reports[report].max_age;
        let max_age = max_age.unwrap_or_else(|| polled.health.interval.saturating_mul(MAX_AGE_INTERVALS));
        Some(polled.read_at? + max_age)
    }

    fn publish_health(&self) {
        let (hours, zone) = (self.operation.hours.as_ref(), &self.operation.timezone);
        let is_open = hours.map(|hours| hours.are_at(self.clock.now(), zone));
        let knows_others = self.shown_until(&QUOTA) > Some(self.clock.instant());
        let reports = self.reports.iter().map(|(report, polled)| {
            let mut health = polled.health.clone();
            health.settle = self.operation.reports[*report].settle;
            (*report, health)
        });
        let health = OperationHealth {
            timezone: (self.operation.timezone.clone(), self.operation.timezone_name.clone()),
            reports: reports.collect(),
            calls_used: self.budget.used(),
            calls_limit: self.operation.daily_calls,
            used_by_others: self.used_by_others.filter(|_| knows_others),
            is_open,
            state: self.ledger.lock().statistics(),
            dropped: self.dropped.clone(),
            dropped_at: self.dropped_at,
        };
        self.published.publish_health(&self.operation.name, health);
    }

    fn held_series(&self) -> HeldSeries {
        HeldSeries {
            ledger: self.ledger.clone(),
            published: Arc::clone(&self.published),
            clock: self.clock.clone(),
            operation: Arc::clone(&self.operation),
        }
    }

    fn polled(&mut self, report: &'static Report) -> &mut PolledReport {
        self.reports
            .get_mut(report)
            .expect("only configured reports are polled")
    }

    fn add_dropped(&mut self, family: &'static Family, series: u64) {
        *self.dropped.entry(family).or_default() += series;
        if series > 0 {
            self.dropped_at = Some(self.clock.now());
        }
    }
}

impl PolledReport {
    /// Adopts what the state knows of the report.
    fn restored(&mut self, report: &'static Report, ledger: &Ledger) {
        self.health.restored(ledger.covered(report));
        self.health.newest_row = ledger.newest_row(report);
        self.record_limit = RecordLimit::restored(ledger.event_progress(report));
        self.health.last_reread = ledger.last_reread(report);
    }

    fn new(interval: Duration) -> Self {
        Self {
            health: ReportHealth::new(interval),
            piece_length: PieceLength::default(),
            unfinished: None,
            failures: None,
            rereads: Rereads::default(),
            record_limit: RecordLimit::default(),
            read_at: None,
        }
    }
}

fn families_of(operation: &Operation) -> impl Iterator<Item = &'static Family> {
    let reports = operation.reports.keys();
    reports
        .flat_map(|report| report.families.iter().chain(report.names))
        .copied()
}
