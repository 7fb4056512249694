//! What failures of TLS mean, and what helps.

use rustls::CertificateError::{
    BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
    UnknownIssuer,
};
use rustls::Error;

use super::error::{ApiError, Reason};

/// Whether the other side does not speak TLS at all.
pub(super) fn is_no_tls(error: &Error) -> bool {
    matches!(error, Error::InvalidMessage(_))
}

/// Why there is no TLS connection to a place that is called `name` in messages.
pub(super) fn failure(error: &Error, name: &str, is_proxy: bool) -> ApiError {
    let (what, advice) = match error {
        error if is_no_tls(error) => {
            let advice = if is_proxy {
                "write http:// in the proxy of the operation if the proxy itself is not reached with TLS"
            } else {
                "check the url of the operation and its port; write http:// if it is a gateway without TLS"
            };
            return ApiError::new(
                Reason::Tls,
                format!("{name} was asked with https, and does not speak TLS"),
            )
            .advise(advice);
        }
        Error::InvalidCertificate(wrong) => match wrong {
            BadSignature => (
                "does not fit the CA of its issuer's name".to_owned(),
                "the CA was made again: set ca_file to its current certificate",
            ),
            UnknownIssuer => ("was issued by an unknown CA".to_owned(), Reason::Tls.advice()),
            Expired | ExpiredContext { .. } => (
                "has expired".to_owned(),
                "whoever runs it must renew the certificate; if it is valid, check this host's clock (NTP)",
            ),
            NotValidYet | NotValidYetContext { .. } => ("is not valid yet".to_owned(), "check this host's clock (NTP)"),
            NotValidForName | NotValidForNameContext { .. } => (
                format!("is for another name: {wrong}"),
                "use the name that the certificate has, or make the certificate for this name (subjectAltName)",
            ),
            other => match other.to_string() {
                why if why.contains("CaUsedAsEndEntity") => (
                    "is that of a CA, which no server may use as its own".to_owned(),
                    "make a certificate for the server with the key of this CA, or make the self-signed one again with \
                     openssl's -addext basicConstraints=critical,CA:FALSE",
                ),
                why => (format!("is refused: {why}"), Reason::Tls.advice()),
            },
        },
        other => return ApiError::new(Reason::Tls, format!("no TLS connection to {name}: {other}")),
    };
    ApiError::new(Reason::Tls, format!("the certificate of {name} {what}")).advise(advice)
}
