//! How a change is committed, and how the ledger recovers from a storage error.

use std::time::Duration;

use redb::WriteTransaction;
use tokio::time::Instant;

use super::Ledger;
use super::panics::caught;
use super::state::{State, StateChange};
use super::storage::{StateError, begin_write};
use crate::clock::Moment;
use crate::language::Text;

/// After a storage error the state is opened again after this time, and then after twice as long each time.
const FIRST_REOPEN: Duration = Duration::from_secs(1);
/// The longest time between two attempts.
const LONGEST_REOPEN: Duration = Duration::from_secs(60);

/// When the database may be opened again after a storage error.
#[derive(Debug)]
pub(super) struct Reopen {
    /// The last error, which is told again until then.
    last_error: Option<(StateError, Instant)>,
    wait: Duration,
}

impl Default for Reopen {
    fn default() -> Self {
        Self {
            last_error: None,
            wait: FIRST_REOPEN,
        }
    }
}

impl Reopen {
    /// Whether the last commit failed.
    pub(super) fn has_failed(&self) -> bool {
        self.last_error.is_some()
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
            return Err(self.storage.error(Text::new("it is closed", "está cerrado")));
        };
        let result = caught(|| {
            let transaction = begin_write(database)?;
            let (change, result) = change(&transaction, &self.state)?;
            change.write(&transaction)?;
            transaction.commit()?;
            Ok((change, result))
        });
        match result {
            Ok((change, result)) => {
                for key in &change.created {
                    self.holds.start(key.clone(), now.monotonic);
                }
                self.changed.extend(change.families());
                self.state.apply(change);
                self.statistics.commits += 1;
                self.statistics.last_commit = Some(now.wall);
                self.reopen = Reopen::default();
                Ok(result)
            }
            Err(failure) => {
                self.database = None;
                let error = self.storage.saving_error(failure);
                Err(self.failed(error, now))
            }
        }
    }

    /// Counts a failure, and postpones the next attempt to open the database.
    fn failed(&mut self, error: StateError, now: Moment) -> StateError {
        self.statistics.failures += 1;
        self.reopen.last_error = Some((error.clone(), now.monotonic + self.reopen.wait));
        self.reopen.wait = (self.reopen.wait * 2).min(LONGEST_REOPEN);
        error
    }

    /// Opens the database again after an error, but not too often.
    fn open_again(&mut self, now: Moment) -> Result<(), StateError> {
        if self.database.is_some() {
            return Ok(());
        }
        if let Some((error, not_before)) = &self.reopen.last_error
            && now.monotonic < *not_before
        {
            self.statistics.failures += 1;
            return Err(error.clone());
        }
        let opened = self.storage.open_existing().and_then(|database| {
            let state = self.storage.read(|| State::read(&database))?;
            if state.hash_key != self.state.hash_key {
                return Err(self.storage.error(Text::new(
                    "another state is in its place; restart the exporter to use that one",
                    "en su lugar hay otro estado; reinicie el exportador para usar ese",
                )));
            }
            Ok((database, state))
        });
        match opened {
            Ok((database, state)) => {
                // The change that failed may be on disk all the same.
                self.changed.extend(self.state.families().chain(state.families()));
                self.database = Some(database);
                self.state = state;
                self.hold_unreleased(now);
                Ok(())
            }
            Err(error) => Err(self.failed(error, now)),
        }
    }
}
