//! A connection that can end with a TCP reset, or carry something else than HTTP.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// How a connection is to break. Clones are of the same connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Breakage {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    reset: AtomicBool,
    instead: Mutex<Option<Bytes>>,
}

impl Breakage {
    /// The connection ends with a TCP reset instead of closing in order.
    pub(super) fn reset(&self) {
        self.shared.reset.store(true, Ordering::Relaxed);
    }

    /// These bytes are sent instead of whatever hyper writes from now on.
    pub(super) fn write_instead(&self, bytes: Bytes) {
        *self.shared.instead.lock() = Some(bytes);
    }
}

/// hyper drops the connection after an error. If a reset is wanted, the drop sends it.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    breakage: Breakage,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, breakage: Breakage) -> Wire {
        Wire { stream, breakage }
    }

    /// Writes what is sent instead of the answer. `true` if there is such a thing, once all of it has been written.
    fn poll_instead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let Wire { stream, breakage } = self;
        let mut instead = breakage.shared.instead.lock();
        let Some(bytes) = instead.as_mut() else {
            return Poll::Ready(Ok(false));
        };
        while !bytes.is_empty() {
            let written = ready!(Pin::new(&mut *stream).poll_write(context, bytes))?;
            bytes.advance(written);
        }
        Poll::Ready(Ok(true))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.breakage.shared.reset.load(Ordering::Relaxed) {
            // If this fails, the client sees an orderly close.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if ready!(self.poll_instead(context))? {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if ready!(self.poll_instead(context))? {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
