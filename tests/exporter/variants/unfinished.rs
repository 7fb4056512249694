//! Rows that are not complete at first: a blank decides nothing, and what comes later counts when it is there.

use wolkvox_exporter::reports::{ABANDONED_CALLS, IVR, PREVIEW_CALLS};

use super::{Centre, call, interactions, row, rows, waits};

#[tokio::test]
async fn a_result_counts_when_it_is_there() {
    let mut centre = Centre::new().await;
    for blank in ["", "----", "in queue", "En cola"] {
        let samples = centre
            .poll(
                &ABANDONED_CALLS,
                5,
                &[&call("a", &[("result", blank), ("abandon_time", "")])],
            )
            .await;
        let counted = ["abandoned", "answered", "other"].map(|result| interactions(&samples, result));
        assert_eq!(counted, [0.0; 3], "{blank}");
    }
    let samples = centre
        .poll(&ABANDONED_CALLS, 10, &[&call("a", &[("abandon_time", "")])])
        .await;
    assert_eq!(
        (interactions(&samples, "abandoned"), waits(&samples)),
        (1.0, (0.0, 0.0))
    );
    // The wait comes later still.
    for minutes in [15, 20] {
        let samples = centre.poll(&ABANDONED_CALLS, minutes, &[&call("a", &[])]).await;
        assert_eq!(
            (interactions(&samples, "abandoned"), waits(&samples)),
            (1.0, (1.0, 9.0))
        );
    }
}

/// A result that is still blank when the last reread sees the row counts as other.
#[tokio::test]
async fn a_result_that_never_comes_is_other_in_the_end() {
    let mut centre = Centre::new().await;
    let blank = call("a", &[("result", "")]);
    let step = [
        ("rp_id", "3"),
        ("conn_id", "i"),
        ("date", "2026-11-26 09:01:00"),
        ("result", ""),
        ("time", "7"),
    ];
    let step = row(&step, &[]);
    for hour in 0..6 {
        let samples = centre.poll(&ABANDONED_CALLS, 60 * hour + 5, &[&blank]).await;
        assert_eq!(interactions(&samples, "other"), 0.0, "after {hour} h");
        let samples = centre.poll(&IVR, 60 * hour + 5, &[&step]).await;
        assert_eq!(
            samples.get("wolkvox_ivr_calls_total", &[("result", "other")]),
            Some(0.0),
            "after {hour} h"
        );
    }
    // The rereads reach back six hours, and one more so that this one sees the row.
    let samples = centre.poll(&ABANDONED_CALLS, 60 * 6 + 5, &[&blank]).await;
    assert_eq!((interactions(&samples, "other"), waits(&samples).0), (1.0, 0.0));
    let samples = centre.poll(&IVR, 60 * 6 + 5, &[&step]).await;
    assert_eq!(
        samples.get("wolkvox_ivr_calls_total", &[("result", "other")]),
        Some(1.0)
    );
    assert_eq!(
        samples.get("wolkvox_ivr_selections_total", &[("rp_id", "3")]),
        Some(1.0)
    );
}

#[tokio::test]
async fn a_preview_call_in_progress_counts_when_it_has_ended() {
    let mut centre = Centre::new().await;
    let call = [
        ("type_of_row", "call"),
        ("campaign_id", "7"),
        ("conn_id", "c"),
        ("date", "2026-11-26 09:01:00"),
        ("type_interaction", "outbound"),
        ("call_result", ""),
        ("hang_up", ""),
        ("time", ""),
    ];
    let samples = centre.poll(&PREVIEW_CALLS, 5, &[&row(&call, &[])]).await;
    assert!(samples.all("wolkvox_preview_calls_total", &[]).is_empty());
    assert_eq!(rows(&samples, &PREVIEW_CALLS, "ignored"), 1.0);
    let ended = row(&call, &[("call_result", "answer"), ("hang_up", "agent")]);
    centre.poll(&PREVIEW_CALLS, 10, &[&ended]).await;
    let complete = row(
        &call,
        &[
            ("call_result", "answer"),
            ("hang_up", "agent"),
            ("time", "42"),
            ("cod_act", "SALE"),
        ],
    );
    let samples = centre.poll(&PREVIEW_CALLS, 15, &[&complete]).await;
    let labels = [("call_result", "answer"), ("hang_up", "agent")];
    assert_eq!(samples.get("wolkvox_preview_calls_total", &labels), Some(1.0));
    assert_eq!(
        samples.get("wolkvox_preview_call_duration_seconds_sum", &[]),
        Some(42.0)
    );
    assert_eq!(
        samples.get("wolkvox_preview_codes_total", &[("code", "SALE")]),
        Some(1.0)
    );
}

/// Of two equal records, one still without a result, each counts once, in whatever order they come.
#[tokio::test]
async fn equal_records_in_another_order_count_once_each() {
    let mut centre = Centre::new().await;
    let record = [
        ("type_of_row", "preview"),
        ("campaign_id", "7"),
        ("customer_id", "1"),
        ("telephone", "2"),
        ("date", "2026-11-26 09:01:00"),
        ("result", ""),
    ];
    let (blank, done) = (row(&record, &[]), row(&record, &[("result", "ok")]));
    let count = |samples: &crate::support::Samples| samples.get("wolkvox_preview_records_total", &[("result", "ok")]);
    for (minutes, rows) in [(5, [&blank, &done]), (10, [&done, &blank])] {
        let samples = centre.poll(&PREVIEW_CALLS, minutes, &rows.map(String::as_str)).await;
        assert_eq!(count(&samples), Some(1.0));
    }
    let samples = centre.poll(&PREVIEW_CALLS, 15, &[&done, &done]).await;
    assert_eq!(count(&samples), Some(2.0));
}

/// After a long outage a row whose result never came is final. It does not replace the result that another row has.
#[tokio::test]
async fn a_blank_never_replaces_a_result_of_the_same_call() {
    let step = [
        ("rp_id", "3"),
        ("conn_id", "i"),
        ("date", "2026-11-26 09:01:00"),
        ("time", "7"),
    ];
    let known = row(&step, &[("result", "ok"), ("cod_opc_menu", "1")]);
    let blank = row(&step, &[("result", ""), ("cod_opc_menu", "2"), ("time", "3")]);
    for rows in [[&known, &blank], [&blank, &known]] {
        let mut centre = Centre::new().await;
        let samples = centre.poll(&IVR, 60 * 10, &rows.map(String::as_str)).await;
        let calls = |result| samples.get("wolkvox_ivr_calls_total", &[("result", result)]);
        assert_eq!((calls("ok"), calls("other")), (Some(1.0), Some(0.0)));
        assert_eq!(samples.get("wolkvox_ivr_time_seconds_sum", &[]), Some(7.0));
    }
}

/// A row that changes after it was counted stays counted as it was, and each change is told once.
#[tokio::test]
async fn a_row_that_changes_after_it_was_counted_is_told() {
    let mut centre = Centre::new().await;
    let mut changes = async |minutes, fields: &[(&str, &str)]| {
        let samples = centre.poll(&ABANDONED_CALLS, minutes, &[&call("a", fields)]).await;
        let labels = [("report", "abandoned_calls"), ("assumption", "final_when_seen")];
        let counted = ["abandoned", "answered", "other"].map(|result| interactions(&samples, result));
        assert_eq!(counted, [1.0, 0.0, 0.0], "{minutes}");
        (
            samples
                .get("wolkvox_report_assumption_violations_total", &labels)
                .unwrap(),
            waits(&samples),
        )
    };
    assert_eq!(changes(5, &[("abandon_time", "")]).await, (0.0, (0.0, 0.0)));
    assert_eq!(changes(10, &[]).await, (0.0, (1.0, 9.0)), "its wait is there");
    assert_eq!(changes(15, &[]).await, (0.0, (1.0, 9.0)));
    assert_eq!(
        changes(20, &[("abandon_time", "12")]).await,
        (1.0, (1.0, 9.0)),
        "another wait"
    );
    assert_eq!(
        changes(25, &[("abandon_time", "12")]).await,
        (1.0, (1.0, 9.0)),
        "told once"
    );
    assert_eq!(changes(30, &[("result", "answered")]).await, (2.0, (1.0, 9.0)));
    assert_eq!(changes(35, &[("result", "answered")]).await, (2.0, (1.0, 9.0)));
}

fn step(conn: &str, date: &str, fields: &[(&str, &str)]) -> String {
    let step = [
        ("rp_id", "3"),
        ("conn_id", conn),
        ("date", date),
        ("cod_opc_menu", ""),
        ("result", "ok"),
        ("time", "7"),
    ];
    row(&step, fields)
}

/// A call over midnight is one call, whichever of its rows an answer has. A connection that comes back after more than twelve hours
/// is another call.
#[tokio::test]
async fn an_ivr_call_over_midnight_is_one_call() {
    let mut centre = Centre::new().await;
    let minutes = |hours: i64, minutes: i64| 60 * (hours - 9) + minutes;
    let before = step("n", "2026-11-26 23:58:00", &[]);
    let after = step("n", "2026-11-27 00:03:00", &[("cod_opc_menu", "2")]);
    let later = step("n", "2026-11-27 00:20:00", &[("cod_opc_menu", "3")]);
    let next_day = step("n", "2026-11-27 13:00:00", &[]);
    let polls: [(i64, &[&str], f64); 6] = [
        (minutes(23, 59), &[&before], 1.0),
        (minutes(24, 5), &[&before, &after], 1.0),
        (minutes(24, 10), &[&after, &before], 1.0),
        (minutes(25, 59), &[&after, &later], 1.0),
        (minutes(26, 10), &[&later], 1.0),
        (minutes(37, 5), &[&next_day], 2.0),
    ];
    for (at, rows, expected) in polls {
        let samples = centre.poll(&IVR, at, rows).await;
        let calls: f64 = samples.all("wolkvox_ivr_calls_total", &[]).iter().sum();
        assert_eq!(calls, expected, "{at}");
        let times: f64 = samples.all("wolkvox_ivr_time_seconds_count", &[]).iter().sum();
        assert_eq!(times, expected, "{at}");
    }
    // The rows of the new day come first, and those of the evening late.
    let evening = step("l", "2026-11-27 23:59:00", &[]);
    let morning = step("l", "2026-11-28 00:02:00", &[]);
    for rows in [&[morning.as_str()][..], &[&morning, &evening], &[&evening]] {
        let samples = centre.poll(&IVR, minutes(48, 5), rows).await;
        let calls: f64 = samples.all("wolkvox_ivr_calls_total", &[]).iter().sum();
        assert_eq!(calls, 3.0, "{rows:?}");
    }
    // Two calls of one connection on one day.
    let early = step("s", "2026-11-29 01:00:00", &[]);
    let late = step("s", "2026-11-29 14:30:00", &[("cod_opc_menu", "1")]);
    let polls: [(i64, &[&str], f64); 5] = [
        (minutes(73, 5), &[&early], 4.0),
        (minutes(86, 35), &[&late, &early], 5.0),
        (minutes(86, 40), &[&late], 5.0),
        (minutes(86, 45), &[&early, &late], 5.0),
        (minutes(86, 50), &[&early], 5.0),
    ];
    for (at, rows, expected) in polls {
        let samples = centre.poll(&IVR, at, rows).await;
        let calls: f64 = samples.all("wolkvox_ivr_calls_total", &[]).iter().sum();
        assert_eq!(calls, expected, "{at}");
    }
}

/// Whatever the order of the rows, the outcome of a call is that of its latest row.
#[tokio::test]
async fn the_latest_row_decides_the_outcome_of_an_ivr_call() {
    let early = |conn| step(conn, "2026-11-26 09:01:00", &[("result", "hung up"), ("time", "3")]);
    let late = |conn| step(conn, "2026-11-26 09:02:00", &[("result", "ok"), ("time", "20")]);
    let mut centre = Centre::new().await;
    let rows = [early("a"), late("a"), late("b"), early("b")];
    let samples = centre.poll(&IVR, 5, &rows.each_ref().map(String::as_str)).await;
    let calls = |result| samples.get("wolkvox_ivr_calls_total", &[("result", result)]);
    assert_eq!((calls("ok"), calls("hung_up")), (Some(2.0), Some(0.0)));
    assert_eq!(samples.get("wolkvox_ivr_time_seconds_sum", &[]), Some(40.0));
}
