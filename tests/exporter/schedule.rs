//! When polls happen, with a clock that the tests move: the grid, the budget, one request at a time.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tokio::task::JoinHandle;
use tokio::time::{Instant, advance};
use tokio_util::sync::CancellationToken;
use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::Operation;
use wolkvox_exporter::fetch::pieces::CUT_AT;
use wolkvox_exporter::health::Skip;
use wolkvox_exporter::ledger::Storage;
use wolkvox_exporter::metrics::process;
use wolkvox_exporter::poller::{Grid, PollSettings, Poller, Stop, phase};
use wolkvox_exporter::published::Published;
use wolkvox_exporter::reports::{CALL_DURATIONS, CAMPAIGNS, Kind, Outcome, Report};
use wolkvox_simulator::{Fault, OperationPlan, RunningSimulator, SimulatedOperation, Simulator};

use crate::support::{RETRY, Stage, at, operation, serve, simulator, zone};

const EIGHT: &str = "2026-11-20T13:00:00Z";
const STEP: Duration = Duration::from_secs(5);

/// A poller with a clock that stands still until moved. Sockets need real time in between, so a task that never sleeps
/// keeps the runtime from advancing the clock by itself.
pub(crate) struct Timeline {
    simulator: Simulator,
    published: Arc<Published>,
    stop: CancellationToken,
    polling: JoinHandle<Poller>,
    _served: RunningSimulator,
}

impl Timeline {
    /// Starts with two reports at their default intervals; `adjust` changes that. Waits until each had its first turn.
    pub(crate) async fn start(now: &str, adjust: impl FnOnce(&mut Operation)) -> Self {
        tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        let simulator = simulator(
            vec![OperationPlan::new("acme", zone("America/Bogota")).volume(0.02)],
            at(now),
        );
        let served = serve(&simulator).await;
        let mut operation = operation(&simulator.operations()[0], &served.url());
        adjust(&mut operation);
        let reports = operation.reports.len() as u64;
        let clock = simulator.clock().clone();
        let clock = Clock::from_fn(move || clock.now());
        let published = Arc::new(Published::new(process::registry(at(now)).0));
        let settings = PollSettings {
            new_series_hold: Duration::ZERO,
            series_limit: 5000,
            retry: RETRY,
            cut_at: CUT_AT,
        };
        let poller = Poller::new(operation, settings, Storage::memory(), clock, Arc::clone(&published)).unwrap();
        let stop = CancellationToken::new();
        let polling = tokio::spawn(poller.run(Instant::now(), Stop::within(&stop)));
        let timeline = Self {
            simulator,
            published,
            stop,
            polling,
            _served: served,
        };
        timeline.wait_until(|| timeline.turns() >= reports).await;
        timeline
    }

    pub(crate) fn acme(&self) -> &SimulatedOperation {
        &self.simulator.operations()[0]
    }

    /// Moves all clocks by a number of intervals, and waits in each until every report has had its turn.
    async fn pass_intervals(&self, intervals: u32, interval: Duration) {
        for _ in 0..intervals {
            self.pass(interval, 2).await;
        }
    }

    /// Moves all clocks, and waits in real time until this many turns of reports have ended.
    async fn pass(&self, time: Duration, turns: u64) {
        let expected = self.turns() + turns;
        self.simulator.clock().advance(SignedDuration::try_from(time).unwrap());
        advance(time).await;
        // Leave time for anything that would come too early.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        self.wait_until(|| self.turns() >= expected).await;
    }

    /// Moves all clocks, and waits in real time until no report is due.
    pub(crate) async fn pass_to_the_end(&self, time: Duration) {
        self.pass(time, 0).await;
        let now = self.simulator.clock().now();
        let is_due = || {
            let health = self.published.health();
            let mut reports = health.values().flat_map(|operation| operation.reports.values());
            reports.any(|report| report.next_poll <= Some(now))
        };
        self.wait_until(|| !is_due()).await;
    }

    /// Moves all clocks by 5 seconds, this many times, and checks that no turn ends.
    async fn pass_quietly(&self, times: u32) {
        for _ in 0..times {
            self.pass(STEP, 0).await;
        }
    }

    /// Waits in real time.
    async fn wait_until(&self, condition: impl Fn() -> bool) {
        let begin = std::time::Instant::now();
        while !condition() {
            assert!(begin.elapsed() < Duration::from_secs(60), "a turn was missed");
            tokio::task::yield_now().await;
            std::thread::sleep(Duration::from_micros(20));
        }
    }

    /// The number of polls that ended or were left out, over all reports.
    pub(crate) fn turns(&self) -> u64 {
        let health = self.published.health();
        let reports = health.values().flat_map(|operation| operation.reports.values());
        reports
            .map(|report| report.polls + report.skipped(Skip::Budget) + report.skipped(Skip::Quota))
            .sum()
    }

    /// The number of events that were counted, over all reports.
    pub(crate) fn counted_events(&self) -> u64 {
        let health = self.published.health();
        let reports = health.values().flat_map(|operation| &operation.reports);
        let events = reports.filter(|(report, _)| matches!(report.kind, Kind::Events(_)));
        events.map(|(_, health)| health.tally.rows(Outcome::Counted)).sum()
    }

    /// When a report was requested, in seconds since the start.
    fn asked(&self, report: &'static Report, since: Timestamp) -> Vec<i64> {
        let api = if report == &CAMPAIGNS { "campaigns" } else { "cdr_4" };
        let log = self.acme().observed().log.into_iter();
        log.filter(|request| request.api.as_deref() == Some(api))
            .map(|request| request.at.as_second() - since.as_second())
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn polls_keep_to_the_grid_and_a_slow_one_never_drifts() {
    let start = at(EIGHT);
    let timeline = Timeline::start(EIGHT, |operation| {
        for report in operation.reports.values_mut() {
            report.interval = Duration::from_secs(20);
            report.timeout = Duration::from_secs(2000);
        }
        operation.daily_calls = 100_000;
    })
    .await;
    for _ in 0..4 {
        timeline.pass_quietly(3).await;
        timeline.pass(STEP, 2).await;
    }
    assert_eq!(timeline.asked(&CAMPAIGNS, start), [0, 20, 40, 60, 80]);
    assert_eq!(timeline.asked(&CALL_DURATIONS, start), [0, 20, 40, 60, 80]);

    // At second 100 an answer takes 45 seconds: the ticks in that time are lost, and the next one is on the grid.
    timeline.acme().inject(Fault::Delay(Duration::from_secs(45)).once());
    let before = timeline.acme().observed().requests;
    timeline.pass_quietly(4).await;
    timeline
        .wait_until(|| timeline.acme().observed().requests > before)
        .await;
    timeline.pass_quietly(8).await;
    timeline.pass(STEP, 2).await;
    timeline.pass_quietly(2).await;
    timeline.pass(STEP, 2).await;
    timeline.pass_quietly(3).await;
    timeline.pass(STEP, 2).await;
    let campaigns = timeline.asked(&CAMPAIGNS, start);
    assert_eq!(campaigns[5..], [100, 160, 180], "{campaigns:?}");
    let durations = timeline.asked(&CALL_DURATIONS, start);
    assert_eq!(
        durations[5..],
        [145, 160, 180],
        "its turn came when the slow one had ended: {durations:?}"
    );
    assert_eq!(timeline.acme().observed().most_in_flight, 1);

    timeline.stop.cancel();
    timeline.wait_until(|| timeline.polling.is_finished()).await;
    timeline.pass_quietly(12).await;
    assert_eq!(timeline.asked(&CAMPAIGNS, start).len(), campaigns.len(), "stopped");
}

#[tokio::test(start_paused = true)]
async fn a_short_budget_lasts_until_midnight() {
    // Midnight in Bogotá.
    let midnight = "2026-11-20T05:00:00Z";
    let timeline = Timeline::start(midnight, |operation| operation.daily_calls = 100).await;
    let tick = Duration::from_secs(300);
    timeline.pass_intervals(287, tick).await;
    let asked = timeline.asked(&CAMPAIGNS, at(midnight));
    let observed = timeline.acme().observed();
    assert!(
        (80..=100).contains(&observed.charged_today),
        "{} calls",
        observed.charged_today
    );
    assert!(
        asked.windows(2).all(|pair| pair[1] - pair[0] <= 4 * 3600),
        "no long gap: {asked:?}"
    );
    assert!(*asked.last().unwrap() > 20 * 3600, "it lasts: {asked:?}");
    // The new day has calls again.
    timeline.pass_intervals(12, tick).await;
    let of_new_day: Vec<_> = timeline
        .asked(&CAMPAIGNS, at(midnight))
        .into_iter()
        .filter(|at| *at >= 86_400)
        .collect();
    assert!(of_new_day.len() >= 2, "{of_new_day:?}");
}

#[tokio::test(start_paused = true)]
async fn an_ample_budget_leaves_no_tick_out() {
    let midnight = "2026-11-20T05:00:00Z";
    // Two reports every five minutes, and four rereads of two days, which a young report does not need.
    let timeline = Timeline::start(midnight, |operation| operation.daily_calls = 2 * 288 + 8).await;
    timeline.pass_intervals(287, Duration::from_secs(300)).await;
    assert_eq!(timeline.asked(&CAMPAIGNS, at(midnight)).len(), 288);
    assert_eq!(timeline.acme().observed().charged_today, 576);
}

/// A used-up budget shows as a failing report, and a catch-up takes no call that live polls need.
#[tokio::test]
async fn a_spent_budget_stops_polls_and_a_catch_up_takes_only_what_is_left_over() {
    let plan = OperationPlan::new("acme", zone("America/Bogota")).volume(0.05);
    let mut stage = Stage::with("2026-11-20T04:50:00Z", plan, |operation, _| operation.daily_calls = 5).await;
    for _ in 0..5 {
        stage.poll(&CAMPAIGNS, "2026-11-20T04:50:00Z").await;
    }
    stage.poller.tick(&CAMPAIGNS).await;
    let samples = stage.samples().await;
    assert_eq!(samples.get("wolkvox_up", &[("report", "campaigns")]), Some(0.0));
    let skipped = [("report", "campaigns"), ("reason", "budget")];
    assert_eq!(samples.get("wolkvox_report_polls_skipped_total", &skipped), Some(1.0));
    assert_eq!(stage.acme().observed().requests, 5);

    let plan = OperationPlan::new("acme", zone("America/Bogota")).volume(0.05);
    // At noon, ten days are missing; the live polls of the rest of the day need nearly all calls.
    let mut stage = Stage::with("2026-11-10T17:00:00Z", plan, |operation, _| operation.daily_calls = 300).await;
    stage.poll(&CALL_DURATIONS, "2026-11-10T17:00:00Z").await;
    stage.acme().forget_log();
    stage.poll(&CALL_DURATIONS, "2026-11-20T17:00:00Z").await;
    let requests = stage.acme().observed().log.len();
    assert!((2..=5).contains(&requests), "{requests} requests");
}

#[test]
fn operations_start_one_after_the_other() {
    let minutes = Duration::from_secs(300);
    assert_eq!(phase(0, 1, minutes), Duration::ZERO);
    assert_eq!(phase(0, 3, minutes), Duration::ZERO);
    assert_eq!(phase(1, 3, minutes), Duration::from_secs(10));
    assert_eq!(phase(2, 3, minutes), Duration::from_secs(20));
    assert_eq!(phase(1, 2, Duration::from_secs(2)), Duration::from_secs(1));
}

proptest! {
    #[test]
    fn the_next_tick_is_the_first_point_of_the_grid_after_now(interval in 1u64..100_000_000, now in 0u64..10_000_000_000_000) {
        let origin = Instant::now();
        let (interval, now) = (Duration::from_micros(interval), Duration::from_micros(now));
        let next = Grid::new(origin, interval).next_after(origin + now) - origin;
        prop_assert!(next > now && next - now <= interval);
        prop_assert_eq!(next.as_micros() % interval.as_micros(), 0);
    }
}
