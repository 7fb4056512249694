//! Measures how fast the rows of large answers are read, and how much memory that takes.
//!
//! Twelve answers of 50,000 abandoned calls come over loopback, compact and indented as the vendor sends them. Each
//! measurement runs in its own process, so that its peak memory is its own. The server is a separate process too, and
//! prepares the bodies before anything is measured. The cost of parsing, counting and committing is compared with only
//! receiving the same bodies.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use procfs::process::Process;
use serde::Deserialize;
use wolkvox_exporter::client::{Allowance, Answer, CallBudget, Client, RetryPolicy};
use wolkvox_exporter::clock::Moment;
use wolkvox_exporter::config::{Operation, Token};
use wolkvox_exporter::ledger::{Ledger, PartOf, Piece, Storage};
use wolkvox_exporter::reports::events::{Asked, Collected, EventReader, Events};
use wolkvox_exporter::reports::{ABANDONED_CALLS, Kind, Outcome as RowOutcome};
use wolkvox_exporter::wire::fields::Leaf;
use wolkvox_exporter::wire::json::{self, Broken};
use wolkvox_exporter::wire::{Endpoint, Query, Rows};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ANSWERS: usize = 12;
const ROWS: usize = 50_000;
/// Odd, so that there is a median; each run reads all answers.
const ROUNDS: usize = 7;
const MB: f64 = 1e6;
/// The ways to read, starting with the ceiling, and the longest allowed time of each as a multiple of the ceiling's.
const WAYS: [(&str, f64); 4] = [("drained", 1.0), ("parsed", 3.0), ("counted", 4.0), ("committed", 8.0)];
const MOST_MEMORY: f64 = 48.0 * MB;
/// The day of the first answer's rows. Each answer has its own day, so that all rows are new.
const FIRST_DAY: Date = date(2026, 6, 1);

fn main() -> Outcome<()> {
    // The first argument selects the measurement; cargo adds arguments of its own, which we ignore.
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", layout] => serve(layout == "indented"),
        ["drained", address] => measured(address, drain),
        ["parsed", address] => measured(address, parse),
        ["counted", address] => measured(address, |address, scripts| count(address, scripts, Storage::memory())),
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
        println!("             MB/s     ms  ratio (target)  CPU ms  in commits ms  peak MB over idle (target: 48)");
        for (place, (way, target)) in WAYS.iter().enumerate() {
            let middle =
                |figure: fn(&Figures) -> f64| median(rounds.iter().map(|round| figure(&round[place])).collect());
            let seconds = middle(|figures| figures.seconds);
            let ratio = median(
                rounds
                    .iter()
                    .map(|round| round[place].seconds / round[0].seconds)
                    .collect(),
            );
            let memory = middle(|figures| figures.peak - figures.idle);
            let verdict = |met| if met { "" } else { " missed" };
            println!(
                "  {way:9} {:6.0} {:6.0}  {ratio:5.2} ({target}){}  {:6.0}  {:6.0}  {:5.1} over {:.1}{}",
                bytes / MB / seconds,
                seconds * 1e3,
                verdict(ratio <= *target),
                middle(|figures| figures.cpu) * 1e3,
                middle(|figures| figures.commits) * 1e3,
                memory / MB,
                middle(|figures| figures.idle) / MB,
                verdict(memory <= MOST_MEMORY),
            );
        }
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The result of a measuring process.
struct Figures {
    seconds: f64,
    /// Bytes received, or rows read.
    amount: f64,
    /// Time spent on commits, including waits for the disk.
    commits: f64,
    /// CPU time over all cores, user and system, in seconds.
    cpu: f64,
    idle: f64,
    peak: f64,
}

impl Figures {
    fn of(way: &str, address: &str) -> Outcome<Self> {
        let output = Command::new(env::current_exe()?)
            .args([way, address])
            .stderr(Stdio::inherit())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [seconds, amount, commits, cpu, idle, peak] = numbers[..] else {
            return Err(format!("{way} has failed").into());
        };
        Ok(Self {
            seconds,
            amount,
            commits,
            cpu,
            idle,
            peak,
        })
    }
}

/// The result of reading, in the measuring process.
#[derive(Default)]
struct Run {
    time: Duration,
    amount: u64,
    commits: Duration,
}

/// In the measuring process: requests a short answer first, which sets up connection and buffers, then all answers.
fn measured<F>(address: &str, read: fn(String, Vec<&'static str>) -> F) -> Outcome<()>
where
    F: Future<Output = Outcome<Run>> + Send + 'static,
{
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "no cryptography")?;
    let runtime = tokio::runtime::Runtime::new()?;
    // Spawned, as pollers are.
    let run = |scripts| runtime.block_on(runtime.spawn(read(address.to_owned(), scripts)));
    run(vec!["short"])??;
    let idle = memory("VmRSS")?;
    let cpu_before = cpu_seconds()?;
    let Run { time, amount, commits } = run(vec!["long"; ANSWERS])??;
    let cpu = cpu_seconds()? - cpu_before;
    let (time, commits) = (time.as_secs_f64(), commits.as_secs_f64());
    println!("{time} {amount} {commits} {cpu} {idle} {}", memory("VmHWM")?);
    Ok(())
}

/// The CPU time of this process over all cores.
fn cpu_seconds() -> Outcome<f64> {
    let stat = Process::myself()?.stat()?;
    Ok((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
}

/// Memory of this process as the kernel reports it, in bytes.
fn memory(key: &str) -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with(key))
        .ok_or("no such line")?;
    let kibibytes: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kibibytes * 1024)
}

/// The ceiling: receives the bodies chunk by chunk and drops them; returns the number of bytes.
async fn drain(address: String, scripts: Vec<&'static str>) -> Outcome<Run> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only(std::iter::empty())
        .build()?;
    let begin = Instant::now();
    let mut bytes = 0;
    for script in scripts {
        let url = format!("{address}/api/v2/{script}?api=skill_2");
        let mut response = client.get(url).send().await?.error_for_status()?;
        while let Some(chunk) = response.chunk().await? {
            bytes += chunk.len() as u64;
        }
    }
    Ok(Run {
        time: begin.elapsed(),
        amount: bytes,
        ..Run::default()
    })
}

/// Requests as the exporter does.
struct Asking {
    client: Client,
    budget: CallBudget,
}

impl Asking {
    fn new(address: String) -> Outcome<Self> {
        let operation = Operation::new("bench", address, Token::given("token"));
        Ok(Self {
            client: Client::new(&operation, RetryPolicy::default())?,
            budget: CallBudget::new(u32::MAX, FIRST_DAY, 0),
        })
    }

    async fn fetch<R: Rows>(&mut self, script: &'static str, rows: impl Fn() -> R) -> Outcome<Answer<R>> {
        let query = Query {
            endpoint: Endpoint { script, api: "skill_2" },
            parameters: Vec::new(),
        };
        let allowance = Allowance {
            timeout: Duration::from_secs(60),
            retry_within: Duration::ZERO,
            budget: &mut self.budget,
            attempts: &mut Vec::new(),
        };
        Ok(self.client.fetch(&query, allowance, rows).await?)
    }
}

fn rows_of(script: &str) -> usize {
    if script == "long" { ROWS } else { 1 }
}

/// Reads with a minimal report; returns the number of rows.
async fn parse(address: String, scripts: Vec<&'static str>) -> Outcome<Run> {
    let mut asking = Asking::new(address)?;
    let begin = Instant::now();
    let mut count = 0;
    for script in scripts {
        let answer = asking.fetch(script, Abandoned::default).await?;
        if answer.rows.complete != rows_of(script) || answer.rows.other != 0 {
            return Err("rows were lost".into());
        }
        count += answer.count;
    }
    Ok(Run {
        time: begin.elapsed(),
        amount: count,
        ..Run::default()
    })
}

/// Does what the exporter does, with one window of a day per answer; returns how many rows were counted.
async fn count(address: String, scripts: Vec<&'static str>, storage: Storage) -> Outcome<Run> {
    let zone = TimeZone::get("America/Bogota")?;
    let end_of = |day: Date| -> Outcome<Timestamp> { Ok(day.at(23, 59, 59, 0).to_zoned(zone.clone())?.timestamp()) };
    let moment = |wall| Moment {
        wall,
        monotonic: tokio::time::Instant::now(),
    };
    let birth = end_of(FIRST_DAY.yesterday()?)?;
    let mut ledger = Ledger::open(storage, Duration::ZERO, 10_000, moment(birth))?;
    let born = piece(
        PartOf::Birth { born: Some(birth) },
        birth,
        Events::new(&zone, 0, Asked::ANYTHING).collected(),
    );
    ledger.commit_piece(&born, (FIRST_DAY, 1), moment(birth))?;

    let Kind::Events(events) = &ABANDONED_CALLS.kind else {
        return Err("the report has no events".into());
    };
    let mut asking = Asking::new(address)?;
    let begin = Instant::now();
    let mut run = Run::default();
    for (number, script) in scripts.into_iter().enumerate() {
        let hash_key = ledger.hash_key();
        let day = FIRST_DAY.checked_add((number as i64).days())?;
        let asked = Asked {
            first: day.at(0, 0, 0, 0),
            last: day.at(23, 59, 59, 0),
            final_before: Timestamp::MIN,
        };
        let answer = asking
            .fetch(script, || EventReader::new(events, Events::new(&zone, hash_key, asked)))
            .await?;
        let until = end_of(day)?;
        let piece = piece(PartOf::Window, until, answer.rows.finish());
        let before = Instant::now();
        let committed = ledger.commit_piece(&piece, (day, 1), moment(until))?;
        // Nothing is forgotten before it is reread.
        let reread = crate::piece(
            PartOf::Reread { ended: true },
            until,
            Events::new(&zone, 0, asked).collected(),
        );
        ledger.commit_piece(&reread, (day, 1), moment(until))?;
        run.commits += before.elapsed();
        let counted = committed.tally.rows(RowOutcome::Counted);
        if counted != rows_of(script) as u64 {
            return Err(format!("{counted} rows were counted of {}", answer.count).into());
        }
        run.amount += counted;
    }
    run.time = begin.elapsed();
    Ok(run)
}

/// A piece with the default overlap and reread.
fn piece(part_of: PartOf, until: Timestamp, answer: Collected) -> Piece {
    Piece {
        report: &ABANDONED_CALLS,
        until,
        part_of,
        overlap: SignedDuration::from_hours(2),
        reread_back: SignedDuration::from_hours(48),
        reread_reach: SignedDuration::from_hours(54),
        answer,
        backlog_before: Timestamp::MIN,
    }
}

/// Counts rows that have the fields that abandoned calls need.
#[derive(Default)]
struct Abandoned {
    complete: usize,
    other: usize,
}

#[derive(Deserialize)]
struct AbandonedRow<'a> {
    #[serde(borrow, default)]
    skill_id: Leaf<'a>,
    #[serde(borrow, default)]
    conn_id: Leaf<'a>,
    #[serde(borrow, default)]
    date: Leaf<'a>,
    #[serde(borrow, default)]
    abandon_time: Leaf<'a>,
}

impl Rows for Abandoned {
    fn value(&mut self, _: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        json::row(json, |row: AbandonedRow<'_>| {
            if row.is_complete() {
                self.complete += 1;
            } else {
                self.other += 1;
            }
        })
    }

    fn unreadable(&mut self, _: Option<&str>, _: Option<&str>) {
        self.other += 1;
    }
}

impl AbandonedRow<'_> {
    fn is_complete(&self) -> bool {
        let needed = [&self.skill_id, &self.conn_id, &self.date, &self.abandon_time];
        needed
            .iter()
            .all(|leaf| matches!(leaf, Leaf::Text(text) if !text.is_empty()))
    }
}

/// The server's process, which is killed when this is dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(layout: &str) -> Outcome<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(["serve", layout])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut address)?;
        address.truncate(address.trim_end().len());
        Ok(Self { child, address })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server: prints its address and answers from memory until killed.
fn serve(indented: bool) -> Outcome<()> {
    let bodies: Vec<String> = (0..ANSWERS).map(|answer| body(answer, ROWS, indented)).collect();
    let bodies = Arc::new((body(0, 1, indented), bodies));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, bodies) = (stream?, Arc::clone(&bodies));
        // A connection ends with a failed read or write.
        thread::spawn(move || answer(&stream, &bodies.0, &bodies.1).is_ok());
    }
    Ok(())
}

/// Answers the requests of one connection: each body in turn, or the short one.
fn answer(mut stream: &TcpStream, short: &str, long: &[String]) -> Outcome<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream).lines();
    let mut next = long.iter().cycle();
    while let Some(request) = lines.next().transpose()? {
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let body = if request.contains("/short") {
            short
        } else {
            next.next().ok_or("no bodies")?
        };
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length:";
        write!(stream, "{head} {}\r\n\r\n", body.len())?;
        stream.write_all(body.as_bytes())?;
    }
    Ok(())
}

/// An answer of abandoned calls; one row in a hundred has escapes.
fn body(answer: usize, rows: usize, indented: bool) -> String {
    const SKILLS: [&str; 5] = ["Ventas", "Soporte Hogar", "Retenciones", "Cartera 30", "PQR"];
    const CHANNELS: [&str; 4] = ["inbound", "chat-web", "chat-whatsapp", "out_pre"];
    let (line, indent, colon) = if indented { ("\n", "    ", ": ") } else { ("", "", ":") };
    let mut random = fastrand::Rng::with_seed(answer as u64);
    let mut body = String::new();
    let message = "Records found according to your query parameters";
    body.push_str(&format!(
        "{{{line}{indent}\"code\"{colon}\"200\",{line}{indent}\"error\"{colon}null,{line}"
    ));
    body.push_str(&format!(
        "{indent}\"msg\"{colon}\"{message}\",{line}{indent}\"data\"{colon}["
    ));
    for row in 0..rows {
        let skill = random.usize(..SKILLS.len());
        let (name, kind) = if row % 100 == 99 {
            (r#"Atenci\u00f3n \/ l\u00ednea \"B\""#, r"ivr\/")
        } else {
            (SKILLS[skill], "")
        };
        let second = 43_200 * row / rows + 28_800;
        let date = format!(
            "2026-06-{:02} {:02}:{:02}:{:02}",
            answer + 1,
            second / 3600,
            second / 60 % 60,
            second % 60
        );
        let fields = [
            ("skill_name", name.to_owned()),
            ("skill_id", (20_301 + skill).to_string()),
            (
                "conn_id",
                format!(
                    "{kind}12345.{}.{}.{row:05}",
                    random.u32(1000..9999),
                    1_782_400_000 + second
                ),
            ),
            ("date", date),
            ("result", "abandoned".to_owned()),
            ("ani", format!("3{:09}", random.u32(..1_000_000_000))),
            ("abandon_time", random.u32(1..600).to_string()),
            ("type_interaction", CHANNELS[random.usize(..CHANNELS.len())].to_owned()),
            ("customer_id", random.u32(10_000_000..1_100_000_000).to_string()),
        ];
        let separator = if row == 0 { "" } else { "," };
        let _ = write!(body, "{separator}{line}{indent}{indent}{{");
        for (place, (key, value)) in fields.iter().enumerate() {
            let separator = if place == 0 { "" } else { "," };
            let _ = write!(
                body,
                "{separator}{line}{indent}{indent}{indent}\"{key}\"{colon}\"{value}\""
            );
        }
        let _ = write!(body, "{line}{indent}{indent}}}");
    }
    let _ = write!(body, "{line}{indent}]{line}}}");
    body
}
