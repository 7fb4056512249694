//! Checks answers of the API: they mean the same however the network splits them, no row gets lost, least of all to a bad
//! one beside it, and no label may hold a person's number.

use std::sync::Arc;

use jiff::tz::TimeZone;
use prometheus_client::registry::Registry;
use wolkvox_exporter::client::{Answer, AnswerReader, ApiError};
use wolkvox_exporter::exposition::{Exposition, Format, Part};
use wolkvox_exporter::metrics::series::{FamilySeries, SeriesKey, Value};
use wolkvox_exporter::reports::current::{Current, CurrentRows};
use wolkvox_exporter::reports::day_totals::{DayAnswer, DayRows};
use wolkvox_exporter::reports::events::{Asked, EventReader, Events};
use wolkvox_exporter::reports::{Choice, Kind, Outcome, REPORTS, Report, Tally};
use wolkvox_exporter::wire::Rows;
use wolkvox_exporter::wire::json::{self, Broken};

/// Labels whose values come from agents and callers, with their families.
const FREE: [(&str, &[&str]); 7] = [
    ("wolkvox_preview_calls", &["type_interaction", "call_result"]),
    ("wolkvox_preview_codes", &["code"]),
    ("wolkvox_preview_records", &["result"]),
    ("wolkvox_ivr_selections", &["option"]),
    ("wolkvox_ivr_transfers", &["dn_transfer"]),
    ("wolkvox_agents_in_aux", &["aux"]),
    ("wolkvox_call_results", &["result"]),
];
/// Labels whose values the exporter chooses.
const FIXED: [(&str, &str, &[&str]); 8] = [
    (
        "wolkvox_answer_time_seconds",
        "channel",
        &["voice", "chat", "omni", "other", "none"],
    ),
    (
        "wolkvox_agents",
        "state",
        &["ready", "ring", "talk", "acw", "aux", "logout", "other"],
    ),
    (
        "wolkvox_preview_calls",
        "hang_up",
        &["customer", "agent", "other", "none"],
    ),
    ("wolkvox_ivr_calls", "result", &["ok", "hung_up", "other"]),
    (
        "wolkvox_skill_interactions",
        "result",
        &["abandoned", "answered", "other"],
    ),
    (
        "wolkvox_skill_interactions",
        "channel",
        &["voice", "chat", "omni", "other", "none"],
    ),
    (
        "wolkvox_abandon_time_seconds",
        "channel",
        &["voice", "chat", "omni", "other", "none"],
    ),
    (
        "wolkvox_calls",
        "duration",
        &["0-5s", "6-20s", "21-60s", "61-120s", "121s+"],
    ),
];

/// The first byte of the input, `0` to `:`, chooses the report, the second where the network splits, and the rest is
/// the answer.
pub fn check(input: &[u8]) -> bool {
    let [report, cut, body @ ..] = input else { return false };
    let report = REPORTS[usize::from(report.wrapping_sub(b'0')) % REPORTS.len()];
    costs_no_other_row(body, *cut);
    match &report.kind {
        Kind::Current(state) => compare(body, *cut, || (state.reader)(&Choice::default()), current),
        Kind::DayTotals(totals) => compare(body, *cut, || (totals.reader)(Some("COP")), call_durations),
        Kind::Events(_) => compare(body, *cut, || event_reader(report), collected),
    }
}

/// A reader of a report of events.
pub(crate) fn event_reader(report: &Report) -> EventReader {
    let Kind::Events(rows) = &report.kind else {
        panic!("{report} has no events");
    };
    EventReader::new(rows, Events::new(&TimeZone::UTC, 7, Asked::ANYTHING))
}

/// Keeps the text of each row.
#[derive(Debug, Default, PartialEq)]
struct Texts(Vec<Option<String>>);

impl Rows for Texts {
    fn value(&mut self, _: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        let used = json::row(json, |_: &serde_json::Value| {})?;
        self.0.extend(used.map(|used| Some(json[..used].to_owned())));
        Ok(used)
    }

    fn unreadable(&mut self, _: Option<&str>, _: Option<&str>) {
        self.0.push(None);
    }
}

/// Whatever stands between rows, they are read once and in order. Without square brackets in it, that is certain; with
/// them, it may pass for the end of the answer, or the rows may pass for a list inside of it.
fn costs_no_other_row(bad: &[u8], cut: u8) {
    const GOOD: [&[u8]; 2] = [
        br#"{"campaign":"1 - a","records":"5"}"#,
        br#"{"skill_id":"20301","conn_id":"1.2","date":"2026-11-20 10:00:00"}"#,
    ];
    let (before, after): (&[u8], &[u8]) = match cut % 3 {
        0 => (br#"{"code":"200","data":["#, b"]}"),
        1 => (b"{\n    \"data\": [\n        ", b"\n    ],\n    \"code\": \"200\"\n}"),
        _ => (b"[", b"]"),
    };
    let mut rows = GOOD.to_vec();
    let place = usize::from(cut / 3 % 3);
    rows.insert(place, bad);
    let answer = [before, &rows.join(&b","[..]), after].concat();
    let result = |chunks: &mut dyn Iterator<Item = &[u8]>| match read(Texts::default(), chunks) {
        Ok(answer) => Ok(answer.rows.0),
        Err(error) => Err(format!("{error:?}")),
    };
    let whole = result(&mut std::iter::once(&answer[..]));
    assert_eq!(result(&mut answer.chunks(usize::from(cut) + 1)), whole, "in chunks");
    let looks_cut = cut % 3 == 2 && place == 2;
    if bad.iter().any(|byte| b"[]".contains(byte)) || looks_cut {
        return;
    }
    let read: Vec<&[u8]> = whole.iter().flatten().flatten().map(String::as_bytes).collect();
    let known: Vec<&[u8]> = read.into_iter().filter(|row| GOOD.contains(row)).collect();
    assert!(
        known == GOOD || bad.windows(GOOD[0].len()).any(|part| GOOD[0] == part),
        "{whole:?}"
    );
}

/// Reads an answer that comes in these chunks.
fn read<R: Rows>(rows: R, chunks: &mut dyn Iterator<Item = &[u8]>) -> Result<Answer<R>, ApiError> {
    let mut reader = AnswerReader::new(rows);
    for chunk in chunks {
        reader.feed(chunk)?;
    }
    reader.finish(None)
}

/// Reads the answer in one piece, in several, and byte by byte; `judge` turns the result into something comparable.
fn compare<R: Rows>(body: &[u8], cut: u8, rows: impl Fn() -> R, judge: fn(Answer<R>) -> String) -> bool {
    let read = |chunks: &mut dyn Iterator<Item = &[u8]>| read(rows(), chunks);
    let result = |answer| match answer {
        Ok(answer) => Ok(judge(answer)),
        Err(error) => Err(format!("{error:?}")),
    };
    let whole = result(read(&mut std::iter::once(body)));
    let mut random = fastrand::Rng::with_seed(cut.into());
    let mut rest = body;
    let mut pieces = std::iter::from_fn(|| {
        let (piece, left) = rest.split_at(random.usize(0..=rest.len().min(64)));
        rest = left;
        (!piece.is_empty() || !left.is_empty()).then_some(piece)
    });
    assert_eq!(result(read(&mut pieces)), whole, "the result differs in pieces");
    // Byte by byte takes quadratic time.
    if body.len() <= 1024 {
        assert_eq!(
            result(read(&mut body.chunks(1))),
            whole,
            "the result differs byte by byte"
        );
    }
    whole.is_ok()
}

fn current(answer: Answer<CurrentRows>) -> String {
    let answer = answer.map(|rows| rows.finish(usize::MAX));
    let Current {
        series: families,
        left_out,
        tally,
        ..
    } = &answer.rows;
    no_row_is_lost(&answer, tally, 0);
    assert!(left_out.is_empty(), "left out without a limit: {left_out:?}");
    for family in families {
        for series in &family.series {
            label_is_harmless(&SeriesKey {
                family: family.family,
                labels: series.labels.clone(),
            });
            if let Value::Number(number) = series.value {
                assert!(
                    number.is_finite() && number >= 0.0,
                    "{} is {number}",
                    family.family.name
                );
            }
        }
    }
    page_is_whole(families.clone());
    format!("{families:?} {tally:?}")
}

/// One line per series, whatever its labels contain.
fn page_is_whole(families: Vec<FamilySeries>) {
    let series: usize = families.iter().map(|family| family.series.len()).sum();
    let exposition = Exposition::default();
    let part = Part {
        operation: Arc::from("acme"),
        name: "report",
    };
    exposition.replace(part, families);
    let body = exposition.page(Format::Text, false, &Registry::default());
    let page: Vec<u8> = body.map(|body| body.parts.concat()).unwrap_or_default();
    let page = String::from_utf8(page).expect("a page is UTF-8");
    let samples: Vec<&str> = page
        .split_terminator('\n')
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(samples.len(), series, "{page}");
    for line in samples {
        assert!(line.starts_with("wolkvox_"), "{line}");
        // Without escapes, two quotes per label remain.
        let plain = line.replace(r"\\", "").replace(r#"\""#, "");
        assert_eq!(plain.matches('"').count(), 2 * plain.matches("=\"").count(), "{line}");
    }
}

fn call_durations(answer: Answer<DayRows>) -> String {
    let answer = answer.map(|rows| rows.0.finish());
    let DayAnswer { totals, tally } = &answer.rows;
    no_row_is_lost(&answer, tally, 0);
    totals.iter().for_each(|(series, _)| label_is_harmless(series));
    format!("{totals:?} {tally:?}")
}

fn collected(answer: Answer<EventReader>) -> String {
    let answer = answer.map(EventReader::finish);
    let rows = &answer.rows;
    no_row_is_lost(&answer, &rows.tally, rows.rows.len() as u64);
    for fact in &rows.facts {
        let counts_in = fact.first_series().map(|series| series.get());
        assert!(
            counts_in.is_some_and(|n| n < rows.series.len()),
            "a fact counts in no series"
        );
    }
    let facts: u64 = rows.rows.iter().map(|row| u64::from(row.facts)).sum();
    assert_eq!(facts, rows.facts.len() as u64, "a fact has no row");
    assert!(
        rows.rows.iter().all(|row| Some(row.at) <= rows.newest),
        "a row is newer than the newest"
    );
    rows.series
        .iter()
        .chain(&rows.born_together)
        .for_each(label_is_harmless);
    format!("{rows:?}")
}

/// Each row became facts or was counted under its outcome.
fn no_row_is_lost<R>(answer: &Answer<R>, tally: &Tally, kept: u64) {
    let counted: u64 = Outcome::ALL.into_iter().map(|outcome| tally.rows(outcome)).sum();
    assert_eq!(counted + kept, answer.count, "{tally:?}");
}

fn label_is_harmless(series: &SeriesKey) {
    let labels = || series.family.labels.iter().zip(&series.labels);
    assert_eq!(series.labels.len(), series.family.labels.len(), "{series:?}");
    let free = FREE.iter().find(|(family, _)| *family == series.family.name);
    for (name, value) in labels().filter(|(name, _)| free.is_some_and(|(_, free)| free.contains(*name))) {
        let digits = value.chars().filter(|c| c.is_numeric()).count();
        let most = if *name == "option" { 2 } else { 5 };
        assert!(digits <= most, "{name} may be a person's number: {series:?}");
        assert!(!value.contains('@'), "{name} may be a person's address: {series:?}");
        assert!(
            (1..=64).contains(&value.chars().count()),
            "{name} is too long, or empty: {series:?}"
        );
    }
    for (name, value) in labels() {
        let mut numbers = value.split(|c: char| !c.is_numeric());
        assert!(
            numbers.all(|number| number.chars().count() <= 8),
            "{name} may be a person's number: {series:?}"
        );
        let is_unseen = |c: char| {
            c.is_control() || ('\u{200b}'..='\u{200f}').contains(&c) || ('\u{202a}'..='\u{202e}').contains(&c)
        };
        assert!(
            !value.contains(is_unseen),
            "{name} has invisible characters: {series:?}"
        );
    }
    for (_, label, known) in FIXED.iter().filter(|(family, ..)| *family == series.family.name) {
        let value = labels()
            .find(|(name, _)| *name == label)
            .map(|(_, value)| value.as_ref());
        assert!(
            value.is_some_and(|value| known.contains(&value)),
            "{label} is none of {known:?}: {series:?}"
        );
    }
}
