//! Scraping: as fast as bytes from memory? And what an exporter costs that idles, or that polls many operations.
//!
//! `wrk` scrapes a page that did not change, and then the same bytes from a handler that has nothing but them, in turn,
//! so that a slow moment of the machine meets both. Whatever is measured is a process of its own, so that its memory and
//! its CPU are its own.

mod series;

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use axum::Router;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::routing::get;
use axum::serve::ListenerExt;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use procfs::process::Process;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::Shard;
use wolkvox_exporter::exposition::Format;
use wolkvox_exporter::metrics::process;
use wolkvox_exporter::published::Published;
use wolkvox_exporter::reports::{self, REPORTS};
use wolkvox_exporter::web::{self, ServerSettings, Site, WebConfig};
use wolkvox_simulator::{OperationPlan, SimulatedClock, Simulator, SimulatorConfig};

use self::series::{SERIES, families};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What can be measured; all of it, unless arguments name some.
const PARTS: [&str; 4] = ["scrape", "tls", "idle", "many"];

/// Of the page that is scraped: 150,000 series.
const OPERATIONS: usize = 300;
const CONNECTIONS: [usize; 3] = [1, 8, 64];
/// Odd, so that there is a median.
const ROUNDS: usize = 5;
const RUN: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_secs(1);
const LEAST_THROUGHPUT: f64 = 0.9;
const MOST_P99: f64 = 2.0;

/// Starts of the idle exporter. Odd, so that there is a median.
const STARTS: usize = 11;
const IDLE_INTERVAL: Duration = Duration::from_secs(2);
const IDLE_POLLS: u32 = 10;

/// Operations that are polled each minute, and half of them, to see what one costs.
const MANY: [usize; 2] = [200, 100];
/// Gives an operation about 1,000 series: 18 for each campaign, and those of the other reports.
const CAMPAIGNS: usize = 6;
const POLLED: Duration = Duration::from_secs(60);
const SCRAPED: Duration = Duration::from_secs(15);
/// Until every operation was polled for the first time, which reads more than the others.
const FIRST_POLLS: Duration = Duration::from_secs(90);
const MEASURED: Duration = Duration::from_secs(180);

const MB: f64 = 1e6;
const EXPORTER: &str = env!("CARGO_BIN_EXE_wolkvox_exporter");
const WRK: &str = "wrk";
/// What Prometheus sends.
const PROMETHEUS: [&str; 2] = [
    "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "Accept-Encoding: gzip",
];
/// Makes `wrk` print its figures in one line.
const SCRIPT: &str = r#"
done = function(summary, latency, requests)
  local errors = summary.errors
  local figures = {
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout
  }
  for i, figure in ipairs(figures) do figures[i] = string.format("%.0f", figure) end
  io.write("figures " .. table.concat(figures, " ") .. "\n")
end
"#;

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
        ["simulator", operations] => Runtime::new()?.block_on(simulator(operations.parse()?)),
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
                    _ => {
                        for operations in MANY {
                            many(&folder.0, operations)?;
                        }
                    }
                }
            }
            Ok(())
        }
    }
}

/// Serves as the exporter does.
async fn serve(listener: tokio::net::TcpListener, router: Router, web_config: Option<&Path>) -> Outcome<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = ServerSettings {
        config: web_config.map(WebConfig::load).transpose()?,
        ..ServerSettings::default()
    };
    Ok(web::serve(vec![listener], router, settings, CancellationToken::new()).await?)
}

/// A subject: the routes of the exporter, over 150,000 series.
async fn exporter(web_config: Option<&Path>) -> Outcome<()> {
    let published = Arc::new(Published::new(process::registry(Timestamp::now()).0));
    for n in 1..=OPERATIONS {
        let operation: Arc<str> = format!("operation-{n:03}").into();
        published.publish(&operation, &reports::CAMPAIGNS, families(&operation), None, None);
    }
    let router = web::router(Site {
        published,
        clock: Clock::system(),
        telemetry_path: "/metrics".to_owned(),
        shard: Shard::ONLY,
        reload: None,
    });
    let listener = listen().await?;
    serve(listener, router, web_config).await
}

/// The ceiling: a handler that has the bytes.
async fn from_memory(page: &str, coding: &str, web_config: Option<&Path>) -> Outcome<()> {
    let page = Bytes::from(fs::read(page)?);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(Format::Text.content_type()));
    if coding == "gzip" {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let router = Router::new().route("/metrics", get(async move || (headers.clone(), page.clone())));
    let listener = listen().await?;
    match web_config {
        // axum has no TLS of its own.
        Some(_) => serve(listener, router, web_config).await,
        None => Ok(axum::serve(listener.tap_io(|stream| drop(stream.set_nodelay(true))), router).await?),
    }
}

async fn listen() -> Outcome<tokio::net::TcpListener> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    Ok(listener)
}

/// Serves operations that are never quiet, and prints its URL and then their tokens.
async fn simulator(operations: usize) -> Outcome<()> {
    let zone = TimeZone::get("America/Bogota")?;
    let simulator = Simulator::new(SimulatorConfig {
        seed: 1,
        clock: SimulatedClock::system(),
        operations: (1..=operations)
            .map(|n| {
                OperationPlan::new(format!("operation-{n:03}"), zone.clone())
                    .never_closes()
                    .campaigns(CAMPAIGNS)
            })
            .collect(),
    });
    let served = simulator.start(tokio::net::TcpListener::bind("127.0.0.1:0").await?)?;
    println!("{}", served.url());
    for operation in simulator.operations() {
        println!("{}", operation.token());
    }
    std::future::pending().await
}

/// Scrapes a page that does not change, and the same bytes from memory.
fn scrape(folder: &Path, web_config: Option<&Path>) -> Outcome<()> {
    let wrk = Wrk::find(folder)?;
    let transport = if web_config.is_some() { "TLS" } else { "without TLS" };
    for coding in ["identity", "gzip"] {
        let page = folder.join(coding);
        let body = {
            let plain = Subject::start(&["exporter"])?;
            let answer = Answer::get(&plain.line, &[&format!("Accept-Encoding: {coding}")])?;
            answer.body
        };
        fs::write(&page, &body)?;
        let mut exporter = vec!["exporter"];
        let page = page.to_string_lossy();
        let mut ceiling = vec!["static", &page, coding];
        let web_config = web_config.map(Path::to_string_lossy);
        if let Some(file) = &web_config {
            exporter.push(file);
            ceiling.push(file);
        }
        let subjects = [Subject::start(&exporter)?, Subject::start(&ceiling)?];
        let scheme = if web_config.is_some() { "https" } else { "http" };
        let urls = subjects
            .each_ref()
            .map(|subject| format!("{scheme}://{}/metrics", subject.line));
        println!();
        println!(
            "page of {} series, {coding}, {transport}: {:.2} MB, median of {ROUNDS} runs of {} s",
            OPERATIONS * SERIES,
            body.len() as f64 / MB,
            RUN.as_secs()
        );
        for url in &urls {
            // The first scrape joins the page.
            wrk.run(url, coding, 1, WARM_UP, body.len())?;
        }
        for (subject, name) in subjects.iter().zip(["exporter", "memory"]) {
            println!(
                "  resident after the first scrapes, {name}: {:.1} MB",
                subject.memory()?.0 / MB
            );
        }
        println!("  connections            1/s     MB/s   p50 ms   p99 ms  peak MB");
        for connections in CONNECTIONS {
            let mut rounds = Vec::new();
            for _ in 0..ROUNDS {
                let mut round = Vec::new();
                for (subject, url) in subjects.iter().zip(&urls) {
                    subject.forget_peak()?;
                    let mut figures = wrk.run(url, coding, connections, RUN, body.len())?;
                    figures.peak = subject.memory()?.1;
                    round.push(figures);
                }
                rounds.push(round);
            }
            for (place, name) in ["exporter", "memory"].iter().enumerate() {
                let middle =
                    |figure: fn(&Figures) -> f64| median(rounds.iter().map(|round| figure(&round[place])).collect());
                println!(
                    "  {connections:4} {name:10} {:10.1} {:8.0} {:8.2} {:8.2} {:8.1}",
                    middle(|figures| figures.throughput),
                    middle(|figures| figures.throughput) * body.len() as f64 / MB,
                    middle(|figures| figures.p50) * 1e3,
                    middle(|figures| figures.p99) * 1e3,
                    middle(|figures| figures.peak) / MB,
                );
            }
            let ratio = |figure: fn(&Figures) -> f64| {
                median(
                    rounds
                        .iter()
                        .map(|round| figure(&round[0]) / figure(&round[1]))
                        .collect(),
                )
            };
            let throughput = ratio(|figures| figures.throughput);
            let p99 = ratio(|figures| figures.p99);
            println!(
                "  {connections:4} throughput {throughput:.3} of memory's (at least {LEAST_THROUGHPUT}){}, \
                 p99 {p99:.2} times (at most {MOST_P99}){}",
                verdict(throughput >= LEAST_THROUGHPUT),
                verdict(p99 <= MOST_P99),
            );
        }
    }
    Ok(())
}

/// What the exporter takes that has little to do.
fn idle(folder: &Path) -> Outcome<()> {
    let simulator = Simulation::start(1)?;
    let config = simulator.configure(folder, IDLE_INTERVAL)?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let begin = Instant::now();
        let exporter = Exporter::start(&config)?;
        exporter.wait_until_served()?;
        starts.push(begin.elapsed().as_secs_f64());
    }
    println!();
    println!("one operation");
    let size = fs::metadata(EXPORTER)?.len() as f64 / MB;
    println!("  binary: {size:.2} MB (at most 9){}", verdict(size <= 9.0));
    let longest = starts.iter().copied().fold(0.0, f64::max) * 1e3;
    let start = median(starts) * 1e3;
    println!(
        "  from exec to the first answer, median of {STARTS}: {start:.1} ms, at most {longest:.1} ms (at most 50){}",
        verdict(start <= 50.0)
    );

    let exporter = Exporter::start(&config)?;
    exporter.wait_until_served()?;
    thread::sleep(IDLE_INTERVAL * IDLE_POLLS);
    let answer = exporter.scrape()?;
    let (resident, peak) = memory_of(exporter.child.0.id())?;
    println!(
        "  resident after {} polls of its {} series: {:.1} MB (at most 15){}, at its peak {:.1} MB",
        answer.sum("wolkvox_report_polls_total"),
        answer.series(),
        resident / MB,
        verdict(resident <= 15.0 * MB),
        peak / MB
    );
    exporter.complaints()
}

/// What the exporter takes that polls many operations each minute and is scraped as usual.
fn many(folder: &Path, operations: usize) -> Outcome<()> {
    let simulator = Simulation::start(operations)?;
    let config = simulator.configure(folder, POLLED)?;
    let exporter = Exporter::start(&config)?;
    exporter.wait_until_served()?;
    let scrape_for = |time: Duration| -> Outcome<Answer> {
        let begin = Instant::now();
        for n in 1..=u32::try_from(time.as_secs() / SCRAPED.as_secs())? {
            exporter.scrape_like_prometheus()?;
            thread::sleep((SCRAPED * n).saturating_sub(begin.elapsed()));
        }
        exporter.scrape()
    };
    let before = scrape_for(FIRST_POLLS)?;
    let cpu = [exporter.child.0.id(), simulator.0.child.0.id()];
    let [exporter_before, simulator_before] = [cpu_of(cpu[0])?, cpu_of(cpu[1])?];
    let begin = Instant::now();
    let after = scrape_for(MEASURED)?;
    let time = begin.elapsed().as_secs_f64();
    let exporter_share = (cpu_of(cpu[0])? - exporter_before) / time * 100.0;
    let simulator_share = (cpu_of(cpu[1])? - simulator_before) / time * 100.0;
    let (resident, peak) = memory_of(exporter.child.0.id())?;
    let grown = |name: &str| after.sum(name) - before.sum(name);
    println!();
    println!(
        "{operations} operations, {} series ({:.0} each), a page of {:.1} MB; polled every {} s, scraped every {} s, for {time:.0} s",
        after.series(),
        after.series() as f64 / operations as f64,
        after.body.len() as f64 / MB,
        POLLED.as_secs(),
        SCRAPED.as_secs()
    );
    println!(
        "  polls: {} ({:.1} for each report of each operation), failed {}, rows read: {}, commits: {}",
        grown("wolkvox_report_polls_total"),
        grown("wolkvox_report_polls_total") / (operations * REPORTS.len()) as f64,
        grown("wolkvox_report_poll_failures_total"),
        grown("wolkvox_report_rows_total"),
        grown("wolkvox_exporter_state_commits_total")
    );
    println!(
        "  CPU: {exporter_share:.2} % of one core (at most 5){}; the simulator took {simulator_share:.1} %",
        verdict(exporter_share <= 5.0)
    );
    println!("  resident {:.1} MB, at its peak {:.1} MB", resident / MB, peak / MB);
    exporter.complaints()
}

fn verdict(met: bool) -> &'static str {
    if met { "" } else { " missed" }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A folder of this run, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Outcome<Self> {
        let folder = env::temp_dir().join(format!("wolkvox_exporter-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It may stay where it cannot be removed.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Certificates made for this run, and the file that names them.
fn web_config(folder: &Path) -> Outcome<PathBuf> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    fs::write(folder.join("web.crt"), made.cert.pem())?;
    fs::write(folder.join("web.key"), made.signing_key.serialize_pem())?;
    let file = folder.join("web.yml");
    fs::write(&file, "tls_server_config:\n  cert_file: web.crt\n  key_file: web.key\n")?;
    Ok(file)
}

struct Wrk {
    script: PathBuf,
}

/// What a run of `wrk` found.
struct Figures {
    /// Answers a second.
    throughput: f64,
    /// Seconds, like the next.
    p50: f64,
    p99: f64,
    /// The most memory of the subject during the run, in bytes.
    peak: f64,
}

impl Wrk {
    fn find(folder: &Path) -> Outcome<Self> {
        // It knows its version only together with its usage, which is a failure to it.
        if let Err(error) = Command::new(WRK)
            .arg("-v")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
        {
            return Err(format!("wrk cannot be run ({error}); on Debian: apt-get install wrk").into());
        }
        let script = folder.join("figures.lua");
        fs::write(&script, SCRIPT)?;
        Ok(Self { script })
    }

    /// Scrapes; an answer that is not good, or is not the whole page, is an error.
    fn run(&self, url: &str, coding: &str, connections: usize, time: Duration, page: usize) -> Outcome<Figures> {
        let output = Command::new(WRK)
            .arg(format!("-t{}", connections.min(2)))
            .arg(format!("-c{connections}"))
            .arg(format!("-d{}s", time.as_secs()))
            .args(["--timeout", "20s", "-H", &format!("Accept-Encoding: {coding}"), "-s"])
            .arg(&self.script)
            .arg(url)
            .stderr(Stdio::inherit())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let line = text.lines().find_map(|line| line.strip_prefix("figures "));
        let numbers: Vec<f64> = line
            .ok_or_else(|| format!("wrk has failed: {text}"))?
            .split(' ')
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let [requests, micros, bytes, p50, p99, errors @ ..] = &numbers[..] else {
            return Err(format!("wrk gave other figures: {text}").into());
        };
        if errors.iter().any(|count| *count > 0.0) {
            return Err(format!("not all answers of {url} were good: {text}").into());
        }
        // The page ends with the memory and the CPU of the process, whose digits vary.
        if *requests < 1.0 || bytes / requests < page as f64 - 200.0 {
            return Err(format!("answers of {url} were no whole pages: {text}").into());
        }
        Ok(Figures {
            throughput: requests / micros * 1e6,
            p50: p50 / 1e6,
            p99: p99 / 1e6,
            peak: 0.0,
        })
    }
}

/// A process that ends with this.
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// This program once more, doing something else.
struct Subject {
    child: Owned,
    /// The first line of its output: where it listens.
    line: String,
    output: BufReader<std::process::ChildStdout>,
}

impl Subject {
    fn start(arguments: &[&str]) -> Outcome<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut subject = Self {
            child: Owned(child),
            line: String::new(),
            output,
        };
        subject.line = subject.read_line()?;
        Ok(subject)
    }

    fn read_line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        match line.trim_end() {
            "" => Err("a subject has failed".into()),
            line => Ok(line.to_owned()),
        }
    }

    fn memory(&self) -> Outcome<(f64, f64)> {
        memory_of(self.child.0.id())
    }

    fn forget_peak(&self) -> Outcome<()> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.child.0.id()), "5")?)
    }
}

/// Resident memory of a process now and at its peak, in bytes.
fn memory_of(process: u32) -> Outcome<(f64, f64)> {
    let status = Process::new(process.cast_signed())?.status()?;
    let bytes = |kilobytes: Option<u64>| kilobytes.unwrap_or_default() as f64 * 1024.0;
    Ok((bytes(status.vmrss), bytes(status.vmhwm)))
}

/// Seconds that a process took of all cores, of user and system.
fn cpu_of(process: u32) -> Outcome<f64> {
    let stat = Process::new(process.cast_signed())?.stat()?;
    Ok((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
}

/// A simulator in a process of its own, and the tokens of its operations.
struct Simulation(Subject, Vec<String>);

impl Simulation {
    fn start(operations: usize) -> Outcome<Self> {
        let mut subject = Subject::start(&["simulator", &operations.to_string()])?;
        let tokens = (0..operations).map(|_| subject.read_line()).collect::<Outcome<_>>()?;
        Ok(Self(subject, tokens))
    }

    /// Writes a configuration that polls all reports of all operations, and makes the state anew.
    fn configure(&self, folder: &Path, interval: Duration) -> Outcome<PathBuf> {
        let folder = folder.join("exporter");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(folder.join("state"))?;
        let mut config = "state_path: state\noperations:\n".to_owned();
        for (n, token) in self.1.iter().enumerate() {
            fs::write(folder.join(format!("{n}.token")), token)?;
            write!(
                config,
                "  - name: operation-{n:03}\n    url: {}\n    token_file: {n}.token\n    timezone: America/Bogota\n    \
                 currency: COP\n    daily_calls: 1000000\n    reports:\n",
                self.0.line
            )?;
            for kind in REPORTS {
                writeln!(config, "      {}: {{interval: {}s}}", kind.name, interval.as_secs())?;
            }
        }
        let file = folder.join("wolkvox.yml");
        fs::write(&file, config)?;
        Ok(file)
    }
}

/// The program as people run it.
struct Exporter {
    child: Owned,
    address: String,
    log: PathBuf,
}

impl Exporter {
    fn start(config: &Path) -> Outcome<Self> {
        // Free a moment ago; the kernel gives the next one to the next who asks.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let log = config.with_extension("log");
        let child = Command::new(EXPORTER)
            .arg("--config.file")
            .arg(config)
            .args(["--web.listen-address", &address])
            .stderr(fs::File::create(&log)?)
            .spawn()?;
        Ok(Self {
            child: Owned(child),
            address,
            log,
        })
    }

    fn wait_until_served(&self) -> Outcome<()> {
        let begin = Instant::now();
        while self.scrape().is_err() {
            if begin.elapsed() > Duration::from_secs(10) {
                return Err(format!("the exporter does not serve: {}", fs::read_to_string(&self.log)?).into());
            }
            thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }

    fn scrape(&self) -> Outcome<Answer> {
        Answer::get(&self.address, &[])
    }

    fn scrape_like_prometheus(&self) -> Outcome<Answer> {
        Answer::get(&self.address, &PROMETHEUS)
    }

    /// Prints what was wrong, if anything was.
    fn complaints(&self) -> Outcome<()> {
        let log = fs::read_to_string(&self.log)?;
        let complaints: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("level=warn") || line.contains("level=error"))
            .collect();
        if let Some(first) = complaints.first() {
            println!("  {} warnings were logged, first: {first}", complaints.len());
        }
        Ok(())
    }
}

/// An answer with status 200.
struct Answer {
    body: Vec<u8>,
}

impl Answer {
    fn get(address: &str, headers: &[&str]) -> Outcome<Self> {
        let mut stream = TcpStream::connect(address)?;
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let head = memchr::memmem::find(&answer, b"\r\n\r\n").ok_or("no answer")?;
        let body = answer.split_off(head + 4);
        if !answer.starts_with(b"HTTP/1.1 200 ") {
            return Err(format!("the answer was {}", String::from_utf8_lossy(&answer)).into());
        }
        Ok(Self { body })
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        let text = str::from_utf8(&self.body).unwrap_or_default();
        text.lines().filter(|line| !line.starts_with('#'))
    }

    fn series(&self) -> usize {
        self.lines().count()
    }

    /// The sum over all label sets.
    fn sum(&self, name: &str) -> f64 {
        self.lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }
}
