//! The configuration in effect, as a file that means the same: defaults are merged, and every report has all its values.
//! Secrets are left out.

use std::fmt::{self, Write};
use std::path::Path;

use super::operation::Operation;
use super::server::without_credentials;
use super::token::TokenSource;
use super::{Config, ReportConfig};
use crate::durations::span;
use crate::reports::{Kind, Report};
use crate::secret::hide;

impl Config {
    /// The configuration in effect as YAML. Tokens are named by their file or variable; a proxy has no user and password.
    pub fn effective(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        hide(&text).into_owned()
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        if let Some(path) = &self.state_path {
            writeln!(out, "state_path: {}", path_text(path))?;
        }
        writeln!(out, "new_series_hold: {}", span(self.new_series_hold))?;
        writeln!(out, "series_limit: {}", self.series_limit)?;
        writeln!(out, "operations:")?;
        self.operations
            .iter()
            .try_for_each(|operation| write_operation(out, operation))
    }
}

fn write_operation(out: &mut String, operation: &Operation) -> fmt::Result {
    writeln!(out, "  - name: {}", operation.name)?;
    writeln!(out, "    url: {}", text(&operation.base_url))?;
    match &operation.token.source {
        TokenSource::File(path) => writeln!(out, "    token_file: {}", path_text(path))?,
        TokenSource::Environment(name) => writeln!(out, "    token_env: {}", text(name))?,
        TokenSource::Given(_) => writeln!(out, "    # the program has its token")?,
    }
    writeln!(out, "    timezone: {}", operation.timezone_name)?;
    if !operation.labels.is_empty() {
        let labels = operation.labels.iter();
        let labels: Vec<String> = labels.map(|(name, value)| format!("{name}: {}", text(value))).collect();
        writeln!(out, "    labels: {{{}}}", labels.join(", "))?;
    }
    if let Some(currency) = &operation.currency {
        writeln!(out, "    currency: {currency}")?;
    }
    writeln!(out, "    daily_calls: {}", operation.daily_calls)?;
    if let Some(hours) = &operation.hours {
        writeln!(out, "    hours: {hours}")?;
    }
    if let Some(proxy) = &operation.proxy {
        // Only one with credentials has to change.
        let shown = if proxy.contains('@') {
            without_credentials(proxy)
        } else {
            proxy.clone()
        };
        writeln!(out, "    proxy: {}", text(&shown))?;
    }
    if let Some(ca_file) = &operation.ca_file {
        writeln!(out, "    ca_file: {}", path_text(&ca_file.path))?;
    }
    writeln!(out, "    reports:")?;
    let mut reports = operation.reports.iter();
    reports.try_for_each(|(report, config)| writeln!(out, "      {report}: {{{}}}", values(report, config)))
}

/// All values of a report that its kind has. `max_age` only if it is set: otherwise it follows the interval in effect.
fn values(report: &Report, config: &ReportConfig) -> String {
    let mut values = vec![format!("interval: {}", span(config.interval))];
    let mut add = |key: &str, value: String| values.push(format!("{key}: {value}"));
    if report.quiet_interval.is_some() {
        add("quiet_interval", span(config.quiet_interval));
    }
    add("timeout", span(config.timeout));
    if let Some(max_age) = config.max_age {
        add("max_age", span(max_age));
    }
    if matches!(report.kind, Kind::Events(_)) {
        add("overlap", span(config.overlap));
        add("settle", span(config.settle));
    }
    if report.counts() {
        let (every, back) = (span(config.reread.every), span(config.reread.back));
        add("reread", format!("{{every: {every}, back: {back}}}"));
    }
    if let Some(filter) = report.filter {
        add(
            filter.key,
            config.choice.only.as_deref().map_or_else(|| "all".to_owned(), text),
        );
    }
    if let (Some(seconds), Some(chosen)) = (report.seconds, config.choice.seconds) {
        add(seconds.key, chosen.to_string());
    }
    values.join(", ")
}

/// Absolute, since the text may be read elsewhere.
fn path_text(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    text(&path.to_string_lossy())
}

/// In quotation marks. JSON's are also YAML's.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
