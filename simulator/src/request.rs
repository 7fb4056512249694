//! What a request asks for, and the answer of the report that it names.

use jiff::{Span, civil::Date};

use super::{
    answers::{Answer, AnswerWriter},
    api::Api,
    durations::DayTotals,
    events::{Events, RowFilter, RowQuery},
    operation::SimulatedOperation,
    switches::{BrokenRows, LongRange},
    window::{Window, day_number, read_text},
};

/// The longest window in days (the vendor's page).
const LONGEST_WINDOW: i64 = 31;

/// A request to the API.
#[derive(Clone, Copy, Debug)]
pub(super) struct ApiRequest<'a> {
    pub(super) path: &'a str,
    pub(super) query: &'a str,
}

/// The parameter that selects among the rows of a report.
#[derive(Clone, Copy, Debug)]
enum FilterParameter {
    /// Refused without it; `all` selects every row.
    Required(&'static str),
    Optional(&'static str),
}

impl<'a> ApiRequest<'a> {
    /// The report, if the API has it.
    pub(super) fn report(&self) -> Option<Api> {
        Api::requested(self.path, self.parameter("api")?)
    }

    /// The raw value of a parameter: ids and digits need no decoding.
    pub(super) fn parameter(&self, name: &str) -> Option<&'a str> {
        self.query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The answer at this moment, once token, limits and faults have let the request through.
    pub(super) fn answer(&self, operation: &SimulatedOperation, writer: &AnswerWriter<'_>) -> Answer {
        let Some(report) = self.report() else {
            return writer.bad_request(match self.parameter("api") {
                None => "The parameter api is required",
                Some(_) => "The API does not exist",
            });
        };
        if let Some(scripted) = operation.scripted(report) {
            return Answer {
                status: scripted.status,
                content_type: scripted.content_type,
                retry_after: None,
                body: scripted.body,
                of_api: false,
            };
        }
        let rows = |filter, rows| self.rows(report, filter, rows, operation, writer);
        let answer = match report {
            Api::Campaigns if blacked_out(report, operation, writer) => Ok(writer.campaigns(&[])),
            Api::Campaigns => Ok(writer.campaigns(&operation.truth().campaigns(operation.now()))),
            Api::Cdr4 => self.durations(operation, writer),
            Api::Skill2 => rows(FilterParameter::Required("skill_id"), Events::waits),
            Api::Campaign5 => rows(FilterParameter::Required("campaign_id"), Events::previews),
            Api::Diagram1 => rows(FilterParameter::Optional("customer_id"), Events::steps),
            Api::Skill10 => rows(FilterParameter::Required("skill_id"), Events::answered),
            Api::Cdr6 => self.call_results(operation, writer),
            Api::Skills => self.skills(operation, writer),
            Api::Agents => Ok(agents(operation, writer)),
            Api::Latency => Ok(latency(operation, writer)),
            Api::TokenInfo if blacked_out(report, operation, writer) => Ok(writer.nothing(writer.switches.now.empty)),
            Api::TokenInfo => Ok(writer.token_info(operation.quota().used(operation.today()))),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn durations(&self, operation: &SimulatedOperation, writer: &AnswerWriter<'_>) -> Result<Answer, Answer> {
        let window = self.window(writer)?;
        let begins_empty = late_days(Api::Cdr4, operation, writer).any(|date| date == window.from.date());
        if begins_empty || blacked_out(Api::Cdr4, operation, writer) {
            return Ok(writer.durations(&DayTotals::default()));
        }
        let totals = operation.truth().window_sums(&window, operation.now()).durations;
        Ok(writer.durations(&operation.adjusted(window.from.date(), totals)))
    }

    fn call_results(&self, operation: &SimulatedOperation, writer: &AnswerWriter<'_>) -> Result<Answer, Answer> {
        let report = Api::Cdr6;
        let window = self.window(writer)?;
        let begins_empty = late_days(report, operation, writer).any(|date| date == window.from.date());
        if begins_empty || blacked_out(report, operation, writer) {
            return Ok(writer.no_rows());
        }
        let results = operation.truth().window_sums(&window, operation.now()).results;
        Ok(writer.call_results(&results, broken_row(report, operation, writer)))
    }

    fn skills(&self, operation: &SimulatedOperation, writer: &AnswerWriter<'_>) -> Result<Answer, Answer> {
        let filter = self.filter(FilterParameter::Required("skill_id"), writer)?;
        let report = Api::Skills;
        if blacked_out(report, operation, writer) {
            return Ok(writer.nothing(writer.switches.now.empty));
        }
        let (truth, now) = (operation.truth(), operation.now());
        let mut skills = match writer.switches.now.skill_window.time() {
            None => truth.skills(now),
            Some(time) => truth.skills_within(time, now),
        };
        skills.retain(|skill| filter.accepts(|| skill.id.to_string()));
        let services_time = self.parameter("services_time").and_then(|text| text.parse().ok());
        Ok(writer.skills(&skills, services_time, broken_row(report, operation, writer)))
    }

    fn rows(
        &self,
        report: Api,
        filter: FilterParameter,
        rows: fn(&Events, &RowQuery, &AnswerWriter<'_>) -> Answer,
        operation: &SimulatedOperation,
        writer: &AnswerWriter<'_>,
    ) -> Result<Answer, Answer> {
        let window = self.window(writer)?.widened(writer.switches.window_margin);
        let filter = self.filter(filter, writer)?;
        if blacked_out(report, operation, writer) {
            return Ok(writer.no_rows());
        }
        let query = RowQuery {
            window,
            now: operation.now().as_second(),
            filter,
            hidden_days: late_days(report, operation, writer).map(day_number).collect(),
            broken: broken_row(report, operation, writer),
        };
        Ok(rows(operation.truth().events(), &query, writer))
    }

    /// The rows that are wanted, or the refusal. A parameter without a value counts as missing.
    fn filter(&self, parameter: FilterParameter, writer: &AnswerWriter<'_>) -> Result<RowFilter, Answer> {
        let (FilterParameter::Required(name) | FilterParameter::Optional(name)) = parameter;
        let value = self.parameter(name).filter(|value| !value.is_empty());
        match (parameter, value) {
            (FilterParameter::Required(_), None) => {
                Err(writer.bad_request(&format!("The parameter {name} is required")))
            }
            (FilterParameter::Optional(_), None) => Ok(RowFilter::All),
            (FilterParameter::Required(_), Some(value)) if value.eq_ignore_ascii_case("all") => Ok(RowFilter::All),
            (_, Some(value)) => Ok(RowFilter::Value(value.to_owned())),
        }
    }

    /// The window that is asked for, or the refusal.
    fn window(&self, writer: &AnswerWriter<'_>) -> Result<Window, Answer> {
        let (Some(date_ini), Some(date_end)) = (self.parameter("date_ini"), self.parameter("date_end")) else {
            return Err(writer.bad_request("The parameters date_ini and date_end are required"));
        };
        // How the real server answers a malformed date is unknown; a 400 makes a client's mistake visible.
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

fn agents(operation: &SimulatedOperation, writer: &AnswerWriter<'_>) -> Answer {
    let report = Api::Agents;
    let mut agents = operation.truth().agents(operation.now());
    if blacked_out(report, operation, writer) {
        agents.agents.clear();
    } else if !writer.switches.now.logged_out_agents {
        agents = agents.logged_in();
    }
    let broken = broken_row(report, operation, writer);
    writer.agents(&agents.agents, operation.timezone(), broken)
}

fn latency(operation: &SimulatedOperation, writer: &AnswerWriter<'_>) -> Answer {
    let report = Api::Latency;
    let sessions = if blacked_out(report, operation, writer) {
        Vec::new()
    } else {
        operation.truth().events().sessions(operation.now().as_second())
    };
    let broken = broken_row(report, operation, writer);
    writer.latency(&sessions, operation.timezone(), broken)
}

/// The broken row that this answer is to have.
fn broken_row(report: Api, operation: &SimulatedOperation, writer: &AnswerWriter<'_>) -> Option<BrokenRows> {
    let broken = writer.switches.broken_rows?;
    operation.is_turn_of_broken_row(report, broken.every).then_some(broken)
}

/// Whether the report answers at present as if it had nothing.
fn blacked_out(report: Api, operation: &SimulatedOperation, writer: &AnswerWriter<'_>) -> bool {
    let now = operation.now();
    let mut blackouts = writer.switches.blackouts.iter();
    blackouts.any(|blackout| blackout.report == report && (blackout.from..blackout.until).contains(&now))
}

/// The days that are still empty.
fn late_days(report: Api, operation: &SimulatedOperation, writer: &AnswerWriter<'_>) -> impl Iterator<Item = Date> {
    let now = operation.now();
    let late_days = writer.switches.late_days.iter();
    late_days
        .filter(move |day| day.report == report && now < day.until)
        .map(|day| day.date)
}
