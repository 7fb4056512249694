//! One JSON value from the front of a buffer that may end inside it.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::de::{Deserializer, Read};

use super::error::{ApiError, Reason};
use crate::reports::fields::Leaf;

/// One value read from the front of a buffer.
pub(super) enum Parsed<T> {
    Value(T, usize),
    /// Sound JSON, but not of the wanted type.
    Unfit(usize),
    More,
}

/// What is still to be read of a buffer. All of it is checked for UTF-8 at once, since that is much faster than string
/// by string.
#[derive(Clone, Copy)]
pub(super) struct Input<'b> {
    pub(super) bytes: &'b [u8],
    /// The same bytes. `None` when they are no UTF-8; then only the strings that a report needs are looked at.
    text: Option<&'b str>,
}

impl<'b> Input<'b> {
    /// The buffer without a character that its end has cut.
    pub(super) fn new(buffer: &'b [u8]) -> Self {
        let whole = match str::from_utf8(buffer) {
            Err(error) if error.error_len().is_none() => &buffer[..error.valid_up_to()],
            Ok(_) | Err(_) => buffer,
        };
        Self {
            bytes: whole,
            text: str::from_utf8(whole).ok(),
        }
    }

    /// Without the bytes before `at`, the end of a token.
    pub(super) fn from(self, at: usize) -> Self {
        Self {
            bytes: &self.bytes[at..],
            text: self.text.map(|text| &text[at..]),
        }
    }
}

/// Reads one JSON value from the front of the input, which may end inside it.
pub(super) fn parse<'b, T: Deserialize<'b>>(input: Input<'b>) -> Result<Parsed<T>, ApiError> {
    match input.text {
        Some(text) => parse_by(Deserializer::from_str(text), input),
        None => parse_by(Deserializer::from_slice(input.bytes), input),
    }
}

fn parse_by<'b, T: Deserialize<'b>>(
    deserializer: Deserializer<impl Read<'b>>,
    input: Input<'b>,
) -> Result<Parsed<T>, ApiError> {
    let mut values = deserializer.into_iter::<T>();
    match values.next() {
        Some(Ok(value)) => {
            let used = values.byte_offset();
            // `12` at the end of a chunk may be the start of `123`; a value that closes itself cannot go on.
            let closed = matches!(input.bytes[0], b'{' | b'[' | b'"');
            Ok(if closed || used < input.bytes.len() {
                Parsed::Value(value, used)
            } else {
                Parsed::More
            })
        }
        None => Ok(Parsed::More),
        Some(Err(error)) if error.is_eof() => Ok(Parsed::More),
        // A minus at the end of a chunk is not called an early end, but an invalid number.
        Some(Err(_)) if input.bytes.ends_with(b"-") => Ok(Parsed::More),
        // Read once more for its end alone: sound JSON of the wrong type is one bad row, not a bad answer.
        Some(Err(error)) if error.is_data() => match parse::<IgnoredAny>(input)? {
            Parsed::Value(_, used) | Parsed::Unfit(used) => Ok(Parsed::Unfit(used)),
            Parsed::More => Ok(Parsed::More),
        },
        Some(Err(_)) => Err(broken()),
    }
}

pub(super) fn any_leaf(input: Input<'_>) -> Result<Option<(Leaf<'_>, usize)>, ApiError> {
    match parse::<Leaf<'_>>(input)? {
        Parsed::Value(leaf, used) => Ok(Some((leaf, used))),
        Parsed::Unfit(used) => Ok(Some((Leaf::Other, used))),
        Parsed::More => Ok(None),
    }
}

pub(super) fn broken() -> ApiError {
    ApiError::new(Reason::Decode, "the answer is not valid JSON")
}
