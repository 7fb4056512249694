//! Which stretch of time to ask for: instants on our side, wall-clock text on the API's.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::config::Reread;
use crate::ledger::DayProgress;

/// After this much of a new day the last one has settled: its late calls have arrived.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// The API answers for at most this many days.
const MOST_DAYS: i64 = 31;

/// The wall-clock text of a day's part up to `now`, or of the whole day when it is over: 14 digits each, both inclusive.
///
/// The day is asked from its midnight whether that minute exists or not, and up to the latest wall-clock time inside it:
/// where the clock went back, that is later than the time it shows now.
pub fn day_text(date: Date, now: Timestamp, zone: &TimeZone) -> (String, String) {
    let midnight = digits(date.at(0, 0, 0, 0));
    if date < local_date(now, zone) {
        return (midnight, digits(date.at(23, 59, 59, 0)));
    }
    let (_, last) = text(start_of_day(date, zone).unwrap_or(now), now, zone);
    (midnight, last)
}

/// The local date of an instant.
pub fn local_date(at: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(at).date()
}

/// The instant at which a local day begins; not every day has a midnight. `None` beyond the calendar's end.
pub fn start_of_day(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    Some(date.to_zoned(zone.clone()).ok()?.start_of_day().ok()?.timestamp())
}

/// The instant at which the local day after the one of `at` begins.
pub fn next_midnight(at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    start_of_day(local_date(at, zone).tomorrow().ok()?, zone)
}

/// Whether a day is over for long enough that its totals hold.
pub fn is_settled(date: Date, now: Timestamp, zone: &TimeZone) -> bool {
    let next = date.tomorrow().ok().and_then(|next| start_of_day(next, zone));
    next.is_some_and(|next| now.duration_since(next) >= SETTLED_AFTER)
}

/// The days before today that have to be read: those whose totals were never read after they had settled, and at each
/// reread all settled ones that it reaches back to. Oldest first, 31 days back at most, none before the birth.
pub fn past_days(progress: &DayProgress, reread: &Reread, now: Timestamp, zone: &TimeZone) -> Vec<Date> {
    let today = local_date(now, zone);
    let oldest = progress.born.max(today.saturating_sub(MOST_DAYS.days()));
    let again_from = reread_is_due(progress, reread, now)
        .then(|| now.checked_sub(reread.back).ok())
        .flatten()
        .map(|from| local_date(from, zone));
    oldest
        .series(1.day())
        .take_while(|date| *date < today)
        .filter(|date| is_settled(*date, now, zone))
        .filter(|date| !progress.is_settled(*date) || again_from.is_some_and(|from| *date >= from))
        .collect()
}

/// Whether the days before today are to be read once more.
pub fn reread_is_due(progress: &DayProgress, reread: &Reread, now: Timestamp) -> bool {
    let since = Duration::try_from(now.duration_since(progress.reread_at)).unwrap_or_default();
    since >= reread.every
}

/// The wall-clock text of a window: from the earliest to the latest time that occurs inside it, so that an hour which
/// comes twice is whole. Both ends are inclusive.
pub fn text(from: Timestamp, until: Timestamp, zone: &TimeZone) -> (String, String) {
    let clocks = || wall_clocks(from, until, zone);
    let (first, last) = (clocks().min(), clocks().max());
    let or_plain = |clock: Option<DateTime>, at| digits(clock.unwrap_or_else(|| zone.to_datetime(at)));
    (or_plain(first, from), or_plain(last, until))
}

/// The wall-clock times at both ends of every stretch between two instants in which the clock runs evenly.
fn wall_clocks(from: Timestamp, until: Timestamp, zone: &TimeZone) -> impl Iterator<Item = DateTime> {
    let second = SignedDuration::from_secs(1);
    zone.following(from)
        .map(|transition| transition.timestamp())
        .take_while(move |at| *at <= until)
        .flat_map(move |at| [at.checked_sub(second).unwrap_or(at), at])
        .chain([from, until])
        .map(|at| zone.to_datetime(at))
}

fn digits(at: DateTime) -> String {
    at.strftime("%Y%m%d%H%M%S").to_string()
}
