//! Which rows an answer has, in which order, and rows that are broken.

use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::api::Api;

/// A period in which a report answers as if it had no rows, calls or campaigns. A real server did so for hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blackout {
    /// The report.
    pub report: Api,
    /// The first instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub until: Timestamp,
}

/// A local day of which a report shows nothing until an instant. Whole days that were filled later were seen in real answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LateDay {
    /// The report. Of `cdr_4` and `cdr_6`, what is empty are windows that begin on that day.
    pub report: Api,
    /// The day.
    pub date: Date,
    /// When it is filled.
    pub until: Timestamp,
}

/// The order of rows in an answer. A record limit leaves out the last ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowOrder {
    /// By date, as in real answers.
    #[default]
    OldestFirst,
    /// The other way round, rows of the same second too.
    NewestFirst,
    /// In no order that has a meaning, but in the same one each time.
    Mixed,
}

/// Rows whose date is shown earlier or later than it is, as if some switch had another zone. Windows select rows by their real
/// dates, so that rows stand outside what was asked. A client counts each once, at the date shown; the truth has the real one.
/// (To see windows and dates both in another zone than the client's, give the operation another zone.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShiftedDates {
    /// By how much.
    pub by: SignedDuration,
    /// About one call in this many; 1 for all.
    pub every: u32,
}

/// A row that is not as it should be, in answers that are lists of rows and have some; in `latency`, among the agents. The truth
/// does not have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BrokenRows {
    /// What is wrong.
    pub kind: BrokenRow,
    /// One answer of a report in this many has it; 1 for all.
    pub every: u32,
    /// Its place among the rows, from 0.0 (first) to 1.0 (last).
    pub place: f64,
}

impl BrokenRows {
    /// In the middle of every answer.
    pub fn each(kind: BrokenRow) -> BrokenRows {
        BrokenRows {
            kind,
            every: 1,
            place: 0.5,
        }
    }
}

/// What is wrong with a row. Unless it says otherwise, the row is one more than there are: like the one behind it (before it,
/// at the end) but for this, so that reading it as a good row would count something twice. All are assumed; each is what
/// some program in the world writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenRow {
    /// The name has half of a surrogate pair, `\ud83d`: a name cut in the middle of an emoji.
    LoneSurrogate,
    /// The name has a raw line feed and a raw character 0x01.
    ControlCharacter,
    /// The name has a `\x41`.
    InvalidEscape,
    /// The name is in Latin-1: a byte 0xf1 that is no UTF-8.
    Latin1,
    /// A row of 2 MB, nearly all of it in a field of its own, `notes`. It is valid JSON.
    Huge,
    /// The duration is `NaN`.
    NotANumber,
    /// The duration is `1e400`, which is valid JSON but no number of 64 bits.
    TooLargeANumber,
    /// A member without its value: `{"a": "1", "b":}`.
    MissingValue,
    /// An object without its end: `{"a": "1"`, then a comma and the next row. No reader can be sure where it ends; all rows
    /// before it are good, and those behind it may be lost.
    Unclosed,
    /// A text in place of a row.
    Text,
    /// `null` in place of a row.
    Null,
    /// The id of the skill, campaign or routing point has 5,000 characters.
    LongId,
    /// Not one more but one of the good rows, which has its date and its duration twice, the first time as `?`. The last value
    /// holds, as in nearly every JSON reader, so the row counts.
    KeysTwice,
}
