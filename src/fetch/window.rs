//! Which span of time to ask for: instants for us, wall-clock text for the API.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::config::Reread;
use crate::ledger::DayProgress;

/// How long after midnight a day is over: its late calls have arrived by then.
const OVER_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// The API answers for at most this many days.
const MOST_DAYS: i64 = 31;

/// The wall-clock range of a day until `now`, or of the whole day when it is over: 14 digits each, both inclusive.
///
/// The range begins at 00:00 even if the clock skips that minute. It ends at the latest wall-clock time that the day
/// has seen, which is later than the current time if the clock went back.
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

/// An instant as rows are dated: they write the wall clock, so in an hour that comes twice both passes have the dates of
/// the first.
pub fn as_dated(at: Timestamp, zone: &TimeZone) -> Timestamp {
    let first = zone.to_ambiguous_timestamp(zone.to_datetime(at)).earlier();
    first.unwrap_or(at)
}

/// The instant at which a local day begins; not every day has a midnight. `None` beyond the end of the calendar.
pub fn start_of_day(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    Some(date.to_zoned(zone.clone()).ok()?.start_of_day().ok()?.timestamp())
}

/// The instant at which the next local day begins.
pub fn next_midnight(at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    start_of_day(local_date(at, zone).tomorrow().ok()?, zone)
}

/// Whether a day has been over long enough for its totals to be final.
pub fn is_over(date: Date, now: Timestamp, zone: &TimeZone) -> bool {
    let next = date.tomorrow().ok().and_then(|next| start_of_day(next, zone));
    next.is_some_and(|next| now.duration_since(next) >= OVER_AFTER)
}

/// The days before today to read: those that are not settled and, when a reread is due, those within its reach and those
/// that were empty. Oldest first, at most 31 days back, none before the birth.
pub fn past_days(progress: &DayProgress, reread: &Reread, now: Timestamp, zone: &TimeZone) -> Vec<Date> {
    let today = local_date(now, zone);
    let oldest = progress.born.max(today.saturating_sub(MOST_DAYS.days()));
    let is_reread = reread_is_due(progress, reread, now);
    let again_from = now.checked_sub(reread.back).unwrap_or(Timestamp::MIN);
    let again_from = local_date(again_from, zone);
    oldest
        .series(1.day())
        .take_while(|date| *date < today)
        .filter(|date| is_over(*date, now, zone))
        .filter(|date| match progress.is_settled(*date) {
            false => !progress.is_just_read(*date, now),
            true => is_reread && (*date >= again_from || progress.is_empty(*date)),
        })
        .collect()
}

/// Whether it is time to reread earlier days.
pub fn reread_is_due(progress: &DayProgress, reread: &Reread, now: Timestamp) -> bool {
    let since = Duration::try_from(now.duration_since(progress.reread_at)).unwrap_or_default();
    since >= reread.every
}

/// The wall-clock range of a window, both ends inclusive: from the earliest to the latest time that occurs in it, so
/// that an hour that occurs twice is complete.
pub fn wall_clock_range(from: Timestamp, until: Timestamp, zone: &TimeZone) -> (DateTime, DateTime) {
    let clocks = || wall_clocks(from, until, zone);
    let (first, last) = (clocks().min(), clocks().max());
    let or_plain = |clock: Option<DateTime>, at| clock.unwrap_or_else(|| zone.to_datetime(at));
    (or_plain(first, from), or_plain(last, until))
}

/// The same as text: 14 digits each.
pub fn text(from: Timestamp, until: Timestamp, zone: &TimeZone) -> (String, String) {
    let (first, last) = wall_clock_range(from, until, zone);
    (digits(first), digits(last))
}

/// The wall-clock times at both ends of every span between two instants in which the UTC offset is constant.
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

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn digits(from: &str, until: &str) -> (String, String) {
        (from.to_owned(), until.to_owned())
    }

    #[test]
    fn both_ends_of_a_window_are_wall_clock_text() {
        let window = text(
            at("2026-11-26T04:59:58Z"),
            at("2026-11-26T05:00:01Z"),
            &zone("America/Bogota"),
        );
        assert_eq!(window, digits("20261125235958", "20261126000001"));
    }

    /// In Santiago the clock goes back from 24:00 to 23:00 on 4 April 2026, at 03:00 UTC.
    #[test]
    fn a_window_has_the_whole_of_an_hour_that_comes_twice() {
        let santiago = zone("America/Santiago");
        let in_both = text(at("2026-04-05T02:30:00Z"), at("2026-04-05T03:15:00Z"), &santiago);
        assert_eq!(in_both, digits("20260404230000", "20260404235959"));
        let in_the_first = text(at("2026-04-05T02:30:00Z"), at("2026-04-05T02:45:00Z"), &santiago);
        assert_eq!(in_the_first, digits("20260404233000", "20260404234500"));
        let today = day_text(date(2026, 4, 4), at("2026-04-05T03:15:00Z"), &santiago);
        assert_eq!(
            today,
            digits("20260404000000", "20260404235959"),
            "later than 23:15 now"
        );
        let midnight = at("2026-04-05T04:00:00Z");
        assert_eq!(next_midnight(at("2026-04-05T02:30:00Z"), &santiago), Some(midnight));
        assert_eq!(next_midnight(at("2026-04-05T03:30:00Z"), &santiago), Some(midnight));
    }

    /// In Santiago the clock goes forward from 00:00 to 01:00 on 6 September 2026, at 04:00 UTC.
    #[test]
    fn a_day_without_a_midnight_begins_at_one() {
        let santiago = zone("America/Santiago");
        let start = at("2026-09-06T04:00:00Z");
        assert_eq!(start_of_day(date(2026, 9, 6), &santiago), Some(start));
        assert_eq!(next_midnight(at("2026-09-06T03:59:59Z"), &santiago), Some(start));
        assert_eq!(local_date(at("2026-09-06T03:59:59Z"), &santiago), date(2026, 9, 5));
        let today = day_text(date(2026, 9, 6), start, &santiago);
        assert_eq!(
            today,
            digits("20260906000000", "20260906010000"),
            "still asked from midnight"
        );
        let across = text(at("2026-09-06T03:59:00Z"), at("2026-09-06T04:01:00Z"), &santiago);
        assert_eq!(across, digits("20260905235900", "20260906010100"));
    }

    /// In Havana the clock goes back from 01:00 to 00:00 on 1 November 2026, at 05:00 UTC.
    #[test]
    fn a_day_with_two_midnights_begins_at_the_first() {
        let havana = zone("America/Havana");
        let first = at("2026-11-01T04:00:00Z");
        assert_eq!(start_of_day(date(2026, 11, 1), &havana), Some(first));
        let second = at("2026-11-01T05:00:00Z");
        assert_eq!(
            next_midnight(second, &havana),
            Some(at("2026-11-02T05:00:00Z")),
            "a day of 25 hours"
        );
        let today = day_text(date(2026, 11, 1), second, &havana);
        assert_eq!(
            today,
            digits("20261101000000", "20261101005959"),
            "00:00 now, and 00:59 was before"
        );
        let hour_before = text(first, at("2026-11-01T04:59:59Z"), &havana);
        assert_eq!(hour_before, digits("20261101000000", "20261101005959"));
    }

    #[test]
    fn a_day_is_over_half_an_hour_after_it_has_ended() {
        let bogota = zone("America/Bogota");
        let yesterday = date(2026, 11, 25);
        assert!(!is_over(yesterday, at("2026-11-26T05:29:59Z"), &bogota));
        assert!(is_over(yesterday, at("2026-11-26T05:30:00Z"), &bogota));
        assert_eq!(
            day_text(yesterday, at("2026-11-26T05:30:00Z"), &bogota),
            digits("20261125000000", "20261125235959")
        );
    }

    #[test]
    fn past_days_are_those_without_final_totals_and_those_to_be_read_again() {
        let bogota = zone("America/Bogota");
        let progress: DayProgress = serde_json::from_str(
            r#"{
                "born": "2026-11-20", "covered": "2026-11-26T15:00:00Z", "reread_at": "2026-11-26T09:00:00Z",
                "days": {
                    "2026-11-20": {"settled": true, "marks": {"calls short": {"highest": {"Count": 1}, "last": {"Count": 1}}}},
                    "2026-11-21": {"settled": true, "marks": {}},
                    "2026-11-23": {"settled": true, "marks": {"calls short": {"highest": {"Count": 1}, "last": {"Count": 1}}}},
                    "2026-11-24": {"settled": true, "marks": {"calls short": {"highest": {"Count": 1}, "last": {"Count": 1}}}},
                    "2026-11-25": {"settled": false, "marks": {}}
                }
            }"#,
        )
        .unwrap();
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let reread = Reread {
            every: hours(6),
            back: hours(48),
        };
        let days = |now| {
            let days = past_days(&progress, &reread, at(now), &bogota);
            days.into_iter().map(|date| date.day()).collect::<Vec<_>>()
        };
        assert_eq!(
            days("2026-11-26T14:59:59Z"),
            [22, 25],
            "never read after they had settled"
        );
        assert_eq!(
            days("2026-11-26T15:00:00Z"),
            [21, 22, 24, 25],
            "and the last 48 hours, and an empty day"
        );
        assert_eq!(days("2026-11-26T05:10:00Z"), [22], "25 November is not settled yet");
        assert_eq!(days("2026-12-23T15:00:00Z")[..2], [22, 25], "31 days back");
        assert_eq!(days("2026-12-24T15:00:00Z")[..2], [25, 26], "and no more");
    }
}
