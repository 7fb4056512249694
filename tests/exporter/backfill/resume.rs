//! An interrupted backfill resumes, and its partial file contains no personal data.

use std::time::Duration;

use jiff::SignedDuration;
use wolkvox_simulator::{EventPlan, OperationPlan, personal_data_in};

use super::{Scene, midnight};
use crate::support::{at, live_once, zone};

/// With one spare call a day, each run reads one piece, and a crash may tear the last line of the partial file. In the
/// end, the file is byte for byte the same as without interruptions.
#[tokio::test(flavor = "multi_thread")]
async fn interrupted_at_every_piece_it_writes_the_same_bytes() {
    let now = "2026-10-20T15:00:00Z";
    let events = EventPlan {
        typed_numbers: 0.4,
        ..EventPlan::calm()
    };
    let plan = OperationPlan::new("acme", zone("America/Bogota"))
        .volume(0.3)
        .events(events);
    let mut scene = Scene::new("resume", now, plan).await;
    scene.acme().switch(|switches| switches.record_limit = Some(3000));
    scene.cut_at = 2990;
    let options = |name: &str| {
        format!(
            "--from 2026-10-10 --to 2026-10-17 --step 15m --output {}",
            scene.file(name).display()
        )
    };
    let parts = options("parts.om");
    let (whole, _) = scene.run(&options("whole.om")).await.unwrap();
    let whole_text = std::fs::read(scene.file("whole.om")).unwrap();

    // Live counting begins, so that there is a state in which the calls are counted.
    live_once(&scene.config, &scene.simulator).await;
    let mut config = scene.config.clone();
    let operation = &mut config.operations[0];
    for report in operation.reports.values_mut() {
        report.interval = Duration::from_secs(24 * 3600);
        report.reread.every = Duration::from_secs(366 * 24 * 3600);
    }
    operation.daily_calls = u32::try_from(operation.calls_per_day()).unwrap() + 1;
    let scene = Scene { config, ..scene };
    let partial = scene.file("parts.om.partial");
    let (mut runs, mut calls, mut kept) = (0, 0, Vec::new());
    loop {
        // At its own midnight: the previous day's calls do not matter.
        scene.simulator.clock().advance(SignedDuration::from_hours(24));
        runs += 1;
        let before = scene.acme().observed().requests;
        let result = scene.run(&parts).await;
        let asked = scene.acme().observed().requests - before;
        assert!(asked <= 1, "{asked} calls on a day that leaves one");
        calls += asked;
        match result {
            Ok(_) => break,
            Err(error) => assert!(error.contains("run the same command again after 2026-"), "{error}"),
        }
        // The state records that the day's call is used.
        scene.run(&parts).await.unwrap_err();
        assert_eq!(scene.acme().observed().requests - before, asked);
        assert!(runs < 100 && !scene.file("parts.om").exists());
        kept = std::fs::read(&partial).unwrap();
        let torn = [&kept[..], br#"{"Piece":{"report":"ivr","#].concat();
        std::fs::write(&partial, torn).unwrap();
    }
    assert!(runs > 12, "{runs} runs");
    assert_eq!(calls, u64::from(whole.calls));
    assert!(!partial.exists() && !scene.file("parts.om.new").exists());
    let text = std::fs::read(scene.file("parts.om")).unwrap();
    assert!(text == whole_text, "{} and {} bytes", text.len(), whole_text.len());

    let secrets = scene
        .acme()
        .truth()
        .personal_strings(at("2026-10-12T15:00:00Z"), at("2026-10-12T16:00:00Z"));
    let token = scene.acme().token().to_owned();
    let secrets: Vec<String> = secrets
        .into_iter()
        .filter(|secret| secret.len() > 5)
        .chain([token])
        .collect();
    assert!(secrets.len() > 100);
    // The labels are the same at each step.
    let text = String::from_utf8(text).unwrap();
    let until = midnight(scene.acme(), "2026-10-18".parse().unwrap())
        .as_second()
        .to_string();
    let labels: String = text.lines().filter(|line| line.ends_with(&until)).collect();
    for (what, bytes) in [("history", labels.as_bytes()), ("partial file", &kept)] {
        assert!(bytes.len() > 10_000, "{what}");
        assert_eq!(personal_data_in(bytes), None, "{what}");
        let found = secrets
            .iter()
            .find(|secret| memchr::memmem::find(bytes, secret.as_bytes()).is_some());
        assert_eq!(found, None, "{what}");
    }
}
