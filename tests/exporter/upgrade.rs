//! State files of earlier versions open, show their totals, and go on.
//!
//! `tests/fixtures/state-0.1.0.redb.gz` was written by the first version, before reports had definitions of their own: three
//! hours of one simulated operation. The totals beside it are what that version served on `/metrics`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
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
    // The first version showed codes like this one. Their series end, and what is typed from now on is counted as a number.
    let (codes, expected): (Vec<&str>, Vec<&str>) = expected
        .lines()
        .partition(|line: &&str| line.contains(r#"option="12345""#));
    assert_eq!(totals(&stage.samples().await), expected, "before the first poll");

    // All that was counted comes again with the overlap, and the facts in the file are known.
    for report in COUNTING {
        stage.poll(report, LAST_POLL).await;
    }
    let samples = stage.samples().await;
    let is_born = |line: &String| line.contains(r#"option="number""#) && line.ends_with(" 0");
    let mut again = totals(&samples);
    again.retain(|line| !is_born(line));
    assert_eq!(again, expected, "read again");
    for report in ["abandoned_calls", "preview_calls", "ivr"] {
        let rows = |outcome| samples.get("wolkvox_report_rows_total", &[("report", report), ("outcome", outcome)]);
        assert_eq!(rows("counted"), Some(0.0), "{report}");
        assert!(rows("duplicate") > Some(0.0), "{report}");
    }

    let later = "2026-11-20T21:00:00Z";
    for report in COUNTING {
        stage.poll(report, later).await;
    }
    let mut truth = truth_of(&stage.acme(), &COUNTING, at(BORN), at(later), Seen::By(at(later)));
    truth.retain(|(name, labels), count| {
        let is_number = name == "wolkvox_ivr_selections_total" && labels["option"] == "number";
        let of_point = |line: &&&str| is_number && line.contains(&format!("rp_id={:?}", labels["rp_id"]));
        let ended = codes.iter().filter(of_point).filter_map(|line| line.rsplit(' ').next());
        *count -= ended.map(|count| count.parse::<f64>().unwrap()).sum::<f64>();
        !is_number || *count > 0.0
    });
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

/// The first version took menu options of up to five digits, and names and ids with longer numbers, as they were. They leave
/// the page and the file.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_a_persons_number_is_dropped() {
    const NAMES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("names");
    let folder = Folder::new("numbers");
    let file = folder.0.join("acme.redb");
    let plan = OperationPlan::new("acme", zone("America/Bogota"));
    let mut stage = Stage::with_storage(BORN, plan, Storage::file(&folder.0, "acme"), all_reports).await;
    for report in [&IVR, &ABANDONED_CALLS] {
        stage.poll(report, BORN).await;
        stage.poll(report, LAST_POLL).await;
    }
    let before = shown(&stage.samples().await);
    let counter = r#"{"total":{"Count":7},"released":true,"last":"2026-11-20"}"#;
    let name = r#"{"name":"Llamar al 573001234567","at":"2026-11-20T17:00:00Z"}"#;
    let numbers = ["90210", "573001234567", "99000777123456"];
    let add = || {
        let database = Database::open(&file).unwrap();
        let transaction = database.begin_write().unwrap();
        for series in [
            r#"["wolkvox_ivr_selections",["7100","90210"]]"#,
            r#"["wolkvox_skill_interactions",["573001234567","voice","answered"]]"#,
        ] {
            let mut counters = transaction.open_table(COUNTERS).unwrap();
            counters.insert(series, counter.as_bytes()).unwrap();
        }
        for id in [r#"["wolkvox_skill","4000"]"#, r#"["wolkvox_skill","99000777123456"]"#] {
            let mut names = transaction.open_table(NAMES).unwrap();
            names.insert(id, name.as_bytes()).unwrap();
        }
        transaction.commit().unwrap();
    };
    let stage = stage.restart_after(add, all_reports);
    assert_eq!(shown(&stage.samples().await), before);
    let page = stage.page.text("text/plain").await;
    drop(stage);
    let database = Database::open(&file).unwrap();
    let reading = database.begin_read().unwrap();
    let mut stored = String::new();
    for table in [COUNTERS, NAMES] {
        for entry in reading.open_table(table).unwrap().iter().unwrap() {
            let (key, value) = entry.unwrap();
            stored += &format!("{} {}\n", key.value(), String::from_utf8_lossy(value.value()));
        }
    }
    for number in numbers {
        assert!(!page.contains(number) && !stored.contains(number), "{number}");
    }
}

const COUNTERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("counters");

/// Makes the state one of the first version: without the bounds, and with the twelve that it had.
fn first_bounds_only(file: &Path) {
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
