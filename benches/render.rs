//! Measures rendering the page: all of it, with one operation changed, and with nothing changed.
//!
//! 200 operations of 500 series pass through the exposition as in real polls and scrapes. The ceiling is copying the
//! bytes of the same page.

mod series;

use std::fmt::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::registry::Registry;
use wolkvox_exporter::exposition::{Exposition, Format, Part};

use self::series::{SERIES, families};

const OPERATIONS: usize = 200;
/// Odd, so that there is a median.
const ROUNDS: usize = 21;

fn main() -> Result<(), Error> {
    let process = Registry::default();
    let operations: Vec<Arc<str>> = (1..=OPERATIONS).map(|n| format!("operation-{n:03}").into()).collect();
    println!("{OPERATIONS} operations of {SERIES} series, median of {ROUNDS} rounds");

    for format in [Format::Text, Format::OpenMetrics] {
        let body = page(&full(&operations), format, false, &process)?;
        let samples = body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty() && line[0] != b'#')
            .count();
        assert_eq!(samples, OPERATIONS * SERIES, "series on the page");
        let gzip = page(&full(&operations), format, true, &process)?;
        println!();
        println!(
            "{format:?}: {:.2} MB, gzip {:.2} MB",
            megabytes(&body),
            megabytes(&gzip)
        );

        let copy = median(|| {
            let begin = Instant::now();
            black_box(black_box(&body).clone());
            Ok(begin.elapsed())
        })?;
        report("copy of the page (the ceiling)", copy, copy, "");
        let line = |what: &str, time: Duration, target: &str| report(what, time, copy, target);

        let nothing = |gzip: bool| {
            median(|| {
                let rendered = Exposition::default();
                let all: Vec<_> = operations.iter().map(|operation| families(operation)).collect();
                let begin = Instant::now();
                for (operation, families) in operations.iter().zip(all) {
                    rendered.replace(part(operation), families);
                }
                black_box(rendered.page(format, gzip, &process)?);
                Ok(begin.elapsed())
            })
        };
        line("everything from nothing", nothing(false)?, "at most 40 ms");
        line("everything from nothing, gzip", nothing(true)?, "");

        let rendered = full(&operations);
        for gzip in [false, true] {
            rendered.page(format, gzip, &process)?;
        }
        let changed = |gzip: bool| {
            median(|| {
                let operation = &operations[fastrand::usize(..OPERATIONS)];
                let families = families(operation);
                let begin = Instant::now();
                rendered.replace(part(operation), families);
                black_box(rendered.page(format, gzip, &process)?);
                Ok(begin.elapsed())
            })
        };
        line("one operation changed", changed(false)?, "at most 5 ms");
        line("one operation changed, gzip", changed(true)?, "");

        let unchanged = |gzip: bool| {
            rendered.page(format, gzip, &process)?;
            median(|| {
                let begin = Instant::now();
                black_box(rendered.page(format, gzip, &process)?);
                Ok(begin.elapsed())
            })
        };
        line("nothing changed", unchanged(false)?, "");
        line("nothing changed, gzip", unchanged(true)?, "");
    }
    Ok(())
}

fn report(what: &str, time: Duration, copy: Duration, target: &str) {
    let ratio = time.as_secs_f64() / copy.as_secs_f64();
    let target = if target.is_empty() {
        String::new()
    } else {
        format!("  (target: {target})")
    };
    println!(
        "  {what:32} {:9.3} ms  {ratio:7.2} copies{target}",
        time.as_secs_f64() * 1e3
    );
}

/// The median time of several runs, after a warm-up.
fn median(mut run: impl FnMut() -> Result<Duration, Error>) -> Result<Duration, Error> {
    run()?;
    let mut times = (0..ROUNDS).map(|_| run()).collect::<Result<Vec<_>, _>>()?;
    times.sort_unstable();
    Ok(times[ROUNDS / 2])
}

fn megabytes(body: &[u8]) -> f64 {
    body.len() as f64 / 1e6
}

fn full(operations: &[Arc<str>]) -> Exposition {
    let exposition = Exposition::default();
    for operation in operations {
        exposition.replace(part(operation), families(operation));
    }
    exposition
}

fn page(exposition: &Exposition, format: Format, gzip: bool, process: &Registry) -> Result<Vec<u8>, Error> {
    Ok(exposition.page(format, gzip, process)?.parts.concat())
}

fn part(operation: &Arc<str>) -> Part {
    Part {
        operation: Arc::clone(operation),
        name: "bench",
    }
}
