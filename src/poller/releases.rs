//! Commits apart from the asynchronous threads, and counters that stop showing 0 when their time has come.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::{Instant, sleep_until};

use crate::board::Board;
use crate::clock::{Clock, Moment};
use crate::config::Operation;
use crate::ledger::{Ledger, StateError};

/// Commits on a thread that may wait for the disk.
pub(super) async fn commit_apart<T: Send + 'static>(
    ledger: &Arc<Mutex<Ledger>>,
    now: Moment,
    commit: impl FnOnce(&mut Ledger, Moment) -> Result<T, StateError> + Send + 'static,
) -> Result<T, String> {
    let ledger = Arc::clone(ledger);
    let committed = tokio::task::spawn_blocking(move || {
        let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        commit(&mut ledger, now).map_err(|error| error.to_string())
    });
    match committed.await {
        Ok(result) => result,
        Err(panic) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
        Err(_) => Err("the exporter is stopping".to_owned()),
    }
}

/// Shows the counters whose hold ends while the poller waits for something else, be it its next tick or an answer.
pub(super) struct Releases {
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) board: Arc<Board>,
    pub(super) clock: Clock,
    pub(super) operation: Arc<Operation>,
}

impl Releases {
    pub(super) async fn while_waiting_for<F: Future>(self, awaited: F) -> F::Output {
        let mut awaited = pin!(awaited);
        loop {
            let Some(next) = self.next() else { return awaited.await };
            tokio::select! {
                output = &mut awaited => return output,
                () = sleep_until(next) => {}
            }
            // Not given up half way: what was awaited comes after it.
            self.release().await;
        }
    }

    fn next(&self) -> Option<Instant> {
        self.ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next_release()
    }

    async fn release(&self) {
        let now = Moment::at(self.clock.now());
        if let Err(error) = commit_apart(&self.ledger, now, Ledger::commit_releases).await {
            tracing::warn!(
                operation = &*self.operation.name,
                "new series stay at 0 for now: {error}"
            );
            return;
        }
        for report in self.operation.reports.keys().filter(|report| report.counts()) {
            let shown = self
                .ledger
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .visible_series(&report.families());
            self.board.show(&self.operation.name, *report, shown, None);
        }
    }
}
