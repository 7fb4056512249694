//! The limits of a token, and the log of its requests.

use std::time::Duration;

use jiff::SignedDuration;
use wolkvox_simulator::{Api, Fault, LongRange};

use super::Stage;

#[tokio::test]
async fn more_requests_at_once_than_the_token_may_are_refused() {
    let stage = Stage::new().await;
    for allowed in [1, 2] {
        stage.operation.switch(|switches| switches.in_flight = allowed);
        stage.operation.inject(Fault::Stall(Duration::from_millis(80)));
        let all = [(); 3].map(|()| stage.campaigns());
        let statuses: Vec<u16> = futures_util::future::join_all(all)
            .await
            .into_iter()
            .map(|(status, _)| status)
            .collect();
        assert_eq!(
            statuses.iter().filter(|status| **status == 200).count(),
            allowed as usize,
            "{statuses:?}"
        );
        assert_eq!(
            statuses.iter().filter(|status| **status == 403).count(),
            3 - allowed as usize
        );
        stage.operation.clear_faults();
    }
    assert_eq!(stage.operation.observed().most_in_flight, 3);
}

#[tokio::test]
async fn the_vendor_can_work_on_when_nobody_waits_any_more() {
    let stage = Stage::new().await;
    stage.operation.switch(|switches| switches.works_on = true);
    for _ in 0..20 {
        stage.operation.inject(Fault::Delay(Duration::from_millis(1)).once());
        assert_eq!(stage.campaigns().await.0, 200, "one after the other is one at a time");
    }
    stage.operation.inject(Fault::Delay(Duration::from_millis(500)).once());
    let given_up = tokio::time::timeout(Duration::from_millis(100), stage.campaigns()).await;
    assert!(given_up.is_err());
    let (status, body) = stage.campaigns().await;
    assert!(status == 403 && body.contains("simultaneous"), "{body}");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(stage.campaigns().await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_after_the_other_is_never_two_at_once() {
    let stage = Stage::new().await;
    for _ in 0..200 {
        assert_eq!(stage.campaigns().await.0, 200);
    }
    stage.operation.inject(Fault::Trickle {
        bytes: 900,
        every: Duration::from_millis(1),
    });
    for _ in 0..40 {
        assert_eq!(stage.campaigns().await.0, 200);
    }
    // A client that gives up is not in flight any more.
    stage.operation.clear_faults();
    stage.operation.inject(Fault::Delay(Duration::from_secs(60)).once());
    assert!(
        tokio::time::timeout(Duration::from_millis(20), stage.campaigns())
            .await
            .is_err()
    );
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(stage.campaigns().await.0, 200);
    assert_eq!(stage.operation.observed().most_in_flight, 1);
}

#[tokio::test]
async fn the_quota_lasts_until_local_midnight() {
    let stage = Stage::in_zone("America/Bogota", "2026-11-18T23:59:00").await;
    stage.operation.switch(|switches| switches.daily_quota = Some(3));
    for _ in 0..2 {
        assert_eq!(stage.campaigns().await.0, 200);
    }
    stage.operation.inject(Fault::status(500).once());
    assert_eq!(stage.campaigns().await.0, 500);
    let (status, body) = stage.campaigns().await;
    assert_eq!(status, 403);
    assert!(body.contains("Token limit exceeded"), "{body}");
    assert_eq!(stage.operation.observed().charged_today, 3);

    stage.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(stage.operation.observed().charged_today, 0);
    stage.operation.switch(|switches| switches.failed_calls_count = false);
    stage.operation.inject(Fault::status(500).times(5));
    for _ in 0..5 {
        assert_eq!(stage.campaigns().await.0, 500);
    }
    // An empty answer is a success with nothing in it, and costs like one.
    assert_eq!(stage.durations("20261101000000", "20261101000001").await.0, 404);
    assert_eq!(stage.operation.observed().charged_today, 1);
}

#[tokio::test]
async fn more_than_31_days_get_what_the_switch_says() {
    let stage = Stage::new().await;
    let ask = async || stage.durations("20261001000000", "20261101000001").await;
    assert_eq!(stage.durations("20261001000000", "20261101000000").await.0, 200);
    assert_eq!(ask().await.0, 400);
    stage
        .operation
        .switch(|switches| switches.long_range = LongRange::NotFound);
    assert_eq!(ask().await.0, 404);
    stage
        .operation
        .switch(|switches| switches.long_range = LongRange::Clamped);
    assert_eq!(ask().await, stage.durations("20261001000000", "20261101000000").await);
}

#[tokio::test]
async fn requests_are_logged() {
    let stage = Stage::new().await;
    stage.operation.inject(Fault::Html.once().on(Api::Campaigns));
    stage.durations("20261118000000", "20261118120000").await;
    stage.campaigns().await;
    let observed = stage.operation.observed();
    assert_eq!((observed.requests, observed.charged_today), (2, 2));
    let [first, second] = &observed.log[..] else {
        panic!("{observed:?}")
    };
    assert_eq!(
        (first.path.as_str(), first.api.as_deref()),
        ("/api/v2/reports_manager.php", Some("cdr_4"))
    );
    assert_eq!(first.date_ini.as_deref(), Some("20261118000000"));
    assert_eq!(first.date_end.as_deref(), Some("20261118120000"));
    assert_eq!((first.at, first.fault.as_ref()), (stage.clock.now(), None));
    assert_eq!(second.fault, Some(Fault::Html));
    stage.operation.forget_log();
    assert!(stage.operation.observed().log.is_empty());
}
