//! An operation's own labels.

use insta::assert_snapshot;
use wolkvox_exporter::config::Config;

use super::{SECRET, good, mistakes, with};

#[test]
fn labels_are_merged_with_the_defaults() {
    let config = Config::parse(
        "\
defaults: {labels: {client: nobody, country: co, team: \"0042\"}}
operations:
  - {name: a, server: 1, token_env: A, labels: {client: acme, team: '', city: Bogotá D.C.}}
  - {name: b, server: 2, token_env: B}
",
        "wolkvox.yml",
        "".as_ref(),
        &|name| Some(format!("{name}{SECRET}")),
    )
    .unwrap();
    let labels = |n: usize| format!("{:?}", config.operations[n].labels);
    assert_eq!(
        labels(0),
        r#"{"city": "Bogotá D.C.", "client": "acme", "country": "co"}"#
    );
    assert_eq!(labels(1), r#"{"client": "nobody", "country": "co", "team": "0042"}"#);
    assert!(good(&with("")).operations[0].labels.is_empty());
}

#[test]
fn labels_that_mean_something_else_are_refused() {
    let many = (0..21).map(|n| format!("l{n}: x")).collect::<Vec<_>>().join(", ");
    let long = "x ".repeat(70);
    let text = format!(
        "\
labels:
  operation: x
  timezone: x
  server: x
  job: x
  severity: x
  skill_id: x
  report: x
  __name__: x
  9th: x
  client-name: x
  client: [x]
  {SECRET}: x
  token: {SECRET}
  long: {long}
  twice: x
  twice: x
"
    );
    assert_snapshot!(mistakes(&with(&text)), @"
    wolkvox.yml:6: operations[0].labels.operation: `operation` is a label of other metrics: choose another one
    wolkvox.yml:7: operations[0].labels.timezone: `timezone` is a label of other metrics: choose another one
    wolkvox.yml:8: operations[0].labels.server: `server` is a label of other metrics: choose another one
    wolkvox.yml:9: operations[0].labels.job: `job` is reserved by Prometheus: choose another label
    wolkvox.yml:10: operations[0].labels.severity: `severity` is reserved by Prometheus: choose another label
    wolkvox.yml:11: operations[0].labels.skill_id: `skill_id` is a label of other metrics: choose another one
    wolkvox.yml:12: operations[0].labels.report: `report` is a label of other metrics: choose another one
    wolkvox.yml:13: operations[0].labels.__name__: `__name__` is reserved by Prometheus: choose another label
    wolkvox.yml:14: operations[0].labels.9th: expected a label of 1 to 64 letters (a–z), digits and `_`, not beginning with a digit; found `9th`
    wolkvox.yml:15: operations[0].labels.client-name: expected a label of 1 to 64 letters (a–z), digits and `_`, not beginning with a digit; found `client-name`
    wolkvox.yml:16: operations[0].labels.client: expected a text such as acme; found a list
    wolkvox.yml:17: operations[0].labels.<looks like a secret, not shown>: this looks like a secret, which does not belong here and is not shown: put a token into a file of its own, and the path of that file into `token_file`
    wolkvox.yml:18: operations[0].labels.token: this looks like a secret, which does not belong here and is not shown: put a token into a file of its own, and the path of that file into `token_file`
    wolkvox.yml:19: operations[0].labels.long: expected at most 128 characters on one line; found `x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x …`
    wolkvox.yml:21: operations[0].labels.twice: given twice; the first one is on line 20
    ");
    assert_snapshot!(mistakes(&with(&format!("labels: {{{many}}}"))), @"wolkvox.yml:5: operations[0].labels: has 21 labels: 20 at most");
    assert_snapshot!(mistakes(&with("labels: acme")), @"wolkvox.yml:5: operations[0].labels: expected labels such as {client: acme, country: co}; found a single value");
}
