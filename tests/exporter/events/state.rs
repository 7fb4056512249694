//! Counting goes on after a change of the configuration and after a disk failure.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use wolkvox_exporter::config::Operation;
use wolkvox_exporter::poller::PollSettings;
use wolkvox_exporter::reports::{ABANDONED_CALLS, CALL_DURATIONS, CAMPAIGNS, IVR, PREVIEW_CALLS};
use wolkvox_simulator::{EventPlan, Seen};

use super::{Counts, EVENTS, all_reports, assert_same, hours, plan, poll_all, shown, truth};
use crate::ledger::Disk;
use crate::support::{Stage, at, zone};

/// Changes of the configuration: nothing is counted twice, and nothing is lost that the rules promise.
#[tokio::test(flavor = "multi_thread")]
async fn changes_of_the_configuration_count_nothing_twice() {
    let born = at("2026-11-16T14:00:00Z");
    let disk = Disk::default();
    let mut stage = Stage::with_storage(
        &born.to_string(),
        plan(0.1, EventPlan::calm()),
        disk.storage(),
        all_reports,
    )
    .await;
    let mut now = born;
    poll_all(&mut stage, now).await;
    let run = async |stage: &mut Stage, now: &mut Timestamp, steps: u32| {
        for _ in 0..steps {
            *now += SignedDuration::from_mins(61);
            poll_all(stage, *now).await;
        }
    };
    run(&mut stage, &mut now, 60).await;

    // A longer overlap and a longer reread reach back beyond what is remembered: both are clamped.
    let longer = |operation: &mut Operation, _: &mut PollSettings| {
        for report in operation
            .reports
            .values_mut()
            .filter(|report| !report.overlap.is_zero())
        {
            report.overlap = Duration::from_secs(5 * 86_400);
            report.reread.back = Duration::from_secs(20 * 86_400);
        }
    };
    stage = stage.restart(longer);
    run(&mut stage, &mut now, 3).await;
    assert_same(
        &shown(&stage.samples().await),
        &truth(&stage.acme(), born, now, Seen::By(now)),
        "longer windows",
    );

    // A report that was taken out comes back: its totals are there at once, and the gap is caught up.
    let mut without = None;
    stage = stage.restart(|operation, _| without = operation.reports.remove(&ABANDONED_CALLS));
    for _ in 0..10 {
        now += SignedDuration::from_mins(61);
        stage.poll(&IVR, &now.to_string()).await;
        stage.poll(&PREVIEW_CALLS, &now.to_string()).await;
    }
    stage = stage.restart(|operation, _| {
        operation
            .reports
            .extend(without.map(|config| (&ABANDONED_CALLS, config)));
    });
    assert!(
        !stage
            .samples()
            .await
            .all("wolkvox_skill_interactions_total", &[])
            .is_empty(),
        "shown at once"
    );
    run(&mut stage, &mut now, 1).await;
    assert_same(
        &shown(&stage.samples().await),
        &truth(&stage.acme(), born, now, Seen::By(now)),
        "back again",
    );

    // A clock that jumps a day forth and back: the polls fail, and nothing moves.
    let jumped = now + hours(24);
    for report in EVENTS {
        stage.poll_with_wrong_clock(report, &jumped.to_string()).await;
        stage
            .poll_with_wrong_clock(report, &(now - hours(24)).to_string())
            .await;
    }
    run(&mut stage, &mut now, 2).await;
    assert_same(
        &shown(&stage.samples().await),
        &truth(&stage.acme(), born, now, Seen::By(now)),
        "clock jump",
    );

    // The zone was set wrong: rows are dated otherwise from now on, and none of them counts again.
    let before = shown(&stage.samples().await);
    stage = stage.restart(|operation, _| {
        operation.timezone = zone("America/Argentina/Buenos_Aires");
        operation.timezone_name = "America/Argentina/Buenos_Aires".to_owned();
    });
    poll_all(&mut stage, now).await;
    assert_same(
        &shown(&stage.samples().await),
        &before,
        "another zone counts nothing twice",
    );
    stage = stage.restart(|operation, _| {
        operation.timezone = zone("America/Bogota");
        operation.timezone_name = "America/Bogota".to_owned();
    });
    run(&mut stage, &mut now, 3).await;
    assert_same(
        &shown(&stage.samples().await),
        &truth(&stage.acme(), born, now, Seen::By(now)),
        "the zone is back",
    );

    // Another filter is another stream: totals stay, and what is older than the change is not counted.
    let before = shown(&stage.samples().await);
    let skill = stage.acme().truth().centre().skills[0].id.to_string();
    stage = stage.restart(|operation, _| {
        operation.reports.get_mut(&ABANDONED_CALLS).unwrap().choice.only = Some(skill.clone());
    });
    let changed = now;
    stage.poll(&ABANDONED_CALLS, &now.to_string()).await;
    assert_same(
        &shown(&stage.samples().await),
        &before,
        "another filter counts nothing of before",
    );
    now += hours(2);
    stage.poll(&ABANDONED_CALLS, &now.to_string()).await;
    let of_skill = |counts: &Counts, mine: bool| {
        let is_mine = |labels: &BTreeMap<String, String>| labels.get("skill_id") == Some(&skill);
        counts
            .iter()
            .filter(|((name, labels), _)| name == "wolkvox_skill_interactions_total" && is_mine(labels) == mine)
            .map(|(_, value)| value)
            .sum::<f64>()
    };
    let after = shown(&stage.samples().await);
    let grown = truth(&stage.acme(), changed, now, Seen::By(now));
    assert_eq!(of_skill(&after, true) - of_skill(&before, true), of_skill(&grown, true));
    assert_eq!(of_skill(&after, false), of_skill(&before, false));
}

/// What cannot be saved is not shown, and says so; when the disk is back, all is counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_is_a_failing_report_and_recovers() {
    let born = at("2026-11-18T13:00:00Z");
    let disk = Disk::default();
    let mut stage = Stage::with_storage(
        &born.to_string(),
        plan(0.5, EventPlan::calm()),
        disk.storage(),
        all_reports,
    )
    .await;
    poll_all(&mut stage, born).await;
    stage.poll(&CALL_DURATIONS, &born.to_string()).await;
    let mut now = born + hours(1);
    poll_all(&mut stage, now).await;
    let before = shown(&stage.samples().await);
    disk.fail_after(0);
    now += hours(1);
    poll_all(&mut stage, now).await;
    stage.poll(&CALL_DURATIONS, &now.to_string()).await;
    stage.poll(&CAMPAIGNS, &now.to_string()).await;
    let samples = stage.samples().await;
    for report in [&ABANDONED_CALLS, &PREVIEW_CALLS, &IVR, &CALL_DURATIONS] {
        let failed = [("report", report.name), ("reason", "state")];
        assert_eq!(
            samples.get("wolkvox_up", &[("report", report.name)]),
            Some(0.0),
            "{report}"
        );
        assert_eq!(
            samples.get("wolkvox_report_poll_failures_total", &failed),
            Some(1.0),
            "{report}"
        );
    }
    assert_eq!(
        samples.get("wolkvox_up", &[("report", "campaigns")]),
        Some(1.0),
        "state of now needs no disk"
    );
    assert!(samples.get("wolkvox_exporter_state_commit_failures_total", &[]) > Some(0.0));
    assert_same(&shown(&samples), &before, "nothing is shown that is not saved");
    disk.mend();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begin = Instant::now();
    // Opened again with back-off: the next polls may still come too early.
    while stage
        .samples()
        .await
        .get("wolkvox_up", &[("report", "abandoned_calls")])
        != Some(1.0)
    {
        assert!(begin.elapsed() < Duration::from_secs(30), "never recovered");
        tokio::time::sleep(Duration::from_millis(300)).await;
        now += SignedDuration::from_mins(5);
        poll_all(&mut stage, now).await;
    }
    now += SignedDuration::from_mins(61);
    poll_all(&mut stage, now).await;
    assert_same(
        &shown(&stage.samples().await),
        &truth(&stage.acme(), born, now, Seen::By(now)),
        "recovered",
    );
}
