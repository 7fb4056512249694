//! Disks that fail, and a database that panics: the cause is in every message, and nothing else happens.

use std::time::Duration;

use tokio::time::Instant;
use wolkvox_exporter::clock::Moment;
use wolkvox_exporter::ledger::Ledger;
use wolkvox_exporter::reports::{ABANDONED_CALLS, CALL_DURATIONS};
use wolkvox_simulator::{EventPlan, OperationPlan};

use super::{BIRTH, Disk, Fails, moment};
use crate::events::all_reports;
use crate::support::{Stage, get, zone};

const DAY: jiff::civil::Date = jiff::civil::date(2026, 11, 18);
const ENOSPC: i32 = 28;
const EIO: i32 = 5;
const EROFS: i32 = 30;

/// Whatever write fails, the first message and all later ones name the cause and what helps.
#[test]
fn every_message_names_the_cause() {
    let causes = [
        (ENOSPC, "No space left on device", "make room on its disk"),
        (EIO, "Input/output error", "check the disk"),
        (EROFS, "Read-only file system", "how its disk is mounted"),
    ];
    for (error, cause, advice) in causes {
        for writes in 0.. {
            let disk = Disk::default();
            let mut ledger = Ledger::open(disk.storage(), Duration::ZERO, 5000, moment(BIRTH)).unwrap();
            disk.fail(writes, Fails::With(error));
            let Err(first) = ledger.commit_calls(DAY, 3, moment(BIRTH)) else {
                assert!(writes > 3, "{writes} writes");
                break;
            };
            // At once, when it is not tried again yet; and later, when opening fails.
            let at_once = Moment {
                monotonic: Instant::now(),
                ..moment(BIRTH)
            };
            let again = ledger.commit_calls(DAY, 3, at_once).unwrap_err();
            let later = ledger.commit_calls(DAY, 3, moment(BIRTH)).unwrap_err();
            for message in [first, again, later] {
                let message = message.to_string();
                assert!(message.contains("on a disk that fails: it c"), "{writes}: {message}");
                assert!(
                    message.contains(cause) && message.contains(advice),
                    "{writes}: {message}"
                );
            }
            disk.mend();
            ledger.commit_calls(DAY, 3, moment(BIRTH)).unwrap();
        }
    }
}

#[test]
fn a_full_disk_at_the_start_is_told() {
    for writes in 0..3 {
        let disk = Disk::default();
        disk.fail(writes, Fails::With(ENOSPC));
        let opened = Ledger::open(disk.storage(), Duration::ZERO, 5000, moment(BIRTH));
        let error = opened.unwrap_err().to_string();
        assert!(error.contains("No space left on device"), "{error}");
        assert!(error.contains("make room on its disk"), "{error}");
    }
}

/// A panic of the database is an error like any other: the process lives on, and counts when the disk works again.
#[test]
fn a_panic_is_an_error() {
    let disk = Disk::default();
    let mut ledger = Ledger::open(disk.storage(), Duration::ZERO, 5000, moment(BIRTH)).unwrap();
    ledger.commit_calls(DAY, 3, moment(BIRTH)).unwrap();
    for writes in 0..4 {
        disk.fail(writes, Fails::Panicking);
        let Err(error) = ledger.commit_calls(DAY, 4 + writes, moment(BIRTH)) else {
            break;
        };
        let error = error.to_string();
        assert!(
            error.contains("on a disk that fails: it is probably damaged"),
            "{error}"
        );
        assert!(error.contains("the disk has burnt down (ledger.rs:"), "{error}");
        disk.mend();
        ledger.commit_calls(DAY, 40 + writes, moment(BIRTH)).unwrap();
        assert_eq!(ledger.calls_used(DAY), 40 + writes);
    }
    drop(ledger);
    disk.fail(0, Fails::Panicking);
    let error = Ledger::open(disk.storage(), Duration::ZERO, 5000, moment(BIRTH)).unwrap_err();
    assert!(error.to_string().contains("the disk has burnt down"), "{error}");
}

/// Also on the status page, and not hidden by what fails after it.
#[tokio::test(flavor = "multi_thread")]
async fn the_status_page_names_the_cause() {
    let now = "2026-11-18T13:00:00Z";
    let disk = Disk::default();
    let plan = OperationPlan::new("acme", zone("America/Bogota")).events(EventPlan::calm());
    let mut stage = Stage::with_storage(now, plan, disk.storage(), all_reports).await;
    disk.fail(0, Fails::With(ENOSPC));
    for report in [&ABANDONED_CALLS, &CALL_DURATIONS] {
        for _ in 0..2 {
            stage.poll(report, now).await;
        }
    }
    let page = get(&stage.page.0.replace("/metrics", "/"), &[])
        .await
        .text()
        .await
        .unwrap();
    assert!(
        page.contains("No space left on device (os error 28); make room on its disk"),
        "{page}"
    );
    assert_eq!(
        page.matches("No space left on device").count(),
        1,
        "one card for both: {page}"
    );
    let url = stage.page.0.replace("/metrics", "/?lang=es");
    let page = get(&url, &[]).await.text().await.unwrap();
    assert!(
        page.contains("no se pudo guardar: no queda espacio en el disco (os error 28); libere espacio en su disco"),
        "{page}"
    );
}
