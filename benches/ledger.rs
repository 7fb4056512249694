//! Measures how long a large commit of the state takes, and how large the file grows over years.
//!
//! Rows are generated in process and passed to the ledger as pieces, as a poller does. Each measurement runs in its own
//! process, so that its peak memory is its own. A storage that measures syncs wraps the file, so that waiting for the
//! disk is reported separately from the work.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, io};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use redb::StorageBackend;
use redb::backends::FileBackend;
use wolkvox_exporter::clock::Moment;
use wolkvox_exporter::ledger::{Ledger, PartOf, Piece, Rereading, Storage};
use wolkvox_exporter::metrics::series::Micros;
use wolkvox_exporter::metrics::series::{Label, SeriesKey};
use wolkvox_exporter::metrics::{Family, Kind};
use wolkvox_exporter::reports::events::{Asked, Collected, EventRow, Fact, FactKey, FactTime, SeriesIndex, Trace};
use wolkvox_exporter::reports::{ABANDONED_CALLS, Outcome as RowOutcome, Report, Tally};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const REPORT: &Report = &ABANDONED_CALLS;
const OVERLAP: SignedDuration = SignedDuration::from_hours(2);
const REREAD_EVERY_HOURS: i64 = 6;
const REREAD_REACH: SignedDuration = SignedDuration::from_hours(48 + REREAD_EVERY_HOURS);
/// Keys are kept this much longer, since they are dated by wall-clock text.
const MARGIN: SignedDuration = SignedDuration::from_hours(26);
const BIRTH: i64 = 1_780_000_000;
const HOUR: i64 = 3600;
const MB: f64 = 1e6;

const KEPT: u64 = 344_000;
const NEW: u64 = 20_000;
/// Odd, so that there is a median.
const COMMITS: usize = 21;

const HOURS: i64 = 2 * 365 * 24;
const EVENTS_A_DAY: u64 = 500;

fn main() -> Outcome<()> {
    // The first argument selects the measurement; cargo adds arguments of its own, which we ignore.
    match env::args().nth(1).as_deref() {
        Some("memory") => large_commits(None),
        Some("file") => in_folder(|folder| large_commits(Some(folder))),
        Some("years") => in_folder(years),
        _ => {
            println!("median of {COMMITS} commits of {NEW} new rows onto {KEPT} keys, with equally many forgotten");
            println!("          all ms (target: 30)  CPU ms  syncs ms  file MB  peak MB over idle");
            run("memory")?;
            run("file")?;
            println!();
            println!("{HOURS} hourly polls of {EVENTS_A_DAY} events a day, each 6 h the last 48 h again");
            run("years")
        }
    }
}

/// Runs a measurement in its own process, which prints its results.
fn run(word: &str) -> Outcome<()> {
    let status = Command::new(env::current_exe()?).arg(word).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{word} has failed").into())
    }
}

fn in_folder(measure: impl FnOnce(&Path) -> Outcome<()>) -> Outcome<()> {
    let folder = env::temp_dir().join(format!("wolkvox_exporter-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let result = measure(&folder);
    fs::remove_dir_all(&folder)?;
    result
}

/// Commits windows with as many rows as one answer may have, once the number of kept keys is reached.
fn large_commits(folder: Option<&Path>) -> Outcome<()> {
    let syncs = Arc::new(AtomicU64::new(0));
    let path = folder.map(|folder| folder.join("state.redb"));
    let storage = path.clone().map_or_else(Storage::memory, |path| timed(path, &syncs));
    let idle = memory("VmRSS")?;
    // So that the kept keys cover the time for which keys are kept.
    let stream = Stream {
        millis: ((REREAD_REACH + MARGIN).as_millis() as u64) / KEPT,
    };
    let mut ledger = born(storage)?;
    let fill = KEPT / NEW + 2;
    let (mut all, mut cpu, mut disk) = (Vec::new(), Vec::new(), Vec::new());
    for window in 0..fill + COMMITS as u64 {
        let events = window * NEW..(window + 1) * NEW;
        let until = stream.at(events.end);
        let piece = stream.piece(events, PartOf::Window, until);
        let (cpu_before, disk_before, before) = (cpu_time()?, syncs.load(Ordering::Relaxed), Instant::now());
        let counted = commit(&mut ledger, &piece, until)?;
        if counted != NEW {
            return Err(format!("{counted} of {NEW} were counted").into());
        }
        // Nothing is forgotten before it is reread, so an empty reread forgets as much as the window has added.
        commit(&mut ledger, &stream.piece(0..0, ended(until), until), until)?;
        if window >= fill {
            all.push(before.elapsed().as_secs_f64() * 1e3);
            cpu.push((cpu_time()? - cpu_before).as_secs_f64() * 1e3);
            disk.push((syncs.load(Ordering::Relaxed) - disk_before) as f64 / 1e6);
        }
    }
    let peak = memory("VmHWM")? - idle;
    println!(
        "  {:6} {:6.1} {:21.1} {:9.1} {:8.1} {:10.1}",
        if folder.is_some() { "file" } else { "memory" },
        median(all),
        median(cpu),
        median(disk),
        size(path.as_deref())? / MB,
        peak / MB,
    );
    drop(ledger);
    match path {
        Some(path) => starts(&path),
        None => Ok(()),
    }
}

/// Opens the file again and again, as each start does: after it was closed in order, all of it is compared with its checksums.
fn starts(path: &Path) -> Outcome<()> {
    let size = size(Some(path))? / MB;
    let mut times = Vec::new();
    for _ in 0..COMMITS {
        let before = Instant::now();
        let storage = timed(path.to_owned(), &Arc::default());
        let ledger = Ledger::open(storage, Duration::ZERO, 10_000, moment(Timestamp::from_second(BIRTH)?))?;
        times.push(before.elapsed().as_secs_f64() * 1e3);
        drop(ledger);
    }
    println!("  opening the file of {size:.1} MB: {:.1} ms", median(times));
    Ok(())
}

/// Polls for years, and prints the file size from time to time.
fn years(folder: &Path) -> Outcome<()> {
    let syncs = Arc::new(AtomicU64::new(0));
    let path = folder.join("state.redb");
    let idle = memory("VmRSS")?;
    let stream = Stream {
        millis: 86_400_000 / EVENTS_A_DAY,
    };
    let mut ledger = born(timed(path.clone(), &syncs))?;
    let (mut largest, mut counted, mut commits) = (0.0_f64, 0, 0);
    let begin = Instant::now();
    println!("  months  file MB  largest MB  peak MB over idle  commits  syncs s  all s");
    for hour in 1..=HOURS {
        let until = Timestamp::from_second(BIRTH + hour * HOUR)?;
        let from = until - OVERLAP - SignedDuration::from_hours(1);
        counted += commit(
            &mut ledger,
            &stream.piece(stream.between(from, until), PartOf::Window, until),
            until,
        )?;
        commits += 1;
        if hour % REREAD_EVERY_HOURS == 0 {
            let events = stream.between(until - REREAD_REACH, from);
            let reread = stream.piece(events, ended(from), from);
            counted += commit(&mut ledger, &reread, until)?;
            commits += 1;
        }
        largest = largest.max(size(Some(&path))?);
        if [1, 3, 6, 12, 18, 24].iter().any(|months| hour == months * HOURS / 24) {
            println!(
                "  {:6} {:8.2} {:11.2} {:18.1} {commits:8} {:8.1} {:6.1}",
                hour * 24 / HOURS,
                size(Some(&path))? / MB,
                largest / MB,
                (memory("VmHWM")? - idle) / MB,
                syncs.load(Ordering::Relaxed) as f64 / 1e9,
                begin.elapsed().as_secs_f64(),
            );
        }
    }
    if counted
        != stream
            .between(
                Timestamp::from_second(BIRTH)?,
                Timestamp::from_second(BIRTH + HOURS * HOUR)?,
            )
            .count() as u64
    {
        return Err(format!("{counted} events were counted").into());
    }
    Ok(())
}

/// Abandoned calls, evenly spaced from the birth on; the same number always gives the same call.
struct Stream {
    /// The time between two calls.
    millis: u64,
}

impl Stream {
    fn at(&self, event: u64) -> Timestamp {
        let second = BIRTH + (event * self.millis / 1000) as i64;
        Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
    }

    /// The events from one time until just before another.
    fn between(&self, from: Timestamp, until: Timestamp) -> std::ops::Range<u64> {
        let number = |at: Timestamp| {
            let seconds = u64::try_from(at.as_second() - BIRTH).unwrap_or(0);
            (seconds * 1000).div_ceil(self.millis)
        };
        number(from)..number(until)
    }

    fn piece(&self, events: std::ops::Range<u64>, part_of: PartOf, until: Timestamp) -> Piece {
        let series = series();
        let sets = series.len() / 2;
        // A call with its wait.
        let fact = |event| {
            let mut random = fastrand::Rng::with_seed(event);
            let set = random.usize(..sets);
            Fact {
                key: FactKey {
                    second: self.at(event).as_second(),
                    hash: random.u128(..).into(),
                },
                trace: Trace::undated(random.u64(..)),
                series: Some(SeriesIndex::new(set)),
                time: Some(FactTime {
                    series: SeriesIndex::new(set + sets),
                    length: Micros(random.u64(..600) * Micros::PER_UNIT),
                }),
            }
        };
        let row = |event| EventRow {
            at: self.at(event),
            facts: 1,
            violated: Default::default(),
        };
        let first = if events.is_empty() {
            until
        } else {
            self.at(events.start)
        };
        let asked = Asked {
            first: TimeZone::UTC.to_datetime(first),
            last: TimeZone::UTC.to_datetime(until),
            final_before: Timestamp::MIN,
        };
        Piece {
            report: REPORT,
            until,
            part_of,
            overlap: OVERLAP,
            reread_back: REREAD_REACH,
            reread_reach: REREAD_REACH,
            record_limit: None,
            answer: Collected {
                place: None,
                rows: events.clone().map(row).collect(),
                facts: events.map(fact).collect(),
                series,
                born_together: Vec::new(),
                names: BTreeMap::new(),
                tally: Tally::default(),
                newest: None,
                asked,
            },
            backlog_before: Timestamp::MIN,
        }
    }
}

/// A reread that is complete.
fn ended(at: Timestamp) -> PartOf {
    PartOf::Reread(Rereading {
        began: at,
        next: Timestamp::MAX,
        until: at,
    })
}

/// Counters, and equally many histograms with the same ids.
fn series() -> Vec<SeriesKey> {
    let of = |wanted: fn(Kind) -> bool| -> Option<&'static Family> {
        REPORT.families.iter().copied().find(|family| wanted(family.kind))
    };
    let families = [
        of(|kind| matches!(kind, Kind::Counter)),
        of(|kind| matches!(kind, Kind::Histogram(_))),
    ];
    let ids = |family: &'static Family| {
        (0..20).map(move |id| {
            let labels = ["", "voice", "abandoned"].iter().take(family.labels.len());
            let mut labels: Vec<Label> = labels.map(|label| Label::Borrowed(label)).collect();
            labels[0] = Label::Owned((20_301 + id).to_string());
            SeriesKey { family, labels }
        })
    };
    families.into_iter().flatten().flat_map(ids).collect()
}

/// A ledger whose report is born.
fn born(storage: Storage) -> Outcome<Ledger> {
    let birth = Timestamp::from_second(BIRTH)?;
    let mut ledger = Ledger::open(storage, Duration::ZERO, 10_000, moment(birth))?;
    let stream = Stream { millis: 1000 };
    commit(
        &mut ledger,
        &stream.piece(
            0..0,
            PartOf::Birth {
                until: birth,
                born: birth,
            },
            birth,
        ),
        birth,
    )?;
    Ok(ledger)
}

/// Commits a piece, and returns how many rows were counted.
fn commit(ledger: &mut Ledger, piece: &Piece, now: Timestamp) -> Outcome<u64> {
    let today = TimeZone::UTC.to_datetime(now).date();
    let committed = ledger.commit_piece(piece, (today, 1), moment(now))?;
    Ok(committed.tally.rows(RowOutcome::Counted))
}

fn moment(wall: Timestamp) -> Moment {
    Moment {
        wall,
        monotonic: tokio::time::Instant::now(),
    }
}

/// A file that adds up the duration of its syncs, in nanoseconds.
fn timed(path: PathBuf, syncs: &Arc<AtomicU64>) -> Storage {
    let syncs = Arc::clone(syncs);
    Storage::custom("a timed file", move |builder| {
        let file = fs::File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        builder.create_with_backend(Timed {
            file: FileBackend::new(file)?,
            syncs: Arc::clone(&syncs),
        })
    })
}

#[derive(Debug)]
struct Timed {
    file: FileBackend,
    syncs: Arc<AtomicU64>,
}

impl StorageBackend for Timed {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let before = Instant::now();
        let result = self.file.sync_data();
        self.syncs
            .fetch_add(before.elapsed().as_nanos() as u64, Ordering::Relaxed);
        result
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }
}

/// The CPU time of this thread, which is the only one.
fn cpu_time() -> Outcome<Duration> {
    let text = fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().ok_or("no number")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// Memory of this process as the kernel reports it, in bytes.
fn memory(key: &str) -> Outcome<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with(key))
        .ok_or("no such line")?;
    let kibibytes: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kibibytes * 1024.0)
}

fn size(path: Option<&Path>) -> Outcome<f64> {
    path.map_or(Ok(0.0), |path| Ok(fs::metadata(path)?.len() as f64))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
