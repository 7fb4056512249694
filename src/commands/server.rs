//! Serves an exporter, the real one or the demo's, until a signal stops it.

use std::net::SocketAddr;

use anyhow::Context;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use wolkvox_exporter::app::{self, Start};
use wolkvox_exporter::cli::{DEFAULT_PORT, Flags};
use wolkvox_exporter::config::{self, Config, ConfigSource};
use wolkvox_exporter::failure::Failure;
use wolkvox_exporter::web::{self, Limits, ListenAddress, ServerSettings, WebConfig};

use crate::signals::{hangups, reload_on_hangup, stop_signal};

/// The sockets of the service manager, and the web configuration.
pub(super) struct WebSetup {
    sockets: Vec<std::net::TcpListener>,
    config: Option<WebConfig>,
}

impl WebSetup {
    /// Call it before other threads exist: taking over the sockets changes the environment.
    pub(super) fn new(flags: &Flags) -> Result<Self, Failure> {
        let config = flags.web_config_file.as_deref().map(WebConfig::load).transpose();
        Ok(Self {
            config: config.map_err(|mistakes| Failure::Usage(mistakes.to_string()))?,
            sockets: web::handed_over().context("the sockets of the service manager cannot be used")?,
        })
    }
}

/// Serves and polls until SIGTERM or SIGINT. Calls `announce` with the base URLs once it serves.
pub(super) async fn serve(
    flags: &Flags,
    setup: WebSetup,
    config: Config,
    config_source: Option<ConfigSource>,
    announce: impl FnOnce(&[String]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let stop = stop_signal()?;
    // Before anything that takes time: an uncaught SIGHUP ends the process.
    let hangups = hangups()?;
    let listeners = listeners(setup.sockets, flags).await?;
    let scheme = if setup.config.as_ref().is_some_and(WebConfig::has_tls) {
        "https"
    } else {
        "http"
    };
    if let Some(web) = &setup.config {
        tracing::info!(tls = web.has_tls(), users = web.users(), "web configuration loaded");
    }
    for warning in flags.web_config_file.iter().flat_map(|file| config::web_warnings(file)) {
        tracing::warn!("configuration: {warning}");
    }
    web::raise_descriptor_limit();
    let server = ServerSettings {
        config: setup.config,
        health_without_auth: flags.health_without_auth,
        limits: Limits::for_operations(config.operations.len()),
    };
    let running = app::start(Start {
        config_source,
        enable_lifecycle: flags.enable_lifecycle,
        telemetry_path: flags.telemetry_path.clone(),
        server,
        ..Start::new(config, listeners)
    })?;
    let addresses = running.addresses().iter();
    let bases: Vec<String> = addresses.map(|address| base_url(scheme, *address)).collect();
    for url in &bases {
        tracing::info!(url, "serving");
    }
    if flags.listen_addresses.iter().any(ListenAddress::has_any_port) {
        tracing::warn!(
            "port 0 means any port: the system chooses another one at each start, so give the one to scrape"
        );
    }
    announce(&bases)?;
    let reloading = tokio::spawn(reload_on_hangup(hangups, running.reload_handle()));
    // Does nothing unless systemd started the exporter and wants to know.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let stop = async {
        stop.await;
        let _ = sd_notify::notify(&[NotifyState::Stopping]);
    };
    running.run_until(stop).await?;
    reloading.abort();
    tracing::info!("stopped");
    Ok(())
}

/// The sockets handed over, and the addresses of the flags; without either, the default address.
async fn listeners(sockets: Vec<std::net::TcpListener>, flags: &Flags) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = if sockets.is_empty() || !flags.listen_addresses.is_empty() {
        listen(flags, DEFAULT_PORT).await?
    } else {
        Vec::new()
    };
    for socket in sockets {
        listeners.push(TcpListener::from_std(socket).context("a socket of the service manager cannot be used")?);
    }
    Ok(listeners)
}

/// Listens on the addresses of the flags, or on all addresses at `default_port`.
pub(super) async fn listen(flags: &Flags, default_port: u16) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for address in flags.listen_addresses_or(default_port) {
        listeners.push(
            web::bind(&address)
                .await
                .with_context(|| format!("cannot listen on {address}"))?,
        );
    }
    Ok(listeners)
}

/// A URL that can be opened on this host, also if the exporter listens on all addresses.
fn base_url(scheme: &str, address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    }
}
