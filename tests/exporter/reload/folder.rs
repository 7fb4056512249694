//! A configuration of several files, and the labels that operations have in it.

use std::fs;

use super::{Scene, all_up, reload, until};
use crate::support::{OPEN_METRICS, get};

fn write(scene: &Scene, name: &str, more: &str) {
    let url = scene.served.url();
    let simulated = scene.simulator.operations();
    let token = simulated.iter().find(|found| found.name() == name).unwrap().token();
    fs::write(scene.folder.0.join(format!("{name}.token")), token).unwrap();
    let text = format!("operations:\n  - name: {name}\n    url: {url}\n{more}");
    fs::write(scene.folder.0.join(format!("{name}.yml")), text).unwrap();
}

/// A file that appears is a new operation, one that goes is an operation less, and a mistake in one file is none in the others.
#[tokio::test]
async fn files_come_and_go() {
    let scene = Scene::new("folder").await;
    let defaults = "\
state_path: state
new_series_hold: 0s
defaults:
  daily_calls: 1000000
  currency: COP
  labels: {country: co}
  reports: {campaigns: {interval: 1s}}
";
    fs::write(scene.folder.0.join("wolkvox.yml"), defaults).unwrap();
    let only = "    reports: {campaigns: }\n";
    write(
        &scene,
        "acme",
        &format!("    labels: {{client: \"A \\\"B\\\"\"}}\n{only}"),
    );
    let (page, _stop) = scene.start_on(scene.folder.0.clone(), true).await;
    let up = |name: &'static str| move |samples: &crate::support::Samples| all_up(samples, name, 1);
    until(&page, "acme", up("acme")).await;

    write(&scene, "beta", only);
    assert_eq!(reload(&page).await.0, 200);
    let samples = until(&page, "beta", up("beta")).await;
    let server = scene.served.url().replace("http://", "");
    let info = |labels: &[(&str, &str)]| {
        let of_all = [
            ("timezone", "America/Bogota"),
            ("server", &server),
            ("currency", "COP"),
            ("country", "co"),
        ];
        samples.get("wolkvox_operation_info", &[&of_all, labels].concat())
    };
    assert_eq!(info(&[("operation", "acme"), ("client", r#"A "B""#)]), Some(1.0));
    assert_eq!(info(&[("operation", "beta")]), Some(1.0));
    let text = page.text(OPEN_METRICS).await;
    assert!(text.contains("\n# TYPE wolkvox_operation info\n"), "{text}");

    let shown = get(&page.0.replace("/metrics", "/-/config"), &[]).await;
    assert_eq!(shown.status(), 200);
    let shown = shown.text().await.unwrap();
    assert!(
        shown.contains("  - name: beta\n") && shown.contains("country: \"co\""),
        "{shown}"
    );

    fs::write(scene.folder.0.join("gamma.yml"), "operations: [{name: gamma}]").unwrap();
    let (status, answer) = reload(&page).await;
    assert_eq!(status, 500);
    assert!(answer.contains("gamma.yml:1: operations[0]"), "{answer}");
    fs::remove_file(scene.folder.0.join("gamma.yml")).unwrap();

    fs::remove_file(scene.folder.0.join("acme.yml")).unwrap();
    assert_eq!(reload(&page).await.0, 200);
    until(&page, "beta alone", |samples| {
        all_up(samples, "beta", 1) && samples.all("wolkvox_operation_info", &[]).len() == 1
    })
    .await;
}
