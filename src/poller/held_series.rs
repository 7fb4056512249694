//! Releases counters from 0 when their hold ends.

use std::pin::pin;
use std::sync::Arc;

use tokio::time::sleep_until;

use super::commit::SharedLedger;
use crate::clock::{Clock, Moment};
use crate::config::Operation;
use crate::ledger::Ledger;
use crate::published::Published;
use crate::reports::{Kind, Report};

/// Publishes the counters of an operation, and releases those whose hold ends while the poller waits for its next tick
/// or an answer.
pub(super) struct HeldSeries {
    pub(super) ledger: SharedLedger,
    pub(super) published: Arc<Published>,
    pub(super) clock: Clock,
    pub(super) operation: Arc<Operation>,
}

impl HeldSeries {
    /// Publishes the committed counters of a report.
    pub(super) fn publish(&self, report: &'static Report) {
        let series = self.ledger.lock().series_to_publish(report.families);
        let totals = match report.kind {
            Kind::Events(rows) => rows.totals.map(|totals| totals(&series)),
            Kind::Current(_) | Kind::DayTotals(_) => None,
        };
        self.published
            .publish_counters(&self.operation.name, report, series, totals);
    }

    /// Waits for a future, and releases series in the meantime.
    pub(super) async fn release_while<F: Future>(self, awaited: F) -> F::Output {
        let mut awaited = pin!(awaited);
        loop {
            let next = self.ledger.lock().next_release();
            let Some(next) = next else { return awaited.await };
            tokio::select! {
                output = &mut awaited => return output,
                () = sleep_until(next) => {}
            }
            // Outside of the select, so that a release always completes.
            self.release().await;
        }
    }

    async fn release(&self) {
        let now = Moment::at(self.clock.now());
        if let Err(error) = self.ledger.commit(now, Ledger::commit_releases).await {
            tracing::warn!(
                operation = &*self.operation.name,
                "held series could not be released, trying again in 10 s: {error}"
            );
            return;
        }
        for report in self.operation.reports.keys().filter(|report| report.counts()) {
            self.publish(report);
        }
    }
}
