//! Which time is read of each report, so that it ends where live counting began.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Failure, Options};
use crate::config::Operation;
use crate::fetch::window;
use crate::ledger::{DayBirth, Ledger};
use crate::reports::Report;

/// The parameters of a backfill. Those of an interrupted one must be the same to resume it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Parameters {
    operation: String,
    server: String,
    timezone: String,
    currency: Option<String>,
    from: Date,
    to: Option<Date>,
    hourly: bool,
    has_state: bool,
    /// The configured reports by their names.
    reports: BTreeMap<String, ReportParameters>,
}

/// The parameters of one report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ReportParameters {
    filter: Option<String>,
    /// When live counting began.
    birth: Option<Timestamp>,
}

impl Parameters {
    pub(super) fn new(options: &Options, operation: &Operation, ledger: Option<&Ledger>) -> Self {
        let reports = dated_reports(operation).map(|report| {
            let birth = ledger.and_then(|ledger| birth(report, operation, ledger));
            let parameters = ReportParameters {
                filter: operation.reports[&report].choice.only.clone(),
                birth: birth.map(|birth| birth.at),
            };
            (report.name.to_owned(), parameters)
        });
        Self {
            operation: operation.name.to_string(),
            server: operation.base_url.clone(),
            timezone: operation.timezone_name.clone(),
            currency: operation.currency.clone(),
            from: options.from,
            to: options.to,
            hourly: options.hourly,
            has_state: ledger.is_some(),
            reports: reports.collect(),
        }
    }

    /// The first difference, in words. A report may be missing in one of them.
    pub(super) fn difference(&self, other: &Self) -> Option<&'static str> {
        let both = || {
            let reports = self.reports.iter();
            reports.filter_map(|(name, mine)| Some((mine, other.reports.get(name)?)))
        };
        let differ = [
            (self.operation != other.operation, "the operation"),
            (self.server != other.server, "the server"),
            (self.timezone != other.timezone, "the timezone"),
            (self.currency != other.currency, "the currency"),
            (both().any(|(mine, theirs)| mine.filter != theirs.filter), "a filter"),
            (self.from != other.from, "--from"),
            (self.to != other.to, "--to"),
            (self.hourly != other.hourly, "--hourly"),
            (self.has_state != other.has_state, "whether there is a state"),
            (
                both().any(|(mine, theirs)| mine.birth != theirs.birth),
                "the time at which live counting began",
            ),
        ];
        differ.into_iter().find(|(differ, _)| *differ).map(|(_, what)| what)
    }
}

/// The time to be read.
#[derive(Debug)]
pub(super) struct Plan {
    /// The beginning of the history of every report: a local midnight.
    pub(super) from: Timestamp,
    pub(super) ends: BTreeMap<&'static Report, End>,
}

/// Where the history of a report ends.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// The first second that is not part of it.
    pub(super) at: Timestamp,
    /// Whether live counting continues from there.
    pub(super) is_birth: bool,
    /// The totals of the day when live counting began.
    pub(super) totals: Option<DayBirth>,
    /// The number of rows at which the API cuts answers, as far as live counting has learned it.
    pub(super) record_limit: Option<u64>,
}

struct Birth {
    at: Timestamp,
    totals: Option<DayBirth>,
    record_limit: Option<u64>,
}

/// The configured reports that have a history.
fn dated_reports(operation: &Operation) -> impl Iterator<Item = &'static Report> {
    operation.reports.keys().copied().filter(|report| report.counts())
}

fn birth(report: &'static Report, operation: &Operation, ledger: &Ledger) -> Option<Birth> {
    let second = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
    if let Some(progress) = ledger.event_progress(report) {
        return Some(Birth {
            at: second(progress.born),
            totals: None,
            record_limit: progress.record_limit,
        });
    }
    let progress = ledger.day_progress(report)?;
    // Older versions did not store the totals at the birth, so it is unknown how much of that day is counted live.
    let midnight = || window::start_of_day(progress.born, &operation.timezone);
    let at = progress
        .birth
        .as_ref()
        .map(|birth| second(birth.at))
        .or_else(midnight)?;
    Some(Birth {
        at,
        totals: progress.birth.clone(),
        record_limit: None,
    })
}

impl Plan {
    /// Plans a backfill that was first started at `now`.
    pub(super) fn new(
        options: &Options,
        operation: &Operation,
        ledger: Option<&Ledger>,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let zone = &operation.timezone;
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let start = |date: Option<Date>| date.and_then(|date| window::start_of_day(date, zone));
        let unreal = || Failure::Usage("--from or --to is out of range".to_owned());
        let from = start(Some(options.from)).ok_or_else(unreal)?;
        let wanted = match options.to {
            Some(to) => Some(start(to.tomorrow().ok()).ok_or_else(unreal)?),
            None => None,
        };
        let local = |at: Timestamp| zone.to_datetime(at);
        let mut ends = BTreeMap::new();
        for report in dated_reports(operation) {
            let birth = ledger.and_then(|ledger| birth(report, operation, ledger));
            if let (Some(ledger), Some(_)) = (ledger, &birth) {
                check_source(report, operation, ledger)?;
                if ledger
                    .day_progress(report)
                    .is_some_and(|progress| progress.birth.is_none())
                {
                    tracing::warn!(
                        report = report.name,
                        "the state is from an older version, which did not store the totals of the day when live counting \
                         began: that day is left out"
                    );
                }
            }
            let latest = birth.as_ref().map_or(now, |birth| birth.at);
            if let (Some(wanted), Some(to)) = (wanted, options.to)
                && wanted > latest
            {
                return Err(Failure::Usage(match &birth {
                    Some(birth) => format!(
                        "{report}: live counting began at {}, before the end of {to}, and the history must not contain what \
                         is counted live; leave --to out to end the history where live counting began",
                        local(birth.at)
                    ),
                    None => format!("{to} is not over; leave --to out to end the history now"),
                }));
            }
            let at = wanted.unwrap_or(latest);
            if at <= from {
                if birth.is_some() {
                    tracing::warn!(
                        report = report.name,
                        "nothing to read: live counting began before --from"
                    );
                }
                continue;
            }
            match &birth {
                Some(birth) if at < birth.at => tracing::warn!(
                    report = report.name,
                    "live counting began at {}: the time between the end of the history and that is in neither",
                    local(birth.at)
                ),
                None if ledger.is_some() => tracing::warn!(
                    report = report.name,
                    "not counted live yet: the time between the end of the history and the first poll will be in neither"
                ),
                _ => {}
            }
            let is_birth = birth.as_ref().is_some_and(|birth| birth.at == at);
            ends.insert(
                report,
                End {
                    at,
                    is_birth,
                    record_limit: birth.as_ref().and_then(|birth| birth.record_limit),
                    totals: birth.and_then(|birth| birth.totals).filter(|_| is_birth),
                },
            );
        }
        if ends.is_empty() {
            return Err(Failure::Usage(format!(
                "there is nothing to read from {} on: check --from and --to, and which reports are configured",
                options.from
            )));
        }
        Ok(Self { from, ends })
    }
}

/// Refuses another server or filter: the next start of the exporter would make a new birth of it.
fn check_source(report: &'static Report, operation: &Operation, ledger: &Ledger) -> Result<(), Failure> {
    let filter = operation
        .reports
        .get(&report)
        .and_then(|config| config.choice.only.clone());
    match ledger.source(report) {
        Some(source) if source.server != operation.base_url || source.filter != filter => Err(Failure::Usage(format!(
            "{report}: the state has another server or filter than the configuration. Start the exporter once with this \
             configuration, stop it, and run this again with --to, the last day of which Prometheus has no samples yet"
        ))),
        _ => Ok(()),
    }
}
