//! Where pollers show what they know, and the web reads it.

pub mod abandonments;
pub mod campaigns;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use prometheus_client::registry::Registry;
use tokio::time::Instant;

use self::abandonments::{Abandonments, LastHour};
use self::campaigns::{Campaign, Campaigns};
use crate::exposition::{Body, Exposition, Format, Part};
use crate::health::OperationHealth;
use crate::metrics::series::FamilySeries;
use crate::reports::ReportKind;

/// The part of an operation's page that tells about its polls.
const HEALTH: &str = "health";

/// What is known of all operations.
#[derive(Debug)]
pub struct Board {
    exposition: Exposition,
    process: Registry,
    health: RwLock<BTreeMap<Arc<str>, OperationHealth>>,
    campaigns: RwLock<Campaigns>,
    abandonments: RwLock<Abandonments>,
}

impl Board {
    /// An empty board; the registry has the metrics of the process.
    pub fn new(process: Registry) -> Self {
        Self {
            exposition: Exposition::default(),
            process,
            health: RwLock::default(),
            campaigns: RwLock::default(),
            abandonments: RwLock::default(),
        }
    }

    /// Shows the series of a report in place of those shown before, until they are too old.
    pub fn show(
        &self,
        operation: &Arc<str>,
        report: ReportKind,
        series: Vec<FamilySeries>,
        withdrawn_at: Option<Instant>,
    ) {
        match report {
            ReportKind::Campaigns => {
                let mut campaigns = self.campaigns.write().unwrap_or_else(PoisonError::into_inner);
                campaigns.show(operation, &series, withdrawn_at);
            }
            ReportKind::AbandonedCalls => {
                let mut abandonments = self.abandonments.write().unwrap_or_else(PoisonError::into_inner);
                abandonments.show(operation, &series, Instant::now());
            }
            ReportKind::CallDurations | ReportKind::PreviewCalls | ReportKind::Ivr => {}
        }
        let part = Part {
            operation: Arc::clone(operation),
            name: report.name(),
        };
        self.exposition.replace(part, series, withdrawn_at);
    }

    /// Shows how an operation's polls went.
    pub fn show_health(&self, operation: &Arc<str>, health: OperationHealth) {
        let part = Part {
            operation: Arc::clone(operation),
            name: HEALTH,
        };
        self.exposition.replace(part, health.series(), None);
        self.health
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(Arc::clone(operation), health);
    }

    /// Takes a report of an operation off.
    pub fn remove_report(&self, operation: &Arc<str>, report: ReportKind) {
        match report {
            ReportKind::Campaigns => {
                let mut campaigns = self.campaigns.write().unwrap_or_else(PoisonError::into_inner);
                campaigns.remove(operation);
            }
            ReportKind::AbandonedCalls => {
                let mut abandonments = self.abandonments.write().unwrap_or_else(PoisonError::into_inner);
                abandonments.remove(operation);
            }
            ReportKind::CallDurations | ReportKind::PreviewCalls | ReportKind::Ivr => {}
        }
        self.exposition.remove(&Part {
            operation: Arc::clone(operation),
            name: report.name(),
        });
    }

    /// Takes everything of an operation off.
    pub fn remove(&self, operation: &Arc<str>) {
        for report in ReportKind::ALL {
            self.remove_report(operation, report);
        }
        self.exposition.remove(&Part {
            operation: Arc::clone(operation),
            name: HEALTH,
        });
        self.health
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(operation);
    }

    /// How the polls of all operations went.
    pub fn health(&self) -> BTreeMap<Arc<str>, OperationHealth> {
        self.health.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The campaigns of an operation; `None` when they were never read, or are too old at `now`.
    pub fn campaigns(&self, operation: &str, now: Instant) -> Option<Arc<[Campaign]>> {
        let campaigns = self.campaigns.read().unwrap_or_else(PoisonError::into_inner);
        campaigns.of(operation, now)
    }

    /// What the skills of an operation lost in the hour before `now`; `None` before its totals were seen.
    pub fn abandonments(&self, operation: &str, now: Instant) -> Option<LastHour> {
        let abandonments = self.abandonments.read().unwrap_or_else(PoisonError::into_inner);
        abandonments.last_hour(operation, now)
    }

    /// The operations of which neither state was restored nor the first round has ended yet.
    pub fn not_ready(&self) -> Vec<Arc<str>> {
        let health = self.health.read().unwrap_or_else(PoisonError::into_inner);
        health
            .iter()
            .filter(|(_, health)| !health.is_ready())
            .map(|(name, _)| Arc::clone(name))
            .collect()
    }

    /// Whether the page is as it was, so that it costs nothing to send. What is too old at `now` is taken off first.
    pub fn is_unchanged(&self, now: Instant, format: Format, gzip: bool) -> bool {
        for part in self.exposition.remove_expired(now) {
            tracing::warn!(
                operation = &*part.operation,
                report = part.name,
                "withdrawn: older than max_age"
            );
        }
        self.exposition.is_joined(format, gzip)
    }

    /// The page of metrics.
    pub fn page(&self, format: Format, gzip: bool) -> Result<Body, fmt::Error> {
        self.exposition.page(format, gzip, &self.process)
    }
}
