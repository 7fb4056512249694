//! The three row reports against their truth: what rows say and which window has them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::Value;
use wolkvox_simulator::{
    AbandonedFacts, Blank, EmptyRows, EventPlan, IvrFacts, Numbers, OperationPlan, Seen, StepDates, TimeText,
    WaitWords, WordCase, counts_up_to, personal_data_in,
};

use super::{
    Stage,
    recount::{check_answered, check_previews, check_steps, check_waits, free, number, text},
};

pub(super) const WAITS: &str = "skill_2&skill_id=all";
pub(super) const PREVIEWS: &str = "campaign_5&campaign_id=all";
pub(super) const STEPS: &str = "diagram_1";
pub(super) const ANSWERED: &str = "skill_10&skill_id=all";
pub(super) const REPORTS: [&str; 4] = [WAITS, PREVIEWS, STEPS, ANSWERED];

impl Stage {
    /// In Bogota, at noon of a working day, with this plan of rows.
    pub(super) async fn with_events(events: EventPlan) -> Stage {
        let zone = TimeZone::get("America/Bogota").unwrap();
        let plan = OperationPlan::new("acme", zone).events(events);
        Stage::of(7, plan, "2026-11-18T17:00:00Z".parse().unwrap()).await
    }

    pub(super) async fn ask(&self, report: &str, from: &str, until: &str) -> (u16, String) {
        self.get(&format!(
            "reports_manager.php?api={report}&date_ini={from}&date_end={until}"
        ))
        .await
    }

    /// The rows of a window of `YYYYmmddHHiiss` texts; none if the answer says that there is no data.
    pub(super) async fn rows(&self, report: &str, from: &str, until: &str) -> Vec<Value> {
        let (status, body) = self.ask(report, from, until).await;
        if status == 404 && body.contains("Validate dates entered") {
            return Vec::new();
        }
        assert_eq!(status, 200, "{body}");
        let mut body: Value = serde_json::from_str(&body).unwrap();
        let Value::Array(rows) = body["data"].take() else {
            panic!("{body}")
        };
        assert_eq!(body["msg"], format!("{} records were found", rows.len()));
        rows
    }

    /// The instant of a local time, the earlier one if there are two.
    pub(super) fn instant(&self, local: &str) -> Timestamp {
        let zone = self.operation.timezone();
        zone.to_timestamp(local.parse::<DateTime>().unwrap()).unwrap()
    }
}

#[tokio::test]
async fn answers_agree_with_the_truth_at_every_hour() {
    // With lateness, blanks and twins as by default.
    let stage = Stage::with_events(EventPlan::default()).await;
    let truth = stage.operation.truth();
    for hours in [0, 2, 90] {
        stage.clock.advance(SignedDuration::from_hours(hours));
        let seen = Seen::By(stage.clock.now());
        for (from, until, from_text, until_text) in [
            (
                "2026-11-18T09:10:11",
                "2026-11-18T11:59:59",
                "20261118091011",
                "20261118115959",
            ),
            (
                "2026-11-17T00:00:00",
                "2026-11-18T12:00:00",
                "20261117000000",
                "20261118120000",
            ),
        ] {
            let (from, until) = (stage.instant(from), stage.instant(until));
            let rows = stage.rows(WAITS, from_text, until_text).await;
            check_waits(&rows, &truth.abandoned_calls(from, until, seen));
            let rows = stage.rows(PREVIEWS, from_text, until_text).await;
            check_previews(&rows, &truth.preview_calls(from, until, seen));
            let rows = stage.rows(STEPS, from_text, until_text).await;
            check_steps(&rows, &truth.ivr(from, until, seen));
            let rows = stage.rows(ANSWERED, from_text, until_text).await;
            check_answered(&rows, &truth.answered_calls(from, until, seen));
        }
    }
    // Now nothing is late any more, but some codes are never typed.
    let (from, until) = (
        stage.instant("2026-11-17T00:00:00"),
        stage.instant("2026-11-18T12:00:00"),
    );
    let now = Seen::By(stage.clock.now());
    let all = truth.preview_calls(from, until, Seen::Everything);
    assert_eq!(truth.preview_calls(from, until, now), all);
    assert!(all.codes.values().sum::<u64>() < all.calls.values().sum::<u64>());
    let waits = &truth.abandoned_calls(from, until, now).waits;
    let voice = waits.iter().find(|((_, channel), _)| *channel == "voice").unwrap().1;
    let counts = counts_up_to(voice, &[5.0, 600.0, f64::INFINITY]);
    assert!(counts[0] < counts[1] && counts[2] == voice.len() as u64, "{counts:?}");
}

#[tokio::test]
async fn rows_have_the_fields_of_the_page_and_every_kind_of_value() {
    let stage = Stage::with_events(EventPlan {
        volume: 4.0,
        ..EventPlan::default()
    })
    .await;
    stage.clock.advance(SignedDuration::from_hours(48));
    let day = ("20261118090000", "20261118115959");
    let values = |rows: &[Value], field: &str| -> BTreeSet<String> {
        rows.iter().map(|row| text(row, field).to_owned()).collect()
    };
    let keys = |rows: &[Value]| rows[0].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();

    let waits = stage.rows(WAITS, day.0, day.1).await;
    let names = "skill_name skill_id conn_id date result ani abandon_time type_interaction customer_id";
    assert_eq!(keys(&waits), names.split(' ').map(str::to_owned).collect());
    assert_eq!(values(&waits, "type_interaction").len(), 18);
    assert_eq!(values(&waits, "result").len(), 3);
    assert_eq!(values(&waits, "skill_id").len(), 5);
    assert!(waits.iter().all(|row| text(row, "date").len() == 19));

    let previews = stage.rows(PREVIEWS, day.0, day.1).await;
    let names = "type_of_row campaign_id customer_name customer_last_name result last_code_act comments_customer_reg \
                 customer_id agent_id conn_id telephone hang_up type_interaction call_result date time cod_act comments";
    assert_eq!(keys(&previews), names.split(' ').map(str::to_owned).collect());
    assert!(previews.iter().any(|row| row["conn_id"] == "") && values(&previews, "cod_act").len() == 9);
    assert!(values(&previews, "hang_up").contains("system"));
    let dialled = stage.operation.truth().centre().campaigns.iter();
    let dialled: BTreeSet<String> = dialled.map(|campaign| campaign.id.to_string()).collect();
    assert!(values(&previews, "campaign_id").is_disjoint(&dialled));

    let steps = stage.rows(STEPS, day.0, day.1).await;
    let names = "rp_id rp_name cod_opc_menu dn_transfer date result ani time customer_id conn_id";
    assert_eq!(keys(&steps), names.split(' ').map(str::to_owned).collect());
    for option in ["PULSE", "", "SALDO", "1", "12345"] {
        assert!(values(&steps, "cod_opc_menu").contains(option), "{option}");
    }
    assert_eq!(values(&steps, "result"), ["hung up", "ok"].map(str::to_owned).into());
    let mut calls: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for row in &steps {
        calls.entry(text(row, "conn_id")).or_default().push(row);
    }
    for rows in calls.values() {
        for field in ["rp_id", "date", "result", "ani", "time", "customer_id"] {
            assert!(rows.iter().all(|row| row[field] == rows[0][field]), "{rows:?}");
        }
    }
    // Choosing the same option twice makes two equal rows that are not twins.
    assert!(calls.values().any(|rows| rows.len() == 2 && rows[0] == rows[1]));

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
    for (rows, fields) in [
        (&waits, &["ani", "customer_id", "conn_id"][..]),
        (
            &previews,
            &[
                "customer_name",
                "customer_last_name",
                "comments_customer_reg",
                "customer_id",
                "agent_id",
                "conn_id",
                "telephone",
                "comments",
            ],
        ),
        (&steps, &["ani", "customer_id", "conn_id"]),
    ] {
        for (row, field) in rows.iter().flat_map(|row| fields.iter().map(move |field| (row, field))) {
            assert!(row[field] == "" || personal.contains(text(row, field)), "{row}");
        }
    }
    let typed = |option: &String| free(option) == "number";
    assert!(
        values(&steps, "cod_opc_menu")
            .iter()
            .filter(|option| typed(option))
            .all(|number| personal.contains(number))
    );
    assert!(values(&steps, "cod_opc_menu").iter().any(typed));
    assert_eq!(personal_data_in(b"wolkvox_up 1"), None);
}

#[tokio::test]
async fn spellings_follow_the_switches() {
    let stage = Stage::with_events(EventPlan::calm()).await;
    let hour = ("20261118100000", "20261118105959");
    let (waits, previews) = (
        stage.rows(WAITS, hour.0, hour.1).await,
        stage.rows(PREVIEWS, hour.0, hour.1).await,
    );
    stage.operation.switch(|switches| {
        switches.wait_words = WaitWords::Spanish;
        switches.times = TimeText::Clock;
        switches.row_type_case = WordCase::Upper;
        switches.total_rows = true;
        switches.blank = Blank::Dash;
    });
    let spanish = stage.rows(WAITS, hour.0, hour.1).await;
    for (row, other) in waits.iter().zip(&spanish) {
        let expected = match text(row, "result") {
            "abandoned" => "Abandonada",
            "answered" => "Atendida",
            _ => "overflow",
        };
        assert_eq!(text(other, "result"), expected);
        assert_eq!(other["customer_id"] == "-", row["customer_id"] == "");
    }
    let rows = stage.rows(PREVIEWS, hour.0, hour.1).await;
    assert_eq!(rows.len(), previews.len() + 3);
    let totals = rows.iter().filter(|row| row["type_of_row"] == "TOTAL").count();
    assert!(totals == 3 && rows[0]["type_of_row"] != "call", "{totals}");
    let (row, other) = previews
        .iter()
        .zip(&rows)
        .find(|(row, _)| row["type_of_row"] == "call")
        .unwrap();
    let seconds = number(row, "time");
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    assert_eq!(text(other, "time"), clock);

    stage.operation.switch(|switches| {
        switches.wait_words = WaitWords::Upper;
        switches.numbers = Numbers::Json;
    });
    let upper = stage.rows(WAITS, hour.0, hour.1).await;
    assert!(upper.iter().any(|row| row["result"] == "ABANDON") && upper[0]["abandon_time"].is_u64());

    let no_answered = Stage::with_events(EventPlan {
        answered_waits: false,
        ..EventPlan::calm()
    })
    .await;
    let rows = no_answered.rows(WAITS, hour.0, hour.1).await;
    assert!(rows.len() > 10 && rows.iter().all(|row| row["result"] != "answered"));
}

#[tokio::test]
async fn parameters_narrow_down_or_are_missed() {
    let stage = Stage::new().await;
    let day = ("20261118000000", "20261118120000");
    for (report, field, id) in [
        ("skill_2&skill_id=", "skill_id", "4010"),
        ("campaign_5&campaign_id=", "campaign_id", "90127"),
    ] {
        let rows = stage.rows(&format!("{report}{id}"), day.0, day.1).await;
        let all = stage.rows(&format!("{report}all"), day.0, day.1).await;
        let meant: Vec<Value> = all.into_iter().filter(|row| row[field] == id).collect();
        assert!(!rows.is_empty() && rows == meant);
        assert!(stage.rows(&format!("{report}1"), day.0, day.1).await.is_empty());
        for missing in [report.trim_end_matches('='), report] {
            let (status, body) = stage.ask(missing, day.0, day.1).await;
            assert!(status == 400 && body.contains("is required"), "{body}");
        }
    }
    let steps = stage.rows(STEPS, day.0, day.1).await;
    let customer = steps
        .iter()
        .map(|row| text(row, "customer_id"))
        .find(|id| !id.is_empty())
        .unwrap();
    let rows = stage
        .rows(&format!("{STEPS}&customer_id={customer}"), day.0, day.1)
        .await;
    assert!(!rows.is_empty() && rows.iter().all(|row| row["customer_id"] == customer));
    for report in REPORTS {
        let (status, body) = stage.get(&format!("reports_manager.php?api={report}")).await;
        assert!(status == 400 && body.contains("are required"), "{body}");
        assert_eq!(stage.ask(report, "20261001000000", "20261101000001").await.0, 400);
    }
    for (empty, status, data) in [
        (EmptyRows::NotFound, 404, None),
        (EmptyRows::EmptyList, 200, Some(Value::Array(Vec::new()))),
        (EmptyRows::Null, 200, Some(Value::Null)),
        (EmptyRows::NoData, 200, None),
    ] {
        stage.operation.switch(|switches| switches.empty_rows = empty);
        let (got, body) = stage.ask(WAITS, "20261119000000", "20261119010000").await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((got, body.get("data")), (status, data.as_ref()), "{empty:?}");
    }
}

#[tokio::test]
async fn windows_side_by_side_have_the_rows_of_the_whole_in_order() {
    let events = EventPlan {
        step_dates: StepDates::EachItsOwn,
        ..EventPlan::default()
    };
    // Around the end of summer time: 23:00 to 24:00 of 4 April occurs twice.
    let plan = OperationPlan::new("acme", TimeZone::get("America/Santiago").unwrap())
        .never_closes()
        .events(events);
    let stage = Stage::of(3, plan, "2026-04-07T12:00:00Z".parse().unwrap()).await;
    for report in REPORTS {
        let whole = stage.rows(report, "20260404213000", "20260405003000").await;
        assert!(whole.len() > 100 && whole.is_sorted_by_key(|row| text(row, "date").to_owned()));
        let mut pieces = Vec::new();
        for (from, until) in [
            ("20260404213000", "20260404225959"),
            ("20260404230000", "20260404231702"),
            ("20260404231703", "20260404231703"),
            ("20260404231704", "20260404235959"),
            ("20260405000000", "20260405003000"),
        ] {
            pieces.extend(stage.rows(report, from, until).await);
        }
        assert_eq!(pieces, whole);
    }

    // A time of the repeated hour is read as the first of its two instants.
    let (truth, seen) = (stage.operation.truth(), Seen::By(stage.clock.now()));
    let instant = |text: &str| text.parse::<Timestamp>().unwrap();
    let (first, second) = (instant("2026-04-05T02:00:00Z"), instant("2026-04-05T03:00:00Z"));
    let second_of = SignedDuration::from_secs(1);
    assert_eq!(stage.instant("2026-04-04T23:00:00"), first);
    let texts = ("20260404230000", "20260404235959");
    let rows = stage.rows(WAITS, texts.0, texts.1).await;
    check_waits(&rows, &truth.abandoned_calls(first, second - second_of, seen));
    assert!(rows.len() > 300, "two busy hours: {}", rows.len());
    let rows = stage.rows(PREVIEWS, texts.0, texts.1).await;
    check_previews(&rows, &truth.preview_calls(first, second - second_of, seen));
    let end = second + SignedDuration::from_mins(60) - second_of;
    assert_eq!(truth.abandoned_calls(second, end, seen), AbandonedFacts::default());
    assert_eq!(truth.ivr(second, end, seen), IvrFacts::default());
    let (from, until) = (first - SignedDuration::from_hours(23), end + second_of);
    let rows = stage.rows(WAITS, "20260404000000", "20260405000000").await;
    check_waits(&rows, &truth.abandoned_calls(from, until, seen));
}

#[tokio::test]
async fn one_seed_gives_the_same_rows_in_any_order() {
    let (one, two) = (Stage::new().await, Stage::new().await);
    for report in REPORTS {
        two.ask(report, "20261118090000", "20261118110000").await;
        let (from, until) = ("20261117180000", "20261118120000");
        assert_eq!(one.ask(report, from, until).await, two.ask(report, from, until).await);
    }
    let facts = |stage: &Stage, plan: Seen| {
        let (from, until) = (
            stage.instant("2026-11-17T08:00:00"),
            stage.instant("2026-11-17T18:00:00"),
        );
        stage.operation.truth().ivr(from, until, plan)
    };
    // When rows appear does not change what they say.
    let calm = Stage::with_events(EventPlan {
        twins: 0.0,
        ..EventPlan::default()
    })
    .await;
    let none = Stage::with_events(EventPlan::calm()).await;
    assert_eq!(facts(&calm, Seen::Everything), facts(&none, Seen::By(none.clock.now())));
}

#[tokio::test]
async fn a_day_of_172_000_rows_is_answered_in_pieces() {
    // Seventy times the inbound calls of a working day.
    let begun = Instant::now();
    let stage = Stage::with_events(EventPlan {
        volume: 70.0,
        ..EventPlan::calm()
    })
    .await;
    stage.clock.advance(SignedDuration::from_hours(24));
    let mut count = 0;
    for hour in (0..24).step_by(3) {
        let (from, until) = (format!("20261118{hour:02}0000"), format!("20261118{:02}5959", hour + 2));
        count += stage.ask(WAITS, &from, &until).await.1.matches("\"conn_id\"").count();
    }
    let (from, until) = (
        stage.instant("2026-11-18T00:00:00"),
        stage.instant("2026-11-18T23:59:59"),
    );
    let truth = stage.operation.truth().abandoned_calls(from, until, Seen::Everything);
    assert_eq!(count as u64, truth.interactions.values().sum::<u64>());
    assert!((172_000..260_000).contains(&count), "{count}");
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
}
