//! TLS with real handshakes.

use rustls::version::{TLS12, TLS13};

use super::support::{Authority, Files, get, quick, start_with, status, until, until_closed};

const BOTH: &[&rustls::SupportedProtocolVersion] = &[&TLS12, &TLS13];

const PLAIN: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";

fn put_pair(files: &Files, (certificate, key): &(String, String)) {
    files.put("server.crt", certificate);
    files.put("server.key", key);
}

fn served_by(authority: &Authority) -> Files {
    let files = Files::new();
    put_pair(&files, &authority.issue());
    files
}

#[tokio::test]
async fn versions_and_cipher_suites_are_those_of_the_configuration() {
    let authority = Authority::new();
    let files = served_by(&authority);
    for (lines, over_12, over_13) in [
        ("", true, true),
        ("  min_version: TLS13\n", false, true),
        ("  max_version: TLS12\n", true, false),
        (
            "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n",
            true,
            true,
        ),
        // The key does not fit any TLS 1.2 cipher suite.
        (
            "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n",
            false,
            true,
        ),
        ("  curve_preferences: [CurveP384]\n", true, true),
    ] {
        let server = start_with(files.load(&format!("{PLAIN}{lines}")).unwrap()).await;
        for (version, expected) in [(&TLS12, over_12), (&TLS13, over_13)] {
            let result = server.status_over_tls(authority.client(&[version], None)).await;
            assert_eq!(result.is_ok(), expected, "{lines}{version:?}: {result:?}");
        }
    }
    let suite = "  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]\n";
    let server = start_with(files.load(&format!("{PLAIN}{suite}")).unwrap()).await;
    let stream = server.connect_tls(authority.client(BOTH, None)).await.unwrap();
    let negotiated = stream.get_ref().1.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(
        format!("{negotiated:?}"),
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
    );
}

#[tokio::test]
async fn a_client_shows_a_certificate_where_one_is_demanded() {
    let (authority, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let files = served_by(&authority);
    files.put("clients.crt", clients.pem());
    let (known, stranger) = (clients.issue(), strangers.issue());
    for (policy, without) in [("RequireAndVerifyClientCert", false), ("VerifyClientCertIfGiven", true)] {
        let text = format!("{PLAIN}  client_ca_file: clients.crt\n  client_auth_type: {policy}\n");
        let server = start_with(files.load(&text).unwrap()).await;
        for version in BOTH {
            let ask = async |identity| server.status_over_tls(authority.client(&[version], identity)).await;
            assert_eq!(ask(Some(&known)).await, Ok(200), "{policy} {version:?}");
            assert!(ask(Some(&stranger)).await.is_err(), "{policy} {version:?}");
            assert_eq!(ask(None).await.is_ok(), without, "{policy} {version:?}");
        }
    }
}

#[tokio::test]
async fn certificates_are_exchanged_without_a_restart() {
    let (old, new) = (Authority::new(), Authority::new());
    let files = served_by(&old);
    let server = start_with(files.load(PLAIN).unwrap()).await;
    let ask = async |authority: &Authority| server.status_over_tls(authority.client(BOTH, None)).await;
    assert_eq!(ask(&old).await, Ok(200));
    assert!(ask(&new).await.is_err());

    // A certificate without its key, then half a key, then a missing one: the old pair stays in use.
    let (certificate, key) = new.issue();
    files.put("server.crt", &certificate);
    for half in [&key[..0], &key[..key.len() / 2]] {
        tokio::time::sleep(quick().watch_every * 10).await;
        assert_eq!(ask(&old).await, Ok(200));
        files.put("server.key", half);
    }
    std::fs::remove_file(files.0.join("server.key")).unwrap();
    tokio::time::sleep(quick().watch_every * 10).await;
    assert_eq!(ask(&old).await, Ok(200));
    files.put("server.key", key);
    until(async || ask(&new).await == Ok(200)).await;
}

#[tokio::test]
async fn metrics_tell_when_the_certificate_expires() {
    const NAME: &str = "wolkvox_exporter_certificate_expiry_timestamp_seconds";
    let authority = Authority::new();
    let files = Files::new();
    put_pair(&files, &authority.issue_until(2041));
    let server = start_with(files.load(PLAIN).unwrap()).await;
    let shown = async || {
        let page = server.metrics_over_tls(authority.client(BOTH, None)).await.unwrap();
        let line = page.lines().find_map(|line| line.strip_prefix(NAME)).unwrap();
        line.trim().parse::<f64>().unwrap()
    };
    // date -d 2041-01-01Z +%s
    assert_eq!(shown().await, 2_240_611_200.0);

    // The renewed certificate lasts longer than another one of its chain.
    let (certificate, key) = authority.issue_until(2051);
    let (between, _) = authority.issue_until(2046);
    put_pair(&files, &(certificate + &between, key));
    until(async || shown().await == 2_398_377_600.0).await;

    let plain = start_with(files.load("").unwrap()).await;
    assert!(!plain.ask(&get("/metrics", None)).await.contains(NAME));
}

/// As in Kubernetes: the files are links through a folder that is itself a link.
#[tokio::test]
async fn a_swapped_link_is_a_change() {
    let (old, new) = (Authority::new(), Authority::new());
    let files = Files::new();
    for (name, authority) in [("1", &old), ("2", &new)] {
        let (certificate, key) = authority.issue();
        std::fs::create_dir(files.0.join(name)).unwrap();
        files.put(&format!("{name}/server.crt"), certificate);
        files.put(&format!("{name}/server.key"), key);
    }
    let link = |name: &str, to: &str| {
        std::os::unix::fs::symlink(to, files.0.join("link.new")).unwrap();
        std::fs::rename(files.0.join("link.new"), files.0.join(name)).unwrap();
    };
    link("data", "1");
    link("server.crt", "data/server.crt");
    link("server.key", "data/server.key");
    let server = start_with(files.load(PLAIN).unwrap()).await;
    assert_eq!(server.status_over_tls(old.client(BOTH, None)).await, Ok(200));
    link("data", "2");
    until(async || server.status_over_tls(new.client(BOTH, None)).await == Ok(200)).await;
}

#[tokio::test]
async fn a_half_written_file_takes_neither_tls_nor_the_demand_for_certificates_away() {
    let authority = Authority::new();
    let files = served_by(&authority);
    files.put("clients.crt", authority.pem());
    let text = format!("{PLAIN}  client_ca_file: clients.crt\n  client_auth_type: RequireAndVerifyClientCert\n");
    let server = start_with(files.load(&text).unwrap()).await;
    let identity = authority.issue();
    for half in ["", "tls_server_config:\n", PLAIN, &PLAIN[..30]] {
        files.put("web.yml", half);
        tokio::time::sleep(quick().watch_every * 10).await;
        assert!(
            server.status_over_tls(authority.client(BOTH, None)).await.is_err(),
            "{half}"
        );
        assert_eq!(
            server.status_over_tls(authority.client(BOTH, Some(&identity))).await,
            Ok(200),
            "{half}"
        );
    }
}

#[tokio::test]
async fn a_client_without_tls_gets_a_hint_or_is_closed() {
    let authority = Authority::new();
    let server = start_with(served_by(&authority).load(PLAIN).unwrap()).await;
    let answer = server.ask(&get("/metrics", None)).await;
    assert_eq!(status(&answer), 400);
    assert!(answer.ends_with("this server speaks TLS: use https://\n"), "{answer}");

    let mut silent = server.connect().await;
    let waited = until_closed(&mut silent).await;
    assert!(waited >= quick().handshake && waited < quick().idle, "{waited:?}");
}
