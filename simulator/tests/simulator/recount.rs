//! Counts rows a second time and compares the counts with the truth.

use std::collections::BTreeMap;

use serde_json::Value;
use wolkvox_simulator::{AbandonedFacts, IvrFacts, PreviewFacts};

pub(super) fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap()
}

pub(super) fn number(row: &Value, field: &str) -> u32 {
    text(row, field).parse().unwrap()
}

/// Seconds; none where they are blank or nonsense.
fn seconds(row: &Value, field: &str) -> Option<u32> {
    Some(text(row, field))
        .filter(|text| !["", "99999999999"].contains(text))
        .map(|text| text.parse().unwrap())
}

fn sorted<K: Ord>(mut lists: BTreeMap<K, Vec<u32>>) -> BTreeMap<K, Vec<u32>> {
    lists.values_mut().for_each(|list| list.sort_unstable());
    lists
}

/// The label value of a free text.
pub(super) fn free(text: &str) -> String {
    let text: String = text.trim().chars().take(64).collect();
    if text.chars().filter(char::is_ascii_digit).count() >= 6 {
        "number".to_owned()
    } else {
        text
    }
}

fn channel(row: &Value) -> &'static str {
    match text(row, "type_interaction") {
        "" => "none",
        kind if kind.starts_with("chat-") => "chat",
        kind if kind.starts_with("omni-") => "omni",
        "videocall" => "other",
        _ => "voice",
    }
}

pub(super) fn check_waits(rows: &[Value], facts: &AbandonedFacts) {
    let (mut interactions, mut waits) = (BTreeMap::<_, u64>::new(), BTreeMap::<_, Vec<u32>>::new());
    for row in rows {
        let channel = channel(row);
        let result = match text(row, "result") {
            result @ ("abandoned" | "answered") => result,
            "" | "in queue" => continue,
            _ => "other",
        };
        *interactions
            .entry((number(row, "skill_id"), channel, result))
            .or_default() += 1;
        if result == "abandoned" {
            let waits = waits.entry((number(row, "skill_id"), channel)).or_default();
            waits.extend(seconds(row, "abandon_time"));
        }
    }
    assert!(
        interactions.iter().eq(facts.interactions.iter()),
        "{interactions:?} {facts:?}"
    );
    assert_eq!(sorted(waits), facts.waits);
}

/// Whatever the result says, a row counts once it has a time.
pub(super) fn check_answered(rows: &[Value], facts: &BTreeMap<(u32, &'static str), Vec<u32>>) {
    let mut waits = BTreeMap::<_, Vec<u32>>::new();
    for row in rows {
        if let Some(seconds) = seconds(row, "answer_time") {
            let key = (number(row, "skill_id"), channel(row));
            waits.entry(key).or_default().push(seconds);
        }
    }
    assert_eq!(sorted(waits), *facts);
}

pub(super) fn check_previews(rows: &[Value], facts: &PreviewFacts) {
    let mut calls = BTreeMap::<_, u64>::new();
    let mut durations = BTreeMap::<_, Vec<u32>>::new();
    let (mut codes, mut records) = (BTreeMap::<_, u64>::new(), BTreeMap::<_, u64>::new());
    for row in rows {
        let campaign = number(row, "campaign_id");
        if text(row, "type_of_row") == "preview" {
            if !text(row, "result").is_empty() {
                *records.entry((campaign, free(text(row, "result")))).or_default() += 1;
            }
            continue;
        }
        assert_eq!(text(row, "type_of_row"), "call");
        if text(row, "call_result").is_empty() {
            for field in ["hang_up", "time", "cod_act"] {
                assert_eq!(text(row, field), "", "the call goes on");
            }
            continue;
        }
        let hang_up = match text(row, "hang_up") {
            "" => "none",
            hang_up @ ("agent" | "customer") => hang_up,
            _ => "other",
        };
        let interaction = text(row, "type_interaction").replace(' ', "_");
        let labels = (campaign, interaction, text(row, "call_result").to_owned(), hang_up);
        *calls.entry(labels).or_default() += 1;
        durations.entry(campaign).or_default().extend(seconds(row, "time"));
        if !text(row, "cod_act").is_empty() {
            *codes.entry((campaign, free(text(row, "cod_act")))).or_default() += 1;
        }
    }
    let calls_of_truth = facts.calls.iter().map(|((id, kind, result, hang_up), count)| {
        ((*id, (*kind).to_owned(), (*result).to_owned(), *hang_up), *count)
    });
    assert_eq!(calls, calls_of_truth.collect());
    assert_eq!(sorted(durations), facts.durations);
    assert_eq!(codes, owned(&facts.codes));
    assert_eq!(records, owned(&facts.records));
}

pub(super) fn check_steps(rows: &[Value], facts: &IvrFacts) {
    let mut calls = BTreeMap::new();
    let (mut selections, mut transfers) = (BTreeMap::<_, u64>::new(), BTreeMap::<_, u64>::new());
    for row in rows {
        let point = number(row, "rp_id");
        let option = match text(row, "cod_opc_menu") {
            "" | "PULSE" => "none".to_owned(),
            option if option.chars().filter(char::is_ascii_digit).count() >= 3 => "number".to_owned(),
            option => free(option),
        };
        *selections.entry((point, option)).or_default() += 1;
        if !text(row, "dn_transfer").is_empty() {
            *transfers.entry((point, free(text(row, "dn_transfer")))).or_default() += 1;
        }
        calls.insert(
            (point, text(row, "conn_id")),
            (text(row, "result"), seconds(row, "time")),
        );
    }
    let (mut results, mut times) = (BTreeMap::<_, u64>::new(), BTreeMap::<_, Vec<u32>>::new());
    for ((point, _), (result, time)) in calls {
        let result = match result {
            "" => continue,
            "ok" | "hung up" => result.replace(' ', "_"),
            _ => "other".to_owned(),
        };
        *results.entry((point, result)).or_default() += 1;
        times.entry(point).or_default().extend(time);
    }
    assert_eq!(results, owned(&facts.calls));
    assert_eq!(sorted(times), facts.times);
    assert_eq!(selections, owned(&facts.selections));
    assert_eq!(transfers, owned(&facts.transfers));
}

fn owned(counts: &BTreeMap<(u32, &str), u64>) -> BTreeMap<(u32, String), u64> {
    counts
        .iter()
        .map(|((id, label), count)| ((*id, (*label).to_owned()), *count))
        .collect()
}
