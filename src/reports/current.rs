//! Reports of the state now. Everything in them may fall back, so everything is a gauge or an info.

use super::{Tally, View};
use crate::metrics::Family;
use crate::metrics::series::{FamilySeries, Label, Value};
use crate::wire::Rows;
use crate::wire::json::Broken;

/// A report of the state now.
#[derive(Clone, Copy, Debug)]
pub struct CurrentState {
    /// Makes a reader of one answer.
    pub reader: fn() -> CurrentRows,
}

/// Reads one answer of such a report.
pub trait CurrentReader: Rows + Send {
    /// What the answer says, with at most `limit` label sets per family.
    fn finish(self: Box<Self>, limit: usize) -> Current;
}

/// Any such reader. A type of its own, since the compiler cannot follow the lifetime of a boxed trait object through the
/// futures that read it.
pub struct CurrentRows(pub Box<dyn CurrentReader>);

impl Rows for CurrentRows {
    fn value(&mut self, key: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        self.0.value(key, json)
    }
}

/// The state that one answer describes.
#[derive(Debug)]
pub struct Current {
    /// Its series.
    pub series: Vec<FamilySeries>,
    /// How many series of a family the limit left out.
    pub left_out: Vec<(&'static Family, u64)>,
    /// What became of the rows.
    pub tally: Tally,
    /// What the status page shows of it.
    pub view: Option<View>,
}

/// The series of one family, item by item, until the limit is reached: the first items stay. Returns them with the number of
/// series that were left out. `series` gives an item's values, and the labels after its id.
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
        // Once an item did not fit, no later one is taken: which ones stay must not depend on how many series each has.
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
