//! What is kept over restarts, and what scrapes see of new series.

use std::time::Duration;

use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::Config;
use wolkvox_exporter::reports::CALL_DURATIONS;
use wolkvox_simulator::{BucketTotals, Fault, OperationPlan};

use super::{shown, truth};
use crate::faults::until;
use crate::ledger::Disk;
use crate::support::{Stage, at, exporter, operation, serve, simulator, zone};

/// Without a state, a start is a birth: nothing earlier is counted, and nothing twice.
#[tokio::test]
async fn a_restart_is_a_birth() {
    let (born, restarted, end) = ("2026-11-20T14:00:00Z", "2026-11-20T17:00:00Z", "2026-11-20T19:00:00Z");
    let mut stage = Stage::new(born, "America/Bogota").await;
    stage.poll(&CALL_DURATIONS, born).await;
    stage.poll(&CALL_DURATIONS, restarted).await;
    let mut stage = stage.restart(|_, _| {});
    stage.poll(&CALL_DURATIONS, restarted).await;
    assert_eq!(shown(&stage.samples().await), [BucketTotals::default(); 5]);
    stage.poll(&CALL_DURATIONS, end).await;
    assert_eq!(shown(&stage.samples().await), truth(&stage, restarted, end));
}

/// With a state, a restart is not a birth: totals continue, and what happened in the meantime is counted.
#[tokio::test]
async fn a_restart_with_its_state_goes_on() {
    let times = [
        "2026-11-18T14:00:00Z",
        "2026-11-18T17:00:00Z",
        "2026-11-19T19:00:00Z",
        "2026-11-20T19:00:00Z",
    ];
    let plan = OperationPlan::new("acme", zone("America/Bogota"));
    let mut stage = Stage::with_storage(times[0], plan, Disk::default().storage(), |_, _| {}).await;
    for time in times {
        stage.poll(&CALL_DURATIONS, time).await;
        let before = shown(&stage.samples().await);
        assert_eq!(before, truth(&stage, times[0], time), "{time}");
        stage = stage.restart(|_, _| {});
        let samples = stage.samples().await;
        assert_eq!(shown(&samples), before, "shown at once");
        let success = samples.get(
            "wolkvox_report_last_success_timestamp_seconds",
            &[("report", "call_durations")],
        );
        assert_eq!(success, Some(at(time).as_second() as f64));
    }
    let used = stage.samples().await.get("wolkvox_api_calls_used", &[]);
    assert_eq!(
        used,
        Some(4.0),
        "calls of the last day: the totals of today and of the two days before, and one that a crash may have sent"
    );
}

/// The same cost under another currency is not counted again.
#[tokio::test]
async fn another_currency_counts_nothing_twice() {
    let times = ["2026-11-18T14:00:00Z", "2026-11-18T17:00:00Z", "2026-11-18T18:00:00Z"];
    let plan = OperationPlan::new("acme", zone("America/Bogota"));
    let adjust =
        |operation: &mut wolkvox_exporter::config::Operation, _: &mut _| operation.currency = Some("COP".to_owned());
    let mut stage = Stage::with_storage(times[0], plan, Disk::default().storage(), adjust).await;
    stage.poll(&CALL_DURATIONS, times[0]).await;
    stage.poll(&CALL_DURATIONS, times[1]).await;
    let mut stage = stage.restart(|operation, _| operation.currency = Some("USD".to_owned()));
    stage.poll(&CALL_DURATIONS, times[2]).await;
    let samples = stage.samples().await;
    let cost = |currency| {
        samples
            .all("wolkvox_calls_cost_total", &[("currency", currency)])
            .iter()
            .sum::<f64>()
    };
    let truth = |until| {
        truth(&stage, times[0], until)
            .iter()
            .map(|bucket| bucket.cost_micros)
            .sum::<u64>() as f64
            / 1e6
    };
    assert!((cost("COP") - truth(times[1])).abs() < 1e-6);
    assert!((cost("USD") - (truth(times[2]) - truth(times[1]))).abs() < 1e-6);
}

/// While held, a new series shows 0; a timer then releases its value, even if the API does not answer in the meantime.
#[tokio::test(flavor = "multi_thread")]
async fn new_series_show_zero_until_a_timer_releases_them() {
    let simulator = simulator(
        vec![OperationPlan::new("acme", zone("America/Bogota"))],
        at("2026-11-20T14:00:00Z"),
    );
    let served = serve(&simulator).await;
    let acme = &simulator.operations()[0];
    let mut configured = operation(acme, &served.url());
    configured.reports.retain(|report, _| *report == &CALL_DURATIONS);
    for report in configured.reports.values_mut() {
        report.interval = Duration::from_millis(100);
        report.timeout = Duration::from_secs(60);
    }
    configured.daily_calls = 10_000_000;
    let hold = Duration::from_millis(1500);
    let config = Config {
        operations: vec![configured],
        new_series_hold: hold,
        ..Config::default()
    };
    let clock = simulator.clock().clone();
    let begin = std::time::Instant::now();
    let (running, page) = exporter(config, Clock::from_fn(move || clock.now())).await;
    let run = tokio::spawn(running.run_until(std::future::pending()));
    let calls = async || page.samples().await.all("wolkvox_calls_total", &[]);
    until("the series are born", async || calls().await.len() == 5).await;
    simulator.clock().set(at("2026-11-20T14:05:00Z"));
    let day = async || page.samples().await.get("wolkvox_report_data_timestamp_seconds", &[]);
    let five_past = at("2026-11-20T14:05:00Z").as_second() as f64;
    until("five minutes were read", async || day().await == Some(five_past)).await;
    acme.inject(Fault::Stall(Duration::from_secs(60)));
    assert_eq!(calls().await, [0.0; 5], "held");
    until("released", async || calls().await.iter().sum::<f64>() > 0.0).await;
    assert!(begin.elapsed() >= hold);
    run.abort();
}
