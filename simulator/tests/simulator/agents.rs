//! `agents` and `latency`: their forms and switches.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde_json::Value;
use wolkvox_simulator::{
    AgentState, AgentWords, Connection, LoginTime, NetworkText, Numbers, Platform, RejectionText, SessionWords,
    SumText, TimeText, personal_data_in,
};

use super::{
    Stage,
    now::{AGENTS, LATENCY, keys},
    recount::{number, text},
};

/// Seconds of `4:38:08`.
fn clock(row: &Value, field: &str) -> u64 {
    let parts: Vec<&str> = text(row, field).split(':').collect();
    let [hours, minutes, seconds] = parts[..] else {
        panic!("{row}")
    };
    assert!(minutes.len() == 2 && seconds.len() == 2 && (hours.len() == 1 || !hours.starts_with('0')));
    let part = |text: &str| text.parse::<u64>().unwrap();
    part(hours) * 3600 + part(minutes) * 60 + part(seconds)
}

#[tokio::test]
async fn agents_agree_with_the_truth_and_the_page() {
    let stage = Stage::new().await;
    let rows = stage.data(AGENTS).await;
    let truth = stage.operation.truth().agents(stage.clock.now());
    assert_eq!(rows.len(), truth.agents.len());
    let mut states = BTreeMap::new();
    for (row, agent) in rows.iter().zip(&truth.agents) {
        let word = text(row, "agent_status");
        let state = match word {
            "Ready" => AgentState::Ready,
            "Ring" => AgentState::Ring,
            "Talk" => AgentState::Talk,
            "ACW" => AgentState::Acw,
            "Logout" => AgentState::Logout,
            aux => {
                assert_eq!(agent.aux, Some(aux));
                AgentState::Aux
            }
        };
        *states.entry(state).or_default() += 1;
        assert_eq!(u64::from(number(row, "time_state_now")), agent.in_state);
        let calls = ["inbound", "outbound", "internal"].map(|field| number(row, field));
        assert_eq!(number(row, "calls"), calls.iter().sum::<u32>());
        assert_eq!(u64::from(calls[0]), agent.calls.inbound);
        // As in a real row, to the second.
        let parts = ["ready", "inbound", "outbound", "acw", "aux", "ring"];
        let parts = parts.map(|part| clock(row, &format!("{part}_time")));
        assert_eq!(parts.iter().sum::<u64>(), clock(row, "login_time"));
        assert_eq!(parts[0], agent.seconds.ready);
        let (busy, login) = (parts[1] + parts[2] + parts[3], clock(row, "login_time") - parts[4]);
        if login > 0 {
            let occupancy: f64 = text(row, "ocupation").strip_suffix(" %").unwrap().parse().unwrap();
            assert!((occupancy - busy as f64 * 100.0 / login as f64).abs() < 0.006, "{row}");
        }
        assert_eq!(keys(row).len(), 17);
        for field in ["agent_id", "agent_name"] {
            assert!(personal_data_in(text(row, field).as_bytes()).is_some());
        }
    }
    assert_eq!(states, truth.by_state());
    assert!(states.len() >= 5 && truth.by_aux().len() > 2, "{states:?}");
    let longest = rows.iter().filter(|row| row["agent_status"] == "Talk");
    let longest = longest.map(|row| u64::from(number(row, "time_state_now"))).max();
    assert_eq!(longest, truth.longest_in_state().get(&AgentState::Talk).copied());
}

#[tokio::test]
async fn agents_follow_the_switches() {
    let stage = Stage::new().await;
    let good = stage.data(AGENTS).await;
    for (words, written) in [
        (AgentWords::Lower, ["ready", "talk", "acw", "logout"]),
        (AgentWords::Upper, ["READY", "TALK", "ACW", "LOGOUT"]),
        (
            AgentWords::Spanish,
            ["Disponible", "Hablando", "Gestión", "Desconectado"],
        ),
    ] {
        stage.switch_now(|now| now.agent_words = words);
        let rows = stage.data(AGENTS).await;
        for (usual, word) in ["Ready", "Talk", "ACW", "Logout"].into_iter().zip(written) {
            let count = |rows: &[Value], word: &str| rows.iter().filter(|row| row["agent_status"] == word).count();
            assert!(
                count(&good, usual) > 0 && count(&good, usual) == count(&rows, word),
                "{word}"
            );
        }
    }
    stage.switch_now(|now| now.logged_out_agents = false);
    let there = stage.data(AGENTS).await;
    let truth = stage.operation.truth().agents(stage.clock.now()).logged_in();
    assert!(there.len() < good.len() && there.len() == truth.agents.len());
    let calls: u64 = there.iter().map(|row| u64::from(number(row, "inbound"))).sum();
    assert_eq!(calls, truth.calls().inbound);
    assert!(there.iter().all(|row| row["agent_status"] != "Logout"));

    stage.switch_now(|now| {
        now.state_times = TimeText::Clock;
        now.agent_sums = SumText::Seconds;
    });
    for (row, usual) in stage.data(AGENTS).await.iter().zip(&good) {
        let seconds = number(usual, "time_state_now");
        let clock_text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        assert_eq!(text(row, "time_state_now"), clock_text);
        assert_eq!(u64::from(number(row, "login_time")), clock(usual, "login_time"));
    }
    stage.switch_now(|now| now.login_time = LoginTime::DateTime);
    for row in stage.data(AGENTS).await {
        assert!(text(&row, "login_time").starts_with("2026-11-18 "), "{row}");
    }
}

async fn sessions(stage: &Stage) -> Vec<Value> {
    let data = stage.data(LATENCY).await;
    assert_eq!(data.len(), 1);
    assert_eq!(keys(&data[0]), BTreeSet::from(["by_agent", "by_ip", "by_pbx"]));
    assert!(!data[0]["by_ip"].as_array().unwrap().is_empty() && !data[0]["by_pbx"].as_array().unwrap().is_empty());
    let addresses = data[0]["by_ip"].to_string();
    assert!(personal_data_in(addresses.as_bytes()).is_some());
    data[0]["by_agent"].as_array().unwrap().clone()
}

#[tokio::test]
async fn latency_agrees_with_the_truth_and_the_page() {
    let stage = Stage::in_zone("America/Bogota", "2026-11-18T18:40:00").await;
    let rows = sessions(&stage).await;
    let connected: Vec<&Value> = rows.iter().filter(|row| row["agent_status"] == "connected").collect();
    let truth = stage.operation.truth().latency(stage.clock.now());
    assert_eq!(connected.len(), truth.len());
    assert!(connected.len() < rows.len(), "nobody has just left");
    let there = stage.operation.truth().agents(stage.clock.now()).logged_in();
    assert_eq!(truth.len(), there.agents.len());
    for (row, session) in connected.iter().zip(&truth) {
        assert_eq!(number(row, "latency_ms"), session.latency_ms);
        assert_eq!(row["connection_type"] == "Wifi", session.connection == Connection::Wifi);
        assert_eq!(row["platform"] == "web", session.platform == Platform::Web);
        for (field, tenths) in [
            ("tx_ploss", session.tx_loss_tenths),
            ("rx_ploss", session.rx_loss_tenths),
            ("tx_jitter", session.tx_jitter_tenths),
            ("rx_jitter", session.rx_jitter_tenths),
        ] {
            assert_eq!(text(row, field), format!("{}.{}", tenths / 10, tenths % 10));
        }
        assert_eq!(number(row, "network_rejection"), session.network_rejection);
        assert_eq!(keys(row).len(), 13);
        assert!(text(row, "version").len() == 10 && text(row, "last_date").starts_with("2026-11-18 18:"));
        let (id, name) = text(row, "agent_id").split_once('-').unwrap();
        for personal in [id, name, text(row, "ip")] {
            assert!(personal_data_in(personal.as_bytes()).is_some(), "{personal}");
        }
    }
    // A morning has everything that operators draw.
    let morning = stage.instant("2026-11-18T10:00:00");
    let all = (0..60).flat_map(|minute| {
        stage
            .operation
            .truth()
            .latency(morning + SignedDuration::from_mins(minute))
    });
    let all: Vec<_> = all.collect();
    assert!(all.iter().any(|session| session.latency_ms > 500) && all.iter().any(|session| session.latency_ms < 100));
    assert!(
        all.iter()
            .any(|session| session.tx_loss_tenths > 10 && session.rx_loss_tenths == 0)
    );
    assert!(all.iter().any(|session| session.network_rejection > 1));
}

#[tokio::test]
async fn latency_follows_the_switches() {
    let stage = Stage::new().await;
    let good = sessions(&stage).await;
    for (network, ending) in [(NetworkText::Percent, " %"), (NetworkText::Blank, "")] {
        stage.switch_now(|now| {
            now.network_text = network;
            now.session_words = SessionWords::Spanish;
            now.rejection_text = RejectionText::Percent;
        });
        for (row, usual) in sessions(&stage).await.iter().zip(&good) {
            let loss = if network == NetworkText::Blank {
                ""
            } else {
                text(usual, "tx_ploss")
            };
            assert_eq!(text(row, "tx_ploss"), format!("{loss}{ending}"));
            assert_eq!(
                text(row, "network_rejection"),
                format!("{} %", text(usual, "network_rejection"))
            );
            assert_eq!(
                text(row, "agent_status"),
                text(usual, "agent_status")
                    .replace("connected", "conectado")
                    .replace("dis", "des")
            );
        }
    }
    stage.switch_now(|_| {});
    stage.operation.switch(|switches| switches.numbers = Numbers::Json);
    assert!(sessions(&stage).await[0]["tx_jitter"].is_f64());
}
