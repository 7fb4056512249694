//! Reports of the current state. Every value can decrease, so each is a gauge or an info.

use serde::Deserialize;

use super::{Choice, Outcome, Tally, View};
use crate::metrics::Family;
use crate::metrics::series::{Amount, FamilySeries, Label, Value};
use crate::wire::Rows;
use crate::wire::json::{self, Broken};

/// A report of the current state.
#[derive(Clone, Copy, Debug)]
pub struct CurrentState {
    /// Makes a reader for one answer.
    pub reader: fn(&Choice) -> CurrentRows,
    /// Whether it says what happens right now, and so is read before the others.
    pub is_urgent: bool,
}

/// Reads one answer.
pub trait CurrentReader: Rows + Send {
    /// The result, with at most `limit` label sets per family.
    fn finish(self: Box<Self>, limit: usize) -> Current;
}

/// Any reader of the current state. It is a type of its own because the compiler cannot follow the lifetime of a boxed
/// trait object through the futures that read it.
pub struct CurrentRows(Box<dyn CurrentReader>);

impl CurrentRows {
    /// The result, with at most `limit` label sets per family.
    pub fn finish(self, limit: usize) -> Current {
        self.0.finish(limit)
    }
}

impl Rows for CurrentRows {
    fn value(&mut self, key: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        self.0.value(key, json)
    }

    fn unreadable(&mut self, key: Option<&str>, json: Option<&str>) {
        self.0.unreadable(key, json);
    }

    fn nested_list(&self) -> Option<&'static str> {
        self.0.nested_list()
    }
}

/// Collects the rows of one answer of a report.
pub(super) trait CurrentReport: Send + 'static {
    /// The fields that the report needs of a row, borrowed from the answer.
    type Row<'a>: Deserialize<'a>;

    /// The key of the list that has the rows, if they are not in `data` itself.
    const NESTED_LIST: Option<&'static str> = None;

    /// Takes a row.
    fn row(&mut self, row: &Self::Row<'_>);

    /// How the rows are counted.
    fn tally(&mut self) -> &mut Tally;

    /// The result, with at most `limit` label sets per family.
    fn finish(self, limit: usize) -> Current;
}

/// Reads the rows of such a report.
pub(super) fn rows_of(report: impl CurrentReport) -> CurrentRows {
    CurrentRows(Box::new(Reader(report)))
}

struct Reader<R>(R);

impl<R: CurrentReport> Rows for Reader<R> {
    fn value(&mut self, _: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        json::row(json, |row| self.0.row(row))
    }

    fn unreadable(&mut self, _: Option<&str>, _: Option<&str>) {
        self.0.tally().count(Outcome::Invalid);
    }

    fn nested_list(&self) -> Option<&'static str> {
        R::NESTED_LIST
    }
}

impl<R: CurrentReport> CurrentReader for Reader<R> {
    fn finish(self: Box<Self>, limit: usize) -> Current {
        self.0.finish(limit)
    }
}

/// The state that one answer describes.
#[derive(Debug)]
pub struct Current {
    /// Its series.
    pub series: Vec<FamilySeries>,
    /// The number of series that the limit left out, by family.
    pub left_out: Vec<(&'static Family, u64)>,
    /// The names that it gives, by the family that shows them and the id.
    pub names: Vec<(&'static Family, String, String)>,
    /// How the rows were counted.
    pub tally: Tally,
    /// What the status page shows of this report.
    pub view: View,
}

/// The series of one family, item by item until the limit is reached: the first items stay. Also returns the number of
/// series left out. `series` gives the values of an item, with the labels after its id.
pub(super) fn within_limit<'i, T: 'i>(
    family: &'static Family,
    items: impl IntoIterator<Item = (&'i str, &'i T)>,
    limit: usize,
    series: impl Fn(&T) -> Vec<(Vec<Label>, Value)>,
) -> (FamilySeries, u64) {
    let mut shown = FamilySeries::new(family);
    let mut left_out = 0;
    for (id, item) in items {
        let series = series(item);
        // After the first item that does not fit, take none: which items stay must not depend on how many series each
        // has.
        if left_out > 0 || shown.series.len() + series.len() > limit {
            left_out += series.len() as u64;
            continue;
        }
        for (mut labels, value) in series {
            labels.insert(0, Label::Owned(id.to_owned()));
            shown.push(labels, value);
        }
    }
    (shown, left_out)
}

/// A family with one series for each of these values; one that is `None` has none.
pub(super) fn gauges<L: Into<Vec<Label>>>(
    family: &'static Family,
    values: impl IntoIterator<Item = (L, Option<Value>)>,
) -> FamilySeries {
    let mut series = FamilySeries::new(family);
    for (labels, value) in values {
        if let Some(value) = value {
            series.push(labels, value);
        }
    }
    series
}

/// A count as the value of a gauge.
pub(super) fn count(count: u64) -> Value {
    Value::Amount(Amount::Count(count))
}
