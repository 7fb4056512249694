//! A connection while it is open: what it waits for, and for how long it may.
//!
//! hyper starts its time for a request's head (`header_read_timeout`) when the connection falls idle, where a scraper
//! spends most of its life, and has none for writing (<https://github.com/hyperium/hyper/pull/3185>). So the times
//! are kept below it, where the bytes pass: one for the silence between requests, a short one from the first byte of a
//! head on, one for a client that stops reading, and one for a client that reads too slowly.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::{Mutex, MutexGuard};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::limits::Limits;

/// What a connection does. Shared by its task, its stream, and whoever looks for one to close.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
    evicted: CancellationToken,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Since when bytes wait for the client to read. It outlives the phase: hyper takes a small body at once, and has
    /// yet to send it.
    stalled: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nothing has come since: neither a handshake nor a request.
    Idle(Instant),
    /// A part of a request's head has come.
    Head(Instant),
    /// A request is served, from its head to the last piece of the answer.
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

    /// Whether there is something to finish.
    pub(super) fn is_serving(&self) -> bool {
        let state = self.state();
        matches!(state.phase, Phase::Serving) || state.stalled.is_some()
    }

    /// Since when it is the client's turn: to ask, or to read. A connection without a request comes before one with.
    pub(super) fn waits_since(&self) -> Option<(bool, Instant)> {
        let state = self.state();
        match state.phase {
            _ if state.stalled.is_some() => state.stalled.map(|since| (true, since)),
            Phase::Idle(since) | Phase::Head(since) => Some((false, since)),
            Phase::Serving => None,
        }
    }

    /// Closes the connection, to make room for another one.
    pub(super) fn evict(&self) {
        self.evicted.cancel();
    }

    pub(super) fn is_evicted(&self) -> bool {
        self.evicted.is_cancelled()
    }

    pub(super) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// A request has come; it is served until the guard goes.
    pub(super) fn serve(self: &Arc<Self>) -> Serving {
        let before = std::mem::replace(&mut self.state().phase, Phase::Serving);
        Serving {
            activity: Arc::clone(self),
            was_waiting: matches!(before, Phase::Idle(_)),
        }
    }
}

/// A request that is served.
#[derive(Debug)]
pub(super) struct Serving {
    activity: Arc<Activity>,
    /// Whether it had come together with the one before.
    pub(super) was_waiting: bool,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.activity.state().phase = Phase::Idle(Instant::now());
    }
}

/// A stream that gives up on clients that neither ask nor read.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    activity: Arc<Activity>,
    limits: Limits,
    reading: Pin<Box<Sleep>>,
    writing: Pin<Box<Sleep>>,
    /// Whether a write waits for the client, so that `writing` runs.
    stalled: bool,
    /// Since when there is something to write that is not all written yet.
    answering: Option<Instant>,
}

impl<S> Patient<S> {
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

    /// What a write has come to. Each byte that went out gives the client new time, but not without end.
    fn wrote<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let now = Instant::now();
        let whole_by = *self.answering.get_or_insert(now) + self.limits.answer;
        let stalls = result.is_pending();
        if stalls != self.stalled {
            self.stalled = stalls;
            self.activity.state().stalled = stalls.then_some(now);
            if stalls {
                let deadline = whole_by.min(now + self.limits.write_stall);
                self.writing.as_mut().reset(deadline);
            }
        }
        if stalls && self.writing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        result
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
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

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.wrote(cx, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, pieces);
        this.wrote(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_flush(cx);
        let result = this.wrote(cx, result);
        if result.is_ready() {
            // hyper flushes when it has nothing left to write.
            this.answering = None;
        }
        result
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.wrote(cx, result)
    }
}
