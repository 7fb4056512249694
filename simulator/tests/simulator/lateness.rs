//! Rows that come late, change, come twice, are cut off or hidden for hours.

use std::collections::{BTreeMap, HashMap};

use jiff::SignedDuration;
use serde_json::Value;
use wolkvox_simulator::{Api, Completion, EventPlan, Lateness, OverLimit, Seen, Silence};

use super::{
    Bench,
    agreement::{previews_agree, steps_agree, text, waits_agree},
    rows::{PREVIEWS, REPORTS, STEPS, WAITS},
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
    let bench = Bench::with_events(EventPlan::calm()).await;
    for report in REPORTS {
        let rows = bench.rows(report, HOUR.0, HOUR.1).await;
        let last = text(rows.last().unwrap(), "date").to_owned();
        let at = bench.instant(&last.replace(' ', "T"));
        let now = bench.clock.now();
        bench.clock.set(at);
        assert_eq!(bench.rows(report, HOUR.0, HOUR.1).await, rows);
        bench.clock.set(at - SignedDuration::from_secs(1));
        let before = bench.rows(report, HOUR.0, HOUR.1).await;
        assert!(before.len() < rows.len() && before[..] == rows[..before.len()]);
        bench.clock.set(now);
    }
}

#[tokio::test]
async fn late_rows_come_sooner_or_later_and_stay() {
    let bench = Bench::with_events(EventPlan {
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
    let truth = bench.operation.truth();
    let (from, until) = (
        bench.instant("2026-11-18T11:00:00"),
        bench.instant("2026-11-18T11:59:59"),
    );
    let mut sizes = Vec::new();
    let mut last: Vec<Value> = Vec::new();
    for minutes in [0, 1, 15, 8 * 60, 40 * 60 - 8 * 60] {
        bench.clock.advance(SignedDuration::from_mins(minutes));
        let seen = Seen::By(bench.clock.now());
        let rows = bench.rows(WAITS, HOUR.0, HOUR.1).await;
        waits_agree(&rows, &truth.abandoned_calls(from, until, seen));
        previews_agree(
            &bench.rows(PREVIEWS, HOUR.0, HOUR.1).await,
            &truth.preview_calls(from, until, seen),
        );
        steps_agree(&bench.rows(STEPS, HOUR.0, HOUR.1).await, &truth.ivr(from, until, seen));
        // Whatever was there is there still.
        let now = counted(&rows);
        assert!(counted(&last).iter().all(|(row, count)| now[*row] >= *count));
        sizes.push(rows.len());
        last = rows;
    }
    assert!(
        sizes.windows(2).all(|pair| pair[0] <= pair[1]) && sizes[0] < sizes[2] && sizes[3] < sizes[4],
        "{sizes:?}"
    );
    // After the longest delay nothing comes any more.
    let now = Seen::By(bench.clock.now());
    let all = truth.abandoned_calls(from, until, Seen::Everything);
    assert_eq!(truth.abandoned_calls(from, until, now), all);
}

#[tokio::test]
async fn codes_and_results_are_typed_once_and_for_good() {
    let bench = Bench::with_events(EventPlan {
        completion: Completion {
            at_once: 0.1,
            hours: 0.3,
            never: 0.1,
        },
        ..EventPlan::calm()
    })
    .await;
    let (from, until) = (
        bench.instant("2026-11-18T11:00:00"),
        bench.instant("2026-11-18T11:59:59"),
    );
    let mut changes: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut blanks = Vec::new();
    for _ in 0..12 {
        let rows = bench.rows(PREVIEWS, HOUR.0, HOUR.1).await;
        let facts = bench
            .operation
            .truth()
            .preview_calls(from, until, Seen::By(bench.clock.now()));
        previews_agree(&rows, &facts);
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
        bench.clock.advance(SignedDuration::from_mins(30));
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
    let with = Bench::with_events(EventPlan {
        twins: 0.3,
        ..EventPlan::calm()
    })
    .await;
    let without = Bench::with_events(EventPlan::calm()).await;
    for report in REPORTS {
        let (twins, single) = (
            with.rows(report, HOUR.0, HOUR.1).await,
            without.rows(report, HOUR.0, HOUR.1).await,
        );
        let (twins_of, single_of) = (counted(&twins), counted(&single));
        // No row is new; some come twice or three times as often.
        assert_eq!(twins_of.len(), single_of.len());
        let mut more: Vec<usize> = twins_of.iter().map(|(row, count)| count - single_of[*row]).collect();
        more.sort_unstable();
        assert!(more[0] == 0 && more.contains(&1) && more.contains(&2), "{more:?}");
    }
    let (from, until) = (with.instant("2026-11-18T11:00:00"), with.instant("2026-11-18T11:59:59"));
    let calls = |bench: &Bench| bench.operation.truth().ivr(from, until, Seen::Everything).calls;
    assert_eq!(
        calls(&with),
        calls(&without),
        "a call counts once, however many rows it has"
    );
}

#[tokio::test]
async fn the_record_limit_cuts_or_refuses() {
    let bench = Bench::new().await;
    for report in REPORTS {
        bench.operation.switch(|switches| switches.record_limit = None);
        let all = bench.rows(report, HOUR.0, HOUR.1).await;
        for (limit, expected) in [(10, 10), (all.len(), all.len()), (all.len() - 1, all.len() - 1)] {
            bench
                .operation
                .switch(|switches| switches.record_limit = Some(u32::try_from(limit).unwrap()));
            assert_eq!(bench.rows(report, HOUR.0, HOUR.1).await, all[..expected]);
        }
        bench
            .operation
            .switch(|switches| switches.over_limit = OverLimit::BadRequest);
        let (status, body) = bench.ask(report, HOUR.0, HOUR.1).await;
        assert!(status == 400 && body.contains("records"), "{body}");
        bench
            .operation
            .switch(|switches| switches.over_limit = OverLimit::SilentCut);
    }
}

#[tokio::test]
async fn a_report_can_be_silent_for_hours() {
    let bench = Bench::new().await;
    let noon = bench.clock.now();
    bench.operation.switch(|switches| {
        switches.silences = vec![Silence {
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
        bench.clock.set(at);
        assert_eq!(bench.ask(STEPS, HOUR.0, HOUR.1).await.0, if silent { 404 } else { 200 });
        assert_eq!(bench.ask(WAITS, HOUR.0, HOUR.1).await.0, 200);
    }
}
