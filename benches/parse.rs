//! Reading large answers: how fast rows come off the wire, and how much memory that takes.
//!
//! Twelve answers of 50,000 abandoned calls come over loopback, compact and indented as the vendor sends them. Each
//! measurement is a process of its own, so that its peak of memory is its own, and so is the server, which makes the
//! bodies before anything is measured. What parsing costs is told against only draining the same bodies.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use serde::Deserialize;
use wolkvox_exporter::client::{Allowance, CallBudget, Client, RetryPolicy};
use wolkvox_exporter::config::{Operation, Token};
use wolkvox_exporter::reports::fields::Leaf;
use wolkvox_exporter::reports::{Query, Rows};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ANSWERS: usize = 12;
const ROWS: usize = 50_000;
/// Odd, so that there is a median; each takes all answers.
const ROUNDS: usize = 7;
const MB: f64 = 1e6;

fn main() -> Outcome<()> {
    // Told apart by the first argument; cargo's own are no words of ours.
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", layout] => serve(layout == "indented"),
        ["drain", address] => measured(address, drain),
        ["parse", address] => measured(address, parse),
        _ => compare(),
    }
}

/// Runs drain and parse in turn, so that a slow moment of the machine meets both.
fn compare() -> Outcome<()> {
    println!("{ANSWERS} answers of {ROWS} rows over loopback, median of {ROUNDS} rounds");
    for layout in ["compact", "indented"] {
        let server = Server::start(layout)?;
        let mut drained = Vec::new();
        let mut parsed = Vec::new();
        for _ in 0..ROUNDS {
            drained.push(Figures::of("drain", &server.address)?);
            parsed.push(Figures::of("parse", &server.address)?);
        }
        let bytes = drained[0].amount;
        let time = |figures: &[Figures]| median(figures.iter().map(|figures| figures.seconds).collect());
        let (drain_time, parse_time) = (time(&drained), time(&parsed));
        let ratio = median(
            parsed
                .iter()
                .zip(&drained)
                .map(|(p, d)| p.seconds / d.seconds)
                .collect(),
        );
        let memory = |figures: &[Figures]| median(figures.iter().map(|figures| figures.peak - figures.idle).collect());
        println!();
        println!("{layout}: {:.1} MB", bytes / MB);
        println!(
            "  drained  {:7.0} MB/s  {:6.0} ms",
            bytes / MB / drain_time,
            drain_time * 1e3
        );
        println!(
            "  parsed   {:7.0} MB/s  {:6.0} ms",
            bytes / MB / parse_time,
            parse_time * 1e3
        );
        println!("  parsed against drained: {ratio:.2} times as long (target: at most 3)");
        println!(
            "  peak memory over idle: {:.1} MB parsed (target: at most 48), {:.1} MB drained; idle {:.1} MB",
            memory(&parsed) / MB,
            memory(&drained) / MB,
            parsed[0].idle / MB,
        );
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What a measuring process found.
struct Figures {
    seconds: f64,
    /// Bytes drained, or rows parsed.
    amount: f64,
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
        let [seconds, amount, idle, peak] = numbers[..] else {
            return Err(format!("{way} has failed").into());
        };
        Ok(Self {
            seconds,
            amount,
            idle,
            peak,
        })
    }
}

/// In the measuring process: asks for a short answer, which makes connection and buffers, then for all of them.
fn measured<F>(address: &str, read: fn(String, Vec<&'static str>) -> F) -> Outcome<()>
where
    F: Future<Output = Outcome<(Duration, u64)>> + Send + 'static,
{
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "no cryptography")?;
    let runtime = tokio::runtime::Runtime::new()?;
    // Spawned as pollers are.
    let run = |scripts| runtime.block_on(runtime.spawn(read(address.to_owned(), scripts)));
    run(vec!["short"])??;
    let idle = memory("VmRSS")?;
    let (time, amount) = run(vec!["long"; ANSWERS])??;
    println!("{} {amount} {idle} {}", time.as_secs_f64(), memory("VmHWM")?);
    Ok(())
}

/// Memory of this process by the kernel's count, in bytes.
fn memory(key: &str) -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with(key))
        .ok_or("no such line")?;
    let kibibytes: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kibibytes * 1024)
}

/// The ceiling: the bodies come and go, chunk by chunk; says how many bytes.
async fn drain(address: String, scripts: Vec<&'static str>) -> Outcome<(Duration, u64)> {
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
    Ok((begin.elapsed(), bytes))
}

/// What the exporter does; says how many rows it read.
async fn parse(address: String, scripts: Vec<&'static str>) -> Outcome<(Duration, u64)> {
    let operation = Operation::new("bench", address, Token::given("token"));
    let client = Client::new(&operation, RetryPolicy::default())?;
    let mut budget = CallBudget::new(u32::MAX, jiff::civil::date(2026, 1, 1), 0);
    let begin = Instant::now();
    let mut count = 0;
    for script in scripts {
        let query = Query {
            script,
            api: "skill_2",
            parameters: Vec::new(),
        };
        let allowance = Allowance {
            timeout: Duration::from_secs(60),
            retry_within: Duration::ZERO,
            budget: &mut budget,
            attempts: &mut Vec::new(),
        };
        let answer = client.fetch(&query, allowance, Abandoned::default).await?;
        let rows = if script == "long" { ROWS } else { 1 };
        if answer.rows.complete != rows || answer.rows.other != 0 {
            return Err("rows were lost".into());
        }
        count += answer.count;
    }
    Ok((begin.elapsed(), count))
}

/// Counts rows that have what the report of abandoned calls needs.
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
    type Row<'a> = AbandonedRow<'a>;

    fn row(&mut self, _: Option<&str>, row: AbandonedRow<'_>) {
        let needed = [&row.skill_id, &row.conn_id, &row.date, &row.abandon_time];
        if needed
            .iter()
            .all(|leaf| matches!(leaf, Leaf::Text(text) if !text.is_empty()))
        {
            self.complete += 1;
        } else {
            self.other += 1;
        }
    }

    fn invalid(&mut self) {
        self.other += 1;
    }
}

/// The server's process, which ends when this is dropped.
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
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server: says its address and answers from memory until it is killed.
fn serve(indented: bool) -> Outcome<()> {
    let bodies: Vec<String> = (0..ANSWERS).map(|answer| body(answer, ROWS, indented)).collect();
    let bodies = Arc::new((body(0, 1, indented), bodies));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, bodies) = (stream?, Arc::clone(&bodies));
        // The end of a connection is a failed read or write.
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
