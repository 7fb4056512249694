//! After an outage every operation catches up at the same moment: how much memory that takes, whether it is given back, and
//! how long the polls of the other operations wait meanwhile.
//!
//! 200 operations have answers of 50,000 abandoned calls that they have not counted yet, and 20 more have small ones. The
//! exporter is a process of its own, with its state on disk. The server is this program: it sends from memory.
//!
//! `cargo bench --bench catch_up` measures the release build. With the path of another binary as its argument it fails if
//! a bound is missed: that is a step of tests/run.

mod born;
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use self::program::{Exporter, cpu_of, forget_peak_of, memory_of};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const LARGE: usize = 200;
const SMALL: usize = 20;
const ROWS: usize = 50_000;
const FEW_ROWS: usize = 9;
/// Of the small operations.
const SMALL_INTERVAL: Duration = Duration::from_secs(1);
const INTERVAL: Duration = Duration::from_secs(15);
const MOST_MEMORY: f64 = 512.0 * MB;
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const GIVEN_BACK_AFTER: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(600);
const MB: f64 = 1e6;

fn main() -> Outcome<()> {
    let binary = env::args().skip(1).find(|argument| argument != "--bench");
    let (exporter, is_check) = match &binary {
        Some(path) => (Path::new(path), true),
        None => (Path::new(env!("CARGO_BIN_EXE_wolkvox_exporter")), false),
    };
    let folder = env::temp_dir().join(format!("wolkvox_exporter-catch-up-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let result = measure(exporter, &folder);
    fs::remove_dir_all(&folder)?;
    match result? {
        missed if missed > 0 && is_check => Err(format!("{missed} bounds are missed").into()),
        _ => Ok(()),
    }
}

/// Measures, prints, and returns how many bounds are missed.
fn measure(binary: &Path, folder: &Path) -> Outcome<usize> {
    let server = Server::start()?;
    let config = configure(folder, &server.address)?;
    let exporter = Exporter::start(binary, &config)?;
    let process = exporter.child.0.id();
    exporter.wait_until_served()?;
    let few = (FEW_ROWS * (LARGE + SMALL)) as f64;
    wait("all operations are polled", &exporter, |counted| counted >= few)?;
    thread::sleep(INTERVAL);
    let (before, _) = memory_of(process)?;

    println!("{LARGE} operations with answers of {ROWS} rows at the same moment, {SMALL} with {FEW_ROWS} rows");
    forget_peak_of(process)?;
    let cpu = cpu_of(process)?;
    let begin = Instant::now();
    server.requests.lock().map_err(|_| "poisoned")?.begin_flood();
    let all = (LARGE * ROWS + SMALL * FEW_ROWS) as f64;
    wait("all rows are counted", &exporter, |counted| counted >= all)?;
    let (took, cpu) = (begin.elapsed(), cpu_of(process)? - cpu);
    let counted = counted(&exporter)?;
    if counted != all {
        return Err(format!("{counted} rows were counted, of {all}").into());
    }
    let longest = server.requests.lock().map_err(|_| "poisoned")?.longest_gap();
    let (_, peak) = memory_of(process)?;
    thread::sleep(GIVEN_BACK_AFTER);
    let (after, _) = memory_of(process)?;

    let mut missed = 0;
    let mut verdict = |is_met: bool| {
        missed += usize::from(!is_met);
        if is_met { "" } else { ", missed" }
    };
    println!("  counted within {:.1} s, {cpu:.1} s of CPU", took.as_secs_f64());
    println!("  resident before: {:.1} MB", before / MB);
    println!(
        "  at the peak: {:.1} MB (at most {:.0}){}",
        peak / MB,
        MOST_MEMORY / MB,
        verdict(peak <= MOST_MEMORY)
    );
    println!(
        "  a minute later: {:.1} MB (at most twice that before){}",
        after / MB,
        verdict(after <= 2.0 * before)
    );
    let wait = longest.saturating_sub(SMALL_INTERVAL);
    println!(
        "  longest wait of a poll of a small operation: {:.1} s (at most {:.0}){}",
        wait.as_secs_f64(),
        LONGEST_WAIT.as_secs_f64(),
        verdict(wait <= LONGEST_WAIT)
    );
    exporter.complaints()?;
    Ok(missed)
}

/// Waits until as many rows are counted as wanted.
fn wait(what: &str, exporter: &Exporter, is_enough: impl Fn(f64) -> bool) -> Outcome<()> {
    let begin = Instant::now();
    while !is_enough(counted(exporter).unwrap_or_default()) {
        if begin.elapsed() > LONGEST {
            return Err(format!("not in time: {what}; {}", fs::read_to_string(&exporter.log)?).into());
        }
        thread::sleep(Duration::from_millis(500));
    }
    Ok(())
}

/// The rows that were counted. The counters themselves begin at 0 for a while.
fn counted(exporter: &Exporter) -> Outcome<f64> {
    let page = exporter.scrape()?;
    Ok(page.sum("wolkvox_report_rows_total", "outcome=\"counted\""))
}

/// Writes a configuration, and a state for each operation that was born yesterday.
fn configure(folder: &Path, address: &str) -> Outcome<PathBuf> {
    let state = folder.join("state");
    fs::create_dir_all(&state)?;
    let mut config = "state_path: state\noperations:\n".to_owned();
    let born = Timestamp::from_second((Timestamp::now() - SignedDuration::from_hours(20)).as_second())?;
    for n in 0..LARGE + SMALL {
        let kind = if n < LARGE { "large" } else { "small" };
        let name = format!("{kind}-{n:03}");
        fs::write(folder.join(format!("{name}.token")), &name)?;
        write!(
            config,
            "  - name: {name}\n    url: {address}\n    token_file: {name}.token\n    timezone: America/Bogota\n    \
             daily_calls: 1000000\n    reports: {{abandoned_calls: {{interval: {}s}}}}\n",
            if n < LARGE { INTERVAL } else { SMALL_INTERVAL }.as_secs()
        )?;
        born::write(&state, &name, born)?;
    }
    let file = folder.join("wolkvox.yml");
    fs::write(&file, config)?;
    Ok(file)
}

/// Answers from memory.
struct Server {
    address: String,
    requests: Arc<Mutex<Requests>>,
}

/// What was asked, by token.
#[derive(Default)]
struct Requests {
    /// When the large answers were asked for first.
    flood: Option<Instant>,
    /// The operations that have had their large answer.
    flooded: BTreeSet<String>,
    /// When the small operations were polled since the flood began.
    polls: BTreeMap<String, Vec<Instant>>,
}

impl Requests {
    fn begin_flood(&mut self) {
        self.flood = Some(Instant::now());
        self.polls.clear();
    }

    /// Whether the answer to this request is large.
    fn is_large(&mut self, token: &str) -> bool {
        self.polls.entry(token.to_owned()).or_default().push(Instant::now());
        self.flood.is_some() && token.starts_with("large") && self.flooded.insert(token.to_owned())
    }

    /// The longest time between two polls of a small operation.
    fn longest_gap(&self) -> Duration {
        let small = self.polls.iter().filter(|(token, _)| token.starts_with("small"));
        let gaps = small.flat_map(|(_, polls)| polls.windows(2).map(|pair| pair[1] - pair[0]));
        gaps.max().unwrap_or_default()
    }
}

impl Server {
    fn start() -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = format!("http://{}", listener.local_addr()?);
        let requests = Arc::new(Mutex::new(Requests::default()));
        // Dated before the first poll, so that every window has them.
        let now = Timestamp::now();
        let few = rows(now, FEW_ROWS, "few")?;
        let many = [few.as_str(), &rows(now, ROWS - FEW_ROWS, "more")?].join(",");
        let bodies = Arc::new([body(&few), body(&many)]);
        let server = Self {
            address,
            requests: Arc::clone(&requests),
        };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (bodies, requests) = (Arc::clone(&bodies), Arc::clone(&requests));
                // A connection ends with a failed read or write.
                thread::spawn(move || answer(&stream, &bodies, &requests).is_ok());
            }
        });
        Ok(server)
    }
}

fn answer(mut stream: &TcpStream, bodies: &[String; 2], requests: &Mutex<Requests>) -> Outcome<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream).lines();
    while lines.next().transpose()?.is_some() {
        let mut token = String::new();
        while let Some(line) = lines.next().transpose()?.filter(|line| !line.is_empty()) {
            if let Some(value) = line.strip_prefix("wolkvox-token: ") {
                value.clone_into(&mut token);
            }
        }
        let is_large = requests.lock().map_err(|_| "poisoned")?.is_large(&token);
        if is_large {
            let begin = requests.lock().map_err(|_| "poisoned")?.flood.ok_or("no flood")?;
            // Not before all operations have asked, so that it is the same moment for all.
            thread::sleep((begin + INTERVAL).saturating_duration_since(Instant::now()));
        }
        let body = &bodies[usize::from(is_large)];
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=UTF-8\r\n"
        )?;
        // Half of the answers say how large they are.
        if token.ends_with(['0', '2', '4', '6', '8']) {
            write!(stream, "content-length: {}\r\n\r\n{body}", body.len())?;
        } else {
            write!(stream, "transfer-encoding: chunked\r\n\r\n")?;
            for chunk in body.as_bytes().chunks(64 * 1024) {
                write!(stream, "{:x}\r\n", chunk.len())?;
                stream.write_all(chunk)?;
                write!(stream, "\r\n")?;
            }
            write!(stream, "0\r\n\r\n")?;
        }
    }
    Ok(())
}

/// Abandoned calls within a hundred minutes.
fn rows(now: Timestamp, count: usize, name: &str) -> Outcome<String> {
    const CHANNELS: [&str; 4] = ["inbound", "chat-web", "chat-whatsapp", "out_pre"];
    let zone = TimeZone::get("America/Bogota")?;
    let mut rows = String::new();
    for row in 0..count {
        let before = SignedDuration::from_secs(6000 - (6000 * row / count) as i64);
        let date = (now - before).to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S");
        let separator = if row == 0 { "" } else { "," };
        let (skill, channel, wait) = (20_301 + row % 5, CHANNELS[row % CHANNELS.len()], row % 600);
        write!(
            rows,
            "{separator}\n        {{\n            \"skill_name\": \"Soporte Hogar\",\n            \"skill_id\": \"{skill}\",\n            \
             \"conn_id\": \"12345.{name}.1782400000.{row:05}\",\n            \"date\": \"{date}\",\n            \
             \"result\": \"abandoned\",\n            \"ani\": \"3001234567\",\n            \"abandon_time\": \"{wait}\",\n            \
             \"type_interaction\": \"{channel}\",\n            \"customer_id\": \"1020304050\"\n        }}"
        )?;
    }
    Ok(rows)
}

/// An answer with these rows.
fn body(rows: &str) -> String {
    let message = "Records found according to your query parameters";
    format!(
        "{{\n    \"code\": \"200\",\n    \"error\": null,\n    \"msg\": \"{message}\",\n    \"data\": [{rows}\n    ]\n}}"
    )
}
