//! What is not well although every report is read makes the page amber, says why and what to do.

use jiff::SignedDuration;
use wolkvox_exporter::health::OperationHealth;
use wolkvox_exporter::ledger::Storage;
use wolkvox_exporter::metrics::process;
use wolkvox_exporter::published::Published;
use wolkvox_exporter::reports::{Assumption, CAMPAIGNS, IVR, SKILLS, Tally};
use wolkvox_simulator::OperationPlan;

use super::{NOON, has, html, publish, served_page, words};
use crate::ledger::Disk;
use crate::support::{Stage, at, zone};

type Change = fn(&mut OperationHealth);

/// The overview and the page of an operation that is not well, beside one that is.
async fn pages_with(change: Change) -> (String, String) {
    let published = Published::new(process::registry(at(NOON)).0);
    publish(&published, "acme", change);
    publish(&published, "globex", |_| {});
    for n in 0..3 {
        publish(&published, &format!("other-{n}"), |_| {});
    }
    let page = served_page(published).await;
    (
        words(&html(&page, "").await),
        words(&html(&page, "?operation=acme").await),
    )
}

#[tokio::test]
async fn what_is_late_missing_or_doubtful_makes_the_page_amber() {
    let report: [(Change, &str, &str); 4] = [
        (
            |health| health.reports.get_mut(&IVR).unwrap().one_of = 3,
            "acme (ivr) polls left out The calls left for today are too few",
            "ivr ▲ up: polls left out",
        ),
        (
            // Read now, but only up to two hours ago.
            |health| {
                let ivr = health.reports.get_mut(&IVR).unwrap();
                ivr.data = Some(at(NOON) - SignedDuration::from_hours(2));
            },
            "acme (ivr) late The data is older than three intervals.",
            "ivr ▲ up: late",
        ),
        (
            |health| {
                let ivr = health.reports.get_mut(&IVR).unwrap();
                ivr.success(at(NOON) - SignedDuration::from_mins(16));
            },
            "acme (ivr) late",
            "ivr ▲ up: late",
        ),
        (
            |health| {
                let mut tally = Tally::default();
                tally.violation(Assumption::CountMatches);
                let skills = health.reports.get_mut(&SKILLS).unwrap();
                skills.violations.add(&tally, at(NOON));
            },
            "acme (skills) doubtful Something that the exporter takes for granted",
            "skills ▲ up: doubtful",
        ),
    ];
    let operation: [(Change, &str); 2] = [
        (
            |health| health.state.is_failing = true,
            "acme not saved The state could not be saved. Counters stand still until it can. What to do: check the disk",
        ),
        (
            |health| health.dropped_at = Some(at(NOON) - SignedDuration::from_mins(59)),
            "acme over series_limit There are more label sets than series_limit allows.",
        ),
    ];
    let report = report.map(|(change, card, state)| (change, card, Some(state)));
    for (change, card, state) in report
        .into_iter()
        .chain(operation.map(|(change, card)| (change, card, None)))
    {
        let (overview, own) = pages_with(change).await;
        for text in [&overview, &own] {
            has(
                text,
                &["▲ 1 of 5 operations limited · 55 reports up", card, "What to do: "],
            );
            assert_eq!(text.matches(card).count(), 1, "{text}");
        }
        has(&overview, &["acme ▲ limited", "globex ● 11 up"]);
        has(&own, &[state.unwrap_or("ivr ● up")]);
    }
}

#[tokio::test]
async fn data_that_must_settle_first_is_not_late() {
    let settling: Change = |health| {
        let ivr = health.reports.get_mut(&IVR).unwrap();
        ivr.settle = std::time::Duration::from_secs(2 * 60 * 60);
        ivr.data = Some(at(NOON) - SignedDuration::from_hours(2));
    };
    has(&pages_with(settling).await.0, &["● All is well: 55 reports up"]);
}

#[tokio::test]
async fn calls_of_other_programs_and_a_state_in_memory_are_notes() {
    let noted: Change = |health| {
        health.used_by_others = Some(1200);
        health.state.is_on_disk = false;
        health.dropped_at = Some(at(NOON) - SignedDuration::from_hours(1));
    };
    let (overview, own) = pages_with(noted).await;
    for text in [&overview, &own] {
        has(text, &["● All is well: 55 reports up"]);
    }
    has(
        &own,
        &["Counts are kept in memory alone and begin at 0 with each start: set state_path."],
    );
}

/// The reports of what happens now need no disk, so that they are up.
#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_not_saved_is_told_although_all_reports_are_up() {
    let disk = Disk::default();
    let storage: Storage = disk.storage();
    let plan = OperationPlan::new("acme", zone("America/Bogota"));
    let mut stage = Stage::with_storage(NOON, plan, storage, |operation, _| {
        operation.reports.retain(|report, _| *report == &CAMPAIGNS);
    })
    .await;
    disk.fail_after(0);
    stage.poll(&CAMPAIGNS, NOON).await;
    has(
        &words(&html(&stage.page, "").await),
        &["▲ 1 of 1 operation limited · 1 report up", "acme not saved"],
    );
    disk.mend();
    // The database is opened again after a second.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    stage.poll(&CAMPAIGNS, "2026-11-20T17:05:00Z").await;
    has(&words(&html(&stage.page, "").await), &["● All is well: 1 report up"]);
}
