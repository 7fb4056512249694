//! The result of a complete answer in the form in which it is stored: counts by second and hashes of what was counted, no
//! personal data.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::fetch::pieces::PieceLength;
use crate::ledger::DayBirth;
use crate::metrics::series::{Amount, Label, SeriesKey};
use crate::reports::events::{FactKey, Name};
use crate::reports::{Kind, REPORTS, Report};

const SECOND_DIGITS: usize = 2 * size_of::<i64>();
const KEY_DIGITS: usize = SECOND_DIGITS + 2 * size_of::<u128>();

/// The result of a complete answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Record {
    Piece(PieceRecord),
    /// A piece had too many rows for one answer. Keeps the next length, so that a resumed run does not try the piece again.
    TooMuch {
        report: String,
        next: PieceLength,
    },
    Day(DayRecord),
}

/// A series by the names of its family and the values of its labels.
type SeriesName = (String, Vec<String>);

/// The result of a piece of events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PieceRecord {
    report: String,
    /// Whether it is after the birth, where live counting has the events.
    pub(super) of_live: bool,
    /// The first second that is not part of it.
    pub(super) until: Timestamp,
    pub(super) rows: u64,
    /// How long the next piece may be.
    pub(super) next: PieceLength,
    series: Vec<SeriesName>,
    born: Vec<SeriesName>,
    /// Family, id and name.
    pub(super) names: Vec<(String, String, Name)>,
    /// What was counted: the second, an index into `series`, and the value for a histogram, in millionths.
    pub(super) counts: Vec<(i64, u32, u64)>,
    /// The keys of the facts in hexadecimal digits, without separators.
    keys: String,
}

/// The totals of a day so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DayRecord {
    pub(super) date: Date,
    /// The first second that is not part of it.
    pub(super) until: Timestamp,
    /// The report. Older versions left it out: they knew only one with totals of a day.
    report: Option<String>,
    totals: Vec<(SeriesName, Amount)>,
}

impl PieceRecord {
    pub(super) fn new(report: &'static Report, of_live: bool, until: Timestamp, rows: u64, next: PieceLength) -> Self {
        Self {
            report: report.name.to_owned(),
            of_live,
            until,
            rows,
            next,
            series: Vec::new(),
            born: Vec::new(),
            names: Vec::new(),
            counts: Vec::new(),
            keys: String::new(),
        }
    }

    /// The report, if this version knows it.
    pub(super) fn report(&self) -> Option<&'static Report> {
        Report::named(&self.report)
    }

    pub(super) fn push_key(&mut self, FactKey { second, hash }: FactKey) {
        self.keys.push_str(&format!("{second:016x}{:032x}", hash.value()));
    }

    /// Adds a series, and returns its index.
    pub(super) fn push_series(&mut self, key: &SeriesKey) -> u32 {
        self.series.push(name_of(key));
        u32::try_from(self.series.len() - 1).unwrap_or(u32::MAX)
    }

    /// The ids for which something was counted.
    pub(super) fn ids(&self) -> HashSet<&str> {
        let ids = self.series.iter().filter_map(|(_, labels)| labels.first());
        ids.map(String::as_str).collect()
    }

    pub(super) fn set_born<'k>(&mut self, born: impl Iterator<Item = &'k SeriesKey>) {
        self.born = born.map(name_of).collect();
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = FactKey> {
        let starts = (0..self.keys.len()).step_by(KEY_DIGITS);
        starts.filter_map(|start| {
            let (second, hash) = self.keys.get(start..start + KEY_DIGITS)?.split_at(SECOND_DIGITS);
            Some(FactKey {
                second: u64::from_str_radix(second, 16).ok()?.cast_signed(),
                hash: u128::from_str_radix(hash, 16).ok()?.into(),
            })
        })
    }

    pub(super) fn series(&self, report: &'static Report) -> impl Iterator<Item = SeriesKey> {
        self.series.iter().filter_map(move |name| key_of(report, name))
    }

    pub(super) fn born(&self, report: &'static Report) -> impl Iterator<Item = SeriesKey> {
        self.born.iter().filter_map(move |name| key_of(report, name))
    }
}

impl DayRecord {
    /// The totals of a day up to `until`. On the day of the birth, no more than the totals with which live counting began.
    pub(super) fn new(
        report: &'static Report,
        date: Date,
        until: Timestamp,
        totals: Vec<(SeriesKey, Amount)>,
        birth: Option<&DayBirth>,
    ) -> Self {
        let at_most = |key: &SeriesKey, total: Amount| match birth.map(|birth| birth.total(key)) {
            Some(at_birth) => total.above(total.above(at_birth.unwrap_or(total.zero()))),
            None => total,
        };
        let totals = totals.iter().map(|(key, total)| (name_of(key), at_most(key, *total)));
        Self {
            date,
            until,
            report: Some(report.name.to_owned()),
            totals: totals.collect(),
        }
    }

    /// The report, if this version knows it.
    pub(super) fn report(&self) -> Option<&'static Report> {
        let has_totals = |report: &&Report| matches!(report.kind, Kind::DayTotals(_));
        match &self.report {
            Some(name) => Report::named(name),
            None => REPORTS.into_iter().find(has_totals),
        }
    }

    pub(super) fn totals(&self, report: &'static Report) -> impl Iterator<Item = (SeriesKey, Amount)> {
        let totals = self.totals.iter();
        totals.filter_map(move |(name, total)| Some((key_of(report, name)?, *total)))
    }
}

fn name_of(key: &SeriesKey) -> SeriesName {
    let labels = key.labels.iter().map(|label| label.clone().into_owned());
    (key.family.name.to_owned(), labels.collect())
}

fn key_of(report: &'static Report, (family, labels): &SeriesName) -> Option<SeriesKey> {
    let family = report.families.iter().find(|known| known.name == family)?;
    let labels = labels.iter().cloned().map(Label::Owned).collect();
    Some(SeriesKey { family, labels })
}
