//! The real program: its flags, its output, its log and its answers.

use std::fs;
use std::process::{Command, Output};

use wolkvox_exporter::cli;

use super::{HEX, TOKENS, assert_hidden};
use crate::ledger::Folder;
use crate::support::{Process, client};

/// The program with these arguments, in a folder without a configuration.
pub(super) fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wolkvox_exporter"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir("/")
        .output()
        .unwrap()
}

pub(super) fn text_of(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn no_flag_takes_or_repeats_a_token() {
    let mut command = cli::command();
    command.build();
    let mut lines: Vec<Vec<String>> = Vec::new();
    let forms = |token: &str| {
        [
            token.to_owned(),
            format!("/{token}"),
            format!("{token}:9963"),
            format!("job={token}"),
        ]
    };
    for token in TOKENS {
        let mut flags = vec![(None, format!("--{token}"))];
        flags.extend(
            command
                .get_arguments()
                .filter_map(|flag| Some((None, format!("--{}", flag.get_long()?)))),
        );
        for below in command.get_subcommands() {
            let own = below
                .get_arguments()
                .filter(|flag| !flag.is_global_set())
                .filter_map(|flag| flag.get_long());
            flags.extend(own.map(|flag| (Some(below.get_name().to_owned()), format!("--{flag}"))));
            lines.push(vec![below.get_name().to_owned(), token.to_owned()]);
            lines.push(vec![below.get_name().to_owned(), format!("/etc/wolkvox/{token}.yml")]);
        }
        lines.push(vec![token.to_owned()]);
        lines.push(vec!["help".to_owned(), token.to_owned()]);
        // The longest list is for the token that users have; the others need one form of each.
        for (below, flag) in &flags {
            for form in forms(token).iter().take(if token == HEX { 4 } else { 1 }) {
                let below = below.iter().cloned();
                lines.push(below.clone().chain([format!("{flag}={form}")]).collect());
                lines.push(below.chain([flag.clone(), form.clone()]).collect());
            }
        }
    }
    for flag in ["--state.path", "--web.telemetry-path", "--label", "--from"] {
        assert!(lines.iter().flatten().any(|part| part.starts_with(flag)), "{flag}");
    }
    for line in lines {
        let arguments: Vec<&str> = line.iter().map(String::as_str).collect();
        let output = run(&arguments, &[]);
        for token in TOKENS {
            assert_hidden(token, &text_of(&output), &format!("{line:?}"));
        }
        assert_eq!(output.status.code(), Some(2), "{line:?}: {}", text_of(&output));
        assert!(
            text_of(&output).contains("token_file"),
            "{line:?}: {}",
            text_of(&output)
        );
    }
}

#[test]
fn the_program_says_which_argument_looks_like_a_secret() {
    let of = |arguments: &[&str]| {
        let text = text_of(&run(arguments, &[]));
        text.split_once(" looks like a secret")
            .map(|(before, _)| before.to_owned())
    };
    let start = "wolkvox_exporter: ";
    assert_eq!(
        of(&[&format!("--log.level={HEX}")]),
        Some(format!("{start}the value of --log.level"))
    );
    assert_eq!(
        of(&["--state.path", HEX]),
        Some(format!("{start}the argument after --state.path"))
    );
    assert_eq!(of(&["check-config", HEX]), Some(format!("{start}argument 2")));
    assert_eq!(of(&[&format!("--{HEX}=1")]), Some(format!("{start}argument 1")));
}

#[test]
fn check_config_repeats_no_token() {
    let folder = Folder::new("secrets-check");
    fs::create_dir_all(&folder.0).unwrap();
    let file = folder.0.join("wolkvox.yml");
    for (n, lines) in [
        format!("server: {HEX}"),
        format!("url: https://gateway.example/{HEX}"),
        format!("server: 1\n    skill: {HEX}\n    {HEX}: {HEX}"),
        format!("server: 1\n    timezone: {HEX}\n    reports: {{{HEX}: {{interval: {HEX}}}}}"),
    ]
    .iter()
    .enumerate()
    {
        let name = if n == 0 { HEX } else { "acme" };
        let text = format!("state_path: {HEX}\noperations:\n  - name: {name}\n    token_file: {HEX}\n    {lines}\n");
        fs::write(&file, &text).unwrap();
        for flags in [
            &["check-config"][..],
            &["--log.level=trace", "--log.format=json", "check-config"],
        ] {
            let output = run(&[flags, &[file.to_str().unwrap()]].concat(), &[]);
            assert_hidden(HEX, &text_of(&output), &text);
            assert_eq!(output.status.code(), Some(1), "{text}");
        }
        let output = run(&["--log.level=trace", "--config.file", file.to_str().unwrap()], &[]);
        assert_hidden(HEX, &text_of(&output), &text);
        assert_eq!(output.status.code(), Some(2), "{text}");
    }
}

/// The log at its most talkative, from the start on and over reloads, and the answers to these.
#[tokio::test]
async fn a_reload_repeats_no_token() {
    let folder = Folder::new("secrets-reload");
    fs::create_dir_all(&folder.0).unwrap();
    let file = folder.0.join("wolkvox.yml");
    fs::write(folder.0.join("t"), HEX).unwrap();
    let sound = "operations:\n  - name: acme\n    url: http://127.0.0.1:9\n    token_file: t\n";
    fs::write(&file, sound).unwrap();
    let log = folder.0.join("log");
    let (process, page) = Process::serving(
        &[
            &format!("--config.file={}", file.display()),
            "--web.enable-lifecycle",
            "--log.level=trace",
        ],
        fs::File::create(&log).unwrap().into(),
    )
    .await;
    let client = client();
    let reload = page.0.replace("/metrics", "/-/reload");
    for wrong in [
        sound.replace("acme", HEX),
        sound.replace("http://127.0.0.1:9", &format!("http://127.0.0.1:9/{HEX}")),
        sound.replace("token_file: t", &format!("token_file: {HEX}")),
        format!("{sound}    {HEX}: 1\n    timezone: {HEX}\n    hours: {{{HEX}: {HEX}}}\n"),
        format!("{HEX}\n"),
    ] {
        fs::write(&file, &wrong).unwrap();
        let answer = client.post(&reload).send().await.unwrap();
        assert_eq!(answer.status(), 500, "{wrong}");
        assert_hidden(HEX, &answer.text().await.unwrap(), &wrong);
    }
    fs::write(&file, sound).unwrap();
    assert_eq!(client.post(&reload).send().await.unwrap().status(), 200);
    for path in ["/", "/metrics", "/metrics?operation="] {
        let page = client
            .get(page.0.replace("/metrics", &format!("{path}{HEX}")))
            .send()
            .await
            .unwrap();
        assert_hidden(HEX, &page.text().await.unwrap(), path);
    }
    drop(process);
    let log = fs::read_to_string(&log).unwrap();
    assert!(log.contains("reload failed"), "{log}");
    assert_hidden(HEX, &log, "the log");
}
