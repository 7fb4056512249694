//! The configuration in effect is a file that means the same.

use insta::assert_snapshot;
use wolkvox_exporter::config::Config;

use super::{DEFAULTS, SECRET, certificate, folder, good, with};

#[test]
fn it_means_the_same_when_it_is_read_again() {
    let folder = folder(
        "effective",
        &[
            ("acme.token", SECRET),
            ("company-ca.pem", &certificate()),
            ("b.token", "a-token"),
        ],
    );
    let many = "\
defaults:
  timezone: America/Lima
  hours: {Mon-Fri: '07:00-12:00, 13:00-24:00', Sat: '22:00-06:00'}
  labels: {client: 'A \"B\" \\ ñ', country: pe}
  reports: {campaigns: {interval: 90s, max_age: 5m}, skills: {skill_id: 77, service_level_seconds: 45}}
operations:
  - {name: a, server: 1, token_env: A, labels: {country: ''}}
  - {name: b, url: 'https://gateway.example.com/a/b', currency: PEN, daily_calls: 17, reports: {ivr: {settle: 0s, reread: {every: 366d}}}}
  - {name: c, server: 3, token_env: C, proxy: 'http://proxy.example:3128', hours: {Sun: '00:00-24:00'}}
";
    for text in [DEFAULTS, many, &with("")] {
        let read = |text: &str| {
            let config = Config::parse(text, "w.yml", &folder, &|name| Some(format!("{name}{SECRET}")));
            config.unwrap_or_else(|wrong| panic!("{wrong}\n{text}"))
        };
        let mut config = read(text);
        let effective = config.effective();
        config.defaults.clear();
        for operation in &mut config.operations {
            operation.timezone_is_given = true;
        }
        let again = read(&effective);
        assert_eq!(again, config, "{effective}");
        assert_eq!(again.effective(), effective);
    }
}

#[test]
fn it_has_all_values_and_no_secret() {
    let config = good(&with(
        "proxy: http://me:secret@proxy.example:3128\nlabels: {client: acme}\nreports: {skills: , ivr: {interval: 10m}}",
    ));
    assert_snapshot!(config.effective(), @r#"
    state_path: "/var/lib/wolkvox_exporter"
    new_series_hold: 2m
    series_limit: 5000
    operations:
      - name: acme
        url: "https://wv0001.wolkvox.com"
        token_env: "A"
        timezone: America/Bogota
        labels: {client: "acme"}
        daily_calls: 4000
        proxy: "http://proxy.example:3128/"
        reports:
          ivr: {interval: 10m, timeout: 1m 30s, overlap: 2h, settle: 2m, reread: {every: 6h, back: 2d}}
          skills: {interval: 2m, quiet_interval: 15m, timeout: 30s, skill_id: all, service_level_seconds: 20}
    "#);
}
