//! The log: quiet while all is well, and in a form that people and programs read.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tracing_subscriber::filter::LevelFilter;
use wolkvox_exporter::config::Operation;
use wolkvox_exporter::reports::REPORTS;
use wolkvox_simulator::{Api, EventPlan, Fault, OperationPlan, SimulatedClock, Simulator, SimulatorConfig};

use crate::ledger::Folder;
use crate::schedule::Timeline;
use crate::support::{Process, client, serve, zone};

const OPERATIONS: usize = 30;
/// Lines that thirty operations may write on a day without incidents.
const LINES_A_DAY: usize = 1000;

thread_local! {
    /// What was logged on this thread, if it is collected.
    static LOGGED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Collects what is logged on this thread.
struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.iter_mut().for_each(|logged| logged.extend_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Begins to collect. The subscriber is that of the process: what another test logs first would be lost to that of a thread.
    fn collect() -> Self {
        LOGGED.set(Some(Vec::new()));
        let log = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::INFO)
            .with_ansi(false)
            .with_target(false)
            .with_writer(|| Lines);
        log.init();
        Lines
    }

    fn text(&self) -> String {
        LOGGED.with_borrow(|logged| String::from_utf8(logged.clone().unwrap_or_default()).unwrap())
    }

    /// The lines with this message.
    fn with(&self, message: &str) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter(|line| line.contains(message));
        lines.map(str::to_owned).collect()
    }
}

/// No type names of Rust, no needless digits, and a target only for libraries.
fn is_readable(log: &str) {
    for line in log.lines() {
        for odd in ["Some(", "None", "wolkvox_exporter::", "µs"] {
            assert!(!line.contains(odd), "{odd}: {line}");
        }
        // The time of the line itself has more digits, but no unit.
        let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
        for seconds in words.filter_map(|word| word.strip_suffix('s')) {
            let decimals = seconds.split_once('.').map_or("", |(_, decimals)| decimals);
            let is_number = seconds.parse::<f64>().is_ok();
            assert!(!is_number || decimals.len() < 2, "{seconds}s: {line}");
        }
    }
}

/// A day of one operation with all reports at their default intervals. Its hourly lines count every poll.
#[tokio::test(start_paused = true)]
async fn a_day_without_incidents_is_a_line_an_hour() {
    let lines = Lines::collect();
    // Midnight in Bogotá.
    let timeline = Timeline::start("2026-11-20T05:00:00Z", |operation| {
        let all = Operation::new("acme", operation.base_url.clone(), operation.token.clone());
        operation.reports = all.reports;
    })
    .await;
    for _ in 0..24 * 60 - 1 {
        timeline.pass_to_the_end(Duration::from_secs(60)).await;
    }
    let counted = timeline.counted_events();
    timeline.pass_to_the_end(Duration::from_secs(60)).await;
    let text = lines.text();
    assert_eq!(lines.with("all reports are read").len(), 1, "{text}");
    let hours = lines.with("the last hour");
    assert_eq!(hours.len(), 24, "{text}");
    let number = |line: &str, field: &str| -> u64 {
        let (_, rest) = line.split_once(&format!("{field}=")).unwrap();
        rest.split(' ').next().unwrap().parse().unwrap()
    };
    let observed = timeline.acme().observed();
    let of_day = |field: &str| -> u64 { hours.iter().map(|line| number(line, field)).sum() };
    let of_new_day = REPORTS.len() as u64;
    assert_eq!(of_day("polls"), timeline.turns() - of_new_day, "{text}");
    assert!(counted > 0 && of_day("rows") > counted);
    assert_eq!(of_day("counted"), counted, "{text}");
    assert!(u64::from(observed.most_in_flight) == 1 && number(&hours[0], "failed") == 0);
    // What the process itself logs at its start is in the other test.
    assert!(text.lines().count() * OPERATIONS < LINES_A_DAY - 50, "{text}");
    is_readable(&text);

    // What changes is told at once, and that it has ended. A report of events might be rereading old rows, which is told otherwise.
    timeline.acme().inject(Fault::Html.once().on(Api::Campaigns));
    for _ in 0..16 {
        timeline.pass_to_the_end(Duration::from_secs(60)).await;
    }
    assert_eq!(lines.with("poll failed").len(), 1, "{}", lines.text());
    assert_eq!(lines.with("polls succeed again").len(), 1, "{}", lines.text());
}

/// The real program with thirty operations from `defaults`.
#[tokio::test]
async fn thirty_operations_start_in_a_few_lines() {
    let plan = |n| {
        OperationPlan::new(format!("o{n}"), zone("America/Bogota"))
            .volume(0.02)
            .never_closes()
            // Otherwise the time of day decides whether there is something to warn of.
            .events(EventPlan::as_assumed())
    };
    let simulator = Simulator::new(SimulatorConfig {
        seed: 7,
        clock: SimulatedClock::system(),
        operations: (0..OPERATIONS).map(plan).collect(),
    });
    let served = serve(&simulator).await;
    let folder = Folder::new("log");
    fs::create_dir_all(&folder.0).unwrap();
    let mut text = "state_path: state\ndefaults: {timezone: America/Bogota}\noperations:\n".to_owned();
    for operation in simulator.operations() {
        let name = operation.name();
        text.push_str(&format!("  - {{name: {name}, url: '{}'}}\n", served.url()));
        fs::write(folder.0.join(format!("{name}.token")), operation.token()).unwrap();
    }
    let config = folder.0.join("wolkvox.yml");
    fs::write(&config, text).unwrap();
    let flag = format!("--config.file={}", config.display());
    for format in ["logfmt", "json"] {
        let log = folder.0.join(format);
        let stderr = Stdio::from(fs::File::create(&log).unwrap());
        let _ = fs::remove_dir_all(folder.0.join("state"));
        let (process, page) = Process::serving(
            &[&flag, "--web.enable-lifecycle", &format!("--log.format={format}")],
            stderr,
        )
        .await;
        let deadline = Instant::now() + Duration::from_secs(60);
        let read = || fs::read_to_string(&log).unwrap();
        // The operations of a process start one after the other, over the shortest interval: not all are waited for.
        while read().matches("all reports are read").count() < 3 {
            assert!(Instant::now() < deadline, "{}", read());
            sleep(Duration::from_millis(50)).await;
        }
        let reload = page.0.replace("/metrics", "/-/reload");
        assert_eq!(client().post(reload).send().await.unwrap().status(), 200);
        drop(process);
        let text = read();
        is_readable(&text);
        let own = text
            .lines()
            .filter(|line| !line.contains("all reports are read") && !line.contains("configuration:"));
        assert!(own.count() <= 6, "{text}");
        assert!(!text.contains("target"), "{text}");
        assert!(
            REPORTS.iter().all(|report| !text.contains(&format!("report={report}"))),
            "{text}"
        );
    }
}
