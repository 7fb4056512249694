//! Damaged files: refused by name with a way out, or harmless. Never a panic, and never other totals without a word.

use std::fs;
use std::io::Read;
use std::path::Path;
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

/// What came of a damaged file.
#[derive(Clone, Copy, Debug, Default)]
struct Outcomes {
    refused: u32,
    harmless: u32,
}

impl Outcomes {
    /// Opens a damaged file, and goes on counting with it.
    fn add(&mut self, folder: &Folder, what: &str, damaged: &[u8], sound: &(String, u32)) {
        fs::write(folder.0.join("acme.redb"), damaged).unwrap();
        let mut ledger = match open(folder, "acme") {
            Ok(ledger) => ledger,
            Err(error) => {
                assert!(error.contains("acme.redb: it is "), "{what}: {error}");
                assert!(error.contains("restore it from a backup, or "), "{what}: {error}");
                assert!(error.contains("to start from zero"), "{what}: {error}");
                self.refused += 1;
                return;
            }
        };
        assert!(told(&ledger) == *sound, "{what}: other totals without a word");
        self.harmless += 1;
        ledger.commit_calls(TODAY, 9999, moment(BIRTH)).unwrap();
        drop(ledger);
        assert_eq!(told(&open(folder, "acme").unwrap()), (sound.0.clone(), 9999), "{what}");
    }
}

#[test]
fn any_damage_is_refused_or_harmless() {
    let folder = Folder::without_disk("damage");
    fs::create_dir_all(&folder.0).unwrap();
    let (closed, killed) = (real_state(), state_of_a_killed_process(&folder));
    for (state, seed) in [(&closed, 1), (&killed, 2)] {
        fs::write(folder.0.join("acme.redb"), state).unwrap();
        let sound = told(&open(&folder, "acme").unwrap());
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut outcomes = Outcomes::default();
        for _ in 0..200 {
            let (what, damaged) = damage(state, &mut rng);
            outcomes.add(&folder, &what, &damaged, &sound);
        }
        assert!(outcomes.refused > 50 && outcomes.harmless > 50, "{outcomes:?}");
    }
}

/// The head says where everything is, and has no checksum of its own.
#[test]
fn any_byte_of_the_head_is_refused_or_harmless() {
    let folder = Folder::without_disk("damaged-head");
    fs::create_dir_all(&folder.0).unwrap();
    let state = state_of_a_killed_process(&folder);
    fs::write(folder.0.join("acme.redb"), &state).unwrap();
    let sound = told(&open(&folder, "acme").unwrap());
    let mut outcomes = Outcomes::default();
    for at in 0..320 {
        let mut damaged = state.clone();
        damaged[at] = !damaged[at];
        outcomes.add(&folder, &format!("byte {at}"), &damaged, &sound);
    }
    assert!(outcomes.refused > 100, "{outcomes:?}");
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
