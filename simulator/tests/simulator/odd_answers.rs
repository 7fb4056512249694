//! Answers with other rows than were asked for, in another order, later, or broken.

use jiff::{SignedDuration, civil::date};
use serde_json::Value;
use wolkvox_simulator::{Api, Blackout, BrokenRow, BrokenRows, LateDay, RowOrder, ShiftedDates, Switches};

use super::{
    recount::text,
    rows::{PREVIEWS, REPORTS, STEPS, WAITS},
    variants::{HOUR, calm, rows},
};

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
