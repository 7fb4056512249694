//! Ten shards become eleven while events happen: one complete exporter per shard, over real HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::{Config, Operation, ReportConfig, Reread, Shard, Token};
use wolkvox_exporter::published::Published;
use wolkvox_exporter::reports::{ABANDONED_CALLS, IVR, PREVIEW_CALLS, Report};
use wolkvox_exporter::web::raise_descriptor_limit;
use wolkvox_simulator::{EventPlan, Lateness, OperationPlan, Seen, SimulatedOperation, Simulator};

use super::{OPERATIONS, PATIENCE, by_operation, names};
use crate::events::{Counts, assert_same, shown, truth_of};
use crate::ledger::Folder;
use crate::support::{Page, at, exporter, serve, simulator, zone};

/// Long enough for two cores to poll all operations in a debug build.
const INTERVAL: Duration = Duration::from_secs(10);
/// Each operation has one of these.
const REPORTS: [&Report; 3] = [&ABANDONED_CALLS, &PREVIEW_CALLS, &IVR];

/// All shards of a configuration in one process, each with its own state, page and pollers.
struct Shards {
    total: u16,
    pages: Vec<Page>,
    published: Vec<Arc<Published>>,
    stop: CancellationToken,
    running: Vec<JoinHandle<anyhow::Result<()>>>,
}

impl Shards {
    async fn start(whole: &Config, total: u16, folder: &Path, clock: &Clock) -> Self {
        let mut shards = Self {
            total,
            pages: Vec::new(),
            published: Vec::new(),
            stop: CancellationToken::new(),
            running: Vec::new(),
        };
        for index in 0..total {
            let mut config = whole.clone();
            config.state_path = Some(state_path(folder, index));
            config.keep(Shard::new(index, total).unwrap());
            let (running, page) = exporter(config, clock.clone()).await;
            shards.published.push(Arc::clone(running.published()));
            shards.pages.push(page);
            let stop = shards.stop.clone();
            let run = async move { running.run_until(stop.cancelled()).await };
            shards.running.push(tokio::spawn(run));
        }
        shards
    }

    /// Waits until every operation has been read at that time.
    async fn have_read_at(&self, now: Timestamp) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (mut read, mut errors) = (0, BTreeSet::new());
            for health in self
                .published
                .iter()
                .flat_map(|published| published.health().into_values())
            {
                for report in health.reports.values() {
                    read += usize::from(report.last_success == Some(now));
                    errors.extend(report.last_error.iter().map(|error| error.what.to_string()));
                }
            }
            if read == OPERATIONS {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "only {read} operations were read at {now}: {errors:?}"
            );
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// Checks that each operation is on the page of its own shard only, that its counts equal the truth, and that no
    /// other shard used its token. `requests` are the requests before that.
    async fn check(&self, world: &World, now: Timestamp, requests: &BTreeMap<String, u64>) -> u64 {
        let mut facts = 0;
        let mut seen = BTreeSet::new();
        for (index, page) in (0..).zip(&self.pages) {
            let text = text_when_up(page).await;
            let of_page = by_operation(&text, &["skill_interactions", "abandon_", "preview_", "ivr_", "up"]);
            let gauge = format!("\nwolkvox_exporter_operations {}\n", of_page.len());
            assert!(text.contains(&gauge), "shard {index} has not{gauge}");
            for (name, samples) in of_page {
                assert_eq!(
                    Shard::of(&name, self.total),
                    index,
                    "{name} is on the page of another shard"
                );
                assert_eq!(samples.all("wolkvox_up", &[]), [1.0], "{name}");
                let (is, should) = (shown(&samples), world.truth_of(&name, now));
                if is != should {
                    assert_same(&is, &should, &name);
                }
                facts += should.len() as u64;
                assert!(seen.insert(name), "an operation is on two pages");
            }
        }
        assert_eq!(seen, names().collect(), "the pages together are complete");
        self.check_tokens(&world.simulator, requests).await;
        facts
    }

    /// Polls continue, so a request made while the page is rendered appears only on a later page. If anyone else used a
    /// token, however, the simulator's count would stay higher than the page's.
    async fn check_tokens(&self, simulator: &Simulator, requests: &BTreeMap<String, u64>) {
        let deadline = Instant::now() + PATIENCE;
        for (index, page) in (0..).zip(&self.pages) {
            let own = |simulated: &&SimulatedOperation| Shard::of(simulated.name(), self.total) == index;
            let mut open: Vec<_> = simulator.operations().iter().filter(own).collect();
            while !open.is_empty() {
                let text = page.text("text/plain").await;
                let observed: Vec<_> = open.iter().map(|simulated| simulated.observed()).collect();
                let of_page = by_operation(&text, &["api_requests_total", "api_request_failures_total"]);
                let mut left = Vec::new();
                for (simulated, observed) in std::mem::take(&mut open).into_iter().zip(observed) {
                    let name = simulated.name();
                    assert_eq!(observed.most_in_flight, 1, "{name}");
                    let count = |metric: &str| of_page[name].all(metric, &[]).iter().sum::<f64>() as u64;
                    let sent = requests[name] + count("wolkvox_api_requests_total");
                    // On a very busy machine, a request may fail before it arrives.
                    let arrived = sent - count("wolkvox_api_request_failures_total")..=sent;
                    if !arrived.contains(&observed.requests) {
                        left.push(format!("{name}: {} of {arrived:?}", observed.requests));
                        open.push(simulated);
                    }
                }
                assert!(
                    Instant::now() < deadline,
                    "page {index} and simulator disagree: {left:?}"
                );
                sleep(Duration::from_millis(300)).await;
            }
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        for running in self.running {
            running.await.unwrap().unwrap();
        }
    }
}

/// A page on which the last poll of each operation succeeded: on a very busy machine, a request may fail.
async fn text_when_up(page: &Page) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let text = page.text("text/plain").await;
        let of_page = by_operation(&text, &["up"]);
        let mut all = of_page.values();
        if all.all(|samples| samples.all("wolkvox_up", &[]) == [1.0]) || Instant::now() > deadline {
            return text;
        }
        sleep(Duration::from_millis(300)).await;
    }
}

fn state_path(folder: &Path, shard: u16) -> PathBuf {
    folder.join(format!("shard-{shard}"))
}

/// Many small operations with one report each, whose rows come up to hours late.
struct World {
    simulator: Simulator,
    born: Timestamp,
}

impl World {
    fn new(born: Timestamp) -> Self {
        let lateness = Lateness {
            minutes: 0.2,
            hours: 0.2,
            days: 0.0,
            ..Lateness::default()
        };
        let plan = |name: String| {
            OperationPlan::new(name, zone("America/Bogota"))
                .volume(0.05)
                .never_closes()
                .campaigns(1)
                .skills(1)
                .routing_points(1)
                .events(EventPlan {
                    lateness,
                    ..EventPlan::default()
                })
        };
        Self {
            simulator: simulator(names().map(plan).collect(), born),
            born,
        }
    }

    fn report_of(name: &str) -> &'static Report {
        REPORTS[name.bytes().map(usize::from).sum::<usize>() % REPORTS.len()]
    }

    fn config(&self, url: &str) -> Config {
        let operations = self.simulator.operations().iter().map(|simulated| {
            let mut operation = Operation::new(simulated.name(), url, Token::given(simulated.token()));
            operation.daily_calls = 1_000_000;
            let kind = Self::report_of(simulated.name());
            let mut report = ReportConfig::new(kind);
            report.interval = INTERVAL;
            // This does not test slow answers, however busy the machine is.
            report.timeout = PATIENCE;
            report.overlap = Duration::from_secs(20 * 60);
            report.settle = Duration::ZERO;
            report.reread = Reread {
                every: Duration::from_secs(3600),
                // No row is later than 8 hours.
                back: Duration::from_secs(8 * 3600),
            };
            operation.reports = BTreeMap::from([(kind, report)]);
            operation
        });
        Config {
            new_series_hold: Duration::ZERO,
            operations: operations.collect(),
            ..Config::default()
        }
    }

    /// How often each token was used.
    fn requests(&self) -> BTreeMap<String, u64> {
        let operations = self.simulator.operations().iter();
        let requests = operations.map(|operation| (operation.name().to_owned(), operation.observed().requests));
        requests.collect()
    }

    /// The expected samples of an operation.
    fn truth_of(&self, name: &str, now: Timestamp) -> Counts {
        let simulated = self.simulator.operation(name).unwrap();
        truth_of(simulated, &[Self::report_of(name)], self.born, now, Seen::By(now))
    }
}

/// Ten shards of about 200 operations each are stopped and started as eleven, with the state of moved operations put in
/// place.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn ten_shards_become_eleven_and_every_count_stays_exact() {
    let begin = Instant::now();
    raise_descriptor_limit();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let log = |what: &str| println!("{:5.1} s: {what}", begin.elapsed().as_secs_f64());
    let born = at("2026-11-20T14:00:00Z");
    let world = World::new(born);
    let served = serve(&world.simulator).await;
    let folder = Folder::without_disk("shards");
    let config = world.config(&served.url());
    let simulated_clock = world.simulator.clock().clone();
    let clock = Clock::from_fn(move || simulated_clock.now());
    log("made");

    let none = world.requests();
    let ten = Shards::start(&config, 10, &folder.0, &clock).await;
    log("ten shards started");
    ten.have_read_at(born).await;
    log("read once");
    let before = born + SignedDuration::from_mins(61);
    world.simulator.clock().set(before);
    ten.have_read_at(before).await;
    log("read twice");
    let facts = ten.check(&world, before, &none).await;
    log(&format!("checked: {facts} series"));
    ten.stop().await;
    // Requests that were abandoned at the stop are on no page, and may still arrive until the server is idle.
    let address = served.address();
    served.stop().await;
    let requests = world.requests();
    log("stopped");

    let moved: Vec<String> = names()
        .filter(|name| Shard::of(name, 10) != Shard::of(name, 11))
        .collect();
    std::fs::create_dir(state_path(&folder.0, 10)).unwrap();
    for name in &moved {
        assert_eq!(
            Shard::of(name, 11),
            10,
            "{name} moved between shards that there were before"
        );
        let file = format!("{name}.redb");
        let from = state_path(&folder.0, Shard::of(name, 10)).join(&file);
        std::fs::rename(from, state_path(&folder.0, 10).join(&file)).unwrap();
    }

    let after = before + SignedDuration::from_mins(150);
    world.simulator.clock().set(after);
    // At the same address: another one would be another source of events.
    let listener = TcpListener::bind(address).await.unwrap();
    let _served = world.simulator.start(listener).unwrap();
    let eleven = Shards::start(&config, 11, &folder.0, &clock).await;
    log("eleven shards started");
    eleven.have_read_at(after).await;
    log("read");
    let more = eleven.check(&world, after, &requests).await;
    log(&format!("checked: {more} series; {} operations moved", moved.len()));
    eleven.stop().await;

    // Some events of moved operations had happened before, but became visible only afterwards.
    let dated_before = |seen| {
        let facts = moved.iter().map(|name| {
            let truth = world.simulator.operation(name).unwrap().truth();
            truth
                .abandoned_calls(born, before, seen)
                .interactions
                .into_values()
                .sum::<u64>()
        });
        facts.sum::<u64>()
    };
    let late = dated_before(Seen::By(after)) - dated_before(Seen::By(before));
    log(&format!(
        "{} requests; {late} late facts of what moved",
        world.requests().values().sum::<u64>()
    ));
    assert!(late > 100, "{late} late facts prove little");
}
