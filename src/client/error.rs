//! What can fail between us and the API, with its name in the metrics and advice.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::wire::json::Broken;

/// Why a poll or a request failed: the values of the label `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No connection, or it was reset.
    Connect,
    /// No answer, or only part of it, in time.
    Timeout,
    /// The TLS handshake failed.
    Tls,
    /// A failure shown by an HTTP status or a `code` in the answer, without a more precise reason.
    Status,
    /// Another program is using the token at the same time.
    Concurrency,
    /// The day's calls are used up.
    Quota,
    /// The token is missing, wrong or revoked.
    Auth,
    /// Not JSON, or not the JSON of a report.
    Decode,
    /// The body ended early.
    Truncated,
    /// The answer has more bytes or rows than allowed.
    TooLarge,
    /// Our clock and the API's disagree, or ours went back.
    Clock,
    /// The state could not be saved.
    State,
    /// Anything else.
    Other,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Reason; 13] = [
        Reason::Connect,
        Reason::Timeout,
        Reason::Tls,
        Reason::Status,
        Reason::Concurrency,
        Reason::Quota,
        Reason::Auth,
        Reason::Decode,
        Reason::Truncated,
        Reason::TooLarge,
        Reason::Clock,
        Reason::State,
        Reason::Other,
    ];

    /// The value of the label `reason`.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Connect => "connect",
            Reason::Timeout => "timeout",
            Reason::Tls => "tls",
            Reason::Status => "status",
            Reason::Concurrency => "concurrency",
            Reason::Quota => "quota",
            Reason::Auth => "auth",
            Reason::Decode => "decode",
            Reason::Truncated => "truncated",
            Reason::TooLarge => "too_large",
            Reason::Clock => "clock",
            Reason::State => "state",
            Reason::Other => "other",
        }
    }

    /// Whether a single request can fail for this reason; other reasons apply to a whole poll.
    pub const fn of_a_request(self) -> bool {
        !matches!(self, Reason::Clock | Reason::State)
    }

    /// Advice for the person who reads the log.
    pub const fn advice(self) -> &'static str {
        match self {
            Reason::Connect => {
                "check the network, and that this host's public IP is registered with the operation: Wolkvox does not answer others at all"
            }
            Reason::Timeout => {
                "if it persists, raise the report's timeout; an unregistered public IP also causes timeouts"
            }
            Reason::Tls => "check the system's CA roots, or set ca_file when a proxy re-signs TLS",
            Reason::Status => "it may be temporary; if it persists, ask Wolkvox about this server",
            Reason::Concurrency => {
                "another program uses this token at the same time; give the exporter a token of its own"
            }
            Reason::Quota => "polls stop until local midnight; lower daily_calls or lengthen the intervals",
            Reason::Auth => "put a valid token into the token file; it is read again before the next poll",
            Reason::Decode => {
                "check the server or url of the operation; if it is right, report what check-api --shapes shows"
            }
            Reason::Truncated => "it may be temporary; if it persists, look for a proxy that cuts answers",
            Reason::TooLarge => "report it: no known answer is that large",
            Reason::Clock => "check this host's clock (NTP) and the operation's timezone",
            Reason::State => "check the disk of state_path",
            Reason::Other => "report it with this message",
        }
    }
}

/// A request or poll that failed. Its text says what happened and what to do, and never contains a token or a row.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// The kind of failure.
    pub reason: Reason,
    /// What happened.
    pub what: String,
    /// Whether the API may have got the request, and may still work on it.
    pub was_sent: bool,
    /// How long the API asked us to wait, if it did.
    pub retry_after: Option<Duration>,
    pub(super) transient: bool,
    pub(super) advice: Option<&'static str>,
}

impl From<Broken> for ApiError {
    fn from(_: Broken) -> Self {
        Self::new(Reason::Decode, "the answer is not valid JSON")
    }
}

impl ApiError {
    /// A failure that an immediate retry will not fix.
    pub fn new(reason: Reason, what: impl Into<String>) -> Self {
        Self {
            reason,
            what: what.into(),
            was_sent: true,
            retry_after: None,
            transient: false,
            advice: None,
        }
    }

    /// A failure that a retry may well fix.
    pub(super) fn transient(reason: Reason, what: impl Into<String>) -> Self {
        Self {
            transient: true,
            ..Self::new(reason, what)
        }
    }

    /// Replaces the advice of the reason by a more precise one.
    pub fn advise(self, advice: &'static str) -> Self {
        Self {
            advice: Some(advice),
            ..self
        }
    }

    /// What to do.
    pub fn advice(&self) -> &'static str {
        self.advice.unwrap_or(self.reason.advice())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.reason.name(), self.what, self.advice())
    }
}

impl Error for ApiError {}
