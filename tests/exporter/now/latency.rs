//! `latency`.

use std::collections::BTreeMap;

use wolkvox_exporter::reports::LATENCY;
use wolkvox_simulator::{
    Connection, NetworkText, NoSessions, Numbers, OperationPlan, Platform, RejectionText, Session, SessionWords,
    Switches,
};

use super::{Change, NOON, add, all_reports, assert_close, of_answer, quarters, shown, stage};
use crate::support::{Stage, at, zone};

/// What the report should show of these sessions.
fn expected(sessions: &[Session]) -> BTreeMap<String, f64> {
    let mut expected = BTreeMap::new();
    let count = |is: &dyn Fn(&Session) -> bool| sessions.iter().filter(|session| is(session)).count() as f64;
    let connections = [
        ("ethernet", Some(Connection::Ethernet)),
        ("wifi", Some(Connection::Wifi)),
        ("other", None),
    ];
    let platforms = [
        ("app", Some(Platform::App)),
        ("web", Some(Platform::Web)),
        ("other", None),
    ];
    for (connection, is_connection) in connections {
        for (platform, is_platform) in platforms {
            let series = format!("wolkvox_agents_connected{{connection={connection},platform={platform}}}");
            let number =
                count(&|session| is_connection == Some(session.connection) && is_platform == Some(session.platform));
            add(&mut expected, &series, number);
        }
    }
    for (band, from, to) in [
        ("0-150ms", 0, 150),
        ("151-400ms", 151, 400),
        ("401-500ms", 401, 500),
        ("501ms+", 501, u32::MAX),
    ] {
        let number = count(&|session| (from..=to).contains(&session.latency_ms));
        add(
            &mut expected,
            &format!("wolkvox_agents_by_latency{{latency={band}}}"),
            number,
        );
    }
    let latencies = || sessions.iter().map(|session| f64::from(session.latency_ms) / 1000.0);
    if !sessions.is_empty() {
        let highest = latencies().fold(0.0, f64::max);
        add(&mut expected, "wolkvox_agents_latency_max_seconds{}", highest);
        let mean = latencies().sum::<f64>() / sessions.len() as f64;
        add(&mut expected, "wolkvox_agents_latency_mean_seconds{}", mean);
    }
    let tx = count(&|session| session.tx_loss_tenths > 10);
    let rx = count(&|session| session.rx_loss_tenths > 10);
    add(&mut expected, "wolkvox_agents_with_packet_loss{direction=tx}", tx);
    add(&mut expected, "wolkvox_agents_with_packet_loss{direction=rx}", rx);
    let rejecting = count(&|session| session.network_rejection > 1);
    add(&mut expected, "wolkvox_agents_rejecting_calls{}", rejecting);
    expected
}

#[tokio::test]
async fn a_whole_day_equals_the_truth_at_every_poll() {
    let mut stage = stage().await;
    let mut trouble = 0.0;
    for now in quarters("2026-11-20T04:00:00Z", 26) {
        stage.poll(&LATENCY, &now.to_string()).await;
        let sessions = stage.acme().truth().latency(now);
        let expected = expected(&sessions);
        trouble += expected["wolkvox_agents_with_packet_loss{direction=tx}"];
        assert_close(&shown(&stage.samples().await, &LATENCY), &expected, &now.to_string());
    }
    assert!(trouble > 5.0, "somebody lost packets");
}

#[tokio::test]
async fn every_form_of_an_answer_means_the_same() {
    let mut stage = stage().await;
    let changes: [Change; 5] = [
        ("numbers", |switches| switches.numbers = Numbers::Json),
        ("Spanish", |switches| switches.now.session_words = SessionWords::Spanish),
        ("percent", |switches| switches.now.network_text = NetworkText::Percent),
        ("rejections", |switches| {
            switches.now.rejection_text = RejectionText::Percent
        }),
        ("bare", |switches| {
            switches.now.envelope = wolkvox_simulator::CampaignsEnvelope::BareArray;
        }),
    ];
    for (what, change) in changes {
        stage.acme().switch(|switches| {
            *switches = Switches::default();
            change(switches);
        });
        stage.poll(&LATENCY, NOON).await;
        let expected = expected(&stage.acme().truth().latency(at(NOON)));
        assert_close(&shown(&stage.samples().await, &LATENCY), &expected, what);
    }
    // In a small operation, nobody works all night.
    let mut stage = Stage::with(
        NOON,
        OperationPlan::new("acme", zone("America/Bogota")).volume(0.1),
        all_reports,
    )
    .await;
    let truth = stage.acme().truth().clone();
    let night = quarters("2026-11-22T05:00:00Z", 8).find(|now| truth.latency(*now).is_empty());
    let night = night.expect("a time without agents").to_string();
    for empty in [NoSessions::EmptyLists, NoSessions::EmptyData, NoSessions::NotFound] {
        stage.acme().switch(|switches| {
            *switches = Switches::default();
            switches.now.no_sessions = empty;
        });
        stage.poll(&LATENCY, &night).await;
        let shown = shown(&stage.samples().await, &LATENCY);
        assert_close(&shown, &expected(&[]), &format!("{empty:?}"));
    }
}

/// The list of agents is found wherever it is, and what is beside it is no row.
#[tokio::test]
async fn the_agents_are_found_in_any_envelope() {
    let mut stage = stage().await;
    let agents = r#"[{"agent_id": "1-a", "latency_ms": "140", "agent_status": "connected", "connection_type": "Wifi", "platform": "web"},
                     {"agent_id": "2-b", "latency_ms": "1,500", "tx_ploss": "3 %", "network_rejection": "2"},
                     {"agent_id": "3-c", "latency_ms": "20", "agent_status": "Disconnected"}]"#;
    let others = r#""by_ip": [{"ip": "10.0.0.1", "latency_ms": "9000"}], "by_pbx": [{"latency_ms": "9000"}, 7, null]"#;
    for answer in [
        format!(r#"{{"code": "200", "msg": "1 records were found", "data": [{{"by_agent": {agents}, {others}}}]}}"#),
        format!(r#"{{"data": [{{{others}, "by_agent": {agents}}}], "code": "200"}}"#),
        format!(r#"{{"data": {{{others}, "by_agent": {agents}}}}}"#),
        format!(r#"[{{"by_agent": {agents}, {others}}}]"#),
        format!(r#"[{{{others}}}, {{"by_agent": {agents}}}]"#),
        format!(r#"{{"code": 200, "by_agent": {agents}, {others}}}"#),
        format!(r#"{{"code": 200, "data": {agents}}}"#),
    ] {
        let shown = of_answer(&mut stage, &LATENCY, &answer).await;
        let value = |series: &str| shown.get(series).copied();
        let of = |connection: &str, platform: &str| {
            value(&format!(
                "wolkvox_agents_connected{{connection={connection},platform={platform}}}"
            ))
        };
        assert_eq!(of("wifi", "web"), Some(1.0), "{answer}");
        assert_eq!(of("other", "other"), Some(1.0), "{answer}");
        assert_eq!(value("wolkvox_agents_latency_max_seconds{}"), Some(1.5), "{answer}");
        assert_eq!(
            value("wolkvox_agents_by_latency{latency=0-150ms}"),
            Some(1.0),
            "{answer}"
        );
        assert_eq!(
            value("wolkvox_agents_with_packet_loss{direction=tx}"),
            Some(1.0),
            "{answer}"
        );
        assert_eq!(value("wolkvox_agents_rejecting_calls{}"), Some(1.0), "{answer}");
        stage.acme().answer_as_generated(wolkvox_simulator::Api::Latency);
    }
    let odd = r#"{"data": [{"by_agent": [{"latency_ms": "12", "agent_status": "reconnecting"}], "by_ip": []}]}"#;
    of_answer(&mut stage, &LATENCY, odd).await;
    let samples = stage.samples().await;
    let word = [
        ("report", "latency"),
        ("field", "agent_status"),
        ("word", "reconnecting"),
    ];
    assert_eq!(samples.get("wolkvox_report_unknown_word", &word), Some(1.0));
}
