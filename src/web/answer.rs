//! Answers requests: checks the password, calls the route, and adds headers.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{
    CONNECTION, CONTENT_TYPE, HOST, REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, Request, Response, StatusCode, Version};
use axum::response::IntoResponse;
use hyper::body::{Frame, SizeHint};
use hyper::service::Service;

use super::auth::{Passwords, Verdict};
use super::connection::Serving;
use super::web_config::WebSettings;

/// Answers the requests of all connections.
pub(super) struct Answers {
    pub(super) router: Router,
    pub(super) settings: Arc<ArcSwap<WebSettings>>,
    pub(super) passwords: Passwords,
    /// Whether health needs no password, for load balancers.
    pub(super) health_without_auth: bool,
}

/// What an answer depends on besides the request.
pub(super) struct Connection {
    /// The client's address.
    pub(super) from: IpAddr,
    /// The settings at the time it was accepted.
    pub(super) settings: Arc<WebSettings>,
}

impl Answers {
    /// The answer to a request. It keeps `serving` until its last byte is taken.
    pub(super) async fn answer<B>(
        &self,
        request: Request<B>,
        serving: Serving,
        connection: &Connection,
    ) -> Result<Response<Answer>, Infallible> {
        // Pipelined requests take turns with those of other clients.
        if serving.was_waiting {
            tokio::task::yield_now().await;
        }
        if !has_one_host(&request) {
            let text = "a request needs one Host header\n";
            return Ok(self.with_headers((StatusCode::BAD_REQUEST, text).into_response(), serving, connection));
        }
        // No route reads a body. hyper drops it: it reads what has arrived already, then closes the connection.
        let request = request.map(|_| Body::empty());
        let settings = self.settings.load_full();
        let path = request.uri().path();
        let open = self.health_without_auth && matches!(path, "/-/healthy" | "/-/ready");
        let verdict = if open {
            Verdict::Admitted
        } else {
            self.passwords
                .check(&settings.users, request.headers(), connection.from)
                .await
        };
        let response = match verdict {
            Verdict::Admitted => self.route(request).await,
            Verdict::Refused => {
                tracing::debug!(path, from = %connection.from, "refused: no user, or the wrong password");
                let ask = [(WWW_AUTHENTICATE, r#"Basic realm="wolkvox_exporter", charset="UTF-8""#)];
                (StatusCode::UNAUTHORIZED, ask, "user and password required\n").into_response()
            }
            Verdict::Busy => {
                let text = "too many passwords are being checked\n";
                (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], text).into_response()
            }
        };
        Ok(self.with_headers(response, serving, connection))
    }

    /// Adds the headers that every answer has.
    fn with_headers(
        &self,
        mut response: Response<Body>,
        serving: Serving,
        connection: &Connection,
    ) -> Response<Answer> {
        let settings = self.settings.load();
        let headers = response.headers_mut();
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let page = headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        if page {
            headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
            headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        }
        if !settings.has_same_tls(&connection.settings) {
            // This connection never met the TLS requirements that apply now.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        for (name, value) in &settings.headers {
            headers.insert(name, value.clone());
        }
        response.map(|body| Answer {
            body,
            _serving: serving,
        })
    }

    async fn route(&self, request: Request<Body>) -> Response<Body> {
        // A router is always ready. hyper's trait saves the dependency on tower.
        let router = hyper_util::service::TowerToHyperService::new(self.router.clone());
        router.call(request).await.unwrap_or_else(|never| match never {})
    }
}

/// Whether a request says exactly once which host it is for. Two may mean another one to a proxy than to us (RFC 9112, 3.2).
fn has_one_host<B>(request: &Request<B>) -> bool {
    let hosts = request.headers().get_all(HOST).iter().count();
    hosts == 1 || (hosts == 0 && request.version() < Version::HTTP_11)
}

/// A body that ends [`Serving`] when it is dropped.
pub(super) struct Answer {
    body: Body,
    _serving: Serving,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
