//! What a report is read from, and when that is no longer the same stream of events.

use serde::{Deserialize, Serialize};

use super::state::StateChange;
use super::{Ledger, StateError};
use crate::clock::Moment;
use crate::reports::Report;

/// What a report is read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportSource {
    /// The base address of the API.
    pub server: String,
    /// The name of the operation's time zone.
    pub zone: String,
    /// The id that is asked for; `None` for all ids.
    pub filter: Option<String>,
}

impl ReportSource {
    /// Whether the other source has different events. The zone does not matter: it only says how the events are dated.
    pub fn is_another_stream(&self, other: &ReportSource) -> bool {
        self.server != other.server || self.filter != other.filter
    }
}

impl Ledger {
    /// What a report was last read from.
    pub fn source(&self, report: &'static Report) -> Option<&ReportSource> {
        self.state.sources.get(&report)
    }

    /// Commits what a report is read from. If that is another stream of events, the totals stay and the report is born again
    /// with its next poll.
    pub fn commit_source(
        &mut self,
        report: &'static Report,
        source: &ReportSource,
        now: Moment,
    ) -> Result<(), StateError> {
        if self.source(report) == Some(source) {
            return Ok(());
        }
        let source = source.clone();
        self.write(now, |_, state| {
            let before = state.sources.get(&report);
            let is_another = before.is_some_and(|before| before.is_another_stream(&source));
            let change = StateChange {
                forget_progress: is_another.then_some(report),
                source: Some((report, source)),
                ..StateChange::default()
            };
            Ok((change, ()))
        })
    }
}
