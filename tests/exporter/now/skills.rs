//! `skills`.

use std::collections::BTreeMap;

use wolkvox_exporter::reports::{ABANDONED_CALLS, ANSWERED_CALLS, SKILLS};
use wolkvox_simulator::{Blank, EmptyRows, IdleRatios, NowSwitches, Numbers, SkillNow, SkillWindow, Switches};

use super::{Change, NOON, add, all_reports, assert_close, busy, of_answer, of_rows, quarters, shown, stage};
use crate::ledger::Disk;
use crate::support::{Stage, at};

/// What the report should show of these skills.
fn expected(skills: &[SkillNow], levels: &[u32]) -> BTreeMap<String, f64> {
    let mut expected = BTreeMap::new();
    let mut add =
        |name: &str, labels: String, value: u64| add(&mut expected, &format!("{name}{{{labels}}}"), value as f64);
    for skill in skills {
        let id = format!("skill_id={}", skill.id);
        add("wolkvox_skill_calls_in_queue", id.clone(), skill.queue);
        add("wolkvox_skill_stat_inbound_calls", id.clone(), skill.inbound);
        add(
            "wolkvox_skill_stat_calls",
            format!("result=answered,{id}"),
            skill.answered,
        );
        add(
            "wolkvox_skill_stat_calls",
            format!("result=abandoned,{id}"),
            skill.abandoned,
        );
    }
    for skill in skills.iter().filter(|skill| skill.inbound > 0) {
        let id = format!("skill_id={}", skill.id);
        for seconds in levels {
            let series = format!("wolkvox_skill_service_level_ratio{{seconds={seconds},{id}}}");
            super::add(&mut expected, &series, skill.service_level(*seconds).unwrap());
        }
        let abandoned = skill.abandoned as f64 / skill.inbound as f64;
        super::add(
            &mut expected,
            &format!("wolkvox_skill_abandon_ratio{{{id}}}"),
            abandoned,
        );
    }
    expected
}

#[tokio::test]
async fn a_whole_day_equals_the_truth_at_every_poll() {
    let mut stage = stage().await;
    let mut queues = 0;
    for now in quarters("2026-11-20T04:00:00Z", 26) {
        stage.poll(&SKILLS, &now.to_string()).await;
        let skills = stage.acme().truth().skills(now);
        queues += skills.iter().map(|skill| skill.queue).sum::<u64>();
        let shown = shown(&stage.samples().await, &SKILLS);
        assert_close(&shown, &expected(&skills, &[10, 20, 30]), &now.to_string());
    }
    assert!(queues > 20, "somebody waited");
}

#[tokio::test]
async fn every_form_of_an_answer_means_the_same() {
    let mut stage = stage().await;
    let early = "2026-11-20T05:04:00Z";
    let changes: [Change; 5] = [
        ("numbers", |switches| switches.numbers = Numbers::Json),
        ("thousands", |switches| switches.grouped_integers = true),
        ("idle ratios", |switches| {
            switches.blank = Blank::LongDash;
            switches.now.idle_ratios = IdleRatios::Blank;
        }),
        ("bare", |switches| {
            switches.now.envelope = wolkvox_simulator::CampaignsEnvelope::BareArray;
        }),
        ("code 0", |switches| switches.code = wolkvox_simulator::Code::Zero),
    ];
    for (what, change) in changes {
        stage.acme().switch(|switches| {
            *switches = Switches::default();
            change(switches);
        });
        for now in [early, NOON] {
            stage.poll(&SKILLS, now).await;
            let skills = stage.acme().truth().skills(at(now));
            let shown = shown(&stage.samples().await, &SKILLS);
            assert_close(&shown, &expected(&skills, &[10, 20, 30]), &format!("{what} at {now}"));
        }
    }
    // Nobody knows which window the counts are of, nor whether idle skills are listed.
    let window = jiff::SignedDuration::from_mins(20);
    stage.acme().switch(|switches| {
        switches.now = NowSwitches {
            skill_window: SkillWindow::TwentyMinutes,
            idle_skills: false,
            ..NowSwitches::default()
        };
    });
    stage.poll(&SKILLS, early).await;
    let mut skills = stage.acme().truth().skills_within(window, at(early));
    skills.retain(|skill| skill.inbound + skill.queue > 0);
    let few = shown(&stage.samples().await, &SKILLS);
    assert_close(&few, &expected(&skills, &[10, 20, 30]), "the last twenty minutes");

    for empty in [
        EmptyRows::NotFound,
        EmptyRows::EmptyList,
        EmptyRows::Null,
        EmptyRows::NoData,
    ] {
        stage.acme().switch(|switches| switches.now.empty = empty);
        stage.acme().switch(|switches| {
            switches.blackouts = vec![wolkvox_simulator::Blackout {
                report: wolkvox_simulator::Api::Skills,
                from: at("2026-11-20T00:00:00Z"),
                until: at("2026-11-21T00:00:00Z"),
            }];
        });
        stage.poll(&SKILLS, NOON).await;
        assert_eq!(shown(&stage.samples().await, &SKILLS), BTreeMap::new(), "{empty:?}");
    }
}

#[tokio::test]
async fn values_are_as_the_page_has_them_and_a_share_of_nothing_is_none() {
    let mut stage = stage().await;
    let rows = r#"
        {"skill_id": "4000", "skill_name": "Atención al Cliente ", "calls_in_queue_now": "1,204", "stat_inbound": "12,345",
         "stat_answer": 11000, "stat_abandon": "1345", "service_level_10seg": "86.49 %", "service_level_20seg": "1.62%",
         "service_level_30seg": 97, "service_level_0seg": "0 %", "by_abandon": "10.90 %"},
        {"skill_id": 4010, "skill_name": null, "calls_in_queue_now": "----", "stat_inbound": "0", "stat_answer": "0",
         "stat_abandon": "-", "service_level_20seg": "0.00 %", "by_abandon": "0 %"},
        {"skill_id": "4020", "calls_in_queue_now": "many", "service_level_20seg": "80 %", "by_abandon": "5 %"},
        {"skill_id": "4000", "calls_in_queue_now": "9"},
        {"skill_name": "without an id", "calls_in_queue_now": "9"}"#;
    let shown = of_rows(&mut stage, &SKILLS, rows).await;
    let mut expected = BTreeMap::new();
    for (series, value) in [
        ("wolkvox_skill_calls_in_queue{skill_id=4000}", 1204.0),
        ("wolkvox_skill_stat_inbound_calls{skill_id=4000}", 12_345.0),
        ("wolkvox_skill_stat_inbound_calls{skill_id=4010}", 0.0),
        ("wolkvox_skill_stat_calls{result=answered,skill_id=4000}", 11_000.0),
        ("wolkvox_skill_stat_calls{result=abandoned,skill_id=4000}", 1345.0),
        ("wolkvox_skill_stat_calls{result=answered,skill_id=4010}", 0.0),
        ("wolkvox_skill_service_level_ratio{seconds=10,skill_id=4000}", 0.8649),
        ("wolkvox_skill_service_level_ratio{seconds=20,skill_id=4000}", 0.0162),
        ("wolkvox_skill_service_level_ratio{seconds=30,skill_id=4000}", 0.97),
        ("wolkvox_skill_abandon_ratio{skill_id=4000}", 0.109),
    ] {
        add(&mut expected, series, value);
    }
    assert_eq!(shown, expected);
    let samples = stage.samples().await;
    let rows = |outcome| {
        samples.get(
            "wolkvox_report_rows_total",
            &[("report", "skills"), ("outcome", outcome)],
        )
    };
    assert_eq!(
        (rows("counted"), rows("ignored"), rows("invalid")),
        (Some(3.0), Some(1.0), Some(1.0))
    );
    let unreadable = [("report", "skills"), ("field", "calls_in_queue_now")];
    assert_eq!(
        samples.get("wolkvox_report_invalid_fields_total", &unreadable),
        Some(1.0)
    );
    let name = samples.get(
        "wolkvox_skill_info",
        &[("skill_id", "4000"), ("skill", "Atención al Cliente")],
    );
    assert_eq!(name, Some(1.0));
}

#[tokio::test]
async fn another_service_level_is_asked_for() {
    let mut stage = Stage::with(NOON, busy(), |operation, settings| {
        all_reports(operation, settings);
        operation.reports.get_mut(&SKILLS).unwrap().choice.seconds = Some(45);
    })
    .await;
    stage.poll(&SKILLS, NOON).await;
    let skills = stage.acme().truth().skills(at(NOON));
    let shown = shown(&stage.samples().await, &SKILLS);
    assert_close(&shown, &expected(&skills, &[10, 20, 30, 45]), "45 s");
}

/// One series for each skill, whichever report told its name last, also after a restart.
#[tokio::test]
async fn a_skill_has_the_name_that_any_report_told_last() {
    let mut stage = Stage::with_storage(NOON, busy(), Disk::default().storage(), all_reports).await;
    let row = |report: &str, name: &str, date: &str| {
        format!(
            r#"{{"skill_id": "4000", "skill_name": "{name}", "conn_id": "1", "date": "{date}", "result": "{report}",
                "abandon_time": "5", "answer_time": "5", "calls_in_queue_now": "1"}}"#
        )
    };
    let names = async |stage: &Stage| -> Vec<String> {
        let samples = stage.samples().await;
        let infos = samples.iter().filter(|(name, ..)| *name == "wolkvox_skill_info");
        infos.map(|(_, labels, _)| labels["skill"].clone()).collect()
    };
    of_rows(
        &mut stage,
        &ABANDONED_CALLS,
        &row("abandoned", "Ventas", "2026-11-20 11:00:00"),
    )
    .await;
    assert_eq!(names(&stage).await, ["Ventas"]);
    of_rows(
        &mut stage,
        &ANSWERED_CALLS,
        &row("answered", "Ventas 1", "2026-11-20 11:30:00"),
    )
    .await;
    assert_eq!(names(&stage).await, ["Ventas 1"]);
    of_rows(&mut stage, &SKILLS, &row("", "Ventas Norte", "")).await;
    assert_eq!(names(&stage).await, ["Ventas Norte"]);
    of_rows(
        &mut stage,
        &ABANDONED_CALLS,
        &row("abandoned", "Ventas", "2026-11-20 11:00:00"),
    )
    .await;
    assert_eq!(names(&stage).await, ["Ventas Norte"], "an older row");

    let mut stage = stage.restart(|_, _| {});
    assert_eq!(names(&stage).await, ["Ventas Norte"], "at once");
    // A report that is no longer read takes no names with it that others give, too.
    stage = stage.restart(|operation, _| operation.reports.retain(|report, _| report == &&SKILLS));
    assert_eq!(names(&stage).await, ["Ventas Norte"]);
    of_answer(&mut stage, &SKILLS, "[]").await;
    assert_eq!(names(&stage).await, ["Ventas Norte"], "names stay when gauges go");
}

/// The true service level of an hour, from both reports of events, is that of the simulator to the call.
#[tokio::test]
async fn the_true_service_level_of_an_hour_is_exact() {
    let (born, eleven, noon) = ("2026-11-20T15:00:00Z", "2026-11-20T16:00:00Z", NOON);
    let mut stage = Stage::with(born, busy(), |operation, settings| {
        all_reports(operation, settings);
        for report in operation.reports.values_mut() {
            report.settle = std::time::Duration::ZERO;
        }
    })
    .await;
    let mut totals = Vec::new();
    for now in [born, eleven, noon] {
        for report in [&ABANDONED_CALLS, &ANSWERED_CALLS] {
            stage.poll(report, now).await;
        }
        let samples = stage.samples().await;
        let sum = |name: &str, labels: &[(&str, &str)]| samples.all(name, labels).iter().sum::<f64>();
        totals.push([
            sum("wolkvox_answer_time_seconds_bucket", &[("le", "20.0")]),
            sum("wolkvox_answer_time_seconds_count", &[]),
            sum("wolkvox_abandon_time_seconds_count", &[]),
        ]);
    }
    let of_hour: Vec<u64> = (0..3).map(|n| (totals[2][n] - totals[1][n]) as u64).collect();
    let truth = stage.acme().truth().clone();
    let of_day = |now| {
        let skills = truth.skills(at(now));
        let sum = |of: fn(&SkillNow) -> u64| skills.iter().map(of).sum::<u64>();
        [
            sum(|skill| skill.answered_within(20)),
            sum(|skill| skill.answered),
            sum(|skill| skill.abandoned),
        ]
    };
    let (before, after) = (of_day(eleven), of_day(noon));
    let expected: Vec<u64> = (0..3).map(|n| after[n] - before[n]).collect();
    assert_eq!(of_hour, expected, "answered within 20 s, answered, abandoned");
    assert!(of_hour[0] > 100 && of_hour[2] > 20, "{of_hour:?}");
}
