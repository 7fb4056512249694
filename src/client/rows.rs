//! Reads the rows of an answer one by one from the network, and never holds them all.
//!
//! An answer may have 256 MB; the parser keeps only the row that the end of a chunk has split. A key scanner handles
//! all variants of the envelope: a bare array, or an object whose `data` is an array, an object of named rows, `null`
//! or missing, with its other keys before or after.
//!
//! What cannot be read is skipped to its end, and costs nothing else: see [`skip`]. Only an answer whose end is missing
//! is an error.

mod ahead;
mod grammar;
mod skip;

use std::borrow::Cow;
use std::mem;

use jiff::Timestamp;
use serde::de::IgnoredAny;

use self::ahead::Ahead;
use self::grammar::Expect;
use self::skip::Place;
use super::envelope::{Envelope, Meaning, message_decides};
use super::error::{ApiError, Reason};
use super::{Answer, MAX_FAILURE_BODY};
use crate::language::{Message, Text};
use crate::wire::Rows;
use crate::wire::json::{self, Broken};

/// The vendor's limit for the size of an answer.
pub(super) const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// The most rows of an answer. The vendor cuts at 60,000, so more means another endpoint or a broken one.
const MAX_ROWS: u64 = 100_000;
/// The size limit of a row. The largest known have some hundred bytes, plus what agents write into comments.
const MAX_ROW_BYTES: usize = 1024 * 1024;

/// At least so many bytes of a chunk are copied behind the row that the chunk before it has cut: rows have some hundred.
const LEAST_COPIED: usize = 2 * 1024;

/// Ignores rows in the body of a failure, which should have none, and passes on its other keys.
pub(super) struct IgnoreRows<R>(pub(super) R);

impl<R: Rows> Rows for IgnoreRows<R> {
    fn value(&mut self, _: Option<&str>, json: &str) -> Result<Option<usize>, Broken> {
        json::row(json, |_: &IgnoredAny| {})
    }

    fn unreadable(&mut self, _: Option<&str>, _: Option<&str>) {}

    fn extra_key(&mut self, key: &str, json: &[u8]) {
        self.0.extra_key(key, json);
    }

    fn nested_list(&self) -> Option<&'static str> {
        self.0.nested_list()
    }
}

/// Reads the body of an answer chunk by chunk. Public, so that tests can feed it what no server would send.
pub struct AnswerReader<R> {
    rows: R,
    scanner: Scanner,
}

/// Finds the rows in the body. It is the same code for all readers of rows: there are a dozen, and it is much.
struct Scanner {
    expect: Expect,
    envelope: Envelope,
    /// Whether the answer is an array.
    is_bare: bool,
    /// Whether the rows are in a list, which has begun.
    is_list: bool,
    /// The brackets that are open around the list of rows, if that is nested in `data`.
    wrappers: Vec<u8>,
    /// Whether the body of a failure is no answer.
    is_strange: bool,
    tail: Vec<u8>,
    bytes: u64,
    count: u64,
}

impl<R: Rows> AnswerReader<R> {
    /// A reader that passes each row to `rows`.
    pub fn new(rows: R) -> Self {
        let scanner = Scanner {
            expect: Expect::Start,
            envelope: Envelope::default(),
            is_bare: false,
            is_list: false,
            wrappers: Vec::new(),
            is_strange: false,
            tail: Vec::new(),
            bytes: 0,
            count: 0,
        };
        Self { rows, scanner }
    }

    /// Where the rows go.
    pub(super) fn rows(&mut self) -> &mut R {
        &mut self.rows
    }

    /// Reads the next chunk of the body.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), ApiError> {
        self.scanner.feed(chunk, &mut self.rows)
    }

    /// Ends the answer. The rows count only if the JSON has an end, nothing follows it, and its `code` is not a
    /// failure. `date` is the API's clock, from the HTTP header.
    pub fn finish(self, date: Option<Timestamp>) -> Result<Answer<R>, ApiError> {
        self.finish_with(200, date)
    }

    /// Ends an answer with this HTTP status.
    pub(super) fn finish_with(mut self, status: u16, date: Option<Timestamp>) -> Result<Answer<R>, ApiError> {
        self.scanner.end(status, &mut self.rows)?;
        self.answer(status, date)
    }

    /// Reads the next chunk of the body of a failure. It may be anything, or too large: then its status says enough.
    pub(super) fn feed_failure(&mut self, chunk: &[u8]) {
        if !self.scanner.is_strange {
            self.scanner.is_strange = self.feed(chunk).is_err();
        }
    }

    /// Whether the body of a failure is JSON, as all of the API's are, as far as it was read.
    pub(super) fn is_of_api(&self) -> bool {
        !self.scanner.is_strange && self.scanner.bytes > 0
    }

    /// Ends the body of a failure with this HTTP status.
    pub(super) fn finish_failure(mut self, status: u16, date: Option<Timestamp>) -> Result<Answer<R>, ApiError> {
        self.scanner.end_failure(status, &mut self.rows)?;
        self.answer(status, date)
    }

    fn answer(self, status: u16, date: Option<Timestamp>) -> Result<Answer<R>, ApiError> {
        let Scanner {
            envelope, bytes, count, ..
        } = self.scanner;
        let announced = match envelope.meaning(status, count) {
            Meaning::Rows => envelope.announced,
            // A number in its message may be anything: "… in the last 31 days".
            Meaning::NoRows => None,
            Meaning::Failure(error) => return Err(error),
        };
        Ok(Answer {
            rows: self.rows,
            date,
            count,
            bytes,
            announced,
        })
    }
}

impl Scanner {
    fn feed(&mut self, chunk: &[u8], rows: &mut dyn Rows) -> Result<(), ApiError> {
        self.bytes += chunk.len() as u64;
        if self.bytes > MAX_BYTES {
            return Err(too_large(Message::new(
                format!("the answer has more than {} MB", MAX_BYTES >> 20),
                format!("la respuesta tiene más de {} MB", MAX_BYTES >> 20),
            )));
        }
        let mut rest = chunk;
        // The row that the end of the last chunk has cut is completed with as little as possible: copying takes time, and
        // this memory stays while the answer waits.
        while !self.tail.is_empty() && !rest.is_empty() {
            let cut = self.tail.len();
            let (next, after) = rest.split_at(rest.len().min(cut.max(LEAST_COPIED)));
            let mut buffer = mem::take(&mut self.tail);
            buffer.extend_from_slice(next);
            match self.scan_bytes(&buffer, rows)? {
                // The rest of what was copied is also in the chunk.
                Some(used) if used >= cut => {
                    self.tail.clear();
                    rest = &rest[used - cut..];
                }
                _ => rest = after,
            }
        }
        if !rest.is_empty() {
            self.scan_bytes(rest, rows)?;
        }
        Ok(())
    }

    /// Reads as much as possible of the bytes and keeps what is left. Returns how many of them are done, unless some had to be
    /// replaced.
    fn scan_bytes(&mut self, bytes: &[u8], rows: &mut dyn Rows) -> Result<Option<usize>, ApiError> {
        let (text, cut) = json::text(bytes);
        let used = self.scan(&text, false, rows)?;
        self.tail = [&text.as_bytes()[used..], cut].concat();
        Ok(matches!(text, Cow::Borrowed(_)).then_some(used))
    }

    fn end(&mut self, status: u16, rows: &mut dyn Rows) -> Result<(), ApiError> {
        self.scan_rest(rows)?;
        match &self.expect {
            Expect::End => Ok(()),
            Expect::Start if status == 204 => Err(decode(Text::new(
                "the answer is empty: HTTP status 204, no content",
                "la respuesta está vacía: estado HTTP 204, sin contenido",
            ))),
            Expect::Start => Err(ApiError::new(
                Reason::Truncated,
                Text::new("the answer is empty", "la respuesta está vacía"),
            )),
            Expect::Skip(skip) if skip.is_after_rows => Err(more_text()),
            _ => Err(ends_early()),
        }
    }

    fn end_failure(&mut self, status: u16, rows: &mut dyn Rows) -> Result<(), ApiError> {
        let is_strange = self.is_strange || self.scan_rest(rows).is_err();
        let is_read = is_strange || self.bytes == 0 || matches!(self.expect, Expect::End);
        if !is_read && message_decides(status) && self.bytes < MAX_FAILURE_BODY as u64 {
            return Err(ends_early());
        }
        Ok(())
    }

    fn scan_rest(&mut self, rows: &mut dyn Rows) -> Result<(), ApiError> {
        let tail = mem::take(&mut self.tail);
        self.scan(&String::from_utf8_lossy(&tail), true, rows).map(|_| ())
    }

    /// Reads as much as possible of the text, which may be all that is left; returns how many bytes are done.
    fn scan(&mut self, text: &str, is_all: bool, rows: &mut dyn Rows) -> Result<usize, ApiError> {
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
            match self.step(first, ahead, rows)? {
                Some(used) => at += used,
                None => return Ok(at),
            }
        }
    }
}

fn ends_early() -> ApiError {
    ApiError::new(
        Reason::Truncated,
        Text::new(
            "the JSON of the answer ends early",
            "el JSON de la respuesta termina antes de tiempo",
        ),
    )
}

fn more_text() -> ApiError {
    decode(Text::new(
        "there is more text after the JSON of the answer",
        "hay más texto después del JSON de la respuesta",
    ))
}

fn decode(what: Text) -> ApiError {
    ApiError::new(Reason::Decode, what)
}

fn too_large(what: Message) -> ApiError {
    ApiError::new(Reason::TooLarge, what)
}

#[cfg(test)]
mod tests;
