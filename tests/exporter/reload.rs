//! The configuration is reloaded while the exporter runs: operations are added, removed and changed, and no others are
//! affected.

mod folder;
mod many;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use wolkvox_exporter::app::{self, Start};
use wolkvox_exporter::config::{Config, ConfigError, ConfigSource};
use wolkvox_simulator::{Fault, OperationPlan, RunningSimulator, SimulatedClock, Simulator, SimulatorConfig};

use crate::ledger::Folder;
use crate::status::{has, html, words};
use crate::support::{Page, RETRY, Samples, client, get, serve, zone};

const PATIENCE: Duration = Duration::from_secs(30);

/// A configuration file with three simulated operations.
struct Scene {
    simulator: Simulator,
    served: RunningSimulator,
    folder: Folder,
}

impl Scene {
    async fn new(name: &str) -> Self {
        let plan = |name: &str| {
            OperationPlan::new(name, zone("America/Bogota"))
                .never_closes()
                .campaigns(3)
        };
        let simulator = Simulator::new(SimulatorConfig {
            seed: 7,
            clock: SimulatedClock::system(),
            operations: ["acme", "beta", "gamma"].map(plan).into(),
        });
        let served = serve(&simulator).await;
        let folder = Folder::new(name);
        std::fs::create_dir_all(&folder.0).unwrap();
        Self {
            simulator,
            served,
            folder,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.0.join("wolkvox.yml")
    }

    /// Writes the file: the operations by name, each with additional lines.
    fn write(&self, top: &str, operations: &[(&str, &str)]) {
        let mut text = format!("state_path: state\nnew_series_hold: 0s\n{top}operations:\n");
        for (name, lines) in operations {
            let simulated = self.simulator.operations().iter().find(|found| found.name() == *name);
            // A name that the simulator does not know is an alias of acme.
            let simulated = simulated.unwrap_or(&self.simulator.operations()[0]);
            std::fs::write(
                self.folder.0.join(format!("{}.token", simulated.name())),
                simulated.token(),
            )
            .unwrap();
            writeln!(text, "  - name: {name}").unwrap();
            writeln!(text, "    url: {}", self.served.url()).unwrap();
            writeln!(text, "    token_file: {}.token", simulated.name()).unwrap();
            writeln!(text, "    daily_calls: 1000000").unwrap();
            text.push_str(lines);
        }
        std::fs::write(self.file(), text).unwrap();
    }

    /// Starts an exporter on the file.
    async fn start(&self, enable_lifecycle: bool) -> (Page, CancellationToken) {
        self.start_on(self.file(), enable_lifecycle).await
    }

    async fn start_on(&self, file: PathBuf, enable_lifecycle: bool) -> (Page, CancellationToken) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let page = Page(format!("http://{}/metrics", listener.local_addr().unwrap()));
        let load = move || Config::load(&[&file], &|_| None).map_err(ConfigError::from);
        let running = app::start(Start {
            enable_lifecycle,
            retry: RETRY,
            config_source: Some(ConfigSource::from_fn(load.clone())),
            ..Start::new(load().unwrap(), vec![listener])
        })
        .unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move { running.run_until(stopped.cancelled()).await.unwrap() });
        (page, stop)
    }
}

const FAST: &str =
    "    reports: {campaigns: {interval: 1s}, call_durations: {interval: 1s}, abandoned_calls: {interval: 1s}}\n";

async fn reload(page: &Page) -> (u16, String) {
    let client = client();
    let url = page.0.replace("/metrics", "/-/reload");
    let answer = client.post(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn until(page: &Page, what: &str, fits: impl Fn(&Samples) -> bool) -> Samples {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let samples = page.samples().await;
        if fits(&samples) {
            return samples;
        }
        assert!(Instant::now() < deadline, "in vain for {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

fn all_up(samples: &Samples, operation: &str, reports: usize) -> bool {
    samples.all("wolkvox_up", &[("operation", operation)]) == vec![1.0; reports]
}

/// The counters of an operation's reports.
fn counters(samples: &Samples, operation: &str) -> BTreeMap<String, f64> {
    let counts = |name: &str| {
        name == "wolkvox_calls_total" || name.starts_with("wolkvox_skill") || name.starts_with("wolkvox_abandon")
    };
    samples
        .iter()
        .filter(|(name, labels, _)| counts(name) && labels["operation"] == operation && !name.ends_with("_info"))
        .map(|(name, labels, value)| (format!("{name}{labels:?}"), value))
        .collect()
}

/// Every series still exists, and none is lower.
fn assert_none_fell(before: &BTreeMap<String, f64>, now: &BTreeMap<String, f64>) {
    for (series, value) in before {
        assert!(
            now.get(series).is_some_and(|now| now >= value),
            "{series}: {value}, then {:?}",
            now.get(series)
        );
    }
}

#[tokio::test]
async fn operations_come_go_and_change_and_the_others_go_on() {
    let scene = Scene::new("reload").await;
    scene.write("", &[("acme", FAST), ("beta", FAST)]);
    let (page, _stop) = scene.start(true).await;
    let before = until(&page, "both", |page| all_up(page, "acme", 3) && all_up(page, "beta", 3)).await;
    let polls = |samples: &Samples, operation| {
        let labels = [("operation", operation), ("report", "campaigns")];
        samples.get("wolkvox_report_polls_total", &labels)
    };
    assert!(before.get("wolkvox_exporter_config_last_reload_successful", &[]) == Some(1.0));

    // beta goes, gamma comes, acme is untouched.
    scene.write("", &[("acme", FAST), ("gamma", FAST)]);
    assert_eq!(reload(&page).await.0, 200);
    let after = page.samples().await;
    assert!(
        after
            .iter()
            .all(|(_, labels, _)| labels.get("operation").is_none_or(|name| name != "beta"))
    );
    assert!(polls(&after, "acme") >= polls(&before, "acme") && all_up(&after, "acme", 3));
    let campaigns = |samples: &Samples| samples.all("wolkvox_campaign_records", &[("operation", "acme")]).len();
    assert_eq!(campaigns(&after), campaigns(&before));
    assert_none_fell(&counters(&before, "acme"), &counters(&after, "acme"));
    assert_eq!(polls(&after, "gamma").map(|polls| polls < 2.0), Some(true));
    let after = until(&page, "gamma", |page| all_up(page, "gamma", 3)).await;

    // beta returns with its counts; acme loses a report, gets another, and polls less often.
    let changed = "    reports: {campaigns: {interval: 2s}, call_durations: {interval: 2s}, ivr: {interval: 2s}}\n";
    scene.write("", &[("acme", changed), ("beta", FAST), ("gamma", FAST)]);
    assert_eq!(reload(&page).await.0, 200);
    let third = page.samples().await;
    assert_none_fell(&counters(&before, "beta"), &counters(&third, "beta"));
    assert!(
        third
            .all("wolkvox_skill_interactions_total", &[("operation", "acme")])
            .is_empty()
    );
    let calls = |samples: &Samples| samples.all("wolkvox_calls_total", &[("operation", "acme")]);
    assert!(
        !calls(&third).is_empty()
            && calls(&third)
                .iter()
                .zip(calls(&after))
                .all(|(now, before)| *now >= before)
    );
    assert_eq!(
        campaigns(&third),
        campaigns(&before),
        "the last state stays until the next poll"
    );
    assert!(polls(&third, "acme") >= polls(&after, "acme"), "poll health is kept");
    let interval = third.get(
        "wolkvox_report_poll_interval_seconds",
        &[("operation", "acme"), ("report", "campaigns")],
    );
    assert_eq!(interval, Some(2.0));
    until(&page, "the new report", |page| {
        all_up(page, "acme", 3) && all_up(page, "beta", 3)
    })
    .await;

    // The removed report returns with its totals.
    scene.write("", &[("acme", FAST), ("beta", FAST), ("gamma", FAST)]);
    assert_eq!(reload(&page).await.0, 200);
    assert_none_fell(&counters(&after, "acme"), &counters(&page.samples().await, "acme"));

    // A token moves to another operation: both must never use it at the same time.
    scene.write("", &[("renamed", FAST), ("beta", FAST)]);
    assert_eq!(reload(&page).await.0, 200);
    let renamed = until(&page, "the new name", |page| all_up(page, "renamed", 3)).await;
    let refused = renamed.all("wolkvox_report_poll_failures_total", &[("reason", "concurrency")]);
    assert_eq!(refused.iter().sum::<f64>(), 0.0);
}

/// Wolkvox continues a query whose client has gone, and meanwhile refuses the next one with the same token. So a reload
/// lets running requests end, and nothing else waits for them.
#[tokio::test]
async fn a_reload_lets_a_request_end_before_its_operation_restarts() {
    let scene = Scene::new("patience").await;
    scene.write("", &[("acme", FAST), ("beta", FAST)]);
    let (page, _stop) = scene.start(true).await;
    until(&page, "both", |page| all_up(page, "acme", 3) && all_up(page, "beta", 3)).await;
    let acme = scene.simulator.operations()[0].clone();
    acme.inject(Fault::Delay(Duration::from_secs(2)).once());
    let delayed = Instant::now();
    while acme.observed().log.last().is_none_or(|request| request.fault.is_none()) {
        assert!(delayed.elapsed() < PATIENCE, "no request was delayed");
        sleep(Duration::from_millis(5)).await;
    }
    let begun = Instant::now();
    scene.write("", &[("acme", &format!("    currency: COP\n{FAST}")), ("beta", FAST)]);
    let reloading = tokio::spawn({
        let page = page.clone();
        async move { reload(&page).await }
    });
    let polls = |samples: &Samples| {
        samples
            .all("wolkvox_report_polls_total", &[("operation", "beta")])
            .iter()
            .sum::<f64>()
    };
    let before = polls(&page.samples().await);
    assert_eq!(reloading.await.unwrap().0, 200);
    assert!(
        begun.elapsed() > Duration::from_millis(1500),
        "the request was abandoned: {:?}",
        begun.elapsed()
    );
    let after = page.samples().await;
    assert!(polls(&after) > before, "the others go on");
    let failed = after.all("wolkvox_report_poll_failures_total", &[("operation", "acme")]);
    assert_eq!(failed.iter().sum::<f64>(), 0.0);
}

#[tokio::test]
async fn a_bad_configuration_changes_nothing_and_says_why() {
    let scene = Scene::new("bad-reload").await;
    scene.write("", &[("acme", FAST)]);
    let (page, _stop) = scene.start(true).await;
    let before = until(&page, "acme", |page| all_up(page, "acme", 3)).await;
    let timestamp = before.get("wolkvox_exporter_config_last_reload_success_timestamp_seconds", &[]);

    let mistakes =
        "operations:\n  - name: acme\n    servr: '1'\n    timezone: Secret/Zone\n    daily_calls: \"7070 and more\"\n";
    std::fs::write(scene.file(), mistakes).unwrap();
    let (status, text) = reload(&page).await;
    assert_eq!(status, 500);
    let places = [
        "wolkvox.yml:2: operations[0]",
        "wolkvox.yml:3: operations[0].servr",
        "wolkvox.yml:4: operations[0].timezone",
        "wolkvox.yml:5: operations[0].daily_calls",
        "the log says what is wrong\n",
    ];
    assert_eq!(text, places.join("\n"));
    let after = page.samples().await;
    assert_eq!(
        after.get("wolkvox_exporter_config_last_reload_successful", &[]),
        Some(0.0)
    );
    assert_eq!(
        after.get("wolkvox_exporter_config_last_reload_success_timestamp_seconds", &[]),
        timestamp
    );
    let status = words(&html(&page, "").await);
    has(
        &status,
        &["▲ The configuration is an old one", "What to do: run check-config"],
    );
    assert_none_fell(&counters(&before, "acme"), &counters(&after, "acme"));

    scene.write("", &[("acme", FAST)]);
    let text = std::fs::read_to_string(scene.file()).unwrap();
    std::fs::write(scene.file(), text.replace("state_path: state", "state_path: elsewhere")).unwrap();
    let (status, text) = reload(&page).await;
    assert_eq!(
        (status, text.as_str()),
        (
            500,
            "state_path cannot be changed while running: restart the exporter\n"
        )
    );

    // A pipe may have nobody at its other end.
    std::fs::remove_file(scene.file()).unwrap();
    let made = std::process::Command::new("mkfifo").arg(scene.file()).status().unwrap();
    assert!(made.success());
    let answer = tokio::time::timeout(PATIENCE, reload(&page)).await;
    let expected = "wolkvox.yml\nthe log says what is wrong\n".to_owned();
    assert_eq!(answer.expect("it does not wait for the pipe"), (500, expected));
    std::fs::remove_file(scene.file()).unwrap();

    // A state that cannot be opened is detected before anything is stopped.
    std::fs::write(scene.folder.0.join("state/beta.redb"), "this is no state").unwrap();
    scene.write("", &[("gamma", FAST), ("beta", FAST)]);
    let (status, text) = reload(&page).await;
    assert_eq!((status, &*text), (500, "the log says what is wrong with: beta\n"));
    let after = page.samples().await;
    assert!(all_up(&after, "acme", 3) && after.all("wolkvox_up", &[("operation", "gamma")]).is_empty());
    assert!(
        after
            .all("wolkvox_api_calls_limit", &[("operation", "gamma")])
            .is_empty()
    );

    scene.write("", &[("acme", FAST)]);
    assert_eq!(reload(&page).await.0, 200);
    let after = page.samples().await;
    assert_eq!(
        after.get("wolkvox_exporter_config_last_reload_successful", &[]),
        Some(1.0)
    );
    assert!(!html(&page, "").await.contains("old configuration"));
}

#[tokio::test]
async fn a_reload_over_http_must_be_allowed() {
    let scene = Scene::new("no-lifecycle").await;
    scene.write("", &[("acme", FAST)]);
    let (page, _stop) = scene.start(false).await;
    let (status, text) = reload(&page).await;
    assert!(
        status == 403 && text.contains("--web.enable-lifecycle"),
        "{status} {text}"
    );
    let shown = get(&page.0.replace("/metrics", "/-/config"), &[]).await;
    assert_eq!(shown.status(), 403);
    let answer = get(&page.0.replace("/metrics", "/-/reload"), &[]).await;
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()),
        (405, "POST,PUT")
    );
}

/// A browser sends the user's password with whatever a page of another site asks it to send.
#[tokio::test]
async fn a_page_of_another_site_reloads_nothing() {
    let scene = Scene::new("other-site").await;
    scene.write("", &[("acme", FAST)]);
    let (page, _stop) = scene.start(true).await;
    let url = page.0.replace("/metrics", "/-/reload");
    let own = url.split('/').take(3).collect::<Vec<_>>().join("/");
    for (header, value, expected) in [
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("origin", own.as_str(), 200),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("sec-fetch-site", "same-origin", 200),
        ("sec-fetch-site", "none", 200),
    ] {
        let answer = client().post(&url).header(header, value).send().await.unwrap();
        assert_eq!(answer.status(), expected, "{header}: {value}");
    }
}

/// Reloads that are asked for while one runs are one.
#[tokio::test]
async fn a_hundred_reloads_at_once_are_two() {
    let scene = Scene::new("merged").await;
    scene.write("", &[("acme", FAST)]);
    let reads = Arc::new(AtomicU64::new(0));
    let (counted, file) = (Arc::clone(&reads), scene.file());
    let source = ConfigSource::from_fn(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(300));
        Config::load(&[&file], &|_| None).map_err(ConfigError::from)
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let page = Page(format!("http://{}/metrics", listener.local_addr().unwrap()));
    let config = Config::load(&[scene.file()], &|_| None).unwrap();
    let _running = app::start(Start {
        config_source: Some(source),
        enable_lifecycle: true,
        ..Start::new(config, vec![listener])
    })
    .unwrap();
    let first = tokio::spawn({
        let page = page.clone();
        async move { reload(&page).await.0 }
    });
    sleep(Duration::from_millis(100)).await;
    let others: Vec<_> = (0..100)
        .map(|_| {
            let page = page.clone();
            tokio::spawn(async move { reload(&page).await.0 })
        })
        .collect();
    assert_eq!(first.await.unwrap(), 200);
    for other in others {
        assert_eq!(other.await.unwrap(), 200);
    }
    assert_eq!(reads.load(Ordering::Relaxed), 2);
}
