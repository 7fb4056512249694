//! The operations that are polled, a task each, and how they change with the configuration.

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

/// A reload waits so long for the polls of what it changes: longer than any request takes, shorter than a long catch-up.
const PATIENCE: Duration = Duration::from_secs(120);

/// The operations that are polled.
#[derive(Debug)]
pub(super) struct Operations {
    /// What is in effect.
    config: Config,
    published: Arc<Published>,
    clock: Clock,
    retry: RetryPolicy,
    /// How to stop each poller.
    stops: BTreeMap<Arc<str>, Stop>,
    /// Stops them all at once.
    stop: CancellationToken,
    /// The pollers, given back when they have stopped.
    tasks: JoinSet<Poller>,
}

/// What a new configuration changes. Whatever can fail has been done by the time that there is one.
pub(super) struct Plan {
    config: Config,
    added: Vec<Poller>,
    changed: BTreeMap<Arc<str>, (Operation, Client)>,
    removed: BTreeSet<Arc<str>>,
    unchanged: usize,
}

impl Operations {
    /// No operation yet.
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

    /// Starts to poll what the configuration says.
    pub(super) fn start(&mut self, config: Config) -> anyhow::Result<()> {
        let pollers = config
            .operations
            .iter()
            .map(|operation| self.opening(&config, operation)())
            .collect::<anyhow::Result<Vec<_>>>()?;
        sharding::tell(&config);
        self.config = config;
        self.spawn(pollers);
        Ok(())
    }

    /// The configuration in effect.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// How many are polled.
    pub(super) fn count(&self) -> usize {
        self.config.operations.len()
    }

    /// Does what was planned. An error means that a poller failed, and that the exporter cannot go on.
    ///
    /// Whoever is removed or changed is stopped before anyone is started, since a token may have gone from one operation
    /// to another and must not be used by both at once.
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
        // State files are closed before anyone can ask for them again, and on a thread that may wait for the disk.
        let config = plan.config;
        let told = spawn_blocking(move || {
            drop(removed);
            sharding::tell(&config);
            config
        });
        self.config = told.await.context("the state files could not be closed")?;
        self.spawn(pollers);
        Ok(())
    }

    /// Waits for as long as every poller runs. They never end by themselves: an end is an error.
    pub(super) async fn run(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok(poller)) => anyhow!("the poller of operation {} ended by itself", poller.name()),
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

    /// What another configuration would change. On an error it cannot be used, and nothing was changed.
    pub(super) async fn plan(&self, config: Config) -> anyhow::Result<Plan> {
        if config.state_path != self.config.state_path {
            bail!("state_path cannot be changed while running: restart the exporter");
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
                    // State is opened, and may have to be mended, on a thread that may wait for the disk.
                    match spawn_blocking(self.opening(&config, operation)).await? {
                        Ok(poller) => plan.added.push(poller),
                        Err(error) => mistakes.push(format!("{error:#}")),
                    }
                }
                Some(before) if before == operation && !settings_changed => plan.unchanged += 1,
                Some(_) => match Client::new(operation, self.retry) {
                    Ok(client) => {
                        plan.changed.insert(Arc::clone(name), (operation.clone(), client));
                    }
                    Err(error) => mistakes.push(format!("operation {name}: {error}")),
                },
            }
        }
        if !mistakes.is_empty() {
            bail!(mistakes.join("\n"));
        }
        plan.config = config;
        Ok(plan)
    }

    /// Opens an operation's state and makes its poller.
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

    /// Stops some pollers: when their polls have ended, or at once when those take too long.
    async fn stop(&mut self, names: impl Iterator<Item = &Arc<str>>) -> anyhow::Result<Vec<Poller>> {
        let mut waited_for = BTreeMap::new();
        for name in names {
            if let Some(stop) = self.stops.remove(name) {
                stop.graceful();
                waited_for.insert(Arc::clone(name), stop);
            }
        }
        let mut stopped = Vec::new();
        let mut patience = pin!(sleep(PATIENCE));
        while !waited_for.is_empty() {
            let ended = tokio::select! {
                ended = self.tasks.join_next() => ended,
                () = &mut patience, if !patience.is_elapsed() => {
                    waited_for.values().for_each(Stop::immediate);
                    continue;
                }
            };
            let Some(ended) = ended else { break };
            let poller = ended.context("a poller failed")?;
            if waited_for.remove(poller.name()).is_none() {
                bail!("the poller of operation {} ended by itself", poller.name());
            }
            stopped.push(poller);
        }
        Ok(stopped)
    }
}
