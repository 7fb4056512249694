//! How values in answers are read.

use proptest::prelude::*;
use serde_json::json;
use wolkvox_exporter::metrics::series::Micros;
use wolkvox_exporter::wire::fields::{Leaf, Reading, count, count_with_percent, decimal, duration, percent, text};

fn leaf(json: &serde_json::Value) -> Leaf<'static> {
    let text = json.to_string().leak();
    match serde_json::from_str(text) {
        Ok(leaf) => leaf,
        Err(error) => panic!("every JSON value is a leaf: {error}"),
    }
}

#[test]
fn blanks_are_absent_and_never_zero() {
    for blank in [
        json!(""),
        json!("  "),
        json!("-"),
        json!("--"),
        json!(" - "),
        json!(null),
    ] {
        let leaf = leaf(&blank);
        assert_eq!(text(&leaf), Reading::Absent, "{blank}");
        assert_eq!(count(&leaf), Reading::Absent, "{blank}");
        assert_eq!(decimal(&leaf), Reading::Absent, "{blank}");
        assert_eq!(percent(&leaf), Reading::Absent, "{blank}");
        assert_eq!(count_with_percent(&leaf), Reading::Absent, "{blank}");
        assert_eq!(duration(&leaf), Reading::Absent, "{blank}");
    }
}

#[test]
fn values_are_read_as_people_write_them() {
    let counts = [
        (json!("12"), 12),
        (json!(12), 12),
        (json!(" 1,234 "), 1234),
        (json!("12.0"), 12),
        (json!("0"), 0),
    ];
    for (json, expected) in counts {
        assert_eq!(count(&leaf(&json)), Reading::Value(expected), "{json}");
    }
    let decimals = [
        (json!("15,233.33"), 15_233_330_000),
        (json!(15233.33), 15_233_330_000),
        (json!("0.5"), 500_000),
        (json!("12"), 12_000_000),
        (json!("0.0000005"), 1),
        (json!("0.00000049"), 0),
    ];
    for (json, expected) in decimals {
        assert_eq!(decimal(&leaf(&json)), Reading::Value(Micros(expected)), "{json}");
    }
    let percents = [
        (json!("34.64 %"), 0.3464),
        (json!("110%"), 1.1),
        (json!("15,233.33 %"), 152.3333),
        (json!("35"), 0.35),
    ];
    for (json, expected) in percents {
        assert_eq!(percent(&leaf(&json)), Reading::Value(expected), "{json}");
    }
    let hits = [
        (json!("12 (3.50 %)"), (12, Some(0.035))),
        (json!("0 (0.00 %)"), (0, Some(0.0))),
        (json!("1,204(7%)"), (1204, Some(0.07))),
        (json!("7"), (7, None)),
        (json!(7), (7, None)),
    ];
    for (json, expected) in hits {
        assert_eq!(count_with_percent(&leaf(&json)), Reading::Value(expected), "{json}");
    }
    let durations = [
        (json!("95"), 95),
        (json!(95), 95),
        (json!("00:01:35"), 95),
        (json!("27:00:01"), 97_201),
    ];
    for (json, expected) in durations {
        let expected = Micros(expected * Micros::PER_UNIT);
        assert_eq!(duration(&leaf(&json)), Reading::Value(expected), "{json}");
    }
}

#[test]
fn what_no_rule_fits_is_no_value() {
    for json in [
        json!("34,64"),
        json!("1,23,456"),
        json!(",123"),
        json!("12a"),
        json!("-5"),
        json!(-5),
        json!("1.5.2"),
    ] {
        assert_eq!(decimal(&leaf(&json)), Reading::Invalid, "{json}");
        assert_eq!(count(&leaf(&json)), Reading::Invalid, "{json}");
    }
    for json in [
        json!("1.5"),
        json!("99999999999999999999"),
        json!(true),
        json!([]),
        json!({"a": 1}),
        json!("."),
    ] {
        assert_eq!(count(&leaf(&json)), Reading::Invalid, "{json}");
    }
    for json in [
        json!("1:30"),
        json!("00:60:00"),
        json!("00:00:60"),
        json!("::"),
        json!("00:00:1x"),
    ] {
        assert_eq!(duration(&leaf(&json)), Reading::Invalid, "{json}");
    }
    for json in [json!("12 (3.50 %"), json!("(3 %)"), json!("12 3.50 %)"), json!("% 3")] {
        assert_eq!(count_with_percent(&leaf(&json)), Reading::Invalid, "{json}");
    }
}

/// Text close to real values, so that it often matches the rules.
fn nearly_a_number() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-0-9,.:%() ]{0,24}",
        "[0-9]{1,3}(,[0-9]{3}){0,4}(\\.[0-9]{0,8})?( ?%)?",
        any::<String>()
    ]
}

proptest! {
    #[test]
    fn no_text_panics_and_none_without_digits_is_a_number(text in nearly_a_number()) {
        let leaf = Leaf::Text(text.as_str().into());
        let readings = [
            count(&leaf).value().map(|_| ()),
            decimal(&leaf).value().map(|_| ()),
            percent(&leaf).value().map(|_| ()),
            count_with_percent(&leaf).value().map(|_| ()),
            duration(&leaf).value().map(|_| ()),
        ];
        if !text.contains(|c: char| c.is_ascii_digit()) {
            prop_assert_eq!(readings, [None; 5]);
        }
    }

    #[test]
    fn a_zero_is_read_only_where_all_digits_are_zero(text in nearly_a_number()) {
        // Six decimals are kept, so only those count.
        let leaf = Leaf::Text(text.as_str().into());
        if let Reading::Value(0) = count(&leaf) {
            prop_assert!(text.chars().all(|c| !('1'..='9').contains(&c)), "{}", text);
        }
    }

    #[test]
    fn every_number_survives_its_text(number in any::<u64>(), micros in any::<u64>()) {
        let grouped = |n: u64| {
            let digits = n.to_string();
            let first = (digits.len() + 2) % 3 + 1;
            let (head, tail) = digits.split_at(first);
            tail.as_bytes().chunks(3).fold(head.to_owned(), |text, group| text + "," + std::str::from_utf8(group).unwrap())
        };
        prop_assert_eq!(count(&Leaf::Text(number.to_string().into())), Reading::Value(number));
        prop_assert_eq!(count(&Leaf::Text(grouped(number).into())), Reading::Value(number));
        let text = format!("{}.{:06}", grouped(micros / 1_000_000), micros % 1_000_000);
        prop_assert_eq!(decimal(&Leaf::Text(text.into())), Reading::Value(Micros(micros)));
        // A week is the longest.
        let seconds = number % 604_801;
        let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        prop_assert_eq!(duration(&Leaf::Text(clock.into())), Reading::Value(Micros(seconds * Micros::PER_UNIT)));
    }
}
