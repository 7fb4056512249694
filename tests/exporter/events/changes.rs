//! Rows that change from one answer to the next: filled in later, moved to another date, written in another way.

use std::time::Duration;

use jiff::SignedDuration;
use wolkvox_exporter::config::Operation;
use wolkvox_exporter::poller::PollSettings;
use wolkvox_exporter::reports::{ABANDONED_CALLS, IVR, PREVIEW_CALLS};
use wolkvox_simulator::{DateText, EventPlan, FirstStep, FirstWait, Moved, Returns, Seen, Switches, Unfinished};

use super::{EVENTS, all_reports, assert_same, plan, poll_all, shown, truth};
use crate::support::{Stage, at};

/// Polls for some hours, with the switches that `switches` gives for each poll, and compares every count and bucket with the
/// truth all the time. Returns the violations of `dated_once`.
async fn counts_are_true(events: EventPlan, switches: impl Fn(i64) -> Switches) -> f64 {
    let born = at("2026-11-18T13:00:00Z");
    let mut stage = Stage::with(&born.to_string(), plan(2.0, events), all_reports).await;
    for poll in 0..=72 {
        let now = born + SignedDuration::from_mins(5 * poll);
        stage.acme().switch(|now| *now = switches(poll));
        poll_all(&mut stage, now).await;
        if poll > 0 && poll % 12 == 0 {
            let truth = truth(&stage.acme(), born, now, Seen::By(now));
            assert_same(&shown(&stage.samples().await), &truth, &format!("poll {poll}"));
        }
    }
    let samples = stage.samples().await;
    let moved = [&ABANDONED_CALLS, &PREVIEW_CALLS, &IVR].map(|report| {
        let labels = [("report", report.name), ("assumption", "dated_once")];
        samples
            .get("wolkvox_report_assumption_violations_total", &labels)
            .unwrap()
    });
    moved.iter().sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_filled_in_later_count_when_they_are() {
    for waits in [
        FirstWait::NoResult,
        FirstWait::NoTime,
        FirstWait::NoResultNoTime,
        FirstWait::InQueue,
    ] {
        let events = EventPlan {
            unfinished: Unfinished {
                share: 0.3,
                longest: SignedDuration::from_mins(40),
                waits,
                ..Unfinished::default()
            },
            ..EventPlan::calm()
        };
        let moved = counts_are_true(events, |_| Switches::default()).await;
        assert_eq!(moved, 0.0, "{waits:?}");
    }
}

/// Callers who come back to a skill have two rows, and rows that move have one.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_move_count_once_and_calls_that_come_back_twice() {
    let events = EventPlan {
        moved: Moved {
            share: 0.1,
            after: SignedDuration::from_mins(12),
            ..Moved::default()
        },
        returns: Returns {
            share: 0.1,
            ..Returns::default()
        },
        ..EventPlan::calm()
    };
    let moved = counts_are_true(events, |_| Switches::default()).await;
    assert!(moved > 100.0, "{moved} have moved");
}

/// The vendor writes dates in another way with each answer.
#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_format_counts_anything_twice() {
    // Not without seconds: then rows have another date.
    let forms = [
        DateText::Plain,
        DateText::Milliseconds,
        DateText::WithT,
        DateText::ZoneOffset,
        DateText::Utc,
        DateText::Slashes,
        DateText::DayFirst,
        DateText::ShortHour,
    ];
    let events = EventPlan {
        twins: 0.01,
        ..EventPlan::calm()
    };
    let moved = counts_are_true(events, |poll| Switches {
        dates: forms[usize::try_from(poll).unwrap() % forms.len()],
        ..Switches::default()
    })
    .await;
    assert_eq!(moved, 0.0);
}

/// Steps of calls in progress have no option at first, and nobody can tell them from steps that never get one. Rows are read
/// when they are as old as `settle`.
#[tokio::test(flavor = "multi_thread")]
async fn rows_are_read_when_they_are_settled() {
    let settle = SignedDuration::from_mins(2);
    let events = EventPlan {
        unfinished: Unfinished {
            share: 0.3,
            longest: settle,
            waits: FirstWait::NoTime,
            steps: FirstStep::NoOption,
        },
        ..EventPlan::calm()
    };
    let adjust = |operation: &mut Operation, settings: &mut PollSettings| {
        all_reports(operation, settings);
        for report in operation.reports.values_mut() {
            report.settle = Duration::try_from(settle).unwrap();
        }
    };
    let born = at("2026-11-18T13:00:00Z");
    let mut stage = Stage::with(&born.to_string(), plan(2.0, events), adjust).await;
    for poll in 0..=36 {
        let now = born + SignedDuration::from_mins(5 * poll);
        poll_all(&mut stage, now).await;
        if poll > 0 && poll % 12 == 0 {
            let truth = truth(&stage.acme(), born - settle, now - settle, Seen::By(now));
            assert_same(&shown(&stage.samples().await), &truth, &format!("poll {poll}"));
        }
    }
    let samples = stage.samples().await;
    let changed = samples.all(
        "wolkvox_report_assumption_violations_total",
        &[("assumption", "final_when_seen")],
    );
    assert_eq!(changed, [0.0; EVENTS.len()]);
}
