//! What may stand where in an answer: reads its keys, and finds its rows.

use std::mem;

use serde::de::IgnoredAny;

use super::ahead::{Ahead, Found};
use super::skip::{Place, Skip};
use super::{MAX_ROW_BYTES, MAX_ROWS, Scanner, decode, more_text, too_large};
use crate::client::error::ApiError;
use crate::language::{Message, Text};
use crate::wire::Rows;
use crate::wire::fields::Leaf;
use crate::wire::json::Broken;

/// What the scanner expects next.
pub(super) enum Expect {
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
    /// In a list, the object that has the list of rows.
    Wrapper,
    /// The end of what cannot be read.
    Skip(Skip),
    End,
}

/// The key of the rows.
const DATA: &str = "data";
/// How the keys begin of an object that wraps lists of rows: `by_agent`, `by_ip`.
const LISTS: &str = "by_";

impl Scanner {
    /// Reads what is expected next, and returns how many bytes are done, or `None` if more text is needed.
    pub(super) fn step(&mut self, first: u8, ahead: Ahead<'_>, rows: &mut dyn Rows) -> Result<Option<usize>, ApiError> {
        match (&mut self.expect, first) {
            (Expect::Start, _) => return self.start(ahead, rows).map(Some),

            // A comma too many separates nothing.
            (Expect::Key | Expect::Row | Expect::EntryKey, b',') => {}
            (Expect::Key | Expect::KeyEnd | Expect::ListEnd, b'}') => self.expect = self.after_object(),
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
                let Some(expect) = self.in_data(first, ahead, rows) else {
                    return Ok(None);
                };
                rows.extra_key(DATA, &ahead.text.as_bytes()[..1]);
                if mem::replace(&mut self.envelope.has_data, true) {
                    return Err(decode(Text::new(
                        "the answer has two keys `data`",
                        "la respuesta tiene dos claves `data`",
                    )));
                }
                self.expect = expect;
            }
            (Expect::Value(key), b'[' | b'{') if rows.nested_list() == Some(key) => {
                rows.extra_key(key, &ahead.text.as_bytes()[..1]);
                self.envelope.has_data = true;
                self.expect = self.in_rows(first);
            }
            (Expect::Value(_), _) => return self.value(ahead, rows),

            (Expect::Wrapper, b',') => {}
            (Expect::Wrapper, b']') => {
                self.wrappers.pop();
                self.expect = if self.list_is_bare() {
                    Expect::End
                } else {
                    Expect::KeyEnd
                };
            }
            (Expect::Wrapper, _) => match is_wrapper(ahead) {
                Found::Yes(()) => {
                    self.wrappers.push(b'{');
                    self.expect = Expect::Key;
                }
                Found::No => {
                    self.wrappers.pop();
                    self.expect = self.in_rows(b'[');
                    return Ok(Some(0));
                }
                Found::Wait => return Ok(None),
            },

            (Expect::Row | Expect::RowEnd, b']') => {
                self.expect = if self.list_is_bare() {
                    Expect::End
                } else {
                    Expect::ListEnd
                };
            }
            (Expect::EntryKey | Expect::EntryEnd, b'}') => self.expect = Expect::KeyEnd,
            (Expect::RowEnd, b',') => self.expect = Expect::Row,
            (Expect::EntryEnd, b',') => self.expect = Expect::EntryKey,
            // A comma is missing.
            (Expect::RowEnd, b'{') => return self.row(None, first, ahead, rows),
            (Expect::Row, _) => return self.row(None, first, ahead, rows),
            (Expect::EntryKey | Expect::EntryEnd, b'"') => match ahead.limited(MAX_ROW_BYTES).value() {
                Found::Yes((key, used)) => {
                    self.expect = Expect::EntryColon(key);
                    return Ok(Some(used));
                }
                Found::No => return self.skip_row(None, Skip::with_key(Place::Entry), rows),
                Found::Wait => return Ok(None),
            },
            (Expect::EntryColon(key), b':') => self.expect = Expect::Entry(mem::take(key)),
            (Expect::Entry(key), _) => {
                let key = mem::take(key);
                let used = self.row(Some(&key), first, ahead, rows)?;
                if used.is_none() {
                    self.expect = Expect::Entry(key);
                }
                return Ok(used);
            }
            (Expect::RowEnd, _) => return self.skip_row(None, Skip::new(self.row_place()), rows),
            (Expect::EntryKey | Expect::EntryColon(_) | Expect::EntryEnd, _) => {
                return self.skip_row(None, Skip::with_key(Place::Entry), rows);
            }

            // The list of rows has ended, but with the bracket of a broken row: rows go on.
            (Expect::Key | Expect::ListEnd | Expect::End, b'{') if self.is_list => {
                self.unreadable(None, None, rows)?;
                self.expect = Expect::Row;
                return Ok(Some(0));
            }
            (Expect::KeyEnd | Expect::ListEnd | Expect::End, b']') | (Expect::End, b'}') if self.is_list => {
                self.unreadable(None, None, rows)?;
            }
            (Expect::End, b',') if self.is_list => {
                self.expect = if self.list_is_bare() { Expect::End } else { Expect::Key };
            }
            (Expect::ListEnd | Expect::End, _) if self.is_list => {
                return self.skip_row(None, Skip::lost(self.row_place()), rows);
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

    /// What follows the bracket of `data`; `None` if more text is needed.
    fn in_data(&mut self, first: u8, ahead: Ahead<'_>, rows: &dyn Rows) -> Option<Expect> {
        if rows.nested_list().is_none() {
            return Some(self.in_rows(first));
        }
        if first == b'[' {
            self.wrappers.push(first);
            return Some(Expect::Wrapper);
        }
        match is_wrapper(ahead) {
            Found::Yes(()) => {
                self.wrappers.push(first);
                Some(Expect::Key)
            }
            Found::No => Some(self.in_rows(first)),
            Found::Wait => None,
        }
    }

    /// What follows the bracket of the rows.
    fn in_rows(&mut self, first: u8) -> Expect {
        self.is_list = first == b'[';
        if self.is_list { Expect::Row } else { Expect::EntryKey }
    }

    /// What follows the end of the answer's object, or of one that wraps the rows.
    fn after_object(&mut self) -> Expect {
        match (self.wrappers.pop(), self.wrappers.last()) {
            (None, _) => Expect::End,
            (Some(_), Some(b'[')) => Expect::Wrapper,
            (Some(_), _) => Expect::KeyEnd,
        }
    }

    /// Whether the answer ends with the list.
    fn list_is_bare(&self) -> bool {
        self.is_bare && self.wrappers.is_empty()
    }

    /// Reads the first bracket of an answer.
    fn start(&mut self, ahead: Ahead<'_>, rows: &dyn Rows) -> Result<usize, ApiError> {
        const BYTE_ORDER_MARK: &str = "\u{feff}";
        if ahead.text.starts_with(BYTE_ORDER_MARK) {
            return Ok(BYTE_ORDER_MARK.len());
        }
        self.expect = match ahead.first() {
            Some(b'[') => {
                self.is_bare = true;
                self.envelope.has_data = true;
                if rows.nested_list().is_some() {
                    self.wrappers.push(b'[');
                    Expect::Wrapper
                } else {
                    self.in_rows(b'[')
                }
            }
            Some(b'{') => Expect::Key,
            Some(b'<') => {
                self.envelope.is_web_page = true;
                return Err(decode(Text::new(
                    "the answer is a web page instead of JSON, the login page of a proxy perhaps",
                    "la respuesta es una página web en vez de JSON, quizá la de ingreso de un proxy",
                )));
            }
            Some(first) if first.is_ascii_graphic() => {
                return Err(decode(Text::new(
                    "the answer is plain text instead of JSON",
                    "la respuesta es texto simple en vez de JSON",
                )));
            }
            _ => {
                return Err(decode(Text::new(
                    "the answer is neither JSON nor text",
                    "la respuesta no es JSON ni texto",
                )));
            }
        };
        Ok(1)
    }

    /// Reads the value of a key of the answer.
    fn value(&mut self, ahead: Ahead<'_>, rows: &mut dyn Rows) -> Result<Option<usize>, ApiError> {
        let Expect::Value(key) = &self.expect else {
            return Ok(None);
        };
        let (leaf, used) = match ahead.limited(MAX_ROW_BYTES).value::<Leaf<'_>>() {
            Found::Yes(value) => value,
            // Without rows there is nothing to save.
            Found::No if key == DATA => {
                return Err(decode(Text::new(
                    "`data` is neither a list nor an object",
                    "`data` no es una lista ni un objeto",
                )));
            }
            Found::No => return Ok(self.skip(Skip::new(self.member()))),
            Found::Wait => return Ok(None),
        };
        rows.extra_key(key, &ahead.text.as_bytes()[..used]);
        match key.as_str() {
            "code" => self.envelope.set_code(&leaf),
            "msg" => self.envelope.set_message(&leaf),
            DATA if leaf == Leaf::Absent => self.envelope.has_data = true,
            DATA => {
                return Err(decode(Text::new(
                    "`data` is neither a list nor an object",
                    "`data` no es una lista ni un objeto",
                )));
            }
            _ => {}
        }
        self.expect = Expect::KeyEnd;
        Ok(Some(used))
    }

    /// Reads a row, or what stands in its place.
    fn row(
        &mut self,
        key: Option<&str>,
        first: u8,
        ahead: Ahead<'_>,
        rows: &mut dyn Rows,
    ) -> Result<Option<usize>, ApiError> {
        let within = ahead.limited(MAX_ROW_BYTES);
        if first == b'{' {
            match rows.value(key, within.text) {
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
                    if Self::read_last_of_equal_keys(key, row, rows) {
                        self.count_row()?;
                    } else {
                        self.unreadable(key, Some(row), rows)?;
                    }
                    return Ok(self.after_row(key, used));
                }
                Found::Yes((_, used)) => match ahead.after(used).first() {
                    Some(b',' | b']' | b'}') => {
                        self.unreadable(key, Some(&ahead.text[..used]), rows)?;
                        return Ok(self.after_row(key, used));
                    }
                    None if !ahead.is_all => return Ok(None),
                    _ => {}
                },
                Found::No => {}
                Found::Wait => return Ok(None),
            }
        }
        self.skip_row(key, Skip::new(place), rows)
    }

    /// Reads a row again, with only the last of equal keys; returns whether that can be read.
    fn read_last_of_equal_keys(key: Option<&str>, row: &str, rows: &mut dyn Rows) -> bool {
        let row = serde_json::from_str::<serde_json::Value>(row).map(|row| row.to_string());
        row.is_ok_and(|row| matches!(rows.value(key, &row), Ok(Some(_))))
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
    fn skip_row(&mut self, key: Option<&str>, skip: Skip, rows: &mut dyn Rows) -> Result<Option<usize>, ApiError> {
        self.unreadable(key, None, rows)?;
        Ok(self.skip(skip))
    }

    fn skip(&mut self, skip: Skip) -> Option<usize> {
        self.expect = Expect::Skip(skip.within(!self.wrappers.is_empty()));
        Some(0)
    }

    fn unreadable(&mut self, key: Option<&str>, json: Option<&str>, rows: &mut dyn Rows) -> Result<(), ApiError> {
        rows.unreadable(key, json);
        self.count_row()
    }

    fn count_row(&mut self) -> Result<(), ApiError> {
        self.count += 1;
        if self.count > MAX_ROWS {
            return Err(too_large(Message::new(
                format!("the answer has more than {MAX_ROWS} rows"),
                format!("la respuesta tiene más de {MAX_ROWS} filas"),
            )));
        }
        Ok(())
    }

    fn row_place(&self) -> Place {
        Place::Row {
            is_bare: self.list_is_bare(),
        }
    }

    fn member(&self) -> Place {
        Place::Member {
            is_after_list: self.is_list,
        }
    }
}

/// Whether an object follows that wraps lists of rows, rather than a row. An empty one may be either.
fn is_wrapper(ahead: Ahead<'_>) -> Found<()> {
    if ahead.first() != Some(b'{') {
        return Found::No;
    }
    let inside = ahead.after(1);
    match inside.first() {
        Some(b'}') => Found::Yes(()),
        Some(_) => inside.limited(MAX_ROW_BYTES).value::<String>().then(|(key, _)| {
            if key.starts_with(LISTS) {
                Found::Yes(())
            } else {
                Found::No
            }
        }),
        None => inside.too_short(),
    }
}
