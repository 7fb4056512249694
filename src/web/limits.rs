//! Limits on clients.

use std::time::Duration;

use procfs::process::{LimitValue, Process};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What protects the server from slow clients and from too many.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Maximum number of open connections.
    pub connections: usize,
    /// Time-out for a request's head, from its first byte on.
    pub head: Duration,
    /// Time-out between requests. Scrapers keep their connection, and few scrape less often than this.
    pub idle: Duration,
    /// Time-out for a client that reads nothing.
    pub write_stall: Duration,
    /// Time-out for sending a whole answer: a slow reader keeps an old page in memory. No scraper waits longer.
    pub answer: Duration,
    /// Time-out for a TLS handshake.
    pub handshake: Duration,
    /// Maximum size of a request's head, in bytes.
    pub head_bytes: usize,
    /// Maximum number of headers in it.
    pub headers: usize,
    /// How often the files of the web configuration are checked for changes.
    pub watch_every: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(180),
            write_stall: Duration::from_secs(30),
            answer: Duration::from_secs(60),
            handshake: Duration::from_secs(10),
            head_bytes: 16 << 10,
            headers: 100,
            watch_every: Duration::from_secs(1),
        }
    }
}

/// Raises the soft limit of open files to the hard limit. Services start with a low one for the sake of old programs
/// that use `select`. If this fails, fewer connections are allowed.
pub fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            ..limit
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::debug!(%error, "the limit of open files cannot be raised");
        }
    }
}

impl Limits {
    /// Leaves enough file descriptors for the state files of these operations and their connections to the API.
    pub fn for_operations(operations: usize) -> Self {
        /// Scrapes need some in any case.
        const LEAST: usize = 8;
        let limits = Process::myself().and_then(|process| process.limits());
        let descriptors = match limits.map(|limits| limits.max_open_files.soft_limit) {
            Ok(LimitValue::Value(descriptors)) => usize::try_from(descriptors).unwrap_or(usize::MAX),
            Ok(LimitValue::Unlimited) => usize::MAX,
            // /proc is hidden: the least that systemd and Docker give.
            Err(_) => 1024,
        };
        let free = descriptors.saturating_sub(32 + 4 * operations);
        let most = Self::default().connections;
        Self {
            connections: free.clamp(LEAST, most),
            ..Self::default()
        }
    }
}
