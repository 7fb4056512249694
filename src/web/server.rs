//! Accepts connections and serves them, whoever else is there.
//!
//! axum's own loop has neither a time-out for a request's head nor a limit of connections: some hundred clients that
//! say nothing would keep the scraper out. Only HTTP/1.1 is spoken, as with the API: it is all that a scrape needs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::answer::{Answers, Connection};
use super::auth::Passwords;
use super::connection::{Activity, Patient};
use super::connections::{Connections, Place};
use super::limits::Limits;
use super::web_config::{self, WebConfig};

/// Between two attempts to accept, when the system gives no connection and none can be closed for it.
const PAUSE: Duration = Duration::from_millis(20);

/// How clients are served.
#[derive(Debug, Default)]
pub struct ServerSettings {
    /// TLS, passwords and headers; `None` is plain HTTP for everyone.
    pub config: Option<WebConfig>,
    /// Whether `/-/healthy` and `/-/ready` answer without a password.
    pub health_without_auth: bool,
    /// What protects from slow and from many clients.
    pub limits: Limits,
}

struct Server {
    answers: Answers,
    connections: Arc<Connections>,
    limits: Limits,
}

/// Serves until `stop`; then requests under way are finished, and all other connections closed.
pub async fn serve(
    listeners: Vec<TcpListener>,
    router: Router,
    settings: ServerSettings,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let ServerSettings {
        config,
        health_without_auth,
        limits,
    } = settings;
    let live = config.as_ref().map(|config| Arc::clone(&config.settings));
    let live = Arc::new(ArcSwap::new(live.unwrap_or_default()));
    let server = Arc::new(Server {
        answers: Answers {
            router,
            settings: Arc::clone(&live),
            passwords: Passwords::new(limits.connections).context("the system has no random numbers")?,
            health_without_auth,
        },
        connections: Connections::new(limits.connections),
        limits,
    });
    // All tasks end with this one, also when it is dropped.
    let mut tasks = JoinSet::new();
    if let Some(config) = config {
        tasks.spawn(web_config::watch(config, live, limits.watch_every, stop.clone()));
    }
    for listener in listeners {
        tasks.spawn(accept(Arc::clone(&server), listener, stop.clone()));
    }
    while let Some(ended) = tasks.join_next().await {
        ended.context("serving failed")?;
    }
    Ok(())
}

async fn accept(server: Arc<Server>, listener: TcpListener, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, from)) => {
                let place = server.connections.enter().await;
                let (server, stop) = (Arc::clone(&server), stop.clone());
                connections.spawn(async move { server.converse(stream, from, place, stop).await });
            }
            // The client went away while it waited.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            // Descriptors or memory are short, whoever has taken them: that passes, and until then idle connections go.
            Err(error) => {
                if server.connections.said_no_descriptor.is_due() {
                    tracing::error!(%error, "a connection cannot be accepted; raise the limit of open files (LimitNOFILE of systemd)");
                }
                if !server.connections.make_room().await {
                    sleep(PAUSE).await;
                }
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

impl Server {
    /// Serves a connection until it is over, is needed for another one, or is to end without being served a request.
    async fn converse(&self, stream: TcpStream, from: SocketAddr, place: Place, stop: CancellationToken) {
        // An answer's last piece is not to wait for the client's acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let activity = &place.activity;
        let connection = Connection {
            from: from.ip(),
            settings: self.answers.settings.load_full(),
        };
        let conversation = async {
            let Some(tls) = connection.settings.tls.clone() else {
                return self.http(stream, activity, &connection, &stop).await;
            };
            let shaken = stop.run_until_cancelled(timeout(self.limits.handshake, handshake(stream, tls.config)));
            match shaken.await {
                Some(Ok(Ok(stream))) => self.http(stream, activity, &connection, &stop).await,
                // Scanners and load balancers fail here all day.
                Some(Ok(Err(error))) => tracing::debug!(%from, %error, "a TLS handshake failed"),
                Some(Err(_)) => tracing::debug!(%from, "a TLS handshake took too long"),
                None => {}
            }
        };
        tokio::select! {
            () = activity.evicted() => tracing::debug!(%from, "an idle connection was closed to make room"),
            () = conversation => {}
        }
    }

    async fn http<S>(&self, stream: S, activity: &Arc<Activity>, about: &Connection, stop: &CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = Patient::new(stream, Arc::clone(activity), self.limits);
        let service = service_fn(|request: Request<Incoming>| self.answers.answer(request, activity.serve(), about));
        let connection = http1::Builder::new()
            // The stream has the time-outs.
            .header_read_timeout(None)
            .max_header_size(self.limits.head_bytes)
            .max_headers(self.limits.headers)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // Errors are clients that went away, were too slow, or spoke something else.
        tokio::select! {
            _ = connection.as_mut() => {}
            () = stop.cancelled() => if activity.is_serving() {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }
}

/// A client that speaks plain HTTP is told so, since all it would see otherwise is bytes.
async fn handshake(mut stream: TcpStream, tls: Arc<ServerConfig>) -> io::Result<TlsStream<TcpStream>> {
    const ANSWER: &[u8] =
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
        TLS is spoken here: the address begins with https://\n";
    let mut first = [0];
    stream.peek(&mut first).await?;
    // A handshake begins with 22, a method with a letter.
    if first[0].is_ascii_uppercase() {
        // Closing with bytes unread would take the answer back.
        let _ = stream.read(&mut [0; 4096]).await?;
        stream.write_all(ANSWER).await?;
        return Err(io::Error::other("the client speaks plain HTTP"));
    }
    TlsAcceptor::from(tls).accept(stream).await
}
