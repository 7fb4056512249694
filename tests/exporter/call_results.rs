//! `call_results`: totals of the day by a word, which become counters.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use wolkvox_exporter::config::ReportConfig;
use wolkvox_exporter::reports::CALL_RESULTS;
use wolkvox_simulator::{Api, OperationPlan, ScriptedAnswer, WordCase};

use crate::support::{Samples, Stage, at, zone};

const BORN: &str = "2026-11-18T17:00:00Z";

async fn stage(hold: Duration) -> Stage {
    let plan = OperationPlan::new("acme", zone("America/Bogota"));
    Stage::with(BORN, plan, |operation, settings| {
        operation.reports = [(&CALL_RESULTS, ReportConfig::new(&CALL_RESULTS))].into();
        settings.new_series_hold = hold;
    })
    .await
}

fn shown(samples: &Samples) -> BTreeMap<String, u64> {
    let results = samples
        .iter()
        .filter(|(name, ..)| *name == "wolkvox_call_results_total");
    results
        .map(|(_, labels, value)| (labels["result"].clone(), value as u64))
        .collect()
}

#[tokio::test]
async fn days_equal_the_truth() {
    let mut stage = stage(Duration::ZERO).await;
    let truth = stage.acme().truth().clone();
    let born = at(BORN);
    for hour in 0..60 {
        let now = born + SignedDuration::from_hours(hour) + SignedDuration::from_mins(40);
        let case = [WordCase::Capital, WordCase::Lower, WordCase::Upper][hour as usize % 3];
        stage.acme().switch(|switches| switches.call_result_case = case);
        let now = if hour == 0 { born } else { now };
        stage.poll(&CALL_RESULTS, &now.to_string()).await;
        // The end of the last day is read when it is over: at 00:40 and 01:40.
        if hour % 24 == 12 {
            continue;
        }
        let counted = truth.call_results(born + SignedDuration::from_secs(1), now);
        let mut counted: BTreeMap<_, _> = (counted.by_label().into_iter())
            .map(|(label, count)| (label.to_owned(), count))
            .collect();
        let shown = shown(&stage.samples().await);
        for label in shown.keys() {
            counted.entry(label.clone()).or_default();
        }
        assert_eq!(shown, counted, "{now}");
    }
    assert!(shown(&stage.samples().await).values().sum::<u64>() > 2000);
}

#[tokio::test]
async fn a_word_that_comes_for_the_first_time_is_born_at_zero() {
    let mut stage = stage(Duration::from_secs(3600)).await;
    let poll = async |stage: &mut Stage, now: &str, rows: &str| {
        let answer = ScriptedAnswer::json(format!(r#"{{"code": "200", "data": [{rows}]}}"#));
        stage.acme().answer_with(Api::Cdr6, answer);
        stage.poll(&CALL_RESULTS, now).await;
        shown(&stage.samples().await)
    };
    let busy = r#"{"result": "Busy", "count": "1,005"}"#;
    let first = poll(&mut stage, BORN, busy).await;
    assert_eq!(first, BTreeMap::from([("busy".to_owned(), 0)]));
    let rows = r#"{"result": "Busy", "count": 1008}, {"result": "No  answer", "count": "7"}, {"result": "TOTAL", "count": "1015"}"#;
    let second = poll(&mut stage, "2026-11-18T18:00:00Z", rows).await;
    assert_eq!(
        second,
        BTreeMap::from([("busy".to_owned(), 0), ("no_answer".to_owned(), 0)]),
        "held"
    );

    let mut stage = stage.restart(|_, settings| settings.new_series_hold = Duration::ZERO);
    let first = poll(&mut stage, BORN, busy).await;
    assert_eq!(first["busy"], 0);
    let second = poll(&mut stage, "2026-11-18T18:00:00Z", rows).await;
    let expected = [("busy", 3), ("no_answer", 0)];
    assert_eq!(
        second,
        expected.map(|(word, count)| (word.to_owned(), count)).into(),
        "of the day of birth"
    );
    // The next day: from zero on, with words that may be a person's number, and one that comes in two spellings.
    let rows = r#"{"result": "3001234567", "count": "2"}, {"result": "3007654321", "count": "1"}, {"result": "Tcpa", "count": "4"},
                  {"result": "BUSY", "count": "1"}, {"result": "Busy ", "count": "9"}, {"result": "", "count": "5"},
                  {"result": "Cancel", "count": "x"}"#;
    let third = poll(&mut stage, "2026-11-19T18:00:00Z", rows).await;
    let expected = [("busy", 4), ("no_answer", 0), ("number", 3), ("tcpa", 4)];
    assert_eq!(third, expected.map(|(word, count)| (word.to_owned(), count)).into());
    let samples = stage.samples().await;
    let rows = |outcome| samples.get("wolkvox_report_rows_total", &[("outcome", outcome)]);
    assert_eq!(
        rows("invalid"),
        Some(4.0),
        "without a word or a count, today and the day before"
    );
}
