//! `skills`, `agents`, `latency` and `token_info`: their forms and switches.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, tz::TimeZone};
use serde_json::{Value, json};
use wolkvox_simulator::{
    AgentState, AgentWords, Api, Blackout, Blank, BrokenRow, BrokenRows, CampaignsEnvelope, Code, Connection,
    EmptyRows, IdleRatios, LoginTime, NetworkText, NoSessions, NowSwitches, Numbers, OperationPlan, Platform,
    RejectionText, SessionWords, SkillWindow, SumText, Switches, TimeText, TokenSwitches, personal_data_in,
};

use super::{
    Stage,
    recount::{number, text},
};

const SKILLS: &str = "real_time.php?api=skills&skill_id=all";
const AGENTS: &str = "real_time.php?api=agents";
const LATENCY: &str = "real_time.php?api=latency";
const TOKEN: &str = "information.php?api=token_info";

impl Stage {
    async fn now(&self, report: &str) -> Value {
        let (status, body) = self.get(report).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    async fn data(&self, report: &str) -> Vec<Value> {
        let mut answer = self.now(report).await;
        assert_eq!(answer["code"], "200");
        let Value::Array(rows) = answer["data"].take() else {
            panic!("{answer}")
        };
        assert_eq!(answer["msg"], format!("{} records were found", rows.len()));
        rows
    }

    fn switch_now(&self, change: impl FnOnce(&mut NowSwitches)) {
        self.operation.switch(|switches| {
            *switches = Switches::default();
            change(&mut switches.now);
        });
    }
}

fn keys(row: &Value) -> BTreeSet<&str> {
    row.as_object().unwrap().keys().map(String::as_str).collect()
}

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
