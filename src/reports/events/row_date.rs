//! The date of a row, in the operation's time zone.

use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Asked;
use crate::wire::dates;

/// A date like `05/06/2026` is taken as the fifth of June if it is then no further than this from what was asked for.
const MARGIN: SignedDuration = SignedDuration::from_hours(24);

/// The date of a row.
#[derive(Clone, Debug)]
pub(in crate::reports) struct RowDate<'r> {
    /// As `YYYY-MM-DD HH:MM:SS`, whatever the row writes.
    pub(super) text: Cow<'r, str>,
    pub(super) wall_clock: DateTime,
    pub(super) at: Timestamp,
}

impl<'r> RowDate<'r> {
    /// Reads a date. A time that occurs twice because the clock went back is read as the earlier instant.
    pub(super) fn parse(text: &'r str, zone: &mut LocalTime, asked: &Asked) -> Option<Self> {
        let date = dates::parse(text)?;
        let (wall_clock, at) = match date.offset {
            Some(offset) => {
                let at = offset.to_timestamp(date.wall_clock).ok()?;
                (zone.zone.to_datetime(at), at)
            }
            None => (date.wall_clock, zone.instant(date.wall_clock)?),
        };
        let is_near = || {
            let (first, last) = (asked.first, asked.last);
            wall_clock.duration_since(last) <= MARGIN && first.duration_since(wall_clock) <= MARGIN
        };
        if date.day_first && !is_near() {
            return None;
        }
        let text = if date.is_usual {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(wall_clock.strftime("%Y-%m-%d %H:%M:%S").to_string())
        };
        Some(Self { text, wall_clock, at })
    }
}

/// The time of the operation's zone.
#[derive(Debug)]
pub(super) struct LocalTime {
    zone: TimeZone,
    /// The beginning of the last minute that was asked for. Most rows come in the order of their dates.
    last: Option<(DateTime, Timestamp)>,
}

impl LocalTime {
    pub(super) fn new(zone: &TimeZone) -> Self {
        Self {
            zone: zone.clone(),
            last: None,
        }
    }

    /// The instant of a wall-clock time; the earlier one if it occurs twice. No clock is changed in the middle of a minute.
    fn instant(&mut self, wall_clock: DateTime) -> Option<Timestamp> {
        let second = wall_clock.second();
        let minute = wall_clock.date().at(wall_clock.hour(), wall_clock.minute(), 0, 0);
        let begin = match self.last {
            Some((last, begin)) if last == minute => begin,
            _ => {
                let begin = self.zone.to_ambiguous_timestamp(minute).earlier().ok()?;
                self.last = Some((minute, begin));
                begin
            }
        };
        begin.checked_add(SignedDuration::from_secs(second.into())).ok()
    }
}
