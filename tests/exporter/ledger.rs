//! The ledger against the truth: any order, repetition, overlap and split of rows, and a crash at any write, give the
//! same totals; and files that are not what they should be are refused.

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
use wolkvox_exporter::reports::events::{EventReader, Events};
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
            return Err(io::Error::other("the disk is gone"));
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
        });
        // One identity, one set of values.
        let unique: BTreeMap<_, _> = calls.map(|call| ((call.second, call.skill, call.conn), call)).collect();
        unique.into_values().collect()
    })
}

/// The rows of the calls, in any order, as a piece.
fn piece(ledger: &Ledger, calls: &[&Call], until: i64, part_of: PartOf, seed: u64) -> Piece {
    let mut rows: Vec<String> = Vec::new();
    for call in calls {
        let date = Timestamp::from_second(BIRTH + call.second)
            .unwrap()
            .to_zoned(zone("America/Bogota"));
        let result = if call.abandoned { "abandoned" } else { "Answered" };
        let row = format!(
            r#"{{"skill_id":"{}","skill_name":"S","conn_id":"c{}","date":"{}","result":"{result}","abandon_time":"{}"}}"#,
            call.skill,
            call.conn,
            date.strftime("%Y-%m-%d %H:%M:%S"),
            call.conn
        );
        rows.extend(std::iter::repeat_n(row, call.alike.into()));
    }
    fastrand::Rng::with_seed(seed).shuffle(&mut rows);
    let Kind::Events(events) = &REPORT.kind else {
        unreachable!()
    };
    let mut reader = EventReader::new(events, Events::new(&zone("America/Bogota"), ledger.hash_key()));
    for row in &rows {
        assert_eq!(reader.value(None, row), Ok(Some(row.len())));
    }
    Piece {
        report: REPORT,
        until: Timestamp::from_second(BIRTH + until).unwrap(),
        part_of,
        overlap: SignedDuration::from_secs(300),
        reread_back: SignedDuration::from_hours(1),
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_overlap_split_and_crash_gives_the_same_totals(
        calls in calls(),
        // Where windows end, how many seconds they reach back, and after how many writes the disk fails.
        windows in prop::collection::vec((1i64..2100, 0i64..300, prop::option::of(0u32..40)), 1..12),
        seed in any::<u64>(),
    ) {
        let disk = Disk::default();
        let open = || Ledger::open(disk.storage(), Duration::ZERO, 5000, moment(BIRTH)).unwrap();
        let mut ledger = open();
        let now = |second: i64| moment(BIRTH + second);
        let birth = PartOf::Birth { born: Some(Timestamp::from_second(BIRTH).unwrap()) };
        ledger.commit_piece(&piece(&ledger, &[], 0, birth, seed), (jiff::civil::date(2026, 11, 18), 0), now(0)).unwrap();

        let mut ends: Vec<_> = windows;
        ends.sort_unstable();
        ends.push((2100, 2100, None));
        ends.push((2100, 2100, None));
        let mut covered = 0;
        let mut before = BTreeMap::new();
        for (n, (end, back, fail)) in ends.into_iter().enumerate() {
            // Calls appear late, but all are there in the last window.
            let is_there = |call: &&Call| back == 2100 || (call.second + i64::from(call.conn)) % 7 != n as i64 % 7;
            let from = covered - back;
            let rows: Vec<&Call> =
                calls.iter().filter(|call| (from..=end).contains(&call.second)).filter(is_there).collect();
            if let Some(writes) = fail {
                disk.fail_after(writes);
            }
            let window = piece(&ledger, &rows, end, PartOf::Window, seed ^ n as u64);
            let calls_used = (jiff::civil::date(2026, 11, 18), n as u32);
            let first_try = ledger.commit_piece(&window, calls_used, now(end));
            let shown_then = shown(&ledger);
            for (series, value) in &before {
                prop_assert!(shown_then.get(series) >= Some(value), "{} fell", series);
            }
            if first_try.is_err() {
                prop_assert_eq!(&shown_then, &before, "shown though not committed");
                disk.mend();
                if seed % 2 == 0 {
                    // The process dies, and another one takes over.
                    drop(ledger);
                    ledger = open();
                }
                let again = piece(&ledger, &rows, end, PartOf::Window, seed);
                ledger.commit_piece(&again, calls_used, now(end)).unwrap();
            }
            disk.mend();
            covered = end;
            before = shown(&ledger);
        }
        prop_assert_eq!(before, truth(&calls));
        drop(ledger);
        prop_assert_eq!(shown(&open()), truth(&calls), "restored");
        prop_assert_eq!(open().calls_used(jiff::civil::date(2026, 11, 18)) > 0, true);
    }
}

/// The disk fails at each write of a commit in turn: nothing is lost, nothing twice, whether the process lives on or not.
#[test]
fn a_crash_at_every_write_of_a_commit() {
    let call = |second| Call {
        second,
        skill: 1,
        conn: 7,
        abandoned: true,
        alike: 1,
    };
    let calls: Vec<Call> = (0..400).map(|n| call(n * 5)).collect();
    let day = (jiff::civil::date(2026, 11, 18), 1);
    let prepared = || {
        let disk = Disk::default();
        let mut ledger = Ledger::open(disk.storage(), Duration::ZERO, 5000, moment(BIRTH)).unwrap();
        let birth = PartOf::Birth {
            born: Some(Timestamp::from_second(BIRTH).unwrap()),
        };
        ledger
            .commit_piece(&piece(&ledger, &[], 0, birth, 1), day, moment(BIRTH))
            .unwrap();
        let first: Vec<&Call> = calls.iter().take(200).collect();
        ledger
            .commit_piece(
                &piece(&ledger, &first, 999, PartOf::Window, 1),
                day,
                moment(BIRTH + 999),
            )
            .unwrap();
        (disk, ledger)
    };
    let all: Vec<&Call> = calls.iter().collect();
    let (disk, mut ledger) = prepared();
    let before = disk.writes();
    ledger
        .commit_piece(
            &piece(&ledger, &all, 2000, PartOf::Window, 2),
            day,
            moment(BIRTH + 2000),
        )
        .unwrap();
    let writes = disk.writes() - before;
    assert!(writes > 3, "{writes} writes");
    for crash in 0..writes {
        for survives in [true, false] {
            let (disk, mut ledger) = prepared();
            disk.fail_after(crash);
            let window = piece(&ledger, &all, 2000, PartOf::Window, 2);
            let result = ledger.commit_piece(&window, day, moment(BIRTH + 2000));
            if result.is_err() {
                assert_eq!(shown(&ledger)["wolkvox_skill_interactions 1 none abandoned"].0, 200);
                let error = ledger.commit_calls(
                    day.0,
                    9,
                    Moment {
                        monotonic: Instant::now(),
                        ..moment(BIRTH + 2000)
                    },
                );
                assert!(
                    error.unwrap_err().to_string().contains("on a disk that fails"),
                    "the place is named"
                );
            }
            disk.mend();
            if !survives {
                drop(ledger);
                ledger = Ledger::open(disk.storage(), Duration::ZERO, 5000, moment(BIRTH + 2000)).unwrap();
            }
            let again = piece(&ledger, &all, 2000, PartOf::Window, 3);
            ledger.commit_piece(&again, day, moment(BIRTH + 2000)).unwrap();
            assert_eq!(shown(&ledger), truth(&calls), "crash at write {crash}");
        }
    }
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

#[test]
fn files_that_are_no_state_are_refused_by_name() {
    let folder = Folder::new("foreign");
    let open = |operation: &str| {
        Ledger::open(Storage::file(&folder.0, operation), Duration::ZERO, 5000, moment(BIRTH))
            .map_err(|error| error.to_string())
    };
    let first = open("acme").unwrap();
    let error = open("acme").unwrap_err();
    assert!(
        error.contains("acme.redb") && error.contains("another process has it open"),
        "{error}"
    );
    drop(first);
    open("acme").unwrap();

    std::fs::write(
        folder.0.join("text.redb"),
        "this is no database, and long enough to be looked at".repeat(200),
    )
    .unwrap();
    let error = open("text").unwrap_err();
    assert!(
        error.contains("text.redb") && error.contains("move the file away"),
        "{error}"
    );

    let table = redb::TableDefinition::<&str, u64>::new("wolkvox_exporter");
    let write = |name: &str, table: redb::TableDefinition<'_, &str, u64>, format| {
        let database = redb::Database::create(folder.0.join(name)).unwrap();
        let writing = database.begin_write().unwrap();
        writing.open_table(table).unwrap().insert("format", format).unwrap();
        writing.commit().unwrap();
    };
    write("later.redb", table, 2);
    let error = open("later").unwrap_err();
    assert!(
        error.contains("later.redb") && error.contains("later version of the exporter"),
        "{error}"
    );
    write("other.redb", redb::TableDefinition::new("something"), 1);
    let error = open("other").unwrap_err();
    assert!(
        error.contains("other.redb") && error.contains("another program"),
        "{error}"
    );

    let mut bytes = std::fs::read(folder.0.join("acme.redb")).unwrap();
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    std::fs::write(folder.0.join("cut.redb"), bytes).unwrap();
    let error = open("cut").unwrap_err();
    assert!(error.contains("cut.redb"), "{error}");

    std::fs::write(folder.0.join("file"), "").unwrap();
    let below_a_file = Storage::file(&folder.0.join("file"), "acme");
    assert!(Ledger::open(below_a_file, Duration::ZERO, 5000, moment(BIRTH)).is_err());
}

/// A process may be killed while the file is made for the first time; redb alone would refuse what is left of it.
#[test]
fn a_file_that_was_half_made_is_made_again() {
    let folder = Folder::new("half-made");
    let open = |operation: &str| {
        Ledger::open(Storage::file(&folder.0, operation), Duration::ZERO, 5000, moment(BIRTH)).map(drop)
    };
    open("whole").unwrap();
    assert!(folder.0.join("whole.redb").exists() && !folder.0.join("whole.redb.new").exists());
    let mut refused = 0;
    for writes in 0.. {
        let disk = Disk::default();
        disk.fail_after(writes);
        if Ledger::open(disk.storage(), Duration::ZERO, 5000, moment(BIRTH)).is_ok() {
            assert!(writes > 3, "{writes} writes");
            break;
        }
        let operation = format!("killed-{writes}");
        std::fs::write(folder.0.join(format!("{operation}.redb.new")), disk.bytes()).unwrap();
        open(&operation).unwrap();
        open(&operation).unwrap();
        assert!(!folder.0.join(format!("{operation}.redb.new")).exists());
        let bare = format!("bare-{writes}");
        std::fs::write(folder.0.join(format!("{bare}.redb")), disk.bytes()).unwrap();
        refused += u32::from(open(&bare).is_err());
    }
    assert!(refused > 0, "there is no need to make the file beside its place");
}

/// Over the limit the free labels are folded; in a family with ids only, the id. Stored sets are always admitted.
#[test]
fn sets_over_the_limit_are_folded() {
    let day = (jiff::civil::date(2026, 11, 18), 1);
    let mut ledger = Ledger::open(Storage::memory(), Duration::ZERO, 6, moment(BIRTH)).unwrap();
    let birth = PartOf::Birth {
        born: Some(Timestamp::from_second(BIRTH).unwrap()),
    };
    ledger
        .commit_piece(&piece(&ledger, &[], 0, birth, 1), day, moment(BIRTH))
        .unwrap();
    let calls: Vec<Call> = (0..5)
        .map(|n| Call {
            second: i64::from(n),
            skill: n,
            conn: n,
            abandoned: true,
            alike: 1,
        })
        .collect();
    let rows: Vec<&Call> = calls.iter().collect();
    // Two skills fill the six sets of interactions; histograms are a family of their own.
    let committed = ledger
        .commit_piece(
            &piece(&ledger, &rows[..2], 1, PartOf::Window, 1),
            day,
            moment(BIRTH + 1),
        )
        .unwrap();
    assert!(committed.folded.is_empty());
    let window = piece(&ledger, &rows, 9, PartOf::Window, 1);
    let committed = ledger.commit_piece(&window, day, moment(BIRTH + 9)).unwrap();
    let shown = shown(&ledger);
    assert_eq!(shown["wolkvox_skill_interactions 0 none abandoned"].0, 1);
    assert_eq!(shown["wolkvox_skill_interactions _other none abandoned"].0, 3);
    assert_eq!(
        shown.values().map(|(count, _)| count).sum::<u64>(),
        10,
        "nothing is lost"
    );
    assert_eq!(committed.folded.values().sum::<u64>(), 3);
}

#[test]
fn series_that_are_idle_for_60_days_are_dropped_together() {
    let mut ledger = Ledger::open(Storage::memory(), Duration::ZERO, 5000, moment(BIRTH)).unwrap();
    let birth = PartOf::Birth {
        born: Some(Timestamp::from_second(BIRTH).unwrap()),
    };
    let calls: Vec<Call> = (0..2)
        .map(|n| Call {
            second: i64::from(n),
            skill: n,
            conn: n,
            abandoned: true,
            alike: 1,
        })
        .collect();
    let first = jiff::civil::date(2026, 11, 18);
    let day = |days: i32| jiff::civil::Date::saturating_add(first, jiff::Span::new().days(days));
    ledger
        .commit_piece(&piece(&ledger, &[], 0, birth, 1), (first, 1), moment(BIRTH))
        .unwrap();
    ledger
        .commit_piece(
            &piece(&ledger, &[&calls[0], &calls[1]], 9, PartOf::Window, 1),
            (first, 1),
            moment(BIRTH + 9),
        )
        .unwrap();
    let later = Call {
        second: 10,
        ..calls[1].clone()
    };
    ledger
        .commit_piece(
            &piece(&ledger, &[&later], 10, PartOf::Window, 1),
            (day(30), 1),
            moment(BIRTH + 10),
        )
        .unwrap();
    ledger.commit_idle(day(60), moment(BIRTH + 60)).unwrap();
    assert_eq!(shown(&ledger).len(), 8, "60 days are not too long");
    ledger.commit_idle(day(61), moment(BIRTH + 60)).unwrap();
    let left = shown(&ledger);
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(left.keys().all(|series| series.contains(" 1 ")), "{left:?}");
    ledger.commit_idle(day(91), moment(BIRTH + 60)).unwrap();
    assert_eq!(shown(&ledger).len(), 0);
}

/// Without a hold series are shown at once; a hold that is switched on later must not take back what was shown.
#[test]
fn a_hold_that_is_switched_on_takes_nothing_back() {
    let day = (jiff::civil::date(2026, 11, 18), 1);
    let disk = Disk::default();
    let open = |hold| Ledger::open(disk.storage(), Duration::from_secs(hold), 5000, moment(BIRTH)).unwrap();
    let call = Call {
        second: 1,
        skill: 1,
        conn: 7,
        abandoned: true,
        alike: 1,
    };
    let mut ledger = open(0);
    let birth = PartOf::Birth {
        born: Some(Timestamp::from_second(BIRTH).unwrap()),
    };
    ledger
        .commit_piece(&piece(&ledger, &[], 0, birth, 1), day, moment(BIRTH))
        .unwrap();
    ledger
        .commit_piece(&piece(&ledger, &[&call], 1, PartOf::Window, 1), day, moment(BIRTH + 1))
        .unwrap();
    let before = shown(&ledger);
    assert_eq!(before["wolkvox_skill_interactions 1 none abandoned"].0, 1);
    drop(ledger);
    let mut ledger = open(120);
    assert_eq!(shown(&ledger), before);
    // A series born now is held; one held by an earlier process is shown at once when the hold is switched off.
    let other = Call {
        second: 2,
        skill: 2,
        ..call
    };
    ledger
        .commit_piece(&piece(&ledger, &[&other], 2, PartOf::Window, 1), day, moment(BIRTH + 2))
        .unwrap();
    assert_eq!(shown(&ledger)["wolkvox_skill_interactions 2 none abandoned"].0, 0);
    drop(ledger);
    drop(open(0));
    assert_eq!(shown(&open(120))["wolkvox_skill_interactions 2 none abandoned"].0, 1);
}

/// A disk that comes back as another one after a failure is not taken for the state of before.
#[test]
fn another_disk_is_no_new_state() {
    let day = (jiff::civil::date(2026, 11, 18), 1);
    // The disk fails once, and when it is opened again it is another one.
    let disk = Disk::default();
    let other = Disk::default();
    let is_other = Arc::new(Mutex::new(false));
    let storage = {
        let (disk, other, is_other) = (disk.clone(), other.clone(), Arc::clone(&is_other));
        Storage::custom("on one of two disks", move |builder| {
            let disk = if *is_other.lock().unwrap() {
                other.clone()
            } else {
                disk.clone()
            };
            builder.create_with_backend(disk)
        })
    };
    let mut ledger = Ledger::open(storage, Duration::ZERO, 5000, moment(BIRTH)).unwrap();
    disk.fail_after(0);
    ledger.commit_calls(day.0, 3, moment(BIRTH)).unwrap_err();
    *is_other.lock().unwrap() = true;
    let error = ledger.commit_calls(day.0, 3, moment(BIRTH)).unwrap_err().to_string();
    assert!(error.contains("another state is in its place"), "{error}");
    disk.mend();
    *is_other.lock().unwrap() = false;
    ledger.commit_calls(day.0, 3, moment(BIRTH)).unwrap();
}
