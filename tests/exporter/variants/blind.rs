//! Nothing looks healthy that is not understood.

use wolkvox_exporter::reports::{ABANDONED_CALLS, CALL_DURATIONS, PREVIEW_CALLS};

use super::{Centre, call, row, rows, violations};
use crate::support::Samples;

fn up(samples: &Samples, report: &str) -> f64 {
    samples.get("wolkvox_up", &[("report", report)]).unwrap()
}

fn decode_failures(samples: &Samples, report: &str) -> f64 {
    let labels = [("report", report), ("reason", "decode")];
    samples.get("wolkvox_report_poll_failures_total", &labels).unwrap()
}

#[tokio::test]
async fn the_buckets_of_calls_by_duration_are_known_by_their_numbers() {
    let mut centre = Centre::new().await;
    let bucket = |calls: u32| format!(r#"{{"calls":"{calls}","minutes":"0","cost":"0"}}"#);
    let body = |calls: [u32; 6]| {
        let keys = ["0-5 seg", "6 a 20 seg", "21–60", "61_121_seg", "mayor a 121", "TOTAL"];
        let data: Vec<String> = keys
            .iter()
            .zip(calls)
            .map(|(key, calls)| format!(r#""{key}":{}"#, bucket(calls)))
            .collect();
        format!(r#"{{"data":{{{}}}}}"#, data.join(","))
    };
    centre.poll_body(&CALL_DURATIONS, 5, body([0; 6])).await;
    let samples = centre.poll_body(&CALL_DURATIONS, 10, body([1, 2, 3, 4, 5, 15])).await;
    let calls = ["0-5s", "6-20s", "21-60s", "61-120s", "121s+"]
        .map(|duration| samples.get("wolkvox_calls_total", &[("duration", duration)]).unwrap());
    assert_eq!(calls, [1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(rows(&samples, &CALL_DURATIONS, "ignored"), 2.0);
    assert_eq!(violations(&samples, &CALL_DURATIONS, "known_words"), 0.0);
}

#[tokio::test]
async fn an_answer_of_which_no_row_can_be_used_is_a_failure() {
    let mut centre = Centre::new().await;
    let body = r#"{"data":{"corta":{"calls":"1"},"larga":{"calls":"2"}}}"#.to_owned();
    let samples = centre.poll_body(&CALL_DURATIONS, 5, body).await;
    assert_eq!(
        (
            up(&samples, "call_durations"),
            decode_failures(&samples, "call_durations")
        ),
        (0.0, 1.0)
    );
    assert_eq!(violations(&samples, &CALL_DURATIONS, "known_words"), 2.0);

    let preview = row(&[("type_of_row", "Marte"), ("date", "2026-11-26 09:01:00")], &[]);
    let samples = centre.poll(&PREVIEW_CALLS, 5, &[preview.as_str(); 3]).await;
    assert_eq!(
        (
            up(&samples, "preview_calls"),
            decode_failures(&samples, "preview_calls")
        ),
        (0.0, 1.0)
    );
    assert_eq!(rows(&samples, &PREVIEW_CALLS, "invalid"), 3.0);
    assert_eq!(violations(&samples, &PREVIEW_CALLS, "known_words"), 3.0);

    // Nothing is lost: when the row can be read, it counts, although later polls would not ask for it.
    let renamed = call("a", &[]).replace("conn_id", "connection");
    for minutes in [5, 300] {
        let samples = centre.poll(&ABANDONED_CALLS, minutes, &[renamed.as_str(); 3]).await;
        assert_eq!(up(&samples, "abandoned_calls"), 0.0);
    }
    let samples = centre.poll(&ABANDONED_CALLS, 305, &[&call("a", &[])]).await;
    assert_eq!(up(&samples, "abandoned_calls"), 1.0);
    assert_eq!(super::interactions(&samples, "abandoned"), 1.0);
}

/// One good row is enough: the others are counted as invalid.
#[tokio::test]
async fn one_bad_row_among_good_ones_fails_nothing() {
    let mut centre = Centre::new().await;
    let bad = call("a", &[("skill_id", "")]);
    let samples = centre.poll(&ABANDONED_CALLS, 5, &[&bad, &call("b", &[])]).await;
    assert_eq!(up(&samples, "abandoned_calls"), 1.0);
    assert_eq!(rows(&samples, &ABANDONED_CALLS, "invalid"), 1.0);
    assert_eq!(super::interactions(&samples, "abandoned"), 1.0);
}

/// In a quiet night the only row may be a bad one. That is no failure, or it would be one at each poll.
#[tokio::test]
async fn two_bad_rows_of_a_quiet_night_fail_nothing() {
    let mut centre = Centre::new().await;
    let bad = call("a", &[("skill_id", "")]);
    let samples = centre.poll(&ABANDONED_CALLS, 5, &[&bad, &bad]).await;
    assert_eq!(up(&samples, "abandoned_calls"), 1.0);
    assert_eq!(rows(&samples, &ABANDONED_CALLS, "invalid"), 2.0);
}
