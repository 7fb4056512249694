//! A configuration in words: its warnings, and the output of `check-config`.

use super::private_file::{key_of_web_configuration, others_may_read};
use super::report::MINUTE;
use super::server::is_eavesdroppable;
use super::shard::Shard;
use super::timezone::is_no_place;
use super::token::TokenSource;
use super::{Config, Operation};
use crate::durations::span;
use crate::secret::hide_path;
use std::fmt::{self, Write};
use std::path::Path;

impl Config {
    /// Settings that are valid but probably a mistake.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.state_path.is_none() {
            warnings.push(
                "no state_path: counts start from 0 at every start; set it to a folder that outlives restarts"
                    .to_owned(),
            );
        }
        if self.new_series_hold.is_zero() {
            warnings
                .push("new_series_hold is 0s: Prometheus will miss the first increment of every new series".to_owned());
        }
        for operation in &self.operations {
            let mut warn = |text: String| warnings.push(format!("{}: {text}", operation.name));
            warn_of_zone(operation, &mut warn);
            warn_of_budget(operation, &mut warn);
            for (kind, report) in operation.reports.iter().filter(|(_, report)| report.interval < MINUTE) {
                let interval = span(report.interval);
                warn(format!(
                    "{kind} is polled every {interval}; Wolkvox advises 5m, and less than 1m gains little"
                ));
            }
            for (kind, report) in operation.reports.iter().filter(|_| operation.hours.is_some()) {
                if report
                    .max_age
                    .is_some_and(|max_age| max_age < 2 * report.quiet_interval)
                {
                    warn(format!(
                        "max_age of {kind} is shorter than 2 × quiet_interval: outside of hours its gauges come and go; leave \
                         max_age out, and it follows the interval in effect"
                    ));
                }
            }
            if is_eavesdroppable(&operation.base_url, operation.proxy.as_deref()) {
                warn("the token travels unencrypted: use https://".to_owned());
            }
            if let TokenSource::File(path) = &operation.token.source
                && operation.token.others_may_read
            {
                warn(format!(
                    "other users of this machine may read the token file {}: chmod 600 it, or 640 if it belongs to root and the \
                     exporter's group",
                    hide_path(path)
                ));
            }
        }
        warnings
    }
}

fn warn_of_zone(operation: &Operation, warn: &mut impl FnMut(String)) {
    let zone = &operation.timezone_name;
    if !operation.timezone_is_given {
        warn(format!(
            "no timezone: {zone} is assumed; set it, here or in the defaults"
        ));
    } else if is_no_place(zone) {
        warn(format!(
            "timezone {zone} is a fixed offset or an abbreviation (Etc/GMT+5 is UTC-5): name a city, such as America/Bogota"
        ));
    }
}

fn warn_of_budget(operation: &Operation, warn: &mut impl FnMut(String)) {
    let (calls, budget) = (operation.calls_per_day(), operation.daily_calls);
    let thinning = operation.thinning();
    if thinning == 1 {
        return;
    }
    warn(format!(
        "a day needs {calls} calls but daily_calls is {budget}: only every {} poll is made; lengthen the \
         intervals, or raise daily_calls if the licences allow it",
        ordinal(thinning)
    ));
    for (kind, report) in &operation.reports {
        let interval = report.interval.saturating_mul(thinning);
        if report
            .max_age
            .is_some_and(|max_age| max_age < interval.saturating_mul(2))
        {
            warn(format!(
                "max_age of {kind} is shorter than 2 × {}, the interval to which polls are thinned: its gauges come and go; leave \
                 max_age out, and it follows the interval in effect",
                span(interval)
            ));
        }
    }
}

/// `2nd`, `3rd`, `4th`
fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// The same for a web configuration.
pub fn web_warnings(file: &Path) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(key) = key_of_web_configuration(file).filter(|key| others_may_read(key)) {
        warnings.push(format!(
            "other users of this machine may read {}, which has the key of the certificate: chmod 600 it, or 640 if it belongs \
             to root and the exporter's group",
            hide_path(&key)
        ));
    }
    warnings
}

/// What `check-config` prints for a valid configuration: the keys in `defaults`; per operation the server, the zone, the
/// reports and the calls per day against the budget, and its shard if there are several; then the warnings; at the end a verdict
/// with the sum over all operations. Never a token.
pub fn check_config(config: &Config, shards: u16, warnings: &[String]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, config, shards, warnings);
    text
}

fn write(out: &mut String, config: &Config, shards: u16, warnings: &[String]) -> fmt::Result {
    if let Some(path) = &config.state_path {
        writeln!(out, "state in {}", hide_path(path))?;
    }
    if !config.defaults.is_empty() {
        writeln!(out, "defaults for {}", config.defaults.join(", "))?;
    }
    for operation in &config.operations {
        write_operation(out, operation, shards)?;
    }
    writeln!(out)?;
    for warning in warnings {
        writeln!(out, "warning: {warning}")?;
    }
    let calls: u64 = config.operations.iter().map(Operation::calls_per_day).sum();
    let budget: u64 = config
        .operations
        .iter()
        .map(|operation| u64::from(operation.daily_calls))
        .sum();
    writeln!(
        out,
        "valid: {}, {calls} of {budget} calls a day, {}",
        number(config.operations.len(), "operation"),
        number(warnings.len(), "warning")
    )
}

fn write_operation(out: &mut String, operation: &Operation, shards: u16) -> fmt::Result {
    write!(out, "\noperation {}", operation.name)?;
    match shards {
        1 => writeln!(out)?,
        _ => writeln!(out, ": shard {} of {shards}", Shard::of(&operation.name, shards))?,
    }
    writeln!(out, "  {} ({})", operation.base_url, operation.timezone_name)?;
    if !operation.labels.is_empty() {
        let labels: Vec<String> = operation
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        writeln!(out, "  labels {}", labels.join(", "))?;
    }
    let thinning = operation.thinning();
    for (kind, report) in &operation.reports {
        let (name, interval) = (kind.name, span(report.interval));
        let calls = operation.calls_per_day_of(report);
        write!(out, "  {name:<15} every {interval:<6} {calls:>6} calls a day")?;
        if operation.hours.is_some() && report.quiet_interval != report.interval {
            write!(out, ", outside of hours every {}", span(report.quiet_interval))?;
        }
        if thinning > 1 {
            write!(
                out,
                ", thinned to every {}",
                span(report.interval.saturating_mul(thinning))
            )?;
        }
        match &report.choice.only {
            Some(id) => writeln!(out, ", only {id}")?,
            None => writeln!(out)?,
        }
    }
    let (calls, budget) = (operation.calls_per_day(), operation.daily_calls);
    let percent = u128::from(calls) * 100 / u128::from(budget.max(1));
    writeln!(
        out,
        "  {calls} of {budget} calls a day ({percent} %), not counting retries"
    )
}

fn number(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
