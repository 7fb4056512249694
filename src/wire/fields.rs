//! The values of the API: one tolerant leaf type, and one set of rules to read it.
//!
//! In real answers every leaf is a string, while most documentation shows numbers; an absent value is `""`, a run of
//! dashes, `null` or a missing key. So a leaf accepts anything, and only the rules here decide what it means. Absent is never
//! zero: a rule returns "absent", "this value" or "no rule fits", and only the last is counted as unreadable.

use std::borrow::Cow;
use std::fmt;

use crate::metrics::series::Micros;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A week. Chats that nobody closes end after 23 hours.
const LONGEST_DURATION: Micros = Micros(7 * 86_400 * Micros::PER_UNIT);

/// One value of a row, as received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Leaf<'a> {
    /// The key is missing or its value is `null`.
    #[default]
    Absent,
    /// A string, or the JSON text of a number.
    Text(Cow<'a, str>),
    /// A boolean, list or object in place of a value.
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Leaf<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LeafVisitor;

        impl<'de> Visitor<'de> for LeafVisitor {
            type Value = Leaf<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Leaf::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Leaf::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Leaf::Text(Cow::Owned(number.to_string())))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Leaf::Text(Cow::Owned(number.to_string())))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Leaf::Text(Cow::Owned(number.to_string())))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Leaf::Absent)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Leaf::Other)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Leaf::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Leaf::Other)
            }
        }

        deserializer.deserialize_any(LeafVisitor)
    }
}

/// How a rule reads a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading<T> {
    /// No value: a missing key, `null`, blank, or only dashes (`-`, `--` and `----` were seen in real answers).
    Absent,
    /// The value.
    Value(T),
    /// A value that no rule fits.
    Invalid,
}

impl<T> Reading<T> {
    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Reading::Value(value) => Some(value),
            Reading::Absent | Reading::Invalid => None,
        }
    }
}

/// The trimmed text of a leaf. Blanks and dashes are absent.
pub fn text<'l>(leaf: &'l Leaf<'_>) -> Reading<&'l str> {
    match leaf {
        Leaf::Absent => Reading::Absent,
        Leaf::Other => Reading::Invalid,
        Leaf::Text(text) => {
            let (first, last) = (text.as_bytes().first(), text.as_bytes().last());
            // Nearly all of the many thousand values of an answer.
            if first.is_some_and(u8::is_ascii_alphanumeric) && last.is_some_and(u8::is_ascii_graphic) {
                return Reading::Value(text);
            }
            match text.trim() {
                text if text.chars().all(|c| matches!(c, '-' | '–' | '—')) => Reading::Absent,
                text => Reading::Value(text),
            }
        }
    }
}

/// A count: `12`, `1,234`, `12.0`.
pub fn count(leaf: &Leaf<'_>) -> Reading<u64> {
    read(leaf, parse_count)
}

/// A decimal number: `15,233.33`, `0.5`, `12`.
pub fn decimal(leaf: &Leaf<'_>) -> Reading<Micros> {
    read(leaf, parse_decimal)
}

/// A percentage as a ratio: `34.64 %`, `110%`, `35` (a percentage without its sign). Above 1 is legal.
pub fn percent(leaf: &Leaf<'_>) -> Reading<f64> {
    read(leaf, parse_percent)
}

/// A count with its percentage: `12 (3.50 %)` is 12 and 0.035. The bracket is optional.
pub fn count_with_percent(leaf: &Leaf<'_>) -> Reading<(u64, Option<f64>)> {
    read(leaf, |text| match text.split_once('(') {
        None => Some((parse_count(text)?, None)),
        Some((number, rest)) => {
            let ratio = parse_percent(rest.trim_end().strip_suffix(')')?)?;
            Some((parse_count(number)?, Some(ratio)))
        }
    })
}

/// Seconds, from `95`, `90.5` or `HH:MM:SS`, whose hours may exceed 24. More than a week is invalid: one absurd value would
/// distort the sum of a histogram for good.
pub fn duration(leaf: &Leaf<'_>) -> Reading<Micros> {
    read(leaf, parse_duration)
}

fn read<T>(leaf: &Leaf<'_>, rule: impl FnOnce(&str) -> Option<T>) -> Reading<T> {
    match text(leaf) {
        Reading::Absent => Reading::Absent,
        Reading::Invalid => Reading::Invalid,
        Reading::Value(text) => rule(text).map_or(Reading::Invalid, Reading::Value),
    }
}

fn parse_count(text: &str) -> Option<u64> {
    let micros = parse_number(text)?;
    (micros.is_multiple_of(Micros::PER_UNIT.into())).then_some(())?;
    u64::try_from(micros / u128::from(Micros::PER_UNIT)).ok()
}

fn parse_decimal(text: &str) -> Option<Micros> {
    u64::try_from(parse_number(text)?).ok().map(Micros)
}

fn parse_percent(text: &str) -> Option<f64> {
    let number = text.trim();
    let micros = parse_decimal(number.strip_suffix('%').unwrap_or(number))?;
    Some(micros.0 as f64 / (100 * Micros::PER_UNIT) as f64)
}

fn parse_duration(text: &str) -> Option<Micros> {
    let duration = parse_seconds(text)?;
    (duration <= LONGEST_DURATION).then_some(duration)
}

fn parse_seconds(text: &str) -> Option<Micros> {
    let Some((hours, rest)) = text.split_once(':') else {
        return parse_decimal(text);
    };
    let (minutes, seconds) = rest.split_once(':')?;
    let part = |text: &str, limit: u64| -> Option<u64> {
        let digits = !text.is_empty() && text.len() <= 6 && text.bytes().all(|b| b.is_ascii_digit());
        let number = digits.then(|| text.parse().ok())??;
        (number < limit).then_some(number)
    };
    let seconds = part(hours, u64::MAX)? * 3600 + part(minutes, 60)? * 60 + part(seconds, 60)?;
    Some(Micros(seconds * Micros::PER_UNIT))
}

/// A decimal number in millionths. Commas are accepted only as thousands separators in the right places: we never saw a
/// decimal comma, and a wrong guess would turn 34,64 into 3464. Digits after the sixth decimal are rounded.
fn parse_number(text: &str) -> Option<u128> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let grouped = whole.len() != first.len();
    if grouped && !(1..=3).contains(&first.len()) || groups.any(|group| group.len() != 3) {
        return None;
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number: u128 = 0;
    for digit in whole.bytes().filter(|b| *b != b',') {
        number = number.checked_mul(10)?.checked_add(digit_value(digit)?.into())?;
    }
    number = number.checked_mul(Micros::PER_UNIT.into())?;
    let mut unit = Micros::PER_UNIT;
    for (place, digit) in fraction.bytes().enumerate() {
        let digit = digit_value(digit)?;
        unit /= 10;
        let rounding = place == 6 && digit >= 5;
        number = number.checked_add(u128::from(digit * unit + u64::from(rounding)))?;
    }
    Some(number)
}

fn digit_value(byte: u8) -> Option<u64> {
    byte.is_ascii_digit().then(|| u64::from(byte - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a rule reads a JSON value.
    fn read_by<T>(rule: fn(&Leaf<'_>) -> Reading<T>, json: &str) -> Reading<T> {
        rule(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn absence_has_many_spellings_and_is_never_zero() {
        for absent in ["null", r#""""#, r#"" ""#, r#""-""#, r#""--""#, r#""----""#, r#"" – ""#] {
            assert_eq!(read_by(count, absent), Reading::Absent, "{absent}");
            assert_eq!(read_by(duration, absent), Reading::Absent, "{absent}");
        }
        for other in ["true", "[1]", r#"{"a":1}"#] {
            assert_eq!(read_by(count, other), Reading::Invalid, "{other}");
        }
    }

    #[test]
    fn counts_are_whole_with_commas_at_thousands_only() {
        for (json, value) in [
            ("12", 12),
            (r#""1,234,567""#, 1_234_567),
            (r#"" 12.0 ""#, 12),
            ("12.0", 12),
        ] {
            assert_eq!(read_by(count, json), Reading::Value(value), "{json}");
        }
        for json in [
            "-1",
            "1.5",
            r#""1,23""#,
            r#""1234,567""#,
            r#"",123""#,
            r#""12 calls""#,
            r#"".""#,
        ] {
            assert_eq!(read_by(count, json), Reading::Invalid, "{json}");
        }
    }

    #[test]
    fn decimals_are_exact_millionths() {
        for (json, micros) in [
            (r#""15,233.33""#, 15_233_330_000),
            (r#"".5""#, 500_000),
            ("0.1", 100_000),
            (r#""0.0000005""#, 1),
            (r#""0.00000049""#, 0),
        ] {
            assert_eq!(read_by(decimal, json), Reading::Value(Micros(micros)), "{json}");
        }
        assert_eq!(
            read_by(decimal, r#""34,64""#),
            Reading::Invalid,
            "a decimal comma is not guessed"
        );
    }

    #[test]
    fn percentages_are_ratios() {
        for (json, ratio) in [(r#""34.64 %""#, 0.3464), (r#""110%""#, 1.1), ("35", 0.35)] {
            assert_eq!(read_by(percent, json), Reading::Value(ratio), "{json}");
        }
        assert_eq!(
            read_by(count_with_percent, r#""12 (3.50 %)""#),
            Reading::Value((12, Some(0.035)))
        );
        assert_eq!(read_by(count_with_percent, r#""12""#), Reading::Value((12, None)));
        assert_eq!(read_by(count_with_percent, r#""12 (3.50 %""#), Reading::Invalid);
    }

    #[test]
    fn durations_may_have_more_than_24_hours() {
        for (json, seconds) in [
            ("95", 95.0),
            (r#""90.5""#, 90.5),
            (r#""00:01:35""#, 95.0),
            (r#""30:00:00""#, 108_000.0),
            (r#""1:2:3""#, 3723.0),
            (r#""168:00:00""#, 604_800.0),
        ] {
            let value = read_by(duration, json).value().map(Micros::as_f64);
            assert_eq!(value, Some(seconds), "{json}");
        }
        for json in [
            r#""00:60:00""#,
            r#""00:00:60""#,
            r#""1:30""#,
            r#""-1:00:00""#,
            r#""1::2""#,
            r#""604801""#,
            r#""168:00:01""#,
            r#""99999999999""#,
        ] {
            assert_eq!(read_by(duration, json), Reading::Invalid, "{json}");
        }
    }

    #[test]
    fn text_is_trimmed_and_may_be_a_number() {
        let leaf = |json| serde_json::from_str::<Leaf<'_>>(json).unwrap();
        assert_eq!(text(&leaf(r#"" Ventas ""#)), Reading::Value("Ventas"));
        assert_eq!(text(&leaf("4000")), Reading::Value("4000"));
        assert_eq!(text(&leaf(r#""Espa\u00f1a""#)), Reading::Value("España"));
    }
}
