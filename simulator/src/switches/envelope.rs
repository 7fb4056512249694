//! The envelope of answers, and the answers without rows.

/// How the `code` of the envelope is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Code {
    /// `"200"`, as in every real answer.
    #[default]
    Text,
    /// `200`, as in most of the documentation.
    Number,
    /// `"0"` where all is well; assumed, like the following. Errors have their status as text.
    Zero,
    /// `""` where all is well.
    Empty,
    /// `"201"` where all is well.
    Created,
    /// No `code` where all is well.
    Absent,
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
    /// The first rows, while `msg` has the number of all of them; assumed.
    CountedCut,
    /// 400 with a message.
    BadRequest,
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

/// The message of the 404 that means that there is no data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoDataText {
    /// `Validate dates entered`, seen in real answers.
    #[default]
    ValidateDates,
    /// `Valide las fechas ingresadas`; assumed, since other messages were seen in Spanish.
    Spanish,
    /// `0 records were found`, the usual `msg` with nothing to count; assumed.
    NoRecords,
}

impl NoDataText {
    pub(crate) const ALL: [NoDataText; 3] = [NoDataText::ValidateDates, NoDataText::Spanish, NoDataText::NoRecords];

    pub(crate) fn text(self) -> &'static str {
        match self {
            NoDataText::ValidateDates => "Validate dates entered",
            NoDataText::Spanish => "Valide las fechas ingresadas",
            NoDataText::NoRecords => "0 records were found",
        }
    }
}

/// `msg` of an answer with data. It is text for people; in the answers that were seen, its number is that of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountMessage {
    /// Its language.
    pub language: MessageLanguage,
    /// How many rows more (or, below 0, less) it names than there are. Assumed; the rows are what counts.
    pub off_by: i32,
}

/// The language of [`CountMessage`]. Both occur in real answers; the words in Spanish are assumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageLanguage {
    /// `4 records were found`.
    #[default]
    English,
    /// `Se encontraron 4 registros`.
    Spanish,
}

impl CountMessage {
    pub(crate) fn text(self, rows: usize) -> String {
        let named = rows.saturating_add_signed(self.off_by as isize);
        match self.language {
            MessageLanguage::English => format!("{named} records were found"),
            MessageLanguage::Spanish => format!("Se encontraron {named} registros"),
        }
    }
}
