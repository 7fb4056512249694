//! Joins parts that were compressed earlier into one gzip member.
//!
//! Several members would be valid as well, but curl and others read only the first. Each part is compressed on its own and
//! ends on a whole byte, so that parts can be concatenated, and their checksums can be combined.

use std::io::Write;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// Fast enough for a page that has just changed, and it reduces text to a fifth.
const LEVEL: Compression = Compression::new(2);
/// Magic, deflate, no flags, no time, no extra flags, unknown system (RFC 1952).
const HEADER: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// The first byte of an uncompressed block; its length and the complement of that follow, two bytes each (RFC 1951).
const STORED_BLOCK: u8 = 0;
const LONGEST_STORED: u16 = u16::MAX;
/// An empty block, marked as the last one (RFC 1951).
const LAST_BLOCK: &[u8] = &[3, 0];

/// Compressed bytes without an end mark, so that more can follow.
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
    /// The header and the compressed parts.
    buffers: Vec<Bytes>,
    checksum: Arc<Crc>,
}

impl MemberStart {
    /// The parts are not copied.
    pub(super) fn of(parts: impl Iterator<Item = Deflated>) -> Self {
        let mut buffers = vec![Bytes::from_static(HEADER)];
        let mut checksum = Crc::new();
        for part in parts {
            buffers.push(part.bytes);
            checksum.combine(&part.checksum);
        }
        Self {
            buffers,
            checksum: Arc::new(checksum),
        }
    }

    /// The same in one buffer.
    pub(super) fn joined(self) -> Self {
        Self {
            buffers: vec![self.buffers.concat().into()],
            ..self
        }
    }

    /// The whole member. Its last part is not compressed: it is short, and different for each scrape.
    pub(super) fn ended(mut self, plain: &[u8]) -> Vec<Bytes> {
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
        self.buffers.push(end.into());
        self.buffers
    }
}
