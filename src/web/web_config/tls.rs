//! The section `tls_server_config`: certificate, key, and which clients and versions are accepted.
//!
//! The names are those of Go's crypto/tls, as in the toolkit. What rustls does not support (TLS below 1.2, CBC suites,
//! RSA key exchange, P-521) is refused: a setting without effect would look like protection.

use std::sync::Arc;

use jiff::Timestamp;
use rustls::crypto::ring::{self, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{Error, RootCertStore, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion, version};

use super::files::Files;
use crate::yaml::mapping::{Field, Mapping, nearest};
use crate::yaml::mistake::quoted;

/// The TLS settings.
#[derive(Clone, Debug)]
pub(in crate::web) struct Tls {
    pub(in crate::web) config: Arc<ServerConfig>,
    /// Whether clients must present a certificate.
    pub(in crate::web) requires_certificate: bool,
    /// When the first certificate of the chain expires. `None` if that cannot be read.
    pub(in crate::web) expires: Option<Timestamp>,
}

/// Whether a client must present a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ClientAuth {
    Nothing,
    CertificateIfAny,
    Certificate,
}

/// Reads the section. `None` if it is empty or has mistakes.
pub(super) fn read(section: Field<'_>, files: &mut Files) -> Option<Tls> {
    let mut keys = section.mapping("keys, at least `cert_file` and `key_file`")?;
    if keys.is_empty() {
        return None;
    }
    let before = keys.mistakes();
    let certificates = read_pem(&mut keys, "cert", "cert_file", files, certificates);
    let key = read_pem(&mut keys, "key", "key_file", files, private_key);
    let roots = read_pem(&mut keys, "client_ca", "client_ca_file", files, certificates_of_ca);
    if keys.mistakes() == before {
        if certificates.is_none() {
            keys.mistake("`cert_file` is missing: the certificate of this server");
        }
        if key.is_none() {
            keys.mistake("`key_file` is missing: the private key of the certificate");
        }
    }
    let client_auth = keys
        .value(
            "client_auth_type",
            "a policy such as RequireAndVerifyClientCert",
            client_auth,
        )
        .unwrap_or(ClientAuth::Nothing);
    if keys.mistakes() == before {
        match (client_auth, &roots) {
            (ClientAuth::Nothing, Some((field, _))) => field.mistake(
                "has no effect without `client_auth_type: RequireAndVerifyClientCert`: add that, or remove this",
            ),
            (ClientAuth::CertificateIfAny | ClientAuth::Certificate, None) => {
                keys.mistake(
                    "`client_ca_file` is missing: `client_auth_type` needs the CA of the clients' certificates",
                );
            }
            _ => {}
        }
    }
    keys.refuse(
        "client_allowed_sans",
        "is not supported: use a separate CA for the scrapers' certificates, and set `client_ca_file` to it",
    );
    let versions = versions(&mut keys);
    let suites = choices(&mut keys, "cipher_suites", "a list of cipher suites of TLS 1.2", suite);
    let groups = choices(&mut keys, "curve_preferences", "a list of curves such as X25519", group);
    let prefer = keys.value("prefer_server_cipher_suites", "true or false", super::flag);
    let failed = keys.mistakes() > before;
    keys.finish();
    if failed {
        return None;
    }

    let mut provider = ring::default_provider();
    if let Some(suites) = suites {
        // As in Go, those of TLS 1.3 cannot be chosen.
        provider.cipher_suites.retain(|suite| suite.tls13().is_some());
        provider.cipher_suites.extend(suites);
    }
    if let Some(groups) = groups {
        provider.kx_groups = groups;
    }
    let (_, certificates) = certificates?;
    let (key_at, key) = key?;
    let expires = certificates.iter().filter_map(expiry).min();
    let config = build(Arc::new(provider), &versions, client_auth, roots, certificates, key);
    let mut config = config.map_err(|wrong| key_at.mistake(wrong)).ok()?;
    config.ignore_client_order = prefer.unwrap_or(true);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(Tls {
        config: Arc::new(config),
        requires_certificate: client_auth == ClientAuth::Certificate,
        expires,
    })
}

fn expiry(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

fn build(
    provider: Arc<CryptoProvider>,
    versions: &[&'static SupportedProtocolVersion],
    client_auth: ClientAuth,
    roots: Option<(Field<'_>, RootCertStore)>,
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, String> {
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|error| format!("these versions and cipher suites do not match: {error}"))?;
    let builder = match roots {
        Some((field, roots)) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = if client_auth == ClientAuth::Certificate {
                verifier
            } else {
                verifier.allow_unauthenticated()
            };
            let verifier = verifier.build();
            builder
                .with_client_cert_verifier(verifier.map_err(|error| format!("{} cannot be used: {error}", field.path))?)
        }
        None => builder.with_no_client_auth(),
    };
    builder
        .with_single_cert(certificates, key)
        .map_err(|error| match error {
            Error::InconsistentKeys(_) => {
                "is not the key of the certificate: replace both with a matching pair".to_owned()
            }
            error => format!("certificate and key cannot be used: {error}"),
        })
}

/// Parses the PEM text in the key `inline`, or in the file that the key `file` names. Also returns the field used.
fn read_pem<'a, T>(
    keys: &mut Mapping<'a>,
    inline: &'static str,
    file: &'static str,
    files: &mut Files,
    read: impl FnOnce(&[u8]) -> Result<T, String>,
) -> Option<(Field<'a>, T)> {
    let (field, value) = match (keys.field(inline), keys.field(file)) {
        (Some(field), Some(_)) => {
            field.mistake(format!("`{file}` is set as well: keep one of them"));
            return None;
        }
        (Some(field), None) => {
            let value = field.parse("a text in PEM", |text| read(text.as_bytes()));
            (field, value)
        }
        (None, Some(field)) => {
            let value = field.parse("the path of a file", |path| {
                let (path, bytes) = files.read(path)?;
                read(&bytes).map_err(|wrong| format!("{} {wrong}", path.display()))
            });
            (field, value)
        }
        (None, None) => return None,
    };
    Some((field, value?))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err("has no certificate: -----BEGIN CERTIFICATE----- is expected".to_owned()),
        Ok(found) => Ok(found),
        Err(_) => Err("is not valid PEM, or is incomplete".to_owned()),
    }
}

fn certificates_of_ca(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        let added = roots.add(certificate);
        added.map_err(|error| format!("has a certificate that cannot be used: {error}"))?;
    }
    Ok(roots)
}

/// Messages never repeat what was read.
fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        pem::Error::NoItemsFound if String::from_utf8_lossy(pem).contains("BEGIN ENCRYPTED PRIVATE KEY") => {
            "is encrypted, and the exporter cannot ask for its password: decrypt it with openssl pkey".to_owned()
        }
        pem::Error::NoItemsFound => "has no private key: -----BEGIN PRIVATE KEY----- is expected".to_owned(),
        _ => "is not valid PEM, or is incomplete".to_owned(),
    })
}

fn client_auth(text: &str) -> Result<ClientAuth, String> {
    const KNOWN: [&str; 3] = ["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"];
    match text {
        "" | "NoClientCert" => Ok(ClientAuth::Nothing),
        "VerifyClientCertIfGiven" => Ok(ClientAuth::CertificateIfAny),
        "RequireAndVerifyClientCert" => Ok(ClientAuth::Certificate),
        "RequestClientCert" | "RequireClientCert" | "RequireAnyClientCert" => Err(format!(
            "{text} is not supported, since it accepts any self-made certificate: use RequireAndVerifyClientCert"
        )),
        _ => Err(unknown(text, &KNOWN)),
    }
}

fn versions(keys: &mut Mapping<'_>) -> Vec<&'static SupportedProtocolVersion> {
    const WHAT: &str = "a version of TLS such as TLS12";
    let parse = |text: &str| match text {
        "TLS12" => Ok(2_u8),
        "TLS13" => Ok(3),
        "TLS10" | "TLS11" => Err(format!(
            "{text} is not supported, since it is insecure: use TLS12 or TLS13"
        )),
        _ => Err(unknown(text, &["TLS12", "TLS13"])),
    };
    let lowest = keys.value("min_version", WHAT, parse).unwrap_or(2);
    let highest = keys.value("max_version", WHAT, parse).unwrap_or(3);
    if lowest > highest {
        keys.mistake("`min_version` is higher than `max_version`: no version is left");
    }
    let all = [(2, &version::TLS12), (3, &version::TLS13)];
    let within = all
        .into_iter()
        .filter(|(number, _)| (lowest..=highest).contains(number));
    within.map(|(_, version)| version).collect()
}

/// The items of a list. `None` if it is missing or empty, which means the defaults of rustls.
fn choices<T>(
    keys: &mut Mapping<'_>,
    key: &'static str,
    what: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Option<Vec<T>> {
    let items = keys.field(key)?.items(what)?;
    let chosen: Vec<T> = items.iter().filter_map(|item| item.parse("a name", &parse)).collect();
    (!chosen.is_empty()).then_some(chosen)
}

fn suite(name: &str) -> Result<SupportedCipherSuite, String> {
    // Go and rustls use the same names for suites of TLS 1.2; those of 1.3 start with TLS13_ in rustls.
    let of = |suite: &SupportedCipherSuite| format!("{:?}", suite.suite());
    let all = ring::ALL_CIPHER_SUITES;
    if all
        .iter()
        .any(|suite| of(suite).replace("TLS13_", "TLS_") == name && suite.tls13().is_some())
    {
        return Err(format!(
            "{name} is a suite of TLS 1.3, and those are always offered: remove it"
        ));
    }
    let choice: Vec<&SupportedCipherSuite> = all.iter().filter(|suite| suite.tls13().is_none()).collect();
    let found = choice.iter().find(|suite| of(suite) == name);
    found.map(|suite| **suite).ok_or_else(|| {
        let names: Vec<String> = choice.iter().map(|suite| of(suite)).collect();
        unknown(name, &names)
    })
}

fn group(name: &str) -> Result<&'static dyn SupportedKxGroup, String> {
    match name {
        "X25519" => Ok(kx_group::X25519),
        "CurveP256" => Ok(kx_group::SECP256R1),
        "CurveP384" => Ok(kx_group::SECP384R1),
        _ => Err(unknown(name, &["X25519", "CurveP256", "CurveP384"])),
    }
}

fn unknown<S: AsRef<str>>(text: &str, known: &[S]) -> String {
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    match nearest(text, known.iter().copied()) {
        Some(near) => format!("{} is not supported; did you mean {near}?", quoted(text)),
        None => format!("{} is not supported; use one of {}", quoted(text), known.join(", ")),
    }
}
