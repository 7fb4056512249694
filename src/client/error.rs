//! What can fail between us and the API, with its name in the metrics and advice.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::language::{Message, Text};
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
    pub const fn advice(self) -> Text {
        match self {
            Reason::Connect => Text::new(
                "check the network, and that this host's public IP is registered with the operation: Wolkvox does not answer others at all",
                "revise la red y que la IP pública de este equipo esté registrada en la operación: Wolkvox no les responde a las demás",
            ),
            Reason::Timeout => Text::new(
                "if it persists, raise the report's timeout; an unregistered public IP also causes timeouts",
                "si continúa, aumente el timeout del reporte; una IP pública sin registrar también causa esperas agotadas",
            ),
            Reason::Tls => Text::new(
                "check the system's CA roots, or set ca_file when a proxy re-signs TLS",
                "revise los certificados raíz del sistema, o configure ca_file si un proxy vuelve a firmar TLS",
            ),
            Reason::Status => Text::new(
                "it may be temporary; if it persists, ask Wolkvox about this server",
                "puede ser temporal; si continúa, pregúntele a Wolkvox por este servidor",
            ),
            Reason::Concurrency => Text::new(
                "another program uses this token at the same time; give the exporter a token of its own",
                "otro programa usa este token al mismo tiempo; dele al exportador un token propio",
            ),
            Reason::Quota => Text::new(
                "polls stop until local midnight; lower daily_calls or lengthen the intervals",
                "las lecturas se detienen hasta la medianoche local; reduzca daily_calls o alargue los intervalos",
            ),
            Reason::Auth => Text::new(
                "put a valid token into the token file; it is read again before the next poll",
                "ponga un token válido en el archivo del token; se vuelve a leer antes de la próxima lectura",
            ),
            Reason::Decode => Text::new(
                "check the server or url of the operation; if it is right, report what check-api --shapes shows",
                "revise server o url de la operación; si están bien, repórtenos lo que muestra check-api --shapes",
            ),
            Reason::Truncated => Text::new(
                "it may be temporary; if it persists, look for a proxy that cuts answers",
                "puede ser temporal; si continúa, busque un proxy que corte las respuestas",
            ),
            Reason::TooLarge => Text::new(
                "report it: no known answer is that large",
                "repórtelo: ninguna respuesta conocida es tan grande",
            ),
            Reason::Clock => Text::new(
                "check this host's clock (NTP) and the operation's timezone",
                "revise el reloj de este equipo (NTP) y la zona horaria (timezone) de la operación",
            ),
            Reason::State => Text::new("check the disk of state_path", "revise el disco de state_path"),
            Reason::Other => Text::new("report it with this message", "repórtelo con este mensaje"),
        }
    }
}

/// A request or poll that failed. Its text says what happened and what to do, and never contains a token or a row.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// The kind of failure.
    pub reason: Reason,
    /// What happened.
    pub what: Message,
    /// Whether the API may have got the request, and may still work on it.
    pub was_sent: bool,
    /// How long the API asked us to wait, if it did.
    pub retry_after: Option<Duration>,
    pub(super) transient: bool,
    pub(super) advice: Option<Text>,
}

impl From<Broken> for ApiError {
    fn from(_: Broken) -> Self {
        Self::new(
            Reason::Decode,
            Text::new("the answer is not valid JSON", "la respuesta no es JSON válido"),
        )
    }
}

impl ApiError {
    /// A failure that an immediate retry will not fix.
    pub fn new(reason: Reason, what: impl Into<Message>) -> Self {
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
    pub(super) fn transient(reason: Reason, what: impl Into<Message>) -> Self {
        Self {
            transient: true,
            ..Self::new(reason, what)
        }
    }

    /// Replaces the advice of the reason by a more precise one.
    pub fn advise(self, advice: Text) -> Self {
        Self {
            advice: Some(advice),
            ..self
        }
    }

    /// What to do.
    pub fn advice(&self) -> Text {
        self.advice.unwrap_or(self.reason.advice())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.reason.name(), self.what, self.advice())
    }
}

impl Error for ApiError {}
