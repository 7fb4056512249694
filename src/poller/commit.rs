//! Shares the ledger with the threads that commit.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio_util::task::TaskTracker;

use crate::clock::Moment;
use crate::language::{Message, Text};
use crate::ledger::{Ledger, StateError};

/// A ledger whose commits run on threads that may block on the disk.
#[derive(Clone, Debug)]
pub(super) struct SharedLedger {
    ledger: Arc<Mutex<Ledger>>,
    commits: TaskTracker,
}

impl SharedLedger {
    pub(super) fn new(ledger: Ledger) -> Self {
        let commits = TaskTracker::new();
        // `wait` returns only for a closed tracker; a closed one still accepts tasks.
        commits.close();
        Self {
            ledger: Arc::new(Mutex::new(ledger)),
            commits,
        }
    }

    /// The ledger. Nobody else holds the lock while the poller is not waiting for a commit.
    pub(super) fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock()
    }

    /// Commits. The commit runs to its end even if the caller stops waiting for it.
    pub(super) async fn commit<T: Send + 'static>(
        &self,
        now: Moment,
        commit: impl FnOnce(&mut Ledger, Moment) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, Message> {
        let ledger = Arc::clone(&self.ledger);
        let committed = self
            .commits
            .spawn_blocking(move || commit(&mut ledger.lock(), now).map_err(Message::from));
        match committed.await {
            Ok(result) => result,
            Err(panic) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
            Err(_) => Err(Text::new("the exporter is stopping", "el exportador se está deteniendo").into()),
        }
    }

    /// Waits for commits in progress.
    pub(super) async fn commits_ended(&self) {
        self.commits.wait().await;
    }
}
