//! Variants of answers that nobody has seen and nobody can rule out. Each says on the wire what its switch says.

use std::collections::BTreeSet;

use jiff::{SignedDuration, civil::date};
use serde_json::{Value, json};
use wolkvox_simulator::{
    Api, Blackout, Blank, BrokenRow, BrokenRows, BucketKeys, CampaignText, ChannelWords, Code, CountMessage, DateText,
    EventPlan, LateDay, MessageLanguage, NameText, NoDataText, RowOrder, RowTypes, ShiftedDates, Switches, TimeText,
    WaitWords,
};

use super::{
    Stage,
    recount::{number, text},
    rows::{PREVIEWS, REPORTS, STEPS, WAITS},
};

const HOUR: (&str, &str) = ("20261118110000", "20261118115959");

async fn calm() -> Stage {
    Stage::with_events(EventPlan::calm()).await
}

async fn body(stage: &Stage, report: &str) -> Value {
    serde_json::from_str(&stage.ask(report, HOUR.0, HOUR.1).await.1).unwrap()
}

/// The rows of the hour, without a look at the rest of the answer.
async fn rows(stage: &Stage, report: &str) -> Vec<Value> {
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

#[tokio::test]
async fn rows_in_other_orders_and_outside_of_what_was_asked() {
    let stage = calm().await;
    for report in REPORTS {
        stage.operation.switch(|switches| *switches = Switches::default());
        let good = rows(&stage, report).await;
        stage
            .operation
            .switch(|switches| switches.row_order = RowOrder::NewestFirst);
        let mut reversed = good.clone();
        reversed.reverse();
        assert_eq!(rows(&stage, report).await, reversed);
        // A silent cut loses the oldest rows then.
        stage.operation.switch(|switches| switches.record_limit = Some(10));
        assert_eq!(rows(&stage, report).await, reversed[..10]);
        stage.operation.switch(|switches| {
            switches.record_limit = None;
            switches.row_order = RowOrder::Mixed;
        });
        let mixed = rows(&stage, report).await;
        assert!(mixed != good && mixed != reversed && mixed == rows(&stage, report).await);
        let sorted = |rows: &[Value]| {
            let mut texts: Vec<String> = rows.iter().map(Value::to_string).collect();
            texts.sort();
            texts
        };
        assert_eq!(sorted(&mixed), sorted(&good));

        // All rows three hours ahead, then one call in five, an hour behind.
        let date = |row: &Value| stage.instant(&text(row, "date").replace(' ', "T"));
        for (by, every) in [(3, 1), (-1, 5)] {
            let by = SignedDuration::from_hours(by);
            stage.operation.switch(|switches| {
                switches.row_order = RowOrder::OldestFirst;
                switches.shifted_dates = Some(ShiftedDates { by, every });
            });
            let shifted = rows(&stage, report).await;
            let moved = good.iter().zip(&shifted).filter(|(row, other)| {
                let moved = date(other).duration_since(date(row));
                assert!(moved == by || (every > 1 && moved.is_zero()), "{moved:?}");
                !moved.is_zero()
            });
            let (moved, all) = (moved.count(), good.len());
            assert!(
                if every == 1 {
                    moved == all
                } else {
                    moved > all / 10 && moved < all / 3
                },
                "{moved} of {all}"
            );
        }
        stage.operation.switch(|switches| {
            switches.shifted_dates = None;
            switches.window_margin = SignedDuration::from_mins(10);
        });
        let wide = rows(&stage, report).await;
        stage
            .operation
            .switch(|switches| switches.window_margin = SignedDuration::ZERO);
        assert!(wide.len() > good.len() && wide == stage.rows(report, "20261118105000", "20261118120959").await);
    }
}

#[tokio::test]
async fn days_and_hours_that_are_empty_until_later() {
    let stage = calm().await;
    let now = stage.clock.now();
    let later = now + SignedDuration::from_hours(2);
    let (yesterday, today) = (
        ("20261117000000", "20261117235959"),
        ("20261118000000", "20261118120000"),
    );
    let over_midnight = ("20261117220000", "20261118080000");
    for (report, api) in [
        (WAITS, Api::Skill2),
        (PREVIEWS, Api::Campaign5),
        (STEPS, Api::Diagram1),
        ("cdr_4", Api::Cdr4),
    ] {
        let whole = stage.ask(report, yesterday.0, yesterday.1).await;
        let both = stage.ask(report, over_midnight.0, over_midnight.1).await.1;
        stage.operation.switch(|switches| {
            switches.late_days = vec![LateDay {
                report: api,
                date: date(2026, 11, 17),
                until: later,
            }];
        });
        assert_eq!(stage.ask(report, yesterday.0, yesterday.1).await.0, 404);
        assert_eq!(stage.ask(report, today.0, today.1).await.0, 200);
        if api == Api::Skill2 {
            let (_, half) = stage.ask(report, over_midnight.0, over_midnight.1).await;
            assert!(both.contains("\"2026-11-17") && !half.contains("\"2026-11-17") && half.contains("\"2026-11-18"));
        }
        stage.clock.set(later);
        assert_eq!(stage.ask(report, yesterday.0, yesterday.1).await, whole);
        stage.clock.set(now);

        stage.operation.switch(|switches| {
            switches.late_days.clear();
            switches.blackouts = vec![Blackout {
                report: api,
                from: now,
                until: later,
            }];
        });
        assert_eq!(stage.ask(report, yesterday.0, yesterday.1).await.0, 404);
        stage.clock.set(later);
        assert_eq!(stage.ask(report, yesterday.0, yesterday.1).await, whole);
        stage.clock.set(now);
        stage.operation.switch(|switches| switches.blackouts.clear());
    }
    stage.operation.switch(|switches| {
        switches.blackouts = vec![Blackout {
            report: Api::Campaigns,
            from: now,
            until: later,
        }];
    });
    assert_eq!(stage.campaigns().await, (200, "[]".to_owned()));
}

/// The answer's bytes with the first `old` replaced, as JSON.
fn mended(answer: &[u8], old: &[u8], new: &str) -> Value {
    let at = answer.windows(old.len()).position(|part| part == old);
    let at = at.unwrap_or_else(|| panic!("no {}", old.escape_ascii()));
    let mended = [&answer[..at], new.as_bytes(), &answer[at + old.len()..]].concat();
    serde_json::from_slice(&mended).unwrap()
}

#[tokio::test]
async fn one_row_is_broken_and_the_others_are_not() {
    let stage = calm().await;
    let bytes = async |report: &str| {
        let path = format!(
            "reports_manager.php?api={report}&date_ini={}&date_end={}",
            HOUR.0, HOUR.1
        );
        stage.try_get(&path).await.unwrap().bytes().await.unwrap()
    };
    for report in REPORTS {
        stage.operation.switch(|switches| switches.broken_rows = None);
        let good = rows(&stage, report).await;
        for (kind, broken) in [
            (BrokenRow::LoneSurrogate, &br#""Ventas \ud83d""#[..]),
            (BrokenRow::ControlCharacter, b"\"Ventas\nM\x01vil\""),
            (BrokenRow::InvalidEscape, br#""Ventas \x41""#),
            (BrokenRow::Latin1, b"\"Campa\xf1a\""),
            (BrokenRow::NotANumber, b" NaN,"),
            (BrokenRow::TooLargeANumber, b" 1e400,"),
            (BrokenRow::MissingValue, b"\"conn_id\":}"),
            (BrokenRow::Unclosed, b"\"conn_id\": \"1\""),
        ] {
            for place in [0.0, 0.5, 1.0] {
                let broken_rows = BrokenRows { kind, every: 1, place };
                stage
                    .operation
                    .switch(|switches| switches.broken_rows = Some(broken_rows));
                let answer = bytes(report).await;
                assert!(serde_json::from_slice::<Value>(&answer).is_err(), "{kind:?}");
                let new = match kind {
                    BrokenRow::NotANumber | BrokenRow::TooLargeANumber => "\"X\",",
                    BrokenRow::MissingValue | BrokenRow::Unclosed => "\"conn_id\": \"X\"}",
                    _ => "\"X\"",
                };
                let answer = mended(&answer, broken, new);
                let mut rows = answer["data"].as_array().unwrap().clone();
                assert_eq!(answer["msg"], format!("{} records were found", good.len() + 1));
                let at = (good.len() as f64 * place) as usize;
                assert!(rows.remove(at).to_string().contains("\"X\""), "{kind:?} {place}");
                assert_eq!(rows, good);
            }
        }
        for kind in [BrokenRow::Huge, BrokenRow::Text, BrokenRow::Null, BrokenRow::LongId] {
            stage
                .operation
                .switch(|switches| switches.broken_rows = Some(BrokenRows::each(kind)));
            let mut rows = rows(&stage, report).await;
            let row = rows.remove(good.len() / 2);
            assert_eq!(rows, good);
            let id = ["skill_id", "campaign_id", "rp_id"].map(|id| row[id].as_str().unwrap_or_default().len());
            assert!(match kind {
                BrokenRow::Huge => row.to_string().len() > 2_000_000,
                BrokenRow::Text => row == "row",
                BrokenRow::Null => row.is_null(),
                _ => id.contains(&5000),
            });
        }
        stage
            .operation
            .switch(|switches| switches.broken_rows = Some(BrokenRows::each(BrokenRow::KeysTwice)));
        let (_, twice) = stage.ask(report, HOUR.0, HOUR.1).await;
        assert_eq!(twice.matches("\"date\"").count(), good.len() + 1);
        assert!(twice.contains("\"date\": \"?\"") && twice.contains("time\": \"?\""));
        // Here, too, the last value holds.
        assert_eq!(rows(&stage, report).await, good);

        let broken_rows = BrokenRows {
            every: 3,
            ..BrokenRows::each(BrokenRow::Null)
        };
        stage
            .operation
            .switch(|switches| switches.broken_rows = Some(broken_rows));
        let mut sizes = Vec::new();
        for _ in 0..6 {
            sizes.push(rows(&stage, report).await.len() - good.len());
        }
        assert_eq!(sizes.iter().sum::<usize>(), 2, "{sizes:?}");
    }
}
