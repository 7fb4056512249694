//! The requests that the simulator received.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::faults::Fault;

/// Requests kept in the log, since a demo may run for weeks.
const LOG_LENGTH: usize = 20_000;

/// A request with a valid token.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedRequest {
    /// When it arrived, by the simulated clock.
    pub at: Timestamp,
    /// The path, without the query.
    pub path: String,
    /// The parameter `api`.
    pub api: Option<String>,
    /// The parameter `date_ini`, as sent.
    pub date_ini: Option<String>,
    /// The parameter `date_end`, as sent.
    pub date_end: Option<String>,
    /// The fault that it met.
    pub fault: Option<Fault>,
}

/// The requests with one token.
#[derive(Clone, Debug)]
pub struct Observed {
    /// How many there were.
    pub requests: u64,
    /// The most that were ever in flight at once, including refused ones.
    pub most_in_flight: u32,
    /// How many count against the quota of the current local day.
    pub charged_today: u32,
    /// The latest ones, oldest first.
    pub log: Vec<ObservedRequest>,
}

#[derive(Debug, Default)]
pub(super) struct RequestLog {
    pub(super) requests: u64,
    pub(super) latest: VecDeque<ObservedRequest>,
}

impl RequestLog {
    pub(super) fn push(&mut self, request: ObservedRequest) {
        self.requests += 1;
        if self.latest.len() == LOG_LENGTH {
            self.latest.pop_front();
        }
        self.latest.push_back(request);
    }
}
