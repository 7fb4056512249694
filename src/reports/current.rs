//! Reports of the current state. Every value can decrease, so each is a gauge or an info.

use super::{Tally, View};
use crate::metrics::Family;
use crate::metrics::series::{FamilySeries, Label, Value};
use crate::wire::Rows;
use crate::wire::json::Broken;

/// A report of the current state.
#[derive(Clone, Copy, Debug)]
pub struct CurrentState {
    /// Makes a reader for one answer.
    pub reader: fn() -> CurrentRows,
}

/// Reads one answer.
pub trait CurrentReader: Rows + Send {
    /// The result, with at most `limit` label sets per family.
    fn finish(self: Box<Self>, limit: usize) -> Current;
}

/// Any reader of the current state. It is a type of its own because the compiler cannot follow the lifetime of a boxed
/// trait object through the futures that read it.
pub struct CurrentRows(pub Box<dyn CurrentReader>);

impl Rows for CurrentRows {
    fn value(&mut self, key: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        self.0.value(key, json)
    }

    fn unreadable(&mut self, key: Option<&str>, json: Option<&str>) {
        self.0.unreadable(key, json);
    }
}

/// The state that one answer describes.
#[derive(Debug)]
pub struct Current {
    /// Its series.
    pub series: Vec<FamilySeries>,
    /// The number of series that the limit left out, by family.
    pub left_out: Vec<(&'static Family, u64)>,
    /// How the rows were counted.
    pub tally: Tally,
    /// What the status page shows of this report.
    pub view: Option<View>,
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
