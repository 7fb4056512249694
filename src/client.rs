//! A client for the Wolkvox API: one request at a time, answers read row by row, failures classified.

mod budget;
mod content;
mod echo;
mod envelope;
mod error;
mod retry;
mod route;
mod rows;
mod time_limit;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{ACCEPT_ENCODING, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Proxy, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

pub use self::budget::CallBudget;
use self::content::Content;
use self::echo::Echo;
pub use self::error::{ApiError, Reason};
pub use self::retry::RetryPolicy;
use self::route::{Route, innermost};
pub use self::rows::AnswerReader;
use self::rows::IgnoreRows;
use self::time_limit::TimeLimit;
use crate::config;
use crate::language::Text;
use crate::wire::large::{FEW_BYTES, FEW_ROWS, OwnPlace};
use crate::wire::{Query, Rows};

/// The vendor's servers accept a connection in well under a second; an unregistered public IP gets no answer at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The vendor gives a call 60 s, all of which may pass before the first byte. A longer silence will not end.
const READ_TIMEOUT: Duration = Duration::from_secs(75);
/// How long a connection that is not used is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// The body of a failure is one line of JSON. Of anything else, only the start is useful.
const MAX_FAILURE_BODY: usize = 64 * 1024;
/// The longest pause that the API may ask for. A longer one is a mistake, and would leave a day without counts.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// A complete answer.
#[derive(Debug)]
pub struct Answer<R> {
    /// The reader, after it has read all rows.
    pub rows: R,
    /// The API's clock at the time of the answer, if given.
    pub date: Option<Timestamp>,
    /// The number of rows in the answer, whether they count or not.
    pub count: u64,
    /// The size in bytes, after decompression.
    pub bytes: u64,
    /// The number of rows that the answer's message names, if it does.
    pub announced: Option<u64>,
}

impl<R> Answer<R> {
    /// Converts the rows.
    pub fn map<T>(self, change: impl FnOnce(R) -> T) -> Answer<T> {
        Answer {
            rows: change(self.rows),
            date: self.date,
            count: self.count,
            bytes: self.bytes,
            announced: self.announced,
        }
    }
}

/// One request: how long it took, and why it failed if it did.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// From sending the request to the end of the body.
    pub duration: Duration,
    /// The reason, if it failed.
    pub failure: Option<Reason>,
}

/// What a poll allows its requests, and what they used of it.
#[derive(Debug)]
pub struct Allowance<'a> {
    /// The timeout of one request, including its body.
    pub timeout: Duration,
    /// No retry starts after this much time.
    pub retry_within: Duration,
    /// The calls of the day; every request uses one.
    pub budget: &'a mut CallBudget,
    /// The requests that were sent, including retries.
    pub attempts: &'a mut Vec<Attempt>,
}

/// The client of one operation.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    route: Route,
    base_url: String,
    retry: RetryPolicy,
    /// Locked during a request: Wolkvox refuses two at the same time.
    access: Arc<Mutex<Access>>,
}

/// What a request needs.
#[derive(Debug)]
struct Access {
    token: SecretString,
    /// Until then the API may still work on a request that was given up.
    busy_until: Option<Instant>,
    /// The place of a large answer.
    place: OwnPlace,
}

impl Client {
    /// A client for an operation. Fails when the system has no CA roots, or when the configured proxy or CA file is
    /// unusable.
    pub fn new(operation: &config::Operation, retry: RetryPolicy) -> Result<Self, ApiError> {
        let unusable = |what: String| {
            ApiError::new(Reason::Other, what)
                .advise(Text::new("correct the configuration", "corrija la configuración"))
        };
        let route =
            Route::to(operation).ok_or_else(|| unusable("server, url or proxy is not an address".to_owned()))?;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("wolkvox_exporter/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            // A redirect would send the token to another host.
            .redirect(reqwest::redirect::Policy::none())
            // We unpack bodies ourselves: see `content`.
            .no_gzip()
            .pool_max_idle_per_host(1)
            // Long enough for the requests of one poll. A connection keeps the buffers of its largest answer, and few servers
            // keep one until the next poll.
            .pool_idle_timeout(IDLE_TIMEOUT)
            // Use only the configured proxy: one set for other programs must not see the token.
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
            // Nothing to verify, so load nothing: the demo runs where there are no CA roots.
            builder = builder.tls_certs_only(std::iter::empty());
        }
        let http = builder.build().map_err(|e| {
            unusable(format!("TLS cannot be set up: {}", innermost(&e))).advise(Text::new(
"install the system's CA certificates (Debian: ca-certificates), or set SSL_CERT_FILE to a bundle",
"instale los certificados raíz del sistema (Debian: ca-certificates), o indique un archivo con SSL_CERT_FILE",
))
        })?;
        Ok(Self {
            http,
            route,
            base_url: operation.base_url.clone(),
            retry,
            access: Arc::new(Mutex::new(Access {
                token: operation.token.value.clone(),
                busy_until: None,
                place: OwnPlace::default(),
            })),
        })
    }

    /// Replaces the token, once no request uses the old one.
    pub async fn set_token(&self, token: SecretString) {
        self.access.lock().await.token = token;
    }

    /// Sends a query and reads the whole answer; retries where that may help. `rows` makes a new reader for each
    /// attempt.
    pub async fn fetch<R: Rows>(
        &self,
        query: &Query,
        allowance: Allowance<'_>,
        rows: impl Fn() -> R,
    ) -> Result<Answer<R>, ApiError> {
        let mut access = self.access.lock().await;
        let access = &mut *access;
        if let Some(until) = access.busy_until {
            sleep_until(until).await;
        }
        let begin = Instant::now();
        let mut waits = self.retry.waits();
        loop {
            if !allowance.budget.take() {
                return Err(ApiError::new(
                    Reason::Quota,
                    Text::new(
                        "the operation's daily_calls are used up",
                        "se agotaron las daily_calls de la operación",
                    ),
                ));
            }
            let sent = Instant::now();
            let mut time = TimeLimit::begin(allowance.timeout);
            let mut rows = rows();
            let result = self.ask(query, access, &mut rows, &mut time).await;
            let failure = result.as_ref().err().map(|error| error.reason);
            allowance.attempts.push(Attempt {
                duration: time.elapsed(),
                failure,
            });
            let error = match result {
                Ok(answer) => return Ok(answer.map(|()| rows)),
                Err(error) => error,
            };
            let busy = self.retry.answer_within.saturating_sub(sent.elapsed());
            let busy = if error.was_sent && error.reason == Reason::Timeout {
                busy
            } else {
                Duration::ZERO
            };
            access.busy_until = Some(Instant::now() + busy);
            // Nobody needs what was read, nor its place among the large answers, while the next attempt waits.
            drop(rows);
            let left = allowance.retry_within.saturating_sub(begin.elapsed());
            match retry::wait_before_retry(&error, waits.next(), busy, left) {
                Some(wait) if allowance.budget.left() > 0 => sleep(wait).await,
                _ => return Err(error),
            }
        }
    }

    /// Sends one request and reads its answer. It is the same code for all readers of rows: there are a dozen, and it is much.
    async fn ask(
        &self,
        query: &Query,
        access: &mut Access,
        rows: &mut dyn Rows,
        time: &mut TimeLimit,
    ) -> Result<Answer<()>, ApiError> {
        let mut response = self.within(time, self.send(query, &access.token)).await?;
        let date = date(response.headers());
        if !response.status().is_success() {
            return self
                .within(time, self.failure(response, date, &access.token, rows))
                .await;
        }
        let mut content = Content::of(response.headers())?;
        let mut echo = Echo::of(&access.token);
        let mut reader = AnswerReader::new(rows);
        // At best before there is anything in memory.
        let is_large = response.content_length().is_some_and(|bytes| bytes > FEW_BYTES);
        let mut has_place = false;
        loop {
            if reader.rows().held().is_some_and(|rows| is_large || rows > FEW_ROWS) && !has_place {
                let place = time.stand_still(access.place.get()).await;
                reader.rows().keep(place);
                has_place = true;
            }
            let Some(chunk) = self.within(time, self.next_chunk(&mut response)).await? else {
                break;
            };
            content.feed(&chunk, &mut |text| {
                echo.check(text)?;
                reader.feed(text)
            })?;
        }
        content.finish()?;
        Ok(reader.finish_with(response.status().as_u16(), date)?.map(|_| ()))
    }

    /// Does something within the time that is left.
    async fn within<T>(
        &self,
        time: &TimeLimit,
        work: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let too_late = |_| {
            Err(self.route.timed_out(
                format!("no complete answer in {:?}", time.limit),
                format!("sin respuesta completa en {:?}", time.limit),
            ))
        };
        timeout_at(time.end, work).await.unwrap_or_else(too_late)
    }

    /// Sends a request, and returns the head of its answer.
    async fn send(&self, query: &Query, token: &SecretString) -> Result<Response, ApiError> {
        let mut secret = HeaderValue::from_str(token.expose_secret()).map_err(|_| {
            ApiError::new(
                Reason::Auth,
                Text::new(
                    "the token has characters that are not allowed in an HTTP header",
                    "el token tiene caracteres que no se permiten en un encabezado HTTP",
                ),
            )
        })?;
        secret.set_sensitive(true);
        let request = self
            .http
            .get(self.url(query)?)
            .header(ACCEPT_ENCODING, "gzip")
            .header("wolkvox-token", secret);
        match request.send().await {
            Ok(response) => Ok(response),
            Err(error) => Err(self.route.failure(&self.http, error).await),
        }
    }

    async fn next_chunk(&self, response: &mut Response) -> Result<Option<Bytes>, ApiError> {
        response.chunk().await.map_err(|error| self.route.interruption(error))
    }

    /// Reads the body of a failure, which may be anything, and decides what it means.
    async fn failure(
        &self,
        mut response: Response,
        date: Option<Timestamp>,
        token: &SecretString,
        rows: &mut dyn Rows,
    ) -> Result<Answer<()>, ApiError> {
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers(), date);
        let mut echo = Echo::of(token);
        let mut reader = AnswerReader::new(IgnoreRows(rows));
        let mut bytes = 0;
        let body = async {
            let mut content = Content::of(response.headers())?;
            while bytes < MAX_FAILURE_BODY {
                let Some(chunk) = self.next_chunk(&mut response).await? else {
                    return content.finish();
                };
                content.feed(&chunk, &mut |text| {
                    bytes += text.len();
                    echo.check(text)?;
                    reader.feed_failure(text);
                    Ok(())
                })?;
            }
            Ok(())
        }
        .await;
        let is_of_api = reader.is_of_api();
        let result = match body {
            Err(error) if envelope::message_decides(status) => Err(error),
            Ok(()) | Err(_) => reader.finish_failure(status, date),
        };
        match result {
            Ok(answer) => Ok(answer.map(|_| ())),
            // Only proxies answer 407, in whatever words.
            Err(error) if is_of_api && status != 407 => Err(ApiError { retry_after, ..error }),
            Err(error) => {
                let error = ApiError { retry_after, ..error };
                Err(self.route.refusal(&self.http, status, error).await)
            }
        }
    }

    fn url(&self, query: &Query) -> Result<Url, ApiError> {
        let address = format!("{}/api/v2/{}", self.base_url, query.endpoint.script);
        let mut url = Url::parse(&address).map_err(|e| {
            ApiError::new(
                Reason::Other,
                format!("the operation's server or url is not a valid address: {e}"),
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

/// The wait that the API asks for, given in seconds or as a date by its own clock. None of no length, which is no wait.
fn retry_after(headers: &HeaderMap, date: Option<Timestamp>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_or(LONGEST_PAUSE, Duration::from_secs)
    } else {
        let until = Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()?;
        Duration::try_from(until.duration_since(date?)).ok()?
    };
    (!wait.is_zero()).then(|| wait.min(LONGEST_PAUSE))
}
