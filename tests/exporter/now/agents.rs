//! `agents`.

use std::collections::BTreeMap;

use wolkvox_exporter::reports::AGENTS;
use wolkvox_simulator::{AgentState, AgentWords, AgentsNow, LoginTime, Numbers, SumText, Switches, TimeText};

use super::{Change, NOON, add, of_answer, of_rows, quarters, shown, stage};
use crate::support::at;

/// What the report should show.
fn expected(agents: &AgentsNow) -> BTreeMap<String, f64> {
    let mut expected = BTreeMap::new();
    let (states, longest) = (agents.by_state(), agents.longest_in_state());
    for (label, state) in [
        ("ready", AgentState::Ready),
        ("ring", AgentState::Ring),
        ("talk", AgentState::Talk),
        ("acw", AgentState::Acw),
        ("aux", AgentState::Aux),
        ("logout", AgentState::Logout),
    ] {
        let count = states.get(&state).copied().unwrap_or_default();
        add(&mut expected, &format!("wolkvox_agents{{state={label}}}"), count as f64);
        if let Some(seconds) = longest.get(&state).filter(|_| state != AgentState::Logout) {
            let series = format!("wolkvox_agents_longest_state_seconds{{state={label}}}");
            add(&mut expected, &series, *seconds as f64);
        }
    }
    add(&mut expected, "wolkvox_agents{state=other}", 0.0);
    for (word, count) in agents.by_aux() {
        add(
            &mut expected,
            &format!("wolkvox_agents_in_aux{{aux={word}}}"),
            count as f64,
        );
    }
    if agents.agents.is_empty() {
        return expected;
    }
    let seconds = agents.seconds();
    for (activity, seconds) in [
        ("ready", seconds.ready),
        ("inbound", seconds.inbound),
        ("outbound", seconds.outbound),
        ("acw", seconds.acw),
        ("ring", seconds.ring),
        ("aux", seconds.aux),
        ("login", seconds.login()),
    ] {
        let series = format!("wolkvox_agents_stat_seconds{{activity={activity}}}");
        add(&mut expected, &series, seconds as f64);
    }
    let calls = agents.calls();
    for (direction, calls) in [
        ("inbound", calls.inbound),
        ("outbound", calls.outbound),
        ("internal", calls.internal),
    ] {
        let series = format!("wolkvox_agents_stat_calls{{direction={direction}}}");
        add(&mut expected, &series, calls as f64);
    }
    expected
}

#[tokio::test]
async fn a_whole_day_equals_the_truth_at_every_poll() {
    let mut stage = stage().await;
    let mut seen = BTreeMap::new();
    for now in quarters("2026-11-20T04:00:00Z", 26) {
        stage.poll(&AGENTS, &now.to_string()).await;
        let agents = stage.acme().truth().agents(now);
        for (state, count) in agents.by_state() {
            *seen.entry(state).or_insert(0) += count;
        }
        assert_eq!(shown(&stage.samples().await, &AGENTS), expected(&agents), "{now}");
    }
    assert_eq!(seen.len(), 6, "all states were seen: {seen:?}");
}

#[tokio::test]
async fn every_form_of_an_answer_means_the_same() {
    let mut stage = stage().await;
    let changes: [Change; 6] = [
        ("numbers", |switches| switches.numbers = Numbers::Json),
        ("lower case", |switches| switches.now.agent_words = AgentWords::Lower),
        ("upper case", |switches| switches.now.agent_words = AgentWords::Upper),
        ("clock", |switches| switches.now.state_times = TimeText::Clock),
        ("seconds", |switches| switches.now.agent_sums = SumText::Seconds),
        ("thousands", |switches| switches.grouped_integers = true),
    ];
    for (what, change) in changes {
        stage.acme().switch(|switches| {
            *switches = Switches::default();
            change(switches);
        });
        stage.poll(&AGENTS, NOON).await;
        let agents = stage.acme().truth().agents(at(NOON));
        assert_eq!(shown(&stage.samples().await, &AGENTS), expected(&agents), "{what}");
    }
    stage.acme().switch(|switches| {
        *switches = Switches::default();
        switches.now.login_time = LoginTime::DateTime;
        switches.now.logged_out_agents = false;
    });
    stage.poll(&AGENTS, NOON).await;
    let mut expected = expected(&stage.acme().truth().agents(at(NOON)).logged_in());
    expected.remove("wolkvox_agents_stat_seconds{activity=login}");
    let samples = stage.samples().await;
    assert_eq!(shown(&samples, &AGENTS), expected, "the login is a date");
    let unreadable = [("report", "agents"), ("field", "login_time")];
    assert_eq!(
        samples.get("wolkvox_report_invalid_fields_total", &unreadable),
        Some(0.0)
    );
}

#[tokio::test]
async fn words_that_are_not_the_vendors_are_auxiliary_states() {
    let mut stage = stage().await;
    let rows = r#"
        {"agent_status": "Almuerzo", "time_state_now": "0:41:07", "login_time": "30:00:00", "aux_time": "1:00:00"},
        {"agent_status": " Almuerzo ", "time_state_now": "62", "calls": "3", "inbound": "1,002"},
        {"agent_status": "Llamar al 3001234567", "time_state_now": "90.5"},
        {"agent_status": "TALK", "time_state_now": "-1", "inbound": 2, "outbound": null, "internal": "--"},
        {"agent_status": "----", "time_state_now": ""},
        {"agent_status": "Logout", "time_state_now": "500000"}"#;
    let shown = of_rows(&mut stage, &AGENTS, rows).await;
    let mut expected = BTreeMap::new();
    for (series, value) in [
        ("wolkvox_agents{state=ready}", 0.0),
        ("wolkvox_agents{state=ring}", 0.0),
        ("wolkvox_agents{state=talk}", 1.0),
        ("wolkvox_agents{state=acw}", 0.0),
        ("wolkvox_agents{state=aux}", 3.0),
        ("wolkvox_agents{state=logout}", 1.0),
        ("wolkvox_agents{state=other}", 1.0),
        ("wolkvox_agents_in_aux{aux=Almuerzo}", 2.0),
        ("wolkvox_agents_in_aux{aux=number}", 1.0),
        ("wolkvox_agents_longest_state_seconds{state=aux}", 2467.0),
        ("wolkvox_agents_stat_seconds{activity=aux}", 3600.0),
        ("wolkvox_agents_stat_seconds{activity=login}", 108_000.0),
        ("wolkvox_agents_stat_calls{direction=inbound}", 1004.0),
    ] {
        add(&mut expected, series, value);
    }
    assert_eq!(shown, expected);

    // An empty operation has no agents, which is a valid zero.
    let nobody = of_answer(&mut stage, &AGENTS, r#"{"code": "200", "data": []}"#).await;
    assert_eq!(nobody.len(), 7, "{nobody:?}");
    assert!(nobody.values().all(|agents| *agents == 0.0));
}
