//! How a poller is told to stop: soon, when its poll has ended, or at once.

use tokio_util::sync::CancellationToken;

/// Tells one poller to stop. Dropping it tells nothing.
#[derive(Clone, Debug)]
pub struct Stop {
    /// No poll begins any more.
    pub(super) soon: CancellationToken,
    /// A poll that is under way is given up.
    pub(super) at_once: CancellationToken,
}

impl Stop {
    /// Of a poller that also stops at once when `everything` is stopped.
    pub fn within(everything: &CancellationToken) -> Self {
        Self {
            soon: everything.child_token(),
            at_once: everything.child_token(),
        }
    }

    /// Lets a poll that is under way end: the API goes on with a request that is given up, and refuses the next one with
    /// the same token meanwhile.
    pub fn soon(&self) {
        self.soon.cancel();
    }

    /// Gives up the poll that is under way.
    pub fn at_once(&self) {
        self.soon.cancel();
        self.at_once.cancel();
    }
}
