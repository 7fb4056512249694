//! How much a client may ask of the server.

use std::time::Duration;

use procfs::process::{LimitValue, Process};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What protects a server from slow and from many clients.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// A request's head has this long, from its first byte on.
    pub head: Duration,
    /// Silence between requests. Scrapers keep their connection, and few scrape more seldom than this.
    pub idle: Duration,
    /// A client that reads nothing for so long is gone.
    pub write_stall: Duration,
    /// A whole answer, however fast it is read: until then a slow reader holds a page that others have long replaced. No
    /// scraper waits longer.
    pub answer: Duration,
    /// A TLS handshake.
    pub handshake: Duration,
    /// The bytes of a request's head.
    pub head_bytes: usize,
    /// The headers in it.
    pub headers: usize,
    /// How often the files of the web configuration are looked at.
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

/// Allows this process as many file descriptors as it may have at most. Services start with few, for the sake of old
/// programs that cannot do with more (select); where it fails, there are fewer connections.
pub fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            ..limit
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::debug!(%error, "the limit of open files stays as it is");
        }
    }
}

impl Limits {
    /// Few enough connections that state files and the API never want for file descriptors.
    pub fn beside(operations: usize) -> Self {
        /// Whatever else is left, scrapes need some.
        const LEAST: usize = 8;
        let limits = Process::myself().and_then(|process| process.limits());
        let descriptors = match limits.map(|limits| limits.max_open_files.soft_limit) {
            Ok(LimitValue::Value(descriptors)) => usize::try_from(descriptors).unwrap_or(usize::MAX),
            Ok(LimitValue::Unlimited) => usize::MAX,
            // Where /proc is hidden: what systemd and Docker give at least.
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
