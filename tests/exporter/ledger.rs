//! The ledger against the truth: any order, repetition, overlap and split of rows, and a crash at any write, give the
//! same totals; and files that are not what they should be are refused.

mod crashes;
mod damage;
mod disks;
mod files;
mod places;
mod series;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use redb::StorageBackend;
use tokio::time::Instant;
use wolkvox_exporter::clock::Moment;
use wolkvox_exporter::ledger::{Ledger, PartOf, Piece, Storage};
use wolkvox_exporter::metrics::series::{Amount, Value};
use wolkvox_exporter::reports::events::{Asked, EventReader, Events};
use wolkvox_exporter::reports::{ABANDONED_CALLS, Kind, Report};
use wolkvox_exporter::wire::Rows;

use crate::support::zone;

/// A disk that fails from a certain write on, until it is mended. What was written before stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<DiskState>>);

#[derive(Debug, Default)]
struct DiskState {
    bytes: Vec<u8>,
    writes_left: Option<u32>,
    writes: u32,
    fails: Fails,
}

/// How a disk fails.
#[derive(Clone, Copy, Debug, Default)]
enum Fails {
    #[default]
    Somehow,
    /// With this error of the system.
    With(i32),
    Panicking,
}

impl Disk {
    pub(crate) fn storage(&self) -> Storage {
        let disk = self.clone();
        Storage::custom("on a disk that fails", move |builder| {
            builder.create_with_backend(disk.clone())
        })
    }

    pub(crate) fn fail_after(&self, writes: u32) {
        self.0.lock().unwrap().writes_left = Some(writes);
    }

    fn fail(&self, after: u32, fails: Fails) {
        self.fail_after(after);
        self.0.lock().unwrap().fails = fails;
    }

    pub(crate) fn mend(&self) {
        self.0.lock().unwrap().writes_left = None;
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().bytes.clone()
    }

    fn writes(&self) -> u32 {
        self.0.lock().unwrap().writes
    }

    /// Counts a write, and fails it when its time has come.
    fn change(&self, change: impl FnOnce(&mut Vec<u8>)) -> Result<(), io::Error> {
        let mut state = self.0.lock().unwrap();
        if state.writes_left == Some(0) {
            let fails = state.fails;
            drop(state);
            return Err(match fails {
                Fails::Somehow => io::Error::other("the disk is gone"),
                Fails::With(error) => io::Error::from_raw_os_error(error),
                Fails::Panicking => panic!("the disk has burnt down"),
            });
        }
        state.writes_left = state.writes_left.map(|left| left - 1);
        state.writes += 1;
        change(&mut state.bytes);
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.0.lock().unwrap().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let state = self.0.lock().unwrap();
        let offset = offset as usize;
        let bytes = state
            .bytes
            .get(offset..offset + out.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.change(|bytes| bytes.resize(len as usize, 0))
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.change(|_| {})
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.change(|bytes| bytes[offset as usize..offset as usize + data.len()].copy_from_slice(data))
    }
}

const BIRTH: i64 = 1_795_000_000;
const REPORT: &Report = &ABANDONED_CALLS;

/// Each moment is some minutes after the one before, so that a database that was closed may be opened again.
fn moment(second: i64) -> Moment {
    static MOMENTS: AtomicU64 = AtomicU64::new(0);
    let minutes = 2 * MOMENTS.fetch_add(1, Ordering::Relaxed);
    let monotonic = Instant::now() + Duration::from_secs(60 * minutes);
    Moment {
        wall: Timestamp::from_second(second).unwrap(),
        monotonic,
    }
}

/// A call that waited for a skill; several may be alike.
#[derive(Clone, Debug)]
struct Call {
    second: i64,
    skill: u8,
    conn: u8,
    abandoned: bool,
    alike: u8,
    /// How many of them are not complete yet: without the time that they waited, without a result, or without both.
    unfinished: u8,
}

impl Call {
    /// The call as an answer has it, with so many rows that are not complete.
    fn with_unfinished(&self, rows: u8) -> Self {
        Self {
            unfinished: rows.min(self.alike),
            ..self.clone()
        }
    }
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = (
        0i64..2000,
        0u8..3,
        any::<u8>(),
        any::<bool>(),
        prop_oneof![5 => Just(1u8), 1 => 2u8..4],
    );
    let calls = prop::collection::vec(call, 1..60);
    calls.prop_map(|calls| {
        let calls = calls.into_iter().map(|(second, skill, conn, abandoned, alike)| Call {
            second,
            skill,
            conn,
            abandoned,
            alike,
            unfinished: 0,
        });
        // One identity, one set of values.
        let unique: BTreeMap<_, _> = calls.map(|call| ((call.second, call.skill, call.conn), call)).collect();
        unique.into_values().collect()
    })
}

/// A birth at a second.
fn born_at(second: i64) -> PartOf {
    let at = Timestamp::from_second(second).unwrap();
    PartOf::Birth { until: at, born: at }
}

/// The rows of the calls, in any order, as a piece.
fn piece(ledger: &Ledger, calls: &[&Call], until: i64, part_of: PartOf, seed: u64) -> Piece {
    let mut rows: Vec<String> = Vec::new();
    for call in calls {
        let date = Timestamp::from_second(BIRTH + call.second)
            .unwrap()
            .to_zoned(zone("America/Bogota"));
        let result = if call.abandoned { "abandoned" } else { "Answered" };
        let row = |result: &str, time: &str| {
            format!(
                r#"{{"skill_id":"{}","skill_name":"S","conn_id":"c{}","date":"{}","result":"{result}","abandon_time":"{time}"}}"#,
                call.skill,
                call.conn,
                date.strftime("%Y-%m-%d %H:%M:%S"),
            )
        };
        let time = call.conn.to_string();
        let complete = call.alike - call.unfinished;
        rows.extend((0..complete).map(|_| row(result, &time)));
        rows.extend((0..call.unfinished).map(|_| match call.conn % 3 {
            0 => row(result, ""),
            1 => row("", &time),
            _ => row("", ""),
        }));
    }
    fastrand::Rng::with_seed(seed).shuffle(&mut rows);
    let Kind::Events(events) = &REPORT.kind else {
        unreachable!()
    };
    // No whole minute, so that no call is missed in the answer.
    let end = Timestamp::from_second(BIRTH + until).unwrap();
    let end = zone("America/Bogota").to_datetime(end);
    let asked = Asked {
        first: end,
        last: end,
        final_before: Timestamp::MIN,
    };
    let mut reader = EventReader::new(events, Events::new(&zone("America/Bogota"), ledger.hash_key(), asked));
    for row in &rows {
        assert_eq!(reader.value(None, row), Ok(Some(row.len())));
    }
    Piece {
        report: REPORT,
        until: Timestamp::from_second(BIRTH + until).unwrap(),
        part_of,
        overlap: SignedDuration::from_secs(300),
        reread_back: SignedDuration::from_hours(1),
        reread_reach: SignedDuration::from_hours(1),
        record_limit: None,
        answer: reader.finish(),
        backlog_before: Timestamp::MIN,
    }
}

/// What is shown: by series, the count, or count and sum of a histogram.
fn shown(ledger: &Ledger) -> BTreeMap<String, (u64, u64)> {
    let mut shown = BTreeMap::new();
    for family in ledger.visible_series(REPORT.families) {
        for series in family.series {
            let value = match series.value {
                Value::Amount(Amount::Count(count)) => (count, 0),
                Value::Histogram(histogram) => (histogram.counts.iter().sum(), histogram.sum.0 / 1_000_000),
                _ => continue,
            };
            shown.insert(format!("{} {}", family.family.name, series.labels.join(" ")), value);
        }
    }
    shown
}

fn truth(calls: &[Call]) -> BTreeMap<String, (u64, u64)> {
    let mut truth = BTreeMap::new();
    for call in calls {
        let (skill, n) = (call.skill, u64::from(call.alike));
        for result in ["abandoned", "answered", "other"] {
            truth
                .entry(format!("wolkvox_skill_interactions {skill} none {result}"))
                .or_insert((0, 0));
        }
        let result = if call.abandoned { "abandoned" } else { "answered" };
        truth
            .entry(format!("wolkvox_skill_interactions {skill} none {result}"))
            .or_default()
            .0 += n;
        let time: &mut (u64, u64) = truth
            .entry(format!("wolkvox_abandon_time_seconds {skill} none"))
            .or_default();
        if call.abandoned {
            time.0 += n;
            time.1 += n * u64::from(call.conn);
        }
    }
    truth
}

pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        Self::within(&std::env::temp_dir(), name)
    }

    /// In memory where there is such a place, for so many files that a disk would be most of the test.
    pub(crate) fn without_disk(name: &str) -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() {
            Self::within(memory, name)
        } else {
            Self::new(name)
        }
    }

    fn within(parent: &Path, name: &str) -> Self {
        let folder = parent.join(format!("wolkvox_exporter-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
