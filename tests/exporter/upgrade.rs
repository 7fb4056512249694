//! State files of earlier versions open, show their totals, and go on.
//!
//! `tests/fixtures/state-0.1.0.redb.gz` was written by the first version, before reports had definitions of their own: three
//! hours of one simulated operation. The totals beside it are what that version served on `/metrics`.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use wolkvox_exporter::config::Operation;
use wolkvox_exporter::ledger::Storage;
use wolkvox_exporter::poller::PollSettings;
use wolkvox_exporter::reports::{ABANDONED_CALLS, CALL_DURATIONS, IVR, PREVIEW_CALLS, Report};
use wolkvox_simulator::{EventPlan, OperationPlan, Seen};

use crate::events::{all_reports, assert_same, shown, truth};
use crate::ledger::Folder;
use crate::support::{Samples, Stage, at, zone};

const BORN: &str = "2026-11-20T17:00:00Z";
const LAST_POLL: &str = "2026-11-20T20:00:00Z";
const COUNTING: [&Report; 4] = [&CALL_DURATIONS, &ABANDONED_CALLS, &PREVIEW_CALLS, &IVR];

/// The state knows its server by address, and a simulator has another port in each run. So the address is a name, and the
/// simulator its proxy.
fn behind_a_proxy(operation: &mut Operation, settings: &mut PollSettings) {
    all_reports(operation, settings);
    let simulator = std::mem::replace(&mut operation.base_url, "http://wolkvox.test".to_owned());
    operation.proxy = Some(simulator);
}

/// Counters and names of the reports, a line each.
fn totals(samples: &Samples) -> Vec<String> {
    let families = COUNTING.iter().flat_map(|report| report.families);
    let names: Vec<&str> = families.map(|family| family.name).collect();
    let of_reports = |name: &str| names.iter().any(|family| name.starts_with(family));
    let mut lines: Vec<String> = samples
        .iter()
        .filter(|(name, ..)| of_reports(name))
        .map(|(name, labels, value)| {
            let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
            format!("{name}{{{}}} {value}", labels.join(","))
        })
        .collect();
    lines.sort();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_of_the_first_version_opens_and_goes_on() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let packed = std::fs::read(fixtures.join("state-0.1.0.redb.gz")).unwrap();
    let mut state = Vec::new();
    GzDecoder::new(packed.as_slice()).read_to_end(&mut state).unwrap();
    let folder = Folder::new("upgrade");
    std::fs::create_dir_all(&folder.0).unwrap();
    std::fs::write(folder.0.join("acme.redb"), state).unwrap();

    let plan = OperationPlan::new("acme", zone("America/Bogota"))
        .volume(0.1)
        .events(EventPlan::default());
    let storage = Storage::file(&folder.0, "acme");
    let mut stage = Stage::with_storage(LAST_POLL, plan, storage, behind_a_proxy).await;
    let expected = std::fs::read_to_string(fixtures.join("state-0.1.0.totals.txt")).unwrap();
    let expected: Vec<&str> = expected.lines().collect();
    assert_eq!(totals(&stage.samples().await), expected, "before the first poll");

    // All that was counted comes again with the overlap, and the facts in the file are known.
    for report in COUNTING {
        stage.poll(report, LAST_POLL).await;
    }
    let samples = stage.samples().await;
    assert_eq!(totals(&samples), expected, "read again");
    for report in ["abandoned_calls", "preview_calls", "ivr"] {
        let rows = |outcome| samples.get("wolkvox_report_rows_total", &[("report", report), ("outcome", outcome)]);
        assert_eq!(rows("counted"), Some(0.0), "{report}");
        assert!(rows("duplicate") > Some(0.0), "{report}");
    }

    let later = "2026-11-20T21:00:00Z";
    for report in COUNTING {
        stage.poll(report, later).await;
    }
    let truth = truth(&stage.acme(), at(BORN), at(later), Seen::By(at(later)));
    assert_same(&shown(&stage.samples().await), &truth, "an hour later");
}
