//! `/metrics?operation=…`: the series of these operations alone.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use tokio::net::TcpListener;
use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::Shard;
use wolkvox_exporter::fetch::pieces::CUT_AT;
use wolkvox_exporter::ledger::Storage;
use wolkvox_exporter::metrics::process;
use wolkvox_exporter::poller::{PollSettings, Poller};
use wolkvox_exporter::published::Published;
use wolkvox_exporter::reports::{CALL_DURATIONS, CAMPAIGNS};
use wolkvox_exporter::web::{self, Site};
use wolkvox_simulator::OperationPlan;

use super::{NOON, OPEN_METRICS_TYPE, TEXT_TYPE};
use crate::support::{OPEN_METRICS, Page, RETRY, at, client, operation, serve, simulator, zone};

/// Three operations after their first polls, of which `gamma` has no calls by duration.
async fn three(shard: Shard) -> (Page, Arc<Published>) {
    let plans = ["acme", "beta", "gamma"].map(|name| OperationPlan::new(name, zone("America/Bogota")));
    let simulator = simulator(plans.into(), at(NOON));
    let served = serve(&simulator).await;
    let clock = Clock::from_fn(|| at(NOON));
    let published = Arc::new(Published::new(process::registry(at(NOON)).0));
    for simulated in simulator.operations() {
        let settings = PollSettings {
            new_series_hold: Duration::ZERO,
            series_limit: 5000,
            retry: RETRY,
            cut_at: CUT_AT,
        };
        let operation = operation(simulated, &served.url());
        let publish = Arc::clone(&published);
        let mut poller = Poller::new(operation, settings, Storage::memory(), clock.clone(), publish).unwrap();
        poller.publish();
        poller.poll(&CAMPAIGNS, at(NOON)).await;
        if simulated.name() != "gamma" {
            poller.poll(&CALL_DURATIONS, at(NOON)).await;
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let page = Page(format!("http://{}/metrics", listener.local_addr().unwrap()));
    let router = web::router(Site {
        published: Arc::clone(&published),
        clock,
        telemetry_path: "/metrics".to_owned(),
        shard,
        reload: None,
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    (page, published)
}

fn query(page: &Page, query: &str) -> Page {
    Page(format!("{}?{query}", page.0))
}

/// The lines of a whole page that a selection has: those of the operations, and the headers of their families.
fn lines_of(page: &str, operations: &[&str]) -> String {
    let (mut selected, mut header) = (String::new(), String::new());
    for line in page.split_inclusive('\n') {
        if line.starts_with("# HELP") {
            header = line.to_owned();
        } else if line.starts_with("# TYPE") {
            header += line;
        } else if line.starts_with("# EOF") {
            selected += line;
        } else if operations
            .iter()
            .any(|name| line.contains(&format!("operation=\"{name}\"")))
        {
            selected += &std::mem::take(&mut header);
            selected += line;
        }
    }
    selected
}

#[tokio::test]
async fn a_selection_is_the_part_of_the_page_with_these_operations() {
    let (page, _) = three(Shard::ONLY).await;
    for (format, content_type) in [("text/plain", TEXT_TYPE), (OPEN_METRICS, OPEN_METRICS_TYPE)] {
        let whole = page.text(format).await;
        for (asked, operations) in [
            ("operation=acme", &["acme"] as &[_]),
            ("operation=gamma", &["gamma"]),
            ("operation=gamma&operation=acme", &["acme", "gamma"]),
            ("operation=beta&operation=%62eta&x=1&operation=beta", &["beta"]),
            (
                "collect[]=a&operation=acme&operation=beta&operation=gamma",
                &["acme", "beta", "gamma"],
            ),
        ] {
            let wanted = lines_of(&whole, operations);
            let page = query(&page, asked);
            let plain = page.get(&[("accept", format)]).await;
            assert_eq!(plain.status(), 200, "{asked}");
            assert_eq!(plain.headers()["content-type"], content_type);
            assert_eq!(plain.headers()["vary"], "Accept, Accept-Encoding");
            assert_eq!(plain.headers()["content-length"], wanted.len().to_string());
            assert!(plain.text().await.unwrap() == wanted, "{asked}");

            let compressed = page.get(&[("accept", format), ("accept-encoding", "gzip")]).await;
            assert_eq!(compressed.headers()["content-encoding"], "gzip");
            let length = compressed.headers()["content-length"].to_str().unwrap().to_owned();
            let compressed = compressed.bytes().await.unwrap();
            assert_eq!(compressed.len().to_string(), length);
            let mut decoder = flate2::bufread::GzDecoder::new(&compressed[..]);
            let mut text = String::new();
            decoder.read_to_string(&mut text).unwrap();
            assert!(decoder.into_inner().is_empty(), "something follows the first member");
            assert!(text == wanted, "{asked}, with gzip");

            let head = client().head(&page.0).header("accept", format).send().await.unwrap();
            assert_eq!(head.status(), 200);
            assert_eq!(head.headers()["content-type"], content_type);
            assert_eq!(head.headers()["content-length"], wanted.len().to_string());
            assert!(head.bytes().await.unwrap().is_empty());
        }
        let gamma = query(&page, "operation=gamma").text(format).await;
        assert!(gamma.contains("wolkvox_campaign_status{") && gamma.contains("wolkvox_up{"));
        assert!(!gamma.contains("# TYPE wolkvox_calls"), "a header without series");
        assert!(!gamma.contains("process_") && !gamma.contains("wolkvox_exporter_build"));
        let others = query(&page, "collect[]=operation&operations=acme").text(format).await;
        assert!(others.contains("process_"), "other parameters select nothing");
    }
}

#[tokio::test]
async fn a_name_that_is_not_configured_is_an_error_with_the_names_that_are() {
    let (page, _) = three(Shard::ONLY).await;
    let (of_a_shard, _) = three(Shard::new(1, 3).unwrap()).await;
    let nobody = "operation=acme&operation=delta";
    let mut answers = Vec::new();
    for (page, asked) in [
        (&page, nobody),
        (&page, "operation="),
        (&page, "operation"),
        (&page, "operation=ACME"),
        (&page, "operation=a%0Ab%22c"),
        (&page, "operation=%FF+%"),
        (&of_a_shard, nobody),
    ] {
        let page = query(page, asked);
        let answer = page.get(&[]).await;
        assert_eq!(answer.status(), 404, "{asked}");
        assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
        answers.push(answer.text().await.unwrap());
        let head = client().head(&page.0).send().await.unwrap();
        assert_eq!(head.status(), 404, "{asked}");
    }
    assert_snapshot!(answers.concat(), @r#"
    there is no operation `delta`; this exporter has: acme, beta, gamma
    there is no operation ``; this exporter has: acme, beta, gamma
    there is no operation ``; this exporter has: acme, beta, gamma
    there is no operation `ACME`; this exporter has: acme, beta, gamma
    there is no operation `a\nb\"c`; this exporter has: acme, beta, gamma
    there is no operation `� %`; this exporter has: acme, beta, gamma
    there is no operation `delta`; shard 1 of 3 has: acme, beta, gamma
    "#);
}

/// As a reload does it, while others scrape.
#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_is_removed_leaves_the_selections() {
    let (page, published) = three(Shard::ONLY).await;
    let [both, acme, beta] =
        ["operation=acme&operation=beta", "operation=acme", "operation=beta"].map(|q| query(&page, q));
    let before = acme.text("text/plain").await;
    let scraper = tokio::spawn(async move {
        loop {
            let answer = both.get(&[]).await;
            if answer.status() == 404 {
                return;
            }
            assert_eq!(answer.status(), 200);
            let text = answer.text().await.unwrap();
            assert!(text.contains("operation=\"acme\""));
        }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(beta.get(&[]).await.status(), 200);
    published.remove(&Arc::from("beta"));
    assert_eq!(beta.get(&[]).await.status(), 404);
    scraper.await.unwrap();
    assert_eq!(acme.text("text/plain").await, before);
}
