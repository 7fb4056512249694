//! What goes wrong between the contact centre and its client.

use std::time::Duration;

use super::api::Api;

/// The body that goes with an error status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorBody {
    /// A web server's error page.
    Html,
    /// The API's envelope, without `data`.
    Json,
}

/// A fault of one request. Times are those of the runtime, not of the simulated clock.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The right answer, but late.
    Delay(Duration),
    /// Another status.
    Status {
        /// The HTTP status.
        status: u16,
        /// The `Retry-After` header: seconds or an HTTP date.
        retry_after: Option<String>,
        /// The body.
        body: ErrorBody,
    },
    /// Status 200 with a web page.
    Html,
    /// Only this fraction of the body; then the connection is closed in the middle of the chunked encoding.
    CutBody(f64),
    /// Half of the body, then nothing for that long, then the rest.
    Stall(Duration),
    /// Half of the body, then a TCP reset.
    Reset,
    /// A TCP reset instead of an answer.
    ResetBeforeAnswer,
    /// The right answer, bit by bit.
    Trickle {
        /// Bytes at once.
        bytes: usize,
        /// The pause between them.
        every: Duration,
    },
    /// A `Content-Length` that many bytes above the body's; then the connection is closed.
    ContentLengthTooLong(u64),
    /// A `Content-Length` that many bytes below the body's, of which only so much is sent.
    ContentLengthTooShort(u64),
    /// 403: limit of simultaneous requests per token.
    SimultaneousLimit,
    /// 403: token limit exceeded.
    QuotaExceeded,
    /// 403: validate token.
    WrongToken,
}

impl Fault {
    /// An error status with a web page and no `Retry-After`.
    pub fn status(status: u16) -> Fault {
        Fault::Status {
            status,
            retry_after: None,
            body: ErrorBody::Html,
        }
    }

    /// For the next request only.
    pub fn once(self) -> Injection {
        self.times(1)
    }

    /// For the next requests, that many.
    pub fn times(self, times: u32) -> Injection {
        Injection {
            fault: self,
            report: None,
            left: Some(times),
        }
    }

    /// For the requests of one report, until cleared.
    pub fn on(self, report: Api) -> Injection {
        Injection::from(self).on(report)
    }
}

/// A fault and the requests that it is meant for.
#[derive(Clone, Debug, PartialEq)]
pub struct Injection {
    fault: Fault,
    report: Option<Api>,
    left: Option<u32>,
}

impl Injection {
    /// Only for the requests of one report.
    #[must_use]
    pub fn on(self, report: Api) -> Injection {
        Injection {
            report: Some(report),
            ..self
        }
    }
}

impl From<Fault> for Injection {
    /// For every request, until cleared.
    fn from(fault: Fault) -> Injection {
        Injection {
            fault,
            report: None,
            left: None,
        }
    }
}

/// Takes the fault for a request: of those that are meant for it, the one that was injected first.
pub(super) fn take_fault(injections: &mut Vec<Injection>, report: Option<Api>) -> Option<Fault> {
    injections.retain(|injection| injection.left != Some(0));
    let meant = injections
        .iter_mut()
        .find(|injection| injection.report.is_none() || injection.report == report)?;
    meant.left = meant.left.map(|left| left - 1);
    Some(meant.fault.clone())
}
