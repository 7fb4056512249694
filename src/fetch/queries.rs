//! What each report asks the API, and which reader gets the answer: the same for a poll and for a check.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::client::{Answer, ApiError, Reason};
use crate::config::Operation;
use crate::fetch::window;
use crate::reports::ReportKind;
use crate::reports::abandoned_calls::{self, AbandonedCalls};
use crate::reports::call_durations::{self, CallDurations};
use crate::reports::campaigns::{self, Campaigns};
use crate::reports::events::{Collected, Events};
use crate::reports::ivr::{self, IvrSteps};
use crate::reports::preview_calls::{self, PreviewCalls};
use crate::wire::{Query, Rows};

/// Somebody who asks the API and notes what a request costs.
pub(crate) trait Api {
    /// Asks; `rows` makes a fresh reader for each try.
    async fn ask<R: Rows + Send>(
        &mut self,
        query: &Query,
        rows: impl Fn() -> R + Send + Sync,
    ) -> Result<Answer<R>, ApiError>;
}

/// The state of every campaign.
pub(crate) async fn campaigns(api: &mut impl Api) -> Result<Answer<Campaigns>, ApiError> {
    api.ask(&campaigns::query(), Campaigns::default).await
}

/// The totals of a local day, up to `now` if it is not over.
pub(crate) async fn call_durations(
    api: &mut impl Api,
    operation: &Operation,
    date: Date,
    now: Timestamp,
) -> Result<Answer<CallDurations>, ApiError> {
    let (from, to) = window::day_text(date, now, &operation.timezone);
    let currency = operation.currency.as_deref();
    api.ask(&call_durations::query(from, to), || CallDurations::new(currency))
        .await
}

/// A question for the events between two instants, both inclusive.
pub(crate) struct EventQuestion<'q> {
    pub(crate) report: ReportKind,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) zone: &'q TimeZone,
    /// The one skill or campaign to ask for.
    pub(crate) filter: Option<&'q str>,
    /// The key of the facts' identities.
    pub(crate) hash_key: u128,
}

impl EventQuestion<'_> {
    /// Asks.
    pub(crate) async fn ask(&self, api: &mut impl Api) -> Result<Answer<Collected>, ApiError> {
        let (from, until) = window::text(self.from, self.until, self.zone);
        let events = || Events::new(self.zone, self.hash_key);
        match self.report {
            ReportKind::AbandonedCalls => {
                let query = abandoned_calls::query(from, until, self.filter);
                Ok(api.ask(&query, || AbandonedCalls(events())).await?.map(Into::into))
            }
            ReportKind::PreviewCalls => {
                let query = preview_calls::query(from, until, self.filter);
                Ok(api.ask(&query, || PreviewCalls(events())).await?.map(Into::into))
            }
            ReportKind::Ivr => {
                let query = ivr::query(from, until);
                Ok(api.ask(&query, || IvrSteps::new(events())).await?.map(Into::into))
            }
            ReportKind::Campaigns | ReportKind::CallDurations => {
                Err(ApiError::new(Reason::Other, "the report has no events: a bug of ours"))
            }
        }
    }
}
