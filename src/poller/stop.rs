//! Stops a poller: after its current poll, or immediately.

use tokio_util::sync::CancellationToken;

/// Stops one poller. Dropping it does nothing.
#[derive(Clone, Debug)]
pub struct Stop {
    /// No further poll begins.
    pub(super) graceful: CancellationToken,
    /// A poll in progress is abandoned.
    pub(super) immediate: CancellationToken,
}

impl Stop {
    /// For a poller that also stops immediately when `everything` is cancelled.
    pub fn within(everything: &CancellationToken) -> Self {
        Self {
            graceful: everything.child_token(),
            immediate: everything.child_token(),
        }
    }

    /// Lets a poll in progress finish. The API would continue to work on an abandoned request, and meanwhile refuse the
    /// next one with the same token.
    pub fn graceful(&self) {
        self.graceful.cancel();
    }

    /// Abandons a poll in progress.
    pub fn immediate(&self) {
        self.graceful.cancel();
        self.immediate.cancel();
    }
}
