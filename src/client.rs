//! The Wolkvox API: one request in flight, its answer read row by row, its failures told apart.

mod budget;
mod envelope;
mod error;
mod retry;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Proxy, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

pub use self::budget::CallBudget;
use self::envelope::{Envelope, Meaning};
pub use self::error::{ApiError, Reason};
pub use self::retry::RetryPolicy;
pub use self::rows::AnswerReader;
use self::rows::IgnoreRows;
use crate::config;
use crate::wire::{Query, Rows};

/// The vendor's servers answer a connect in well under a second; an unregistered public IP gets no answer at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The vendor gives a call 60 s, which may pass before the first byte; a longer silence will not end.
const READ_TIMEOUT: Duration = Duration::from_secs(75);
/// The body of a failure is a line of JSON; of anything else only the beginning is worth reading.
const MAX_FAILURE_BODY: usize = 64 * 1024;

/// A complete answer.
#[derive(Debug)]
pub struct Answer<R> {
    /// What the report made of the rows.
    pub rows: R,
    /// The API's clock when it answered, if it said so.
    pub date: Option<Timestamp>,
    /// How many rows the answer had, whatever became of them.
    pub count: u64,
    /// How long it was, once decompressed.
    pub bytes: u64,
}

impl<R> Answer<R> {
    /// The same answer, with something else made of its rows.
    pub fn map<T>(self, change: impl FnOnce(R) -> T) -> Answer<T> {
        Answer {
            rows: change(self.rows),
            date: self.date,
            count: self.count,
            bytes: self.bytes,
        }
    }
}

/// One request as it went: how long it took and why it failed, if it did.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// From sending to the end of the body.
    pub duration: Duration,
    /// The reason, if it failed.
    pub failure: Option<Reason>,
}

/// What a poll allows its requests, and what they used of it.
#[derive(Debug)]
pub struct Allowance<'a> {
    /// Time for one request, its body included.
    pub timeout: Duration,
    /// No retry starts after this much time.
    pub retry_within: Duration,
    /// The calls of the day; every request takes one.
    pub budget: &'a mut CallBudget,
    /// The requests that were sent, retries too.
    pub attempts: &'a mut Vec<Attempt>,
}

/// The client of one operation.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    retry: RetryPolicy,
    /// The token, locked while a request is in flight: Wolkvox refuses two at once.
    token: Arc<Mutex<SecretString>>,
}

impl Client {
    /// A client for an operation. Fails when the system has no CA roots, or the proxy or CA file of the configuration
    /// cannot be used.
    pub fn new(operation: &config::Operation, retry: RetryPolicy) -> Result<Self, ApiError> {
        let unusable = |what: String| ApiError::new(Reason::Other, what);
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("wolkvox_exporter/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            // A redirect would carry the token to another host.
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(1)
            // Only the configured proxy: one set for other programs is not meant for the token.
            .no_proxy();
        if let Some(proxy) = &operation.proxy {
            let proxy =
                Proxy::all(proxy).map_err(|e| unusable(format!("proxy cannot be used: {}", e.without_url())))?;
            builder = builder.proxy(proxy);
        }
        if let Some(file) = &operation.ca_file {
            let unreadable = |e: &dyn std::fmt::Display| unusable(format!("ca_file {}: {e}", file.path.display()));
            let certificates = Certificate::from_pem_bundle(&file.pem).map_err(|e| unreadable(&e))?;
            if certificates.is_empty() {
                return Err(unreadable(&"it holds no PEM certificate"));
            }
            builder = builder.tls_certs_merge(certificates);
        } else if operation.base_url.starts_with("http://") && operation.proxy.is_none() {
            // Nothing to verify, so nothing to load: the demo runs where there are no CA roots.
            builder = builder.tls_certs_only(std::iter::empty());
        }
        let http = builder.build().map_err(|e| {
            unusable(format!(
                "TLS cannot be set up: {e:#?}; install the system's CA certificates (Debian: ca-certificates), or set \
                 SSL_CERT_FILE to a bundle"
            ))
        })?;
        Ok(Self {
            http,
            base_url: operation.base_url.clone(),
            retry,
            token: Arc::new(Mutex::new(operation.token.value.clone())),
        })
    }

    /// Replaces the token, once no request uses the old one.
    pub async fn set_token(&self, token: SecretString) {
        *self.token.lock().await = token;
    }

    /// Asks and reads the whole answer; asks again where that may help. `rows` makes a fresh reader for each try.
    pub async fn fetch<R: Rows>(
        &self,
        query: &Query,
        allowance: Allowance<'_>,
        rows: impl Fn() -> R,
    ) -> Result<Answer<R>, ApiError> {
        let token = self.token.lock().await;
        let begin = Instant::now();
        let mut waits = self.retry.waits();
        loop {
            if !allowance.budget.take() {
                return Err(ApiError::new(Reason::Quota, "the operation's daily_calls are used up"));
            }
            let sent = Instant::now();
            let limit = allowance.timeout;
            let result = timeout(limit, self.ask(query, &token, rows()))
                .await
                .unwrap_or_else(|_| {
                    Err(ApiError::transient(
                        Reason::Timeout,
                        format!("no complete answer in {limit:?}"),
                    ))
                });
            let failure = result.as_ref().err().map(|error| error.reason);
            allowance.attempts.push(Attempt {
                duration: sent.elapsed(),
                failure,
            });
            let error = match result {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let left = allowance.retry_within.saturating_sub(begin.elapsed());
            match retry::wait_before_retry(&error, waits.next(), left) {
                Some(wait) if allowance.budget.left() > 0 => sleep(wait).await,
                _ => return Err(error),
            }
        }
    }

    async fn ask<R: Rows>(&self, query: &Query, token: &SecretString, mut rows: R) -> Result<Answer<R>, ApiError> {
        let mut secret = HeaderValue::from_str(token.expose_secret())
            .map_err(|_| ApiError::new(Reason::Auth, "the token has characters that no HTTP header can hold"))?;
        secret.set_sensitive(true);
        let request = self.http.get(self.url(query)?).header("wolkvox-token", secret);
        let mut response = request.send().await.map_err(ApiError::from_transport)?;

        let status = response.status();
        let date = date(response.headers());
        if status != StatusCode::OK {
            let retry_after = retry_after(response.headers(), date);
            let mut body = Vec::new();
            while body.len() < MAX_FAILURE_BODY {
                // The status is what counts: a body that breaks off takes nothing away from it.
                let Ok(Some(chunk)) = response.chunk().await else { break };
                body.extend_from_slice(&chunk);
            }
            // Whoever listens hears what could be read of it; what it means is told apart from that.
            let _ = AnswerReader::new(IgnoreRows(&mut rows)).feed(&body);
            return match Envelope::of_failure(&body).meaning(status.as_u16()) {
                Meaning::Rows | Meaning::NoRows => Ok(Answer {
                    rows,
                    date,
                    count: 0,
                    bytes: body.len() as u64,
                }),
                Meaning::Failure(error) => Err(ApiError { retry_after, ..error }),
            };
        }

        let mut reader = AnswerReader::new(rows);
        while let Some(chunk) = response.chunk().await.map_err(ApiError::from_transport)? {
            reader.feed(&chunk)?;
        }
        reader.finish(date)
    }

    fn url(&self, query: &Query) -> Result<Url, ApiError> {
        let address = format!("{}/api/v2/{}", self.base_url, query.endpoint.script);
        let mut url = Url::parse(&address).map_err(|e| {
            ApiError::new(
                Reason::Other,
                format!("server or url of the operation makes no address: {e}"),
            )
        })?;
        url.query_pairs_mut()
            .append_pair("api", query.endpoint.api)
            .extend_pairs(&query.parameters);
        Ok(url)
    }
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    Timestamp::try_from(httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?).ok()
}

/// The wait that the API asks for, in seconds or as a date by its own clock.
fn retry_after(headers: &HeaderMap, date: Option<Timestamp>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()?;
    Duration::try_from(until.duration_since(date?)).ok()
}
