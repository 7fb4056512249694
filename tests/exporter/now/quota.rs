//! `quota`.

use std::collections::BTreeMap;

use wolkvox_exporter::reports::{CAMPAIGNS, QUOTA};
use wolkvox_simulator::{Code, TokenSwitches};

use super::{NOON, add, of_rows, shown, stage};

#[tokio::test]
async fn the_calls_of_others_are_what_the_api_counts_beyond_ours() {
    let mut stage = stage().await;
    let others = async |stage: &super::Stage| stage.samples().await.get("wolkvox_operation_calls_used_by_others", &[]);
    stage.poll(&CAMPAIGNS, NOON).await;
    assert_eq!(others(&stage).await, None, "not known yet");
    for (code, used_by_others) in [(Code::Zero, 0), (Code::Empty, 1200), (Code::Text, 70)] {
        stage.acme().switch(|switches| {
            switches.token = TokenSwitches {
                code,
                used_by_others,
                ..TokenSwitches::default()
            };
        });
        stage.poll(&QUOTA, NOON).await;
        let charged = f64::from(stage.acme().observed().charged_today);
        let shown = shown(&stage.samples().await, &QUOTA);
        let mut expected = BTreeMap::new();
        add(&mut expected, "wolkvox_token_calls_limit{}", 5000.0);
        add(&mut expected, "wolkvox_token_calls_used{}", charged);
        let operation = charged + f64::from(used_by_others);
        add(&mut expected, "wolkvox_token_calls_left{}", 5000.0 - operation);
        add(&mut expected, "wolkvox_operation_calls_used{}", operation);
        assert_eq!(shown, expected);
        assert_eq!(others(&stage).await, Some(f64::from(used_by_others)));
    }
    let row =
        r#"{"description": "Ficticia", "token_limit": "4,000", "token_use_today": "1,000", "all_token_today": "----"}"#;
    let shown = of_rows(&mut stage, &QUOTA, row).await;
    assert_eq!(shown.get("wolkvox_token_calls_used{}"), Some(&1000.0));
    assert_eq!(shown.get("wolkvox_operation_calls_used{}"), None);
    let own = stage.samples().await.get("wolkvox_api_calls_used", &[]).unwrap();
    assert_eq!(others(&stage).await, Some(1000.0 - own));
}

/// What the API told long ago is not true any more.
#[tokio::test]
async fn the_calls_of_others_are_withdrawn_with_the_rest() {
    let mut stage = stage().await;
    stage.poll(&QUOTA, NOON).await;
    let others = async |stage: &super::Stage| stage.samples().await.get("wolkvox_operation_calls_used_by_others", &[]);
    assert_eq!(others(&stage).await, Some(0.0));
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(3 * 3600)).await;
    tokio::time::resume();
    stage.poll(&CAMPAIGNS, NOON).await;
    assert_eq!(others(&stage).await, None);
}

#[tokio::test]
async fn of_several_tokens_nobody_knows_which_is_ours() {
    let mut stage = stage().await;
    stage.acme().switch(|switches| {
        switches.token.several_rows = true;
        switches.token.used_by_others = 70;
    });
    stage.poll(&QUOTA, NOON).await;
    let samples = stage.samples().await;
    assert_eq!(samples.get("wolkvox_up", &[("report", "quota")]), Some(1.0));
    let shown = shown(&samples, &QUOTA);
    assert_eq!(shown.keys().collect::<Vec<_>>(), ["wolkvox_operation_calls_used{}"]);
    // The grant is for all tokens together, so it does not matter.
    let others = samples.get("wolkvox_operation_calls_used_by_others", &[]);
    assert_eq!(others, Some(70.0));
}
