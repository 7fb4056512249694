//! The dates of rows.
//!
//! `YYYY-MM-DD HH:MM:SS` in the operation's local time was seen in real answers. Any other format would stop every count, so
//! all plausible ones are accepted.

use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;

/// A date as a row writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateText {
    /// Date and time as written, without fractions of a second.
    pub wall_clock: DateTime,
    /// The UTC offset, if one is written. Otherwise the date is in the operation's time zone.
    pub offset: Option<Offset>,
    /// Whether the day comes first, as in `26/11/2026`. That may also be a month, so it needs a second look.
    pub day_first: bool,
    /// Whether the text is `YYYY-MM-DD HH:MM:SS`, as in every known answer.
    pub is_usual: bool,
}

/// Reads a date: `2026-11-26 10:00:00`, also with a `T`, without seconds, with fractions, with `Z` or a UTC offset, with
/// slashes, without leading zeros, or with the day first. `None` if it is none of these.
pub fn parse(text: &str) -> Option<DateText> {
    if let Some(wall_clock) = usual(text) {
        return Some(DateText {
            wall_clock,
            offset: None,
            day_first: false,
            is_usual: true,
        });
    }
    let text = text.trim();
    let (date, time) = text.split_once([' ', 'T', 't'])?;
    let separator = if date.contains('/') { '/' } else { '-' };
    let mut parts = date.split(separator);
    let (first, month, last) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let day_first = last.len() == 4;
    let (year, day) = if day_first { (last, first) } else { (first, last) };
    // With two digits, year and day cannot be told apart.
    if year.len() < 4 {
        return None;
    }
    let time: String = time.split_whitespace().collect();
    let hour = time.find(':')?;
    // What the library reads needs all leading zeros.
    let iso = format!("{year}-{month:0>2}-{day:0>2}T{:0>2}{}", &time[..hour], &time[hour..]);
    let pieces = Pieces::parse(&iso).ok()?;
    let time = pieces.time()?.with().subsec_nanosecond(0).build().ok()?;
    Some(DateText {
        wall_clock: pieces.date().to_datetime(time),
        offset: pieces.to_numeric_offset(),
        day_first,
        is_usual: false,
    })
}

/// The format of every known answer, read without detours: this runs for hundreds of thousands of rows.
fn usual(text: &str) -> Option<DateTime> {
    let bytes = text.as_bytes();
    let shape = b"0000-00-00 00:00:00";
    let fits = bytes.len() == shape.len()
        && bytes.iter().zip(shape).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
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

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;

    #[test]
    fn dates_are_read_in_every_plausible_format() {
        let plain = [
            "2026-11-26 10:00:09",
            "2026-11-26T10:00:09",
            "2026-11-26 10:00:09.123",
            "2026/11/26 10:00:09",
            " 2026-11-26  10:00:09 ",
        ];
        for text in plain {
            let date = parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(date.wall_clock, datetime(2026, 11, 26, 10, 0, 9, 0), "{text}");
            assert_eq!((date.offset, date.day_first), (None, false), "{text}");
        }
        let short = parse("2026-1-6 9:05").unwrap();
        assert_eq!(short.wall_clock, datetime(2026, 1, 6, 9, 5, 0, 0));
        let day_first = parse("26/11/2026 10:00:09").unwrap();
        assert_eq!(day_first.wall_clock, datetime(2026, 11, 26, 10, 0, 9, 0));
        assert!(day_first.day_first);
    }

    #[test]
    fn an_offset_is_kept() {
        for (text, hours) in [
            ("2026-11-26T10:00:00-05:00", -5),
            ("2026-11-26 10:00:00 -0500", -5),
            ("2026-11-26T10:00:00.5-05", -5),
            ("2026-11-26T10:00:00Z", 0),
        ] {
            let date = parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(date.offset, Some(jiff::tz::offset(hours)), "{text}");
            assert_eq!(date.wall_clock, datetime(2026, 11, 26, 10, 0, 0, 0), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_date() {
        for text in [
            "",
            "2026-11-26",
            "10:00:00",
            "2026-13-26 10:00:00",
            "2026-11-26 25:00:00",
            "26-11 10:00",
            "26/11/26 10:00:00",
            "x T y:z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
