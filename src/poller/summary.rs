//! One line of log an hour for each operation, so that a quiet log shows that all is well.

use jiff::Timestamp;

use super::Poller;

const HOUR: i64 = 3600;

/// What happened since the last such line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HourSummary {
    /// The hour of the first poll in it, counted from 1970.
    hour: Option<i64>,
    polls: u64,
    failed: u64,
    skipped: u64,
    rows: u64,
    /// Events that were counted: no poll counts them again.
    counted: u64,
}

impl HourSummary {
    pub(super) fn add_poll(&mut self, is_good: bool, rows: u64, counted: u64) {
        self.polls += 1;
        self.failed += u64::from(!is_good);
        self.rows += rows;
        self.counted += counted;
    }

    pub(super) fn add_skipped(&mut self) {
        self.skipped += 1;
    }

    /// What is to be logged at the first turn of a new hour.
    fn finished(&mut self, now: Timestamp) -> Option<Self> {
        let hour = now.as_second().div_euclid(HOUR);
        let before = *self;
        if before.hour == Some(hour) {
            return None;
        }
        *self = Self {
            hour: Some(hour),
            ..Self::default()
        };
        before.hour.map(|_| before)
    }
}

impl Poller {
    /// Logs the hour that has ended, if one has.
    pub(super) fn log_hour(&mut self, now: Timestamp) {
        if let Some(hour) = self.hour.finished(now) {
            tracing::info!(
                operation = &*self.operation.name,
                polls = hour.polls,
                failed = hour.failed,
                skipped = hour.skipped,
                rows = hour.rows,
                counted = hour.counted,
                calls_used = self.budget.used(),
                daily_calls = self.operation.daily_calls,
                "the last hour"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_ends_once() {
        let at = |text: &str| text.parse().unwrap();
        let mut summary = HourSummary::default();
        assert!(
            summary.finished(at("2026-11-20T16:40:00Z")).is_none(),
            "the first one has just begun"
        );
        summary.add_poll(true, 10, 7);
        summary.add_poll(false, 0, 0);
        summary.add_skipped();
        assert!(summary.finished(at("2026-11-20T16:59:59Z")).is_none());
        let hour = summary.finished(at("2026-11-20T17:00:00Z")).unwrap();
        assert_eq!(
            (hour.polls, hour.failed, hour.skipped, hour.rows, hour.counted),
            (2, 1, 1, 10, 7)
        );
        assert!(summary.finished(at("2026-11-20T17:00:00Z")).is_none());
        assert_eq!(summary.finished(at("2026-11-20T20:00:00Z")).unwrap().polls, 0);
    }
}
