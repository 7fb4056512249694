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
    pub(super) fn parse(text: &'r str, zone: &TimeZone, asked: &Asked) -> Option<Self> {
        let date = dates::parse(text)?;
        let (wall_clock, at) = match date.offset {
            Some(offset) => {
                let at = offset.to_timestamp(date.wall_clock).ok()?;
                (zone.to_datetime(at), at)
            }
            None => {
                let at = zone.to_ambiguous_timestamp(date.wall_clock).earlier().ok()?;
                (date.wall_clock, at)
            }
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
