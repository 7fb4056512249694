//! The reports that the exporter reads. Each report is defined in one file and has one line in [`REPORTS`]; the rest of
//! the exporter knows only this list and the three kinds.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::Duration;

pub mod abandoned_calls;
pub mod agents;
pub mod answered_calls;
pub mod assumptions;
pub mod call_durations;
pub mod call_results;
pub mod campaigns;
pub mod current;
pub mod day_totals;
pub mod events;
pub mod ivr;
pub mod latency;
pub mod preview_calls;
pub mod quota;
pub(crate) mod skill;
pub mod skills;
mod tally;
pub(crate) mod values;
mod view;

pub use self::abandoned_calls::ABANDONED_CALLS;
pub use self::agents::AGENTS;
pub use self::answered_calls::ANSWERED_CALLS;
pub use self::assumptions::Assumption;
pub use self::call_durations::CALL_DURATIONS;
pub use self::call_results::CALL_RESULTS;
pub use self::campaigns::CAMPAIGNS;
use self::current::CurrentState;
use self::day_totals::DayTotals;
use self::events::EventRows;
pub use self::ivr::IVR;
pub use self::latency::LATENCY;
pub use self::preview_calls::PREVIEW_CALLS;
pub use self::quota::QUOTA;
pub use self::skills::SKILLS;
pub use self::tally::{Outcome, Tally};
pub use self::view::View;
use crate::metrics::Family;
use crate::wire::{Endpoint, Query};

/// All reports, in the order of their numbers.
pub static REPORTS: [&Report; 11] = [
    &CAMPAIGNS,
    &CALL_DURATIONS,
    &ABANDONED_CALLS,
    &PREVIEW_CALLS,
    &IVR,
    &SKILLS,
    &AGENTS,
    &LATENCY,
    &QUOTA,
    &ANSWERED_CALLS,
    &CALL_RESULTS,
];

const REAL_TIME: &str = "real_time.php";
const INFORMATION: &str = "information.php";
const REPORTS_MANAGER: &str = "reports_manager.php";
const MINUTE: Duration = Duration::from_secs(60);

/// A report of the Wolkvox API.
pub struct Report {
    /// Its name in the configuration, in the label `report` and in state files.
    pub name: &'static str,
    /// The number that identifies its facts in state files. Never change or reuse one: the facts of two reports would
    /// be mixed up, and everything read again would be counted twice. Reports are ordered by it.
    pub state_id: u8,
    /// Where the API serves it.
    pub endpoint: Endpoint,
    /// The parameter that narrows it to one skill or campaign, if there is one.
    pub filter: Option<Filter>,
    /// The number of seconds that it can be asked about, if there is one.
    pub seconds: Option<Seconds>,
    /// The default time between polls.
    pub interval: Duration,
    /// The default time between polls outside of working hours, if it differs then.
    pub quiet_interval: Option<Duration>,
    /// The default timeout of one request.
    pub timeout: Duration,
    /// The families whose series it produces.
    pub families: &'static [&'static Family],
    /// The names of ids that it gives. Several reports may give the same.
    pub names: &'static [&'static Family],
    /// The fields that can be counted as unreadable.
    pub fields: &'static [&'static str],
    /// Its kind, with the function that reads its rows.
    pub kind: Kind,
}

/// The three kinds of reports.
pub enum Kind {
    /// The current state: gauges that each good poll replaces as a whole, and that are withdrawn when too old.
    Current(CurrentState),
    /// Totals of a local day. The ledger turns them into counters.
    DayTotals(DayTotals),
    /// Single events, each counted once.
    Events(EventRows),
}

/// Narrows a report to one id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The key in the configuration, which is also the parameter of the query.
    pub key: &'static str,
    /// The value that means "no filter" to the API.
    pub all: &'static str,
}

/// What an operation wants of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The one skill or campaign to ask for; `None` for all.
    pub only: Option<String>,
    /// The number of seconds to ask about; `None` where the report is not about any.
    pub seconds: Option<u32>,
}

/// A number of seconds that a report is asked about, beside those that it is always about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds {
    /// The key in the configuration.
    pub key: &'static str,
    /// The default.
    pub default: u32,
    /// The parameter of the query.
    pub parameter: &'static str,
    /// The numbers that need no parameter.
    pub always: &'static [u32],
}

/// In which order reports are read that are due at the same time: what changes fastest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// What happens now.
    Now,
    /// Single events.
    Events,
    /// Totals of a day.
    Totals,
    /// What hardly changes.
    Last,
}

impl Report {
    /// In which order it is read.
    pub fn urgency(&self) -> Urgency {
        match self.kind {
            Kind::Current(state) if state.is_urgent => Urgency::Now,
            Kind::Current(_) => Urgency::Last,
            Kind::Events(_) => Urgency::Events,
            Kind::DayTotals(_) => Urgency::Totals,
        }
    }

    /// Finds a report by name.
    pub fn named(name: &str) -> Option<&'static Report> {
        REPORTS.into_iter().find(|report| report.name == name)
    }

    /// Whether its series are counters kept in the ledger.
    pub fn counts(&self) -> bool {
        !matches!(self.kind, Kind::Current(_))
    }

    /// Builds a query. `dates` is the range for reports that have one: 14 digits each, both ends inclusive.
    pub fn query(&self, choice: &Choice, dates: Option<(String, String)>) -> Query {
        let only = choice.only.as_deref();
        let filter = self
            .filter
            .map(|filter| (filter.key, only.unwrap_or(filter.all).to_owned()));
        let seconds = self.seconds.zip(choice.seconds);
        let seconds = seconds
            .filter(|(about, seconds)| !about.always.contains(seconds))
            .map(|(about, seconds)| (about.parameter, seconds.to_string()));
        let dates = dates
            .into_iter()
            .flat_map(|(from, to)| [("date_ini", from), ("date_end", to)]);
        Query {
            endpoint: self.endpoint,
            parameters: filter.into_iter().chain(seconds).chain(dates).collect(),
        }
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Report {
    fn eq(&self, other: &Self) -> bool {
        self.state_id == other.state_id
    }
}

impl Eq for Report {}

impl PartialOrd for Report {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Report {
    fn cmp(&self, other: &Self) -> Ordering {
        self.state_id.cmp(&other.state_id)
    }
}

impl Hash for Report {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.state_id.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_reports_on_disk_never_change() {
        assert_eq!(
            REPORTS.map(|report| (report.name, report.state_id)),
            [
                ("campaigns", 0),
                ("call_durations", 1),
                ("abandoned_calls", 2),
                ("preview_calls", 3),
                ("ivr", 4),
                ("skills", 5),
                ("agents", 6),
                ("latency", 7),
                ("quota", 8),
                ("answered_calls", 9),
                ("call_results", 10),
            ]
        );
    }
}
