//! Rows that come late, change, come twice, are cut off or hidden for hours.

use std::collections::{BTreeMap, HashMap};

use jiff::SignedDuration;
use serde_json::Value;
use wolkvox_simulator::{Api, Blackout, Completion, EventPlan, Lateness, OverLimit, Seen};

use super::{
    Stage,
    recount::{check_answered, check_previews, check_steps, check_waits, text},
    rows::{ANSWERED, PREVIEWS, REPORTS, STEPS, WAITS},
};

const HOUR: (&str, &str) = ("20261118110000", "20261118115959");

fn counted(rows: &[Value]) -> HashMap<&Value, usize> {
    let mut counts = HashMap::new();
    for row in rows {
        *counts.entry(row).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn without_lateness_rows_show_in_the_second_of_their_date() {
    let stage = Stage::with_events(EventPlan::calm()).await;
    for report in REPORTS {
        let rows = stage.rows(report, HOUR.0, HOUR.1).await;
        let last = text(rows.last().unwrap(), "date").to_owned();
        let at = stage.instant(&last.replace(' ', "T"));
        let now = stage.clock.now();
        stage.clock.set(at);
        assert_eq!(stage.rows(report, HOUR.0, HOUR.1).await, rows);
        stage.clock.set(at - SignedDuration::from_secs(1));
        let before = stage.rows(report, HOUR.0, HOUR.1).await;
        assert!(before.len() < rows.len() && before[..] == rows[..before.len()]);
        stage.clock.set(now);
    }
}

#[tokio::test]
async fn late_rows_come_sooner_or_later_and_stay() {
    let stage = Stage::with_events(EventPlan {
        lateness: Lateness {
            minutes: 0.3,
            hours: 0.2,
            days: 0.1,
            ..Lateness::default()
        },
        completion: Completion::AT_ONCE,
        ..EventPlan::default()
    })
    .await;
    let truth = stage.operation.truth();
    let (from, until) = (
        stage.instant("2026-11-18T11:00:00"),
        stage.instant("2026-11-18T11:59:59"),
    );
    let mut sizes = Vec::new();
    let mut last: Vec<Value> = Vec::new();
    for minutes in [0, 1, 15, 8 * 60, 40 * 60 - 8 * 60] {
        stage.clock.advance(SignedDuration::from_mins(minutes));
        let seen = Seen::By(stage.clock.now());
        let rows = stage.rows(WAITS, HOUR.0, HOUR.1).await;
        check_waits(&rows, &truth.abandoned_calls(from, until, seen));
        check_previews(
            &stage.rows(PREVIEWS, HOUR.0, HOUR.1).await,
            &truth.preview_calls(from, until, seen),
        );
        check_steps(&stage.rows(STEPS, HOUR.0, HOUR.1).await, &truth.ivr(from, until, seen));
        let rows = stage.rows(ANSWERED, HOUR.0, HOUR.1).await;
        check_answered(&rows, &truth.answered_calls(from, until, seen));
        // No row disappears.
        let now = counted(&rows);
        assert!(counted(&last).iter().all(|(row, count)| now[*row] >= *count));
        sizes.push(rows.len());
        last = rows;
    }
    assert!(
        sizes.windows(2).all(|pair| pair[0] <= pair[1]) && sizes[0] < sizes[2] && sizes[3] < sizes[4],
        "{sizes:?}"
    );
    // After the longest delay no more rows appear.
    let now = Seen::By(stage.clock.now());
    let all = truth.abandoned_calls(from, until, Seen::Everything);
    assert_eq!(truth.abandoned_calls(from, until, now), all);
}

#[tokio::test]
async fn codes_and_results_are_typed_once_and_for_good() {
    let stage = Stage::with_events(EventPlan {
        completion: Completion {
            at_once: 0.1,
            hours: 0.3,
            never: 0.1,
        },
        ..EventPlan::calm()
    })
    .await;
    let (from, until) = (
        stage.instant("2026-11-18T11:00:00"),
        stage.instant("2026-11-18T11:59:59"),
    );
    let mut changes: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut blanks = Vec::new();
    for _ in 0..12 {
        let rows = stage.rows(PREVIEWS, HOUR.0, HOUR.1).await;
        let facts = stage
            .operation
            .truth()
            .preview_calls(from, until, Seen::By(stage.clock.now()));
        check_previews(&rows, &facts);
        let mut blank = 0;
        for row in &rows {
            let kind = text(row, "type_of_row");
            let typed = text(row, if kind == "call" { "cod_act" } else { "result" });
            blank += usize::from(typed.is_empty());
            let seen = changes
                .entry((kind.to_owned(), text(row, "customer_id").to_owned()))
                .or_default();
            if seen.last().is_none_or(|last| last != typed) {
                seen.push(typed.to_owned());
            }
        }
        blanks.push(blank);
        stage.clock.advance(SignedDuration::from_mins(30));
    }
    assert!(
        changes
            .values()
            .all(|seen| seen.len() == 1 || (seen.len() == 2 && seen[0].is_empty()))
    );
    assert!(changes.values().any(|seen| seen.len() == 2));
    let (first, last) = (blanks[0], *blanks.last().unwrap());
    assert!(
        blanks.is_sorted_by(|one, two| one >= two) && first > last && last > 0,
        "{blanks:?}"
    );
}

#[tokio::test]
async fn twins_are_equal_rows_and_each_counts() {
    let with = Stage::with_events(EventPlan {
        twins: 0.3,
        ..EventPlan::calm()
    })
    .await;
    let without = Stage::with_events(EventPlan::calm()).await;
    for report in REPORTS {
        let (twins, single) = (
            with.rows(report, HOUR.0, HOUR.1).await,
            without.rows(report, HOUR.0, HOUR.1).await,
        );
        let (twins_of, single_of) = (counted(&twins), counted(&single));
        // No row is new; some are listed two or three times.
        assert_eq!(twins_of.len(), single_of.len());
        let mut more: Vec<usize> = twins_of.iter().map(|(row, count)| count - single_of[*row]).collect();
        more.sort_unstable();
        assert!(more[0] == 0 && more.contains(&1) && more.contains(&2), "{more:?}");
    }
    let (from, until) = (with.instant("2026-11-18T11:00:00"), with.instant("2026-11-18T11:59:59"));
    let calls = |stage: &Stage| stage.operation.truth().ivr(from, until, Seen::Everything).calls;
    assert_eq!(
        calls(&with),
        calls(&without),
        "a call counts once, however many rows it has"
    );
}

#[tokio::test]
async fn the_record_limit_cuts_or_refuses() {
    let stage = Stage::new().await;
    for report in REPORTS {
        stage.operation.switch(|switches| switches.record_limit = None);
        let all = stage.rows(report, HOUR.0, HOUR.1).await;
        for (limit, expected) in [(10, 10), (all.len(), all.len()), (all.len() - 1, all.len() - 1)] {
            stage
                .operation
                .switch(|switches| switches.record_limit = Some(u32::try_from(limit).unwrap()));
            assert_eq!(stage.rows(report, HOUR.0, HOUR.1).await, all[..expected]);
        }
        stage
            .operation
            .switch(|switches| switches.over_limit = OverLimit::CountedCut);
        let (_, body) = stage.ask(report, HOUR.0, HOUR.1).await;
        assert!(
            body.contains(&format!("\"{} records were found\"", all.len())),
            "{body}"
        );
        assert_eq!(body.matches("\"date\"").count(), all.len() - 1);
        stage
            .operation
            .switch(|switches| switches.over_limit = OverLimit::BadRequest);
        let (status, body) = stage.ask(report, HOUR.0, HOUR.1).await;
        assert!(status == 400 && body.contains("records"), "{body}");
        stage
            .operation
            .switch(|switches| switches.over_limit = OverLimit::SilentCut);
    }
}

#[tokio::test]
async fn a_report_can_be_silent_for_hours() {
    let stage = Stage::new().await;
    let noon = stage.clock.now();
    stage.operation.switch(|switches| {
        switches.blackouts = vec![Blackout {
            report: Api::Diagram1,
            from: noon,
            until: noon + SignedDuration::from_hours(3),
        }];
    });
    let second = SignedDuration::from_secs(1);
    for (at, silent) in [
        (noon - second, false),
        (noon, true),
        (noon + SignedDuration::from_hours(3), false),
    ] {
        stage.clock.set(at);
        assert_eq!(stage.ask(STEPS, HOUR.0, HOUR.1).await.0, if silent { 404 } else { 200 });
        assert_eq!(stage.ask(WAITS, HOUR.0, HOUR.1).await.0, 200);
    }
}
