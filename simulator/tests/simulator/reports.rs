//! `campaigns` and `cdr_4` against the truth, and what all reports have in common.

use std::collections::HashSet;

use jiff::{SignedDuration, civil::date, tz::TimeZone};
use serde_json::Value;
use wolkvox_simulator::{
    AgentState, Api, DurationBucket, OperationPlan, Outcome, ScriptedAnswer, Seen, SimulatedClock, Simulator,
};

use super::{Stage, totals_in};

#[tokio::test]
async fn call_durations_agree_with_the_truth_and_have_the_shape_of_the_page() {
    let stage = Stage::new().await;
    let (status, body) = stage.durations("20261118000000", "20261118120000").await;
    assert_eq!(status, 200);
    let start = "{\n    \"code\": \"200\",\n    \"error\": null,\n    \"msg\": \"5 records were found\",\n    \"data\": {\n        \"0_5_seg\": {\n            \"calls\": \"";
    assert!(body.starts_with(start) && body.ends_with("\n    }\n}"), "{body}");
    assert!(!body.contains('\r'));

    let truth = stage.operation.truth();
    let totals = totals_in(&body);
    assert_eq!(totals, truth.day_totals(date(2026, 11, 18), stage.clock.now()));
    assert!((1500..6000).contains(&totals.total().calls), "{totals:?}");
    assert!(DurationBucket::ALL.iter().all(|bucket| totals[*bucket].calls > 0));
    // Some sums have thousands commas.
    assert!(body.contains(','));

    // The truth itself, counted call by call.
    let midnight = date(2026, 11, 18)
        .to_zoned(stage.operation.timezone().clone())
        .unwrap()
        .timestamp();
    let calls = truth.calls(midnight, stage.clock.now());
    let longer: Vec<_> = calls.iter().filter(|call| call.duration > 120).collect();
    assert_eq!(totals[DurationBucket::Longer].calls, longer.len() as u64);
    let minutes: u64 = longer.iter().map(|call| u64::from(call.duration).div_ceil(60)).sum();
    assert_eq!(totals[DurationBucket::Longer].minutes, minutes);
    let ids: HashSet<String> = calls.iter().map(|call| call.conn_id()).collect();
    assert_eq!(ids.len(), calls.len());
    assert!(calls.iter().all(|call| call.start() < call.end));
    assert!(
        calls
            .iter()
            .any(|call| call.outcome == Outcome::Abandoned && call.ivr.is_some())
    );

    let percentages: f64 = serde_json::from_str::<Value>(&body).unwrap()["data"]
        .as_object()
        .unwrap()
        .values()
        .map(|bucket| {
            bucket["percentage"]
                .as_str()
                .unwrap()
                .strip_suffix(" %")
                .unwrap()
                .parse::<f64>()
                .unwrap()
        })
        .sum();
    assert!((percentages - 100.0).abs() < 0.05, "{percentages}");
}

#[tokio::test]
async fn campaigns_agree_with_the_truth_all_day_long() {
    let stage = Stage::in_zone("America/Bogota", "2026-11-18T00:30:00").await;
    let (mut fell, mut above_100, mut overlapped) = (false, false, false);
    let mut last_dial = [0; 6];
    for _ in 0..46 {
        let (status, body) = stage.campaigns().await;
        assert_eq!(status, 200);
        let rows: Vec<Value> = serde_json::from_str(&body).unwrap();
        let states = stage.operation.truth().campaigns(stage.clock.now());
        assert_eq!((rows.len(), states.len()), (6, 6));
        for (index, (row, state)) in rows.iter().zip(&states).enumerate() {
            let number = |field: &str| row[field].as_str().unwrap().parse::<u64>().unwrap();
            assert_eq!(row["campaign"].as_str().unwrap(), state.campaign.text());
            assert_eq!(number("records"), state.records);
            assert_eq!(number("clean"), state.clean);
            let parts =
                number("answer") + number("no_answer") + number("busy/congestion/failed") + number("answer_machine");
            assert_eq!(number("dial"), parts);
            assert_eq!(number("recycled"), state.recycled);
            assert_eq!(row["status"] == "started", state.started);
            assert!(state.hits <= state.answers_of_day);
            assert!(state.clean <= state.records);
            fell |= number("dial") < last_dial[index];
            above_100 |= state.dials_of_day > state.records;
            overlapped |= state.dial() + state.clean > state.records;
            last_dial[index] = number("dial");
        }
        stage.clock.advance(SignedDuration::from_mins(30));
    }
    assert!(fell && above_100 && overlapped, "{fell} {above_100} {overlapped}");
}

#[tokio::test]
async fn campaign_texts_hold_everything_that_has_to_survive() {
    let stage = Stage::new().await;
    let (_, body) = stage.campaigns().await;
    assert!(body.starts_with("[\n    {\n        \"campaign\": \""), "{body}");
    let rows: Vec<Value> = serde_json::from_str(&body).unwrap();
    let texts: Vec<&str> = rows.iter().map(|row| row["campaign"].as_str().unwrap()).collect();
    let ids: HashSet<&str> = texts.iter().map(|text| text.split_once(" - ").unwrap().0).collect();
    assert_eq!(ids.len(), 6);
    assert!(
        ids.iter().any(|id| id.len() == 4) && ids.iter().any(|id| id.len() == 5),
        "{ids:?}"
    );
    assert!(
        ids.iter()
            .all(|id| (4..=5).contains(&id.len()) && id.parse::<u32>().is_ok())
    );
    for piece in ["n - C", "(Hogar)", "ó", "ñ", "\"Tu", "\\", "  Móvil"] {
        assert!(texts.iter().any(|text| text.contains(piece)), "{piece} in {texts:?}");
    }
    let statuses: HashSet<&str> = rows.iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, HashSet::from(["started", "stopped"]));
    assert!(rows.iter().any(|row| row["skill_id"] == ""));
    assert!(rows.iter().any(|row| row["hits"].as_str().unwrap().ends_with(" %)")));
}

#[tokio::test]
async fn one_seed_gives_the_same_bytes_in_any_order() {
    let (one, two) = (Stage::new().await, Stage::new().await);
    let mut answers = Vec::new();
    for (stage, order) in [(&one, [10, 11, 12, 13]), (&two, [13, 11, 10, 12])] {
        let mut bodies = vec![stage.campaigns().await.1];
        for day in order {
            let (from, until) = (format!("202611{day}000000"), format!("202611{day}235959"));
            bodies.push(stage.durations(&from, &until).await.1);
        }
        bodies.sort();
        answers.push(bodies);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(one.operation.token(), two.operation.token());

    let plan = OperationPlan::new("acme", TimeZone::get("America/Bogota").unwrap());
    let other = Stage::of(8, plan, one.clock.now()).await;
    assert_ne!(other.operation.token(), one.operation.token());
    assert_ne!(other.campaigns().await.1, one.campaigns().await.1);
}

#[tokio::test]
async fn a_test_can_write_the_answer_or_bend_the_totals() {
    let stage = Stage::new().await;
    stage
        .operation
        .answer_with(Api::Skill2, ScriptedAnswer::json("{\"data\": []}"));
    assert_eq!(
        stage.get("reports_manager.php?api=skill_2").await,
        (200, "{\"data\": []}".to_owned())
    );
    stage.operation.answer_as_generated(Api::Skill2);
    assert_eq!(stage.get("reports_manager.php?api=skill_2").await.0, 400);

    let before = stage.totals("20261118000000", "20261118120000").await;
    stage.operation.adjust_day_totals(|day, totals| {
        assert_eq!(day, date(2026, 11, 18));
        totals[DurationBucket::UpTo5].calls -= 1;
    });
    let bent = stage.totals("20261118000000", "20261118120000").await;
    assert_eq!(
        bent[DurationBucket::UpTo5].calls + 1,
        before[DurationBucket::UpTo5].calls
    );
    stage.operation.report_true_totals();
    assert_eq!(stage.totals("20261118000000", "20261118120000").await, before);
}

#[tokio::test]
async fn errors_are_told_apart_as_the_page_says() {
    let stage = Stage::new().await;
    let url = format!("{}/api/v2/real_time.php?api=campaigns", stage.running.url());
    let without = stage.client.get(&url).send().await.unwrap();
    assert_eq!(without.status(), 401);
    let wrong = stage
        .client
        .get(&url)
        .header("wolkvox-token", "f".repeat(52))
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), 403);
    let wrong: Value = serde_json::from_str(&wrong.text().await.unwrap()).unwrap();
    assert_eq!(
        (wrong["code"].as_str(), wrong["msg"].as_str()),
        (Some("403"), Some("Validate token"))
    );
    assert!(wrong.get("data").is_none());

    for (query, status, message) in [
        ("reports_manager.php?api=cdr_4", 400, "are required"),
        (
            "reports_manager.php?api=cdr_4&date_ini=20261118000000&date_end=2026111",
            400,
            "must be",
        ),
        (
            "reports_manager.php?api=cdr_4&date_ini=20260230000000&date_end=20260301000000",
            400,
            "must be",
        ),
        (
            "reports_manager.php?api=cdr_4&date_ini=20261118100000&date_end=20261118090000",
            404,
            "Validate dates",
        ),
        (
            "reports_manager.php?api=cdr_4&date_ini=20261119000000&date_end=20261119090000",
            404,
            "Validate dates",
        ),
        ("reports_manager.php?api=campaigns", 400, "does not exist"),
        ("reports_manager.php", 400, "required"),
        ("real_time.php?api=skills", 400, "skill_id is required"),
        ("real_time.php?api=token_info", 400, "does not exist"),
        ("wrong.php?api=campaigns", 404, "<html>"),
    ] {
        let (got, body) = stage.get(query).await;
        assert_eq!(got, status, "{query}: {body}");
        assert!(body.contains(message), "{query}: {body}");
    }
}

#[tokio::test]
async fn the_demonstration_has_three_operations_that_live() {
    let now = "2026-11-18T17:00:00Z".parse().unwrap();
    let demo = Simulator::demo(1, SimulatedClock::fixed(now));
    let sizes: Vec<u64> = demo
        .operations()
        .iter()
        .map(|operation| operation.truth().day_totals(date(2026, 11, 17), now).total().calls)
        .collect();
    assert_eq!(sizes.len(), 3);
    assert!(
        sizes[0] > sizes[1] && sizes[1] > sizes[2] && sizes[2] > 500,
        "{sizes:?}"
    );
    // All are always busy, even on a Sunday night.
    let night = "2026-11-15T07:00:00Z".parse().unwrap();
    for operation in demo.operations() {
        let campaigns = operation.truth().campaigns(night);
        assert!(campaigns.iter().filter(|campaign| campaign.started).count() >= 2);
        assert!(campaigns.iter().any(|campaign| campaign.last_minute > 0));
        let states = operation.truth().agents(night).by_state();
        assert!(
            states[&AgentState::Talk] > 0 && states[&AgentState::Acw] > 0,
            "{states:?}"
        );
        let queue: u64 = operation.truth().skills(night).iter().map(|skill| skill.queue).sum();
        assert!(queue > 0);
        assert_eq!(operation.token().len(), 52);
        let (truth, seen) = (operation.truth(), Seen::By(now));
        let from = now - SignedDuration::from_hours(24);
        assert!(truth.abandoned_calls(from, now, seen).interactions.len() > 5);
        assert!(truth.preview_calls(from, now, seen).codes.len() > 5);
        assert!(truth.ivr(from, now, seen).selections.len() > 5);
    }
}

#[tokio::test]
async fn nights_are_quiet_but_not_empty_and_weekends_below_working_days() {
    let stage = Stage::new().await;
    let (truth, zone, now) = (stage.operation.truth(), stage.operation.timezone(), stage.clock.now());
    let two = zone.to_timestamp(date(2026, 11, 17).at(2, 0, 0, 0)).unwrap();
    let night = truth.calls(two, two + SignedDuration::from_hours(3)).len();
    assert!((1..80).contains(&night), "{night}");
    let sunday = truth.day_totals(date(2026, 11, 15), now).total().calls;
    let tuesday = truth.day_totals(date(2026, 11, 17), now).total().calls;
    assert!(sunday * 3 < tuesday, "{sunday} {tuesday}");
}
