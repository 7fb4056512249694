//! Accepts connections and serves them.
//!
//! axum's own loop has neither a time-out for a request's head nor a connection limit: a few hundred silent clients
//! would lock the scraper out. Only HTTP/1.1 is supported: it is all that a scrape needs.

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
use super::connection::{Activity, TimedStream};
use super::connections::{ConnectionPermit, Connections};
use super::limits::Limits;
use super::web_config::{self, WebConfig};
use crate::metrics::process::CertificateExpiry;

/// Pause before the next attempt to accept if no file descriptor is left and no connection can be evicted.
const PAUSE: Duration = Duration::from_millis(20);

/// How clients are served.
#[derive(Debug, Default)]
pub struct ServerSettings {
    /// TLS, passwords and headers. `None` means plain HTTP without a password.
    pub config: Option<WebConfig>,
    /// Whether `/-/healthy` and `/-/ready` answer without a password.
    pub health_without_auth: bool,
    /// Limits on clients.
    pub limits: Limits,
}

struct Server {
    answers: Answers,
    connections: Arc<Connections>,
    limits: Limits,
}

/// Serves until `stop`, then finishes running requests and closes all other connections.
pub async fn serve(
    listeners: Vec<TcpListener>,
    router: Router,
    settings: ServerSettings,
    certificate: CertificateExpiry,
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
    // Dropping the set ends all its tasks.
    let mut tasks = JoinSet::new();
    if let Some(config) = config {
        certificate.set(config.certificate_expires());
        tasks.spawn(web_config::watch(
            config,
            live,
            certificate,
            limits.watch_every,
            stop.clone(),
        ));
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
                let permit = server.connections.acquire().await;
                let (server, stop) = (Arc::clone(&server), stop.clone());
                connections.spawn(async move { server.serve_connection(stream, from, permit, stop).await });
            }
            // The client went away while it waited.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            // File descriptors or memory are short. This passes; until then idle connections are evicted.
            Err(error) => {
                if server.connections.no_descriptor_logged.is_due() {
                    tracing::error!(%error, "cannot accept a connection; raise the limit of open files (LimitNOFILE in systemd)");
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
    /// Serves a connection until it ends, is evicted, or is idle at `stop`.
    async fn serve_connection(
        &self,
        stream: TcpStream,
        from: SocketAddr,
        permit: ConnectionPermit,
        stop: CancellationToken,
    ) {
        // Otherwise an answer's last piece waits until the client acknowledges the one before.
        let _ = stream.set_nodelay(true);
        let activity = &permit.activity;
        let connection = Connection {
            from: from.ip(),
            settings: self.answers.settings.load_full(),
        };
        let serving = async {
            let Some(tls) = connection.settings.tls.clone() else {
                return self.http(stream, activity, &connection, &stop).await;
            };
            let handshake = stop.run_until_cancelled(timeout(self.limits.handshake, accept_tls(stream, tls.config)));
            match handshake.await {
                Some(Ok(Ok(stream))) => self.http(stream, activity, &connection, &stop).await,
                // Only debug: scanners and load balancers fail here all day.
                Some(Ok(Err(error))) => tracing::debug!(%from, %error, "a TLS handshake failed"),
                Some(Err(_)) => tracing::debug!(%from, "a TLS handshake took too long"),
                None => {}
            }
        };
        tokio::select! {
            () = activity.evicted() => tracing::debug!(%from, "an idle connection was closed to make room"),
            () = serving => {}
        }
    }

    async fn http<S>(&self, stream: S, activity: &Arc<Activity>, about: &Connection, stop: &CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = TimedStream::new(stream, Arc::clone(activity), self.limits);
        let service = service_fn(|request: Request<Incoming>| self.answers.answer(request, activity.serve(), about));
        let connection = http1::Builder::new()
            // TimedStream has the time-outs.
            .header_read_timeout(None)
            .max_header_size(self.limits.head_bytes)
            .max_headers(self.limits.headers)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // Errors mean that the client went away, was too slow, or did not speak HTTP.
        tokio::select! {
            _ = connection.as_mut() => {}
            () = stop.cancelled() => if activity.is_serving() {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }
}

/// Shakes hands over TLS. A client that speaks plain HTTP gets a readable answer.
async fn accept_tls(mut stream: TcpStream, tls: Arc<ServerConfig>) -> io::Result<TlsStream<TcpStream>> {
    const ANSWER: &[u8] =
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
        this server speaks TLS: use https://\n";
    let mut first = [0];
    stream.peek(&mut first).await?;
    // A handshake begins with byte 22, an HTTP method with a letter.
    if first[0].is_ascii_uppercase() {
        // Closing with unread bytes would reset the connection and lose the answer.
        let _ = stream.read(&mut [0; 4096]).await?;
        stream.write_all(ANSWER).await?;
        return Err(io::Error::other("the client speaks plain HTTP"));
    }
    TlsAcceptor::from(tls).accept(stream).await
}
