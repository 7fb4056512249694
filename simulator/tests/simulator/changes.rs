//! Rows that are not final when they are first shown, rows whose date changes, and calls that come back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use wolkvox_simulator::{EventPlan, FirstStep, FirstWait, Moved, Returns, Seen, StepDates, Unfinished};

use super::{
    Stage,
    recount::{check_answered, check_previews, check_steps, check_waits, number, text},
    rows::{ANSWERED, PREVIEWS, REPORTS, STEPS, WAITS},
};

/// Up to the time at which a stage begins.
const HOUR: (&str, &str) = ("20261118110000", "20261118115959");

fn hour(stage: &Stage) -> (Timestamp, Timestamp) {
    (
        stage.instant("2026-11-18T11:00:00"),
        stage.instant("2026-11-18T11:59:59"),
    )
}

/// The rows of each report in that hour, which must give what the truth says that answers show at present.
async fn rows_as_in_truth(stage: &Stage) -> [Vec<Value>; 3] {
    let (from, until) = hour(stage);
    let (truth, seen) = (stage.operation.truth(), Seen::By(stage.clock.now()));
    let waits = stage.rows(WAITS, HOUR.0, HOUR.1).await;
    check_waits(&waits, &truth.abandoned_calls(from, until, seen));
    let previews = stage.rows(PREVIEWS, HOUR.0, HOUR.1).await;
    check_previews(&previews, &truth.preview_calls(from, until, seen));
    let steps = stage.rows(STEPS, HOUR.0, HOUR.1).await;
    check_steps(&steps, &truth.ivr(from, until, seen));
    let answered = stage.rows(ANSWERED, HOUR.0, HOUR.1).await;
    check_answered(&answered, &truth.answered_calls(from, until, seen));
    [waits, previews, steps]
}

/// How many rows have this in the field.
fn with(rows: &[Value], field: &str, value: &str) -> usize {
    rows.iter().filter(|row| text(row, field) == value).count()
}

#[tokio::test]
async fn what_is_not_final_is_filled_in_and_then_all_is_as_ever() {
    let final_rows = rows_as_in_truth(&Stage::with_events(EventPlan::calm()).await).await;
    for (waits, no_result, no_time, in_queue) in [
        (FirstWait::NoResult, true, false, false),
        (FirstWait::NoTime, false, true, false),
        (FirstWait::NoResultNoTime, true, true, false),
        (FirstWait::InQueue, false, false, true),
    ] {
        let stage = Stage::with_events(EventPlan {
            unfinished: Unfinished {
                share: 0.5,
                longest: SignedDuration::from_mins(8),
                waits,
                steps: FirstStep::MidMenu,
            },
            ..EventPlan::calm()
        })
        .await;
        let [waits, ..] = rows_as_in_truth(&stage).await;
        assert_eq!(with(&waits, "result", "") > 5, no_result, "{waits:?}");
        assert_eq!(with(&waits, "abandon_time", "") > 5, no_time, "{waits:?}");
        assert_eq!(with(&waits, "result", "in queue") > 5, in_queue, "{waits:?}");
        stage.clock.advance(SignedDuration::from_mins(8));
        assert_eq!(rows_as_in_truth(&stage).await, final_rows);
    }
}

#[tokio::test]
async fn calls_in_progress_end_minute_by_minute() {
    let stage = Stage::with_events(EventPlan {
        unfinished: Unfinished {
            share: 0.5,
            longest: SignedDuration::from_mins(8),
            ..Unfinished::default()
        },
        ..EventPlan::calm()
    })
    .await;
    let (mut going_on, mut steps_so_far) = (Vec::new(), Vec::new());
    let mut times: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for _ in 0..=8 {
        let [_, previews, steps] = rows_as_in_truth(&stage).await;
        let blank = with(&previews, "call_result", "") - with(&previews, "type_of_row", "preview");
        going_on.push(blank + with(&steps, "result", ""));
        steps_so_far.push(steps.len());
        for step in &steps {
            let times = times.entry(text(step, "conn_id").to_owned()).or_default();
            times.insert(text(step, "time").parse().unwrap());
        }
        stage.clock.advance(SignedDuration::from_mins(1));
    }
    assert!(going_on[0] > 20 && going_on[8] == 0, "{going_on:?}");
    assert!(steps_so_far[0] + 5 < steps_so_far[8], "{steps_so_far:?}");
    // The time so far is half of the final one.
    let changed: Vec<Vec<u32>> = times
        .into_values()
        .filter(|times| times.len() > 1)
        .map(|times| times.into_iter().collect())
        .collect();
    assert!(changed.len() > 10 && changed.iter().all(|times| times.len() == 2 && times[0] == times[1] / 2));
}

#[tokio::test]
async fn an_option_can_be_filled_in_later() {
    let stage = Stage::with_events(EventPlan {
        unfinished: Unfinished {
            share: 0.5,
            steps: FirstStep::NoOption,
            ..Unfinished::default()
        },
        ..EventPlan::calm()
    })
    .await;
    let blank_at_first = stage.rows(STEPS, HOUR.0, HOUR.1).await;
    stage.clock.advance(SignedDuration::from_mins(5));
    let [_, _, steps] = rows_as_in_truth(&stage).await;
    let blanks = [&blank_at_first, &steps].map(|rows| with(rows, "cod_opc_menu", ""));
    assert!(
        blanks[0] > blanks[1] + 10 && blank_at_first.len() == steps.len(),
        "{blanks:?}"
    );
    let (from, until) = hour(&stage);
    let truth = stage.operation.truth();
    assert_eq!(
        truth.ivr(from, until, Seen::Everything),
        truth.ivr(from, until, Seen::By(stage.clock.now()))
    );
}

#[tokio::test]
async fn a_row_that_moves_is_never_there_twice() {
    let moved = Moved {
        share: 0.3,
        ..Moved::default()
    };
    let stage = Stage::with_events(EventPlan {
        moved,
        ..EventPlan::calm()
    })
    .await;
    let still = rows_as_in_truth(&Stage::with_events(EventPlan::calm()).await).await;
    // The dates of each row, by what else it says.
    let mut dates: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    stage.clock.advance(SignedDuration::from_mins(-10));
    for _ in 0..40 {
        for rows in rows_as_in_truth(&stage).await {
            let mut seen = BTreeMap::<_, u32>::new();
            for mut row in rows {
                let date = row.as_object_mut().unwrap().remove("date").unwrap();
                // Equal steps of a call are two rows, with or without a move.
                *seen.entry(row.to_string()).or_default() += 1;
                let dates = dates.entry(row.to_string()).or_default();
                dates.insert(date.as_str().unwrap().to_owned());
            }
            assert!(
                seen.iter().all(|(row, count)| *count == 1 || row.contains("rp_id")),
                "{seen:?}"
            );
        }
        stage.clock.advance(SignedDuration::from_secs(20));
    }
    let moves: Vec<_> = dates.values().filter(|dates| dates.len() == 2).collect();
    assert!(moves.len() > 20 && dates.values().all(|dates| dates.len() <= 2));
    for dates in moves {
        let instants: Vec<Timestamp> = dates
            .iter()
            .map(|date| stage.instant(&date.replace(' ', "T")))
            .collect();
        assert_eq!(instants[1].duration_since(instants[0]), SignedDuration::from_secs(40));
    }
    stage.clock.advance(SignedDuration::from_mins(10));
    assert_eq!(rows_as_in_truth(&stage).await, still);
}

#[tokio::test]
async fn a_call_comes_back_to_its_skill() {
    for (after, same_second) in [(SignedDuration::ZERO, true), (SignedDuration::from_secs(90), false)] {
        let stage = Stage::with_events(EventPlan {
            returns: Returns { share: 0.2, after },
            ..EventPlan::calm()
        })
        .await;
        let [waits, ..] = rows_as_in_truth(&stage).await;
        let mut calls: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for row in &waits {
            calls.entry(text(row, "conn_id")).or_default().push(row);
        }
        let twice: Vec<_> = calls.values().filter(|rows| rows.len() == 2).collect();
        assert!(twice.len() > 10 && calls.len() > 3 * twice.len(), "{}", twice.len());
        for rows in twice {
            assert_eq!(rows[0]["skill_id"], rows[1]["skill_id"]);
            assert_ne!(rows[0]["abandon_time"], rows[1]["abandon_time"]);
            assert_eq!(rows[0]["date"] == rows[1]["date"], same_second);
        }
    }
}

#[tokio::test]
async fn steps_say_what_was_known_and_the_newest_decides() {
    let stage = Stage::with_events(EventPlan {
        step_dates: StepDates::EachItsOwn,
        time_so_far: true,
        ..EventPlan::calm()
    })
    .await;
    let [_, _, steps] = rows_as_in_truth(&stage).await;
    let mut calls: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for step in &steps {
        calls.entry(text(step, "conn_id")).or_default().push(step);
    }
    let time = |step: &Value| number(step, "time");
    let (mut grown, mut ended_otherwise) = (0, 0);
    for rows in calls.values() {
        assert!(rows.is_sorted_by_key(|row| time(row)), "{rows:?}");
        let (first, last) = (rows[0], rows[rows.len() - 1]);
        grown += usize::from(time(first) < time(last));
        ended_otherwise += usize::from(first["result"] != last["result"]);
    }
    assert!(grown > 20 && ended_otherwise > 5, "{grown} {ended_otherwise}");
}

#[tokio::test]
async fn a_conn_id_comes_back_the_day_after() {
    let stage = Stage::with_events(EventPlan {
        conn_ids_repeat: true,
        ..EventPlan::calm()
    })
    .await;
    for report in REPORTS {
        let ids = async |day: u32| {
            let (from, until) = (format!("202611{day}100000"), format!("202611{day}105959"));
            let rows = stage.rows(report, &from, &until).await;
            rows.iter()
                .map(|row| text(row, "conn_id").to_owned())
                .filter(|id| !id.is_empty())
                .collect::<BTreeSet<_>>()
        };
        let (yesterday, today) = (ids(17).await, ids(18).await);
        assert!(today.intersection(&yesterday).count() > 5, "{report}");
    }
    // Within a day they are as unique as ever.
    let [waits, ..] = rows_as_in_truth(&stage).await;
    let ids: BTreeSet<&str> = waits.iter().map(|row| text(row, "conn_id")).collect();
    assert_eq!(ids.len(), waits.len());
}

#[tokio::test]
async fn twins_can_be_typed_apart() {
    let stage = Stage::with_events(EventPlan {
        twins: 0.5,
        twin_typing: SignedDuration::from_mins(20),
        ..EventPlan::calm()
    })
    .await;
    let blanks = async || {
        let [_, previews, _] = rows_as_in_truth(&stage).await;
        with(&previews, "result", "") - with(&previews, "type_of_row", "call")
    };
    assert!(blanks().await > 3);
    stage.clock.advance(SignedDuration::from_mins(20));
    assert_eq!(blanks().await, 0);
}

#[tokio::test]
async fn all_at_once_agrees_with_the_truth_at_every_minute() {
    let stage = Stage::with_events(EventPlan {
        unfinished: Unfinished {
            share: 0.3,
            ..Unfinished::default()
        },
        moved: Moved {
            share: 0.1,
            ..Moved::default()
        },
        returns: Returns {
            share: 0.1,
            ..Returns::default()
        },
        unknown_words: 0.1,
        absurd_times: 0.05,
        ..EventPlan::default()
    })
    .await;
    for minutes in [1, 1, 1, 1, 1, 1, 10, 60, 50 * 60] {
        stage.clock.advance(SignedDuration::from_mins(minutes));
        rows_as_in_truth(&stage).await;
    }
    let [waits, previews, steps] = rows_as_in_truth(&stage).await;
    assert!(with(&waits, "result", "overflow") > 10 && with(&waits, "abandon_time", "99999999999") > 5);
    assert!(with(&previews, "hang_up", "system") > 2 && with(&previews, "time", "99999999999") > 0);
    assert!(with(&steps, "result", "transferred") > 10 && with(&steps, "time", "99999999999") > 5);
    let (from, until) = hour(&stage);
    let (truth, now) = (stage.operation.truth(), Seen::By(stage.clock.now()));
    assert_eq!(
        truth.abandoned_calls(from, until, now),
        truth.abandoned_calls(from, until, Seen::Everything)
    );
    assert_eq!(truth.ivr(from, until, now), truth.ivr(from, until, Seen::Everything));
    for report in REPORTS {
        assert!(!stage.rows(report, HOUR.0, HOUR.1).await.is_empty());
    }
}
