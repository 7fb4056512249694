//! The status page as HTML over HTTP. `tests/checks/check_page.py` checks how it looks in a browser.

mod abandonments;
mod concerns;
mod languages;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::digest::{SHA256, digest};
use tokio::net::TcpListener;
use tokio::time::Instant;
use wolkvox_exporter::client::{ApiError, Reason};
use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::{Config, Shard};
use wolkvox_exporter::health::{OperationHealth, ReportHealth};
use wolkvox_exporter::ledger::Statistics;
use wolkvox_exporter::metrics::process;
use wolkvox_exporter::published::Published;
use wolkvox_exporter::reports::agents::AgentsNow;
use wolkvox_exporter::reports::latency::LatencyNow;
use wolkvox_exporter::reports::quota::TokenCalls;
use wolkvox_exporter::reports::{
    ABANDONED_CALLS, AGENTS, CALL_DURATIONS, CAMPAIGNS, LATENCY, QUOTA, REPORTS, SKILLS, View,
};
use wolkvox_exporter::web::{self, Site};
use wolkvox_simulator::{Api, EventPlan, Fault, OperationPlan, ScriptedAnswer};

use crate::support::{Page, Stage, at, exporter, get, operation, serve, simulator, zone};

const NOON: &str = "2026-11-20T17:00:00Z";

/// Campaigns, durations and abandoned calls.
async fn stage() -> Stage {
    let plan = OperationPlan::new("acme", zone("America/Bogota"))
        .volume(3.0)
        .events(EventPlan::as_assumed());
    Stage::with(NOON, plan, |operation, _| {
        let defaults = wolkvox_exporter::config::Operation::new("acme", "", operation.token.clone());
        let config = defaults.reports[&ABANDONED_CALLS].clone();
        operation.reports.insert(&ABANDONED_CALLS, config);
    })
    .await
}

impl Stage {
    async fn poll_all(&mut self, now: &str) {
        for report in [&CAMPAIGNS, &CALL_DURATIONS, &ABANDONED_CALLS] {
            self.poll(report, now).await;
        }
    }
}

pub(crate) async fn html(page: &Page, query: &str) -> String {
    let answer = get(&page.0.replace("/metrics", &format!("/{query}")), &[]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    answer.text().await.unwrap()
}

/// The text between tags, with one space for each tag.
pub(crate) fn words(html: &str) -> String {
    let body = html.split_once("</style>").unwrap().1;
    let texts = body.split('<').filter_map(|part| Some(part.split_once('>')?.1));
    texts.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[track_caller]
pub(crate) fn has(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
}

/// Advances the monotonic clock while nothing waits for anything.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_fresh_start_says_what_it_waits_for() {
    let stage = stage().await;
    let text = words(&html(&stage.page, "").await);
    has(
        &text,
        &[
            "◌ 3 of 3 reports waiting for the first poll in 1 operation",
            "campaigns ◌ waiting none yet",
            "API calls today 0 of 4,000",
            "Campaigns Not read yet. Abandoned Not read yet.",
        ],
    );
}

#[tokio::test]
async fn when_all_is_well_it_shows_reports_campaigns_and_skills() {
    let mut stage = stage().await;
    stage.poll_all(NOON).await;
    stage.poll_all("2026-11-20T17:20:00Z").await;
    pass(Duration::from_secs(10 * 60)).await;
    stage.simulator.clock().set(at("2026-11-20T17:22:30Z"));
    let page = html(&stage.page, "").await;
    let text = words(&page);
    has(
        &text,
        &[
            "● All is well: 3 reports up in 1 operation",
            "Local time 2026-11-20 12:22:30 · America/Bogota",
            "campaigns ● up 2 min ago 12:20:00",
            "API calls today 6 of 4,000",
            "of 6 dialling",
            "▶ started",
            "■ stopped",
            "Encuesta &quot;Tu Opinión&quot;",
            "Abandoned since start (10 min)",
            "half within",
        ],
    );
    let abandoned: f64 = stage
        .samples()
        .await
        .all("wolkvox_skill_interactions_total", &[("result", "abandoned")])
        .iter()
        .sum();
    let shown: f64 = page
        .split("data-label=\"Abandoned\"><strong>")
        .skip(1)
        .map(|rest| rest.split_once('<').unwrap().0.parse::<f64>().unwrap())
        .sum();
    assert!(abandoned > 0.0);
    assert_eq!(shown, abandoned);
    assert!(
        page.find("▶ started") < page.find("■ stopped"),
        "those that dial come first"
    );

    pass(Duration::from_secs(51 * 60)).await;
    let text = words(&html(&stage.page, "").await);
    has(
        &text,
        &[
            "▲ 1 of 1 operation limited · 3 reports up",
            "acme (campaigns) withdrawn The last data is older than max_age",
            "What to do: leave max_age out",
            "campaigns ▲ up: withdrawn",
            "Not shown: the last data is older than max_age.",
            "Abandoned in the last 60 min No calls or chats were counted.",
        ],
    );
}

#[tokio::test]
async fn a_failing_report_says_why_and_what_to_do() {
    let mut stage = stage().await;
    stage.poll_all(NOON).await;
    stage.acme().inject(Fault::status(404).on(Api::Cdr4));
    stage.poll_all("2026-11-20T17:05:00Z").await;
    let page = html(&stage.page, "").await;
    has(&page, &["<title>(1) Wolkvox exporter</title>"]);
    has(
        &words(&page),
        &[
            "✕ 1 of 3 reports failing in 1 operation",
            "acme (call_durations)",
            "status HTTP status 404",
            &format!("What to do: {}.", Reason::Status.advice()),
            "Last success: 5 min ago",
            "call_durations ✕ failing: status",
            "campaigns ● up",
        ],
    );
    stage.acme().clear_faults();
    stage.poll_all("2026-11-20T17:10:00Z").await;
    let page = html(&stage.page, "").await;
    has(&page, &["<title>Wolkvox exporter</title>", "All is well"]);
    assert!(!page.contains("What to do"));
}

#[tokio::test]
async fn without_calls_all_reports_are_paused_until_midnight() {
    let mut stage = stage().await;
    stage.poll_all(NOON).await;
    stage.acme().inject(Fault::QuotaExceeded.on(Api::Cdr4));
    stage.poll(&CALL_DURATIONS, "2026-11-20T17:30:00Z").await;
    let text = words(&html(&stage.page, "").await);
    has(
        &text,
        &[
            "✕ 3 of 3 reports failing",
            "campaigns ✕ paused: quota",
            "call_durations ✕ paused: quota",
            "acme (all reports) quota",
            "Next poll: in 11 h 30 min",
            &format!("What to do: {}.", Reason::Quota.advice()),
        ],
    );
}

#[tokio::test]
async fn a_used_up_budget_says_so_and_when_polling_resumes() {
    let plan = OperationPlan::new("acme", zone("America/Bogota"));
    let mut stage = Stage::with(NOON, plan, |operation, _| operation.daily_calls = 1).await;
    for report in [&CAMPAIGNS, &CALL_DURATIONS] {
        stage.poller.tick(report).await;
    }
    let page = html(&stage.page, "").await;
    has(&page, &["class=\"bad\" width=\"100\""]);
    has(
        &words(&page),
        &["daily_calls are used up", "raise daily_calls", "in 12 h", "1 of 1"],
    );
}

#[tokio::test]
async fn hostile_names_are_text() {
    let mut stage = stage().await;
    let hostile = r#"</td><script>alert(1)</script><img src=x onerror=\"alert(2)\"> & '"#;
    let campaigns = format!(
        r#"[{{"campaign": "66 - {hostile} - tel1 (100%)", "skill_id": "{hostile}", "status": "started", "calls_x_min": "3"}}]"#
    );
    let row = |conn: u32, minute: u32| {
        format!(
            r#"{{"skill_id": "{hostile}", "skill_name": "{hostile}", "conn_id": "{conn}", "date": "2026-11-20 12:{minute:02}:00",
               "result": "abandoned", "abandon_time": "12", "type_interaction": "inbound"}}"#
        )
    };
    let waits = |rows: &[String]| {
        ScriptedAnswer::json(format!(
            r#"{{"code": "200", "error": null, "msg": "ok", "data": [{}]}}"#,
            rows.join(",")
        ))
    };
    stage
        .acme()
        .answer_with(Api::Campaigns, ScriptedAnswer::json(campaigns));
    stage.acme().answer_with(Api::Skill2, waits(&[]));
    stage.poll_all(NOON).await;
    stage.acme().answer_with(Api::Skill2, waits(&[row(1, 3), row(2, 4)]));
    stage.poll_all("2026-11-20T17:05:00Z").await;
    let page = html(&stage.page, "").await;
    has(&words(&page), &["All is well", "half within 15 s"]);
    // The campaign's name and skill, the skill's name and id.
    assert_eq!(page.matches("&lt;script&gt;alert(1)").count(), 4, "{page}");
    for tag in ["<script", "<img", "style=\""] {
        assert!(!page.contains(tag), "{tag}");
    }
    let unknown = stage
        .page
        .0
        .replace("/metrics", "/?operation=<script>alert(1)</script>");
    let unknown = get(&unknown, &[]).await;
    assert_eq!(unknown.status(), 404);
    let unknown = unknown.text().await.unwrap();
    has(
        &words(&unknown),
        &["There is no operation “&lt;script&gt;alert(1)&lt;/script&gt;” There are: acme"],
    );
    assert!(!unknown.contains("<script"));
}

#[tokio::test]
async fn the_policy_allows_the_page_its_style_and_nothing_else() {
    let stage = stage().await;
    let answer = get(&stage.page.0.replace("/metrics", "/"), &[]).await;
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let page = answer.text().await.unwrap();
    let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = BASE64_STANDARD.encode(digest(&SHA256, style.as_bytes()));
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    );
}

/// A page with this many operations; the campaigns of some cannot be read.
async fn many(operations: usize, failing: std::ops::Range<usize>) -> Page {
    let published = Published::new(process::registry(at(NOON)).0);
    for n in 0..operations {
        publish(&published, &format!("centre-{n}"), |health| {
            if failing.contains(&n) {
                let campaigns = health.reports.get_mut(&CAMPAIGNS).unwrap();
                campaigns.failure(&ApiError::new(Reason::Connect, "connection refused"));
            }
        });
    }
    served_page(published).await
}

/// Publishes an operation with all reports, which have just been read, but for what `change` changes.
pub(crate) fn publish(published: &Published, name: &str, change: impl FnOnce(&mut OperationHealth)) {
    let name: Arc<str> = name.into();
    for (report, view) in [
        (&CAMPAIGNS, View::Campaigns(Vec::new())),
        (&SKILLS, View::Skills(Vec::new())),
        (&AGENTS, View::Agents(AgentsNow::default())),
        (&LATENCY, View::Latency(LatencyNow::default())),
        (&QUOTA, View::Quota(TokenCalls::default())),
    ] {
        published.publish_current(&name, report, Vec::new(), view);
    }
    let reports = REPORTS.map(|report| {
        let mut health = ReportHealth::new(Duration::from_secs(300));
        health.success(at(NOON));
        (report, health)
    });
    let mut health = OperationHealth {
        timezone: (zone("America/Bogota"), "America/Bogota".to_owned()),
        reports: reports.into(),
        calls_used: 0,
        calls_limit: 4000,
        used_by_others: None,
        is_open: None,
        state: Statistics {
            is_on_disk: true,
            ..Statistics::default()
        },
        dropped: BTreeMap::new(),
        dropped_at: None,
    };
    change(&mut health);
    published.publish_health(&name, health);
}

/// The pages that show what is published, at noon.
pub(crate) async fn served_page(published: Published) -> Page {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let page = Page(format!("http://{}/metrics", listener.local_addr().unwrap()));
    let router = web::router(Site {
        published: Arc::new(published),
        clock: Clock::from_fn(|| at(NOON)),
        telemetry_path: "/metrics".to_owned(),
        shard: Shard::ONLY,
        reload: None,
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    page
}

#[tokio::test]
async fn many_operations_have_an_overview_and_a_page_each() {
    let page = many(30, 7..8).await;
    let overview = html(&page, "").await;
    let text = words(&overview);
    has(
        &text,
        &[
            "✕ 1 of 330 reports failing in 30 operations",
            "centre-7 (campaigns) connect connection refused",
            "centre-7 ✕ 1 of 11 failing",
            "centre-0 ● 11 up",
        ],
    );
    assert!(
        text.find("centre-7 ✕ 1 of 5") < text.find("centre-0 ● 11 up"),
        "what fails comes first"
    );
    assert!(
        !text.contains("call_durations"),
        "the reports are on the operations' own pages"
    );
    has(&overview, &["href=\"?operation=centre-0\""]);

    let text = words(&html(&page, "?operation=centre-3").await);
    assert!(
        !text.contains("What to do"),
        "failures of other operations take one line"
    );
    has(
        &text,
        &[
            "← All 30 operations",
            "centre-3 Local time 2026-11-20 12:00:00 · America/Bogota Queues now",
            "call_durations ● up",
        ],
    );
    assert!(!text.contains("centre-4"));

    let text = words(&html(&many(3, 0..0).await, "").await);
    assert_eq!(text.matches("call_durations ● up").count(), 3, "few are shown in full");
}

#[tokio::test]
async fn a_failure_that_many_operations_share_is_shown_once() {
    let page = many(30, 0..30).await;
    let text = words(&html(&page, "").await);
    let advice = Reason::Connect.advice().to_string();
    has(
        &text,
        &[
            "✕ 30 of 330 reports failing in 30 operations",
            &format!("30 operations connect connection refused What to do: {advice}. centre-0 (campaigns),"),
            "and 20 more",
        ],
    );
    assert_eq!(text.matches(&advice).count(), 1);
}

#[tokio::test]
async fn the_next_poll_is_announced() {
    // The wall clock stands still, so a slow test takes some seconds off the shown minutes. With 100 calls for the 288
    // polls until midnight, only every third poll is kept.
    let well = ["● All is well: 2 reports up"].as_slice();
    let thinned = [
        "▲ 1 of 1 operation limited · 2 reports up",
        "acme (all reports) polls left out",
        "What to do: raise daily_calls",
        "campaigns ▲ up: polls left out",
    ];
    for (daily_calls, next_poll, expected) in [
        (4000, ["in 4 min 12:0", "every 5 min"], well),
        (100, ["in 14 min 12:1", "every 15 min"], &thinned),
    ] {
        let simulator = simulator(vec![OperationPlan::new("acme", zone("America/Bogota"))], at(NOON));
        let served = serve(&simulator).await;
        let mut operation = operation(&simulator.operations()[0], &served.url());
        operation.daily_calls = daily_calls;
        let config = Config {
            operations: vec![operation],
            ..Config::default()
        };
        let (_running, page) = exporter(config, Clock::from_fn(|| at(NOON))).await;
        let begin = Instant::now();
        let text = loop {
            let text = words(&html(&page, "").await);
            if text.contains("2 reports up") {
                break text;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "{text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        for next_poll in next_poll {
            assert_eq!(text.matches(next_poll).count(), 2, "{text}");
        }
        has(&text, expected);
    }
}
