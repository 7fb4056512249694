//! Days of polls, with and without trouble, against the truth.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::date;
use wolkvox_exporter::config::Operation;
use wolkvox_exporter::poller::PollSettings;
use wolkvox_exporter::reports::Report;
use wolkvox_simulator::{
    Api, EventPlan, Fault, FirstWait, LateDay, Moved, OperationPlan, OverLimit, Returns, RowOrder, Seen, Switches,
    TimeText, Unfinished, WaitWords,
};

use super::{Counts, EVENTS, all_reports, assert_same, hours, plan, poll_all, shown, truth};
use crate::ledger::Disk;
use crate::support::{Samples, Stage, at, zone};

/// Nine days over a month's end: rows late by up to 40 hours, codes typed hours later, twins, one poll in five failing in
/// one way or another, restarts every day and a half. In the end everything is counted, to the last bucket.
#[tokio::test(flavor = "multi_thread")]
async fn days_of_trouble_equal_the_truth() {
    let trouble = Trouble {
        days: 9,
        events: EventPlan::default(),
        settle: SignedDuration::ZERO,
        switch: |_| (),
    };
    trouble.equals_the_truth().await;
}

/// Three weeks of the same with everything else that may happen: rows that are filled in later, typed in any order, or move;
/// connections that come back, IVR rows that say what was known at their date, rows in any order, a record limit that nobody
/// has configured, and days that are empty at first. Rows are read when they are settled.
#[tokio::test(flavor = "multi_thread")]
async fn weeks_with_everything_at_once_equal_the_truth() {
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
        moved: Moved {
            share: 0.05,
            after: SignedDuration::from_mins(30),
            ..Moved::default()
        },
        ..EventPlan::default()
    };
    let trouble = Trouble {
        days: 21,
        events,
        settle: SignedDuration::from_mins(10),
        switch: |switches| {
            switches.row_order = RowOrder::Mixed;
            switches.record_limit = Some(100);
            switches.over_limit = OverLimit::SilentCut;
            switches.late_days = [Api::Skill2, Api::Campaign5, Api::Diagram1]
                .map(|report| LateDay {
                    report,
                    date: date(2026, 11, 5),
                    until: at("2026-11-06T20:00:00Z"),
                })
                .into();
        },
    };
    trouble.equals_the_truth().await;
}

/// Days of an operation with one poll in five failing and restarts.
struct Trouble {
    days: i64,
    events: EventPlan,
    settle: SignedDuration,
    switch: fn(&mut Switches),
}

impl Trouble {
    async fn equals_the_truth(self) {
        let Self {
            days,
            events,
            settle,
            switch,
        } = self;
        let moves = events.moved.share > 0.0;
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
            switch(switches);
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
        let end = born + hours(days * 24);
        let mut last_restart = born;
        let mut moved = 0.0;
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
                moved += moved_rows(&stage.samples().await);
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
        moved += moved_rows(&samples);
        assert_eq!(moved > 100.0, moves, "{moved} rows have moved");
        let up = EVENTS.map(|report| samples.get("wolkvox_up", &[("report", report.name)]));
        assert_eq!(up, [Some(1.0); EVENTS.len()]);
        assert_same(
            &shown(&samples),
            &truth(&stage.acme(), born - settle, now - settle, Seen::By(now)),
            &format!("after {days} days"),
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
}

/// How many rows came again with another date, since the last start.
fn moved_rows(samples: &Samples) -> f64 {
    let of = |report: &Report| [("report", report.name), ("assumption", "dated_once")];
    let violations = EVENTS.map(|report| samples.get("wolkvox_report_assumption_violations_total", &of(report)));
    violations.into_iter().flatten().sum()
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

/// In Santiago the clock goes back from 24:00 to 23:00 on 4 April 2026, at 03:00 UTC. Rows of the second pass have the same
/// dates as those of the first, which the first poll must know to count nothing of before it.
#[tokio::test(flavor = "multi_thread")]
async fn a_birth_in_the_second_pass_of_an_hour_counts_what_comes_after_it() {
    let born = at("2026-04-05T03:25:30Z");
    let dated = born - hours(1);
    for overlap in [Duration::from_secs(600), Duration::from_secs(7200)] {
        let plan = OperationPlan::new("acme", zone("America/Santiago"))
            .volume(2.0)
            .never_closes()
            .events(EventPlan::calm());
        let adjust = |operation: &mut Operation, settings: &mut PollSettings| {
            all_reports(operation, settings);
            for report in operation.reports.values_mut() {
                report.overlap = overlap;
            }
        };
        let mut stage = Stage::with(&born.to_string(), plan, adjust).await;
        poll_all(&mut stage, born).await;
        let seen_at_birth = truth(&stage.acme(), dated, born, Seen::By(born));
        assert!(!seen_at_birth.is_empty());
        let mut now = born;
        for _ in 0..20 {
            now += SignedDuration::from_mins(7);
            poll_all(&mut stage, now).await;
            let mut expected = truth(&stage.acme(), dated, now, Seen::By(now));
            for (series, count) in &seen_at_birth {
                *expected.get_mut(series).expect("counts only grow") -= count;
            }
            expected.retain(|_, count| *count > 0.0);
            assert_same(
                &shown(&stage.samples().await),
                &expected,
                &format!("{overlap:?}, {now}"),
            );
        }
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
