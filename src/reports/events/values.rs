//! The values of events: labels that anybody may choose, ids, and dates.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::metrics::series::{Label, Micros};
use crate::wire::fields::{self, Leaf};

/// Free values are cut to this many characters.
const LONGEST_VALUE: usize = 64;
/// A free value with this many digits may be a telephone number or the number of an identity card.
const TOO_MANY_DIGITS: usize = 6;
/// The label for an absent value.
pub(in crate::reports) const NONE: &str = "none";
/// The label for a value that is not in the list.
pub(in crate::reports) const OTHER: &str = "other";

/// A value that anybody may choose, shortened, and replaced if it may be a person's number: callers type their ids into
/// menus.
pub(in crate::reports) fn free(text: &str) -> Label {
    if text.chars().filter(|c| c.is_numeric()).count() >= TOO_MANY_DIGITS {
        return Label::Borrowed("number");
    }
    let cut: String = text.chars().filter(|c| !c.is_control()).take(LONGEST_VALUE).collect();
    let cut = cut.trim();
    if cut.is_empty() {
        Label::Borrowed(NONE)
    } else {
        Label::Owned(cut.to_owned())
    }
}

/// A value of an open list as a label: lower case, with `_` for spaces.
pub(in crate::reports) fn enumerated(text: &str) -> Label {
    free(&text.to_lowercase().split_whitespace().collect::<Vec<_>>().join("_"))
}

/// The value of a field that identifies a row or an id.
pub(in crate::reports) fn id<'r>(leaf: &'r Leaf<'_>) -> Option<&'r str> {
    fields::text(leaf).value()
}

/// The value that a histogram observes, in seconds.
pub(in crate::reports) fn observed(seconds: u64) -> Micros {
    Micros(seconds.saturating_mul(Micros::PER_UNIT))
}

/// A counter observes no value.
pub(in crate::reports) const ONE: Micros = Micros(0);

/// `YYYY-MM-DD HH:MM:SS`, the format of dates in all row reports (seen in real answers); a `T` in the middle is
/// accepted too.
pub(in crate::reports) fn parse_date(text: &str) -> Option<DateTime> {
    let bytes = text.as_bytes();
    let shape = b"0000-00-00 00:00:00";
    let fits = bytes.len() == shape.len()
        && bytes.iter().zip(shape).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            b' ' => matches!(byte, b' ' | b'T'),
            wanted => byte == wanted,
        });
    if !fits {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .fold(0, |n, digit| n * 10 + i16::from(digit - b'0'))
    };
    let small = |from| i8::try_from(number(from, from + 2)).ok();
    DateTime::new(
        number(0, 4),
        small(5)?,
        small(8)?,
        small(11)?,
        small(14)?,
        small(17)?,
        0,
    )
    .ok()
}

/// Seconds of a wall-clock time as if the zone were UTC, so that a row has the same number in every configured zone.
pub(in crate::reports) fn wall_clock_second(at: DateTime) -> i64 {
    TimeZone::UTC.to_timestamp(at).map_or(0, Timestamp::as_second)
}
