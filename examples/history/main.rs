//! `history --from DATE --days N --scene quiet|busy --to FOLDER [--every SECONDS] [--metrics NAME,NAME…]`
//!
//! Writes what a Prometheus would have scraped from the exporter on simulated days: OpenMetrics with timestamps, one file
//! per 18 hours, for `promtool tsdb create-blocks-from openmetrics`. The exporter's own poller reads the simulator over HTTP
//! at the default intervals; only the clock of both is simulated. What happens now is written whenever it was polled.

mod recorder;
mod scene;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use tokio::net::TcpListener;
use tokio::time::Instant;
use wolkvox_exporter::client::{Client, RetryPolicy};
use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::{Operation, Reread, Token};
use wolkvox_exporter::exposition::Format;
use wolkvox_exporter::fetch::pieces::CUT_AT;
use wolkvox_exporter::ledger::Storage;
use wolkvox_exporter::metrics::process::{self, ConfigGauges};
use wolkvox_exporter::poller::{PollSettings, Poller};
use wolkvox_exporter::published::Published;
use wolkvox_exporter::reports::{CAMPAIGNS, Kind, Report};
use wolkvox_simulator::{Api, SimulatedClock, SimulatedOperation, Simulator, SimulatorConfig};

use recorder::Recorder;
use scene::{Disturbance, Scene, SceneName};

const SEED: u64 = 7;
const ZONE: &str = "America/Bogota";
/// Delay of scrapes after a full minute, by when the polls of that minute have ended.
const SCRAPE_OFFSET: i64 = 20;

/// Retries that hardly wait.
const RETRY: RetryPolicy = RetryPolicy {
    first_wait: Duration::from_millis(1),
    retries: 2,
    answer_within: Duration::ZERO,
};

#[derive(Debug, Parser)]
struct Arguments {
    /// The first local day.
    #[arg(long)]
    from: Date,
    #[arg(long)]
    days: i64,
    #[arg(long, value_enum)]
    scene: SceneName,
    /// The folder, which is created.
    #[arg(long)]
    to: PathBuf,
    /// Seconds between scrapes: whole minutes, or half a poll interval. `up` has a sample every minute.
    #[arg(long, default_value_t = 300)]
    every: i64,
    /// Names of the samples to write; all by default.
    #[arg(long, value_delimiter = ',')]
    metrics: Vec<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if arguments.every < 30 || arguments.every % 30 != 0 {
        bail!("--every goes in steps of 30 seconds");
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    std::fs::create_dir_all(&arguments.to)?;
    let zone = TimeZone::get(ZONE)?;
    let scene = Scene::new(arguments.scene, arguments.from, &zone)?;
    let mut stage = Stage::new(&scene, arguments.from, &zone, &arguments.metrics).await?;
    let planted = scene.incidents_json(stage.simulated.truth().centre())?;
    std::fs::write(arguments.to.join("incidents.json"), planted)?;
    let mut recorder = Recorder::new(&arguments.to, &arguments.metrics);
    for day in 0..arguments.days {
        let date = arguments.from.checked_add(SignedDuration::from_hours(24 * day))?;
        let (from, until) = (midnight(date, &zone)?, midnight(date.tomorrow()?, &zone)?);
        for second in (from..until).step_by(30) {
            stage.go_to(second)?;
            stage.poll().await;
            let scraped_at = second + SCRAPE_OFFSET;
            if (second - from) % arguments.every == 0 {
                let page = stage.page().await?;
                recorder.scrape(scraped_at, page.as_deref())?;
            } else if second % 60 == 0 {
                recorder.up(scraped_at, stage.is_up())?;
                if stage.polled_now()
                    && let Some(page) = stage.page().await?
                {
                    recorder.scrape_now(scraped_at, &page)?;
                }
            }
        }
    }
    recorder.end()
}

/// Whether a metric of the report is written: the others need not be polled.
fn is_wanted(metrics: &[String], report: &Report) -> bool {
    let mut families = report.families.iter();
    metrics.is_empty() || families.any(|family| metrics.iter().any(|name| name.starts_with(family.name)))
}

fn midnight(date: Date, zone: &TimeZone) -> anyhow::Result<i64> {
    Ok(date.to_zoned(zone.clone())?.timestamp().as_second())
}

/// The exporter's parts, without its own sense of time.
struct Stage {
    simulated: SimulatedOperation,
    clock: SimulatedClock,
    operation: Operation,
    settings: PollSettings,
    poller: Poller,
    published: Arc<Published>,
    gauges: ConfigGauges,
    disturbances: Vec<Disturbance>,
    under_way: Vec<bool>,
    /// When campaigns were last read: they are withdrawn when they are too old.
    campaigns_read: i64,
    second: i64,
    second_week: i64,
    _served: wolkvox_simulator::RunningSimulator,
}

impl Stage {
    async fn new(scene: &Scene, from: Date, zone: &TimeZone, metrics: &[String]) -> anyhow::Result<Self> {
        let start = from.to_zoned(zone.clone())?.timestamp();
        let simulator = Simulator::new(SimulatorConfig {
            seed: SEED,
            clock: SimulatedClock::fixed(start),
            operations: vec![scene.plan(zone)],
        });
        let served = simulator.start(TcpListener::bind("127.0.0.1:0").await?)?;
        let simulated = simulator.operations()[0].clone();
        let mut operation = Operation::new(simulated.name(), served.url(), Token::given(simulated.token()));
        operation.timezone = zone.clone();
        operation.currency = Some("COP".to_owned());
        operation.reports.retain(|report, _| is_wanted(metrics, report));
        for (report, config) in &mut operation.reports {
            // No row of this scene is late enough to need the default windows, and these are cheaper to read.
            if matches!(report.kind, Kind::Events(_)) {
                config.overlap = Duration::from_secs(15 * 60);
                config.reread = Reread {
                    every: Duration::from_secs(6 * 3600),
                    back: Duration::from_secs(3600),
                };
            }
        }
        // No scrape in between has to see a zero.
        let settings = PollSettings {
            new_series_hold: Duration::ZERO,
            series_limit: 5000,
            retry: RETRY,
            cut_at: CUT_AT,
        };
        let clock = simulator.clock().clone();
        let shared = clock.clone();
        let (registry, gauges) = process::registry(start);
        gauges.set_operations(1);
        let published = Arc::new(Published::new(registry));
        let mut poller = Poller::new(
            operation.clone(),
            settings,
            Storage::memory(),
            Clock::from_fn(move || shared.now()),
            Arc::clone(&published),
        )?;
        poller.publish();
        Ok(Self {
            simulated,
            clock,
            operation,
            settings,
            poller,
            published,
            gauges,
            under_way: vec![false; scene.disturbances.len()],
            disturbances: scene.disturbances.clone(),
            campaigns_read: start.as_second(),
            second: start.as_second(),
            second_week: start.as_second() + 7 * 86_400,
            _served: served,
        })
    }

    /// Sets the time, and starts and ends disturbances.
    fn go_to(&mut self, second: i64) -> anyhow::Result<()> {
        self.second = second;
        self.clock.set(Timestamp::from_second(second)?);
        let now: Vec<bool> = self.disturbances.iter().map(|one| one.holds(second)).collect();
        if now == self.under_way {
            return Ok(());
        }
        self.under_way = now;
        self.simulated.clear_faults();
        for api in [Api::Campaigns, Api::TokenInfo, Api::Agents, Api::Latency] {
            self.simulated.answer_as_generated(api);
        }
        let reloaded = !self.disturbances.iter().any(|one| one.fails_reloads(second));
        self.gauges.record_load(reloaded, self.clock.now());
        let (mut operation, mut settings) = (self.operation.clone(), self.settings);
        for (one, holds) in self.disturbances.iter().zip(&self.under_way) {
            if *holds {
                one.apply(&self.simulated, &mut operation, &mut settings);
            }
        }
        self.simulated
            .switch(|switches| *switches = scene::switches(&self.disturbances, second));
        let client = Client::new(&operation, settings.retry)?;
        self.poller.reconfigure(operation, settings, client);
        Ok(())
    }

    async fn poll(&mut self) {
        let reports = self.operation.reports.keys();
        let due: Vec<&'static Report> = reports.copied().filter(|report| self.is_due(report)).collect();
        if due.is_empty() || !self.is_running() {
            return;
        }
        for report in due {
            self.poller.tick(report).await;
        }
        let health = self.published.health();
        let of_campaigns = health.values().next().and_then(|health| health.reports.get(&CAMPAIGNS));
        if of_campaigns.is_some_and(|campaigns| campaigns.last_success.is_some_and(|at| at.as_second() == self.second))
        {
            self.campaigns_read = self.second;
        }
    }

    fn is_running(&self) -> bool {
        !self.disturbances.iter().any(|one| one.stops_exporter(self.second))
    }

    fn is_up(&self) -> bool {
        self.is_running() && !self.disturbances.iter().any(|one| one.stops_scrapes(self.second))
    }

    /// Whether a report of what happens now was due at this second.
    fn polled_now(&self) -> bool {
        let mut reports = self.operation.reports.keys();
        reports.any(|report| !report.counts() && self.is_due(report))
    }

    /// In the first week, no report is polled more often than every 5 minutes: that would take long, and other days show it.
    fn is_due(&self, report: &Report) -> bool {
        let interval = self.operation.reports[report].interval;
        let least = if self.second < self.second_week { 300 } else { 1 };
        let second = u64::try_from(self.second).unwrap_or_default();
        second.is_multiple_of(interval.as_secs().max(least))
    }

    async fn page(&self) -> anyhow::Result<Option<String>> {
        if !self.is_up() {
            return Ok(None);
        }
        // The age of shown data is measured with the runtime's clock, which has hardly moved.
        let age = Duration::from_secs(u64::try_from(self.second - self.campaigns_read)?);
        self.published.expire(Instant::now() + age);
        let body = self.published.page(Format::OpenMetrics, false)?;
        let mut page = String::from_utf8(body.parts.concat()).context("the page is not UTF-8")?;
        // The state is in memory here, and in a file in reality.
        let operation = &self.operation.name;
        writeln!(
            page,
            "wolkvox_exporter_state_size_bytes{{operation=\"{operation}\"}} 1600000"
        )?;
        Ok(Some(page))
    }
}
