//! What a scraper asks for and gets.

mod selection;

use std::io::Read;
use wolkvox_exporter::reports::{CALL_DURATIONS, CAMPAIGNS};

use crate::support::{OPEN_METRICS, Samples, Stage, client, get};

const NOON: &str = "2026-11-20T17:00:00Z";
const TEXT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

async fn stage() -> Stage {
    let mut stage = Stage::new(NOON, "America/Bogota").await;
    stage.poll(&CAMPAIGNS, NOON).await;
    stage.poll(&CALL_DURATIONS, NOON).await;
    stage
}

/// The headers that real scrapers send, and some that nobody should.
#[tokio::test]
async fn the_format_is_negotiated() {
    let protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    let with_protobuf = |rest: &str| format!("{protobuf}{rest}");
    let open_metrics = [
        // Prometheus 2.42, with and without native histograms
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1".to_owned(),
        with_protobuf(",application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
        // 2.53
        "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2".to_owned(),
        with_protobuf(";q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"),
        // 3.5
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2".to_owned(),
        with_protobuf(";q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"),
        "application/openmetrics-text".to_owned(),
        "APPLICATION/OpenMetrics-Text; Version=\"1.0.0\" ; charset=utf-8".to_owned(),
        "text/plain;q=0.1, application/openmetrics-text;version=1.0.0;q=0.2".to_owned(),
    ];
    let text = [
        // VictoriaMetrics, curl, browsers
        "text/plain;version=0.0.4;q=1,*/*;q=0.1",
        "*/*",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "text/plain",
        "text/*",
        "",
        "application/openmetrics-text;version=0.0.1",
        "application/openmetrics-text;version=1.0.0;q=0, text/plain;q=0.1",
        "text/plain;version=0.0.4;q=0.9,application/openmetrics-text;version=1.0.0;q=0.8",
        "application/json",
        "not a media type at all;;;,q=,",
        "application/openmetrics-text;version=1.0.0;q=much, text/plain;q=0.1",
    ];
    let stage = stage().await;
    let content_type = async |accept: &str| {
        let response = stage.page.get(&[("accept", accept)]).await;
        assert_eq!(response.status(), 200, "{accept}");
        response.headers()["content-type"].to_str().unwrap().to_owned()
    };
    for accept in open_metrics {
        assert_eq!(content_type(&accept).await, OPEN_METRICS_TYPE, "{accept}");
    }
    for accept in text {
        assert_eq!(content_type(accept).await, TEXT_TYPE, "{accept}");
    }
    let response = stage
        .page
        .get(&[("accept", "text/plain;q=0.4"), ("accept", OPEN_METRICS)])
        .await;
    assert_eq!(
        response.headers()["content-type"],
        OPEN_METRICS_TYPE,
        "two header lines are one list"
    );
    assert_eq!(stage.page.get(&[]).await.headers()["content-type"], TEXT_TYPE);
}

#[tokio::test]
async fn gzip_is_one_member_with_the_same_page_in_it() {
    let mut stage = stage().await;
    for (accept, accepted) in [
        ("gzip", true),
        ("gzip;q=0.5, identity", true),
        ("deflate, GZIP", true),
        ("*", true),
        ("identity", false),
        ("gzip;q=0", false),
        ("br, *;q=0", false),
    ] {
        let response = stage.page.get(&[("accept-encoding", accept)]).await;
        assert_eq!(
            response.headers().get("content-encoding").is_some(),
            accepted,
            "{accept}"
        );
        assert_eq!(response.headers()["vary"], "Accept, Accept-Encoding");
    }
    for (format, minute) in [("text/plain", "05"), (OPEN_METRICS, "10"), ("text/plain", "15")] {
        stage.poll(&CAMPAIGNS, &format!("2026-11-20T17:{minute}:00Z")).await;
        let compressed = stage.page.get(&[("accept", format), ("accept-encoding", "gzip")]).await;
        let length: usize = compressed.headers()["content-length"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        let compressed = compressed.bytes().await.unwrap();
        assert_eq!(compressed.len(), length);
        // Reads the first member alone, and leaves what follows it.
        let mut decoder = flate2::bufread::GzDecoder::new(&compressed[..]);
        let mut page = String::new();
        decoder.read_to_string(&mut page).unwrap();
        assert!(decoder.into_inner().is_empty(), "something follows the first member");
        let still = |page: &str| -> Vec<String> {
            page.lines()
                .filter(|line| !line.contains("process_"))
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(still(&page), still(&stage.page.text(format).await));
        assert!(
            compressed.len() * 2 < page.len(),
            "{} of {}",
            compressed.len(),
            page.len()
        );
    }
}

#[tokio::test]
async fn both_formats_have_the_same_samples_and_whole_families() {
    let stage = stage().await;
    let (text, open_metrics) = (stage.page.text("text/plain").await, stage.page.text(OPEN_METRICS).await);
    let still = |samples: Samples| samples.names().into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(still(Samples::parse(&text)), still(Samples::parse(&open_metrics)));
    assert!(open_metrics.ends_with("\n# EOF\n"));
    assert!(!text.contains("# EOF") && text.ends_with('\n'));
    for page in [text, open_metrics] {
        let families: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let mut once = families.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), families.len(), "a family comes twice");
        assert!(page.lines().all(|line| !line.ends_with(' ') && !line.ends_with("NaN")));
    }
}

#[tokio::test]
async fn the_other_pages_and_methods() {
    let mut stage = Stage::new(NOON, "America/Bogota").await;
    let base = stage.page.0.replace("/metrics", "");
    let ready = async || {
        let response = get(&format!("{base}/-/ready"), &[]).await;
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(get(&format!("{base}/-/healthy"), &[]).await.status(), 200);
    assert_eq!(
        ready().await,
        (503, "waiting for the first polls of: acme\n".to_owned())
    );
    stage.poll(&CAMPAIGNS, NOON).await;
    assert_eq!(ready().await.0, 503);
    stage.acme().inject(wolkvox_simulator::Fault::status(404));
    stage.poll(&CALL_DURATIONS, NOON).await;
    assert_eq!(
        ready().await,
        (200, "ready\n".to_owned()),
        "a round that failed has ended, too"
    );

    let client = client();
    let head = client.head(&stage.page.0).send().await.unwrap();
    assert_eq!(
        (head.status().as_u16(), head.headers()["content-type"].to_str().unwrap()),
        (200, TEXT_TYPE)
    );
    assert!(head.bytes().await.unwrap().is_empty());
    let post = client.post(&stage.page.0).send().await.unwrap();
    assert_eq!(
        (post.status().as_u16(), post.headers()["allow"].to_str().unwrap()),
        (405, "GET,HEAD")
    );
    assert_eq!(get(&format!("{base}/other"), &[]).await.status(), 404);
}
