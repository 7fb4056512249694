//! The window of a request, in local wall-clock time.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::{Offset, TimeZone},
};

/// A window. Both ends are inclusive (clients in daily use rely on it).
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) from: DateTime,
    pub(super) until: DateTime,
}

/// Reads `YYYYmmddHHiiss`. Local times that a clock change skips are accepted.
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
    /// Whether it is longer than this many days.
    pub(super) fn longer_than(&self, days: i64) -> bool {
        wall_seconds(self.until) - wall_seconds(self.from) > days * 86_400
    }

    /// The window with a margin on both sides.
    pub(super) fn widened(self, margin: SignedDuration) -> Window {
        Window {
            from: self.from.saturating_sub(margin),
            until: self.until.saturating_add(margin),
        }
    }

    /// The seconds since the epoch whose local time is within the window, as inclusive ranges.
    ///
    /// A repeated hour occurs twice, and a window that ends inside one has two ranges: each period of one UTC offset is
    /// taken by itself.
    pub(super) fn instants(&self, timezone: &TimeZone) -> Vec<(i64, i64)> {
        let (from, until) = (wall_seconds(self.from), wall_seconds(self.until));
        // Offsets are less than a day, so a day on each side covers every instant.
        let mut start = from - 86_400;
        let last = until + 86_400;
        let Ok(first_instant) = Timestamp::from_second(start) else {
            return Vec::new();
        };
        let mut offset = i64::from(timezone.to_offset(first_instant).seconds());
        let mut ranges = Vec::new();
        let mut add_period = |start: i64, end: i64, offset: i64| {
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
            add_period(start, at - 1, offset);
            start = at;
            offset = i64::from(transition.offset().seconds());
        }
        add_period(start, last, offset);
        ranges
    }
}

/// The number of a day: wall-clock seconds divided by those of a day.
pub(super) fn day_number(date: Date) -> i64 {
    wall_seconds(date.into()).div_euclid(86_400)
}

/// Wall-clock seconds: the local time read as if it were UTC.
fn wall_seconds(text: DateTime) -> i64 {
    Offset::UTC.to_timestamp(text).map_or(0, Timestamp::as_second)
}
