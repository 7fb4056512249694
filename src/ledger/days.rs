//! How far the days of a report are read, and what their totals grew by: a counter grows by what a day has above its highest
//! value so far, and never falls.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::metrics::series::{Amount, SeriesKey};
use crate::reports::Report;

/// Marks are kept for this many days: a little longer than the 31 days that the API answers for.
const DAYS_KEPT: i64 = 32;
/// A day is settled when two readings that are this far apart agree.
const AGREE_AFTER: SignedDuration = SignedDuration::from_mins(30);

/// One answer about one day.
#[derive(Debug)]
pub struct DayReading {
    /// The report.
    pub report: &'static Report,
    /// The local date of the totals.
    pub date: Date,
    /// The end of the window that was read.
    pub until: Timestamp,
    /// Whether the day was over, and its late calls should have arrived.
    pub is_over: bool,
    /// Today's date.
    pub today: Date,
    /// All series of the report at zero. The commit creates those that do not exist yet.
    pub series: Vec<(SeriesKey, Amount)>,
    /// Calls used today.
    pub calls_used: u32,
    /// The totals in the answer.
    pub totals: Vec<(SeriesKey, Amount)>,
}

/// How far the days of a report are read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DayProgress {
    /// The date of the first complete poll. No day before it is read.
    pub born: Date,
    /// The end of the latest window that was read.
    pub covered: Timestamp,
    /// When the days before today were last read again.
    pub reread_at: Timestamp,
    /// The first complete poll. Older versions did not store it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<DayBirth>,
    days: BTreeMap<Date, Day>,
}

/// What the first complete poll read. It belongs to the time before live counting and is not counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DayBirth {
    /// The end of its window.
    pub at: Timestamp,
    /// By family name and labels.
    totals: BTreeMap<String, Amount>,
}

impl DayBirth {
    /// The day's total of a series at the birth; `None` where the answer had none.
    pub fn total(&self, key: &SeriesKey) -> Option<Amount> {
        self.totals.get(&name_of(key)).copied()
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Day {
    settled: bool,
    /// When the totals were first read as they were last read, after the day was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    same_since: Option<Timestamp>,
    /// By family name and labels.
    marks: BTreeMap<String, Mark>,
}

/// One total of one day.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Mark {
    /// Counted up to here.
    highest: Amount,
    /// The last reading, so that a fall is reported once and not at every poll.
    last: Amount,
}

impl DayProgress {
    /// The progress after the first reading of a report, whose totals are the baseline.
    pub(super) fn born(reading: &DayReading) -> Self {
        let marks = reading.totals.iter().map(|(key, total)| {
            (
                name_of(key),
                Mark {
                    highest: *total,
                    last: *total,
                },
            )
        });
        let day = Day {
            marks: marks.collect(),
            ..Day::default()
        };
        Self {
            born: reading.date,
            covered: reading.until,
            reread_at: reading.until,
            birth: Some(DayBirth {
                at: reading.until,
                totals: reading
                    .totals
                    .iter()
                    .map(|(key, total)| (name_of(key), *total))
                    .collect(),
            }),
            days: BTreeMap::from([(reading.date, day)]),
        }
    }

    /// Whether the totals of a day are final, as far as two readings can tell.
    pub fn is_settled(&self, date: Date) -> bool {
        self.days.get(&date).is_some_and(|day| day.settled)
    }

    /// Whether a day has no totals, as if nobody had called. It may be that the API had none yet.
    pub fn is_empty(&self, date: Date) -> bool {
        self.days.get(&date).is_none_or(|day| day.marks.is_empty())
    }

    /// Whether a day was read so shortly before that to read it again would say nothing about whether it is settled.
    pub fn is_just_read(&self, date: Date, now: Timestamp) -> bool {
        let since = self.days.get(&date).and_then(|day| day.same_since);
        since.is_some_and(|since| now.duration_since(since) < AGREE_AFTER)
    }

    /// Another server or filter: no earlier day is read from there, but what is counted of this day stays counted.
    pub(super) fn reborn(&mut self, today: Date) {
        self.born = self.born.max(today);
    }

    /// Applies a reading. Returns what the counters grow by, and how many totals have fallen.
    pub(super) fn apply(&mut self, reading: &DayReading) -> (Vec<(SeriesKey, Amount)>, u64) {
        let is_birth = reading.date == self.born;
        let day = self.days.entry(reading.date).or_default();
        let mut growth = Vec::new();
        let mut corrections = 0;
        let mut is_same = true;
        for (key, total) in &reading.totals {
            // On the day of the birth, the first value of a series belongs to the time before, even if the first answer had
            // none yet.
            let start = if is_birth { *total } else { total.zero() };
            let mark = day.marks.entry(name_of(key)).or_insert_with(|| {
                is_same = false;
                Mark {
                    highest: start,
                    last: start,
                }
            });
            corrections += u64::from(!mark.last.above(*total).is_zero());
            is_same &= mark.last == *total;
            mark.last = *total;
            let above = total.above(mark.highest);
            if !above.is_zero() {
                mark.highest = *total;
                growth.push((key.clone(), above));
            }
        }
        // An empty answer says nothing about totals that were there.
        is_same &= !reading.totals.is_empty() || day.marks.is_empty();
        if reading.is_over {
            let since = day.same_since.filter(|_| is_same).unwrap_or(reading.until);
            day.settled = reading.until.duration_since(since) >= AGREE_AFTER;
            day.same_since = Some(since);
        }
        self.covered = self.covered.max(reading.until);
        let oldest = reading.today.saturating_sub(DAYS_KEPT.days());
        self.days = self.days.split_off(&oldest);
        (growth, corrections)
    }
}

/// The key of a total on disk: the family and its first label. The currency is left out, since it is a setting: renaming it
/// does not change the cost.
fn name_of(key: &SeriesKey) -> String {
    let label = key.labels.first().map_or("", AsRef::as_ref);
    format!("{} {label}", key.family.name)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::metrics::Family;
    use crate::metrics::series::Label;
    use crate::reports::CALL_DURATIONS;

    static CALLS: Family = Family::counter("calls", &["duration"], "Calls");
    const BIRTH: i64 = 1_795_000_000;

    /// A reading of the calls shorter and longer than a minute.
    fn reading(date: Date, hour: i64, short: u64, long: u64) -> DayReading {
        DayReading {
            report: &CALL_DURATIONS,
            date,
            until: Timestamp::from_second(BIRTH + hour * 3600).unwrap(),
            is_over: false,
            today: date,
            series: Vec::new(),
            calls_used: 0,
            totals: vec![
                (series("short"), Amount::Count(short)),
                (series("long"), Amount::Count(long)),
            ],
        }
    }

    fn series(duration: &'static str) -> SeriesKey {
        SeriesKey {
            family: &CALLS,
            labels: vec![Label::Borrowed(duration)],
        }
    }

    #[test]
    fn a_day_counts_what_is_above_its_highest_reading() {
        let today = date(2026, 11, 26);
        let first = reading(today, 0, 10, 2);
        let mut progress = DayProgress::born(&first);
        assert_eq!(
            progress.apply(&first),
            (Vec::new(), 0),
            "the first reading is the baseline"
        );
        let more = (vec![(series("short"), Amount::Count(5))], 0);
        assert_eq!(progress.apply(&reading(today, 1, 15, 2)), more);
        assert_eq!(
            progress.apply(&reading(today, 2, 12, 2)),
            (Vec::new(), 1),
            "a fall is a correction"
        );
        assert_eq!(
            progress.apply(&reading(today, 3, 12, 2)),
            (Vec::new(), 0),
            "and only once"
        );
        assert_eq!(
            progress.apply(&reading(today, 4, 15, 2)),
            (Vec::new(), 0),
            "15 were counted"
        );
        let above = (
            vec![(series("short"), Amount::Count(1)), (series("long"), Amount::Count(1))],
            0,
        );
        assert_eq!(progress.apply(&reading(today, 5, 16, 3)), above);
        let birth = progress.birth.as_ref().unwrap();
        assert_eq!(birth.total(&series("short")), Some(Amount::Count(10)));
    }

    #[test]
    fn a_day_after_the_birth_counts_from_zero() {
        let mut progress = DayProgress::born(&reading(date(2026, 11, 26), 0, 10, 2));
        let (growth, _) = progress.apply(&reading(date(2026, 11, 27), 24, 3, 0));
        assert_eq!(growth, [(series("short"), Amount::Count(3))]);
    }

    #[test]
    fn on_the_day_of_the_birth_the_first_value_of_a_series_is_the_baseline() {
        let today = date(2026, 11, 26);
        let nothing = DayReading {
            totals: Vec::new(),
            ..reading(today, 0, 0, 0)
        };
        let mut progress = DayProgress::born(&nothing);
        assert_eq!(progress.apply(&reading(today, 1, 5000, 20)), (Vec::new(), 0));
        let (growth, _) = progress.apply(&reading(today, 2, 5003, 20));
        assert_eq!(growth, [(series("short"), Amount::Count(3))]);
        progress.reborn(today);
        let (growth, _) = progress.apply(&reading(today, 3, 5007, 20));
        assert_eq!(growth, [(series("short"), Amount::Count(4))], "from another address");
    }

    #[test]
    fn a_day_is_settled_when_two_readings_half_an_hour_apart_agree() {
        let day = date(2026, 11, 26);
        let mut progress = DayProgress::born(&reading(day.yesterday().unwrap(), 0, 0, 0));
        let mut read = |minutes: i64, totals: Option<u64>| {
            let mut over = reading(day, 0, totals.unwrap_or_default(), 0);
            over.until = Timestamp::from_second(BIRTH + minutes * 60).unwrap();
            over.is_over = true;
            if totals.is_none() {
                over.totals.clear();
            }
            progress.apply(&over);
            (progress.is_settled(day), progress.is_empty(day))
        };
        assert_eq!(read(0, None), (false, true));
        assert_eq!(read(30, None), (true, true), "empty twice");
        assert_eq!(read(60, Some(900)), (false, false), "it was an outage");
        assert_eq!(read(89, Some(900)), (false, false));
        assert_eq!(read(90, Some(900)), (true, false));
        assert_eq!(read(120, None), (false, false), "an outage again");
        assert_eq!(read(150, Some(900)), (true, false));
    }

    #[test]
    fn days_are_kept_for_as_long_as_the_api_answers_for_them() {
        let first = date(2026, 11, 1);
        let mut progress = DayProgress::born(&reading(first, 0, 10, 2));
        for hour in [1, 2] {
            progress.apply(&DayReading {
                is_over: true,
                ..reading(first, hour, 10, 2)
            });
        }
        progress.apply(&reading(date(2026, 12, 3), 32 * 24, 1, 1));
        assert!(progress.is_settled(first), "32 days later");
        progress.apply(&reading(date(2026, 12, 4), 33 * 24, 1, 1));
        assert!(!progress.is_settled(first), "33 days later");
    }

    /// An earlier reading can arrive after a later one: a day before today is read after today.
    #[test]
    fn how_far_a_report_is_read_never_falls() {
        let mut progress = DayProgress::born(&reading(date(2026, 11, 26), 2, 10, 2));
        progress.apply(&reading(date(2026, 11, 26), 1, 10, 2));
        assert_eq!(progress.covered, Timestamp::from_second(BIRTH + 2 * 3600).unwrap());
    }
}
