//! What a request asks for, and which report answers it.

use jiff::Span;

use super::{
    answers::{Answer, Pen},
    api::Api,
    events::{Events, Only, RowQuery},
    operation::SimulatedOperation,
    switches::{LongRange, Silence},
    window::{Window, read_text},
};

/// The longest window (the vendor's page).
const LONGEST_WINDOW: i64 = 31;

/// What a request asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) report: Option<Api>,
    pub(super) api: Option<String>,
    pub(super) date_ini: Option<String>,
    pub(super) date_end: Option<String>,
    /// The skill, campaign or customer.
    narrowing: Option<String>,
}

impl Asked {
    /// Parameters are ids and digits; nothing in them needs decoding.
    pub(super) fn read(path: &str, query: &str) -> Asked {
        let parameter = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_owned())
        };
        let api = parameter("api");
        let report = api.as_deref().and_then(|name| Api::requested(path, name));
        let narrowing = match report {
            Some(Api::Skill2) => parameter("skill_id"),
            Some(Api::Campaign5) => parameter("campaign_id"),
            Some(Api::Diagram1) => parameter("customer_id"),
            _ => None,
        };
        Asked {
            report,
            api,
            // Sent without a value it is as good as not sent.
            narrowing: narrowing.filter(|value| !value.is_empty()),
            date_ini: parameter("date_ini"),
            date_end: parameter("date_end"),
        }
    }

    pub(super) fn answer(&self, operation: &SimulatedOperation, pen: &Pen<'_>) -> Answer {
        if let Some(scripted) = self.report.and_then(|report| operation.scripted(report)) {
            return Answer {
                status: scripted.status,
                content_type: scripted.content_type,
                retry_after: None,
                body: scripted.body,
            };
        }
        match self.report {
            Some(Api::Campaigns) => pen.campaigns(&operation.truth().campaigns(operation.now())),
            Some(Api::Cdr4) => self.durations(operation, pen),
            Some(Api::Skill2) => self.rows(operation, pen, Narrowing::Required("skill_id"), Events::waits),
            Some(Api::Campaign5) => self.rows(operation, pen, Narrowing::Required("campaign_id"), Events::previews),
            Some(Api::Diagram1) => self.rows(operation, pen, Narrowing::Optional, Events::steps),
            None if self.api.is_none() => pen.bad_request("The parameter api is required"),
            None => pen.bad_request("The API does not exist"),
        }
    }

    fn durations(&self, operation: &SimulatedOperation, pen: &Pen<'_>) -> Answer {
        match self.window(pen) {
            Err(answer) => answer,
            Ok(window) => {
                let totals = operation.truth().window_totals(&window, operation.now());
                pen.durations(&operation.adjusted(window.from.date(), totals))
            }
        }
    }

    /// A row report; `narrowing` is the parameter that chooses among its rows.
    fn rows(
        &self,
        operation: &SimulatedOperation,
        pen: &Pen<'_>,
        narrowing: Narrowing,
        answer: fn(&Events, &RowQuery, &Pen<'_>) -> Answer,
    ) -> Answer {
        let window = match self.window(pen) {
            Err(answer) => return answer,
            Ok(window) => window,
        };
        let only = match (narrowing, &self.narrowing) {
            (Narrowing::Required(name), None) => {
                return pen.bad_request(&format!("The parameter {name} is required"));
            }
            (Narrowing::Required(_), Some(wanted)) if wanted.eq_ignore_ascii_case("all") => Only::All,
            (Narrowing::Optional, None) => Only::All,
            (_, Some(wanted)) => Only::Text(wanted.clone()),
        };
        let now = operation.now();
        let silent =
            |silence: &Silence| Some(silence.report) == self.report && (silence.from..silence.until).contains(&now);
        if pen.switches.silences.iter().any(silent) {
            return pen.no_rows();
        }
        let query = RowQuery {
            window,
            now: now.as_second(),
            only,
        };
        answer(operation.truth().events(), &query, pen)
    }

    /// The window that is asked for, or what the server says to it.
    fn window(&self, pen: &Pen<'_>) -> Result<Window, Answer> {
        let (Some(date_ini), Some(date_end)) = (&self.date_ini, &self.date_end) else {
            return Err(pen.bad_request("The parameters date_ini and date_end are required"));
        };
        // What the real server says to a text that is no date is unknown; a 400 lets mistakes of ours be seen.
        let (Some(from), Some(until)) = (read_text(date_ini), read_text(date_end)) else {
            return Err(pen.bad_request("The parameters date_ini and date_end must be YYYYmmddHHiiss"));
        };
        let mut window = Window { from, until };
        if window.longer_than(LONGEST_WINDOW) {
            match pen.switches.long_range {
                LongRange::BadRequest => return Err(pen.bad_request("The date range must not exceed 31 days")),
                LongRange::NotFound => return Err(pen.nothing()),
                LongRange::Clamped => window.until = from.saturating_add(Span::new().days(LONGEST_WINDOW)),
            }
        }
        Ok(window)
    }
}

/// The parameter that narrows a row report down.
#[derive(Clone, Copy, Debug)]
enum Narrowing {
    /// It must be there; `all` is everything.
    Required(&'static str),
    Optional,
}
