//! The HTTP server: metrics, the status page, health and reload.
//!
//! ```text
//! server: accept ▸ connection permit ▸ TLS ▸ connection: time-outs ▸ answer: password ▸ router ▸ headers
//!                                       ▲                              ▲                         ▲
//!                                    web_config: read at the start, and again when one of its files changes
//! ```

mod answer;
mod auth;
mod connection;
mod connections;
mod limits;
mod listen;
mod server;
mod status;
mod web_config;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use tokio::sync::{Semaphore, TryAcquireError};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

pub use self::limits::{Limits, raise_descriptor_limit};
pub use self::listen::{ListenAddress, bind, handed_over};
pub use self::server::{ServerSettings, serve};
pub use self::web_config::WebConfig;
use crate::clock::Clock;
use crate::config::Shard;
use crate::exposition::{Format, accepts_gzip};
use crate::published::Published;
use crate::reload::ReloadHandle;
use crate::yaml::mistake::quoted;

/// Maximum number of concurrent scrapes. A scrape takes milliseconds, so more than this is a mistake or an attack.
const SCRAPES_IN_FLIGHT: usize = 40;

/// The state of the routes.
#[derive(Clone, Debug)]
struct Pages {
    published: Arc<Published>,
    clock: Clock,
    telemetry_path: Arc<str>,
    shard: Shard,
    scrapes: Arc<Semaphore>,
    status_page: Arc<Semaphore>,
    reload: Option<ReloadHandle>,
}

/// What the routes serve.
#[derive(Clone, Debug)]
pub struct Site {
    /// The metrics and health to show.
    pub published: Arc<Published>,
    /// The wall clock.
    pub clock: Clock,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// The shard of this process.
    pub shard: Shard,
    /// What `/-/reload` calls; `None` turns it off.
    pub reload: Option<ReloadHandle>,
}

/// The routes.
pub fn router(site: Site) -> Router {
    let Site {
        published,
        clock,
        telemetry_path,
        shard,
        reload,
    } = site;
    let pages = Pages {
        published,
        clock,
        telemetry_path: telemetry_path.as_str().into(),
        shard,
        scrapes: Arc::new(Semaphore::new(SCRAPES_IN_FLIGHT)),
        status_page: Arc::new(Semaphore::new(1)),
        reload,
    };
    let mut router = Router::new()
        .route(&telemetry_path, get(metrics))
        .route("/-/healthy", get(async || "the exporter is running\n"))
        .route("/-/ready", get(ready))
        .route("/-/config", get(configuration))
        .route("/-/reload", post(reload_configuration).put(reload_configuration));
    if telemetry_path != "/" {
        router = router.route("/", get(status_page));
    }
    router
        .fallback(async || (StatusCode::NOT_FOUND, "there is nothing here\n"))
        .method_not_allowed_fallback(async || {
            (
                StatusCode::METHOD_NOT_ALLOWED,
                "this page does not support this method\n",
            )
        })
        .with_state(pages)
}

async fn metrics(State(pages): State<Pages>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    // Held until the page is rendered, even if the client has gone, but not while it is sent: slow readers must not
    // block other scrapes.
    let permit = match Arc::clone(&pages.scrapes).try_acquire_owned() {
        Ok(permit) => permit,
        Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => {
            return (StatusCode::SERVICE_UNAVAILABLE, "too many scrapes at once\n").into_response();
        }
    };
    let selection = selection(query.as_deref().unwrap_or_default());
    if let Some(refusal) = refusal(&pages, &selection) {
        return (StatusCode::NOT_FOUND, refusal).into_response();
    }
    let format = Format::negotiate(&all_values(&headers, &ACCEPT));
    let gzip = accepts_gzip(&all_values(&headers, &ACCEPT_ENCODING));
    pages.published.expire(pages.clock.instant());
    let page = if selection.is_empty() && pages.published.is_joined(format, gzip) {
        pages.published.page(format, gzip)
    } else {
        let published = Arc::clone(&pages.published);
        let joined = spawn_blocking(move || {
            let _permit = permit;
            if selection.is_empty() {
                published.page(format, gzip)
            } else {
                published.selection(format, gzip, &selection)
            }
        });
        joined.await.unwrap_or(Err(std::fmt::Error))
    };
    let Ok(page) = page else {
        tracing::error!("the process metrics could not be rendered; please report it");
        return (StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be rendered\n").into_response();
    };
    let mut response = Response::new(Body::empty());
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    answer.insert(CONTENT_LENGTH, page.len().into());
    answer.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if gzip {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let parts = page.parts.into_iter().map(Ok::<_, std::convert::Infallible>);
    *response.body_mut() = Body::from_stream(stream::iter(parts));
    response
}

/// The operations that a query asks for, as `operation=acme&operation=globex`. Without any, it asks for the whole page.
fn selection(query: &str) -> BTreeSet<String> {
    form_urlencoded::parse(query.as_bytes())
        .filter(|(key, _)| key == "operation")
        .map(|(_, name)| name.into_owned())
        .collect()
}

/// What to say to a selection with an operation that is not configured. A page without it would look as if the operation
/// had no calls.
fn refusal(pages: &Pages, selection: &BTreeSet<String>) -> Option<String> {
    selection.first()?; // The whole page needs no names.
    let names = pages.published.names();
    let unknown = selection
        .iter()
        .find(|name| !names.iter().any(|known| known.as_ref() == name.as_str()))?;
    let who = match pages.shard {
        Shard::ONLY => "this exporter".to_owned(),
        shard => shard.to_string(),
    };
    let names = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    Some(format!(
        "there is no operation {}; {who} has: {names}\n",
        quoted(unknown)
    ))
}

async fn ready(State(pages): State<Pages>) -> Response {
    let waiting = pages.published.not_ready();
    if waiting.is_empty() {
        return "ready\n".into_response();
    }
    let text = format!("waiting for the first polls of: {}\n", waiting.join(", "));
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

async fn reload_configuration(State(pages): State<Pages>, headers: HeaderMap) -> Response {
    if is_of_another_site(&headers) {
        let text = "a page of another site must not reload the configuration\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    let Some(reload) = pages.reload else {
        let text = "reload over HTTP is off; start the exporter with --web.enable-lifecycle or send it SIGHUP\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    };
    match reload.reload().await {
        Ok(()) => "configuration reloaded\n".into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{}\n", error.answer)).into_response(),
    }
}

/// The configuration in effect. It has no secrets, but paths and addresses that are not everybody's.
async fn configuration(State(pages): State<Pages>) -> Response {
    if pages.reload.is_none() {
        let text = "this page is off; start the exporter with --web.enable-lifecycle\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    let text = pages.published.configuration().to_string();
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], text).into_response()
}

async fn status_page(State(pages): State<Pages>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = query.unwrap_or_default();
    let chosen = status::chosen(&query);
    let language = chosen.unwrap_or_else(|| status::negotiate(&all_values(&headers, &ACCEPT_LANGUAGE)));
    // One at a time, on a blocking thread: hundreds of operations take a while, and scrapes come first.
    let Ok(_permit) = Arc::clone(&pages.status_page).acquire_owned().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let rendered = spawn_blocking(move || {
        pages.published.expire(pages.clock.instant());
        let data = status::PageData {
            published: &pages.published,
            now: pages.clock.now(),
            instant: Instant::now(),
            telemetry_path: &pages.telemetry_path,
            shard: pages.shard,
            language,
            language_is_chosen: chosen.is_some(),
        };
        status::page(data, &query)
    });
    let Ok((status, page)) = rendered.await else {
        return (StatusCode::INTERNAL_SERVER_ERROR, "the page could not be rendered\n").into_response();
    };
    let headers = [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (CONTENT_LANGUAGE, HeaderValue::from_static(language.tag())),
        (VARY, HeaderValue::from_static("Accept-Language")),
        (CONTENT_SECURITY_POLICY, status::POLICY.clone()),
    ];
    (status, headers, Html(page.into_string())).into_response()
}

/// Whether a browser sent the request for a page of another site, which it does with the user's password. Other programs
/// send neither of these headers.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let site = text(HeaderName::from_static("sec-fetch-site"));
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return true;
    }
    let host = text(HOST).unwrap_or_default();
    text(ORIGIN).is_some_and(|origin| {
        origin
            .split_once("://")
            .is_none_or(|(_, of)| !of.eq_ignore_ascii_case(host))
    })
}

/// The values of a header that may occur several times, joined into one list.
fn all_values(headers: &HeaderMap, name: &HeaderName) -> String {
    let values: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    values.join(",")
}
