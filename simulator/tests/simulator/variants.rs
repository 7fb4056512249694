//! Variants of answers that nobody has seen and nobody can rule out. Each says on the wire what its switch says.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wolkvox_simulator::{
    Blank, BucketKeys, CampaignText, ChannelWords, Code, CountMessage, DateText, EventPlan, MessageLanguage, NameText,
    NoDataText, RowTypes, Switches, TimeText, WaitWords,
};

use super::{
    Stage,
    recount::{number, text},
    rows::{PREVIEWS, REPORTS, STEPS, WAITS},
};

pub(super) const HOUR: (&str, &str) = ("20261118110000", "20261118115959");

pub(super) async fn calm() -> Stage {
    Stage::with_events(EventPlan::calm()).await
}

async fn body(stage: &Stage, report: &str) -> Value {
    serde_json::from_str(&stage.ask(report, HOUR.0, HOUR.1).await.1).unwrap()
}

/// The rows of the hour, without a look at the rest of the answer.
pub(super) async fn rows(stage: &Stage, report: &str) -> Vec<Value> {
    body(stage, report).await["data"].as_array().unwrap().clone()
}

fn values<'a>(rows: &'a [Value], field: &str) -> Vec<&'a str> {
    rows.iter().map(|row| text(row, field)).collect()
}

#[tokio::test]
async fn codes_and_messages() {
    let stage = calm().await;
    let good = rows(&stage, WAITS).await;
    let tomorrow = ("20261119000000", "20261119010000");
    for (code, written) in [
        (Code::Zero, Some(json!("0"))),
        (Code::Empty, Some(json!(""))),
        (Code::Created, Some(json!("201"))),
        (Code::Absent, None),
    ] {
        stage.operation.switch(|switches| switches.code = code);
        let answer = body(&stage, WAITS).await;
        assert_eq!(answer.get("code"), written.as_ref());
        assert_eq!(answer["data"], json!(good));
        let (status, nothing) = stage.ask(WAITS, tomorrow.0, tomorrow.1).await;
        assert_eq!(status, 404);
        assert!(nothing.contains("\"code\": \"404\""), "{nothing}");
    }
    for (language, off_by, message) in [
        (
            MessageLanguage::English,
            1,
            format!("{} records were found", good.len() + 1),
        ),
        (
            MessageLanguage::English,
            -1,
            format!("{} records were found", good.len() - 1),
        ),
        (
            MessageLanguage::Spanish,
            0,
            format!("Se encontraron {} registros", good.len()),
        ),
    ] {
        stage
            .operation
            .switch(|switches| switches.message = CountMessage { language, off_by });
        let answer = body(&stage, WAITS).await;
        assert_eq!((&answer["msg"], &answer["data"]), (&json!(message), &json!(good)));
    }
    let warning = "\u{feff}<br />\n<b>Warning</b>: Undefined array key<br />\n";
    stage
        .operation
        .switch(|switches| switches.before_body = warning.to_owned());
    for (from, until) in [HOUR, tomorrow] {
        let (_, answer) = stage.ask(WAITS, from, until).await;
        assert!(serde_json::from_str::<Value>(answer.strip_prefix(warning).unwrap()).is_ok());
    }
    stage.operation.switch(|switches| switches.before_body.clear());
    stage.operation.switch(|switches| switches.status_in_code_only = true);
    for (report, code, message) in [
        (WAITS, "404", "Validate dates"),
        ("skill_2", "400", "skill_id is required"),
    ] {
        let (status, answer) = stage.ask(report, tomorrow.0, tomorrow.1).await;
        let says = answer.contains(&format!("\"code\": \"{code}\"")) && answer.contains(message);
        assert!(status == 200 && says, "{status} {answer}");
    }
    stage.operation.switch(|switches| switches.status_in_code_only = false);
    // No data is no failure, whatever it is called.
    stage.operation.switch(|switches| switches.failed_calls_count = false);
    for (no_data, message) in [
        (NoDataText::Spanish, "Valide las fechas ingresadas"),
        (NoDataText::NoRecords, "0 records were found"),
    ] {
        stage.operation.switch(|switches| switches.no_data = no_data);
        let before = stage.operation.observed().charged_today;
        let (status, nothing) = stage.ask(WAITS, tomorrow.0, tomorrow.1).await;
        let nothing: Value = serde_json::from_str(&nothing).unwrap();
        assert_eq!(
            (status, &nothing["msg"], nothing.get("data")),
            (404, &json!(message), None)
        );
        assert_eq!(stage.operation.observed().charged_today, before + 1);
    }
}

#[tokio::test]
async fn campaigns_and_buckets() {
    let stage = calm().await;
    let campaigns = stage.operation.truth().centre().campaigns.clone();
    let second = &campaigns[1];
    let (id, name, strategy) = (second.id, &second.name, &second.strategy);
    for (campaign_text, expected) in [
        (CampaignText::Tight, format!("{id}-{name}-{strategy}")),
        (CampaignText::EnDash, format!("{id} – {name} – {strategy}")),
        (CampaignText::Bar, format!("{id}|{name}")),
        (CampaignText::Underscored, format!("{id}_{name}_tel1")),
        (CampaignText::WithoutId, format!("{name} – {strategy}")),
        (CampaignText::NameOnly, name.clone()),
    ] {
        stage
            .operation
            .switch(|switches| switches.campaign_text = campaign_text);
        let answer: Value = serde_json::from_str(&stage.campaigns().await.1).unwrap();
        assert_eq!(text(&answer[1], "campaign"), expected);
    }
    stage.operation.switch(|switches| {
        switches.names = NameText::Long;
        switches.paused_campaigns = vec![id];
    });
    let answer: Value = serde_json::from_str(&stage.campaigns().await.1).unwrap();
    assert_eq!(
        (text(&answer[0], "status"), text(&answer[1], "status")),
        ("started", "paused")
    );
    for (report, field) in [(WAITS, "skill_name"), (STEPS, "rp_name")] {
        let rows = rows(&stage, report).await;
        assert!(
            values(&rows, field)
                .iter()
                .all(|name| name.chars().count() == 300 && name.contains("\u{7}\n\t"))
        );
    }
    assert_eq!(text(&answer[0], "campaign").chars().count(), 300);

    let totals = |keys| {
        stage.operation.switch(|switches| switches.bucket_keys = keys);
        async { body(&stage, "cdr_4").await["data"].clone() }
    };
    let listed = totals(BucketKeys::Underscores).await;
    let (hyphens, spanish) = (totals(BucketKeys::Hyphens).await, totals(BucketKeys::Spanish).await);
    for (key, other, spanish_key) in [
        ("0_5_seg", "0-5 seg", "0 a 5 seg"),
        ("6_20_seg", "6-20 seg", "6 a 20 seg"),
        ("21_60_seg", "21-60 seg", "21 a 60 seg"),
        ("61_120_seg", "61-120 seg", "61 a 120 seg"),
        ("greater_than_121", "greater than 121", "mayor a 121"),
    ] {
        assert!(listed[key].is_object());
        assert_eq!((&hyphens[other], &spanish[spanish_key]), (&listed[key], &listed[key]));
    }
}

#[tokio::test]
async fn words_and_durations() {
    let stage = calm().await;
    let good = rows(&stage, WAITS).await;
    let good_previews = rows(&stage, PREVIEWS).await;
    stage.operation.switch(|switches| {
        switches.wait_words = WaitWords::UpperSpanish;
        switches.channels = ChannelWords::Bare;
        switches.wait_times = TimeText::Decimal;
        switches.times = TimeText::Decimal;
        switches.row_types = RowTypes::Spanish;
        switches.blank = Blank::LongDash;
    });
    let odd = rows(&stage, WAITS).await;
    for (row, odd) in good.iter().zip(&odd) {
        let result = match text(row, "result") {
            "abandoned" => "ABANDONADA",
            "answered" => "CONTESTADA",
            other => other,
        };
        let channel = match text(row, "type_interaction") {
            "" => "----",
            "transfer" => "inbound_transfer",
            "chat-web" => "chat_web",
            "omni-sms" => "omni_sms",
            "omni-twitter" => "omni_twitter",
            other => other.trim_start_matches("chat-").trim_start_matches("omni-"),
        };
        let seconds = format!("{}.5", number(row, "abandon_time") - 1);
        assert_eq!(
            [
                text(odd, "result"),
                text(odd, "type_interaction"),
                text(odd, "abandon_time")
            ],
            [result, channel, &seconds]
        );
    }
    let words: BTreeSet<&str> = values(&odd, "type_interaction").into_iter().collect();
    assert!(
        words.is_superset(&["whatsapp", "email", "chat_web"].into()),
        "{words:?}"
    );
    let previews = rows(&stage, PREVIEWS).await;
    for (row, odd) in good_previews.iter().zip(&previews) {
        let (kind, time) = match text(row, "time") {
            "" => ("previa", "----".to_owned()),
            "0" => ("llamada", "0.0".to_owned()),
            time => ("llamada", format!("{}.5", time.parse::<u32>().unwrap() - 1)),
        };
        assert_eq!([text(odd, "type_of_row"), text(odd, "time")], [kind, &time]);
    }
    stage.operation.switch(|switches| {
        switches.channels = ChannelWords::Underscores;
        switches.wait_times = TimeText::Clock;
    });
    let odd = rows(&stage, WAITS).await;
    assert!(values(&odd, "type_interaction").contains(&"chat_whatsapp"));
    assert!(values(&odd, "abandon_time").iter().all(|time| time.len() == 8));
}

#[tokio::test]
async fn dates() {
    let stage = calm().await;
    for report in REPORTS {
        stage.operation.switch(|switches| *switches = Switches::default());
        let good = rows(&stage, report).await;
        for dates in [
            DateText::Milliseconds,
            DateText::WithT,
            DateText::ZoneOffset,
            DateText::Utc,
            DateText::Minutes,
            DateText::Slashes,
            DateText::DayFirst,
            DateText::ShortHour,
        ] {
            stage.operation.switch(|switches| switches.dates = dates);
            let odd = rows(&stage, report).await;
            assert_eq!(odd.len(), good.len());
            for (row, odd) in good.iter().zip(&odd) {
                let (day, time) = text(row, "date").split_once(' ').unwrap();
                let minutes = &time[2..];
                assert!(day == "2026-11-18" && time.starts_with("11"));
                let expected = match dates {
                    DateText::Milliseconds => format!("{day} {time}.123"),
                    DateText::WithT => format!("{day}T{time}"),
                    DateText::ZoneOffset => format!("{day}T{time}-05:00"),
                    DateText::Utc => format!("{day}T16{minutes}Z"),
                    DateText::Minutes => format!("{day} 11{}", &minutes[..3]),
                    DateText::Slashes => format!("2026/11/18 {time}"),
                    DateText::DayFirst => format!("18/11/2026 {time}"),
                    DateText::Plain | DateText::ShortHour => format!("{day} {time}"),
                };
                assert_eq!(text(odd, "date"), expected);
            }
        }
    }
    let (_, early) = stage.ask(WAITS, "20261118090000", "20261118095959").await;
    assert!(early.contains("\"2026-11-18 9:"), "{early}");
}
