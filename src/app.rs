//! Starts the exporter, reloads its configuration, and stops it.

mod operations;
mod sharding;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, bail};
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::operations::{Operations, Plan};
use crate::client::RetryPolicy;
use crate::clock::Clock;
use crate::config::{Config, ConfigSource};
use crate::durations::span;
use crate::metrics::process::{self, ConfigGauges};
use crate::published::Published;
use crate::reload::{self, ReloadError, ReloadHandle, ReloadRequest, ReloadRequests};
use crate::web::{self, ServerSettings, Site};

/// How long running scrapes and commits may take after a stop.
const DRAIN: Duration = Duration::from_secs(10);

/// The settings of an exporter.
#[derive(Debug)]
pub struct Start {
    /// The configuration.
    pub config: Config,
    /// How a reload reads it again. Without one, a reload changes nothing.
    pub config_source: Option<ConfigSource>,
    /// Whether `/-/reload` is enabled.
    pub enable_lifecycle: bool,
    /// The sockets to serve on. They are bound earlier, so that a port in use is noticed before the first API call.
    pub listeners: Vec<TcpListener>,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// How clients are served.
    pub server: ServerSettings,
    /// The wall clock.
    pub clock: Clock,
    /// When failed API requests are sent again.
    pub retry: RetryPolicy,
}

impl Start {
    /// Plain HTTP at `/metrics`; a reload changes nothing.
    pub fn new(config: Config, listeners: Vec<TcpListener>) -> Self {
        Self {
            config,
            config_source: None,
            enable_lifecycle: false,
            listeners,
            telemetry_path: "/metrics".to_owned(),
            server: ServerSettings::default(),
            clock: Clock::system(),
            retry: RetryPolicy::default(),
        }
    }
}

/// A running exporter.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    published: Arc<Published>,
    reload: ReloadHandle,
    stop: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
}

/// Starts an exporter. It serves and polls at once.
pub fn start(start: Start) -> anyhow::Result<Running> {
    let shard = start.config.shard;
    let (registry, gauges) = process::registry(start.clock.now());
    let published = Arc::new(Published::new(registry));
    let mut operations = Operations::new(Arc::clone(&published), start.clock.clone(), start.retry);
    operations.start(start.config)?;
    gauges.set_operations(operations.count());
    let certificate = gauges.certificate();

    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let (reload, reloads) = reload::channel();
    let operations = OperationsTask {
        operations,
        published: Arc::clone(&published),
        source: start.config_source,
        reloads,
        gauges,
        clock: start.clock.clone(),
    };
    tasks.spawn(operations.run(stop.clone()));
    let addresses = start
        .listeners
        .iter()
        .map(TcpListener::local_addr)
        .collect::<Result<Vec<_>, _>>()?;
    let router = web::router(Site {
        published: Arc::clone(&published),
        clock: start.clock,
        telemetry_path: start.telemetry_path,
        shard,
        reload: start.enable_lifecycle.then(|| reload.clone()),
    });
    tasks.spawn(web::serve(
        start.listeners,
        router,
        start.server,
        certificate,
        stop.clone(),
    ));
    Ok(Running {
        addresses,
        published,
        reload,
        stop,
        tasks,
    })
}

/// The task that owns the operations and reloads their configuration.
struct OperationsTask {
    operations: Operations,
    published: Arc<Published>,
    source: Option<ConfigSource>,
    reloads: ReloadRequests,
    gauges: ConfigGauges,
    clock: Clock,
}

impl OperationsTask {
    async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            let request = tokio::select! {
                () = stop.cancelled() => break,
                error = self.operations.run() => return Err(error),
                Some(request) = self.reloads.next() => request,
            };
            // A reload waits for polls, and reading files may hang. A stop does not wait for a reload.
            match stop.run_until_cancelled(self.reload(request)).await {
                Some(reloaded) => reloaded?,
                None => break,
            }
        }
        self.operations.stop_all().await
    }

    async fn reload(&mut self, request: ReloadRequest) -> anyhow::Result<()> {
        let plan = self.plan().await;
        self.gauges.record_load(plan.is_ok(), self.clock.now());
        self.published.publish_reload(plan.is_ok());
        match plan {
            Ok(plan) => {
                self.operations.apply(plan).await?;
                self.gauges.set_operations(self.operations.count());
                request.answer(&Ok(()));
            }
            Err(error) => {
                tracing::error!(
                    "reload failed; the previous configuration stays in effect: {}",
                    error.log
                );
                request.answer(&Err(error));
            }
        }
        Ok(())
    }

    async fn plan(&self) -> Result<Plan, ReloadError> {
        let config = match self.source.clone() {
            Some(source) => {
                let read = spawn_blocking(move || source.read()).await;
                read.map_err(|error| {
                    ReloadError::plain(format!("reading the configuration failed: {error}; please report it"))
                })??
            }
            None => self.operations.config().clone(),
        };
        for warning in config.warnings() {
            tracing::warn!("configuration: {warning}");
        }
        self.operations.plan(config).await
    }
}

impl Running {
    /// The addresses it serves on.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What it publishes.
    pub fn published(&self) -> &Arc<Published> {
        &self.published
    }

    /// Requests reloads.
    pub fn reload_handle(&self) -> ReloadHandle {
        self.reload.clone()
    }

    /// Runs until `stop`, then drains. If a task ends before that, for example by a panic, it is an error: half an
    /// exporter would look healthy without being so.
    pub async fn run_until(mut self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        tokio::select! {
            () = stop => {}
            ended = self.tasks.join_next() => {
                self.stop.cancel();
                return match ended {
                    Some(ended) => match flatten(ended) {
                        Ok(()) => bail!("a part of the exporter ended unexpectedly"),
                        Err(error) => Err(error),
                    },
                    None => bail!("there is nothing to run"),
                };
            }
        }
        self.stop.cancel();
        let drained = timeout(DRAIN, async {
            while let Some(ended) = self.tasks.join_next().await {
                flatten(ended)?;
            }
            Ok(())
        });
        drained.await.unwrap_or_else(|_| {
            tracing::warn!(
                "some scrapes or commits did not finish within {}; they are cut off",
                span(DRAIN)
            );
            Ok(())
        })
    }
}

fn flatten(ended: Result<anyhow::Result<()>, JoinError>) -> anyhow::Result<()> {
    ended.unwrap_or_else(|error| Err(anyhow!("a part of the exporter failed: {error}")))
}
