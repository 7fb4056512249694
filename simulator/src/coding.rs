//! Compressed bodies.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};

use super::switches::Coding;

/// The most bytes in a block of Brotli that is not compressed, as its length has 16 bits here.
const BROTLI_BLOCK: usize = 1 << 16;

impl Coding {
    /// The value of `Content-Encoding`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Coding::Gzip | Coding::GzipInTwoMembers => "gzip",
            Coding::XGzip => "x-gzip",
            Coding::Deflate | Coding::BareDeflate => "deflate",
            Coding::Brotli => "br",
        }
    }

    pub(super) fn encode(self, body: &[u8]) -> io::Result<Bytes> {
        let bytes = match self {
            Coding::Gzip | Coding::XGzip => gzip(body)?,
            Coding::GzipInTwoMembers => {
                let (first, second) = body.split_at(body.len() / 2);
                [gzip(first)?, gzip(second)?].concat()
            }
            Coding::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(body)?;
                encoder.finish()?
            }
            Coding::BareDeflate => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(body)?;
                encoder.finish()?
            }
            Coding::Brotli => brotli(body),
        };
        Ok(bytes.into())
    }
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

/// Brotli whose blocks are not compressed (RFC 7932, section 9), for want of an encoder that is small.
fn brotli(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, block) in body.chunks(BROTLI_BLOCK).enumerate() {
        // From the lowest bit: not the last block (0), a length of four nibbles (00), the length less 1, uncompressed (1).
        let header = ((block.len() as u32 - 1) << 3) | (1 << 19);
        // In front of the first one a bit 0: a window of 64 KiB.
        let header = if number == 0 { header << 1 } else { header };
        bytes.extend_from_slice(&header.to_le_bytes()[..3]);
        bytes.extend_from_slice(block);
    }
    // The last block (1) is empty (1); alone, behind the bit of the window.
    bytes.push(if bytes.is_empty() { 0b110 } else { 0b11 });
    bytes
}
