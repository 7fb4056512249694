//! Day totals become counters that equal the truth, across midnights, days of 23 and 25 hours, outages and decreases.

mod any_order;
mod state;

use jiff::civil::{Date, date};
use jiff::{SignedDuration, ToSpan};
use wolkvox_exporter::reports::CALL_DURATIONS;
use wolkvox_simulator::{Api, BucketTotals, DurationBucket, EmptyDay, Fault, OperationPlan, ScriptedAnswer};

use crate::support::{Samples, Stage, at, zone};

const LABELS: [&str; 5] = ["0-5s", "6-20s", "21-60s", "61-120s", "121s+"];

/// The counters by bucket, in the units of the simulator.
fn shown(samples: &Samples) -> [BucketTotals; 5] {
    LABELS.map(|duration| {
        let value = |name| samples.get(name, &[("duration", duration)]).unwrap();
        BucketTotals {
            calls: value("wolkvox_calls_total") as u64,
            minutes: (value("wolkvox_calls_billed_seconds_total") / 60.0) as u64,
            cost_micros: (value("wolkvox_calls_cost_total") * 1e6).round() as u64,
        }
    })
}

/// The expected counters: the days from the birth to `until`, less what existed at the birth.
fn truth(stage: &Stage, born: &str, until: &str) -> [BucketTotals; 5] {
    let truth = stage.acme().truth().clone();
    let local = |text: &str| stage.acme().timezone().to_datetime(at(text)).date();
    DurationBucket::ALL.map(|bucket| {
        let at_birth = truth.day_totals(local(born), at(born))[bucket];
        let mut sum = BucketTotals::default();
        for day in local(born).series(1.day()).take_while(|day| *day <= local(until)) {
            sum += truth.day_totals(day, at(until))[bucket];
        }
        BucketTotals {
            calls: sum.calls - at_birth.calls,
            minutes: sum.minutes - at_birth.minutes,
            cost_micros: sum.cost_micros - at_birth.cost_micros,
        }
    })
}

/// Polls at this step from one instant to another, both included.
async fn poll_through(stage: &mut Stage, from: &str, to: &str, every: SignedDuration) {
    let mut now = at(from);
    while now <= at(to) {
        stage.poll(&CALL_DURATIONS, &now.to_string()).await;
        now += every;
    }
}

/// The requested windows, each once.
fn windows(stage: &Stage) -> Vec<(String, String)> {
    let log = stage.acme().observed().log;
    log.into_iter()
        .map(|request| (request.date_ini.unwrap(), request.date_end.unwrap()))
        .collect()
}

#[tokio::test]
async fn counters_equal_the_truth_over_days_in_every_zone() {
    // Days of 24, 25 and 23 hours; the last one has no midnight, and Tehran's offset is not a whole hour.
    let cases = [
        ("America/Bogota", "2026-11-18T15:07:00Z", "2026-11-20T05:31:00Z"),
        ("America/Santiago", "2026-04-04T15:07:00Z", "2026-04-06T05:31:00Z"),
        ("America/Santiago", "2026-09-05T15:07:00Z", "2026-09-07T04:31:00Z"),
        ("America/Havana", "2026-10-31T15:07:00Z", "2026-11-02T06:31:00Z"),
        ("Asia/Kathmandu", "2026-11-18T15:07:00Z", "2026-11-20T18:50:00Z"),
    ];
    for (zone_name, born, end) in cases {
        let mut stage = Stage::with(born, OperationPlan::new("acme", zone(zone_name)).volume(0.3), |_, _| {}).await;
        poll_through(&mut stage, born, end, SignedDuration::from_mins(12)).await;
        stage.poll(&CALL_DURATIONS, end).await;
        let samples = stage.samples().await;
        assert_eq!(shown(&samples), truth(&stage, born, end), "{zone_name} {end}");
        assert!(
            shown(&samples).iter().all(|bucket| bucket.calls > 0),
            "every bucket has calls"
        );
        assert_eq!(
            samples.get("wolkvox_report_corrections_total", &[("report", "call_durations")]),
            Some(0.0)
        );
        assert_eq!(
            samples
                .all("wolkvox_report_poll_failures_total", &[])
                .iter()
                .sum::<f64>(),
            0.0
        );
    }
}

/// Late calls of the previous day are counted once it is over, and not before. It is settled when it was read twice.
#[tokio::test]
async fn the_day_before_is_read_twice_when_it_is_over() {
    let mut stage = Stage::new("2026-11-20T04:58:00Z", "America/Bogota").await;
    for time in [
        "2026-11-20T04:58:00Z",
        "2026-11-20T05:03:00Z",
        "2026-11-20T05:29:59Z",
        "2026-11-20T05:30:00Z",
        "2026-11-20T05:35:00Z",
        "2026-11-20T06:00:00Z",
        "2026-11-20T06:30:00Z",
    ] {
        stage.poll(&CALL_DURATIONS, time).await;
    }
    let expected = [
        ("20261119000000", "20261119235800"),
        ("20261120000000", "20261120000300"),
        ("20261120000000", "20261120002959"),
        ("20261120000000", "20261120003000"),
        ("20261119000000", "20261119235959"),
        ("20261120000000", "20261120003500"),
        ("20261120000000", "20261120010000"),
        ("20261119000000", "20261119235959"),
        ("20261120000000", "20261120013000"),
    ];
    assert_eq!(
        windows(&stage),
        expected.map(|(from, to)| (from.to_owned(), to.to_owned()))
    );
}

/// On 4 April 2026 in Chile, 23:00 to 24:00 occurs twice: in the second hour, the window must still reach to the end of
/// the first. 6 September begins at 01:00 there, and is still requested from midnight.
#[tokio::test]
async fn windows_of_days_with_25_and_23_hours() {
    let cases = [
        ("2026-04-05T02:30:00Z", "20260404000000", "20260404233000"),
        ("2026-04-05T03:10:00Z", "20260404000000", "20260404235959"),
        ("2026-04-05T03:59:59Z", "20260404000000", "20260404235959"),
        ("2026-04-05T04:00:00Z", "20260405000000", "20260405000000"),
        ("2026-09-06T03:59:59Z", "20260905000000", "20260905235959"),
        ("2026-09-06T04:00:00Z", "20260906000000", "20260906010000"),
        ("2026-09-06T05:00:00Z", "20260906000000", "20260906020000"),
    ];
    for (now, from, to) in cases {
        let mut stage = Stage::new(now, "America/Santiago").await;
        stage.poll(&CALL_DURATIONS, now).await;
        assert_eq!(windows(&stage), [(from.to_owned(), to.to_owned())], "{now}");
    }
}

#[tokio::test]
async fn an_empty_answer_at_noon_is_no_fall() {
    let (born, noon, later) = ("2026-11-20T14:00:00Z", "2026-11-20T17:00:00Z", "2026-11-20T18:00:00Z");
    let empty = [
        r#"{"code":"404","error":"Not Found","msg":"Validate dates entered"}"#,
        r#"{"code":"200","data":[]}"#,
        r#"{"code":"200","data":null}"#,
        r#"{"code":"200"}"#,
        r#"{"code":"200","data":{}}"#,
        r#"{"code":"200","data":{"0_5_seg":{"calls":"","minutes":"-","cost":null}}}"#,
    ];
    let mut stage = Stage::new(born, "America/Bogota").await;
    stage.poll(&CALL_DURATIONS, born).await;
    stage.poll(&CALL_DURATIONS, noon).await;
    let before = shown(&stage.samples().await);
    for body in empty {
        stage.acme().answer_with(Api::Cdr4, ScriptedAnswer::json(body));
        stage.poll(&CALL_DURATIONS, noon).await;
        let samples = stage.samples().await;
        assert_eq!(shown(&samples), before, "{body}");
        assert_eq!(
            samples.get("wolkvox_report_corrections_total", &[("report", "call_durations")]),
            Some(0.0),
            "{body}"
        );
        assert_eq!(
            samples.get("wolkvox_up", &[("report", "call_durations")]),
            Some(1.0),
            "{body}"
        );
    }
    stage.acme().answer_as_generated(Api::Cdr4);
    stage.poll(&CALL_DURATIONS, later).await;
    assert_eq!(shown(&stage.samples().await), truth(&stage, born, later));
}

#[tokio::test]
async fn a_total_that_falls_is_held_and_counted_once() {
    let (born, later) = ("2026-11-20T14:00:00Z", "2026-11-20T17:00:00Z");
    let mut stage = Stage::new(born, "America/Bogota").await;
    stage.poll(&CALL_DURATIONS, born).await;
    stage.poll(&CALL_DURATIONS, later).await;
    let before = shown(&stage.samples().await);
    let bucket = DurationBucket::ALL[0];
    let corrections = async |stage: &Stage| {
        stage
            .samples()
            .await
            .get("wolkvox_report_corrections_total", &[("report", "call_durations")])
            .unwrap()
    };
    // Three calls fewer, read twice, are one decrease. Then two fewer: the number rises but is still below the maximum.
    for (fewer, expected) in [(3, 1.0), (3, 1.0), (2, 1.0), (4, 2.0)] {
        stage
            .acme()
            .adjust_day_totals(move |_, totals| totals[bucket].calls -= fewer);
        stage.poll(&CALL_DURATIONS, later).await;
        assert_eq!(shown(&stage.samples().await), before);
        assert_eq!(corrections(&stage).await, expected, "{fewer} fewer");
    }
    stage
        .acme()
        .adjust_day_totals(move |_, totals| totals[bucket].calls += 5);
    stage.poll(&CALL_DURATIONS, later).await;
    assert_eq!(shown(&stage.samples().await)[0].calls, before[0].calls + 5);
}

const EMPTY_DAYS: [EmptyDay; 4] = [
    EmptyDay::NotFound,
    EmptyDay::EmptyList,
    EmptyDay::Null,
    EmptyDay::NoData,
];

/// Every variant of an empty day counts from zero on the days after the birth.
#[tokio::test]
async fn a_day_that_begins_empty_counts_from_zero() {
    for empty in EMPTY_DAYS.into_iter().chain([EmptyDay::Zeros]) {
        let times = ["2026-11-19T20:00:00Z", "2026-11-20T05:30:00Z", "2026-11-20T15:00:00Z"];
        let mut stage = Stage::new(times[0], "America/Bogota").await;
        stage.poll(&CALL_DURATIONS, times[0]).await;
        stage.acme().switch(|switches| switches.empty_day = empty);
        stage.acme().adjust_day_totals(|date, totals| {
            if date == jiff::civil::date(2026, 11, 20) {
                *totals = Default::default();
            }
        });
        stage.poll(&CALL_DURATIONS, times[1]).await;
        stage.acme().report_true_totals();
        stage.poll(&CALL_DURATIONS, times[2]).await;
        let shown = shown(&stage.samples().await);
        assert_eq!(shown, truth(&stage, times[0], times[2]), "{empty:?}");
    }
}

/// A first answer that is empty, as in an outage of the API, does not make the whole day count with the next one.
#[tokio::test]
async fn the_first_value_on_the_day_of_the_birth_is_the_baseline() {
    for empty in EMPTY_DAYS {
        let (born, seen, later) = ("2026-11-20T15:00:00Z", "2026-11-20T15:05:00Z", "2026-11-20T19:00:00Z");
        let mut stage = Stage::new(born, "America/Bogota").await;
        stage.acme().switch(|switches| switches.empty_day = empty);
        stage.acme().adjust_day_totals(|_, totals| *totals = Default::default());
        stage.poll(&CALL_DURATIONS, born).await;
        stage.acme().report_true_totals();
        stage.poll(&CALL_DURATIONS, seen).await;
        assert_eq!(shown(&stage.samples().await), [BucketTotals::default(); 5], "{empty:?}");
        stage.poll(&CALL_DURATIONS, later).await;
        assert_eq!(shown(&stage.samples().await), truth(&stage, seen, later), "{empty:?}");
    }
}

/// An empty day may have been an outage of the API: it is read again with each reread, however long ago it was.
#[tokio::test]
async fn an_empty_day_that_fills_later_is_counted() {
    let born = "2026-11-10T15:00:00Z";
    let mut stage = Stage::new(born, "America/Bogota").await;
    stage.acme().switch(|switches| switches.empty_day = EmptyDay::NotFound);
    stage.acme().adjust_day_totals(|date, totals| {
        if date == jiff::civil::date(2026, 11, 11) {
            *totals = Default::default();
        }
    });
    stage.poll(&CALL_DURATIONS, born).await;
    let hours = |from: &str, hours: i64| (at(from) + SignedDuration::from_hours(hours)).to_string();
    for hour in 1..7 * 24 {
        stage.poll(&CALL_DURATIONS, &hours(born, hour)).await;
    }
    stage.acme().report_true_totals();
    let end = hours(born, 7 * 24 + 6);
    stage.poll(&CALL_DURATIONS, &end).await;
    assert_eq!(shown(&stage.samples().await), truth(&stage, born, &end));
}

#[tokio::test]
async fn missed_days_are_caught_up_and_31_at_most() {
    let born = "2026-10-01T15:00:00Z";
    for (back, days) in [("2026-10-04T15:00:00Z", 3), ("2026-11-10T15:00:00Z", 31)] {
        let plan = OperationPlan::new("acme", zone("America/Bogota")).volume(0.05);
        let mut stage = Stage::with(born, plan, |_, _| {}).await;
        stage.poll(&CALL_DURATIONS, born).await;
        stage.acme().forget_log();
        stage.poll(&CALL_DURATIONS, back).await;
        assert_eq!(windows(&stage).len(), 1 + days, "today and the missed days");
        if days == 3 {
            assert_eq!(shown(&stage.samples().await), truth(&stage, born, back));
        }
        stage.acme().forget_log();
        stage
            .poll(&CALL_DURATIONS, &(at(back) + SignedDuration::from_mins(5)).to_string())
            .await;
        assert_eq!(windows(&stage).len(), 1, "caught up");
    }
}

/// Calls that the API shows two days late are counted by the reread, and a catch-up that fails half way continues
/// later.
#[tokio::test]
async fn days_are_read_again_for_late_calls() {
    let (born, second, third) = ("2026-11-16T15:00:00Z", "2026-11-17T15:00:00Z", "2026-11-18T16:00:00Z");
    let mut stage = Stage::new(born, "America/Bogota").await;
    let missing = |day: Date| {
        move |asked: Date, totals: &mut wolkvox_simulator::DayTotals| {
            if asked == day {
                *totals = Default::default();
            }
        }
    };
    // The first day hides what happened after the birth until the third day.
    stage.poll(&CALL_DURATIONS, born).await;
    stage.acme().adjust_day_totals(missing(date(2026, 11, 16)));
    stage.poll(&CALL_DURATIONS, second).await;
    let hidden = shown(&stage.samples().await);
    assert!(hidden[0].calls < truth(&stage, born, second)[0].calls);
    stage.acme().report_true_totals();
    // The reread fails; the next poll repeats it.
    stage.acme().adjust_day_totals(missing(date(2026, 11, 17)));
    stage.acme().inject(Fault::status(404).once());
    stage.poll(&CALL_DURATIONS, third).await;
    stage.acme().report_true_totals();
    stage.poll(&CALL_DURATIONS, third).await;
    assert_eq!(shown(&stage.samples().await), truth(&stage, born, third));
}

#[tokio::test]
async fn a_reread_waits_until_it_is_due() {
    let mut stage = Stage::new("2026-11-17T15:00:00Z", "America/Bogota").await;
    stage.poll(&CALL_DURATIONS, "2026-11-17T15:00:00Z").await;
    for (now, requests) in [
        ("2026-11-18T15:00:00Z", 2),
        // The day before is settled when it was read twice.
        ("2026-11-18T15:30:00Z", 2),
        ("2026-11-18T20:59:59Z", 1),
        ("2026-11-18T21:00:00Z", 2),
        ("2026-11-19T03:00:00Z", 2),
    ] {
        stage.acme().forget_log();
        stage.poll(&CALL_DURATIONS, now).await;
        assert_eq!(windows(&stage).len(), requests, "{now}");
    }
}
