//! A simulated contact centre, a poller whose clock the tests set, and the resulting page, all over real HTTP.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::net::TcpListener;
use tokio::time::sleep;
use wolkvox_exporter::app::{self, Running, Start};
use wolkvox_exporter::client::RetryPolicy;
use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::{Config, Operation, Shard, Token};
use wolkvox_exporter::exposition::Format;
use wolkvox_exporter::fetch::pieces::CUT_AT;
use wolkvox_exporter::ledger::Storage;
use wolkvox_exporter::metrics::process;
use wolkvox_exporter::poller::{PollSettings, Poller};
use wolkvox_exporter::published::Published;
use wolkvox_exporter::reports::{CALL_DURATIONS, CAMPAIGNS, Report};
use wolkvox_exporter::web::{self, Site};
use wolkvox_simulator::{
    Api, OperationPlan, RunningSimulator, SimulatedClock, SimulatedOperation, Simulator, SimulatorConfig,
};

pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0";

/// Retries fast enough for tests.
pub(crate) const RETRY: RetryPolicy = RetryPolicy {
    first_wait: Duration::from_millis(5),
    retries: 2,
    answer_within: Duration::ZERO,
};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

pub(crate) fn simulator(operations: Vec<OperationPlan>, now: Timestamp) -> Simulator {
    Simulator::new(SimulatorConfig {
        seed: 7,
        clock: SimulatedClock::fixed(now),
        operations,
    })
}

pub(crate) async fn serve(simulator: &Simulator) -> RunningSimulator {
    simulator
        .start(TcpListener::bind("127.0.0.1:0").await.unwrap())
        .unwrap()
}

/// The configuration of a simulated operation: the two reports, with a short timeout.
pub(crate) fn operation(simulated: &SimulatedOperation, url: &str) -> Operation {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut operation = Operation::new(simulated.name(), url, Token::given(simulated.token()));
    operation.timezone = simulated.timezone().clone();
    operation
        .reports
        .retain(|report, _| [&CAMPAIGNS, &CALL_DURATIONS].contains(report));
    for report in operation.reports.values_mut() {
        report.timeout = Duration::from_secs(2);
    }
    operation
}

/// The simulator's name for a report of the exporter.
pub(crate) fn api(report: &'static Report) -> Api {
    match report.name {
        "campaigns" => Api::Campaigns,
        "call_durations" => Api::Cdr4,
        "abandoned_calls" => Api::Skill2,
        "preview_calls" => Api::Campaign5,
        "ivr" => Api::Diagram1,
        "skills" => Api::Skills,
        "agents" => Api::Agents,
        "latency" => Api::Latency,
        "quota" => Api::TokenInfo,
        "answered_calls" => Api::Skill10,
        "call_results" => Api::Cdr6,
        other => panic!("the simulator has no {other}"),
    }
}

/// One operation, polled when and at the time that the test chooses.
pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    pub(crate) poller: Poller,
    pub(crate) page: Page,
    operation: Operation,
    storage: Storage,
    published: Arc<Published>,
    settings: PollSettings,
    _served: RunningSimulator,
}

/// The simulator's clock, which passes for one that never jumps.
fn steady(simulator: &Simulator) -> Clock {
    let (now, passed) = (simulator.clock().clone(), simulator.clock().clone());
    Clock::with_passed(
        move || now.now(),
        move || passed.now().duration_since(Timestamp::UNIX_EPOCH),
    )
}

impl Stage {
    pub(crate) async fn new(now: &str, zone_name: &str) -> Self {
        Self::with(now, OperationPlan::new("acme", zone(zone_name)), |_, _| {}).await
    }

    pub(crate) async fn with(
        now: &str,
        plan: OperationPlan,
        adjust: impl FnOnce(&mut Operation, &mut PollSettings),
    ) -> Self {
        Self::with_storage(now, plan, Storage::memory(), adjust).await
    }

    /// With its own storage for the state, so that the state outlives restarts.
    pub(crate) async fn with_storage(
        now: &str,
        plan: OperationPlan,
        storage: Storage,
        adjust: impl FnOnce(&mut Operation, &mut PollSettings),
    ) -> Self {
        let simulator = simulator(vec![plan], at(now));
        let served = serve(&simulator).await;
        let mut settings = PollSettings {
            new_series_hold: Duration::ZERO,
            series_limit: 5000,
            retry: RETRY,
            cut_at: CUT_AT,
        };
        let mut operation = operation(&simulator.operations()[0], &served.url());
        adjust(&mut operation, &mut settings);
        let clock = steady(&simulator);
        let published = Arc::new(Published::new(process::registry(at(now)).0));
        let mut poller = Poller::new(
            operation.clone(),
            settings,
            storage.clone(),
            clock.clone(),
            Arc::clone(&published),
        )
        .unwrap();
        poller.publish();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let page = Page(format!("http://{}/metrics", listener.local_addr().unwrap()));
        let router = web::router(Site {
            published: Arc::clone(&published),
            clock,
            telemetry_path: "/metrics".to_owned(),
            shard: Shard::ONLY,
            reload: None,
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            poller,
            page,
            operation,
            storage,
            published,
            settings,
            simulator,
            _served: served,
        }
    }

    /// The simulated operation.
    pub(crate) fn acme(&self) -> SimulatedOperation {
        self.simulator.operations()[0].clone()
    }

    /// Sets both clocks and polls.
    pub(crate) async fn poll(&mut self, report: &'static Report, now: &str) {
        self.simulator.clock().set(at(now));
        self.poller.poll(report, at(now)).await;
    }

    /// Polls with a different clock than the simulator's and the one that never jumps.
    pub(crate) async fn poll_with_wrong_clock(&mut self, report: &'static Report, now: &str) {
        self.poller.poll(report, at(now)).await;
    }

    pub(crate) async fn samples(&self) -> Samples {
        self.page.samples().await
    }

    /// Ends the poller and starts another one on the same storage, with any configuration.
    pub(crate) fn restart(self, adjust: impl FnOnce(&mut Operation, &mut PollSettings)) -> Self {
        self.restart_after(|| {}, adjust)
    }

    /// The same, with something done to the storage while nobody has it open.
    pub(crate) fn restart_after(
        self,
        meanwhile: impl FnOnce(),
        adjust: impl FnOnce(&mut Operation, &mut PollSettings),
    ) -> Self {
        let Self {
            simulator,
            poller,
            mut operation,
            storage,
            published,
            mut settings,
            page,
            _served,
        } = self;
        drop(poller);
        meanwhile();
        adjust(&mut operation, &mut settings);
        let clock = steady(&simulator);
        let mut poller = Poller::new(
            operation.clone(),
            settings,
            storage.clone(),
            clock,
            Arc::clone(&published),
        )
        .unwrap();
        poller.publish();
        Self {
            simulator,
            poller,
            operation,
            storage,
            published,
            settings,
            page,
            _served,
        }
    }
}

/// A complete exporter for a simulator, which polls by itself.
pub(crate) async fn exporter(config: Config, clock: Clock) -> (Running, Page) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let page = Page(format!("http://{}/metrics", listener.local_addr().unwrap()));
    let start = Start {
        clock,
        retry: RETRY,
        ..Start::new(config, vec![listener])
    };
    (app::start(start).unwrap(), page)
}

/// A page of metrics.
#[derive(Clone)]
pub(crate) struct Page(pub(crate) String);

impl Page {
    pub(crate) async fn get(&self, headers: &[(&'static str, &str)]) -> reqwest::Response {
        get(&self.0, headers).await
    }

    pub(crate) async fn text(&self, accept: &str) -> String {
        self.get(&[("accept", accept)]).await.text().await.unwrap()
    }

    pub(crate) async fn samples(&self) -> Samples {
        Samples::parse(&self.text("text/plain").await)
    }

    /// The page without the metrics of the process and the exporter.
    pub(crate) async fn reports(&self, accept: &str) -> String {
        let text = self.text(accept).await;
        let of_a_report = |line: &&str| {
            let name = line
                .strip_prefix("# HELP ")
                .or_else(|| line.strip_prefix("# TYPE "))
                .unwrap_or(line);
            name.starts_with("wolkvox_campaign") || name.starts_with("wolkvox_calls") || name.starts_with("# EOF")
        };
        text.lines().filter(of_a_report).collect::<Vec<_>>().join("\n")
    }
}

/// A client without proxies and CA roots.
pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .no_gzip()
        .tls_certs_only([])
        .build()
        .unwrap()
}

/// The answer of `url` to a request with these headers.
pub(crate) async fn get(url: &str, headers: &[(&'static str, &str)]) -> reqwest::Response {
    let request = headers.iter().fold(client().get(url), |request, (name, value)| {
        request.header(*name, *value)
    });
    request.send().await.unwrap()
}

/// The samples of a page in text format 0.0.4.
#[derive(Debug)]
pub(crate) struct Samples(BTreeMap<(String, BTreeMap<String, String>), f64>);

impl Samples {
    /// Panics on anything that is not a sample or a comment, and on duplicate series.
    pub(crate) fn parse(text: &str) -> Self {
        let mut samples = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let labels = parse_labels(labels.strip_suffix('}').unwrap());
            let before = samples.insert((name.to_owned(), labels), value.parse().unwrap());
            assert!(before.is_none(), "twice: {line}");
        }
        Self(samples)
    }

    /// The value of the only series of this name with the given labels; `None` without such a series.
    pub(crate) fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut found = self.all(name, labels);
        assert!(found.len() < 2, "{name} {labels:?} is not one series");
        found.pop()
    }

    /// The values of all series of this name with the given labels.
    pub(crate) fn all(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        let fits = |have: &BTreeMap<String, String>| {
            labels
                .iter()
                .all(|(label, value)| have.get(*label).is_some_and(|have| have == value))
        };
        self.0
            .iter()
            .filter(|((have, set), _)| have == name && fits(set))
            .map(|(_, value)| *value)
            .collect()
    }

    /// Name, labels and value of every sample.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, String>, f64)> {
        self.0
            .iter()
            .map(|((name, labels), value)| (name.as_str(), labels, *value))
    }

    /// The families that have series, by the name of their samples.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.keys().map(|(name, _)| name.as_str()).collect();
        names.dedup();
        names
    }

    /// All samples except those about the exporter itself.
    pub(crate) fn of_reports(&self) -> Vec<(String, f64)> {
        let of_a_report = |name: &str| name.starts_with("wolkvox_campaign") || name.starts_with("wolkvox_calls");
        let series = self.0.iter().filter(|((name, _), _)| of_a_report(name));
        series
            .map(|((name, labels), value)| (format!("{name}{labels:?}"), *value))
            .collect()
    }
}

pub(crate) fn parse_labels(mut text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    while let Some((name, rest)) = text.split_once("=\"") {
        let mut value = String::new();
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next().unwrap() {
                (end, '"') => break end,
                (_, '\\') => value.push(match characters.next().unwrap().1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        labels.insert(name.trim_start_matches(',').to_owned(), value);
        text = &rest[end + 1..];
    }
    assert!(text.is_empty(), "labels end in {text:?}");
    labels
}

/// Live counting on the state of a configuration's first operation, without a server.
pub(crate) struct Live {
    simulator: Simulator,
    published: Arc<Published>,
    poller: Poller,
    reports: Vec<&'static Report>,
}

impl Live {
    pub(crate) fn start(config: &Config, simulator: &Simulator) -> Self {
        let operation = config.operations[0].clone();
        let settings = PollSettings {
            new_series_hold: Duration::ZERO,
            series_limit: config.series_limit,
            retry: RETRY,
            cut_at: CUT_AT,
        };
        let clock = simulator.clock().clone();
        let published = Arc::new(Published::new(process::registry(clock.now()).0));
        let storage = Storage::file(config.state_path.as_deref().unwrap(), &operation.name);
        let reports = operation.reports.keys().copied().collect();
        let clock = Clock::from_fn(move || clock.now());
        Self {
            simulator: simulator.clone(),
            poller: Poller::new(operation, settings, storage, clock, Arc::clone(&published)).unwrap(),
            published,
            reports,
        }
    }

    /// Sets the clock and polls every report.
    pub(crate) async fn poll_all(&mut self, now: &str) {
        self.simulator.clock().set(at(now));
        for report in &self.reports {
            self.poller.poll(report, at(now)).await;
        }
    }

    pub(crate) fn samples(&self) -> Samples {
        let page = self.published.page(Format::Text, false).unwrap().parts.concat();
        Samples::parse(&String::from_utf8(page).unwrap())
    }
}

/// Lets live counting be born now, then stops it.
pub(crate) async fn live_once(config: &Config, simulator: &Simulator) {
    let now = simulator.clock().now().to_string();
    Live::start(config, simulator).poll_all(&now).await;
}

/// The real program, which ends with the test.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    /// Starts it with these arguments on a free port, logs into `log`, and waits until it serves.
    pub(crate) async fn serving(arguments: &[&str], log: Stdio) -> (Self, Page) {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_wolkvox_exporter"))
            .args(arguments)
            .arg(format!("--web.listen-address={free}"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let (process, page) = (Self(child), Page(format!("http://{free}/metrics")));
        let client = client();
        let deadline = Instant::now() + Duration::from_secs(30);
        while client.get(&page.0).send().await.is_err() {
            assert!(Instant::now() < deadline, "it does not serve");
            sleep(Duration::from_millis(20)).await;
        }
        (process, page)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
