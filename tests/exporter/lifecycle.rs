//! The real binary from start to stop: what it reports to systemd, what it logs, and how it ends.

use std::io::Read;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::ledger::Folder;

/// A configuration with one operation whose API does not answer.
fn configured(name: &str) -> Folder {
    let folder = Folder::new(name);
    std::fs::create_dir_all(&folder.0).unwrap();
    std::fs::write(folder.0.join("acme.token"), "a-token-that-no-log-shows").unwrap();
    std::fs::write(
        folder.0.join("wolkvox.yml"),
        "operations:\n  - {name: acme, url: 'http://127.0.0.1:9', token_file: acme.token, daily_calls: 1000000, \
         reports: {campaigns: {interval: 1s}}}\n",
    )
    .unwrap();
    folder
}

fn start(folder: &Folder, adjust: impl FnOnce(&mut Command) -> &mut Command) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wolkvox_exporter"));
    command
        .arg(format!("--config.file={}", folder.0.join("wolkvox.yml").display()))
        .arg("--web.listen-address=127.0.0.1:0")
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    adjust(&mut command).spawn().unwrap()
}

fn signal(process: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &process.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

fn log_of(process: &mut Child) -> String {
    let mut log = String::new();
    process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    log
}

#[test]
fn systemd_is_notified_of_start_reload_and_stop() {
    let folder = configured("notify");
    let socket = UnixDatagram::bind(folder.0.join("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let next_message = || {
        let mut bytes = [0; 256];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).trim_end().to_owned()
    };
    let mut process = start(&folder, |command| command.env("NOTIFY_SOCKET", folder.0.join("notify")));
    assert_eq!(next_message(), "READY=1");
    signal(&process, "-HUP");
    let reloading = next_message();
    let began = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
    assert!(began.parse::<u64>().unwrap() > 0);
    assert_eq!(next_message(), "READY=1");
    signal(&process, "-TERM");
    assert_eq!(next_message(), "STOPPING=1");
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[test]
fn the_log_has_a_line_for_the_start_one_for_what_failed_and_none_for_each_repetition() {
    for (format, is_json) in [("logfmt", false), ("json", true)] {
        let folder = configured(format);
        let mut process = start(&folder, |command| command.arg(format!("--log.format={format}")));
        // Enough for about a dozen polls, each refused immediately.
        std::thread::sleep(Duration::from_secs(8));
        signal(&process, "-INT");
        let log = log_of(&mut process);
        assert_eq!(process.wait().unwrap().code(), Some(0));
        let lines: Vec<&str> = log.lines().collect();
        assert!(lines[0].contains("wolkvox_exporter starts") && lines[0].contains(env!("CARGO_PKG_VERSION")));
        let failed = lines.iter().filter(|line| line.contains("poll failed"));
        assert_eq!(failed.count(), 1, "{log}");
        assert!(lines.iter().any(|line| line.contains("SIGINT")) && lines.last().unwrap().contains("stopped"));
        assert!(!log.contains("a-token-that-no-log-shows"));
        assert!(log.contains("port 0 means any port"), "{log}");
        for line in lines {
            let parsed = serde_json::from_str::<Value>(line);
            assert_eq!(parsed.is_ok(), is_json, "{line}");
            assert!(is_json || line.starts_with("ts=") && line.contains(" level="), "{line}");
        }
    }
}

#[test]
fn what_cannot_start_says_why_with_its_exit_code() {
    let folder = configured("exit-codes");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut process = start(&folder, |command| {
        command.arg(format!("--web.listen-address={address}"))
    });
    let log = log_of(&mut process);
    assert_eq!(process.wait().unwrap().code(), Some(1));
    assert!(log.contains(&format!("cannot listen on {address}")), "{log}");

    let damaged = folder.0.join("acme.redb");
    std::fs::write(&damaged, "redb\x1a\n\u{a9}\r\n and nothing of its kind".repeat(1000)).unwrap();
    let mut process = start(&folder, |command| {
        command.arg(format!("--state.path={}", folder.0.display()))
    });
    let log = log_of(&mut process);
    assert_eq!(process.wait().unwrap().code(), Some(1));
    let named = format!("operation acme: state {}: it is damaged: ", damaged.display());
    assert!(
        log.contains(&named) && log.contains("restore it from a backup"),
        "{log}"
    );
    assert!(!log.contains("panicked"), "{log}");

    std::fs::write(folder.0.join("wolkvox.yml"), "operations: []\n").unwrap();
    let mut process = start(&folder, |command| command);
    let log = log_of(&mut process);
    assert_eq!(process.wait().unwrap().code(), Some(2));
    assert!(log.contains("wolkvox.yml:1"), "{log}");
}
