//! Requests a report according to its kind, and reads the answer: for polls, checks and backfills.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::window;
use crate::client::{Answer, ApiError, Reason};
use crate::config::Operation;
use crate::language::Message;
use crate::reports::current::{Current, CurrentState};
use crate::reports::day_totals::{DayAnswer, DayTotals};
use crate::reports::events::{Asked, Collected, EventReader, EventRows, Events};
use crate::reports::{Assumption, Choice, Outcome, Report, Tally};
use crate::wire::{Query, Rows};

/// Sends queries, and records the cost of each request.
pub(crate) trait Api {
    /// Sends a query; `rows` makes a new reader for each attempt.
    async fn fetch<R: Rows + Send>(
        &mut self,
        query: &Query,
        rows: impl Fn() -> R + Send + Sync,
    ) -> Result<Answer<R>, ApiError>;
}

/// Requests the current state, with at most `limit` label sets per family.
pub(crate) async fn current(
    api: &mut impl Api,
    report: &Report,
    state: CurrentState,
    choice: &Choice,
    limit: usize,
) -> Result<Answer<Current>, ApiError> {
    let reader = || (state.reader)(choice);
    // What the number in the message counts of a nested list, nobody knows.
    let is_nested = reader().nested_list().is_some();
    let answer = api.fetch(&report.query(choice, None), reader).await?;
    let mut answer = answer.map(|reader| reader.finish(limit));
    if !is_nested && has_other_count(&answer) {
        answer.rows.tally.violation(Assumption::CountMatches);
    }
    Ok(answer)
}

/// Requests the totals of a local day, until `now` if the day is not over.
pub(crate) async fn day(
    api: &mut impl Api,
    report: &Report,
    totals: DayTotals,
    operation: &Operation,
    date: Date,
    now: Timestamp,
) -> Result<Answer<DayAnswer>, ApiError> {
    let range = window::day_text(date, now, &operation.timezone);
    let currency = operation.currency.as_deref();
    let reader = || (totals.reader)(currency);
    let answer = api
        .fetch(&report.query(&Choice::default(), Some(range)), reader)
        .await?;
    Ok(answer.map(|reader| reader.0.finish()))
}

/// A query for the events between two instants, both inclusive.
pub(crate) struct EventQuery<'q> {
    pub(crate) report: &'static Report,
    pub(crate) rows: EventRows,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) zone: &'q TimeZone,
    pub(crate) choice: &'q Choice,
    /// The key for hashing the identities of facts.
    pub(crate) hash_key: u128,
    /// Nothing is filled in any more in rows dated before this.
    pub(crate) final_before: Timestamp,
}

impl EventQuery<'_> {
    pub(crate) async fn fetch(&self, api: &mut impl Api) -> Result<Answer<Collected>, ApiError> {
        let (first, last) = window::wall_clock_range(self.from, self.until, self.zone);
        let asked = Asked {
            first,
            last,
            final_before: self.final_before,
        };
        let range = window::text(self.from, self.until, self.zone);
        let reader = || EventReader::new(&self.rows, Events::new(self.zone, self.hash_key, asked));
        let answer = api.fetch(&self.report.query(self.choice, Some(range)), reader).await?;
        let mut answer = answer.map(EventReader::finish);
        if has_other_count(&answer) {
            answer.rows.tally.violation(Assumption::CountMatches);
        }
        Ok(answer)
    }
}

/// Whether the answer says that it has another number of rows.
fn has_other_count<R>(answer: &Answer<R>) -> bool {
    answer.announced.is_some_and(|announced| announced != answer.count)
}

/// Fails if an answer has rows, but none that says anything: a report that nobody understands must not look healthy.
/// `used` is the number of rows that do.
pub(crate) fn check_usable(tally: &Tally, used: u64) -> Result<(), ApiError> {
    if used > 0 || tally.rows(Outcome::Invalid) == 0 {
        return Ok(());
    }
    Err(unusable(tally))
}

/// What is wrong with an answer of which no row can be used.
pub(crate) fn unusable(tally: &Tally) -> ApiError {
    let rows = tally.rows(Outcome::Invalid);
    let missing: Vec<&str> = tally.missing().keys().copied().collect();
    let (why, spanish) = match missing.as_slice() {
        [] => (
            "they are no rows of this report".to_owned(),
            "no son filas de este reporte".to_owned(),
        ),
        fields => {
            let fields = fields.join(", ");
            (
                format!("missing or not understood: {fields}"),
                format!("falta o no se entiende: {fields}"),
            )
        }
    };
    let what = Message::new(
        format!("no row of the answer can be used, of {rows} in all; {why}"),
        format!("ninguna fila de la respuesta se puede usar, de {rows} en total; {spanish}"),
    );
    ApiError::new(Reason::Decode, what)
}
