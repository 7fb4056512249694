//! How numbers, dates, names and absent values are written.

use jiff::{Timestamp, tz::Offset};

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
    /// `"----"`.
    LongDash,
    /// `null`.
    Null,
}

/// How a duration is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeText {
    /// `75`.
    #[default]
    Seconds,
    /// `00:01:15`.
    Clock,
    /// `74.5`: half a second less than the truth says, but 0 is `0.0`. Assumed, since averages have decimals. Counts up to
    /// whole seconds stay those of the truth; a sum is lower by half a second for each value above 0.
    Decimal,
}

/// How dates of rows are written. Only the first was ever seen. A client counts a row at the date that it shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateText {
    /// `2026-11-26 09:05:00`.
    #[default]
    Plain,
    /// `2026-11-26 09:05:00.123`: later than the truth says by that fraction.
    Milliseconds,
    /// `2026-11-26T09:05:00`.
    WithT,
    /// `2026-11-26T09:05:00-05:00`. In a repeated hour it tells which of the two instants is meant; the truth has the earlier.
    ZoneOffset,
    /// `2026-11-26T14:05:00Z`, the same instant in UTC. For a repeated hour see `ZoneOffset`.
    Utc,
    /// `2026-11-26 09:05`: up to 59 s before what the truth says, so compare whole minutes.
    Minutes,
    /// `2026/11/26 09:05:00`.
    Slashes,
    /// `26/11/2026 09:05:00`.
    DayFirst,
    /// `2026-11-26 9:05:00`.
    ShortHour,
}

impl DateText {
    /// The text of an instant, whose local time is `wall`: seconds of the local clock read as if it were UTC.
    pub(crate) fn text(self, wall: i64, instant: i64) -> String {
        let shown = if self == DateText::Utc { instant } else { wall };
        let Ok(shown) = Timestamp::from_second(shown) else {
            return String::new();
        };
        let local = Offset::UTC.to_datetime(shown);
        let (date, time) = (local.date(), local.time());
        match self {
            DateText::Plain => format!("{date} {time}"),
            DateText::Milliseconds => format!("{date} {time}.123"),
            DateText::WithT => format!("{date}T{time}"),
            DateText::ZoneOffset => {
                let minutes = (wall - instant) / 60;
                let sign = if minutes < 0 { '-' } else { '+' };
                let minutes = minutes.abs();
                format!("{date}T{time}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            DateText::Utc => format!("{date}T{time}Z"),
            DateText::Minutes => local.strftime("%Y-%m-%d %H:%M").to_string(),
            DateText::Slashes => local.strftime("%Y/%m/%d %H:%M:%S").to_string(),
            DateText::DayFirst => local.strftime("%d/%m/%Y %H:%M:%S").to_string(),
            DateText::ShortHour => format!("{date} {}:{:02}:{:02}", local.hour(), local.minute(), local.second()),
        }
    }
}

/// The names of campaigns, skills and routing points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameText {
    /// As they are.
    #[default]
    Plain,
    /// The name, then control characters (escaped), then more text, 300 characters in all. Assumed.
    Long,
}

impl NameText {
    pub(crate) fn text(self, name: &str) -> String {
        match self {
            NameText::Plain => name.to_owned(),
            NameText::Long => name
                .chars()
                .chain("\u{7}\n\t\u{7f}".chars())
                .chain(std::iter::repeat('ñ'))
                .take(300)
                .collect(),
        }
    }
}

/// How `campaign` joins id, name and strategy. Only the first was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CampaignText {
    /// `4875 - Ventas - tel1 (100%)`.
    #[default]
    Spaced,
    /// `4875-Ventas-tel1 (100%)`.
    Tight,
    /// `4875 – Ventas – tel1 (100%)`, as word processors make it.
    EnDash,
    /// `4875|Ventas`.
    Bar,
    /// `4875_Ventas_tel1`.
    Underscored,
    /// `Ventas – tel1 (100%)`: no id. What remains of it is all that identifies the campaign.
    WithoutId,
    /// `Ventas`: the name alone.
    NameOnly,
}

impl CampaignText {
    pub(crate) fn text(self, id: u32, name: &str, strategy: &str) -> String {
        match self {
            CampaignText::Spaced => format!("{id} - {name} - {strategy}"),
            CampaignText::Tight => format!("{id}-{name}-{strategy}"),
            CampaignText::EnDash => format!("{id} – {name} – {strategy}"),
            CampaignText::Bar => format!("{id}|{name}"),
            CampaignText::Underscored => format!("{id}_{name}_{}", strategy.split(' ').next().unwrap_or_default()),
            CampaignText::WithoutId => format!("{name} – {strategy}"),
            CampaignText::NameOnly => name.to_owned(),
        }
    }
}
