//! The measurements, each against its reference or its target.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

use jiff::SignedDuration;
use wolkvox_exporter::reports::REPORTS;

use super::Outcome;
use super::processes::{Simulation, Subject};
use super::program::{Answer, Exporter, cpu_of, memory_of};
use super::series::SERIES;
use super::subjects::OPERATIONS;
use super::wrk::{Figures, PROMETHEUS, Wrk};

const EXPORTER: &str = env!("CARGO_BIN_EXE_wolkvox_exporter");
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
pub(super) const MANY: [usize; 2] = [200, 100];
/// How much the polls of many operations read.
pub(super) struct Load {
    /// Of calls, as a multiple of the simulator's.
    volume: f64,
    /// How long before the start the reports were born, if they have a state.
    born_before: Option<SignedDuration>,
    /// In percent of one core.
    most_cpu: f64,
}

/// A few rows a poll: a window never begins before the birth.
pub(super) const YOUNG: Load = Load {
    volume: 1.0,
    born_before: None,
    most_cpu: 5.0,
};
/// Some 2,000 rows a poll of each report of events, nearly all of which were counted before: the overlap of two hours.
pub(super) const STEADY: Load = Load {
    volume: 3.3,
    born_before: Some(SignedDuration::from_mins(125)),
    most_cpu: 15.0,
};
const POLLED: Duration = Duration::from_secs(60);
const SCRAPED: Duration = Duration::from_secs(15);
/// Until every operation was polled for the first time, which reads more than the others.
const FIRST_POLLS: Duration = Duration::from_secs(90);
const MEASURED: Duration = Duration::from_secs(180);

const MB: f64 = 1e6;

/// Scrapes a page that does not change, and the same bytes from memory.
pub(super) fn scrape(folder: &Path, web_config: Option<&Path>) -> Outcome<()> {
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
pub(super) fn idle(folder: &Path) -> Outcome<()> {
    let simulator = Simulation::start(1, 1.0)?;
    let config = simulator.configure(folder, IDLE_INTERVAL, None)?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let begin = Instant::now();
        let exporter = Exporter::start(Path::new(EXPORTER), &config)?;
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

    let exporter = Exporter::start(Path::new(EXPORTER), &config)?;
    exporter.wait_until_served()?;
    thread::sleep(IDLE_INTERVAL * IDLE_POLLS);
    let answer = exporter.scrape()?;
    let (resident, peak) = memory_of(exporter.child.0.id())?;
    println!(
        "  resident after {} polls of its {} series: {:.1} MB (at most 15){}, at its peak {:.1} MB",
        answer.sum("wolkvox_report_polls_total", ""),
        answer.lines().count(),
        resident / MB,
        verdict(resident <= 15.0 * MB),
        peak / MB
    );
    exporter.complaints()
}

/// What the exporter takes that polls many operations each minute and is scraped as usual.
pub(super) fn many(folder: &Path, operations: usize, load: &Load) -> Outcome<()> {
    let simulator = Simulation::start(operations, load.volume)?;
    let config = simulator.configure(folder, POLLED, load.born_before)?;
    let exporter = Exporter::start(Path::new(EXPORTER), &config)?;
    exporter.wait_until_served()?;
    let scrape_for = |time: Duration| -> Outcome<Answer> {
        let begin = Instant::now();
        for n in 1..=u32::try_from(time.as_secs() / SCRAPED.as_secs())? {
            Answer::get(&exporter.address, &PROMETHEUS)?;
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
    let grown = |name: &str| after.sum(name, "") - before.sum(name, "");
    println!();
    println!(
        "{operations} operations, {} series ({:.0} each), a page of {:.1} MB; polled every {} s, scraped every {} s, for {time:.0} s",
        after.lines().count(),
        after.lines().count() as f64 / operations as f64,
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
        "  CPU: {exporter_share:.2} % of one core (at most {}){}; the simulator took {simulator_share:.1} %",
        load.most_cpu,
        verdict(exporter_share <= load.most_cpu)
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
