//! `skills` and `token_info`, and what all reports about now have in common.

use std::collections::BTreeSet;

use jiff::{SignedDuration, tz::TimeZone};
use serde_json::{Value, json};
use wolkvox_simulator::{
    Api, Blackout, Blank, BrokenRow, BrokenRows, CampaignsEnvelope, Code, EmptyRows, IdleRatios, NoSessions,
    NowSwitches, OperationPlan, SkillWindow, Switches, TokenSwitches, personal_data_in,
};

use super::{
    Stage,
    recount::{number, text},
};

const SKILLS: &str = "real_time.php?api=skills&skill_id=all";
pub(super) const AGENTS: &str = "real_time.php?api=agents";
pub(super) const LATENCY: &str = "real_time.php?api=latency";
const TOKEN: &str = "information.php?api=token_info";

impl Stage {
    async fn now(&self, report: &str) -> Value {
        let (status, body) = self.get(report).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(super) async fn data(&self, report: &str) -> Vec<Value> {
        let mut answer = self.now(report).await;
        assert_eq!(answer["code"], "200");
        let Value::Array(rows) = answer["data"].take() else {
            panic!("{answer}")
        };
        assert_eq!(answer["msg"], format!("{} records were found", rows.len()));
        rows
    }

    pub(super) fn switch_now(&self, change: impl FnOnce(&mut NowSwitches)) {
        self.operation.switch(|switches| {
            *switches = Switches::default();
            change(&mut switches.now);
        });
    }
}

pub(super) fn keys(row: &Value) -> BTreeSet<&str> {
    row.as_object().unwrap().keys().map(String::as_str).collect()
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.2} %", part as f64 * 100.0 / whole as f64)
}

#[tokio::test]
async fn skills_agree_with_the_truth_and_the_page() {
    let stage = Stage::new().await;
    let rows = stage.data(SKILLS).await;
    let skills = stage.operation.truth().skills(stage.clock.now());
    assert_eq!((rows.len(), skills.len()), (5, 5));
    for (row, skill) in rows.iter().zip(&skills) {
        assert_eq!(number(row, "skill_id"), skill.id);
        assert_eq!(text(row, "skill_name"), skill.name);
        assert_eq!(u64::from(number(row, "calls_in_queue_now")), skill.queue);
        assert_eq!(u64::from(number(row, "stat_inbound")), skill.inbound);
        assert_eq!(u64::from(number(row, "stat_answer")), skill.answered);
        assert_eq!(u64::from(number(row, "stat_abandon")), skill.abandoned);
        for seconds in [10, 20, 30] {
            let level = percent(skill.answered_within(seconds), skill.inbound);
            assert_eq!(text(row, &format!("service_level_{seconds}seg")), level);
        }
        assert_eq!(text(row, "by_abandon"), percent(skill.abandoned, skill.inbound));
        assert_eq!(text(row, "service_level_0seg"), "0 %");
        assert_eq!(keys(row).len(), 11);
        assert!(skill.answered > 50 && skill.abandoned > 5);
    }
    // With a time of one's own.
    let rows = stage.data(&format!("{SKILLS}&services_time=45")).await;
    for (row, skill) in rows.iter().zip(&skills) {
        let level = percent(skill.answered_within(45), skill.inbound);
        assert_eq!(text(row, "service_level_45seg"), level);
        assert!(row.get("service_level_0seg").is_none());
    }
    let rows = stage.data(&format!("{SKILLS}&services_time=20")).await;
    assert_eq!(keys(&rows[0]).len(), 10);
    let one = stage.data("real_time.php?api=skills&skill_id=4010").await;
    assert_eq!((one.len(), &one[0]), (1, &rows_with(&stage, "4010").await));
}

async fn rows_with(stage: &Stage, id: &str) -> Value {
    let rows = stage.data(SKILLS).await;
    rows.into_iter().find(|row| row["skill_id"] == id).unwrap()
}

#[tokio::test]
async fn skills_follow_the_switches() {
    let plan = OperationPlan::new("acme", TimeZone::get("America/Bogota").unwrap()).volume(0.3);
    let stage = Stage::of(7, plan, "2026-11-18T10:50:00Z".parse().unwrap()).await;
    let (truth, now) = (stage.operation.truth(), stage.clock.now());
    let all = stage.data(SKILLS).await;
    let window = SignedDuration::from_mins(20);
    let late = truth.skills_within(window, now);
    assert!(
        late.iter().any(|skill| skill.inbound == 0 && skill.queue == 0),
        "{late:?}"
    );

    stage.switch_now(|now| now.skill_window = SkillWindow::TwentyMinutes);
    let rows = stage.data(SKILLS).await;
    assert_ne!(rows, all);
    for (row, skill) in rows.iter().zip(&late) {
        assert_eq!(u64::from(number(row, "stat_inbound")), skill.inbound);
        if skill.inbound == 0 {
            assert_eq!(row["service_level_20seg"], "0.00 %");
        }
    }
    stage.switch_now(|now| {
        now.skill_window = SkillWindow::TwentyMinutes;
        now.idle_ratios = IdleRatios::Blank;
    });
    for (row, skill) in stage.data(SKILLS).await.iter().zip(&late) {
        assert_eq!(row["by_abandon"] == "", skill.inbound == 0);
    }
    stage.switch_now(|now| {
        now.skill_window = SkillWindow::TwentyMinutes;
        now.idle_skills = false;
    });
    let busy = late.iter().filter(|skill| skill.inbound + skill.queue > 0).count();
    assert_eq!(stage.data(SKILLS).await.len(), busy);
}

#[tokio::test]
async fn reports_about_now_can_be_bare_empty_or_broken() {
    let stage = Stage::new().await;
    for report in [SKILLS, AGENTS, LATENCY] {
        let data = stage.data(report).await;
        stage.switch_now(|now| now.envelope = CampaignsEnvelope::BareArray);
        assert_eq!(stage.now(report).await, Value::Array(data.clone()));
        stage.switch_now(|_| {});
        stage.operation.switch(|switches| {
            switches.broken_rows = Some(BrokenRows::each(BrokenRow::Null));
            switches.blank = Blank::Dash;
            switches.blank_fields = vec![
                "latency_ms".to_owned(),
                "agent_status".to_owned(),
                "stat_answer".to_owned(),
            ];
        });
        let body = stage.now(report).await.to_string();
        assert!(body.contains(",null,") && body.contains("\"-\""), "{body}");
        stage.switch_now(|_| {});
    }
    let (from, until) = (stage.clock.now(), stage.clock.now() + SignedDuration::from_hours(1));
    let black = |report| Blackout { report, from, until };
    let not_found = json!({"code": "404", "error": "Not Found", "msg": "Validate dates entered"});
    for (empty, no_sessions, status) in [
        (EmptyRows::NotFound, NoSessions::NotFound, 404),
        (EmptyRows::EmptyList, NoSessions::EmptyData, 200),
        (EmptyRows::EmptyList, NoSessions::EmptyLists, 200),
    ] {
        stage.switch_now(|now| {
            now.empty = empty;
            now.no_sessions = no_sessions;
        });
        let blackouts = [Api::Skills, Api::Agents, Api::Latency].map(black).to_vec();
        stage.operation.switch(|switches| switches.blackouts = blackouts);
        for report in [SKILLS, AGENTS, LATENCY] {
            let (got, body) = stage.get(report).await;
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(got, status);
            match (status, no_sessions) {
                (404, _) => assert_eq!(body, not_found),
                (_, NoSessions::EmptyLists) if report == LATENCY => {
                    assert_eq!(body["data"], json!([{"by_agent": [], "by_ip": [], "by_pbx": []}]));
                }
                _ => assert_eq!(body["data"], json!([])),
            }
        }
    }
}

#[tokio::test]
async fn the_token_tells_what_is_used() {
    let stage = Stage::new().await;
    stage.data(SKILLS).await;
    let answer = stage.now(TOKEN).await;
    assert_eq!((&answer["code"], &answer["error"]), (&json!("0"), &Value::Null));
    let row = &answer["data"][0];
    // The request itself counts.
    assert_eq!(stage.operation.observed().charged_today, 2);
    let figures = |row: &Value| {
        let fields = [
            "token_limit",
            "token_use_today",
            "all_token_today",
            "available_consumption_options",
        ];
        fields.map(|field| number(row, field))
    };
    assert_eq!(figures(row), [5000, 2, 2, 4998]);
    assert!(personal_data_in(text(row, "description").as_bytes()).is_some());

    stage.operation.switch(|switches| {
        switches.daily_quota = Some(100);
        switches.token = TokenSwitches {
            code: Code::Empty,
            used_by_others: 90,
            several_rows: true,
        };
    });
    let answer = stage.now(TOKEN).await;
    assert_eq!(
        (&answer["code"], answer["data"].as_array().unwrap().len()),
        (&json!(""), 2)
    );
    assert_eq!(figures(&answer["data"][0]), [100, 90, 93, 7]);
    assert_eq!(figures(&answer["data"][1]), [100, 3, 93, 7]);
    stage.operation.switch(|switches| switches.token.code = Code::Text);
    assert_eq!(stage.now(TOKEN).await["code"], "200");
    // All tokens of the operation share the quota.
    for _ in 0..6 {
        assert_eq!(stage.get(TOKEN).await.0, 200);
    }
    assert_eq!(stage.get(TOKEN).await.0, 403);
    stage.clock.advance(SignedDuration::from_hours(13));
    stage.operation.switch(|switches| switches.token.used_by_others = 0);
    let answer = stage.now(TOKEN).await;
    assert_eq!(figures(&answer["data"][1]), [100, 1, 1, 99]);
}
