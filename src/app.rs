//! What is started in which order, and how it stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::board::Board;
use crate::client::RetryPolicy;
use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::Place;
use crate::metrics::process;
use crate::poller::{CUT_AT, Poller, Settings, phase};
use crate::web::{self, ServerSettings, Site};

/// Scrapes under way at a stop have this long to end.
const DRAIN: Duration = Duration::from_secs(10);

/// What an exporter is started with.
#[derive(Debug)]
pub struct Start {
    /// The configuration.
    pub config: Config,
    /// Where it serves. Bound before, so that a port in use is found before anything is asked.
    pub listeners: Vec<TcpListener>,
    /// Where the metrics are.
    pub telemetry_path: String,
    /// How clients are served.
    pub server: ServerSettings,
    /// The wall clock.
    pub clock: Clock,
    /// When failed requests are sent again.
    pub retry: RetryPolicy,
}

/// An exporter that runs.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    board: Arc<Board>,
    stop: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
}

/// Starts an exporter: it serves at once, and polls from now on.
pub fn start(start: Start) -> anyhow::Result<Running> {
    let Start {
        config,
        listeners,
        telemetry_path,
        server,
        clock,
        retry,
    } = start;
    let board = Arc::new(Board::new(process::registry(clock.now())));
    let settings = Settings {
        new_series_hold: config.new_series_hold,
        series_limit: config.series_limit,
        retry,
        cut_at: CUT_AT,
    };
    let pollers = config
        .operations
        .into_iter()
        .map(|operation| {
            let name = Arc::clone(&operation.name);
            let shortest = operation
                .reports
                .values()
                .map(|report| report.interval)
                .min()
                .unwrap_or_default();
            let place = match &config.state_path {
                Some(folder) => Place::file(folder, &name),
                None => Place::memory(),
            };
            let poller = Poller::new(operation, settings, place, clock.clone(), Arc::clone(&board))
                .with_context(|| format!("operation {name}"))?;
            Ok((name, shortest, poller))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;

    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let addresses = listeners
        .iter()
        .map(TcpListener::local_addr)
        .collect::<Result<Vec<_>, _>>()?;
    let router = web::router(Site {
        board: Arc::clone(&board),
        clock,
        telemetry_path,
        reload: None,
    });
    tasks.spawn(web::serve(listeners, router, server, stop.clone()));
    let now = Instant::now();
    let operations = pollers.len();
    for (n, (name, shortest, poller)) in pollers.into_iter().enumerate() {
        let origin = now + phase(n, operations, shortest);
        let stop = stop.clone();
        tasks.spawn(async move {
            poller.run(origin, stop.clone()).await;
            if stop.is_cancelled() {
                Ok(())
            } else {
                Err(anyhow!("the poller of operation {name} ended by itself"))
            }
        });
    }
    Ok(Running {
        addresses,
        board,
        stop,
        tasks,
    })
}

impl Running {
    /// Where it serves.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What it shows.
    pub fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Runs until `stop` ends, then drains. A task that ends before that, by a panic say, is an error: half an exporter
    /// looks healthy and is not.
    pub async fn run_until(mut self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        tokio::select! {
            () = stop => {}
            ended = self.tasks.join_next() => {
                self.stop.cancel();
                return match ended {
                    Some(ended) => match flatten(ended) {
                        Ok(()) => bail!("a part of the exporter ended by itself"),
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
            tracing::warn!("some scrapes had not ended after {DRAIN:?} and were cut off");
            Ok(())
        })
    }
}

fn flatten(ended: Result<anyhow::Result<()>, JoinError>) -> anyhow::Result<()> {
    ended.unwrap_or_else(|error| Err(anyhow!("a part of the exporter failed: {error}")))
}
