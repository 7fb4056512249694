//! However the network cuts an answer, it means the same.

mod bad_rows;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::wire::fields::{self, Leaf};

#[derive(Deserialize)]
struct Pair<'a> {
    #[serde(borrow, default)]
    a: Leaf<'a>,
    #[serde(borrow, default, rename = "b/c")]
    b: Leaf<'a>,
}

/// The key and the two fields of each row.
type CollectedRow = (Option<String>, Option<String>, Option<String>);

#[derive(Debug, Default, PartialEq)]
struct Collected {
    rows: Vec<Option<CollectedRow>>,
    nested_list: Option<&'static str>,
}

impl Rows for Collected {
    fn value(&mut self, key: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        let text = |leaf: &Leaf<'_>| fields::text(leaf).value().map(str::to_owned);
        json::row(json, |row: &Pair<'_>| {
            self.rows
                .push(Some((key.map(str::to_owned), text(&row.a), text(&row.b))));
        })
    }

    fn unreadable(&mut self, _: Option<&str>, _: Option<&str>) {
        self.rows.push(None);
    }

    fn nested_list(&self) -> Option<&'static str> {
        self.nested_list
    }
}

fn read(chunks: &[&[u8]]) -> Result<Collected, ApiError> {
    read_list(None, chunks)
}

fn read_list(nested_list: Option<&'static str>, chunks: &[&[u8]]) -> Result<Collected, ApiError> {
    let mut reader = AnswerReader::new(Collected {
        nested_list,
        ..Collected::default()
    });
    for chunk in chunks {
        reader.feed(chunk)?;
    }
    reader.finish(None).map(|answer| answer.rows)
}

/// Valid and invalid rows: other types, nested values, escapes, numbers at the end of a chunk.
fn row() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof!["[a-z]{1,12}", any::<String>()];
    prop_oneof![
        6 => (text.clone(), text, any::<i32>(), any::<f64>())
            .prop_map(|(a, b, whole, number)| json!({ "a": a, "b/c": b, "other": [whole, number, {}] })),
        1 => any::<i64>().prop_map(|number| json!(number)),
        1 => any::<f64>().prop_map(|number| json!(number)),
        1 => Just(json!({ "a": { "a": [1, null] }, "b/c": 12.5 })),
        1 => prop_oneof![Just(json!(null)), Just(json!(true)), Just(json!([])), Just(json!({})), Just(json!("]"))],
    ]
}

fn answer() -> impl Strategy<Value = String> {
    // Also some that are longer than what is copied behind a row that a chunk has cut.
    let rows = prop_oneof![prop::collection::vec(row(), 0..8), prop::collection::vec(row(), 60..90),];
    (rows, 0..4, any::<bool>()).prop_map(|(rows, shape, pretty)| {
        let entries = || rows.iter().enumerate().map(|(n, row)| (format!("k\"{n}"), row.clone()));
        let answer = match shape {
            0 => json!(rows),
            1 => json!({ "code": "200", "msg": "\u{f1} \"data\": [", "data": rows }),
            2 => json!({ "code": 200, "data": rows, "zone": { "data": [1] } }),
            _ => json!({ "data": serde_json::Map::from_iter(entries()), "code": "200" }),
        };
        let text = if pretty {
            serde_json::to_string_pretty(&answer)
        } else {
            serde_json::to_string(&answer)
        };
        text.unwrap()
    })
}

/// An answer whose rows are nested in the list `by_agent`, and the same rows in a list of their own.
fn nested_answer() -> impl Strategy<Value = (String, String)> {
    let rows = || prop::collection::vec(row(), 0..8);
    (rows(), rows(), 0..5, any::<bool>()).prop_map(|(rows, others, shape, pretty)| {
        let answer = match shape {
            0 => json!({ "code": "200", "data": [{ "by_agent": rows, "by_ip": others }] }),
            1 => json!({ "by_a": 1, "data": [{ "by_ip": others, "by_agent": rows, "by_pbx": null }], "msg": "x" }),
            2 => json!({ "data": { "by_agent": rows, "by_pbx": others } }),
            3 => json!([{ "by_ip": others }, { "by_agent": rows }, {}]),
            _ => json!({ "by_agent": rows, "code": 200, "other": [{ "by_agent": others }] }),
        };
        let text = if pretty {
            serde_json::to_string_pretty(&answer)
        } else {
            serde_json::to_string(&answer)
        };
        (text.unwrap(), json!(rows).to_string())
    })
}

proptest! {
    /// Nested rows are those of their list, however the network splits the answer, and cutting it off anywhere is an error.
    #[test]
    fn nested_rows_are_those_of_their_list(
        (answer, rows) in nested_answer(),
        cut in any::<prop::sample::Index>(),
        end in any::<prop::sample::Index>(),
    ) {
        let alone = read(&[rows.as_bytes()]).unwrap().rows;
        let read = |chunks: &[&[u8]]| read_list(Some("by_agent"), chunks);
        let bytes = answer.as_bytes();
        let (first, second) = bytes.split_at(cut.index(bytes.len() + 1));
        prop_assert_eq!(&read(&[first, second]).unwrap().rows, &alone);
        let singly: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&read(&singly).unwrap().rows, &alone);
        let error = read(&[&bytes[..end.index(bytes.len())]]).unwrap_err();
        prop_assert_eq!(error.reason, Reason::Truncated);
    }

    /// An answer means the same however the network splits it, and cutting it off anywhere is an error.
    #[test]
    fn chunks_change_nothing_and_a_cut_is_an_error(
        answer in answer(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        end in any::<prop::sample::Index>(),
    ) {
        let bytes = answer.as_bytes();
        let whole = read(&[bytes]).unwrap();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
        prop_assert_eq!(&read(&chunks).unwrap(), &whole);
        let singly: Vec<&[u8]> = bytes.chunks(1 + bytes.len() / 2000).collect();
        prop_assert_eq!(&read(&singly).unwrap(), &whole);

        let error = read(&[&bytes[..end.index(bytes.len())]]).unwrap_err();
        prop_assert_eq!(error.reason, Reason::Truncated);
    }

    /// Text in another encoding damages only itself, and no other row, wherever the network splits it.
    #[test]
    fn a_text_in_another_encoding_takes_no_row_with_it(
        name in "[a-zñéü]{0,6}",
        cut in any::<prop::sample::Index>(),
        is_long in any::<bool>(),
    ) {
        let mut bytes = format!(r#"[{{"a":"{name}"}},{{"a":"x"#).into_bytes();
        bytes.extend_from_slice(b"\xf1o\xe9");
        bytes.extend_from_slice(format!(r#""}},{{"a":"{name}"}}"#).as_bytes());
        // More than what is copied behind a row that a chunk has cut.
        bytes.extend_from_slice(r#",{"a":"más"}"#.repeat(if is_long { 400 } else { 0 }).as_bytes());
        bytes.push(b']');
        let (first, second) = bytes.split_at(cut.index(bytes.len().min(60)));
        let rows = read(&[first, second]).unwrap().rows;
        prop_assert_eq!(rows.len(), if is_long { 403 } else { 3 });
        let text = |n: usize| rows[n].clone().unwrap().1;
        let expected = (!name.is_empty()).then_some(name);
        prop_assert_eq!((text(0), text(2)), (expected.clone(), expected));
        prop_assert_eq!(text(1), Some("x\u{fffd}o\u{fffd}".to_owned()));
    }

    /// No bytes cause a panic, and only what begins and ends as an answer is one.
    #[test]
    fn rubbish_is_an_error_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), prefix in 0usize..3) {
        let prefix: &[u8] = [&b""[..], b"[{\"a\":1},", b"{\"data\":["][prefix];
        if read(&[prefix, &bytes]).is_ok() {
            let all = [prefix, &bytes].concat();
            let text = all.trim_ascii();
            let first = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text).trim_ascii().first();
            let (begins, ends) = (first.is_some_and(|first| b"[{".contains(first)), text.last().is_some_and(|last| b"]},".contains(last)));
            prop_assert!(begins && ends);
        }
    }
}
