//! The limits of a token, and what was seen of it.

use std::time::Duration;

use jiff::SignedDuration;
use wolkvox_simulator::{Api, Fault, LongRange};

use super::Bench;

#[tokio::test]
async fn more_requests_at_once_than_the_token_may_are_refused() {
    let bench = Bench::new().await;
    for allowed in [1, 2] {
        bench.operation.switch(|switches| switches.in_flight = allowed);
        bench.operation.inject(Fault::Stall(Duration::from_millis(80)));
        let all = [(); 3].map(|()| bench.campaigns());
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
        bench.operation.clear_faults();
    }
    assert_eq!(bench.operation.observed().most_in_flight, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_after_the_other_is_never_two_at_once() {
    let bench = Bench::new().await;
    for _ in 0..200 {
        assert_eq!(bench.campaigns().await.0, 200);
    }
    bench.operation.inject(Fault::Trickle {
        bytes: 900,
        every: Duration::from_millis(1),
    });
    for _ in 0..40 {
        assert_eq!(bench.campaigns().await.0, 200);
    }
    // A client that gives up is not in flight any more.
    bench.operation.clear_faults();
    bench.operation.inject(Fault::Delay(Duration::from_secs(60)).once());
    assert!(
        tokio::time::timeout(Duration::from_millis(20), bench.campaigns())
            .await
            .is_err()
    );
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(bench.campaigns().await.0, 200);
    assert_eq!(bench.operation.observed().most_in_flight, 1);
}

#[tokio::test]
async fn the_quota_lasts_until_local_midnight() {
    let bench = Bench::in_zone("America/Bogota", "2026-11-18T23:59:00").await;
    bench.operation.switch(|switches| switches.daily_quota = Some(3));
    for _ in 0..2 {
        assert_eq!(bench.campaigns().await.0, 200);
    }
    bench.operation.inject(Fault::status(500).once());
    assert_eq!(bench.campaigns().await.0, 500);
    let (status, body) = bench.campaigns().await;
    assert_eq!(status, 403);
    assert!(body.contains("Token limit exceeded"), "{body}");
    assert_eq!(bench.operation.observed().charged_today, 3);

    bench.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(bench.operation.observed().charged_today, 0);
    bench.operation.switch(|switches| switches.failed_calls_count = false);
    bench.operation.inject(Fault::status(500).times(5));
    for _ in 0..5 {
        assert_eq!(bench.campaigns().await.0, 500);
    }
    // An empty answer is a success with nothing in it, and costs like one.
    assert_eq!(bench.durations("20261101000000", "20261101000001").await.0, 404);
    assert_eq!(bench.operation.observed().charged_today, 1);
}

#[tokio::test]
async fn more_than_31_days_get_what_the_switch_says() {
    let bench = Bench::new().await;
    let ask = async || bench.durations("20261001000000", "20261101000001").await;
    assert_eq!(bench.durations("20261001000000", "20261101000000").await.0, 200);
    assert_eq!(ask().await.0, 400);
    bench
        .operation
        .switch(|switches| switches.long_range = LongRange::NotFound);
    assert_eq!(ask().await.0, 404);
    bench
        .operation
        .switch(|switches| switches.long_range = LongRange::Clamped);
    assert_eq!(ask().await, bench.durations("20261001000000", "20261101000000").await);
}

#[tokio::test]
async fn requests_are_written_down() {
    let bench = Bench::new().await;
    bench.operation.inject(Fault::Html.once().on(Api::Campaigns));
    bench.durations("20261118000000", "20261118120000").await;
    bench.campaigns().await;
    let observed = bench.operation.observed();
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
    assert_eq!((first.at, first.fault.as_ref()), (bench.clock.now(), None));
    assert_eq!(second.fault, Some(Fault::Html));
    bench.operation.forget_log();
    assert!(bench.operation.observed().log.is_empty());
}
