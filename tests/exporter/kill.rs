//! The real binary is killed with SIGKILL at random moments and restarted on its state, while it is scraped all the
//! time. No counter ever decreases, and in the end every counter and bucket equals the truth.
//!
//! Late rows and later updates appear within minutes. To test them, the simulated clock runs ahead of the exporter's by
//! as much as the exporter tolerates.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use redb::{ReadableDatabase, TableDefinition};
use serde_json::Value;
use tokio::time::sleep;
use wolkvox_simulator::{DurationBucket, EventPlan, Lateness, OperationPlan, Seen, SimulatedOperation, counts_up_to};

use crate::ledger::Folder;
use crate::support::{Samples, client, serve, simulator, zone};

/// Kills before the first round is complete, and after it.
const EARLY_KILLS: u32 = 6;
const KILLS: u32 = 24;
/// How far the simulated clock gets ahead (the exporter tolerates 10 minutes), and how many times faster it runs.
const AHEAD: Duration = Duration::from_secs(8 * 60);
const SPEED: u32 = 16;
const PATIENCE: Duration = Duration::from_secs(60);
const REPORTS: [&str; 6] = [
    "campaigns",
    "call_durations",
    "abandoned_calls",
    "answered_calls",
    "preview_calls",
    "ivr",
];
/// Upper bounds of waits.
const WAITS: [f64; 16] = [
    5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1800.0, 3600.0, 21600.0, 86400.0,
];

/// Name and labels.
type Series = (String, BTreeMap<String, String>);

/// The binary with a configuration file, through all its restarts.
struct Exporter<'f> {
    folder: &'f Path,
    child: Option<(Child, JoinHandle<()>)>,
    /// Its current address, once it has logged it.
    url: Arc<Mutex<Option<String>>>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Exporter<'_> {
    fn start(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let mut child = Command::new(env!("CARGO_BIN_EXE_wolkvox_exporter"))
            .arg(format!("--config.file={}", self.folder.join("wolkvox.yml").display()))
            // A new port each time: another program may have taken the old one.
            .arg("--web.listen-address=127.0.0.1:0")
            .arg("--log.format=json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let (said, log) = (Arc::clone(&self.url), Arc::clone(&self.log));
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let event: Value = serde_json::from_str(&line).unwrap_or_default();
                if let Some(url) = event["fields"]["url"].as_str() {
                    *said.lock().unwrap() = Some(url.to_owned());
                }
                log.lock().unwrap().push(line);
            }
        });
        self.child = Some((child, reader));
    }

    /// Kills it without a chance to save anything.
    fn kill(&mut self) {
        let (mut child, reader) = self.child.take().unwrap();
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "it ended by itself: {ended:?}\n{}", self.last_words());
        child.kill().unwrap();
        child.wait().unwrap();
        // Its last log lines may still be in the pipe.
        reader.join().unwrap();
        *self.url.lock().unwrap() = None;
    }

    fn last_words(&self) -> String {
        let log = self.log.lock().unwrap();
        log[log.len().saturating_sub(20)..].join("\n")
    }

    fn url(&self) -> Option<String> {
        self.url.lock().unwrap().clone()
    }

    /// Returns its page as soon as `fits` is true for one.
    async fn page(&self, client: &reqwest::Client, what: &str, fits: impl Fn(&Samples) -> bool) -> Samples {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(url) = self.url()
                && let Some(page) = scrape(client, &url).await
                && fits(&page)
            {
                return page;
            }
            assert!(Instant::now() < deadline, "in vain for {what}\n{}", self.last_words());
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Exporter<'_> {
    fn drop(&mut self) {
        if let Some((mut child, _)) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The page, or `None` if no server sends a complete one.
async fn scrape(client: &reqwest::Client, url: &str) -> Option<Samples> {
    let response = client.get(format!("{url}/metrics")).send().await.ok()?;
    assert!(response.status().is_success(), "{}", response.status());
    Some(Samples::parse(&response.text().await.ok()?))
}

/// The counters and histograms of the reports that count, in millionths.
fn counts(page: &Samples) -> BTreeMap<Series, u64> {
    let prefixes = [
        "wolkvox_calls_",
        "wolkvox_skill_interactions_",
        "wolkvox_abandon_",
        "wolkvox_answer_",
        "wolkvox_preview_",
        "wolkvox_ivr_",
    ];
    let counted = page
        .iter()
        .filter(|(name, ..)| prefixes.iter().any(|prefix| name.starts_with(prefix)));
    counted
        .map(|(name, labels, value)| ((name.to_owned(), labels.clone()), (value * 1e6).round() as u64))
        .collect()
}

/// Scrapes until stopped, and returns the number of scrapes. Panics when a series decreases or vanishes.
async fn watch(
    client: reqwest::Client,
    url: Arc<Mutex<Option<String>>>,
    stop: Arc<AtomicBool>,
    scrapes: Arc<AtomicU64>,
) {
    let mut before = BTreeMap::new();
    while !stop.load(Ordering::Relaxed) {
        let url = url.lock().unwrap().clone();
        if let Some(url) = url
            && let Some(page) = scrape(&client, &url).await
        {
            let now = counts(&page);
            for (series, value) in &before {
                assert!(
                    now.get(series) >= Some(value),
                    "{series:?} fell from {value} to {:?}",
                    now.get(series)
                );
            }
            before = now;
            scrapes.fetch_add(1, Ordering::Relaxed);
        }
        sleep(Duration::from_millis(15)).await;
    }
}

/// The expected counters.
#[derive(Default)]
struct Expected(BTreeMap<Series, u64>);

impl Expected {
    fn micros(&mut self, name: &str, labels: &[(&str, &str)], micros: u64) {
        let labels = labels.iter().chain(&[("operation", "acme")]);
        let labels = labels.map(|(label, value)| ((*label).to_owned(), (*value).to_owned()));
        let before = self.0.insert((name.to_owned(), labels.collect()), micros);
        assert_eq!(before, None, "{name}");
    }

    fn count(&mut self, name: &str, labels: &[(&str, &str)], count: u64) {
        self.micros(name, labels, count * 1_000_000);
    }

    fn histogram(&mut self, name: &str, labels: &[(&str, &str)], values: &[u32], bounds: &[f64]) {
        let total = values.len() as u64;
        let edges = bounds.iter().map(|bound| format!("{bound:.1}"));
        let edges = edges.chain(["+Inf".to_owned()]);
        for (edge, count) in edges.zip(counts_up_to(values, bounds).into_iter().chain([total])) {
            let labels: Vec<_> = labels.iter().copied().chain([("le", &*edge)]).collect();
            self.count(&format!("{name}_bucket"), &labels, count);
        }
        self.count(
            &format!("{name}_sum"),
            labels,
            values.iter().copied().map(u64::from).sum(),
        );
        self.count(&format!("{name}_count"), labels, total);
    }

    fn abandoned_calls(&mut self, acme: &SimulatedOperation, (from, until): (Timestamp, Timestamp), seen: Seen) {
        let truth = acme.truth().abandoned_calls(from, until, seen);
        for ((skill, channel, result), count) in truth.interactions {
            let labels = [
                ("skill_id", &*skill.to_string()),
                ("channel", channel),
                ("result", result),
            ];
            self.count("wolkvox_skill_interactions_total", &labels, count);
        }
        for ((skill, channel), waits) in truth.waits {
            let labels = [("skill_id", &*skill.to_string()), ("channel", channel)];
            self.histogram("wolkvox_abandon_time_seconds", &labels, &waits, &WAITS);
        }
    }

    fn answered_calls(&mut self, acme: &SimulatedOperation, (from, until): (Timestamp, Timestamp), seen: Seen) {
        for ((skill, channel), waits) in acme.truth().answered_calls(from, until, seen) {
            let labels = [("skill_id", &*skill.to_string()), ("channel", channel)];
            self.histogram("wolkvox_answer_time_seconds", &labels, &waits, &WAITS);
        }
    }

    fn preview_calls(&mut self, acme: &SimulatedOperation, (from, until): (Timestamp, Timestamp), seen: Seen) {
        let truth = acme.truth().preview_calls(from, until, seen);
        for ((campaign, interaction, result, hang_up), count) in truth.calls {
            let labels = [
                ("campaign_id", &*campaign.to_string()),
                ("type_interaction", interaction),
                ("call_result", result),
                ("hang_up", hang_up),
            ];
            self.count("wolkvox_preview_calls_total", &labels, count);
        }
        let bounds = [
            5.0, 15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0,
        ];
        for (campaign, times) in truth.durations {
            let labels = [("campaign_id", &*campaign.to_string())];
            self.histogram("wolkvox_preview_call_duration_seconds", &labels, &times, &bounds);
        }
        for ((campaign, code), count) in truth.codes {
            let labels = [("campaign_id", &*campaign.to_string()), ("code", code)];
            self.count("wolkvox_preview_codes_total", &labels, count);
        }
        for ((campaign, result), count) in truth.records {
            let labels = [("campaign_id", &*campaign.to_string()), ("result", result)];
            self.count("wolkvox_preview_records_total", &labels, count);
        }
    }

    fn ivr(&mut self, acme: &SimulatedOperation, (from, until): (Timestamp, Timestamp), seen: Seen) {
        let truth = acme.truth().ivr(from, until, seen);
        for ((point, result), count) in truth.calls {
            let labels = [("rp_id", &*point.to_string()), ("result", result)];
            self.count("wolkvox_ivr_calls_total", &labels, count);
        }
        let bounds = [5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0];
        for (point, times) in truth.times {
            let labels = [("rp_id", &*point.to_string())];
            self.histogram("wolkvox_ivr_time_seconds", &labels, &times, &bounds);
        }
        for ((point, option), count) in truth.selections {
            let labels = [("rp_id", &*point.to_string()), ("option", option)];
            self.count("wolkvox_ivr_selections_total", &labels, count);
        }
        for ((point, target), count) in truth.transfers {
            let labels = [("rp_id", &*point.to_string()), ("dn_transfer", target)];
            self.count("wolkvox_ivr_transfers_total", &labels, count);
        }
    }

    /// The increase of the day's totals between `born` and `until`.
    fn call_durations(&mut self, acme: &SimulatedOperation, (born, until): (Timestamp, Timestamp)) {
        let date = acme.timezone().to_datetime(until).date();
        let (before, after) = (
            acme.truth().day_totals(date, born),
            acme.truth().day_totals(date, until),
        );
        let names = ["0-5s", "6-20s", "21-60s", "61-120s", "121s+"];
        for (bucket, name) in DurationBucket::ALL.into_iter().zip(names) {
            let (before, after) = (before[bucket], after[bucket]);
            let labels = [("duration", name)];
            self.count("wolkvox_calls_total", &labels, after.calls - before.calls);
            let seconds = 60 * (after.minutes - before.minutes);
            self.count("wolkvox_calls_billed_seconds_total", &labels, seconds);
            let labels = [("duration", name), ("currency", "COP")];
            self.micros(
                "wolkvox_calls_cost_total",
                &labels,
                after.cost_micros - before.cost_micros,
            );
        }
    }
}

/// What the state of a stopped exporter has of a report.
fn progress(state: &Path, table: &str, report: &str) -> Value {
    let database = redb::Database::open(state).unwrap();
    let reading = database.begin_read().unwrap();
    let table = TableDefinition::<&str, &[u8]>::new(table);
    let entry = reading.open_table(table).unwrap().get(report).unwrap().unwrap();
    serde_json::from_slice(entry.value()).unwrap()
}

fn configuration(acme: &SimulatedOperation, url: &str, timezone: &str) -> String {
    // The overlap is short, so that only rereads find late rows. State and token are in the same folder as the file.
    let events = "{interval: 1s, overlap: 5s, settle: 0s, reread: {every: 3s, back: 48h}}";
    format!(
        "state_path: state\nnew_series_hold: 0s\noperations:\n- name: {name}\n  url: {url}\n  token_file: token\n  \
         timezone: {timezone}\n  currency: COP\n  daily_calls: 1000000\n  reports:\n    campaigns: {{interval: 1s}}\n    \
         call_durations: {{interval: 1s, reread: {{every: 3s, back: 48h}}}}\n    abandoned_calls: {events}\n    \
         answered_calls: {events}\n    preview_calls: {events}\n    ivr: {events}\n",
        name = acme.name(),
    )
}

/// A zone without daylight saving time where midnight is not near: totals of two days would need another test.
fn quiet_zone(now: Timestamp) -> &'static str {
    let is_late = |zone: &TimeZone| zone.to_datetime(now).hour() == 23;
    if is_late(&zone("America/Bogota")) {
        "America/Caracas"
    } else {
        "America/Bogota"
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn killed_at_random_moments_it_counts_everything_once() {
    let begin = Instant::now();
    let client = client();
    // The simulated clock stands still until every report is born, so that the totals at birth are known.
    let born = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let timezone = quiet_zone(born);
    let events = EventPlan {
        volume: 40.0,
        lateness: Lateness {
            minutes: 0.3,
            hours: 0.0,
            days: 0.0,
            ..Lateness::default()
        },
        twins: 0.03,
        ..EventPlan::default()
    };
    let plan = OperationPlan::new("acme", zone(timezone))
        .volume(10.0)
        .never_closes()
        .events(events);
    let simulator = simulator(vec![plan], born);
    let acme = simulator.operations()[0].clone();
    // Generate the events before the first request, since that takes time in a debug build.
    let _ = acme.truth().day_totals(acme.timezone().to_datetime(born).date(), born);
    Expected::default().abandoned_calls(&acme, (born, born), Seen::Everything);
    Expected::default().answered_calls(&acme, (born, born), Seen::Everything);
    Expected::default().preview_calls(&acme, (born, born), Seen::Everything);
    Expected::default().ivr(&acme, (born, born), Seen::Everything);
    let prepared = begin.elapsed();

    let folder = Folder::new("kill");
    std::fs::create_dir_all(&folder.0).unwrap();
    let served = serve(&simulator).await;
    std::fs::write(
        folder.0.join("wolkvox.yml"),
        configuration(&acme, &served.url(), timezone),
    )
    .unwrap();
    std::fs::write(folder.0.join("token"), acme.token()).unwrap();
    let mut exporter = Exporter {
        folder: &folder.0,
        child: None,
        url: Arc::default(),
        log: Arc::default(),
    };
    let mut random = fastrand::Rng::with_seed(20_261_118);
    let (stop, scrapes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let watching = tokio::spawn(watch(
        client.clone(),
        Arc::clone(&exporter.url),
        Arc::clone(&stop),
        Arc::clone(&scrapes),
    ));

    for _ in 0..EARLY_KILLS {
        exporter.start();
        sleep(life(&mut random, 0.0, 0.4)).await;
        exporter.kill();
    }
    exporter.start();
    let last_success =
        |page: &Samples, report| page.get("wolkvox_report_last_success_timestamp_seconds", &[("report", report)]);
    let is_born = |page: &Samples| REPORTS.iter().all(|report| last_success(page, report).is_some());
    exporter.page(&client, "the first round", is_born).await;

    let clock = simulator.clock().clone();
    let from = Instant::now();
    let ticking = tokio::spawn(async move {
        loop {
            clock.set(later(Timestamp::now(), AHEAD.min(from.elapsed() * SPEED)));
            sleep(Duration::from_millis(20)).await;
        }
    });
    for _ in 0..KILLS {
        sleep(life(&mut random, 0.3, 2.0)).await;
        exporter.kill();
        exporter.start();
    }

    // From now on no more rows become visible. A poll that begins this much later is a complete reread or comes after
    // one.
    ticking.abort();
    let _ = ticking.await;
    let now = Timestamp::now();
    let seen_by = later(now, AHEAD);
    simulator.clock().set(seen_by);
    let enough = later(now, Duration::from_secs(6)).as_second() as f64;
    let has_read_all = |page: &Samples| REPORTS.iter().all(|report| last_success(page, report) > Some(enough));
    exporter.page(&client, "the last polls", has_read_all).await;
    exporter.kill();

    // Without an API, the state gains nothing.
    served.stop().await;
    let state = folder.0.join("state/acme.redb");
    let instant = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    let mut expected = Expected::default();
    for report in &REPORTS[2..] {
        let progress = progress(&state, "events", report);
        let dates = (instant(&progress["born"]), instant(&progress["covered"]));
        assert!(dates.1 >= now, "{report} is covered until {} only", dates.1);
        let seen = Seen::By(seen_by);
        match *report {
            "abandoned_calls" => expected.abandoned_calls(&acme, dates, seen),
            "answered_calls" => expected.answered_calls(&acme, dates, seen),
            "preview_calls" => expected.preview_calls(&acme, dates, seen),
            _ => expected.ivr(&acme, dates, seen),
        }
    }
    let covered = instant(&progress(&state, "days", "call_durations")["covered"]);
    expected.call_durations(&acme, (born, covered));

    exporter.start();
    let found = counts(&exporter.page(&client, "the totals", |_| true).await);
    stop.store(true, Ordering::Relaxed);
    watching.await.unwrap();
    exporter.kill();

    let of_histograms = |name: &str| {
        ["_bucket", "_sum", "_count"]
            .iter()
            .any(|suffix| name.ends_with(suffix))
    };
    let events: u64 = found
        .iter()
        .filter(|((name, _), _)| !of_histograms(name) && !name.starts_with("wolkvox_calls_"))
        .map(|(_, count)| count / 1_000_000)
        .sum();
    println!(
        "{} kills, {events} facts in {} series, {} scrapes, {:.1} s and {:.1} s to prepare",
        EARLY_KILLS + KILLS + 1,
        found.len(),
        scrapes.load(Ordering::Relaxed),
        begin.elapsed().as_secs_f64(),
        prepared.as_secs_f64(),
    );
    // Series that are born together may have counted nothing.
    let differing: Vec<_> = found
        .keys()
        .chain(expected.0.keys())
        .filter(|series| found.get(series).copied().unwrap_or(0) != expected.0.get(series).copied().unwrap_or(0))
        .map(|series| (series, found.get(series), expected.0.get(series)))
        .collect();
    assert!(differing.is_empty(), "series, counted, true: {differing:#?}");
    assert!(events > 500, "{events} facts prove little");
    assert!(scrapes.load(Ordering::Relaxed) > 50, "too few scrapes");
}

/// A moment between two kills.
fn life(random: &mut fastrand::Rng, least: f64, most: f64) -> Duration {
    Duration::from_secs_f64(least + (most - least) * random.f64())
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at + SignedDuration::try_from(by).unwrap()
}
