//! Reads one JSON value from the start of a buffer that may end inside it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Deserializer;

/// A value read from the start of a buffer with its length, or `None` when the buffer ends inside it.
pub(crate) type Parsed<T> = Result<Option<(T, usize)>, Broken>;

/// The text of a buffer, and the incomplete character at its end. Invalid UTF-8 is replaced by `\u{fffd}`, so that one name
/// in another encoding does not block all rows. Checking all of it at once is much faster than string by string.
pub(crate) fn text(buffer: &[u8]) -> (Cow<'_, str>, &[u8]) {
    let (valid, rest) = match str::from_utf8(buffer) {
        Ok(text) => return (Cow::Borrowed(text), &[]),
        Err(error) => buffer.split_at(error.valid_up_to()),
    };
    if is_cut(rest) {
        return (Cow::Borrowed(str::from_utf8(valid).unwrap_or_default()), rest);
    }
    let mut mended = String::with_capacity(buffer.len());
    let mut chunks = buffer.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        mended.push_str(chunk.valid());
        let invalid = chunk.invalid().len();
        if chunks.peek().is_none() && is_cut(chunk.invalid()) {
            return (Cow::Owned(mended), &buffer[buffer.len() - invalid..]);
        }
        mended.push('\u{fffd}');
    }
    (Cow::Owned(mended), &[])
}

/// Whether it is nothing but an incomplete character.
fn is_cut(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// Reads a row from the start of the text and passes it to `take`. Returns its length, or `None` when the text ends
/// inside it. What is no such row is an error, whether it is JSON or not.
pub fn row<'b, T: Deserialize<'b>>(text: &'b str, take: impl FnOnce(&T)) -> Result<Option<usize>, Broken> {
    let mut values = Deserializer::from_str(text).into_iter::<T>();
    let next = values.next();
    // By reference: a row has some hundred bytes, and is passed on often.
    let Some(Ok(row)) = &next else {
        return ends_inside(next, text);
    };
    let used = complete(text, values.byte_offset());
    if used.is_some() {
        take(row);
    }
    Ok(used)
}

/// Reads one JSON value from the start of the text, which may end inside it.
pub(crate) fn parse<'b, T: Deserialize<'b>>(text: &'b str) -> Parsed<T> {
    let mut values = Deserializer::from_str(text).into_iter::<T>();
    match values.next() {
        Some(Ok(value)) => Ok(complete(text, values.byte_offset()).map(|used| (value, used))),
        other => ends_inside(other, text),
    }
}

/// The length of a value that ends there, if it cannot go on after the end of the text.
fn complete(text: &str, used: usize) -> Option<usize> {
    // `12` at the end of a chunk may be the start of `123`; a value with a closing delimiter is complete.
    let closed = matches!(text.as_bytes()[0], b'{' | b'[' | b'"');
    (closed || used < text.len()).then_some(used)
}

/// `None` if there was no value because the text ends inside it.
fn ends_inside<T, U>(no_value: Option<serde_json::Result<T>>, text: &str) -> Result<Option<U>, Broken> {
    match no_value {
        None => Ok(None),
        Some(Err(error)) if error.is_eof() => Ok(None),
        // At the end of a chunk, serde_json reports `-`, `1.` and `1e-` as invalid numbers, not as an early end, and
        // hundreds of digits as out of range, although `e-400` may follow.
        Some(Err(error)) if text.ends_with(may_end_inside_a_number) && is_at_end(&error, text) => Ok(None),
        Some(_) => Err(Broken),
    }
}

fn may_end_inside_a_number(last: char) -> bool {
    last.is_ascii_digit() || matches!(last, '-' | '.' | 'e' | 'E' | '+')
}

/// An error before the end stays an error whatever follows: the result must not depend on where the network splits.
fn is_at_end(error: &serde_json::Error, text: &str) -> bool {
    let last = text.lines().next_back().unwrap_or_default();
    error.line() == text.lines().count() && error.column() == last.len()
}

/// The text is not JSON, or not what was to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;
