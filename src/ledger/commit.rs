//! How a change is committed, and how the ledger recovers from a storage error.

use std::time::Duration;

use redb::WriteTransaction;
use tokio::time::Instant;

use super::Ledger;
use super::state::{State, StateChange};
use super::storage::StateError;
use crate::clock::Moment;

/// After a storage error the state is opened again after this time, and then after twice as long each time.
const FIRST_REOPEN: Duration = Duration::from_secs(1);
/// The longest time between two attempts.
const LONGEST_REOPEN: Duration = Duration::from_secs(60);

/// When the database may be opened again after a storage error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reopen {
    not_before: Option<Instant>,
    wait: Duration,
}

impl Default for Reopen {
    fn default() -> Self {
        Self {
            not_before: None,
            wait: FIRST_REOPEN,
        }
    }
}

impl Ledger {
    /// Commits what `change` makes of the state. This is the only way to change it: first on disk, in one transaction, then
    /// in memory. After an error the database is closed; when it is opened again, the disk says whether the change was saved.
    pub(super) fn write<T>(
        &mut self,
        now: Moment,
        change: impl FnOnce(&WriteTransaction, &State) -> Result<(StateChange, T), redb::Error>,
    ) -> Result<T, StateError> {
        self.open_again(now)?;
        let Some(database) = &self.database else {
            return Err(self.storage.error("it is closed"));
        };
        let result: Result<_, redb::Error> = (|| {
            let transaction = database.begin_write()?;
            let (change, result) = change(&transaction, &self.state)?;
            change.write(&transaction)?;
            transaction.commit()?;
            Ok((change, result))
        })();
        match result {
            Ok((change, result)) => {
                for key in &change.created {
                    self.holds.start(key.clone(), now.monotonic);
                }
                self.state.apply(change);
                self.statistics.commits += 1;
                self.statistics.last_commit = Some(now.wall);
                self.reopen = Reopen::default();
                Ok(result)
            }
            Err(error) => {
                self.statistics.failures += 1;
                self.database = None;
                self.postpone_reopening(now);
                Err(self
                    .storage
                    .error(format!("it could not be saved: {error}; check the disk")))
            }
        }
    }

    fn postpone_reopening(&mut self, now: Moment) {
        self.reopen.not_before = Some(now.monotonic + self.reopen.wait);
        self.reopen.wait = (self.reopen.wait * 2).min(LONGEST_REOPEN);
    }

    /// Opens the database again after an error, but not too often.
    fn open_again(&mut self, now: Moment) -> Result<(), StateError> {
        if self.database.is_some() {
            return Ok(());
        }
        if self.reopen.not_before.is_some_and(|at| now.monotonic < at) {
            self.statistics.failures += 1;
            return Err(self
                .storage
                .error("it could not be saved, and the next attempt is due shortly; check the disk"));
        }
        let opened = self.storage.open_existing().and_then(|database| {
            let state = State::read(&database).map_err(|error| self.storage.error(error))?;
            if state.hash_key != self.state.hash_key {
                return Err(self
                    .storage
                    .error("another state is in its place; restart the exporter to use that one"));
            }
            Ok((database, state))
        });
        match opened {
            Ok((database, state)) => {
                self.database = Some(database);
                self.state = state;
                self.hold_unreleased(now);
                Ok(())
            }
            Err(error) => {
                self.statistics.failures += 1;
                self.postpone_reopening(now);
                Err(error)
            }
        }
    }
}
