//! What the simulator saw of its clients.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::faults::Fault;

/// Requests kept in the log: a demonstration may run for weeks.
const LOG_LENGTH: usize = 20_000;

/// A request with a valid token.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedRequest {
    /// When it came, by the simulated clock.
    pub at: Timestamp,
    /// The path, without the query.
    pub path: String,
    /// The parameter `api`.
    pub api: Option<String>,
    /// The parameter `date_ini`, as it was sent.
    pub date_ini: Option<String>,
    /// The parameter `date_end`, as it was sent.
    pub date_end: Option<String>,
    /// The fault that it met.
    pub fault: Option<Fault>,
}

/// All that was seen of one token.
#[derive(Clone, Debug)]
pub struct Observed {
    /// How many requests came.
    pub requests: u64,
    /// The most requests that were ever in flight at once, refused ones included.
    pub most_in_flight: u32,
    /// The requests that count to the quota of the local day that it is now.
    pub charged_today: u32,
    /// The latest requests, the oldest first.
    pub log: Vec<ObservedRequest>,
}

#[derive(Debug, Default)]
pub(super) struct RequestLog {
    pub(super) requests: u64,
    pub(super) latest: VecDeque<ObservedRequest>,
}

impl RequestLog {
    pub(super) fn write(&mut self, request: ObservedRequest) {
        self.requests += 1;
        if self.latest.len() == LOG_LENGTH {
            self.latest.pop_front();
        }
        self.latest.push_back(request);
    }
}
