//! Durations for messages and the log.

use std::time::Duration;

/// A duration as people write it: humantime formats 31 days as "1month 13h 26m 24s".
pub fn span(duration: Duration) -> String {
    let days = duration.as_secs() / 86_400;
    if days > 0 && duration == Duration::from_secs(days * 86_400) {
        format!("{days}d")
    } else {
        humantime::format_duration(duration).to_string()
    }
}

/// A measured duration, as exactly as people care for: `340ms`, `1.2s`, `45s`, `2m 5s`.
pub fn rounded(duration: Duration) -> String {
    match duration.as_millis() {
        millis @ 0..1000 => format!("{millis}ms"),
        1000..10_000 => format!("{:.1}s", duration.as_secs_f64()),
        _ => span(Duration::from_secs(duration.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_as_they_are_written() {
        let shown = [90, 300, 5400, 86_400, 31 * 86_400].map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(shown, ["1m 30s", "5m", "1h 30m", "1d", "31d"]);
    }

    #[test]
    fn measured_durations_are_rounded() {
        let shown = [0, 340, 999, 1240, 9960, 45_700, 125_000].map(|millis| rounded(Duration::from_millis(millis)));
        assert_eq!(shown, ["0ms", "340ms", "999ms", "1.2s", "10.0s", "45s", "2m 5s"]);
    }
}
