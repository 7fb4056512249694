//! Calls a day, and how `check-config` compares them with the budget.

use insta::assert_snapshot;
use wolkvox_exporter::config::{Config, check_config};

use super::{DEFAULTS, OTHER_SECRET, SECRET, certificate, folder, good, variables, with};

#[test]
fn calls_a_day_are_rounded_up() {
    let calls = |interval: &str| {
        good(&with(&format!("reports: {{ivr: {{interval: {interval}}}}}"))).operations[0].calls_per_day()
    };
    assert_eq!(
        ["1s", "7s", "1500ms", "5m", "23h", "1day"].map(calls),
        [86_404, 12_347, 57_604, 292, 6, 5],
        "with four rereads"
    );
}

#[test]
fn check_config_shows_the_calls_against_the_budget() {
    let folder = folder("summary", &[("acme.token", SECRET), ("company-ca.pem", &certificate())]);
    let lookup = variables(&[("B", OTHER_SECRET)]);
    let text = format!(
        "{DEFAULTS}  - {{name: beta, url: 'http://127.0.0.1:8080', token_env: B, timezone: America/Santiago, reports: {{abandoned_calls: {{interval: 10s, skill_id: 77}}}}}}\n"
    );
    let config = Config::parse(&text, "wolkvox.yml", &folder, &lookup).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_snapshot!(check_config(&config, 1, &config.warnings()), @"
    state in /var/lib/wolkvox_exporter

    operation acme
      https://wv0001.wolkvox.com (America/Bogota)
      campaigns       every 5m        288 calls a day
      call_durations  every 5m        296 calls a day
      abandoned_calls every 5m        292 calls a day
      preview_calls   every 5m        292 calls a day
      ivr             every 5m        292 calls a day
      skills          every 2m        720 calls a day
      agents          every 2m        720 calls a day
      latency         every 5m        288 calls a day
      quota           every 1h         24 calls a day
      answered_calls  every 5m        292 calls a day
      call_results    every 15m       104 calls a day
      3608 of 4000 calls a day (90 %), not counting retries

    operation beta
      http://127.0.0.1:8080 (America/Santiago)
      abandoned_calls every 10s      8644 calls a day, thinned to every 30s, only 77
      8644 of 4000 calls a day (216 %), not counting retries

    warning: beta: a day needs 8644 calls but daily_calls is 4000: only every 3rd poll is made; lengthen the intervals, or raise daily_calls if the licences allow it
    warning: beta: abandoned_calls is polled every 10s; Wolkvox advises 5m, and less than 1m gains little
    valid: 2 operations, 12252 of 8000 calls a day, 2 warnings
    ");
}

/// Outside of hours, what happens now is read less often.
/// Polls that are thinned out must not make gauges come and go, unless the configuration asks for it.
#[test]
fn a_max_age_that_thinned_polls_exceed_is_warned_of() {
    let reports = "reports: {campaigns: {interval: 1m}, ivr: }";
    assert_eq!(
        good(&with(&format!("{reports}\ndaily_calls: 1800"))).warnings(),
        [""; 0]
    );
    let config = good(&with(&format!("{reports}\ndaily_calls: 600")));
    let warning = "acme: a day needs 1732 calls but daily_calls is 600: only every 3rd poll is made; lengthen the intervals, or \
                   raise daily_calls if the licences allow it";
    assert_eq!(config.warnings(), [warning]);
    let reports = "reports: {campaigns: {interval: 1m, max_age: 5m}, ivr: }";
    let config = good(&with(&format!("{reports}\ndaily_calls: 600")));
    assert_eq!(
        config.warnings()[1],
        "acme: max_age of campaigns is shorter than 2 × 3m, the interval to which polls are thinned: its gauges come and go; \
         leave max_age out, and it follows the interval in effect"
    );
}

#[test]
fn working_hours_save_calls() {
    let with_hours = |reports: &str| {
        good(&with(&format!(
            "hours: {{Mon-Fri: '07:00-20:00', Sat: '08:00-14:00'}}\n{reports}"
        )))
    };
    // Of 24 hours, 13: skills and agents 390 + 44 each instead of 720, latency and campaigns 156 + 44 instead of 288.
    assert_eq!(
        with_hours("").operations[0].calls_per_day(),
        3608 - 2 * (720 - 434) - 2 * (288 - 200)
    );
    assert_eq!(with_hours("").warnings(), Vec::<String>::new());
    let warnings = with_hours("reports: {skills: {max_age: 10m}, agents: {max_age: 30m}}").warnings();
    assert_eq!(
        warnings,
        [
            "acme: max_age of skills is shorter than 2 × quiet_interval: outside of hours its gauges come and go; leave max_age out, and it follows the interval in effect"
        ]
    );
}
