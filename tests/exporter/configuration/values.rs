//! What a correct file means, and its defaults.

use std::fs;
use std::path::Path;
use std::time::Duration;

use insta::assert_snapshot;
use secrecy::ExposeSecret;
use wolkvox_exporter::config::{Config, Operation, TokenSource};
use wolkvox_exporter::reports::{ABANDONED_CALLS, PREVIEW_CALLS};

use super::{DEFAULTS, SECRET, certificate, folder, good, mistakes, with};

#[test]
fn the_documented_values_are_the_defaults() {
    let folder = folder(
        "defaults",
        &[
            ("acme.token", &format!("{SECRET}\n")),
            ("company-ca.pem", &certificate()),
        ],
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
    operation.timezone_is_given = true;
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
            timezone_is_given: false,
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
        let (interval, quiet_interval) = match kind.name {
            "campaigns" | "latency" => (minutes(5), minutes(15)),
            "skills" | "agents" => (minutes(2), minutes(15)),
            "quota" => (minutes(60), minutes(60)),
            "call_results" => (minutes(15), minutes(15)),
            _ => (minutes(5), minutes(5)),
        };
        assert_eq!(
            (report.interval, report.quiet_interval, report.max_age),
            (interval, quiet_interval, None),
            "{kind}"
        );
        let seconds = (kind.name == "skills").then_some(20);
        assert_eq!((&report.choice.only, report.choice.seconds), (&None, seconds), "{kind}");
        let (overlap, every, back) = match kind.name {
            "campaigns" | "skills" | "agents" | "latency" | "quota" => (hours(0), hours(0), hours(0)),
            "call_durations" | "call_results" => (hours(0), hours(6), hours(48)),
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
        reports.keys().map(|kind| kind.name).collect::<Vec<_>>(),
        ["abandoned_calls", "preview_calls", "ivr"]
    );
    let abandoned = &reports[&ABANDONED_CALLS];
    assert_eq!(
        abandoned.choice.only.as_deref(),
        Some("0815"),
        "a zero in front is part of the id"
    );
    assert_eq!(reports[&PREVIEW_CALLS].choice.only, None);
    assert_eq!(config.operations[0].calls_per_day(), 1440 + 288 + 288 + 3 * 4);
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
fn a_byte_order_mark_and_windows_lines_are_fine() {
    assert_eq!(
        good(&format!("\u{feff}{}", with("").replace('\n', "\r\n"))),
        good(&with(""))
    );
}

#[test]
fn a_file_is_loaded_with_paths_from_its_folder() {
    let text = "state_path: state\noperations: [{name: acme, server: 1, token_file: acme.token}]";
    let folder = folder("load", &[("w.yml", text), ("acme.token", SECRET)]);
    let config = Config::load(&[folder.join("w.yml")], &|_| None).unwrap();
    assert_eq!(config.state_path, Some(folder.join("state")));
    assert_eq!(
        config.operations[0].token.source,
        TokenSource::File(folder.join("acme.token"))
    );

    fs::write(folder.join("latin1.yml"), b"a: 1\nb: \xe9\n").unwrap();
    let wrong = ["missing.yml", "latin1.yml"]
        .map(|name| Config::load(&[folder.join(name)], &|_| None).unwrap_err().to_string());
    assert_snapshot!(wrong.join("\n").replace(&folder.display().to_string(), "FOLDER"), @"
    FOLDER/missing.yml: cannot be read: No such file or directory (os error 2)
    FOLDER/latin1.yml:2: is not UTF-8 from here on
    ");
}
