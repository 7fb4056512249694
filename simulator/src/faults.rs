//! Failures between the API and its client.

use std::time::Duration;

use bytes::Bytes;

use super::api::Api;

/// The body of an error status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorBody {
    /// A web server's error page.
    Html,
    /// The API's envelope, without `data`.
    Json,
    /// The API's envelope with the message of a report without data.
    NoData,
}

/// A fault of a request. Durations are in real time (that of the tokio runtime), not by the simulated clock.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The correct answer after a delay.
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
    /// This fraction of the body, then the connection closes in the middle of the chunked encoding.
    CutBody(f64),
    /// Half of the body, then a pause, then the rest.
    Stall(Duration),
    /// Half of the body, then a TCP reset.
    Reset,
    /// A TCP reset instead of an answer.
    ResetBeforeAnswer,
    /// The correct answer, in small pieces.
    Trickle {
        /// Bytes in a piece.
        bytes: usize,
        /// The pause between pieces.
        every: Duration,
    },
    /// A `Content-Length` that is too long by this many bytes; after the body the connection closes.
    ContentLengthTooLong(u64),
    /// A `Content-Length` that is too short by this many bytes, and a body cut to it.
    ContentLengthTooShort(u64),
    /// 403: limit of simultaneous requests per token.
    SimultaneousLimit,
    /// 403: token limit exceeded.
    QuotaExceeded,
    /// 403: validate token.
    WrongToken,
    /// These bytes instead of an answer, then the connection closes: something else than a web server is on the port.
    NotHttp(Bytes),
    /// Two faults at once; see [`Fault::and`].
    Both(Box<[Fault; 2]>),
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

    /// The 404 of a report without data.
    pub fn no_data() -> Fault {
        Fault::Status {
            status: 404,
            retry_after: None,
            body: ErrorBody::NoData,
        }
    }

    /// What an SSH server says to everybody.
    pub fn ssh_banner() -> Fault {
        Fault::NotHttp(Bytes::from_static(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"))
    }

    /// Both at once: one that changes the answer and one that breaks its delivery, say `Fault::no_data()` and a cut body.
    #[must_use]
    pub fn and(self, other: Fault) -> Fault {
        Fault::Both(Box::new([self, other]))
    }

    /// The faults of which it is made.
    pub(super) fn parts(&self) -> Vec<&Fault> {
        match self {
            Fault::Both(both) => both.iter().flat_map(Fault::parts).collect(),
            one => vec![one],
        }
    }

    /// Whether it leaves the answer as it is, and breaks its delivery.
    pub(super) fn breaks_delivery(&self) -> bool {
        matches!(
            self,
            Fault::CutBody(_)
                | Fault::Stall(_)
                | Fault::Reset
                | Fault::Trickle { .. }
                | Fault::ContentLengthTooLong(_)
                | Fault::ContentLengthTooShort(_)
        )
    }

    /// For the next request only.
    pub fn once(self) -> Injection {
        self.times(1)
    }

    /// For the next requests, this many.
    pub fn times(self, times: u32) -> Injection {
        Injection {
            fault: self,
            report: None,
            spared: 0,
            left: Some(times),
        }
    }

    /// For the requests of one report, until cleared.
    pub fn on(self, report: Api) -> Injection {
        Injection::from(self).on(report)
    }
}

/// A fault and the requests that meet it.
#[derive(Clone, Debug, PartialEq)]
pub struct Injection {
    fault: Fault,
    report: Option<Api>,
    /// Requests that it leaves alone first.
    spared: u32,
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

    /// Leaves this many requests alone first.
    #[must_use]
    pub fn after(self, requests: u32) -> Injection {
        Injection {
            spared: requests,
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
            spared: 0,
            left: None,
        }
    }
}

/// Takes the fault for a request: the oldest of those that apply to it.
pub(super) fn take_fault(injections: &mut Vec<Injection>, report: Option<Api>) -> Option<Fault> {
    injections.retain(|injection| injection.left != Some(0));
    let of_request = injections
        .iter_mut()
        .filter(|injection| injection.report.is_none() || injection.report == report);
    let mut ready = None;
    for injection in of_request {
        if injection.spared == 0 {
            ready = Some(injection);
            break;
        }
        injection.spared -= 1;
    }
    let injection = ready?;
    injection.left = injection.left.map(|left| left - 1);
    Some(injection.fault.clone())
}
