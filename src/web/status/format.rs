//! Numbers and durations for people.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::texts::Noun;
use crate::health::ReportHealth;
use crate::language::Language;

/// With thousands separators: `1,234,567`.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 report`, `2 reports`.
pub(super) fn counted(count: u64, noun: Noun, language: Language) -> String {
    format!("{} {}", number(count), noun.of(count, language))
}

/// A ratio in percent, with a decimal if it is below 10 %.
pub(super) fn percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    if percent > 0.0 && percent < 9.95 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// A duration, rounded down to what people need: `12 s`, `5 min`, `2 h 5 min`, `3 d`.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{minutes} min"),
        7200..=172_799 => match minutes % 60 {
            0 => format!("{hours} h"),
            rest => format!("{hours} h {rest} min"),
        },
        _ => format!("{} d", hours / 24),
    }
}

/// How long a poll took.
pub(super) fn took(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        1000..10_000 => format!("{:.1} s", time.as_secs_f64()),
        _ => span(time),
    }
}

/// How long ago: `5 min ago`.
pub(super) fn ago(now: Timestamp, at: Timestamp, language: Language) -> String {
    language.ago(&span(positive(now.duration_since(at))))
}

/// When the next poll is due: `in 5 min`.
pub(super) fn next_poll(now: Timestamp, report: &ReportHealth, language: Language) -> String {
    match report.next_poll.map(|at| positive(at.duration_since(now))) {
        None => String::new(),
        Some(Duration::ZERO) => language.at_once().to_owned(),
        Some(wait) => language.in_time(&span(wait)),
    }
}

/// The time of the operation's people.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalTime<'a> {
    /// The operation's zone.
    pub(super) zone: &'a TimeZone,
    /// The time now.
    pub(super) now: Timestamp,
}

impl LocalTime<'_> {
    /// `2026-11-20 12:05:09`.
    pub(super) fn date_and_time(self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// `12:05:09` of today, with the date of any other day.
    pub(super) fn time(self, at: Timestamp) -> String {
        let local = at.to_zoned(self.zone.clone());
        if local.date() == self.now.to_zoned(self.zone.clone()).date() {
            local.strftime("%H:%M:%S").to_string()
        } else {
            self.date_and_time(at)
        }
    }
}

fn positive(time: SignedDuration) -> Duration {
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::texts::A_REPORT;
    use super::*;

    #[test]
    fn numbers_have_thousands_separators() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(number),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [1, 2000].map(|count| counted(count, A_REPORT, Language::Spanish)),
            ["1 reporte", "2,000 reportes"]
        );
    }

    #[test]
    fn small_ratios_have_a_decimal() {
        let shown = [0.0, 0.001, 0.0994, 0.0996, 0.5, 1.2].map(percent);
        assert_eq!(shown, ["0 %", "0.1 %", "9.9 %", "10 %", "50 %", "120 %"]);
    }

    #[test]
    fn durations_are_as_exact_as_needed() {
        let shown = [0, 119, 120, 7199, 7200, 7500, 172_800].map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(shown, ["0 s", "119 s", "2 min", "119 min", "2 h", "2 h 5 min", "2 d"]);
        let shown = [999, 1500, 12_000].map(|millis| took(Duration::from_millis(millis)));
        assert_eq!(shown, ["999 ms", "1.5 s", "12 s"]);
    }
}
