//! Which report is read when: what happens now goes first, and waits for no catch-up; hours of the week.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::{Config, Operation, Token};
use wolkvox_exporter::poller::Stop;
use wolkvox_exporter::reports::{ABANDONED_CALLS, CAMPAIGNS, REPORTS, Report, SKILLS, Urgency};
use wolkvox_simulator::{Api, Fault, SimulatedClock, SimulatedOperation};

use super::{NOON, all_reports, busy};
use crate::support::{Stage, api, at, exporter, serve};

/// One of these seconds stands for so many.
const FASTER: u32 = 20;
/// Two seconds for an answer, as they pass here.
const ANSWER: Duration = Duration::from_secs(2).checked_div(FASTER).unwrap();
/// Less than a round of all reports takes.
const SLACK: Duration = Duration::from_millis(400);

/// The longest time between two requests of a report.
fn longest_gap(operation: &SimulatedOperation, report: Api) -> Duration {
    let log = operation.observed().log;
    let asked = log
        .iter()
        .filter(|request| request.api.as_deref() == Some(report.name()));
    let asked: Vec<_> = asked.map(|request| request.at).collect();
    assert!(asked.len() > 2, "{report:?} was asked {} times", asked.len());
    let gaps = asked.windows(2).map(|pair| pair[1].duration_since(pair[0]));
    gaps.max().unwrap().unsigned_abs()
}

/// All reports at their default intervals on a server that takes two seconds for each answer, 20 times as fast.
#[tokio::test(flavor = "multi_thread")]
async fn what_happens_now_is_never_later_than_one_answer() {
    let simulator = wolkvox_simulator::Simulator::new(wolkvox_simulator::SimulatorConfig {
        seed: 1,
        clock: SimulatedClock::system(),
        operations: vec![busy().never_closes()],
    });
    let served = serve(&simulator).await;
    let acme = simulator.operations()[0].clone();
    acme.inject(Fault::Delay(ANSWER));
    let mut operation = Operation::new("acme", served.url(), Token::given(acme.token()));
    operation.timezone = acme.timezone().clone();
    operation.daily_calls = 1_000_000;
    for report in operation.reports.values_mut() {
        report.interval /= FASTER;
        report.quiet_interval = report.interval;
        report.settle = Duration::ZERO;
    }
    let intervals: Vec<(&Report, Duration)> = (operation.reports.iter())
        .map(|(report, config)| (*report, config.interval))
        .collect();
    let config = Config {
        operations: vec![operation],
        ..Config::default()
    };
    let (running, _) = exporter(config, Clock::system()).await;
    // Over a point at which all but quota are due.
    sleep(Duration::from_secs(48)).await;
    drop(running);
    assert_eq!(acme.observed().most_in_flight, 1);
    let urgent = intervals.iter().filter(|(report, _)| report.urgency() == Urgency::Now);
    for (report, interval) in urgent {
        let gap = longest_gap(&acme, api(REPORTS.into_iter().find(|known| known == report).unwrap()));
        assert!(gap <= *interval + ANSWER + SLACK, "{report}: {gap:?} of {interval:?}");
    }
}

/// Three days are caught up piece by piece, and meanwhile the queues are read each second.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_catch_up_gives_way_to_what_happens_now() {
    let mut stage = Stage::with(NOON, busy(), |operation, settings| {
        all_reports(operation, settings);
        operation
            .reports
            .retain(|report, _| [&ABANDONED_CALLS, &SKILLS].contains(report));
        operation.reports.get_mut(&SKILLS).unwrap().interval = Duration::from_secs(1);
        settings.cut_at = 190;
    })
    .await;
    let acme = stage.acme();
    acme.switch(|switches| switches.record_limit = Some(200));
    stage.poll(&ABANDONED_CALLS, NOON).await;
    let later = at(NOON) + SignedDuration::from_hours(72);
    stage.simulator.clock().set(later);
    acme.forget_log();
    acme.inject(Fault::Delay(ANSWER).on(Api::Skill2));
    let stop = CancellationToken::new();
    let begin = Instant::now();
    let polling = tokio::spawn(stage.poller.run(begin, Stop::within(&stop)));
    let asked = |report: Api| {
        let log = acme.observed().log;
        log.iter()
            .filter(|request| request.api.as_deref() == Some(report.name()))
            .count()
    };
    let mut queues_read = 0;
    while begin.elapsed() < Duration::from_secs(6) {
        sleep(Duration::from_millis(50)).await;
        queues_read = asked(Api::Skills);
    }
    let pieces = asked(Api::Skill2);
    stop.cancel();
    polling.await.unwrap();
    assert!(pieces > 30, "{pieces} pieces in six seconds");
    assert!((5..=7).contains(&queues_read), "{queues_read} times in six seconds");
    assert_eq!(acme.observed().most_in_flight, 1);
}

/// Gauges are shown for three times the interval that is in effect, also when it grows after the last poll.
#[tokio::test]
async fn gauges_are_shown_as_long_as_polls_are_apart() {
    let yaml = "operations: [{name: acme, url: 'http://127.0.0.1', token_env: T, hours: {Mon-Fri: '07:00-20:00'}}]";
    let parsed = Config::parse(yaml, "", "".as_ref(), &|_| Some("5".repeat(52))).unwrap();
    let hours = parsed.operations[0].hours.clone();
    let mut stage = Stage::with("2026-11-20T17:00:00Z", busy(), |operation, settings| {
        all_reports(operation, settings);
        operation.hours = hours;
    })
    .await;
    let interval = async |stage: &Stage, report: &str| {
        let samples = stage.samples().await;
        samples.get("wolkvox_report_poll_interval_seconds", &[("report", report)])
    };
    for (now, expected, open) in [
        ("2026-11-20T17:00:00Z", [Some(120.0), Some(300.0)], 1.0),
        ("2026-11-21T01:01:00Z", [Some(900.0), Some(900.0)], 0.0),
        ("2026-11-23T12:00:00Z", [Some(120.0), Some(300.0)], 1.0),
    ] {
        stage.simulator.clock().set(at(now));
        for report in [&SKILLS, &CAMPAIGNS, &ABANDONED_CALLS] {
            stage.poller.tick(report).await;
        }
        assert_eq!(
            [interval(&stage, "skills").await, interval(&stage, "campaigns").await],
            expected,
            "{now}"
        );
        assert_eq!(interval(&stage, "abandoned_calls").await, Some(300.0), "{now}");
        let samples = stage.samples().await;
        assert_eq!(samples.get("wolkvox_operation_open", &[]), Some(open), "{now}");
    }
}

/// With a budget that allows every third poll only, gauges stay from one poll to the next.
#[tokio::test]
async fn a_thinned_budget_withdraws_nothing() {
    let mut stage = Stage::with(NOON, busy(), |operation, settings| {
        all_reports(operation, settings);
        operation.reports.retain(|report, _| **report == CAMPAIGNS);
        operation.reports.get_mut(&CAMPAIGNS).unwrap().interval = Duration::from_secs(60);
        // 720 polls are left until midnight.
        operation.daily_calls = 250;
    })
    .await;
    tokio::time::pause();
    let mut polls = 0;
    for minute in 0..30 {
        let now = at(NOON) + SignedDuration::from_mins(minute);
        stage.simulator.clock().set(now);
        let before = stage.acme().observed().requests;
        stage.poller.tick(&CAMPAIGNS).await;
        polls += stage.acme().observed().requests - before;
        let samples = stage.samples().await;
        assert!(
            !samples.all("wolkvox_campaign_records", &[]).is_empty(),
            "minute {minute}"
        );
        tokio::time::advance(Duration::from_secs(60)).await;
        let samples = stage.samples().await;
        assert!(
            !samples.all("wolkvox_campaign_records", &[]).is_empty(),
            "just before the next tick"
        );
    }
    assert!((9..=11).contains(&polls), "{polls} polls in half an hour");
}
