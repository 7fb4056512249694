//! Runs the real program with everything enabled and verbose logs: neither its log, its pages nor its files contain
//! personal data or a token.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use wolkvox_exporter::reports::REPORTS;
use wolkvox_simulator::{
    EventPlan, Fault, Lateness, OperationPlan, SimulatedClock, Simulator, SimulatorConfig, personal_data_in,
};

use crate::ledger::Folder;
use crate::support::{Page, get, serve, zone};

#[tokio::test(flavor = "multi_thread")]
async fn neither_logs_nor_pages_nor_files_hold_personal_data_or_the_token() {
    let folder = Folder::new("trace");
    std::fs::create_dir_all(&folder.0).unwrap();
    let events = EventPlan {
        typed_numbers: 0.5,
        volume: 5.0,
        lateness: Lateness::NONE,
        ..EventPlan::default()
    };
    let plan = OperationPlan::new("acme", zone("America/Bogota"))
        .never_closes()
        .volume(10.0)
        .events(events);
    let config = SimulatorConfig {
        seed: 5,
        clock: SimulatedClock::system(),
        operations: vec![plan],
    };
    let simulator = Simulator::new(config);
    let served = serve(&simulator).await;
    let acme = &simulator.operations()[0];
    std::fs::write(folder.0.join("token"), acme.token()).unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let reports = REPORTS.map(|report| format!("      {report}: {{interval: 1s}}\n"));
    let yaml = format!(
        "state_path: state\nnew_series_hold: 0s\noperations:\n  - name: acme\n    url: {}\n    token_file: token\n    \
         daily_calls: 1000000\n    reports:\n{}",
        served.url(),
        reports.concat()
    );
    std::fs::write(folder.0.join("wolkvox.yml"), yaml).unwrap();
    let begin = Timestamp::now();
    let mut process = Command::new(env!("CARGO_BIN_EXE_wolkvox_exporter"))
        .current_dir(&folder.0)
        .args([
            "--log.level=trace",
            "--log.format=json",
            &format!("--web.listen-address={free}"),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Read it while the program runs, since a full pipe would block it.
    let read = |mut pipe: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).unwrap();
            bytes
        })
    };
    let logs = [
        read(Box::new(process.stdout.take().unwrap())),
        read(Box::new(process.stderr.take().unwrap())),
    ];
    let page = Page(format!("http://{free}/metrics"));
    let faults = [
        Fault::status(500),
        Fault::CutBody(0.5),
        Fault::Html,
        Fault::WrongToken,
        Fault::ContentLengthTooShort(9),
    ];
    // Long enough on a busy machine too.
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(7)
        || (counted(&page.text("text/plain").await) <= 60.0 && started.elapsed() < Duration::from_secs(90))
    {
        for fault in &faults {
            acme.inject(fault.clone().once());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    acme.clear_faults();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let metrics = page.text("text/plain").await;
    let status = get(&page.0.replace("/metrics", "/"), &[]).await.text().await.unwrap();
    let stopped = Command::new("kill").arg(process.id().to_string()).status().unwrap();
    assert!(stopped.success());
    assert!(process.wait().unwrap().success(), "SIGTERM is a good end");
    let [out, err] = logs.map(|log| log.join().unwrap());

    let counted = counted(&metrics);
    assert!(counted > 50.0, "{counted} rows are too few to prove anything");
    let log = String::from_utf8(err.clone()).unwrap();
    assert!(log.lines().count() > 30 && log.contains("poll failed"), "{log}");
    let state = std::fs::read(folder.0.join("state/acme.redb")).unwrap();
    for (path, expected) in [("state", 0o700), ("state/acme.redb", 0o600)] {
        let mode = std::fs::metadata(folder.0.join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, expected, "{path}");
    }
    let secrets = acme
        .truth()
        .personal_strings(begin - SignedDuration::from_hours(3), Timestamp::now());
    let secrets: Vec<String> = secrets
        .into_iter()
        .filter(|secret| secret.len() > 5)
        .chain([acme.token().to_owned()])
        .collect();
    assert!(secrets.len() > 100);
    for (what, bytes) in [
        ("log", err),
        ("output", out),
        ("metrics", metrics.into()),
        ("status", status.into()),
        ("state", state),
    ] {
        assert_eq!(personal_data_in(&bytes), None, "{what}");
        for secret in &secrets {
            assert!(
                memchr::memmem::find(&bytes, secret.as_bytes()).is_none(),
                "{what} holds {secret}"
            );
        }
    }
}

/// The number of rows counted, according to the page.
fn counted(metrics: &str) -> f64 {
    metrics
        .lines()
        .filter(|line| line.starts_with("wolkvox_report_rows_total") && line.contains("outcome=\"counted\""))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum()
}
