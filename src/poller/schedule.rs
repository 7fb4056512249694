//! Decides which report is polled when: a grid for each report, thinned out when the day's calls would not last. No
//! I/O, no clock.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::grid::Grid;
use crate::client::CallBudget;
use crate::config::{ReportConfig, ticks};
use crate::health::Skip;
use crate::reports::Report;

/// When each report of an operation is polled.
#[derive(Debug)]
pub(super) struct Schedule {
    reports: BTreeMap<&'static Report, Scheduled>,
    /// No polls before this instant, at the API's request, and the reason.
    suspended: Option<(Timestamp, Skip)>,
}

#[derive(Debug)]
struct Scheduled {
    config: ReportConfig,
    grid: Grid,
    due: Instant,
    /// The last time it was due, whether it was polled or not.
    last_tick: Option<Timestamp>,
    /// Ticks left out since the last poll. `None` before the first poll, which is never left out.
    left_out: Option<u64>,
}

/// What happens when a report is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A tick of the grid. One of `every` ticks is kept so that the calls last until midnight.
    Tick {
        is_kept: bool,
        every: u32,
        /// How many of the following ticks will be left out.
        skipped_next: u32,
    },
    /// The day's calls are used up.
    OutOfCalls,
    /// The API asked for a pause.
    Suspended(Skip),
}

impl Schedule {
    /// All reports are due at `origin`, where their grids begin.
    pub(super) fn new(reports: &BTreeMap<&'static Report, ReportConfig>, origin: Instant) -> Self {
        let scheduled = |config: &ReportConfig| Scheduled {
            grid: Grid::new(origin, config.interval),
            config: config.clone(),
            due: origin,
            last_tick: None,
            left_out: None,
        };
        Self {
            reports: reports
                .iter()
                .map(|(report, config)| (*report, scheduled(config)))
                .collect(),
            suspended: None,
        }
    }

    /// The report that is due first, and when.
    pub(super) fn next(&self) -> Option<(Instant, &'static Report)> {
        let due = self.reports.iter().map(|(report, scheduled)| (scheduled.due, *report));
        due.min()
    }

    /// Moves a report to its first grid point after `now`, and returns that point.
    pub(super) fn advance(&mut self, report: &Report, now: Instant) -> Instant {
        self.reports.get_mut(report).map_or(now, |scheduled| {
            scheduled.due = scheduled.grid.next_after(now);
            scheduled.due
        })
    }

    /// Decides what to do with a report that is due at `now`, when `left` remains of the local day.
    pub(super) fn turn(&mut self, report: &Report, now: Timestamp, left: Duration, budget: &CallBudget) -> Turn {
        if let Some(scheduled) = self.reports.get_mut(report) {
            scheduled.last_tick = Some(now);
        }
        if let Some((until, skip)) = self.suspended {
            if now < until {
                return Turn::Suspended(skip);
            }
            self.suspended = None;
        }
        // This tick and all later ones.
        let needed = 1 + self.calls_needed(now, left);
        let Some(every) = budget.thinning(needed) else {
            return Turn::OutOfCalls;
        };
        let Some(scheduled) = self.reports.get_mut(report) else {
            return Turn::OutOfCalls;
        };
        let left_out = scheduled.left_out.map_or(every, |left_out| left_out + 1);
        let is_kept = left_out >= every;
        let left_out = if is_kept { 0 } else { left_out };
        scheduled.left_out = Some(left_out);
        Turn::Tick {
            is_kept,
            every: u32::try_from(every).unwrap_or(u32::MAX),
            skipped_next: u32::try_from(every - left_out - 1).unwrap_or(u32::MAX),
        }
    }

    /// Calls needed for all ticks and rereads in the rest of the day (`left`), if none is left out and no request is retried.
    pub(super) fn calls_needed(&self, now: Timestamp, left: Duration) -> u64 {
        let needed = |scheduled: &Scheduled| {
            let since = scheduled.last_tick.map(|last| now.duration_since(last));
            let since = since.map(|since| Duration::try_from(since).unwrap_or_default());
            let interval = scheduled.config.interval;
            let due_in = since.map_or(Duration::ZERO, |since| interval.saturating_sub(since));
            ticks(left.saturating_sub(due_in), interval) + scheduled.config.reread_calls_in(left)
        };
        self.reports.values().map(needed).sum()
    }

    /// Pauses all polls.
    pub(super) fn suspend(&mut self, until: Timestamp, skip: Skip) {
        self.suspended = Some((until, skip));
    }

    /// The end of the pause of all polls, if they are paused.
    pub(super) fn suspended_until(&self) -> Option<Timestamp> {
        self.suspended.map(|(until, _)| until)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::reports::{CAMPAIGNS, IVR};

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule() -> (Schedule, Instant) {
        let origin = Instant::now();
        let every = |report: &'static Report, interval| {
            let config = ReportConfig {
                interval,
                ..ReportConfig::new(report)
            };
            (report, config)
        };
        let reports = BTreeMap::from([every(&CAMPAIGNS, MINUTE), every(&IVR, 5 * MINUTE)]);
        (Schedule::new(&reports, origin), origin)
    }

    #[test]
    fn reports_take_turns_on_their_grids_and_a_slow_one_skips_points() {
        let (mut schedule, origin) = schedule();
        assert_eq!(schedule.next(), Some((origin, &CAMPAIGNS)));
        schedule.advance(&CAMPAIGNS, origin);
        assert_eq!(schedule.next(), Some((origin, &IVR)));
        // The poll took two and a half minutes, and the other report waited.
        schedule.advance(&IVR, origin + 5 * MINUTE / 2);
        assert_eq!(schedule.next(), Some((origin + MINUTE, &CAMPAIGNS)));
        schedule.advance(&CAMPAIGNS, origin + 5 * MINUTE / 2);
        assert_eq!(schedule.next(), Some((origin + 3 * MINUTE, &CAMPAIGNS)));
    }

    #[test]
    fn too_few_calls_keep_every_third_tick_until_there_are_none() {
        let (mut schedule, _) = schedule();
        let noon = at("2026-11-20T17:00:00Z");
        // An hour is left, with 60 + 12 ticks and a reread for 30 calls.
        let mut budget = CallBudget::new(30, date(2026, 11, 20), 0);
        let kept: Vec<bool> = (0..4)
            .map(|minute| {
                let now = noon.checked_add(minute * MINUTE).unwrap();
                match schedule.turn(&CAMPAIGNS, now, 60 * MINUTE - minute * MINUTE, &budget) {
                    Turn::Tick { is_kept, every: 3, .. } => is_kept,
                    other => panic!("{other:?}"),
                }
            })
            .collect();
        assert_eq!(kept, [true, false, false, true]);
        while budget.take() {}
        assert_eq!(schedule.turn(&IVR, noon, 60 * MINUTE, &budget), Turn::OutOfCalls);
    }

    #[test]
    fn a_pause_holds_for_all_reports_and_ends_by_itself() {
        let (mut schedule, _) = schedule();
        let budget = CallBudget::new(1000, date(2026, 11, 20), 0);
        let until = at("2026-11-20T17:10:00Z");
        schedule.suspend(until, Skip::Quota);
        let before = at("2026-11-20T17:09:59Z");
        assert_eq!(
            schedule.turn(&IVR, before, MINUTE, &budget),
            Turn::Suspended(Skip::Quota)
        );
        assert!(matches!(
            schedule.turn(&IVR, until, MINUTE, &budget),
            Turn::Tick { is_kept: true, .. }
        ));
        assert_eq!(schedule.suspended_until(), None);
    }
}
