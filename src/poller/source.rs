//! Detects that a report now comes from another server, filter or time zone.

use super::{Poll, Poller};
use crate::client::ApiError;
use crate::config::ReportConfig;
use crate::ledger::ReportSource;

impl Poller {
    fn source(&self, config: &ReportConfig) -> ReportSource {
        ReportSource {
            server: self.operation.base_url.clone(),
            zone: self.operation.timezone_name.clone(),
            filter: config.choice.only.clone(),
        }
    }

    /// Another server or filter means other events, so the report is born again. Another time zone only changes the
    /// dates of the events; returns whether it changed.
    pub(super) async fn check_source(&mut self, poll: &Poll) -> Result<bool, ApiError> {
        let source = self.source(&poll.config);
        let Some(before) = self.ledger.lock().source(poll.report).cloned() else {
            return Ok(false);
        };
        if before.is_another_stream(&source) {
            tracing::warn!(
                operation = &*self.operation.name,
                report = poll.report.name,
                "server or filter changed: totals are kept, rows dated before now are not counted"
            );
            self.commit_source(poll).await?;
            return Ok(false);
        }
        Ok(before.zone != source.zone)
    }

    /// Saves the source of the report if it has changed.
    pub(super) async fn commit_source(&mut self, poll: &Poll) -> Result<(), ApiError> {
        let (report, source) = (poll.report, self.source(&poll.config));
        if self.ledger.lock().source(report) == Some(&source) {
            return Ok(());
        }
        let today = self.local_date(poll.now);
        self.commit(poll.now, move |ledger, now| {
            ledger.commit_source(report, &source, today, now)
        })
        .await
    }
}
