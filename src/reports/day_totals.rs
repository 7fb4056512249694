//! Reports of a day's totals. The day is asked for from its midnight on, and the ledger counts what its totals grew by.

use super::Tally;
use crate::metrics::series::{Amount, SeriesKey};
use crate::wire::Rows;
use crate::wire::json::Broken;

/// A report of a day's totals.
#[derive(Clone, Copy, Debug)]
pub struct DayTotals {
    /// Makes a reader of one answer. The API gives cost without a currency, so that is configured.
    pub reader: fn(currency: Option<&str>) -> DayRows,
    /// All series of the report at zero: they are born together.
    pub zeros: fn(currency: Option<&str>) -> Vec<(SeriesKey, Amount)>,
}

/// Reads one answer of such a report.
pub trait DayReader: Rows + Send {
    /// What the answer says.
    fn finish(self: Box<Self>) -> DayAnswer;
}

/// Any such reader; see [`CurrentRows`](super::current::CurrentRows) for why it is a type of its own.
pub struct DayRows(pub Box<dyn DayReader>);

impl Rows for DayRows {
    fn value(&mut self, key: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        self.0.value(key, json)
    }
}

/// The totals that one answer gives.
#[derive(Debug)]
pub struct DayAnswer {
    /// The totals; what is missing in the answer is missing here.
    pub totals: Vec<(SeriesKey, Amount)>,
    /// What became of the rows.
    pub tally: Tally,
}
