//! What is unknown about the real API, as switches.
//!
//! A default is what was seen in real answers; otherwise what clients in daily use rely on; otherwise what the vendor's page
//! says.

use jiff::{SignedDuration, Timestamp};

use super::api::Api;
use super::durations::DurationBucket;

/// How the `code` of the envelope is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Code {
    /// `"200"`, as in every real answer.
    #[default]
    Text,
    /// `200`, as in most of the documentation.
    Number,
}

/// Where `campaigns` has its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CampaignsEnvelope {
    /// The whole body is an array (the vendor's page).
    #[default]
    BareArray,
    /// In `data` of the usual envelope, where some clients look for them.
    Data,
}

/// What `campaigns` answers when there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EmptyCampaigns {
    /// `[]`, bare or as `data`.
    #[default]
    EmptyList,
    /// 404 "Validate dates entered".
    NotFound,
    /// `null`, bare or as `data`.
    Null,
    /// The usual envelope without `data`.
    NoData,
}

/// What `cdr_4` answers when no call ended in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EmptyDay {
    /// 404 "Validate dates entered", seen in real answers of row reports.
    #[default]
    NotFound,
    /// 200 with `"data": []`.
    EmptyList,
    /// 200 with `"data": null`.
    Null,
    /// 200 without `data`.
    NoData,
    /// 200 with every bucket at zero.
    Zeros,
}

/// White space of the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Four spaces, seen in real answers.
    #[default]
    Indented,
    /// No white space.
    Compact,
}

/// How text beyond ASCII is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escapes {
    /// Raw UTF-8.
    #[default]
    Raw,
    /// `\u00f1`.
    Unicode,
    /// `\u00f1`, and `\/` for every slash: what PHP writes by default.
    UnicodeAndSlashes,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// `"12"`, seen in every real answer.
    #[default]
    Text,
    /// `12`; percentages and the like stay text.
    Json,
}

/// How an absent value is written. All but `Null` were seen in real answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Blank {
    /// `""`.
    #[default]
    Empty,
    /// `"-"`.
    Dash,
    /// `"--"`.
    DoubleDash,
    /// `null`.
    Null,
}

/// The case of a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WordCase {
    /// `started`.
    #[default]
    Lower,
    /// `Started`.
    Capital,
    /// `STARTED`.
    Upper,
}

impl WordCase {
    pub(super) fn apply(self, word: &str) -> String {
        match self {
            WordCase::Lower => word.to_lowercase(),
            WordCase::Upper => word.to_uppercase(),
            WordCase::Capital => {
                let (first, rest) = word.split_at(word.len().min(1));
                format!("{}{rest}", first.to_uppercase())
            }
        }
    }
}

/// What a row report answers when no row is in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EmptyRows {
    /// 404 "Validate dates entered", seen in real answers.
    #[default]
    NotFound,
    /// 200 with `"data": []`.
    EmptyList,
    /// 200 with `"data": null`.
    Null,
    /// 200 without `data`.
    NoData,
}

/// What a row report answers when there are more rows than the record limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverLimit {
    /// The first rows without any notice, as people assume.
    #[default]
    SilentCut,
    /// 400 with a message.
    BadRequest,
}

/// The values of `result` in `skill_2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitWords {
    /// `abandoned`, `answered` (the vendor's page).
    #[default]
    Lower,
    /// `ABANDON`, `ANSWER`.
    Upper,
    /// `Abandonada`, `Atendida`.
    Spanish,
}

/// How `time` of preview and IVR calls is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeText {
    /// `75`.
    #[default]
    Seconds,
    /// `00:01:15`.
    Clock,
}

/// A period in which a report answers as if it had no rows. A real server did so for hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blackout {
    /// The report.
    pub report: Api,
    /// The first instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub until: Timestamp,
}

/// How a window of more than 31 days is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongRange {
    /// 400 with a message.
    #[default]
    BadRequest,
    /// 404 "Validate dates entered", as if there were no data.
    NotFound,
    /// With its first 31 days, without any notice.
    Clamped,
}

/// How the end of a body is marked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// `Content-Length`.
    #[default]
    ContentLength,
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// The `Date` header of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateHeader {
    /// The simulator's clock.
    #[default]
    Clock,
    /// The simulator's clock moved by this much.
    Skewed(SignedDuration),
    /// No such header.
    Absent,
}

/// How the answers of an operation look, and which limits it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Switches {
    /// `code`: [`Code::Text`], [`Code::Number`].
    pub code: Code,
    /// Envelope of `campaigns`: [`CampaignsEnvelope::BareArray`], [`CampaignsEnvelope::Data`].
    pub campaigns_envelope: CampaignsEnvelope,
    /// No campaigns: [`EmptyCampaigns::EmptyList`], `NotFound`, `Null`, `NoData`.
    pub empty_campaigns: EmptyCampaigns,
    /// No calls in the window: [`EmptyDay::NotFound`], `EmptyList`, `Null`, `NoData`, `Zeros`.
    pub empty_day: EmptyDay,
    /// White space: [`Layout::Indented`], [`Layout::Compact`].
    pub layout: Layout,
    /// Text beyond ASCII: [`Escapes::Raw`], `Unicode`, `UnicodeAndSlashes`.
    pub escapes: Escapes,
    /// Numbers: [`Numbers::Text`], [`Numbers::Json`].
    pub numbers: Numbers,
    /// Whether whole numbers in text have thousands commas. Sums of money always have them.
    pub grouped_integers: bool,
    /// Absent values: [`Blank::Empty`], `Dash`, `DoubleDash`, `Null`.
    pub blank: Blank,
    /// Fields that are blank in every row of every report.
    pub blank_fields: Vec<String>,
    /// Fields that are missing from every row of every report.
    pub absent_fields: Vec<String>,
    /// Case of `status`: [`WordCase::Lower`], `Capital`, `Upper`.
    pub status_case: WordCase,
    /// Ids of campaigns that have two rows, the second with different figures.
    pub duplicate_campaigns: Vec<u32>,
    /// Ids of campaigns that are missing from every answer. A live campaign missing from one answer was seen in reality.
    pub missing_campaigns: Vec<u32>,
    /// Whether `cdr_4` has an additional bucket `total`.
    pub total_bucket: bool,
    /// Whether `cdr_4` leaves out buckets without calls.
    pub omit_zero_buckets: bool,
    /// Buckets that `cdr_4` always leaves out.
    pub absent_buckets: Vec<DurationBucket>,
    /// No rows in the window: [`EmptyRows::NotFound`], `EmptyList`, `Null`, `NoData`.
    pub empty_rows: EmptyRows,
    /// Words of `result` in `skill_2`: [`WaitWords::Lower`], `Upper`, `Spanish`.
    pub wait_words: WaitWords,
    /// `time` of preview and IVR calls: [`TimeText::Seconds`], [`TimeText::Clock`].
    pub times: TimeText,
    /// Case of `type_of_row`: [`WordCase::Lower`], `Capital`, `Upper`.
    pub row_type_case: WordCase,
    /// Whether `campaign_5` ends with a row of type total for each campaign.
    pub total_rows: bool,
    /// Periods in which row reports answer as if they had no rows.
    pub blackouts: Vec<Blackout>,
    /// The most rows in one answer of a row report; `None` for no limit.
    pub record_limit: Option<u32>,
    /// More rows than that: [`OverLimit::SilentCut`], [`OverLimit::BadRequest`].
    pub over_limit: OverLimit,
    /// More than 31 days: [`LongRange::BadRequest`], `NotFound`, `Clamped`.
    pub long_range: LongRange,
    /// Requests that a token may have in flight: one by the vendor's older pages, two by a newer one.
    pub in_flight: u32,
    /// Requests that a token may make in a local day; `None` for no limit.
    pub daily_quota: Option<u32>,
    /// Whether failed requests also count against the quota. An empty answer is not a failure.
    pub failed_calls_count: bool,
    /// The `Date` header: [`DateHeader::Clock`], `Skewed`, `Absent`.
    pub date_header: DateHeader,
    /// The `Content-Type` of answers.
    pub content_type: String,
    /// End of a body: [`Framing::ContentLength`], [`Framing::Chunked`].
    pub framing: Framing,
    /// Whether bodies are compressed for clients that accept gzip.
    pub gzip: bool,
    /// Whether each answer closes its connection.
    pub close_connections: bool,
}

impl Default for Switches {
    fn default() -> Switches {
        Switches {
            code: Code::default(),
            campaigns_envelope: CampaignsEnvelope::default(),
            empty_campaigns: EmptyCampaigns::default(),
            empty_day: EmptyDay::default(),
            layout: Layout::default(),
            escapes: Escapes::default(),
            numbers: Numbers::default(),
            grouped_integers: false,
            blank: Blank::default(),
            blank_fields: Vec::new(),
            absent_fields: Vec::new(),
            status_case: WordCase::default(),
            duplicate_campaigns: Vec::new(),
            missing_campaigns: Vec::new(),
            total_bucket: false,
            omit_zero_buckets: false,
            absent_buckets: Vec::new(),
            empty_rows: EmptyRows::default(),
            wait_words: WaitWords::default(),
            times: TimeText::default(),
            row_type_case: WordCase::default(),
            total_rows: false,
            blackouts: Vec::new(),
            record_limit: Some(60_000),
            over_limit: OverLimit::default(),
            long_range: LongRange::default(),
            in_flight: 1,
            daily_quota: None,
            failed_calls_count: true,
            date_header: DateHeader::default(),
            content_type: "application/json; charset=utf-8".to_owned(),
            framing: Framing::default(),
            gzip: false,
            close_connections: false,
        }
    }
}
