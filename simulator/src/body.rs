//! Bodies that are sent step by step, so that they can fail in the middle.

use std::{
    collections::VecDeque,
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Sleep, sleep};

use super::{limits::InFlightGuard, wire::Breakage};

/// Long enough for what was sent to reach the client before the connection breaks.
const PAUSE: Duration = Duration::from_millis(30);

#[derive(Debug)]
pub(super) enum Step {
    Send(Bytes),
    Wait(Duration),
    /// Close the connection without the end of the body.
    Close,
    /// Reset the connection.
    Reset,
}

#[derive(Debug)]
pub(super) struct SteppedBody {
    steps: VecDeque<Step>,
    waiting: Option<Pin<Box<Sleep>>>,
    breakage: Breakage,
    /// The request is in flight until hyper has taken the last byte, which is before the client can have it.
    _flight: Option<InFlightGuard>,
}

impl SteppedBody {
    pub(super) fn new(steps: Vec<Step>, breakage: Breakage, in_flight: Option<InFlightGuard>) -> SteppedBody {
        SteppedBody {
            steps: steps.into(),
            waiting: None,
            breakage,
            _flight: in_flight,
        }
    }
}

impl Step {
    /// The first `fraction` of the body, a pause in which it arrives, then the end.
    pub(super) fn beginning(body: &Bytes, fraction: f64, end: Option<Step>) -> Vec<Step> {
        let mut steps = vec![Step::Send(body.slice(..byte_at(body, fraction))), Step::Wait(PAUSE)];
        steps.extend(end);
        steps
    }

    /// Half of the body, a long pause, the other half.
    pub(super) fn stalled(body: &Bytes, pause: Duration) -> Vec<Step> {
        let half = byte_at(body, 0.5);
        vec![
            Step::Send(body.slice(..half)),
            Step::Wait(pause),
            Step::Send(body.slice(half..)),
        ]
    }

    /// The body in small pieces.
    pub(super) fn trickled(body: &Bytes, bytes: usize, every: Duration) -> Vec<Step> {
        let mut rest = body.clone();
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if !steps.is_empty() {
                steps.push(Step::Wait(every));
            }
            steps.push(Step::Send(rest.split_to(bytes.max(1).min(rest.len()))));
        }
        steps
    }
}

/// The position at which a fraction of the body ends.
fn byte_at(body: &Bytes, fraction: f64) -> usize {
    (body.len() as f64 * fraction.clamp(0.0, 1.0)) as usize
}

impl Body for SteppedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                ready!(waiting.as_mut().poll(context));
                self.waiting = None;
            }
            match self.steps.pop_front() {
                None => return Poll::Ready(None),
                Some(Step::Send(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Step::Wait(time)) => self.waiting = Some(Box::pin(sleep(time))),
                Some(Step::Close) => return Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
                Some(Step::Reset) => {
                    self.breakage.reset();
                    return Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty() && self.waiting.is_none()
    }
}
