//! When people work: hours of the week, in the operation's local time.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::secret::refuse;
use crate::yaml::mapping::Field;
use crate::yaml::mistake::quoted;

const WHAT: &str = "days with hours, such as {Mon-Fri: \"07:00-20:00\", Sat: \"08:00-14:00\"}";
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The working hours of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    /// From Monday on.
    days: [Vec<Shift>; DAYS.len()],
}

/// Hours of one day. They belong to the day on which they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shift {
    begin: Time,
    end: Time,
    /// Whether the end is on the next day; midnight at the end of the day is.
    is_next_day: bool,
}

impl Hours {
    /// Reads days and their hours: `Mon-Fri: "07:00-20:00"`, `Sat,Sun: "22:00-06:00"`, `Mon: "08:00-12:00, 14:00-18:00"`.
    pub(super) fn read(field: Field<'_>) -> Option<Self> {
        let keys = field.mapping(WHAT)?;
        if keys.is_empty() {
            keys.mistake(format!("expected {WHAT}; found nothing"));
            return None;
        }
        let mut hours = Self::default();
        let mut is_right = true;
        for (days, field) in keys.all() {
            let shifts = field.parse_shown("hours such as \"07:00-20:00\"", shifts);
            let days = refuse(days, "`token_file`").and_then(|()| week_days(days));
            let days = days.map_err(|wrong| field.mistake(wrong)).ok();
            let (Some(shifts), Some(days)) = (shifts, days) else {
                is_right = false;
                continue;
            };
            for day in days {
                if !hours.days[day].is_empty() {
                    field.mistake(format!("{} has hours already", DAYS[day].0));
                }
                hours.days[day].extend(&shifts);
            }
        }
        is_right.then_some(hours)
    }

    /// Whether people work at an instant.
    pub fn are_at(&self, now: Timestamp, zone: &TimeZone) -> bool {
        self.spans(now, now, zone).any(|span| span.contains(&now))
    }

    /// When people begin to work next, at most a week later; `None` if they work now.
    pub fn next_begin(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let next_week = now.saturating_add(8 * 24.hours()).ok()?;
        let spans = self.spans(now, next_week, zone).filter(|span| span.end > now);
        spans.map(|span| span.start).min().filter(|begin| *begin > now)
    }

    /// For how long people work between two instants.
    pub fn time_between(&self, from: Timestamp, until: Timestamp, zone: &TimeZone) -> Duration {
        let mut spans: Vec<Range<Timestamp>> = self.spans(from, until, zone).collect();
        spans.sort_by_key(|span| span.start);
        let mut counted_until = from;
        let mut time = Duration::ZERO;
        for span in spans {
            let (start, end) = (span.start.max(counted_until), span.end.min(until));
            time += Duration::try_from(end.duration_since(start)).unwrap_or_default();
            counted_until = counted_until.max(end);
        }
        time
    }

    /// For how long people work on the longest day of a week.
    pub fn longest_day(&self) -> Duration {
        let midnights = (0..8).map_while(|day| {
            // Any Monday does.
            let date = Date::constant(2024, 1, 8).checked_add(day.days()).ok()?;
            TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()
        });
        let midnights: Vec<Timestamp> = midnights.collect();
        let days = midnights.windows(2);
        days.map(|day| self.time_between(day[0], day[1], &TimeZone::UTC))
            .max()
            .unwrap_or_default()
    }

    /// The working times of all days that may have some between two instants.
    fn spans<'h>(
        &'h self,
        from: Timestamp,
        until: Timestamp,
        zone: &'h TimeZone,
    ) -> impl Iterator<Item = Range<Timestamp>> + 'h {
        let first = zone.to_datetime(from).date();
        let first = first.yesterday().unwrap_or(first);
        let last = zone.to_datetime(until).date();
        let dates = std::iter::successors(Some(first), |date| date.tomorrow().ok());
        dates.take_while(move |date| *date <= last).flat_map(move |date| {
            let day = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
            self.days[day].iter().filter_map(move |shift| shift.on(date, zone))
        })
    }
}

/// As in a configuration: `{mon: "08:00-12:00, 14:00-18:00", sat: "22:00-06:00"}`.
impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = DAYS.iter().zip(&self.days).filter(|(_, shifts)| !shifts.is_empty());
        let days = days.map(|((day, _), shifts)| {
            let shifts: Vec<String> = shifts.iter().map(ToString::to_string).collect();
            format!("{day}: \"{}\"", shifts.join(", "))
        });
        write!(f, "{{{}}}", days.collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.end {
            end if end == Time::midnight() => "24:00".to_owned(),
            end => end.strftime("%H:%M").to_string(),
        };
        write!(f, "{}-{end}", self.begin.strftime("%H:%M"))
    }
}

impl Shift {
    /// The time that begins on this day. Of an hour that comes twice, both are in it.
    fn on(self, date: Date, zone: &TimeZone) -> Option<Range<Timestamp>> {
        let last = if self.is_next_day { date.tomorrow().ok()? } else { date };
        let begin = zone.to_ambiguous_timestamp(date.to_datetime(self.begin)).compatible();
        let end = zone.to_ambiguous_timestamp(last.to_datetime(self.end)).later();
        Some(begin.ok()?..end.ok()?)
    }
}

/// The places of days from Monday on: `Mon`, `Mon-Fri`, `Fri-Mon`, `Tue,Thu`.
fn week_days(text: &str) -> Result<Vec<usize>, String> {
    let day = |name: &str| {
        let name = name.trim().to_lowercase();
        let day = DAYS.iter().position(|(short, _)| name.starts_with(short));
        day.ok_or_else(|| format!("expected days such as Mon, Mon-Fri or Sat,Sun; found {}", quoted(text)))
    };
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let length = (last + DAYS.len() - first) % DAYS.len();
        days.extend((first..=first + length).map(|day| day % DAYS.len()));
    }
    Ok(days)
}

/// Hours of a day: `07:00-20:00`, `22:00-06:00` until the next morning, `08:00-12:00, 14:00-18:00`.
fn shifts(text: &str) -> Result<Vec<Shift>, String> {
    text.split(',').map(|part| shift(part, text)).collect()
}

fn shift(part: &str, text: &str) -> Result<Shift, String> {
    let wrong = || format!("expected hours such as \"07:00-20:00\"; found {}", quoted(text));
    let (begin, end) = part.split_once('-').ok_or_else(wrong)?;
    let begin = time(begin).ok_or_else(wrong)?;
    let end = match end.trim() {
        "24:00" => Time::midnight(),
        end => time(end).ok_or_else(wrong)?,
    };
    if begin == end && begin != Time::midnight() {
        return Err(format!("{} begins and ends at the same time", quoted(part.trim())));
    }
    Ok(Shift {
        begin,
        end,
        is_next_day: end <= begin,
    })
}

/// `7:00`, `07:00`.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str| -> Option<i8> {
        let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().ok())?
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn hours(days: &[(&str, &str)]) -> Hours {
        let mut hours = Hours::default();
        for (names, text) in days {
            for day in week_days(names).unwrap() {
                hours.days[day].extend(shifts(text).unwrap());
            }
        }
        hours
    }

    #[test]
    fn hours_are_those_of_the_local_week() {
        let zone = TimeZone::get("America/Bogota").unwrap();
        let hours = hours(&[("Mon-Fri", "07:00-20:00"), ("Sat", "08:00-12:00, 13:00-14:00")]);
        // 26 November 2026 is a Thursday.
        for (now, expected) in [
            ("2026-11-26T11:59:59Z", false),
            ("2026-11-26T12:00:00Z", true),
            ("2026-11-27T00:59:59Z", true),
            ("2026-11-27T01:00:00Z", false),
            ("2026-11-28T17:30:00Z", false),
            ("2026-11-28T18:30:00Z", true),
            ("2026-11-29T15:00:00Z", false),
        ] {
            assert_eq!(hours.are_at(at(now), &zone), expected, "{now}");
        }
        let begins = |now| hours.next_begin(at(now), &zone);
        assert_eq!(begins("2026-11-26T03:00:00Z"), Some(at("2026-11-26T12:00:00Z")));
        assert_eq!(begins("2026-11-26T15:00:00Z"), None, "people work");
        assert_eq!(begins("2026-11-28T20:00:00Z"), Some(at("2026-11-30T12:00:00Z")));
        let of_day = hours.time_between(at("2026-11-26T05:00:00Z"), at("2026-11-27T05:00:00Z"), &zone);
        assert_eq!(of_day, Duration::from_secs(13 * 3600));
        assert_eq!(hours.longest_day(), Duration::from_secs(13 * 3600));
    }

    #[test]
    fn hours_may_go_on_after_midnight_and_all_day() {
        let zone = TimeZone::get("America/Bogota").unwrap();
        let nights = hours(&[("Fri-Sun", "22:00-06:00")]);
        for (now, expected) in [
            ("2026-11-28T02:59:59Z", false),
            ("2026-11-28T03:00:00Z", true),
            ("2026-11-28T10:59:59Z", true),
            ("2026-11-28T11:00:00Z", false),
            ("2026-11-30T10:00:00Z", true),
            ("2026-12-01T04:00:00Z", false),
        ] {
            assert_eq!(nights.are_at(at(now), &zone), expected, "{now}");
        }
        let always = hours(&[("Mon-Sun", "00:00-24:00")]);
        assert!(always.are_at(at("2026-11-28T05:00:00Z"), &zone));
        assert_eq!(always.longest_day(), Duration::from_secs(24 * 3600));
        assert_eq!(always.next_begin(at("2026-11-28T05:00:00Z"), &zone), None);
    }

    /// In Santiago the clock goes back from 24:00 to 23:00 on 4 April 2026, and from 0:00 to 1:00 on 6 September.
    #[test]
    fn days_of_23_and_25_hours_are_whole() {
        let zone = TimeZone::get("America/Santiago").unwrap();
        let always = hours(&[("Mon-Sun", "00:00-24:00")]);
        let evenings = hours(&[("Mon-Sun", "18:00-23:30")]);
        let time = |hours: &Hours, from, until| hours.time_between(at(from), at(until), &zone).as_secs() / 60;
        let (from, until) = ("2026-04-04T03:00:00Z", "2026-04-05T04:00:00Z");
        assert_eq!(time(&always, from, until), 25 * 60);
        assert_eq!(
            time(&evenings, from, until),
            5 * 60 + 30 + 60,
            "23:00 to 23:30 comes twice, with what is between"
        );
        let (from, until) = ("2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z");
        assert_eq!(time(&always, from, until), 23 * 60);
    }
}
