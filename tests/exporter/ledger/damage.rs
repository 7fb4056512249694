//! Damaged files: refused by name with a way out, or harmless. Never a panic, and never other totals without a word.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::read::GzDecoder;
use wolkvox_exporter::ledger::{Ledger, Storage};
use wolkvox_exporter::reports::REPORTS;

use super::{BIRTH, Folder, moment};

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 20);

/// What a state of the first version holds: three hours of one operation.
fn real_state() -> Vec<u8> {
    let packed = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state-0.1.0.redb.gz")).unwrap();
    let mut state = Vec::new();
    GzDecoder::new(packed.as_slice()).read_to_end(&mut state).unwrap();
    state
}

/// The same state as a killed process leaves it.
fn state_of_a_killed_process(folder: &Folder) -> Vec<u8> {
    let path = folder.0.join("killed.redb");
    fs::write(&path, real_state()).unwrap();
    let mut ledger = open(folder, "killed").unwrap();
    for used in 7000..7003 {
        ledger.commit_calls(TODAY, used, moment(BIRTH)).unwrap();
    }
    fs::read(path).unwrap()
}

fn open(folder: &Folder, operation: &str) -> Result<Ledger, String> {
    let storage = Storage::file(&folder.0, operation);
    Ledger::open(storage, Duration::ZERO, 5000, moment(BIRTH)).map_err(|error| error.to_string())
}

/// All that a state tells: its series and progress, and the calls used today.
fn told(ledger: &Ledger) -> (String, u32) {
    let families: Vec<_> = REPORTS.iter().flat_map(|report| report.families).copied().collect();
    let progress: Vec<_> = REPORTS
        .iter()
        .map(|report| {
            (
                ledger.day_progress(report),
                ledger.event_progress(report),
                ledger.source(report),
            )
        })
        .collect();
    let series = ledger.visible_series(&families);
    (
        format!("{series:?} {progress:?} {}", ledger.hash_key()),
        ledger.calls_used(TODAY),
    )
}

fn damage(state: &[u8], rng: &mut fastrand::Rng) -> (String, Vec<u8>) {
    let mut state = state.to_vec();
    let at = rng.usize(..state.len());
    let length = rng.usize(1..20_000).min(state.len() - at);
    let what = match rng.u8(..8) {
        0..=2 => {
            state[at] ^= rng.u8(1..);
            format!("byte {at} is another one")
        }
        3 => {
            let at = rng.usize(..4096);
            state[at] ^= rng.u8(1..);
            format!("byte {at} of the head is another one")
        }
        4 => {
            state[at..at + length].fill(0);
            format!("{length} zeros at {at}")
        }
        5 => {
            state[at..at + length].fill_with(|| rng.u8(..));
            format!("{length} random bytes at {at}")
        }
        6 => {
            state.truncate(at);
            format!("cut at {at}")
        }
        _ => {
            state.extend(std::iter::repeat_n(0, length));
            format!("{length} zeros appended")
        }
    };
    (what, state)
}

/// Collects the log of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The log of what `work` does.
    fn of<T>(work: impl FnOnce() -> T) -> (T, String) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let result = tracing::subscriber::with_default(subscriber, work);
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        (result, text)
    }
}

/// What came of a damaged file.
#[derive(Clone, Copy, Debug, Default)]
struct Outcomes {
    refused: u32,
    harmless: u32,
    told: u32,
}

impl Outcomes {
    /// Opens a damaged file, and goes on counting with it.
    fn add(&mut self, folder: &Folder, what: &str, damaged: &[u8], sound: &(String, u32)) {
        fs::write(folder.0.join("acme.redb"), damaged).unwrap();
        let (opened, log) = Log::of(|| open(folder, "acme"));
        let mut ledger = match opened {
            Ok(ledger) => ledger,
            Err(error) => {
                assert!(error.contains("acme.redb: it is "), "{what}: {error}");
                assert!(error.contains("restore it from a backup, or "), "{what}: {error}");
                assert!(error.contains("to start from zero"), "{what}: {error}");
                self.refused += 1;
                return;
            }
        };
        let (before, calls) = told(&ledger);
        if (&before, calls) == (&sound.0, sound.1) {
            self.harmless += 1;
        } else {
            assert!(
                log.contains("the file is damaged"),
                "{what}: other totals without a word"
            );
            self.told += 1;
        }
        ledger.commit_calls(TODAY, 9999, moment(BIRTH)).unwrap();
        drop(ledger);
        assert_eq!(told(&open(folder, "acme").unwrap()), (before, 9999), "{what}");
    }
}

#[test]
fn any_damage_is_refused_or_harmless() {
    let folder = Folder::without_disk("damage");
    fs::create_dir_all(&folder.0).unwrap();
    let (closed, killed) = (real_state(), state_of_a_killed_process(&folder));
    for (state, seed) in [(&closed, 1), (&killed, 2)] {
        fs::write(folder.0.join("acme.redb"), state).unwrap();
        let (ledger, log) = Log::of(|| open(&folder, "acme").unwrap());
        let sound = told(&ledger);
        assert_eq!(log, "", "a sound file is nothing to tell about");
        drop(ledger);
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut outcomes = Outcomes::default();
        for _ in 0..200 {
            let (what, damaged) = damage(state, &mut rng);
            outcomes.add(&folder, &what, &damaged, &sound);
        }
        assert!(outcomes.refused > 50 && outcomes.harmless > 20, "{outcomes:?}");
    }
}

/// The byte that made the first version panic, with the same state.
#[test]
fn a_single_byte_names_the_file_and_the_way_out() {
    let folder = Folder::without_disk("damaged-byte");
    fs::create_dir_all(&folder.0).unwrap();
    let mut state = real_state();
    // A digit in a counter becomes another digit.
    let counter = b"wolkvox_skill_interactions";
    let at = state
        .windows(counter.len())
        .position(|window| window == counter)
        .unwrap();
    state[at] = b'W';
    fs::write(folder.0.join("acme.redb"), state).unwrap();
    let error = open(&folder, "acme").unwrap_err();
    assert!(error.contains("acme.redb: it is damaged: "), "{error}");
}
