//! How a poller is stopped: when its poll has ended, or immediately.

use tokio_util::sync::CancellationToken;

/// Stops one poller. Dropping it does nothing.
#[derive(Clone, Debug)]
pub struct Stop {
    /// No further poll begins.
    pub(super) graceful: CancellationToken,
    /// A poll that is under way is abandoned.
    pub(super) immediate: CancellationToken,
}

impl Stop {
    /// For a poller that also stops immediately when `everything` is stopped.
    pub fn within(everything: &CancellationToken) -> Self {
        Self {
            graceful: everything.child_token(),
            immediate: everything.child_token(),
        }
    }

    /// Lets a poll that is under way end: the API goes on with an abandoned request, and refuses the next one with
    /// the same token meanwhile.
    pub fn graceful(&self) {
        self.graceful.cancel();
    }

    /// Abandons the poll that is under way.
    pub fn immediate(&self) {
        self.graceful.cancel();
        self.immediate.cancel();
    }
}
