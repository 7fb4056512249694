//! What pollers publish and the web serves: the page of metrics, poll health, and the data of the status page.

pub mod abandonments;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use self::abandonments::{Abandonments, LastHour};
use crate::exposition::{Body, Exposition, Format, Part};
use crate::health::OperationHealth;
use crate::metrics::series::FamilySeries;
use crate::reports::abandoned_calls::SkillTotals;
use crate::reports::{REPORTS, Report, View, skill};

/// The part of an operation's page that describes its polls.
const HEALTH: &str = "health";
/// The part that says what an operation is.
const INFO: &str = "info";
/// The part with the names of ids, which several reports may give.
const NAMES: &str = "names";

/// The published data of all operations.
#[derive(Debug)]
pub struct Published {
    exposition: Exposition,
    process: Registry,
    operations: RwLock<BTreeMap<Arc<str>, PublishedOperation>>,
    reload_failed: AtomicBool,
    /// The configuration in effect, in words.
    configuration: RwLock<Arc<str>>,
}

/// What the status page shows of an operation.
#[derive(Debug, Default)]
struct PublishedOperation {
    health: Option<OperationHealth>,
    /// By report of the current state.
    views: BTreeMap<&'static Report, Arc<View>>,
    abandonments: Option<Abandonments>,
    skill_names: Arc<BTreeMap<String, String>>,
}

impl Published {
    /// Empty; the registry has the metrics of the process.
    pub fn new(process: Registry) -> Self {
        Self {
            exposition: Exposition::default(),
            process,
            operations: RwLock::default(),
            reload_failed: AtomicBool::new(false),
            configuration: RwLock::new("".into()),
        }
    }

    /// Publishes a report of the current state, and replaces what was published of it before.
    pub fn publish_current(
        &self,
        operation: &Arc<str>,
        report: &'static Report,
        series: Vec<FamilySeries>,
        view: View,
    ) {
        let mut operations = self.operations.write();
        let known = operations.entry(Arc::clone(operation)).or_default();
        known.views.insert(report, Arc::new(view));
        drop(operations);
        self.exposition.replace(part(operation, report.name), series);
    }

    /// Shows a report of the current state until then, unless it is published again.
    pub fn keep_until(&self, operation: &Arc<str>, report: &'static Report, expires_at: Instant) {
        self.exposition.keep_until(&part(operation, report.name), expires_at);
    }

    /// Publishes the counters of a report, with the totals of which the status page shows the last hour.
    pub fn publish_counters(
        &self,
        operation: &Arc<str>,
        report: &'static Report,
        series: Vec<FamilySeries>,
        totals: Option<SkillTotals>,
    ) {
        if let Some(totals) = totals {
            let mut operations = self.operations.write();
            let known = operations.entry(Arc::clone(operation)).or_default();
            match &mut known.abandonments {
                Some(abandonments) => abandonments.update(totals, Instant::now()),
                None => known.abandonments = Some(Abandonments::new(report, totals, Instant::now())),
            }
        }
        self.exposition.replace(part(operation, report.name), series);
    }

    /// Publishes the names of an operation's ids.
    pub fn publish_names(&self, operation: &Arc<str>, names: Vec<FamilySeries>) {
        let mut operations = self.operations.write();
        let known = operations.entry(Arc::clone(operation)).or_default();
        known.skill_names = Arc::new(skill::names(&names));
        drop(operations);
        self.exposition.replace(part(operation, NAMES), names);
    }

    /// Publishes what an operation is.
    pub fn publish_info(&self, operation: &Arc<str>, info: FamilySeries) {
        self.exposition.replace(part(operation, INFO), vec![info]);
    }

    /// Publishes an operation's poll health.
    pub fn publish_health(&self, operation: &Arc<str>, health: OperationHealth) {
        self.exposition.replace(part(operation, HEALTH), health.series());
        let mut operations = self.operations.write();
        operations.entry(Arc::clone(operation)).or_default().health = Some(health);
    }

    /// Publishes the configuration in effect. It must have no secrets.
    pub fn publish_configuration(&self, text: String) {
        *self.configuration.write() = text.into();
    }

    /// The configuration in effect.
    pub fn configuration(&self) -> Arc<str> {
        Arc::clone(&self.configuration.read())
    }

    /// Publishes whether the configuration could be read again when it was last tried.
    pub fn publish_reload(&self, is_ok: bool) {
        self.reload_failed.store(!is_ok, Ordering::Relaxed);
    }

    /// Whether the configuration in effect is an earlier one, because it could not be read again.
    pub fn reload_failed(&self) -> bool {
        self.reload_failed.load(Ordering::Relaxed)
    }

    /// Withdraws a report of an operation.
    pub fn remove_report(&self, operation: &Arc<str>, report: &'static Report) {
        if let Some(known) = self.operations.write().get_mut(operation) {
            known.views.remove(&report);
            known
                .abandonments
                .take_if(|abandonments| abandonments.report() == report);
        }
        self.exposition.remove(&part(operation, report.name));
    }

    /// Withdraws everything of an operation.
    pub fn remove(&self, operation: &Arc<str>) {
        self.operations.write().remove(operation);
        for report in REPORTS {
            self.exposition.remove(&part(operation, report.name));
        }
        for name in [INFO, NAMES, HEALTH] {
            self.exposition.remove(&part(operation, name));
        }
    }

    /// The poll health of all operations.
    pub fn health(&self) -> BTreeMap<Arc<str>, OperationHealth> {
        let operations = self.operations.read();
        let health = operations
            .iter()
            .filter_map(|(name, known)| Some((Arc::clone(name), known.health.clone()?)));
        health.collect()
    }

    /// The names of the operations that are configured, sorted.
    pub fn names(&self) -> Vec<Arc<str>> {
        let operations = self.operations.read();
        let configured = operations.iter().filter(|(_, known)| known.health.is_some());
        configured.map(|(name, _)| Arc::clone(name)).collect()
    }

    /// What was read of a report of the current state; `None` if it was never read or has expired.
    pub fn view(&self, operation: &str, report: &'static Report) -> Option<Arc<View>> {
        let operations = self.operations.read();
        operations.get(operation)?.views.get(&report).cloned()
    }

    /// The names of an operation's skills by id.
    pub fn skill_names(&self, operation: &str) -> Arc<BTreeMap<String, String>> {
        let operations = self.operations.read();
        let known = operations.get(operation);
        known.map(|known| Arc::clone(&known.skill_names)).unwrap_or_default()
    }

    /// The calls that each skill of an operation lost in the hour before `now`; `None` before the first totals.
    pub fn abandonments(&self, operation: &str, now: Instant) -> Option<LastHour> {
        let operations = self.operations.read();
        let abandonments = operations.get(operation)?.abandonments.as_ref()?;
        Some(abandonments.last_hour(now))
    }

    /// The operations whose state was not restored and whose first round of polls has not ended.
    pub fn not_ready(&self) -> Vec<Arc<str>> {
        let operations = self.operations.read();
        operations
            .iter()
            .filter(|(_, known)| known.health.as_ref().is_some_and(|health| !health.is_ready()))
            .map(|(name, _)| Arc::clone(name))
            .collect()
    }

    /// Withdraws the reports that have expired at `now`.
    pub fn expire(&self, now: Instant) {
        let expired = self.exposition.remove_expired(now);
        if expired.is_empty() {
            return;
        }
        for part in expired {
            if let Some(known) = self.operations.write().get_mut(&part.operation) {
                known.views.retain(|report, _| report.name != part.name);
            }
            tracing::warn!(
                operation = &*part.operation,
                report = part.name,
                "withdrawn: older than max_age"
            );
        }
    }

    /// Whether the page has not changed since it was last sent in this format, so that sending it costs nothing.
    pub fn is_joined(&self, format: Format, gzip: bool) -> bool {
        self.exposition.is_joined(format, gzip)
    }

    /// The page of metrics.
    pub fn page(&self, format: Format, gzip: bool) -> Result<Body, fmt::Error> {
        self.exposition.page(format, gzip, &self.process)
    }

    /// The metrics of some operations, without those of the process.
    pub fn selection(&self, format: Format, gzip: bool, operations: &BTreeSet<String>) -> Result<Body, fmt::Error> {
        self.exposition.selection(format, gzip, operations)
    }
}

fn part(operation: &Arc<str>, name: &'static str) -> Part {
    Part {
        operation: Arc::clone(operation),
        name,
    }
}
