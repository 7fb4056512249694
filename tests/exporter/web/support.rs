//! An exporter without operations, its files, and clients that send single bytes.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;
use wolkvox_exporter::app::{self, Start};
use wolkvox_exporter::config::Config;
use wolkvox_exporter::web::{Limits, ServerSettings, WebConfig};

/// Nothing in these tests takes this long.
const TOO_LONG: Duration = Duration::from_secs(20);

/// Timeouts short enough to wait for in tests.
pub(crate) fn quick() -> Limits {
    Limits {
        head: Duration::from_millis(200),
        idle: Duration::from_millis(800),
        write_stall: Duration::from_millis(400),
        handshake: Duration::from_millis(300),
        watch_every: Duration::from_millis(10),
        ..Limits::default()
    }
}

/// A folder that is removed after the test.
pub(crate) struct Files(pub(crate) PathBuf);

impl Files {
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("wolkvox_exporter-{:016x}", fastrand::u64(..)));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    /// Replaces a file atomically: writes it under another name, then renames it.
    pub(crate) fn put(&self, name: &str, text: impl AsRef<[u8]>) {
        let new = self.0.join(format!("{name}.new"));
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.0.join(name)).unwrap();
    }

    /// Reads a web configuration with this text.
    pub(crate) fn load(&self, text: &str) -> Result<WebConfig, String> {
        self.put("web.yml", text);
        let folder = format!("{}/", self.0.display());
        WebConfig::load(&self.0.join("web.yml")).map_err(|mistakes| mistakes.to_string().replace(&folder, ""))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A certificate authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for `localhost` and its key, in PEM.
    pub(crate) fn issue(&self) -> (String, String) {
        self.issue_until(2099)
    }

    /// One that expires when a year begins.
    pub(crate) fn issue_until(&self, year: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }

    /// A client that trusts this authority; `identity` is its own certificate and key.
    pub(crate) fn client(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        identity: Option<&(String, String)>,
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match identity {
            Some((certificate, key)) => {
                let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![certificate], key).unwrap()
            }
            None => builder.with_no_client_auth(),
        })
    }
}

/// An exporter that serves.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) running: JoinHandle<anyhow::Result<()>>,
}

pub(crate) async fn start(settings: ServerSettings) -> Server {
    let socket = TcpSocket::new_v4().unwrap();
    // Its connections inherit it: the server must notice at once when an answer is not read.
    socket.set_send_buffer_size(4096).unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(64).unwrap();
    let address = listener.local_addr().unwrap();
    let running = app::start(Start {
        server: settings,
        ..Start::new(Config::default(), vec![listener])
    })
    .unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(running.run_until(stop.clone().cancelled_owned()));
    Server { address, stop, running }
}

/// With this web configuration and short timeouts.
pub(crate) async fn start_with(config: WebConfig) -> Server {
    start(ServerSettings {
        config: Some(config),
        limits: quick(),
        ..ServerSettings::default()
    })
    .await
}

impl Server {
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(crate) async fn connect_tls(&self, client: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(client).connect(name, self.connect().await).await
    }

    /// Sends one request over its own connection.
    pub(crate) async fn ask(&self, request: &str) -> String {
        ask(self.connect().await, request).await.unwrap()
    }

    /// The status of a page, with user and password.
    pub(crate) async fn status(&self, path: &str, credentials: Option<&str>) -> u16 {
        status(&self.ask(&get(path, credentials)).await)
    }

    /// The status of the metrics page for a client at another loopback address.
    pub(crate) async fn status_from(&self, address: [u8; 4], credentials: &str) -> u16 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((address, 0).into()).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        status(&ask(stream, &get("/metrics", Some(credentials))).await.unwrap())
    }

    /// The status over TLS; an error is one of the handshake or of the certificates.
    pub(crate) async fn status_over_tls(&self, client: Arc<ClientConfig>) -> Result<u16, String> {
        self.metrics_over_tls(client).await.map(|answer| status(&answer))
    }

    /// The answer with the metrics over TLS.
    pub(crate) async fn metrics_over_tls(&self, client: Arc<ClientConfig>) -> Result<String, String> {
        let stream = self.connect_tls(client).await.map_err(|error| error.to_string())?;
        // With TLS 1.3, the client learns only later that its certificate was refused.
        let answer = ask(stream, &get("/metrics", None)).await;
        answer.map_err(|error| error.to_string())
    }
}

pub(crate) fn get(path: &str, credentials: Option<&str>) -> String {
    let authorization = credentials.map(|pair| format!("Authorization: Basic {}\r\n", BASE64_STANDARD.encode(pair)));
    let authorization = authorization.unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nHost: test\r\n{authorization}Connection: close\r\n\r\n")
}

/// Sends the request, and reads until the other side closes.
pub(crate) async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> io::Result<String> {
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    tokio::time::timeout(TOO_LONG, stream.read_to_end(&mut answer))
        .await
        .unwrap()?;
    Ok(String::from_utf8(answer).unwrap())
}

pub(crate) fn status(answer: &str) -> u16 {
    let line = answer.lines().next().unwrap_or_default();
    let code = line
        .split(' ')
        .nth(1)
        .unwrap_or_else(|| panic!("no answer: {answer:?}"));
    code.parse().unwrap()
}

/// The time until the other side closes.
pub(crate) async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) -> Duration {
    let start = Instant::now();
    let mut buffer = vec![0; 1 << 16];
    let closed = async { while matches!(stream.read(&mut buffer).await, Ok(1..)) {} };
    tokio::time::timeout(TOO_LONG, closed).await.unwrap();
    start.elapsed()
}

/// Repeats until it is true.
pub(crate) async fn until(mut attempt: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !attempt().await {
        assert!(start.elapsed() < TOO_LONG, "it never came true");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
