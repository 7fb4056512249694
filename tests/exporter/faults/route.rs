//! The way to the API: proxies, names, ports and TLS. Each failure names what failed and what helps.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use wolkvox_exporter::config::{CaFile, Operation};
use wolkvox_exporter::reports::CAMPAIGNS;
use wolkvox_simulator::OperationPlan;

use super::TEN;
use crate::support::{Stage, get, zone};

/// No rows, which is a success.
const NO_ROWS: &str = "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\
                       {\"code\":\"404\",\"error\":\"Not Found\",\"msg\":\"validate dates\"}";

/// How a poll ended: its reason, or `up`, and what the status page says.
struct End {
    reason: String,
    page: String,
}

impl End {
    async fn of(adjust: impl FnOnce(&mut Operation)) -> Self {
        let plan = OperationPlan::new("acme", zone("America/Bogota"));
        let mut stage = Stage::with(TEN, plan, |operation, _| adjust(operation)).await;
        stage.poll(&CAMPAIGNS, TEN).await;
        let failures = stage.samples().await;
        let failed = failures.iter().find_map(|(name, labels, value)| {
            (name == "wolkvox_report_poll_failures_total" && value > 0.0).then(|| labels["reason"].clone())
        });
        let page = get(&stage.page.0.replace("/metrics", "/"), &[])
            .await
            .text()
            .await
            .unwrap();
        Self {
            reason: failed.unwrap_or_else(|| "up".to_owned()),
            page: page.split_once("</style>").unwrap().1.to_owned(),
        }
    }

    #[track_caller]
    fn says(&self, reason: &str, words: &[&str]) {
        assert_eq!(self.reason, reason, "{}", self.page);
        for words in words {
            assert!(self.page.contains(words), "not {words:?}: {}", self.page);
        }
        for secret in ["swordfish", "c3dvcmRmaXNo", "report it"] {
            assert!(!self.page.contains(secret), "{secret}: {}", self.page);
        }
    }
}

/// Sends this to every connection, to some after they have spoken, and closes it.
async fn server(speaks_first: bool, text: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, speaks_first, text));
        }
    });
    address
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, speaks_first: bool, text: &'static str) {
    let mut heard = [0; 4096];
    if !speaks_first {
        let _ = stream.read(&mut heard).await;
    }
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
    // Bytes that nobody has read would make the system reset the connection.
    while stream.read(&mut heard).await.is_ok_and(|length| length > 0) {}
}

/// A port at which nobody listens.
async fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A proxy that tunnels every `CONNECT` to one server.
async fn tunnel_to(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let Ok(mut upstream) = TcpStream::connect(server).await else {
                    return;
                };
                let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut upstream).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn failures_behind_a_proxy_name_the_proxy() {
    let proxied = async |server: &str, proxy: String| {
        End::of(|operation| {
            operation.base_url = server.to_owned();
            operation.proxy = Some(proxy);
        })
        .await
    };
    let (https, http) = ("https://wolkvox.test", "http://wolkvox.test");
    let nobody = free().await;
    for server in [https, http] {
        let end = proxied(server, format!("http://me:swordfish@{nobody}")).await;
        let name = format!("no connection to the proxy {nobody}: Connection refused");
        end.says("connect", &[&name, "check that the proxy runs"]);
        assert!(!end.page.contains("public IP"), "{}", end.page);

        let end = proxied(server, "http://me:swordfish@proxy.invalid:3128".to_owned()).await;
        end.says(
            "connect",
            &["the name proxy.invalid of the proxy cannot be resolved", "host's DNS"],
        );
    }

    // It does not tunnel.
    let refusals = [
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nNo", "403"),
        ("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", "503"),
        ("HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n<html>", "502"),
    ];
    for (refusal, status) in refusals {
        let proxy = server(false, refusal).await;
        let end = proxied(https, format!("http://{proxy}")).await;
        let name = format!("the proxy {proxy} does not connect to wolkvox.test:443 (HTTP status {status})");
        end.says("connect", &[&name, "its own public IP must be registered"]);
        // For plain HTTP, only the body can tell whose answer it is.
        let end = proxied(http, format!("http://{proxy}")).await;
        let name = format!("HTTP status {status}, from the proxy {proxy} or from the server");
        end.says("status", &[&name]);
    }
    let asks = "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 2\r\n\r\n{}";
    let proxy = server(false, asks).await;
    for server in [https, http] {
        let end = proxied(server, format!("http://{proxy}")).await;
        let name = format!("the proxy {proxy} asks for a user and password (HTTP status 407)");
        end.says("connect", &[&name, "into the proxy of the operation"]);
        let end = proxied(server, format!("http://me:swordfish@{proxy}")).await;
        end.says(
            "connect",
            &[&format!("the proxy {proxy} does not accept the user and password")],
        );
    }

    // It is none, or not with TLS, or only with TLS.
    let ssh = server(true, "SSH-2.0-OpenSSH_9.2\r\n").await;
    for server in [https, http] {
        let end = proxied(server, format!("http://{ssh}")).await;
        let reason = if server == https { "connect" } else { "decode" };
        end.says(reason, &[&format!("what answers at the proxy {ssh} is no HTTP proxy")]);
        let end = proxied(server, format!("https://{ssh}")).await;
        let name = format!("the proxy {ssh} was asked with https, and does not speak TLS");
        end.says("tls", &[&name, "write http:// in the proxy"]);
    }

    // The proxy works, and what is behind it does not.
    let plain = server(false, NO_ROWS).await;
    let proxy = tunnel_to(plain).await;
    let end = proxied(https, format!("http://{proxy}")).await;
    end.says(
        "tls",
        &["wolkvox.test:443 was asked with https, and does not speak TLS"],
    );
    let silent = server(false, "").await;
    let proxy = tunnel_to(silent).await;
    let end = proxied(https, format!("http://{proxy}")).await;
    let name = format!("no connection to wolkvox.test:443 through the proxy {proxy}");
    end.says("connect", &[&name, "ask who runs the proxy"]);

    // Wolkvox's own refusal is not blamed on the proxy.
    let refuses = "HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n\
                   {\"code\":\"403\",\"error\":\"Forbidden\",\"msg\":\"please validate token\"}";
    let proxy = server(false, refuses).await;
    let end = proxied(http, format!("http://{proxy}")).await;
    end.says("auth", &["does not accept the token"]);
}

#[tokio::test]
async fn a_proxy_that_is_silent_is_named() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = silent.local_addr().unwrap();
    for server in ["https://wolkvox.test", "http://wolkvox.test"] {
        let end = End::of(|operation| {
            operation.base_url = server.to_owned();
            operation.proxy = Some(format!("http://me:swordfish@{proxy}"));
            for report in operation.reports.values_mut() {
                report.timeout = std::time::Duration::from_millis(100);
            }
        })
        .await;
        end.says(
            "timeout",
            &[
                &format!("in 100ms through the proxy {proxy}"),
                "its public IP is registered",
            ],
        );
    }
}

#[tokio::test]
async fn a_wrong_address_is_named_as_what_it_is() {
    let direct = async |url: String| End::of(|operation| operation.base_url = url).await;
    let end = direct("https://wv9999.invalid".to_owned()).await;
    end.says(
        "connect",
        &["the name wv9999.invalid cannot be resolved", "server or url"],
    );
    let nobody = free().await;
    let end = direct(format!("https://{nobody}")).await;
    let name = format!("no connection to {nobody}: Connection refused");
    end.says("connect", &[&name, "public IP is registered"]);

    for banner in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "220 mail.example ESMTP\r\n",
        "\0\u{1}\u{2}garbage",
    ] {
        let other = server(true, banner).await;
        let end = direct(format!("http://{other}")).await;
        let name = format!("what answers at {other} is no HTTP server");
        end.says(
            "decode",
            &[&name, "check the server or url of the operation, and its port"],
        );
        let end = direct(format!("https://{other}")).await;
        let name = format!("{other} was asked with https, and does not speak TLS");
        end.says("tls", &[&name, "write http:// if it is a gateway without TLS"]);
        assert!(!end.page.contains("CA roots"), "{}", end.page);
    }
    let plain = server(false, NO_ROWS).await;
    direct(format!("http://{plain}")).await.says("up", &[]);
    let end = direct(format!("https://{plain}")).await;
    end.says(
        "tls",
        &[&format!("{plain} was asked with https, and does not speak TLS")],
    );
}

/// A TLS server that answers without rows.
async fn tls_server(certificate: &str, key: &str) -> SocketAddr {
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer(stream, false, NO_ROWS).await;
                }
            });
        }
    });
    address
}

/// A certificate for 127.0.0.1 that signs itself, and its key.
fn self_signed(adjust: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    adjust(&mut params);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[tokio::test]
async fn plain_http_at_a_port_for_tls_is_named() {
    let (certificate, key) = self_signed(|_| {});
    let tls = tls_server(&certificate, &key).await;
    let end = End::of(|operation| operation.base_url = format!("http://{tls}")).await;
    end.says(
        "tls",
        &[
            &format!("{tls} expects https, and was asked with http"),
            "write https:// in the url",
        ],
    );
}

#[tokio::test]
async fn certificates_work_or_are_told_as_what_they_are() {
    let trusting = async |server: SocketAddr, pem: Option<&str>| {
        End::of(|operation| {
            operation.base_url = format!("https://{server}");
            operation.ca_file = pem.map(|pem| CaFile {
                path: "ca.pem".into(),
                pem: pem.as_bytes().to_vec(),
            });
        })
        .await
    };
    let other = self_signed(|_| {}).0;
    let stranger = self_signed(|params| {
        params.distinguished_name.push(rcgen::DnType::CommonName, "a stranger");
    });

    // One that signs itself and is no CA.
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
        let (certificate, key) = self_signed(|params| params.is_ca = is_ca);
        let server = tls_server(&certificate, &key).await;
        trusting(server, Some(certificate.as_str())).await.says("up", &[]);
        let name = format!("the certificate of {server}");
        let end = trusting(server, Some(stranger.0.as_str())).await;
        end.says("tls", &[&format!("{name} was issued by an unknown CA"), "set ca_file"]);
        // The same names, as after a CA was made again.
        let end = trusting(server, Some(other.as_str())).await;
        end.says(
            "tls",
            &[
                &format!("{name} does not fit the CA of its issuer's name"),
                "set ca_file",
            ],
        );
    }

    // As `openssl req -x509` makes it.
    let (certificate, key) = self_signed(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let server = tls_server(&certificate, &key).await;
    let end = trusting(server, Some(certificate.as_str())).await;
    let name = format!("the certificate of {server} is that of a CA, which no server may use as its own");
    end.says("tls", &[&name, "-addext basicConstraints=critical,CA:FALSE"]);

    // A CA, and the certificate that it made.
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let issue = |adjust: &dyn Fn(&mut CertificateParams)| {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        adjust(&mut params);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &ca).unwrap().pem(), key.serialize_pem())
    };
    type Adjust = fn(&mut CertificateParams);
    let cases: [(Adjust, &str, &str, &str); 4] = [
        (|_| {}, "up", "", ""),
        (
            |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1),
            "tls",
            "has expired",
            "must renew the certificate",
        ),
        (
            |params| params.not_before = rcgen::date_time_ymd(2090, 1, 1),
            "tls",
            "is not valid yet",
            "host's clock",
        ),
        (
            |params| {
                params.subject_alt_names = vec![rcgen::SanType::DnsName(
                    "elsewhere.example".to_owned().try_into().unwrap(),
                )];
            },
            "tls",
            "is for another name",
            "subjectAltName",
        ),
    ];
    for (adjust, reason, what, advice) in cases {
        let (certificate, key) = issue(&adjust);
        let server = tls_server(&certificate, &key).await;
        trusting(server, Some(ca.pem().as_str()))
            .await
            .says(reason, &[what, advice]);
    }
}
