//! The output of check-api, what it must never contain, and that it leaves no trace.

use std::process::Command;

use wolkvox_exporter::check_api::shapes::of_text;
use wolkvox_exporter::check_api::{self, Verdict};
use wolkvox_exporter::clock::Clock;
use wolkvox_exporter::config::{Config, Operation, Token};
use wolkvox_exporter::reports::{ABANDONED_CALLS, IVR};
use wolkvox_simulator::{
    Api, EventPlan, Fault, OperationPlan, RunningSimulator, ScriptedAnswer, Seen, SimulatedOperation, Simulator,
    personal_data_in,
};

use crate::support::{at, serve, simulator, zone};

const TEN: &str = "2026-11-20T15:00:00Z";
const EIGHT: &str = "2026-11-20T13:00:00Z";

struct Scene {
    simulator: Simulator,
    served: RunningSimulator,
    config: Config,
}

impl Scene {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let plan = OperationPlan::new("acme", zone("America/Bogota")).events(EventPlan::calm());
        let simulator = simulator(vec![plan], at(TEN));
        let served = serve(&simulator).await;
        let token = Token::given(simulator.operations()[0].token());
        let config = Config {
            state_path: Some(std::env::temp_dir().join(format!("wolkvox-check-{}", std::process::id()))),
            operations: vec![Operation::new("acme", served.url(), token)],
            ..Config::default()
        };
        Self {
            simulator,
            served,
            config,
        }
    }

    fn acme(&self) -> &SimulatedOperation {
        &self.simulator.operations()[0]
    }

    async fn check(&self, shapes: bool) -> (Verdict, String) {
        let clock = Clock::from_fn(|| at(TEN));
        let mut out = Vec::new();
        let verdict = check_api::check(&self.config, shapes, &clock, &mut out).await.unwrap();
        (verdict, String::from_utf8(out).unwrap())
    }
}

/// The number of series that the text gives for a family.
fn series(text: &str, family: &str) -> usize {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(family));
    line.unwrap().split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The text without what differs between runs.
fn steady(text: &str, url: &str) -> String {
    let lines = text.lines().map(|line| match line.rsplit_once(" in ") {
        Some((start, time)) if time.ends_with(" s") => format!("{start} in N s"),
        _ => line.replace(url, "URL"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn all_is_well_and_the_numbers_are_true() {
    let scene = Scene::new().await;
    let (verdict, text) = scene.check(false).await;
    assert_eq!(
        verdict,
        Verdict {
            reports: 11,
            failed: 0,
            calls: 11
        },
        "{text}"
    );
    assert_eq!(scene.acme().observed().requests, 11);
    assert_eq!(scene.acme().observed().most_in_flight, 1);
    let truth = scene.acme().truth();
    let (from, until) = (at(EIGHT), at(TEN));
    let waits = truth.abandoned_calls(from, until, Seen::By(until));
    let ivr = truth.ivr(from, until, Seen::By(until));
    let rows = |report: &str, rows: u64| assert!(text.contains(&format!("  {report}: {rows} rows, ")), "{text}");
    rows("campaigns", truth.campaigns(until).len() as u64);
    rows("call_durations", 5);
    rows("abandoned_calls", waits.interactions.values().sum());
    rows("ivr", ivr.selections.values().sum());
    let answered = truth.answered_calls(from, until, Seen::By(until));
    rows(
        "answered_calls",
        answered.values().map(|waits| waits.len() as u64).sum(),
    );
    rows("skills", truth.skills(until).len() as u64);
    rows("agents", truth.agents(until).agents.len() as u64);
    rows("latency", truth.latency(until).len() as u64);
    rows("quota", 1);
    let results = truth.call_results(at("2026-11-20T05:00:00Z"), until);
    rows("call_results", results.by_label().len() as u64);
    assert_eq!(series(&text, "wolkvox_call_results_total"), results.by_label().len());
    assert_eq!(series(&text, "wolkvox_campaign_records"), truth.campaigns(until).len());
    assert_eq!(series(&text, "wolkvox_calls_total"), 5);
    assert_eq!(series(&text, "wolkvox_ivr_selections_total"), ivr.selections.len());
    assert_eq!(series(&text, "wolkvox_ivr_transfers_total"), ivr.transfers.len());
    assert!(text.contains("the newest row is "), "{text}");
    assert!(text.contains("the API's clock agrees with ours"), "{text}");
    assert!(!scene.config.state_path.unwrap().exists(), "the state is not touched");
}

#[tokio::test]
async fn a_report_that_fails_says_what_to_do_and_the_others_are_checked() {
    let scene = Scene::new().await;
    scene.acme().inject(Fault::status(503).on(Api::Cdr4));
    let (verdict, text) = scene.check(false).await;
    assert_eq!((verdict.reports, verdict.failed, verdict.calls), (11, 1, 11), "{text}");
    assert!(text.contains("  call_durations: FAILED"), "{text}");
    assert!(
        text.contains("status: HTTP status 503 (it may be temporary; if it persists, ask Wolkvox about this server)"),
        "{text}"
    );
    assert!(text.contains("  ivr: "), "{text}");
}

#[tokio::test]
async fn shapes_hold_no_value() {
    let scene = Scene::new().await;
    let (verdict, text) = scene.check(true).await;
    assert_eq!((verdict.failed, verdict.calls), (0, 11), "{text}");
    let truth = scene.acme().truth();
    assert_eq!(personal_data_in(text.as_bytes()), None);
    let secrets = truth.personal_strings(at(EIGHT), at(TEN));
    assert!(!secrets.is_empty());
    let centre = truth.centre();
    let names = centre.campaigns.iter().map(|campaign| campaign.name.clone());
    let skills = centre.skills.iter().map(|skill| skill.name.to_owned());
    let points = centre.routing_points.iter().map(|point| point.name.to_owned());
    for secret in secrets.into_iter().chain(names).chain(skills).chain(points) {
        assert!(!text.contains(&secret), "{secret}");
    }
    assert!(!text.contains(scene.acme().token()));
    for shape in [
        "\"9999-99-99 99:99:99\"",
        "code: text    \"999\"",
        "0_5_seg",
        "99.99 %",
        "shapes of ani",
    ] {
        assert!(text.contains(shape), "{shape}");
    }
}

#[tokio::test]
async fn a_small_answer_is_described_like_this() {
    let mut scene = Scene::new().await;
    scene.config.operations[0]
        .reports
        .retain(|report, _| [&ABANDONED_CALLS, &IVR].contains(report));
    let rows = r#"{"code": 200, "msg": "2 records were found", "Maria 3001234567": 1, "data": [
        {"skill_id": "4000", "skill_name": "Ñandú", "conn_id": "1.2", "date": "2026-11-20 09:58:30",
         "result": "abandoned", "abandon_time": "soon", "3001234567": true, "more": {"Maria": [null, -1.5]}},
        7]}"#;
    scene.acme().answer_with(Api::Skill2, ScriptedAnswer::json(rows));
    let empty = ScriptedAnswer {
        status: 404,
        ..ScriptedAnswer::json(r#"{"code": "404", "error": "Not Found", "msg": "Validate dates entered"}"#)
    };
    scene.acme().answer_with(Api::Diagram1, empty);
    let (_, text) = scene.check(true).await;
    insta::assert_snapshot!(steady(&text, &scene.served.url()), @r#"
    Each report is asked once. While an exporter polls with the same token, Wolkvox may refuse a request.
    Shapes show digits as 9, letters as a or A, other characters as ¤; length and punctuation are kept. Words of the vendor's lists are shown as they are.

    operation acme: URL (America/Bogota)

      abandoned_calls: 2 rows, 302 bytes in N s
        asked for rows dated 2026-11-20T08:00:00 to 2026-11-20T10:00:00
        the API's clock agrees with ours
        the newest row is 1m 30s old
        would be invalid: 1, rows without the fields that identify them
        could not be read: abandon_time in 1 of the rows; please report what --shapes shows for it
        would expose
          wolkvox_abandon_time_seconds                    1 series
          wolkvox_skill_info                              1 series
          wolkvox_skill_interactions_total                3 series
        shapes of the answer's keys, in their order
          code: number  999
          msg: text    "9 aaaaaaa aaaa aaaaa"
          <Aaaaa 9999999999>: number  9
          data: list
        shapes of <9999999999>
               1 × true/false
        shapes of abandon_time
               1 × text    "aaaa"
        shapes of conn_id
               1 × text    "9.9"
        shapes of date
               1 × text    "9999-99-99 99:99:99"
        shapes of more
               1 × object
        shapes of more.<Aaaaa>
               1 × list
        shapes of more.<Aaaaa>[]
               1 × null
               1 × number  -9.9
        shapes of result
               1 × word    "abandoned"
        shapes of skill_id
               1 × text    "9999"
        shapes of skill_name
               1 × text    "Aaaaa"
        shapes of (row)
               1 × number  9

      ivr: 0 rows, 70 bytes in N s
        the report is empty: the API has no rows dated 2026-11-20T08:00:00 to 2026-11-20T10:00:00; this is not a failure, since rows can appear hours late
        the API's clock agrees with ours
        would expose
          wolkvox_ivr_calls_total                         0 series
          wolkvox_ivr_selections_total                    0 series
          wolkvox_ivr_time_seconds                        0 series
          wolkvox_ivr_transfers_total                     0 series
          wolkvox_routing_point_info                      0 series
        shapes of the answer's keys, in their order
          code: text    "999"
          error: text    "Aaa Aaaaa"
          msg: text    "Aaaaaaaa aaaaa aaaaaaa"

    All 2 reports are fine. API calls made: 2.
    "#);
}

#[tokio::test]
async fn an_answer_that_fails_is_sketched_too() {
    let scene = Scene::new().await;
    scene.acme().answer_with(
        Api::Campaigns,
        ScriptedAnswer::json(r#"{"code": "999", "msg": "Llamar a Ficticia"}"#),
    );
    scene.acme().inject(Fault::CutBody(0.5).on(Api::Diagram1));
    let (verdict, text) = scene.check(true).await;
    assert_eq!((verdict.failed, verdict.calls), (2, 11), "{text}");
    assert!(text.contains("msg: text    \"Aaaaaa a Aaaaaaaa\""), "{text}");
    let ivr = text.split_once("  ivr: FAILED").unwrap().1;
    assert!(ivr.contains("shapes of conn_id"), "{text}");
    assert_eq!(personal_data_in(text.as_bytes()), None);
}

#[tokio::test]
async fn the_binary_exits_with_what_came() {
    let scene = Scene::new().await;
    let folder = std::env::temp_dir().join(format!("wolkvox-check-binary-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("wolkvox.yml");
    std::fs::write(folder.join("acme.token"), scene.acme().token()).unwrap();
    let url = scene.served.url();
    // The simulator's clock stands still, so its answers do not show it.
    scene
        .acme()
        .switch(|switches| switches.date_header = wolkvox_simulator::DateHeader::Absent);
    std::fs::write(
        &file,
        format!("state_path: state\noperations: [{{name: acme, url: '{url}', token_file: acme.token}}]\n"),
    )
    .unwrap();
    let run = || {
        let file = file.clone();
        tokio::task::spawn_blocking(move || {
            Command::new(env!("CARGO_BIN_EXE_wolkvox_exporter"))
                .arg("--config.file")
                .arg(file)
                .arg("check-api")
                .output()
                .unwrap()
        })
    };
    let good = run().await.unwrap();
    assert_eq!(good.status.code(), Some(0), "{}", String::from_utf8_lossy(&good.stdout));
    scene.acme().inject(Fault::WrongToken.on(Api::Campaigns));
    let bad = run().await.unwrap();
    assert_eq!(bad.status.code(), Some(1));
    let text = String::from_utf8(bad.stdout).unwrap();
    assert!(text.contains("put a valid token into the token file"), "{text}");
    assert!(!folder.join("state").exists(), "the state is not touched");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_shape_keeps_length_case_and_punctuation_alone() {
    let shapes = [
        ("2026-11-20 09:58:30", "9999-99-99 99:99:99"),
        ("Ñandú O'Neill, 3.5 %", "Aaaaa A'Aaaaa, 9.9 %"),
        ("a\u{301}\u{1b}[31m\t", "a¤¤[99a\\t"),
        ("٣四", "9a"),
    ];
    for (text, shape) in shapes {
        assert_eq!(of_text(text), shape);
    }
    assert_eq!(of_text(&"x".repeat(65)), format!("{}…", "a".repeat(64)));
}

/// What looks healthy but is not understood fails, and broken assumptions are named.
#[tokio::test]
async fn what_is_not_understood_is_named() {
    let scene = Scene::new().await;
    for (api, data) in [
        (Api::Cdr4, r#"{"corta":{"calls":"1"},"larga":{"calls":"2"}}"#),
        (
            Api::Campaign5,
            r#"[{"type_of_row":"Marte","date":"2026-11-20 09:00:00"}]"#,
        ),
        (
            Api::Skill2,
            r#"[{"skill_id":"1","conn_id":"a","date":"2026-11-20 03:00:00","result":"Venus"}]"#,
        ),
    ] {
        let body = format!(r#"{{"code":"200","data":{data}}}"#);
        scene.acme().answer_with(api, ScriptedAnswer::json(body));
    }
    let (verdict, text) = scene.check(true).await;
    assert_eq!((verdict.reports, verdict.failed), (11, 2), "{text}");
    for line in [
        "decode: no row of the answer can be used, of 2 in all; missing or not understood: interval (",
        "decode: no row of the answer can be used, of 1 in all; missing or not understood: type_of_row (",
        "assumption inside_window broken 1 ×: ",
        "assumption known_words broken 1 ×: ",
        "unknown word: result is \"Venus\"",
        "1 × word    \"Marte\"",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
