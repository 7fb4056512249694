//! Events against the ground truth: every counter and every bucket, over late, changing and doubled rows, failed polls,
//! cut answers, restarts and changes of the configuration.

mod changes;
mod days;
mod limits;
mod rereads;
mod rows;
mod state;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use wolkvox_exporter::config::Operation;
use wolkvox_exporter::poller::PollSettings;
use wolkvox_exporter::reports::{ABANDONED_CALLS, ANSWERED_CALLS, IVR, PREVIEW_CALLS, Report};
use wolkvox_simulator::{EventPlan, OperationPlan, Seen, SimulatedOperation, counts_up_to};

use crate::support::{Samples, Stage, zone};
const EVENTS: [&Report; 4] = [&ABANDONED_CALLS, &PREVIEW_CALLS, &IVR, &ANSWERED_CALLS];
const WAITS: &[f64] = &[
    5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1800.0, 3600.0, 21600.0, 86400.0,
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
    let answers = of(&ANSWERED_CALLS).then(|| truth.answered_calls(from, until, seen));
    let times = [
        ("wolkvox_abandon_time_seconds", waits.waits),
        ("wolkvox_answer_time_seconds", answers.unwrap_or_default()),
    ];
    for ((skill, channel, result), n) in waits.interactions {
        let skill = skill.to_string();
        let labels = [("skill_id", skill.as_str()), ("channel", channel), ("result", result)];
        add("wolkvox_skill_interactions_total", &labels, n as f64);
    }
    for (name, of_skills) in times {
        for ((skill, channel), values) in of_skills {
            let skill = skill.to_string();
            let labels = [("skill_id", skill.as_str()), ("channel", channel)];
            histogram(&mut add, name, &labels, &values, WAITS);
        }
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
        let prefixes = [
            "wolkvox_skill",
            "wolkvox_abandon",
            "wolkvox_answer",
            "wolkvox_preview",
            "wolkvox_ivr",
        ];
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
        // So that the truth is that of the poll's own time.
        report.settle = Duration::ZERO;
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
