//! The JSON of `campaigns`, `cdr_4` and errors, in the shapes that the switches choose.

mod now;
mod numbers;
mod token;

use bytes::Bytes;
use memchr::memmem;

use numbers::{grouped, percent, two_decimals};

use super::{
    campaign_state::CampaignState,
    durations::{BucketTotals, DayTotals, DurationBucket},
    faults::ErrorBody,
    json::{Json, Key},
    switches::{
        Blank, CampaignsEnvelope, Code, EmptyCampaigns, EmptyDay, EmptyRows, NoDataText, Numbers, Switches, TimeText,
    },
};

/// An answer before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) retry_after: Option<String>,
    pub(super) body: Bytes,
    /// Whether the API wrote it, not a proxy or a test.
    pub(super) of_api: bool,
}

impl Answer {
    /// A web page, which a proxy may send but not the API itself.
    pub(super) fn html(status: u16) -> Answer {
        let body = format!(
            "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n</body>\r\n</html>\r\n"
        );
        Answer {
            status,
            content_type: "text/html; charset=UTF-8".to_owned(),
            retry_after: None,
            body: body.into(),
            of_api: false,
        }
    }

    /// Replaces the first occurrence of some bytes.
    pub(super) fn replace(&mut self, old: &[u8], new: &[u8]) {
        if let Some(at) = memmem::find(&self.body, old) {
            let parts = [&self.body[..at], new, &self.body[at + old.len()..]];
            self.body = parts.concat().into();
        }
    }

    /// Whether it counts against the quota when failed requests do not.
    pub(super) fn is_success(&self) -> bool {
        let says = |text: &str| memmem::find(&self.body, text.as_bytes()).is_some();
        match self.status {
            200 => true,
            404 => NoDataText::ALL.into_iter().any(|message| says(message.text())),
            _ => false,
        }
    }
}

/// Writes answers as an operation's switches say.
#[derive(Debug)]
pub(super) struct AnswerWriter<'a> {
    pub(super) switches: &'a Switches,
}

impl AnswerWriter<'_> {
    pub(super) fn campaigns(&self, states: &[CampaignState]) -> Answer {
        let mut rows = Vec::new();
        for state in states {
            if self.switches.missing_campaigns.contains(&state.campaign.id) {
                continue;
            }
            rows.push(self.campaign(state));
            if self.switches.duplicate_campaigns.contains(&state.campaign.id) {
                let mut other = state.clone();
                other.records += 1;
                other.clean += 1;
                rows.push(self.campaign(&other));
            }
        }
        let count = rows.len();
        let data = match (rows.is_empty(), self.switches.empty_campaigns) {
            (true, EmptyCampaigns::NotFound) => return self.not_found(),
            (true, EmptyCampaigns::NoData) => return self.ok(&self.envelope(0, None)),
            (true, EmptyCampaigns::Null) => Json::Null,
            (true, EmptyCampaigns::EmptyList) | (false, _) => Json::List(rows),
        };
        match self.switches.campaigns_envelope {
            CampaignsEnvelope::BareArray => self.ok(&data),
            CampaignsEnvelope::Data => self.ok(&self.envelope(count, Some(data))),
        }
    }

    pub(super) fn durations(&self, totals: &DayTotals) -> Answer {
        let total = totals.total();
        if total.calls == 0 {
            match self.switches.empty_day {
                EmptyDay::NotFound => return self.not_found(),
                EmptyDay::EmptyList => return self.ok(&self.envelope(0, Some(Json::List(Vec::new())))),
                EmptyDay::Null => return self.ok(&self.envelope(0, Some(Json::Null))),
                EmptyDay::NoData => return self.ok(&self.envelope(0, None)),
                EmptyDay::Zeros => {}
            }
        }
        let mut buckets: Vec<(&'static str, Json)> = DurationBucket::ALL
            .into_iter()
            .filter(|bucket| !self.switches.absent_buckets.contains(bucket))
            .filter(|bucket| !(self.switches.omit_zero_buckets && totals[*bucket].calls == 0))
            .map(|bucket| {
                (
                    self.switches.bucket_keys.key(bucket),
                    self.bucket(&totals[bucket], total.calls),
                )
            })
            .collect();
        if self.switches.total_bucket {
            buckets.push(("total", self.bucket(&total, total.calls)));
        }
        self.ok(&self.envelope(buckets.len(), Some(Json::object(buckets))))
    }

    /// The answer of a row report without rows.
    pub(super) fn no_rows(&self) -> Answer {
        self.nothing(self.switches.empty_rows)
    }

    /// An answer without rows.
    pub(super) fn nothing(&self, empty: EmptyRows) -> Answer {
        match empty {
            EmptyRows::NotFound => self.not_found(),
            EmptyRows::EmptyList => self.ok(&self.envelope(0, Some(Json::List(Vec::new())))),
            EmptyRows::Null => self.ok(&self.envelope(0, Some(Json::Null))),
            EmptyRows::NoData => self.ok(&self.envelope(0, None)),
        }
    }

    /// The answer of a report without data: a 404, seen in real answers.
    pub(super) fn not_found(&self) -> Answer {
        self.error(404, "Not Found", self.switches.no_data.text())
    }

    pub(super) fn bad_request(&self, message: &str) -> Answer {
        self.error(400, "Bad Request", message)
    }

    pub(super) fn no_token(&self) -> Answer {
        self.error(401, "Unauthorized", "The wolkvox-token header is required")
    }

    pub(super) fn wrong_token(&self) -> Answer {
        self.error(403, "Forbidden", "Validate token")
    }

    pub(super) fn simultaneous_limit(&self) -> Answer {
        self.error(403, "Forbidden", "Limit of simultaneous requests per token")
    }

    pub(super) fn quota_exceeded(&self) -> Answer {
        self.error(403, "Forbidden", "Token limit exceeded")
    }

    pub(super) fn http_error(&self, status: u16, body: ErrorBody, retry_after: Option<String>) -> Answer {
        let answer = match body {
            ErrorBody::Html => Answer::html(status),
            ErrorBody::Json => self.error(status, "Error", "An error occurred, try again later"),
            ErrorBody::NoData => self.error(status, "Not Found", self.switches.no_data.text()),
        };
        Answer { retry_after, ..answer }
    }

    fn campaign(&self, state: &CampaignState) -> Json {
        let campaign = &state.campaign;
        let name = self.switches.names.text(&campaign.name);
        let text = self.switches.campaign_text.text(campaign.id, &name, &campaign.strategy);
        let status = match state.started {
            _ if self.switches.paused_campaigns.contains(&campaign.id) => "paused",
            true => "started",
            false => "stopped",
        };
        let status = self.switches.status_case.apply(status);
        let skill = state
            .skill_id
            .map_or_else(|| self.blank(), |id| self.integer(id.into()));
        self.row(vec![
            ("campaign", Json::Text(text)),
            ("speed", Json::text(format!("{}%", campaign.speed))),
            ("status", Json::text(status)),
            ("skill_id", skill),
            ("records", self.integer(state.records)),
            ("clean", self.integer(state.clean)),
            ("dial", self.integer(state.dial())),
            ("answer", self.integer(state.answer)),
            ("no_answer", self.integer(state.no_answer)),
            ("busy/congestion/failed", self.integer(state.failed)),
            ("answer_machine", self.integer(state.answer_machine)),
            (
                "penetration_day",
                Json::text(percent(state.dials_of_day, state.records)),
            ),
            (
                "penetration_now",
                Json::text(percent(state.dials_of_pass, state.records)),
            ),
            (
                "hits",
                Json::text(format!(
                    "{} ({})",
                    state.hits,
                    percent(state.hits, state.answers_of_day)
                )),
            ),
            ("calls_x_min", self.integer(state.last_minute)),
            ("recycled", self.integer(state.recycled)),
        ])
    }

    fn bucket(&self, totals: &BucketTotals, of_calls: u64) -> Json {
        self.row(vec![
            ("calls", self.integer(totals.calls)),
            ("minutes", self.integer(totals.minutes)),
            ("cost", self.money(totals.cost_micros)),
            ("percentage", Json::text(percent(totals.calls, of_calls))),
        ])
    }

    pub(super) fn row<K: Into<Key>>(&self, fields: Vec<(K, Json)>) -> Json {
        let named = |names: &[String], key: &str| names.iter().any(|name| name == key);
        let fields = fields
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .filter(|(key, _)| !named(&self.switches.absent_fields, key.as_ref()))
            .map(|(key, value)| {
                let blank = named(&self.switches.blank_fields, key.as_ref());
                (key, if blank { self.blank() } else { value })
            })
            .collect();
        Json::Object(fields)
    }

    pub(super) fn integer(&self, number: u64) -> Json {
        match (self.switches.numbers, self.switches.grouped_integers) {
            (Numbers::Json, _) => Json::Integer(number),
            (Numbers::Text, true) => Json::Text(grouped(number)),
            (Numbers::Text, false) => Json::Text(number.to_string()),
        }
    }

    /// A duration. Of 0 seconds, nothing can be taken away.
    pub(super) fn duration(&self, seconds: u64, written: TimeText) -> Json {
        match written {
            TimeText::Seconds => self.integer(seconds),
            TimeText::Clock => Json::Text(format!(
                "{:02}:{:02}:{:02}",
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60
            )),
            TimeText::Decimal if seconds == 0 => Json::text("0.0"),
            TimeText::Decimal => Json::Text(format!("{}.5", seconds - 1)),
        }
    }

    fn money(&self, micros: u64) -> Json {
        let hundredths = micros / 10_000;
        match self.switches.numbers {
            Numbers::Json => Json::Decimal(hundredths as f64 / 100.0),
            Numbers::Text => Json::Text(two_decimals(hundredths)),
        }
    }

    pub(super) fn blank(&self) -> Json {
        match self.switches.blank {
            Blank::Empty => Json::text(""),
            Blank::Dash => Json::text("-"),
            Blank::DoubleDash => Json::text("--"),
            Blank::LongDash => Json::text("----"),
            Blank::Null => Json::Null,
        }
    }

    fn code(code: Code, status: u16) -> Option<Json> {
        Some(match (code, status) {
            (Code::Number, _) => Json::Integer(status.into()),
            (Code::Absent, 200) => return None,
            (Code::Zero, 200) => Json::text("0"),
            (Code::Empty, 200) => Json::text(""),
            (Code::Created, 200) => Json::text("201"),
            _ => Json::Text(status.to_string()),
        })
    }

    fn envelope(&self, count: usize, data: Option<Json>) -> Json {
        self.envelope_with(self.switches.code, count, data)
    }

    pub(super) fn envelope_with(&self, code: Code, count: usize, data: Option<Json>) -> Json {
        let code = AnswerWriter::code(code, 200);
        let mut fields: Vec<(&'static str, Json)> = code.map(|code| ("code", code)).into_iter().collect();
        fields.extend([
            ("error", Json::Null),
            ("msg", Json::Text(self.switches.message.text(count))),
        ]);
        fields.extend(data.map(|data| ("data", data)));
        Json::object(fields)
    }

    pub(super) fn ok(&self, json: &Json) -> Answer {
        self.answer(200, json)
    }

    fn error(&self, status: u16, error: &str, message: &str) -> Answer {
        let code = AnswerWriter::code(self.switches.code, status);
        let mut fields: Vec<(&'static str, Json)> = code.map(|code| ("code", code)).into_iter().collect();
        fields.extend([("error", Json::text(error)), ("msg", Json::text(message))]);
        self.answer(status, &Json::object(fields))
    }

    fn answer(&self, status: u16, json: &Json) -> Answer {
        let mut body = json.to_text(self.switches.layout, self.switches.escapes);
        body.insert_str(0, &self.switches.before_body);
        Answer {
            status,
            content_type: self.switches.content_type.clone(),
            retry_after: None,
            body: body.into(),
            of_api: true,
        }
    }
}
