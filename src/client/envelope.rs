//! What an answer says about itself: HTTP status, `code` and `msg`, and what they mean together.

use serde::Deserialize;

use super::error::{ApiError, Reason};
use crate::wire::fields::{self, Leaf, Reading};

/// The keys of an answer other than its rows.
#[derive(Default)]
pub(super) struct Envelope {
    code: Option<u16>,
    message: String,
    /// Whether there was a key `data`, or the answer was a bare array.
    pub(super) has_data: bool,
}

/// What an answer means.
#[derive(Debug)]
pub(super) enum Meaning {
    /// Its rows are the report.
    Rows,
    /// The report has no rows: a 404 that asks to validate the dates. (We saw the same URL return rows minutes later.)
    NoRows,
    /// A failure.
    Failure(ApiError),
}

impl Envelope {
    /// The envelope of a failure, from its short body.
    pub(super) fn of_failure(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Failure<'a> {
            #[serde(borrow, default)]
            code: Leaf<'a>,
            #[serde(borrow, default)]
            msg: Leaf<'a>,
        }
        let mut envelope = Self::default();
        if let Ok(failure) = serde_json::from_slice::<Failure<'_>>(body) {
            envelope.set_code(&failure.code);
            envelope.set_message(&failure.msg);
        }
        envelope
    }

    pub(super) fn set_code(&mut self, code: &Leaf<'_>) {
        self.code = fields::count(code).value().and_then(|code| u16::try_from(code).ok());
    }

    pub(super) fn set_message(&mut self, message: &Leaf<'_>) {
        if let Reading::Value(message) = fields::text(message) {
            self.message = message.to_lowercase();
        }
    }

    /// Interprets the answer. The message is meant for people, but it is all that distinguishes the three 403s and the
    /// two 404s. We never show it, since it may repeat what we sent.
    pub(super) fn meaning(&self, http_status: u16) -> Meaning {
        let status = if http_status == 200 {
            self.code.unwrap_or(200)
        } else {
            http_status
        };
        let says = |words: &str| self.message.contains(words);
        let what = if http_status == 200 && status != 200 {
            format!("the answer has code {status}")
        } else {
            format!("HTTP status {status}")
        };
        Meaning::Failure(match status {
            200 if self.has_data || self.code.is_some() => return Meaning::Rows,
            200 => ApiError::new(Reason::Decode, "the answer has neither `data` nor `code`"),
            404 if says("validate dates") => return Meaning::NoRows,
            // We do not know whether the API cuts silently at its record limit or reports it. This is what a report
            // might look like.
            400 | 413 if says("record") => ApiError::new(
                Reason::TooLarge,
                format!("{what}: more records than the API gives at once"),
            ),
            404 => ApiError::new(
                Reason::Status,
                format!("{what}: nothing found at this address; check server or url"),
            ),
            401 => ApiError::new(Reason::Auth, format!("{what}: the token header did not arrive")),
            403 if says("simultaneous") => ApiError::transient(
                Reason::Concurrency,
                format!("{what}: the token is in use by another request"),
            ),
            403 if says("limit exceeded") => ApiError::new(
                Reason::Quota,
                format!("{what}: the token's calls of the day are used up"),
            ),
            403 if says("validate token") => {
                ApiError::new(Reason::Auth, format!("{what}: the API does not accept the token"))
            }
            403 => ApiError::new(Reason::Auth, format!("{what}: refused for an unknown reason")),
            300..=399 => ApiError::new(
                Reason::Status,
                format!("{what}: a redirect; following it would send the token elsewhere"),
            ),
            429 => ApiError::transient(Reason::Status, what),
            500..=599 => ApiError::transient(Reason::Status, what),
            _ => ApiError::new(Reason::Status, what),
        })
    }
}
