//! Decides which report is polled when: a grid for each report, with a wider one outside of working hours, thinned out when
//! the day's calls would not last. No I/O, no clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::grid::Grid;
use crate::client::CallBudget;
use crate::config::{Operation, ReportConfig};
use crate::health::Skip;
use crate::reports::{Report, Urgency};

/// When each report of an operation is polled.
#[derive(Debug)]
pub(super) struct Schedule {
    operation: Arc<Operation>,
    reports: BTreeMap<&'static Report, Scheduled>,
    /// The beginning of all grids; `None` while polls are made by hand.
    origin: Option<Instant>,
    /// No polls before this instant, at the API's request, and the reason.
    suspended: Option<(Timestamp, Skip)>,
}

#[derive(Debug, Default)]
struct Scheduled {
    /// `None` while polls are made by hand.
    due: Option<Instant>,
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
    /// A schedule that has not begun: no report is due.
    pub(super) fn new(operation: Arc<Operation>) -> Self {
        let reports = operation.reports.keys();
        Self {
            reports: reports.map(|report| (*report, Scheduled::default())).collect(),
            operation,
            origin: None,
            suspended: None,
        }
    }

    /// The same, with all reports due at `origin`, where their grids begin.
    pub(super) fn begun(operation: Arc<Operation>, origin: Instant) -> Self {
        let mut schedule = Self::new(operation);
        schedule.origin = Some(origin);
        for scheduled in schedule.reports.values_mut() {
            scheduled.due = Some(origin);
        }
        schedule
    }

    /// The report whose turn is next, and when. Of those that are due, what changes fastest goes first; but a report that
    /// has waited for longer than its interval goes before all others, so that none waits for ever.
    pub(super) fn next(&self, now: Instant) -> Option<(Instant, &'static Report)> {
        let order = |(due, report): &(Instant, &'static Report)| {
            let waits = now.checked_duration_since(*due);
            let has_waited = waits.is_some_and(|waits| waits > self.operation.reports[*report].interval);
            // Of those that are not due yet, the first one.
            let due_first = has_waited.then_some(*due);
            ((*due).max(now), !has_waited, due_first, report.urgency(), *due, *report)
        };
        self.due().min_by_key(order)
    }

    /// The report of what happens now that is due, if there is one.
    pub(super) fn due_now(&self, now: Instant) -> Option<(Instant, &'static Report)> {
        let is_due = |(due, report): &(Instant, &'static Report)| *due <= now && report.urgency() == Urgency::Now;
        self.due().filter(is_due).min()
    }

    /// When each report is due.
    fn due(&self) -> impl Iterator<Item = (Instant, &'static Report)> {
        let reports = self.reports.iter();
        reports.filter_map(|(report, scheduled)| Some((scheduled.due?, *report)))
    }

    /// Moves a report to its first grid point after `now`, which is `wall` by the clock, and returns that point.
    pub(super) fn advance(&mut self, report: &'static Report, now: Instant, wall: Timestamp) -> Instant {
        let (Some(origin), Some(scheduled)) = (self.origin, self.reports.get_mut(report)) else {
            return now;
        };
        let config = &self.operation.reports[report];
        let zone = &self.operation.timezone;
        let grid = Grid::new(origin, config.interval);
        let next = match &self.operation.hours {
            Some(hours) if config.quiet_interval != config.interval && !hours.are_at(wall, zone) => {
                let next = Grid::new(origin, config.quiet_interval).next_after(now);
                // When people begin to work, their figures are wanted at once.
                let begins = hours.next_begin(wall, zone).map(|begin| {
                    let wait = Duration::try_from(begin.duration_since(wall)).unwrap_or_default();
                    grid.next_from(now + wait)
                });
                begins.map_or(next, |begins| begins.min(next))
            }
            _ => grid.next_after(now),
        };
        scheduled.due = Some(next);
        next
    }

    /// Decides what to do with a report that is due at `now`, when the local day ends at `midnight`.
    pub(super) fn turn(&mut self, report: &Report, now: Timestamp, midnight: Timestamp, budget: &CallBudget) -> Turn {
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
        let needed = 1 + self.calls_needed(now, midnight);
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

    /// Calls needed for all ticks and rereads until midnight, if none is left out and no request is retried.
    pub(super) fn calls_needed(&self, now: Timestamp, midnight: Timestamp) -> u64 {
        let needed = |(report, scheduled): (&&'static Report, &Scheduled)| {
            let config: &ReportConfig = &self.operation.reports[*report];
            let interval = self.operation.interval_at(config, now);
            let next_tick = scheduled.last_tick.and_then(|last| last.checked_add(interval).ok());
            let from = next_tick.map_or(now, |next| next.clamp(now, midnight.max(now)));
            let (working, quiet) = self.operation.working_and_quiet(from, midnight);
            let left = Duration::try_from(midnight.duration_since(now)).unwrap_or_default();
            config.polls_in(working, quiet) + config.reread_calls_in(left)
        };
        self.reports.iter().map(needed).sum()
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
    use crate::config::Token;
    use crate::reports::{AGENTS, CALL_DURATIONS, CAMPAIGNS, IVR, QUOTA, SKILLS};

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn operation(reports: &[(&'static Report, Duration)]) -> Operation {
        let mut operation = Operation::new("acme", "http://127.0.0.1", Token::given("x"));
        operation.reports = reports
            .iter()
            .map(|(report, interval)| {
                let mut config = ReportConfig::new(report);
                config.interval = *interval;
                config.quiet_interval = config.quiet_interval.max(*interval);
                (*report, config)
            })
            .collect();
        operation
    }

    fn schedule() -> (Schedule, Instant) {
        let origin = Instant::now();
        let operation = operation(&[(&CAMPAIGNS, MINUTE), (&IVR, 5 * MINUTE)]);
        (Schedule::begun(Arc::new(operation), origin), origin)
    }

    const NOON: &str = "2026-11-20T17:00:00Z";

    #[test]
    fn reports_take_turns_on_their_grids_and_a_slow_one_skips_points() {
        let (mut schedule, origin) = schedule();
        assert_eq!(schedule.next(origin), Some((origin, &CAMPAIGNS)));
        schedule.advance(&CAMPAIGNS, origin, at(NOON));
        assert_eq!(schedule.next(origin), Some((origin, &IVR)));
        // The poll took two and a half minutes, and the other report waited.
        let now = origin + 5 * MINUTE / 2;
        schedule.advance(&IVR, now, at(NOON));
        assert_eq!(schedule.next(now), Some((origin + MINUTE, &CAMPAIGNS)));
        schedule.advance(&CAMPAIGNS, now, at(NOON));
        assert_eq!(schedule.next(now), Some((origin + 3 * MINUTE, &CAMPAIGNS)));
    }

    #[test]
    fn of_the_reports_that_are_due_what_happens_now_goes_first() {
        let origin = Instant::now();
        let all = [&CALL_DURATIONS, &IVR, &SKILLS, &AGENTS, &QUOTA].map(|report| (report, 5 * MINUTE));
        let mut schedule = Schedule::begun(Arc::new(operation(&all)), origin);
        let mut order = Vec::new();
        for _ in 0..all.len() {
            let (_, report) = schedule.next(origin).unwrap();
            order.push(report);
            schedule.advance(report, origin, at(NOON));
        }
        assert_eq!(order, [&SKILLS, &AGENTS, &IVR, &CALL_DURATIONS, &QUOTA]);
        assert_eq!(schedule.due_now(origin), None);
        let due = origin + 5 * MINUTE;
        assert_eq!(schedule.due_now(due), Some((due, &SKILLS)));
    }

    #[test]
    fn a_report_that_has_waited_for_its_whole_interval_goes_first() {
        let origin = Instant::now();
        let all = [(&SKILLS, MINUTE), (&IVR, 5 * MINUTE)];
        let mut schedule = Schedule::begun(Arc::new(operation(&all)), origin);
        schedule.advance(&SKILLS, origin + 4 * MINUTE, at(NOON));
        assert_eq!(schedule.next(origin + 5 * MINUTE), Some((origin + 5 * MINUTE, &SKILLS)));
        let late = origin + 5 * MINUTE + MINUTE / 60;
        assert_eq!(schedule.next(late), Some((origin, &IVR)));
    }

    #[test]
    fn outside_of_hours_what_happens_now_is_read_less_often_until_they_begin() {
        let origin = Instant::now();
        let mut operation = operation(&[(&SKILLS, 2 * MINUTE), (&IVR, 5 * MINUTE)]);
        operation.hours = crate::config::Config::parse(
            "operations: [{name: a, url: 'http://127.0.0.1', token_env: T, hours: {Mon-Fri: '07:00-20:00'}}]",
            "",
            "".as_ref(),
            &|_| Some("x".repeat(52)),
        )
        .unwrap()
        .operations
        .remove(0)
        .hours;
        let mut schedule = Schedule::begun(Arc::new(operation), origin);
        // 20:01 in Bogota, then 06:55.
        let evening = at("2026-11-20T01:01:00Z");
        assert_eq!(schedule.advance(&SKILLS, origin, evening), origin + 15 * MINUTE);
        assert_eq!(schedule.advance(&IVR, origin, evening), origin + 5 * MINUTE);
        let morning = at("2026-11-20T11:55:00Z");
        assert_eq!(
            schedule.advance(&SKILLS, origin, morning),
            origin + 6 * MINUTE,
            "the first point of the grid after 07:00"
        );
        let at_work = at("2026-11-20T12:00:00Z");
        assert_eq!(schedule.advance(&SKILLS, origin, at_work), origin + 2 * MINUTE);
        // From 18:00 to midnight: 2 hours of work, 4 without.
        let needed = schedule.calls_needed(at("2026-11-20T23:00:00Z"), at("2026-11-21T05:00:00Z"));
        assert_eq!(needed, 60 + 16 + 72 + 1);
    }

    #[test]
    fn too_few_calls_keep_every_third_tick_until_there_are_none() {
        let (mut schedule, _) = schedule();
        let noon = at(NOON);
        // An hour is left, with 60 + 12 ticks and a reread for 30 calls.
        let midnight = noon.checked_add(60 * MINUTE).unwrap();
        let mut budget = CallBudget::new(30, date(2026, 11, 20), 0);
        let kept: Vec<bool> = (0..4)
            .map(|minute| {
                let now = noon.checked_add(minute * MINUTE).unwrap();
                match schedule.turn(&CAMPAIGNS, now, midnight, &budget) {
                    Turn::Tick { is_kept, every: 3, .. } => is_kept,
                    other => panic!("{other:?}"),
                }
            })
            .collect();
        assert_eq!(kept, [true, false, false, true]);
        while budget.take() {}
        assert_eq!(schedule.turn(&IVR, noon, midnight, &budget), Turn::OutOfCalls);
    }

    #[test]
    fn a_pause_holds_for_all_reports_and_ends_by_itself() {
        let (mut schedule, _) = schedule();
        let budget = CallBudget::new(1000, date(2026, 11, 20), 0);
        let until = at("2026-11-20T17:10:00Z");
        schedule.suspend(until, Skip::Quota);
        let (before, after) = (at("2026-11-20T17:09:59Z"), at("2026-11-20T17:11:00Z"));
        assert_eq!(
            schedule.turn(&IVR, before, after, &budget),
            Turn::Suspended(Skip::Quota)
        );
        assert!(matches!(
            schedule.turn(&IVR, until, after, &budget),
            Turn::Tick { is_kept: true, .. }
        ));
        assert_eq!(schedule.suspended_until(), None);
    }
}
