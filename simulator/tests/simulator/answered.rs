//! `skill_10` and `cdr_6`: their forms, words and switches.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, civil::date, tz::TimeZone};
use serde_json::Value;
use wolkvox_simulator::{
    Api, Blackout, BrokenRow, BrokenRows, EmptyRows, EventPlan, Incident, IncidentKind, LateDay, Numbers,
    OperationPlan, Outcome, TimeText, WordCase, personal_data_in,
};

use super::{
    Stage,
    recount::{number, text},
    rows::{ANSWERED, WAITS},
};

const HOUR: (&str, &str) = ("20261118100000", "20261118105959");

#[tokio::test]
async fn answered_calls_have_the_fields_of_the_page() {
    let stage = Stage::with_events(EventPlan {
        volume: 4.0,
        ..EventPlan::calm()
    })
    .await;
    let rows = stage.rows(ANSWERED, "20261118090000", "20261118115959").await;
    let keys: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    let names = "agent_id ani answer_time conn_id date result skill_id skill_name type_interaction";
    let mut sorted = keys.clone();
    sorted.sort();
    assert_eq!(sorted, names.split(' ').collect::<Vec<_>>());
    let values = |field: &str| -> BTreeSet<&str> { rows.iter().map(|row| text(row, field)).collect() };
    assert_eq!(values("type_interaction").len(), 18);
    assert_eq!(values("result"), BTreeSet::from(["answered", "overflow"]));
    assert!(rows.iter().all(|row| text(row, "date").len() == 19));

    // All personal data is found, by list and by marker.
    let (from, until) = (
        stage.instant("2026-11-18T09:00:00"),
        stage.instant("2026-11-18T11:59:59"),
    );
    let personal = stage.operation.truth().personal_strings(from, until);
    assert!(
        personal
            .iter()
            .all(|string| personal_data_in(string.as_bytes()).is_some())
    );
    for field in ["ani", "agent_id", "conn_id"] {
        assert!(rows.iter().all(|row| personal.contains(text(row, field))), "{field}");
    }

    // The same calls as in the other reports: dated at the answer, while `skill_2` has the end.
    stage.clock.advance(SignedDuration::from_hours(1));
    let ended = stage.rows(WAITS, "20261118090000", "20261118125959").await;
    let ended: BTreeMap<&str, &Value> = ended.iter().map(|row| (text(row, "conn_id"), row)).collect();
    let mut long_chats = 0;
    for row in &rows {
        let other = ended[text(row, "conn_id")];
        assert!(text(row, "date") <= text(other, "date"));
        for field in ["ani", "skill_id", "skill_name", "type_interaction"] {
            assert_eq!(row[field], other[field]);
        }
        if row["answer_time"] != other["abandon_time"] {
            assert!(text(row, "type_interaction").starts_with("chat-") && number(row, "answer_time") >= 1800);
            long_chats += 1;
        }
    }
    assert!(long_chats > 3, "{long_chats}");
}

#[tokio::test]
async fn the_agent_of_an_answered_call_is_the_one_who_talks() {
    let stage = Stage::with_events(EventPlan::calm()).await;
    let rows = stage.rows(ANSWERED, HOUR.0, HOUR.1).await;
    let truth = stage.operation.truth();
    let calls = truth.calls(stage.instant("2026-11-18T10:00:00"), stage.clock.now());
    let mut found = 0;
    for row in &rows {
        let begin = stage.instant(&text(row, "date").replace(' ', "T"));
        let end: i64 = text(row, "conn_id").split('.').nth(2).unwrap().parse().unwrap();
        assert!(
            calls
                .iter()
                .any(|call| call.end == end && call.answered_at() == begin.as_second())
        );
        if end == begin.as_second() {
            continue;
        }
        stage.clock.set(begin);
        let (_, agents) = stage.get("real_time.php?api=agents").await;
        let agents: Value = serde_json::from_str(&agents).unwrap();
        let agents = agents["data"].as_array().unwrap();
        let agent = agents
            .iter()
            .find(|agent| agent["agent_id"] == row["agent_id"])
            .unwrap();
        assert_eq!(
            (&agent["agent_status"], &agent["time_state_now"]),
            (&"Talk".into(), &"0".into())
        );
        found += 1;
    }
    assert!(found > 100);
}

#[tokio::test]
async fn words_and_times_of_answered_calls_follow_the_switches() {
    use wolkvox_simulator::AnswerWords::{Answer, Answered, Atendida, Contestada};
    let stage = Stage::with_events(EventPlan::calm()).await;
    let good = stage.rows(ANSWERED, HOUR.0, HOUR.1).await;
    for (words, text) in [
        (Answered, "answered"),
        (Answer, "ANSWER"),
        (Atendida, "Atendida"),
        (Contestada, "Contestada"),
    ] {
        stage.operation.switch(|switches| switches.answer_words = words);
        let rows = stage.rows(ANSWERED, HOUR.0, HOUR.1).await;
        assert!(rows.iter().any(|row| row["result"] == text));
        assert!(
            rows.iter()
                .all(|row| row["result"] == text || row["result"] == "overflow")
        );
    }
    for (written, expected) in [
        (
            TimeText::Clock,
            &(|seconds: u32| format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60))
                as &dyn Fn(u32) -> String,
        ),
        (TimeText::Decimal, &|seconds: u32| {
            if seconds == 0 {
                "0.0".to_owned()
            } else {
                format!("{}.5", seconds - 1)
            }
        }),
    ] {
        stage.operation.switch(|switches| switches.answer_times = written);
        for (row, good) in stage.rows(ANSWERED, HOUR.0, HOUR.1).await.iter().zip(&good) {
            assert_eq!(text(row, "answer_time"), expected(number(good, "answer_time")));
        }
    }
}

async fn results(stage: &Stage, from: &str, until: &str) -> BTreeMap<String, u64> {
    let rows = stage.rows("cdr_6", from, until).await;
    assert!(rows.iter().all(|row| row.as_object().unwrap().len() == 2));
    rows.iter()
        .map(|row| (text(row, "result").to_owned(), number(row, "count").into()))
        .collect()
}

#[tokio::test]
async fn call_results_are_those_of_the_dials_that_did_not_connect() {
    let stage = Stage::new().await;
    let (from, until) = (stage.instant("2026-11-18T00:00:00"), stage.clock.now());
    let day = results(&stage, "20261118000000", "20261118235959").await;
    let words = [
        "Busy",
        "Cancel",
        "Chanunavail",
        "Congestion",
        "Do not call",
        "No answer",
        "Tcpa",
    ];
    assert_eq!(day.keys().map(String::as_str).collect::<Vec<_>>(), words);
    let truth = stage.operation.truth();
    let labels: BTreeMap<String, u64> = truth
        .call_results(from, until)
        .by_label()
        .into_iter()
        .map(|(label, count)| (label.to_owned(), count))
        .collect();
    let as_labels = |results: &BTreeMap<String, u64>| -> BTreeMap<String, u64> {
        let labels = results.iter();
        labels
            .map(|(word, count)| (word.to_lowercase().replace(' ', "_"), *count))
            .collect()
    };
    assert_eq!(as_labels(&day), labels);
    let calls = truth.calls(from, until);
    let count = |outcome| calls.iter().filter(|call| call.outcome == outcome).count() as u64;
    assert_eq!(day["No answer"] + day["Cancel"], count(Outcome::NoAnswer));
    assert_eq!(
        day.values().sum::<u64>(),
        count(Outcome::NoAnswer) + count(Outcome::Failed)
    );

    // Windows side by side make the whole.
    let mut sum: BTreeMap<String, u64> = BTreeMap::new();
    for (from, until) in [
        ("20261118000000", "20261118091722"),
        ("20261118091723", "20261118100000"),
        ("20261118100001", "20261118235959"),
    ] {
        for (word, count) in results(&stage, from, until).await {
            *sum.entry(word).or_default() += count;
        }
    }
    assert_eq!(sum, day);

    for (case, word) in [(WordCase::Lower, "no answer"), (WordCase::Upper, "NO ANSWER")] {
        stage.operation.switch(|switches| switches.call_result_case = case);
        let cased = results(&stage, "20261118000000", "20261118235959").await;
        assert_eq!(cased[word], day["No answer"]);
        assert_eq!(as_labels(&cased), labels);
    }
}

#[tokio::test]
async fn a_carrier_that_fails_shows_in_the_call_results() {
    let at = |hour: i8| -> Timestamp {
        let zone = TimeZone::get("America/Bogota").unwrap();
        zone.to_timestamp(date(2026, 11, 18).at(hour, 0, 0, 0)).unwrap()
    };
    let kind = IncidentKind::DialFailures {
        campaign: None,
        share: 0.6,
    };
    let plan = OperationPlan::new("acme", TimeZone::get("America/Bogota").unwrap());
    let plan = plan.incidents(vec![Incident::new(kind, at(10), at(11))]);
    let stage = Stage::of(7, plan, at(12)).await;
    let truth = stage.operation.truth();
    let carrier = |from: i8, until: i8| {
        let results = truth.call_results(at(from), at(until)).by_label();
        results["congestion"] + results["chanunavail"]
    };
    assert!(
        carrier(10, 11) > 4 * carrier(9, 10),
        "{} {}",
        carrier(10, 11),
        carrier(9, 10)
    );
}

#[tokio::test]
async fn what_holds_for_other_reports_holds_for_call_results() {
    let stage = Stage::new().await;
    let ask = async || stage.ask("cdr_6", "20261118000000", "20261118115959").await;
    let (_, good) = ask().await;
    for broken in [BrokenRow::NotANumber, BrokenRow::Null] {
        stage
            .operation
            .switch(|switches| switches.broken_rows = Some(BrokenRows::each(broken)));
        let (_, answer) = ask().await;
        assert!(answer.contains("NaN") || answer.contains("        null"), "{answer}");
    }
    stage.operation.switch(|switches| {
        switches.broken_rows = None;
        switches.numbers = Numbers::Json;
        switches.absent_fields = vec!["result".to_owned()];
    });
    let answer: Value = serde_json::from_str(&ask().await.1).unwrap();
    assert!(answer["data"][0]["count"].is_u64() && answer["data"][0].get("result").is_none());
    stage.operation.switch(|switches| {
        switches.numbers = Numbers::Text;
        switches.absent_fields.clear();
    });
    assert_eq!(ask().await.1, good);

    let later = stage.clock.now() + SignedDuration::from_hours(1);
    for empty in [EmptyRows::NotFound, EmptyRows::EmptyList] {
        stage.operation.switch(|switches| {
            switches.empty_rows = empty;
            switches.late_days = vec![LateDay {
                report: Api::Cdr6,
                date: date(2026, 11, 18),
                until: later,
            }];
        });
        assert_eq!(ask().await.0, if empty == EmptyRows::NotFound { 404 } else { 200 });
    }
    stage.operation.switch(|switches| {
        switches.late_days.clear();
        switches.blackouts = vec![Blackout {
            report: Api::Cdr6,
            from: stage.clock.now(),
            until: later,
        }];
    });
    assert!(ask().await.1.contains("\"data\": []"));
    stage.clock.set(later);
    assert_eq!(ask().await.1, good);
}
