//! Undoes the compression of a body, chunk by chunk: what is done passes on at once, so that a small body that
//! unpacks to gigabytes stops at the reader's limit.
//!
//! The exporter asks for gzip only. But servers and proxies send what they like, under names that mean something else.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use super::error::{ApiError, Reason};
use crate::language::{Message, Text};

/// Bytes that are unpacked at once.
const BLOCK: usize = 32 * 1024;
/// The largest window of zlib, in bits: it reads smaller ones too.
const WINDOW_BITS: u8 = 15;
/// Encodings that are registered but not read. Anything else in the header may be anything, even a token.
const REGISTERED: [&str; 12] = [
    "aes128gcm",
    "br",
    "compress",
    "dcb",
    "dcz",
    "deflate",
    "exi",
    "gzip",
    "pack200-gzip",
    "x-compress",
    "x-gzip",
    "zstd",
];
/// The first byte of gzip. No text begins with it.
const GZIP: u8 = 0x1f;

/// A body that may be compressed.
pub(super) struct Content {
    coding: Coding,
    block: Vec<u8>,
}

enum Coding {
    /// As the name says, until the first bytes are here: the name may be wrong.
    Named(Name, Vec<u8>),
    Plain,
    Deflate {
        stream: Decompress,
        is_gzip: bool,
        has_ended: bool,
    },
    Brotli {
        state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
        has_ended: bool,
    },
}

#[derive(Clone, Copy, PartialEq)]
enum Name {
    Plain,
    Gzip,
    /// Zlib by its definition, but many send the bare deflate stream.
    Deflate,
    Brotli,
}

/// Takes the unpacked text.
type Take<'t> = &'t mut dyn FnMut(&[u8]) -> Result<(), ApiError>;

impl Content {
    /// The content of an answer with these headers.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let values = headers.get_all(CONTENT_ENCODING).iter();
        let names: Vec<String> = values
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .map(|name| name.trim_ascii().to_ascii_lowercase())
            .map(|name| String::from_utf8_lossy(&name).into_owned())
            .filter(|name| !name.is_empty() && name != "identity")
            .collect();
        let name = match names.join(", ").as_str() {
            "" => Name::Plain,
            "gzip" | "x-gzip" => Name::Gzip,
            "deflate" => Name::Deflate,
            "br" => Name::Brotli,
            unread => {
                let what = if names.iter().all(|name| REGISTERED.contains(&name.as_str())) {
                    Message::new(
                        format!("the answer has the content encoding `{unread}`, which nobody asked for"),
                        format!("la respuesta tiene la codificación `{unread}`, que nadie pidió"),
                    )
                } else {
                    Text::new(
                        "the answer has an unknown content encoding",
                        "la respuesta tiene una codificación desconocida",
                    )
                    .into()
                };
                return Err(ApiError::new(Reason::Decode, what));
            }
        };
        Ok(Self {
            coding: Coding::Named(name, Vec::new()),
            block: Vec::new(),
        })
    }

    /// Unpacks the next chunk.
    pub(super) fn feed(&mut self, chunk: &[u8], take: Take<'_>) -> Result<(), ApiError> {
        if let Coding::Plain = self.coding {
            return take(chunk);
        }
        let Coding::Named(name, begin) = &mut self.coding else {
            return self.unpack(chunk, take);
        };
        begin.extend_from_slice(chunk);
        let Some(coding) = recognised(*name, begin) else {
            return Ok(());
        };
        let begin = std::mem::take(begin);
        self.coding = coding;
        self.unpack(&begin, take)
    }

    /// Ends the body: a compressed one has an end of its own.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        match self.coding {
            Coding::Plain => Ok(()),
            Coding::Named(_, begin) if begin.is_empty() => Ok(()),
            Coding::Deflate { has_ended: true, .. } | Coding::Brotli { has_ended: true, .. } => Ok(()),
            _ => Err(ApiError::new(
                Reason::Truncated,
                Text::new(
                    "the compressed answer ends early",
                    "la respuesta comprimida termina antes de tiempo",
                ),
            )),
        }
    }

    fn unpack(&mut self, mut input: &[u8], take: Take<'_>) -> Result<(), ApiError> {
        self.block.resize(BLOCK, 0);
        loop {
            let Step { used, made, is_end } = match &mut self.coding {
                Coding::Deflate {
                    stream,
                    is_gzip,
                    has_ended,
                } => {
                    if *has_ended {
                        // More members may follow, and zeros that fill up a block.
                        let zeros = input.iter().take_while(|byte| **byte == 0).count();
                        input = &input[zeros..];
                        if input.is_empty() || !*is_gzip {
                            return Ok(());
                        }
                        *stream = Decompress::new_gzip(WINDOW_BITS);
                    }
                    let step = inflate(stream, input, &mut self.block)?;
                    *has_ended = step.is_end;
                    step
                }
                Coding::Brotli { state, has_ended } => {
                    if *has_ended {
                        return Ok(());
                    }
                    let step = decompress(state, input, &mut self.block)?;
                    *has_ended = step.is_end;
                    step
                }
                Coding::Plain | Coding::Named(..) => return take(input),
            };
            input = &input[used..];
            if made > 0 {
                take(&self.block[..made])?;
            }
            if input.is_empty() && made < self.block.len() {
                return Ok(());
            }
            if used == 0 && made == 0 && !is_end {
                return Err(broken());
            }
        }
    }
}

/// What one call has done: bytes read and written, and whether the stream is at its end.
struct Step {
    used: usize,
    made: usize,
    is_end: bool,
}

fn inflate(stream: &mut Decompress, input: &[u8], block: &mut [u8]) -> Result<Step, ApiError> {
    let (read, written) = (stream.total_in(), stream.total_out());
    let status = stream
        .decompress(input, block, FlushDecompress::None)
        .map_err(|_| broken())?;
    Ok(Step {
        used: (stream.total_in() - read) as usize,
        made: (stream.total_out() - written) as usize,
        is_end: status == Status::StreamEnd,
    })
}

fn decompress(
    state: &mut BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    input: &[u8],
    block: &mut [u8],
) -> Result<Step, ApiError> {
    let (mut left, mut used) = (input.len(), 0);
    let (mut room, mut made, mut total) = (block.len(), 0, 0);
    let result = BrotliDecompressStream(
        &mut left, &mut used, input, &mut room, &mut made, block, &mut total, state,
    );
    if let BrotliResult::ResultFailure = result {
        return Err(broken());
    }
    Ok(Step {
        used,
        made,
        is_end: matches!(result, BrotliResult::ResultSuccess),
    })
}

/// How to read a body of this name that begins with these bytes. `None` if they are too few to tell.
fn recognised(name: Name, begin: &[u8]) -> Option<Coding> {
    let first = *begin.first()?;
    let stream = match name {
        Name::Plain | Name::Gzip if first == GZIP => Decompress::new_gzip(WINDOW_BITS),
        // Unpacked on the way, by somebody who left the header as it was.
        Name::Gzip if matches!(first, b'{' | b'[' | b'<' | 0xef) || first.is_ascii_whitespace() => {
            return Some(Coding::Plain);
        }
        Name::Plain => return Some(Coding::Plain),
        Name::Gzip => Decompress::new_gzip(WINDOW_BITS),
        Name::Deflate => {
            let second = *begin.get(1)?;
            Decompress::new(is_zlib(first, second))
        }
        Name::Brotli => {
            // Without the extension that allows windows of a gigabyte.
            let state = BrotliState::new_strict(
                StandardAlloc::default(),
                StandardAlloc::default(),
                StandardAlloc::default(),
            );
            return Some(Coding::Brotli {
                state: Box::new(state),
                has_ended: false,
            });
        }
    };
    Some(Coding::Deflate {
        stream,
        is_gzip: name != Name::Deflate,
        has_ended: false,
    })
}

/// Whether these are the first bytes of zlib: method, window and their check (RFC 1950).
fn is_zlib(first: u8, second: u8) -> bool {
    first & 0x0f == 8 && first >> 4 <= 7 && u16::from_be_bytes([first, second]).is_multiple_of(31)
}

fn broken() -> ApiError {
    ApiError::new(
        Reason::Decode,
        Text::new(
            "the compression of the answer is broken",
            "la compresión de la respuesta está dañada",
        ),
    )
}
