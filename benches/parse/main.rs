//! Measures how fast the rows of large answers are read, and how much memory that takes.
//!
//! Twelve answers of 50,000 abandoned calls come over loopback, compact and indented as the vendor sends them. Each
//! measurement runs in its own process, so that its peak memory is its own. The server is a separate process too, and
//! prepares the bodies before anything is measured. Parsing is compared with `serde_json` that reads the same rows from memory,
//! counting and committing with parsing.

mod process;
mod reading;
mod server;

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use wolkvox_exporter::ledger::Storage;

use self::process::{Figures, measured};
use self::reading::{again, count, drain, parse, read_from_memory};
use self::server::{Server, serve};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ANSWERS: usize = 12;
const ROWS: usize = 50_000;
/// Odd, so that there is a median; each run reads all answers.
const ROUNDS: usize = 7;
const MB: f64 = 1e6;
/// The ways to read, and of some the longest allowed time as a multiple of another way's.
const WAYS: [(&str, Option<(usize, f64)>); 6] = [
    ("drained", None),
    ("serde_json", None),
    ("parsed", Some((1, 1.3))),
    ("counted", Some((2, 2.0))),
    ("committed", Some((2, 2.3))),
    ("again", None),
];
/// The most CPU of a row that was counted before, in seconds.
const MOST_AGAIN: f64 = 0.7e-6;
const MOST_MEMORY: f64 = 48.0 * MB;

fn main() -> Outcome<()> {
    // The first argument selects the measurement; cargo adds arguments of its own, which we ignore.
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", layout] => serve(layout == "indented"),
        ["drained", address] => measured(address, drain),
        ["serde_json", address] => measured(address, read_from_memory),
        ["parsed", address] => measured(address, parse),
        ["counted", address] => measured(address, |address, scripts| count(address, scripts, Storage::memory())),
        ["again", address] => {
            let result = measured(address, |address, scripts| {
                again(address, scripts, Storage::file(&folder(), "again"))
            });
            fs::remove_dir_all(folder())?;
            result
        }
        ["committed", address] => {
            let result = measured(address, |address, scripts| {
                // The warm-up has its own file, so that its row is still new in the measured run.
                let storage = Storage::file(&folder(), scripts[0]);
                count(address, scripts, storage)
            });
            fs::remove_dir_all(folder())?;
            result
        }
        _ => compare(),
    }
}

/// The state file of this process.
fn folder() -> PathBuf {
    env::temp_dir().join(format!("wolkvox_exporter-bench-{}", std::process::id()))
}

/// Runs all ways in turn, so that a slow moment of the machine affects each.
fn compare() -> Outcome<()> {
    println!("{ANSWERS} answers of {ROWS} rows over loopback, median of {ROUNDS} rounds");
    for layout in ["compact", "indented"] {
        let server = Server::start(layout)?;
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let round: Vec<Figures> = WAYS
                .iter()
                .map(|(way, _)| Figures::of(way, &server.address))
                .collect::<Outcome<_>>()?;
            rounds.push(round);
        }
        let bytes = rounds[0][0].amount;
        println!();
        println!("{layout}: {:.1} MB", bytes / MB);
        println!(
            "              MB/s     ms  CPU ms  us a row  in commits ms  peak MB over idle (target: 48)  of (target)"
        );
        for (place, (way, target)) in WAYS.iter().enumerate() {
            let middle =
                |figure: fn(&Figures) -> f64| median(rounds.iter().map(|round| figure(&round[place])).collect());
            let seconds = middle(|figures| figures.seconds);
            let cpu = middle(|figures| figures.cpu);
            let memory = middle(|figures| figures.peak - figures.idle);
            let verdict = |met| if met { "" } else { " missed" };
            print!(
                "  {way:10} {:6.0} {:6.0}  {:6.0}  {:8.2}  {:6.0}  {:5.1} over {:.1}{}",
                bytes / MB / seconds,
                seconds * 1e3,
                cpu * 1e3,
                cpu / (ANSWERS * ROWS) as f64 * 1e6,
                middle(|figures| figures.commits) * 1e3,
                memory / MB,
                middle(|figures| figures.idle) / MB,
                verdict(memory <= MOST_MEMORY || *way == "serde_json"),
            );
            if let Some((reference, most)) = target {
                let ratios = rounds
                    .iter()
                    .map(|round| round[place].seconds / round[*reference].seconds);
                let ratio = median(ratios.collect());
                print!(
                    "  {ratio:.2} of {} ({most}){}",
                    WAYS[*reference].0,
                    verdict(ratio <= *most)
                );
            }
            if *way == "again" {
                let each = cpu / (ANSWERS * ROWS) as f64;
                print!(
                    "  CPU a row ({:.1} us){}",
                    MOST_AGAIN * 1e6,
                    verdict(each <= MOST_AGAIN)
                );
            }
            println!();
        }
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
