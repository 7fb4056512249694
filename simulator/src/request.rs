//! What a request asks for, and which report answers it.

use jiff::Span;

use super::{
    answers::{Answer, AnswerWriter},
    api::Api,
    events::{Events, RowFilter, RowQuery},
    operation::SimulatedOperation,
    switches::{Blackout, LongRange},
    window::{Window, read_text},
};

/// The longest window (the vendor's page).
const LONGEST_WINDOW: i64 = 31;

/// What a request asks for.
#[derive(Debug)]
pub(super) struct ApiRequest {
    pub(super) report: Option<Api>,
    pub(super) api: Option<String>,
    pub(super) date_ini: Option<String>,
    pub(super) date_end: Option<String>,
    /// The skill, campaign or customer.
    filter: Option<String>,
}

impl ApiRequest {
    /// Parameters are ids and digits; nothing in them needs decoding.
    pub(super) fn read(path: &str, query: &str) -> ApiRequest {
        let parameter = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_owned())
        };
        let api = parameter("api");
        let report = api.as_deref().and_then(|name| Api::requested(path, name));
        let filter = match report {
            Some(Api::Skill2) => parameter("skill_id"),
            Some(Api::Campaign5) => parameter("campaign_id"),
            Some(Api::Diagram1) => parameter("customer_id"),
            _ => None,
        };
        ApiRequest {
            report,
            api,
            // Delivery without a value it is as good as not sent.
            filter: filter.filter(|value| !value.is_empty()),
            date_ini: parameter("date_ini"),
            date_end: parameter("date_end"),
        }
    }

    pub(super) fn answer(&self, operation: &SimulatedOperation, writer: &AnswerWriter<'_>) -> Answer {
        if let Some(scripted) = self.report.and_then(|report| operation.scripted(report)) {
            return Answer {
                status: scripted.status,
                content_type: scripted.content_type,
                retry_after: None,
                body: scripted.body,
            };
        }
        match self.report {
            Some(Api::Campaigns) => writer.campaigns(&operation.truth().campaigns(operation.now())),
            Some(Api::Cdr4) => self.durations(operation, writer),
            Some(Api::Skill2) => self.rows(operation, writer, FilterParameter::Required("skill_id"), Events::waits),
            Some(Api::Campaign5) => self.rows(
                operation,
                writer,
                FilterParameter::Required("campaign_id"),
                Events::previews,
            ),
            Some(Api::Diagram1) => self.rows(operation, writer, FilterParameter::Optional, Events::steps),
            None if self.api.is_none() => writer.bad_request("The parameter api is required"),
            None => writer.bad_request("The API does not exist"),
        }
    }

    fn durations(&self, operation: &SimulatedOperation, writer: &AnswerWriter<'_>) -> Answer {
        match self.window(writer) {
            Err(answer) => answer,
            Ok(window) => {
                let totals = operation.truth().window_totals(&window, operation.now());
                writer.durations(&operation.adjusted(window.from.date(), totals))
            }
        }
    }

    /// A row report; `filter` is the parameter that chooses among its rows.
    fn rows(
        &self,
        operation: &SimulatedOperation,
        writer: &AnswerWriter<'_>,
        filter: FilterParameter,
        answer: fn(&Events, &RowQuery, &AnswerWriter<'_>) -> Answer,
    ) -> Answer {
        let window = match self.window(writer) {
            Err(answer) => return answer,
            Ok(window) => window,
        };
        let row_filter = match (filter, &self.filter) {
            (FilterParameter::Required(name), None) => {
                return writer.bad_request(&format!("The parameter {name} is required"));
            }
            (FilterParameter::Required(_), Some(wanted)) if wanted.eq_ignore_ascii_case("all") => RowFilter::All,
            (FilterParameter::Optional, None) => RowFilter::All,
            (_, Some(wanted)) => RowFilter::Value(wanted.clone()),
        };
        let now = operation.now();
        let silent = |blackout: &Blackout| {
            Some(blackout.report) == self.report && (blackout.from..blackout.until).contains(&now)
        };
        if writer.switches.blackouts.iter().any(silent) {
            return writer.no_rows();
        }
        let query = RowQuery {
            window,
            now: now.as_second(),
            filter: row_filter,
        };
        answer(operation.truth().events(), &query, writer)
    }

    /// The window that is asked for, or what the server says to it.
    fn window(&self, writer: &AnswerWriter<'_>) -> Result<Window, Answer> {
        let (Some(date_ini), Some(date_end)) = (&self.date_ini, &self.date_end) else {
            return Err(writer.bad_request("The parameters date_ini and date_end are required"));
        };
        // What the real server says to a text that is no date is unknown; a 400 lets mistakes of ours be seen.
        let (Some(from), Some(until)) = (read_text(date_ini), read_text(date_end)) else {
            return Err(writer.bad_request("The parameters date_ini and date_end must be YYYYmmddHHiiss"));
        };
        let mut window = Window { from, until };
        if window.longer_than(LONGEST_WINDOW) {
            match writer.switches.long_range {
                LongRange::BadRequest => return Err(writer.bad_request("The date range must not exceed 31 days")),
                LongRange::NotFound => return Err(writer.not_found()),
                LongRange::Clamped => window.until = from.saturating_add(Span::new().days(LONGEST_WINDOW)),
            }
        }
        Ok(window)
    }
}

/// The parameter that narrows a row report down.
#[derive(Clone, Copy, Debug)]
enum FilterParameter {
    /// It must be there; `all` is everything.
    Required(&'static str),
    Optional,
}
