//! The web configuration: what is accepted, what is refused, and with which messages.

use insta::assert_snapshot;

use super::support::{Authority, Files, start_with};

const HASH: &str = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze";

/// A folder with certificates.
fn files() -> Files {
    let files = Files::new();
    let authority = Authority::new();
    let (certificate, key) = authority.issue();
    let (_, other_key) = authority.issue();
    files.put("ca.crt", authority.pem());
    files.put("server.crt", &certificate);
    files.put("server.key", key);
    files.put("other.key", other_key);
    files.put("half.crt", &certificate[..certificate.len() / 2]);
    files.put("empty.crt", "");
    files.put(
        "locked.key",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    files
}

#[test]
fn every_setting_that_is_served_is_accepted() {
    let files = files();
    let config = files
        .load(&format!(
            r#"
tls_server_config:
  cert_file: server.crt
  key_file: {}/server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  min_version: TLS12
  max_version: TLS13
  cipher_suites:
    - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    - TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
  prefer_server_cipher_suites: false
  curve_preferences: [CurveP256, X25519, CurveP384]
http_server_config:
  http2: false
  headers:
    Content-Security-Policy: "default-src 'none'"
    X-Frame-Options: sameorigin
    X-Content-Type-Options: nosniff
    X-XSS-Protection: ""
    Strict-Transport-Security: max-age=31536000
basic_auth_users:
  alice: {HASH}
  "bob smith": {HASH}
"#,
            files.0.display()
        ))
        .unwrap();
    assert!(config.has_tls());
    assert_eq!(config.users(), 2);

    for nothing in [
        "",
        "tls_server_config:\nhttp_server_config:\nbasic_auth_users:\n",
        "basic_auth_users: {}",
        "tls_server_config: {}",
    ] {
        let config = files.load(nothing).unwrap();
        assert!(!config.has_tls() && config.users() == 0, "{nothing}");
    }
}

#[test]
fn certificates_may_stand_in_the_file_itself() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue();
    let block = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    let text = format!(
        "tls_server_config:\n  cert: |\n{}  key: |\n{}  client_ca: |\n{}  client_auth_type: VerifyClientCertIfGiven\n",
        block(&certificate),
        block(&key),
        block(&authority.pem()),
    );
    assert!(Files::new().load(&text).unwrap().has_tls());
}

/// The mistakes in a TLS section with these lines after certificate and key.
fn wrong_tls(files: &Files, lines: &[&str]) -> String {
    let texts = lines.iter().map(|lines| {
        let text = format!("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  {lines}\n");
        files.load(&text).unwrap_err()
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_not_served_is_refused_by_name() {
    let files = files();
    assert_snapshot!(
        wrong_tls(
            &files,
            &[
                "client_auth_type: RequestClientCert",
                "client_auth_type: RequireAnyClientCert",
                "client_auth_type: RequireAndVerifyClientCerts",
                "client_auth_type: RequireAndVerifyClientCert",
                "client_ca_file: ca.crt",
                "client_allowed_sans: [prometheus]",
                "min_version: TLS10",
                "min_version: TLS11",
                "max_version: TLS1.3",
                "min_version: TLS13\n  max_version: TLS12",
                "cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]",
                "cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA257]",
                "cipher_suites: [TLS_AES_128_GCM_SHA256]",
                "cipher_suites: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                "curve_preferences: [CurveP521, X25519MLKEM768]",
                "prefer_server_cipher_suites: yes",
                "min_versoin: TLS12",
                "cert: inline",
            ]
        ),
        @"
    web.yml:4: tls_server_config.client_auth_type: RequestClientCert is not supported, since it accepts any self-made certificate: use RequireAndVerifyClientCert
    web.yml:4: tls_server_config.client_auth_type: RequireAnyClientCert is not supported, since it accepts any self-made certificate: use RequireAndVerifyClientCert
    web.yml:4: tls_server_config.client_auth_type: `RequireAndVerifyClientCerts` is not supported; did you mean RequireAndVerifyClientCert?
    web.yml:1: tls_server_config: `client_ca_file` is missing: `client_auth_type` needs the CA of the clients' certificates
    web.yml:4: tls_server_config.client_ca_file: has no effect without `client_auth_type: RequireAndVerifyClientCert`: add that, or remove this
    web.yml:4: tls_server_config.client_allowed_sans: is not supported: use a separate CA for the scrapers' certificates, and set `client_ca_file` to it
    web.yml:4: tls_server_config.min_version: TLS10 is not supported, since it is insecure: use TLS12 or TLS13
    web.yml:4: tls_server_config.min_version: TLS11 is not supported, since it is insecure: use TLS12 or TLS13
    web.yml:4: tls_server_config.max_version: `TLS1.3` is not supported; did you mean TLS13?
    web.yml:1: tls_server_config: `min_version` is higher than `max_version`: no version is left
    web.yml:4: tls_server_config.cipher_suites[0]: `TLS_RSA_WITH_AES_128_CBC_SHA` is not supported; did you mean TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256?
    web.yml:4: tls_server_config.cipher_suites[0]: `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA257` is not supported; did you mean TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256?
    web.yml:4: tls_server_config.cipher_suites[0]: TLS_AES_128_GCM_SHA256 is a suite of TLS 1.3, and those are always offered: remove it
    web.yml:4: tls_server_config.cipher_suites: expected a list of cipher suites of TLS 1.2; found a single value
    web.yml:4: tls_server_config.curve_preferences[0]: `CurveP521` is not supported; did you mean CurveP256?
    web.yml:4: tls_server_config.curve_preferences[1]: `X25519MLKEM768` is not supported; use one of X25519, CurveP256, CurveP384
    web.yml:4: tls_server_config.prefer_server_cipher_suites: expected true or false; found `yes`
    web.yml:4: tls_server_config.min_versoin: unknown key; did you mean `min_version`?
    web.yml:4: tls_server_config.cert: `cert_file` is set as well: keep one of them
    "
    );
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let files = files();
    let tls = |cert: &str, key: &str| {
        let text = format!("tls_server_config:\n  cert_file: {cert}\n  key_file: {key}\n");
        files.load(&text).unwrap_err()
    };
    let all = [
        tls("missing.crt", "server.key"),
        tls("half.crt", "server.key"),
        tls("empty.crt", "server.key"),
        tls("server.key", "server.crt"),
        tls("server.crt", "other.key"),
        tls("server.crt", "locked.key"),
        tls("\"\"", "."),
        files.load("tls_server_config:\n  min_version: TLS13\n").unwrap_err(),
        files.load("tls_server_config:\n  cert_file: server.crt\n").unwrap_err(),
        files.load("tls_server_config: [server.crt]\n").unwrap_err(),
    ];
    assert_snapshot!(all.join("\n"), @"
    web.yml:2: tls_server_config.cert_file: missing.crt cannot be read: No such file or directory (os error 2)
    web.yml:2: tls_server_config.cert_file: half.crt is not valid PEM, or is incomplete
    web.yml:2: tls_server_config.cert_file: empty.crt has no certificate: -----BEGIN CERTIFICATE----- is expected
    web.yml:2: tls_server_config.cert_file: server.key has no certificate: -----BEGIN CERTIFICATE----- is expected
    web.yml:3: tls_server_config.key_file: server.crt has no private key: -----BEGIN PRIVATE KEY----- is expected
    web.yml:3: tls_server_config.key_file: is not the key of the certificate: replace both with a matching pair
    web.yml:3: tls_server_config.key_file: locked.key is encrypted, and the exporter cannot ask for its password: decrypt it with openssl pkey
    web.yml:2: tls_server_config.cert_file: is empty: the path of a file is expected
    web.yml:3: tls_server_config.key_file: . cannot be read: it is a folder, not a file
    web.yml:1: tls_server_config: `cert_file` is missing: the certificate of this server
    web.yml:1: tls_server_config: `key_file` is missing: the private key of the certificate
    web.yml:1: tls_server_config: `key_file` is missing: the private key of the certificate
    web.yml:1: tls_server_config: expected keys, at least `cert_file` and `key_file`; found a list
    ");
}

/// All mistakes at once, each with its line, and without anything that may be a password.
#[test]
fn all_mistakes_are_found_at_once() {
    let files = files();
    let text = format!(
        "tls_server_confg:\n  cert_file: server.crt\nhttp_server_config:\n  http2: true\n  http3: true\n  headers:\n    \
         X-Frame-Options: allow\n    X-Powered-By: me\n    X-Content-Type-Options: [nosniff]\nbasic_auth_users:\n  \
         alice: secret\n  \"a:b\": {HASH}\n  carol: {HASH}\n  carol: {HASH}\n  dave: \"$2y$10$short\"\n\
         rate_limit:\n  interval: 1s\n  burst: 20\n"
    );
    assert_snapshot!(files.load(&text).unwrap_err(), @r#"
    web.yml:1: tls_server_confg: unknown key; did you mean `tls_server_config`?
    web.yml:4: http_server_config.http2: is not supported: only HTTP/1.1 is served, which Prometheus speaks too; remove this or set it to false
    web.yml:5: http_server_config.http3: unknown key; did you mean `http2`?
    web.yml:7: http_server_config.headers.X-Frame-Options: expected deny or sameorigin; found `allow`
    web.yml:8: http_server_config.headers.X-Powered-By: unknown key; the keys here are Content-Security-Policy, X-Frame-Options, X-Content-Type-Options, X-XSS-Protection, Strict-Transport-Security
    web.yml:9: http_server_config.headers.X-Content-Type-Options: expected a value; found a list
    web.yml:11: basic_auth_users.alice: is not a bcrypt hash: make one with wolkvox_exporter hash-password
    web.yml:12: basic_auth_users.a:b: a name with a colon or a control character cannot be sent: choose another name
    web.yml:14: basic_auth_users.carol: given twice; the first one is on line 13
    web.yml:15: basic_auth_users.dave: is not a bcrypt hash: make one with wolkvox_exporter hash-password
    web.yml:16: rate_limit: is not supported: scrapes are cheap, and too many at once are refused anyway
    "#);
    assert_snapshot!(files.load("basic_auth_users:\n  alice: {\n").unwrap_err(), @"web.yml:2: not valid YAML: while parsing a node, did not find expected node content");
    assert_snapshot!(files.load("[]").unwrap_err(), @"web.yml:1: expected keys such as `tls_server_config` and `basic_auth_users`; found a list");
}

#[tokio::test]
async fn headers_are_on_every_answer_and_those_of_the_configuration_win() {
    let files = files();
    let config = files
        .load("http_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n    Strict-Transport-Security: max-age=1\n")
        .unwrap();
    let server = start_with(config).await;
    for path in ["/", "/metrics", "/nothing"] {
        let answer = server.ask(&super::support::get(path, None)).await;
        assert!(answer.contains("strict-transport-security: max-age=1\r\n"), "{answer}");
        assert!(answer.contains("x-frame-options: sameorigin\r\n"), "{answer}");
        assert!(answer.contains("x-content-type-options: nosniff\r\n"), "{answer}");
        let page = path == "/";
        assert_eq!(answer.contains("referrer-policy: no-referrer\r\n"), page, "{answer}");
    }
}

/// The real binary: a bad web configuration is a usage error, and nothing is served.
#[test]
fn a_bad_one_ends_the_start() {
    let files = files();
    files.put("web.yml", "basic_auth_user:\n");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_wolkvox_exporter"))
        .arg("demo")
        .arg(format!("--web.config.file={}", files.0.join("web.yml").display()))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("web.yml:1: basic_auth_user: unknown key; did you mean `basic_auth_users`?"),
        "{text}"
    );
}
