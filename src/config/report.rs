//! The settings of one report of an operation.

use crate::reports::{Choice, Filter, Kind, Report, Seconds};
use crate::yaml::mapping::{Bounds, Field};
use crate::yaml::mistake::quoted;
use std::time::Duration;

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SECOND: Duration = Duration::from_secs(1);

const INTERVAL: Bounds = Bounds {
    least: SECOND,
    most: DAY,
    reason: "",
};
const TIMEOUT: Bounds = Bounds {
    least: Duration::from_millis(1),
    most: HOUR,
    reason: "",
};
const REREAD_EVERY: Bounds = Bounds {
    least: SECOND,
    most: Duration::from_secs(366 * 86_400),
    reason: "",
};
/// For `overlap` and `reread.back`.
const WINDOW: Bounds = Bounds {
    least: SECOND,
    most: Duration::from_secs(31 * 86_400),
    reason: ", since one call of the API takes at most 31 days",
};

const SETTLE: Bounds = Bounds {
    least: Duration::ZERO,
    most: HOUR,
    reason: "",
};

const OVERLAP: Duration = Duration::from_secs(2 * 60 * 60);
const REREAD: Reread = Reread {
    every: Duration::from_secs(6 * 60 * 60),
    back: Duration::from_secs(48 * 60 * 60),
};

/// The settings of one report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportConfig {
    /// Time between polls: 1 s to 24 h. The report has the default.
    pub interval: Duration,
    /// Time between polls outside of working hours: from the interval to 24 h. The report has the default; the interval, for
    /// reports that have none.
    pub quiet_interval: Duration,
    /// Timeout of one call, from connecting to the last byte: 1 ms to 1 h. The report has the default.
    pub timeout: Duration,
    /// How long the report's gauges are shown after its last success: 2 × interval to a year. By default 3 × the time between
    /// polls that is in effect.
    pub max_age: Option<Duration>,
    /// How far each window reaches back into what is already covered: 1 s to 31 days, default 2 h. Zero except for
    /// reports of events, since only these have such windows.
    pub overlap: Duration,
    /// How old rows are when they are read first: 0 s to 1 h. The report has the default. Zero except for reports of events.
    pub settle: Duration,
    /// When late rows are reread. Zero for reports of the current state.
    pub reread: Reread,
    /// What is wanted of the report.
    pub choice: Choice,
}

/// When old rows are read again, to find those that appeared very late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reread {
    /// Time between rereads: 1 s to a year, default 6 h. Zero: never.
    pub every: Duration,
    /// How far a reread goes back: 1 s to 31 days, default 48 h.
    pub back: Duration,
}

/// How many intervals begin in that time.
pub(crate) fn ticks(time: Duration, interval: Duration) -> u64 {
    let ticks = time.as_nanos().div_ceil(interval.as_nanos().max(1));
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

impl Reread {
    const NEVER: Self = Self {
        every: Duration::ZERO,
        back: Duration::ZERO,
    };

    /// How far back rows are read, so that each is read once more when it is `back` old. Who rereads very seldom wants few
    /// rows to be kept.
    pub fn reach(&self) -> Duration {
        self.back + self.every.min(self.back)
    }
}

impl ReportConfig {
    /// The defaults of a report.
    pub fn new(report: &Report) -> Self {
        Self {
            interval: report.interval,
            timeout: report.timeout,
            quiet_interval: quiet_interval(report, report.interval),
            max_age: None,
            overlap: if has_overlap(report) { OVERLAP } else { Duration::ZERO },
            settle: match report.kind {
                Kind::Events(events) => events.settle,
                Kind::Current(_) | Kind::DayTotals(_) => Duration::ZERO,
            },
            reread: if report.counts() { REREAD } else { Reread::NEVER },
            choice: Choice {
                only: None,
                seconds: report.seconds.map(|seconds| seconds.default),
            },
        }
    }

    /// Calls that this report makes for the polls and rereads of a day in which people work for `working` and not for `quiet`,
    /// without retries and split windows.
    pub fn calls_in(&self, working: Duration, quiet: Duration) -> u64 {
        self.polls_in(working, quiet) + self.reread_calls_in(working + quiet)
    }

    /// Calls for the polls that begin in that time.
    pub fn polls_in(&self, working: Duration, quiet: Duration) -> u64 {
        if self.quiet_interval == self.interval {
            return ticks(working + quiet, self.interval);
        }
        ticks(working, self.interval) + ticks(quiet, self.quiet_interval)
    }

    /// Calls for the rereads that begin in that time. A reread of events is one window; one of day totals is a call for each
    /// day.
    pub fn reread_calls_in(&self, time: Duration) -> u64 {
        let Reread { every, back } = self.reread;
        if every.is_zero() {
            return 0;
        }
        let calls = if self.overlap.is_zero() { ticks(back, DAY) } else { 1 };
        ticks(time, every).saturating_mul(calls)
    }

    /// Reads one entry of `reports`; a key without a value means the defaults. `max_age` is compared with the interval only
    /// if they are `in_effect` for an operation: those in `defaults` may each be overridden.
    pub(super) fn read(report: &Report, field: Field<'_>, in_effect: bool) -> Self {
        const WHAT: &str = "keys such as {interval: 5m}, or nothing for the defaults";
        let mut config = Self::new(report);
        let Some(mut keys) = field.mapping_or_nothing(WHAT) else {
            return config;
        };
        let interval = keys.optional_duration("interval", &INTERVAL);
        // An invalid interval gives no lower bound for max_age.
        let is_invalid = interval.is_none() && keys.peek("interval").is_some();
        config.interval = interval.unwrap_or(config.interval);
        let least = if in_effect && !is_invalid {
            2 * config.interval
        } else {
            SECOND
        };
        config.quiet_interval = quiet_interval(report, config.interval);
        if report.quiet_interval.is_some() {
            let quiet = Bounds {
                least: least / 2,
                most: DAY,
                reason: ", since outside of hours reports are not read more often than within",
            };
            config.quiet_interval = keys.duration("quiet_interval", &quiet, config.quiet_interval);
        }
        config.timeout = keys.duration("timeout", &TIMEOUT, config.timeout);
        let its_line = match (keys.peek("interval"), keys.peek("max_age")) {
            (Some(interval), Some(max_age)) if !interval.is_beside(&max_age) => {
                format!(" ({})", interval.place_seen_from(&max_age))
            }
            _ => String::new(),
        };
        let max_age = Bounds {
            least,
            most: REREAD_EVERY.most,
            reason: &format!(", since with less than 2 × interval{its_line} one failed poll would hide the report"),
        };
        config.max_age = keys.optional_duration("max_age", &max_age);
        if has_overlap(report) {
            config.overlap = keys.duration("overlap", &WINDOW, config.overlap);
            config.settle = keys.duration("settle", &SETTLE, config.settle);
        }
        if report.counts()
            && let Some(field) = keys.field("reread")
            && let Some(mut keys) = field.mapping("keys such as {every: 6h, back: 48h}")
        {
            config.reread.every = keys.duration("every", &REREAD_EVERY, config.reread.every);
            config.reread.back = keys.duration("back", &WINDOW, config.reread.back);
            keys.finish();
        }
        if let Some(Filter { key, .. }) = report.filter {
            config.choice.only = keys.shown_value(key, "`all` or one id such as 4875", filter).flatten();
        }
        if let Some(Seconds { key, default, .. }) = report.seconds {
            config.choice.seconds = Some(keys.shown_value(key, "seconds such as 20", seconds).unwrap_or(default));
        }
        keys.finish();
        config
    }
}

/// The default time between polls outside of working hours.
fn quiet_interval(report: &Report, interval: Duration) -> Duration {
    report.quiet_interval.map_or(interval, |quiet| quiet.max(interval))
}

/// Only windows of events reach back into what is covered.
fn has_overlap(report: &Report) -> bool {
    matches!(report.kind, Kind::Events(_))
}

fn filter(text: &str) -> Result<Option<String>, String> {
    let id = text.trim();
    if id.eq_ignore_ascii_case("all") {
        Ok(None)
    } else if (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    {
        Ok(Some(id.to_owned()))
    } else {
        Err(format!("expected `all` or one id such as 4875; found {}", quoted(text)))
    }
}

/// Seconds of a service level. The API has a level of 0 seconds that means nothing.
fn seconds(text: &str) -> Result<u32, String> {
    match text.trim().parse() {
        Ok(seconds @ 1..=3600) => Ok(seconds),
        _ => Err(format!("expected whole seconds from 1 to 3600; found {}", quoted(text))),
    }
}
