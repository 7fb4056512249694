//! What is unknown about the real API, as switches.
//!
//! A default is what was seen in real answers; otherwise what clients in daily use rely on; otherwise what the vendor's page
//! says. The truth knows nothing of switches: where one changes what a client can count, it says so.

mod envelope;
mod now;
mod rows;
mod transport;
mod values;
mod words;

use jiff::SignedDuration;

pub use envelope::{
    CampaignsEnvelope, Code, CountMessage, EmptyCampaigns, EmptyDay, EmptyRows, LongRange, MessageLanguage, NoDataText,
    OverLimit,
};
pub use now::{
    AgentWords, IdleRatios, LoginTime, NetworkText, NoSessions, NowSwitches, RejectionText, SessionWords, SkillWindow,
    SumText, TokenSwitches,
};
pub use rows::{Blackout, BrokenRow, BrokenRows, LateDay, RowOrder, ShiftedDates};
pub use transport::{Coding, DateHeader, Framing};
pub use values::{Blank, CampaignText, DateText, Escapes, Layout, NameText, Numbers, TimeText};
pub use words::{AnswerWords, BucketKeys, ChannelWords, RowTypes, WaitWords, WordCase};

use super::durations::DurationBucket;

/// How the answers of an operation look, and which limits it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Switches {
    /// `code`: [`Code::Text`], `Number`, `Zero`, `Empty`, `Created`, `Absent`.
    pub code: Code,
    /// Whether errors of the API come with HTTP status 200, and their own status stands in `code` only, as with many APIs in PHP.
    /// In real answers both agree.
    pub status_in_code_only: bool,
    /// `msg` of answers with data: its language, and whether its number is right.
    pub message: CountMessage,
    /// `msg` of answers without: [`NoDataText::ValidateDates`], `Spanish`, `NoRecords`.
    pub no_data: NoDataText,
    /// Envelope of `campaigns`: [`CampaignsEnvelope::BareArray`], [`CampaignsEnvelope::Data`].
    pub campaigns_envelope: CampaignsEnvelope,
    /// No campaigns: [`EmptyCampaigns::EmptyList`], `NotFound`, `Null`, `NoData`.
    pub empty_campaigns: EmptyCampaigns,
    /// No calls in the window: [`EmptyDay::NotFound`], `EmptyList`, `Null`, `NoData`, `Zeros`.
    pub empty_day: EmptyDay,
    /// What stands before the JSON of every answer of the API: nothing, as in real answers, or a byte order mark, or the warnings
    /// that PHP prints when it is set up that way.
    pub before_body: String,
    /// White space: [`Layout::Indented`], [`Layout::Compact`].
    pub layout: Layout,
    /// Text beyond ASCII: [`Escapes::Raw`], `Unicode`, `UnicodeAndSlashes`.
    pub escapes: Escapes,
    /// Numbers: [`Numbers::Text`], [`Numbers::Json`].
    pub numbers: Numbers,
    /// Whether whole numbers in text have thousands commas. Sums of money always have them.
    pub grouped_integers: bool,
    /// Absent values: [`Blank::Empty`], `Dash`, `DoubleDash`, `LongDash`, `Null`.
    pub blank: Blank,
    /// Fields that are blank in every row of every report.
    pub blank_fields: Vec<String>,
    /// Fields that are missing from every row of every report.
    pub absent_fields: Vec<String>,
    /// Names: [`NameText::Plain`], [`NameText::Long`].
    pub names: NameText,
    /// How `skills`, `agents` and `latency` look.
    pub now: NowSwitches,
    /// How `token_info` looks.
    pub token: TokenSwitches,
    /// `campaign` of `campaigns`: [`CampaignText::Spaced`], `Tight`, `EnDash`, `Bar`, `Underscored`, `WithoutId`, `NameOnly`.
    pub campaign_text: CampaignText,
    /// Case of `status`: [`WordCase::Lower`], `Capital`, `Upper`.
    pub status_case: WordCase,
    /// Ids of campaigns whose `status` is `paused`, a word that the vendor's page does not have, whatever the truth says.
    pub paused_campaigns: Vec<u32>,
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
    /// Keys of `cdr_4`: [`BucketKeys::Underscores`], `Hyphens`, `Spanish`.
    pub bucket_keys: BucketKeys,
    /// No rows in the window: [`EmptyRows::NotFound`], `EmptyList`, `Null`, `NoData`.
    pub empty_rows: EmptyRows,
    /// Words of `result` in `skill_2`: [`WaitWords::Lower`], `Upper`, `Spanish`, `UpperSpanish`.
    pub wait_words: WaitWords,
    /// `abandon_time`: [`TimeText::Seconds`], `Clock`, `Decimal`.
    pub wait_times: TimeText,
    /// `result` in `skill_10`: [`AnswerWords::Answered`], `Answer`, `Atendida`, `Contestada`.
    pub answer_words: AnswerWords,
    /// `answer_time`: [`TimeText::Seconds`], `Clock`, `Decimal`.
    pub answer_times: TimeText,
    /// Case of `result` in `cdr_6`: [`WordCase::Capital`] (the default), `Lower`, `Upper`.
    pub call_result_case: WordCase,
    /// Words of `type_interaction` in `skill_2` and `skill_10`: [`ChannelWords::Hyphens`], `Underscores`, `Bare`.
    pub channels: ChannelWords,
    /// `time` of preview and IVR calls: [`TimeText::Seconds`], `Clock`, `Decimal`.
    pub times: TimeText,
    /// Words of `type_of_row`: [`RowTypes::English`], [`RowTypes::Spanish`].
    pub row_types: RowTypes,
    /// Case of `type_of_row`: [`WordCase::Lower`], `Capital`, `Upper`.
    pub row_type_case: WordCase,
    /// Whether `campaign_5` ends with a row of type total for each campaign.
    pub total_rows: bool,
    /// Dates of rows: [`DateText::Plain`] and many more.
    pub dates: DateText,
    /// Rows whose dates are shown earlier or later than they are.
    pub shifted_dates: Option<ShiftedDates>,
    /// Order of rows: [`RowOrder::OldestFirst`], `NewestFirst`, `Mixed`.
    pub row_order: RowOrder,
    /// How far outside of what was asked rows are answered as well: a filter that is not exact.
    pub window_margin: SignedDuration,
    /// Rows that are broken.
    pub broken_rows: Option<BrokenRows>,
    /// Periods in which reports answer as if they had no rows.
    pub blackouts: Vec<Blackout>,
    /// Days that are empty at first.
    pub late_days: Vec<LateDay>,
    /// The most rows in one answer; `None` for no limit.
    pub record_limit: Option<u32>,
    /// More rows than that: [`OverLimit::SilentCut`], `CountedCut`, `BadRequest`.
    pub over_limit: OverLimit,
    /// More than 31 days: [`LongRange::BadRequest`], `NotFound`, `Clamped`.
    pub long_range: LongRange,
    /// Requests that a token may have in flight: one by the vendor's older pages, two by a newer one.
    pub in_flight: u32,
    /// Whether a request that [`Fault::Delay`](super::Fault::Delay) holds up stays in flight when its client has gone: the
    /// vendor's program may go on until it has its answer (assumed, with the 60 s that it may take).
    pub works_on: bool,
    /// Requests that the tokens of the operation may make in a local day; `None` for no limit.
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
    /// How they are compressed then: [`Coding::Gzip`] and others, even if the client did not ask for them.
    pub coding: Coding,
    /// Whether each answer closes its connection.
    pub close_connections: bool,
}

impl Default for Switches {
    fn default() -> Switches {
        Switches {
            code: Code::default(),
            status_in_code_only: false,
            message: CountMessage::default(),
            no_data: NoDataText::default(),
            campaigns_envelope: CampaignsEnvelope::default(),
            empty_campaigns: EmptyCampaigns::default(),
            empty_day: EmptyDay::default(),
            before_body: String::new(),
            layout: Layout::default(),
            escapes: Escapes::default(),
            numbers: Numbers::default(),
            grouped_integers: false,
            blank: Blank::default(),
            blank_fields: Vec::new(),
            absent_fields: Vec::new(),
            names: NameText::default(),
            now: NowSwitches::default(),
            token: TokenSwitches::default(),
            campaign_text: CampaignText::default(),
            status_case: WordCase::default(),
            paused_campaigns: Vec::new(),
            duplicate_campaigns: Vec::new(),
            missing_campaigns: Vec::new(),
            total_bucket: false,
            omit_zero_buckets: false,
            absent_buckets: Vec::new(),
            bucket_keys: BucketKeys::default(),
            empty_rows: EmptyRows::default(),
            wait_words: WaitWords::default(),
            wait_times: TimeText::default(),
            answer_words: AnswerWords::default(),
            answer_times: TimeText::default(),
            call_result_case: WordCase::Capital,
            channels: ChannelWords::default(),
            times: TimeText::default(),
            row_types: RowTypes::default(),
            row_type_case: WordCase::default(),
            total_rows: false,
            dates: DateText::default(),
            shifted_dates: None,
            row_order: RowOrder::default(),
            window_margin: SignedDuration::ZERO,
            broken_rows: None,
            blackouts: Vec::new(),
            late_days: Vec::new(),
            record_limit: Some(60_000),
            over_limit: OverLimit::default(),
            long_range: LongRange::default(),
            in_flight: 1,
            works_on: false,
            daily_quota: None,
            failed_calls_count: true,
            date_header: DateHeader::default(),
            content_type: "application/json; charset=utf-8".to_owned(),
            framing: Framing::default(),
            gzip: false,
            coding: Coding::default(),
            close_connections: false,
        }
    }
}
