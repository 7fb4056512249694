//! Rereads end, whatever happens to them, and disturb no live poll.

use jiff::{SignedDuration, Timestamp};
use wolkvox_exporter::config::Operation;
use wolkvox_exporter::poller::PollSettings;
use wolkvox_exporter::reports::{ABANDONED_CALLS, CALL_DURATIONS, CAMPAIGNS, Report};
use wolkvox_simulator::{EventPlan, Fault, Lateness, Seen};

use super::{all_reports, assert_same, hours, of_waits, plan, shown, truth};
use crate::ledger::Disk;
use crate::support::{Samples, Stage, at};

const BORN: &str = "2026-11-16T14:00:00Z";

fn of(samples: &Samples, name: &str, report: &'static Report) -> f64 {
    samples.get(name, &[("report", report.name)]).unwrap()
}

fn last_reread(samples: &Samples, report: &'static Report) -> Timestamp {
    let seconds = of(samples, "wolkvox_report_last_reread_timestamp_seconds", report);
    Timestamp::from_second(seconds as i64).unwrap()
}

/// One row in ten appears between one and eight hours late, when windows no longer reach it.
fn late() -> EventPlan {
    EventPlan {
        lateness: Lateness {
            hours: 0.1,
            days: 0.0,
            ..Lateness::default()
        },
        ..EventPlan::calm()
    }
}

/// No calls are left over for anything but what a day needs, answers are cut, and the process is restarted again and again.
/// Each reread goes on where the last poll stopped, and ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_reread_goes_on_over_polls_and_restarts_and_ends() {
    let adjust = |operation: &mut Operation, settings: &mut PollSettings| {
        all_reports(operation, settings);
        operation.reports.retain(|report, _| *report == &ABANDONED_CALLS);
        let config = operation.reports.get_mut(&ABANDONED_CALLS).unwrap();
        config.reread.every = std::time::Duration::from_secs(6 * 3600);
        // Live polls need one request each.
        config.overlap = std::time::Duration::from_secs(600);
        operation.daily_calls = u32::try_from(operation.calls_per_day()).unwrap() + 40;
        settings.cut_at = 190;
    };
    let disk = Disk::default();
    let mut stage = Stage::with_storage(BORN, plan(1.0, late()), disk.storage(), adjust).await;
    stage.acme().switch(|switches| switches.record_limit = Some(200));
    let born = at(BORN);
    let mut rereads = std::collections::BTreeSet::new();
    let mut now = born;
    for poll in 0..=18 * 12 {
        now = born + SignedDuration::from_mins(5 * poll);
        stage.poll(&ABANDONED_CALLS, &now.to_string()).await;
        let samples = stage.samples().await;
        assert_eq!(of(&samples, "wolkvox_up", &ABANDONED_CALLS), 1.0, "at {now}");
        rereads.insert(last_reread(&samples, &ABANDONED_CALLS));
        if poll % 7 == 0 {
            stage = stage.restart(|_, _| {});
            let restored = last_reread(&stage.samples().await, &ABANDONED_CALLS);
            assert_eq!(restored, last_reread(&samples, &ABANDONED_CALLS), "kept over a restart");
        }
    }
    assert!(rereads.len() >= 3, "{rereads:?}");
    let begun = *rereads.last().unwrap() - SignedDuration::from_mins(90);
    let seen = of_waits(truth(&stage.acme(), born, begun - hours(8), Seen::By(now)));
    let counted = shown(&stage.samples().await);
    for (series, count) in &seen {
        assert!(
            counted.get(series) >= Some(count),
            "{series:?}: {count} of {:?}",
            counted.get(series)
        );
    }
    let late = stage
        .samples()
        .await
        .all("wolkvox_report_row_lateness_seconds_bucket", &[("le", "7200.0")]);
    let all = of(
        &stage.samples().await,
        "wolkvox_report_row_lateness_seconds_count",
        &ABANDONED_CALLS,
    );
    assert!(late[0] < all, "rows that came more than two hours late were counted");
}

/// The API fails whenever an old window is asked for. Live polls stay good, the next attempt waits, and then it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_reread_that_fails_is_no_failure_of_live_polls() {
    let mut stage = Stage::with(BORN, plan(0.5, late()), all_reports).await;
    let (born, due) = (at(BORN), at(BORN) + hours(25));
    for report in [&CAMPAIGNS, &ABANDONED_CALLS, &CALL_DURATIONS] {
        for hour in 0..25 {
            stage.poll(report, &(born + hours(hour)).to_string()).await;
        }
    }
    let polls = async |stage: &mut Stage, now: Timestamp, fail: bool| {
        for report in [&ABANDONED_CALLS, &CALL_DURATIONS] {
            stage.acme().forget_log();
            if fail {
                stage.acme().inject(Fault::status(500).times(3).after(1));
            }
            stage.poll(report, &now.to_string()).await;
            stage.acme().clear_faults();
        }
        let samples = stage.samples().await;
        [&ABANDONED_CALLS, &CALL_DURATIONS].map(|report| {
            assert_eq!(of(&samples, "wolkvox_up", report), 1.0, "{report} at {now}");
            last_reread(&samples, report)
        })
    };
    let before = polls(&mut stage, due, true).await;
    assert!(before.iter().all(|reread| *reread < due), "{before:?}");
    let minutes = |minutes| due + SignedDuration::from_mins(minutes);
    assert_eq!(polls(&mut stage, minutes(5), false).await, before, "it waits");
    assert_eq!(stage.acme().observed().log.len(), 1, "one live request");
    assert_eq!(polls(&mut stage, minutes(15), false).await, [minutes(15); 2]);
    let now = minutes(15);
    let should = of_waits(truth(&stage.acme(), born, now, Seen::By(now)));
    assert_same(&shown(&stage.samples().await), &should, "with all late rows");
}
