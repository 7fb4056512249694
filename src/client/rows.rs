//! Reads the rows of an answer one by one from the network, and never holds them all.
//!
//! An answer may have 256 MB; the parser keeps only the row that the end of a chunk has split. A key scanner handles
//! all variants of the envelope: a bare array, or an object whose `data` is an array, an object of named rows, `null`
//! or missing, with its other keys before or after.

use std::borrow::Cow;
use std::mem;

use jiff::Timestamp;
use serde::de::IgnoredAny;

use super::Answer;
use super::envelope::{Envelope, Meaning};
use super::error::{ApiError, Reason};
use crate::wire::Rows;
use crate::wire::fields::Leaf;
use crate::wire::json::{self, Broken, Parsed, any_leaf, parse};

/// The vendor's limit for the size of an answer.
pub(super) const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// The most rows of an answer. The vendor cuts at 60,000, so more means another endpoint or a broken one.
const MAX_ROWS: u64 = 250_000;
/// The size limit of a row. The largest known have some hundred bytes, plus what agents write into comments.
const MAX_ROW_BYTES: usize = 1024 * 1024;

/// What the scanner expects next.
enum Expect {
    Start,
    Key { first: bool },
    Colon(String),
    Value(String),
    KeyEnd,
    Row { first: bool },
    RowEnd,
    EntryKey { first: bool },
    EntryColon(String),
    Entry(String),
    EntryEnd,
    End,
}

/// The key of the rows.
const DATA: &str = "data";

/// Ignores rows in the body of a failure, which should have none, and passes on its other keys.
pub(super) struct IgnoreRows<'r, R>(pub(super) &'r mut R);

impl<R: Rows> Rows for IgnoreRows<'_, R> {
    fn value(&mut self, _: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        json::row(json, |_: Option<IgnoredAny>| {})
    }

    fn extra_key(&mut self, key: &str, json: &[u8]) {
        self.0.extra_key(key, json);
    }
}

/// Reads the body of an answer with HTTP status 200 chunk by chunk. Public, so that tests can feed it what no server
/// would send.
pub struct AnswerReader<R> {
    rows: R,
    expect: Expect,
    envelope: Envelope,
    bare: bool,
    tail: Vec<u8>,
    bytes: u64,
    count: u64,
}

impl<R: Rows> AnswerReader<R> {
    /// A reader that passes each row to `rows`.
    pub fn new(rows: R) -> Self {
        Self {
            rows,
            expect: Expect::Start,
            envelope: Envelope::default(),
            bare: false,
            tail: Vec::new(),
            bytes: 0,
            count: 0,
        }
    }

    /// Reads the next chunk of the body.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), ApiError> {
        self.bytes += chunk.len() as u64;
        if self.bytes > MAX_BYTES {
            return Err(too_large(format!("the answer has more than {} MB", MAX_BYTES >> 20)));
        }
        let mut before = mem::take(&mut self.tail);
        let buffer = if before.is_empty() {
            Cow::Borrowed(chunk)
        } else {
            before.extend_from_slice(chunk);
            Cow::Owned(before)
        };
        let buffer = json::mended(buffer);
        let used = self.scan(json::text(&buffer))?;
        self.tail = match buffer {
            Cow::Borrowed(buffer) => buffer[used..].to_vec(),
            Cow::Owned(mut buffer) => {
                buffer.drain(..used);
                buffer
            }
        };
        if self.tail.len() > MAX_ROW_BYTES {
            return Err(too_large(format!(
                "one value of the answer has more than {} kB",
                MAX_ROW_BYTES >> 10
            )));
        }
        Ok(())
    }

    /// Ends the answer. The rows count only if the JSON is complete, nothing follows it, and its `code` is not a
    /// failure. `date` is the API's clock, from the HTTP header.
    pub fn finish(self, date: Option<Timestamp>) -> Result<Answer<R>, ApiError> {
        match self.expect {
            Expect::End if self.tail.iter().all(u8::is_ascii_whitespace) => match self.envelope.meaning(200) {
                Meaning::Rows | Meaning::NoRows => Ok(Answer {
                    rows: self.rows,
                    date,
                    count: self.count,
                    bytes: self.bytes,
                }),
                Meaning::Failure(error) => Err(error),
            },
            Expect::Start if self.bytes == 0 => Err(ApiError::new(Reason::Truncated, "the answer is empty")),
            Expect::End => Err(decode("there is more text after the JSON of the answer")),
            _ => Err(ApiError::new(Reason::Truncated, "the JSON of the answer ends early")),
        }
    }

    /// Reads as much as possible of the text; returns how many bytes are done.
    fn scan(&mut self, text: &str) -> Result<usize, ApiError> {
        let mut at = 0;
        loop {
            at += text.as_bytes()[at..]
                .iter()
                .take_while(|b| b.is_ascii_whitespace())
                .count();
            let rest = &text[at..];
            let Some(&first) = rest.as_bytes().first() else {
                return Ok(at);
            };
            match &mut self.expect {
                Expect::Start => {
                    const BYTE_ORDER_MARK: char = '\u{feff}';
                    if rest.starts_with(BYTE_ORDER_MARK) {
                        at += BYTE_ORDER_MARK.len_utf8();
                        continue;
                    }
                    self.expect = match first {
                        b'[' => {
                            self.bare = true;
                            self.envelope.has_data = true;
                            Expect::Row { first: true }
                        }
                        b'{' => Expect::Key { first: true },
                        b'<' => return Err(decode("the answer is an HTML page instead of JSON")),
                        _ => return Err(decode("the answer is neither a JSON object nor an array")),
                    };
                    at += 1;
                }
                Expect::Key { first: true } if first == b'}' => {
                    self.expect = Expect::End;
                    at += 1;
                }
                Expect::Key { .. } => match parse::<String>(rest)? {
                    Parsed::Value(key, used) => {
                        self.expect = Expect::Colon(key);
                        at += used;
                    }
                    Parsed::Unfit(_) => return Err(Broken.into()),
                    Parsed::More => return Ok(at),
                },
                Expect::Colon(key) => {
                    self.expect = Expect::Value(mem::take(key));
                    at += punctuation(first, b':')?;
                }
                Expect::Value(key) if key == DATA && matches!(first, b'[' | b'{') => {
                    self.rows.extra_key(DATA, &rest.as_bytes()[..1]);
                    if mem::replace(&mut self.envelope.has_data, true) {
                        return Err(decode("the answer has two keys `data`"));
                    }
                    self.expect = if first == b'[' {
                        Expect::Row { first: true }
                    } else {
                        Expect::EntryKey { first: true }
                    };
                    at += 1;
                }
                Expect::Value(key) => {
                    let Some((leaf, used)) = any_leaf(rest)? else {
                        return Ok(at);
                    };
                    self.rows.extra_key(key, &rest.as_bytes()[..used]);
                    match key.as_str() {
                        "code" => self.envelope.set_code(&leaf),
                        "msg" => self.envelope.set_message(&leaf),
                        DATA if leaf == Leaf::Absent => self.envelope.has_data = true,
                        DATA => return Err(decode("`data` is neither a list nor an object")),
                        _ => {}
                    }
                    self.expect = Expect::KeyEnd;
                    at += used;
                }
                Expect::KeyEnd => {
                    self.expect = if first == b'}' {
                        Expect::End
                    } else {
                        Expect::Key { first: false }
                    };
                    at += if first == b'}' { 1 } else { punctuation(first, b',')? };
                }
                Expect::Row { first: true } if first == b']' => {
                    self.expect = self.after_rows();
                    at += 1;
                }
                Expect::Row { .. } => match self.read_row(None, rest)? {
                    Some(used) => {
                        self.expect = Expect::RowEnd;
                        at += used;
                    }
                    None => return Ok(at),
                },
                Expect::RowEnd => {
                    self.expect = if first == b']' {
                        self.after_rows()
                    } else {
                        Expect::Row { first: false }
                    };
                    at += if first == b']' { 1 } else { punctuation(first, b',')? };
                }
                Expect::EntryKey { first: true } if first == b'}' => {
                    self.expect = self.after_rows();
                    at += 1;
                }
                Expect::EntryKey { .. } => match parse::<String>(rest)? {
                    Parsed::Value(key, used) => {
                        self.expect = Expect::EntryColon(key);
                        at += used;
                    }
                    Parsed::Unfit(_) => return Err(Broken.into()),
                    Parsed::More => return Ok(at),
                },
                Expect::EntryColon(key) => {
                    self.expect = Expect::Entry(mem::take(key));
                    at += punctuation(first, b':')?;
                }
                Expect::Entry(key) => {
                    let key = mem::take(key);
                    match self.read_row(Some(&key), rest)? {
                        Some(used) => {
                            self.expect = Expect::EntryEnd;
                            at += used;
                        }
                        None => {
                            self.expect = Expect::Entry(key);
                            return Ok(at);
                        }
                    }
                }
                Expect::EntryEnd => {
                    self.expect = if first == b'}' {
                        self.after_rows()
                    } else {
                        Expect::EntryKey { first: false }
                    };
                    at += if first == b'}' { 1 } else { punctuation(first, b',')? };
                }
                Expect::End => return Err(decode("there is more text after the JSON of the answer")),
            }
        }
    }

    fn read_row(&mut self, key: Option<&str>, rest: &str) -> Result<Option<usize>, ApiError> {
        let Some(used) = self.rows.value(key, rest)? else {
            return Ok(None);
        };
        self.count += 1;
        if used > MAX_ROW_BYTES {
            return Err(row_too_large());
        }
        if self.count > MAX_ROWS {
            return Err(too_large(format!("the answer has more than {MAX_ROWS} rows")));
        }
        Ok(Some(used))
    }

    fn after_rows(&self) -> Expect {
        if self.bare { Expect::End } else { Expect::KeyEnd }
    }
}

fn punctuation(found: u8, wanted: u8) -> Result<usize, ApiError> {
    if found == wanted { Ok(1) } else { Err(Broken.into()) }
}

fn decode(what: &str) -> ApiError {
    ApiError::new(Reason::Decode, what)
}

fn row_too_large() -> ApiError {
    too_large(format!(
        "one value of the answer has more than {} kB",
        MAX_ROW_BYTES >> 10
    ))
}

fn too_large(what: String) -> ApiError {
    ApiError::new(Reason::TooLarge, what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::wire::fields;

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
    struct Collected(Vec<Option<CollectedRow>>);

    impl Rows for Collected {
        fn value(&mut self, key: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
            let text = |leaf: &Leaf<'_>| fields::text(leaf).value().map(str::to_owned);
            json::row(json, |row: Option<Pair<'_>>| {
                self.0
                    .push(row.map(|row| (key.map(str::to_owned), text(&row.a), text(&row.b))));
            })
        }
    }

    fn read(chunks: &[&[u8]]) -> Result<Collected, ApiError> {
        let mut reader = AnswerReader::new(Collected::default());
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
        let rows = prop::collection::vec(row(), 0..8);
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

    proptest! {
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
            let singly: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(&read(&singly).unwrap(), &whole);

            let error = read(&[&bytes[..end.index(bytes.len())]]).unwrap_err();
            prop_assert_eq!(error.reason, Reason::Truncated);
        }

        /// Text in another encoding damages only itself, and no other row, wherever the network splits it.
        #[test]
        fn a_text_in_another_encoding_takes_no_row_with_it(name in "[a-zñéü]{0,6}", cut in any::<prop::sample::Index>()) {
            let mut bytes = format!(r#"[{{"a":"{name}"}},{{"a":"x"#).into_bytes();
            bytes.extend_from_slice(b"\xf1o\xe9");
            bytes.extend_from_slice(format!(r#""}},{{"a":"{name}"}}]"#).as_bytes());
            let (first, second) = bytes.split_at(cut.index(bytes.len()));
            let rows = read(&[first, second]).unwrap().0;
            let text = |n: usize| rows[n].clone().unwrap().1;
            let expected = (!name.is_empty()).then_some(name);
            prop_assert_eq!((text(0), text(2)), (expected.clone(), expected));
            prop_assert_eq!(text(1), Some("x\u{fffd}o\u{fffd}".to_owned()));
        }

        /// No bytes cause a panic, and what is not JSON yields no rows.
        #[test]
        fn rubbish_is_an_error_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), prefix in 0usize..3) {
            let prefix: &[u8] = [&b""[..], b"[{\"a\":1},", b"{\"data\":["][prefix];
            let chunks = [prefix, &bytes];
            if read(&chunks).is_ok() {
                let all = chunks.concat();
                let text = String::from_utf8_lossy(&all);
                let json = text.strip_prefix('\u{feff}').unwrap_or(&text);
                prop_assert!(serde_json::from_str::<serde_json::Value>(json).is_ok());
            }
        }
    }
}
