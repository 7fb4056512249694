//! Tokens: read again after a change, and never shown.

use wolkvox_exporter::reports::CAMPAIGNS;
use wolkvox_simulator::{Api, OperationPlan, ScriptedAnswer, Switches};

use super::TEN;
use crate::support::{Stage, zone};

#[tokio::test]
async fn a_token_that_was_replaced_in_its_file_is_read_before_the_next_poll() {
    let folder = std::env::temp_dir().join(format!("wolkvox_exporter-token-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("token");
    std::fs::write(&file, "0".repeat(52)).unwrap();
    let source = wolkvox_exporter::config::TokenSource::File(file.clone());
    let token = wolkvox_exporter::config::Token::from_source(source, &|_| None).unwrap();
    let mut stage = Stage::with(
        TEN,
        OperationPlan::new("acme", zone("America/Bogota")),
        |operation, _| {
            operation.token = token;
        },
    )
    .await;
    stage.poll(&CAMPAIGNS, TEN).await;
    let samples = stage.samples().await;
    let failed = [("report", "campaigns"), ("reason", "auth")];
    assert_eq!(samples.get("wolkvox_report_poll_failures_total", &failed), Some(1.0));
    std::fs::write(&file, stage.acme().token()).unwrap();
    stage.poll(&CAMPAIGNS, TEN).await;
    assert_eq!(
        stage.samples().await.get("wolkvox_up", &[("report", "campaigns")]),
        Some(1.0)
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

/// No name, number or token gets out, whatever the API says.
#[tokio::test]
async fn a_token_that_the_api_repeats_is_not_shown() {
    let plan = OperationPlan::new("acme", zone("America/Bogota")).switches(Switches::default());
    let mut stage = Stage::with(TEN, plan, |_, _| {}).await;
    let token = stage.acme().token().to_owned();
    let echo = format!(r#"{{"code":"403","error":"{token}","msg":"validate token {token}"}}"#);
    for status in [200, 403, 500] {
        let answer = ScriptedAnswer {
            status,
            ..ScriptedAnswer::json(echo.clone())
        };
        stage.acme().answer_with(Api::Campaigns, answer);
        stage.poll(&CAMPAIGNS, TEN).await;
        let status_page = crate::support::get(&stage.page.0.replace("/metrics", "/"), &[])
            .await
            .text()
            .await
            .unwrap();
        assert!(status_page.contains("failing"));
        for page in [
            stage.page.text("text/plain").await,
            status_page,
            format!("{:?}", stage.poller),
        ] {
            assert!(!page.contains(&token));
        }
    }
}
