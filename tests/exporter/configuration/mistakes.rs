//! Every mistake is reported with its line, and harmful values with a warning.

use std::time::Instant;

use insta::assert_snapshot;
use wolkvox_exporter::config::Config;

use super::{OTHER_SECRET, SECRET, folder, good, mistakes, parse, variables, with};

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
      queues:
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
    wolkvox.yml:12: operations[0].reports.campaigns.overlap: unknown key; the keys here are interval, quiet_interval, timeout, max_age
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
    wolkvox.yml:21: operations[0].reports.queues: unknown key; the keys here are campaigns, call_durations, abandoned_calls, preview_calls, ivr, skills, agents, latency, quota, answered_calls, call_results
    wolkvox.yml:22: operations[1].name: the name `acme` is taken by the operation on line 6
    wolkvox.yml:23: operations[1].name: given twice; the first one is on line 22
    wolkvox.yml:24: operations[1].url: expected an address such as https://wv0001.wolkvox.com: relative URL without a base
    wolkvox.yml:26: operations[1].token_file: `token_file` and `token_env` exclude each other: keep one of them
    wolkvox.yml:27: operations[1].daily_calls: expected a whole number from 1 on, such as 4000; found `-1`
    wolkvox.yml:28: operations[1].currency: expected three capital letters (ISO 4217) such as COP; found `pesos`
    wolkvox.yml:29: operations[1].proxy: expected an address such as http://proxy.example:3128: it must start with http:// or https://
    wolkvox.yml:30: operations[1].ca_file: cannot read /etc/wolkvox/missing.pem: No such file or directory (os error 2)
    wolkvox.yml:31: operations[1].reports: expected reports such as `campaigns:` and `ivr:`; without `reports`, all are read; found nothing
    wolkvox.yml:32: operations[2]: `name` is missing: it becomes the label `operation`, for example `name: acme`
    wolkvox.yml:32: operations[2]: `server` is missing, for example `server: "0001"` (or `url`, to go through a gateway)
    wolkvox.yml:32: operations[2]: `token_file` is missing, for example `token_file: acme.token` (or `token_env`); or put the token into NAME.token beside this file
    wolkvox.yml:33: operations[3]: expected keys: name, server, token_file and so on; found a single value
    wolkvox.yml:34: operations[4].name: expected a name of 1 to 64 letters (a–z), digits, `_` and `-`, such as acme; found `a b`
    wolkvox.yml:34: operations[4].server: expected the number of the server such as "0001", or its full address; found a list
    wolkvox.yml:34: operations[4].daily_calls: expected a whole number from 1 on, such as 4000; found a mapping of keys
    wolkvox.yml:35: operations[5].reports: expected reports such as `campaigns:` and `ivr:`; without `reports`, all are read; found nothing
    wolkvox.yml:35: operations[5].token_env: operation `c` has the same token as an operation without a valid name on line 34: Wolkvox takes one call at a time per token, so each operation needs its own
    wolkvox.yml:36: operations[6].token_env: the environment variable UNSET is not set
    wolkvox.yml:36: operations[6].reports: expected reports such as `campaigns:` and `ivr:`; without `reports`, all are read; found a list
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
      wolkvox.yml:1: ~: unknown key; the keys here are state_path, new_series_hold, series_limit, defaults, operations
      wolkvox.yml:2: operations: expected a list of operations, each starting with `- name: …`; found nothing
    a: [[[[[[[[[[[[[[[[[[[[[[[[[[[
      wolkvox.yml:1: nested more than 32 levels deep
    - - - - - - - - - - - - - - - 
      wolkvox.yml:1: nested more than 32 levels deep
    "#);
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
        let runs = (0..5).map(|_| {
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
fn warnings_tell_what_is_hardly_meant() {
    let config = good(&format!(
        "new_series_hold: 0s\n{}",
        with("daily_calls: 2000\nreports: {ivr: {interval: 59s}, campaigns: {interval: 1m}}")
            .replace("server: 0001", "url: http://gateway")
    ));
    assert_snapshot!(config.warnings().join("\n"), @"
    new_series_hold is 0s: Prometheus will miss the first increment of every new series
    acme: a day needs 2909 calls but daily_calls is 2000: only every 2nd poll is made; lengthen the intervals, or raise daily_calls if the licences allow it
    acme: ivr is polled every 59s; Wolkvox advises 5m, and less than 1m gains little
    acme: the token travels unencrypted: use https://
    ");
    assert_eq!(good(&with("")).warnings(), [""; 0]);
}

/// Only what stays on this machine may be without encryption, and what goes to a proxy leaves it.
#[test]
fn a_token_that_travels_unencrypted_is_warned_of() {
    let unencrypted = "acme: the token travels unencrypted: use https://";
    for (url, proxy, is_warned_of) in [
        ("http://127.0.0.1:1", "", false),
        ("http://127.1", "", false),
        ("http://[::1]:8080", "", false),
        ("http://[::ffff:127.0.0.1]", "", false),
        ("http://localhost:8080/gateway", "", false),
        ("http://127.evil.example.com", "", true),
        ("http://127.0.0.1.example.com", "", true),
        ("http://localhost.example.com", "", true),
        ("http://10.0.0.1", "", true),
        ("http://gateway", "proxy: http://127.0.0.1:3128", true),
        ("http://127.0.0.1:1", "proxy: http://me:swordfish@[::1]:3128", false),
        ("http://127.0.0.1:1", "proxy: http://proxy.example:3128", true),
        ("http://127.0.0.1:1", "proxy: http://localhost@proxy.example", true),
        ("https://gateway", "proxy: http://proxy.example:3128", false),
    ] {
        let config = good(&with(proxy).replace("server: 0001", &format!("url: '{url}'")));
        let expected = if is_warned_of { vec![unencrypted] } else { vec![] };
        assert_eq!(config.warnings(), expected, "{url} {proxy}");
    }
}
