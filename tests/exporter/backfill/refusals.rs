//! Refusals and failures say why and what to do, and cost no more calls than necessary.

use tokio_util::sync::CancellationToken;
use wolkvox_exporter::failure::Failure;
use wolkvox_exporter::reports::ABANDONED_CALLS;
use wolkvox_simulator::{Api, Fault, OperationPlan};

use super::{Scene, parsed};
use crate::support::{live_once, zone};

const NOW: &str = "2026-11-20T15:00:00Z";

async fn scene(name: &str) -> Scene {
    Scene::new(
        name,
        NOW,
        OperationPlan::new("acme", zone("America/Bogota")).volume(0.05),
    )
    .await
}

#[test]
fn options_are_checked() {
    for (options, wanted) in [
        ("", "--from"),
        ("--from 2026-13-01", "--from"),
        ("--from 2026-11-01 --step 7m", "divides 15 minutes"),
        ("--from 2026-11-01 --step 1h", "divides 15 minutes"),
        ("--from 2026-11-01 --label cluster", "a name and a value"),
        ("--from 2026-11-01 --label 1a=b", "does not begin with a digit"),
        ("--from 2026-11-01 --label __a=b", "reserved for Prometheus"),
        ("--from 2026-11-01 --label skill_id=b", "the exporter itself sets"),
        ("--from 2026-11-01 --label operation=b", "the exporter itself sets"),
        ("--from 2026-11-01 --label le=b", "the exporter itself sets"),
        ("--from 2026-11-01 --label a=", "the value is empty"),
    ] {
        let error = parsed(options).unwrap_err();
        assert!(error.contains(wanted), "{options}: {error}");
    }
    let label = parsed(r#"--from 2026-11-01 --label a=b\"c"#).unwrap().labels.remove(2);
    assert_eq!(label.to_string(), r#"a="b\\\"c""#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_without_a_call() {
    let mut scene = scene("refused").await;
    let out = scene.file("there.om");
    std::fs::write(&out, "").unwrap();
    for (options, wanted) in [
        ("--from 2026-11-19 --operation nobody", "configured operations: acme"),
        ("--from 2026-11-19", "give its --state.path"),
        ("--from 2026-11-19 --to 2026-11-18", "nothing to read"),
        ("--from 2026-11-19 --to 2026-11-20", "is not over"),
        ("--from 2026-11-19 --label job=again", "given twice"),
        (
            &format!("--from 2026-11-19 --output {}", out.display()),
            "already exists",
        ),
    ] {
        let (result, text) = scene.run_until(options, &CancellationToken::new()).await;
        let Err(Failure::Usage(error)) = result else {
            panic!("{options}: {result:?}");
        };
        assert!(error.contains(wanted) && text.is_empty(), "{options}: {error}");
    }
    assert_eq!(scene.acme().observed().requests, 0);

    live_once(&scene.config, &scene.simulator).await;
    let before = scene.acme().observed().requests;
    let error = scene.run("--from 2026-11-19 --to 2026-11-20").await.unwrap_err();
    assert!(
        error.contains("began at 2026-11-20T10:00:00") && error.contains("leave --to out"),
        "{error}"
    );
    let filter = |scene: &mut Scene, filter: Option<&str>| {
        let report = scene.config.operations[0].reports.get_mut(&ABANDONED_CALLS);
        report.unwrap().choice.only = filter.map(str::to_owned);
    };
    filter(&mut scene, Some("4000"));
    let error = scene.run("--from 2026-11-19").await.unwrap_err();
    assert!(
        error.contains("abandoned_calls") && error.contains("another server or filter"),
        "{error}"
    );
    assert_eq!(scene.acme().observed().requests, before);
}

/// A failed report is named with its reason, the others are still read, and the next run requests only what is missing,
/// unless its options differ.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_report_is_read_by_the_next_run() {
    let scene = scene("failed").await;
    live_once(&scene.config, &scene.simulator).await;
    let out = scene.file("out.om");
    let options = format!("--from 2026-11-18 --step 15m --output {}", out.display());
    scene.acme().inject(Fault::Html.on(Api::Skill2));
    let error = scene.run(&options).await.unwrap_err();
    assert!(
        error.contains("acme: abandoned_calls: decode") && error.contains("run the same command again"),
        "{error}"
    );
    assert!(!out.exists());
    scene.acme().clear_faults();

    let other = scene
        .run(&options.replace("2026-11-18", "2026-11-17"))
        .await
        .unwrap_err();
    assert!(
        other.contains("--from differs") && other.contains("out.om.partial"),
        "{other}"
    );

    let (summary, _) = scene.run(&options).await.unwrap();
    assert_eq!(summary.calls, 1);
    let calls = |scene: &Scene| u64::from(scene.acme().observed().charged_today);
    assert_eq!(calls(&scene), scene.acme().observed().requests, "all on one day");
    assert!(
        std::fs::read_to_string(&out)
            .unwrap()
            .contains("wolkvox_skill_interactions_total")
    );

    // An invalid token fails all reports, not just one.
    let before = scene.acme().observed().requests;
    scene.acme().inject(Fault::WrongToken);
    let error = scene.run(&options.replace("out.om", "more.om")).await.unwrap_err();
    assert!(error.contains("operation acme: auth"), "{error}");
    assert_eq!(scene.acme().observed().requests - before, 1);
}

/// Whoever interrupts it can resume it.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_backfill_is_kept() {
    let scene = scene("stopped").await;
    let out = scene.file("out.om");
    let options = format!(
        "--from 2026-11-10 --to 2026-11-19 --step 15m --output {}",
        out.display()
    );
    let stop = CancellationToken::new();
    let stopping = async {
        while scene.acme().observed().requests < 5 {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let ((result, _), ()) = tokio::join!(scene.run_until(&options, &stop), stopping);
    let Err(Failure::Failed(error)) = result else {
        panic!("{result:?}");
    };
    assert!(
        error.contains("stopped") && error.contains("continues from there"),
        "{error}"
    );
    assert!(!out.exists() && scene.file("out.om.partial").exists());
    let (summary, _) = scene.run(&options).await.unwrap();
    let (whole, _) = scene.run(&options.replace("out.om", "whole.om")).await.unwrap();
    assert!(summary.calls < whole.calls, "{} and {}", summary.calls, whole.calls);
    assert!(std::fs::read(out).unwrap() == std::fs::read(scene.file("whole.om")).unwrap());
}
