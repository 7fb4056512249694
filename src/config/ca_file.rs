//! The certificates of an operation's own CA.

use super::operation::shown_path_in;
use crate::yaml::file::read_at_most;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::{Path, PathBuf};

/// In bytes. A bundle of all public CAs has a few hundred kilobytes.
const LONGEST: u64 = 4 << 20;
/// A certificate in DER begins with it.
const DER: &[u8] = &[0x30, 0x82];

/// Certificates as they were when the configuration was read: a renewed file changes the operation.
#[derive(Clone, Debug, PartialEq)]
pub struct CaFile {
    /// The path of the file.
    pub path: PathBuf,
    /// Its content.
    pub pem: Vec<u8>,
}

impl CaFile {
    /// Reads the file that the configuration in `folder` names, and checks that its certificates can be trusted.
    pub(super) fn read(folder: &Path, text: &str) -> Result<Self, String> {
        let path = shown_path_in(folder, text)?;
        let shown = path.display();
        let pem = read_at_most(&path, LONGEST)
            .map_err(|error| format!("cannot read {shown}: {error}"))?
            .ok_or_else(|| format!("{shown} is longer than 4 MiB: check that it is the right file"))?;
        if pem.starts_with(DER) {
            return Err(format!(
                "{shown} is in DER, and PEM is expected: convert it with openssl x509 -inform der"
            ));
        }
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|_| format!("{shown} is not valid PEM, or is incomplete"))?;
            let added = roots.add(certificate);
            added.map_err(|error| format!("a certificate in {shown} cannot be used: {error}"))?;
        }
        if roots.is_empty() {
            return Err(format!(
                "{shown} has no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----"
            ));
        }
        Ok(Self { path, pem })
    }
}
