//! Finds the operation's own token in an answer: a gateway that sends requests back could otherwise make it a label.

use memchr::memmem::Finder;
use secrecy::{ExposeSecret, SecretString};

use super::error::{ApiError, Reason};
use crate::language::Text;

/// A shorter token may be part of any text. Wolkvox's have 52 characters.
const SHORTEST: usize = 16;

/// Looks through a body, chunk by chunk.
pub(super) struct Echo<'t> {
    token: Option<Finder<'t>>,
    /// The end of the chunks so far, in which the token may begin.
    end: Vec<u8>,
}

impl<'t> Echo<'t> {
    pub(super) fn of(token: &'t SecretString) -> Self {
        let token = token.expose_secret();
        Self {
            token: (token.len() >= SHORTEST).then(|| Finder::new(token)),
            end: Vec::new(),
        }
    }

    /// Refuses an answer as soon as it has the token.
    pub(super) fn check(&mut self, chunk: &[u8]) -> Result<(), ApiError> {
        let Some(token) = &self.token else { return Ok(()) };
        let begun = token.needle().len() - 1;
        self.end.extend_from_slice(&chunk[..chunk.len().min(begun)]);
        if token.find(chunk).is_some() || token.find(&self.end).is_some() {
            let what = Text::new(
                "the answer has the operation's own token in it, so nothing of it is used: something on the way to Wolkvox sends requests back",
                "la respuesta contiene el token de la operación, así que no se usa nada de ella: algo en el camino a Wolkvox devuelve las consultas",
            );
            return Err(ApiError::new(Reason::Decode, what));
        }
        let rest = if chunk.len() > begun { chunk } else { &self.end };
        self.end = rest[rest.len().saturating_sub(begun)..].to_vec();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_wherever_chunks_end() {
        let token = SecretString::from("3f9a0c5be1d24786a0b1c2d3e4f50617".to_owned());
        let body = format!("[{{\"a\": \"3f9a0c5b {}\"}}]", token.expose_secret());
        let is_found = |chunks: &[&[u8]]| {
            let mut echo = Echo::of(&token);
            chunks.iter().any(|chunk| echo.check(chunk).is_err())
        };
        for length in 1..=body.len() {
            let chunks: Vec<&[u8]> = body.as_bytes().chunks(length).collect();
            assert!(is_found(&chunks), "chunks of {length}");
        }
        let other = body.replace('7', "8");
        assert!(!is_found(&[other.as_bytes()]));
    }
}
