//! Windows, days and clocks.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};
use proptest::prelude::*;
use wolkvox_simulator::{DateHeader, DayTotals, OperationPlan};

use super::Stage;

/// The day of 2026 in America/Santiago with this many hours.
fn day_of_hours(hours: i64) -> Date {
    let zone = TimeZone::get("America/Santiago").unwrap();
    let length = |day: Date| {
        let start = |day: Date| day.to_zoned(zone.clone()).unwrap().start_of_day().unwrap().timestamp();
        start(day.tomorrow().unwrap()).duration_since(start(day)).as_hours()
    };
    let mut days = date(2026, 1, 1).series(jiff::Span::new().days(1)).take(365);
    days.find(|day| length(*day) == hours).unwrap()
}

async fn santiago() -> Stage {
    Stage::in_zone("America/Santiago", "2026-12-01T12:00:00").await
}

async fn window(stage: &Stage, day: Date, from: &str, until: &str) -> DayTotals {
    let day = day.strftime("%Y%m%d");
    stage.totals(&format!("{day}{from}"), &format!("{day}{until}")).await
}

/// The calls of a day that ended between these local times, counted one by one.
fn calls_between(stage: &Stage, day: Date, from: &str, until: &str) -> u64 {
    let zone = stage.operation.timezone().clone();
    let noon = zone.to_timestamp(day.at(12, 0, 0, 0)).unwrap();
    let near = SignedDuration::from_hours(30);
    let calls = stage.operation.truth().calls(noon - near, noon + near);
    let text = |end: i64| {
        zone.to_datetime(Timestamp::from_second(end).unwrap())
            .strftime("%Y%m%d%H%M%S")
            .to_string()
    };
    let (from, until) = (
        format!("{}{from}", day.strftime("%Y%m%d")),
        format!("{}{until}", day.strftime("%Y%m%d")),
    );
    calls
        .iter()
        .filter(|call| (from.as_str()..=until.as_str()).contains(&text(call.end).as_str()))
        .count() as u64
}

#[tokio::test]
async fn a_day_of_25_hours_is_whole() {
    let (stage, day) = (santiago().await, day_of_hours(25));
    let truth = stage.operation.truth().day_totals(day, stage.clock.now());
    assert_eq!(window(&stage, day, "000000", "235959").await, truth);
    // The clocks go back from midnight to 23:00, so this window is an hour and a half in two pieces.
    let pieces = window(&stage, day, "230000", "234459").await;
    assert_eq!(pieces.total().calls, calls_between(&stage, day, "230000", "234459"));
    let halves = [("000000", "225959"), ("230000", "234459"), ("234500", "235959")];
    let mut sum = DayTotals::default();
    for (from, until) in halves {
        sum += window(&stage, day, from, until).await;
    }
    assert_eq!(sum, truth);
}

#[tokio::test]
async fn a_day_of_23_hours_is_whole_from_a_midnight_that_does_not_exist() {
    let (stage, day) = (santiago().await, day_of_hours(23));
    let truth = stage.operation.truth().day_totals(day, stage.clock.now());
    assert_eq!(window(&stage, day, "000000", "235959").await, truth);
    assert_eq!(window(&stage, day, "003000", "235959").await, truth);
    assert_eq!(window(&stage, day, "000000", "005959").await, DayTotals::default());
    assert_eq!(truth.total().calls, calls_between(&stage, day, "000000", "235959"));
}

#[tokio::test]
async fn totals_of_a_day_only_grow_as_the_clock_moves() {
    let stage = Stage::in_zone("America/Bogota", "2026-11-18T00:00:00").await;
    let mut last = DayTotals::default();
    for _ in 0..150 {
        let totals = stage.totals("20261118000000", "20261118235959").await;
        assert!(totals.total().calls >= last.total().calls && totals.total().cost_micros >= last.total().cost_micros);
        last = totals;
        stage.clock.advance(SignedDuration::from_secs(599));
    }
    let day = stage.operation.truth().day_totals(date(2026, 11, 18), Timestamp::MAX);
    assert_eq!(last, day);
}

#[tokio::test]
async fn a_call_shows_in_the_second_in_which_it_ends() {
    let stage = Stage::new().await;
    let day = date(2026, 11, 18);
    let midnight = day.to_zoned(stage.operation.timezone().clone()).unwrap().timestamp();
    let end = stage
        .operation
        .truth()
        .calls(midnight, stage.clock.now())
        .last()
        .unwrap()
        .end;
    let count = async |second: i64| {
        stage.clock.set(Timestamp::from_second(second).unwrap());
        window(&stage, day, "000000", "235959").await.total().calls
    };
    let before = count(end - 1).await;
    let after = count(end).await;
    assert!(after > before);
}

#[tokio::test]
async fn the_date_header_goes_by_the_clock() {
    let stage = Stage::new().await;
    let date = async || {
        let response = stage.try_get("real_time.php?api=campaigns").await.unwrap();
        response
            .headers()
            .get("date")
            .map(|date| date.to_str().unwrap().to_owned())
    };
    assert_eq!(date().await.as_deref(), Some("Wed, 18 Nov 2026 17:00:00 GMT"));
    stage
        .operation
        .switch(|switches| switches.date_header = DateHeader::Skewed(SignedDuration::from_mins(-11)));
    assert_eq!(date().await.as_deref(), Some("Wed, 18 Nov 2026 16:49:00 GMT"));
    stage
        .operation
        .switch(|switches| switches.date_header = DateHeader::Absent);
    assert_eq!(date().await, None);
}

#[test]
fn windows_side_by_side_make_the_whole() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let zone = TimeZone::get("America/Santiago").unwrap();
    let plan = OperationPlan::new("acme", zone).volume(0.3);
    let stage = runtime.block_on(Stage::of(3, plan, "2026-04-07T12:00:00Z".parse().unwrap()));
    // Around the end of summer time, in seconds after that local text.
    let start = date(2026, 4, 3).at(0, 0, 0, 0);
    let second = 0_i64..4 * 86_400;
    let text = |second: i64| {
        (start + SignedDuration::from_secs(second))
            .strftime("%Y%m%d%H%M%S")
            .to_string()
    };
    proptest!(ProptestConfig::with_cases(40), |(mut cuts in prop::collection::vec(second, 2..5))| {
        cuts.sort_unstable();
        cuts.dedup();
        let [first, .., last] = cuts[..] else { return Ok(()) };
        runtime.block_on(async {
            let whole = stage.totals(&text(first), &text(last - 1)).await;
            let mut sum = DayTotals::default();
            for pair in cuts.windows(2) {
                sum += stage.totals(&text(pair[0]), &text(pair[1] - 1)).await;
            }
            prop_assert_eq!(sum, whole);
            Ok(())
        })?;
    });
}
