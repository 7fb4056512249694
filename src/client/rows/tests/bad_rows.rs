//! A bad row costs nothing but itself, whatever it is, wherever it stands, and however the network cuts the answer.

use proptest::prelude::*;
use proptest::sample::Index;
use serde::Deserialize;
use serde_json::json;

use super::super::*;
use crate::wire::fields::Leaf;

/// Fields of several reports.
#[derive(Deserialize)]
#[expect(dead_code)]
struct Row<'a> {
    #[serde(borrow, default)]
    conn_id: Leaf<'a>,
    #[serde(borrow, default)]
    skill_name: Leaf<'a>,
    #[serde(borrow, default)]
    date: Leaf<'a>,
    #[serde(borrow, default)]
    result: Leaf<'a>,
    #[serde(borrow, default)]
    comments: Leaf<'a>,
}

/// The text of each row that was read, and `None` for each that could not be.
#[derive(Debug, Default, PartialEq)]
struct Texts(Vec<Option<String>>);

impl Rows for Texts {
    fn value(&mut self, _: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        let used = json::row(json, |_: &Row<'_>| {})?;
        self.0.extend(used.map(|used| Some(json[..used].to_owned())));
        Ok(used)
    }

    fn unreadable(&mut self, _: Option<&str>, _: Option<&str>) {
        self.0.push(None);
    }
}

fn read<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> Result<Vec<Option<String>>, ApiError> {
    let mut reader = AnswerReader::new(Texts::default());
    for chunk in chunks {
        reader.feed(chunk)?;
    }
    let answer = reader.finish(None)?;
    assert_eq!(answer.count, answer.rows.0.len() as u64, "each row is counted");
    Ok(answer.rows.0)
}

/// A row of some report, with a number that no other has.
fn good_row(kind: usize, number: usize, text: &str) -> serde_json::Value {
    match kind {
        0 => json!({ "skill_name": text, "skill_id": "20301", "conn_id": format!("12345.{number}"),
            "date": "2026-11-20 10:00:00", "result": "abandoned", "ani": "3001234567", "abandon_time": "31" }),
        1 => json!({ "type_of_row": "call", "campaign_id": 4875, "result": null, "comments": text,
            "conn_id": format!("12345.{number}"), "time": "00:01:31", "hang_up": "agent" }),
        2 => json!({ "rp_id": "77", "rp_name": text, "cod_opc_menu": "1", "date": "2026-11-20 10:00:00",
            "result": "hung up", "conn_id": format!("ivr.{number}") }),
        3 => json!({ "campaign": format!("{number} - {text} - tel1 (100%)"), "speed": "110%", "hits": "0 (0.00 %)",
            "busy/congestion/failed": "3", "penetration_day": 0.5 }),
        _ => json!({ "result": text, "count": number }),
    }
}

/// What names and comments may hold; brackets, quotes and commas are rare in them.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-zñÁ0-9 .:%-]{0,20}",
        1 => "[a-z ,\"\\\\{}\\[\\]:\n]{0,12}",
        1 => any::<String>(),
    ]
}

#[derive(Clone, Debug)]
enum Mutation {
    Delete(Index, usize),
    Insert(Index, u8),
    Replace(Index, u8),
    Cut(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let byte = prop_oneof![prop::sample::select(&b"{}[]\",:\\ 0n\n\t\x01\xff"[..]), any::<u8>(),];
    prop_oneof![
        (any::<Index>(), 1..4usize).prop_map(|(at, length)| Mutation::Delete(at, length)),
        (any::<Index>(), byte.clone()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        (any::<Index>(), byte).prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        any::<Index>().prop_map(Mutation::Cut),
    ]
}

fn mutated(row: &str, mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = row.as_bytes().to_vec();
    for mutation in mutations {
        if bytes.is_empty() {
            break;
        }
        match *mutation {
            Mutation::Delete(at, length) => {
                let at = at.index(bytes.len());
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Mutation::Insert(at, byte) => bytes.insert(at.index(bytes.len() + 1), byte),
            Mutation::Replace(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            Mutation::Cut(at) => bytes.truncate(at.index(bytes.len())),
        }
    }
    bytes
}

/// Bad rows that no random change finds.
fn nasties() -> Vec<Vec<u8>> {
    let mut nasties: Vec<Vec<u8>> = [
        r#"{"comments":"\ud800"}"#,
        r#"{"comments":"\udc00\ud800 x"}"#,
        "{\"comments\":\"a\u{1}b\"}",
        "{\"comments\":\"two\nlines\"}",
        r#"{"comments":"C:\new\x"}"#,
        r#"{"comments":"\u12"}"#,
        r#"{"comments":NaN}"#,
        r#"{"comments":-Infinity,"x":undefined}"#,
        r#"{"comments":1e400}"#,
        r#"{"comments":'it''s'}"#,
        r#"{'comments':'x'}"#,
        r#"{comments:"x"}"#,
        r#"{"comments":"he said "no" to me"}"#,
        r#"{"comments":"he said "no to me"}"#,
        r#"{"comments":"x","comments":"\ud800"}"#,
        r#"{"comments":"x" "result":"y"}"#,
        r#"{"comments" "x"}"#,
        r#"{"comments":}"#,
        r#"{"comments":"x",}"#,
        r#"{,}"#,
        r#"{"comments":"x",,"result":"y"}"#,
        r#"{"comments":"x"}}"#,
        r#"{{"comments":"x"}"#,
        r#"{{"comments":"x"}}"#,
        r#""comments":"x","result":"y"}"#,
        r#"{"comments":"x","result":"y""#,
        r#"{"comments":["x","y"}"#,
        r#"{"comments":"x"]"#,
        r#"{"comments":{"x","result":"y"}"#,
        r#"{"comments":[{"x":1},{"y":NaN}]}"#,
        r#"{"comments":{"a":{"b":[1,2,{"c":"\ud800"}]}}}"#,
        r#"{"comments":"x},{"result":"y"}"#,
        r#"{"comments":"],"}"#,
        r#"{"comments":"\"}"#,
        r#"{"comments":"x\"#,
        r#"[{"comments":"x"}"#,
        r#"["comments","x"]"#,
        r#"{"comments":"x"},"#,
        r#"{"comments":"x"}]"#,
        r#"{"comments":"x"}]}"#,
        "}",
        "]",
        "]}",
        "]]",
        ":",
        "\"",
        "\\",
        "\"\"\"",
        "null",
        "12",
        "1.",
        "-",
        "nul",
        "tru",
        "\"text\"",
        "<br />\n<b>Warning</b>: Undefined index in <b>/var/www/x.php</b> on line <b>12</b><br />",
        "-- {\"comments\":\"x\"}",
        "/* no */",
        "...",
        "\u{feff}{\"comments\":\"x\"}",
    ]
    .into_iter()
    .map(|nasty| nasty.as_bytes().to_vec())
    .collect();
    nasties.push(b"{\"comments\":\"\xff\xfe\"}\xc3".to_vec());
    nasties.push(format!("{{\"comments\":{}1{}}}", "[".repeat(3000), "]".repeat(3000)).into_bytes());
    nasties.push(format!("{{\"comments\":{}NaN{}}}", "[".repeat(3000), "]".repeat(3000)).into_bytes());
    nasties
}

/// An answer of these rows.
fn answer(rows: &[Vec<u8>], shape: usize, is_indented: bool) -> Vec<u8> {
    let (line, inner) = if is_indented {
        ("\n    ", "\n        ")
    } else {
        ("", "")
    };
    let space = if is_indented { " " } else { "" };
    let list = format!("[{inner}").into_bytes();
    let list = [
        list,
        rows.join(format!(",{inner}").as_bytes()),
        format!("{line}]").into_bytes(),
    ]
    .concat();
    let key = |key: &str| format!("{line}\"{key}\":{space}").into_bytes();
    let head = [
        &b"{"[..],
        &key("code"),
        b"\"200\",",
        &key("error"),
        b"null,",
        &key("msg"),
        b"\"4 records [] {}\",",
    ]
    .concat();
    let end = if is_indented { &b"\n}"[..] } else { b"}" };
    match shape {
        0 => list,
        1 => [head, key("data"), list, end.to_vec()].concat(),
        _ => [
            &b"{"[..],
            &key("data"),
            &list,
            b",",
            &key("code"),
            b"200,",
            &key("msg"),
            b"\"4 records\"",
            end,
        ]
        .concat(),
    }
}

fn pieces<'b>(bytes: &'b [u8], cuts: &[Index]) -> Vec<&'b [u8]> {
    let cuts = cuts.iter().map(|cut| cut.index(bytes.len() + 1));
    let mut cuts: Vec<usize> = cuts.chain([0, bytes.len()]).collect();
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
}

/// Whether an answer with this bad row may look like one that was cut: see the comment of `skip`.
fn looks_cut(bad: &[u8], is_last: bool, shape: usize) -> bool {
    is_last && shape == 0 && !bad.trim_ascii_end().ends_with(b"}")
}

/// Whether a list begins in the row, which may not end there: what follows looks like its contents.
fn opens_a_list(bad: &[u8]) -> bool {
    let mut colons = bad.split(|byte| *byte == b':').skip(1);
    colons.any(|after| after.trim_ascii_start().starts_with(b"["))
}

/// Checks an answer with a bad row at this place.
fn check(good: &[String], bad: &[u8], place: usize, shape: usize, is_indented: bool, cuts: &[Index]) {
    let mut rows: Vec<Vec<u8>> = good.iter().map(|row| row.clone().into_bytes()).collect();
    rows.insert(place, bad.to_vec());
    let bytes = answer(&rows, shape, is_indented);
    let shown = String::from_utf8_lossy(&bytes);
    let read_rows = match read([&bytes[..]]) {
        Ok(read_rows) => read_rows,
        Err(error) if error.reason == Reason::Truncated && looks_cut(bad, place == good.len(), shape) => return,
        Err(error) => panic!("{error} {shown}"),
    };
    let known: Vec<&String> = read_rows.iter().flatten().filter(|row| good.contains(row)).collect();
    assert_eq!(known, good.iter().collect::<Vec<_>>(), "{shown}");
    let is_something = bad.iter().any(|byte| !byte.is_ascii_whitespace() && *byte != b',');
    assert!(
        !is_something || read_rows.len() > good.len(),
        "it is not counted: {shown}"
    );
    assert_eq!(read(pieces(&bytes, cuts)).unwrap(), read_rows, "cut: {shown}");
    if bytes.len() < 2000 {
        assert_eq!(read(bytes.chunks(1)).unwrap(), read_rows, "byte by byte: {shown}");
    }
}

proptest! {
    #[test]
    fn all_other_rows_are_read_once_and_in_order(
        texts in prop::collection::vec((0..5usize, text()), 1..6),
        place in any::<Index>(),
        victim in (0..5usize, text()),
        mutations in prop::collection::vec(mutation(), 1..4),
        shape in 0..3usize,
        (is_indented, row_is_indented) in any::<(bool, bool)>(),
        cuts in prop::collection::vec(any::<Index>(), 0..6),
    ) {
        let write = |row: &serde_json::Value| {
            if row_is_indented { serde_json::to_string_pretty(row) } else { serde_json::to_string(row) }.unwrap()
        };
        let good: Vec<String> = texts.iter().enumerate().map(|(n, (kind, text))| write(&good_row(*kind, n, text))).collect();
        let bad = mutated(&write(&good_row(victim.0, 999, &victim.1)), &mutations);
        prop_assume!(!opens_a_list(&bad));
        check(&good, &bad, place.index(good.len() + 1), shape, is_indented, &cuts);
    }
}

#[test]
fn nasty_rows_cost_nothing_but_themselves() {
    let good: Vec<String> = (0..4).map(|n| good_row(n, n, "Ñandú \"x\" {},[").to_string()).collect();
    let cuts: Vec<Index> = Vec::new();
    for bad in nasties() {
        for place in 0..=good.len() {
            for shape in 0..3 {
                for is_indented in [false, true] {
                    check(&good, &bad, place, shape, is_indented, &cuts);
                }
            }
        }
    }
}
