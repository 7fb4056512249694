//! What the status page shows of now.

use wolkvox_exporter::reports::{AGENTS, CALL_DURATIONS, CAMPAIGNS, LATENCY, QUOTA, REPORTS, SKILLS};
use wolkvox_simulator::AgentState;

use super::{NOON, all_reports, busy, of_rows, stage};
use crate::status::{has, html, words};
use crate::support::{Stage, at};

#[tokio::test]
async fn queues_and_agents_come_first() {
    let mut stage = stage().await;
    for report in REPORTS {
        stage.poll(report, NOON).await;
    }
    let text = words(&html(&stage.page, "").await);
    let order = [
        "Queues now",
        "Agents now",
        "Reports API calls today",
        "Campaigns",
        "Abandoned since start",
    ];
    let places: Vec<usize> = order.iter().map(|part| text.find(part).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");

    let truth = stage.acme().truth().clone();
    let skills = truth.skills(at(NOON));
    for skill in &skills {
        let share = |part: u64| match part as f64 / skill.inbound as f64 * 100.0 {
            share @ ..9.95 => format!("{share:.1} %"),
            share => format!("{share:.0} %"),
        };
        let row = format!(
            "{} {} {} {} {} {} {}",
            skill.name,
            skill.id,
            skill.queue,
            share(skill.answered_within(20)),
            skill.abandoned,
            share(skill.abandoned),
            skill.inbound
        );
        has(&text, &[row.replace("  ", " ").as_str()]);
    }
    let agents = truth.agents(at(NOON));
    let states = agents.by_state();
    let aux = agents.by_aux();
    has(&text, &["Answered within 20 s"]);
    has(&text, &[&format!("{} talking", states[&AgentState::Talk])]);
    has(&text, &[&format!("{} auxiliary", states[&AgentState::Aux])]);
    let most = aux.iter().max_by_key(|(_, count)| **count).unwrap();
    has(&text, &[&format!("Auxiliary: {} {}", most.0, most.1)]);
    has(&text, &[&format!("{} connected", truth.latency(at(NOON)).len())]);
}

#[tokio::test]
async fn an_operation_without_these_reports_has_nothing_empty() {
    let mut stage = Stage::with(NOON, busy(), |operation, settings| {
        all_reports(operation, settings);
        operation
            .reports
            .retain(|report, _| [&CAMPAIGNS, &CALL_DURATIONS].contains(report));
    })
    .await;
    stage.poll(&CAMPAIGNS, NOON).await;
    let text = words(&html(&stage.page, "").await);
    assert!(!text.contains("Queues now") && !text.contains("Agents now"), "{text}");
    assert!(!text.contains("connected"), "{text}");
}

#[tokio::test]
async fn quiet_hours_and_calls_of_others_are_told() {
    let mut stage = stage().await;
    let text = words(&html(&stage.page, "").await);
    has(&text, &["Queues now Not read yet.", "Agents now Not read yet."]);

    let idle = r#"{"skill_id": "1", "skill_name": "Ventas", "calls_in_queue_now": "0", "stat_inbound": "0"}"#;
    of_rows(&mut stage, &SKILLS, idle).await;
    of_rows(
        &mut stage,
        &AGENTS,
        r#"{"agent_status": "Logout", "time_state_now": "9"}"#,
    )
    .await;
    of_rows(&mut stage, &LATENCY, "").await;
    let calls = r#"{"token_limit": "4000", "token_use_today": "9", "all_token_today": "1204"}"#;
    of_rows(&mut stage, &QUOTA, calls).await;
    let text = words(&html(&stage.page, "").await);
    has(
        &text,
        &[
            "Nobody waits, and nobody has called. Without calls: 1 more.",
            "Nobody is logged in.",
            "0 connected",
            "Other programs used 1,200 more calls of this operation today, as the API counts.",
        ],
    );
}
