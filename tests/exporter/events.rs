//! Events against the ground truth: every counter and every bucket, over late, changing and doubled rows, failed polls,
//! cut answers, restarts and changes of the configuration.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use wolkvox_exporter::reports::{ABANDONED_CALLS, CALL_DURATIONS, CAMPAIGNS, IVR, PREVIEW_CALLS, Report};

use jiff::{SignedDuration, Timestamp};
use wolkvox_exporter::config::Operation;
use wolkvox_exporter::ledger::Storage;
use wolkvox_exporter::poller::PollSettings;
use wolkvox_simulator::{
    Api, Blackout, EventPlan, Fault, OperationPlan, OverLimit, ScriptedAnswer, Seen, SimulatedOperation, TimeText,
    WaitWords, counts_up_to, personal_data_in,
};

use crate::ledger::{Disk, Folder};
use crate::support::{Samples, Stage, api, at, zone};

const EVENTS: [&Report; 3] = [&ABANDONED_CALLS, &PREVIEW_CALLS, &IVR];
const WAITS: &[f64] = &[
    5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0,
];
const TALKS: &[f64] = &[
    5.0, 15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0,
];
const IVR_TIMES: &[f64] = &[5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0];

/// Series that are not zero, by name and labels.
pub(crate) type Counts = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// Adds a value to a series.
type Add<'a> = dyn FnMut(&str, &[(&str, &str)], f64) + 'a;

/// What the counters and histograms of events should say.
pub(crate) fn truth(operation: &SimulatedOperation, from: Timestamp, until: Timestamp, seen: Seen) -> Counts {
    truth_of(operation, &EVENTS, from, until, seen)
}

/// What those of some reports should say.
pub(crate) fn truth_of(
    operation: &SimulatedOperation,
    reports: &[&'static Report],
    from: Timestamp,
    until: Timestamp,
    seen: Seen,
) -> Counts {
    let truth = operation.truth();
    let of = |report| reports.contains(&report);
    let mut counts = Counts::new();
    let mut add = |name: &str, labels: &[(&str, &str)], value: f64| {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        if value > 0.0 {
            *counts.entry((name.to_owned(), labels)).or_default() += value;
        }
    };
    let histogram = |add: &mut Add<'_>, name: &str, labels: &[(&str, &str)], values: &[u32], bounds: &[f64]| {
        for (bound, count) in bounds.iter().zip(counts_up_to(values, bounds)) {
            let bound = format!("{bound:?}");
            add(
                &format!("{name}_bucket"),
                &[labels, &[("le", bound.as_str())]].concat(),
                count as f64,
            );
        }
        add(
            &format!("{name}_bucket"),
            &[labels, &[("le", "+Inf")]].concat(),
            values.len() as f64,
        );
        add(&format!("{name}_count"), labels, values.len() as f64);
        add(
            &format!("{name}_sum"),
            labels,
            values.iter().map(|value| f64::from(*value)).sum(),
        );
    };
    let waits = of(&ABANDONED_CALLS).then(|| truth.abandoned_calls(from, until, seen));
    let waits = waits.unwrap_or_default();
    for ((skill, channel, result), n) in waits.interactions {
        let skill = skill.to_string();
        let labels = [("skill_id", skill.as_str()), ("channel", channel), ("result", result)];
        add("wolkvox_skill_interactions_total", &labels, n as f64);
    }
    for ((skill, channel), values) in waits.waits {
        let skill = skill.to_string();
        let labels = [("skill_id", skill.as_str()), ("channel", channel)];
        histogram(&mut add, "wolkvox_abandon_time_seconds", &labels, &values, WAITS);
    }
    let previews = of(&PREVIEW_CALLS).then(|| truth.preview_calls(from, until, seen));
    let previews = previews.unwrap_or_default();
    for ((campaign, interaction, result, hang_up), n) in previews.calls {
        let campaign = campaign.to_string();
        let labels = [
            ("campaign_id", campaign.as_str()),
            ("type_interaction", interaction),
            ("call_result", result),
            ("hang_up", hang_up),
        ];
        add("wolkvox_preview_calls_total", &labels, n as f64);
    }
    for (campaign, values) in previews.durations {
        let campaign = campaign.to_string();
        let labels = [("campaign_id", campaign.as_str())];
        histogram(
            &mut add,
            "wolkvox_preview_call_duration_seconds",
            &labels,
            &values,
            TALKS,
        );
    }
    let ivr = of(&IVR).then(|| truth.ivr(from, until, seen));
    let ivr = ivr.unwrap_or_default();
    for (point, values) in ivr.times {
        let point = point.to_string();
        histogram(
            &mut add,
            "wolkvox_ivr_time_seconds",
            &[("rp_id", point.as_str())],
            &values,
            IVR_TIMES,
        );
    }
    let pairs = [
        ("wolkvox_preview_codes_total", "campaign_id", "code", previews.codes),
        (
            "wolkvox_preview_records_total",
            "campaign_id",
            "result",
            previews.records,
        ),
        ("wolkvox_ivr_calls_total", "rp_id", "result", ivr.calls),
        ("wolkvox_ivr_selections_total", "rp_id", "option", ivr.selections),
        ("wolkvox_ivr_transfers_total", "rp_id", "dn_transfer", ivr.transfers),
    ];
    for (name, id_label, label, values) in pairs {
        for ((id, value), n) in values {
            add(name, &[(id_label, id.to_string().as_str()), (label, value)], n as f64);
        }
    }
    counts
}

/// What they do say.
pub(crate) fn shown(samples: &Samples) -> Counts {
    let of_events = |name: &str| {
        let counts = name.ends_with("_total") || name.contains("_seconds_");
        let prefixes = ["wolkvox_skill", "wolkvox_abandon", "wolkvox_preview", "wolkvox_ivr"];
        counts && prefixes.iter().any(|prefix| name.starts_with(prefix))
    };
    let mut counts = Counts::new();
    for (name, labels, value) in samples.iter() {
        if of_events(name) && value > 0.0 {
            let mut labels = labels.clone();
            labels.remove("operation");
            counts.insert((name.to_owned(), labels), value);
        }
    }
    counts
}

/// Only what the report of abandoned calls counts.
fn of_waits(counts: Counts) -> Counts {
    counts
        .into_iter()
        .filter(|((name, _), _)| name.contains("_skill_") || name.contains("_abandon_"))
        .collect()
}

/// Fails with the series that differ, and no others.
pub(crate) fn assert_same(shown: &Counts, truth: &Counts, what: &str) {
    let mut differences = Vec::new();
    for series in shown.keys().chain(truth.keys()) {
        let (is, should) = (shown.get(series), truth.get(series));
        if is != should {
            differences.push(format!("{series:?}: is {is:?}, should be {should:?}"));
        }
    }
    differences.sort();
    differences.dedup();
    assert!(
        differences.is_empty(),
        "{what}: {} differ: {:#?}",
        differences.len(),
        &differences[..differences.len().min(8)]
    );
    assert!(!truth.is_empty(), "{what}: the truth is not nothing");
}

pub(crate) fn all_reports(operation: &mut Operation, _: &mut PollSettings) {
    for report in EVENTS {
        operation
            .reports
            .insert(report, wolkvox_exporter::config::ReportConfig::new(report));
    }
    for report in operation.reports.values_mut() {
        report.timeout = Duration::from_secs(20);
        if !report.reread.back.is_zero() {
            report.reread.every = Duration::from_secs(3600);
        }
    }
    operation.daily_calls = 1_000_000;
}

fn plan(volume: f64, events: EventPlan) -> OperationPlan {
    OperationPlan::new("acme", zone("America/Bogota"))
        .volume(volume)
        .events(events)
}

async fn poll_all(stage: &mut Stage, now: Timestamp) {
    for report in EVENTS {
        stage.poll(report, &now.to_string()).await;
    }
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// Nine days over a month's end: rows late by up to 40 hours, codes typed hours later, twins, one poll in five failing in
/// one way or another, restarts every day and a half. In the end everything is counted, to the last bucket.
#[tokio::test(flavor = "multi_thread")]
async fn days_of_trouble_equal_the_truth() {
    let born = at("2026-10-27T14:03:20Z");
    let mut stage = Stage::with_storage(
        &born.to_string(),
        plan(0.05, EventPlan::default()),
        Disk::default().storage(),
        all_reports,
    )
    .await;
    stage.acme().switch(|switches| switches.total_rows = true);
    poll_all(&mut stage, born).await;
    assert!(
        shown(&stage.samples().await).is_empty(),
        "the first poll counts nothing"
    );
    let faults = [
        Fault::status(500),
        Fault::CutBody(0.5),
        Fault::Html,
        Fault::ResetBeforeAnswer,
        Fault::ContentLengthTooLong(20),
        Fault::SimultaneousLimit,
    ];
    let mut luck = fastrand::Rng::with_seed(3);
    let mut before = Counts::new();
    let mut now = born;
    let end = born + hours(9 * 24);
    let mut last_restart = born;
    while now < end {
        now = (now + SignedDuration::from_mins(luck.i64(20..50))).min(end);
        for report in EVENTS {
            if luck.u8(0..5) == 0 && now < end {
                stage
                    .acme()
                    .inject(faults[luck.usize(0..faults.len())].clone().times(luck.u32(1..4)));
            }
            stage.poll(report, &now.to_string()).await;
            stage.acme().clear_faults();
        }
        if now.duration_since(last_restart) > hours(36) {
            stage = stage.restart(|_, _| {});
            last_restart = now;
        }
        if luck.u8(0..10) == 0 {
            let counts = shown(&stage.samples().await);
            for (series, value) in &before {
                assert!(counts.get(series) >= Some(value), "{series:?} fell");
            }
            before = counts;
        }
    }
    // The last poll is followed by a reread, so all that the API shows is counted.
    now += SignedDuration::from_mins(61);
    poll_all(&mut stage, now).await;
    let samples = stage.samples().await;
    let up = EVENTS.map(|report| samples.get("wolkvox_up", &[("report", report.name)]));
    assert_eq!(up, [Some(1.0); 3]);
    assert_same(
        &shown(&samples),
        &truth(&stage.acme(), born, now, Seen::By(now)),
        "after nine days",
    );
    assert!(
        samples
            .all("wolkvox_report_backlog_rows_total", &[])
            .iter()
            .sum::<f64>()
            > 0.0,
        "late rows are a backlog"
    );
    let ignored = [("report", "preview_calls"), ("outcome", "ignored")];
    assert!(
        samples.get("wolkvox_report_rows_total", &ignored) > Some(0.0),
        "totals are ignored"
    );
    assert_eq!(stage.acme().observed().most_in_flight, 1);
    // Exactly one name for each id.
    assert_eq!(
        samples.all("wolkvox_skill_info", &[]).len(),
        stage.acme().truth().centre().skills.len()
    );
}

/// Days of 25 and of 23 hours: a repeated hour is read whole, a missing one is not missed.
#[tokio::test(flavor = "multi_thread")]
async fn days_on_which_the_clock_changes_equal_the_truth() {
    for (born, hours_long) in [("2026-04-04T12:00:00Z", 40), ("2026-09-05T12:00:00Z", 40)] {
        let plan = OperationPlan::new("acme", zone("America/Santiago"))
            .volume(0.2)
            .never_closes();
        let mut stage = Stage::with(born, plan, all_reports).await;
        let mut now = at(born);
        poll_all(&mut stage, now).await;
        while now < at(born) + hours(hours_long) {
            now += SignedDuration::from_mins(61);
            poll_all(&mut stage, now).await;
        }
        assert_same(
            &shown(&stage.samples().await),
            &truth(&stage.acme(), at(born), now, Seen::By(now)),
            born,
        );
    }
}

/// A low record limit, silent or said aloud: windows are split, and all is counted.
#[tokio::test(flavor = "multi_thread")]
async fn answers_over_the_record_limit_are_split() {
    for over_limit in [OverLimit::SilentCut, OverLimit::BadRequest] {
        let born = at("2026-11-18T11:00:00Z");
        let adjust = |operation: &mut Operation, settings: &mut PollSettings| {
            all_reports(operation, settings);
            settings.cut_at = 290;
        };
        let mut stage = Stage::with(&born.to_string(), plan(1.0, EventPlan::calm()), adjust).await;
        stage.acme().switch(|switches| {
            switches.record_limit = Some(300);
            switches.over_limit = over_limit;
        });
        poll_all(&mut stage, born).await;
        let now = born + hours(8);
        poll_all(&mut stage, now).await;
        let should = truth(&stage.acme(), born, now, Seen::By(now));
        assert_same(
            &shown(&stage.samples().await),
            &should,
            &format!("split, {over_limit:?}"),
        );
        let samples = stage.samples().await;
        assert_eq!(
            samples
                .all("wolkvox_report_capped_windows_total", &[])
                .iter()
                .sum::<f64>(),
            0.0
        );
        assert!(stage.acme().observed().requests > 30, "many pieces");
    }
}

/// 172,000 rows in a day, with the vendor's limit of 60,000.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_172_000_rows_is_counted_whole() {
    let born = at("2026-11-18T05:00:00Z");
    let events = EventPlan {
        volume: 70.0,
        ..EventPlan::calm()
    };
    let mut stage = Stage::with(&born.to_string(), plan(1.0, events), |operation, settings| {
        all_reports(operation, settings);
        operation.reports.retain(|report, _| *report == &ABANDONED_CALLS);
    })
    .await;
    stage.poll(&ABANDONED_CALLS, &born.to_string()).await;
    let now = born + hours(24);
    stage.poll(&ABANDONED_CALLS, &now.to_string()).await;
    let samples = stage.samples().await;
    let counted = samples.all("wolkvox_skill_interactions_total", &[]).iter().sum::<f64>();
    let truth = stage.acme().truth().abandoned_calls(born, now, Seen::By(now));
    assert_eq!(counted, truth.interactions.values().sum::<u64>() as f64);
    assert!(counted > 165_000.0, "{counted}");
    assert!(stage.acme().observed().requests < 20, "in few pieces");
}

/// A report that answers empty for hours and is complete the next day loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_an_empty_answer_hid_are_counted_later() {
    let born = at("2026-11-18T11:00:00Z");
    let mut stage = Stage::with(&born.to_string(), plan(0.2, EventPlan::calm()), all_reports).await;
    let blackout = |report| Blackout {
        report: api(report),
        from: born + hours(1),
        until: born + hours(9),
    };
    stage
        .acme()
        .switch(|switches| switches.blackouts = EVENTS.map(blackout).to_vec());
    poll_all(&mut stage, born).await;
    let mut now = born;
    for _ in 0..20 {
        now += SignedDuration::from_mins(61);
        poll_all(&mut stage, now).await;
    }
    assert_same(
        &shown(&stage.samples().await),
        &truth(&stage.acme(), born, now, Seen::By(now)),
        "after the silence",
    );
}

/// Three days of outage: caught up with what live polls leave of the budget, which go on.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_three_days_is_caught_up_within_the_budget() {
    let born = at("2026-11-16T14:00:00Z");
    let adjust = |operation: &mut Operation, settings: &mut PollSettings| {
        all_reports(operation, settings);
        operation
            .reports
            .retain(|report, _| [&ABANDONED_CALLS, &CAMPAIGNS].contains(report));
        operation.daily_calls = 1200;
        settings.cut_at = 190;
    };
    let mut stage = Stage::with(&born.to_string(), plan(0.5, EventPlan::calm()), adjust).await;
    stage.acme().switch(|switches| switches.record_limit = Some(200));
    stage.poll(&ABANDONED_CALLS, &born.to_string()).await;
    let mut now = born + hours(72);
    stage.acme().forget_log();
    let mut live = 0;
    for _ in 0..30 {
        for report in [&CAMPAIGNS, &ABANDONED_CALLS] {
            stage.simulator.clock().set(now);
            stage.poller.tick(report).await;
        }
        live += 1;
        now += SignedDuration::from_mins(5);
    }
    let log = stage.acme().observed().log;
    let campaigns = log
        .iter()
        .filter(|request| request.api.as_deref() == Some("campaigns"))
        .count();
    assert_eq!(campaigns, live, "live polls go on");
    let last = now - SignedDuration::from_mins(5);
    let should = of_waits(truth(&stage.acme(), born, last, Seen::By(last)));
    assert_same(&shown(&stage.samples().await), &should, "caught up");
    // From nine in the morning on there are 1,200 calls and 360 live polls until midnight: a third of the rest is 280.
    assert!(
        log.len() - 2 * live <= 280,
        "{} requests for the catch-up",
        log.len() - 2 * live
    );
    assert!(log.len() > 2 * live + 5, "there was something to catch up");
}

/// Changes of the configuration: nothing is counted twice, and nothing is lost that the rules promise.
#[tokio::test(flavor = "multi_thread")]
async fn changes_of_the_configuration_count_nothing_twice() {
    let born = at("2026-11-16T14:00:00Z");
    let disk = Disk::default();
    let mut stage = Stage::with_storage(
        &born.to_string(),
        plan(0.1, EventPlan::calm()),
        disk.storage(),
        all_reports,
    )
    .await;
    let mut now = born;
    poll_all(&mut stage, now).await;
    let run = async |stage: &mut Stage, now: &mut Timestamp, steps: u32| {
        for _ in 0..steps {
            *now += SignedDuration::from_mins(61);
            poll_all(stage, *now).await;
        }
    };
    run(&mut stage, &mut now, 60).await;

    // A longer overlap and a longer reread reach back beyond what is remembered: both are clamped.
    let longer = |operation: &mut Operation, _: &mut PollSettings| {
        for report in operation
            .reports
            .values_mut()
            .filter(|report| !report.overlap.is_zero())
        {
            report.overlap = Duration::from_secs(5 * 86_400);
            report.reread.back = Duration::from_secs(20 * 86_400);
        }
    };
    stage = stage.restart(longer);
    run(&mut stage, &mut now, 3).await;
    assert_same(
        &shown(&stage.samples().await),
        &truth(&stage.acme(), born, now, Seen::By(now)),
        "longer windows",
    );

    // A report that was taken out comes back: its totals are there at once, and the gap is caught up.
    let mut without = None;
    stage = stage.restart(|operation, _| without = operation.reports.remove(&ABANDONED_CALLS));
    for _ in 0..10 {
        now += SignedDuration::from_mins(61);
        stage.poll(&IVR, &now.to_string()).await;
        stage.poll(&PREVIEW_CALLS, &now.to_string()).await;
    }
    stage = stage.restart(|operation, _| {
        operation
            .reports
            .extend(without.map(|config| (&ABANDONED_CALLS, config)));
    });
    assert!(
        !stage
            .samples()
            .await
            .all("wolkvox_skill_interactions_total", &[])
            .is_empty(),
        "shown at once"
    );
    run(&mut stage, &mut now, 1).await;
    assert_same(
        &shown(&stage.samples().await),
        &truth(&stage.acme(), born, now, Seen::By(now)),
        "back again",
    );

    // A clock that jumps a day forth and back: the polls fail, and nothing moves.
    let jumped = now + hours(24);
    for report in EVENTS {
        stage.poll_with_wrong_clock(report, &jumped.to_string()).await;
        stage
            .poll_with_wrong_clock(report, &(now - hours(24)).to_string())
            .await;
    }
    run(&mut stage, &mut now, 2).await;
    assert_same(
        &shown(&stage.samples().await),
        &truth(&stage.acme(), born, now, Seen::By(now)),
        "clock jump",
    );

    // The zone was set wrong: rows are dated otherwise from now on, and none of them counts again.
    let before = shown(&stage.samples().await);
    stage = stage.restart(|operation, _| {
        operation.timezone = zone("America/Argentina/Buenos_Aires");
        operation.timezone_name = "America/Argentina/Buenos_Aires".to_owned();
    });
    poll_all(&mut stage, now).await;
    assert_same(
        &shown(&stage.samples().await),
        &before,
        "another zone counts nothing twice",
    );
    stage = stage.restart(|operation, _| {
        operation.timezone = zone("America/Bogota");
        operation.timezone_name = "America/Bogota".to_owned();
    });
    run(&mut stage, &mut now, 3).await;
    assert_same(
        &shown(&stage.samples().await),
        &truth(&stage.acme(), born, now, Seen::By(now)),
        "the zone is back",
    );

    // Another filter is another stream: totals stay, and what is older than the change is not counted.
    let before = shown(&stage.samples().await);
    let skill = stage.acme().truth().centre().skills[0].id.to_string();
    stage = stage.restart(|operation, _| {
        operation.reports.get_mut(&ABANDONED_CALLS).unwrap().filter = Some(skill.clone());
    });
    let changed = now;
    stage.poll(&ABANDONED_CALLS, &now.to_string()).await;
    assert_same(
        &shown(&stage.samples().await),
        &before,
        "another filter counts nothing of before",
    );
    now += hours(2);
    stage.poll(&ABANDONED_CALLS, &now.to_string()).await;
    let of_skill = |counts: &Counts, mine: bool| {
        let is_mine = |labels: &BTreeMap<String, String>| labels.get("skill_id") == Some(&skill);
        counts
            .iter()
            .filter(|((name, labels), _)| name == "wolkvox_skill_interactions_total" && is_mine(labels) == mine)
            .map(|(_, value)| value)
            .sum::<f64>()
    };
    let after = shown(&stage.samples().await);
    let grown = truth(&stage.acme(), changed, now, Seen::By(now));
    assert_eq!(of_skill(&after, true) - of_skill(&before, true), of_skill(&grown, true));
    assert_eq!(of_skill(&after, false), of_skill(&before, false));
}

/// Rows that the API gives although they were not asked for: dated before the birth or before what is remembered, they
/// are seen and not counted.
#[tokio::test(flavor = "multi_thread")]
async fn each_row_has_one_outcome() {
    let born = at("2026-11-16T14:00:00Z");
    let adjust = |operation: &mut Operation, settings: &mut PollSettings| {
        all_reports(operation, settings);
        for report in operation
            .reports
            .values_mut()
            .filter(|report| !report.overlap.is_zero())
        {
            report.overlap = Duration::from_secs(600);
            report.reread.back = Duration::from_secs(1200);
        }
    };
    let mut stage = Stage::with(&born.to_string(), plan(0.5, EventPlan::calm()), adjust).await;
    let rows = |rows: &[&str]| {
        let rows = rows
            .iter()
            .map(|row| format!("{{{row}}}"))
            .collect::<Vec<_>>()
            .join(",");
        ScriptedAnswer::json(format!(r#"{{"code":"200","data":[{rows},7]}}"#))
    };
    let call = |time: &str| {
        format!(r#""skill_id":"1","conn_id":"c","date":"2026-11-16 {time}","result":"abandoned","abandon_time":"9""#)
    };
    stage.acme().answer_with(Api::Skill2, rows(&[&call("08:59:59")]));
    stage.poll(&ABANDONED_CALLS, &born.to_string()).await;
    // An hour later all before 09:40 is forgotten: the reread's reach, less than the overlap's.
    for minutes in [60, 61] {
        stage.acme().answer_with(
            Api::Skill2,
            rows(&[
                &call("08:59:59"),
                &call("09:00:00"),
                &call("09:59:00"),
                &call("09:59:00"),
                &call("yesterday"),
                r#""skill_id":"1","date":"2026-11-16 09:58:00""#,
                r#""skill_id":"1","conn_id":"d","date":"2026-11-16 09:57:00","result":"abandoned","abandon_time":"soon""#,
            ]),
        );
        stage
            .poll(
                &ABANDONED_CALLS,
                &(born + SignedDuration::from_mins(minutes)).to_string(),
            )
            .await;
    }
    let samples = stage.samples().await;
    let outcome = |outcome| {
        samples
            .get(
                "wolkvox_report_rows_total",
                &[("report", "abandoned_calls"), ("outcome", outcome)],
            )
            .unwrap()
    };
    // The second poll reads twice, since a reread is due. Its window still knows of 09:00:00: nothing was forgotten before.
    assert_eq!(
        ["baseline", "counted", "duplicate", "late", "invalid", "ignored"].map(outcome),
        [4.0, 4.0, 6.0, 2.0, 10.0, 0.0]
    );
    let result = |result| {
        samples.get(
            "wolkvox_skill_interactions_total",
            &[("skill_id", "1"), ("result", result)],
        )
    };
    assert_eq!(result("abandoned"), Some(4.0), "two alike are two");
    assert_eq!(
        samples.get("wolkvox_abandon_time_seconds_count", &[("skill_id", "1")]),
        Some(3.0)
    );
    let field = |field| {
        samples.get(
            "wolkvox_report_invalid_fields_total",
            &[("report", "abandoned_calls"), ("field", field)],
        )
    };
    assert_eq!((field("date"), field("abandon_time")), (Some(3.0), Some(3.0)));
}

/// Whatever the API's spelling is.
#[tokio::test(flavor = "multi_thread")]
async fn every_spelling_means_the_same() {
    let born = at("2026-11-18T13:00:00Z");
    for words in [WaitWords::Lower, WaitWords::Upper, WaitWords::Spanish] {
        for times in [TimeText::Seconds, TimeText::Clock] {
            let mut stage = Stage::with(&born.to_string(), plan(0.5, EventPlan::default()), all_reports).await;
            stage.acme().switch(|switches| {
                switches.wait_words = words;
                switches.times = times;
                switches.row_type_case = wolkvox_simulator::WordCase::Upper;
                switches.numbers = wolkvox_simulator::Numbers::Json;
                switches.layout = wolkvox_simulator::Layout::Compact;
            });
            poll_all(&mut stage, born).await;
            let now = born + hours(3);
            poll_all(&mut stage, now).await;
            let now = now + hours(2);
            poll_all(&mut stage, now).await;
            assert_same(
                &shown(&stage.samples().await),
                &truth(&stage.acme(), born, now, Seen::By(now)),
                "spelling",
            );
        }
    }
}

/// What cannot be saved is not shown, and says so; when the disk is back, all is counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_is_a_failing_report_and_recovers() {
    let born = at("2026-11-18T13:00:00Z");
    let disk = Disk::default();
    let mut stage = Stage::with_storage(
        &born.to_string(),
        plan(0.5, EventPlan::calm()),
        disk.storage(),
        all_reports,
    )
    .await;
    poll_all(&mut stage, born).await;
    stage.poll(&CALL_DURATIONS, &born.to_string()).await;
    let mut now = born + hours(1);
    poll_all(&mut stage, now).await;
    let before = shown(&stage.samples().await);
    disk.fail_after(0);
    now += hours(1);
    poll_all(&mut stage, now).await;
    stage.poll(&CALL_DURATIONS, &now.to_string()).await;
    stage.poll(&CAMPAIGNS, &now.to_string()).await;
    let samples = stage.samples().await;
    for report in [&ABANDONED_CALLS, &PREVIEW_CALLS, &IVR, &CALL_DURATIONS] {
        let failed = [("report", report.name), ("reason", "state")];
        assert_eq!(
            samples.get("wolkvox_up", &[("report", report.name)]),
            Some(0.0),
            "{report}"
        );
        assert_eq!(
            samples.get("wolkvox_report_poll_failures_total", &failed),
            Some(1.0),
            "{report}"
        );
    }
    assert_eq!(
        samples.get("wolkvox_up", &[("report", "campaigns")]),
        Some(1.0),
        "state of now needs no disk"
    );
    assert!(samples.get("wolkvox_exporter_state_commit_failures_total", &[]) > Some(0.0));
    assert_same(&shown(&samples), &before, "nothing is shown that is not saved");
    disk.mend();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begin = Instant::now();
    // Opened again with back-off: the next polls may still come too early.
    while stage
        .samples()
        .await
        .get("wolkvox_up", &[("report", "abandoned_calls")])
        != Some(1.0)
    {
        assert!(begin.elapsed() < Duration::from_secs(30), "never recovered");
        tokio::time::sleep(Duration::from_millis(300)).await;
        now += SignedDuration::from_mins(5);
        poll_all(&mut stage, now).await;
    }
    now += SignedDuration::from_mins(61);
    poll_all(&mut stage, now).await;
    assert_same(
        &shown(&stage.samples().await),
        &truth(&stage.acme(), born, now, Seen::By(now)),
        "recovered",
    );
}

/// Personal data of every kind, and the token, are neither on the pages nor in the bytes of the state.
#[tokio::test(flavor = "multi_thread")]
async fn no_personal_data_gets_out() {
    let born = at("2026-11-18T13:00:00Z");
    let folder = Folder::new("privacy");
    let events = EventPlan {
        typed_numbers: 0.3,
        ..EventPlan::default()
    };
    let storage = Storage::file(&folder.0, "acme");
    let mut stage = Stage::with_storage(&born.to_string(), plan(0.5, events), storage, all_reports).await;
    let mut now = born;
    for report in [&CAMPAIGNS, &CALL_DURATIONS] {
        stage.poll(report, &now.to_string()).await;
    }
    for _ in 0..6 {
        poll_all(&mut stage, now).await;
        now += SignedDuration::from_mins(61);
    }
    let samples = stage.samples().await;
    assert!(
        samples
            .all("wolkvox_ivr_selections_total", &[("option", "number")])
            .iter()
            .sum::<f64>()
            > 10.0
    );
    let status_page = stage.page.0.replace("/metrics", "/");
    let pages = [
        stage.page.text("text/plain").await.into_bytes(),
        crate::support::get(&status_page, &[])
            .await
            .bytes()
            .await
            .unwrap()
            .to_vec(),
        std::fs::read(folder.0.join("acme.redb")).unwrap(),
    ];
    let truth = stage.acme().truth().clone();
    let secrets: Vec<String> = truth
        .personal_strings(born - hours(2), now)
        .into_iter()
        .chain([stage.acme().token().to_owned()])
        .collect();
    assert!(secrets.len() > 500);
    for (n, page) in pages.iter().enumerate() {
        assert_eq!(personal_data_in(page), None, "page {n}");
        for secret in secrets.iter().filter(|secret| secret.len() > 5) {
            assert!(
                memchr::memmem::find(page, secret.as_bytes()).is_none(),
                "page {n} holds {secret}"
            );
        }
    }
}

/// Answers that are cut although there are no calls to spare: each poll gets some way, and none of the way is lost.
#[tokio::test(flavor = "multi_thread")]
async fn cut_answers_get_on_without_calls_to_spare() {
    let born = at("2026-11-16T14:00:00Z");
    let adjust = |operation: &mut Operation, settings: &mut PollSettings| {
        all_reports(operation, settings);
        operation.reports.retain(|report, _| *report == &ABANDONED_CALLS);
        operation.daily_calls = 150;
        settings.cut_at = 190;
    };
    let mut stage = Stage::with(&born.to_string(), plan(1.0, EventPlan::calm()), adjust).await;
    stage.acme().switch(|switches| switches.record_limit = Some(200));
    stage.poll(&ABANDONED_CALLS, &born.to_string()).await;
    let mut now = born + hours(24);
    let data = async |stage: &Stage| {
        stage
            .samples()
            .await
            .get("wolkvox_report_data_timestamp_seconds", &[])
            .unwrap()
    };
    let mut before = data(&stage).await;
    for _ in 0..5 {
        stage.poll(&ABANDONED_CALLS, &now.to_string()).await;
        let covered = data(&stage).await;
        assert!(covered > before, "stuck at {covered}");
        before = covered;
        now += SignedDuration::from_mins(5);
    }
    let requests = stage.acme().observed().requests;
    assert!(requests < 40, "{requests} requests");
}
