//! What failures of TLS mean, and what helps.

use rustls::CertificateError::{
    BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
    UnknownIssuer,
};
use rustls::Error;

use super::error::{ApiError, Reason};
use crate::language::{Language, Message, Text};

/// Whether the other side does not speak TLS at all.
pub(super) fn is_no_tls(error: &Error) -> bool {
    matches!(error, Error::InvalidMessage(_))
}

/// Why there is no TLS connection to a place that is called `name` in messages.
pub(super) fn failure(error: &Error, name: &str, is_proxy: bool) -> ApiError {
    let (what, advice) = match error {
        error if is_no_tls(error) => {
            let advice = if is_proxy {
                Text::new(
                    "write http:// in the proxy of the operation if the proxy itself is not reached with TLS",
                    "escriba http:// en el proxy de la operación si al proxy mismo no se llega con TLS",
                )
            } else {
                Text::new(
                    "check the url of the operation and its port; write http:// if it is a gateway without TLS",
                    "revise la url de la operación y su puerto; escriba http:// si es una pasarela sin TLS",
                )
            };
            return ApiError::new(
                Reason::Tls,
                Message::new(
                    format!("{name} was asked with https, and does not speak TLS"),
                    format!("a {name} se le preguntó con https, y no habla TLS"),
                ),
            )
            .advise(advice);
        }
        Error::InvalidCertificate(wrong) => match wrong {
            BadSignature => (
                Message::from(Text::new(
                    "does not fit the CA of its issuer's name",
                    "no corresponde a la CA que lleva el nombre de su emisor",
                )),
                Text::new(
                    "the CA was made again: set ca_file to its current certificate",
                    "la CA se volvió a crear: apunte ca_file a su certificado actual",
                ),
            ),
            UnknownIssuer => (
                Message::from(Text::new(
                    "was issued by an unknown CA",
                    "fue emitido por una CA desconocida",
                )),
                Reason::Tls.advice(),
            ),
            Expired | ExpiredContext { .. } => (
                Message::from(Text::new("has expired", "está vencido")),
                Text::new(
                    "whoever runs it must renew the certificate; if it is valid, check this host's clock (NTP)",
                    "quien lo administra debe renovar el certificado; si es válido, revise el reloj de este equipo (NTP)",
                ),
            ),
            NotValidYet | NotValidYetContext { .. } => (
                Message::from(Text::new("is not valid yet", "todavía no es válido")),
                Text::new("check this host's clock (NTP)", "revise el reloj de este equipo (NTP)"),
            ),
            NotValidForName | NotValidForNameContext { .. } => (
                Message::new(
                    format!("is for another name: {wrong}"),
                    format!("es para otro nombre: {wrong}"),
                ),
                Text::new(
                    "use the name that the certificate has, or make the certificate for this name (subjectAltName)",
                    "use el nombre que tiene el certificado, o haga el certificado para este nombre (subjectAltName)",
                ),
            ),
            other => match other.to_string() {
                why if why.contains("CaUsedAsEndEntity") => (
                    Message::from(Text::new(
                        "is that of a CA, which no server may use as its own",
                        "es el de una CA, que ningún servidor puede usar como propio",
                    )),
                    Text::new(
                        "make a certificate for the server with the key of this CA, or make the self-signed one again with openssl's -addext basicConstraints=critical,CA:FALSE",
                        "haga un certificado para el servidor con la llave de esta CA, o vuelva a hacer el autofirmado con openssl -addext basicConstraints=critical,CA:FALSE",
                    ),
                ),
                why => (
                    Message::new(format!("is refused: {why}"), format!("es rechazado: {why}")),
                    Reason::Tls.advice(),
                ),
            },
        },
        other => {
            return ApiError::new(
                Reason::Tls,
                Message::new(
                    format!("no TLS connection to {name}: {other}"),
                    format!("sin conexión TLS con {name}: {other}"),
                ),
            );
        }
    };
    let (_, spanish) = what.said(Language::Spanish);
    let what = Message::new(
        format!("the certificate of {name} {what}"),
        format!("el certificado de {name} {spanish}"),
    );
    ApiError::new(Reason::Tls, what).advise(advice)
}
