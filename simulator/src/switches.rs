//! What nobody knows about the real API, as switches.
//!
//! Defaults are what was seen in real answers; failing that, what clients in daily use rely on; failing that, what the
//! vendor's page says.

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

/// Where the campaigns are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CampaignsEnvelope {
    /// The whole body is an array (the vendor's page).
    #[default]
    BareArray,
    /// In `data` of the usual envelope, where some clients read them.
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
    /// No white space at all.
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
    /// `\u00f1`, and `\/` for every slash: what PHP writes when it is not told otherwise.
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
pub enum StatusCase {
    /// `started`.
    #[default]
    Lower,
    /// `Started`.
    Capital,
    /// `STARTED`.
    Upper,
}

impl StatusCase {
    pub(super) fn write(self, word: &str) -> String {
        match self {
            StatusCase::Lower => word.to_lowercase(),
            StatusCase::Upper => word.to_uppercase(),
            StatusCase::Capital => {
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
    /// The first rows, without a word, as people assume.
    #[default]
    SilentCut,
    /// 400 with a message.
    BadRequest,
}

/// The words for how a wait ended in `skill_2`.
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

/// A time in which a report answers as if it had no rows; such hours were seen of a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// The report.
    pub report: Api,
    /// The first instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub until: Timestamp,
}

/// What a window of more than 31 days gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongRange {
    /// 400 with a message.
    #[default]
    BadRequest,
    /// 404 "Validate dates entered", as if there was nothing.
    NotFound,
    /// Only its first 31 days are reported, without a word.
    Clamped,
}

/// How the end of a body is told.
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
    /// The simulator's clock moved by that much.
    Skewed(SignedDuration),
    /// No such header.
    Absent,
}

/// How one operation's answers look and which limits it has.
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
    /// Whether whole numbers in text have thousands commas, too; sums of money always have them.
    pub grouped_integers: bool,
    /// Absent values: [`Blank::Empty`], `Dash`, `DoubleDash`, `Null`.
    pub blank: Blank,
    /// Fields that are blank in every row of every report, whatever their value.
    pub blank_fields: Vec<String>,
    /// Fields that no row of any report has.
    pub absent_fields: Vec<String>,
    /// Case of `status`: [`StatusCase::Lower`], `Capital`, `Upper`.
    pub status_case: StatusCase,
    /// Ids of campaigns that have two rows, the second one with other figures.
    pub duplicate_campaigns: Vec<u32>,
    /// Ids of campaigns that are missing from every poll until they are taken out of this list; a live campaign
    /// missing from one poll was seen in real answers.
    pub missing_campaigns: Vec<u32>,
    /// Whether `cdr_4` has a further bucket `total`.
    pub total_bucket: bool,
    /// Whether buckets without calls are left out of `cdr_4`.
    pub omit_zero_buckets: bool,
    /// Buckets that are left out of `cdr_4` in any case.
    pub absent_buckets: Vec<DurationBucket>,
    /// No rows in the window: [`EmptyRows::NotFound`], `EmptyList`, `Null`, `NoData`.
    pub empty_rows: EmptyRows,
    /// Words of `result` in `skill_2`: [`WaitWords::Lower`], `Upper`, `Spanish`.
    pub wait_words: WaitWords,
    /// `time` of preview and IVR calls: [`TimeText::Seconds`], [`TimeText::Clock`].
    pub times: TimeText,
    /// Case of `type_of_row`: [`StatusCase::Lower`], `Capital`, `Upper`.
    pub row_type_case: StatusCase,
    /// Whether `campaign_5` ends with a row of type total for each campaign.
    pub total_rows: bool,
    /// Times in which row reports answer as if there was nothing.
    pub silences: Vec<Silence>,
    /// Rows that one answer of a row report may have; `None` for any number.
    pub record_limit: Option<u32>,
    /// More rows than that: [`OverLimit::SilentCut`], [`OverLimit::BadRequest`].
    pub over_limit: OverLimit,
    /// More than 31 days: [`LongRange::BadRequest`], `NotFound`, `Clamped`.
    pub long_range: LongRange,
    /// Requests that the token may have in flight: older pages of the vendor say one, a newer one two.
    pub in_flight: u32,
    /// Requests that the token may make in a local day; `None` for any number.
    pub daily_quota: Option<u32>,
    /// Whether requests that fail use up quota as well. An empty answer is no failure.
    pub failed_calls_count: bool,
    /// The `Date` header: [`DateHeader::Clock`], `Skewed`, `Absent`.
    pub date_header: DateHeader,
    /// The `Content-Type` of answers.
    pub content_type: String,
    /// End of a body: [`Framing::ContentLength`], [`Framing::Chunked`].
    pub framing: Framing,
    /// Whether bodies are compressed for clients that accept gzip.
    pub gzip: bool,
    /// Whether each answer ends its connection.
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
            status_case: StatusCase::default(),
            duplicate_campaigns: Vec::new(),
            missing_campaigns: Vec::new(),
            total_bucket: false,
            omit_zero_buckets: false,
            absent_buckets: Vec::new(),
            empty_rows: EmptyRows::default(),
            wait_words: WaitWords::default(),
            times: TimeText::default(),
            row_type_case: StatusCase::default(),
            total_rows: false,
            silences: Vec::new(),
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
