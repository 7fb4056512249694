//! One gzip member made of parts that were deflated before.
//!
//! Several members would be legal too, but curl and others read only the first. Each part is deflated on its own and
//! flushed to a whole byte, so parts can be joined byte by byte, and their checksums can be combined.

use std::io::Write;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// Fast enough to be done as soon as a page changed, and a fifth of the size.
const LEVEL: Compression = Compression::new(2);
/// Magic, deflate, no flags, no time, no extra flags, unknown system (RFC 1952).
const HEADER: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// The first byte of a block that is stored as it is; two bytes of length and their complement follow (RFC 1951).
const STORED_BLOCK: u8 = 0;
const LONGEST_STORED: u16 = u16::MAX;
/// An empty block that is marked as the last one (RFC 1951).
const LAST_BLOCK: &[u8] = &[3, 0];

/// Bytes deflated on their own and not ended, so that more may follow.
#[derive(Clone, Debug)]
pub(super) struct Deflated {
    bytes: Bytes,
    checksum: Arc<Crc>,
}

impl Deflated {
    pub(super) fn new(plain: &[u8]) -> Self {
        let mut checksum = Crc::new();
        checksum.update(plain);
        let mut encoder = DeflateEncoder::new(Vec::with_capacity(plain.len() / 4 + 64), LEVEL);
        // Writing into a vector cannot fail.
        let _ = encoder.write_all(plain).and_then(|()| encoder.flush());
        let bytes = mem::take(encoder.get_mut());
        Self {
            bytes: bytes.into(),
            checksum: Arc::new(checksum),
        }
    }
}

/// The beginning of a gzip member.
#[derive(Clone, Debug)]
pub(super) struct MemberStart {
    /// The header, and what was deflated.
    bytes: Bytes,
    checksum: Arc<Crc>,
}

impl MemberStart {
    pub(super) fn of(parts: impl Iterator<Item = Deflated>) -> Self {
        let mut bytes = HEADER.to_vec();
        let mut checksum = Crc::new();
        for part in parts {
            bytes.extend_from_slice(&part.bytes);
            checksum.combine(&part.checksum);
        }
        Self {
            bytes: bytes.into(),
            checksum: Arc::new(checksum),
        }
    }

    /// The whole member, ended by what is not deflated at all: it is short, and other for each scrape.
    pub(super) fn ended(self, plain: &[u8]) -> Vec<Bytes> {
        let mut end = Vec::with_capacity(plain.len() + 64);
        for stored in plain.chunks(LONGEST_STORED.into()) {
            let length = u16::try_from(stored.len()).unwrap_or(LONGEST_STORED);
            end.push(STORED_BLOCK);
            end.extend_from_slice(&length.to_le_bytes());
            end.extend_from_slice(&(!length).to_le_bytes());
            end.extend_from_slice(stored);
        }
        end.extend_from_slice(LAST_BLOCK);
        let mut checksum = Crc::new();
        checksum.update(plain);
        let mut whole = Crc::new();
        whole.combine(&self.checksum);
        whole.combine(&checksum);
        end.extend_from_slice(&whole.sum().to_le_bytes());
        end.extend_from_slice(&whole.amount().to_le_bytes());
        vec![self.bytes, end.into()]
    }
}
