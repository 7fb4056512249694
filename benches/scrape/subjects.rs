//! What is scraped, each in a process of its own: the exporter's routes, the same bytes from memory, and a simulator.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::routing::get;
use axum::serve::ListenerExt;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;
use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::Shard;
use wolkvox_exporter::exposition::Format;
use wolkvox_exporter::metrics::process::{self, CertificateExpiry};
use wolkvox_exporter::published::Published;
use wolkvox_exporter::reports::{self};
use wolkvox_exporter::web::{self, ServerSettings, Site, WebConfig};
use wolkvox_simulator::{OperationPlan, SimulatedClock, Simulator, SimulatorConfig};

use super::Outcome;
use super::series::families;

/// Of the page that is scraped: 150,000 series.
pub(super) const OPERATIONS: usize = 300;
/// Gives an operation about 1,000 series: 18 for each campaign, and those of the other reports.
const CAMPAIGNS: usize = 6;

/// Serves as the exporter does.
pub(super) async fn serve(listener: tokio::net::TcpListener, router: Router, web_config: Option<&Path>) -> Outcome<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = ServerSettings {
        config: web_config.map(WebConfig::load).transpose()?,
        ..ServerSettings::default()
    };
    Ok(web::serve(
        vec![listener],
        router,
        settings,
        CertificateExpiry::default(),
        CancellationToken::new(),
    )
    .await?)
}

/// A subject: the routes of the exporter, over 150,000 series.
pub(super) async fn exporter(web_config: Option<&Path>) -> Outcome<()> {
    let published = Arc::new(Published::new(process::registry(Timestamp::now()).0));
    for n in 1..=OPERATIONS {
        let operation: Arc<str> = format!("operation-{n:03}").into();
        published.publish_counters(&operation, &reports::CAMPAIGNS, families(&operation), None);
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
pub(super) async fn from_memory(page: &str, coding: &str, web_config: Option<&Path>) -> Outcome<()> {
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

pub(super) async fn listen() -> Outcome<tokio::net::TcpListener> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    Ok(listener)
}

/// Serves operations that are never quiet, and prints its URL and then their tokens.
pub(super) async fn simulator(operations: usize, volume: f64) -> Outcome<()> {
    let zone = TimeZone::get("America/Bogota")?;
    let simulator = Simulator::new(SimulatorConfig {
        seed: 1,
        clock: SimulatedClock::system(),
        operations: (1..=operations)
            .map(|n| {
                OperationPlan::new(format!("operation-{n:03}"), zone.clone())
                    .never_closes()
                    .volume(volume)
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
