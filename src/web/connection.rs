//! The time-outs of a connection.
//!
//! hyper's only time-out, for a request's head (`header_read_timeout`), starts when the connection becomes idle, which
//! is most of a scraper's time; it has none for writing (<https://github.com/hyperium/hyper/pull/3185>). So the stream
//! below hyper has them: one between requests, a short one from the first byte of a head on, one for a client that
//! stops reading, and one for a client that reads too slowly.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::{Mutex, MutexGuard};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::limits::Limits;

/// What a connection is doing. Shared by its task, its stream, and the search for one to evict.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
    evicted: CancellationToken,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Since when bytes have been waiting for the client to read. It outlives the phase `Serving`: hyper takes a small
    /// body at once, before it is sent.
    stalled: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// No byte has arrived since, of a handshake or of a request.
    Idle(Instant),
    /// A part of a request's head has arrived.
    Head(Instant),
    /// A request is being served, from its head to the last piece of the answer.
    Serving,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                phase: Phase::Idle(Instant::now()),
                stalled: None,
            }),
            evicted: CancellationToken::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Whether a request is being served or an answer sent.
    pub(super) fn is_serving(&self) -> bool {
        let state = self.state();
        matches!(state.phase, Phase::Serving) || state.stalled.is_some()
    }

    /// Since when the connection has been waiting for the client, and whether to read (true) or to send a request.
    /// Smaller values are evicted first.
    pub(super) fn waits_since(&self) -> Option<(bool, Instant)> {
        let state = self.state();
        match state.phase {
            _ if state.stalled.is_some() => state.stalled.map(|since| (true, since)),
            Phase::Idle(since) | Phase::Head(since) => Some((false, since)),
            Phase::Serving => None,
        }
    }

    /// Closes the connection to make room for another.
    pub(super) fn evict(&self) {
        self.evicted.cancel();
    }

    pub(super) fn is_evicted(&self) -> bool {
        self.evicted.is_cancelled()
    }

    /// Ends when the connection is evicted.
    pub(super) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// A request has arrived. It is being served until the guard is dropped.
    pub(super) fn serve(self: &Arc<Self>) -> Serving {
        let before = std::mem::replace(&mut self.state().phase, Phase::Serving);
        Serving {
            activity: Arc::clone(self),
            was_waiting: matches!(before, Phase::Idle(_)),
        }
    }
}

/// A request that is being served.
#[derive(Debug)]
pub(super) struct Serving {
    activity: Arc<Activity>,
    /// Whether it arrived together with the one before.
    pub(super) was_waiting: bool,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.activity.state().phase = Phase::Idle(Instant::now());
    }
}

/// A stream that times out when the client neither sends nor reads.
#[derive(Debug)]
pub(super) struct TimedStream<S> {
    stream: S,
    activity: Arc<Activity>,
    limits: Limits,
    reading: Pin<Box<Sleep>>,
    writing: Pin<Box<Sleep>>,
    /// Whether a write is waiting for the client; if so, the timer `writing` is running.
    stalled: bool,
    /// When the first byte of the current answer was written.
    answering: Option<Instant>,
}

impl<S> TimedStream<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>, limits: Limits) -> Self {
        let timer = || Box::pin(sleep_until(Instant::now()));
        Self {
            stream,
            activity,
            limits,
            reading: timer(),
            writing: timer(),
            stalled: false,
            answering: None,
        }
    }

    /// Applies the time-outs to the result of a write. Each byte sent gives the client more time, up to
    /// `limits.answer`.
    fn limit_write<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let now = Instant::now();
        let answer_deadline = *self.answering.get_or_insert(now) + self.limits.answer;
        let stalls = result.is_pending();
        if stalls != self.stalled {
            self.stalled = stalls;
            self.activity.state().stalled = stalls.then_some(now);
            if stalls {
                let deadline = answer_deadline.min(now + self.limits.write_stall);
                self.writing.as_mut().reset(deadline);
            }
        }
        if stalls && self.writing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        result
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let deadline = {
            let mut state = this.activity.state();
            if buffer.filled().len() > before
                && let Phase::Idle(_) = state.phase
            {
                state.phase = Phase::Head(Instant::now());
            }
            match state.phase {
                Phase::Idle(since) => since + this.limits.idle,
                Phase::Head(since) => since + this.limits.head,
                Phase::Serving => return result,
            }
        };
        if result.is_pending() {
            if this.reading.deadline() != deadline {
                this.reading.as_mut().reset(deadline);
            }
            if this.reading.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.limit_write(cx, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, pieces);
        this.limit_write(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_flush(cx);
        let result = this.limit_write(cx, result);
        if result.is_ready() {
            // hyper flushes once it has nothing left to write.
            this.answering = None;
        }
        result
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.limit_write(cx, result)
    }
}
