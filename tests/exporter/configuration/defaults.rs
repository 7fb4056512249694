//! `defaults`: what operations have unless they say otherwise.

use std::path::Path;

use insta::assert_snapshot;
use wolkvox_exporter::config::{Config, Mistakes, check_config};

use super::{SECRET, certificate, folder, good, mistakes};

/// Any token variable has a token of its own.
fn parse_in(folder: &Path, text: &str) -> Result<Config, Mistakes> {
    Config::parse(text, "wolkvox.yml", folder, &|name| Some(format!("{name}{SECRET}")))
}

/// Operations in thirty lines, with tokens of their own and perhaps more keys.
fn thirty(keys: &str) -> String {
    (1..=30)
        .map(|n| format!("  - {{name: o{n}, server: {n}, token_env: T{n}{keys}}}\n"))
        .collect()
}

#[test]
fn an_operation_says_otherwise_key_by_key() {
    let folder = folder("defaults-values", &[("ca.pem", &certificate())]);
    let short = "\
defaults:
  timezone: America/Lima
  currency: PEN
  daily_calls: 9000
  proxy: http://127.0.0.1:3128
  ca_file: ca.pem
  reports:
    campaigns: {interval: 1m, timeout: 10s}
    abandoned_calls: {max_age: 1h, overlap: 3h, settle: 1m, skill_id: 7, reread: {back: 24h}}
    preview_calls:
operations:
  - {name: a, server: 1, token_env: A}
  - name: b
    server: 2
    token_env: B
    timezone: America/Bogota
    currency: COP
    daily_calls: 100
    reports:
      campaigns: {interval: 2m}
      call_durations:
      abandoned_calls: {skill_id: all, reread: {every: 1h}}
  - {name: c, server: 3, token_env: C, reports: {campaigns: , ivr: {interval: 10m}}}
";
    let long = "\
operations:
  - name: a
    server: 1
    token_env: A
    timezone: America/Lima
    currency: PEN
    daily_calls: 9000
    proxy: http://127.0.0.1:3128
    ca_file: ca.pem
    reports:
      campaigns: {interval: 1m, timeout: 10s}
      call_durations:
      abandoned_calls: {max_age: 1h, overlap: 3h, settle: 1m, skill_id: 7, reread: {back: 24h}}
      preview_calls:
      ivr:
      skills:
      agents:
      latency:
      quota:
      answered_calls:
      call_results:
  - name: b
    server: 2
    token_env: B
    timezone: America/Bogota
    currency: COP
    daily_calls: 100
    proxy: http://127.0.0.1:3128
    ca_file: ca.pem
    reports:
      campaigns: {interval: 2m, timeout: 10s}
      call_durations:
      abandoned_calls: {max_age: 1h, overlap: 3h, settle: 1m, skill_id: all, reread: {every: 1h, back: 24h}}
  - name: c
    server: 3
    token_env: C
    timezone: America/Lima
    currency: PEN
    daily_calls: 9000
    proxy: http://127.0.0.1:3128
    ca_file: ca.pem
    reports:
      campaigns: {interval: 1m, timeout: 10s}
      ivr: {interval: 10m}
";
    let [short, long] = [short, long].map(|text| parse_in(&folder, text).unwrap_or_else(|wrong| panic!("{wrong}")));
    assert_eq!(short.operations, long.operations);
}

#[test]
fn thirty_operations_take_thirty_lines() {
    let text = format!(
        "defaults: {{timezone: America/Lima, reports: {{campaigns: {{interval: 1m}}}}}}\noperations:\n{}",
        thirty("")
    );
    let config = parse_in(Path::new(""), &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(config.operations.len(), 30);
    for operation in &config.operations {
        assert_eq!(operation.timezone_name, "America/Lima");
        assert_eq!(operation.reports.len(), 11);
        assert_eq!(operation.calls_per_day(), 1440 + 3608 - 288);
    }
}

/// Hours of a week belong together: an operation's own replace those of the defaults.
#[test]
fn hours_are_not_merged() {
    let text = "\
defaults: {hours: {Mon-Sun: '07:00-20:00'}}
operations:
  - {name: a, server: 1, token_env: A}
  - {name: b, server: 2, token_env: B, hours: {Mon-Fri: '08:00-18:00'}}
";
    let config = parse_in(Path::new(""), text).unwrap();
    let hours = |n: usize| config.operations[n].hours.as_ref().unwrap().to_string();
    assert!(hours(0).contains("sun: \"07:00-20:00\""), "{}", hours(0));
    let five = ["mon", "tue", "wed", "thu", "fri"].map(|day| format!("{day}: \"08:00-18:00\""));
    assert_eq!(hours(1), format!("{{{}}}", five.join(", ")));
}

#[test]
fn a_mistake_in_the_defaults_is_told_once() {
    let text = format!(
        "\
defaults:
  timezone: America/Bogotá
  currency: pesos
  currency: COP
  daily_call: 1
  ca_file: missing.pem
  colour: red
  reports:
    campaigns: {{intervall: 5m, timeout: 0s, interval: never}}
    abandoned_calls: {{max_age: 1s, reread: 6h}}
    preview_calls: [5m]
    ivr: {{reread: {{back: 99d}}}}
    agentes:
operations:
{}  - {{name: last, server: 1, token_env: A, currency: COP, timezone: America/Lima, reports: {{preview_calls: {{timeout: 1s}}}}}}
",
        thirty("")
    );
    assert_snapshot!(parse_in(Path::new("/etc/wolkvox"), &text).unwrap_err(), @"
    wolkvox.yml:2: defaults.timezone: the tz database has no zone `America/Bogotá`; did you mean `America/Bogota`?
    wolkvox.yml:3: defaults.currency: expected three capital letters (ISO 4217) such as COP; found `pesos`
    wolkvox.yml:4: defaults.currency: given twice; the first one is on line 3
    wolkvox.yml:5: defaults.daily_call: unknown key; did you mean `daily_calls`?
    wolkvox.yml:6: defaults.ca_file: cannot read /etc/wolkvox/missing.pem: No such file or directory (os error 2)
    wolkvox.yml:7: defaults.colour: unknown key; the keys here are timezone, labels, currency, daily_calls, hours, proxy, ca_file, reports
    wolkvox.yml:9: defaults.reports.campaigns.interval: expected a duration such as 90s, 5m or 2h; found `never`
    wolkvox.yml:9: defaults.reports.campaigns.timeout: `0s` is out of range: from 1ms to 1h is allowed
    wolkvox.yml:9: defaults.reports.campaigns.intervall: unknown key; did you mean `interval`?
    wolkvox.yml:10: defaults.reports.abandoned_calls.reread: expected keys such as {every: 6h, back: 48h}; found a single value
    wolkvox.yml:10: defaults.reports.abandoned_calls.max_age: `1s` is out of range: from 10m to 366d is allowed, since with less than 2 × interval one failed poll would hide the report
    wolkvox.yml:11: defaults.reports.preview_calls: expected keys such as {interval: 5m}, or nothing for the defaults; found a list
    wolkvox.yml:12: defaults.reports.ivr.reread.back: `99d` is out of range: from 1s to 31d is allowed, since one call of the API takes at most 31 days
    wolkvox.yml:13: defaults.reports.agentes: unknown key; did you mean `agents`?
    ");
}

/// Only the operations say whether these fit together.
#[test]
fn max_age_is_compared_with_the_interval_in_effect() {
    let text = "\
defaults:
  reports:
    campaigns:
      interval: 10m
    ivr:
      max_age: 4m
operations:
  - {name: a, server: 1, token_env: A, reports: {campaigns: {max_age: 15m}, ivr: {interval: 1m}}}
  - name: b
    server: 2
    token_env: B
    reports:
      ivr:
        interval: 3m
";
    assert_snapshot!(mistakes(text), @"
    wolkvox.yml:6: defaults.reports.ivr.max_age: `4m` is out of range: from 6m to 366d is allowed, since with less than 2 × interval (line 14) one failed poll would hide the report
    wolkvox.yml:8: operations[0].reports.campaigns.max_age: `15m` is out of range: from 20m to 366d is allowed, since with less than 2 × interval (line 4) one failed poll would hide the report
    ");
    good(&text.replace("15m", "20m").replace("interval: 3m", "interval: 2m"));
}

#[test]
fn what_each_operation_has_of_its_own_is_refused() {
    let text = "\
defaults:
  name: acme
  server: 1
  url: http://gateway
  token: 3f9a0c5be1d24786
  token_file: a.token
  token_env: A
operations:
  - {name: acme, url: 'http://gateway', token_env: A}
  - {}
";
    assert_snapshot!(mistakes(text), @r#"
    wolkvox.yml:2: defaults.name: names are unique: set `name` in each operation
    wolkvox.yml:3: defaults.server: it says which contact centre is read: set `server` or `url` in each operation
    wolkvox.yml:4: defaults.url: it says which contact centre is read: set `server` or `url` in each operation
    wolkvox.yml:5: defaults.token: a token does not belong in this file, which gets copied, mailed and committed: put it into a file of its own and set `token_file`, or into an environment variable and set `token_env`
    wolkvox.yml:6: defaults.token_file: Wolkvox takes one call at a time per token, so each operation needs its own: set `token_file` or `token_env` in each operation
    wolkvox.yml:7: defaults.token_env: Wolkvox takes one call at a time per token, so each operation needs its own: set `token_file` or `token_env` in each operation
    wolkvox.yml:10: operations[1]: `name` is missing: it becomes the label `operation`, for example `name: acme`
    wolkvox.yml:10: operations[1]: `server` is missing, for example `server: "0001"` (or `url`, to go through a gateway)
    wolkvox.yml:10: operations[1]: `token_file` is missing, for example `token_file: acme.token` (or `token_env`); or put the token into NAME.token beside this file
    "#);
}

#[test]
fn defaults_may_be_empty_but_not_something_else() {
    let operation = "operations: [{name: a, server: 1, token_env: A}]";
    let plain = good(operation);
    for nothing in ["{}", "{reports: {ivr: , campaigns: {}}}"] {
        let config = good(&format!("defaults: {nothing}\n{operation}"));
        assert_eq!(config.operations, plain.operations, "{nothing}");
    }
    let wrong = ["", "[a]", "{reports: }", "{reports: {}}", "{reports: all}"];
    let wrong = wrong.map(|wrong| mistakes(&format!("defaults: {wrong}\n{operation}")));
    assert_snapshot!(wrong.join("\n"), @"
    wolkvox.yml:1: defaults: expected keys of operations, such as `timezone: America/Bogota`; found nothing
    wolkvox.yml:1: defaults: expected keys of operations, such as `timezone: America/Bogota`; found a list
    wolkvox.yml:1: defaults.reports: expected reports such as `campaigns:` and `ivr:`; without `reports`, all are read; found nothing
    wolkvox.yml:1: defaults.reports: expected reports such as `campaigns:` and `ivr:`; without `reports`, all are read; found nothing
    wolkvox.yml:1: defaults.reports: expected reports such as `campaigns:` and `ivr:`; without `reports`, all are read; found a single value
    ");
}

#[test]
fn check_config_names_the_keys_and_shows_the_values_in_effect() {
    let config = good(
        "\
defaults: {timezone: America/Lima, reports: {ivr: {interval: 10m}}}
operations:
  - {name: a, server: 1, token_env: A, reports: {ivr: }}
  - {name: b, server: 2, token_env: B, timezone: America/Bogota, reports: {ivr: {interval: 30m}}}
",
    );
    assert_snapshot!(check_config(&config, 1, &config.warnings()), @"
    defaults for timezone, reports

    operation a
      https://wv0001.wolkvox.com (America/Lima)
      ivr             every 10m       148 calls a day
      148 of 4000 calls a day (3 %), not counting retries

    operation b
      https://wv0002.wolkvox.com (America/Bogota)
      ivr             every 30m        52 calls a day
      52 of 4000 calls a day (1 %), not counting retries

    warning: no state_path: counts start from 0 at every start; set it to a folder that outlives restarts
    valid: 2 operations, 200 of 8000 calls a day, 1 warning
    ");
}
