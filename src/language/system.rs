//! What the system says when something fails, in Spanish as well. The system itself answers in the language of its host.

use std::error::Error;
use std::io::{self, ErrorKind};

use super::Message;

/// An error of the system. What people do not meet stays in English.
pub fn system_error(error: &(dyn Error + 'static)) -> Message {
    let english = error.to_string();
    let error = error.downcast_ref::<io::Error>();
    let translated = match error.and_then(|error| Some((error.kind(), error.raw_os_error()?))) {
        Some((kind, code)) => of_kind(kind).map(|text| format!("{text} (os error {code})")),
        None => of_lookup(&english).map(str::to_owned),
    };
    match translated {
        Some(spanish) => Message::new(english, spanish),
        None => english.into(),
    }
}

const fn of_kind(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::ConnectionRefused => "conexión rechazada",
        ErrorKind::ConnectionReset => "el otro extremo cortó la conexión",
        ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe | ErrorKind::NotConnected => "la conexión se cortó",
        ErrorKind::HostUnreachable => "no hay ruta al equipo",
        ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => "no hay red",
        ErrorKind::AddrNotAvailable => "no hay direcciones o puertos libres",
        ErrorKind::TimedOut => "se agotó el tiempo",
        ErrorKind::StorageFull => "no queda espacio en el disco",
        ErrorKind::QuotaExceeded => "se agotó la cuota de disco",
        ErrorKind::FileTooLarge => "el archivo es demasiado grande",
        ErrorKind::ReadOnlyFilesystem => "el disco es de solo lectura",
        ErrorKind::PermissionDenied => "permiso denegado",
        ErrorKind::NotFound => "no existe el archivo o la carpeta",
        ErrorKind::NotADirectory => "no es una carpeta",
        ErrorKind::StaleNetworkFileHandle => "el archivo ya no está en el disco de red",
        _ => return None,
    })
}

/// What the C library says of names. Rust has no kinds for it.
fn of_lookup(english: &str) -> Option<&'static str> {
    let (_, why) = english.split_once("failed to lookup address information: ")?;
    Some(match why {
        "Name or service not known" | "Name does not resolve" | "No address associated with hostname" => {
            "no hay ningún equipo con ese nombre"
        }
        "Temporary failure in name resolution" | "Try again" => "el servidor de nombres (DNS) no responde",
        _ => return None,
    })
}
