//! The configuration: text in, values or mistakes out.

mod any_text;
mod budget;
mod defaults;
mod effective;
mod environment;
mod files;
mod hints;
mod labels;
mod mistakes;
mod private_files;
mod state_folder;
mod tokens;
mod values;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use wolkvox_exporter::config::{Config, Mistakes};
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
    reports:                            # no `reports` key: all with defaults. With it: only those named; `ivr:` alone means defaults
      campaigns:       {interval: 5m, timeout: 30s, quiet_interval: 15m}
      call_durations:  {interval: 5m, timeout: 90s, reread: {every: 6h, back: 48h}}
      abandoned_calls: {interval: 5m, timeout: 90s, settle: 0s, overlap: 2h, reread: {every: 6h, back: 48h}, skill_id: all}
      preview_calls:   {interval: 5m, timeout: 90s, settle: 2m, overlap: 2h, reread: {every: 6h, back: 48h}, campaign_id: all}
      ivr:             {interval: 5m, timeout: 90s, settle: 2m, overlap: 2h, reread: {every: 6h, back: 48h}}
      skills:          {interval: 2m, timeout: 30s, quiet_interval: 15m, service_level_seconds: 20}
      agents:          {interval: 2m, timeout: 30s, quiet_interval: 15m}
      latency:         {interval: 5m, timeout: 30s, quiet_interval: 15m}
      quota:           {interval: 1h, timeout: 30s}
      answered_calls:  {interval: 5m, timeout: 90s, settle: 0s, overlap: 2h, reread: {every: 6h, back: 48h}, skill_id: all}
      call_results:    {interval: 15m, timeout: 90s, reread: {every: 6h, back: 48h}}
"#;

/// A certificate in PEM.
fn certificate() -> String {
    rcgen::generate_simple_self_signed(vec![])
        .expect("a certificate")
        .cert
        .pem()
}

/// A folder of its own for each test, with these files in it.
fn folder(test: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("configuration").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder for the test");
    for (name, content) in files {
        let file = folder.join(name);
        fs::write(&file, content).expect("a file for the test");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode for the file");
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

/// What a configuration without warnings needs beside its operations.
const SOUND: &str = "state_path: /var/lib/wolkvox_exporter\ndefaults: {timezone: America/Bogota}\n";

/// A sound operation and more keys for it, each line at the indent of an operation's keys.
fn with(keys: &str) -> String {
    let keys = keys.lines().map(|line| format!("    {line}\n")).collect::<String>();
    format!("operations:\n  - name: acme\n    server: 0001\n    token_env: A\n{keys}{SOUND}")
}
