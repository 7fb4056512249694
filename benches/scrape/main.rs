//! Scraping: as fast as bytes from memory? And what an exporter costs that idles, or that polls many operations.
//!
//! `wrk` scrapes a page that did not change, and then the same bytes from a handler that has nothing but them, in turn,
//! so that a slow moment of the machine meets both. Whatever is measured is a process of its own, so that its memory and
//! its CPU are its own.

#[path = "../born/mod.rs"]
mod born;
mod measurements;
mod processes;
#[path = "../program/mod.rs"]
mod program;
#[path = "../series/mod.rs"]
mod series;
mod subjects;
mod wrk;

use std::env;
use std::error::Error;

use tokio::runtime::Runtime;

use self::measurements::{MANY, STEADY, YOUNG, idle, many, scrape};
use self::processes::{Folder, web_config};
use self::subjects::{exporter, from_memory, simulator};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What can be measured; all of it, unless arguments name some.
const PARTS: [&str; 5] = ["scrape", "tls", "idle", "many", "steady"];

fn main() -> Outcome<()> {
    // Told apart by the first argument; cargo's own are no words of ours.
    let arguments: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["exporter"] => Runtime::new()?.block_on(exporter(None)),
        ["exporter", web_config] => Runtime::new()?.block_on(exporter(Some(web_config.as_ref()))),
        ["static", page, coding] => Runtime::new()?.block_on(from_memory(page, coding, None)),
        ["static", page, coding, web_config] => {
            Runtime::new()?.block_on(from_memory(page, coding, Some(web_config.as_ref())))
        }
        ["simulator", operations, volume] => Runtime::new()?.block_on(simulator(operations.parse()?, volume.parse()?)),
        _ => {
            if let Some(word) = words.iter().find(|word| !PARTS.contains(word)) {
                return Err(format!("there is no part {word}; the parts are {}", PARTS.join(", ")).into());
            }
            let parts = if words.is_empty() { &PARTS[..] } else { &words };
            let folder = Folder::new()?;
            for part in parts {
                match *part {
                    "scrape" => scrape(&folder.0, None)?,
                    "tls" => scrape(&folder.0, Some(&web_config(&folder.0)?))?,
                    "idle" => idle(&folder.0)?,
                    part => {
                        let load = if part == "many" { &YOUNG } else { &STEADY };
                        for operations in MANY {
                            many(&folder.0, operations, load)?;
                        }
                    }
                }
            }
            Ok(())
        }
    }
}
