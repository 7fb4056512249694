//! Reports with the totals of a day. We ask for the day from midnight on, and the ledger counts by how much its totals
//! grew.

use super::Tally;
use crate::metrics::series::{Amount, SeriesKey};
use crate::wire::Rows;
use crate::wire::json::Broken;

/// A report of day totals.
#[derive(Clone, Copy, Debug)]
pub struct DayTotals {
    /// Makes a reader for one answer. The API gives costs without a currency, so the currency is configured.
    pub reader: fn(currency: Option<&str>) -> DayRows,
    /// All series of the report at zero: they are born together.
    pub zeros: fn(currency: Option<&str>) -> Vec<(SeriesKey, Amount)>,
}

/// Reads one answer.
pub trait DayReader: Rows + Send {
    /// The result.
    fn finish(self: Box<Self>) -> DayAnswer;
}

/// Any reader of day totals; see [`CurrentRows`](super::current::CurrentRows) for the reason of this type.
pub struct DayRows(pub Box<dyn DayReader>);

impl Rows for DayRows {
    fn value(&mut self, key: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        self.0.value(key, json)
    }

    fn unreadable(&mut self, key: Option<&str>, json: Option<&str>) {
        self.0.unreadable(key, json);
    }
}

/// The totals that one answer gives.
#[derive(Debug)]
pub struct DayAnswer {
    /// The totals. What the answer does not give is missing here too.
    pub totals: Vec<(SeriesKey, Amount)>,
    /// How the rows were counted.
    pub tally: Tally,
}
