//! The configuration: text in, values or mistakes out.

use insta::assert_snapshot;
use proptest::prelude::*;
use secrecy::ExposeSecret;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wolkvox_exporter::config::{Config, Mistakes, Operation, Token, TokenError, TokenSource, check_config};
use wolkvox_exporter::reports::ReportKind;

const SECRET: &str = "3f9a0c5be1d24786a0b1c2d3e4f5061728394a5b6c7d8e9f0a1b";
const OTHER_SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899";

/// The schema with its defaults, as the documentation shows it.
const DEFAULTS: &str = r#"
state_path: /var/lib/wolkvox_exporter   # a folder, one file per operation; without it counts start anew at each start
new_series_hold: 2m                     # 4.5; at least two scrape intervals; 0s turns it off
series_limit: 5000                      # label sets per operation and family, a histogram counts as one
operations:
  - name: acme                          # the label `operation`; [A-Za-z0-9_-]{1,64}
    server: "0001"                      # or url: http://127.0.0.1:8080 (proxies, tests); not both
    token_file: acme.token              # or token_env: NAME; a path is relative to this file
    timezone: America/Bogota            # default
    currency: COP                       # optional
    daily_calls: 4000                   # default; licences × 1000 less what others use
    proxy: http://127.0.0.1:3128        # optional
    ca_file: company-ca.pem             # optional
    reports:                            # no `reports` key: all five with defaults. With it: only those named; `ivr:` alone means defaults
      campaigns:       {interval: 5m, timeout: 30s, max_age: 15m}
      call_durations:  {interval: 5m, timeout: 90s, reread: {every: 6h, back: 48h}}
      abandoned_calls: {interval: 5m, timeout: 90s, overlap: 2h, reread: {every: 6h, back: 48h}, skill_id: all}
      preview_calls:   {interval: 5m, timeout: 90s, overlap: 2h, reread: {every: 6h, back: 48h}, campaign_id: all}
      ivr:             {interval: 5m, timeout: 90s, overlap: 2h, reread: {every: 6h, back: 48h}}
"#;

/// A folder of its own for each test, with these files in it.
fn folder(test: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("configuration").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder for the test");
    for (name, content) in files {
        fs::write(folder.join(name), content).expect("a file for the test");
    }
    folder
}

/// Variables as a test gives them.
fn variables<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| {
        pairs
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    }
}

/// A configuration whose tokens are in the variables A and B.
fn parse(text: &str) -> Result<Config, Mistakes> {
    let lookup = variables(&[("A", SECRET), ("B", OTHER_SECRET)]);
    Config::parse(text, "wolkvox.yml", Path::new("/etc/wolkvox"), &lookup)
}

fn good(text: &str) -> Config {
    parse(text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn mistakes(text: &str) -> String {
    parse(text).expect_err("there are mistakes in it").to_string()
}

/// A sound operation and more keys for it, each line at the indent of an operation's keys.
fn with(keys: &str) -> String {
    let keys = keys.lines().map(|line| format!("    {line}\n")).collect::<String>();
    format!("operations:\n  - name: acme\n    server: 0001\n    token_env: A\n{keys}")
}

#[test]
fn the_documented_values_are_the_defaults() {
    let folder = folder(
        "defaults",
        &[("acme.token", &format!("{SECRET}\n")), ("company-ca.pem", "")],
    );
    let written = Config::parse(DEFAULTS, "wolkvox.yml", &folder, &|_| None).unwrap();
    let short = "operations: [{name: acme, server: 0001, token_file: acme.token}]";
    let mut short = Config::parse(short, "wolkvox.yml", &folder, &|_| None).unwrap();

    assert_eq!(
        written.state_path.as_deref(),
        Some(Path::new("/var/lib/wolkvox_exporter"))
    );
    assert_eq!(written.operations[0].currency.as_deref(), Some("COP"));
    assert_eq!(written.operations[0].proxy.as_deref(), Some("http://127.0.0.1:3128"));
    assert_eq!(
        written.operations[0].ca_file.as_ref().unwrap().path,
        folder.join("company-ca.pem")
    );
    assert_eq!(
        written.operations[0].token.source,
        TokenSource::File(folder.join("acme.token"))
    );
    assert_eq!(written.operations[0].token.value.expose_secret(), SECRET);
    assert_eq!(written.operations[0].base_url, "https://wv0001.wolkvox.com");

    short.state_path = written.state_path.clone();
    let operation = &mut short.operations[0];
    operation.currency = Some("COP".to_owned());
    operation.proxy = Some("http://127.0.0.1:3128".to_owned());
    operation.ca_file = written.operations[0].ca_file.clone();
    assert_eq!(short, written);

    let mut built = Operation::new("acme", "https://wv0001.wolkvox.com", short.operations[0].token.clone());
    assert_eq!(
        Operation {
            currency: None,
            proxy: None,
            ca_file: None,
            ..written.operations[0].clone()
        },
        built
    );
    built.daily_calls = 1;
    assert_ne!(written.operations[0], built);

    let [minutes, hours] = [60, 3600].map(|unit| move |n: u64| Duration::from_secs(n * unit));
    assert_eq!(written.new_series_hold, minutes(2));
    assert_eq!(written.series_limit, 5000);
    for (kind, report) in &written.operations[0].reports {
        assert_eq!(
            (report.interval, report.max_age, &report.filter),
            (minutes(5), minutes(15), &None),
            "{kind}"
        );
        let (overlap, every, back) = match kind {
            ReportKind::Campaigns => (hours(0), hours(0), hours(0)),
            ReportKind::CallDurations => (hours(0), hours(6), hours(48)),
            _ => (hours(2), hours(6), hours(48)),
        };
        assert_eq!(
            (report.overlap, report.reread.every, report.reread.back),
            (overlap, every, back),
            "{kind}"
        );
    }
}

#[test]
fn only_the_reports_named_are_read() {
    let config = good(&with(
        "reports:\n  ivr:\n  abandoned_calls: {interval: 1m, skill_id: 0815}\n  preview_calls: {campaign_id: ALL}",
    ));
    let reports = &config.operations[0].reports;
    assert_eq!(
        reports.keys().map(|kind| kind.name()).collect::<Vec<_>>(),
        ["abandoned_calls", "preview_calls", "ivr"]
    );
    let abandoned = &reports[&ReportKind::AbandonedCalls];
    assert_eq!(
        abandoned.filter.as_deref(),
        Some("0815"),
        "a zero in front is part of the id"
    );
    assert_eq!(abandoned.max_age, Duration::from_secs(180), "follows the interval");
    assert_eq!(reports[&ReportKind::PreviewCalls].filter, None);
    assert_eq!(config.operations[0].calls_per_day(), 1440 + 288 + 288);
}

#[test]
fn a_server_is_written_in_many_ways() {
    for (text, base_url) in [
        ("0001", "https://wv0001.wolkvox.com"),
        ("'22'", "https://wv0022.wolkvox.com"),
        ("wv0022", "https://wv0022.wolkvox.com"),
        ("WV7", "https://wv0007.wolkvox.com"),
        ("wv0022.wolkvox.com/", "https://wv0022.wolkvox.com"),
        ("https://wv0001.wolkvox.com/", "https://wv0001.wolkvox.com"),
        ("HTTPS://WV0001.Wolkvox.com/api/v2/", "https://wv0001.wolkvox.com"),
        ("http://[::1]:8080/gateway/api/v2", "http://[::1]:8080/gateway"),
    ] {
        let config = good(&with("").replace("0001", text));
        assert_eq!(config.operations[0].base_url, base_url, "server: {text}");
    }
    let through_url = good(&with("").replace("server: 0001", "url: http://127.0.0.1:8080/api/v2/"));
    assert_eq!(through_url.operations[0].base_url, "http://127.0.0.1:8080");

    let wrong = |text: &str| mistakes(&with("").replace("0001", text));
    for text in [
        "00001",
        "wolkvox",
        "wv",
        "''",
        "1e3",
        "user@host",
        "ftp://wv0001.wolkvox.com",
        "https://",
    ] {
        assert!(
            wrong(text).starts_with("wolkvox.yml:3: operations[0].server: "),
            "{}",
            wrong(text)
        );
    }
    // What should not be in an address may be a secret.
    for text in [
        format!("https://me:{SECRET}@a.example"),
        format!("https://a.example/?token={SECRET}"),
    ] {
        assert!(!wrong(&text).contains(SECRET), "{}", wrong(&text));
    }
}

#[test]
fn all_mistakes_are_found_at_once() {
    let text = "\
state_path: ''
new_series_hold: 2 fortnights
series_limit: 0
operation: []
operations:
  - name: acme
    server: 1
    url: http://gateway
    token: 3f9a0c5be1d24786
    timezone: America/Bogotá
    reports:
      campaigns: {intervall: 5m, overlap: 1h}
      call_durations:
        interval: 300
        timeout: 0s
        max_age: 4m
        reread: {every: 0s, back: 32d}
      abandoned_calls: {interval: 10m, max_age: 19m, skill_id: 'a b'}
      preview_calls: {interval: 999ms, overlap: 32days, reread: 6h}
      ivr: [5m]
      agents:
  - name: acme
    name: other
    url: wolkvox.com
    token_env: A
    token_file: a.token
    daily_calls: -1
    currency: pesos
    proxy: socks5://me:secret@proxy
    ca_file: missing.pem
    reports: {}
  - {}
  - acme
  - {name: 'a b', server: [1], token_env: A, daily_calls: {}}
  - {name: c, server: 2, token_env: A, reports: }
  - {name: d, server: 2, token_env: UNSET, reports: [ivr]}
";
    assert_snapshot!(mistakes(text), @r#"
    wolkvox.yml:1: state_path: is empty: a path is expected
    wolkvox.yml:2: new_series_hold: expected a duration such as 90s, 5m or 2h; found `2 fortnights`
    wolkvox.yml:3: series_limit: expected a whole number from 1 on, such as 5000; found `0`
    wolkvox.yml:4: operation: unknown key; did you mean `operations`?
    wolkvox.yml:8: operations[0].url: `server` and `url` exclude each other: keep one of them
    wolkvox.yml:9: operations[0].token: a token does not belong in this file, which gets copied, mailed and committed: put it into a file of its own and set `token_file`, or into an environment variable and set `token_env`
    wolkvox.yml:10: operations[0].timezone: the tz database has no zone `America/Bogotá`; did you mean `America/Bogota`?
    wolkvox.yml:12: operations[0].reports.campaigns.intervall: unknown key; did you mean `interval`?
    wolkvox.yml:12: operations[0].reports.campaigns.overlap: unknown key; the keys here are interval, timeout, max_age
    wolkvox.yml:14: operations[0].reports.call_durations.interval: expected a duration such as 90s, 5m or 2h; found `300`
    wolkvox.yml:15: operations[0].reports.call_durations.timeout: `0s` is out of range: from 1ms to 1h is allowed
    wolkvox.yml:17: operations[0].reports.call_durations.reread.every: `0s` is out of range: from 1s to 366d is allowed
    wolkvox.yml:17: operations[0].reports.call_durations.reread.back: `32d` is out of range: from 1s to 31d is allowed, since one call of the API takes at most 31 days
    wolkvox.yml:18: operations[0].reports.abandoned_calls.max_age: `19m` is out of range: from 20m to 366d is allowed, since with less than 2 × interval one failed poll would hide the report
    wolkvox.yml:18: operations[0].reports.abandoned_calls.skill_id: expected `all` or one id such as 4875; found `a b`
    wolkvox.yml:19: operations[0].reports.preview_calls.interval: `999ms` is out of range: from 1s to 1d is allowed
    wolkvox.yml:19: operations[0].reports.preview_calls.overlap: `32days` is out of range: from 1s to 31d is allowed, since one call of the API takes at most 31 days
    wolkvox.yml:19: operations[0].reports.preview_calls.reread: expected keys such as {every: 6h, back: 48h}; found a single value
    wolkvox.yml:20: operations[0].reports.ivr: expected keys such as {interval: 5m}, or nothing for the defaults; found a list
    wolkvox.yml:21: operations[0].reports.agents: unknown key; the keys here are campaigns, call_durations, abandoned_calls, preview_calls, ivr
    wolkvox.yml:22: operations[1].name: the name `acme` is taken by the operation on line 6
    wolkvox.yml:23: operations[1].name: given twice; the first one is on line 22
    wolkvox.yml:24: operations[1].url: expected an address such as https://wv0001.wolkvox.com: relative URL without a base
    wolkvox.yml:26: operations[1].token_file: `token_file` and `token_env` exclude each other: keep one of them
    wolkvox.yml:27: operations[1].daily_calls: expected a whole number from 1 on, such as 4000; found `-1`
    wolkvox.yml:28: operations[1].currency: expected three capital letters (ISO 4217) such as COP; found `pesos`
    wolkvox.yml:29: operations[1].proxy: expected an address such as http://proxy.example:3128: it must start with http:// or https://
    wolkvox.yml:30: operations[1].ca_file: cannot read /etc/wolkvox/missing.pem: No such file or directory (os error 2)
    wolkvox.yml:31: operations[1].reports: expected the reports to read, such as `campaigns:` and `ivr:`; without `reports`, all are read; found nothing
    wolkvox.yml:32: operations[2]: `name` is missing: it becomes the label `operation`, for example `name: acme`
    wolkvox.yml:32: operations[2]: `server` is missing, for example `server: "0001"` (or `url`, to go through a gateway)
    wolkvox.yml:32: operations[2]: `token_file` is missing, for example `token_file: acme.token` (or `token_env`)
    wolkvox.yml:33: operations[3]: expected keys: name, server, token_file and so on; found a single value
    wolkvox.yml:34: operations[4].name: expected a name of 1 to 64 letters (a–z), digits, `_` and `-`, such as acme; found `a b`
    wolkvox.yml:34: operations[4].server: expected the number of the server such as "0001", or its full address; found a list
    wolkvox.yml:34: operations[4].daily_calls: expected a whole number from 1 on, such as 4000; found a mapping of keys
    wolkvox.yml:35: operations[5].reports: expected the reports to read, such as `campaigns:` and `ivr:`; without `reports`, all are read; found nothing
    wolkvox.yml:35: operations[5].token_env: operation `c` has the same token as an operation without a valid name on line 34: Wolkvox takes one call at a time per token, so each operation needs its own
    wolkvox.yml:36: operations[6].token_env: the environment variable UNSET is not set
    wolkvox.yml:36: operations[6].reports: expected the reports to read, such as `campaigns:` and `ivr:`; without `reports`, all are read; found a list
    "#);
}

#[test]
fn what_is_no_configuration_at_all_says_so() {
    let list = [
        "",
        "# nothing",
        "operations:",
        "operations: []",
        "operations: {name: acme}",
        "- operations",
        "text",
        "a: 1\n b: 2",
        "a: [1, 2",
        "a: \"text",
        "a: &x 1",
        "a: *x",
        "a: !int 1",
        "? {a: 1}\n: 1",
        "operations: 1\n---\noperations: 2",
        "operations: 1\noperations: 2\noperations: 3",
        "~: 1\noperations: null",
        &format!("a: {}", "[".repeat(100)),
        &"- ".repeat(100_000),
    ];
    let found = list.map(|text| {
        format!(
            "{}\n  {}",
            text.chars().take(30).collect::<String>().escape_debug(),
            mistakes(text).replace('\n', "\n  ")
        )
    });
    assert_snapshot!(found.join("\n"), @r#"
      wolkvox.yml:1: expected keys, at least `operations`; found nothing
    # nothing
      wolkvox.yml:1: expected keys, at least `operations`; found nothing
    operations:
      wolkvox.yml:1: operations: expected a list of operations, each starting with `- name: …`; found nothing
    operations: []
      wolkvox.yml:1: operations: expected a list of operations, each starting with `- name: …`; found none
    operations: {name: acme}
      wolkvox.yml:1: operations: expected a list of operations, each starting with `- name: …`; found a mapping of keys
    - operations
      wolkvox.yml:1: expected keys, at least `operations`; found a list
    text
      wolkvox.yml:1: expected keys, at least `operations`; found a single value
    a: 1\n b: 2
      wolkvox.yml:2: not valid YAML: mapping values are not allowed in this context
    a: [1, 2
      wolkvox.yml:1: not valid YAML: while parsing a flow sequence, expected ',' or ']'
    a: \"text
      wolkvox.yml:1: not valid YAML: while scanning a quoted scalar, found unexpected end of stream
    a: &x 1
      wolkvox.yml:1: YAML anchors (`&name`) are not supported: write the value out
    a: *x
      wolkvox.yml:1: not valid YAML: while parsing node, found unknown anchor
    a: !int 1
      wolkvox.yml:1: YAML tags (`!name`) are not supported: a text that starts with `!` needs quotes
    ? {a: 1}\n: 1
      wolkvox.yml:1: a key must be a plain word: is a `:` missing, or are there too many braces?
    operations: 1\n---\noperations: 
      wolkvox.yml:2: a second YAML document starts here (`---`): put everything into one
    operations: 1\noperations: 2\nop
      wolkvox.yml:1: operations: expected a list of operations, each starting with `- name: …`; found a single value
      wolkvox.yml:2: operations: given twice; the first one is on line 1
      wolkvox.yml:3: operations: given twice; the first one is on line 1
    ~: 1\noperations: null
      wolkvox.yml:1: ~: unknown key; the keys here are state_path, new_series_hold, series_limit, operations
      wolkvox.yml:2: operations: expected a list of operations, each starting with `- name: …`; found nothing
    a: [[[[[[[[[[[[[[[[[[[[[[[[[[[
      wolkvox.yml:1: nested more than 32 levels deep
    - - - - - - - - - - - - - - - 
      wolkvox.yml:1: nested more than 32 levels deep
    "#);
}

#[test]
fn a_byte_order_mark_and_windows_lines_are_fine() {
    assert_eq!(
        good(&format!("\u{feff}{}", with("").replace('\n', "\r\n"))),
        good(&with(""))
    );
}

#[test]
fn no_two_operations_share_a_token_or_a_name() {
    let folder = folder("shared", &[("a.token", SECRET), ("b.token", OTHER_SECRET)]);
    let text = "\
operations:
  - {name: acme, server: 1, token_file: a.token}
  - {name: beta, server: 2, token_file: b.token}
  - {name: Acme, server: 3, token_env: A}
  - name: beta
    server: wrong
    token_env: B
";
    let lookup = variables(&[("A", SECRET), ("B", OTHER_SECRET)]);
    let mistakes = Config::parse(text, "wolkvox.yml", &folder, &lookup).unwrap_err();
    assert_snapshot!(mistakes, @r#"
    wolkvox.yml:4: operations[2].token_env: operation `Acme` has the same token as operation `acme` on line 2: Wolkvox takes one call at a time per token, so each operation needs its own
    wolkvox.yml:5: operations[3].name: the name `beta` is taken by the operation on line 3
    wolkvox.yml:6: operations[3].server: expected the number of the server such as "0001", or its full address; found `wrong`
    wolkvox.yml:7: operations[3].token_env: operation `beta` has the same token as operation `beta` on line 3: Wolkvox takes one call at a time per token, so each operation needs its own
    "#);
    assert_eq!(
        mistakes.iter().map(|mistake| mistake.line).collect::<Vec<_>>(),
        [Some(4), Some(5), Some(6), Some(7)]
    );
}

/// In proportion, and not by its square: ten times the length may take forty times as long on a busy machine, and not a
/// hundred times.
#[test]
fn a_long_file_of_mistakes_takes_its_time_and_no_more() {
    let keys = |count: usize| (0..count).map(|n| format!("k{n}:\n")).collect::<String>();
    let twins = |count: usize| {
        let twins = (0..count).map(|n| format!("- {{name: n{n}, server: 1, token_env: A}}\n"));
        format!("operations:\n{}", twins.collect::<String>())
    };
    let time = |text: String| {
        let runs = (0..2).map(|_| {
            let begin = Instant::now();
            assert!(parse(&text).is_err());
            begin.elapsed()
        });
        runs.min().unwrap()
    };
    for (what, text) in [("keys", &keys as &dyn Fn(usize) -> String), ("twins", &twins)] {
        let (short, long) = (time(text(2_000)), time(text(20_000)));
        assert!(long < 40 * short, "{what}: {short:?} and {long:?}");
    }
}

#[test]
fn a_token_that_cannot_be_read_says_why() {
    let long = "x".repeat(5000);
    let files = [
        ("empty", " \n"),
        ("two", "a\nb\n"),
        ("blank", "a b"),
        ("accent", "señal"),
        ("long", long.as_str()),
    ];
    let folder = folder("token", &files);
    let operation = |(index, source): (usize, &str)| format!("  - {{name: o{index}, server: 1, {source}}}\n");
    let text = [
        "token_file: empty",
        "token_file: two",
        "token_file: blank",
        "token_file: accent",
        "token_file: long",
        "token_file: missing",
        "token_file: .",
        "token_file: ''",
        "token_env: UNSET",
        "token_env: BLANK",
        &format!("token_env: {SECRET}"),
        &format!("token_file: {SECRET}"),
        &format!("token: {SECRET}"),
        "server: 2",
        "token_file: \"a\\nb\\e[1m\"",
        &format!("token_file: {SECRET} old"),
        &format!("token_file: {SECRET}/{}", "x".repeat(300)),
        &format!("token_env: A {SECRET}"),
    ];
    let text = format!(
        "operations:\n{}",
        text.into_iter().enumerate().map(operation).collect::<String>()
    );
    let mistakes = Config::parse(&text, "w.yml", &folder, &variables(&[("BLANK", " ")]))
        .unwrap_err()
        .to_string();
    assert!(!mistakes.contains(SECRET));
    assert_snapshot!(mistakes.replace(&folder.display().to_string(), "FOLDER"), @r"
    w.yml:2: operations[0].token_file: the token file FOLDER/empty is empty: it must contain the token
    w.yml:3: operations[1].token_file: the token file FOLDER/two has more than one line: it must contain only the token
    w.yml:4: operations[2].token_file: the token file FOLDER/blank does not contain a token: a token has at most 4096 visible ASCII characters and no spaces
    w.yml:5: operations[3].token_file: the token file FOLDER/accent does not contain a token: a token has at most 4096 visible ASCII characters and no spaces
    w.yml:6: operations[4].token_file: the token file FOLDER/long does not contain a token: a token has at most 4096 visible ASCII characters and no spaces
    w.yml:7: operations[5].token_file: cannot read the token file FOLDER/missing: No such file or directory (os error 2)
    w.yml:8: operations[6].token_file: cannot read the token file FOLDER/.: Is a directory (os error 21)
    w.yml:9: operations[7].token_file: is empty: a path is expected
    w.yml:10: operations[8].token_env: the environment variable UNSET is not set
    w.yml:11: operations[9].token_env: the environment variable BLANK is empty: it must contain the token
    w.yml:12: operations[10].token_env: this looks like the token itself, not like the name of a variable: take it out of the configuration
    w.yml:13: operations[11].token_file: this looks like the token itself, not like the path of a file: take it out of the configuration
    w.yml:14: operations[12].token: a token does not belong in this file, which gets copied, mailed and committed: put it into a file of its own and set `token_file`, or into an environment variable and set `token_env`
    w.yml:15: operations[13]: `token_file` is missing, for example `token_file: acme.token` (or `token_env`)
    w.yml:15: operations[13].server: given twice; the first one is on line 15
    w.yml:16: operations[14].token_file: cannot read the token file FOLDER/a\nb\u{1b}[1m: No such file or directory (os error 2)
    w.yml:17: operations[15].token_file: this looks like the token itself, not like the path of a file: take it out of the configuration
    w.yml:18: operations[16].token_file: this looks like the token itself, not like the path of a file: take it out of the configuration
    w.yml:19: operations[17].token_env: this looks like the token itself, not like the name of a variable: take it out of the configuration
    ");
}

#[test]
fn a_token_is_read_again_from_where_it_came() {
    let folder = folder("again", &[("acme.token", SECRET)]);
    let source = TokenSource::File(folder.join("acme.token"));
    assert_eq!(source.read(&|_| None).unwrap().expose_secret(), SECRET);
    fs::write(folder.join("acme.token"), format!("  {OTHER_SECRET}\r\n")).unwrap();
    assert_eq!(source.read(&|_| None).unwrap().expose_secret(), OTHER_SECRET);
    fs::remove_file(folder.join("acme.token")).unwrap();
    assert!(matches!(source.read(&|_| None), Err(TokenError::Unreadable { .. })));

    let source = TokenSource::Environment("A".to_owned());
    assert_eq!(source.read(&variables(&[("A", "x")])).unwrap().expose_secret(), "x");
    assert_eq!(Token::given("y").source.read(&|_| None).unwrap().expose_secret(), "y");
}

#[test]
fn a_token_is_never_printed() {
    let mut config = good(&with(
        "proxy: http://me:swordfish@proxy.example:3128\nreports: {ivr: {interval: 1s}}",
    ));
    config
        .operations
        .push(Operation::new("code", "http://gateway", Token::given(OTHER_SECRET)));
    let everything = format!(
        "{config:?} {config:#?} {} {:?}",
        check_config(&config, 1),
        config.warnings()
    );
    for secret in [SECRET, OTHER_SECRET, "swordfish"] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
    assert!(everything.contains("proxy.example"));

    let errors = [
        TokenSource::Given("two\nlines".into()).read(&|_| None),
        TokenSource::Environment("A".to_owned()).read(&|_| Some("two\nlines".to_owned())),
    ];
    let errors = format!(
        "{errors:?} {}",
        errors
            .each_ref()
            .map(|error| error.as_ref().unwrap_err().to_string())
            .join(" ")
    );
    assert!(!errors.contains("two"), "{errors}");
}

#[test]
fn the_environment_makes_one_operation() {
    let lookup = variables(&[
        ("WOLKVOX_SERVER", "wv22"),
        ("WOLKVOX_TOKEN", SECRET),
        ("WOLKVOX_TOKEN_FILE", ""),
    ]);
    let config = Config::from_environment(&lookup).unwrap().unwrap();
    let token = Token::from_source(TokenSource::Environment("WOLKVOX_TOKEN".to_owned()), &lookup).unwrap();
    let expected = Operation::new("wolkvox", "https://wv0022.wolkvox.com", token);
    assert_eq!(
        config,
        Config {
            operations: vec![expected],
            ..Config::default()
        }
    );

    let folder = folder("environment", &[("t", SECRET)]);
    let file = folder.join("t").display().to_string();
    let config = Config::from_environment(&variables(&[
        ("WOLKVOX_SERVER", "http://127.0.0.1:8080/"),
        ("WOLKVOX_TOKEN_FILE", &file),
        ("WOLKVOX_TIMEZONE", "america/santiago"),
        ("WOLKVOX_OPERATION", "acme"),
    ]));
    let operation = config.unwrap().unwrap().operations.remove(0);
    assert_eq!(
        (&*operation.name, operation.base_url.as_str()),
        ("acme", "http://127.0.0.1:8080")
    );
    assert_eq!(
        (operation.timezone_name.as_str(), operation.timezone.iana_name()),
        ("America/Santiago", Some("America/Santiago"))
    );
    assert_eq!(operation.token.source, TokenSource::File(file.into()));

    assert_eq!(Config::from_environment(&|_| None), Ok(None));
    assert_eq!(
        Config::from_environment(&variables(&[("WOLKVOX_SERVER", " ")])),
        Ok(None)
    );
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let wrong = |pairs: &[(&str, &str)]| Config::from_environment(&variables(pairs)).unwrap_err().to_string();
    assert_snapshot!(wrong(&[
        ("WOLKVOX_SERVER", "wolkvox"),
        ("WOLKVOX_TOKEN", "a b"),
        ("WOLKVOX_TIMEZONE", "Bogota"),
        ("WOLKVOX_OPERATION", "a b"),
    ]), @r#"
    WOLKVOX_OPERATION: expected a name of 1 to 64 letters (a–z), digits, `_` and `-`, such as acme; found `a b`
    WOLKVOX_SERVER: expected the number of the server such as "0001", or its full address; found `wolkvox`
    WOLKVOX_TOKEN: the environment variable WOLKVOX_TOKEN does not contain a token: a token has at most 4096 visible ASCII characters and no spaces
    WOLKVOX_TIMEZONE: the tz database has no zone `Bogota`; did you mean `America/Bogota`?
    "#);
    assert_snapshot!(wrong(&[("WOLKVOX_SERVER", "1")]), @"WOLKVOX_TOKEN: is not set; it (or WOLKVOX_TOKEN_FILE) is needed with WOLKVOX_SERVER");
    assert_snapshot!(wrong(&[("WOLKVOX_SERVER", "1"), ("WOLKVOX_TOKEN", "a"), ("WOLKVOX_TOKEN_FILE", "b")]), @"WOLKVOX_TOKEN: cannot be combined with WOLKVOX_TOKEN_FILE: keep one of them");
    assert_snapshot!(wrong(&[("WOLKVOX_SERVER", "1"), ("WOLKVOX_TOKEN_FILE", "/no/such.token")]), @"WOLKVOX_TOKEN_FILE: cannot read the token file /no/such.token: No such file or directory (os error 2)");
}

#[test]
fn a_file_is_loaded_with_paths_from_its_folder() {
    let text = "state_path: state\noperations: [{name: acme, server: 1, token_file: acme.token}]";
    let folder = folder("load", &[("w.yml", text), ("acme.token", SECRET)]);
    let config = Config::load(&folder.join("w.yml"), &|_| None).unwrap();
    assert_eq!(config.state_path, Some(folder.join("state")));
    assert_eq!(
        config.operations[0].token.source,
        TokenSource::File(folder.join("acme.token"))
    );

    fs::write(folder.join("latin1.yml"), b"a: 1\nb: \xe9\n").unwrap();
    let wrong =
        ["missing.yml", "latin1.yml"].map(|name| Config::load(&folder.join(name), &|_| None).unwrap_err().to_string());
    assert_snapshot!(wrong.join("\n").replace(&folder.display().to_string(), "FOLDER"), @"
    FOLDER/missing.yml: cannot be read: No such file or directory (os error 2)
    FOLDER/latin1.yml:2: is not UTF-8 from here on
    ");
}

#[test]
fn warnings_tell_what_is_hardly_meant() {
    let config = good(&format!(
        "new_series_hold: 0s\n{}",
        with("daily_calls: 2000\nreports: {ivr: {interval: 59s}, campaigns: {interval: 1m}}")
            .replace("server: 0001", "url: http://gateway")
    ));
    assert_snapshot!(config.warnings().join("\n"), @"
    new_series_hold is 0s: Prometheus will miss the first increment of every new series
    acme: a day needs 2905 calls but daily_calls is 2000: some polls will be skipped; lengthen the intervals, or raise daily_calls if the licences allow it
    acme: ivr is polled every 59s; Wolkvox advises 5m, and less than 1m gains little
    acme: the token travels unencrypted: use https://
    ");
    assert_eq!(good(&with("")).warnings(), [""; 0]);
    assert_eq!(
        good(&with("").replace("server: 0001", "url: http://127.0.0.1:1")).warnings(),
        [""; 0]
    );
}

#[test]
fn calls_a_day_are_rounded_up() {
    let calls = |interval: &str| {
        good(&with(&format!("reports: {{ivr: {{interval: {interval}}}}}"))).operations[0].calls_per_day()
    };
    assert_eq!(
        ["1s", "7s", "1500ms", "5m", "23h", "1day"].map(calls),
        [86_400, 12_343, 57_600, 288, 2, 1]
    );
}

#[test]
fn check_config_shows_the_calls_against_the_budget() {
    let folder = folder("summary", &[("acme.token", SECRET), ("company-ca.pem", "")]);
    let lookup = variables(&[("B", OTHER_SECRET)]);
    let text = format!(
        "{DEFAULTS}  - {{name: beta, url: 'http://127.0.0.1:8080', token_env: B, timezone: America/Santiago, reports: {{abandoned_calls: {{interval: 10s, skill_id: 77}}}}}}\n"
    );
    let config = Config::parse(&text, "wolkvox.yml", &folder, &lookup).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_snapshot!(check_config(&config, 1), @"
    state in /var/lib/wolkvox_exporter

    operation acme
      https://wv0001.wolkvox.com (America/Bogota)
      campaigns       every 5m        288 calls a day
      call_durations  every 5m        288 calls a day
      abandoned_calls every 5m        288 calls a day
      preview_calls   every 5m        288 calls a day
      ivr             every 5m        288 calls a day
      1440 of 4000 calls a day (36 %), not counting rereads and retries

    operation beta
      http://127.0.0.1:8080 (America/Santiago)
      abandoned_calls every 10s      8640 calls a day, only 77
      8640 of 4000 calls a day (216 %), not counting rereads and retries

    warning: beta: a day needs 8640 calls but daily_calls is 4000: some polls will be skipped; lengthen the intervals, or raise daily_calls if the licences allow it
    warning: beta: abandoned_calls is polled every 10s; Wolkvox advises 5m, and less than 1m gains little
    ");
}

proptest! {
    /// Whatever is cut out of a good file, put into it or moved about: mistakes or values, never a panic, and every
    /// mistake is in a line that the file has.
    #[test]
    fn no_text_makes_it_panic(edits in prop::collection::vec((any::<prop::sample::Index>(), 0..40usize, piece()), 1..6)) {
        let mut text: Vec<char> = DEFAULTS.chars().collect();
        for (at, cut, put) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, put.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(mistakes) = parse(&text) {
            prop_assert!(!mistakes.to_string().is_empty());
            // For YAML a lone carriage return ends a line, too.
            let lines = text.split(['\n', '\r']).count();
            for mistake in &mistakes {
                prop_assert!(mistake.line.is_some_and(|line| (1..=lines).contains(&line)), "{mistake:?} in\n{text}");
                prop_assert!(!mistake.text.contains(char::is_control), "{mistake:?}");
            }
        }
    }

    /// A number comes back as the interval that it was, or as a mistake: never as something else.
    #[test]
    fn durations_are_what_is_written(millis in 0..200_000_000_u64) {
        let parsed = parse(&with(&format!("reports: {{ivr: {{interval: {millis}ms}}}}")));
        if (1_000..=86_400_000).contains(&millis) {
            prop_assert_eq!(parsed.unwrap().operations[0].reports[&ReportKind::Ivr].interval, Duration::from_millis(millis));
        } else {
            prop_assert!(parsed.is_err());
        }
    }
}

/// What an edit puts in: YAML's own signs, values out of place, or anything.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "",
            "\n",
            "\n  ",
            "- ",
            ": ",
            "{",
            "}",
            "[",
            "]",
            "'",
            "\"",
            "|",
            ">",
            "&a ",
            "*a",
            "!x ",
            "? ",
            "---\n",
            "...\n",
            "\t",
            "%YAML",
            "0s",
            "-1",
            "~",
            "null",
            "99999999999999999999y",
            "reports:",
            "\r",
            "\u{feff}",
            "\\x",
            "#",
            "@",
            "`",
        ])
        .prop_map(str::to_owned),
        ".{0,20}",
    ]
}
