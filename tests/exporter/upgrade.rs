//! State files of earlier versions open, show their totals, and go on.
//!
//! `tests/fixtures/state-0.1.0.redb.gz` was written by the first version, before reports had definitions of their own: three
//! hours of one simulated operation. The totals beside it are what that version served on `/metrics`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use redb::{Database, ReadableTable, TableDefinition};
use wolkvox_exporter::config::Operation;
use wolkvox_exporter::ledger::Storage;
use wolkvox_exporter::poller::PollSettings;
use wolkvox_exporter::reports::{ABANDONED_CALLS, CALL_DURATIONS, IVR, PREVIEW_CALLS, Report};
use wolkvox_simulator::{EventPlan, OperationPlan, Seen};

use crate::events::{Counts, all_reports, assert_same, shown, truth_of};
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
    let families = COUNTING
        .iter()
        .flat_map(|report| report.families.iter().chain(report.names));
    let names: Vec<&str> = families.map(|family| family.name).collect();
    let of_reports = |name: &str| names.iter().any(|family| name.starts_with(family));
    let mut lines: Vec<String> = samples
        .iter()
        .filter(|(name, labels, _)| of_reports(name) && !labels.get("le").is_some_and(|bound| is_new(name, bound)))
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
    let truth = truth_of(&stage.acme(), &COUNTING, at(BORN), at(later), Seen::By(at(later)));
    assert_same(&shown(&stage.samples().await), &truth, "an hour later");
}

/// A state as the first version leaves it, with calls that waited for longer than its highest bound: they stay above it, and
/// nothing that was shown falls.
#[tokio::test(flavor = "multi_thread")]
async fn a_histogram_with_fewer_bounds_goes_on() {
    let folder = Folder::new("bounds");
    let storage = || Storage::file(&folder.0, "acme");
    let plan = OperationPlan::new("acme", zone("America/Bogota")).volume(20.0);
    let mut stage = Stage::with_storage(BORN, plan, storage(), all_reports).await;
    stage.poll(&ABANDONED_CALLS, BORN).await;
    stage.poll(&ABANDONED_CALLS, LAST_POLL).await;
    let before = shown(&stage.samples().await);
    let stage = stage.restart_after(|| first_bounds_only(&folder.0.join("acme.redb")), all_reports);

    let after = shown(&stage.samples().await);
    let in_bucket = |counts: &Counts, bound: &str| -> f64 {
        let of_bound = |(name, labels): &(String, BTreeMap<String, String>)| {
            name == "wolkvox_abandon_time_seconds_bucket" && labels["le"] == bound
        };
        counts
            .iter()
            .filter(|(series, _)| of_bound(series))
            .map(|(_, n)| n)
            .sum()
    };
    for (series, count) in &before {
        let is_new = series.1.get("le").is_some_and(|bound| is_new(&series.0, bound));
        assert!(is_new || after.get(series) == Some(count), "{series:?}");
    }
    let longer = in_bucket(&before, "+Inf") - in_bucket(&before, "600.0");
    assert!(longer >= 3.0, "{longer} waited for longer");
    assert_eq!(in_bucket(&after, "86400.0"), in_bucket(&before, "600.0"));

    let (mut stage, later) = (stage, at("2026-11-20T21:00:00Z"));
    stage.poll(&ABANDONED_CALLS, &later.to_string()).await;
    let last = shown(&stage.samples().await);
    let truth = truth_of(&stage.acme(), &[&ABANDONED_CALLS], at(BORN), later, Seen::By(later));
    assert_eq!(in_bucket(&last, "+Inf"), in_bucket(&truth, "+Inf"));
    assert_eq!(in_bucket(&last, "86400.0"), in_bucket(&truth, "86400.0") - longer);
}

/// Makes the state one of the first version: without the bounds, and with the twelve that it had.
fn first_bounds_only(file: &Path) {
    const COUNTERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("counters");
    const BOUNDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("bounds");
    let database = Database::open(file).unwrap();
    let transaction = database.begin_write().unwrap();
    assert!(transaction.delete_table(BOUNDS).unwrap(), "the state has its bounds");
    let mut counters = transaction.open_table(COUNTERS).unwrap();
    let waits: Vec<(String, serde_json::Value)> = counters
        .iter()
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|(key, _)| key.value().contains("wolkvox_abandon_time_seconds"))
        .map(|(key, value)| (key.value().to_owned(), serde_json::from_slice(value.value()).unwrap()))
        .collect();
    for (key, mut counter) in waits {
        let counts = counter["total"]["Histogram"]["counts"].as_array_mut().unwrap();
        let longer: u64 = counts.drain(12..).map(|count| count.as_u64().unwrap()).sum();
        counts.push(longer.into());
        let counter = serde_json::to_vec(&counter).unwrap();
        counters.insert(key.as_str(), counter.as_slice()).unwrap();
    }
    drop(counters);
    transaction.commit().unwrap();
}

/// Whether a bucket of abandoned calls was not in the first version.
fn is_new(name: &str, bound: &str) -> bool {
    const BOUNDS: [&str; 4] = ["1800.0", "3600.0", "21600.0", "86400.0"];
    name == "wolkvox_abandon_time_seconds_bucket" && BOUNDS.contains(&bound)
}
