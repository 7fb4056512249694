//! What a report is read from, and when that is no longer the same stream of events.

use serde::{Deserialize, Serialize};

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
