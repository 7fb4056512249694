//! The way to the API: the server and the proxy before it, and what their failures mean.

use std::error::Error;
use std::io;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::Request;
use hyper::header::{HeaderValue, PROXY_AUTHORIZATION};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::error::{ApiError, Reason};
use super::tls;
use crate::config::Operation;
use crate::language::{Message, Text, system_error};

/// How long looking closer at a failure may take.
const LOOK_CLOSER: Duration = Duration::from_secs(5);

/// The words of the HTTP library for a name that cannot be resolved.
const DNS_ERROR: &str = "dns error";
/// Those for a proxy that answers `CONNECT` with anything but 200, and with 407.
const NO_TUNNEL: &str = "tunnel error: unsuccessful";
const NO_TUNNEL_407: &str = "tunnel error: proxy authorization required";
/// Those for a server that speaks before it was asked.
const SPEAKS_FIRST: &str = "received unexpected message from connection";
/// Those for a connection to a proxy that failed.
const NO_PROXY: &str = "tunnel error: failed to create underlying connection";

const PROXY_UNREACHABLE: Text = Text::new(
    "check that the proxy runs, and the proxy in the configuration",
    "revise que el proxy funcione, y el proxy en la configuración",
);
const PROXY_REFUSES: Text = Text::new(
    "ask who runs the proxy: it must let this host connect to the server, and its own public IP must be registered with the operation",
    "pregunte a quien administra el proxy: debe dejar que este equipo se conecte al servidor, y su propia IP pública debe estar registrada en la operación",
);
const PROXY_IS_SILENT: Text = Text::new(
    "check the proxy, and that its public IP is registered with the operation: Wolkvox does not answer others at all",
    "revise el proxy y que su IP pública esté registrada en la operación: Wolkvox no les responde a las demás",
);
const PROXY_PASSWORD: Text = Text::new(
    "put the right user and password into the proxy of the operation: http://USER:PASSWORD@HOST:PORT",
    "ponga el usuario y la contraseña correctos en el proxy de la operación: http://USER:PASSWORD@HOST:PORT",
);
const CHECK_NAME: Text = Text::new(
    "check the server or url of the operation, and this host's DNS",
    "revise server o url de la operación, y el DNS de este equipo",
);
const CHECK_PROXY_NAME: Text = Text::new(
    "check the proxy of the operation, and this host's DNS",
    "revise el proxy de la operación, y el DNS de este equipo",
);
const CHECK_ADDRESS: Text = Text::new(
    "check the server or url of the operation, and its port",
    "revise server o url de la operación, y su puerto",
);
const WRITE_HTTPS: Text = Text::new(
    "write https:// in the url of the operation, or the port for http",
    "escriba https:// en la url de la operación, o el puerto para http",
);

/// The way from here to an API. It prints addresses without user and password.
#[derive(Clone, Debug)]
pub(super) struct Route {
    server: Place,
    proxy: Option<Place>,
    /// What the proxy is told about us.
    credentials: Option<HeaderValue>,
}

/// Where a connection ends.
#[derive(Clone, Debug)]
struct Place {
    host: String,
    port: u16,
    has_tls: bool,
}

impl Place {
    fn of(address: &str) -> Option<Self> {
        let url = Url::parse(address).ok()?;
        Some(Self {
            host: url.host_str()?.to_owned(),
            port: url.port_or_known_default()?,
            has_tls: url.scheme() == "https",
        })
    }

    fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl Route {
    /// `None` for addresses that are none.
    pub(super) fn to(operation: &Operation) -> Option<Self> {
        let proxy = match &operation.proxy {
            Some(proxy) => Some(Place::of(proxy)?),
            None => None,
        };
        Some(Self {
            server: Place::of(&operation.base_url)?,
            proxy,
            credentials: operation.proxy.as_deref().and_then(credentials),
        })
    }

    /// Why a request got no answer.
    pub(super) async fn failure(&self, http: &reqwest::Client, error: reqwest::Error) -> ApiError {
        let error = error.without_url();
        if error.is_connect() {
            let failure = self.connect_failure(&error).await;
            return ApiError {
                was_sent: false,
                ..failure
            };
        }
        if causes(&error).any(is_no_http) {
            return if self.expects_tls(http).await {
                self.plain_to_tls()
            } else {
                self.no_http()
            };
        }
        self.broken(&error)
    }

    /// Why an answer ended before its end.
    pub(super) fn interruption(&self, error: reqwest::Error) -> ApiError {
        self.broken(&error.without_url())
    }

    /// No complete answer came in time.
    pub(super) fn timed_out(&self, what: String, spanish: String) -> ApiError {
        match &self.proxy {
            Some(proxy) => {
                let proxy = proxy.address();
                let what = Message::new(
                    format!("{what} through the proxy {proxy}"),
                    format!("{spanish} por el proxy {proxy}"),
                );
                ApiError::transient(Reason::Timeout, what).advise(PROXY_IS_SILENT)
            }
            None => ApiError::transient(Reason::Timeout, Message::new(what, spanish)),
        }
    }

    /// A failure that an answer shows by its status, but whose body is not the API's: perhaps the proxy speaks.
    pub(super) async fn refusal(&self, http: &reqwest::Client, status: u16, error: ApiError) -> ApiError {
        match &self.proxy {
            Some(proxy) if !self.server.has_tls && status == 407 => self.wants_password(proxy),
            Some(proxy) if !self.server.has_tls && matches!(status, 403 | 500..=599) => ApiError {
                reason: Reason::Status,
                what: Message::new(
                    format!(
                        "HTTP status {status}, from the proxy {} or from the server",
                        proxy.address()
                    ),
                    format!("estado HTTP {status}, del proxy {} o del servidor", proxy.address()),
                ),
                ..error
            }
            .advise(PROXY_REFUSES),
            None if status == 400 && self.expects_tls(http).await => self.plain_to_tls(),
            _ => error,
        }
    }

    /// Why there is no connection.
    async fn connect_failure(&self, error: &reqwest::Error) -> ApiError {
        let says = |words: &str| causes(error).any(|cause| cause.to_string() == words);
        // Through a proxy we speak to the server only after the proxy has connected us, and only with TLS.
        let at_proxy = (self.proxy.as_ref()).filter(|_| !self.server.has_tls || says(NO_PROXY));
        let (name, spanish) = match at_proxy {
            Some(proxy) => (
                format!("the proxy {}", proxy.address()),
                format!("el proxy {}", proxy.address()),
            ),
            None => (self.server.address(), self.server.address()),
        };
        if says(DNS_ERROR) {
            // A proxy resolves the name of the server itself.
            let why = why(error);
            let (what, advice) = match &self.proxy {
                Some(Place { host, .. }) => {
                    let what = Message::new(
                        format!("the name {host} of the proxy cannot be resolved: {why}"),
                        format!("el nombre {host} del proxy no se puede resolver: {}", why.spanish()),
                    );
                    (what, CHECK_PROXY_NAME)
                }
                None => {
                    let host = &self.server.host;
                    let what = Message::new(
                        format!("the name {host} cannot be resolved: {why}"),
                        format!("el nombre {host} no se puede resolver: {}", why.spanish()),
                    );
                    (what, CHECK_NAME)
                }
            };
            return ApiError::transient(Reason::Connect, what).advise(advice);
        }
        if error.is_timeout() {
            let what = format!("no connection to {name} in time");
            let spanish = format!("sin conexión a tiempo con {spanish}");
            return match at_proxy {
                None if self.proxy.is_some() => self.timed_out(what, spanish),
                at_proxy => {
                    let advice = at_proxy.map_or(Reason::Connect.advice(), |_| PROXY_UNREACHABLE);
                    ApiError::transient(Reason::Timeout, Message::new(what, spanish)).advise(advice)
                }
            };
        }
        if let Some(failure) = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
            return tls::failure(failure, &name, at_proxy.is_some());
        }
        match &self.proxy {
            Some(proxy) if says(NO_TUNNEL_407) => self.wants_password(proxy),
            Some(proxy) if says(NO_TUNNEL) => self.no_tunnel(proxy).await,
            Some(_) if at_proxy.is_some() => {
                ApiError::transient(Reason::Connect, no_connection(error, &name, &spanish)).advise(PROXY_UNREACHABLE)
            }
            Some(proxy) => {
                let server = self.server.address();
                let (proxy, why) = (proxy.address(), why(error));
                let what = Message::new(
                    format!("no connection to {server} through the proxy {proxy}: {why}"),
                    format!("sin conexión con {server} por el proxy {proxy}: {}", why.spanish()),
                );
                ApiError::transient(Reason::Connect, what).advise(PROXY_REFUSES)
            }
            None => ApiError::transient(Reason::Connect, no_connection(error, &name, &spanish)),
        }
    }

    /// A connection that broke after it was made.
    fn broken(&self, error: &reqwest::Error) -> ApiError {
        let in_body = error.is_body() || error.is_decode();
        let reason = broken_reason(error, in_body);
        let what = match reason {
            Reason::Timeout => {
                return self.timed_out(
                    "no complete answer in time".to_owned(),
                    "sin respuesta completa a tiempo".to_owned(),
                );
            }
            Reason::Truncated => Text::new("the answer ended early", "la respuesta terminó antes de tiempo").into(),
            Reason::Connect => {
                let (nearest, spanish) = self.nearest();
                let why = why(error);
                Message::new(
                    format!("{nearest} broke the connection: {why}"),
                    format!("{spanish} cortó la conexión: {}", why.spanish()),
                )
            }
            _ => why(error),
        };
        match reason {
            Reason::Connect => ApiError::transient(reason, what),
            _ => ApiError::new(reason, what),
        }
    }

    /// Where our connections end.
    fn nearest(&self) -> (String, String) {
        match &self.proxy {
            Some(proxy) => (
                format!("the proxy {} or the server behind it", proxy.address()),
                format!("el proxy {} o el servidor detrás de él", proxy.address()),
            ),
            None => (self.server.address(), self.server.address()),
        }
    }

    fn no_http(&self) -> ApiError {
        let what = match self.proxy.as_ref().filter(|_| !self.server.has_tls) {
            Some(proxy) => no_proxy(&proxy.address()),
            None => {
                let server = self.server.address();
                Message::new(
                    format!("what answers at {server} is no HTTP server"),
                    format!("lo que responde en {server} no es un servidor HTTP"),
                )
            }
        };
        let advice = match &self.proxy {
            Some(_) if !self.server.has_tls => PROXY_UNREACHABLE,
            _ => CHECK_ADDRESS,
        };
        ApiError::new(Reason::Decode, what).advise(advice)
    }

    fn plain_to_tls(&self) -> ApiError {
        let server = self.server.address();
        let what = Message::new(
            format!("{server} expects https, and was asked with http"),
            format!("{server} espera https, y se le preguntó con http"),
        );
        ApiError::new(Reason::Tls, what).advise(WRITE_HTTPS)
    }

    /// Whether a server that does not understand plain HTTP understands TLS.
    async fn expects_tls(&self, http: &reqwest::Client) -> bool {
        if self.server.has_tls || self.proxy.is_some() {
            return false;
        }
        let answer = http.head(format!("https://{}/", self.server.address())).send();
        match timeout(LOOK_CLOSER, answer).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => {
                let mut tls = causes(&error).filter_map(|cause| cause.downcast_ref::<rustls::Error>());
                tls.any(|error| !tls::is_no_tls(error))
            }
            Err(_) => false,
        }
    }

    fn wants_password(&self, proxy: &Place) -> ApiError {
        let proxy = proxy.address();
        let what = match self.credentials {
            Some(_) => Message::new(
                format!("the proxy {proxy} does not accept the user and password (HTTP status 407)"),
                format!("el proxy {proxy} no acepta el usuario y la contraseña (estado HTTP 407)"),
            ),
            None => Message::new(
                format!("the proxy {proxy} asks for a user and password (HTTP status 407)"),
                format!("el proxy {proxy} pide usuario y contraseña (estado HTTP 407)"),
            ),
        };
        ApiError::new(Reason::Connect, what).advise(PROXY_PASSWORD)
    }

    /// The proxy did not connect us. The HTTP library does not say how it answered, so we ask again.
    async fn no_tunnel(&self, proxy: &Place) -> ApiError {
        let (address, server) = (proxy.address(), self.server.address());
        let status = timeout(LOOK_CLOSER, self.status_of_connect(proxy)).await.ok();
        match status.unwrap_or(Ok(None)) {
            Ok(status) => {
                let with = |words: &str| status.map(|status| format!(" ({words} {status})")).unwrap_or_default();
                let what = Message::new(
                    format!(
                        "the proxy {address} does not connect to {server}{}",
                        with("HTTP status")
                    ),
                    format!("el proxy {address} no conecta con {server}{}", with("estado HTTP")),
                );
                ApiError::transient(Reason::Connect, what).advise(PROXY_REFUSES)
            }
            Err(_) => ApiError::new(Reason::Connect, no_proxy(&address)).advise(PROXY_UNREACHABLE),
        }
    }

    /// The status of the proxy's answer to `CONNECT`; `None` if it takes TLS to ask.
    async fn status_of_connect(&self, proxy: &Place) -> Result<Option<u16>, Box<dyn Error + Send + Sync>> {
        if proxy.has_tls {
            return Ok(None);
        }
        let connection = TcpStream::connect((proxy.host.trim_matches(['[', ']']), proxy.port)).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(connection)).await?;
        let server = self.server.address();
        let mut request = Request::connect(&server).header("host", &server);
        if let Some(credentials) = &self.credentials {
            request = request.header(PROXY_AUTHORIZATION, credentials);
        }
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(request.body(String::new())?).await;
        connection.abort();
        Ok(Some(answer?.status().as_u16()))
    }
}

/// The credentials in the address of a proxy, as the header that carries them.
fn credentials(proxy: &str) -> Option<HeaderValue> {
    let url = Url::parse(proxy).ok()?;
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text: &str| -> Vec<u8> { percent_decode_str(text).collect() };
    let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
    let encoded = BASE64_STANDARD.encode([&user[..], b":", &password].concat());
    let mut header = HeaderValue::from_str(&format!("Basic {encoded}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// Why a connection that was made broke.
fn broken_reason(error: &reqwest::Error, in_body: bool) -> Reason {
    if error.is_timeout() {
        return Reason::Timeout;
    }
    for cause in causes(error) {
        if cause.is::<rustls::Error>() {
            return Reason::Tls;
        }
        if (cause.downcast_ref::<hyper::Error>()).is_some_and(hyper::Error::is_incomplete_message) {
            // Before the head of an answer, the server closed the connection; inside a body, the answer was cut.
            return if in_body { Reason::Truncated } else { Reason::Connect };
        }
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        match cause.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(ConnectionReset | ConnectionAborted | BrokenPipe) => return Reason::Connect,
            Some(UnexpectedEof) if in_body => return Reason::Truncated,
            _ => {}
        }
    }
    match () {
        () if error.is_decode() => Reason::Decode,
        () if error.is_body() => Reason::Truncated,
        () => Reason::Other,
    }
}

/// Whether what came back does not even begin like an answer.
fn is_no_http(cause: &(dyn Error + 'static)) -> bool {
    let error = cause.downcast_ref::<hyper::Error>();
    error.is_some_and(|error| error.is_parse() || error.to_string() == SPEAKS_FIRST)
}

/// The error and its sources. `source` of an `io::Error` skips the error that it wraps, so we look at that as well.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    fn cause<'e>(error: &&'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
        let error = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    }
    std::iter::successors(Some(error), cause)
}

/// The cause of all, without the words of the layers above it.
pub(super) fn innermost<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    causes(error).last().unwrap_or(error)
}

/// The cause of all, in both languages.
fn why(error: &reqwest::Error) -> Message {
    let cause = innermost(error);
    match cause.downcast_ref::<hyper::Error>() {
        Some(hyper) if hyper.is_incomplete_message() => Message::new(
            cause.to_string(),
            "la conexión se cerró antes de que terminara la respuesta".to_owned(),
        ),
        _ => system_error(cause),
    }
}

fn no_connection(error: &reqwest::Error, name: &str, spanish: &str) -> Message {
    let why = why(error);
    Message::new(
        format!("no connection to {name}: {why}"),
        format!("sin conexión con {spanish}: {}", why.spanish()),
    )
}

fn no_proxy(address: &str) -> Message {
    Message::new(
        format!("what answers at the proxy {address} is no HTTP proxy"),
        format!("lo que responde en el proxy {address} no es un proxy HTTP"),
    )
}
