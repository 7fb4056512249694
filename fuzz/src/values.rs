//! Checks values: what a rule reads is in range, and writing it again and reading that gives the same value.

use std::borrow::Cow;

use jiff::tz::Offset;
use wolkvox_exporter::client::AnswerReader;
use wolkvox_exporter::metrics::series::Micros;
use wolkvox_exporter::reports::ABANDONED_CALLS;
use wolkvox_exporter::wire::dates;
use wolkvox_exporter::wire::fields::{Leaf, Reading, count, count_with_percent, decimal, duration, percent, text};

use super::rows;

/// The longest duration, in seconds.
const WEEK: u64 = 7 * 86_400;

/// The input is a JSON value, and also the text of one.
pub fn check(input: &[u8]) -> bool {
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(input) {
        let leaf: Leaf<'_> = serde_json::from_slice(input).expect("every JSON value is a leaf");
        match &value {
            serde_json::Value::Null => assert_eq!(leaf, Leaf::Absent),
            serde_json::Value::String(text) => assert_eq!(leaf, Leaf::Text(text.into())),
            serde_json::Value::Number(_) => assert!(matches!(leaf, Leaf::Text(_))),
            _ => assert_eq!(leaf, Leaf::Other),
        }
        check_leaf(&leaf);
    }
    let text = String::from_utf8_lossy(input);
    let leaf = Leaf::Text(Cow::Borrowed(&text));
    check_date(&text) | check_leaf(&leaf)
}

fn written(text: String) -> Leaf<'static> {
    Leaf::Text(text.into())
}

/// Whether any rule fits.
fn check_leaf(leaf: &Leaf<'_>) -> bool {
    let absent = text(leaf) == Reading::Absent;
    let readings = [
        absent_or(count(leaf)),
        absent_or(decimal(leaf)),
        absent_or(percent(leaf)),
        absent_or(count_with_percent(leaf)),
        absent_or(duration(leaf)),
    ];
    assert!(
        readings.iter().all(|reading| (*reading == Reading::Absent) == absent),
        "absent for some: {leaf:?}"
    );

    if let Reading::Value(number) = count(leaf) {
        assert_eq!(count(&written(number.to_string())), Reading::Value(number));
        assert_eq!(count_with_percent(leaf), Reading::Value((number, None)), "{leaf:?}");
        if let Some(micros) = number.checked_mul(Micros::PER_UNIT) {
            let is_absurd = number > WEEK;
            assert_eq!(duration(leaf) == Reading::Invalid, is_absurd, "{leaf:?}");
            assert_eq!(decimal(leaf), Reading::Value(Micros(micros)), "{leaf:?}");
        }
    }
    if let Reading::Value(Micros(micros)) = decimal(leaf) {
        let (whole, part) = (micros / Micros::PER_UNIT, micros % Micros::PER_UNIT);
        assert_eq!(
            decimal(&written(format!("{whole}.{part:06}"))),
            Reading::Value(Micros(micros)),
            "{leaf:?}"
        );
        assert_eq!(
            percent(leaf),
            percent(&written(format!("{whole}.{part:06} %"))),
            "{leaf:?}"
        );
    }
    if let Reading::Value(ratio) = percent(leaf) {
        assert!(ratio.is_finite() && ratio >= 0.0, "{ratio} of {leaf:?}");
    }
    if let Reading::Value((number, ratio)) = count_with_percent(leaf) {
        assert!(
            ratio.is_none_or(|ratio| ratio.is_finite() && ratio >= 0.0),
            "{ratio:?} of {leaf:?}"
        );
        assert_eq!(count(&written(number.to_string())), Reading::Value(number), "{leaf:?}");
    }
    if let Reading::Value(Micros(micros)) = duration(leaf) {
        assert!(micros <= WEEK * Micros::PER_UNIT, "{leaf:?}");
        let seconds = micros / Micros::PER_UNIT;
        let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        let whole = Micros(seconds * Micros::PER_UNIT);
        assert_eq!(duration(&written(clock)), Reading::Value(whole), "{leaf:?}");
    }
    readings.contains(&Reading::Value(()))
}

fn absent_or<T>(reading: Reading<T>) -> Reading<()> {
    match reading {
        Reading::Absent => Reading::Absent,
        Reading::Value(_) => Reading::Value(()),
        Reading::Invalid => Reading::Invalid,
    }
}

/// A date that is written in the usual format again is the same date, and a row of that date is a row. Returns whether it is
/// one.
fn check_date(text: &str) -> bool {
    let Some(date) = dates::parse(text) else { return false };
    let offset = date.offset.map(|offset| offset.to_string()).unwrap_or_default();
    let written = format!("{}{offset}", date.wall_clock.strftime("%Y-%m-%d %H:%M:%S"));
    let again = dates::parse(&written).unwrap_or_else(|| panic!("{written} of {text:?}"));
    assert_eq!(
        (again.wall_clock, again.offset),
        (date.wall_clock, date.offset),
        "{text:?}"
    );

    let row = serde_json::json!([{ "skill_id": "1", "conn_id": "a", "date": text }]);
    let mut reader = AnswerReader::new(rows::event_reader(&ABANDONED_CALLS));
    reader.feed(row.to_string().as_bytes()).expect("it is JSON");
    let answer = reader.finish(None).expect("the answer is complete").rows.finish();
    if let Some(at) = answer.newest {
        let offset = date.offset.unwrap_or(Offset::UTC);
        assert_eq!(offset.to_timestamp(date.wall_clock).ok(), Some(at), "{text:?}");
        assert_eq!(answer.rows.len(), 1, "a row with a date is a row");
    }
    answer.newest.is_some()
}
