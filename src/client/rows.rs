//! Reads the rows of an answer one by one from the network, and never holds them all.
//!
//! An answer may have 256 MB; the parser keeps only the row that the end of a chunk has split. A key scanner handles
//! all variants of the envelope: a bare array, or an object whose `data` is an array, an object of named rows, `null`
//! or missing, with its other keys before or after.
//!
//! What cannot be read is skipped to its end, and costs nothing else: see [`skip`]. Only an answer whose end is missing
//! is an error.

mod ahead;
mod skip;

use std::borrow::Cow;
use std::mem;

use jiff::Timestamp;
use serde::de::IgnoredAny;

use self::ahead::{Ahead, Found};
use self::skip::{Place, Skip};
use super::envelope::{Envelope, Meaning, message_decides};
use super::error::{ApiError, Reason};
use super::{Answer, MAX_FAILURE_BODY};
use crate::wire::Rows;
use crate::wire::fields::Leaf;
use crate::wire::json::{self, Broken};

/// The vendor's limit for the size of an answer.
pub(super) const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// The most rows of an answer. The vendor cuts at 60,000, so more means another endpoint or a broken one.
const MAX_ROWS: u64 = 250_000;
/// The size limit of a row. The largest known have some hundred bytes, plus what agents write into comments.
const MAX_ROW_BYTES: usize = 1024 * 1024;

/// What the scanner expects next.
enum Expect {
    Start,
    Key,
    Colon(String),
    Value(String),
    KeyEnd,
    Row,
    RowEnd,
    /// What follows the list of rows in an object.
    ListEnd,
    EntryKey,
    EntryColon(String),
    Entry(String),
    EntryEnd,
    /// The end of what cannot be read.
    Skip(Skip),
    End,
}

/// The key of the rows.
const DATA: &str = "data";

/// Ignores rows in the body of a failure, which should have none, and passes on its other keys.
pub(super) struct IgnoreRows<R>(pub(super) R);

impl<R: Rows> Rows for IgnoreRows<R> {
    fn value(&mut self, _: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        json::row(json, |_: IgnoredAny| {})
    }

    fn unreadable(&mut self, _: Option<&str>, _: Option<&str>) {}

    fn extra_key(&mut self, key: &str, json: &[u8]) {
        self.0.extra_key(key, json);
    }
}

/// Reads the body of an answer chunk by chunk. Public, so that tests can feed it what no server would send.
pub struct AnswerReader<R> {
    rows: R,
    expect: Expect,
    envelope: Envelope,
    /// Whether the answer is an array.
    is_bare: bool,
    /// Whether the rows are in a list, which has begun.
    is_list: bool,
    /// Whether the body of a failure is no answer.
    is_strange: bool,
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
            is_bare: false,
            is_list: false,
            is_strange: false,
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
        let used = self.scan(json::text(&buffer), false)?;
        self.tail = match buffer {
            Cow::Borrowed(buffer) => buffer[used..].to_vec(),
            Cow::Owned(mut buffer) => {
                buffer.drain(..used);
                buffer
            }
        };
        Ok(())
    }

    /// Ends the answer. The rows count only if the JSON has an end, nothing follows it, and its `code` is not a
    /// failure. `date` is the API's clock, from the HTTP header.
    pub fn finish(self, date: Option<Timestamp>) -> Result<Answer<R>, ApiError> {
        self.finish_with(200, date)
    }

    /// Ends an answer with this HTTP status.
    pub(super) fn finish_with(mut self, status: u16, date: Option<Timestamp>) -> Result<Answer<R>, ApiError> {
        self.scan_rest()?;
        match self.expect {
            Expect::End => self.answer(status, date),
            Expect::Start if status == 204 => Err(decode("the answer is empty: HTTP status 204, no content")),
            Expect::Start => Err(ApiError::new(Reason::Truncated, "the answer is empty")),
            Expect::Skip(skip) if skip.is_after_rows => Err(more_text()),
            _ => Err(ends_early()),
        }
    }

    /// Reads the next chunk of the body of a failure. It may be anything, or too large: then its status says enough.
    pub(super) fn feed_failure(&mut self, chunk: &[u8]) {
        if !self.is_strange {
            self.is_strange = self.feed(chunk).is_err();
        }
    }

    /// Whether the body of a failure is JSON, as all of the API's are, as far as it was read.
    pub(super) fn is_of_api(&self) -> bool {
        !self.is_strange && self.bytes > 0
    }

    /// Ends the body of a failure with this HTTP status.
    pub(super) fn finish_failure(mut self, status: u16, date: Option<Timestamp>) -> Result<Answer<R>, ApiError> {
        let is_strange = self.is_strange || self.scan_rest().is_err();
        let is_read = is_strange || self.bytes == 0 || matches!(self.expect, Expect::End);
        if !is_read && message_decides(status) && self.bytes < MAX_FAILURE_BODY as u64 {
            return Err(ends_early());
        }
        self.answer(status, date)
    }

    fn scan_rest(&mut self) -> Result<(), ApiError> {
        let tail = mem::take(&mut self.tail);
        self.scan(&String::from_utf8_lossy(&tail), true).map(|_| ())
    }

    fn answer(self, status: u16, date: Option<Timestamp>) -> Result<Answer<R>, ApiError> {
        match self.envelope.meaning(status, self.count) {
            Meaning::Rows | Meaning::NoRows => Ok(Answer {
                rows: self.rows,
                date,
                count: self.count,
                bytes: self.bytes,
                announced: self.envelope.announced,
            }),
            Meaning::Failure(error) => Err(error),
        }
    }

    /// Reads as much as possible of the text, which may be all that is left; returns how many bytes are done.
    fn scan(&mut self, text: &str, is_all: bool) -> Result<usize, ApiError> {
        let mut at = 0;
        loop {
            at += text.as_bytes()[at..]
                .iter()
                .take_while(|b| b.is_ascii_whitespace())
                .count();
            let ahead = Ahead {
                text: &text[at..],
                is_all,
            };
            let Some(first) = ahead.first() else {
                return Ok(at);
            };
            if let Expect::Skip(skip) = &mut self.expect {
                let (used, is_done) = skip.scan(ahead);
                at += used;
                if !is_done {
                    return Ok(at);
                }
                self.expect = match skip.place {
                    Place::Row { .. } => Expect::RowEnd,
                    Place::Entry => Expect::EntryEnd,
                    Place::Member { .. } => Expect::KeyEnd,
                };
                continue;
            }
            match self.step(first, ahead)? {
                Some(used) => at += used,
                None => return Ok(at),
            }
        }
    }

    /// Reads what is expected next, and returns how many bytes are done, or `None` if more text is needed.
    fn step(&mut self, first: u8, ahead: Ahead<'_>) -> Result<Option<usize>, ApiError> {
        match (&mut self.expect, first) {
            (Expect::Start, _) => return self.start(ahead).map(Some),

            // A comma too many separates nothing.
            (Expect::Key | Expect::Row | Expect::EntryKey, b',') => {}
            (Expect::Key | Expect::KeyEnd | Expect::ListEnd, b'}') => self.expect = Expect::End,
            (Expect::KeyEnd | Expect::ListEnd, b',') => self.expect = Expect::Key,
            (Expect::Key, b'"') => match ahead.limited(MAX_ROW_BYTES).value() {
                Found::Yes((key, used)) => {
                    self.expect = Expect::Colon(key);
                    return Ok(Some(used));
                }
                Found::No => return Ok(self.skip(Skip::with_key(self.member()))),
                Found::Wait => return Ok(None),
            },
            (Expect::Colon(key), b':') => self.expect = Expect::Value(mem::take(key)),
            (Expect::Value(key), b'[' | b'{') if key == DATA => {
                self.rows.extra_key(DATA, &ahead.text.as_bytes()[..1]);
                if mem::replace(&mut self.envelope.has_data, true) {
                    return Err(decode("the answer has two keys `data`"));
                }
                self.is_list = first == b'[';
                self.expect = if self.is_list { Expect::Row } else { Expect::EntryKey };
            }
            (Expect::Value(_), _) => return self.value(ahead),

            (Expect::Row | Expect::RowEnd, b']') => {
                self.expect = if self.is_bare { Expect::End } else { Expect::ListEnd };
            }
            (Expect::EntryKey | Expect::EntryEnd, b'}') => self.expect = Expect::KeyEnd,
            (Expect::RowEnd, b',') => self.expect = Expect::Row,
            (Expect::EntryEnd, b',') => self.expect = Expect::EntryKey,
            // A comma is missing.
            (Expect::RowEnd, b'{') => return self.row(None, first, ahead),
            (Expect::Row, _) => return self.row(None, first, ahead),
            (Expect::EntryKey | Expect::EntryEnd, b'"') => match ahead.limited(MAX_ROW_BYTES).value() {
                Found::Yes((key, used)) => {
                    self.expect = Expect::EntryColon(key);
                    return Ok(Some(used));
                }
                Found::No => return self.skip_row(None, Skip::with_key(Place::Entry)),
                Found::Wait => return Ok(None),
            },
            (Expect::EntryColon(key), b':') => self.expect = Expect::Entry(mem::take(key)),
            (Expect::Entry(key), _) => {
                let key = mem::take(key);
                let used = self.row(Some(&key), first, ahead)?;
                if used.is_none() {
                    self.expect = Expect::Entry(key);
                }
                return Ok(used);
            }
            (Expect::RowEnd, _) => return self.skip_row(None, Skip::new(self.row_place())),
            (Expect::EntryKey | Expect::EntryColon(_) | Expect::EntryEnd, _) => {
                return self.skip_row(None, Skip::with_key(Place::Entry));
            }

            // The list of rows has ended, but with the bracket of a broken row: rows go on.
            (Expect::Key | Expect::ListEnd | Expect::End, b'{') if self.is_list => {
                self.unreadable(None, None)?;
                self.expect = Expect::Row;
                return Ok(Some(0));
            }
            (Expect::KeyEnd | Expect::ListEnd | Expect::End, b']') | (Expect::End, b'}') if self.is_list => {
                self.unreadable(None, None)?;
            }
            (Expect::End, b',') if self.is_list => self.expect = if self.is_bare { Expect::End } else { Expect::Key },
            (Expect::ListEnd | Expect::End, _) if self.is_list => {
                return self.skip_row(None, Skip::lost(self.row_place()));
            }
            (Expect::End, _) => return Err(more_text()),

            (Expect::Key | Expect::Colon(_) | Expect::KeyEnd | Expect::ListEnd, _) => {
                return Ok(self.skip(Skip::with_key(self.member())));
            }
            // `scan` does this.
            (Expect::Skip(_), _) => return Ok(None),
        }
        Ok(Some(1))
    }

    /// Reads the first bracket of an answer.
    fn start(&mut self, ahead: Ahead<'_>) -> Result<usize, ApiError> {
        const BYTE_ORDER_MARK: &str = "\u{feff}";
        if ahead.text.starts_with(BYTE_ORDER_MARK) {
            return Ok(BYTE_ORDER_MARK.len());
        }
        self.expect = match ahead.first() {
            Some(b'[') => {
                self.is_bare = true;
                self.is_list = true;
                self.envelope.has_data = true;
                Expect::Row
            }
            Some(b'{') => Expect::Key,
            Some(b'<') => {
                self.envelope.is_web_page = true;
                return Err(decode(
                    "the answer is a web page instead of JSON, the login page of a proxy perhaps",
                ));
            }
            Some(first) if first.is_ascii_graphic() => {
                return Err(decode("the answer is plain text instead of JSON"));
            }
            _ => return Err(decode("the answer is neither JSON nor text")),
        };
        Ok(1)
    }

    /// Reads the value of a key of the answer.
    fn value(&mut self, ahead: Ahead<'_>) -> Result<Option<usize>, ApiError> {
        let Expect::Value(key) = &self.expect else {
            return Ok(None);
        };
        let (leaf, used) = match ahead.limited(MAX_ROW_BYTES).value::<Leaf<'_>>() {
            Found::Yes(value) => value,
            // Without rows there is nothing to save.
            Found::No if key == DATA => return Err(decode("`data` is neither a list nor an object")),
            Found::No => return Ok(self.skip(Skip::new(self.member()))),
            Found::Wait => return Ok(None),
        };
        self.rows.extra_key(key, &ahead.text.as_bytes()[..used]);
        match key.as_str() {
            "code" => self.envelope.set_code(&leaf),
            "msg" => self.envelope.set_message(&leaf),
            DATA if leaf == Leaf::Absent => self.envelope.has_data = true,
            DATA => return Err(decode("`data` is neither a list nor an object")),
            _ => {}
        }
        self.expect = Expect::KeyEnd;
        Ok(Some(used))
    }

    /// Reads a row, or what stands in its place.
    fn row(&mut self, key: Option<&str>, first: u8, ahead: Ahead<'_>) -> Result<Option<usize>, ApiError> {
        let within = ahead.limited(MAX_ROW_BYTES);
        if first == b'{' {
            match self.rows.value(key, within.text) {
                Ok(Some(used)) => {
                    self.count_row()?;
                    return Ok(self.after_row(key, used));
                }
                Ok(None) if !within.is_all => return Ok(None),
                Ok(None) | Err(Broken) => {}
            }
        }
        let place = if key.is_some() { Place::Entry } else { self.row_place() };
        // A list is never passed over: its bracket may be the only wrong thing, and its contents the rows.
        if first != b'[' {
            match within.value::<IgnoredAny>() {
                Found::Yes((_, used)) if first == b'{' => {
                    let row = &ahead.text[..used];
                    if self.read_last_of_equal_keys(key, row) {
                        self.count_row()?;
                    } else {
                        self.unreadable(key, Some(row))?;
                    }
                    return Ok(self.after_row(key, used));
                }
                Found::Yes((_, used)) => match ahead.after(used).first() {
                    Some(b',' | b']' | b'}') => {
                        self.unreadable(key, Some(&ahead.text[..used]))?;
                        return Ok(self.after_row(key, used));
                    }
                    None if !ahead.is_all => return Ok(None),
                    _ => {}
                },
                Found::No => {}
                Found::Wait => return Ok(None),
            }
        }
        self.skip_row(key, Skip::new(place))
    }

    /// Reads a row again, with only the last of equal keys; returns whether that can be read.
    fn read_last_of_equal_keys(&mut self, key: Option<&str>, row: &str) -> bool {
        let row = serde_json::from_str::<serde_json::Value>(row).map(|row| row.to_string());
        row.is_ok_and(|row| matches!(self.rows.value(key, &row), Ok(Some(_))))
    }

    fn after_row(&mut self, key: Option<&str>, used: usize) -> Option<usize> {
        self.expect = if key.is_some() {
            Expect::EntryEnd
        } else {
            Expect::RowEnd
        };
        Some(used)
    }

    /// Counts what begins here in place of a row, and skips it.
    fn skip_row(&mut self, key: Option<&str>, skip: Skip) -> Result<Option<usize>, ApiError> {
        self.unreadable(key, None)?;
        Ok(self.skip(skip))
    }

    fn skip(&mut self, skip: Skip) -> Option<usize> {
        self.expect = Expect::Skip(skip);
        Some(0)
    }

    fn unreadable(&mut self, key: Option<&str>, json: Option<&str>) -> Result<(), ApiError> {
        self.rows.unreadable(key, json);
        self.count_row()
    }

    fn count_row(&mut self) -> Result<(), ApiError> {
        self.count += 1;
        if self.count > MAX_ROWS {
            return Err(too_large(format!("the answer has more than {MAX_ROWS} rows")));
        }
        Ok(())
    }

    fn row_place(&self) -> Place {
        Place::Row { is_bare: self.is_bare }
    }

    fn member(&self) -> Place {
        Place::Member {
            is_after_list: self.is_list,
        }
    }
}

fn ends_early() -> ApiError {
    ApiError::new(Reason::Truncated, "the JSON of the answer ends early")
}

fn more_text() -> ApiError {
    decode("there is more text after the JSON of the answer")
}

fn decode(what: &str) -> ApiError {
    ApiError::new(Reason::Decode, what)
}

fn too_large(what: String) -> ApiError {
    ApiError::new(Reason::TooLarge, what)
}

#[cfg(test)]
mod tests;
