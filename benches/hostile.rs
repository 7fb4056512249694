//! A server that stays within every limit of the API and sends as much as it can where names and ids are: how much memory and
//! state the exporter takes.
//!
//! 240 campaigns have names of a megabyte, and so have the agents' states and the results of calls. Of the rows of events,
//! 200 have ids of a megabyte, other ones in each poll, and 20 have new ids that are as long as ids may be, with names of a
//! megabyte.
//!
//! `cargo bench --bench hostile` takes ten minutes. With the path of another binary and a number of seconds it fails if a
//! bound is missed.

#[expect(dead_code, reason = "other benches use the rest")]
mod program;

use std::error::Error;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::program::{Exporter, memory_of};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const LASTS: Duration = Duration::from_secs(600);
const INTERVAL: u64 = 10;
const ROWS_OF_NOW: usize = 240;
const LONG_IDS: usize = 200;
const NEW_IDS: usize = 20;
/// A row may have a mebibyte.
const LONG: usize = 1_000_000;
const MOST_MEMORY: f64 = 128.0 * MB;
const MOST_STATE: f64 = 10.0 * MB;
const MB: f64 = 1e6;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (binary, lasts, is_check) = match &arguments[..] {
        [] => (Path::new(env!("CARGO_BIN_EXE_wolkvox_exporter")), LASTS, false),
        [binary, seconds] => (Path::new(binary), Duration::from_secs(seconds.parse()?), true),
        _ => return Err("give the path of a binary and a number of seconds".into()),
    };
    let folder = env::temp_dir().join(format!("wolkvox_exporter-hostile-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let result = measure(binary, lasts, &folder);
    fs::remove_dir_all(&folder)?;
    match result? {
        missed if missed > 0 && is_check => Err(format!("{missed} bounds are missed").into()),
        _ => Ok(()),
    }
}

/// Measures, prints, and returns how many bounds are missed.
fn measure(binary: &Path, lasts: Duration, folder: &Path) -> Outcome<usize> {
    let server = Server::start()?;
    fs::write(folder.join("token"), "token")?;
    let reports = REPORTS.map(|report| format!("      {report}: {{interval: {INTERVAL}s, timeout: 9s}}\n"));
    let config = folder.join("wolkvox.yml");
    fs::write(
        &config,
        format!(
            "state_path: state\nnew_series_hold: 0s\noperations:\n  - name: acme\n    url: {}\n    token_file: token\n    \
             timezone: America/Bogota\n    daily_calls: 1000000\n    reports:\n{}",
            server.address,
            reports.concat()
        ),
    )?;
    let exporter = Exporter::start(binary, &config)?;
    exporter.wait_until_served()?;
    let begin = Instant::now();
    while begin.elapsed() < lasts {
        thread::sleep(Duration::from_secs(1));
        // As Prometheus does, and another one.
        exporter.scrape()?;
    }
    let page = exporter.scrape()?;
    let (_, peak) = memory_of(exporter.child.0.id())?;
    let state = fs::metadata(folder.join("state/acme.redb"))?.len() as f64;
    let megabytes = server.sent.load(Ordering::Relaxed) as f64 / MB;
    let rows = page.sum("wolkvox_report_rows_total", "");
    let longest = page.lines().map(str::len).max().unwrap_or_default();

    let mut missed = 0;
    let mut verdict = |is_met: bool| {
        missed += usize::from(!is_met);
        if is_met { "" } else { ", missed" }
    };
    println!(
        "{megabytes:.0} MB of answers with {rows:.0} rows in {:.0} s",
        begin.elapsed().as_secs_f64()
    );
    println!(
        "  resident at the peak: {:.1} MB (at most {:.0}){}",
        peak / MB,
        MOST_MEMORY / MB,
        verdict(peak <= MOST_MEMORY)
    );
    println!(
        "  state: {:.1} MB (at most {:.0}){}",
        state / MB,
        MOST_STATE / MB,
        verdict(state <= MOST_STATE)
    );
    println!(
        "  page: {:.1} MB, its longest line {longest} bytes",
        page.body.len() as f64 / MB
    );
    for report in REPORTS {
        if page.sum("wolkvox_up", &format!("report=\"{report}\"")) != 1.0 {
            println!("  {report} is not up{}", verdict(false));
        }
    }
    exporter.complaints()?;
    Ok(missed)
}

const REPORTS: [&str; 7] = [
    "campaigns",
    "skills",
    "agents",
    "abandoned_calls",
    "answered_calls",
    "ivr",
    "call_results",
];

/// Makes up rows.
struct Server {
    address: String,
    sent: Arc<AtomicU64>,
}

impl Server {
    fn start() -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = format!("http://{}", listener.local_addr()?);
        let sent = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&sent);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sent = Arc::clone(&counted);
                // A connection ends with a failed read or write.
                thread::spawn(move || answer(&stream, &sent).is_ok());
            }
        });
        Ok(Self { address, sent })
    }
}

fn answer(stream: &TcpStream, sent: &AtomicU64) -> Outcome<()> {
    static POLLS: AtomicU64 = AtomicU64::new(0);
    let mut lines = BufReader::new(stream).lines();
    while let Some(request) = lines.next().transpose()? {
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let poll = POLLS.fetch_add(1, Ordering::Relaxed);
        let mut out = BufWriter::with_capacity(1 << 20, stream);
        write!(out, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
        let mut send = |text: &str| -> Outcome<()> {
            sent.fetch_add(text.len() as u64, Ordering::Relaxed);
            write!(out, "{:x}\r\n{text}\r\n", text.len())?;
            Ok(())
        };
        send("{\"code\": \"200\", \"data\": [")?;
        for (n, row) in rows(&request, poll).enumerate() {
            let separator = if n == 0 { "" } else { "," };
            send(&format!("{separator}{row}"))?;
        }
        send("]}")?;
        write!(out, "0\r\n\r\n")?;
    }
    Ok(())
}

/// The rows of an answer.
fn rows(request: &str, poll: u64) -> Box<dyn Iterator<Item = String>> {
    let zone = TimeZone::get("America/Bogota").unwrap_or(TimeZone::UTC);
    let date = Timestamp::now()
        .to_zoned(zone)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string();
    let asks = |api: &str| request.contains(&format!("api={api}"));
    let name = long("name");
    if asks("campaigns") {
        return Box::new(
            (0..ROWS_OF_NOW).map(move |n| format!(r#"{{"campaign": "{} - {name}", "records": "5"}}"#, 1000 + n)),
        );
    }
    if asks("skills") {
        return Box::new((0..ROWS_OF_NOW).map(move |n| {
            format!(
                r#"{{"skill_id": "{}", "skill_name": "{name}", "calls_in_queue_now": "1"}}"#,
                4000 + n
            )
        }));
    }
    if asks("agents") {
        return Box::new(
            (0..ROWS_OF_NOW).map(move |n| format!(r#"{{"agent_status": "{n} {name}", "time_state_now": "5"}}"#)),
        );
    }
    if asks("cdr_6") {
        return Box::new((0..ROWS_OF_NOW).map(move |n| format!(r#"{{"result": "{n} {name}", "count": "{poll}"}}"#)));
    }
    let of = if asks("diagram_1") { "rp" } else { "skill" };
    Box::new((0..LONG_IDS + NEW_IDS).map(move |n| {
        let (id, name) = if n < LONG_IDS {
            (format!("{poll}x{n}x{}", long("id")), "name")
        } else {
            (format!("{:x<64}", format!("{poll}x{n}")), &*name)
        };
        format!(
            r#"{{"{of}_id": "{id}", "{of}_name": "{name}", "conn_id": "{poll}.{n}", "date": "{date}", "result": "abandoned", "abandon_time": "5", "answer_time": "5", "time": "5", "cod_opc_menu": "x{n}"}}"#
        )
    }))
}

/// As long as it fits into a row.
fn long(text: &str) -> String {
    let mut long = text.to_owned();
    long.extend(std::iter::repeat_n('n', LONG - text.len()));
    long
}
