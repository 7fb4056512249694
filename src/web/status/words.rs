//! Numbers and times as people write them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::health::ReportHealth;

/// A number with commas: `1,234,567`.
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
pub(super) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(count as u64))
}

/// A ratio in percent. Whole, but for small ones, which would all be zero.
pub(super) fn percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    if percent > 0.0 && percent < 9.95 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// A stretch of time, no more exact than one needs it: `12 s`, `5 min`, `2 h 5 min`, `3 d`.
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

/// How long ago something was.
pub(super) fn ago(now: Timestamp, at: Timestamp) -> String {
    format!("{} ago", span(positive(now.duration_since(at))))
}

/// When a report is asked for next.
pub(super) fn next_poll(now: Timestamp, report: &ReportHealth) -> String {
    match report.next_poll.map(|at| positive(at.duration_since(now))) {
        None => String::new(),
        Some(Duration::ZERO) => "now".to_owned(),
        Some(wait) => format!("in {}", span(wait)),
    }
}

fn positive(time: SignedDuration) -> Duration {
    Duration::try_from(time).unwrap_or_default()
}
