//! Headers and framing.

use jiff::SignedDuration;

/// How the end of a body is marked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// `Content-Length`.
    #[default]
    ContentLength,
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// The `Date` header of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateHeader {
    /// The simulator's clock.
    #[default]
    Clock,
    /// The simulator's clock moved by this much.
    Skewed(SignedDuration),
    /// No such header.
    Absent,
}

/// How bodies are compressed. Whether the real API compresses at all is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coding {
    /// `gzip`.
    #[default]
    Gzip,
    /// `gzip` with the two halves of the body in members of their own, which is legal.
    GzipInTwoMembers,
    /// The same bytes under the old name `x-gzip`.
    XGzip,
    /// `deflate` as it should be: with the frame of zlib.
    Deflate,
    /// `deflate` as some servers send it: without the frame.
    BareDeflate,
    /// `br`.
    Brotli,
}
