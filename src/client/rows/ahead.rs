//! The text of an answer that is ahead of the reader.

use serde::Deserialize;

use crate::wire::json;

/// The text ahead, and whether it is all that there is to be read.
#[derive(Clone, Copy)]
pub(super) struct Ahead<'t> {
    pub(super) text: &'t str,
    /// Nothing follows: what the text lacks is not to come.
    pub(super) is_all: bool,
}

/// The result of looking ahead.
pub(super) enum Found<T> {
    /// It is there.
    Yes(T),
    /// It is not.
    No,
    /// The text is too short to tell.
    Wait,
}

impl<T> Found<T> {
    /// Looks on from what was found.
    pub(super) fn then<U>(self, next: impl FnOnce(T) -> Found<U>) -> Found<U> {
        match self {
            Found::Yes(found) => next(found),
            Found::No => Found::No,
            Found::Wait => Found::Wait,
        }
    }
}

impl<'t> Ahead<'t> {
    /// The first byte.
    pub(super) fn first(self) -> Option<u8> {
        self.text.as_bytes().first().copied()
    }

    /// The text as if nothing came after so many bytes.
    pub(super) fn limited(self, bytes: usize) -> Self {
        if self.text.len() <= bytes {
            return self;
        }
        Self {
            text: &self.text[..self.text.floor_char_boundary(bytes)],
            is_all: true,
        }
    }

    /// The text from this place on.
    pub(super) fn from(self, at: usize) -> Self {
        Self {
            text: &self.text[at..],
            ..self
        }
    }

    /// The text after so many bytes and the white space that follows them.
    pub(super) fn after(self, bytes: usize) -> Self {
        Self {
            text: self.text[bytes..].trim_ascii_start(),
            ..self
        }
    }

    /// The value at the start, and its length.
    pub(super) fn value<T: Deserialize<'t>>(self) -> Found<(T, usize)> {
        match json::parse(self.text) {
            Ok(Some(value)) => Found::Yes(value),
            Ok(None) => self.too_short(),
            Err(_) => Found::No,
        }
    }

    /// What is to be found is not in the text, but may follow.
    pub(super) fn too_short<T>(self) -> Found<T> {
        if self.is_all { Found::No } else { Found::Wait }
    }
}
