//! The window that a request asks for, in local wall-clock seconds.

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{Offset, TimeZone},
};

/// Both ends are inclusive (clients in daily use rely on it).
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) from: DateTime,
    pub(super) until: DateTime,
}

/// Reads `YYYYmmddHHiiss`. A time that the zone's clocks leave out is a time like any other here.
pub(super) fn read_text(text: &str) -> Option<DateTime> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| text[from..to].parse::<i8>().ok();
    let year = text[..4].parse::<i16>().ok()?;
    DateTime::new(
        year,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?,
        0,
    )
    .ok()
}

impl Window {
    /// Whether it spans more than that many days.
    pub(super) fn longer_than(&self, days: i64) -> bool {
        wall_seconds(self.until) - wall_seconds(self.from) > days * 86_400
    }

    /// The seconds since the epoch, as inclusive ranges, whose local text lies within the window.
    ///
    /// A repeated hour is in it twice, and a window that ends inside one is two ranges: each stretch of one offset is
    /// looked at by itself.
    pub(super) fn instants(&self, timezone: &TimeZone) -> Vec<(i64, i64)> {
        let (from, until) = (wall_seconds(self.from), wall_seconds(self.until));
        // No offset is a whole day, so a day to each side holds every instant.
        let mut start = from - 86_400;
        let last = until + 86_400;
        let Ok(first_instant) = Timestamp::from_second(start) else {
            return Vec::new();
        };
        let mut offset = i64::from(timezone.to_offset(first_instant).seconds());
        let mut ranges = Vec::new();
        let mut stretch = |start: i64, end: i64, offset: i64| {
            let range = (start.max(from - offset), end.min(until - offset));
            if range.0 <= range.1 {
                ranges.push(range);
            }
        };
        for transition in timezone.following(first_instant) {
            let at = transition.timestamp().as_second();
            if at > last {
                break;
            }
            stretch(start, at - 1, offset);
            start = at;
            offset = i64::from(transition.offset().seconds());
        }
        stretch(start, last, offset);
        ranges
    }
}

/// The text read as if it were UTC: a number line of wall-clock seconds.
fn wall_seconds(text: DateTime) -> i64 {
    Offset::UTC.to_timestamp(text).map_or(0, Timestamp::as_second)
}
