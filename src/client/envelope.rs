//! What an answer says about itself: HTTP status, `code` and `msg`, and what they mean together.

use super::error::{ApiError, Reason};
use crate::language::{Message, Text};
use crate::wire::fields::{self, Leaf, Reading};

/// The keys of an answer other than its rows.
#[derive(Default)]
pub(super) struct Envelope {
    code: Option<u64>,
    message: String,
    /// Whether there was a key `data`, or the answer was a bare array.
    pub(super) has_data: bool,
    /// The number of records that the message names.
    pub(super) announced: Option<u64>,
    /// Whether a web page stands in place of the answer.
    pub(super) is_web_page: bool,
}

/// What an answer means.
#[derive(Debug)]
pub(super) enum Meaning {
    /// Its rows are the report.
    Rows,
    /// The report has no rows: a 404 whose message speaks of dates or records. (We saw the same URL return rows minutes
    /// later.)
    NoRows,
    /// A failure.
    Failure(ApiError),
}

/// From here on, a `code` is a failure. Below are 200 and 201, 0, and whatever else successes may have.
const FIRST_FAILURE: u64 = 400;
/// How words begin of which the message of a 404 speaks if the report has no rows.
const NO_ROWS: [&str; 4] = ["date", "fecha", "record", "registro"];
const RECORDS: [&str; 2] = ["record", "registro"];

/// Whether the message decides what a failure with this HTTP status means.
pub(super) fn message_decides(http_status: u16) -> bool {
    matches!(http_status, 400 | 403 | 404 | 413)
}

impl Envelope {
    pub(super) fn set_code(&mut self, code: &Leaf<'_>) {
        self.code = fields::count(code).value();
    }

    pub(super) fn set_message(&mut self, message: &Leaf<'_>) {
        if let Reading::Value(message) = fields::text(message) {
            self.message = message.to_lowercase();
            self.announced = announced(&self.message);
        }
    }

    /// Interprets an answer with so many rows. The message is meant for people, but it is all that distinguishes the
    /// three 403s and the two 404s. We never show it, since it may repeat what we sent.
    pub(super) fn meaning(&self, http_status: u16, rows: u64) -> Meaning {
        let is_success = (200..300).contains(&http_status);
        let failure = self.code.filter(|code| *code >= FIRST_FAILURE);
        let status = if is_success {
            failure.unwrap_or(200)
        } else {
            http_status.into()
        };
        let says = |words: &str| self.message.contains(words);
        let speaks_of = |beginnings: &[&str]| {
            let mut words = self.message.split(|c: char| !c.is_alphanumeric());
            words.any(|word| beginnings.iter().any(|beginning| word.starts_with(beginning)))
        };
        let (what, spanish) = if is_success {
            (
                format!("the answer has code {status}"),
                format!("la respuesta tiene el código {status}"),
            )
        } else {
            (format!("HTTP status {status}"), format!("estado HTTP {status}"))
        };
        let with = |english: &str, in_spanish: &str| {
            Message::new(format!("{what}: {english}"), format!("{spanish}: {in_spanish}"))
        };
        Meaning::Failure(match status {
            200 if self.has_data || self.code.is_some_and(|code| (200..300).contains(&code)) => return Meaning::Rows,
            200 => ApiError::new(
                Reason::Decode,
                Text::new(
                    "the answer has neither `data` nor the `code` of a success",
                    "la respuesta no tiene `data` ni el `code` de un éxito",
                ),
            ),
            404 if rows == 0 && self.code.is_none_or(|code| code == 404) && speaks_of(&NO_ROWS) => {
                return Meaning::NoRows;
            }
            // We do not know whether the API cuts silently at its record limit or reports it. This is what a report
            // might look like.
            400 | 413 if speaks_of(&RECORDS) => ApiError::new(
                Reason::TooLarge,
                with(
                    "more records than the API gives at once",
                    "más registros de los que la API entrega de una vez",
                ),
            ),
            404 => ApiError::new(
                Reason::Status,
                with(
                    "nothing found at this address; check server or url",
                    "no hay nada en esta dirección; revise server o url",
                ),
            ),
            401 => ApiError::new(
                Reason::Auth,
                with("the token header did not arrive", "el encabezado con el token no llegó"),
            ),
            403 if says("simult") => ApiError::transient(
                Reason::Concurrency,
                with(
                    "the token is in use by another request",
                    "otra consulta está usando el token",
                ),
            ),
            403 if says("limit exceeded") || (says("límite") && (says("excedid") || says("superad"))) => {
                ApiError::new(
                    Reason::Quota,
                    with(
                        "the token's calls of the day are used up",
                        "se agotaron las consultas del día de este token",
                    ),
                )
            }
            403 if says("validate token") => ApiError::new(
                Reason::Auth,
                with("the API does not accept the token", "la API no acepta el token"),
            ),
            403 if self.is_web_page => ApiError::new(
                Reason::Auth,
                with(
                    "refused with a web page, which the API never sends; a proxy or firewall perhaps",
                    "rechazado con una página web, que la API nunca envía; quizá un proxy o firewall",
                ),
            ),
            403 => ApiError::new(
                Reason::Auth,
                with("refused for an unknown reason", "rechazado por un motivo desconocido"),
            ),
            300..=399 => ApiError::new(
                Reason::Status,
                with(
                    "a redirect; following it would send the token elsewhere",
                    "una redirección; seguirla enviaría el token a otro lugar",
                ),
            ),
            429 => ApiError::transient(Reason::Status, Message::new(what, spanish)),
            500..=599 => ApiError::transient(Reason::Status, Message::new(what, spanish)),
            _ => ApiError::new(Reason::Status, Message::new(what, spanish)),
        })
    }
}

/// The number in "4 records were found" or "Se encontraron 1.234 registros": the one before the word, or the only one.
fn announced(message: &str) -> Option<u64> {
    let words: Vec<&str> = message.split_whitespace().collect();
    let is_record = |word: &&str| {
        let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
        RECORDS.iter().any(|beginning| word.starts_with(beginning))
    };
    let place = words.iter().position(is_record)?;
    let before = place.checked_sub(1).and_then(|before| number(words[before]));
    before.or_else(|| {
        let mut numbers = words.iter().filter(|word| word.contains(|c: char| c.is_ascii_digit()));
        let only = numbers.next().filter(|_| numbers.next().is_none())?;
        number(only)
    })
}

/// A whole number, with commas or points at thousands.
fn number(word: &str) -> Option<u64> {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let mut groups = word.split(['.', ',']);
    let first = groups.next()?;
    let is_grouped = first.len() < word.len();
    let fits = groups.all(|group| group.len() == 3) && (!is_grouped || first.len() <= 3);
    let digits: String = word.chars().filter(|c| !matches!(c, '.' | ',')).collect();
    (fits && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_may_name_the_number_of_records() {
        for (message, expected) in [
            ("4 records were found", Some(4)),
            ("0 records were found", Some(0)),
            ("Se encontraron 1.234 registros", Some(1234)),
            ("59,000 records were found.", Some(59_000)),
            ("Records found: 12", Some(12)),
            ("(1 record)", Some(1)),
            ("Registros encontrados (1,234)", Some(1234)),
            ("Se encontraron  7  Registros en 2 campañas", Some(7)),
            ("Records found according to your query parameters", None),
            ("No records were found", None),
            ("12.5 records", None),
            ("records 1 to 5", None),
            ("records of 2026-11-20", None),
            ("99999999999999999999 records", None),
            ("4 rows", None),
        ] {
            let mut envelope = Envelope::default();
            envelope.set_message(&Leaf::Text(message.into()));
            assert_eq!(envelope.announced, expected, "{message}");
        }
    }
}
