//! Finds the end of what cannot be read, so that it costs nothing but itself.
//!
//! A string with a control character or an invalid escape, a number that is none, a comma too many: such a row still
//! has its quotes and brackets in pairs, and ends where the last bracket closes, before a comma or the end of the list.
//!
//! Where quotes or brackets do not match, the structure sooner or later contradicts itself: inside of what looks like a
//! string begins another row, a row stands in a row without a key, or a bracket closes one of the other kind. Then the
//! row ends where the next complete row begins, or where the answer ends as an answer does.
//!
//! Some ends nobody can tell, in principle:
//!
//! - A row that opens a list inside and does not close it: what follows looks like its contents. No known row has lists.
//! - Named rows with a brace too many or too few: what follows is on another level.
//! - The last row of a bare list that breaks off inside a string: the answer looks cut, and fails.
//! - A row that holds the end of an answer itself.

use memchr::{memchr2, memchr3};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::MAX_ROW_BYTES;
use super::ahead::{Ahead, Found};

/// The most that may follow the rows of an answer whose last row is broken.
const MAX_END_BYTES: usize = 64 * 1024;
/// Brackets inside each other, beyond which they are no longer matched.
const DEEPEST: usize = 1000;

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// In the list of rows; in a bare one, the answer ends with the list.
    Row { is_bare: bool },
    /// Among named rows.
    Entry,
    /// Among the keys of the answer, perhaps after the list of rows.
    Member { is_after_list: bool },
}

/// Something that cannot be read, as far as it is known.
pub(super) struct Skip {
    pub(super) place: Place,
    /// The brackets that are open in it.
    open: Vec<u8>,
    in_string: bool,
    /// Quotes and brackets do not match.
    is_lost: bool,
    /// Whether it begins with its key.
    has_key: bool,
    /// Whether the rows are in an object inside of `data`, so that more brackets follow.
    is_wrapped: bool,
    /// Whether the rows seemed to have ended before.
    pub(super) is_after_rows: bool,
    /// The last byte but white space; 0 at the start.
    before: u8,
}

impl Skip {
    /// What begins here in place of a row, a named row without its key, or a key of the answer.
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            open: Vec::new(),
            in_string: false,
            is_lost: false,
            has_key: false,
            is_wrapped: false,
            is_after_rows: false,
            before: 0,
        }
    }

    /// What begins here in place of a key.
    pub(super) fn with_key(place: Place) -> Self {
        Self {
            has_key: true,
            ..Self::new(place)
        }
    }

    /// What begins here after the end of the rows: it must have been another end.
    pub(super) fn lost(place: Place) -> Self {
        Self {
            is_lost: true,
            is_after_rows: true,
            ..Self::new(place)
        }
    }

    /// The same in rows that are in an object inside of `data`, or not.
    pub(super) fn within(self, is_wrapped: bool) -> Self {
        Self { is_wrapped, ..self }
    }

    /// Reads on; returns how many bytes belong to it, and whether it ends there.
    pub(super) fn scan(&mut self, ahead: Ahead<'_>) -> (usize, bool) {
        let bytes = ahead.text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if byte.is_ascii_whitespace() {
                at += 1;
                continue;
            }
            if self.in_string && !self.is_lost {
                let text = plain(&bytes[at..]);
                if let Some(last) = text.trim_ascii_end().last() {
                    self.before = *last;
                    at += text.len();
                    continue;
                }
            }
            if matches!(byte, b',' | b'{' | b'}' | b']') {
                match self.ends(byte, ahead.from(at).limited(MAX_ROW_BYTES)) {
                    Found::Yes(()) => return (at, true),
                    Found::Wait => return (at, false),
                    Found::No => {}
                }
            }
            let mut length = 1;
            if byte == b'\\' && self.in_string {
                // No other escape hides anything.
                match bytes.get(at + 1) {
                    Some(b'"' | b'\\') => length = 2,
                    None if !ahead.is_all => return (at, false),
                    _ => {}
                }
            } else {
                self.note(byte);
            }
            self.before = byte;
            at += length;
        }
        (at, false)
    }

    /// Whether it ends before this byte, the first one ahead.
    fn ends(&self, byte: u8, ahead: Ahead<'_>) -> Found<()> {
        let is_outside = self.open.is_empty() && !self.in_string && !self.is_lost;
        let is_doubtful = self.in_string || self.is_lost;
        let inside = self.open.last();
        match (self.place, byte) {
            (Place::Row { .. } | Place::Entry, b',') if is_outside => Found::Yes(()),
            (Place::Row { .. }, b']') | (Place::Entry, b'}') if is_outside => Found::Yes(()),

            (Place::Row { .. }, b',') if !self.is_in_nested_list() => row(ahead.after(1)),
            (Place::Row { .. }, b'{') if self.in_string || matches!(self.before, 0 | b':') => Found::No,
            (Place::Row { .. }, b'{') if self.is_in_nested_list() && matches!(self.before, b'[' | b',') => Found::No,
            (Place::Row { .. }, b'{') => row(ahead),
            // In a string, one more bracket beside it shows that it is none of the text.
            (Place::Row { is_bare: true }, b']') if self.in_string && self.before != b'}' => Found::No,
            (Place::Row { .. }, b']') if is_doubtful || inside == Some(&b'{') => self.is_end_of_rows(ahead),
            // One bracket too many. In a bare list, that could as well be an answer that was cut.
            (Place::Row { is_bare: false }, b']') if self.open == *b"[" => self.is_end_of_rows(ahead),
            // A list of objects in place of a row: perhaps only its opening bracket is wrong.
            (Place::Row { .. }, b']') if self.open == [b'['] && self.before == b'}' => self.is_end_of_rows(ahead),

            (Place::Entry, b',') if is_doubtful => entry(ahead.after(1)),
            (Place::Entry, b'}') if self.in_string && self.before != b'}' => Found::No,
            (Place::Entry, b'}') if is_doubtful || inside == Some(&b'[') => self.is_end_of_rows(ahead),

            (Place::Member { is_after_list }, b',') => {
                let is_free = is_outside || is_doubtful;
                match is_free.then(|| member(ahead.after(1))) {
                    Some(Found::Yes(())) => Found::Yes(()),
                    Some(Found::Wait) => Found::Wait,
                    _ if is_after_list && (is_free || inside == Some(&b'{')) => row(ahead.after(1)),
                    _ => Found::No,
                }
            }
            (Place::Member { .. }, b'}') if is_outside || is_doubtful || inside == Some(&b'[') => {
                self.end_of_object(ahead.after(1))
            }
            _ => Found::No,
        }
    }

    /// Takes note of a byte that is no part of an escape.
    fn note(&mut self, byte: u8) {
        if self.is_lost {
            return;
        }
        if self.has_closed() {
            // Nothing follows the last bracket.
            self.is_lost = true;
            return;
        }
        match byte {
            b'"' => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'{' | b'[' => {
                let fits = match self.open.last() {
                    None => self.before == 0 || self.before == b':',
                    Some(b'{') => self.before == b':',
                    Some(_) => matches!(self.before, b'[' | b','),
                };
                if fits && self.open.len() < DEEPEST {
                    self.open.push(byte);
                } else {
                    self.is_lost = true;
                }
            }
            b'}' => self.is_lost = self.open.pop() != Some(b'{'),
            b']' => self.is_lost = self.open.pop() != Some(b'['),
            b',' if self.open.last() == Some(&b'[') => self.is_lost = matches!(self.before, b'[' | b','),
            // A value with a key, where no key belongs.
            b':' => self.is_lost = !(self.has_key && self.open.is_empty() || self.open.last() == Some(&b'{')),
            _ => {}
        }
    }

    /// Its last bracket has closed.
    fn has_closed(&self) -> bool {
        let is_row = !matches!(self.place, Place::Member { .. });
        is_row && self.open.is_empty() && !self.in_string && matches!(self.before, b'}' | b']')
    }

    /// In a list inside of a row, where objects belong. A list in place of a row is none.
    fn is_in_nested_list(&self) -> bool {
        let is_list = self.open.first() == Some(&b'{') && self.open.last() == Some(&b'[');
        is_list && !self.in_string && !self.is_lost
    }

    /// Whether the object that has the rows may have ended before this.
    fn end_of_object(&self, ahead: Ahead<'_>) -> Found<()> {
        if !self.is_wrapped {
            return nothing(ahead);
        }
        match ahead.first() {
            Some(b']' | b'}' | b',') => Found::Yes(()),
            Some(_) => Found::No,
            None => ahead.too_short(),
        }
    }

    /// Whether this bracket closes the rows: the answer ends after it, or other keys follow and then it ends.
    fn is_end_of_rows(&self, ahead: Ahead<'_>) -> Found<()> {
        let mut ahead = ahead.limited(MAX_END_BYTES).after(1);
        if self.place == (Place::Row { is_bare: true }) {
            return nothing(ahead);
        }
        loop {
            match ahead.first() {
                Some(b'}') => return self.end_of_object(ahead.after(1)),
                Some(b',') => {}
                Some(_) => return Found::No,
                None => return ahead.too_short(),
            }
            let after = key(ahead.after(1)).then(|value| {
                let length = value.value::<IgnoredAny>();
                length.then(|(_, used)| Found::Yes(value.after(used)))
            });
            ahead = match after {
                Found::Yes(after) => after,
                Found::No => return Found::No,
                Found::Wait => return Found::Wait,
            };
        }
    }
}

/// The text up to a byte that may mean something in a string. A row may have megabytes of it.
fn plain(bytes: &[u8]) -> &[u8] {
    const WINDOW: usize = 256;
    let text = &bytes[..bytes.len().min(WINDOW)];
    let text = &text[..memchr3(b'"', b'\\', b',', text).unwrap_or(text.len())];
    &text[..memchr2(b'}', b']', text).unwrap_or(text.len())]
}

/// Whether nothing follows.
fn nothing(ahead: Ahead<'_>) -> Found<()> {
    match ahead.first() {
        Some(_) => Found::No,
        None if ahead.is_all => Found::Yes(()),
        None => Found::Wait,
    }
}

/// Whether a complete row follows.
fn row(ahead: Ahead<'_>) -> Found<()> {
    match ahead.first() {
        Some(b'{') => {}
        Some(_) => return Found::No,
        None => return ahead.too_short(),
    }
    // An empty object might be anything.
    match ahead.after(1).first() {
        Some(b'"') => {}
        Some(_) => return Found::No,
        None => return ahead.too_short(),
    }
    // Read into a value, not just passed over: that has a limit for brackets inside each other, without which a text
    // full of them would be read once for each.
    ahead.value::<Value>().then(|_| Found::Yes(()))
}

/// What follows a key and its colon.
fn key(ahead: Ahead<'_>) -> Found<Ahead<'_>> {
    ahead.value::<String>().then(|(_, used)| {
        let after = ahead.after(used);
        match after.first() {
            Some(b':') => Found::Yes(after.after(1)),
            Some(_) => Found::No,
            None => after.too_short(),
        }
    })
}

/// Whether a complete row with its name follows.
fn entry(ahead: Ahead<'_>) -> Found<()> {
    key(ahead).then(row)
}

/// Whether a key with the start of a value follows.
fn member(ahead: Ahead<'_>) -> Found<()> {
    key(ahead).then(|value| match value.first() {
        Some(b'"' | b'{' | b'[' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => Found::Yes(()),
        Some(_) => Found::No,
        None => value.too_short(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Place = Place::Row { is_bare: true };
    const ENVELOPED: Place = Place::Row { is_bare: false };
    const MEMBER: Place = Place::Member { is_after_list: false };

    /// What follows the thing at the start of the text, wherever the text is cut.
    fn rest(place: Place, text: &str) -> Option<&str> {
        let all = Ahead { text, is_all: true };
        let (used, is_done) = Skip::new(place).scan(all);
        for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let mut skip = Skip::new(place);
            let before = Ahead {
                text: &text[..cut],
                is_all: false,
            };
            let (first, was_done) = skip.scan(before);
            let in_two = if was_done {
                (first, true)
            } else {
                skip.scan(all.from(first))
            };
            let first = if was_done { 0 } else { first };
            assert_eq!((in_two.0 + first, in_two.1), (used, is_done), "{text} cut at {cut}");
        }
        is_done.then(|| &text[used..])
    }

    #[test]
    fn it_ends_where_its_brackets_do_or_where_a_row_begins() {
        for (place, text, expected) in [
            // The brackets match.
            (
                ROW,
                r#"{"a":"\ud800 \x ],{","b":[{"c":1},{"d":NaN}]},{"a":1}]"#,
                Some(r#",{"a":1}]"#),
            ),
            (ROW, r#"{"a":NaN}]"#, Some("]")),
            (ROW, r#"garbage, and more"#, Some(", and more")),
            // They do not, and a row begins.
            (
                ROW,
                r#"{"a":"x,"b":"y"},{"a":1},{"a":2}]"#,
                Some(r#",{"a":1},{"a":2}]"#),
            ),
            (ROW, r#"{"a":"x","b":"y",{"a":1}]"#, Some(r#",{"a":1}]"#)),
            (ROW, r#"{"a":"1"b":"x}c,,],"},{"a":2}]"#, Some(r#",{"a":2}]"#)),
            (ROW, r#"{{"a":1}]"#, Some(r#"{"a":1}]"#)),
            (ROW, r#"[1,[2,{"a":1}]"#, Some(r#",{"a":1}]"#)),
            (ROW, r#"{"a":1]},{"a":{"b":2}}]"#, Some(r#",{"a":{"b":2}}]"#)),
            // What looks like a row in a string is none.
            (ROW, r#"{"a":1],"b":",{"c"},{"a":2}]"#, Some(r#",{"a":2}]"#)),
            // The answer ends.
            (ROW, r#"{"a":"x}]"#, Some("]")),
            (ROW, r#"{"a":"x]"#, None),
            (ROW, r#"{"a":2]"#, Some("]")),
            (ROW, r#"[{"a""b"}]"#, Some("]")),
            (ENVELOPED, r#"[],{"a":2}]}"#, Some(r#",{"a":2}]}"#)),
            (ENVELOPED, r#"[]}"#, Some("]}")),
            (ENVELOPED, r#"{"a":2] "#, None),
            (ENVELOPED, r#"{"a":"x]}"#, Some("]}")),
            (
                ENVELOPED,
                r#"{"a":2],"code":[200],"msg":"x"}"#,
                Some(r#"],"code":[200],"msg":"x"}"#),
            ),
            (ENVELOPED, r#"{"a":"x"}}]}"#, Some("]}")),
            (Place::Entry, r#"{"a":"x},"n":{"a":1}}}"#, Some(r#","n":{"a":1}}}"#)),
            (Place::Entry, r#"{"a":2]},"n":{"a":1}}}"#, Some(r#","n":{"a":1}}}"#)),
            (MEMBER, r#""4 "records" found","data":[]}"#, Some(r#","data":[]}"#)),
            (MEMBER, r#""4 "records found, all","data":[]}"#, Some(r#","data":[]}"#)),
            (MEMBER, "NaN}", Some("}")),
        ] {
            assert_eq!(rest(place, text), expected, "{text}");
        }
    }
}
