//! The polled operations, one task each, and how a reload changes them.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::sharding;
use crate::client::{Client, RetryPolicy};
use crate::clock::Clock;
use crate::config::{Config, Operation};
use crate::fetch::pieces::CUT_AT;
use crate::ledger::Storage;
use crate::poller::{PollSettings, Poller, Stop, phase};
use crate::published::Published;
use crate::reload::ReloadError;

/// Longest wait of a reload for running polls: longer than any request, shorter than a long catch-up.
const POLL_PATIENCE: Duration = Duration::from_secs(120);

/// The polled operations.
#[derive(Debug)]
pub(super) struct Operations {
    /// The configuration in effect.
    config: Config,
    published: Arc<Published>,
    clock: Clock,
    retry: RetryPolicy,
    /// How to stop each poller.
    stops: BTreeMap<Arc<str>, Stop>,
    /// Stops all pollers.
    stop: CancellationToken,
    /// The running pollers. Each task returns its poller when it has stopped.
    tasks: JoinSet<Poller>,
}

/// What a reload will change. Everything that can fail was done while making the plan.
pub(super) struct Plan {
    config: Config,
    added: Vec<Poller>,
    changed: BTreeMap<Arc<str>, (Operation, Client)>,
    removed: BTreeSet<Arc<str>>,
    unchanged: usize,
}

impl Operations {
    /// Without any operation yet.
    pub(super) fn new(published: Arc<Published>, clock: Clock, retry: RetryPolicy) -> Self {
        Self {
            config: Config::default(),
            published,
            clock,
            retry,
            stops: BTreeMap::new(),
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Starts polling the operations of the configuration.
    pub(super) fn start(&mut self, config: Config) -> anyhow::Result<()> {
        let pollers = config
            .operations
            .iter()
            .map(|operation| self.opening(&config, operation)())
            .collect::<anyhow::Result<Vec<_>>>()?;
        sharding::log_shard(&config);
        self.adopt(config);
        self.spawn(pollers);
        Ok(())
    }

    /// The configuration in effect.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    fn adopt(&mut self, config: Config) {
        self.published.publish_configuration(config.effective());
        self.config = config;
    }

    /// The number of polled operations.
    pub(super) fn count(&self) -> usize {
        self.config.operations.len()
    }

    /// Applies a plan. An error means that a poller failed and the exporter cannot continue.
    ///
    /// Removed and changed pollers are stopped before any is started, since a token may have moved from one operation
    /// to another, and both must not use it at once.
    pub(super) async fn apply(&mut self, mut plan: Plan) -> anyhow::Result<()> {
        let stopped = self.stop(plan.changed.keys().chain(&plan.removed)).await?;
        tracing::info!(
            added = plan.added.len(),
            changed = plan.changed.len(),
            removed = plan.removed.len(),
            unchanged = plan.unchanged,
            "configuration reloaded"
        );
        let settings = self.settings(&plan.config);
        let mut pollers = plan.added;
        let mut removed = Vec::new();
        for mut poller in stopped {
            match plan.changed.remove(poller.name()) {
                Some((operation, client)) => {
                    poller.reconfigure(operation, settings, client);
                    pollers.push(poller);
                }
                None => {
                    self.published.remove(poller.name());
                    removed.push(poller);
                }
            }
        }
        // State files are closed before they can be opened again, on a thread that may wait for the disk.
        let closed = spawn_blocking(move || drop(removed));
        closed.await.context("the state files could not be closed")?;
        self.adopt(plan.config);
        self.spawn(pollers);
        // Only now, when the new operations are on the page. It looks at the state folder.
        let config = self.config.clone();
        spawn_blocking(move || sharding::log_shard(&config)).await?;
        Ok(())
    }

    /// Waits until a poller ends. Pollers never end unless they are stopped, so this is an error.
    pub(super) async fn run(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok(poller)) => anyhow!("the poller of operation {} ended unexpectedly", poller.name()),
            Some(Err(error)) => anyhow!("a poller failed: {error}"),
            None => std::future::pending().await,
        }
    }

    /// Stops all pollers at once.
    pub(super) async fn stop_all(&mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.context("a poller failed")?;
        }
        Ok(())
    }

    /// Plans the change to another configuration. On an error nothing has changed.
    pub(super) async fn plan(&self, config: Config) -> Result<Plan, ReloadError> {
        if config.state_path != self.config.state_path {
            return Err(ReloadError::plain(
                "state_path cannot be changed while running: restart the exporter",
            ));
        }
        let settings_changed =
            (config.new_series_hold, config.series_limit) != (self.config.new_series_hold, self.config.series_limit);
        let before = |name: &str| self.config.operations.iter().find(|operation| *operation.name == *name);
        let mut mistakes = Vec::new();
        let mut plan = Plan {
            added: Vec::new(),
            changed: BTreeMap::new(),
            removed: self.stops.keys().cloned().collect(),
            unchanged: 0,
            config: Config::default(),
        };
        for operation in &config.operations {
            let name = &operation.name;
            plan.removed.remove(name);
            match before(name) {
                None => {
                    // Opening a state file may involve a repair, so it runs on a thread that may wait for the disk.
                    let opened = spawn_blocking(self.opening(&config, operation)).await;
                    match opened.map_err(anyhow::Error::from).flatten() {
                        Ok(poller) => plan.added.push(poller),
                        Err(error) => mistakes.push((name, format!("{error:#}"))),
                    }
                }
                Some(before) if before == operation && !settings_changed => plan.unchanged += 1,
                Some(_) => match Client::new(operation, self.retry) {
                    Ok(client) => {
                        plan.changed.insert(Arc::clone(name), (operation.clone(), client));
                    }
                    Err(error) => mistakes.push((name, format!("operation {name}: {error}"))),
                },
            }
        }
        if !mistakes.is_empty() {
            let (names, texts): (Vec<_>, Vec<_>) = mistakes.iter().map(|(name, text)| (&***name, &**text)).unzip();
            return Err(ReloadError {
                log: texts.join("\n"),
                answer: format!("the log says what is wrong with: {}", names.join(", ")),
            });
        }
        plan.config = config;
        Ok(plan)
    }

    /// Opens the state of an operation and creates its poller.
    fn opening(&self, config: &Config, operation: &Operation) -> impl FnOnce() -> anyhow::Result<Poller> + use<> {
        let storage = match &config.state_path {
            Some(folder) => Storage::file(folder, &operation.name),
            None => Storage::memory(),
        };
        let (clock, published, settings) = (self.clock.clone(), Arc::clone(&self.published), self.settings(config));
        let operation = operation.clone();
        move || {
            let name = Arc::clone(&operation.name);
            Poller::new(operation, settings, storage, clock, published).with_context(|| format!("operation {name}"))
        }
    }

    fn settings(&self, config: &Config) -> PollSettings {
        PollSettings {
            new_series_hold: config.new_series_hold,
            series_limit: config.series_limit,
            retry: self.retry,
            cut_at: CUT_AT,
        }
    }

    fn spawn(&mut self, pollers: Vec<Poller>) {
        let now = Instant::now();
        let count = pollers.len();
        for (n, mut poller) in pollers.into_iter().enumerate() {
            poller.publish();
            let origin = now + phase(n, count, poller.shortest_interval());
            let stop = Stop::within(&self.stop);
            self.stops.insert(Arc::clone(poller.name()), stop.clone());
            self.tasks.spawn(poller.run(origin, stop));
        }
    }

    /// Stops some pollers when their polls have ended, or after a while in any case.
    async fn stop(&mut self, names: impl Iterator<Item = &Arc<str>>) -> anyhow::Result<Vec<Poller>> {
        let mut stopping = BTreeMap::new();
        for name in names {
            if let Some(stop) = self.stops.remove(name) {
                stop.graceful();
                stopping.insert(Arc::clone(name), stop);
            }
        }
        let mut stopped = Vec::new();
        let mut patience = pin!(sleep(POLL_PATIENCE));
        while !stopping.is_empty() {
            let ended = tokio::select! {
                ended = self.tasks.join_next() => ended,
                () = &mut patience, if !patience.is_elapsed() => {
                    stopping.values().for_each(Stop::immediate);
                    continue;
                }
            };
            let Some(ended) = ended else { break };
            let poller = ended.context("a poller failed")?;
            if stopping.remove(poller.name()).is_none() {
                bail!("the poller of operation {} ended unexpectedly", poller.name());
            }
            stopped.push(poller);
        }
        Ok(stopped)
    }
}
