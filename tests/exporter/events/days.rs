//! Days of polls, with and without trouble, against the truth.

use std::time::Duration;

use jiff::SignedDuration;
use wolkvox_exporter::config::Operation;
use wolkvox_exporter::poller::PollSettings;
use wolkvox_simulator::{
    EventPlan, Fault, FirstWait, OperationPlan, Returns, RowOrder, Seen, TimeText, Unfinished, WaitWords,
};

use super::{Counts, EVENTS, all_reports, assert_same, hours, plan, poll_all, shown, truth};
use crate::ledger::Disk;
use crate::support::{Stage, at, zone};

/// Nine days over a month's end: rows late by up to 40 hours, codes typed hours later, twins, one poll in five failing in
/// one way or another, restarts every day and a half. In the end everything is counted, to the last bucket.
#[tokio::test(flavor = "multi_thread")]
async fn days_of_trouble_equal_the_truth() {
    trouble(EventPlan::default(), SignedDuration::ZERO, RowOrder::OldestFirst).await;
}

/// The same with rows that change: filled in later, typed in any order, with connections that come back, IVR rows that say what was
/// known at their date, and rows in any order. Rows are read when they are settled.
#[tokio::test(flavor = "multi_thread")]
async fn days_of_trouble_with_rows_that_change_equal_the_truth() {
    let events = EventPlan {
        twins: 0.02,
        twin_typing: hours(2),
        time_so_far: true,
        conn_ids_repeat: true,
        unfinished: Unfinished {
            share: 0.1,
            longest: SignedDuration::from_mins(40),
            waits: FirstWait::NoResultNoTime,
            ..Unfinished::default()
        },
        returns: Returns {
            share: 0.05,
            ..Returns::default()
        },
        ..EventPlan::default()
    };
    trouble(events, SignedDuration::from_mins(10), RowOrder::Mixed).await;
}

async fn trouble(events: EventPlan, settle: SignedDuration, order: RowOrder) {
    let born = at("2026-10-27T14:03:20Z");
    let adjust = |operation: &mut Operation, settings: &mut PollSettings| {
        all_reports(operation, settings);
        for report in operation.reports.values_mut() {
            report.settle = Duration::try_from(settle).unwrap();
        }
    };
    let disk = Disk::default();
    let mut stage = Stage::with_storage(&born.to_string(), plan(0.05, events), disk.storage(), adjust).await;
    stage.acme().switch(|switches| {
        switches.total_rows = true;
        switches.row_order = order;
    });
    poll_all(&mut stage, born).await;
    assert!(
        shown(&stage.samples().await).is_empty(),
        "the first poll counts nothing"
    );
    let faults = [
        Fault::status(500),
        Fault::CutBody(0.5),
        Fault::Html,
        Fault::ResetBeforeAnswer,
        Fault::ContentLengthTooLong(20),
        Fault::SimultaneousLimit,
    ];
    let mut luck = fastrand::Rng::with_seed(3);
    let mut before = Counts::new();
    let mut now = born;
    let end = born + hours(9 * 24);
    let mut last_restart = born;
    while now < end {
        now = (now + SignedDuration::from_mins(luck.i64(20..50))).min(end);
        for report in EVENTS {
            if luck.u8(0..5) == 0 && now < end {
                stage
                    .acme()
                    .inject(faults[luck.usize(0..faults.len())].clone().times(luck.u32(1..4)));
            }
            stage.poll(report, &now.to_string()).await;
            stage.acme().clear_faults();
        }
        if now.duration_since(last_restart) > hours(36) {
            stage = stage.restart(|_, _| {});
            last_restart = now;
        }
        if luck.u8(0..10) == 0 {
            let counts = shown(&stage.samples().await);
            for (series, value) in &before {
                assert!(counts.get(series) >= Some(value), "{series:?} fell");
            }
            before = counts;
        }
    }
    // The last poll is followed by a reread, so all that the API shows is counted.
    now += SignedDuration::from_mins(61);
    poll_all(&mut stage, now).await;
    let samples = stage.samples().await;
    let up = EVENTS.map(|report| samples.get("wolkvox_up", &[("report", report.name)]));
    assert_eq!(up, [Some(1.0); 3]);
    assert_same(
        &shown(&samples),
        &truth(&stage.acme(), born - settle, now - settle, Seen::By(now)),
        "after nine days",
    );
    assert!(
        samples
            .all("wolkvox_report_backlog_rows_total", &[])
            .iter()
            .sum::<f64>()
            > 0.0,
        "late rows are a backlog"
    );
    let ignored = [("report", "preview_calls"), ("outcome", "ignored")];
    assert!(
        samples.get("wolkvox_report_rows_total", &ignored) > Some(0.0),
        "totals are ignored"
    );
    assert_eq!(stage.acme().observed().most_in_flight, 1);
    // Exactly one name for each id.
    assert_eq!(
        samples.all("wolkvox_skill_info", &[]).len(),
        stage.acme().truth().centre().skills.len()
    );
}

/// Days of 25 and of 23 hours: a repeated hour is read whole, a missing one is not missed.
#[tokio::test(flavor = "multi_thread")]
async fn days_on_which_the_clock_changes_equal_the_truth() {
    for (born, hours_long) in [("2026-04-04T12:00:00Z", 40), ("2026-09-05T12:00:00Z", 40)] {
        let plan = OperationPlan::new("acme", zone("America/Santiago"))
            .volume(0.2)
            .never_closes();
        let mut stage = Stage::with(born, plan, all_reports).await;
        let mut now = at(born);
        poll_all(&mut stage, now).await;
        while now < at(born) + hours(hours_long) {
            now += SignedDuration::from_mins(61);
            poll_all(&mut stage, now).await;
        }
        assert_same(
            &shown(&stage.samples().await),
            &truth(&stage.acme(), at(born), now, Seen::By(now)),
            born,
        );
    }
}

/// Whatever the API's spelling is.
#[tokio::test(flavor = "multi_thread")]
async fn every_spelling_means_the_same() {
    let born = at("2026-11-18T13:00:00Z");
    for words in [WaitWords::Lower, WaitWords::Upper, WaitWords::Spanish] {
        for times in [TimeText::Seconds, TimeText::Clock] {
            let mut stage = Stage::with(&born.to_string(), plan(0.5, EventPlan::default()), all_reports).await;
            stage.acme().switch(|switches| {
                switches.wait_words = words;
                switches.times = times;
                switches.row_type_case = wolkvox_simulator::WordCase::Upper;
                switches.numbers = wolkvox_simulator::Numbers::Json;
                switches.layout = wolkvox_simulator::Layout::Compact;
            });
            poll_all(&mut stage, born).await;
            let now = born + hours(3);
            poll_all(&mut stage, now).await;
            let now = now + hours(2);
            poll_all(&mut stage, now).await;
            assert_same(
                &shown(&stage.samples().await),
                &truth(&stage.acme(), born, now, Seen::By(now)),
                "spelling",
            );
        }
    }
}
