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

    pub(super) fn joined(parts: impl Iterator<Item = Self>) -> Self {
        let mut bytes = Vec::new();
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
}

/// A whole gzip member out of two parts.
pub(super) fn member(first: Deflated, second: Deflated) -> Vec<Bytes> {
    let mut checksum = Crc::new();
    checksum.combine(&first.checksum);
    checksum.combine(&second.checksum);
    let mut end = LAST_BLOCK.to_vec();
    end.extend_from_slice(&checksum.sum().to_le_bytes());
    end.extend_from_slice(&checksum.amount().to_le_bytes());
    vec![Bytes::from_static(HEADER), first.bytes, second.bytes, end.into()]
}
