//! `docs/configuration.md` has every key, flag and variable, with its default and bounds.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use wolkvox_exporter::cli;
use wolkvox_exporter::config::{Config, Mistakes, Operation, Token, TokenSource};
use wolkvox_exporter::reports::{REPORTS, Report};
use wolkvox_exporter::web::WebConfig;

use super::{file, files_below, row, row_keys, section, text};
use crate::ledger::Folder;

const PAGE: &str = "docs/configuration.md";
/// Not similar to any key.
const STRANGER: &str = "qqqqqqqqqqqqqqqqqqqqqqqq";
/// Keys without a default: they are required, or only have a meaning when present.
const WITHOUT_DEFAULT: &[&str] = &[
    "state_path",
    "defaults",
    "operations",
    "name",
    "server",
    "url",
    "token_file",
    "token_env",
    "currency",
    "hours",
    "labels",
    "proxy",
    "ca_file",
    "reports",
    "max_age",
];

/// The page describes nothing that does not exist.
fn no_strangers(part: &str, known: &[String]) {
    for key in row_keys(part) {
        let key = key.split(['=', ' ']).next().unwrap();
        assert!(
            known.iter().any(|known| known == key),
            "{PAGE} describes {key}, which does not exist"
        );
    }
}

fn parse(yaml: &str) -> Result<Config, Mistakes> {
    Config::parse(yaml, "wolkvox.yml", Path::new(""), &|_| {
        Some("0123456789abcdef".to_owned())
    })
}

/// The keys of the mapping that contains the unknown key, as the error message lists them.
fn known(mistakes: &Mistakes) -> Vec<String> {
    let keys = mistakes
        .iter()
        .find_map(|mistake| mistake.text.strip_prefix("unknown key; the keys here are "));
    let keys = keys.unwrap_or_else(|| panic!("no list of keys in: {mistakes}"));
    keys.split(", ").map(str::to_owned).collect()
}

fn keys(yaml: &str) -> Vec<String> {
    known(&parse(yaml).unwrap_err())
}

/// The keys of each report, with those below `reread` as `reread.every`.
fn keys_of_report(report: &'static Report) -> Vec<String> {
    let mut all = Vec::new();
    for key in keys(&format!("operations: [{{reports: {{{report}: {{{STRANGER}: 1}}}}}}]")) {
        if key == "reread" {
            let below = keys(&format!(
                "operations: [{{reports: {{{report}: {{reread: {{{STRANGER}: 1}}}}}}}}]"
            ));
            all.extend(below.into_iter().map(|key| format!("reread.{key}")));
        } else {
            all.push(key);
        }
    }
    all
}

/// The default in a cell of the page: a value in backticks, with another one for some reports.
fn default<'c>(cell: &'c str, report: Option<&'static Report>) -> Option<&'c str> {
    let own = report.and_then(|report| Some(cell.split_once(&format!("{report}: `"))?.1));
    own.or(cell.strip_prefix('`'))?.split('`').next()
}

/// Adds the keys with the defaults that this section gives.
fn take(yaml: &mut String, part: &str, keys: &[String], indent: &str) {
    no_strangers(part, keys);
    for key in keys {
        let row = row(part, key).unwrap_or_else(|| panic!("{PAGE} lacks the key {key}"));
        match default(row[1], None) {
            Some(value) => *yaml += &format!("{indent}{key}: {value}\n"),
            None => assert!(
                WITHOUT_DEFAULT.contains(&key.as_str()),
                "{PAGE}: {key} without a default"
            ),
        }
    }
}

/// A configuration with all documented defaults equals one without any of them.
#[test]
fn every_key_has_its_default() {
    let page = text(PAGE);
    let (top, operations, reports) = (
        section(&page, "### The top level"),
        section(&page, "### An operation"),
        section(&page, "### A report"),
    );
    let mut yaml = String::new();
    take(&mut yaml, top, &keys(&format!("{STRANGER}: 1")), "");
    yaml += "operations:\n- name: acme\n  server: \"0001\"\n  token_env: TOKEN\n";
    take(
        &mut yaml,
        operations,
        &keys(&format!("operations: [{{{STRANGER}: 1}}]")),
        "  ",
    );
    yaml += "  reports:\n";
    let mut having: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for report in REPORTS {
        yaml += &format!("    {report}:\n");
        let mut reread = String::new();
        for key in keys_of_report(report) {
            having.entry(key.clone()).or_default().push(report.name);
            let row = row(reports, &key).unwrap_or_else(|| panic!("{PAGE} lacks the key {key} of reports"));
            let Some(value) = default(row[1], Some(report)) else {
                assert!(
                    WITHOUT_DEFAULT.contains(&key.as_str()),
                    "{PAGE}: {key} without a default"
                );
                continue;
            };
            match key.strip_prefix("reread.") {
                Some(key) => reread += &format!("        {key}: {value}\n"),
                None => yaml += &format!("      {key}: {value}\n"),
            }
        }
        if !reread.is_empty() {
            yaml += &format!("      reread:\n{reread}");
        }
    }
    no_strangers(reports, &having.keys().cloned().collect::<Vec<_>>());
    for (key, of) in having {
        let cell = row(reports, &key).unwrap()[2];
        let of = if of.len() == REPORTS.len() {
            "all".to_owned()
        } else {
            of.join(", ")
        };
        assert_eq!(cell, of, "{PAGE}: the reports that have {key}");
    }
    let token = Token::from_source(TokenSource::Environment("TOKEN".to_owned()), &|_| {
        Some("0123456789abcdef".to_owned())
    });
    let mut operation = Operation::new("acme", "https://wv0001.wolkvox.com", token.unwrap());
    operation.timezone_is_given = true;
    let plain = Config {
        operations: vec![operation],
        ..Config::default()
    };
    assert_eq!(
        parse(&yaml).unwrap_or_else(|wrong| panic!("{wrong}\n{yaml}")),
        plain,
        "{yaml}"
    );
}

/// The error for an invalid duration gives the bounds; the page has both.
#[test]
fn the_bounds_are_those_of_the_page() {
    let page = text(PAGE);
    let mut wrong = vec![("new_series_hold".to_owned(), "new_series_hold: 99999d".to_owned())];
    for report in REPORTS {
        let is_duration = |key: &String| !key.ends_with("_id") && !key.ends_with("_seconds");
        for key in keys_of_report(report).into_iter().filter(is_duration) {
            let setting = match key.split_once('.') {
                Some((outer, inner)) => format!("{outer}: {{{inner}: 99999d}}"),
                None => format!("{key}: 99999d"),
            };
            wrong.push((key, format!("operations: [{{reports: {{{report}: {{{setting}}}}}}}]")));
        }
    }
    for (key, yaml) in wrong {
        let mistakes = parse(&yaml).unwrap_err();
        let range = mistakes
            .iter()
            .find_map(|mistake| mistake.text.split_once("out of range: from "));
        let (_, range) = range.unwrap_or_else(|| panic!("{key}: {mistakes}"));
        let (bounds, _) = range.split_once(" is allowed").unwrap();
        let row = row(&page, &key).unwrap();
        for bound in bounds.split(" to ") {
            assert!(
                row.iter().any(|cell| cell.contains(bound)),
                "{PAGE}: {key} is from {bounds}; found {row:?}"
            );
        }
    }
}

#[test]
fn every_configuration_that_is_shown_can_be_read() {
    let folder = Folder::new("documented");
    std::fs::create_dir_all(&folder.0).unwrap();
    let mut read = 0;
    let mut pages = files_below(&file("docs"), ".md");
    pages.push(file("README.md"));
    for path in pages {
        let page = std::fs::read_to_string(&path).unwrap();
        for (n, block) in page.split("```yaml\n").skip(1).enumerate() {
            let yaml = block.split("```").next().unwrap();
            // The check of the chart compares the chart's values.
            if yaml.starts_with("# values.yaml") || !yaml.lines().any(|line| line == "operations:") {
                continue;
            }
            for (n, name) in yaml.split("_file: ").skip(1).enumerate() {
                let name = name.split([' ', '\n', ',', '}']).next().unwrap();
                let text = if name.ends_with(".pem") {
                    rcgen::generate_simple_self_signed(vec![]).unwrap().cert.pem()
                } else {
                    format!("a-token-{n}")
                };
                std::fs::write(folder.0.join(name), text).unwrap();
            }
            let config = Config::parse(yaml, "wolkvox.yml", &folder.0, &|name| Some(format!("token-{name}")));
            config.unwrap_or_else(|wrong| panic!("{}, example {n}: {wrong}", path.display()));
            read += 1;
        }
    }
    assert!(read >= 2, "only {read} configurations were found");
}

#[test]
fn every_flag_and_command_is_documented() {
    let page = text(PAGE);
    let flags = section(&page, "## Flags");
    let command = cli::command();
    let mut known = Vec::new();
    for flag in command.get_arguments().filter(|flag| !flag.is_hide_set()) {
        let Some(long) = flag.get_long() else { continue };
        known.push(format!("--{long}"));
        let row = row(flags, &format!("--{long}")).unwrap_or_else(|| panic!("{PAGE} lacks the flag --{long}"));
        for value in flag.get_default_values() {
            let value = value.to_string_lossy();
            assert_eq!(row[1], format!("`{value}`"), "{PAGE}: the default of --{long}");
        }
    }
    no_strangers(flags, &known);
    // Flags of a single command may be documented with the command.
    let everywhere: String = files_below(&file("docs"), ".md")
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let commands = section(&page, "## Commands");
    let mut known = Vec::new();
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = command.get_name();
        known.push(name.to_owned());
        assert!(row(commands, name).is_some(), "{PAGE} lacks the command {name}");
        for flag in command.get_arguments().filter_map(|flag| flag.get_long()) {
            assert!(
                everywhere.contains(&format!("--{flag}")),
                "no page describes --{flag} of {name}"
            );
        }
    }
    no_strangers(commands, &known);
}

#[test]
fn every_variable_is_documented() {
    let page = text(PAGE);
    let asked = RefCell::new(Vec::new());
    let _ = Config::from_environment(&|name| {
        asked.borrow_mut().push(name.to_owned());
        (name == "WOLKVOX_SERVER").then(|| "0001".to_owned())
    });
    let asked = asked.into_inner();
    assert!(asked.len() > 3, "{asked:?}");
    let part = section(&page, "## Environment");
    for name in &asked {
        assert!(row(part, name).is_some(), "{PAGE} lacks the variable {name}");
    }
    no_strangers(part, &asked);
}

#[test]
fn every_key_of_the_web_configuration_is_documented() {
    let page = text(PAGE);
    let part = section(&page, "## Web configuration");
    let folder = Folder::new("documented-web");
    std::fs::create_dir_all(&folder.0).unwrap();
    let path = folder.0.join("web.yml");
    for (place, yaml) in [
        ("", format!("{STRANGER}: 1")),
        ("tls_server_config.", format!("tls_server_config: {{{STRANGER}: 1}}")),
        ("http_server_config.", format!("http_server_config: {{{STRANGER}: 1}}")),
        (
            "http_server_config.headers.",
            format!("http_server_config: {{headers: {{{STRANGER}: 1}}}}"),
        ),
    ] {
        std::fs::write(&path, yaml).unwrap();
        for key in known(&WebConfig::load(&path).unwrap_err()) {
            let key = format!("{place}{key}");
            let is_section = ["tls_server_config", "http_server_config", "http_server_config.headers"].contains(&&*key);
            assert!(
                is_section || row(part, &key).is_some(),
                "{PAGE} lacks the key {key} of the web configuration"
            );
        }
    }
}
