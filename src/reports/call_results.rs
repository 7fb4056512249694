//! `reports_manager.php?api=cdr_6`: calls of a day that did not connect, by the reason.
//!
//! An answer gives the totals of the requested range, one row for each result. As with
//! [`call_durations`](super::call_durations), we ask for the day from midnight on, and the ledger adds the difference to the
//! last reading.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use serde::Deserialize;

use super::day_totals::{DayAnswer, DayReader, DayRows, DayTotals};
use super::values;
use super::{Assumption, Kind, MINUTE, Outcome, REPORTS_MANAGER, Report, Tally};
use crate::metrics::Family;
use crate::metrics::series::{Amount, Label, SeriesKey};
use crate::wire::fields::{self, Leaf};
use crate::wire::json::{self, Broken};
use crate::wire::{Endpoint, Rows};

/// The report.
pub static CALL_RESULTS: Report = Report {
    name: "call_results",
    state_id: 10,
    endpoint: Endpoint {
        script: REPORTS_MANAGER,
        api: "cdr_6",
    },
    filter: None,
    seconds: None,
    interval: MINUTE.saturating_mul(15),
    quiet_interval: None,
    timeout: Duration::from_secs(90),
    families: &[&RESULTS],
    names: &[],
    fields: &["result", "count"],
    kind: Kind::DayTotals(DayTotals {
        reader: |_| DayRows(Box::new(Results::default())),
        zeros: |_| Vec::new(),
    }),
};

static RESULTS: Family = Family::counter(
    "wolkvox_call_results",
    &["result"],
    "Calls that did not connect by result, from the fields result and count of cdr_6.",
)
.with_free_labels(&["result"]);

/// The vendor's page names seven results. After so many different ones, the others are added up.
const MOST_RESULTS: usize = 200;

/// A row of the answer.
#[derive(Deserialize)]
struct ResultRow<'a> {
    #[serde(borrow, default)]
    result: Leaf<'a>,
    #[serde(borrow, default)]
    count: Leaf<'a>,
}

/// Reads the rows of one answer.
#[derive(Default)]
struct Results {
    /// By label, which several words may have.
    totals: BTreeMap<Label, u64>,
    /// Hashes of the words that are in the totals: the words themselves may be as long as rows.
    words: HashSet<u64>,
    hasher: RandomState,
    tally: Tally,
}

impl Rows for Results {
    fn value(&mut self, _: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        json::row(json, |row| self.row(row))
    }

    fn unreadable(&mut self, _: Option<&str>, _: Option<&str>) {
        self.tally.count(Outcome::Invalid);
    }
}

impl DayReader for Results {
    fn finish(self: Box<Self>) -> DayAnswer {
        let totals = self.totals.into_iter().map(|(result, count)| {
            let key = SeriesKey {
                family: &RESULTS,
                labels: vec![result],
            };
            (key, Amount::Count(count))
        });
        DayAnswer {
            totals: totals.collect(),
            tally: self.tally,
        }
    }
}

impl Results {
    fn row(&mut self, row: &ResultRow<'_>) {
        let Some(word) = self.tally.read("result", fields::text(&row.result)) else {
            return self.tally.invalid_without("result");
        };
        if values::begins(word, &["total"]) {
            // It sums up the others, so it must not be counted.
            return self.tally.count(Outcome::Ignored);
        }
        let Some(count) = self.tally.read("count", fields::count(&row.count)) else {
            return self.tally.invalid_without("count");
        };
        let word = values::normalized(word);
        if !self.words.insert(self.hasher.hash_one(&word)) {
            self.tally.violation(Assumption::RowsDiffer);
            return self.tally.count(Outcome::Ignored);
        }
        let mut label = values::free(&word);
        if self.totals.len() >= MOST_RESULTS && !self.totals.contains_key(&label) {
            label = values::FOLDED;
        }
        let total = self.totals.entry(label).or_default();
        *total = total.saturating_add(count);
        self.tally.count(Outcome::Counted);
    }
}
