//! Broken assumptions about the API are counted and told.

use wolkvox_exporter::reports::{ABANDONED_CALLS, CALL_DURATIONS, CAMPAIGNS, IVR, PREVIEW_CALLS};

use super::{Centre, call, interactions, row, rows, violations, waits};
use crate::support::get;

#[tokio::test]
async fn all_assumptions_hold_at_first() {
    let centre = Centre::new().await;
    let samples = centre.stage.samples().await;
    for report in [&ABANDONED_CALLS, &PREVIEW_CALLS, &IVR] {
        for assumption in [
            "dated_once",
            "inside_window",
            "rows_differ",
            "count_matches",
            "known_words",
        ] {
            assert_eq!(violations(&samples, report, assumption), 0.0);
        }
    }
    assert_eq!(violations(&samples, &CAMPAIGNS, "known_words"), 0.0);
    assert_eq!(violations(&samples, &CALL_DURATIONS, "known_words"), 0.0);
}

#[tokio::test]
async fn a_row_that_comes_again_with_another_date_counts_once() {
    let mut centre = Centre::new().await;
    let dated = |time: &str| call("a", &[("date", &format!("2026-11-26 {time}"))]);
    centre.poll(&ABANDONED_CALLS, 5, &[&dated("09:01:00")]).await;
    for minutes in [10, 15] {
        let samples = centre.poll(&ABANDONED_CALLS, minutes, &[&dated("09:01:40")]).await;
        assert_eq!(
            (interactions(&samples, "abandoned"), waits(&samples)),
            (1.0, (1.0, 9.0))
        );
        assert_eq!(violations(&samples, &ABANDONED_CALLS, "dated_once"), 1.0);
        assert_eq!(
            rows(&samples, &ABANDONED_CALLS, "duplicate"),
            f64::from(i32::from(minutes == 15)) + 1.0
        );
    }
    // It is known by its new date, so the call that comes back later is another one.
    let samples = centre
        .poll(&ABANDONED_CALLS, 20, &[&dated("09:01:40"), &dated("09:18:00")])
        .await;
    assert_eq!(
        (interactions(&samples, "abandoned"), waits(&samples)),
        (2.0, (2.0, 18.0))
    );
    assert_eq!(violations(&samples, &ABANDONED_CALLS, "dated_once"), 1.0);
}

/// A call may come back to a skill: both rows are in the answer, and both count.
#[tokio::test]
async fn two_rows_of_a_call_in_one_answer_count_twice() {
    let mut centre = Centre::new().await;
    let calls = [call("a", &[]), call("a", &[("date", "2026-11-26 09:03:00")])];
    let samples = centre
        .poll(&ABANDONED_CALLS, 5, &calls.each_ref().map(String::as_str))
        .await;
    assert_eq!(interactions(&samples, "abandoned"), 2.0);
    assert_eq!(violations(&samples, &ABANDONED_CALLS, "rows_differ"), 0.0);
    let calls = [call("b", &[]), call("b", &[])];
    for minutes in [10, 15] {
        let samples = centre
            .poll(&ABANDONED_CALLS, minutes, &calls.each_ref().map(String::as_str))
            .await;
        assert_eq!(interactions(&samples, "abandoned"), 4.0);
        assert_eq!(violations(&samples, &ABANDONED_CALLS, "rows_differ"), 1.0, "told once");
    }
}

/// Dated three hours ahead: a wrong zone.
#[tokio::test]
async fn a_row_outside_of_what_was_asked_for_counts_and_is_told() {
    let mut centre = Centre::new().await;
    let ahead = call("a", &[("date", "2026-11-26 12:01:00")]);
    for minutes in [5, 10] {
        let samples = centre.poll(&ABANDONED_CALLS, minutes, &[&ahead]).await;
        assert_eq!(interactions(&samples, "abandoned"), 1.0);
        assert_eq!(violations(&samples, &ABANDONED_CALLS, "inside_window"), 1.0);
    }
    // Before the birth: not counted, but told all the same.
    let behind = call("b", &[("date", "2026-11-26 03:01:00")]);
    let samples = centre.poll(&ABANDONED_CALLS, 15, &[&behind]).await;
    assert_eq!(interactions(&samples, "abandoned"), 1.0);
    assert_eq!(violations(&samples, &ABANDONED_CALLS, "inside_window"), 2.0);
}

#[tokio::test]
async fn an_unknown_word_is_other_and_shown_everywhere() {
    let mut centre = Centre::new().await;
    let calls = [
        call("a", &[("result", "Marte")]),
        call("b", &[("type_interaction", "fax 3001234567")]),
    ];
    let samples = centre
        .poll(&ABANDONED_CALLS, 5, &calls.each_ref().map(String::as_str))
        .await;
    assert_eq!(interactions(&samples, "other"), 1.0);
    assert_eq!(violations(&samples, &ABANDONED_CALLS, "known_words"), 2.0);
    let word = |field, word| {
        let labels = [("report", "abandoned_calls"), ("field", field), ("word", word)];
        samples.get("wolkvox_report_unknown_word", &labels)
    };
    assert_eq!(word("result", "Marte"), Some(1.0));
    assert_eq!(
        word("type_interaction", "number"),
        Some(1.0),
        "a telephone number is not shown"
    );
    let status_page = centre.stage.page.0.replace("/metrics", "/");
    let html = get(&status_page, &[]).await.text().await.unwrap();
    for text in ["Assumptions", "“Marte”", "check-api --shapes"] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!html.contains("3001234567"));
}

#[tokio::test]
async fn a_campaign_in_two_rows_and_an_unknown_status_are_told() {
    let mut centre = Centre::new().await;
    let campaigns = [
        row(&[("campaign", "5 - A"), ("status", "started")], &[]),
        row(&[("campaign", "5 - B"), ("status", "Marte")], &[]),
        row(&[("campaign", "6 - C"), ("status", "Marte")], &[]),
    ];
    let samples = centre
        .poll(&CAMPAIGNS, 5, &campaigns.each_ref().map(String::as_str))
        .await;
    assert_eq!(violations(&samples, &CAMPAIGNS, "rows_differ"), 1.0);
    assert_eq!(violations(&samples, &CAMPAIGNS, "known_words"), 1.0);
}

/// The message names another number of rows than came.
#[tokio::test]
async fn an_answer_with_another_number_of_rows_than_it_says_is_told() {
    let mut centre = Centre::new().await;
    for (minutes, message, broken) in [
        (5, "1 records were found", 0.0),
        (10, "3 records were found", 1.0),
        (15, "Se encontraron 3 registros", 2.0),
        (20, "ok", 2.0),
    ] {
        let body = format!(r#"{{"code":"200","msg":"{message}","data":[{}]}}"#, call("a", &[]));
        let samples = centre.poll_body(&ABANDONED_CALLS, minutes, body).await;
        assert_eq!(
            violations(&samples, &ABANDONED_CALLS, "count_matches"),
            broken,
            "{message}"
        );
    }
}
