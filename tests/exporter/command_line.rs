//! The command line of the real binary: which flags a command has, and what it says about those that it has not.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::ledger::Folder;
use crate::support::{Process, client};

/// The program with these arguments, in this folder and without variables.
fn run(folder: &Folder, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wolkvox_exporter"))
        .args(arguments)
        .env_clear()
        .current_dir(&folder.0)
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// A folder with sound configurations, `wolkvox.yml` and `other.yml`.
fn configured(name: &str) -> Folder {
    let folder = Folder::new(name);
    fs::create_dir_all(&folder.0).unwrap();
    fs::write(folder.0.join("t"), "a-token").unwrap();
    for (file, operation) in [("wolkvox.yml", "acme"), ("other.yml", "globex")] {
        let text = format!("operations: [{{name: {operation}, server: 1, token_file: t}}]\n");
        fs::write(folder.0.join(file), text).unwrap();
    }
    folder
}

/// The flags in the help of a command.
fn flags(help: &str) -> Vec<&str> {
    let lines = help.lines().map(str::trim_start);
    let flags = lines.filter_map(|line| line.strip_prefix("-h, ").unwrap_or(line).strip_prefix("--"));
    flags.map(|rest| rest.split(' ').next().unwrap()).collect()
}

#[test]
fn help_lists_the_flags_of_the_command_and_its_port() {
    let folder = Folder::new("help");
    fs::create_dir_all(&folder.0).unwrap();
    let log = ["log.level", "log.format", "help"];
    let web = [
        "web.listen-address",
        "web.telemetry-path",
        "web.enable-lifecycle",
        "web.config.file",
        "web.health-without-auth",
    ];
    let (state, shard) = (["state.path"], ["shard.index", "shard.total"]);
    let expected: [(&str, Vec<&str>, Option<&str>); 4] = [
        (
            "check-config",
            [
                &["config.file", "web.config.file", "state.path", "shard.total"][..],
                &log,
            ]
            .concat(),
            None,
        ),
        (
            "check-api",
            [&["operation", "report", "shapes", "config.file"][..], &shard, &log].concat(),
            None,
        ),
        (
            "demo",
            [&["seed"][..], &web, &state, &shard, &log].concat(),
            Some("[default: :9963]"),
        ),
        (
            "simulator",
            [&["seed", "web.listen-address"][..], &log].concat(),
            Some("[default: :9964]"),
        ),
    ];
    for (command, expected, port) in expected {
        let help = run(&folder, &[command, "--help"]);
        assert_eq!(flags(out(&help)), expected, "{command}");
        assert_eq!(
            out(&help)
                .lines()
                .find_map(|line| line.find("[default: :99").map(|at| &line[at..])),
            port
        );
    }
    let help = run(&folder, &["--help"]);
    assert_eq!(flags(out(&help)).len(), 12, "{}", out(&help));
}

#[test]
fn a_flag_counts_on_both_sides_of_a_command() {
    let folder = configured("both-sides");
    for arguments in [
        ["--config.file=other.yml", "check-config"],
        ["check-config", "--config.file=other.yml"],
    ] {
        let output = run(&folder, &arguments);
        assert!(
            out(&output).contains("\noperation globex\n"),
            "{arguments:?}: {output:?}"
        );
    }
}

/// Behind the command line of a service stands what looks at that service; all else says what it has no use for.
#[test]
fn a_flag_without_effect_is_refused() {
    let folder = configured("without-effect");
    let service = [
        "--web.listen-address=:1",
        "--web.enable-lifecycle",
        "--shard.index=0",
        "--shard.total=1",
    ];
    let output = run(&folder, &[&service[..], &["check-config"]].concat());
    assert_eq!(code(&output), 0, "{output:?}");
    for (arguments, why) in [
        (
            &["--config.file=wolkvox.yml", "demo"][..],
            "demo does not use --config.file",
        ),
        (
            &["--shard.total=2", "simulator"],
            "simulator does not use --shard.total",
        ),
        (&["simulator", "--shard.total=2"], "unexpected argument '--shard.total'"),
        (
            &["check-config", "--web.enable-lifecycle"],
            "unexpected argument '--web.enable-lifecycle'",
        ),
    ] {
        let output = run(&folder, arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {output:?}");
        assert!(err(&output).contains(why), "{arguments:?}: {output:?}");
    }
}

#[test]
fn check_config_takes_what_the_exporter_takes() {
    let folder = configured("check-config");
    let operation = |arguments: &[&str]| {
        let output = run(&folder, arguments);
        assert_eq!(code(&output), 0, "{arguments:?}: {output:?}");
        let name = out(&output)
            .split("\noperation ")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap();
        name.to_owned()
    };
    assert_eq!(operation(&["check-config"]), "acme");
    assert_eq!(operation(&["check-config", "other.yml"]), "globex");
    assert_eq!(
        operation(&["--config.file=./other.yml", "check-config", "other.yml"]),
        "globex"
    );
    let output = run(&folder, &["--config.file=wolkvox.yml", "check-config", "other.yml"]);
    assert_eq!(code(&output), 2, "{output:?}");
    assert!(err(&output).contains("name different files"), "{output:?}");
    let output = run(&folder, &["check-config", "--state.path=elsewhere"]);
    assert!(out(&output).contains("state in elsewhere"), "{output:?}");

    let empty = Folder::new("check-config-environment");
    fs::create_dir_all(&empty.0).unwrap();
    let output = run(&empty, &["check-config"]);
    assert_eq!(code(&output), 2, "{output:?}");
    assert!(err(&output).contains("there is no configuration"), "{output:?}");
    let output = Command::new(env!("CARGO_BIN_EXE_wolkvox_exporter"))
        .arg("check-config")
        .env_clear()
        .envs([
            ("WOLKVOX_SERVER", "1"),
            ("WOLKVOX_TOKEN", "x"),
            ("WOLKVOX_OPERATION", "initech"),
        ])
        .current_dir(&empty.0)
        .output()
        .unwrap();
    assert!(out(&output).contains("\noperation initech\n"), "{output:?}");
}

#[test]
fn check_config_finds_all_mistakes_of_both_files() {
    let folder = configured("both-files");
    let mistakes = |arguments: &[&str]| {
        let output = run(&folder, arguments);
        assert_eq!(code(&output), 1, "{output:?}");
        assert_eq!(out(&output), "", "no summary of what is wrong");
        err(&output).to_owned()
    };
    fs::write(
        folder.0.join("web.yml"),
        "basic_auth_user:\ntls_server_config: {cert_file: x}\n",
    )
    .unwrap();
    let web = [
        "web.yml:1: basic_auth_user: unknown key",
        "web.yml:2: tls_server_config.cert_file: x cannot be read",
    ];
    let said = mistakes(&["check-config", "--web.config.file=web.yml"]);
    assert!(web.iter().all(|mistake| said.contains(mistake)), "{said}");
    fs::write(folder.0.join("wolkvox.yml"), "operations: []\nstate: x\n").unwrap();
    let said = mistakes(&["check-config", "--web.config.file=web.yml"]);
    for mistake in web
        .iter()
        .chain(&["wolkvox.yml:1: operations: ", "wolkvox.yml:2: state: unknown key"])
    {
        assert!(said.contains(mistake), "{mistake} is not in {said}");
    }
}

#[test]
fn config_prints_what_is_in_effect() {
    let folder = configured("config");
    let output = run(&folder, &["config", "--state.path=elsewhere"]);
    assert_eq!(code(&output), 0, "{output:?}");
    fs::write(folder.0.join("effective.yml"), out(&output)).unwrap();
    assert!(out(&output).contains("/elsewhere\"\n"), "{output:?}");
    assert!(!out(&output).contains("a-token"), "{output:?}");
    let again = run(&folder, &["--config.file=effective.yml", "config"]);
    assert_eq!(out(&again), out(&output));
}

/// The line goes into a web configuration, and lets the user in.
#[tokio::test]
async fn a_hashed_password_is_right_for_health_and_scrapes() {
    let folder = configured("hash-password");
    let line = hash(&folder, &["hash-password", "alice"], "correct horse\n");
    fs::write(folder.0.join("web.yml"), format!("basic_auth_users:\n  {}", out(&line))).unwrap();
    let web = format!("--web.config.file={}", folder.0.join("web.yml").display());
    let config = format!("--config.file={}", folder.0.join("wolkvox.yml").display());
    let (_process, page) = Process::serving(&[&config, &web], Stdio::null()).await;
    let scrape = |password: &'static str| client().get(&page.0).basic_auth("alice", Some(password)).send();
    assert_eq!(scrape("correct horse").await.unwrap().status(), 200);
    assert_eq!(scrape("wrong").await.unwrap().status(), 401);
    let address = page.0.replace("http://", "").replace("/metrics", "");
    let health = run(&folder, &["health", &format!("--web.listen-address={address}")]);
    assert_eq!((code(&health), out(&health)), (0, "alive\n"), "{health:?}");

    let long = hash(&folder, &["hash-password"], &"x".repeat(72));
    assert!(err(&long).contains("71 bytes at most"), "{long:?}");
    let empty = hash(&folder, &["hash-password"], "\n");
    assert_eq!(code(&empty), 1, "{empty:?}");
}

fn hash(folder: &Folder, arguments: &[&str], password: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wolkvox_exporter"))
        .args(arguments)
        .current_dir(&folder.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[tokio::test]
async fn health_speaks_tls_and_says_why_nobody_answers() {
    let folder = configured("health");
    let key = rcgen::generate_simple_self_signed(["exporter.example".to_owned()]).unwrap();
    fs::write(folder.0.join("cert.pem"), key.cert.pem()).unwrap();
    fs::write(folder.0.join("key.pem"), key.signing_key.serialize_pem()).unwrap();
    let tls = "tls_server_config: {cert_file: cert.pem, key_file: key.pem";
    let config = format!("--config.file={}", folder.0.join("wolkvox.yml").display());
    let web_file = folder.0.join("web.yml");
    let web = format!("--web.config.file={}", web_file.display());
    for more in [
        "}",
        ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: cert.pem}",
    ] {
        fs::write(&web_file, format!("{tls}{more}\n")).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let address = format!("--web.listen-address={free}");
        let health = || run(&folder, &["health", &address]);
        let before = health();
        assert_eq!(code(&before), 1, "{before:?}");
        assert!(
            err(&before).contains("does not answer: ") && err(&before).contains("onnection refused"),
            "{before:?}"
        );
        let child = Command::new(env!("CARGO_BIN_EXE_wolkvox_exporter"))
            .args([&config, &web, &address])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _process = Process(child);
        let deadline = Instant::now() + Duration::from_secs(30);
        while code(&health()) != 0 {
            assert!(Instant::now() < deadline, "{more}: {:?}", health());
            sleep(Duration::from_millis(50)).await;
        }
    }
}

#[test]
fn check_api_names_what_there_is_to_choose_from() {
    let folder = configured("choose");
    for (arguments, why) in [
        (
            ["check-api", "--operation=acmee"],
            "there is no operation `acmee`; did you mean acme?; there are: acme",
        ),
        (
            ["check-api", "--report=campaign"],
            "there is no report `campaign`; did you mean campaigns?",
        ),
    ] {
        let output = run(&folder, &arguments);
        assert_eq!(code(&output), 2, "{output:?}");
        assert!(err(&output).contains(why), "{output:?}");
    }
}
